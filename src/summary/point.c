// SPDX-License-Identifier: Apache-2.0
#include "summary/point.h"

#include <stdlib.h>

#include "base/json.h"
#include "summary/metric_view.h"
#include "summary/quantiles.h"
#include "summary/topn.h"

enum { BOUNDS_MAX = 256 };

void point_label(struct point *point, const char *name, struct span value)
{
    if (point->label_count == POINT_LABELS || value.size == 0) {
        return;
    }
    uint32_t at = point->label_count++;
    for (; at > 0 && strcmp(point->labels[at - 1].name, name) > 0; at--) {
        point->labels[at] = point->labels[at - 1];
    }
    point->labels[at] = (struct point_label){name, value};
}

/* A point as `base`, with one label more (NULL: none) and a number. */
static void put_number(const struct point_walk *walk, const struct point *base, const char *label,
                       struct span text, double value)
{
    struct point point = *base;
    point.value = value;
    if (label != NULL) {
        point_label(&point, label, text);
    }
    walk->visit(walk->context, &point);
}

static void put_labelled(const struct point_walk *walk, const struct point *base,
                         const struct metric *m, const uint64_t *counts)
{
    for (unsigned i = 0; i < m->label_count; i++) {
        const char *value = m->label_value(i);
        if (value != NULL) {
            put_number(walk, base, m->label, span_str(value), (double)counts[i]);
        }
    }
}

static void put_spread(const struct point_walk *walk, const struct point *base,
                       const struct metric *m, const void *at)
{
    struct metric_spread spread = metric_spread(m, at);
    double ranks[METRIC_RANKS];
    struct point point = *base;
    for (int i = 0; i < METRIC_RANKS; i++) {
        ranks[i] = metric_ranks[i].rank;
    }
    point.kind = POINT_SPREAD;
    point.at = ranks;
    point.values = spread.values;
    point.count = METRIC_RANKS;
    point.sum = spread.sum;
    point.total = spread.count;
    point.quantiles = m->kind == METRIC_QUANTILES ? at : NULL;
    if (spread.count > 0) {
        walk->visit(walk->context, &point);
    }
}

static void put_histogram(const struct point_walk *walk, const struct point *base,
                          const struct metric *m, const void *at)
{
    struct metric_spread spread = metric_histogram(m, at);
    double bounds[BOUNDS_MAX], counts[BOUNDS_MAX];
    struct point point = *base;
    point.kind = POINT_HISTOGRAM;
    for (; point.count < metric_bound_count(m) && point.count < BOUNDS_MAX; point.count++) {
        bounds[point.count] = metric_bound(m, point.count);
        counts[point.count] = (double)metric_up_to(m, at, point.count);
    }
    point.at = bounds;
    point.values = counts;
    point.sum = spread.sum;
    point.total = spread.count;
    point.quantiles = m->bounds.count == 0 ? at : NULL;
    if (spread.count > 0) {
        walk->visit(walk->context, &point);
    }
}

/* The items of a top-N by their weight, or by one of their extras. */
static void put_top(const struct point_walk *walk, const struct point *base,
                    const struct metric *m, const struct topn *top, int extra)
{
    struct json memory = {0};
    uint32_t count;
    const struct topn_item **items = metric_top(top, walk->limit, &count, &memory);
    for (uint32_t i = 0; i < count; i++) {
        char text[METRIC_KEY_ROOM];
        metric_key_text(m->key, topn_key(top, items[i]), text, sizeof text);
        uint64_t weight = extra < 0 ? items[i]->weight : topn_extras(top, items[i])[extra];
        put_number(walk, base, metric_label(m), span_str(text), (double)weight);
    }
    free(items);
}

static void put_info(const struct point_walk *walk, const struct point *base,
                     const struct metric *m, const void *at)
{
    struct span text = metric_text(m, at);
    if (text.size > 0) {
        put_number(walk, base, metric_label(m), text, 1);
    }
}

void point_row(const struct point_walk *walk, const struct point *base, const struct metric *m,
               const void *at)
{
    switch (m->kind) {
    case METRIC_LABELLED:
        put_labelled(walk, base, m, at);
        break;
    case METRIC_QUANTILES:
    case METRIC_RATE:
        put_spread(walk, base, m, at);
        break;
    case METRIC_HISTOGRAM:
    case METRIC_VIEW:
        put_histogram(walk, base, m, at);
        break;
    case METRIC_TOPN:
        put_top(walk, base, m, at, -1);
        break;
    case METRIC_INFO:
        put_info(walk, base, m, at);
        break;
    case METRIC_CARDINALITY:
        put_number(walk, base, NULL, span_of(NULL, 0), (double)metric_distinct(at));
        break;
    case METRIC_COUNTER:
    case METRIC_GAUGE:
    case METRIC_PEAK:
        put_number(walk, base, NULL, span_of(NULL, 0), (double)*(const uint64_t *)at);
        break;
    }
}

void point_block(const struct point_walk *walk, const struct point *base,
                 const struct metric_set *set, const void *block, const char *prefix)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        bool grows = m->kind == METRIC_COUNTER || m->kind == METRIC_LABELLED;
        char name[METRIC_NAME_ROOM];
        struct point point = *base;
        point.kind = grows ? POINT_SUM : POINT_GAUGE;
        point.name = name;
        point.help = m->help;
        point.unit = m->unit;
        metric_full_name(set, m, NULL, prefix, name);
        point_row(walk, &point, m, metric_in(m, block));
        for (int k = 0; m->kind == METRIC_TOPN && k < TOPN_EXTRAS; k++) {
            if (m->extras == NULL || m->extras[k] == NULL) {
                break;
            }
            metric_full_name(set, m, m->extras[k], prefix, name);
            put_top(walk, &point, m, metric_in(m, block), k);
        }
    }
}
