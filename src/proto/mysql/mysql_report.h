// SPDX-License-Identifier: Apache-2.0
/* A command and its answer as an event, in Packetbeat's words. */
#pragma once

#include "proto/mysql/mysql_flow.h"

/* Reports the head of the queue, or with `r` NULL an answer without command. `with_reply`: what came of
 * the answer is shown. `reason`: why it has none, or NULL. */
void mysql_report(struct proto_context *c, const struct mysql_request *r, bool with_reply,
                  const char *reason);
