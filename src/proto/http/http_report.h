// SPDX-License-Identifier: Apache-2.0
/* A transaction becomes an event: Packetbeat's rules of what it says. The event borrows from the
 * messages and from the stack of the call; the log copies it. */
#pragma once

#include "proto/http/http_event.h"
#include "proto/http/http_talk.h"

/* Logs a request, a response (one of them may be NULL) or both; `reason` says why a request has no
 * response. Counts it. */
void http_report(struct proto_context *c, const struct http_message *request,
                 const struct http_message *response, const char *reason,
                 const struct http_options *options);
