// SPDX-License-Identifier: Apache-2.0
/* What the thing that we print to can show. A value, taken once for a stream; escapes are empty
 * strings where colour is not wanted, so that callers never ask twice. Rules: https://no-color.org,
 * TERM=dumb, and nothing that is not a terminal is ever coloured. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

enum terminal_style {
    TERMINAL_PLAIN, /* ends all the others */
    TERMINAL_BOLD,
    TERMINAL_DIM,
    TERMINAL_GOOD,
    TERMINAL_WARN,
    TERMINAL_BAD,
    TERMINAL_ACCENT,
};

struct terminal {
    bool is_terminal;
    bool colour;
    bool unicode;    /* the locale's characters are UTF-8 */
    bool moves;      /* the cursor can be moved */
    unsigned width;  /* columns; 80 where nothing is known */
    unsigned height; /* rows; 24 where nothing is known */
};

enum { TERMINAL_WIDTH = 80, TERMINAL_HEIGHT = 24 };

/* Looks at the stream and at the environment (NO_COLOR, TERM, COLUMNS, LC_ALL, LC_CTYPE, LANG). */
struct terminal terminal_of(FILE *stream);

/* The escape that begins a style, "" without colour. */
const char *terminal_style(const struct terminal *terminal, enum terminal_style style);
