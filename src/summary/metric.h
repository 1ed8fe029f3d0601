// SPDX-License-Identifier: Apache-2.0
/* Metric tables: a protocol says in a constant table what it counts, as typed offsets into one
 * flat block of memory; generic code zeroes, merges and renders blocks by the table. A block holds
 * no pointers, so it can be handed from a worker to the collector as it is. Workers update blocks
 * in place (metric_topn_add, plain increments); all else happens off the packet path. */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "summary/histogram.h"
#include "summary/metric_key.h"

enum metric_kind {
    METRIC_COUNTER,     /* uint64_t, grows; merge adds */
    METRIC_GAUGE,       /* uint64_t, a level; merge adds across workers */
    METRIC_CARDINALITY, /* struct cardinality: distinct items, HyperLogLog */
    METRIC_TOPN,        /* struct topn: heaviest items */
    METRIC_LABELLED,    /* uint64_t[count], one counter a label value; merge adds */
    METRIC_QUANTILES,   /* struct quantiles: what half, 90, 95 and 99 % of values do not exceed */
    METRIC_HISTOGRAM,   /* struct histogram with its bounds, or struct quantiles with powers of 2 */
    METRIC_RATE,        /* struct rate: the same quantiles, of what comes in a second */
    METRIC_INFO,        /* char[text_size], padded with zeros: a fact; merge keeps the greater */
    METRIC_PEAK,        /* uint64_t: a level whose greatest counts; merge keeps that */
    METRIC_VIEW,        /* struct quantiles of another row, as a histogram in powers of 2 */
};

struct metric {
    const char *name; /* Prometheus base name without prefix: "packets", "top_talkers" */
    enum metric_kind kind;
    size_t offset;    /* into the block */
    const char *unit; /* "packets", "bytes", "flows", "" */
    const char *help;
    const char *group; /* metric group, "counters", "top_hosts" ... */
    /* METRIC_LABELLED: */
    /* Prometheus label name; a TOPN's may replace that of its kind of key, an INFO's is "value" if
     * it is not given */
    const char *label;
    const char *(*label_value)(unsigned i); /* static text of label value i; NULL: not shown */
    unsigned label_count;
    /* METRIC_TOPN: */
    enum metric_key key;
    const char *const *extras; /* names of the extra counters of an item, NULL-terminated */
    /* What another program, where its dialect is spoken, writes to its log in front of an item, once for
     * each; NULL: nothing. */
    const char *notice;
    /* METRIC_HISTOGRAM: without bounds, 2^first_power to 2^last_power of a struct quantiles are
     * shown: the same at every scrape, whatever its buckets. */
    struct histogram_bounds bounds;
    int first_power;
    int last_power;
    /* METRIC_INFO: */
    size_t text_size;
    /* Of a handler of policies (handler/handler.h), whose documents have an order of their own: the
     * place in the JSON object, parted by '/'; the name in Prometheus' text; which groups must be
     * on, a bit each; and, of what is counted for each direction, 1 + enum frame_direction. */
    const char *path;
    const char *family;
    uint32_t groups;
    uint8_t side;
};

/* A table with the size of its block. */
struct metric_set {
    const char *name; /* "net": the Prometheus and JSON namespace */
    const char *help;
    const struct metric *metrics; /* ended by a NULL name */
    size_t size;                  /* bytes of a block; a block is aligned to 64 bytes */
    void (*init)(void *block);    /* sets the capacities of top-Ns in a zeroed block; NULL: none */
    /* Of blocks with parts that have tables of their own (a part a device ...): the same as
     * metric_block_reset() and metric_block_merge() do, for the parts. NULL: none. */
    void (*reset)(void *block);
    void (*merge)(void *into, const void *from);
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
 * {"key":text,"weight":n,<extras>} and "error":n where the weight may lack as much. Quantiles as
 * {"p50","p90","p95","p99","min","max","sum","count"}, null when there are no values; rates with
 * "live", the second that ended last, and "seconds", of which the quantiles are; histograms as
 * {"buckets":{bound:count of all up to it,...,"+Inf":n},"sum","count"}; a fact as text. */
void metric_block_json(const struct metric_set *set, const void *block, unsigned limit,
                       struct json *to);
/* Prometheus text exposition format 0.0.4: HELP and TYPE once a metric, names
 * <prefix>_<set>_<name>[_<unit>][_total] (the unit unless the name has that word), counters and
 * labelled counters, cardinalities as gauges, top-Ns as gauges with labels (at most `limit`
 * items), one for the weight and one for each extra; quantiles and rates as summaries, whose _sum
 * is the sum and whose _count is that of values or seconds; histograms; a fact as the label of a
 * gauge <name>_info that is 1, unless it is empty. */
void metric_block_prometheus(const struct metric_set *set, const void *block, unsigned limit,
                             const char *prefix, struct json *to);

/* Appends the bytes of Apache DataSketches of a metric: HLL of a cardinality, frequent items of a
 * top-N with its keys as text, KLL of quantiles and of a histogram in powers of 2. False, and
 * nothing, for the other kinds. */
bool metric_sketch(const struct metric *m, const void *block, struct json *to);
