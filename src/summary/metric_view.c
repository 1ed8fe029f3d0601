// SPDX-License-Identifier: Apache-2.0
#include "summary/metric_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "summary/cardinality.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

const struct metric_rank metric_ranks[METRIC_RANKS] = {
    {0.5, "p50", "0.5"}, {0.9, "p90", "0.9"}, {0.95, "p95", "0.95"}, {0.99, "p99", "0.99"},
};

static struct metric_spread metric_spread_rate(const struct rate *r)
{
    struct metric_spread s = {.sum = (double)rate_total(r), .count = r->used};
    double ranks[METRIC_RANKS];
    uint64_t values[METRIC_RANKS];
    for (int i = 0; i < METRIC_RANKS; i++) {
        ranks[i] = metric_ranks[i].rank;
    }
    rate_at(r, ranks, values, METRIC_RANKS);
    for (int i = 0; i < METRIC_RANKS; i++) {
        s.values[i] = r->used > 0 ? (double)values[i] : NAN;
    }
    return s;
}

struct metric_spread metric_spread(const struct metric *m, const void *at)
{
    if (m->kind == METRIC_RATE) {
        return metric_spread_rate(at);
    }
    const struct quantiles *q = at;
    struct metric_spread s = {.sum = q->sum, .count = q->count};
    for (int i = 0; i < METRIC_RANKS; i++) {
        s.values[i] = quantiles_at(q, metric_ranks[i].rank);
    }
    return s;
}

uint64_t metric_distinct(const void *at)
{
    double estimate = cardinality_estimate(at);
    /* Bytes that strangers made can say any number, infinity too. */
    return estimate < 0x1p63 ? (uint64_t)llround(estimate) : UINT64_MAX;
}

struct metric_spread metric_histogram(const struct metric *m, const void *at)
{
    if (m->bounds.count > 0) {
        const struct histogram *h = at;
        return (struct metric_spread){.sum = h->sum, .count = h->count};
    }
    const struct quantiles *q = at;
    return (struct metric_spread){.sum = q->sum, .count = q->count};
}

uint32_t metric_bound_count(const struct metric *m)
{
    return m->bounds.count > 0 ? m->bounds.count : (uint32_t)(m->last_power - m->first_power) + 1;
}

double metric_bound(const struct metric *m, uint32_t i)
{
    return m->bounds.count > 0 ? m->bounds.at[i] : exp2(m->first_power + (double)i);
}

uint64_t metric_up_to(const struct metric *m, const void *at, uint32_t i)
{
    if (m->bounds.count == 0) {
        return quantiles_up_to(at, m->first_power + (int)i);
    }
    uint64_t seen = 0;
    for (uint32_t k = 0; k <= i; k++) {
        seen += histogram_counts(at)[k];
    }
    return seen;
}

void metric_number_text(double number, char to[METRIC_NUMBER_ROOM])
{
    if (!isfinite(number)) {
        const char *name = isnan(number) ? "NaN" : number < 0 ? "-Inf" : "+Inf";
        snprintf(to, METRIC_NUMBER_ROOM, "%s", name);
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(to, METRIC_NUMBER_ROOM, "%.*g", precision, number);
        if (strtod(to, NULL) == number) {
            return; /* at 17 digits it always is (IEEE 754-2019, section 5.12.2) */
        }
    }
}

struct span metric_text(const struct metric *m, const void *at)
{
    return span_of(at, strnlen(at, m->text_size));
}

const struct topn_item **metric_top(const struct topn *t, unsigned limit, uint32_t *count,
                                    struct json *to)
{
    uint32_t max = limit < t->count ? limit : t->count;
    const struct topn_item **top = calloc(max + 1, sizeof *top);
    to->failed |= top == NULL;
    *count = top != NULL ? topn_top(t, top, max) : 0;
    return top;
}

/* ---- Prometheus' names ------------------------------------------------------------------------ */

/* Whether `word` is one of the words of `name`, which '_' parts. */
static bool metric_has_word(const char *name, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = name; at != NULL; at = strchr(at, '_')) {
        at += *at == '_';
        if (strncmp(at, word, size) == 0 && (at[size] == '_' || at[size] == '\0')) {
            return true;
        }
    }
    return false;
}

void metric_full_name(const struct metric_set *set, const struct metric *m, const char *part,
                      const char *prefix, char to[METRIC_NAME_ROOM])
{
    bool counter = m->kind == METRIC_COUNTER || m->kind == METRIC_LABELLED;
    const char *unit = m->kind == METRIC_INFO ? "info" : m->unit;
    if (part == NULL && unit != NULL && !metric_has_word(m->name, unit)) {
        part = unit;
    }
    bool parted = part != NULL && *part != '\0';
    snprintf(to, METRIC_NAME_ROOM, "%s_%s_%s%s%s%s", prefix, set->name, m->name,
             parted ? "_" : "", parted ? part : "", counter ? "_total" : "");
}

const char *metric_label(const struct metric *m)
{
    static const char *const labels[] = {
        [METRIC_KEY_NONE] = "key",  [METRIC_KEY_ADDRESS] = "address", [METRIC_KEY_PAIR] = "pair",
        [METRIC_KEY_PORT] = "port", [METRIC_KEY_TEXT] = "name",       [METRIC_KEY_PLACE] = "name",
        [METRIC_KEY_ESCAPED] = "name",
    };
    return m->label != NULL ? m->label : m->kind == METRIC_INFO ? "value" : labels[m->key];
}
