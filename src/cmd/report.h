// SPDX-License-Identifier: Apache-2.0
/* The report of `vantage read`: what a person wants to know of a capture, anything odd first, in 80
 * columns of text. Colour and block characters only where the terminal has them. */
#pragma once

#include "base/terminal.h"
#include "engine/engine.h"

#include <stdio.h>

struct report {
    struct engine *engine; /* stopped, made with keep_courses */
    struct terminal terminal;
    size_t file_count;
    const char *first_file;
};

void report_print(const struct report *report, FILE *out);

/* ---- report_odd.c ---------------------------------------------------------------------------- */

/* Lists what is out of the ordinary, worst first, a line each; returns how many. */
unsigned report_odd_print(const struct report *report, const struct board *board, FILE *out);
