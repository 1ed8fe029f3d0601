// SPDX-License-Identifier: Apache-2.0
/* Lines of memcached's text protocol (doc/protocol.txt of memcached 1.6), the classic commands and
 * the meta commands: a table of words, each with the signature of its arguments. Pure but for the
 * texts of the message, which go into the slab. */
#pragma once

#include "proto/memcache/memcache_message.h"

enum memcache_line_kind {
    MEMCACHE_LINE_BAD,   /* none that is known */
    MEMCACHE_LINE_ALONE, /* the message is whole */
    MEMCACHE_LINE_DATA,  /* number[MEMCACHE_BYTES] bytes and the end of a line follow */
};

/* What else a line means. */
struct memcache_line {
    enum memcache_line_kind kind;
    uint64_t data_size; /* of MEMCACHE_LINE_DATA */
    bool is_more;       /* a response of which more lines come, up to END */
    bool is_end;        /* END: the response that was begun is whole */
};

/* Reads a line, its end taken off, as a request or as a response into `m`. What a response of
 * several lines says is added to what `m` holds already. */
struct memcache_line memcache_text_request(struct slab *slab, struct memcache_message *m,
                                           struct span line);
struct memcache_line memcache_text_response(struct slab *slab, struct memcache_message *m,
                                            struct span line);

enum memcache_look {
    MEMCACHE_LOOKS_ELSE,
    MEMCACHE_LOOKS_CUT,  /* it may, when more comes */
    MEMCACHE_LOOKS_LIKE, /* it may, but others say the same: Redis, beanstalkd */
    MEMCACHE_LOOKS_REQUEST,
    MEMCACHE_LOOKS_RESPONSE,
};

/* Whether `data` begins with a line of memcached's. */
enum memcache_look memcache_text_look(struct span data);
