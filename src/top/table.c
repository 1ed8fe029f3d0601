// SPDX-License-Identifier: Apache-2.0
#include "top/table.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "top/grid.h"

enum { GAP = 2, CELL_LEAST = 4 };

struct table table_new(struct nodes *memory, const char *name, const struct table_column *columns,
                       size_t column_count, size_t capacity)
{
    capacity = capacity < TABLE_ROWS ? capacity : TABLE_ROWS;
    return (struct table){
        .name = name,
        .columns = columns,
        .column_count = column_count < TABLE_COLUMNS ? column_count : TABLE_COLUMNS,
        .rows = capacity > 0 ? node_allocate(memory, capacity * sizeof(struct table_row)) : NULL,
        .capacity = capacity,
    };
}

struct table_row *table_add(struct table *table)
{
    if (table->row_count == table->capacity) {
        return NULL;
    }
    struct table_row *row = &table->rows[table->row_count++];
    for (size_t i = 0; i < TABLE_COLUMNS; i++) {
        row->cells[i] = (struct table_cell){.text = "", .number = NAN};
    }
    return row;
}

/* ---- Filter ------------------------------------------------------------------------------------- */

/* Whether `text` has the word, of any case, in it. */
static bool has(const char *text, struct span word)
{
    size_t size = strlen(text);
    for (size_t i = 0; i + word.size <= size; i++) {
        if (strncasecmp(text + i, (const char *)word.data, word.size) == 0) {
            return true;
        }
    }
    return false;
}

/* The column that a word's beginning names, which is then cut off; `column_count` for none. */
static size_t named_column(const struct table *table, struct span *word)
{
    const uint8_t *colon = word->size > 0 ? memchr(word->data, ':', word->size) : NULL;
    size_t size = colon != NULL ? (size_t)(colon - word->data) : 0;
    for (size_t i = 0; size > 0 && i < table->column_count; i++) {
        if (strncasecmp(table->columns[i].title, (const char *)word->data, size) == 0) {
            *word = span_skip(*word, size + 1);
            return i;
        }
    }
    return table->column_count;
}

static bool matches_word(const struct table *table, const struct table_row *row, struct span word)
{
    bool is_turned = word.size > 1 && word.data[0] == '!';
    word = span_skip(word, is_turned ? 1 : 0);
    size_t column = named_column(table, &word);
    bool found = false;
    for (size_t i = 0; i < table->column_count && !found; i++) {
        found = (column == table->column_count || column == i) && has(row->cells[i].text, word);
    }
    return found != is_turned;
}

static bool matches(const struct table *table, const struct table_row *row, const char *filter)
{
    for (const char *at = filter; *at != '\0';) {
        size_t size = strcspn(at, " ");
        if (size > 0 && !matches_word(table, row, span_of(at, size))) {
            return false;
        }
        at += size + (at[size] == ' ');
    }
    return true;
}

void table_filter(struct table *table, const char *filter)
{
    size_t kept = 0;
    for (size_t i = 0; i < table->row_count; i++) {
        if (matches(table, &table->rows[i], filter)) {
            table->rows[kept++] = table->rows[i];
        }
    }
    table->row_count = kept;
}

/* ---- Order -------------------------------------------------------------------------------------- */

struct order {
    size_t column;
    bool descends;
};

static int compare(const void *a, const void *b, void *of)
{
    const struct order *order = of;
    const struct table_row *x = a;
    const struct table_row *y = b;
    const struct table_cell *p = &x->cells[order->column];
    const struct table_cell *q = &y->cells[order->column];
    int result = 0;
    if (isnan(p->number) != isnan(q->number)) {
        return isnan(p->number) ? 1 : -1; /* what has no number comes last, either way */
    }
    if (isnan(p->number)) {
        result = strcasecmp(p->text, q->text);
    } else {
        result = (p->number > q->number) - (p->number < q->number);
    }
    return order->descends ? -result : result;
}

/* glibc's qsort_r is a merge sort for what fits into memory, but does not promise it: ours is. */
static void merge(struct table_row *rows, size_t count, struct table_row *spare,
                  const struct order *order)
{
    if (count < 2) {
        return;
    }
    size_t half = count / 2;
    merge(rows, half, spare, order);
    merge(rows + half, count - half, spare, order);
    memcpy(spare, rows, half * sizeof *rows);
    size_t left = 0;
    size_t right = half;
    for (size_t i = 0; left < half; i++) {
        bool is_right = right < count && compare(&rows[right], &spare[left], (void *)(uintptr_t)order) < 0;
        rows[i] = is_right ? rows[right++] : spare[left++];
    }
}

void table_sort(struct table *table, size_t column, bool descends)
{
    const struct order order = {.column = column, .descends = descends};
    struct table_row *spare = calloc(table->row_count / 2 + 1, sizeof *spare);
    if (spare != NULL && column < table->column_count) {
        merge(table->rows, table->row_count, spare, &order);
    }
    free(spare);
}

/* ---- Layout ------------------------------------------------------------------------------------- */

static unsigned total_of(const unsigned *widths, size_t count)
{
    unsigned total = 0;
    for (size_t i = 0; i < count; i++) {
        total += widths[i] > 0 ? widths[i] + (total > 0 ? GAP : 0) : 0;
    }
    return total;
}

/* The column that goes next, or `count`. */
static size_t spare_column(const struct table *table, const unsigned *widths)
{
    size_t best = table->column_count;
    for (size_t i = 0; i < table->column_count; i++) {
        unsigned rank = best < table->column_count ? table->columns[best].rank : 0;
        best = widths[i] > 0 && table->columns[i].rank > rank ? i : best;
    }
    return best;
}

/* Takes from the widest columns until all fit. */
static void shrink(const struct table *table, unsigned width, unsigned *widths)
{
    while (total_of(widths, table->column_count) > width) {
        size_t widest = 0;
        for (size_t i = 1; i < table->column_count; i++) {
            widest = widths[i] > widths[widest] ? i : widest;
        }
        if (widths[widest] <= CELL_LEAST) {
            return;
        }
        widths[widest]--;
    }
}

void table_layout(const struct table *table, unsigned width, unsigned ret[TABLE_COLUMNS])
{
    for (size_t i = 0; i < table->column_count; i++) {
        ret[i] = grid_columns(table->columns[i].title);
        for (size_t k = 0; k < table->row_count; k++) {
            unsigned columns = grid_columns(table->rows[k].cells[i].text);
            ret[i] = columns > ret[i] ? columns : ret[i];
        }
    }
    size_t spare = 0;
    while (total_of(ret, table->column_count) > width &&
           (spare = spare_column(table, ret)) < table->column_count) {
        ret[spare] = 0;
    }
    shrink(table, width, ret);
}
