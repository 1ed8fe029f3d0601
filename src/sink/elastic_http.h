// SPDX-License-Identifier: Apache-2.0
/* HTTP to one of several hosts of a cluster: connections kept open, the body packed, another host when one
 * is away. A thread's own; may block as long as the time-out says, unless it is told to stop. */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "sink/sink.h"

struct elastic_http; /* opaque */

/* NULL and err when an option is no good. `stop`: what is under way is given up when it becomes true. */
struct elastic_http *elastic_http_new(const struct sink_cluster *cluster, const _Atomic bool *stop,
                                      struct err *err);
void elastic_http_free(struct elastic_http *http);

/* Asks the host in turn. `path` begins with a slash. Returns the status, 0 when nobody answered (then
 * elastic_http_error() says why, and the next host is in turn); the answer is in elastic_http_answer()
 * until the next request. */
long elastic_http_send(struct elastic_http *http, const char *method, const char *path,
                       const char *type, struct span body);
struct span elastic_http_answer(const struct elastic_http *http);
const char *elastic_http_error(const struct elastic_http *http);

/* All went well with the host in turn. Where requests go round, the next one gets the next of them, but
 * for those that failed a short while ago. */
void elastic_http_done(struct elastic_http *http);
/* The next host's turn, for the one at hand failed; true when all have had theirs since the last call that returned true. */
bool elastic_http_turn(struct elastic_http *http);
/* The host in turn, as a URL without secrets. */
const char *elastic_http_host(const struct elastic_http *http);
