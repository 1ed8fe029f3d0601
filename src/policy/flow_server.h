// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: A UDP socket to which devices send NetFlow, IPFIX or sFlow. What the kernel dropped because nobody
 * read in time is counted with the input's errors. */
#pragma once

#include "policy/intake_source.h"

extern const struct intake_source flow_server;
