// SPDX-License-Identifier: Apache-2.0
/* Private to `vantage packetbeat`: its commands besides running. */
#pragma once

#include "cmd/command.h"

/* Runs the command that the operands name; returns the exit status. */
int packetbeat_command(const struct arguments *arguments);

/* Prints the interfaces with the numbers by which a configuration may name them. */
int packetbeat_devices(void);
