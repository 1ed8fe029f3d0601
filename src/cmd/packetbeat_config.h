// SPDX-License-Identifier: Apache-2.0
/* Private to `vantage packetbeat`: its configuration, as its arguments name it. */
#pragma once

#include "cmd/command.h"
#include "engine/beat_config.h"

/* What the arguments say of it; refers to them. */
struct beat_arguments packetbeat_arguments(const struct arguments *arguments);

/* Reads the configuration and prints what is to be said of it; the caller frees it. NULL after a fault,
 * which is printed, too. */
struct beat_config *packetbeat_config(const struct arguments *arguments);
