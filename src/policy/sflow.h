// SPDX-License-Identifier: Apache-2.0
/* sFlow version 5 (sflow.org, "sFlow Version 5", July 2004): packets that agents sampled, as flow
 * records of one packet each. Counter samples and what enterprises add are stepped over. Pure functions
 * over spans; work is bounded by the datagram's size. */
#pragma once

#include "policy/export_datagram.h"

/* Gives the flow samples of a datagram to a sink; false when it is malformed. */
bool sflow_read(const struct export_datagram *datagram, const struct export_sink *sink);
