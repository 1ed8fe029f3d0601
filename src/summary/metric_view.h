// SPDX-License-Identifier: Apache-2.0
/* What the renderers of metrics, metric_json.c and metric_prometheus.c, have in common: figures
 * drawn from what stands in a block. Private to them, metric.c and point.c. */
#pragma once

#include "summary/metric.h"

struct topn;
struct topn_item;

enum { METRIC_RANKS = 4 };

/* The quantiles that are shown. */
struct metric_rank {
    double rank;
    const char *member;   /* of the JSON object */
    const char *quantile; /* the value of Prometheus' label */
};
extern const struct metric_rank metric_ranks[METRIC_RANKS];

/* What a METRIC_QUANTILES or METRIC_RATE says; values are NAN when there are none. */
struct metric_spread {
    double values[METRIC_RANKS];
    double sum;
    uint64_t count; /* of values, or of seconds */
};

static inline const void *metric_in(const struct metric *m, const void *block)
{
    return (const uint8_t *)block + m->offset;
}

struct metric_spread metric_spread(const struct metric *m, const void *at);

/* The number of distinct items of a struct cardinality, whole. */
uint64_t metric_distinct(const void *at);

/* A METRIC_HISTOGRAM's sum and count, how many bounds it shows, each bound, and how many values are
 * not above it. */
struct metric_spread metric_histogram(const struct metric *m, const void *at);
uint32_t metric_bound_count(const struct metric *m);
double metric_bound(const struct metric *m, uint32_t i);
uint64_t metric_up_to(const struct metric *m, const void *at, uint32_t i);

/* A number in the shortest form that reads back the same, terminated; "+Inf", "-Inf" and "NaN". */
enum { METRIC_NUMBER_ROOM = 32 };
void metric_number_text(double number, char to[METRIC_NUMBER_ROOM]);

/* A METRIC_INFO's text. */
struct span metric_text(const struct metric *m, const void *at);

/* The at most `limit` heaviest items, in memory that the caller frees; sets `failed` of `to` when
 * there is none. */
const struct topn_item **metric_top(const struct topn *t, unsigned limit, uint32_t *count,
                                    struct json *to);

/* The name of a metric's family, or of its extra `part` (NULL: itself), as metric.h says. */
enum { METRIC_NAME_ROOM = 256 };
void metric_full_name(const struct metric_set *set, const struct metric *m, const char *part,
                      const char *prefix, char to[METRIC_NAME_ROOM]);

/* The name of the label of a top-N's items or of a fact. */
const char *metric_label(const struct metric *m);
