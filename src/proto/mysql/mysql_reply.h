// SPDX-License-Identifier: Apache-2.0
/* What a server answers to one command, packet by packet: OK, an error, one or more sets of rows, a
 * prepared statement, the wish for a file. Whether a set's columns and rows end with an EOF packet or
 * not (CLIENT_DEPRECATE_EOF) is told by the packets themselves, so that a connection can be joined
 * midway. Holds at most the text of a response, max_message_size bytes, a list of tables and the types
 * of MYSQL_COLUMNS_MAX columns, all in slab blocks. One thread. */
#pragma once

#include "proto/mysql/mysql_command.h"
#include "proto/mysql/mysql_options.h"
#include "proto/mysql/mysql_packet.h"
#include "proto/mysql/mysql_value.h"
#include "proto/proto_cut.h"

enum {
    MYSQL_PATH_MAX = 1008,
    MYSQL_COLUMNS_MAX = 256,
};

/* What both sides agreed on at login, as far as it was seen. */
struct mysql_dialect {
    bool query_attributes;  /* CLIENT_QUERY_ATTRIBUTES */
    bool optional_metadata; /* CLIENT_OPTIONAL_RESULTSET_METADATA */
};

enum mysql_step {
    MYSQL_GOES_ON,
    MYSQL_DONE,
    MYSQL_WANTS_FILE, /* LOAD DATA LOCAL: the client's packets are a file until an empty one */
    MYSQL_MAY_BE_DONE, /* unless an EOF packet is still to come */
    MYSQL_BAD,
};

enum mysql_state {
    MYSQL_AT_FIRST,
    MYSQL_AT_COLUMNS,
    MYSQL_AT_COLUMNS_EOF,
    MYSQL_AT_ROWS,
    MYSQL_AT_PARAMS,
    MYSQL_AT_PARAMS_EOF,
    MYSQL_AT_PREPARED_COLUMNS,
    MYSQL_AT_PREPARED_EOF,
};

struct mysql_reply {
    uint64_t start_ns; /* when it began, and its latest packet came; kept by its owner */
    uint64_t end_ns;
    uint64_t bytes;
    const struct mysql_options *options;
    struct slab *slab;
    uint8_t answer; /* enum mysql_answer */
    uint8_t state;  /* enum mysql_state */
    bool is_binary; /* rows are of a prepared statement */
    bool is_error;
    bool has_answered; /* some packet was understood */
    uint16_t error_code;
    uint16_t prepared_columns;
    uint16_t params;        /* of a statement that was prepared */
    uint32_t columns_left;
    uint32_t statement_id;
    uint32_t results;       /* sets of rows and OKs */
    uint32_t kind_count;
    uint64_t columns;       /* of this set */
    uint64_t fields;        /* of the first set that has any */
    uint64_t rows;
    uint64_t set_rows;      /* shown of this set */
    uint64_t affected;
    uint64_t insert_id;
    struct mysql_kind *kinds; /* of the columns, slab block */
    char *path;
    uint32_t path_size;
    uint32_t text_size;
    uint32_t text_room;
    enum proto_cut text_cut;
    char *text;             /* the response as CSV */
    char error[400];        /* "SQLSTATE: text" */
    uint32_t error_size;
};

/* Ready for the answer to a command. */
void mysql_reply_begin(struct mysql_reply *r, struct slab *slab,
                       const struct mysql_options *options, const struct mysql_command *command);
/* The server's next packet. */
enum mysql_step mysql_reply_take(struct mysql_reply *r, const struct mysql_dialect *dialect,
                                 const struct mysql_packet *packet);
/* Takes rows off `in` that are whole there, as long as nobody wants to see them: they are
 * counted. `*number` is that of the next packet. */
void mysql_reply_pass_rows(struct mysql_reply *r, struct cursor *in, uint8_t *number);
/* Gives memory back. */
void mysql_reply_end(struct mysql_reply *r);
