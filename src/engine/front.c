// SPDX-License-Identifier: Apache-2.0
#include "engine/front.h"

#include "base/prefetch.h"
#include "base/seconds.h"

#include <assert.h>
#include <stdlib.h>

enum {
    EXTRAS_A_FRAME = 2,     /* the datagram it completes, the note to a quoted flow */
    MARKS_A_STEP = 4,
    NESTED_FRAGMENTS = 4,   /* fragments within fragments that are followed */
    OWN_AHEAD = 16,         /* units between asking for one and writing to it */
    FLUSHES_A_SPAN = 64,    /* a short capture is flushed so often, for its sparklines */
};
/* Times beyond are a capture's mistake (2^62 ns is the year 2116): cut to this, so that no sum of times
 * can wrap. */
#define TIME_MAX_NS (UINT64_C(1) << 62)
#define FLUSH_FIRST_NS (UINT64_C(1) << 20)   /* about a millisecond */
#define FINE_FLUSH_FRAMES UINT64_C(100000)   /* beyond so many, once a second is enough */

struct front {
    struct front_options options;
    struct front_totals totals;
    struct defrag *defrag;
    struct flood_watch *watch; /* NULL: nobody looks for floods */
    struct defrag_stats fragments; /* a copy for readers */
    uint64_t now_ns;
    uint64_t second;      /* of the last tick */
    uint64_t start_ns;    /* time of the first packet */
    uint64_t flush_ns;    /* time of the next flush */
    uint64_t quiet_until; /* until then time passes without a mark */
    uint64_t flush_width;
    uint64_t step;
    bool started;
    bool popping;         /* datagrams that timed out are to be let go of */
    bool end_marked;
};

struct front *front_new(const struct front_options *options, struct err *err)
{
    struct front *front = calloc(1, sizeof *front);
    if (front == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    front->options = *options;
    front->totals.first_ns = UINT64_MAX;
    front->flush_width = options->is_live ? SECOND_NS : FLUSH_FIRST_NS;
    front->defrag = defrag_new(
        &(struct defrag_options){
            .memory = options->fragments_memory,
            .timeout_ns = 30 * SECOND_NS, /* RFC 1122 §3.3.2 asks for 60 to 120 s of end systems;
                                             a watcher that waits longer only holds memory */
            .seed = options->seed,
        },
        err);
    if (front->defrag == NULL) {
        free(front);
        return NULL;
    }
    front->watch = options->flood != NULL ? flood_watch_new(options->flood) : NULL;
    if (options->flood != NULL && front->watch == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        front_free(front);
        return NULL;
    }
    return front;
}

void front_free(struct front *front)
{
    if (front != NULL) {
        defrag_free(front->defrag);
        flood_watch_free(front->watch);
        free(front);
    }
}

uint64_t front_now(const struct front *front)
{
    return front->now_ns;
}

const struct front_totals *front_totals(const struct front *front)
{
    return &front->totals;
}

const struct defrag_stats *front_fragments(const struct front *front)
{
    return &front->fragments;
}

/* ---- Time ----------------------------------------------------------------------------------- */

static void put_mark(struct front *front, struct chunk *chunk, enum mark_kind kind, uint64_t time_ns)
{
    chunk->last_step = ++front->step;
    chunk->marks[chunk->mark_count++] =
        (struct mark){.kind = (uint8_t)kind, .step = front->step, .time_ns = time_ns};
}

/* A capture of a second wants finer sparklines than one of a day: the width doubles as it goes. */
static void plan_flush(struct front *front, uint64_t now_ns)
{
    if (!front->options.is_live) {
        uint64_t span = now_ns - front->start_ns;
        while (span > FLUSHES_A_SPAN * front->flush_width) {
            front->flush_width *= 2;
        }
        if (front->totals.frames > FINE_FLUSH_FRAMES && front->flush_width < SECOND_NS) {
            front->flush_width = SECOND_NS;
        }
    }
    front->flush_ns = now_ns - now_ns % front->flush_width + front->flush_width;
}

static void start(struct front *front, uint64_t time_ns)
{
    front->started = true;
    front->now_ns = front->start_ns = time_ns;
    uint64_t second = time_ns / SECOND_NS;
    front->second = second > 0 ? second - 1 : 0;
    plan_flush(front, time_ns);
}

/* A flush of what came up to now, because time has reached `reached_ns`. */
static void flush(struct front *front, uint64_t reached_ns, struct chunk *chunk)
{
    put_mark(front, chunk, MARK_FLUSH, front->now_ns);
    plan_flush(front, reached_ns);
}

/* Lets go of datagrams that timed out, as units. False when the chunk is full first. */
static bool pop_fragments(struct front *front, uint64_t now_ns, struct chunk *chunk);

/* Marks every second up to `time_ns`, but of a long silence only as many as any time-out lasts:
 * behind those there is nothing left that could come up. */
static bool tick_to(struct front *front, uint64_t time_ns, struct chunk *chunk)
{
    uint64_t target = time_ns / SECOND_NS;
    uint64_t linger = front->options.linger_ns / SECOND_NS + 2;
    while (front->second < target) {
        if (chunk->mark_count + MARKS_A_STEP > chunk->mark_capacity) {
            return false;
        }
        bool skip = target - front->second > 2 * linger &&
                    front->second * SECOND_NS > front->now_ns + linger * SECOND_NS;
        front->second = skip ? target : front->second + 1;
        if (front->second * SECOND_NS >= front->flush_ns) {
            flush(front, front->second * SECOND_NS, chunk);
        }
        put_mark(front, chunk, MARK_TICK, front->second * SECOND_NS);
        front->popping = true;
    }
    return true;
}

/* When the next mark is due. */
static uint64_t next_mark(const struct front *front)
{
    uint64_t tick_ns = (front->second + 1) * SECOND_NS;
    return front->flush_ns < tick_ns ? front->flush_ns : tick_ns;
}

/* Moves packet time on; false when the chunk is full before all marks are in it. */
static bool pass_time(struct front *front, uint64_t time_ns, struct chunk *chunk)
{
    if (!front->started) {
        start(front, time_ns);
    }
    front->quiet_until = 0;
    if (!tick_to(front, time_ns, chunk)) {
        return false;
    }
    if (front->popping && !pop_fragments(front, time_ns, chunk)) {
        return false;
    }
    front->popping = false;
    if (chunk->mark_count + MARKS_A_STEP > chunk->mark_capacity) {
        return false;
    }
    front->now_ns = time_ns;
    if (time_ns >= front->flush_ns) {
        flush(front, time_ns, chunk);
    }
    front->quiet_until = next_mark(front);
    return true;
}

bool front_advance(struct front *front, uint64_t now_ns, struct chunk *chunk)
{
    return now_ns <= front->now_ns || pass_time(front, now_ns, chunk);
}

/* ---- Packets -------------------------------------------------------------------------------- */

static bool has_room(const struct chunk *chunk)
{
    return chunk->extra_count + EXTRAS_A_FRAME <= chunk->extra_capacity &&
           chunk->arena_used + DEFRAG_DATAGRAM_MAX <= chunk->arena_size;
}

static struct unit *extra_unit(struct chunk *chunk, uint8_t flags)
{
    struct unit *unit = &chunk->units[chunk->frame_capacity + chunk->extra_count++];
    unit->flags = flags;
    unit->hash = 0;
    unit->end = 0;
    return unit;
}

/* Gives a unit its place in the order of things and its worker. */
static void list_unit(struct front *front, struct unit *unit, struct chunk *chunk)
{
    unit->step = chunk->last_step = ++front->step;
    bool is_shared = chunk->list_count > 1; /* to divide takes a while */
    struct unit_list *list = &chunk->lists[is_shared ? (uint32_t)unit->hash % chunk->list_count : 0];
    list->indices[list->count++] = (uint32_t)(unit - chunk->units);
}

static void find_key(uint64_t seed, struct unit *unit)
{
    int end = flow_key_make(&unit->packet, &unit->key);
    if (end < 0) {
        return;
    }
    unit->end = (int8_t)end;
    unit->hash = flow_key_hash(&unit->key, seed);
    unit->flags |= UNIT_FLOW;
}

/* An ICMP error speaks of a packet of another flow, which another worker may hold: a unit of its
 * own travels there. */
static void quote(struct front *front, const struct packet *error, struct chunk *chunk)
{
    struct packet quoted;
    if (!wire_quoted(error, &quoted)) {
        return;
    }
    struct unit *unit = extra_unit(chunk, 0);
    unit->packet = quoted;
    find_key(front->options.seed, unit);
    if (!(unit->flags & UNIT_FLOW)) {
        chunk->extra_count--;
        return;
    }
    unit->packet = *error;
    unit->flags = UNIT_NOTE;
    list_unit(front, unit, chunk);
}

/* Takes the oldest datagram out of the defragmenter, if it timed out at `now_ns`, as a unit. */
static bool pop_one(struct front *front, uint64_t now_ns, struct chunk *chunk)
{
    struct unit *unit = extra_unit(chunk, 0);
    if (!defrag_pop(front->defrag, now_ns, &unit->packet, chunk->arena + chunk->arena_used)) {
        chunk->extra_count--;
        return false;
    }
    chunk->arena_used += DEFRAG_DATAGRAM_MAX;
    find_key(front->options.seed, unit);
    list_unit(front, unit, chunk);
    return true;
}

static bool pop_fragments(struct front *front, uint64_t now_ns, struct chunk *chunk)
{
    while (has_room(chunk)) {
        if (!pop_one(front, now_ns, chunk)) {
            front->fragments = *defrag_stats(front->defrag);
            return true;
        }
    }
    return false;
}

/* Makes room for a fragment by letting the oldest datagrams go. */
static void make_room(struct front *front, const struct packet *fragment, struct chunk *chunk)
{
    while (defrag_needs_room(front->defrag, fragment) && has_room(chunk) &&
           pop_one(front, UINT64_MAX, chunk)) {
    }
}

/* The frame that made a datagram whole is told by what the datagram turned out to be. */
static void name_frame(struct packet *frame, const struct packet *whole)
{
    struct packet named = *whole;
    named.frames = frame->frames;
    named.wire_len = frame->wire_len;
    named.fragment = frame->fragment;
    *frame = named;
}

/* Adds a fragment to its datagram; when that is whole, the datagram goes on as a unit. */
static void reassemble(struct front *front, struct packet *frame, struct chunk *chunk)
{
    struct packet packet = *frame;
    for (unsigned depth = 0; packet.fragment != FRAGMENT_NONE; depth++) {
        make_room(front, &packet, chunk);
        struct span datagram;
        uint32_t frames, wire_len;
        enum defrag_result result =
            depth < NESTED_FRAGMENTS && has_room(chunk)
                ? defrag_push(front->defrag, &packet, chunk->arena + chunk->arena_used, &datagram,
                              &frames, &wire_len)
                : DEFRAG_BAD;
        if (result == DEFRAG_HELD) {
            return;
        }
        if (result == DEFRAG_BAD) {
            break; /* it stays a fragment, and is counted in the flow that it can be told to be of */
        }
        chunk->arena_used += DEFRAG_DATAGRAM_MAX;
        packet.frames = frames;
        packet.wire_len = wire_len;
        wire_resume(&packet, datagram);
        name_frame(frame, &packet);
    }
    struct unit *unit = extra_unit(chunk, 0);
    unit->packet = packet;
    find_key(front->options.seed, unit);
    list_unit(front, unit, chunk);
}

static void count_frame(struct front *front, const struct frame *frame)
{
    struct front_totals *t = &front->totals;
    t->frames++;
    t->bytes += frame->wire_len;
    if (frame->time_ns == FRAME_NO_TIME) {
        return;
    }
    t->first_ns = frame->time_ns < t->first_ns ? frame->time_ns : t->first_ns;
    t->last_ns = frame->time_ns > t->last_ns ? frame->time_ns : t->last_ns;
}

/* Packet time of a frame: of one without a time, that of the frame before. */
static uint64_t time_of(const struct front *front, const struct frame *frame)
{
    if (frame->time_ns == FRAME_NO_TIME) {
        return front->now_ns;
    }
    return frame->time_ns < TIME_MAX_NS ? frame->time_ns : TIME_MAX_NS;
}

static void stitch_frame(struct front *front, const struct frame *frame, uint64_t time_ns,
                         struct unit *unit, struct chunk *chunk)
{
    count_frame(front, frame);
    unit->packet.time_ns = time_ns;
    if (unit->packet.fragment != FRAGMENT_NONE) {
        reassemble(front, &unit->packet, chunk);
    }
    list_unit(front, unit, chunk);
    if (unit->packet.quoted != NULL) {
        quote(front, &unit->packet, chunk);
    }
}

/* Whether it begins a connection, or answers one that does: that there is room for a mark is asked first. */
static bool is_syn(const struct front *front, const struct unit *unit)
{
    return unit->packet.tcp_flags & TCP_SYN && unit->flags & UNIT_FLOW && front->watch != NULL;
}

static void watch_syn(struct front *front, const struct unit *unit, struct chunk *chunk)
{
    uint64_t server = flood_watch_syn(front->watch, &unit->packet, &unit->key,
                                      (unsigned)unit->end, front->now_ns);
    if (server != 0) {
        put_mark(front, chunk, MARK_FLOOD, front->now_ns);
        chunk->marks[chunk->mark_count - 1].server = server;
    }
}

/* Asks for a line to write to, which another core may have. The compiler's own prefetch for writing is one
 * for reading on x86-64, which leaves the other core its copy; where the processor does not know this
 * instruction, it does nothing. */
static inline void own_line(const uint8_t *at)
{
#if defined(__x86_64__)
    __asm__ volatile("prefetchw %0" : : "m"(*at));
#else
    prefetch_write(at);
#endif
}

static void own_unit(const struct unit *unit)
{
    for (size_t offset = 0; offset < sizeof *unit; offset += 64) {
        own_line((const uint8_t *)unit + offset);
    }
}

/* A file that is mapped is in no cache of ours: the bytes of frames to come are asked for a few at a time,
 * between others' work, since the processor waits when it is asked for many at once. */
static void ask_ahead(const struct frame *frame, uint32_t ahead)
{
    enum { CACHE_LINE = 64 };
    const uint8_t *from = frame->data + ahead;
    for (uint32_t at = 0; at < frame->cap_len; at += CACHE_LINE) {
        prefetch_read(from + at);
    }
}

void front_decode(const struct front_options *options, const struct frame *frames, uint32_t count,
                  struct chunk *chunk, const struct flow_table *ahead)
{
    assert(count <= chunk->frame_capacity);
    for (uint32_t i = 0; i < count; i++) {
        struct unit *unit = &chunk->units[i];
        if (ahead == NULL && i + OWN_AHEAD < count) {
            own_unit(unit + OWN_AHEAD);
        }
        unit->flags = UNIT_FRAME;
        unit->hash = 0;
        unit->end = 0;
        if (chunk->ahead != 0) {
            ask_ahead(&frames[i], chunk->ahead);
        }
        wire_decode(&frames[i], &unit->packet);
        if (unit->packet.fragment == FRAGMENT_NONE) {
            find_key(options->seed, unit);
            if (ahead != NULL) {
                flow_prefetch_bucket(ahead, unit->hash);
            }
        }
    }
    chunk->frames = frames;
    chunk->frame_count = count;
}

uint32_t front_stitch(struct front *front, const struct frame *frames, uint32_t from,
                      struct chunk *chunk)
{
    uint32_t i = from;
    for (; i < chunk->frame_count && has_room(chunk); i++) {
        uint64_t time_ns = time_of(front, &frames[i]);
        if (time_ns > front->now_ns) {
            if (time_ns < front->quiet_until) {
                front->now_ns = time_ns;
            } else if (!pass_time(front, time_ns, chunk)) {
                break;
            }
        } else {
            front->totals.past += front->now_ns - time_ns > FRONT_PAST_NS;
        }
        bool is_first = is_syn(front, &chunk->units[i]);
        if (is_first && chunk->mark_count == chunk->mark_capacity) {
            break;
        }
        stitch_frame(front, &frames[i], time_ns, &chunk->units[i], chunk);
        if (is_first) {
            watch_syn(front, &chunk->units[i], chunk);
        }
    }
    return i;
}

bool front_end(struct front *front, struct chunk *chunk)
{
    if (!pop_fragments(front, UINT64_MAX, chunk)) {
        return false;
    }
    if (!front->end_marked) {
        put_mark(front, chunk, MARK_FLUSH, front->now_ns);
        front->end_marked = true;
    }
    return true;
}
