// SPDX-License-Identifier: Apache-2.0
#include "top/page.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

enum { TEXT_MOST = 200, DETAIL_DEPTH = 16, PATH_ROOM = 256 };

/* ---- What documents hold ------------------------------------------------------------------------ */

double page_value(const struct node *node)
{
    char digits[64];
    if (node == NULL || node->kind != NODE_NUMBER || node->text.size >= sizeof digits) {
        return NAN;
    }
    memcpy(digits, node->text.data, node->text.size);
    digits[node->text.size] = '\0';
    double value = strtod(digits, NULL);
    return isfinite(value) ? value : NAN;
}

double page_number(const struct node *at, const char *path)
{
    return at != NULL ? page_value(node_find(at, span_str(path))) : NAN;
}

static const char *keep(struct page *page, struct span text)
{
    char raw[TEXT_MOST];
    char safe[TEXT_MOST];
    size_t size = text.size < sizeof raw - 1 ? text.size : sizeof raw - 1;
    if (size > 0) {
        memcpy(raw, text.data, size);
    }
    raw[size] = '\0';
    for (size_t i = 0; i < size; i++) { /* a zero byte is a character, not the end */
        raw[i] = raw[i] != '\0' ? raw[i] : '?';
    }
    text_printable(safe, sizeof safe, raw);
    return (const char *)node_copy(&page->memory, span_str(safe)).data;
}

const char *page_text(struct page *page, const struct node *at, const char *path)
{
    const struct node *node = at != NULL ? node_find(at, span_str(path)) : NULL;
    return node != NULL && node_is_scalar(node) && node->kind != NODE_NULL ? keep(page, node->text)
                                                                           : "";
}

const char *page_format(struct page *page, const char *format, ...)
{
    char text[2 * TEXT_MOST];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return (const char *)node_copy(&page->memory, span_str(text)).data;
}

size_t page_items(const struct node *list)
{
    size_t count = 0;
    for (const struct node *item = list != NULL ? list->first : NULL; item != NULL;
         item = item->next) {
        count++;
    }
    return count;
}

/* ---- What a page is made of --------------------------------------------------------------------- */

void page_figure(struct page *page, unsigned line, const char *name, double value,
                 const char *text)
{
    if (page->figure_count < PAGE_FIGURES) {
        page->figures[page->figure_count++] = (struct page_figure){
            .name = name, .text = text, .value = value, .line = (uint8_t)line};
    }
}

struct table *page_table(struct page *page, const char *name, const struct table_column *columns,
                         size_t column_count, size_t capacity)
{
    size_t at = page->table_count < PAGE_TABLES ? page->table_count++ : PAGE_TABLES - 1;
    page->tables[at] = table_new(&page->memory, name, columns, column_count, capacity);
    return &page->tables[at];
}

struct table_cell page_cell(const char *text)
{
    return (struct table_cell){.text = text, .number = NAN};
}

struct table_cell page_count(struct page *page, double value)
{
    char text[TEXT_ROOM];
    if (isnan(value)) {
        return page_cell("");
    }
    return (struct table_cell){.text = page_format(page, "%s", text_short_count(text, value)),
                               .number = value};
}

struct table_cell page_bytes(struct page *page, double value)
{
    char text[TEXT_ROOM];
    if (isnan(value)) {
        return page_cell("");
    }
    return (struct table_cell){.text = page_format(page, "%s", text_short_bytes(text, value)),
                               .number = value};
}

struct table_cell page_milliseconds(struct page *page, double value)
{
    char text[TEXT_ROOM];
    if (isnan(value) || fabs(value) > 1e12) {
        return page_cell("");
    }
    int64_t nanoseconds = (int64_t)(value * 1e6);
    return (struct table_cell){
        .text = page_format(page, "%s", text_short_duration(text, nanoseconds)), .number = value};
}

/* ---- Pages -------------------------------------------------------------------------------------- */

const char *page_name(enum page_kind kind)
{
    static const char *const names[PAGE_KINDS] = {"overview", "flows", "connections",
                                                  "paths",    "top",   "dns"};
    return names[kind];
}

static void empty(struct page *page)
{
    node_reset(&page->memory);
    page->note = NULL;
    page->set = "";
    page->figure_count = 0;
    page->graph_count = 0;
    page->table_count = 0;
}

void page_build(struct page *page, enum page_kind kind, const struct page_source *source)
{
    static void (*const builders[PAGE_KINDS])(struct page *, const struct page_source *) = {
        page_overview, page_flows, page_connections, page_paths, page_metrics, page_dns,
    };
    empty(page);
    page->kind = kind;
    page->title = page_name(kind);
    builders[kind](page, source);
}

/* A row for each scalar below a node, named by its path. */
static void add_members(struct page *page, struct table *table, const struct node *node,
                        const char *path, unsigned depth)
{
    if (node_is_scalar(node)) {
        struct table_row *row = table_add(table);
        if (row != NULL) {
            row->cells[0] = page_cell(path);
            row->cells[1] = page_cell(keep(page, node->text));
        }
        return;
    }
    unsigned i = 0;
    for (const struct node *child = node->first; child != NULL && depth > 0; child = child->next) {
        char longer[PATH_ROOM];
        if (node->kind == NODE_MAP) {
            snprintf(longer, sizeof longer, "%s%s%s", path, path[0] != '\0' ? "." : "",
                     keep(page, child->name));
        } else {
            snprintf(longer, sizeof longer, "%s[%u]", path, i++);
        }
        add_members(page, table, child, page_format(page, "%s", longer), depth - 1);
    }
}

void page_detail(struct page *page, const struct node *about)
{
    static const struct table_column columns[] = {{"field", false, 0}, {"value", false, 0}};
    empty(page);
    page->title = "all fields";
    struct table *table = page_table(page, "fields", columns, 2, TABLE_ROWS);
    add_members(page, table, about, "", DETAIL_DEPTH);
}

void page_done(struct page *page)
{
    node_done(&page->memory);
}

/* ---- The first line ----------------------------------------------------------------------------- */

/* Sum of the two directions of a second. */
static double both(const struct node *second, const char *name)
{
    const struct node *list = node_member(second, span_str(name));
    double sum = 0;
    for (const struct node *item = list != NULL ? list->first : NULL; item != NULL;
         item = item->next) {
        double value = page_value(item);
        sum += isfinite(value) ? value : 0;
    }
    return sum;
}

struct page_status page_status(struct page *page, const struct page_source *source)
{
    const struct node *summary = source->documents[REMOTE_SUMMARY];
    struct page_status status = {
        .mode = page_text(page, summary, "mode"),
        .now = page_text(page, summary, "now"),
        .dropped = page_number(summary, "totals.dropped"),
    };
    if (strlen(status.now) > 19) { /* 2026-11-20T23:58:49.123Z: the time of the day */
        status.now = page_format(page, "%.8s", status.now + 11);
    }
    const struct node *history = source->documents[REMOTE_HISTORY];
    const struct node *list = history != NULL ? node_member(history, span_str("seconds")) : NULL;
    for (const struct node *second = list != NULL ? list->first : NULL; second != NULL;
         second = second->next) {
        if (status.packets_seen.count < PAGE_POINTS) {
            status.packets_seen.points[status.packets_seen.count++] = both(second, "packets");
        }
        status.packets = both(second, "packets");
        status.bits = 8 * both(second, "bytes");
    }
    return status;
}
