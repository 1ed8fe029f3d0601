// SPDX-License-Identifier: Apache-2.0
/* Metrics as JSON: the rows of a handler's table in the tree that their paths make. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/pages.h"
#include "policy/policy_view.h"
#include "summary/cardinality.h"
#include "summary/metric_key.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { ROWS_MAX = 256 };

static const double ranks[4] = {0.5, 0.9, 0.95, 0.99};
static const char *const rank_names[4] = {"p50", "p90", "p95", "p99"};

static const void *at(const struct metric *m, const void *block)
{
    return (const uint8_t *)block + m->offset;
}

/* ---- Values --------------------------------------------------------------------------------- */

static void put_quantiles(const struct metric *m, const struct quantiles *q, struct json *to)
{
    json_object_begin(to);
    for (unsigned i = 0; i < 4; i++) {
        double value = quantiles_at(q, ranks[i]);
        json_key(to, rank_names[i]);
        if (policy_view_is_whole(m)) {
            json_u64(to, value > 0 ? (uint64_t)llround(value) : 0);
        } else {
            json_double(to, value);
        }
    }
    json_object_end(to);
}

static void put_rate(const struct policy_view *view, const struct rate *rate, struct json *to)
{
    uint64_t values[4];
    rate_at(rate, ranks, values, 4);
    json_object_begin(to);
    if (view->is_live) {
        json_member_u64(to, "live", rate_last(rate));
    }
    for (unsigned i = 0; i < 4; i++) {
        json_member_u64(to, rank_names[i], values[i]);
    }
    json_object_end(to);
}

static void put_coordinate(struct json *to, const char *key, struct span text)
{
    if (text.size > 0) {
        json_key(to, key);
        json_span(to, text);
    }
}

static void put_top(const struct policy_view *view, const struct metric *m, const struct topn *top,
                    struct json *to)
{
    uint32_t count;
    const struct topn_item **items = policy_view_top(view, top, &count);
    json_array_begin(to);
    for (uint32_t i = 0; i < count; i++) {
        char text[METRIC_KEY_ROOM];
        metric_key_text(m->key, topn_key(top, items[i]), text, sizeof text);
        json_object_begin(to);
        json_member_u64(to, "estimate", items[i]->weight);
        if (m->key == METRIC_KEY_PLACE) {
            put_coordinate(to, "lat", metric_key_latitude(topn_key(top, items[i])));
            put_coordinate(to, "lon", metric_key_longitude(topn_key(top, items[i])));
        }
        json_key(to, "name");
        json_text(to, text);
        json_object_end(to);
    }
    json_array_end(to);
    free(items);
}

static void put_histogram(const struct quantiles *q, struct json *to)
{
    double bounds[POLICY_BINS];
    uint64_t counts[POLICY_BINS];
    uint32_t used = policy_view_bins(q, bounds, counts);
    json_object_begin(to);
    json_key(to, "buckets");
    json_object_begin(to);
    for (uint32_t i = 0; i < used; i++) {
        char bound[32];
        snprintf(bound, sizeof bound, "%.0f", bounds[i]);
        json_key(to, bound);
        json_u64(to, counts[i]);
    }
    json_member_u64(to, "+Inf", q->count);
    json_object_end(to);
    json_object_end(to);
}

static void put_value(const struct policy_view *view, const struct metric *m, struct json *to)
{
    const void *value = at(m, view->block);
    switch (m->kind) {
    case METRIC_CARDINALITY:
        json_u64(to, (uint64_t)llround(cardinality_estimate(value)));
        break;
    case METRIC_TOPN:
        put_top(view, m, value, to);
        break;
    case METRIC_QUANTILES:
        put_quantiles(m, value, to);
        break;
    case METRIC_RATE:
        put_rate(view, value, to);
        break;
    case METRIC_VIEW:
        put_histogram(value, to);
        break;
    default:
        json_u64(to, *(const uint64_t *)value);
        break;
    }
}

/* ---- The tree ------------------------------------------------------------------------------- */

struct row {
    const char *path;
    const struct metric *metric; /* NULL: the period, or parts */
    const struct handler_parts *parts;
};

/* What is being written: the rows of a whole block, or of a part of it. */
struct stage {
    const struct policy_view *whole;
    const struct policy_view *view; /* of the rows */
    uint32_t number;                /* of the part */
    struct json *to;
};

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->path, ((const struct row *)b)->path);
}

/* Quantiles of nothing are left out. */
static bool is_shown(const struct policy_view *view, const struct metric *m)
{
    if (!policy_view_shows(view, m)) {
        return false;
    }
    const struct quantiles *q = at(m, view->block);
    return (m->kind != METRIC_QUANTILES && m->kind != METRIC_VIEW) || q->count > 0;
}

/* Adds the rows of a table and its parts to `rows`, which has `count`; sorted. */
static uint32_t list_rows(const struct policy_view *view, const struct metric_set *set,
                          const struct handler_parts *parts, struct row rows[ROWS_MAX],
                          uint32_t count)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        if (count < ROWS_MAX && is_shown(view, m)) {
            rows[count++] = (struct row){.path = m->path, .metric = m};
        }
    }
    for (; parts != NULL && count < ROWS_MAX; parts = parts->next) {
        rows[count++] = (struct row){.path = parts->key, .parts = parts};
    }
    qsort(rows, count, sizeof *rows, by_path);
    return count;
}

static void put_period(const struct policy_view *view, struct json *to)
{
    json_object_begin(to);
    json_member_u64(to, "length", view->length_s);
    json_member_u64(to, "start_ts", view->start_s);
    json_object_end(to);
}

static void put_parts(const struct stage *stage, const struct handler_parts *parts);

static void put_row(const struct stage *stage, const struct row *row)
{
    if (row->parts != NULL) {
        put_parts(stage, row->parts);
    } else if (row->metric == NULL) {
        put_period(stage->view, stage->to);
    } else {
        put_value(stage->view, row->metric, stage->to);
    }
}

/* Writes the rows whose paths agree up to `skip`: members of one object. */
static void put_rows(const struct stage *stage, const struct row *rows, uint32_t count, size_t skip)
{
    json_object_begin(stage->to);
    for (uint32_t i = 0; i < count;) {
        const char *name = rows[i].path + skip;
        size_t size = strcspn(name, "/");
        json_key_span(stage->to, span_of(name, size));
        if (name[size] == '\0') {
            put_row(stage, &rows[i++]);
            continue;
        }
        uint32_t same = 1;
        while (i + same < count && strncmp(rows[i + same].path + skip, name, size + 1) == 0) {
            same++;
        }
        put_rows(stage, &rows[i], same, skip + size + 1);
        i += same;
    }
    json_object_end(stage->to);
}

/* An object with a member a part, each of which may have parts again. */
static void put_parts(const struct stage *stage, const struct handler_parts *parts)
{
    size_t count;
    struct policy_part *list = policy_view_parts(stage->whole, parts, stage->number, &count);
    json_object_begin(stage->to);
    for (size_t i = 0; i < count; i++) {
        struct row rows[ROWS_MAX];
        struct stage inner = {stage->whole, &list[i].view, list[i].number, stage->to};
        uint32_t used = list_rows(&list[i].view, parts->set, parts->inner, rows, 0);
        json_key(stage->to, list[i].part.name);
        put_rows(&inner, rows, used, 0);
    }
    json_object_end(stage->to);
    free(list);
}

static void put_object(const struct policy_view *view, struct json *to)
{
    struct row rows[ROWS_MAX] = {{.path = "period"}};
    const struct handler *handler = view->instance->handler;
    struct stage stage = {view, view, 0, to};
    uint32_t count = list_rows(view, handler->set, handler->parts, rows, 1);
    json_key(to, handler->object);
    put_rows(&stage, rows, count, 0);
}

/* ---- Policies ------------------------------------------------------------------------------- */

/* Instances of one handler as one: the first of them says for all, the others add to its block. */
static bool put_merged(struct policies *set, struct policy *policy, struct policy_instance *first,
                       enum policies_period period, uint64_t number, struct json *to)
{
    struct policy_view view;
    size_t size = first->handler->set->size;
    void *sum = pages_reserve(size);
    if (sum == NULL) {
        return false;
    }
    metric_block_reset(first->handler->set, sum);
    for (struct policy_instance *i = first; i != NULL; i = i->next) {
        if (i->handler == first->handler && policy_view_of(set, i, period, number, &view, NULL) &&
            view.block != NULL) {
            metric_block_merge(first->handler->set, sum, view.block);
        }
    }
    bool there = policy_view_of(set, first, period, number, &view, NULL);
    if (there) {
        char name[64];
        snprintf(name, sizeof name, "%s_merged", first->handler->object);
        view.block = sum;
        json_key(to, name);
        json_object_begin(to);
        put_object(&view, to);
        json_object_end(to);
    }
    (void)policy;
    pages_release(sum, size);
    return there;
}

static bool is_first_of_kind(const struct policy *policy, const struct policy_instance *instance)
{
    const struct policy_instance *i = policy->instances;
    while (i->handler != instance->handler) {
        i = i->next;
    }
    return i == instance;
}

static int by_instance_name(const void *a, const void *b)
{
    return strcmp((*(struct policy_instance *const *)a)->name,
                  (*(struct policy_instance *const *)b)->name);
}

/* The instances of a policy by name, in memory that the caller frees. */
static struct policy_instance **sorted(const struct policy *policy, size_t *ret_count)
{
    size_t count = 0;
    for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
        count++;
    }
    struct policy_instance **list = calloc(count + 1, sizeof *list);
    if (list == NULL) {
        abort();
    }
    *ret_count = 0;
    for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
        list[(*ret_count)++] = i;
    }
    qsort(list, count, sizeof *list, by_instance_name);
    return list;
}

/* The members of a policy's object; false, with err, at the first period that is not there. */
static bool put_policy(struct policies *set, struct policy *policy, enum policies_period period,
                       uint64_t number, struct json *to, struct err *err)
{
    size_t count;
    struct policy_instance **list = sorted(policy, &count);
    bool done = true;
    for (size_t i = 0; i < count && done; i++) {
        struct policy_view view;
        if (!policy_view_is_on(list[i])) {
            continue;
        }
        done = policy_view_of(set, list[i], period, number, &view, err);
        if (done && policy->merges && is_first_of_kind(policy, list[i])) {
            put_merged(set, policy, list[i], period, number, to);
        } else if (done && !policy->merges && view.block != NULL) {
            json_key(to, list[i]->name);
            json_object_begin(to);
            put_object(&view, to);
            json_object_end(to);
        }
    }
    free(list);
    return done;
}

static bool has_anything(const struct policy *policy)
{
    for (const struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
        if (policy_view_is_on(i)) {
            return true;
        }
    }
    return false;
}

/* Whether all its instances have that period. */
static bool has_period(struct policies *set, struct policy *policy, enum policies_period period,
                       uint64_t number, struct err *err)
{
    for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
        struct policy_view view;
        if (!policy_view_of(set, i, period, number, &view, err)) {
            return false;
        }
    }
    return true;
}

static void put_one(struct policies *set, struct policy *policy, enum policies_period period,
                    uint64_t number, struct json *to)
{
    if (has_anything(policy)) {
        json_key(to, policy->name);
        json_object_begin(to);
        put_policy(set, policy, period, number, to, NULL);
        json_object_end(to);
    }
}

enum policies_status policies_metrics_json(struct policies *set, const char *name,
                                           enum policies_period period, uint64_t number,
                                           struct json *to, struct err *err)
{
    enum policies_status status = POLICIES_DONE;
    pthread_mutex_lock(&set->lock);
    struct policy *policy = policy_find(set, name);
    bool all = strcmp(name, "__all") == 0;
    if (policy == NULL && !all) {
        err_set(err, ERR_USAGE, "policy does not exist");
        status = POLICIES_UNKNOWN;
    } else if (!all && !has_period(set, policy, period, number, err)) {
        status = POLICIES_INVALID;
    } else {
        json_object_begin(to);
        for (struct policy *p = all ? set->policies : policy; p != NULL;
             p = all ? p->next : NULL) {
            if (has_period(set, p, period, number, NULL)) {
                put_one(set, p, period, number, to);
            }
        }
        json_object_end(to);
    }
    pthread_mutex_unlock(&set->lock);
    return status;
}

static void put_default(struct policies *set, struct policy *policy, enum policies_period period,
                        uint64_t number, struct json *to)
{
    char key[24];
    bool has_period_yet = false;
    snprintf(key, sizeof key, "%" PRIu64 "m", period == POLICIES_BUCKET ? 1 : number);
    json_object_begin(to);
    json_key(to, key);
    json_object_begin(to);
    for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
        struct policy_view view;
        if (!policy_view_is_on(i) || !is_first_of_kind(policy, i) ||
            !policy_view_of(set, i, period, number, &view, NULL) || view.block == NULL) {
            continue;
        }
        put_object(&view, to);
        if (!has_period_yet && period == POLICIES_BUCKET) {
            json_key(to, "period");
            put_period(&view, to);
            has_period_yet = true;
        }
    }
    json_object_end(to);
    json_object_end(to);
}

enum policies_status policies_default_json(struct policies *set, enum policies_period period,
                                           uint64_t number, struct json *to, struct err *err)
{
    enum policies_status status = POLICIES_DONE;
    pthread_mutex_lock(&set->lock);
    struct policy *policy = policy_find(set, "default");
    if (policy == NULL) {
        err_set(err, ERR_USAGE, "no \"default\" policy exists");
        status = POLICIES_UNKNOWN;
    } else if (!has_period(set, policy, period, number, err)) {
        status = POLICIES_INVALID;
    } else {
        put_default(set, policy, period, number, to);
    }
    pthread_mutex_unlock(&set->lock);
    return status;
}
