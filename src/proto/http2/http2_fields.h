// SPDX-License-Identifier: Apache-2.0
/* Header fields that are kept until a stream is over: names and values one behind the other in one slab
 * block that grows, at most HTTP2_FIELDS_MAX bytes of it. What does not fit is left out and noted. */
#pragma once

#include "base/slab.h"
#include "base/span.h"

enum { HTTP2_FIELDS_MAX = 32 << 10, HTTP2_VALUE_MAX = 8 << 10 };

struct http2_fields {
    uint8_t *bytes; /* owned; NULL: none */
    uint32_t size;
    bool is_cut;
};

void http2_fields_add(struct http2_fields *fields, struct slab *memory, struct span name,
                      struct span value);

/* Puts all of `from` behind the others; `from` is empty then. */
void http2_fields_join(struct http2_fields *fields, struct slab *memory, struct http2_fields *from);

void http2_fields_done(struct http2_fields *fields, struct slab *memory);

/* The field at `*at`, which moves on from 0; false at the end. Borrowed. */
bool http2_fields_next(const struct http2_fields *fields, uint32_t *at, struct span *name,
                       struct span *value);

/* The first value of that name, or the last; empty, but not NULL, when there is none. */
struct span http2_fields_find(const struct http2_fields *fields, const char *name);
struct span http2_fields_last(const struct http2_fields *fields, const char *name);
