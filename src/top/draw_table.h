// SPDX-License-Identifier: Apache-2.0
/* Private to top/: tables, graphs and boxes on a piece of a grid. Pure. */
#pragma once

#include "top/grid.h"
#include "top/page.h"

/* A piece of a grid. */
struct draw_area {
    unsigned row;
    unsigned column;
    unsigned width;
    unsigned height;
};

enum { DRAW_NOTHING = -1 };

/* A line of titles, then rows from `first` on. `chosen` may be DRAW_NOTHING. Sorted by column `sort`,
 * which gets a mark; TABLE_COLUMNS: none. */
struct draw_list {
    const struct table *table;
    size_t first;
    long chosen;
    size_t sort;
    bool descends;
};
void draw_table_list(struct grid *grid, struct draw_area area, const struct draw_list *list);

/* The same as a box among others: its name on the left of its titles, numbers at its right end. */
void draw_table_box(struct grid *grid, struct draw_area area, const struct draw_list *list);

/* A graph of the last seconds, a column each, the latest at the right end. */
void draw_table_graph(struct grid *grid, struct draw_area area, const struct page_graph *graph);
