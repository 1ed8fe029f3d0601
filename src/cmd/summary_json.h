// SPDX-License-Identifier: Apache-2.0
/* The document of `read -o summary`: `capture` with the totals of the files, `agent` with what was
 * spent and lost, and the metric blocks of all protocols. */
#pragma once

#include "engine/engine.h"

#include <stdio.h>

/* Prints it, with a newline. The engine has stopped. */
void summary_json_print(struct engine *engine, FILE *out);
