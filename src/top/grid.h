// SPDX-License-Identifier: Apache-2.0
/* A screen in memory: cells of one character and one style. Pages draw here, never on the terminal;
 * grid_paint() makes the bytes that turn what is shown into what is to be shown, and grid_print() plain
 * lines of text, for golden tests and for output that is no terminal.
 *
 * Texts may come from the wire. Every character is decoded, and only those that take exactly one column
 * and do nothing else (a list of blocks in grid.c) get into a cell; all else is '?'. So no escape
 * sequence, combining mark, wide or bidirectional character ever reaches a terminal.
 *
 * One thread; memory grows with the size of the terminal and is given back by grid_done(). */
#pragma once

#include "base/json.h"
#include "base/terminal.h"

enum grid_style {
    GRID_PLAIN,
    GRID_BOLD,
    GRID_DIM,
    GRID_GOOD,
    GRID_WARN,
    GRID_BAD,
    GRID_ACCENT,
    GRID_CHOSEN, /* the selected row: reversed, with or without colour */
    GRID_STYLES,
};

enum { GRID_WIDTH_MAX = 1000, GRID_HEIGHT_MAX = 1000 };

struct grid_cell {
    uint16_t character;
    uint8_t style;
};

struct grid {
    unsigned width;
    unsigned height;
    struct grid_cell *cells; /* owned */
    bool unicode;            /* else lines, bars and ellipses are ASCII */
};

/* Empties the grid at a size; false, with a size of 0, when there is no memory. */
bool grid_reset(struct grid *grid, unsigned width, unsigned height);
void grid_done(struct grid *grid);

/* Columns that a text takes: its characters. */
unsigned grid_columns(const char *text);

/* Writes text into `width` columns from (row, column) on, cut with an ellipsis where it is longer;
 * returns the columns taken. Outside the grid nothing happens. */
unsigned grid_text(struct grid *grid, unsigned row, unsigned column, unsigned width,
                   enum grid_style style, const char *text);
/* The same, at the right end of the columns. */
void grid_text_right(struct grid *grid, unsigned row, unsigned column, unsigned width,
                     enum grid_style style, const char *text);
/* ... by a format; at most 512 bytes. */
__attribute__((format(printf, 6, 7))) unsigned grid_format(struct grid *grid, unsigned row,
                                                           unsigned column, unsigned width,
                                                           enum grid_style style,
                                                           const char *format, ...);

/* Gives the cells of a piece of a row a style. */
void grid_restyle(struct grid *grid, unsigned row, unsigned column, unsigned width,
                  enum grid_style style);

/* Part of a bar that grows upwards: `eighths` (0 to 8) of a cell. */
void grid_bar(struct grid *grid, unsigned row, unsigned column, unsigned eighths,
              enum grid_style style);
/* A horizontal line. */
void grid_rule(struct grid *grid, unsigned row, unsigned column, unsigned width);

/* Copies `height` rows of another grid from its row `from` on to this one's row `to`. */
void grid_copy(struct grid *grid, unsigned to, const struct grid *source, unsigned from,
               unsigned height);

/* Appends what a terminal must be sent to show `grid` instead of `shown`, which becomes a copy of it;
 * all of it when the sizes differ. */
void grid_paint(const struct grid *grid, struct grid *shown, const struct terminal *terminal,
                struct json *to);

/* Appends the rows as lines of text without styles and without spaces at their ends. */
void grid_print(const struct grid *grid, struct json *to);
