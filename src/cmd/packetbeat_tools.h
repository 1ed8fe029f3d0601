// SPDX-License-Identifier: Apache-2.0
/* Private to `vantage packetbeat`: its commands besides running. */
#pragma once

#include "cmd/command.h"
#include "engine/beat_config.h"

/* Runs the command that the operands name; returns the exit status. */
int packetbeat_command(const struct arguments *arguments);

/* Prints the interfaces with the numbers by which a configuration may name them. */
int packetbeat_devices(void);

/* Of packetbeat.c: reads the configuration, prints what is to be said of it; NULL after a fault. */
struct beat_config *packetbeat_config(const struct arguments *arguments);
/* ... and runs. */
int packetbeat_run(const struct arguments *arguments);
