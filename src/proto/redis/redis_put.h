// SPDX-License-Identifier: Apache-2.0
/* What people would read of a message of RESP, as it is written to its text: private to the reader
 * (redis_resp.c) and its short ways (redis_quick.c). What does not fit is left out. */
#pragma once

#include "proto/redis/redis_resp.h"

static inline void redis_put(struct resp_text *text, const void *data, size_t size)
{
    size_t room = text->capacity - text->size;
    if (size > room) {
        size = room;
        text->is_cut = true;
    }
    if (size > 0) {
        memcpy(text->data + text->size, data, size);
        text->size += (uint32_t)size;
    }
}

/* What stands between a value and the one before it in the same array. */
static inline void redis_put_between(const struct resp_reader *r, const struct resp_level *level,
                               struct resp_text *text)
{
    if (r->hidden > 0) {
        return;
    }
    if (r->is_client) {
        redis_put(text, " ", 1);
        return;
    }
    const char *between = level->type == '%' && level->index % 2 == 1 ? ": " : ", ";
    if (text->capacity - text->size < 2) {
        redis_put(text, between, 2);
        return;
    }
    memcpy(text->data + text->size, between, 2);
    text->size += 2;
}

/* The array that is read, NULL outside of all. */
static inline struct resp_level *redis_put_level(struct resp_reader *r)
{
    return r->depth > 0 ? &r->levels[r->depth - 1] : NULL;
}

/* A value is to be written. */
static inline void redis_put_begin(struct resp_reader *r, struct resp_text *text)
{
    const struct resp_level *level = redis_put_level(r);
    if (level != NULL && level->index > 0) {
        redis_put_between(r, level, text);
    }
    r->word_start = text->size;
}
