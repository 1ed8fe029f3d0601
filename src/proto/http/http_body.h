// SPDX-License-Identifier: Apache-2.0
/* The body of a message as an event shows it: only of types that were asked for, and unpacked where its
 * Content-Encoding says how. What is unpacked takes memory of the worker until the event is logged, at
 * most max_message_size bytes. So that nobody has much work made of a few bytes, a body that is packed
 * more than HTTP_BODY_DENSE times is not unpacked beyond HTTP_BODY_SHOWN. */
#pragma once

#include "base/slab.h"
#include "proto/http/http_talk.h"

enum { HTTP_BODY_SHOWN = 128 << 10, HTTP_BODY_DENSE = 128 };

/* Why there would be more of a body than is shown. */
enum http_body_cut {
    HTTP_BODY_WHOLE,
    HTTP_BODY_AT_MOST,  /* max_message_size */
    HTTP_BODY_TOO_DENSE,
    HTTP_BODY_SHORT,    /* for want of memory */
};

struct http_body {
    struct slab *memory;
    uint8_t *unpacked; /* a slab block, or NULL */
    size_t most;       /* bytes to unpack */
    enum http_body_cut cut;
    bool is_dense;     /* `most` is what that makes it */
    bool is_broken;    /* it says that it is packed, and is not */
};

/* Whether events are to have the body of that message. */
bool http_body_is_wanted(const struct http_message *m, const struct http_options *options);

/* The body; empty when there is none, or it cannot be unpacked. Borrowed until http_body_done(). */
struct span http_body_of(struct http_body *body, const struct http_message *m,
                         const struct http_options *options);
void http_body_done(struct http_body *body);
