// SPDX-License-Identifier: Apache-2.0
/* A request or a response of memcached, in text or binary, once it is read: its command, its
 * numbers, and its texts (keys, values, statistics) one behind the other in a slab block. Texts
 * beyond MEMCACHE_ITEMS_MAX bytes are left out and the message says so. A message is itself a slab
 * block, owned by whoever took it: memcache_message_give(). Packet path; no side effects but in the
 * slab. */
#pragma once

#include "base/slab.h"
#include "base/span.h"

enum memcache_type {
    MEMCACHE_UNKNOWN,
    MEMCACHE_LOAD,
    MEMCACHE_STORE,
    MEMCACHE_DELETE,
    MEMCACHE_COUNTER,
    MEMCACHE_INFO,
    MEMCACHE_SLABS,
    MEMCACHE_CRAWLER,
    MEMCACHE_STATS,
    MEMCACHE_SUCCESS,
    MEMCACHE_FAIL,
    MEMCACHE_AUTH,
    MEMCACHE_TYPES,
};

enum memcache_number {
    MEMCACHE_BYTES,
    MEMCACHE_BYTES_LOST,
    MEMCACHE_CAS,
    MEMCACHE_COUNT_VALUES,
    MEMCACHE_DELTA,
    MEMCACHE_DEST_CLASS,
    MEMCACHE_EXPTIME,
    MEMCACHE_FLAGS,
    MEMCACHE_INITIAL,
    MEMCACHE_OPAQUE,
    MEMCACHE_OPCODE,
    MEMCACHE_SLEEP,
    MEMCACHE_SOURCE_CLASS,
    MEMCACHE_STATUS_CODE,
    MEMCACHE_VALUE,
    MEMCACHE_VBUCKET,
    MEMCACHE_VERBOSITY,
    MEMCACHE_NUMBERS,
};

enum memcache_item_kind {
    MEMCACHE_ITEM_KEY,
    MEMCACHE_ITEM_VALUE,
    MEMCACHE_ITEM_NAME, /* of a statistic; its value is the item behind it */
    MEMCACHE_ITEM_STATISTIC,
    MEMCACHE_ITEM_LINE,
    MEMCACHE_ITEM_ARGUMENTS,
    MEMCACHE_ITEM_ERROR,
    MEMCACHE_ITEM_VERSION,
    MEMCACHE_ITEM_AUTOMOVE,
    MEMCACHE_ITEM_TAG, /* the opaque token of a meta command */
    MEMCACHE_ITEM_KINDS,
};

/* Whose fault a failure is. */
enum memcache_fault { MEMCACHE_FINE, MEMCACHE_FAILED, MEMCACHE_CLIENTS, MEMCACHE_SERVERS };

struct memcache_message {
    struct memcache_message *next; /* in a queue */
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t bytes;                    /* on the wire */
    const char *command;               /* constant text; NULL: it has no name */
    const char *opcode;                /* binary: constant text */
    const char *status;                /* binary: constant text */
    uint64_t number[MEMCACHE_NUMBERS]; /* times and classes are signed */
    uint32_t has;                      /* a bit a number */
    uint32_t count[MEMCACHE_ITEM_KINDS];
    uint64_t value_left; /* while it comes: bytes of a value that are still to come, */
    uint64_t keep_left;  /* and how many of them are kept */
    uint8_t *items; /* a slab block */
    uint32_t items_size;
    uint32_t items_most; /* bytes that they may have */
    uint32_t last_item; /* where it begins */
    uint16_t id;        /* of the request, in UDP */
    uint8_t type;       /* enum memcache_type */
    uint8_t fault;      /* enum memcache_fault */
    uint8_t tail;       /* of value_left: the end of the value's line */
    bool is_binary;
    bool is_meta;     /* text: mg, ms ... and HD, VA ... */
    bool wants_value; /* text: a meta command with the flag v */
    bool is_quiet;
    bool no_reply;
    bool may_be_mute; /* text: the command may be followed by `noreply` */
    bool holed;       /* bytes of its value were not captured */
    bool is_cut;      /* some of its texts are left out, */
    bool is_short;    /* for want of memory */
    bool is_long;     /* text: a line of it goes on behind what is read */
    bool is_whole;    /* a response of several parts: no more parts come */
    bool is_quit;
    bool is_watch;            /* what comes behind its reply is a log without end */
    bool is_reply_of_counter; /* a line of digits */
};

static inline void memcache_put(struct memcache_message *m, enum memcache_number n, uint64_t value)
{
    m->number[n] = value;
    m->has |= 1U << n;
}

static inline bool memcache_has(const struct memcache_message *m, enum memcache_number n)
{
    return m->has >> n & 1;
}

/* An empty message, whose texts may have so many bytes; NULL without memory. */
struct memcache_message *memcache_message_take(struct slab *slab, size_t most);
/* NULL is fine. */
void memcache_message_give(struct slab *slab, struct memcache_message *m);
/* Bytes that it holds. */
size_t memcache_message_size(const struct memcache_message *m);

/* Adds a text, or appends to the last one; without room the message is cut. Without a slab there is
 * nothing to add to: for those who only want to know whether bytes can be read. */
void memcache_item_add(struct slab *slab, struct memcache_message *m, enum memcache_item_kind kind,
                       struct span text);
void memcache_item_append(struct slab *slab, struct memcache_message *m, struct span text);

/* A place among the items of a message; begins as {0}. */
struct memcache_walk {
    uint32_t at;
    enum memcache_item_kind kind; /* of the text that was returned */
};
/* The next text; one with data NULL at the end. */
struct span memcache_item_next(const struct memcache_message *m, struct memcache_walk *walk);
/* The first text of a kind; one with data NULL when there is none. */
struct span memcache_item_first(const struct memcache_message *m, enum memcache_item_kind kind);
