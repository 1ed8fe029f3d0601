// SPDX-License-Identifier: Apache-2.0
/* A PostgreSQL connection: how it began, what the client has asked for and waits for, in the order in
 * which it was asked, and the answer that is coming. What waits is a queue of statements (of a simple
 * query each of its statements, of extended ones each Parse that is not executed at once and each
 * Execute) and of the points where the server says that it is ready again; there the queue is in step
 * again, whatever was misunderstood before. The connection is a zeroed block of the engine's; what it
 * holds in the slab is bounded by PGSQL_QUEUE_MAX items of PGSQL_QUEUE_BYTES, the names of
 * pgsql_named.h, an answer with its text and a message of each side; of an idle one only the names.
 * Of one statement, which may be as long as max_message_size, the queue may hold so much more. */
#pragma once

#include "base/slab_text.h"
#include "proto/pgsql/pgsql_message.h"
#include "proto/pgsql/pgsql_named.h"
#include "proto/pgsql/pgsql_options.h"
#include "proto/proto.h"
#include "proto/proto_cut.h"

enum {
    PGSQL_QUEUE_MAX = 4096,
    PGSQL_QUEUE_BYTES = 1 << 20,
    PGSQL_STATEMENTS_MAX = 256, /* of one simple query that are told apart */
    PGSQL_USER_MAX = 64,
    PGSQL_COLUMNS_MAX = 64, /* whose types are kept */
    PGSQL_BROKEN_MAX = 8, /* times that a connection may stop to be PostgreSQL */
};

enum pgsql_phase {
    PGSQL_AT_MESSAGES,
    PGSQL_AT_START, /* messages of the client have no letter */
    PGSQL_AT_OFFER, /* TLS or GSS was asked for: the server says so in a byte */
    PGSQL_AT_LOGIN, /* until the server is ready */
    PGSQL_AT_STREAM, /* replication: nothing to read any more */
    PGSQL_AT_TLS,
};

enum pgsql_kind {
    PGSQL_STATEMENT,
    PGSQL_EXECUTE,
    PGSQL_PARSE,
    PGSQL_FUNCTION,
    PGSQL_SYNC, /* the server will say that it is ready */
};

/* What the client waits for; in a slab block. */
struct pgsql_item {
    struct pgsql_item *next;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t bytes;
    uint32_t size; /* of the text */
    uint32_t extra; /* bytes behind it */
    uint8_t kind;  /* enum pgsql_kind */
    uint8_t param_count;
    uint8_t cut; /* enum proto_cut */
    bool holed;
    bool unknown;  /* of a statement that was not seen */
    bool executed; /* a Parse of what is executed at once: no event of its own */
    bool doubted;  /* asked behind a hole, out of step: no answer is its own */
    struct pgsql_piece params[]; /* places in the text, which stands behind them */
};

static inline char *pgsql_item_text(struct pgsql_item *item)
{
    return (char *)(item->params + item->param_count);
}
static inline struct span pgsql_item_span(const struct pgsql_item *item)
{
    return span_of(item->params + item->param_count, item->size);
}

/* The answer that is coming; in a slab block. */
struct pgsql_reply {
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t bytes;
    uint64_t rows;
    uint64_t shown; /* of them, in the text */
    uint32_t fields;
    bool holed;
    uint16_t kind_count;
    uint32_t text_size;
    uint32_t text_room;
    enum proto_cut text_cut;
    char *text; /* slab blocks: columns and rows as CSV, */
    struct pgsql_column *columns; /* and how the columns are written */
};

struct pgsql_column {
    uint32_t type; /* OID */
    bool is_binary;
};

/* Statements and portals of a session; in a slab block. */
struct pgsql_session {
    struct pgsql_names statements;
    struct pgsql_names portals;
};

struct pgsql_flow {
    struct pgsql_reader *reader[2]; /* by side, slab blocks; NULL between messages */
    struct pgsql_item *head;
    struct pgsql_item *tail;
    struct pgsql_item *parsed; /* the latest Parse since the last Sync that waits */
    struct pgsql_reply *reply;     /* NULL between answers */
    struct pgsql_session *session; /* NULL: nothing has a name */
    struct slab_text *user;        /* NULL: not seen */
    uint64_t batch_ns;    /* when the messages of what is asked next began; 0: none has come */
    uint64_t batch_bytes;
    uint32_t queue_bytes;
    uint32_t owed;       /* "ready" to come before that of the queue: its answers are passed over */
    struct turns turns;
    uint16_t count;      /* of the queue */
    bool seeking[2];     /* by side: for the beginning of a message, behind a hole */
    bool may_begin[2];
    bool in_group;       /* something was asked since the last Sync */
    bool batch_holed;
    bool group_lost;      /* what is asked up to the next Sync is not kept */
    uint8_t phase;        /* enum pgsql_phase */
    uint8_t client;       /* side */
    uint8_t broken;
    bool decided;
    bool understood;
};

_Static_assert(sizeof(struct pgsql_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

/* What ended an answer. */
struct pgsql_outcome {
    bool is_error;
    uint64_t affected;
    struct span severity; /* of an error */
    struct span code;
    struct span message;
};

/* A message of the client, or of the server, is whole; false when it is none. */
bool pgsql_take_request(struct proto_context *c, const struct pgsql_message *m, uint64_t now_ns);
bool pgsql_take_answer(struct proto_context *c, const struct pgsql_message *m, uint64_t now_ns);
/* The same while the connection begins. */
bool pgsql_take_start(struct proto_context *c, const struct pgsql_message *m, uint64_t now_ns);

/* Too much waits: all of it is forgotten, not that answers to it are still to come. */
void pgsql_evict(struct proto_context *c);
/* Takes the oldest item off. */
void pgsql_pop(struct proto_context *c);
/* An item of the queue is over. */
void pgsql_complete(struct proto_context *c, const struct pgsql_outcome *outcome);
/* Nothing that has no name of its own is known any more: what names it now may have been missed. */
void pgsql_forget_unnamed(struct proto_context *c);
/* The server is ready and in no transaction: portals have ended with it (PostgreSQL documentation, 55.2.3). */
void pgsql_end_portals(struct proto_context *c);
/* Reports all that waits and why it has no answer. What has come of an answer is shown. */
void pgsql_give_up(struct proto_context *c, const char *reason);
/* The answer that is coming; NULL without memory. */
struct pgsql_reply *pgsql_begin_reply(struct proto_context *c);
/* Forgets the answer that was coming. */
void pgsql_end_reply(struct proto_context *c);
/* Gives all memory of the connection back but the sides'. */
void pgsql_drop_all(struct proto_context *c);

/* Of zeroes where none is coming. */
const struct pgsql_reply *pgsql_reply_of(const struct pgsql_flow *f);

/* ---- pgsql_rows.c ----------------------------------------------------------------------------- */

void pgsql_rows_describe(struct proto_context *c, struct span body);
void pgsql_rows_add(struct proto_context *c, struct span body);
