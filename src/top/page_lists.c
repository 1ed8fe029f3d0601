// SPDX-License-Identifier: Apache-2.0
/* Flows, connections and paths: the lists of the API as tables. */
#include <math.h>

#include "top/page.h"

enum { PATH_MEMBERS = 20 };

#define COLUMNS(list) list, sizeof(list) / sizeof *(list)

static const struct node *first_of(const struct node *document, const char *name)
{
    const struct node *list = document != NULL ? node_member(document, span_str(name)) : NULL;
    return list != NULL ? list->first : NULL;
}

static const struct node *list_of(const struct node *document, const char *name)
{
    return document != NULL ? node_member(document, span_str(name)) : NULL;
}

/* Why a list is empty: what the agent said, or what the page knows. */
static const char *reason(struct page *page, const struct node *document, const char *known)
{
    const char *said = page_text(page, document, "error");
    return said[0] != '\0' ? said : known;
}

/* "192.0.2.1:443", "[2001:db8::1]:443", or the address alone. */
static const char *end_of(struct page *page, const struct node *item, const char *side)
{
    const struct node *end = node_member(item, span_str(side));
    const char *ip = page_text(page, end, "ip");
    const char *port = page_text(page, end, "port");
    bool is_six = strchr(ip, ':') != NULL;
    if (port[0] == '\0') {
        return ip;
    }
    return page_format(page, is_six ? "[%s]:%s" : "%s:%s", ip, port);
}

/* The time of the day of an RFC 3339 time. */
static const char *time_of(struct page *page, const struct node *item, const char *path)
{
    const char *text = page_text(page, item, path);
    return strlen(text) > 19 ? page_format(page, "%.8s", text + 11) : text;
}

void page_flows(struct page *page, const struct page_source *source)
{
    static const struct table_column columns[] = {
        {"source", false, 0},   {"destination", false, 0}, {"proto", false, 1},
        {"bytes", true, 0},     {"packets", true, 2},      {"state", false, 3},
        {"duration", true, 4},  {"start", false, 5},       {"app", false, 6},
    };
    const struct node *document = source->documents[REMOTE_FLOWS];
    struct table *table = page_table(page, "flows", COLUMNS(columns),
                                     page_items(list_of(document, "flows")));
    for (const struct node *flow = first_of(document, "flows"); flow != NULL; flow = flow->next) {
        struct table_row *row = table_add(table);
        if (row == NULL) {
            break;
        }
        row->about = flow;
        row->cells[0] = page_cell(end_of(page, flow, "source"));
        row->cells[1] = page_cell(end_of(page, flow, "destination"));
        row->cells[2] = page_cell(page_text(page, flow, "network.transport"));
        row->cells[3] = page_bytes(page, page_number(flow, "network.bytes"));
        row->cells[4] = page_count(page, page_number(flow, "network.packets"));
        row->cells[5] = page_cell(page_text(page, flow, "flow.state"));
        row->cells[6] = page_milliseconds(page, page_number(flow, "event.duration") / 1e6);
        row->cells[7] = page_cell(time_of(page, flow, "event.start"));
        row->cells[8] = page_cell(page_text(page, flow, "network.protocol"));
    }
    double matched = page_number(document, "matched");
    double offset = page_number(document, "offset");
    page_figure(page, 0, "matched", matched, page_count(page, matched).text);
    page_figure(page, 0, "from", isnan(offset) ? 0 : offset, page_count(page, offset).text);
    if (strcmp(page_text(page, document, "complete"), "false") == 0) {
        page_figure(page, 0, "incomplete", NAN, "a worker did not answer in time");
    }
    page->note = document == NULL        ? "No answer about flows."
                 : table->row_count == 0 ? reason(page, document, "No flow matches: Esc clears the filter.")
                                         : NULL;
}

/* ---- Connections -------------------------------------------------------------------------------- */

/* What is wrong with a connection, in words. */
static const char *trouble_of(struct page *page, const struct node *item)
{
    static const struct {
        const char *path, *word;
    } flags[] = {
        {"tcp.health.flags.blackholed", "blackholed"},
        {"tcp.health.flags.bufferbloat", "bufferbloat"},
    };
    static const struct {
        const char *path, *word;
    } counts[] = {
        {"tcp.health.flags.rto", "time-outs"}, {"tcp.health.rst_pkts", "reset"},
    };
    const char *text = "";
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(page_text(page, item, flags[i].path), "true") == 0) {
            text = page_format(page, "%s%s%s", text, text[0] != '\0' ? ", " : "", flags[i].word);
        }
    }
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (page_number(item, counts[i].path) > 0) {
            text = page_format(page, "%s%s%s", text, text[0] != '\0' ? ", " : "", counts[i].word);
        }
    }
    return text;
}

/* The sum of a figure of both directions; NAN where neither has it. */
static double both_of(struct page *page, const struct node *item, const char *name)
{
    double a = page_number(item, page_format(page, "tcp.health.c2s.%s", name));
    double b = page_number(item, page_format(page, "tcp.health.s2c.%s", name));
    return isnan(a) ? b : isnan(b) ? a : a + b;
}

static void add_connection(struct page *page, struct table *table, const struct node *item,
                           double place)
{
    struct table_row *row = table_add(table);
    if (row == NULL) {
        return;
    }
    double busy = page_number(item, "tcp.health.s2c.goodput_mbps");
    row->about = item;
    row->cells[0] = (struct table_cell){.text = page_format(page, "%.0f", place), .number = place};
    row->cells[1] = page_cell(end_of(page, item, "client"));
    row->cells[2] = page_cell(end_of(page, item, "server"));
    row->cells[3] = page_cell(trouble_of(page, item));
    row->cells[4] =
        page_milliseconds(page, page_number(item, "tcp.health.handshake_rtt_to_server_ms"));
    row->cells[5] = page_milliseconds(page, page_number(item, "tcp.health.s2c.rtt_p95_ms"));
    row->cells[6] = page_count(page, both_of(page, item, "retrans_pkts"));
    row->cells[7] = page_milliseconds(page, page_number(item, "tcp.health.longest_stall_ms"));
    row->cells[8] = page_milliseconds(page, page_number(item, "tcp.health.ttfb_ms"));
    row->cells[9] = page_count(page, busy * 1e6);
    row->cells[10] = page_cell(page_text(page, item, "flow.state"));
    row->cells[11] = page_cell(page_text(page, item, "tcp.health.quality"));
}

void page_connections(struct page *page, const struct page_source *source)
{
    static const struct table_column columns[] = {
        {"#", true, 2},          {"client", false, 0},  {"server", false, 0},
        {"trouble", false, 0},   {"handshake", true, 3}, {"rtt p95", true, 1},
        {"again", true, 0},      {"stall", true, 1},    {"first byte", true, 4},
        {"goodput b/s", true, 5}, {"state", false, 6},   {"judged", false, 7},
    };
    const struct node *document = source->documents[REMOTE_CONNECTIONS];
    struct table *table = page_table(page, "connections", COLUMNS(columns),
                                     page_items(list_of(document, "connections")));
    double place = 1;
    for (const struct node *item = first_of(document, "connections");
         item != NULL && place <= TABLE_ROWS; item = item->next) {
        add_connection(page, table, item, place++);
    }
    double total = page_number(document, "total");
    page_figure(page, 0, "connections", total, page_count(page, total).text);
    bool judged = strcmp(page_text(page, document, "judged"), "false") != 0;
    page->note = document == NULL ? "No answer about connections."
                 : !judged        ? "Connections are not judged: set flows.health: true."
                 : table->row_count == 0 ? reason(page, document, "No TCP connection has ended or spoken yet.")
                                         : NULL;
}

/* ---- Paths -------------------------------------------------------------------------------------- */

/* Where a path leads, of what there is about it: place, network, zone, port. */
static const char *path_of(struct page *page, const struct node *item)
{
    const char *text = "";
    unsigned left = PATH_MEMBERS;
    for (const struct node *member = item->first; member != NULL && left-- > 0;
         member = member->next) {
        bool is_word = member->kind == NODE_TEXT ||
                       (member->kind == NODE_NUMBER &&
                        span_equal(member->name, span_str("server_port")));
        if (is_word && strlen(text) < 150) {
            const char *word = page_text(page, item, page_format(page, "%.*s",
                (int)(member->name.size < 60 ? member->name.size : 60),
                (const char *)member->name.data));
            bool is_port = member->kind == NODE_NUMBER;
            text = page_format(page, "%s%s%s%s", text, text[0] != '\0' ? " " : "",
                               is_port ? "port " : "", word);
        }
    }
    return text;
}

/* "blackholed 2%, lossy 1%". */
static const char *verdicts_of(struct page *page, const struct node *item)
{
    const struct node *map = node_member(item, span_str("verdicts"));
    const char *text = "";
    for (const struct node *v = map != NULL ? map->first : NULL; v != NULL; v = v->next) {
        double share = page_value(v);
        if (share > 0.001 && strlen(text) < 150 && v->name.size < 40) {
            text = page_format(page, "%s%s%.*s %.1f%%", text, text[0] != '\0' ? ", " : "",
                               (int)v->name.size, (const char *)v->name.data, 100 * share);
        }
    }
    char *safe = node_allocate(&page->memory, strlen(text) + 1);
    for (size_t i = 0; text[i] != '\0'; i++) {
        safe[i] = text[i] == '_' ? ' ' : text[i];
    }
    return safe;
}

static struct table_cell percent(struct page *page, double value)
{
    if (isnan(value)) {
        return page_cell("");
    }
    return (struct table_cell){.text = page_format(page, "%.1f%%", value), .number = value};
}

static void add_path(struct page *page, struct table *table, const struct node *item)
{
    struct table_row *row = table_add(table);
    if (row == NULL) {
        return;
    }
    row->about = item;
    row->cells[0] = page_cell(path_of(page, item));
    row->cells[1] = page_milliseconds(page, page_number(item, "rtt_p50_ms"));
    row->cells[2] = page_milliseconds(page, page_number(item, "rtt_p95_ms"));
    row->cells[3] = page_milliseconds(page, page_number(item, "rtt_p99_ms"));
    row->cells[4] = percent(page, page_number(item, "loss_p95_percent"));
    row->cells[5] = page_count(page, 1e6 * page_number(item, "throughput_p50_mbps"));
    row->cells[6] = page_count(page, page_number(item, "connections"));
    row->cells[7] = page_cell(
        strcmp(page_text(page, item, "slow"), "true") == 0 ? "slow" : "");
    row->cells[8] = page_cell(verdicts_of(page, item));
}

void page_paths(struct page *page, const struct page_source *source)
{
    static const struct table_column columns[] = {
        {"path", false, 0},        {"rtt p50", true, 0},    {"p95", true, 1},
        {"p99", true, 3},          {"loss p95", true, 2},   {"usual b/s", true, 4},
        {"connections", true, 1},  {"weather", false, 0},   {"verdicts", false, 5},
    };
    const struct node *document = source->documents[REMOTE_PATHS];
    struct table *table = page_table(page, "paths", COLUMNS(columns),
                                     page_items(list_of(document, "paths")));
    unsigned left = TABLE_ROWS;
    for (const struct node *item = first_of(document, "paths"); item != NULL && left-- > 0;
         item = item->next) {
        add_path(page, table, item);
    }
    double normal = page_number(document, "normal_ms");
    page_figure(page, 0, "normal round trip", normal, page_milliseconds(page, normal).text);
    page->note = document == NULL        ? "This agent has no latency weather."
                 : table->row_count == 0 ? reason(page, document, "No connection yet to judge a path by.")
                                         : NULL;
}
