// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: DNS servers that tell what they do, over TCP or a Unix socket: Frame Streams in either way of greeting.
 * Up to 16 at a time. */
#pragma once

#include "policy/intake_source.h"

extern const struct intake_source dnstap_server;
