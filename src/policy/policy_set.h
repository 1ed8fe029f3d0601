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
#include "policy/policy_options.h"

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

/* The policy, or the tap, of that name; NULL: there is none. */
struct policy *policy_find(const struct policies *set, const char *name);
struct policy_tap *policy_tap_find(const struct policies *set, const char *name);
/* Packet time where an input's events come from; 0: none yet. The lock is held. */
uint64_t policy_input_time(const struct policies *set, const struct policy_input *input);
