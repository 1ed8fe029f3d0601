// SPDX-License-Identifier: Apache-2.0
/* A MySQL connection: the login, what both sides agreed on, the commands that wait for their answers
 * (mostly one; drivers may send several at once), and the answer that is coming. Answers belong to
 * commands in their order. The connection is a zeroed block of the engine's; what it holds in the
 * slab is bounded by MYSQL_QUEUE_MAX commands of MYSQL_QUEUE_BYTES, the statements that were prepared
 * (mysql_statement.h), one answer (mysql_reply.h) and a packet of each side (mysql_packet.h); of an idle
 * one only the user's name and the statements. */
#pragma once

#include "base/slab_text.h"
#include "proto/mysql/mysql_reply.h"
#include "proto/mysql/mysql_statement.h"
#include "proto/mysql/mysql_unpack.h"
#include "proto/proto.h"

enum {
    MYSQL_QUEUE_MAX = 256,
    MYSQL_QUEUE_BYTES = 1 << 20,
    MYSQL_USER_MAX = 80,
    MYSQL_BROKEN_MAX = 8, /* times that a connection may stop to be MySQL before it is let go of */
};

enum mysql_phase {
    MYSQL_AT_COMMANDS,
    MYSQL_AT_GREETING,
    MYSQL_AT_LOGIN,  /* the client says who it is */
    MYSQL_AT_PROOF,  /* and proves it, until the server is content */
    MYSQL_AT_STREAM, /* nothing to read any more: the binary log */
    MYSQL_AT_TLS,
};

/* A part of a command's text that stands behind it. */
struct mysql_piece {
    uint32_t at;
    uint32_t size;
};

/* A command that waits for its answer; in a slab block. */
struct mysql_request {
    struct mysql_request *next;
    const struct mysql_command *command;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t bytes;
    uint32_t size;  /* of the SQL text */
    uint32_t extra; /* bytes behind it: parameters */
    uint8_t number; /* of its latest packet */
    uint8_t param_count;
    uint8_t cut;  /* enum proto_cut */
    bool holed;   /* bytes of it were not captured */
    bool unknown; /* of a statement whose text was not seen */
    struct mysql_piece params[MYSQL_PARAMS_MAX];
    char text[];
};

struct mysql_side {
    struct mysql_reader *reader;     /* slab block; NULL between packets */
    struct mysql_unpacker *unpacker; /* slab block, of compressed connections */
};

struct mysql_flow {
    struct mysql_side side[2];
    struct mysql_request *head;
    struct mysql_request *tail;
    struct mysql_reply *reply; /* slab block; NULL between answers */
    struct slab_text *user;    /* NULL: not seen */
    struct mysql_statements statements;
    struct turns turns;
    uint32_t queue_bytes;
    uint32_t owed; /* answers to come before that of the head */
    uint16_t count;
    struct mysql_dialect dialect;
    bool seeking[2];   /* by side: for the beginning of a packet, behind a hole */
    bool may_begin[2]; /* that is likely here */
    uint8_t phase;  /* enum mysql_phase */
    uint8_t client; /* side */
    uint8_t broken;
    uint8_t next_number;   /* of the server's next packet */
    bool decided;          /* who is the client */
    bool understood;       /* some answer was whole */
    bool reply_holed;
    bool reply_waits;      /* it is whole unless an EOF packet comes */
    bool without_eof;      /* none comes: CLIENT_DEPRECATE_EOF */
    bool wants_file;       /* the client's packets are a file's */
    bool compressed;       /* once the login is over */
    bool is_zstd;
};

_Static_assert(sizeof(struct mysql_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

/* A packet of the client, or of the server, is whole; false when it is none. */
bool mysql_take_command(struct proto_context *c, const struct mysql_packet *packet, uint64_t now_ns);
bool mysql_take_answer(struct proto_context *c, const struct mysql_packet *packet, uint64_t now_ns);
/* Takes rows that are whole in `in`, plain bytes of the server, and that nobody wants to see. */
void mysql_pass_rows(struct proto_context *c, struct cursor *in, uint64_t now_ns);

/* An answer that waited for an EOF packet is over. */
void mysql_settle(struct proto_context *c);
/* Reports all commands that wait and why they have no answer. What has come of an answer is shown. */
void mysql_give_up(struct proto_context *c, const char *reason);
/* Gives all memory of the connection back but the sides'. */
void mysql_drop_all(struct proto_context *c);

/* ---- mysql_login.c -------------------------------------------------------------------------- */

/* Packets of the login; false when it is none. */
bool mysql_login_server(struct proto_context *c, const struct mysql_packet *packet);
bool mysql_login_client(struct proto_context *c, const struct mysql_packet *packet);
/* A name that ends with a zero byte, or with the packet. */
struct span mysql_login_name(struct cursor *c);
/* Who the user is from now on. */
void mysql_login_user(const struct proto_context *c, struct span name);
struct span mysql_login_user_name(const struct mysql_flow *f);
/* From the next byte on both sides are compressed, if they agreed to. */
void mysql_login_done(struct proto_context *c);
