// SPDX-License-Identifier: Apache-2.0
/* A handshake as an event: what tls_flow kept, read again and told. */
#pragma once

#include "proto/tls/tls_flow.h"

/* Logs the event of a flow and counts it; `reason` as tls_flow_end() has it. */
void tls_report(struct proto_context *c, const char *reason);
