// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: what a set of policies is made of. Taps, policies, inputs and instances live in
 * lists; each has a memory of its own for what its configuration says, which ends with it. All of it
 * belongs to whoever holds `changes` (one at a time: at start, or the thread that serves a request);
 * the stores of instances are under `lock`, which the office and readers take. Workers see none of
 * it but through their slot's plan (desk.h). */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "handler/handler.h"
#include "handler/hosts.h"
#include "policy/desk.h"
#include "policy/policy.h"

struct windows;
struct bpf_program;

enum {
    POLICY_NAME = 160,
    POLICY_CHAIN_MAX = 32,
    POLICY_LINKS = 6, /* link types that a filter is compiled for */
    POLICY_WORKERS = POLICY_SLOTS, /* no slot: all workers bring events */
};

struct policy_tap {
    struct policy_tap *next;
    struct tree_memory *memory;
    const char *name;
    const char *input_type;
    struct tree config;
    struct tree filter;
    struct tree tags;
};

/* What an instance counted: buckets, or one for all time. */
struct policy_store {
    struct windows *windows; /* NULL: `block` is all */
    uint8_t *block;
    size_t size;
    uint64_t late;
    uint64_t future;
};

struct policy_instance {
    struct policy_instance *next; /* of its policy */
    struct policy *policy;
    struct policy_input *input;
    struct tree_memory *memory; /* the policy's */
    const struct handler *handler;
    const char *name;           /* <policy>-<tap>-<module> */
    const char *module;
    struct tree config;
    void *settings;             /* begins with struct handler_settings */
    uint32_t chain;             /* number within its input's policy; members of one follow in order */
    const char *key;            /* equal ones count the same: all that hooks see of the settings */
    struct policy_instance *leader;    /* counts for it; NULL: it has desks of its own */
    struct policy_instance *followers; /* for which it counts, too */
    struct policy_instance *next_follower;
    struct desk *desks[POLICY_SLOTS];
    struct policy_store store;
    uint64_t started_ns;        /* when it was made, live */
    uint64_t drops_seen[2];     /* of the kernel and the interface, that it has counted */
};

struct policy_input {
    struct policy_input *next;
    struct tree_memory *memory;
    char name[POLICY_NAME];     /* <tap>-<number> */
    const char *tap;
    uint32_t kind;              /* enum handler_input */
    struct tree config;         /* of the tap, the policy and its filter, merged */
    char *key;                  /* config as text: equal ones are one input */
    struct hosts hosts;
    struct hosts only_hosts;    /* dnstap */
    uint64_t serial;            /* no other input ever had it */
    uint32_t slot;              /* that brings its events; POLICY_WORKERS: the workers' */
    const char *file;           /* that its events are read from; NULL: none */
    const char *source;         /* what packets for it come from: the tap, or "tap:interface" where a
                                 * policy names another interface than its tap */
    bool is_netflow;            /* flows: NetFlow or IPFIX, not sFlow */
    const char *bpf;            /* NULL: none */
    bool is_by_talk;            /* which treats conversations as one (policy_band.h) */
    bool is_by_key;             /* likewise, or asks only which way a packet went */
    struct bpf_program *programs[POLICY_LINKS];
    uint64_t connections;       /* TCP connections followed at a time, in each worker */
    uint32_t consumers;         /* instances */
    bool is_resources;
    struct policy *resources;   /* its own policy, which lives as long */
    _Atomic uint64_t first_ns, last_ns; /* of what it saw; first UINT64_MAX: nothing */
    _Atomic uint64_t errors;    /* datagrams that were not what they should be */
    _Atomic uint64_t events;
    struct intake_thread *thread; /* of inputs that are no packets; NULL: none */
};

struct policy {
    struct policy *next;
    struct tree_memory *memory;
    const char *name;
    bool merges;                /* merge_like_handlers */
    bool is_resources;
    const char **taps;
    struct policy_input **inputs; /* one a tap */
    size_t tap_count;
    struct policy_instance *instances;
    struct policy_instance **instances_end;
    uint32_t chains;
};

struct policies {
    struct policies_options options;
    struct tree_memory *memory;   /* of the globals */
    struct tree global_handlers;
    struct handler_world world;
    struct geo *city, *owner;
    struct services *services;
    struct policy_tap *taps;
    struct policy *policies;
    struct policy_input *inputs;
    struct policy_band *bands;
    pthread_mutex_t changes;
    pthread_mutex_t lock;
    struct policy_slot slots[POLICY_SLOTS];
    uint64_t serial;              /* of the next input */
    uint32_t failed_line;
    bool has_begun;               /* threads of inputs run */
    _Atomic bool has_ended;       /* nobody collects any more */
    uint64_t now_ns;              /* packet time of the office */
    struct timespec started;
    uint64_t sampled_ns;          /* when resources were looked at */
    bool has_changed;             /* since then: who uses an input */
    uint64_t cpu_ns;
};

/* ---- policy_input.c ------------------------------------------------------------------------- */

/* The kind of input of that name (enum handler_input), or 0. */
uint32_t policy_input_kind(const char *name);
/* Whether a configuration of that kind has only keys and values that are valid. */
bool policy_input_check(uint32_t kind, const struct tree *config, struct err *err);
/* The input of a tap for a policy's own `config` and `filter` (NULL: none): one that is there, or a
 * new one on the list. NULL and err when something is wrong with it. */
struct policy_input *policy_input_of(struct policies *set, const struct policy_tap *tap,
                                     const struct tree *config, const struct tree *filter,
                                     struct err *err);
/* Takes an input off the list and frees it. */
void policy_input_drop(struct policies *set, struct policy_input *input);
/* Packet time where its events come from; 0: none yet. The lock is held. */
uint64_t policy_input_time(const struct policies *set, const struct policy_input *input);
/* Whether a frame of this link type passes the input's filter. */
bool policy_input_passes(const struct policy_input *input, uint16_t link, struct span frame,
                         uint32_t wire_len);

/* ---- policy_file.c -------------------------------------------------------------------------- */

/* Whether an event is of the hosts that the input is about. */
bool policy_input_takes(const struct policy_input *input, const struct handler_event *event);

/* ---- policy_load.c -------------------------------------------------------------------------- */

struct policy *policy_find(const struct policies *set, const char *name);
struct policy_tap *policy_tap_find(const struct policies *set, const char *name);
/* Frees a policy with its instances; not on any list any more. */
void policy_free(struct policy *policy);
/* A policy of that name with nothing in it, not yet on the list. */
struct policy *policy_new(const char *name);

/* ---- policy_handler.c ----------------------------------------------------------------------- */

/* What a policy's document calls a module. */
struct policy_module {
    const char *name;
    const struct handler *handler;
    const struct tree *options; /* merged */
    const struct tree *groups;  /* of metrics; NULL: none are named */
};

/* Adds an instance of a module's handler to a policy. */
struct policy_instance *policy_add_instance(struct policies *set, struct policy *policy,
                                            struct policy_input *input,
                                            const struct policy_module *module, struct err *err);

/* ---- policy.c ------------------------------------------------------------------------------- */

/* Adds a parcel to the stores of an instance and of all that it counts for. */
void policy_parcel_add(struct policy_instance *instance, const struct parcel *parcel);
/* Gives a parcel that was added back to its desk, for which it is empty; its memory goes back to the
 * system: it waits for a second, mostly. */
void policy_parcel_return(struct desk *desk, struct parcel *parcel);
/* Empties a parcel of this handler that is still at its desk. */
void policy_parcel_empty(const struct handler *handler, struct parcel *parcel);

/* ---- policy_store.c ------------------------------------------------------------------------- */

bool policy_store_init(struct policy_store *store, const struct handler *handler,
                       const struct handler_settings *settings);
void policy_store_done(struct policy_store *store, const struct handler *handler);
/* Adds a block to the bucket of a time. */
void policy_store_add(struct policy_store *store, const struct handler *handler,
                      const void *block, uint64_t time_ns);

/* ---- policy_plan.c -------------------------------------------------------------------------- */

/* Gives the slots plans of what there is now, and waits until the workers have them. */
void policy_plan_publish(struct policies *set);
void policy_plan_free(struct policy_plan *plan);
/* An instance goes: whom it counted for gets its desks. Before the plan without it is published. */
void policy_plan_leave(struct policy_instance *instance);

/* ---- policy_resources.c --------------------------------------------------------------------- */

/* Gives an input its policy <input>-resources. */
void policy_resources_add(struct policies *set, struct policy_input *input);
/* Looks at what the process uses, every five seconds. The lock is held. */
void policy_resources_sample(struct policies *set, bool last);
