// SPDX-License-Identifier: Apache-2.0
#include "summary/metric.h"

#include "summary/cardinality.h"
#include "summary/kll.h"
#include "summary/metric_view.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

/* ---- Blocks ---------------------------------------------------------------------------------- */

/* The bytes of a metric in its block, in so far as the table knows. */
static size_t metric_size(const struct metric *m)
{
    switch (m->kind) {
    case METRIC_COUNTER:
    case METRIC_GAUGE:
    case METRIC_PEAK:
        return sizeof(uint64_t);
    case METRIC_LABELLED:
        return m->label_count * sizeof(uint64_t);
    case METRIC_CARDINALITY:
        return sizeof(struct cardinality);
    case METRIC_TOPN:
        return sizeof(struct topn);
    case METRIC_QUANTILES:
    case METRIC_VIEW:
        return sizeof(struct quantiles);
    case METRIC_HISTOGRAM:
        return m->bounds.count > 0 ? histogram_size(m->bounds) : sizeof(struct quantiles);
    case METRIC_RATE:
        return sizeof(struct rate);
    case METRIC_INFO:
        return m->text_size;
    }
    return 0;
}

static void metric_reset(const struct metric *m, void *at)
{
    switch (m->kind) {
    case METRIC_CARDINALITY:
        cardinality_reset(at);
        break;
    case METRIC_TOPN:
        topn_reset(at);
        break;
    case METRIC_RATE:
        rate_reset(at);
        break;
    case METRIC_VIEW: /* the other row sees to it; as in a merge */
        break;
    case METRIC_QUANTILES:
        quantiles_reset(at);
        break;
    case METRIC_HISTOGRAM:
        if (m->bounds.count == 0) {
            quantiles_reset(at);
            break;
        }
        __attribute__((fallthrough));
    case METRIC_COUNTER:
    case METRIC_GAUGE:
    case METRIC_LABELLED:
    case METRIC_INFO:
    case METRIC_PEAK:
        memset(at, 0, metric_size(m));
        break;
    }
}

void metric_block_reset(const struct metric_set *set, void *block)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        metric_reset(m, (uint8_t *)block + m->offset);
    }
    if (set->reset != NULL) {
        set->reset(block);
    }
    if (set->init != NULL) {
        set->init(block);
    }
}

static void metric_add_numbers(uint64_t *into, const uint64_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        into[i] += from[i];
    }
}

static void metric_merge(const struct metric *m, void *into, const void *from)
{
    switch (m->kind) {
    case METRIC_COUNTER:
    case METRIC_GAUGE:
    case METRIC_LABELLED:
        metric_add_numbers(into, from, metric_size(m) / sizeof(uint64_t));
        break;
    case METRIC_CARDINALITY:
        cardinality_merge(into, from);
        break;
    case METRIC_TOPN:
        topn_merge(into, from);
        break;
    case METRIC_RATE:
        rate_merge(into, from);
        break;
    case METRIC_HISTOGRAM:
        if (m->bounds.count > 0) {
            histogram_merge(into, from, m->bounds);
            break;
        }
        __attribute__((fallthrough));
    case METRIC_QUANTILES:
        quantiles_merge(into, from);
        break;
    case METRIC_VIEW:
        break;
    case METRIC_PEAK:
        *(uint64_t *)into = *(const uint64_t *)from > *(uint64_t *)into ? *(const uint64_t *)from
                                                                        : *(uint64_t *)into;
        break;
    case METRIC_INFO: /* of two facts the same one, whoever says it first */
        if (memcmp(from, into, m->text_size) > 0) {
            memcpy(into, from, m->text_size);
        }
        break;
    }
}

void metric_block_merge(const struct metric_set *set, void *into, const void *from)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        metric_merge(m, (uint8_t *)into + m->offset, metric_in(m, from));
    }
    if (set->merge != NULL) {
        set->merge(into, from);
    }
}

/* ---- Checks ---------------------------------------------------------------------------------- */

static bool metric_name_fine(const char *name)
{
    return *name >= 'a' && *name <= 'z' &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
}

/* What is wrong with what only this kind has; NULL if nothing. */
static const char *metric_check_kind(const struct metric_set *set, const struct metric *m)
{
    switch (m->kind) {
    case METRIC_LABELLED:
        return m->label == NULL || m->label_value == NULL ? "lacks its label" : NULL;
    case METRIC_TOPN:
        return m->key == METRIC_KEY_NONE || set->init == NULL
                   ? "lacks the kind of its keys or init"
                   : NULL;
    case METRIC_HISTOGRAM:
        for (uint32_t i = 0; i + 1 < m->bounds.count; i++) {
            if (!(m->bounds.at[i] < m->bounds.at[i + 1])) {
                return "has bounds that do not ascend";
            }
        }
        return m->bounds.count == 0 && m->first_power >= m->last_power ? "lacks its bounds" : NULL;
    case METRIC_INFO:
        return m->text_size == 0 ? "lacks its size" : NULL;
    default:
        return NULL;
    }
}

static bool metric_check(const struct metric_set *set, const struct metric *m, struct err *err)
{
    const char *wrong = NULL;
    if (!metric_name_fine(m->name)) {
        wrong = "has a name that is no Prometheus name";
    } else if (m->help == NULL || *m->help == '\0' || m->unit == NULL || m->group == NULL) {
        wrong = "lacks help, unit or group";
    } else if (m->offset + metric_size(m) > set->size) {
        wrong = "lies beyond the block";
    } else if (m->offset % _Alignof(uint64_t) != 0 && m->kind != METRIC_INFO) {
        wrong = "is not aligned";
    } else {
        wrong = metric_check_kind(set, m);
    }
    for (const struct metric *other = set->metrics; other != m && wrong == NULL; other++) {
        wrong = strcmp(other->name, m->name) == 0 ? "is there twice" : NULL;
    }
    return wrong == NULL ||
           err_set(err, ERR_FAILED, "metric %s of %s %s", m->name, set->name, wrong);
}

bool metric_set_check(const struct metric_set *set, struct err *err)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        if (!metric_check(set, m, err)) {
            return false;
        }
    }
    return true;
}

/* ---- Sketches -------------------------------------------------------------------------------- */

static void metric_sketch_top(const struct metric *m, const struct topn *t, struct json *to)
{
    topn_write_weights(t, to);
    for (const struct topn_item *i = topn_first(t); i != NULL; i = topn_after(t, i)) {
        char text[METRIC_KEY_ROOM];
        metric_key_text(m->key, topn_key(t, i), text, sizeof text);
        topn_write_item(span_str(text), to);
    }
}

bool metric_sketch(const struct metric *m, const void *block, struct json *to)
{
    const void *at = metric_in(m, block);
    if (m->kind == METRIC_CARDINALITY) {
        cardinality_write(at, to);
    } else if (m->kind == METRIC_TOPN) {
        metric_sketch_top(m, at, to);
    } else if (m->kind == METRIC_QUANTILES ||
               (m->kind == METRIC_HISTOGRAM && m->bounds.count == 0)) {
        struct kll s;
        kll_of_quantiles(&s, at);
        kll_write(&s, to);
    } else {
        return false;
    }
    return true;
}
