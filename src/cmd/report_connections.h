// SPDX-License-Identifier: Apache-2.0
/* The report of `vantage read --connections`: TCP connections, worst first, a line each. */
#pragma once

#include "base/terminal.h"
#include "engine/engine.h"

/* The engine is stopped and was made with keep_connections. */
void report_connections_print(struct engine *engine, const struct terminal *terminal, FILE *out);
