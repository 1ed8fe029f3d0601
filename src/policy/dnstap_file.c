// SPDX-License-Identifier: Apache-2.0
#include "policy/dnstap_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/dnstap.h"
#include "policy/intake.h"
#include "policy/policy_filter.h"
#include "policy/policy_set.h"

enum { ROOM = 2 * DNSTAP_FRAME_MAX };

struct reader {
    struct intake_seat seat;
    FILE *file; /* NULL: read to its end */
    uint64_t time_ns; /* of the last message; those without a time have it, too */
    struct dnstap_stream stream;
    uint8_t room[ROOM];
};

static void show(struct reader *self, struct span frame)
{
    struct handler_event event;
    if (!dnstap_event(frame, self->time_ns, &event)) {
        atomic_fetch_add_explicit(&self->seat.input->errors, 1, memory_order_relaxed);
    } else if (policy_filter_takes(self->seat.input, &event)) {
        self->time_ns = event.time_ns;
        intake_event(self->seat.intake, self->seat.input, &event);
    }
}

/* Works off whole frames; false when this is no such stream. */
static bool take_frames(struct reader *self)
{
    struct span frame;
    uint32_t control;
    enum dnstap_frame kind;
    do {
        kind = dnstap_take(&self->stream, &frame, &control);
        if (kind == DNSTAP_DATA) {
            show(self, frame);
        }
    } while (kind == DNSTAP_DATA || kind == DNSTAP_CONTROL);
    return kind == DNSTAP_MORE;
}

static void end(struct reader *self)
{
    if (self->file != NULL) {
        fclose(self->file);
        self->file = NULL;
    }
}

static void file_turn(void *source)
{
    struct reader *self = source;
    if (self->file == NULL || !intake_is_ready(self->seat.intake)) {
        nanosleep(&(struct timespec){.tv_nsec = INTAKE_TURN_MS * 1000000L}, NULL);
    } else {
        struct dnstap_stream *s = &self->stream;
        size_t got = fread(s->room + s->used, 1, ROOM - s->used, self->file);
        s->used += got;
        bool is_sound = take_frames(self);
        if (!is_sound) {
            atomic_fetch_add_explicit(&self->seat.input->errors, 1, memory_order_relaxed);
        }
        if (!is_sound || got == 0) {
            end(self);
        }
    }
    intake_settle(self->seat.intake);
}

static void file_close(void *source)
{
    end(source);
    free(source);
}

/* Whether what stands at the front are frames. */
static bool begins_well(struct reader *self)
{
    size_t size;
    uint32_t control;
    struct span frame;
    self->stream.used = fread(self->room, 1, DNSTAP_FRAME_MAX, self->file);
    return dnstap_next(span_of(self->room, self->stream.used), &size, &frame, &control) != DNSTAP_BAD;
}

static void *file_open(const struct intake_seat *seat, struct err *err)
{
    struct reader *self = calloc(1, sizeof *self);
    if (self == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    self->seat = *seat;
    self->stream.room = self->room;
    self->file = fopen(seat->input->file, "re");
    if (self->file == NULL) {
        err_set(err, ERR_FAILED, "%s: %s", seat->input->file, strerror(errno));
    } else if (!begins_well(self)) {
        err_set(err, ERR_FAILED, "%s: this is no dnstap file (Frame Streams)", seat->input->file);
        end(self);
    }
    if (self->file == NULL) {
        free(self);
        return NULL;
    }
    return self;
}

const struct intake_source dnstap_file = {
    .is_past = true,
    .open = file_open,
    .turn = file_turn,
    .close = file_close,
};
