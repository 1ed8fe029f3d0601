// SPDX-License-Identifier: Apache-2.0
/* A statement and its result as an event, in Packetbeat's words. */
#pragma once

#include "proto/pgsql/pgsql_flow.h"

/* Reports an item (NULL: an answer that nobody asked for). `outcome`: how its answer ended, NULL when it
 * did not; `with_reply`: what came of it is shown. `reason`: why it has none, or NULL. */
void pgsql_report(struct proto_context *c, const struct pgsql_item *item,
                  const struct pgsql_outcome *outcome, bool with_reply, const char *reason);
/* Reports a request to cancel what another connection does, by the number of its process. */
void pgsql_report_cancel(struct proto_context *c, const struct pgsql_message *m, uint32_t process,
                         uint64_t now_ns);
