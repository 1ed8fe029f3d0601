// SPDX-License-Identifier: Apache-2.0
/* Metrics as data points, with pktvisor's names and labels, for those who push them. */
#include <stdio.h>
#include <stdlib.h>

#include "base/seconds.h"
#include "policy/policy_view.h"
#include "summary/metric_key.h"
#include "summary/point.h"
#include "summary/quantiles.h"
#include "summary/topn.h"

static void put_top(const struct point_walk *walk, const struct point *base,
                    const struct policy_view *view, const struct metric *m, const struct topn *top)
{
    uint32_t count;
    const struct topn_item **items = policy_view_top(view, top, &count);
    for (uint32_t i = 0; i < count; i++) {
        char text[METRIC_KEY_ROOM];
        struct point point = *base;
        metric_key_text(m->key, topn_key(top, items[i]), text, sizeof text);
        point_label(&point, m->label, span_str(text));
        struct span latitude = metric_key_latitude(topn_key(top, items[i]));
        if (m->key == METRIC_KEY_PLACE && latitude.size > 0) {
            point_label(&point, "lat", latitude);
            point_label(&point, "lon", metric_key_longitude(topn_key(top, items[i])));
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

/* A row of a view, which is of a whole block or of this part of it. */
static void put_view(const struct pusher *p, const struct policy_view *view, const struct metric *m,
                     const struct handler_parts *parts, const struct handler_part *part)
{
    static const char *const sides[] = {"unknown", "in", "out"};
    const struct policy_instance *i = view->instance;
    struct point base = {.scope = p->scope, .name = m->family, .help = m->help, .unit = m->unit,
                         .kind = POINT_GAUGE, .is_period = true,
                         .start_ns = view->start_s * SECOND_NS,
                         .end_ns = (view->start_s + view->length_s) * SECOND_NS};
    const void *at = (const uint8_t *)view->block + m->offset;
    point_label(&base, "policy", span_str(i->policy->name));
    point_label(&base, "tap", span_str(i->input->tap));
    point_label(&base, "handler", span_str(i->name));
    if (m->side != 0) {
        point_label(&base, "direction", span_str(sides[m->side - 1]));
    }
    if (parts != NULL && parts->label != NULL) {
        point_label(&base, parts->label, span_str(part->label));
    }
    for (unsigned k = 0; part != NULL && k < HANDLER_PART_LABELS && part->labels[k].name != NULL;
         k++) {
        point_label(&base, part->labels[k].name, span_str(part->labels[k].value));
    }
    if (m->kind == METRIC_TOPN) {
        put_top(p->walk, &base, view, m, at);
    } else if (m->kind == METRIC_VIEW) {
        put_histogram(p->walk, &base, at);
    } else {
        point_row(p->walk, &base, m, at);
    }
}

static void put_row(const struct pusher *p, struct policy_instance *i, const struct metric *m)
{
    struct policy_view view;
    if (view_of(p->set, i, &view) && policy_view_shows(&view, m)) {
        put_view(p, &view, m, NULL, NULL);
    }
}

/* What is counted apart: by path, by route, by target; not what is apart in that again. */
static void put_parts(const struct pusher *p, struct policy_instance *i,
                      const struct handler_parts *parts)
{
    struct policy_view view;
    size_t count;
    if (!view_of(p->set, i, &view)) {
        return;
    }
    struct policy_part *list = policy_view_parts(&view, parts, 0, &count);
    for (const struct metric *m = parts->set->metrics; m->name != NULL; m++) {
        for (size_t k = 0; k < count && m->family != NULL; k++) {
            if (policy_view_shows(&list[k].view, m)) {
                put_view(p, &list[k].view, m, parts, &list[k].part);
            }
        }
    }
    free(list);
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
    for (const struct handler_parts *parts = i->handler->parts;
         policy_view_is_on(i) && parts != NULL; parts = parts->next) {
        put_parts(p, i, parts);
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
