// SPDX-License-Identifier: Apache-2.0
/* Metrics in Prometheus' text format, with pktvisor's names, types and labels. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/policy_view.h"
#include "summary/cardinality.h"
#include "summary/metric_key.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { LABELS_MAX = 12 };

static const double ranks[4] = {0.5, 0.9, 0.95, 0.99};
static const char *const rank_texts[4] = {"0.5", "0.9", "0.95", "0.99"};

/* ---- Samples -------------------------------------------------------------------------------- */

struct label {
    const char *name;
    struct span value;
};

/* Labels by name, all but the first if that is "instance". */
struct labels {
    uint32_t count;
    uint32_t fixed; /* so many at the front stay there */
    struct label list[LABELS_MAX];
};

static void label_add(struct labels *labels, const char *name, struct span value)
{
    uint32_t at = labels->count++;
    for (; at > labels->fixed && strcmp(labels->list[at - 1].name, name) > 0; at--) {
        labels->list[at] = labels->list[at - 1];
    }
    labels->list[at] = (struct label){name, value};
}

static void put_escaped(struct json *to, struct span text, bool quotes)
{
    for (size_t i = 0; i < text.size; i++) {
        char c = (char)text.data[i];
        if (c == '\n') {
            json_append(to, "\\n", 2);
        } else {
            if (c == '\\' || (c == '"' && quotes)) {
                json_append(to, "\\", 1);
            }
            json_append(to, &c, 1);
        }
    }
}

static void put_sample(struct json *to, const char *family, const char *suffix,
                       const struct labels *labels, double value)
{
    json_printf(to, "%s%s{", family, suffix);
    for (uint32_t i = 0; i < labels->count; i++) {
        json_printf(to, "%s%s=\"", i > 0 ? "," : "", labels->list[i].name);
        put_escaped(to, labels->list[i].value, true);
        json_append(to, "\"", 1);
    }
    if (value == floor(value) && fabs(value) < 1e15) {
        json_printf(to, "} %.0f\n", value);
    } else {
        json_printf(to, "} %.9g\n", value);
    }
}

/* ---- One row of one instance ---------------------------------------------------------------- */

struct sample {
    const struct policy_view *view;
    const struct metric *metric;
    const struct labels *labels;
    struct json *to;
};

static void put_with(const struct sample *s, const char *suffix, const char *name,
                     const char *value, double number)
{
    struct labels labels = *s->labels;
    label_add(&labels, name, span_str(value));
    put_sample(s->to, s->metric->family, suffix, &labels, number);
}

static void put_spread(const struct sample *s, const double values[4], double sum, double count)
{
    for (unsigned i = 0; i < 4; i++) {
        put_with(s, "", "quantile", rank_texts[i], values[i]);
    }
    put_sample(s->to, s->metric->family, "_sum", s->labels, sum);
    put_sample(s->to, s->metric->family, "_count", s->labels, count);
}

static void put_quantiles(const struct sample *s, const struct quantiles *q)
{
    double values[4];
    for (unsigned i = 0; i < 4; i++) {
        values[i] = quantiles_at(q, ranks[i]);
        values[i] = policy_view_is_whole(s->metric) ? round(values[i]) : values[i];
    }
    put_spread(s, values, q->sum, (double)q->count);
}

static void put_rate(const struct sample *s, const struct rate *rate)
{
    uint64_t sums[4];
    double values[4];
    rate_at(rate, ranks, sums, 4);
    for (unsigned i = 0; i < 4; i++) {
        values[i] = (double)sums[i];
    }
    put_spread(s, values, (double)rate_total(rate), rate->used);
}

static void put_histogram(const struct sample *s, const struct quantiles *q)
{
    double bounds[POLICY_BINS];
    uint64_t counts[POLICY_BINS];
    uint32_t used = policy_view_bins(q, bounds, counts);
    for (uint32_t i = 0; i < used; i++) {
        char bound[32];
        snprintf(bound, sizeof bound, "%.0f", bounds[i]);
        put_with(s, "_bucket", "le", bound, (double)counts[i]);
    }
    put_with(s, "_bucket", "le", "+Inf", (double)q->count);
    put_sample(s->to, s->metric->family, "_count", s->labels, (double)q->count);
}

static void put_top(const struct sample *s, const struct topn *top)
{
    uint32_t count;
    const struct topn_item **items = policy_view_top(s->view, top, &count);
    for (uint32_t i = 0; i < count; i++) {
        char text[METRIC_KEY_ROOM];
        struct labels labels = *s->labels;
        metric_key_text(s->metric->key, topn_key(top, items[i]), text, sizeof text);
        label_add(&labels, s->metric->label, span_str(text));
        struct span latitude = metric_key_latitude(topn_key(top, items[i]));
        if (s->metric->key == METRIC_KEY_PLACE && latitude.size > 0) {
            label_add(&labels, "lat", latitude);
            label_add(&labels, "lon", metric_key_longitude(topn_key(top, items[i])));
        }
        put_sample(s->to, s->metric->family, "", &labels, (double)items[i]->weight);
    }
    free(items);
}

static void put_row(const struct sample *s)
{
    const void *at = (const uint8_t *)s->view->block + s->metric->offset;
    switch (s->metric->kind) {
    case METRIC_CARDINALITY:
        put_sample(s->to, s->metric->family, "", s->labels, round(cardinality_estimate(at)));
        break;
    case METRIC_TOPN:
        put_top(s, at);
        break;
    case METRIC_QUANTILES:
        put_quantiles(s, at);
        break;
    case METRIC_RATE:
        put_rate(s, at);
        break;
    case METRIC_VIEW:
        put_histogram(s, at);
        break;
    default:
        put_sample(s->to, s->metric->family, "", s->labels, (double)*(const uint64_t *)at);
        break;
    }
}

/* ---- Families ------------------------------------------------------------------------------- */

struct entry {
    const struct policy_instance *instance;
    const struct metric *metric;
    const struct handler_parts *parts; /* the outermost that it is in; NULL: of the whole */
    unsigned depth; /* 0: of the whole, 1: of its parts, 2: of theirs */
};

struct entries {
    struct entry *list;
    size_t count, room;
};

static void entry_add(struct entries *entries, const struct entry *entry)
{
    if (entries->count == entries->room) {
        entries->room = entries->room == 0 ? 256 : 2 * entries->room;
        entries->list = realloc(entries->list, entries->room * sizeof *entries->list);
        if (entries->list == NULL) {
            abort();
        }
    }
    entries->list[entries->count++] = *entry;
}

static const char *type_of(const struct metric *m)
{
    return m->kind == METRIC_QUANTILES || m->kind == METRIC_RATE ? "summary"
           : m->kind == METRIC_VIEW                         ? "histogram"
                                                                 : "gauge";
}

struct exposition {
    struct policies *set;
    const char *instance; /* label; NULL: none */
    bool names_handler;
    struct json *to;
};

/* The bucket that is over, if there is one, else the one under way. */
static bool view_of(struct policies *set, const struct policy_instance *instance,
                    struct policy_view *ret)
{
    struct policy_instance *i = (struct policy_instance *)(uintptr_t)instance;
    return (policy_view_of(set, i, POLICIES_BUCKET, 1, ret, NULL) ||
            policy_view_of(set, i, POLICIES_BUCKET, 0, ret, NULL)) &&
           ret->block != NULL;
}

static bool has_samples(const struct policy_view *view, const struct metric *m)
{
    const void *at = (const uint8_t *)view->block + m->offset;
    switch (m->kind) {
    case METRIC_QUANTILES:
    case METRIC_VIEW:
        return ((const struct quantiles *)at)->count > 0;
    case METRIC_RATE:
        return ((const struct rate *)at)->used > 0;
    default:
        return true;
    }
}

static void put_view(const struct exposition *e, const struct entry *entry,
                     const struct policy_view *view, const struct labels *labels)
{
    if (policy_view_shows(view, entry->metric) && has_samples(view, entry->metric)) {
        struct sample sample = {view, entry->metric, labels, e->to};
        put_row(&sample);
    }
}

/* Where in a block an entry's samples are. */
struct descent {
    const struct policy_view *whole;
    const struct handler_parts *parts;
    unsigned depth; /* levels to go */
    uint32_t outer;
};

static void part_labels(struct labels *to, const struct handler_parts *parts,
                        const struct handler_part *part)
{
    if (parts->label != NULL) {
        label_add(to, parts->label, span_str(part->label));
    }
    for (unsigned i = 0; i < HANDLER_PART_LABELS && part->labels[i].name != NULL; i++) {
        if (part->labels[i].value[0] != '\0') { /* an empty one is none */
            label_add(to, part->labels[i].name, span_str(part->labels[i].value));
        }
    }
}

static void put_entry_parts(const struct exposition *e, const struct entry *entry,
                            const struct descent *d, const struct labels *labels)
{
    size_t count;
    struct policy_part *list = policy_view_parts(d->whole, d->parts, d->outer, &count);
    for (size_t i = 0; i < count; i++) {
        struct labels own = *labels;
        part_labels(&own, d->parts, &list[i].part);
        if (d->depth > 1) {
            struct descent inner = {d->whole, d->parts->inner, d->depth - 1, list[i].number};
            put_entry_parts(e, entry, &inner, &own);
        } else {
            put_view(e, entry, &list[i].view, &own);
        }
    }
    free(list);
}

static void put_entry(const struct exposition *e, const struct entry *entry)
{
    struct policy_view view;
    struct labels labels = {0};
    static const char *const sides[] = {"unknown", "in", "out"};
    const struct policy_instance *i = entry->instance;
    if (!view_of(e->set, i, &view)) {
        return;
    }
    if (e->instance != NULL) {
        label_add(&labels, "instance", span_str(e->instance));
        labels.fixed = 1;
    }
    label_add(&labels, "policy", span_str(i->policy->name));
    label_add(&labels, "tap", span_str(i->input->tap));
    if (e->names_handler) {
        label_add(&labels, "handler", span_str(i->name));
    }
    if (entry->metric->side != 0) {
        label_add(&labels, "direction", span_str(sides[entry->metric->side - 1]));
    }
    if (entry->depth > 0) {
        struct descent descent = {&view, entry->parts, entry->depth, 0};
        put_entry_parts(e, entry, &descent, &labels);
    } else {
        put_view(e, entry, &view, &labels);
    }
}

static void put_family(const struct exposition *e, const struct entries *entries, size_t first)
{
    const struct metric *m = entries->list[first].metric;
    json_printf(e->to, "# HELP %s ", m->family);
    put_escaped(e->to, span_str(m->help), false);
    json_printf(e->to, "\n# TYPE %s %s\n", m->family, type_of(m));
    for (size_t i = first; i < entries->count; i++) {
        if (strcmp(entries->list[i].metric->family, m->family) == 0) {
            put_entry(e, &entries->list[i]);
        }
    }
}

/* Families in the order in which they are first met; the samples of each together. */
static void put_families(const struct exposition *e, const struct entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        size_t first = 0;
        while (strcmp(entries->list[first].metric->family, entries->list[i].metric->family) != 0) {
            first++;
        }
        if (first == i) {
            put_family(e, entries, i);
        }
    }
}

static void list_set(struct entries *entries, const struct metric_set *set, struct entry of)
{
    for (of.metric = set->metrics; of.metric->name != NULL; of.metric++) {
        if (of.metric->family != NULL) {
            entry_add(entries, &of);
        }
    }
}

static void list_instance(struct entries *entries, const struct policy_instance *i)
{
    list_set(entries, i->handler->set, (struct entry){.instance = i});
    for (const struct handler_parts *outer = i->handler->parts; outer != NULL;
         outer = outer->next) {
        unsigned depth = 0;
        for (const struct handler_parts *p = outer; p != NULL; p = p->inner) {
            list_set(entries, p->set,
                     (struct entry){.instance = i, .parts = outer, .depth = ++depth});
        }
    }
}

static void list_policy(const struct policy *policy, struct entries *entries)
{
    for (const struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
        if (policy_view_is_on(i)) {
            list_instance(entries, i);
        }
    }
}

/* Whether two instances of it would give the same series. */
static bool is_ambiguous(const struct policy *policy)
{
    for (const struct policy_instance *i = policy->instances; i != NULL; i = i->next) {
        for (const struct policy_instance *other = policy->instances; other != i;
             other = other->next) {
            if (other->handler == i->handler && other->input == i->input) {
                return true;
            }
        }
    }
    return false;
}

enum policies_status policies_prometheus(struct policies *set, const char *name,
                                         const char *instance, struct json *to)
{
    struct exposition e = {.set = set, .instance = instance, .names_handler = true, .to = to};
    struct entries entries = {0};
    enum policies_status status = POLICIES_DONE;
    pthread_mutex_lock(&set->lock);
    bool all = name != NULL && strcmp(name, "__all") == 0;
    const struct policy *policy = all ? set->policies
                                      : policy_find(set, name != NULL ? name : "default");
    if (policy == NULL && !all) {
        status = POLICIES_UNKNOWN;
    }
    for (; policy != NULL; policy = all ? policy->next : NULL) {
        list_policy(policy, &entries);
        e.names_handler = name != NULL || is_ambiguous(policy);
    }
    put_families(&e, &entries);
    pthread_mutex_unlock(&set->lock);
    free(entries.list);
    return status;
}
