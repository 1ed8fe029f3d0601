// SPDX-License-Identifier: Apache-2.0
/* Memory that is lent for the making of one event: a run of bytes that is filled from the front and
 * given back as a whole by whoever lent it. What does not fit is refused, and remembered in `full`;
 * an event is made of what did fit. No allocation. */
#pragma once

#include "base/span.h"

struct scratch {
    uint8_t *at;
    uint8_t *end;
    bool full; /* something was refused */
};

/* Over `size` bytes at `memory`, which is aligned to 8. */
static inline struct scratch scratch_of(void *memory, size_t size)
{
    return (struct scratch){.at = memory, .end = (uint8_t *)memory + size};
}

/* The next `size` bytes, aligned to 8; NULL when there are fewer. */
static inline void *scratch_take(struct scratch *s, size_t size)
{
    size_t padding = (8 - ((uintptr_t)s->at & 7)) & 7;
    size_t left = (size_t)(s->end - s->at);
    if (padding > left || size > left - padding) {
        s->full = true;
        return NULL;
    }
    void *taken = s->at + padding;
    s->at += padding + size;
    return taken;
}

/* A copy of `text`; empty when there is no room. */
static inline struct span scratch_text(struct scratch *s, struct span text)
{
    if ((size_t)(s->end - s->at) < text.size) {
        s->full = true;
        return span_of(s->at, 0);
    }
    uint8_t *copy = s->at;
    if (text.size > 0) {
        memcpy(copy, text.data, text.size);
    }
    s->at += text.size;
    return span_of(copy, text.size);
}

/* Appends `text` to what was written last from `begin` on; nothing of it when there is no room. */
static inline void scratch_append(struct scratch *s, const char *text)
{
    (void)scratch_text(s, span_str(text));
}

/* What was written since `begin`, a value that `at` had. */
static inline struct span scratch_since(const struct scratch *s, const uint8_t *begin)
{
    return span_of(begin, (size_t)(s->at - begin));
}
