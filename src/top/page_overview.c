// SPDX-License-Identifier: Apache-2.0
/* The overview and the pages of metric sets: what /api/v1/summary, /history and /schema say. */
#include <math.h>

#include "base/text.h"
#include "top/page.h"

enum { HIERARCHY_DEPTH = 12, TOP_ROWS = 100, PATH_ROOM = 128 };

/* ---- Graphs ------------------------------------------------------------------------------------- */

static double item_number(const struct node *list, size_t at)
{
    const struct node *item = list != NULL ? list->first : NULL;
    while (item != NULL && at > 0) {
        item = item->next;
        at--;
    }
    double value = page_value(item);
    return isfinite(value) ? value : 0;
}

/* Bits a second of one direction, and its figures of the latest second. */
static void add_graph(struct page *page, const struct node *seconds, size_t direction,
                      const char *name)
{
    struct page_graph *graph = &page->graphs[page->graph_count++];
    double packets = 0;
    *graph = (struct page_graph){.name = name};
    for (const struct node *s = seconds != NULL ? seconds->first : NULL;
         s != NULL && graph->count < PAGE_POINTS; s = s->next) {
        graph->points[graph->count++] =
            8 * item_number(node_member(s, span_str("bytes")), direction);
        packets = item_number(node_member(s, span_str("packets")), direction);
    }
    double bits = graph->count > 0 ? graph->points[graph->count - 1] : 0;
    page_figure(page, 0, page_format(page, "%s bit/s", name), bits, page_count(page, bits).text);
    page_figure(page, 0, page_format(page, "%s pkt/s", name), packets,
                page_count(page, packets).text);
}

/* ---- The protocol hierarchy --------------------------------------------------------------------- */

static void add_protocols(struct page *page, struct table *table, const struct node *list,
                          double all, unsigned depth)
{
    for (const struct node *item = list != NULL ? list->first : NULL;
         item != NULL && depth < HIERARCHY_DEPTH; item = item->next) {
        struct table_row *row = table_add(table);
        if (row == NULL) {
            return;
        }
        double bytes = page_number(item, "bytes");
        row->cells[0] = page_cell(
            page_format(page, "%*s%s", (int)depth, "", page_text(page, item, "name")));
        row->cells[1] = page_bytes(page, bytes);
        if (all > 0 && !isnan(bytes)) {
            row->cells[2] = (struct table_cell){
                .text = page_format(page, "%.0f%%", 100 * bytes / all), .number = bytes / all};
        }
        row->cells[3] = page_count(page, page_number(item, "packets"));
        add_protocols(page, table, node_member(item, span_str("children")), all, depth + 1);
    }
}

static void add_hierarchy(struct page *page, const struct node *summary)
{
    static const struct table_column columns[] = {
        {"protocol", false, 0}, {"bytes", true, 0}, {"share", true, 1}, {"packets", true, 2}};
    struct table *table = page_table(page, "Protocols", columns, 4, TOP_ROWS);
    add_protocols(page, table,
                  summary != NULL ? node_member(summary, span_str("hierarchy")) : NULL,
                  page_number(summary, "totals.bytes"), 0);
}

/* ---- Top-Ns ------------------------------------------------------------------------------------- */

static const struct node *member_at(const struct node *root, const char *set, const char *part,
                                    const char *metric)
{
    const struct node *at = root != NULL ? node_member(root, span_str("metrics")) : NULL;
    at = at != NULL ? node_member(at, span_str(set)) : NULL;
    at = at != NULL ? node_member(at, span_str(part)) : NULL;
    return at != NULL && metric[0] != '\0' ? node_member(at, span_str(metric)) : at;
}

/* What an item weighed earlier; 0 when it was not there. */
static double weight_before(const struct node *list, const struct node *item)
{
    const struct node *key = node_member(item, span_str("key"));
    unsigned left = PAGE_ITEMS;
    for (const struct node *other = list != NULL && key != NULL ? list->first : NULL;
         other != NULL && left-- > 0; other = other->next) {
        const struct node *name = node_member(other, span_str("key"));
        if (name != NULL && span_equal(name->text, key->text)) {
            double weight = page_number(other, "weight");
            return isnan(weight) ? 0 : weight;
        }
    }
    return 0;
}

/* A row of a top-N; without one when it gained nothing. */
static void add_item(struct page *page, struct table *table, const struct node *item,
                     const struct node *before, double seconds)
{
    double weight = page_number(item, "weight");
    if (before != NULL) {
        weight = (weight - weight_before(before, item)) * 8 / seconds;
    }
    struct table_row *row = weight > 0 ? table_add(table) : NULL;
    if (row == NULL) {
        return;
    }
    row->about = item;
    row->cells[0] = page_cell(page_text(page, item, "key"));
    row->cells[1] = before != NULL ? page_count(page, weight) : page_bytes(page, weight);
    row->cells[2] = page_count(page, page_number(item, "packets"));
    row->cells[3] = page_count(page, page_number(item, "flows"));
}

void page_top_table(struct page *page, const struct page_source *source, const char *set,
                    const char *metric, const char *title)
{
    static const struct table_column rates[] = {
        {"name", false, 0}, {"bit/s", true, 0}, {"packets", true, 2}, {"flows", true, 1}};
    static const struct table_column sums[] = {
        {"name", false, 0}, {"bytes", true, 0}, {"packets", true, 2}, {"flows", true, 1}};
    const struct node *summary = source->documents[REMOTE_SUMMARY];
    const char *part = source->span == PAGE_MINUTE ? "window" : "total";
    const struct node *list = member_at(summary, set, part, metric);
    const struct node *before = source->span == PAGE_NOW && source->seconds >= 1
                                    ? member_at(source->before, set, "total", metric)
                                    : NULL;
    struct table *table = page_table(page, title, before != NULL ? rates : sums, 4, TOP_ROWS);
    unsigned left = PAGE_ITEMS;
    for (const struct node *item = list != NULL ? list->first : NULL; item != NULL && left-- > 0;
         item = item->next) {
        add_item(page, table, item, before, source->seconds);
    }
    table_sort(table, 1, true);
}

/* Whether the capture knows what is in and what is out. */
static bool knows_direction(const struct node *summary)
{
    return page_number(summary, "metrics.net.total.direction_packets.in") > 0 ||
           page_number(summary, "metrics.net.total.direction_packets.out") > 0;
}

void page_overview(struct page *page, const struct page_source *source)
{
    const struct node *summary = source->documents[REMOTE_SUMMARY];
    const struct node *history = source->documents[REMOTE_HISTORY];
    const struct node *seconds =
        history != NULL ? node_member(history, span_str("seconds")) : NULL;
    bool knows = knows_direction(summary);
    add_graph(page, seconds, 0, knows ? "in" : "answers");
    add_graph(page, seconds, 1, knows ? "out" : "asks");
    static const struct {
        const char *name, *path;
    } figures[] = {
        {"packets", "totals.frames"},          {"bytes", "totals.bytes"},
        {"dropped", "totals.dropped"},         {"flows", "totals.flows_active"},
        {"events lost", "totals.events_dropped"},
    };
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        double value = page_number(summary, figures[i].path);
        page_figure(page, 1, figures[i].name, value, page_count(page, value).text);
    }
    add_hierarchy(page, summary);
    page_top_table(page, source, "net", "top_talkers", "Talkers");
    page_top_table(page, source, "net", "top_services", "Services");
    page_top_table(page, source, "net", "top_conversations", "Conversations");
    page->note = summary == NULL ? "The agent has no summary: is it vantage?" : NULL;
}

/* ---- Pages of metric sets ----------------------------------------------------------------------- */

static void add_counter(struct page *page, struct table *table, const struct node *value,
                        double before, const struct page_source *source)
{
    double now = page_value(value);
    struct table_row *row = table_add(table);
    if (row == NULL) {
        return;
    }
    row->cells[1] = page_count(page, now);
    if (source->seconds >= 1 && !isnan(before)) {
        double rate = (now - before) / source->seconds;
        row->cells[2] = page_count(page, rate > 0 ? rate : 0);
    }
}

/* One counter, or all of a labelled one, which is a map. */
static void add_counters(struct page *page, struct table *table, const struct node *metric,
                         const struct node *before, const struct page_source *source)
{
    const char *name = page_format(page, "%.*s", (int)(metric->name.size < 100 ? metric->name.size : 100),
                                   (const char *)metric->name.data);
    const struct node *list = metric->kind == NODE_MAP ? metric->first : metric;
    for (const struct node *item = list; item != NULL && table->row_count < table->capacity;
         item = item->next) {
        char path[PATH_ROOM];
        size_t size = item->name.size < 60 ? item->name.size : 60;
        struct span label = span_head(item->name, size);
        bool is_map = metric->kind == NODE_MAP;
        const char *shown = is_map ? page_format(page, "%s.%.*s", name, (int)size,
                                                 (const char *)label.data)
                                   : name;
        text_printable(path, sizeof path, shown);
        if (item->kind == NODE_NUMBER) {
            size_t at = table->row_count;
            add_counter(page, table, item, page_number(before, shown), source);
            if (table->row_count > at) {
                table->rows[at].cells[0] = page_cell(page_format(page, "%s", path));
            }
        }
        if (!is_map) {
            break;
        }
    }
}

/* The set that is asked for, or the first. */
static const struct node *find_set(const struct node *sets, const char *name)
{
    const struct node *set = sets != NULL ? node_member(sets, span_str(name)) : NULL;
    return set != NULL ? set : sets != NULL ? sets->first : NULL;
}

void page_metrics(struct page *page, const struct page_source *source)
{
    static const struct table_column columns[] = {
        {"counter", false, 0}, {"count", true, 0}, {"per second", true, 1}};
    const struct node *summary = source->documents[REMOTE_SUMMARY];
    const struct node *sets = summary != NULL ? node_member(summary, span_str("metrics")) : NULL;
    const struct node *set = find_set(sets, source->set);
    if (set == NULL) {
        page->note = "This agent counts nothing yet.";
        return;
    }
    page->set = page_format(page, "%.*s", (int)(set->name.size < 60 ? set->name.size : 60),
                            (const char *)set->name.data);
    const char *part = source->span == PAGE_MINUTE ? "window" : "total";
    const struct node *counts = node_member(set, span_str(part));
    const struct node *before =
        source->span == PAGE_MINUTE ? NULL : member_at(source->before, page->set, "total", "");
    for (const struct node *m = counts != NULL ? counts->first : NULL; m != NULL; m = m->next) {
        if (m->kind == NODE_LIST && m->name.size < 60 && page->table_count < PAGE_TABLES - 1) {
            const char *name =
                page_format(page, "%.*s", (int)m->name.size, (const char *)m->name.data);
            page_top_table(page, source, page->set, name, name);
        }
    }
    struct table *table = page_table(page, page->set, columns, 3, 300);
    for (const struct node *m = counts != NULL ? counts->first : NULL; m != NULL; m = m->next) {
        add_counters(page, table, m, before, source);
    }
}
