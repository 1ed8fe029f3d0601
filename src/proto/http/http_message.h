// SPDX-License-Identifier: Apache-2.0
/* One side of a connection read as HTTP/1.x messages (RFC 9112). Pure: bytes and a state of 16 bytes
 * in, pieces out, whatever the segmentation; nothing is copied or kept. Who calls it offers all bytes
 * that it did not consume yet, with more behind them; how far they were searched is remembered, so
 * that a byte is looked at a bounded number of times.
 *
 *     HEAD, then http_parser_frame(), then BODY and FRAMING in any number, then END; and again
 *
 * A bare LF ends a line as CRLF does (§2.2), folded header lines are one value (§5.2). What is no
 * message is BROKEN, once; then bytes are JUNK until a line looks like a start line. */
#pragma once

#include "hypertext/http_text.h"

enum {
    HTTP_HEAD_MAX = 60 << 10, /* start line and headers; offsets fit in 16 bits */
    HTTP_LINE_MAX = 8 << 10,  /* a chunk's size with its extensions, a trailer */
    HTTP_LOOK_BACK = 4 << 10, /* a start line that bytes of no message precede in its line */
    HTTP_METHOD_MAX = 32,
};

/* A part of a head, which may move: an offset and a size. */
struct http_part {
    uint16_t at;
    uint16_t size;
};

/* What a head says. Parts that are absent have no size. */
struct http_head {
    struct http_part method; /* of a request */
    struct http_part target;
    struct http_part phrase; /* of a response */
    struct http_part host;
    struct http_part user_agent;
    struct http_part referrer;
    struct http_part content_type;
    struct http_part authorization; /* the first; at 0: there is none */
    uint64_t content_length;
    uint16_t status; /* 0: a request */
    uint16_t headers_at; /* where the first header line begins */
    uint8_t minor;       /* HTTP/1.minor */
    bool has_length;
    bool bad_length;   /* Content-Length that is no number, or two that differ (§6.3) */
    bool has_encoding; /* Transfer-Encoding, which overrides it */
    bool chunked;      /* as its last coding */
    bool is_folded;    /* a header goes on in the next line (§5.2) */
};

static inline struct span http_part_of(const uint8_t *text, struct http_part part)
{
    return span_of(text + part.at, part.size);
}

/* Which messages a side sends. */
enum http_role { HTTP_ANY, HTTP_REQUESTS, HTTP_RESPONSES };

struct http_parser {
    uint64_t remaining; /* bytes of the body or of the chunk that are still to come */
    uint32_t scanned;   /* bytes at the front that were searched for the end of a line */
    uint8_t phase;      /* private; 0: between messages */
    uint8_t role;       /* enum http_role; set it once it is known */
};

enum http_kind {
    HTTP_MORE,    /* come again with more */
    HTTP_HEAD,    /* a whole head, parsed */
    HTTP_BODY,    /* content */
    HTTP_FRAMING, /* of the message, but no content: chunk sizes, trailers */
    HTTP_END,     /* the message is over */
    HTTP_JUNK,    /* of no message */
    HTTP_BROKEN,  /* no HTTP from here on; with bytes, a head whose end is too far */
};

struct http_piece {
    enum http_kind kind;
    size_t size; /* bytes consumed from the front of the data; 0 for MORE and END */
};

/* The next piece of `data`; `head` is written for HTTP_HEAD only. */
struct http_piece http_parser_next(struct http_parser *p, struct span data, struct http_head *head);

/* Takes `size` bytes of content at once where more of it is to come behind them; else nothing. */
bool http_parser_pass(struct http_parser *p, size_t size);

/* What a response answers, as far as it matters to its length. */
enum http_asked { HTTP_ASKED_OTHER, HTTP_ASKED_HEAD, HTTP_ASKED_CONNECT };

/* Says how the message whose head was read goes on (§6.3). */
void http_parser_frame(struct http_parser *p, const struct http_head *head, enum http_asked asked);

enum http_gap {
    HTTP_GAP_IN_BODY, /* content, and the message goes on or has just ended: ask for the next piece */
    HTTP_GAP_LOST,    /* it is not known any more where messages begin: the one at hand is over */
};

/* `length` bytes are missing; `content` is told how many of them were content. */
enum http_gap http_parser_gap(struct http_parser *p, uint64_t length, uint64_t *content);

/* Whether no head was read whose message goes on. */
bool http_parser_is_between(const struct http_parser *p);

/* Forgets the message at hand. */
void http_parser_restart(struct http_parser *p);

/* After a CONNECT: leaves bytes alone until the answer says whose they are. */
void http_parser_pause(struct http_parser *p);
void http_parser_resume(struct http_parser *p);

/* The header line at `*at` of a head, folded lines included; moves `*at` on. False at the end. The
 * name has no size in a line without a colon. */
bool http_header_next(struct span head, size_t *at, struct http_part *name, struct http_part *value);

/* Whether the first bytes of a side are HTTP/1.x: 1 yes, 0 no, -1 cannot be told yet. */
int http_looks_like(struct span data);
/* The same of bytes behind others that were none of HTTP's: a status line, or a request line with a
 * method that is known and a path. */
int http_begins_late(struct span data);
