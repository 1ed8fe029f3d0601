// SPDX-License-Identifier: Apache-2.0
/* The report of `vantage read --paths`: what TCP connections between places had, worst paths first, a
 * line each, in 80 columns. */
#pragma once

#include "base/terminal.h"
#include "engine/engine.h"

/* The engine is stopped, and judged TCP connections. `keys`: by what paths are told apart, as
 * engine_paths() takes them. */
void report_paths_print(struct engine *engine, unsigned keys, const struct terminal *terminal,
                        FILE *out);
