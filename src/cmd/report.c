// SPDX-License-Identifier: Apache-2.0
#include "cmd/report.h"

#include "base/seconds.h"
#include "base/text.h"
#include "cmd/board_value.h"
#include "summary/series.h"
#include "summary/topn.h"
#include "wire/packet.h"

#include <stdlib.h>
#include <string.h>

enum {
    COLUMNS = 80,
    TOP_ROWS = 8,
    SPARK_WIDE = 60,
    SPARK_ROW = 16,
    BAR_WIDTH = 20,
    NAME_WIDTH = 38,
    TREE_MAX = 512,
};

/* One printing: where to, and the board it is of. */
struct page {
    const struct report *report;
    const struct board *board;
    FILE *out;
    uint64_t first_ns, last_ns;
};

static const char *style(const struct page *page, enum terminal_style which)
{
    return terminal_style(&page->report->terminal, which);
}

/* ---- Small pictures -------------------------------------------------------------------------- */

/* Levels of a sparkline: eighths of a block, or what ASCII has. */
static const char *level(const struct page *page, unsigned i)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const ascii[] = {" ", ".", ".", ":", "-", "=", "+", "*", "#"};
    return page->report->terminal.unicode ? blocks[i] : ascii[i];
}

/* Spreads a course's buckets over `width` cells of the capture's span, each by its share. */
static void resample(const struct page *page, const struct series *course, uint64_t *cells,
                     unsigned width)
{
    double span = (double)(page->last_ns - page->first_ns) + 1;
    double bucket_width = (double)series_width_ns(course);
    double offset = (double)series_start_ns(course) - (double)page->first_ns;
    for (unsigned i = 0; i < course->used; i++) {
        double from = (offset + i * bucket_width) / span * width;
        double to = from + bucket_width / span * width;
        from = from < 0 ? 0 : from;
        to = to > width ? width : to;
        for (unsigned k = (unsigned)from; k < width && k < to; k++) {
            double low = k > from ? k : from;
            double high = k + 1 < to ? k + 1 : to;
            if (high > low) {
                cells[k] += (uint64_t)((double)course->buckets[i] * (high - low) / (to - from));
            }
        }
    }
}

/* Draws a course over the span of the capture in `width` columns. */
static void spark(const struct page *page, const struct series *course, unsigned width)
{
    uint64_t cells[SPARK_WIDE] = {0};
    uint64_t most = 0;
    if (course != NULL) {
        resample(page, course, cells, width);
    }
    for (unsigned i = 0; i < width; i++) {
        most = cells[i] > most ? cells[i] : most;
    }
    for (unsigned i = 0; i < width; i++) {
        unsigned step = most == 0 || cells[i] == 0 ? 0 : 1 + (unsigned)(cells[i] * 7 / most);
        fputs(level(page, step), page->out);
    }
}

static void bar(const struct page *page, double part)
{
    unsigned eighths = (unsigned)(part * BAR_WIDTH * 8 + 0.5);
    static const char *const ends[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    bool unicode = page->report->terminal.unicode;
    fputs(style(page, TERMINAL_ACCENT), page->out);
    for (unsigned i = 0; i < eighths / 8; i++) {
        fputs(unicode ? "█" : "#", page->out);
    }
    fputs(unicode ? ends[eighths % 8] : eighths % 8 > 3 ? "-" : "", page->out);
    fputs(style(page, TERMINAL_PLAIN), page->out);
}

/* ---- What, when, how much -------------------------------------------------------------------- */

static void print_source(const struct page *page)
{
    const struct report *r = page->report;
    char name[TEXT_ROOM + COLUMNS];
    text_printable(name, sizeof name, r->first_file);
    fprintf(page->out, "%s%s%s", style(page, TERMINAL_BOLD), name, style(page, TERMINAL_PLAIN));
    if (r->file_count > 1) {
        fprintf(page->out, " and %zu more", r->file_count - 1);
    }
    fputc('\n', page->out);
}

static void print_span(const struct page *page)
{
    char first[TEXT_TIME_ROOM], last[TEXT_TIME_ROOM], length[TEXT_ROOM];
    text_rfc3339(first, page->first_ns, 3);
    text_rfc3339(last, page->last_ns, 3);
    uint64_t span = page->last_ns - page->first_ns;
    text_short_duration(length, span < INT64_MAX ? (int64_t)span : INT64_MAX);
    fprintf(page->out, "  %s to %s  %s(%s)%s\n", first, last, style(page, TERMINAL_DIM), length,
            style(page, TERMINAL_PLAIN));
}

static void print_totals(const struct page *page, bool has_time)
{
    const struct board *board = page->board;
    char packets[TEXT_ROOM], bytes[TEXT_ROOM], rate[TEXT_ROOM], flows[TEXT_ROOM];
    uint64_t created = 0;
    for (uint32_t i = 0; i < board->worker_count; i++) {
        created += board->workers[i].flows_created;
    }
    text_short_count(packets, (double)board->frames);
    text_short_bytes(bytes, (double)board->bytes);
    text_short_count(flows, (double)created);
    fprintf(page->out, "  %s packets, %s, %s flows", packets, bytes, flows);
    double seconds = (double)(page->last_ns - page->first_ns) / (double)SECOND_NS;
    if (has_time && seconds > 0) {
        text_short_count(rate, 8 * (double)board->bytes / seconds);
        fprintf(page->out, ", %sbit/s", rate);
    }
    if (board->dropped == 0) {
        fprintf(page->out, ", %snothing lost%s", style(page, TERMINAL_GOOD),
                style(page, TERMINAL_PLAIN));
    } else {
        fprintf(page->out, ", %s%llu packets lost by the capture%s", style(page, TERMINAL_BAD),
                (unsigned long long)board->dropped, style(page, TERMINAL_PLAIN));
    }
    fputc('\n', page->out);
}

static void print_course(const struct page *page)
{
    fputs("  ", page->out);
    fputs(style(page, TERMINAL_ACCENT), page->out);
    spark(page, engine_total_course(page->report->engine), SPARK_WIDE);
    fprintf(page->out, "%s bytes over time\n", style(page, TERMINAL_PLAIN));
}

static void print_head(const struct page *page, bool has_time)
{
    print_source(page);
    if (has_time) {
        print_span(page);
    }
    print_totals(page, has_time);
    if (has_time && page->last_ns > page->first_ns) {
        print_course(page);
    }
    fprintf(page->out, "\n%sOdd%s\n", style(page, TERMINAL_BOLD), style(page, TERMINAL_PLAIN));
    if (report_odd_print(page->report, page->board, page->out) == 0) {
        fprintf(page->out, "  %snothing%s\n", style(page, TERMINAL_GOOD),
                style(page, TERMINAL_PLAIN));
    }
}

/* ---- Protocol hierarchy ---------------------------------------------------------------------- */

/* A node is a path prefix; paths sorted by prefix make the tree. */
struct node {
    uint64_t layers; /* of the prefix */
    unsigned depth;
    uint64_t packets;
    uint64_t bytes;
};

static unsigned layer_at(uint64_t layers, unsigned depth)
{
    return (unsigned)(layers >> (depth * PACKET_LAYER_BITS)) & ((1U << PACKET_LAYER_BITS) - 1);
}

static uint64_t prefix_of(uint64_t layers, unsigned depth)
{
    return layers & ((UINT64_C(1) << (depth * PACKET_LAYER_BITS)) - 1);
}

/* Adds a path to all its prefixes. */
static unsigned add_path(struct node *nodes, unsigned count, const struct board_path *path)
{
    for (unsigned depth = 1; depth <= PACKET_LAYERS_MAX; depth++) {
        if (layer_at(path->layers, depth - 1) == LAYER_NONE) {
            break;
        }
        uint64_t prefix = prefix_of(path->layers, depth);
        unsigned i = 0;
        while (i < count && (nodes[i].layers != prefix || nodes[i].depth != depth)) {
            i++;
        }
        if (i == TREE_MAX) {
            break;
        }
        if (i == count) {
            nodes[count++] = (struct node){.layers = prefix, .depth = depth};
        }
        nodes[i].packets += path->packets;
        nodes[i].bytes += path->bytes;
    }
    return count;
}

/* Prints the children of a prefix, the heaviest first, each with its own below it. */
static void print_children(const struct page *page, struct node *nodes, unsigned count,
                           uint64_t layers, unsigned depth)
{
    for (;;) {
        struct node *best = NULL;
        for (unsigned i = 0; i < count; i++) {
            struct node *n = &nodes[i];
            if (n->depth == depth + 1 && n->packets > 0 && prefix_of(n->layers, depth) == layers &&
                (best == NULL || n->bytes > best->bytes)) {
                best = n;
            }
        }
        if (best == NULL) {
            return;
        }
        char packets[TEXT_ROOM], bytes[TEXT_ROOM];
        double part = page->board->bytes > 0 ? (double)best->bytes / (double)page->board->bytes : 0;
        const char *name = packet_layer_name((enum packet_layer)layer_at(best->layers, depth));
        fprintf(page->out, "  %*s%-*s%9s %9s %5.1f %% ", (int)(2 * depth), "",
                NAME_WIDTH - 11 - (int)(2 * depth), name,
                text_short_count(packets, (double)best->packets),
                text_short_bytes(bytes, (double)best->bytes), 100 * part);
        bar(page, part);
        fputc('\n', page->out);
        best->packets = 0; /* printed */
        print_children(page, nodes, count, best->layers, depth + 1);
    }
}

static void print_hierarchy(const struct page *page)
{
    struct node *nodes = calloc(TREE_MAX + 1, sizeof *nodes);
    if (nodes == NULL) {
        return;
    }
    unsigned count = 0;
    for (uint32_t i = 0; i < page->board->path_count; i++) {
        count = add_path(nodes, count, &page->board->paths[i]);
    }
    fprintf(page->out, "\n%sProtocols%s%20s%9s %9s\n", style(page, TERMINAL_BOLD),
            style(page, TERMINAL_PLAIN), "", "packets", "bytes");
    print_children(page, nodes, count, 0, 0);
    free(nodes);
}

/* ---- Top tables ------------------------------------------------------------------------------ */

static void print_item(const struct page *page, const struct metric *metric,
                       const struct topn *top, const struct topn_item *item)
{
    char name[128], bytes[TEXT_ROOM], packets[TEXT_ROOM];
    metric_key_text(metric->key, topn_key(top, item), name, sizeof name);
    text_short_bytes(bytes, (double)item->weight);
    text_short_count(packets, (double)topn_extras(top, item)[0]);
    if (strlen(name) > NAME_WIDTH) { /* two IPv6 addresses: a line of their own */
        fprintf(page->out, "  %.*s\n", COLUMNS - 2, name);
        name[0] = '\0';
    }
    fprintf(page->out, "  %-*s %9s %9s  ", NAME_WIDTH, name, bytes, packets);
    fputs(style(page, TERMINAL_ACCENT), page->out);
    spark(page, engine_course(page->report->engine, metric, topn_key(top, item)), SPARK_ROW);
    fprintf(page->out, "%s\n", style(page, TERMINAL_PLAIN));
}

static void print_top(const struct page *page, const char *name, const char *title)
{
    const void *value;
    const struct metric *metric = board_metric(page->board, "net", name, &value);
    const struct topn *top = value;
    const struct topn_item *items[TOP_ROWS];
    uint32_t count = topn_top(top, items, TOP_ROWS);
    if (count == 0) {
        return;
    }
    fprintf(page->out, "\n%s%-*s%s %11s %9s  over time\n", style(page, TERMINAL_BOLD), NAME_WIDTH,
            title, style(page, TERMINAL_PLAIN), "bytes", "packets");
    for (uint32_t i = 0; i < count; i++) {
        print_item(page, metric, top, items[i]);
    }
    if (top->count > count) {
        fprintf(page->out, "  %sand %u more%s\n", style(page, TERMINAL_DIM), top->count - count,
                style(page, TERMINAL_PLAIN));
    }
}

/* ---- TCP ------------------------------------------------------------------------------------- */

static void print_tcp(const struct page *page)
{
    static const char *const facts[][2] = {
        {"syns", "SYNs"},          {"opened", "handshakes"},
        {"closed", "closed"},      {"resets", "resets"},
        {"retransmissions", "retransmissions"}, {"out_of_order", "out of order"},
    };
    if (board_value(page->board, "tcp", "packets") == 0) {
        return;
    }
    fprintf(page->out, "\n%sTCP%s\n  ", style(page, TERMINAL_BOLD), style(page, TERMINAL_PLAIN));
    for (unsigned i = 0; i < sizeof facts / sizeof *facts; i++) {
        char count[TEXT_ROOM];
        text_short_count(count, (double)board_value(page->board, "tcp", facts[i][0]));
        fprintf(page->out, "%s%s %s", i > 0 ? ", " : "", count, facts[i][1]);
    }
    fputc('\n', page->out);
}

void report_print(const struct report *report, FILE *out)
{
    struct page page = {.report = report, .out = out};
    bool has_time = engine_span(report->engine, &page.first_ns, &page.last_ns);
    if (!has_time) {
        page.first_ns = page.last_ns = 0;
    }
    page.board = engine_lock(report->engine);
    print_head(&page, has_time);
    if (page.board->frames > 0) {
        print_hierarchy(&page);
        print_top(&page, "top_talkers", "Talkers");
        print_top(&page, "top_services", "Services");
        print_top(&page, "top_conversations", "Conversations");
        print_tcp(&page);
    }
    engine_unlock(report->engine);
}
