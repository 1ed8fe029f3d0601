// SPDX-License-Identifier: Apache-2.0
#include "engine/unit.h"

#include "base/pages.h"

#include <assert.h>
#include <stdlib.h>

static size_t units_size(const struct chunk *chunk)
{
    return (size_t)(chunk->frame_capacity + chunk->extra_capacity) * sizeof *chunk->units;
}

static size_t list_size(const struct chunk *chunk)
{
    return (size_t)(chunk->frame_capacity + chunk->extra_capacity) * sizeof(uint32_t);
}

void chunk_init(struct chunk *chunk, const struct chunk_options *options)
{
    *chunk = (struct chunk){
        .frame_capacity = options->frames,
        .extra_capacity = options->extras,
        .mark_capacity = options->marks,
        .list_count = options->workers,
        .arena_size = options->arena,
    };
    chunk->units = pages_reserve(units_size(chunk));
    chunk->marks = pages_reserve(options->marks * sizeof *chunk->marks);
    chunk->arena = pages_reserve(options->arena);
    chunk->lists = calloc(options->workers, sizeof *chunk->lists);
    assert(chunk->units != NULL && chunk->marks != NULL && chunk->arena != NULL &&
           chunk->lists != NULL);
    for (uint32_t i = 0; i < options->workers; i++) {
        chunk->lists[i].indices = pages_reserve(list_size(chunk));
        assert(chunk->lists[i].indices != NULL);
    }
}

void chunk_done(struct chunk *chunk)
{
    for (uint32_t i = 0; i < chunk->list_count; i++) {
        pages_release(chunk->lists[i].indices, list_size(chunk));
    }
    pages_release(chunk->units, units_size(chunk));
    pages_release(chunk->marks, chunk->mark_capacity * sizeof *chunk->marks);
    pages_release(chunk->arena, chunk->arena_size);
    free(chunk->lists);
    *chunk = (struct chunk){0};
}

void chunk_clear(struct chunk *chunk)
{
    for (uint32_t i = 0; i < chunk->list_count; i++) {
        chunk->lists[i].count = 0;
    }
    chunk->extra_count = 0;
    chunk->mark_count = 0;
    chunk->arena_used = 0;
}
