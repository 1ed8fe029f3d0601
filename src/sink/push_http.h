// SPDX-License-Identifier: Apache-2.0
/* HTTP to one URL: a connection kept open, bodies posted, answers read up to a bound. Redirects are
 * not followed. A thread's own; may block as long as the time-out says, unless it is told to stop. */
#pragma once

#include "base/err.h"
#include "sink/push.h"

struct push_http; /* opaque */

/* NULL and err when an option is no good. `stop`: what is under way is given up when it becomes
 * true. */
struct push_http *push_http_new(const struct push_options *options, const _Atomic bool *stop,
                                struct err *err);
void push_http_free(struct push_http *http);

/* Returns the status; 0 when nobody answered: push_http_error() says why. */
long push_http_post(struct push_http *http, struct span body);
struct span push_http_answer(const struct push_http *http);
const char *push_http_error(const struct push_http *http);
/* How long the receiver asks us to wait (Retry-After, RFC 9110 §10.2.3), ns; 0: it does not. */
int64_t push_http_pause(const struct push_http *http);
