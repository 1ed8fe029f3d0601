// SPDX-License-Identifier: Apache-2.0
/* Summaries as bytes that Apache DataSketches reads: of which rows there are any, and those of one. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/policy_view.h"
#include "summary/quantiles.h"
#include "summary/rate.h"

enum { KEY_ROOM = 1024 };

/* What the bytes of a row are, NULL when it has none. */
static const char *kind_of(const struct metric *m)
{
    switch (m->kind) {
    case METRIC_CARDINALITY:
        return "hll";
    case METRIC_TOPN:
        return "fi_strings";
    case METRIC_QUANTILES:
    case METRIC_RATE:
    case METRIC_VIEW:
        return "kll_float";
    default:
        return NULL;
    }
}

/* ---- Which there are ------------------------------------------------------------------------ */

/* "cardinality/qname" as "cardinality.qname", behind the names of the parts that it is in. */
static void put_key(struct json *to, const char *prefix, const char *path)
{
    char key[KEY_ROOM];
    size_t size = (size_t)snprintf(key, sizeof key, "%s", prefix);
    size = size < sizeof key ? size : sizeof key - 1;
    snprintf(key + size, sizeof key - size, "%s", path);
    for (char *c = key + size; *c != '\0'; c++) {
        *c = *c == '/' ? '.' : *c;
    }
    json_key(to, key);
}

static void put_rows(const struct policy_view *view, const struct metric_set *set,
                     const char *prefix, struct json *to)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        const char *kind = kind_of(m);
        if (kind != NULL && policy_view_shows(view, m)) {
            put_key(to, prefix, m->path);
            json_text(to, kind);
        }
    }
}

static void put_parts(const struct policy_view *whole, const struct handler_parts *parts,
                      uint32_t outer, const char *prefix, struct json *to)
{
    for (; parts != NULL; parts = parts->next) {
        size_t count;
        struct policy_part *list = policy_view_parts(whole, parts, outer, &count);
        for (size_t i = 0; i < count; i++) {
            char inside[KEY_ROOM];
            snprintf(inside, sizeof inside, "%s%s.%s.", prefix, parts->key, list[i].part.name);
            put_rows(&list[i].view, parts->set, inside, to);
            put_parts(whole, parts->inner, list[i].number, inside, to);
        }
        free(list);
    }
}

static void put_instance(struct policies *set, struct policy_instance *instance, struct json *to)
{
    struct policy_view view;
    json_key(to, instance->name);
    json_object_begin(to);
    if (policy_view_is_on(instance) &&
        policy_view_of(set, instance, POLICIES_BUCKET, 0, &view, NULL) && view.block != NULL) {
        put_rows(&view, instance->handler->set, "", to);
        put_parts(&view, instance->handler->parts, 0, "", to);
    }
    json_object_end(to);
}

void policies_sketches_json(struct policies *set, struct json *to)
{
    pthread_mutex_lock(&set->lock);
    json_object_begin(to);
    for (struct policy *p = set->policies; p != NULL; p = p->next) {
        json_key(to, p->name);
        json_object_begin(to);
        for (struct policy_instance *i = p->instances; i != NULL; i = i->next) {
            put_instance(set, i, to);
        }
        json_object_end(to);
    }
    json_object_end(to);
    pthread_mutex_unlock(&set->lock);
}

/* ---- One of them ---------------------------------------------------------------------------- */

/* Whether a path is the one asked for, in which '.' may stand for '/'. */
static bool is_path(const char *path, const char *asked)
{
    while (*path != '\0' && (*path == *asked || (*path == '/' && *asked == '.'))) {
        path++;
        asked++;
    }
    return *path == '\0' && *asked == '\0';
}

static const struct metric *find_row(const struct policy_view *view, const struct metric_set *set,
                                     const char *asked)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        if (kind_of(m) != NULL && policy_view_shows(view, m) && is_path(m->path, asked)) {
            return m;
        }
    }
    return NULL;
}

/* What is behind a word and a dot or slash; NULL: it does not begin so. */
static const char *behind(const char *asked, const char *word)
{
    size_t size = strlen(word);
    bool begins = strncmp(asked, word, size) == 0 && (asked[size] == '.' || asked[size] == '/');
    return begins ? asked + size + 1 : NULL;
}

/* The row of a part, whose view goes to *ret; NULL when there is none of that name. */
static const struct metric *find_part(const struct policy_view *whole,
                                      const struct handler_parts *parts, uint32_t outer,
                                      const char *asked, struct policy_view *ret)
{
    const struct metric *found = NULL;
    for (; parts != NULL && found == NULL; parts = parts->next) {
        const char *name = behind(asked, parts->key);
        size_t count = 0;
        struct policy_part *list =
            name != NULL ? policy_view_parts(whole, parts, outer, &count) : NULL;
        for (size_t i = 0; i < count && found == NULL; i++) {
            const char *rest = behind(name, list[i].part.name);
            if (rest != NULL) {
                *ret = list[i].view;
                found = find_row(ret, parts->set, rest);
            }
            if (rest != NULL && found == NULL) {
                found = find_part(whole, parts->inner, list[i].number, rest, ret);
            }
        }
        free(list);
    }
    return found;
}

/* The sums of seconds, as quantiles. */
static void put_rate(const struct rate *rate, struct json *to)
{
    static const struct metric row = {.name = "rate", .kind = METRIC_QUANTILES};
    struct quantiles q = {0};
    for (uint32_t i = 0; i < rate->used; i++) {
        quantiles_add(&q, (double)rate_second(rate, i));
    }
    metric_sketch(&row, &q, to);
}

static void put_sketch(const struct policy_view *view, const struct metric *m, struct json *to)
{
    struct metric row = *m;
    if (m->kind == METRIC_RATE) {
        put_rate((const struct rate *)((const uint8_t *)view->block + m->offset), to);
        return;
    }
    row.kind = m->kind == METRIC_VIEW ? METRIC_QUANTILES : m->kind;
    metric_sketch(&row, view->block, to);
}

static struct policy_instance *find_instance(const struct policies *set,
                                             const struct policies_sketch *wanted, struct err *err)
{
    const struct policy *policy = policy_find(set, wanted->policy);
    if (policy == NULL) {
        err_set(err, ERR_USAGE, "policy does not exist");
        return NULL;
    }
    for (struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
        if (strcmp(i->name, wanted->handler) == 0 || strcmp(i->module, wanted->handler) == 0) {
            return i;
        }
    }
    err_set(err, ERR_USAGE, "the policy has no handler of that name: /api/v1/sketches lists them");
    return NULL;
}

static enum policies_status find_sketch(struct policies *set, const struct policies_sketch *wanted,
                                        struct json *to, struct err *err)
{
    struct policy_view view;
    struct policy_instance *instance = find_instance(set, wanted, err);
    if (instance == NULL) {
        return POLICIES_UNKNOWN;
    }
    if (!policy_view_of(set, instance, wanted->period, wanted->number, &view, err)) {
        return POLICIES_INVALID;
    }
    struct policy_view of = view;
    const struct metric *m = NULL;
    if (policy_view_is_on(instance) && view.block != NULL) {
        m = find_row(&view, instance->handler->set, wanted->metric);
        m = m != NULL ? m : find_part(&view, instance->handler->parts, 0, wanted->metric, &of);
    }
    if (m == NULL) {
        err_set(err, ERR_USAGE, "the handler has no sketch of that name: /api/v1/sketches lists them");
        return POLICIES_UNKNOWN;
    }
    put_sketch(&of, m, to);
    return POLICIES_DONE;
}

enum policies_status policies_sketch(struct policies *set, const struct policies_sketch *wanted,
                                     struct json *to, struct err *err)
{
    pthread_mutex_lock(&set->lock);
    enum policies_status status = find_sketch(set, wanted, to, err);
    pthread_mutex_unlock(&set->lock);
    return status;
}
