// SPDX-License-Identifier: Apache-2.0
#include "summary/windows.h"

#include <assert.h>
#include <stdlib.h>

#include "base/pages.h"
#include "base/seconds.h"
#include "summary/metric.h"
#include "summary/metric_pack.h"

/* Blocks, beside those of buckets that are never packed. */
enum place { LIVE, ASIDE, SHOWN, PLACES };

/* A bucket that is over. */
struct bucket {
    uint8_t *block;  /* where buckets are never packed; else NULL */
    uint8_t *packed; /* NULL: there is nothing in it, or it is open */
    size_t size;
};

struct windows {
    const struct metric_set *set;
    uint64_t length_ns;
    uint32_t periods;
    uint32_t count; /* buckets up to now; 0: no time was told */
    uint64_t live;  /* number of the live bucket: its time divided by the length */
    uint64_t late;
    bool packs;
    uint8_t *places[PLACES];
    uint64_t aside; /* number of the bucket that stands in its place for what comes late ... */
    bool has_aside; /* ... if there is one */
    bool has_shown;
    uint64_t shown_last; /* what is shown: so many buckets up to this one */
    uint32_t shown_count;
    struct bucket buckets[WINDOWS_PERIODS_MAX]; /* number i in place i modulo periods */
};

static struct bucket *bucket_at(struct windows *w, uint64_t number)
{
    return &w->buckets[number % w->periods];
}

/* ---- Life ------------------------------------------------------------------------------------ */

static uint8_t *block_new(const struct windows *w)
{
    uint8_t *block = pages_reserve_sparse(w->set->size);
    if (block != NULL) {
        metric_block_reset(w->set, block);
    }
    return block;
}

struct windows *windows_new(const struct metric_set *set, uint32_t seconds, uint32_t periods)
{
    assert(seconds > 0 && periods > 0 && periods <= WINDOWS_PERIODS_MAX);
    struct windows *w = calloc(1, sizeof *w);
    if (w == NULL) {
        return NULL;
    }
    w->set = set;
    w->length_ns = seconds * SECOND_NS;
    w->periods = periods;
    w->packs = metric_pack_can(set);
    bool is_whole = true;
    for (unsigned i = 0; i < PLACES; i++) {
        w->places[i] = i == SHOWN || w->packs ? pages_reserve_sparse(set->size) : NULL;
        is_whole &= w->places[i] != NULL || (i != SHOWN && !w->packs);
    }
    for (unsigned i = 0; i < periods && !w->packs; i++) {
        w->buckets[i].block = block_new(w);
        is_whole &= w->buckets[i].block != NULL;
    }
    if (!is_whole) {
        windows_free(w);
        return NULL;
    }
    if (w->packs) {
        metric_block_reset(set, w->places[LIVE]);
    }
    return w;
}

static void bucket_drop(struct bucket *bucket)
{
    pages_release(bucket->packed, bucket->size);
    bucket->packed = NULL;
    bucket->size = 0;
}

void windows_free(struct windows *w)
{
    for (unsigned i = 0; w != NULL && i < WINDOWS_PERIODS_MAX; i++) {
        bucket_drop(&w->buckets[i]);
        pages_release(w->buckets[i].block, w->set->size);
    }
    for (unsigned i = 0; w != NULL && i < PLACES; i++) {
        pages_release(w->places[i], w->set->size);
    }
    free(w);
}

/* ---- Buckets that are over ------------------------------------------------------------------- */

/* Gives the memory of a place back. */
static void clear(struct windows *w, enum place place)
{
    pages_discard(w->places[place], w->set->size);
}

/* What was shown is no longer. */
static void hide(struct windows *w)
{
    if (w->has_shown) {
        clear(w, SHOWN);
        w->has_shown = false;
    }
}

/* Packs what stands in a place into its bucket. Without memory for it, it counts as late. */
static void put_away(struct windows *w, enum place place, uint64_t number)
{
    struct bucket *bucket = bucket_at(w, number);
    size_t room = metric_pack_room(w->set);
    bucket_drop(bucket);
    bucket->packed = pages_reserve_sparse(room);
    if (bucket->packed != NULL) {
        bucket->size = metric_pack(w->set, w->places[place], bucket->packed);
        assert(bucket->size > 0 && bucket->size <= room);
        pages_trim(bucket->packed, room, bucket->size);
    }
    w->late += bucket->packed == NULL;
    clear(w, place);
}

static void close_aside(struct windows *w)
{
    if (w->has_aside) {
        w->has_aside = false;
        put_away(w, ASIDE, w->aside);
    }
}

static void add_packed(struct windows *w, const struct bucket *bucket, void *into)
{
    if (bucket->packed != NULL) {
        metric_pack_merge(w->set, into, span_of(bucket->packed, bucket->size));
    }
}

/* The block that a bucket is, of those that are not packed; NULL: it is. */
static void *block_at(struct windows *w, uint64_t number)
{
    if (!w->packs) {
        return bucket_at(w, number)->block;
    }
    bool is_aside = w->has_aside && number == w->aside;
    return number == w->live ? w->places[LIVE] : is_aside ? w->places[ASIDE] : NULL;
}

/* The same, unpacked if need be, for what comes late. */
static void *open_block(struct windows *w, uint64_t number)
{
    void *block = block_at(w, number);
    if (block != NULL) {
        return block;
    }
    close_aside(w);
    metric_block_reset(w->set, w->places[ASIDE]);
    add_packed(w, bucket_at(w, number), w->places[ASIDE]);
    bucket_drop(bucket_at(w, number));
    w->aside = number;
    w->has_aside = true;
    return w->places[ASIDE];
}

/* ---- Time ------------------------------------------------------------------------------------ */

static void turn_packed(struct windows *w, uint64_t number)
{
    close_aside(w);
    if (number - w->live < w->periods) {
        put_away(w, LIVE, w->live);
    } else {
        clear(w, LIVE);
    }
    for (uint32_t i = 0; i < w->periods && w->live + i < number; i++) {
        bucket_drop(bucket_at(w, number - i));
    }
    metric_block_reset(w->set, w->places[LIVE]);
}

static void turn(struct windows *w, uint64_t number)
{
    if (w->packs) {
        turn_packed(w, number);
        return;
    }
    /* A clock that jumps by years turns all of them over, and once is enough. */
    for (uint32_t i = 0; i < w->periods && w->live + i < number; i++) {
        metric_block_reset(w->set, bucket_at(w, number - i)->block);
    }
}

static void advance(struct windows *w, uint64_t number)
{
    if (w->count == 0) {
        w->live = number;
        w->count = 1;
    }
    if (number > w->live) {
        turn(w, number);
        uint64_t count = w->count + (number - w->live);
        w->count = count < w->periods ? (uint32_t)count : w->periods;
        w->live = number;
    }
}

void windows_advance(struct windows *w, uint64_t time_ns)
{
    hide(w);
    close_aside(w);
    advance(w, time_ns / w->length_ns);
}

bool windows_add(struct windows *w, const void *delta, uint64_t time_ns)
{
    uint64_t number = time_ns / w->length_ns;
    hide(w);
    advance(w, number);
    uint64_t age = w->live - number;
    if (age >= w->periods) {
        w->late++;
        return false;
    }
    /* It may be before the first time that was told: that was only the first to come. */
    w->count = age >= w->count ? (uint32_t)age + 1 : w->count;
    metric_block_merge(w->set, open_block(w, number), delta);
    return true;
}

uint32_t windows_count(const struct windows *w)
{
    return w->count;
}

uint64_t windows_late(const struct windows *w)
{
    return w->late;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* The block of `count` buckets, the last of which is this one, together. */
static const void *show(struct windows *w, uint64_t last, uint32_t count)
{
    if (w->has_shown && w->shown_last == last && w->shown_count == count) {
        return w->places[SHOWN];
    }
    hide(w);
    metric_block_reset(w->set, w->places[SHOWN]);
    for (uint32_t i = count; i-- > 0;) {
        const void *block = block_at(w, last - i);
        if (block != NULL) {
            metric_block_merge(w->set, w->places[SHOWN], block);
        } else {
            add_packed(w, bucket_at(w, last - i), w->places[SHOWN]);
        }
    }
    w->has_shown = true;
    w->shown_last = last;
    w->shown_count = count;
    return w->places[SHOWN];
}

const void *windows_bucket(struct windows *w, uint32_t i)
{
    if (i >= w->count) {
        return NULL;
    }
    const void *block = block_at(w, w->live - i);
    return block != NULL ? block : show(w, w->live - i, 1);
}

const void *windows_live(struct windows *w)
{
    return windows_bucket(w, 0);
}

uint64_t windows_start_ns(const struct windows *w, uint32_t i)
{
    return (w->live - i) * w->length_ns;
}

const void *windows_merge_last(struct windows *w, uint32_t count)
{
    return show(w, w->live, count < w->count ? count : w->count);
}

const void *windows_merge_all(struct windows *w)
{
    return windows_merge_last(w, w->periods);
}
