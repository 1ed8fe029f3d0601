// SPDX-License-Identifier: Apache-2.0
/* The body of a message as an event shows it: only of types that were asked for, and unpacked where its
 * Content-Encoding says how. What is unpacked takes memory of the worker until the event is logged, at
 * most HTTP_BODY_SHOWN bytes, whatever it would become. */
#pragma once

#include "base/slab.h"
#include "proto/http/http_talk.h"

enum { HTTP_BODY_SHOWN = 128 << 10 };

struct http_body {
    struct slab *memory;
    uint8_t *unpacked; /* a slab block, or NULL */
    bool is_broken;    /* it says that it is packed, and is not */
};

/* Whether events are to have the body of that message. */
bool http_body_is_wanted(const struct http_message *m, const struct http_options *options);

/* The body; empty when there is none, or it cannot be unpacked. Borrowed until http_body_done(). */
struct span http_body_of(struct http_body *body, const struct http_message *m,
                         const struct http_options *options);
void http_body_done(struct http_body *body);
