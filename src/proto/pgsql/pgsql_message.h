// SPDX-License-Identifier: Apache-2.0
/* One side of a PostgreSQL connection as messages: a letter, a length of four bytes that counts itself,
 * a body; the first messages of a client have no letter. Bytes may come in any pieces. Of a body so many
 * of the first bytes are shown as its reader wants, however it came; the rest is passed over and costs
 * nothing. A body that is whole in the bytes given is lent from them, another one is gathered in slab memory.
 * Constant work a byte. One thread. */
#pragma once

#include "base/cursor.h"
#include "base/slab.h"

enum { PGSQL_KEPT = 65 << 10, PGSQL_HEADER = 5, PGSQL_LENGTH_MAX = 1 << 30, PGSQL_STARTUP_MAX = 10000 };

/* How many bytes of a body are shown. */
struct pgsql_kept {
    uint32_t statement; /* of Query and Parse */
    uint32_t other;
};

struct pgsql_message {
    uint8_t type;      /* its letter; 0: none */
    struct span body;  /* its first bytes; lent until the next call */
    uint32_t size;     /* of the whole body */
    uint64_t bytes;    /* on the wire, the header included */
    uint64_t start_ns; /* when its first byte came */
    bool holed;        /* bytes of it were not captured: they are zero in body */
};

/* The message that a side is sending; zeroed at first. */
struct pgsql_reader {
    struct pgsql_message message;
    uint8_t *kept; /* slab block */
    uint32_t kept_size;
    uint32_t left; /* of the body */
    struct pgsql_kept most; /* set by its owner */
    uint8_t header[PGSQL_HEADER];
    uint8_t header_size;
    bool in_body;
};

enum pgsql_step {
    PGSQL_MORE, /* all bytes were taken */
    PGSQL_WHOLE,
    PGSQL_BAD, /* no message */
};

/* A message with a letter, between two of which the side is, if it is whole in `in`: then it is
 * taken off and lent from there; else nothing is. */
bool pgsql_message_whole(struct cursor *in, struct pgsql_kept most, uint64_t now_ns,
                         struct pgsql_message *ret);

/* Takes bytes off `in`, which came at `now_ns`. `untyped`: a message without letter is expected. */
enum pgsql_step pgsql_message_next(struct pgsql_reader *r, struct slab *slab, struct cursor *in,
                                   bool untyped, uint64_t now_ns, struct pgsql_message *ret);

/* `length` bytes are missing. True when they are of the message that has begun, which goes on; else the
 * reader is to be reset. */
bool pgsql_message_miss(struct pgsql_reader *r, struct slab *slab, uint32_t length);

/* Whether no message has begun. */
bool pgsql_message_is_idle(const struct pgsql_reader *r);

/* Forgets what has begun and gives its memory back. */
void pgsql_message_reset(struct pgsql_reader *r, struct slab *slab);
