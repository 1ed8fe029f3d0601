// SPDX-License-Identifier: Apache-2.0
/* Metric tables: a protocol says in a constant table what it counts, as typed offsets into one
 * flat block of memory; generic code zeroes, merges and renders blocks by the table. A block holds
 * no pointers, so it can be handed from a worker to the collector as it is. Workers update blocks
 * in place (metric_topn_add, plain increments); all else happens off the packet path. */
#pragma once

#include "base/err.h"
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
    const char *label; /* Prometheus label name; a TOPN's may replace that of its kind of key */
    const char *(*label_value)(unsigned i); /* static text of label value i; NULL: not shown */
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

/* Whether a table can be served: names unique and made of a-z, 0-9 and _, help given, offsets in
 * the block, labels and keys where the kind wants them. For tests. */
bool metric_set_check(const struct metric_set *set, struct err *err);

/* Empties a block: counters 0, sketches empty, capacities as `init` sets them. The block is zeroed
 * memory or was reset before; what no row speaks of stays as it is. Costs in proportion to what
 * is in it. */
void metric_block_reset(const struct metric_set *set, void *block);
/* Adds `from` to `into`, both reset before. Union for sketches; adding commutes. */
void metric_block_merge(const struct metric_set *set, void *into, const void *from);
/* One JSON object, a member a metric. Labelled counters as an object, a member a label value;
 * cardinalities as whole numbers; top-Ns as arrays of at most `limit` items, heaviest first:
 * {"key":text,"weight":n,<extras>} and "error":n where the weight may lack as much. */
void metric_block_json(const struct metric_set *set, const void *block, unsigned limit,
                       struct json *to);
/* Prometheus text exposition format 0.0.4: HELP and TYPE once a metric, names
 * <prefix>_<set>_<name>[_<unit>][_total] (the unit unless the name has that word), counters and
 * labelled counters, cardinalities as gauges, top-Ns as gauges with labels (at most `limit`
 * items), one for the weight and one for each extra. */
void metric_block_prometheus(const struct metric_set *set, const void *block, unsigned limit,
                             const char *prefix, struct json *to);

enum { METRIC_KEY_ROOM = 168 }; /* bytes that the text of any key fits in */

/* Writes a top-N key as text into `to` (terminated); `kind` says how to read it. An address,
 * "a > b" for a pair, "443/tcp" for a port. Text has control characters and bytes that are not
 * UTF-8 as \xNN and a backslash as \\, so that it is safe to print and no two keys look the
 * same. */
void metric_key_text(enum metric_key kind, struct span key, char *to, size_t size);
