// SPDX-License-Identifier: Apache-2.0
/* Turns: what is to be trusted behind holes where answers bear no name and come in the order of the
 * questions. How many questions or answers were in a hole nobody knows; an answer that is joined to the
 * question before or behind its own is worse than one that is lost. So behind a hole nothing is matched
 * until both sides are surely in step again, which is told by how the client behaved so far:
 *  - one that waits for the answer before it asks on is in step with its next question once an answer
 *    came that no question is known for, or answers were lost;
 *  - so is one that was seen to ask several questions at once, after TURNS_BATCHED times that it had all
 *    the answers before it asked more; before that, once both have been silent for 8 ms;
 *  - one that was seen to ask on while answers were under way, after TURNS_OVERLAPPED such times; before
 *    that, once both have been silent for a second.
 * Behind a hole such a time is one when exactly as many answers came between two turns of the client as it
 * asked questions in the first, and these were several.
 * Zeroes are a beginning. Pure; 8 bytes a connection. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    TURNS_BATCHED = 3,
    TURNS_OVERLAPPED = 32,
    TURNS_TICK_SHIFT = 20,
    TURNS_PAUSE = 8, /* ticks */
    TURNS_SILENCE = 1000000000 >> TURNS_TICK_SHIFT,
};

struct turns {
    uint32_t tick;        /* of 2^20 ns, of the latest question or answer */
    uint8_t waited;       /* times that it had all the answers before it asked, saturating, since */
    uint8_t asked;        /* questions in the client's turn, */
    uint8_t got;          /* and answers since; saturating */
    bool lost : 1;        /* nothing is matched */
    bool drained : 1;     /* until the next question, if the client is one that waits */
    bool stray : 1;       /* an answer came since the latest question that matches none */
    bool answered : 1;    /* some of what waits was */
    bool pipelines : 1;   /* it asked while another question waited, */
    bool overlaps : 1;    /* and after some of what waits was answered */
};

/* Whether the client surely waits for answers before it goes on. */
static inline bool turns_are_kept(const struct turns *t)
{
    return t->waited >= (t->overlaps ? TURNS_OVERLAPPED : t->pipelines ? TURNS_BATCHED : 0);
}

static inline void turns_count(uint8_t *count, uint8_t most)
{
    *count = (uint8_t)(*count + (*count < most));
}

/* Behind a hole the client's turn comes again: whether it waited before is all there is to learn. */
static inline void turns_learn(struct turns *t)
{
    bool fits = t->asked == t->got && t->asked > 1 && t->asked < UINT8_MAX;
    t->waited = fits ? t->waited : 0;
    if (fits) {
        turns_count(&t->waited, TURNS_OVERLAPPED);
    }
    t->drained = turns_are_kept(t);
}

/* A question begins at `now_ns` of packet time; `waits`: others wait for their answers. False: it was
 * asked out of step and is not to be matched. */
static inline bool turns_ask(struct turns *t, bool waits, uint64_t now_ns)
{
    uint32_t tick = (uint32_t)(now_ns >> TURNS_TICK_SHIFT);
    bool silent = (int32_t)(tick - t->tick) >= (t->overlaps ? TURNS_SILENCE : TURNS_PAUSE);
    t->tick = tick;
    if (t->got > 0) {
        if (t->lost && !turns_are_kept(t)) {
            turns_learn(t);
        }
        t->asked = t->got = 0;
    }
    turns_count(&t->asked, UINT8_MAX);
    if (t->lost && (silent || (t->drained && turns_are_kept(t)))) {
        t->lost = t->drained = false;
    }
    t->stray = false;
    if (t->lost) {
        return false;
    }
    if (!waits) {
        turns_count(&t->waited, TURNS_OVERLAPPED);
        t->answered = false;
        return true;
    }
    t->waited = t->answered || !t->pipelines ? 0 : t->waited;
    t->overlaps = t->overlaps || t->answered;
    t->pipelines = true;
    return true;
}

/* An answer is whole; `matches`: a question waited for it. */
static inline void turns_answer(struct turns *t, bool matches, uint64_t now_ns)
{
    t->tick = (uint32_t)(now_ns >> TURNS_TICK_SHIFT);
    t->answered = true;
    turns_count(&t->got, UINT8_MAX);
    t->stray = t->stray || !matches;
    t->drained = t->drained || (t->lost && !matches);
}

/* Questions may have been in a hole; `waits`: some wait that were asked before. Where a stray answer came
 * before the hole was known, it was theirs; but not where an earlier hole is there to explain it. */
static inline void turns_lose_questions(struct turns *t, bool waits)
{
    if (t->lost || waits || !t->stray || !turns_are_kept(t)) {
        t->lost = true;
        t->drained = false;
    }
    t->stray = false;
    t->asked = t->got = 0; /* they are of a turn that had more questions */
}

/* An answer came that cannot be that of the oldest question: how the client behaves was misjudged. */
static inline void turns_mistrust(struct turns *t)
{
    *t = (struct turns){.tick = t->tick, .lost = true, .pipelines = true, .overlaps = true};
}

/* Answers may have been in a hole; `waits`: so that the questions that wait are given up. Where several
 * questions may be under way, and some were lost before, these may be answered yet. */
static inline void turns_lose_answers(struct turns *t, bool waits)
{
    bool is_open = t->lost && (t->pipelines || t->overlaps);
    t->lost = t->lost || waits;
    t->drained = is_open ? t->drained : t->lost;
}
