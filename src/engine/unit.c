// SPDX-License-Identifier: Apache-2.0
#include "engine/unit.h"

#include "base/pages.h"

#include <assert.h>

void chunk_init(struct chunk *chunk, uint32_t units, uint32_t marks, size_t arena)
{
    *chunk = (struct chunk){
        .units = pages_reserve(units * sizeof *chunk->units),
        .marks = pages_reserve(marks * sizeof *chunk->marks),
        .arena = pages_reserve(arena),
        .unit_capacity = units,
        .mark_capacity = marks,
        .arena_size = arena,
    };
    assert(chunk->units != NULL && chunk->marks != NULL && chunk->arena != NULL);
}

void chunk_done(struct chunk *chunk)
{
    pages_release(chunk->units, chunk->unit_capacity * sizeof *chunk->units);
    pages_release(chunk->marks, chunk->mark_capacity * sizeof *chunk->marks);
    pages_release(chunk->arena, chunk->arena_size);
    *chunk = (struct chunk){0};
}

void chunk_reset(struct chunk *chunk)
{
    chunk->unit_count = 0;
    chunk->mark_count = 0;
    chunk->arena_used = 0;
}
