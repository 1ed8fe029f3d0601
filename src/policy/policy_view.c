// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_view.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/seconds.h"
#include "summary/quantiles.h"
#include "summary/topn.h"
#include "summary/windows.h"

enum { BINS_A_DECADE = 18, FIRST_DECADE = -9 };

/* ---- Periods -------------------------------------------------------------------------------- */

static bool check_period(const struct policy_instance *instance, enum policies_period period,
                         uint64_t number, struct err *err)
{
    const struct handler_settings *s = instance->settings;
    const struct windows *w = instance->store.windows;
    uint64_t there = w != NULL && windows_count(w) > 0 ? windows_count(w) : 1;
    if (period == POLICIES_WINDOW && (number < 2 || number > s->periods)) {
        return err_set(err, ERR_USAGE, "invalid metrics period, specify [2, %" PRIu32 "]",
                       s->periods);
    }
    if (period == POLICIES_BUCKET && number >= s->periods) {
        return err_set(err, ERR_USAGE, "invalid metrics period, specify [0, %" PRIu32 "]",
                       s->periods - 1);
    }
    if (period == POLICIES_BUCKET && number >= there) {
        return err_set(err, ERR_USAGE,
                       "requested metrics period has not yet accumulated, current range is "
                       "[0, %" PRIu64 "]",
                       there - 1);
    }
    return true;
}

/* Of a file: from its first second to its last. */
static void set_recorded(const struct policy_instance *instance, struct policy_view *ret)
{
    uint64_t first = atomic_load(&instance->input->first_ns);
    uint64_t last = atomic_load(&instance->input->last_ns);
    ret->start_s = first == UINT64_MAX ? 0 : first / SECOND_NS;
    ret->length_s = first == UINT64_MAX ? 0 : last / SECOND_NS - ret->start_s;
}

static void set_times(const struct policies *set, const struct policy_instance *instance,
                      uint64_t newest, uint64_t oldest, struct policy_view *ret)
{
    const struct windows *w = instance->store.windows;
    uint64_t started = instance->input->file != NULL ? atomic_load(&instance->input->first_ns)
                                                     : instance->started_ns;
    uint64_t begin = w != NULL && windows_count(w) > 0 ? windows_start_ns(w, (uint32_t)oldest)
                                                       : started;
    uint64_t end = newest == 0 ? policy_input_time(set, instance->input)
                               : windows_start_ns(w, (uint32_t)newest) +
                                     WINDOWS_SECONDS * SECOND_NS;
    begin = begin < started ? started : begin;
    ret->start_s = begin / SECOND_NS;
    ret->length_s = end > begin ? (end - begin) / SECOND_NS : 0;
}

bool policy_view_of(struct policies *set, struct policy_instance *instance,
                    enum policies_period period, uint64_t number, struct policy_view *ret,
                    struct err *err)
{
    const struct handler_settings *s = instance->settings;
    struct windows *w = instance->store.windows;
    if (!check_period(instance, period, number, err)) {
        return false;
    }
    *ret = (struct policy_view){.instance = instance, .block = instance->store.block};
    if (set->options.is_recorded) {
        set_recorded(instance, ret);
        return true;
    }
    ret->is_live = (period == POLICIES_WINDOW || number == 0) && !s->is_recorded;
    if (w == NULL || windows_count(w) == 0) {
        ret->block = w != NULL ? windows_merge_last(w, 0) : ret->block; /* nothing yet */
        set_times(set, instance, 0, 0, ret);
    } else if (period == POLICIES_WINDOW) {
        uint64_t last = number < windows_count(w) ? number : windows_count(w);
        ret->block = windows_merge_last(w, (uint32_t)number);
        set_times(set, instance, 0, last > 0 ? last - 1 : 0, ret);
    } else {
        ret->block = windows_bucket(w, (uint32_t)number);
        set_times(set, instance, number, number, ret);
    }
    return true;
}

/* ---- Rows ----------------------------------------------------------------------------------- */

bool policy_view_is_on(const struct policy_instance *instance)
{
    const struct handler_settings *s = instance->settings;
    return instance->handler->groups == NULL || s->groups != 0;
}

bool policy_view_shows(const struct policy_view *view, const struct metric *m)
{
    const struct handler *handler = view->instance->handler;
    const struct handler_settings *s = view->instance->settings;
    if (m->kind == METRIC_RATE && s->hides_rates) {
        return false;
    }
    return m->path != NULL && (s->groups & m->groups) == m->groups &&
           (m->side == 0 || handler->has_side == NULL || handler->has_side(view->block, m->side - 1u));
}

bool policy_view_is_whole(const struct metric *m)
{
    return strcmp(m->unit, "ratio") != 0 && strcmp(m->unit, "percent") != 0;
}

const struct topn_item **policy_view_top(const struct policy_view *view, const struct topn *top,
                                         uint32_t *ret_count)
{
    const struct handler_settings *s = view->instance->settings;
    uint32_t max = s->topn_count < top->count ? s->topn_count : top->count;
    const struct topn_item **items = calloc((size_t)max + 1, sizeof *items);
    if (items == NULL) {
        *ret_count = 0;
        return NULL;
    }
    uint32_t count = topn_top(top, items, max);
    if (s->topn_percentile > 0 && count > 0) {
        /* The estimate below which that part of the list lies; the list falls. */
        uint32_t rank = (count * s->topn_percentile + 99) / 100;
        uint64_t least = items[count - (rank > 0 ? rank : 1)]->weight;
        while (count > 0 && items[count - 1]->weight < least) {
            count--;
        }
    }
    *ret_count = count;
    return items;
}

/* ---- Histograms ----------------------------------------------------------------------------- */

/* The bin of a value above 0: bin i ends at 10^(FIRST_DECADE + i / 18). */
static uint32_t bin_of(double value)
{
    double at = ceil((log10(value) - FIRST_DECADE) * BINS_A_DECADE - 1e-9);
    return at < 0 ? 0 : at >= POLICY_BINS - 1 ? POLICY_BINS - 1 : (uint32_t)at;
}

uint32_t policy_view_bins(const struct quantiles *q, double *bounds, uint64_t *counts)
{
    uint64_t bins[POLICY_BINS] = {q->zero};
    for (uint32_t i = 0; i < q->positive.used; i++) {
        uint64_t count = quantiles_count(&q->positive, i);
        if (count > 0) {
            bins[bin_of(quantiles_middle(q, &q->positive, i))] += count;
        }
    }
    uint32_t used = 0;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < POLICY_BINS; i++) {
        sum += bins[i];
        double bound = trunc(pow(10, FIRST_DECADE + (double)i / BINS_A_DECADE));
        if (bins[i] == 0) {
            continue;
        }
        used -= used > 0 && bounds[used - 1] == bound; /* below one, several are the same */
        bounds[used] = bound;
        counts[used++] = sum;
    }
    return used;
}
