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
    bool has_failed; /* the processor at hand; what follows in its branch of a fork is passed over */
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
    /* Without a hook to run: why it cannot be had. NULL: it changes nothing where what it looks for is
     * not there. It is passed over and told, unless it `matters`: others would see what it hides. */
    const char *refusal;
    bool matters;
};

/* Each table ends with a NULL name. */
extern const struct processor_kind processor_field_kinds[];
extern const struct processor_kind processor_move_kinds[];
extern const struct processor_kind processor_convert_kinds[];
extern const struct processor_kind processor_dissect_kinds[];
extern const struct processor_kind processor_casing_kinds[];
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
/* A list that must be there, a single value being a list of one; NULL and m->err otherwise. */
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

/* What is wrong with a field that is not there: what ignore_missing is about. */
extern const char processor_is_missing[];

/* Does it for one pair. NULL when it is done; else what is wrong, with *at, the field it is wrong with,
 * which is pair->from before. */
typedef const char *processor_pair_step(struct processor_event *e, const struct processor_pair *pair,
                                        struct span *at);

/* Does it for all pairs. With fail_on_error the event is as it was when one of them fails, and says so. */
void processor_run_pairs(const struct processor_pairs *all, struct processor_event *e,
                         const char *processor, processor_pair_step *step);

/* The event as it stands, for processor_restore(); costs a copy of its nodes. */
struct node *processor_remember(const struct processor_event *e);
void processor_restore(struct processor_event *e, const struct node *was);

/* The processor failed, which the event says in error.message. */
void processor_complain(struct processor_event *e, const char *processor, struct span field,
                        const char *what);

/* Adds to log.flags. */
void processor_flag_event(struct processor_event *e, const char *flag);

/* Shorthands on the event. What has to stay where it is, @timestamp, is not taken. */
struct node *processor_get(const struct processor_event *e, struct span path);
struct node *processor_take(struct processor_event *e, struct span path);
bool processor_put_text(struct processor_event *e, struct span path, struct span text);

/* Makes a node a value of a type (integer, long, float, double, string, boolean, ip) as Elastic's
 * programs read it; false when it is none. */
bool processor_is_type(struct span type);
bool processor_convert(struct nodes *tree, struct node *node, struct span type);
