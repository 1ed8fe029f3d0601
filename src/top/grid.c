// SPDX-License-Identifier: Apache-2.0
#include "top/grid.h"

#include <stdarg.h>
#include <stdlib.h>

enum { ELLIPSIS = 0x2026, LINE = 0x2500, BAR_LEAST = 0x2580, FORMAT_ROOM = 512 };

/* ---- Characters --------------------------------------------------------------------------------- */

/* Blocks whose characters take one column, from left to right, and join with nothing. */
static bool is_plain(uint32_t c)
{
    return (c >= 0x20 && c < 0x7f) || (c > 0xa0 && c < 0x250 && c != 0xad) ||
           (c >= 0x391 && c <= 0x3c9) || (c >= 0x410 && c <= 0x451) || c == 0x2013 || c == ELLIPSIS ||
           (c >= LINE && c < 0x25a0);
}

/* Takes one character off a span of at least one byte. */
static uint32_t take(struct span *text)
{
    unsigned size = json_utf8(*text);
    const uint8_t *at = text->data;
    uint32_t c = size == 0   ? '?'
                 : size == 1 ? at[0]
                 : size == 2 ? (at[0] & 0x1fu) << 6 | (at[1] & 0x3fu)
                 : size == 3 ? (at[0] & 0xfu) << 12 | (at[1] & 0x3fu) << 6 | (at[2] & 0x3fu)
                             : '?';
    *text = span_skip(*text, size > 0 ? size : 1);
    return is_plain(c) ? c : '?';
}

/* What stands for a character where there is only ASCII. */
static uint16_t plain(const struct grid *grid, uint32_t c)
{
    static const char ramp[] = "_.:-=+*#";
    if (grid->unicode || c < 0x7f) {
        return (uint16_t)c;
    }
    if (c > BAR_LEAST && c <= BAR_LEAST + 8) {
        return (uint16_t)ramp[c - BAR_LEAST - 1];
    }
    return c == LINE || c == 0x2013 ? '-' : c == ELLIPSIS ? '~' : '?';
}

unsigned grid_columns(const char *text)
{
    unsigned columns = 0;
    for (struct span rest = span_str(text); rest.size > 0; columns++) {
        take(&rest);
    }
    return columns;
}

/* ---- Cells -------------------------------------------------------------------------------------- */

bool grid_reset(struct grid *grid, unsigned width, unsigned height)
{
    width = width < GRID_WIDTH_MAX ? width : GRID_WIDTH_MAX;
    height = height < GRID_HEIGHT_MAX ? height : GRID_HEIGHT_MAX;
    size_t count = (size_t)width * height;
    if (grid->width != width || grid->height != height) {
        free(grid->cells);
        grid->cells = count > 0 ? malloc(count * sizeof *grid->cells) : NULL;
        grid->width = grid->cells != NULL ? width : 0;
        grid->height = grid->cells != NULL ? height : 0;
    }
    for (size_t i = 0; i < (size_t)grid->width * grid->height; i++) {
        grid->cells[i] = (struct grid_cell){.character = ' '};
    }
    return grid->width == width && grid->height == height;
}

void grid_done(struct grid *grid)
{
    free(grid->cells);
    *grid = (struct grid){.unicode = grid->unicode};
}

static struct grid_cell *cell_at(const struct grid *grid, unsigned row, unsigned column)
{
    return row < grid->height && column < grid->width
               ? &grid->cells[(size_t)row * grid->width + column]
               : NULL;
}

static void put(struct grid *grid, unsigned row, unsigned column, uint32_t c, enum grid_style style)
{
    struct grid_cell *cell = cell_at(grid, row, column);
    if (cell != NULL) {
        *cell = (struct grid_cell){.character = plain(grid, c), .style = (uint8_t)style};
    }
}

unsigned grid_text(struct grid *grid, unsigned row, unsigned column, unsigned width,
                   enum grid_style style, const char *text)
{
    struct span rest = span_str(text);
    unsigned n = 0;
    while (rest.size > 0 && n < width) {
        uint32_t c = take(&rest);
        put(grid, row, column + n, n + 1 == width && rest.size > 0 ? ELLIPSIS : c, style);
        n++;
    }
    return n;
}

void grid_text_right(struct grid *grid, unsigned row, unsigned column, unsigned width,
                     enum grid_style style, const char *text)
{
    unsigned columns = grid_columns(text);
    unsigned indent = columns < width ? width - columns : 0;
    grid_text(grid, row, column + indent, width - indent, style, text);
}

unsigned grid_format(struct grid *grid, unsigned row, unsigned column, unsigned width,
                     enum grid_style style, const char *format, ...)
{
    char text[FORMAT_ROOM];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return grid_text(grid, row, column, width, style, text);
}

void grid_restyle(struct grid *grid, unsigned row, unsigned column, unsigned width,
                  enum grid_style style)
{
    for (unsigned i = 0; i < width; i++) {
        struct grid_cell *cell = cell_at(grid, row, column + i);
        if (cell != NULL) {
            cell->style = (uint8_t)style;
        }
    }
}

void grid_bar(struct grid *grid, unsigned row, unsigned column, unsigned eighths,
              enum grid_style style)
{
    if (eighths > 0) {
        put(grid, row, column, BAR_LEAST + (eighths < 8 ? eighths : 8), style);
    }
}

void grid_rule(struct grid *grid, unsigned row, unsigned column, unsigned width)
{
    for (unsigned i = 0; i < width; i++) {
        put(grid, row, column + i, LINE, GRID_DIM);
    }
}

void grid_copy(struct grid *grid, unsigned to, const struct grid *source, unsigned from,
               unsigned height)
{
    unsigned width = grid->width < source->width ? grid->width : source->width;
    for (unsigned i = 0; i < height; i++) {
        struct grid_cell *there = cell_at(grid, to + i, 0);
        const struct grid_cell *here = cell_at(source, from + i, 0);
        if (there != NULL && here != NULL) {
            memcpy(there, here, width * sizeof *there);
        }
    }
}

/* ---- Out ---------------------------------------------------------------------------------------- */

static void put_character(struct json *to, unsigned c)
{
    char bytes[3];
    size_t size = 0;
    if (c < 0x80) {
        bytes[size++] = (char)c;
    } else if (c < 0x800) {
        bytes[size++] = (char)(0xc0 | c >> 6);
        bytes[size++] = (char)(0x80 | (c & 0x3f));
    } else {
        bytes[size++] = (char)(0xe0 | c >> 12);
        bytes[size++] = (char)(0x80 | (c >> 6 & 0x3f));
        bytes[size++] = (char)(0x80 | (c & 0x3f));
    }
    json_append(to, bytes, size);
}

static void put_style(struct json *to, const struct terminal *terminal, unsigned style)
{
    json_printf(to, "\033[0m%s",
                style == GRID_CHOSEN ? "\033[7m"
                                     : terminal_style(terminal, (enum terminal_style)style));
}

/* The cells of a row that differ, with as few moves of the cursor as it takes. */
static void paint_row(const struct grid *grid, struct grid *shown, unsigned row,
                      const struct terminal *terminal, struct json *to)
{
    unsigned at = grid->width; /* where the cursor is: nowhere yet */
    unsigned style = GRID_STYLES;
    for (unsigned column = 0; column < grid->width; column++) {
        const struct grid_cell *cell = cell_at(grid, row, column);
        struct grid_cell *old = cell_at(shown, row, column);
        if (cell->character == old->character && cell->style == old->style) {
            continue;
        }
        if (at != column) {
            json_printf(to, "\033[%u;%uH", row + 1, column + 1);
        }
        if (style != cell->style) {
            put_style(to, terminal, cell->style);
            style = cell->style;
        }
        put_character(to, cell->character);
        *old = *cell;
        at = column + 1;
    }
}

void grid_paint(const struct grid *grid, struct grid *shown, const struct terminal *terminal,
                struct json *to)
{
    if (grid->width != shown->width || grid->height != shown->height) {
        json_printf(to, "\033[0m\033[2J");
        grid_reset(shown, grid->width, grid->height);
    }
    for (unsigned row = 0; row < grid->height && row < shown->height; row++) {
        paint_row(grid, shown, row, terminal, to);
    }
    json_printf(to, "\033[0m");
}

void grid_print(const struct grid *grid, struct json *to)
{
    for (unsigned row = 0; row < grid->height; row++) {
        unsigned width = grid->width;
        while (width > 0 && cell_at(grid, row, width - 1)->character == ' ') {
            width--;
        }
        for (unsigned column = 0; column < width; column++) {
            put_character(to, cell_at(grid, row, column)->character);
        }
        json_append(to, "\n", 1);
    }
}
