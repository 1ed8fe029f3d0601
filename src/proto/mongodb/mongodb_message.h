// SPDX-License-Identifier: Apache-2.0
/* One message of MongoDB's wire protocol (mongodb.com/docs/manual/reference/mongodb-wire-protocol),
 * OP_MSG and the opcodes before it, taken apart in place. Pure; spans borrow from the message, of
 * which the end may be missing. */
#pragma once

#include "base/span.h"
#include "proto/proto_cut.h"
#include "proto/proto_guess.h"

enum mongodb_opcode {
    MONGODB_REPLY = 1,
    MONGODB_MESSAGE_OLD = 1000,
    MONGODB_UPDATE = 2001,
    MONGODB_INSERT = 2002,
    MONGODB_QUERY = 2004,
    MONGODB_GET_MORE = 2005,
    MONGODB_DELETE = 2006,
    MONGODB_KILL_CURSORS = 2007,
    MONGODB_COMPRESSED = 2012,
    MONGODB_MSG = 2013,
};

enum {
    MONGODB_HEADER = 16,
    MONGODB_LOOK = 21, /* bytes from which is_mongodb() can tell for sure */
    MONGODB_SIZE_MAX = 48000000 + 16384,
    MONGODB_SECTIONS_MAX = 8,
};

struct mongodb_header {
    uint32_t size; /* of the whole message */
    int32_t id;
    int32_t response_to;
    uint32_t opcode;
};

/* Reads the header that `data`, at least MONGODB_HEADER bytes, begins with. */
struct mongodb_header mongodb_header_read(struct span data);
bool mongodb_opcode_is_known(uint32_t opcode);

/* Whether a message begins here, as far as its first bytes can tell. */
enum proto_guess mongodb_look(struct span data);
/* ... where command 0 waits for its reply, which says 0 where others say what they answer. */
enum proto_guess mongodb_look_for_answer(struct span data);

/* Documents of OP_MSG beside its body. */
struct mongodb_section {
    struct span name;
    struct span documents; /* one behind the other */
};

enum mongodb_number {
    MONGODB_CURSOR,
    MONGODB_STARTING_FROM,
    MONGODB_RETURNED,
    MONGODB_SKIP,
    MONGODB_LIMIT,
    MONGODB_NUMBERS,
};

struct mongodb_message {
    struct mongodb_header header; /* with the opcode inside of OP_COMPRESSED */
    bool is_response;
    bool wants_reply;
    bool more_to_come; /* OP_MSG: another message of this side follows unasked */
    bool has_failed;   /* OP_REPLY: its first document says why */
    bool is_cut;
    enum proto_cut cut;     /* why, where it is for what we do */
    struct span collection; /* "database.collection" of the opcodes before OP_MSG */
    struct span body;       /* the document: of a query, a selector, a command, a reply */
    struct span second;     /* of OP_UPDATE the update, of OP_QUERY the selector of fields */
    struct span documents;  /* OP_INSERT, OP_REPLY: one behind the other */
    struct mongodb_section sections[MONGODB_SECTIONS_MAX];
    unsigned section_count;
    int64_t number[MONGODB_NUMBERS];
    uint8_t has; /* a bit a number */
};

/* Takes a message apart; `body` is what is there of it behind the header. False when it is broken.
 */
bool mongodb_message_read(struct mongodb_message *m, struct mongodb_header header,
                          struct span body);

/* Takes the next document off the front; empty at the end. The last may be cut. */
struct span mongodb_next_document(struct span *documents);

static inline void mongodb_number_set(struct mongodb_message *m, enum mongodb_number n,
                                      int64_t value)
{
    m->number[n] = value;
    m->has |= (uint8_t)(1U << n);
}
