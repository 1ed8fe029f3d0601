// SPDX-License-Identifier: Apache-2.0
#include "summary/metric_pack.h"

#include <assert.h>
#include <stdlib.h>

#include "base/json.h"
#include "summary/cardinality.h"
#include "summary/metric.h"
#include "summary/metric_view.h"
#include "summary/quantiles.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { BITS = 7, MORE = 1 << BITS, NUMBER_ROOM = 10, HEAD_ROOM = 256 };

/* ---- Letters --------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *to, uint64_t value)
{
    for (; value >= MORE; value >>= BITS) {
        *to++ = (uint8_t)(value | MORE);
    }
    *to++ = (uint8_t)value;
    return to;
}

static uint64_t take(const uint8_t **at)
{
    uint64_t value = 0;
    for (unsigned shift = 0;; shift += BITS) {
        uint8_t byte = *(*at)++;
        value |= (uint64_t)(byte & (MORE - 1)) << shift;
        if (byte < MORE) {
            return value;
        }
    }
}

static uint8_t *put_bytes(uint8_t *to, const void *bytes, size_t size)
{
    return mempcpy(to, bytes, size);
}

static void take_bytes(const uint8_t **at, void *to, size_t size)
{
    memcpy(to, *at, size);
    *at += size;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static uint32_t number_count(const struct metric *m)
{
    return m->kind == METRIC_LABELLED ? m->label_count : 1;
}

static uint8_t *put_numbers(uint8_t *to, const struct metric *m, const uint64_t *numbers)
{
    for (uint32_t i = 0; i < number_count(m); i++) {
        to = put(to, numbers[i]);
    }
    return to;
}

static void take_numbers(const uint8_t **at, const struct metric *m, uint64_t *into)
{
    for (uint32_t i = 0; i < number_count(m); i++) {
        uint64_t number = take(at);
        if (m->kind == METRIC_PEAK) {
            into[i] = number > into[i] ? number : into[i];
        } else {
            into[i] += number;
        }
    }
}

/* ---- Cardinalities --------------------------------------------------------------------------- */

static uint8_t *put_distinct(uint8_t *to, const struct cardinality *c)
{
    to = put(to, c->mode);
    if (c->mode == CARDINALITY_DENSE) {
        return put_bytes(to, c->registers, sizeof c->registers);
    }
    to = put(to, c->count);
    for (uint32_t i = 0; c->count > 0 && i < 1u << c->lg_cells; i++) {
        if (c->cells[i] != 0) {
            to = put_bytes(to, &c->cells[i], sizeof c->cells[i]);
        }
    }
    return to;
}

static void take_distinct(const uint8_t **at, struct cardinality *into)
{
    if (take(at) == CARDINALITY_DENSE) {
        struct cardinality dense = {.mode = CARDINALITY_DENSE};
        take_bytes(at, dense.registers, sizeof dense.registers);
        cardinality_merge(into, &dense);
        return;
    }
    for (uint64_t left = take(at); left > 0; left--) {
        uint32_t coupon;
        take_bytes(at, &coupon, sizeof coupon);
        cardinality_add_coupon(into, coupon);
    }
}

/* ---- Quantiles and rates --------------------------------------------------------------------- */

static uint8_t *put_side(uint8_t *to, const struct quantiles_side *side)
{
    to = put(to, (uint32_t)side->first);
    to = put(to, side->used);
    for (uint32_t i = 0; i < side->used; i++) {
        to = put(to, quantiles_count(side, i));
    }
    return to;
}

static void take_side(const uint8_t **at, struct quantiles_side *side)
{
    side->first = (int32_t)(uint32_t)take(at);
    side->used = (uint32_t)take(at);
    for (uint32_t i = 0; i < side->used; i++) {
        side->counts[((uint32_t)side->first + i) % QUANTILES_BUCKETS] = take(at);
    }
}

static uint8_t *put_quantiles(uint8_t *to, const struct quantiles *q)
{
    to = put(to, q->count);
    if (q->count == 0) {
        return to;
    }
    to = put(to, q->zero);
    to = put(to, q->folds);
    to = put_bytes(to, &q->sum, sizeof q->sum);
    to = put_bytes(to, &q->min, sizeof q->min);
    to = put_bytes(to, &q->max, sizeof q->max);
    to = put_side(to, &q->positive);
    return put_side(to, &q->negative);
}

static void take_quantiles(const uint8_t **at, struct quantiles *into)
{
    struct quantiles q = {.count = take(at)};
    if (q.count == 0) {
        return;
    }
    q.zero = take(at);
    q.folds = (uint32_t)take(at);
    take_bytes(at, &q.sum, sizeof q.sum);
    take_bytes(at, &q.min, sizeof q.min);
    take_bytes(at, &q.max, sizeof q.max);
    take_side(at, &q.positive);
    take_side(at, &q.negative);
    quantiles_merge(into, &q);
}

static uint8_t *put_rate(uint8_t *to, const struct rate *r)
{
    to = put(to, r->first);
    to = put(to, r->earlier);
    to = put(to, r->used);
    for (uint32_t i = 0; i < r->used; i++) {
        to = put(to, rate_second(r, i));
    }
    return to;
}

static void take_rate(const uint8_t **at, struct rate *into)
{
    struct rate r = {.first = take(at)};
    r.earlier = take(at);
    r.used = (uint32_t)take(at);
    for (uint32_t i = 0; i < r.used; i++) {
        r.sums[(r.first + i) % RATE_SECONDS] = take(at);
    }
    rate_merge(into, &r);
}

/* ---- Top-Ns ---------------------------------------------------------------------------------- */

/* The list of items to pack, heaviest first, when not all may be; NULL when all may. */
static const struct topn_item **choose(const struct topn *t, uint32_t *ret_count)
{
    *ret_count = t->count;
    if (t->key_size <= TOPN_WIDE_WHOLE || t->used <= METRIC_PACK_NAMES) {
        return NULL;
    }
    struct json memory = {0};
    const struct topn_item **list = metric_top(t, t->count, ret_count, &memory);
    size_t bytes = 0;
    for (uint32_t i = 0; i < *ret_count; i++) {
        bytes += topn_key(t, list[i]).size;
        if (bytes > METRIC_PACK_NAMES) {
            *ret_count = i;
        }
    }
    return list;
}

/* What any item may lack, with those that are left out. */
static uint64_t error_of(const struct topn *t, const struct topn_item *const *list, uint32_t count)
{
    uint64_t error = t->error;
    for (uint32_t i = count; list != NULL && i < t->count; i++) {
        uint64_t most = list[i]->weight + list[i]->error;
        error = most > error ? most : error;
    }
    return error;
}

static uint8_t *put_item(uint8_t *to, const struct topn *t, const struct topn_item *item)
{
    struct span key = topn_key(t, item);
    const uint64_t *extra = topn_extras(t, item);
    to = put(to, item->weight);
    to = put(to, item->error);
    for (unsigned i = 0; extra != NULL && i < TOPN_EXTRAS; i++) {
        to = put(to, extra[i]);
    }
    to = put(to, key.size);
    return put_bytes(to, key.data, key.size);
}

static uint8_t *put_top(uint8_t *to, const struct topn *t)
{
    uint32_t count;
    const struct topn_item **list = choose(t, &count);
    to = put(to, t->total);
    to = put(to, error_of(t, list, count));
    to = put(to, count);
    const struct topn_item *item = topn_first(t);
    for (uint32_t i = 0; i < count; i++) {
        to = put_item(to, t, list != NULL ? list[i] : item);
        item = list != NULL ? NULL : topn_after(t, item);
    }
    free(list);
    return to;
}

static void take_top(const uint8_t **at, struct topn *into)
{
    uint64_t total = take(at), error = take(at);
    topn_merge_head(into, total, error);
    for (uint64_t left = take(at); left > 0; left--) {
        uint64_t extra[TOPN_EXTRAS];
        struct topn_item item = {.weight = take(at)};
        item.error = take(at);
        for (unsigned i = 0; into->has_extras && i < TOPN_EXTRAS; i++) {
            extra[i] = take(at);
        }
        size_t size = (size_t)take(at);
        topn_merge_item(into, span_of(*at, size), &item, error - item.error,
                        into->has_extras ? extra : NULL);
        *at += size;
    }
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

bool metric_pack_can(const struct metric_set *set)
{
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        if (m->kind == METRIC_INFO || (m->kind == METRIC_HISTOGRAM && m->bounds.count > 0)) {
            return false;
        }
    }
    return set->merge == NULL;
}

size_t metric_pack_room(const struct metric_set *set)
{
    size_t room = 0;
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        room += HEAD_ROOM;
    }
    /* A number of eight bytes takes ten at most; keys, coupons and registers take what they are. */
    return room + set->size / sizeof(uint64_t) * NUMBER_ROOM;
}

size_t metric_pack(const struct metric_set *set, const void *block, uint8_t *to)
{
    uint8_t *at = to;
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        const void *value = metric_in(m, block);
        switch (m->kind) {
        case METRIC_CARDINALITY:
            at = put_distinct(at, value);
            break;
        case METRIC_TOPN:
            at = put_top(at, value);
            break;
        case METRIC_QUANTILES:
        case METRIC_HISTOGRAM:
            at = put_quantiles(at, value);
            break;
        case METRIC_RATE:
            at = put_rate(at, value);
            break;
        case METRIC_VIEW:
        case METRIC_INFO:
            break;
        default:
            at = put_numbers(at, m, value);
            break;
        }
    }
    return (size_t)(at - to);
}

void metric_pack_merge(const struct metric_set *set, void *into, struct span packed)
{
    const uint8_t *at = packed.data;
    for (const struct metric *m = set->metrics; m->name != NULL; m++) {
        void *value = (uint8_t *)into + m->offset;
        switch (m->kind) {
        case METRIC_CARDINALITY:
            take_distinct(&at, value);
            break;
        case METRIC_TOPN:
            take_top(&at, value);
            break;
        case METRIC_QUANTILES:
        case METRIC_HISTOGRAM:
            take_quantiles(&at, value);
            break;
        case METRIC_RATE:
            take_rate(&at, value);
            break;
        case METRIC_VIEW:
        case METRIC_INFO:
            break;
        default:
            take_numbers(&at, m, value);
            break;
        }
    }
    assert(at == packed.data + packed.size);
}
