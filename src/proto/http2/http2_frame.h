// SPDX-License-Identifier: Apache-2.0
/* One side of a connection read as HTTP/2 frames (RFC 9113 §4, §6). Pure: bytes and a small state in,
 * pieces out, whatever the segmentation. Nothing is kept but numbers; a payload passes by in pieces as it
 * comes. Who calls it offers all bytes that it did not consume yet, with more behind them.
 *
 *     PREFACE (a client's first), then for each frame HEAD, BODY and PADDING in any number, then END
 *
 * What breaks the rules of its type is BROKEN, once; then bytes are JUNK until two headers of frames
 * follow one another as they should. */
#pragma once

#include "base/span.h"

enum http2_type {
    HTTP2_DATA, HTTP2_HEADERS, HTTP2_PRIORITY, HTTP2_RST_STREAM, HTTP2_SETTINGS,
    HTTP2_PUSH_PROMISE, HTTP2_PING, HTTP2_GOAWAY, HTTP2_WINDOW_UPDATE, HTTP2_CONTINUATION,
    HTTP2_TYPES, /* and others, which are passed by (§5.5) */
};

enum http2_flag {
    HTTP2_END_STREAM = 1, HTTP2_ACK = 1, HTTP2_END_HEADERS = 4, HTTP2_PADDED = 8,
    HTTP2_HAS_PRIORITY = 32,
};

enum { HTTP2_HEADER = 9, HTTP2_PREFACE_SIZE = 24 };

struct http2_frame {
    uint32_t length;   /* of the payload */
    uint32_t stream;
    uint32_t value;    /* the promised stream; the last stream of GOAWAY; the error of RST_STREAM */
    uint32_t body;     /* bytes of the payload without what is told above and without padding */
    uint8_t type;
    uint8_t flags;
    uint8_t padding;
};

struct http2_parser {
    struct http2_frame frame; /* the one at hand */
    uint32_t remaining;       /* of its body */
    uint32_t block;           /* the stream whose header block is not over; 0: none */
    uint8_t padding;          /* that is still to come */
    uint8_t phase;            /* private; 0: nothing has come */
};

enum http2_kind {
    HTTP2_MORE,    /* come again with more */
    HTTP2_BEGUN,   /* the preface of a client (§3.4) */
    HTTP2_HEAD,    /* a frame begins: parser.frame */
    HTTP2_BODY,
    HTTP2_PADDING,
    HTTP2_END,     /* the frame is over */
    HTTP2_BROKEN,  /* no frame from here on */
    HTTP2_JUNK,    /* of no frame that is known */
};

struct http2_piece {
    enum http2_kind kind;
    size_t size; /* bytes consumed from the front of the data; 0 for MORE, END and BROKEN */
};

struct http2_piece http2_parser_next(struct http2_parser *p, struct span data);

/* `length` bytes are missing: true when they are all of the frame at hand's body and padding, which goes
 * on or has just ended (ask for the next piece); `body` is told how many of the body. False: it is not
 * known any more where frames begin. */
bool http2_parser_gap(struct http2_parser *p, uint32_t length, uint32_t *body);

/* Whether a side's first bytes are HTTP/2, from its begin or midway: 1 yes, 0 no, -1 cannot be told. */
int http2_looks_like(struct span data);
