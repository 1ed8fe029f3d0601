// SPDX-License-Identifier: Apache-2.0
#include "sink/remote_series.h"

#include <stdlib.h>

#include "base/hash.h"

void remote_series_done(struct remote_series *series)
{
    json_done(&series->now.labels);
    json_done(&series->before.labels);
    free(series->now.hashes);
    free(series->before.hashes);
}

static bool make_room(struct remote_generation *g)
{
    if (g->count < g->room) {
        return true;
    }
    uint32_t room = g->room == 0 ? 1024 : 2 * g->room;
    uint64_t *hashes = room <= REMOTE_SERIES_MAX ? realloc(g->hashes, room * sizeof *hashes) : NULL;
    if (hashes != NULL) {
        g->hashes = hashes;
        g->room = room;
    }
    return hashes != NULL;
}

void remote_series_note(struct remote_series *series, struct span labels)
{
    struct remote_generation *g = &series->now;
    uint32_t size = (uint32_t)labels.size;
    if (make_room(g)) {
        g->hashes[g->count++] = hash64(labels.data, labels.size, hash_seed());
        json_append(&g->labels, &size, sizeof size);
        json_append(&g->labels, labels.data, labels.size);
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_there(const struct remote_generation *g, struct span labels)
{
    uint64_t hash = hash64(labels.data, labels.size, hash_seed());
    return g->count > 0 &&
           bsearch(&hash, g->hashes, g->count, sizeof *g->hashes, by_value) != NULL;
}

void remote_series_turn(struct remote_series *series, remote_series_gone *gone, void *context)
{
    struct remote_generation before = series->before;
    struct span rest = span_of(before.labels.data, before.labels.size);
    if (series->now.count > 0) {
        qsort(series->now.hashes, series->now.count, sizeof *series->now.hashes, by_value);
    }
    while (rest.size > sizeof(uint32_t)) {
        uint32_t size;
        memcpy(&size, rest.data, sizeof size);
        rest = span_skip(rest, sizeof size);
        struct span labels = span_head(rest, size);
        if (!is_there(&series->now, labels)) {
            gone(context, labels);
        }
        rest = span_skip(rest, size);
    }
    series->before = series->now;
    json_reset(&before.labels);
    before.count = 0;
    series->now = before;
}
