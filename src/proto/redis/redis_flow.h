// SPDX-License-Identifier: Apache-2.0
/* A Redis connection: the messages of both sides as they come, and the commands that wait for their
 * replies, which come in the order of the commands. A reply belongs to the oldest command; where
 * commands had to be forgotten, their replies are still owed and passed over. The connection is a
 * zeroed block of the engine's, all that an idle connection takes; what it holds in the slab is
 * bounded by the options queue_max_messages and queue_max_bytes, and two messages with their texts.
 * Of a text that waits, PROTO_TEXT_SURE bytes count among queue_max_bytes; what is beyond that of
 * all that wait is max_message_size together. */
#pragma once

#include "proto/proto.h"
#include "proto/proto_cut.h"
#include "proto/redis/redis_resp.h"

/* What users may choose; Packetbeat's names. */
struct redis_options {
    struct proto_settings settings;
    int64_t queue_max_bytes;    /* of commands that wait for their replies, on one connection */
    int64_t queue_max_messages;
    int64_t max_message_size; /* bytes of a command's text, and of a reply's */
};

enum {
    REDIS_NAME_MAX = 40,  /* of a command's name */
    REDIS_BROKEN_MAX = 8, /* times that a connection may stop to be RESP before it is let go of */
};

/* A command that waits for its reply; in a slab block. */
struct redis_request {
    struct redis_request *next;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t bytes;
    uint32_t size; /* of the text */
    struct resp_element key;
    struct resp_element user;
    uint8_t flags; /* enum redis_word_flags */
    bool holed;    /* bytes of it were not captured */
    uint8_t cut;   /* enum proto_cut: why its text is not whole */
    uint8_t name_size;
    char name[REDIS_NAME_MAX + 1]; /* in upper case, terminated */
    char text[];
};

enum { REDIS_TEXT_FIRST = 512 };

/* The message that a side is sending; in a slab block. */
struct redis_message {
    struct resp_reader reader;
    struct resp_text text; /* in `first`, a longer one in a slab block */
    uint64_t start_ns;
    bool holed;
    bool is_short; /* there is no memory for more text */
    uint8_t first[REDIS_TEXT_FIRST];
};

struct redis_side {
    struct redis_message *message; /* NULL between messages */
    bool seeking;   /* for the beginning of a message, behind a hole */
    bool in_line;   /* that cannot begin before the line ends */
    bool may_begin; /* the other side has spoken since */
    bool tentative; /* a message that was found so and may be none */
};

struct redis_flow {
    struct redis_side side[2];
    struct redis_request *head;
    struct redis_request *tail;
    struct turns turns;
    uint32_t count;
    uint32_t queue_bytes; /* of texts that wait, PROTO_TEXT_SURE of each at most; */
    uint32_t long_bytes;  /* what is beyond */
    uint32_t owed;       /* replies to come before that of the head */
    uint8_t client;      /* side */
    uint8_t broken;
    bool decided;    /* who is the client */
    bool understood; /* some message was whole */
    bool asked;      /* a command was */
    bool has_inline; /* some of them without RESP */
    bool subscribed; /* at some time: messages may be published to it */
    bool monitors;
    bool muted;      /* CLIENT REPLY OFF */
    bool skips;      /* CLIENT REPLY SKIP: one command has no reply */
    bool quiet;      /* a replica's connection: nothing to read any more */
};

_Static_assert(sizeof(struct redis_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

/* A message of the client is whole. */
void redis_take_request(struct proto_context *c, uint64_t now_ns);
/* A message of the server is whole. */
void redis_take_reply(struct proto_context *c, uint64_t now_ns);
/* Reports all commands that wait, and why they have no reply. */
void redis_give_up(struct proto_context *c, const char *reason);
