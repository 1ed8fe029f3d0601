// SPDX-License-Identifier: Apache-2.0
#include "top/past.h"

#include <stdlib.h>

static struct past_shot *shot_at(const struct past *past, size_t i)
{
    return (struct past_shot *)(uintptr_t)&past->shots[(past->first + i) % PAST_SHOTS];
}

static void drop_first(struct past *past)
{
    struct past_shot *shot = shot_at(past, 0);
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        free((void *)(uintptr_t)shot->bodies[i].data);
    }
    past->bytes -= shot->size;
    past->first = (past->first + 1) % PAST_SHOTS;
    past->count--;
}

void past_add(struct past *past, int64_t at_ms, const struct span bodies[REMOTE_ASKS])
{
    size_t size = 0;
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        size += bodies[i].size;
    }
    while (past->count > 0 && (past->count == PAST_SHOTS || past->bytes + size > PAST_BYTES)) {
        drop_first(past);
    }
    struct past_shot *shot = shot_at(past, past->count++);
    *shot = (struct past_shot){.number = ++past->numbers, .at_ms = at_ms, .size = size};
    past->bytes += size;
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        void *copy = bodies[i].size > 0 ? malloc(bodies[i].size) : NULL;
        if (copy != NULL) {
            memcpy(copy, bodies[i].data, bodies[i].size);
            shot->bodies[i] = span_of(copy, bodies[i].size);
        }
    }
}

void past_done(struct past *past)
{
    while (past->count > 0) {
        drop_first(past);
    }
}

const struct past_shot *past_find(const struct past *past, uint64_t number)
{
    if (past->count == 0) {
        return NULL;
    }
    uint64_t oldest = past->numbers - past->count + 1;
    if (number == 0 || number > past->numbers) {
        number = past->numbers;
    }
    return shot_at(past, number > oldest ? (size_t)(number - oldest) : 0);
}

const struct past_shot *past_before(const struct past *past, const struct past_shot *shot,
                                    int64_t ms)
{
    const struct past_shot *found = past->count > 0 ? shot_at(past, 0) : NULL;
    for (size_t i = 0; i < past->count; i++) {
        const struct past_shot *other = shot_at(past, i);
        if (other->at_ms > shot->at_ms - ms) {
            break;
        }
        found = other;
    }
    return found;
}
