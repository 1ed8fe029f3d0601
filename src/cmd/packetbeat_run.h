// SPDX-License-Identifier: Apache-2.0
/* Private to `vantage packetbeat`: reading captures or listening, as its arguments and its configuration
 * say. */
#pragma once

#include "cmd/command.h"

/* Runs until the end of the captures or a signal; returns the exit status. */
int packetbeat_run(const struct arguments *arguments);
