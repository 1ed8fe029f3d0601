// SPDX-License-Identifier: Apache-2.0
/* A message word for word, for events that are to have it: start line and headers as they were sent, but
 * for secrets, then the body where events show it. Memory of the worker until the event is logged. */
#pragma once

#include "base/slab.h"
#include "proto/http/http_talk.h"

enum { HTTP_RAW_SHORT = 128 << 10 /* bytes of it where there is no memory for more */ };

struct http_raw {
    struct slab *memory;
    uint8_t *text; /* a slab block, or NULL */
};

/* The text; empty without memory. Borrowed until http_raw_done(). */
struct span http_raw_of(struct http_raw *raw, const struct http_message *m, struct span body,
                        const struct http_options *options);
void http_raw_done(struct http_raw *raw);
