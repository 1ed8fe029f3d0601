// SPDX-License-Identifier: Apache-2.0
/* Data points: metric tables seen by those who push metrics elsewhere (OTLP, Prometheus remote
 * write). A walk over a table calls a visitor with one point after the other; those of a family
 * follow each other. Names, labels and values are those of Prometheus' text (metric.h), so that a
 * series is the same whether it is scraped or pushed; what a text cannot say, the buckets of an
 * exponential histogram, comes along.
 *
 * A point and all that it points to is lent for the time of the call. One thread. */
#pragma once

#include "summary/metric.h"

struct quantiles;

enum point_kind {
    POINT_SUM,       /* grows from start_ns on */
    POINT_GAUGE,
    POINT_SPREAD,    /* what so many of the values do not exceed: `at` are ranks, `values` those */
    POINT_HISTOGRAM, /* `at` are upper bounds, `values` the counts up to each of them */
};

enum { POINT_LABELS = 12 };

struct point_label {
    const char *name;
    struct span value; /* any bytes */
};

struct point {
    const char *scope; /* who counts: "vantage", "pktvisor/<policy>" */
    const char *name;  /* of the family */
    const char *help;
    const char *unit;  /* of metric.h */
    enum point_kind kind;
    uint32_t label_count;
    struct point_label labels[POINT_LABELS]; /* by name */
    uint64_t start_ns;
    uint64_t end_ns;
    bool is_period; /* what came from start_ns to end_ns, and not since the agent began */
    double value;   /* POINT_SUM, POINT_GAUGE */
    uint32_t count; /* of `at` and `values` */
    const double *at;
    const double *values;
    double sum;
    uint64_t total; /* how many values there were */
    const struct quantiles *quantiles; /* the same, whole; NULL where there is none */
};

typedef void point_visit(void *context, const struct point *point);

/* A walk: to whom, and at most how many items of a top-N. */
struct point_walk {
    point_visit *visit;
    void *context;
    unsigned limit;
};

/* Puts a label in its place; one beyond POINT_LABELS, or an empty one, is left out. */
void point_label(struct point *point, const char *name, struct span value);

/* The points of one row. `base` has scope, name, help, times and labels; the row adds its own. A
 * spread, or histogram, of nothing gives no point. */
void point_row(const struct point_walk *walk, const struct point *base, const struct metric *m,
               const void *at);

/* Those of a whole block, named as metric_block_prometheus() names them; of `base` all but the name
 * and the help is used. */
void point_block(const struct point_walk *walk, const struct point *base,
                 const struct metric_set *set, const void *block, const char *prefix);
