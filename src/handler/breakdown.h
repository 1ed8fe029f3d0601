// SPDX-License-Identifier: Apache-2.0
/* Counts by name, in bounded memory: a block keeps an item (a struct with a metric table of its own,
 * quantiles and all) for each of the names at hand, and one for all others together. When a name
 * comes that has no room, the lightest item is added to the others and gives its place away; so
 * nothing is lost, names that come once cannot push heavy ones out, and a flood of them costs a merge
 * each. How often that happened is counted.
 *
 * A name is one value or several, which become labels (a host, a method, a route). Strangers choose
 * them: what is no clean text is replaced, so that no two names look the same.
 *
 * Items stand in the block, in an array of BREAKDOWN_ITEMS beside the breakdown; zeroes are an empty
 * one. One thread. */
#pragma once

#include "handler/handler.h"

enum {
    BREAKDOWN_ITEMS = 64, /* the one of all others included */
    BREAKDOWN_NAME = 160, /* bytes of a name, with what parts its values */
};

/* A name as it is made of values. */
struct breakdown_name {
    char text[BREAKDOWN_NAME]; /* values with newlines between */
    size_t size;
    uint32_t values;
};

struct breakdown {
    uint32_t count;  /* items in use; the first is that of all others, from the first add on */
    uint64_t folded; /* how often an item was added to the others; a row of the block's table */
    uint64_t hash[BREAKDOWN_ITEMS];
    uint64_t weight[BREAKDOWN_ITEMS];
    char name[BREAKDOWN_ITEMS][BREAKDOWN_NAME];
};

/* A breakdown with its items, their table, and what the values of a name are called. */
struct breakdown_of {
    struct breakdown *names;
    void *items;
    const struct metric_set *set;
    const char *const *labels; /* ended by NULL; HANDLER_PART_LABELS at most */
};

/* Appends a value, cut to `max` bytes, to a name, which begins as zeroes. */
void breakdown_put(struct breakdown_name *name, struct span value, size_t max);

/* The item of a name, made if need be, whose weight grows by one. */
void *breakdown_add(const struct breakdown_of *to, const struct breakdown_name *name);
/* For the hooks `reset` and `merge` of a block's table. */
void breakdown_reset(const struct breakdown_of *of);
void breakdown_merge(const struct breakdown_of *into, const struct breakdown_of *from);

/* For the hook of parts: item `number` of `of` with its labels, ranked by its weight; all others last,
 * with a rank below 0. In documents it is its value, or all of them as "host=a,route=/b". */
bool breakdown_part(const struct breakdown_of *of, uint32_t number, struct handler_part *ret);
