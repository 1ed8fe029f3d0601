// SPDX-License-Identifier: Apache-2.0
/* dnstap (dnstap.info): DNS messages as servers tell them, protocol buffers in Frame Streams. Frames
 * are found in bytes of any pieces; a message becomes an event of handlers. Pure functions over
 * spans; hostile bytes give false. */
#pragma once

#include "handler/handler.h"

enum { DNSTAP_FRAME_MAX = 128 << 10 }; /* bytes of a frame that is read; longer ones end the stream */

/* What stands at the front of a stream's bytes. */
enum dnstap_frame {
    DNSTAP_MORE,    /* not yet a whole frame */
    DNSTAP_DATA,    /* *ret_frame is a message */
    DNSTAP_CONTROL, /* *ret_control says which */
    DNSTAP_BAD,     /* no Frame Streams */
};

enum dnstap_control {
    DNSTAP_ACCEPT = 1, DNSTAP_START, DNSTAP_STOP, DNSTAP_READY, DNSTAP_FINISH,
};

/* The next frame; *ret_size is what it takes in all. */
enum dnstap_frame dnstap_next(struct span bytes, size_t *ret_size, struct span *ret_frame,
                              uint32_t *ret_control);

/* A stream as it comes: `used` bytes stand in `room`, those before `taken` were in frames before. */
struct dnstap_stream {
    uint8_t *room;
    size_t used;
    size_t taken;
};

/* The next frame of a stream, as dnstap_next() tells it, in the stream's room. Where there is none (yet),
 * what is left moves to the front, and the room behind it is for more. */
enum dnstap_frame dnstap_take(struct dnstap_stream *s, struct span *ret_frame, uint32_t *ret_control);

/* Reads a message into an event, which borrows from it; without a time of its own it has
 * `now_ns`. False when it is none, or of another kind than a DNS message. */
bool dnstap_event(struct span frame, uint64_t now_ns, struct handler_event *ret);
