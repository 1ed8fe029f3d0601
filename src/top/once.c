// SPDX-License-Identifier: Apache-2.0
#include "top/once.h"

#include <math.h>
#include <stdio.h>

#include "base/csv.h"
#include "base/text.h"
#include "top/draw.h"

enum { ROW_ROOM = 16384, FIELD_ROOM = 512 };

/* ---- JSON --------------------------------------------------------------------------------------- */

static void put_value(struct json *to, double number, const char *text)
{
    if (isnan(number)) {
        json_text(to, text);
    } else {
        json_double(to, number);
    }
}

static void put_table(struct json *to, const struct table *table)
{
    json_key(to, table->name);
    json_array_begin(to);
    for (size_t i = 0; i < table->row_count; i++) {
        json_object_begin(to);
        for (size_t k = 0; k < table->column_count; k++) {
            json_key(to, table->columns[k].title);
            put_value(to, table->rows[i].cells[k].number, table->rows[i].cells[k].text);
        }
        json_object_end(to);
    }
    json_array_end(to);
}

static void put_json(const struct page *page, struct json *to)
{
    json_object_begin(to);
    json_key(to, "page");
    json_text(to, page_name(page->kind));
    if (page->note != NULL) {
        json_key(to, "note");
        json_text(to, page->note);
    }
    json_key(to, "figures");
    json_array_begin(to);
    for (size_t i = 0; i < page->figure_count; i++) {
        json_object_begin(to);
        json_key(to, "name");
        json_text(to, page->figures[i].name);
        json_key(to, "value");
        put_value(to, page->figures[i].value, page->figures[i].text);
        json_key(to, "text");
        json_text(to, page->figures[i].text);
        json_object_end(to);
    }
    json_array_end(to);
    json_key(to, "tables");
    json_object_begin(to);
    for (size_t i = 0; i < page->table_count; i++) {
        put_table(to, &page->tables[i]);
    }
    json_object_end(to);
    json_object_end(to);
    json_append(to, "\n", 1);
}

/* ---- CSV ---------------------------------------------------------------------------------------- */

static void put_field(struct csv *row, const char *text, bool is_first)
{
    char safe[FIELD_ROOM];
    text_printable(safe, sizeof safe, text);
    csv_field(row, span_str(safe), is_first);
}

static void put_cell(struct csv *row, const struct table_cell *cell, bool is_first)
{
    char number[64];
    if (isnan(cell->number)) {
        put_field(row, cell->text, is_first);
    } else {
        snprintf(number, sizeof number, "%.15g", cell->number);
        put_field(row, number, is_first);
    }
}

static void end_row(struct csv *row, struct json *to)
{
    csv_end_row(row);
    json_append(to, row->data, row->size);
    row->size = 0;
}

static void put_one_table(const struct table *table, struct csv *row, struct json *to)
{
    for (size_t k = 0; k < table->column_count; k++) {
        put_field(row, table->columns[k].title, k == 0);
    }
    end_row(row, to);
    for (size_t i = 0; i < table->row_count; i++) {
        for (size_t k = 0; k < table->column_count; k++) {
            put_cell(row, &table->rows[i].cells[k], k == 0);
        }
        end_row(row, to);
    }
}

static void put_many(const struct page *page, struct csv *row, struct json *to)
{
    put_field(row, "table", true);
    put_field(row, "name", false);
    put_field(row, "value", false);
    end_row(row, to);
    for (size_t i = 0; i < page->figure_count; i++) {
        struct table_cell value = {.text = page->figures[i].text,
                                   .number = page->figures[i].value};
        put_field(row, "", true);
        put_field(row, page->figures[i].name, false);
        put_cell(row, &value, false);
        end_row(row, to);
    }
    for (size_t i = 0; i < page->table_count; i++) {
        for (size_t k = 0; k < page->tables[i].row_count; k++) {
            put_field(row, page->tables[i].name, true);
            put_field(row, page->tables[i].rows[k].cells[0].text, false);
            put_cell(row, &page->tables[i].rows[k].cells[1], false);
            end_row(row, to);
        }
    }
}

static void put_csv(const struct page *page, struct json *to)
{
    char data[ROW_ROOM];
    struct csv row = {.data = data, .room = sizeof data};
    if (page->table_count == 1) {
        put_one_table(&page->tables[0], &row, to);
    } else {
        put_many(page, &row, to);
    }
}

void once_write(const struct page *page, enum once_format format, unsigned width, bool unicode,
                struct json *to)
{
    struct grid grid = {.unicode = unicode};
    if (format == ONCE_JSON) {
        put_json(page, to);
    } else if (format == ONCE_CSV) {
        put_csv(page, to);
    } else {
        draw_whole(&grid, page, width);
        grid_print(&grid, to);
        grid_done(&grid);
    }
}
