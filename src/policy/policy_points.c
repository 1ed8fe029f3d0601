// SPDX-License-Identifier: Apache-2.0
/* Metrics as data points, with pktvisor's names and labels, for those who push them. */
#include <stdio.h>
#include <stdlib.h>

#include "policy/policy_view.h"
#include "summary/metric_key.h"
#include "summary/point.h"
#include "summary/quantiles.h"
#include "summary/topn.h"

#define SECOND_NS UINT64_C(1000000000)

static void put_top(const struct point_walk *walk, const struct point *base,
                    const struct policy_view *view, const struct metric *m, const struct topn *top)
{
    uint32_t count;
    const struct topn_item **items = policy_view_top(view, top, &count);
    for (uint32_t i = 0; i < count; i++) {
        char text[METRIC_KEY_ROOM];
        struct point point = *base;
        metric_key_text(m->key, span_of(items[i]->key, top->key_size), text, sizeof text);
        point_label(&point, m->label, span_str(text));
        if (m->key == METRIC_KEY_PLACE && items[i]->key[METRIC_PLACE_NAME] != 0) {
            const char *place = (const char *)items[i]->key + METRIC_PLACE_NAME;
            point_label(&point, "lat", span_of(place, strnlen(place, METRIC_PLACE_COORDINATE)));
            place += METRIC_PLACE_COORDINATE;
            point_label(&point, "lon", span_of(place, strnlen(place, METRIC_PLACE_COORDINATE)));
        }
        point.value = (double)items[i]->weight;
        walk->visit(walk->context, &point);
    }
    free(items);
}

static void put_histogram(const struct point_walk *walk, const struct point *base,
                          const struct quantiles *q)
{
    double bounds[POLICY_BINS], counts[POLICY_BINS];
    uint64_t numbers[POLICY_BINS];
    struct point point = *base;
    point.kind = POINT_HISTOGRAM;
    point.count = policy_view_bins(q, bounds, numbers);
    for (uint32_t i = 0; i < point.count; i++) {
        counts[i] = (double)numbers[i];
    }
    point.at = bounds;
    point.values = counts;
    point.sum = q->sum;
    point.total = q->count;
    point.quantiles = q;
    if (q->count > 0) {
        walk->visit(walk->context, &point);
    }
}

/* The bucket that is over, if there is one, else the one under way. */
static bool view_of(struct policies *set, struct policy_instance *instance,
                    struct policy_view *ret)
{
    return (policy_view_of(set, instance, POLICIES_BUCKET, 1, ret, NULL) ||
            policy_view_of(set, instance, POLICIES_BUCKET, 0, ret, NULL)) &&
           ret->block != NULL;
}

struct pusher {
    const struct point_walk *walk;
    struct policies *set;
    const char *scope;
};

static void put_row(const struct pusher *p, struct policy_instance *i, const struct metric *m)
{
    static const char *const sides[] = {"unknown", "in", "out"};
    struct policy_view view;
    if (!view_of(p->set, i, &view) || !policy_view_shows(&view, m)) {
        return;
    }
    struct point base = {.scope = p->scope, .name = m->family, .help = m->help, .unit = m->unit,
                         .kind = POINT_GAUGE, .is_period = true,
                         .start_ns = view.start_s * SECOND_NS,
                         .end_ns = (view.start_s + view.length_s) * SECOND_NS};
    const void *at = (const uint8_t *)view.block + m->offset;
    point_label(&base, "policy", span_str(i->policy->name));
    point_label(&base, "tap", span_str(i->input->tap));
    point_label(&base, "handler", span_str(i->name));
    if (m->side != 0) {
        point_label(&base, "direction", span_str(sides[m->side - 1]));
    }
    if (m->kind == METRIC_TOPN) {
        put_top(p->walk, &base, &view, m, at);
    } else if (m->kind == METRIC_VIEW) {
        put_histogram(p->walk, &base, at);
    } else {
        point_row(p->walk, &base, m, at);
    }
}

/* Points of a family follow each other: a row's turn is that of the first one of its family. */
static bool is_first(const struct metric *metrics, const struct metric *m)
{
    for (; metrics != m; metrics++) {
        if (metrics->family != NULL && strcmp(metrics->family, m->family) == 0) {
            return false;
        }
    }
    return true;
}

static void put_instance(const struct pusher *p, struct policy_instance *i)
{
    const struct metric *metrics = i->handler->set->metrics;
    for (const struct metric *m = metrics; policy_view_is_on(i) && m->name != NULL; m++) {
        if (m->family == NULL || !is_first(metrics, m)) {
            continue;
        }
        for (const struct metric *other = m; other->name != NULL; other++) {
            if (other->family != NULL && strcmp(other->family, m->family) == 0) {
                put_row(p, i, other);
            }
        }
    }
}

void policies_points(struct policies *set, const struct point_walk *walk)
{
    pthread_mutex_lock(&set->lock);
    for (struct policy *policy = set->policies; policy != NULL; policy = policy->next) {
        char scope[POLICY_NAME + 16];
        snprintf(scope, sizeof scope, "pktvisor/%s", policy->name);
        struct pusher p = {.walk = walk, .set = set, .scope = scope};
        for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
            put_instance(&p, i);
        }
    }
    pthread_mutex_unlock(&set->lock);
}
