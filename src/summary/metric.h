// SPDX-License-Identifier: Apache-2.0
/* Metric tables: a protocol says in a constant table what it counts, as typed offsets into one
 * flat block of memory; generic code zeroes, merges and renders blocks by the table. A block holds
 * no pointers, so it can be handed from a worker to the collector as it is. Workers update blocks
 * in place (metric_topn_add, plain increments); all else happens off the packet path. */
#pragma once

#include "base/span.h"

enum metric_kind {
    METRIC_COUNTER,     /* uint64_t, grows; merge adds */
    METRIC_GAUGE,       /* uint64_t, a level; merge adds across workers */
    METRIC_CARDINALITY, /* struct cardinality: distinct items, HyperLogLog */
    METRIC_TOPN,        /* struct topn: heaviest items */
    METRIC_LABELLED,    /* uint64_t[count], one counter a label value; merge adds */
};

/* How the keys of a top-N are written for people. */
enum metric_key {
    METRIC_KEY_NONE,
    METRIC_KEY_ADDRESS, /* uint8_t version, then 16 bytes of address */
    METRIC_KEY_PAIR,    /* two METRIC_KEY_ADDRESS keys: initiator, responder */
    METRIC_KEY_PORT,    /* uint8_t IANA protocol, uint16_t port (host order, packed): "443/tcp" */
    METRIC_KEY_TEXT,    /* text, padded with zeros */
};

struct metric {
    const char *name; /* Prometheus base name without prefix: "packets", "top_talkers" */
    enum metric_kind kind;
    size_t offset;    /* into the block */
    const char *unit; /* "packets", "bytes", "flows", "" */
    const char *help;
    const char *group; /* metric group, "counters", "top_hosts" ... */
    /* METRIC_LABELLED: */
    const char *label;                      /* Prometheus label name */
    const char *(*label_value)(unsigned i); /* static text of label value i */
    unsigned label_count;
    /* METRIC_TOPN: */
    enum metric_key key;
    const char *const *extras; /* names of the extra counters of an item, NULL-terminated */
};

/* A table with the size of its block. */
struct metric_set {
    const char *name; /* "net": the Prometheus and JSON namespace */
    const char *help;
    const struct metric *metrics; /* ended by a NULL name */
    size_t size;                  /* bytes of a block; a block is aligned to 64 bytes */
    void (*init)(void *block);    /* sets the capacities of top-Ns in a zeroed block; NULL: none */
};

struct json;

/* Empties a block: counters 0, sketches empty, capacities as `init` sets them. */
void metric_block_reset(const struct metric_set *set, void *block);
/* Adds `from` to `into`. Union for sketches; adding commutes. */
void metric_block_merge(const struct metric_set *set, void *into, const void *from);
/* One JSON object, a member a metric. top-Ns as arrays of at most `limit` items, heaviest first. */
void metric_block_json(const struct metric_set *set, const void *block, unsigned limit,
                       struct json *to);
/* Prometheus text exposition format 0.0.4: HELP and TYPE once a metric, names
 * <prefix>_<set>_<name>[_total|_<unit>...], counters and labelled counters, cardinalities as
 * gauges, top-Ns as gauges with labels (at most `limit` items). */
void metric_block_prometheus(const struct metric_set *set, const void *block, unsigned limit,
                             const char *prefix, struct json *to);

/* Writes a top-N key as text into `to` (terminated); `kind` says how to read it. */
void metric_key_text(enum metric_key kind, struct span key, char *to, size_t size);
