// SPDX-License-Identifier: Apache-2.0
/* What a session has by name: prepared statements, and portals, which are statements with parameters
 * bound to them. A list keeps the latest used first, at most PGSQL_NAMED_MAX of PGSQL_NAMED_BYTES;
 * beyond that the one not used for longest is forgotten. Memory is the slab's. One thread. */
#pragma once

#include "base/cursor.h"
#include "base/slab.h"

enum {
    PGSQL_NAMED_MAX = 256,
    PGSQL_NAMED_BYTES = 1 << 20,
    PGSQL_NAMED_TEXT = (512 << 10) - 1024, /* bytes of one text */
    PGSQL_PARAMS_MAX = 64, /* that are shown of a binding */
    PGSQL_PARAM_BYTES = 4096,
};

/* A part of an item's bytes. */
struct pgsql_piece {
    uint32_t at;
    uint32_t size;
};

/* What a message says that names something; borrowed from it. */
struct pgsql_said {
    struct span name;
    struct span text;
    size_t whole; /* bytes that the text had, of which less may be there */
    bool unknown; /* a binding of a statement that was not seen */
    unsigned type_count;
    unsigned param_count;
    uint32_t types[PGSQL_PARAMS_MAX]; /* OIDs, 0: not told */
    struct span params[PGSQL_PARAMS_MAX];
};

struct pgsql_named {
    struct pgsql_named *next;
    struct pgsql_named *previous;
    uint32_t name_size;
    uint32_t text_size;
    uint32_t whole; /* bytes that the text had */
    uint32_t bytes_size;
    bool unknown;
    uint8_t type_count;
    uint8_t param_count;
    uint32_t words[]; /* the types, the places of the parameters, then bytes: the name, the text, they */
};

struct pgsql_names {
    struct pgsql_named *first;
    struct pgsql_named *last;
    uint32_t count;
    uint32_t bytes;
};

/* Remembers it in the place of what had its name; without memory it is not. */
void pgsql_named_add(struct pgsql_names *all, struct slab *slab, const struct pgsql_said *said);
/* What has that name, now the latest used; NULL when nothing has. */
struct pgsql_named *pgsql_named_find(struct pgsql_names *all, struct span name);
void pgsql_named_drop(struct pgsql_names *all, struct slab *slab, struct span name);
void pgsql_named_drop_all(struct pgsql_names *all, struct slab *slab);

/* Its text, the types of its parameters, 0: not told, and these. */
struct span pgsql_named_text(const struct pgsql_named *named);
uint32_t pgsql_named_type(const struct pgsql_named *named, unsigned i);
struct span pgsql_named_param(const struct pgsql_named *named, unsigned i);
