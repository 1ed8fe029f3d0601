// SPDX-License-Identifier: Apache-2.0
#include "flow/health_book.h"

#include "base/pages.h"
#include "base/prefetch.h"

#include "flow/health_clock.h"

#include <stdlib.h>
#include <string.h>

enum {
    IDLE_US = 8 * 1000000, /* after which a detail with nothing in flight goes back */
    CLOSED_US = 1000000,    /* the same for one of a connection that has closed */
    SWEEP = 1 << 16,        /* details looked at in a second, at most: mostly all, so that what is
                             * found does not depend on how many there are */
    CANDIDATES = 16,        /* details looked at when one must be taken away */
};

/* ---- Lifetime ------------------------------------------------------------------------------- */

static size_t index_size(const struct health_book *book)
{
    return ((size_t)book->options.flows + 1) * sizeof(uint32_t);
}

static size_t connections_size(const struct health_book *book)
{
    return ((size_t)book->options.flows + 1) * sizeof(struct health);
}

static size_t details_size(const struct health_book *book)
{
    return ((size_t)book->options.details + 1) * sizeof(struct health_detail);
}

static size_t more_size(const struct health_book *book)
{
    return ((size_t)book->options.details + 1) * sizeof(struct health_more);
}

static size_t look_size(const struct health_book *book)
{
    return ((size_t)book->options.details + 1) * sizeof(uint32_t);
}

static size_t remains_size(const struct health_book *book)
{
    return ((size_t)book->options.details + 1) * sizeof(struct health_remains);
}

struct health_book *health_book_new(const struct health_options *options, struct err *err)
{
    struct health_book *book = calloc(1, sizeof *book);
    if (book == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    book->options = *options;
    book->of_flow = pages_reserve_sparse(index_size(book));
    book->connections = pages_reserve(connections_size(book));
    book->details = pages_reserve(details_size(book));
    book->more = pages_reserve(more_size(book));
    book->remains = pages_reserve(remains_size(book));
    book->look_us = pages_reserve(look_size(book));
    book->connection_bound = 1;
    book->detail_bound = book->remains_bound = book->more_bound = 1;
    if (book->of_flow == NULL || book->connections == NULL ||
        book->details == NULL || book->more == NULL || book->remains == NULL ||
        book->look_us == NULL) {
        err_set(err, ERR_FAILED,
                "cannot reserve memory for the health of %u connections; lower limits.flows",
                options->flows);
        health_book_free(book);
        return NULL;
    }
    return book;
}

void health_book_free(struct health_book *book)
{
    if (book == NULL) {
        return;
    }
    pages_release(book->of_flow, index_size(book));
    pages_release(book->connections, connections_size(book));
    pages_release(book->details, details_size(book));
    pages_release(book->more, more_size(book));
    pages_release(book->remains, remains_size(book));
    pages_release(book->look_us, look_size(book));
    free(book);
}

/* ---- Details -------------------------------------------------------------------------------- */

struct health_detail *health_detail_of(const struct health_book *book,
                                       const struct health_half *half)
{
    return half->detail != 0 ? &book->details[half->detail] : NULL;
}

/* Leaves in the half what its detail found out. */
static void conclude(struct health *h, struct health_detail *d)
{
    struct health_half *half = &h->halves[d->side];
    health_clock_finish(h, d);
    health_delay_judge(half, d, true);
    health_count32(&half->busy_ms, d->busy_us / 1000);
    health_count32(&half->rwnd_ms, d->rwnd_us / 1000);
    d->busy_us %= 1000;
    d->rwnd_us %= 1000;
    h->flags |= d->queue_before ? HEALTH_QUEUE_BEFORE : 0;
    h->flags &= ~((uint32_t)HEALTH_SAW_BEFORE << d->side);
    h->flags |= health_delay_sees_before(d) ? (uint32_t)HEALTH_SAW_BEFORE << d->side : 0;
}

void health_detail_extend(struct health_detail *d, struct health_more *more)
{
    for (unsigned i = 0; i < d->segment_count; i++) {
        more->segments[i] = d->segments[(d->segment_first + i) & d->segment_mask];
    }
    for (unsigned i = 0; i < d->ack_count; i++) {
        more->acks[i] = d->few_acks[(d->ack_first + i) % HEALTH_FEW_ACKS];
    }
    d->segment_first = d->ack_first = 0;
    d->segments = more->segments;
    d->segment_mask = HEALTH_SEGMENTS - 1;
    d->more = more;
}

void health_detail_grow(struct health_detail *d)
{
    struct health_book *book = d->book;
    uint32_t index = book->free_more;
    if (index != 0) {
        book->free_more = book->more[index].next_free;
    } else {
        index = book->more_bound++; /* never more than there are details */
    }
    health_detail_extend(d, &book->more[index]);
}

/* Makes the memory of a detail free; who owns it ends, or sees to it. */
static void release(struct health_book *book, struct health_detail *d, uint32_t index)
{
    if (d->more != NULL) {
        health_delay_clear(d);
        d->more->next_free = book->free_more;
        book->free_more = (uint32_t)(d->more - book->more);
    }
    d->owner = 0;
    d->next_free = book->free_detail;
    book->free_detail = index;
    book->details_used--;
}

static void give_back(struct health_book *book, struct health_detail *d)
{
    struct health_half *half = &book->connections[d->owner].halves[d->side];
    conclude(&book->connections[d->owner], d);
    const uint32_t index = half->detail;
    half->detail = 0;
    book->connections[d->owner].flags &= ~(uint32_t)HEALTH_PLAIN_BOTH;
    release(book, d, index);
}

void health_detail_forget(struct health_detail *d)
{
    d->segment_count = d->segment_acked = d->hole_count = d->ack_count = 0;
    d->stuck_count = d->stale_count = 0;
    d->has_repeated = d->has_sack = d->is_ahead = false;
    d->ts_first_us = d->tick_us = d->ts_latest = 0;
    d->delay_us = d->delay_base_us = 0;
    d->clock_confirmed = false;
}

/* Whether all is acknowledged, and no closed window holds more back, or nobody will be heard to
 * acknowledge it. Who says again and again what the tap saw acknowledged does not know that it was.
 */
static bool is_quiet(const struct health_book *book, const struct health_detail *d)
{
    enum { STALE_LEAST = 2 };
    const struct health *h = &book->connections[d->owner];
    const struct health_half *half = &h->halves[d->side];
    return (health_distance(half->next, half->acked) <= 0 && !health_window_is_closed(half) &&
            d->stale_count < STALE_LEAST) ||
           !(h->halves[1 - d->side].flags & HALF_SEEN);
}

/* Takes a detail away: one with nothing in flight if some are near, else the one that was quiet
 * for longest. */
static void seize(struct health_book *book, uint32_t now_us)
{
    struct health_detail *best = NULL;
    bool best_quiet = false;
    for (unsigned i = 0; i < CANDIDATES; i++) {
        book->hand = book->hand + 1 < book->detail_bound ? book->hand + 1 : 1;
        struct health_detail *d = &book->details[book->hand];
        if (d->owner == 0) {
            continue;
        }
        bool quiet = is_quiet(book, d);
        bool older = best == NULL || now_us - d->data_us > now_us - best->data_us;
        if (best == NULL || quiet > best_quiet || (quiet == best_quiet && older)) {
            best = d;
            best_quiet = quiet;
        }
    }
    if (best == NULL) {
        return;
    }
    if (!best_quiet) {
        book->connections[best->owner].flags |= HEALTH_SEIZED;
        book->seized++;
    }
    give_back(book, best);
}

static uint32_t new_remains(struct health_book *book)
{
    uint32_t index = book->free_remains;
    if (index != 0) {
        book->free_remains = book->remains[index].next_free;
    } else if (book->remains_bound <= book->options.details) {
        index = book->remains_bound++;
    }
    return index;
}

/* Gives the details of a connection that has closed back, but for what its report needs. */
static void shed(struct health_book *book, struct health *h)
{
    uint32_t index = new_remains(book);
    if (index == 0) {
        return; /* they stay as they are until the connection is dropped */
    }
    h->remains = index;
    h->flags |= HEALTH_SHED;
    struct health_remains *remains = &book->remains[index];
    for (unsigned side = 0; side < 2; side++) {
        struct health_detail *d = health_detail_of(book, &h->halves[side]);
        remains->has[side] = d != NULL;
        if (d == NULL) {
            continue;
        }
        give_back(book, d);
        if (d->sample_count > HEALTH_FEW) { /* of a few the head has all */
            health_delay_quantiles(d, d);
        }
        memcpy(remains->heads[side], d, HEALTH_HEAD_BYTES);
    }
}

/* Whether both sides have said all and were heard. */
static bool is_over(const struct health *h)
{
    const struct health_half *a = &h->halves[0];
    const struct health_half *b = &h->halves[1];
    return a->flags & b->flags & HALF_FIN && a->next == a->acked && b->next == b->acked;
}

void health_detail_waive(struct health_step *s)
{
    struct health_detail *d = health_step_detail(s, s->half);
    s->health->flags |= (uint32_t)HEALTH_WAIVED << s->side;
    if (d != NULL) {
        give_back(s->book, d);
    }
}

void health_detail_end(struct health_step *s)
{
    struct health *h = s->health;
    for (unsigned side = 0; side < 2; side++) {
        const struct health_detail *d = health_step_detail(s, &h->halves[side]);
        if (d != NULL && s->now_us - d->data_us > IDLE_US / 2) {
            s->book->look_us[h->halves[side].detail] = s->now_us; /* let_wait() ends */
        }
    }
    if (!is_over(h)) {
        return;
    }
    bool is_calm = h->copies == 0; /* else late repeats, and what is said of them, may still come */
    for (unsigned side = 0; side < 2; side++) {
        const struct health_detail *d = health_step_detail(s, &h->halves[side]);
        if (d != NULL) {
            is_calm = is_calm && !health_has_trouble(d) && !d->has_repeated && !d->has_sack;
            s->book->look_us[h->halves[side].detail] = s->now_us;
        }
    }
    if (is_calm && (h->halves[0].detail | h->halves[1].detail) != 0) {
        shed(s->book, h);
    }
}

static void prefetch_head(const struct health_detail *d)
{
    for (size_t offset = 0; offset < offsetof(struct health_detail, few_acks); offset += 64) {
        prefetch_write((const char *)d + offset);
    }
}

struct health_detail *health_detail_take(struct health_book *book, struct health *h, unsigned side,
                                         uint32_t now_us)
{
    struct health_half *half = &h->halves[side];
    if (half->detail != 0) {
        return &book->details[half->detail];
    }
    if (h->flags & (HEALTH_SHED | (uint32_t)HEALTH_WAIVED << side)) {
        return NULL; /* stragglers of a connection that is over, or noise */
    }
    if (book->free_detail == 0 && book->detail_bound > book->options.details &&
        book->options.details > 0) {
        seize(book, now_us);
    }
    uint32_t index = book->free_detail;
    if (index != 0) {
        book->free_detail = book->details[index].next_free;
        prefetch_head(&book->details[book->free_detail]); /* whoever needs one next will have it soon */
    } else if (book->detail_bound <= book->options.details) {
        index = book->detail_bound++;
    } else {
        h->flags |= HEALTH_SEIZED;
        return NULL;
    }
    struct health_detail *d = &book->details[index];
    memset(d, 0, offsetof(struct health_detail, few_acks));
    d->book = book;
    d->segments = d->few_segments;
    d->segment_mask = HEALTH_FEW_SEGMENTS - 1;
    d->owner = (uint32_t)(h - book->connections);
    d->side = (uint8_t)side;
    half->detail = index;
    book->details_used++;
    book->look_us[index] = now_us + IDLE_US;
    d->origin = half->next;
    bool whole = (half->flags & (HALF_CLEAN | HALF_BEGUN)) == HALF_CLEAN;
    d->is_joined = !(half->flags & (HALF_SYN | HALF_BEGUN));
    d->initial_state = whole ? INITIAL_SENDING : INITIAL_VOID;
    half->flags |= HALF_BEGUN;
    health_clock_start(d, h, now_us);
    return d;
}

/* ---- Connections ---------------------------------------------------------------------------- */

uint32_t health_book_add(struct health_book *book, flow_index flow)
{
    uint32_t index;
    if (flow > book->options.flows) {
        book->refused++;
        return 0;
    }
    if (book->free_connection != 0) {
        index = book->free_connection;
        book->free_connection = book->connections[index].remains;
        book->free_count--;
    } else {
        index = book->connection_bound++; /* never more than there are flows */
    }
    struct health *h = &book->connections[index];
    memset(h, 0, sizeof *h);
    for (unsigned side = 0; side < 2; side++) {
        h->halves[side].min_rtt_us = HEALTH_NO_TIME;
        h->halves[side].window_scale = UINT8_MAX;
    }
    h->to_server_us = h->to_client_us = HEALTH_NO_TIME;
    book->of_flow[flow] = index;
    return index;
}

void health_drop(struct health_book *book, flow_index flow)
{
    uint32_t index = health_book_find(book, flow);
    if (index == 0) {
        return;
    }
    for (unsigned side = 0; side < 2; side++) {
        const uint32_t detail = book->connections[index].halves[side].detail;
        if (detail != 0) {
            release(book, &book->details[detail], detail); /* nobody asks any more what it found out */
        }
    }
    if (book->connections[index].flags & HEALTH_SHED) {
        uint32_t remains = book->connections[index].remains;
        book->remains[remains].next_free = book->free_remains;
        book->free_remains = remains;
    }
    book->of_flow[flow] = 0;
    book->connections[index].remains = book->free_connection;
    book->free_connection = index;
    book->free_count++;
}

/* Whether less than a time passed; packets may be a little ahead of the tick. */
static bool is_within(uint32_t passed_us, uint32_t time_us)
{
    return passed_us <= time_us || passed_us >= UINT32_MAX - time_us;
}

/* Nobody acknowledged its data for long. Until somebody does, which then goes the long way and has
 * health_detail_end() say so, there is nothing to look for. */
static void let_wait(struct health_book *book, struct health *h, const struct health_detail *d,
                     uint32_t now_us)
{
    const uint32_t forget_us = d->data_us + HEALTH_FORGET_US + 1;
    h->flags &= ~((uint32_t)HEALTH_PLAIN << (1 - d->side)); /* who acknowledges */
    book->look_us[h->halves[d->side].detail] =
        forget_us - now_us < IDLE_US ? forget_us : now_us + IDLE_US;
}

/* Takes a detail back that nothing can be expected for, or notes until when that cannot be: of a
 * connection that is over it can be any time. */
static void review(struct health_book *book, struct health_detail *d, uint32_t now_us)
{
    struct health *h = &book->connections[d->owner];
    const uint32_t quiet_us = now_us - d->data_us;
    const bool is_recent = is_within(quiet_us, IDLE_US);
    const bool over = is_over(h);
    if (is_recent && !over) {
        book->look_us[d - book->details] = d->data_us + IDLE_US;
    } else if (is_within(quiet_us, CLOSED_US)) {
        return;
    } else if (over && health_distance(now_us, h->last_us) > CLOSED_US) {
        shed(book, h);
    } else if (!is_recent && (quiet_us > HEALTH_FORGET_US || is_quiet(book, d))) {
        give_back(book, d);
    } else if (!is_recent && !over) {
        let_wait(book, h, d, now_us);
    }
}

/* Details that are due, a few at a time: what one of them needs comes while others are looked at. */
static void review_all(struct health_book *book, const uint32_t *due, unsigned count, uint32_t now_us)
{
    for (unsigned i = 0; i < count; i++) {
        const struct health *h = &book->connections[book->details[due[i]].owner];
        prefetch_read(&h->halves[0].next);
        prefetch_read(&h->halves[1].next);
        prefetch_read(&h->last_us);
    }
    for (unsigned i = 0; i < count; i++) {
        struct health_detail *d = &book->details[due[i]];
        if (d->owner != 0) {
            review(book, d, now_us);
        } else {
            book->look_us[due[i]] = now_us + IDLE_US;
        }
    }
}

void health_tick(struct health_book *book, uint64_t now_ns)
{
    enum { TOGETHER = 16 };
    const uint32_t now_us = (uint32_t)(now_ns / 1000);
    const uint32_t bound = book->detail_bound;
    const uint32_t count = bound < SWEEP ? bound : SWEEP;
    const uint32_t *look_us = book->look_us;
    uint32_t due[TOGETHER], due_count = 0;
    uint32_t hand = book->hand;
    for (uint32_t i = 0; i < count; i++) {
        hand = hand + 1 < bound ? hand + 1 : 1;
        if (look_us[hand] - now_us - 1 < IDLE_US) {
            continue; /* nearly all: no other line of memory is looked at */
        }
        prefetch_read(&book->details[hand].owner);
        prefetch_read(&book->details[hand].data_us);
        due[due_count++] = hand;
        if (due_count == TOGETHER) {
            review_all(book, due, due_count, now_us);
            due_count = 0;
        }
    }
    review_all(book, due, due_count, now_us);
    book->hand = hand;
}

void health_prefetch_index(const struct health_book *book, flow_index flow)
{
    prefetch_read(&book->of_flow[flow]);
}

void health_prefetch(const struct health_book *book, flow_index flow)
{
    const char *at = (const char *)&book->connections[book->of_flow[flow]];
    prefetch_write(at);
    prefetch_write(at + 64);
    prefetch_write(at + 128);
    prefetch_write(at + 192);
    prefetch_write(at + sizeof(struct health) - 1);
}

void health_book_stats(const struct health_book *book, struct health_book_stats *ret)
{
    *ret = (struct health_book_stats){
        .connections = book->connection_bound - 1 - book->free_count,
        .details = book->details_used,
        .seized = book->seized,
        .refused = book->refused,
        .memory = (uint64_t)book->connection_bound * (sizeof(struct health) + sizeof(uint32_t)) +
                  (uint64_t)book->detail_bound * sizeof(struct health_detail) +
                  (uint64_t)book->more_bound * sizeof(struct health_more) +
                  (uint64_t)book->remains_bound * sizeof(struct health_remains),
    };
}
