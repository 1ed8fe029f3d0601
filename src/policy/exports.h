// SPDX-License-Identifier: Apache-2.0
/* Datagrams by which devices tell of flows, NetFlow, IPFIX or sFlow, from a socket or out of a capture,
 * and what must be remembered from one to the next. One thread; a capture's workers have one each, and
 * a flow of datagrams, as any, belongs to one of them. */
#pragma once

#include "policy/export_datagram.h"

enum export_kind { EXPORT_SFLOW, EXPORT_NETFLOW };

struct exports; /* opaque */

/* NULL when the system refuses memory. */
struct exports *exports_new(enum export_kind kind);
/* NULL is fine. */
void exports_free(struct exports *exports);

/* Gives the records of a datagram to a sink; false when not all of it could be read. */
bool exports_read(struct exports *exports, const struct export_datagram *datagram,
                  const struct export_sink *sink);
