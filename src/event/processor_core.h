// SPDX-License-Identifier: Apache-2.0
/* Private to the processors: what one is, and how it reads its options. A kind makes its state from
 * its options, in the tree of the list; then it is run with an event. */
#pragma once

#include "event/condition.h"
#include "event/processor.h"

/* An event under way. */
struct processor_event {
    struct nodes *tree;
    struct node *root;
    const struct processor_facts *facts;
    bool is_dropped;
};

/* A processor being made. */
struct processor_making {
    struct nodes *tree;              /* for its state */
    struct node *options;      /* a map; may be empty */
    struct err *err;
};

struct processor_kind {
    const char *name;
    /* Returns the state; NULL and m->err when the options are no good. NULL hook: it takes none. */
    void *(*make)(struct processor_making *m);
    /* NULL: known, but does nothing here. */
    void (*run)(const void *state, struct processor_event *event);
    /* Gives back what is not in the tree; may be NULL. */
    void (*done)(void *state);
    /* Without a hook to run: why it cannot be had. NULL: it is passed over, as it changes nothing where
     * what it looks for is not there. */
    const char *refusal;
};

/* Each table ends with a NULL name. */
extern const struct processor_kind processor_field_kinds[];
extern const struct processor_kind processor_text_kinds[];
extern const struct processor_kind processor_decode_kinds[];
extern const struct processor_kind processor_fact_kinds[];
extern const struct processor_kind processor_time_kinds[];
extern const struct processor_kind processor_foreign_kinds[];

/* Options by name; each is marked as used, so that what is left over can be told. */
const struct node *processor_option(struct processor_making *m, const char *name);
bool processor_flag(struct processor_making *m, const char *name, bool otherwise);
struct span processor_text(struct processor_making *m, const char *name, const char *otherwise);
int64_t processor_number(struct processor_making *m, const char *name, int64_t otherwise);
/* A list that must be there; NULL and m->err otherwise. */
const struct node *processor_list(struct processor_making *m, const char *name);

/* Pairs of fields, as rename and its kin take them. */
struct processor_pair {
    struct span from;
    struct span to; /* without: where it was */
    const struct node *options; /* what else stands beside them */
};

struct processor_pairs {
    size_t count;
    struct processor_pair *items;
    bool ignore_missing;
    bool fail_on_error;
};

/* Reads `fields: [{from:, to:}]`; false and m->err. */
bool processor_read_pairs(struct processor_making *m, struct processor_pairs *ret);

/* Notes in the event that a processor failed on a field; an error.message that is there stays. */
void processor_complain(struct processor_event *e, const char *processor, struct span field,
                        const char *what);

/* Shorthands on the event. */
struct node *processor_get(const struct processor_event *e, struct span path);
bool processor_put_text(struct processor_event *e, struct span path, struct span text);
