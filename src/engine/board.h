// SPDX-License-Identifier: Apache-2.0
/* The board: everything that people look at while the engine runs, plain numbers and short texts. Its
 * collector keeps it and locks it for each that reads or writes (engine.h, collector.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "summary/metric.h"

enum { BOARD_HISTORY = 300, BOARD_WORKERS = 64, BOARD_SETS = 32, BOARD_PATHS = 256 };

/* One second of history. */
struct board_second {
    uint64_t second;     /* since 1970, packet time */
    uint64_t packets[2]; /* 0: in (or from the responder), 1: out (or from the initiator) */
    uint64_t bytes[2];
    uint64_t dropped;    /* by the kernel or our own rings */
    uint64_t flows_new;
};

struct board_worker {
    uint64_t packets;
    uint64_t bytes;
    uint64_t flows_active;
    uint64_t flows_created;
    uint64_t flows_evicted;
    uint64_t flow_capacity;
    uint64_t talks_active;  /* connections and datagram flows that a protocol follows */
    uint64_t talks_refused; /* flows that none follows, for want of memory */
    uint64_t talk_memory_refused; /* times that what is said found no memory to wait in */
    uint64_t proxy_headers; /* of the PROXY protocol, passed over */
    uint64_t events_cut;    /* whose texts were cut for want of memory */
    uint64_t memory_bytes; /* touched by its tables */
    uint64_t events_dropped; /* the output could not take them in time */
    double load;           /* 0..1: share of the last second spent working */
};

/* One path of the protocol hierarchy: layers as in packet.layers. */
struct board_path {
    uint64_t layers;
    uint64_t packets;
    uint64_t bytes;
};

struct board_tap {
    char name[64];
    char source[128];       /* interfaces or files */
    uint64_t received;
    uint64_t dropped;
    uint64_t interface_drops;
};

/* Where events go. */
struct board_output {
    char kind[32];
    uint64_t events;   /* delivered */
    uint64_t bytes;
    uint64_t lost;
    uint64_t refused;  /* of those lost: that the other side would not have */
    uint64_t waiting;  /* in a queue of its own */
    uint64_t retries;
    char trouble[200]; /* empty: all is well */
};

/* A protocol's metric blocks: since start, and the last whole minute window. */
struct board_set {
    const struct metric_set *set;
    const void *total;
    const void *window;
};

struct board {
    uint64_t started_ns;  /* wall clock */
    uint64_t now_ns;      /* packet time */
    bool ready;           /* taps are open and workers run */
    char mode[16];        /* "live", "demo", "read" */
    char note[256];       /* e.g. why `auto` chose its interface; may be empty */
    uint64_t frames;      /* all frames taken from the taps */
    uint64_t bytes;       /* their length on the wire */
    uint64_t dropped;
    uint64_t fragments_held;
    uint64_t fragments_dropped; /* given up for want of budget or time */
    uint64_t memory_limit;
    uint64_t memory_used;
    uint64_t window_ns;   /* packet time at which the window of sets began; 0: there is none yet */
    uint32_t tap_count, worker_count, set_count, path_count;
    struct board_tap taps[16];
    uint32_t output_count;
    struct board_output outputs[16];
    struct board_worker workers[BOARD_WORKERS];
    struct board_set sets[BOARD_SETS];
    struct board_path paths[BOARD_PATHS];
    uint32_t history_count; /* seconds valid, at most BOARD_HISTORY, oldest first */
    struct board_second history[BOARD_HISTORY];
};
