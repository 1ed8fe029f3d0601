// SPDX-License-Identifier: Apache-2.0
/* A QUIC handshake as an event. */
#pragma once

#include "proto/quic/quic_flow.h"

/* Logs the event of a flow and counts it; `reason` as quic_flow_end() has it. */
void quic_report(struct proto_context *c, const char *reason);
