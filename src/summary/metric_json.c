// SPDX-License-Identifier: Apache-2.0
#include "summary/metric.h"

#include <stdlib.h>

#include "base/json.h"
#include "summary/metric_view.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

static void metric_member_double(struct json *to, const char *name, double value)
{
    json_key(to, name);
    json_double(to, value);
}

static void metric_json_top(const struct metric *m, const struct topn *t, unsigned limit,
                            struct json *to)
{
    uint32_t count;
    const struct topn_item **top = metric_top(t, limit, &count, to);
    json_array_begin(to);
    for (uint32_t i = 0; i < count; i++) {
        char text[METRIC_KEY_ROOM];
        metric_key_text(m->key, topn_key(t, top[i]), text, sizeof text);
        json_object_begin(to);
        json_key(to, "key");
        json_text(to, text);
        json_member_u64(to, "weight", top[i]->weight);
        if (top[i]->error > 0) {
            json_member_u64(to, "error", top[i]->error);
        }
        for (unsigned k = 0; m->extras != NULL && k < TOPN_EXTRAS && m->extras[k] != NULL; k++) {
            json_member_u64(to, m->extras[k], topn_extras(t, top[i])[k]);
        }
        json_object_end(to);
    }
    json_array_end(to);
    free(top);
}

static void metric_json_labelled(const struct metric *m, const uint64_t *counts, struct json *to)
{
    json_object_begin(to);
    for (unsigned i = 0; i < m->label_count; i++) {
        const char *value = m->label_value(i);
        if (value != NULL) {
            json_member_u64(to, value, counts[i]);
        }
    }
    json_object_end(to);
}

static void metric_json_ranks(const struct metric_spread *s, struct json *to)
{
    for (int i = 0; i < METRIC_RANKS; i++) {
        metric_member_double(to, metric_ranks[i].member, s->values[i]);
    }
}

static void metric_json_quantiles(const struct metric *m, const void *at, struct json *to)
{
    struct metric_spread s = metric_spread(m, at);
    json_object_begin(to);
    metric_json_ranks(&s, to);
    metric_member_double(to, "min", quantiles_at(at, 0));
    metric_member_double(to, "max", quantiles_at(at, 1));
    metric_member_double(to, "sum", s.sum);
    json_member_u64(to, "count", s.count);
    json_object_end(to);
}

static void metric_json_rate(const struct metric *m, const void *at, struct json *to)
{
    struct metric_spread s = metric_spread(m, at);
    json_object_begin(to);
    metric_json_ranks(&s, to);
    json_member_u64(to, "live", rate_last(at));
    metric_member_double(to, "sum", s.sum);
    json_member_u64(to, "seconds", s.count);
    json_object_end(to);
}

static void metric_json_histogram(const struct metric *m, const void *at, struct json *to)
{
    struct metric_spread s = metric_histogram(m, at);
    json_object_begin(to);
    json_key(to, "buckets");
    json_object_begin(to);
    for (uint32_t i = 0; i < metric_bound_count(m); i++) {
        char bound[METRIC_NUMBER_ROOM];
        metric_number_text(metric_bound(m, i), bound);
        json_member_u64(to, bound, metric_up_to(m, at, i));
    }
    json_member_u64(to, "+Inf", s.count);
    json_object_end(to);
    metric_member_double(to, "sum", s.sum);
    json_member_u64(to, "count", s.count);
    json_object_end(to);
}

static void metric_json(const struct metric *m, const void *at, unsigned limit, struct json *to)
{
    switch (m->kind) {
    case METRIC_COUNTER:
    case METRIC_GAUGE:
    case METRIC_PEAK:
        json_u64(to, *(const uint64_t *)at);
        break;
    case METRIC_CARDINALITY:
        json_u64(to, metric_distinct(at));
        break;
    case METRIC_TOPN:
        metric_json_top(m, at, limit, to);
        break;
    case METRIC_LABELLED:
        metric_json_labelled(m, at, to);
        break;
    case METRIC_QUANTILES:
        metric_json_quantiles(m, at, to);
        break;
    case METRIC_HISTOGRAM:
    case METRIC_VIEW:
        metric_json_histogram(m, at, to);
        break;
    case METRIC_RATE:
        metric_json_rate(m, at, to);
        break;
    case METRIC_INFO:
        json_span(to, metric_text(m, at));
        break;
    }
}

void metric_block_json(const struct metric_set *set, const void *block, unsigned limit,
                       struct json *to)
{
    json_object_begin(to);
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        json_key(to, m->name);
        metric_json(m, metric_in(m, block), limit, to);
    }
    json_object_end(to);
}
