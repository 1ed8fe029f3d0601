// SPDX-License-Identifier: Apache-2.0
/* Private to the reading of Packetbeat's configuration: what its parts read, and the values in it. Each part
 * takes its section of the document, marks what it understood as used, and fills in the config; what
 * is left over in the end is told. */
#pragma once

#include "engine/beat_arguments.h"
#include "engine/beat_kibana.h"
#include "engine/config_keys.h"
#include "event/beat.h"

/* A name that was looked for in a map and was not there: somebody may have mistyped it. */
struct beat_offer {
    const struct beat_offer *next;
    const struct node *map;
    const char *path;
};

struct beat_reading {
    const struct beat_arguments *arguments;
    struct config *config;
    struct text_list *warnings;
    struct beat_options *beat;
    struct beat_kibana *kibana;
    struct beat_type *types; /* of `beat`, room for BEAT_TYPES_MAX */
    struct nodes *tree;
    struct node *root;
    const struct beat_offer *offers;
    struct err *err;
};

/* The node at a path below a map, marked as used; NULL when there is none or it is null. */
struct node *beat_take(struct beat_reading *r, const struct node *map, const char *path);
/* Notes that a map may have a name; both are borrowed. */
void beat_offer(struct beat_reading *r, const struct node *map, const char *path);
/* Whether a node is a mapping, or nothing; an error in r->err otherwise. `what` names it. */
bool beat_is_map(struct beat_reading *r, const struct node *node, const char *what);

/* Values; a wrong one is an error in r->err, and `otherwise`. */
bool beat_flag(struct beat_reading *r, const struct node *map, const char *path, bool otherwise);
const char *beat_text(struct beat_reading *r, const struct node *map, const char *path,
                      const char *otherwise);
int64_t beat_number(struct beat_reading *r, const struct node *map, const char *path,
                    int64_t otherwise);
/* The same, of a range. */
int64_t beat_number_within(struct beat_reading *r, const struct node *map, const char *path,
                           int64_t otherwise, int64_t least, int64_t most);
/* One of the words, a list that ends with NULL; the first when nothing is said. */
const char *beat_word(struct beat_reading *r, const struct node *map, const char *path,
                      const char *const *words);
/* Nanoseconds; a number without a unit is seconds. */
int64_t beat_duration(struct beat_reading *r, const struct node *map, const char *path,
                      int64_t otherwise);
/* A list of texts, or a single one. */
struct text_list beat_list(struct beat_reading *r, const struct node *map, const char *path);

/* Marks a node and all below it as used. */
void beat_use_all(struct node *node);

/* Fills in r->err with the place of a node; returns false. */
__attribute__((format(printf, 3, 4))) bool beat_refuse(struct beat_reading *r, const struct node *at,
                                                       const char *format, ...);
/* A line for the user that does not stop anything. */
__attribute__((format(printf, 2, 3))) void beat_warn(struct beat_reading *r, const char *format,
                                                     ...);
