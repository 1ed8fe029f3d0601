// SPDX-License-Identifier: Apache-2.0
/* The report of `vantage read --connection`: all that a capture says of one connection, figures with
 * their units, verdicts with what they rest on. */
#pragma once

#include "base/terminal.h"
#include "engine/health_event.h"

#include <stdio.h>

void report_connection_print(const struct health_event *event, const struct terminal *terminal,
                             FILE *out);
