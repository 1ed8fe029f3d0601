// SPDX-License-Identifier: Apache-2.0
/* A list of marks of a graph that never grows beyond its room and stays true: when it is full, marks
 * of one kind that lie in one cell of a grid over all that was seen become one. The grid is finer
 * than a screen at first and becomes coarser only as long as less than a quarter of the room is free, so
 * what is left out of the picture lies where something of its kind is drawn. One thread; all memory
 * is taken at start; thinning costs a pass over the list, once for at least a quarter of a room of marks. */
#pragma once

#include "base/err.h"

#include <stdint.h>


/* What happened. Of a direction: the data that one end sends, and what the other says of them. */
enum tcp_mark_kind {
    TCP_MARK_DATA,        /* new bytes; from, to: of the stream */
    TCP_MARK_REPEAT,      /* bytes that had passed before */
    TCP_MARK_FILL,        /* a retransmission of bytes that had not passed while later ones had */
    TCP_MARK_LATE,        /* a first transmission that was overtaken */
    TCP_MARK_COPY,        /* a copy of the frame: mirrored, or made by the network */
    TCP_MARK_PROBE,       /* keep-alive, or of a closed window */
    TCP_MARK_SACK,        /* bytes that the receiver has beyond its acknowledgment */
    TCP_MARK_DSACK,       /* bytes that it got twice (RFC 2883) */
    TCP_MARK_MISSED,      /* bytes that were acknowledged, but are in no frame */
    TCP_MARK_ZERO_WINDOW, /* the receiver closed its window; from = to: its edge */
    TCP_MARK_SYN,
    TCP_MARK_FIN,
    TCP_MARK_RST,
    TCP_MARK_ACK,         /* a step of the line: from = to */
    TCP_MARK_WINDOW,      /* the same, of the window's edge */
    TCP_MARK_FLIGHT,      /* the same: bytes in flight on the sender's clock */
    TCP_MARK_ROUND_TRIP,  /* from = to: microseconds, tap to receiver and back */
    TCP_MARK_DELAY,       /* the same, sender to tap, above the least */
    TCP_MARK_KINDS,
};

struct tcp_mark {
    uint64_t time_ns;
    int64_t from, to;
    uint32_t count; /* of marks that became this one, saturating */
    uint8_t kind;   /* enum tcp_mark_kind */
    uint8_t way;    /* side of the sender of the data */
};

struct tcp_marks {
    struct tcp_mark *marks; /* owned; by time */
    uint32_t *cells;        /* of thinning: index + 1 of the mark of a cell, hashed */
    uint64_t *keys;         /* of thinning: the cell of each mark */
    uint32_t room, count;
    uint32_t columns; /* of the grid; 0: nothing was thinned yet */
    uint64_t seen;    /* marks that were added */
};

/* `room`: 64 or more. */
bool tcp_marks_init(struct tcp_marks *marks, uint32_t room, struct err *err);
void tcp_marks_done(struct tcp_marks *marks);
void tcp_marks_clear(struct tcp_marks *marks);

/* Adds a mark; its time is raised to that of the one before. */
void tcp_marks_add(struct tcp_marks *marks, const struct tcp_mark *mark);

/* Short lower-case name with underscores; static text. */
const char *tcp_mark_name(enum tcp_mark_kind kind);
