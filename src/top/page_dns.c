// SPDX-License-Identifier: Apache-2.0
/* The DNS page of pktvisor-cli, kept whole: its six header lines and its boxes in their order, from the
 * window of a policy with the handlers net, dns, dhcp and pcap. A window is a map of handlers, each with
 * a map by the name of what it counts. Shares of nothing are not shown, where pktvisor-cli said NaN. */
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "top/page.h"

enum { BOX_ROWS = 10, HANDLERS = 100, PATH_ROOM = 128 };

/* ---- Header ------------------------------------------------------------------------------------- */

enum item_kind {
    COUNT,   /* N */
    SHARE,   /* N (x.x%) of another figure */
    OUT_OF,  /* N/M */
    RATES,   /* live/s p50/p90/p95/p99 */
    DELAYS,  /* p50/p90/p95/p99 ms, of microseconds */
};

struct item {
    uint8_t line;
    enum item_kind kind;
    const char *name;
    const char *path;
    const char *of;
};

static const struct item items[] = {
    {0, COUNT, "Pkts", "packets.total", NULL},
    {0, SHARE, "UDP", "packets.udp", "packets.total"},
    {0, SHARE, "TCP", "packets.tcp", "packets.total"},
    {0, SHARE, "Other", "packets.other_l4", "packets.total"},
    {0, SHARE, "IPv4", "packets.ipv4", "packets.total"},
    {0, SHARE, "IPv6", "packets.ipv6", "packets.total"},
    {0, SHARE, "In", "packets.in", "packets.total"},
    {0, SHARE, "Out", "packets.out", "packets.total"},
    {0, SHARE, "Deep Samples", "packets.deep_samples", "packets.total"},
    {1, RATES, "Pkt Rates Total", "packets.rates.pps_total", "pps"},
    {1, RATES, "In", "packets.rates.pps_in", "pps"},
    {1, RATES, "Out", "packets.rates.pps_out", "pps"},
    {1, COUNT, "IP Card. In", "packets.cardinality.src_ips_in", NULL},
    {1, COUNT, "Out", "packets.cardinality.dst_ips_out", NULL},
    {1, COUNT, "TCP Errors", "pcap.tcp_reassembly_errors", NULL},
    {1, COUNT, "OS Drops", "pcap.os_drops", NULL},
    {1, COUNT, "IF Drops", "pcap.if_drops", NULL},
    {2, OUT_OF, "DHCP Wire Pkts", "dhcp.wire_packets.total", "dhcp.wire_packets.events"},
    {2, RATES, "Rates Total", "dhcp.rates.total", "pps"},
    {2, SHARE, "Discover", "dhcp.wire_packets.discover", "dhcp.wire_packets.total"},
    {2, SHARE, "Offer", "dhcp.wire_packets.offer", "dhcp.wire_packets.total"},
    {2, SHARE, "Request", "dhcp.wire_packets.request", "dhcp.wire_packets.total"},
    {2, SHARE, "Ack", "dhcp.wire_packets.ack", "dhcp.wire_packets.total"},
    {3, OUT_OF, "DNS Wire Pkts", "dns.wire_packets.total", "dns.wire_packets.events"},
    {3, RATES, "Rates Total", "dns.rates.total", "pps"},
    {3, SHARE, "UDP", "dns.wire_packets.udp", "dns.wire_packets.total"},
    {3, SHARE, "TCP", "dns.wire_packets.tcp", "dns.wire_packets.total"},
    {3, SHARE, "IPv4", "dns.wire_packets.ipv4", "dns.wire_packets.total"},
    {3, SHARE, "IPv6", "dns.wire_packets.ipv6", "dns.wire_packets.total"},
    {3, SHARE, "Query", "dns.wire_packets.queries", "dns.wire_packets.total"},
    {3, SHARE, "Response", "dns.wire_packets.replies", "dns.wire_packets.total"},
    {4, COUNT, "DNS Xacts", "dns.xact.counts.total", NULL},
    {4, COUNT, "Timed Out", "dns.xact.counts.timed_out", NULL},
    {4, SHARE, "In", "dns.xact.in.total", "dns.xact.counts.total"},
    {4, SHARE, "Out", "dns.xact.out.total", "dns.xact.counts.total"},
    {4, DELAYS, "In", "dns.xact.in.quantiles_us", NULL},
    {4, DELAYS, "Out", "dns.xact.out.quantiles_us", NULL},
    {4, COUNT, "Qname Card.", "dns.cardinality.qname", NULL},
    {5, SHARE, "DNS NOERROR", "dns.wire_packets.noerror", "dns.wire_packets.replies"},
    {5, SHARE, "SRVFAIL", "dns.wire_packets.srvfail", "dns.wire_packets.replies"},
    {5, SHARE, "NXDOMAIN", "dns.wire_packets.nxdomain", "dns.wire_packets.replies"},
    {5, SHARE, "REFUSED", "dns.wire_packets.refused", "dns.wire_packets.replies"},
};

/* The handlers' maps under one roof, whose names are those of `items`. */
struct window {
    const struct node *parts[4];
};

static const char *const part_names[4] = {"packets", "dns", "dhcp", "pcap"};

/* Splits "dns.wire_packets.udp" into the handler's part and the rest. */
static double number_at(const struct window *w, const char *path)
{
    for (size_t i = 0; i < 4; i++) {
        size_t size = strlen(part_names[i]);
        if (strncmp(path, part_names[i], size) == 0 && path[size] == '.') {
            return page_number(w->parts[i], path + size + 1);
        }
    }
    return NAN;
}

static double or_nothing(double value)
{
    return isnan(value) ? 0 : value;
}

static double quantile(const struct window *w, const char *path, const char *name)
{
    char longer[PATH_ROOM];
    snprintf(longer, sizeof longer, "%s.%s", path, name);
    return or_nothing(number_at(w, longer));
}

static const char *rates_text(struct page *page, const struct window *w, const struct item *item)
{
    bool is_delay = item->kind == DELAYS;
    double scale = is_delay ? 1000 : 1;
    double p[4] = {quantile(w, item->path, "p50"), quantile(w, item->path, "p90"),
                   quantile(w, item->path, "p95"), quantile(w, item->path, "p99")};
    if (is_delay) {
        return page_format(page, "%.1f/%.1f/%.1f/%.1f ms", p[0] / scale, p[1] / scale,
                           p[2] / scale, p[3] / scale);
    }
    return page_format(page, "%.0f/s %.0f/%.0f/%.0f/%.0f pps", quantile(w, item->path, "live"),
                       p[0], p[1], p[2], p[3]);
}

static const char *item_text(struct page *page, const struct window *w, const struct item *item)
{
    if (item->kind == RATES || item->kind == DELAYS) {
        return rates_text(page, w, item);
    }
    double value = or_nothing(number_at(w, item->path));
    double of = item->of != NULL ? or_nothing(number_at(w, item->of)) : 0;
    if (item->kind == OUT_OF) {
        return page_format(page, "%.0f/%.0f", value, of);
    }
    if (item->kind == SHARE && of > 0) {
        return page_format(page, "%.0f (%.1f%%)", value, 100 * value / of);
    }
    return page_format(page, "%.0f", value);
}

/* "3:04PM", as pktvisor-cli writes it, but of the day of UTC. */
static const char *clock_text(struct page *page, double seconds)
{
    time_t at = (time_t)seconds;
    struct tm parts;
    char text[32] = "";
    if (seconds >= 0 && seconds < 1e11 && gmtime_r(&at, &parts) != NULL) {
        strftime(text, sizeof text, "%I:%M%p", &parts);
    }
    return page_format(page, "%s", text[0] == '0' ? text + 1 : text);
}

static void add_header(struct page *page, const struct window *w)
{
    for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
        page_figure(page, items[i].line, items[i].name, number_at(w, items[i].path),
                    item_text(page, w, &items[i]));
    }
    double start = or_nothing(number_at(w, "packets.period.start_ts"));
    double length = or_nothing(number_at(w, "packets.period.length"));
    page_figure(page, 5, "Time Window", NAN,
                page_format(page, "%s to %s", clock_text(page, start),
                            clock_text(page, start + length)));
    page_figure(page, 5, "Period", length, page_format(page, "%.0fs", length));
}

/* ---- Boxes -------------------------------------------------------------------------------------- */

struct box {
    const char *title;
    const char *part;
    const char *path;
    const char *of; /* what its shares are of; NULL: it has none */
};

/* In rows of four. */
static const struct box boxes[] = {
    {"Top QName 2", "dns", "top_qname2", "dns.wire_packets.deep_samples"},
    {"Top QName 3", "dns", "top_qname3", "dns.wire_packets.deep_samples"},
    {"Top NX", "dns", "top_nxdomain", "dns.wire_packets.replies"},
    {"Slow In", "dns", "xact.in.top_slow", "dns.xact.in.total"},
    {"Top QTypes", "dns", "top_qtype", "dns.wire_packets.deep_samples"},
    {"Top RCodes", "dns", "top_rcode", "dns.wire_packets.replies"},
    {"Top SRVFAILS", "dns", "top_srvfail", "dns.wire_packets.replies"},
    {"Slow Out", "dns", "xact.out.top_slow", "dns.xact.out.total"},
    {"Top REFUSED", "dns", "top_refused", "dns.wire_packets.replies"},
    {"Top IPv4", "packets", "top_ipv4", "packets.deep_samples"},
    {"Top IPv6", "packets", "top_ipv6", "packets.deep_samples"},
    {"Top DNS UDP Ports", "dns", "top_udp_ports", "dns.wire_packets.deep_samples"},
    {"Top GeoLoc", "packets", "top_geoLoc", NULL},
    {"Top ASN", "packets", "top_ASN", NULL},
};

static const struct node *part_of(const struct window *w, const char *name)
{
    for (size_t i = 0; i < 4; i++) {
        if (strcmp(part_names[i], name) == 0) {
            return w->parts[i];
        }
    }
    return NULL;
}

static void add_box(struct page *page, const struct window *w, const struct box *box)
{
    static const struct table_column columns[] = {
        {"name", false, 0}, {"count", true, 0}, {"share", true, 1}};
    const struct node *part = part_of(w, box->part);
    const struct node *list = part != NULL ? node_find(part, span_str(box->path)) : NULL;
    struct table *table = page_table(page, box->title, columns, 3, BOX_ROWS);
    double of = box->of != NULL ? or_nothing(number_at(w, box->of)) : 0;
    for (const struct node *item = list != NULL && list->kind == NODE_LIST ? list->first : NULL;
         item != NULL; item = item->next) {
        struct table_row *row = table_add(table);
        double estimate = page_number(item, "estimate");
        if (row == NULL) {
            return;
        }
        row->cells[0] = page_cell(page_text(page, item, "name"));
        row->cells[1] = (struct table_cell){
            .text = page_format(page, "%.0f", or_nothing(estimate)), .number = estimate};
        if (of > 0 && !isnan(estimate)) {
            row->cells[2] = (struct table_cell){
                .text = page_format(page, "%.1f%%", 100 * estimate / of), .number = estimate / of};
        }
    }
}

/* ---- The page ----------------------------------------------------------------------------------- */

static void add_parts(struct window *w, const struct node *handler)
{
    for (size_t i = 0; i < 4; i++) {
        const struct node *part = node_member(handler, span_str(part_names[i]));
        if (part != NULL && part->kind == NODE_MAP && w->parts[i] == NULL) {
            w->parts[i] = part;
        }
    }
}

/* Finds the parts among the handlers of the window, whatever these are called. */
static struct window window_of(const struct node *document)
{
    struct window w = {{NULL}};
    const struct node *policy = document != NULL && document->kind == NODE_MAP ? document->first
                                                                               : NULL;
    unsigned left = HANDLERS;
    if (policy != NULL) {
        add_parts(&w, policy); /* without handlers between, as /api/v1/metrics/window has it */
    }
    for (const struct node *handler = policy != NULL ? policy->first : NULL;
         handler != NULL && left-- > 0; handler = handler->next) {
        add_parts(&w, handler);
    }
    return w;
}

void page_dns(struct page *page, const struct page_source *source)
{
    struct window w = window_of(source->documents[REMOTE_WINDOW]);
    if (part_of(&w, "dns") == NULL) {
        page->note = "No policy here counts DNS. One with the handlers net, dns, dhcp and pcap "
                     "does: vantage pktvisord IFACE, or --policy NAME to name yours.";
        return;
    }
    page->title = page_format(page, "policy %s", source->policy);
    add_header(page, &w);
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++) {
        add_box(page, &w, &boxes[i]);
    }
}
