// SPDX-License-Identifier: Apache-2.0
/* Header blocks of one side unpacked (HPACK, RFC 7541), by libnghttp2's inflater with all its memory
 * from the slab. A block comes in pieces and nothing of it is kept but the dynamic table, at most
 * HTTP2_TABLE_MAX bytes of it.
 *
 * Where blocks were not seen (a connection met midway, a gap) the dynamic table is not known. Indices
 * count from the newest entry, so what is inserted from then on is found where it should be, and what is
 * older is read as HTTP2_UNKNOWN: the table begins full of it. A name or value is missing then, but none
 * is taken for another.
 *
 * An inflater takes some KiB, of which most is not what the table says. A worker keeps the HTTP2_WARM_MAX
 * that were used last; of others only the table is kept (http2_table.h), and an inflater is made anew when
 * the next block comes. */
#pragma once

#include "base/slab.h"
#include "base/span.h"

enum { HTTP2_TABLE_MAX = 64 << 10, HTTP2_TABLE_USUAL = 4096, HTTP2_WARM_MAX = 4096 };

struct http2_hpack; /* a slab block */

/* Those that have an inflater, by when they were used; zeroes: none. One worker's. */
struct http2_warm {
    struct http2_hpack *newest, *oldest;
    uint32_t count;
    uint32_t most; /* 0: HTTP2_WARM_MAX */
};

enum http2_unpacked {
    HTTP2_NONE,    /* the piece is used up */
    HTTP2_FIELD,
    HTTP2_UNKNOWN, /* a field of which the name is not known */
    HTTP2_FAILED,  /* it breaks the rules, or memory ran short: free it, begin anew as after a gap */
};

struct http2_field {
    struct span name; /* borrowed until the next call */
    struct span value;
};

/* NULL when memory is short. `midway`: blocks were missed. `warm`: whom to make room among; NULL: it keeps
 * its inflater. */
struct http2_hpack *http2_hpack_new(struct slab *memory, struct http2_warm *warm, bool midway);
void http2_hpack_free(struct slab *memory, struct http2_hpack *hpack); /* NULL is fine */

/* Before bytes of a block: it is used now, and has an inflater from then on. False when memory is short:
 * free it, as after HTTP2_FAILED. */
bool http2_hpack_wake(struct http2_hpack *hpack, struct slab *memory);

/* Before a block: what the other side allows the table to have (SETTINGS_HEADER_TABLE_SIZE). */
void http2_hpack_allow(struct http2_hpack *hpack, uint32_t size);

/* Takes from the front of `data`, which moves on; `is_last`: the block ends where it does. */
enum http2_unpacked http2_hpack_next(struct http2_hpack *hpack, struct span *data, bool is_last,
                                     struct http2_field *ret);
