// SPDX-License-Identifier: Apache-2.0
/* A writer into a piece of memory of a fixed size: what does not fit is cut, and `full` says so. For
 * texts that an event borrows until it is logged, and for the small pieces of JSON that protocols
 * make. No allocation; the memory is the caller's. JSON is written as base/json.h does it. */
#pragma once

#include "base/span.h"

struct writer {
    uint8_t *at;
    uint8_t *end;
    bool full; /* something did not fit */
};

static inline struct writer writer_of(void *to, size_t room)
{
    return (struct writer){.at = to, .end = (uint8_t *)to + room};
}

static inline void writer_byte(struct writer *w, uint8_t c)
{
    if (w->at < w->end) {
        *w->at++ = c;
    } else {
        w->full = true;
    }
}

static inline void writer_span(struct writer *w, struct span s)
{
    size_t room = (size_t)(w->end - w->at);
    size_t size = s.size < room ? s.size : room;
    if (size > 0) {
        memcpy(w->at, s.data, size);
        w->at += size;
    }
    w->full |= size < s.size;
}

static inline void writer_text(struct writer *w, const char *text)
{
    writer_span(w, span_str(text));
}

/* What was written since `from`, which was the writer's `at`. */
static inline struct span writer_since(const struct writer *w, const uint8_t *from)
{
    return span_of(from, (size_t)(w->at - from));
}

/* In lower or upper case (ASCII). */
void writer_lower(struct writer *w, struct span s);
void writer_upper(struct writer *w, struct span s);
/* Two digits a byte, "0f" or "0F". */
void writer_hex(struct writer *w, struct span s, bool upper);
void writer_u64(struct writer *w, uint64_t value);
void writer_i64(struct writer *w, int64_t value);

/* JSON: a text in quotation marks, escaped, bytes that are not UTF-8 as U+FFFD. */
void writer_json(struct writer *w, struct span text);
/* The shortest form that reads back the same; null for what is no number. */
void writer_json_double(struct writer *w, double value);
/* ... of a number of single precision. */
void writer_json_float(struct writer *w, float value);
