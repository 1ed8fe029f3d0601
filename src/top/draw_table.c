// SPDX-License-Identifier: Apache-2.0
#include "top/draw_table.h"

#include <math.h>

enum { GAP = 2, EIGHTHS = 8 };

/* ---- Rows --------------------------------------------------------------------------------------- */

/* What a cell looks like, by what its column is about. */
static enum grid_style style_of(const struct table_column *column, const char *text)
{
    bool is_weather = strcmp(column->title, "weather") == 0;
    bool is_trouble = strcmp(column->title, "trouble") == 0 ||
                      strcmp(column->title, "verdicts") == 0;
    if (text[0] == '\0') {
        return GRID_PLAIN;
    }
    return is_weather ? GRID_BAD : is_trouble ? GRID_WARN : column->is_right ? GRID_ACCENT
                                                                             : GRID_PLAIN;
}

static void draw_row(struct grid *grid, struct draw_area area, const struct table *table,
                     const struct table_row *row, const unsigned *widths)
{
    unsigned at = area.column;
    for (size_t i = 0; i < table->column_count; i++) {
        const char *text = row->cells[i].text;
        enum grid_style style = style_of(&table->columns[i], text);
        if (widths[i] == 0) {
            continue;
        }
        if (table->columns[i].is_right) {
            grid_text_right(grid, area.row, at, widths[i], style, text);
        } else {
            grid_text(grid, area.row, at, widths[i], style, text);
        }
        at += widths[i] + GAP;
    }
}

static void draw_titles(struct grid *grid, struct draw_area area, const struct draw_list *list,
                        const unsigned *widths, const char *first)
{
    unsigned at = area.column;
    for (size_t i = 0; i < list->table->column_count; i++) {
        const struct table_column *column = &list->table->columns[i];
        const char *title = i == 0 && first != NULL ? first : column->title;
        enum grid_style style = i == 0 && first != NULL ? GRID_BOLD : GRID_DIM;
        style = i == list->sort ? GRID_BOLD : style;
        if (widths[i] == 0) {
            continue;
        }
        if (column->is_right) {
            grid_text_right(grid, area.row, at, widths[i], style, title);
        } else {
            grid_text(grid, area.row, at, widths[i], style, title);
        }
        at += widths[i] + GAP;
    }
}

static void draw_rows(struct grid *grid, struct draw_area area, const struct draw_list *list,
                      const unsigned *widths)
{
    for (unsigned i = 0; i + 1 < area.height; i++) {
        size_t at = list->first + i;
        if (at >= list->table->row_count) {
            return;
        }
        struct draw_area line = area;
        line.row += 1 + i;
        draw_row(grid, line, list->table, &list->table->rows[at], widths);
        if ((long)at == list->chosen) {
            grid_restyle(grid, line.row, area.column, area.width, GRID_CHOSEN);
        }
    }
}

/* Only the rows that are shown decide about widths, so that one long name far below does not. */
static struct table shown_of(const struct draw_list *list, unsigned height)
{
    struct table shown = *list->table;
    size_t first = list->first < shown.row_count ? list->first : shown.row_count;
    shown.rows = shown.row_count > 0 ? shown.rows + first : NULL;
    shown.row_count -= first;
    shown.row_count = shown.row_count < height ? shown.row_count : height;
    return shown;
}

void draw_table_list(struct grid *grid, struct draw_area area, const struct draw_list *list)
{
    unsigned widths[TABLE_COLUMNS] = {0};
    struct table shown = shown_of(list, area.height);
    table_layout(&shown, area.width, widths);
    draw_titles(grid, area, list, widths, NULL);
    draw_rows(grid, area, list, widths);
}

void draw_table_box(struct grid *grid, struct draw_area area, const struct draw_list *list)
{
    unsigned widths[TABLE_COLUMNS] = {0};
    struct table shown = shown_of(list, area.height);
    table_layout(&shown, area.width, widths);
    unsigned total = 0;
    for (size_t i = 0; i < shown.column_count; i++) {
        total += widths[i] > 0 ? widths[i] + (i > 0 ? GAP : 0) : 0;
    }
    widths[0] += area.width > total ? area.width - total : 0;
    draw_titles(grid, area, list, widths, list->table->name);
    draw_rows(grid, area, list, widths);
}

/* ---- Graphs ------------------------------------------------------------------------------------- */

void draw_table_graph(struct grid *grid, struct draw_area area, const struct page_graph *graph)
{
    size_t count = graph->count < area.width ? graph->count : area.width;
    const double *points = graph->points + (graph->count - count);
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        most = points[i] > most ? points[i] : most;
    }
    for (size_t i = 0; i < count && most > 0; i++) {
        double share = points[i] > 0 ? points[i] / most : 0;
        unsigned eighths = (unsigned)lround(share * area.height * EIGHTHS);
        eighths = eighths == 0 && points[i] > 0 ? 1 : eighths;
        unsigned column = area.column + area.width - (unsigned)(count - i);
        for (unsigned k = 0; k < area.height && eighths > 0; k++) {
            unsigned part = eighths < EIGHTHS ? eighths : EIGHTHS;
            grid_bar(grid, area.row + area.height - 1 - k, column, part, GRID_ACCENT);
            eighths -= part;
        }
    }
}
