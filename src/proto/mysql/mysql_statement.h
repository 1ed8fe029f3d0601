// SPDX-License-Identifier: Apache-2.0
/* The prepared statements of a connection, by their numbers, and the parameters that executions of
 * them bring. At most MYSQL_STATEMENTS_MAX statements and MYSQL_STATEMENTS_BYTES of text are kept;
 * beyond that the oldest is forgotten. Memory is the slab's. One thread. */
#pragma once

#include "base/slab.h"
#include "proto/mysql/mysql_value.h"

enum {
    MYSQL_STATEMENTS_MAX = 1024,
    MYSQL_STATEMENTS_BYTES = 1 << 20,
    MYSQL_STATEMENT_MAX = (512 << 10) - 1024, /* bytes of one */
    MYSQL_BUCKETS = 64,
    MYSQL_PARAMS_MAX = 64,       /* that are shown of an execution */
    MYSQL_PARAM_BYTES = 4096,    /* of one */
};

struct mysql_statement {
    struct mysql_statement *chain; /* of the bucket */
    struct mysql_statement *newer;
    struct mysql_statement *older;
    uint64_t used_ns;
    uint64_t long_data; /* parameters that came by themselves, a bit each */
    uint32_t id;
    uint32_t size;      /* of the text */
    uint16_t params;
    uint16_t kinds_known; /* how many of `kinds` were told */
    bool is_cut;          /* the text was longer */
    struct mysql_kind kinds[MYSQL_PARAMS_MAX];
    char text[];
};

struct mysql_statement_table {
    struct mysql_statement *newest;
    struct mysql_statement *oldest;
    uint32_t count;
    uint32_t bytes;
    struct mysql_statement *buckets[MYSQL_BUCKETS];
};

struct mysql_statements {
    struct mysql_statement_table *table; /* slab block; NULL: there are none */
};

uint32_t mysql_statement_count(const struct mysql_statements *all);
/* The one that was prepared last, or NULL. */
struct mysql_statement *mysql_statement_newest(const struct mysql_statements *all);

/* Remembers a statement, in the place of one with the same number; NULL without memory. */
struct mysql_statement *mysql_statement_add(struct mysql_statements *all, struct slab *slab,
                                            uint32_t id, struct span text);
/* The statement with that number, or NULL. */
struct mysql_statement *mysql_statement_find(const struct mysql_statements *all, uint32_t id);
void mysql_statement_drop(struct mysql_statements *all, struct slab *slab,
                          struct mysql_statement *statement);
/* Forgets all. */
void mysql_statement_drop_all(struct mysql_statements *all, struct slab *slab);

/* Parameters as texts, which are borrowed from the packet or stand in `rooms`. */
struct mysql_params {
    unsigned count;
    struct span items[MYSQL_PARAMS_MAX];
    char rooms[MYSQL_PARAMS_MAX][MYSQL_VALUE_ROOM];
};

/* Reads the parameters of an execution: `body` is the packet's behind its iteration count. Types are
 * remembered for executions that do not name them. `has_count`: the number of parameters is told
 * first, and types have names (query attributes). */
void mysql_statement_params(struct mysql_statement *statement, struct span body, bool has_count,
                            struct mysql_params *ret);

/* Whether what COM_QUERY says begins with the number of its attributes: behind it stands a byte that no
 * text has there. */
bool mysql_has_attributes(struct span said);
/* Query attributes: `count` parameters with types and names, in front of a COM_QUERY's text. Passes
 * over them. */
void mysql_statement_skip_attributes(struct cursor *c, uint64_t count);
