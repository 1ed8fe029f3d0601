// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: Probes of configured targets: echo requests (RFC 792, RFC 4443) or TCP connections, by timers; what
 * became of each is an event. Names are looked up anew for each test, in a thread of their own, so
 * that a name server which is silent delays nothing else. */
#pragma once

#include "policy/intake_source.h"

extern const struct intake_source probe_server;
