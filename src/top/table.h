// SPDX-License-Identifier: Apache-2.0
/* A list as every page has it: columns with titles, rows of texts, of which some have a number to sort
 * by. It is made from one document, lives in the memory of its page (struct nodes), and is then filtered,
 * sorted and laid out for a width. Bounded by TABLE_ROWS; what is beyond is not there, and the page says
 * how many there are. Pure; one thread. */
#pragma once

#include "base/node.h"

enum { TABLE_COLUMNS = 16, TABLE_ROWS = 1000 };

struct table_column {
    const char *title;
    bool is_right; /* numbers */
    uint8_t rank;  /* what goes first where there is no room: the highest; 0 stays */
};

struct table_cell {
    const char *text;
    double number; /* NAN: sorted by the text */
};

struct table_row {
    struct table_cell cells[TABLE_COLUMNS];
    const struct node *about; /* what the row was made from; NULL: nothing to open */
};

struct table {
    const char *name;
    const struct table_column *columns; /* constant */
    size_t column_count;
    struct table_row *rows;
    size_t row_count;
    size_t capacity;
};

/* A table with room for `capacity` rows. */
struct table table_new(struct nodes *memory, const char *name, const struct table_column *columns,
                       size_t column_count, size_t capacity);
/* The next row, all cells empty; NULL when the table is full. */
struct table_row *table_add(struct table *table);

/* Keeps the rows that match all words of a filter. `word` is somewhere in the row, `title:word` in the
 * column whose title begins so, `!` in front turns it round; upper and lower case are alike. */
void table_filter(struct table *table, const char *filter);

/* Sorts by a column; rows that are equal keep their order. */
void table_sort(struct table *table, size_t column, bool descends);

/* How many characters each column gets in `width`, two spaces between them; 0: it is not shown. */
void table_layout(const struct table *table, unsigned width, unsigned ret[TABLE_COLUMNS]);
