// SPDX-License-Identifier: Apache-2.0
/* A capture played back in real time, again and again, as if it were live: frames come when their
 * turn has come, with times of now. It reads through the pcapfile tap. */
#include "tap/replay.h"

#include "base/pages.h"
#include "base/seconds.h"

#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_NS (2 * SECOND_NS) /* between the end and the next beginning */

enum { POLL_MS = 20 /* unless the engine says otherwise */ };

extern const struct tap_kind tap_pcapfile;

struct replay {
    struct tap_options options;
    struct tap *file; /* NULL between two rounds */
    struct tap_batch batch;
    enum replay_way way;
    bool has_ended;    /* of a way that ends */
    bool is_let_go;    /* REPLAY_STEPS: nobody says any more when */
    uint32_t at;       /* of the batch */
    uint64_t base_ns;  /* time of the capture's first frame */
    uint64_t start_ns; /* when it was played; 0: not yet */
    uint64_t last_ns;  /* of the frame played last, in times of now */
    _Atomic uint64_t played;
};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

void replay_close(struct tap *tap)
{
    struct replay *r = (struct replay *)tap;
    if (r == NULL) {
        return;
    }
    tap_pcapfile.close(r->file);
    pages_release(r->batch.frames, TAP_BATCH_FRAMES * sizeof *r->batch.frames);
    pages_release(r->batch.memory, TAP_BATCH_MEMORY);
    free(r);
}

struct tap *replay_new(const struct tap_options *options, enum replay_way way, struct err *err)
{
    if (options->workers > 1) {
        err_set(err, ERR_USAGE, "a capture is played for one worker only; set limits.workers to 1");
        return NULL;
    }
    struct replay *r = calloc(1, sizeof *r);
    if (r == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    r->options = *options;
    r->options.poll_ms = options->poll_ms != 0 ? options->poll_ms : POLL_MS;
    r->way = way;
    r->batch = (struct tap_batch){
        .frames = pages_reserve(TAP_BATCH_FRAMES * sizeof *r->batch.frames),
        .capacity = TAP_BATCH_FRAMES,
        .memory = pages_reserve(TAP_BATCH_MEMORY),
        .memory_size = TAP_BATCH_MEMORY,
    };
    r->file = tap_pcapfile.open(options, err);
    if (r->file == NULL || r->batch.frames == NULL || r->batch.memory == NULL) {
        replay_close((struct tap *)r);
        return NULL;
    }
    return (struct tap *)r;
}

/* The next batch of the capture; at its end the capture is opened anew. */
static enum tap_status refill(struct replay *r, struct err *err)
{
    r->at = 0;
    if (r->has_ended) {
        return TAP_END;
    }
    if (r->file == NULL) {
        r->file = tap_pcapfile.open(&r->options, err);
        if (r->file == NULL) {
            return TAP_ERROR;
        }
        r->start_ns = 0;
    }
    enum tap_status status = tap_pcapfile.next(r->file, &r->batch, err);
    if (status != TAP_OK) {
        r->batch.count = 0;
    }
    if (status == TAP_END) {
        tap_pcapfile.close(r->file);
        r->file = NULL;
        r->has_ended = r->way != REPLAY_AGAIN;
        return r->has_ended ? TAP_END : TAP_OK;
    }
    return status;
}

static void wait_until(uint64_t due_ns, uint32_t poll_ms)
{
    uint64_t now = now_ns();
    uint64_t most = (uint64_t)poll_ms * 1000000;
    uint64_t wait = due_ns > now ? due_ns - now : 0;
    wait = wait < most ? wait : most;
    nanosleep(&(struct timespec){.tv_sec = (time_t)(wait / SECOND_NS),
                                 .tv_nsec = (long)(wait % SECOND_NS)}, NULL);
}

static uint64_t due_at(const struct replay *r, const struct frame *frame)
{
    if (frame->time_ns == FRAME_NO_TIME || frame->time_ns < r->base_ns) {
        return r->last_ns;
    }
    return r->start_ns + (frame->time_ns - r->base_ns);
}

/* Whether a line has come, within the time of a poll; true when none will come any more. */
static bool line_came(struct replay *r)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    char c = 0;
    while (!r->is_let_go && c != '\n') {
        if (poll(&input, 1, (int)r->options.poll_ms) <= 0) {
            return false;
        }
        r->is_let_go = read(STDIN_FILENO, &c, 1) <= 0;
    }
    return true;
}

static enum tap_status step(struct replay *r, struct tap_batch *batch)
{
    if (r->at == r->batch.count || !line_came(r)) {
        return TAP_IDLE;
    }
    batch->frames[batch->count++] = r->batch.frames[r->at++];
    r->played++;
    return TAP_OK;
}

enum tap_status replay_next(struct tap *tap, struct tap_batch *batch, struct err *err)
{
    struct replay *r = (struct replay *)tap;
    batch->count = 0;
    if (r->at == r->batch.count) {
        enum tap_status status = refill(r, err);
        if (status != TAP_OK) {
            return status;
        }
    }
    if (r->way == REPLAY_STEPS) {
        return step(r, batch);
    }
    if (r->at < r->batch.count && r->start_ns == 0) {
        r->base_ns = r->batch.frames[r->at].time_ns;
        r->start_ns = r->last_ns == 0 ? now_ns() : r->last_ns + PAUSE_NS;
    }
    uint64_t now = now_ns();
    while (r->at < r->batch.count && batch->count < batch->capacity) {
        struct frame *frame = &r->batch.frames[r->at];
        uint64_t due = due_at(r, frame);
        if (due > now) {
            break;
        }
        batch->frames[batch->count] = *frame;
        batch->frames[batch->count++].time_ns = r->last_ns = due;
        r->at++;
    }
    if (batch->count > 0) {
        r->played += batch->count;
        return TAP_OK;
    }
    wait_until(r->at < r->batch.count ? due_at(r, &r->batch.frames[r->at]) : now + SECOND_NS,
               r->options.poll_ms);
    return TAP_IDLE;
}

void replay_stats(struct tap *tap, struct tap_stats *ret)
{
    *ret = (struct tap_stats){.received = ((struct replay *)tap)->played};
}

static struct tap *replay_open(const struct tap_options *options, struct err *err)
{
    return replay_new(options, REPLAY_AGAIN, err);
}

const struct tap_kind tap_replay = {
    .name = "replay",
    .help = "a capture played back in real time, again and again",
    .is_live = true,
    .open = replay_open,
    .next = replay_next,
    .stats = replay_stats,
    .close = replay_close,
};
