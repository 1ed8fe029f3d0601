// SPDX-License-Identifier: Apache-2.0
/* What a page says, before anybody decides how it looks: figures, graphs and tables, made from the
 * agent's documents. The screen, `--once` as text, JSON and CSV are all made from this. Documents come
 * from the network and may be anything: what is missing or of another kind is empty, never an error.
 *
 * A page and all its texts live in its own memory until the next page_build(); rows borrow from the
 * documents. Pure: no clock, no files. One thread. */
#pragma once

#include "top/remote.h"
#include "top/table.h"

enum page_kind {
    PAGE_OVERVIEW,
    PAGE_FLOWS,
    PAGE_CONNECTIONS,
    PAGE_PATHS,
    PAGE_TOP,
    PAGE_DNS,
    PAGE_KINDS,
};

/* Which counts are shown: those of the last seconds, of the last whole minute, of all time. */
enum page_span { PAGE_NOW, PAGE_MINUTE, PAGE_TOTAL, PAGE_SPANS };

enum { PAGE_ITEMS = 1000 }; /* of a list that are looked at */
enum { PAGE_TABLES = 20, PAGE_FIGURES = 64, PAGE_GRAPHS = 2, PAGE_POINTS = 300 };

struct page_source {
    const struct node *documents[REMOTE_ASKS]; /* NULL: not there */
    const struct node *before;                 /* a summary of some seconds ago, or NULL */
    double seconds;                            /* between the two */
    enum page_span span;
    const char *set;    /* the metric set of PAGE_TOP; "": the first */
    const char *policy; /* whose window PAGE_DNS shows; "": none counts DNS */
    const struct node *about; /* of page_detail() */
};

struct page_figure {
    const char *name;
    const char *text;
    double value; /* NAN: only text */
    uint8_t line; /* of a header that has several */
};

struct page_graph {
    const char *name;
    double points[PAGE_POINTS]; /* a second each, oldest first */
    size_t count;
};

struct page {
    struct nodes memory;
    enum page_kind kind;
    const char *title;
    const char *note; /* why there is nothing, and what to do; NULL: there is */
    const char *set;  /* of PAGE_TOP: the one that is shown */
    struct page_figure figures[PAGE_FIGURES];
    size_t figure_count;
    struct page_graph graphs[PAGE_GRAPHS];
    size_t graph_count;
    struct table tables[PAGE_TABLES];
    size_t table_count;
};

/* The page's name, for tabs and options. */
const char *page_name(enum page_kind kind);

/* Makes a page anew. */
void page_build(struct page *page, enum page_kind kind, const struct page_source *source);
/* All that a document says, a member a row: what opens on a row. */
void page_detail(struct page *page, const struct node *about);
void page_done(struct page *page);

/* What the summary says about the agent, which every page shows in its first line; texts live in the
 * page. */
struct page_status {
    const char *mode;
    const char *now; /* hh:mm:ss of packet time, UTC */
    double packets;  /* of the latest whole second */
    double bits;
    double dropped;
    struct page_graph packets_seen;
};
struct page_status page_status(struct page *page, const struct page_source *source);

/* For the pages: private to them. */

/* The number that a node is, or that is at a path below it; NAN when there is none. */
double page_value(const struct node *node);
double page_number(const struct node *at, const char *path);
/* A scalar's text at a path, safe to print and at most 200 bytes; "" when there is none. */
const char *page_text(struct page *page, const struct node *at, const char *path);
__attribute__((format(printf, 2, 3))) const char *page_format(struct page *page,
                                                              const char *format, ...);
void page_figure(struct page *page, unsigned line, const char *name, double value,
                 const char *text);
struct table *page_table(struct page *page, const char *name, const struct table_column *columns,
                         size_t column_count, size_t capacity);
/* Cells with a number as people read it: "12.3 k", "1.2 MiB", "34 ms"; an empty one of NAN. */
struct table_cell page_count(struct page *page, double value);
struct table_cell page_bytes(struct page *page, double value);
struct table_cell page_milliseconds(struct page *page, double value);
struct table_cell page_cell(const char *text);

/* How many items a list has. */
size_t page_items(const struct node *list);

void page_overview(struct page *page, const struct page_source *source);
void page_metrics(struct page *page, const struct page_source *source);
void page_flows(struct page *page, const struct page_source *source);
void page_connections(struct page *page, const struct page_source *source);
void page_paths(struct page *page, const struct page_source *source);
void page_dns(struct page *page, const struct page_source *source);
/* A top-N of a metric set as a table, by what it gained in the span. */
void page_top_table(struct page *page, const struct page_source *source, const char *set,
                    const char *metric, const char *title);
