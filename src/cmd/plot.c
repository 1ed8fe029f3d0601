// SPDX-License-Identifier: Apache-2.0
#include "cmd/plot.h"

#include "base/text.h"
#include "cmd/connection_choice.h"
#include "cmd/plot_marks.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    WIDTH = 1200,
    LEFT = 84,
    RIGHT = 28,
    LINE = 24,       /* of the title's rows */
    GAP = 34,        /* between panels: room for the title of one */
    TIME_GAP = 62,   /* under the labels of time */
    FEW = 4,         /* segments, which are no reason for a large picture */
};

/* A picture as it grows downwards. */
struct plot {
    FILE *out;
    const struct health_event *event;
    const struct tcp_marks *marks;
    struct plot_extent extents[2];
    struct plot_scale x;
    double y;        /* where the next thing begins */
    unsigned panels; /* so far */
};

/* ---- Style ----------------------------------------------------------------------------------- */

static const char *const style =
    "<style>\n"
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;"
    "font-size:12px;fill:#1f2933}\n"
    ".title{font-size:20px;font-weight:600}.head{font-weight:600}"
    ".end{text-anchor:end}.mid{text-anchor:middle}\n"
    ".name{font-size:11px;font-weight:600}.chip{font-weight:600;fill:#fff}\n"
    ".tick{fill:#5c6875;font-size:11px}.note{fill:#5c6875}\n"
    "path{fill:none}.back{fill:#fff}.grid{stroke:#e8ebef}.axis{stroke:#9aa5b1}\n"
    ".data{stroke:#2463b5;stroke-width:2}.ack{stroke:#2f9e5b;stroke-width:1.3}"
    ".window{stroke:#c58f1e;stroke-width:1.1}.flight{stroke:#2463b5;stroke-width:1.3}\n"
    ".trip{stroke:#2463b5;stroke-width:2.6;stroke-linecap:round}"
    ".delay{stroke:#8a4fd0;stroke-width:1.3}\n"
    ".sack{stroke:#12a5b2;stroke-width:1.4}.dsack{stroke:#c2188f;stroke-width:2}"
    ".missed{stroke:#8a94a0;stroke-width:5;stroke-opacity:.6}\n"
    ".repeat{stroke:#d1242f;fill:#d1242f;stroke-width:1.6}"
    ".fill{stroke:#e8680c;fill:#e8680c;stroke-width:1.6}"
    ".late{stroke:#8a4fd0;fill:#8a4fd0;stroke-width:1.6}\n"
    ".copy{stroke:#6b7785;stroke-width:1.3}.probe{stroke:#6b7785;stroke-width:1.5}"
    ".zero{stroke:#d1242f;fill:#fff;stroke-width:1.8}\n"
    ".syn,.fin{fill:#1f2933}.rst{stroke:#d1242f;stroke-width:2.4}.name.bad{fill:#d1242f}\n"
    ".chip0{fill:#2f9e5b}.chip1{fill:#b7791f}.chip2{fill:#d1242f}\n"
    "@media(prefers-color-scheme:dark){\n"
    "text,.syn,.fin{fill:#e4e8ee}.tick,.note{fill:#9aa7b6}.back{fill:#15181d}"
    ".grid{stroke:#272d35}.axis{stroke:#6b7785}\n"
    ".data,.flight,.trip{stroke:#6aa9ff}.ack{stroke:#4fc585}.window{stroke:#d9ab4e}"
    ".delay,.late{stroke:#b58bf5}.late{fill:#b58bf5}\n"
    ".sack{stroke:#4fd0da}.dsack{stroke:#f068c8}.repeat,.rst{stroke:#ff6b6b}.repeat{fill:#ff6b6b}"
    ".fill{stroke:#ff9c4d;fill:#ff9c4d}\n"
    ".zero{stroke:#ff6b6b;fill:#15181d}.name.bad{fill:#ff6b6b}.chip{fill:#fff}\n"
    ".chip0{fill:#23804a}.chip1{fill:#96620f}.chip2{fill:#b81d28}}\n"
    "</style>\n";

/* ---- Title ----------------------------------------------------------------------------------- */

static void write_line(struct plot *plot, const char *class, const char *text)
{
    plot->y += LINE;
    fprintf(plot->out, "<text class=\"%s\" x=\"%d\" y=\"%.0f\">%s</text>\n", class, LEFT, plot->y,
            text);
}

/* A verdict in colour, and what it rests on behind it. */
static void write_chip(struct plot *plot, const char *name, double confidence, const char *evidence)
{
    char words[64];
    snprintf(words, sizeof words, "%s", name);
    for (char *at = words; *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
    size_t size = strlen(words);
    if (confidence > 0) {
        snprintf(words + size, sizeof words - size, " %.0f %%", 100 * confidence);
    }
    int grade = confidence <= 0 ? 0 : plot->event->badness >= HEALTH_BAD ? 2 : 1;
    double width = 16 + 7.2 * (double)strlen(words);
    plot->y += LINE;
    fprintf(plot->out,
            "<rect class=\"chip%d\" x=\"%d\" y=\"%.0f\" width=\"%.0f\" height=\"19\" rx=\"9.5\"/>"
            "<text class=\"chip mid\" x=\"%.0f\" y=\"%.0f\">%s</text>"
            "<text x=\"%.0f\" y=\"%.0f\">%s</text>\n",
            grade, LEFT, plot->y - 14, width, LEFT + width / 2, plot->y, words, LEFT + width + 10,
            plot->y, evidence);
}

static void write_finding(struct plot *plot, enum health_verdict verdict)
{
    const struct health_event *event = plot->event;
    const char *kind = event->record.blackhole_kind;
    char evidence[HEALTH_EVIDENCE_ROOM + 64];
    bool is_kind = verdict == HEALTH_BLACKHOLED && kind != NULL;
    snprintf(evidence, sizeof evidence, "%s%s%s", event->evidence[verdict],
             is_kind ? "; kind: " : "", is_kind ? kind : "");
    write_chip(plot, health_verdict_name(verdict), event->confidence[verdict], evidence);
}

static void write_verdicts(struct plot *plot)
{
    const struct health_event *event = plot->event;
    const char *from = event->verdicts;
    if (*from == '\0') {
        const char *close = event->record.close;
        bool refused = close != NULL && strcmp(close, "refused") == 0;
        bool lost = close != NULL && strcmp(close, "unreachable") == 0;
        write_chip(plot, refused || lost ? close : "ok", refused || lost ? 1 : 0,
                   refused ? "the server answered the SYN with a reset"
                   : lost  ? "an ICMP error answered the SYN"
                           : "nothing is wrong with it");
    }
    while (*from != '\0') {
        size_t size = strcspn(from, ",");
        for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
            const char *name = health_verdict_name((enum health_verdict)i);
            if (strncmp(name, from, size) == 0 && name[size] == '\0') {
                write_finding(plot, (enum health_verdict)i);
            }
        }
        from += size + (from[size] == ',');
    }
}

static void write_facts(struct plot *plot)
{
    const struct health_event *event = plot->event;
    const struct health_record *r = &event->record;
    char time[TEXT_TIME_ROOM], lasted[TEXT_ROOM], line[400];
    text_rfc3339(time, event->flow.start_ns, 3);
    text_short_duration(lasted, (int64_t)event->flow.duration_ns);
    snprintf(line, sizeof line, "began %s, lasted %s; closed: %s; capture: %s; Community ID %s",
             time, lasted, r->close != NULL ? r->close : "no", r->quality,
             event->flow.community_id);
    write_line(plot, "note", line);
    double both = r->min_rtt_to_client_ms + r->min_rtt_to_server_ms;
    if (!isnan(both)) {
        const struct health_way *way = &r->ways[r->main_way];
        int at = snprintf(line, sizeof line,
                          "least round trip %.2f ms: from the tap %.2f ms to the client, %.2f ms to "
                          "the server",
                          both, r->min_rtt_to_client_ms, r->min_rtt_to_server_ms);
        if (!isnan(way->nonidle_throughput_mbps)) {
            at += snprintf(line + at, sizeof line - (size_t)at, "; %.2f Mbit/s when not idle",
                           way->nonidle_throughput_mbps);
        }
        if (r->limited_by != NULL) {
            snprintf(line + at, sizeof line - (size_t)at, "; limited by the %s", r->limited_by);
        }
        write_line(plot, "note", line);
    }
}

static void write_title(struct plot *plot)
{
    char ends[CONNECTION_ENDS_ROOM];
    connection_ends(ends, &plot->event->flow, " → ");
    plot->y = 14;
    write_line(plot, "title", ends);
    write_facts(plot);
    plot->y += 4;
    write_verdicts(plot);
}

/* ---- Legend ---------------------------------------------------------------------------------- */

/* A direction that carried little has one small panel only. */
static bool is_small(const struct plot_extent *e)
{
    return e->counts[TCP_MARK_DATA] + e->counts[TCP_MARK_REPEAT] + e->counts[TCP_MARK_FILL] +
               e->counts[TCP_MARK_LATE] <= FEW;
}

/* How many marks of a kind the panels of a direction show. */
static uint64_t shown(const struct plot_extent *e, unsigned kind)
{
    bool is_beside = kind == TCP_MARK_DELAY || kind == TCP_MARK_ROUND_TRIP || kind == TCP_MARK_FLIGHT;
    bool is_noise = kind == TCP_MARK_DELAY && e->delay < PLOT_DELAY_LEAST;
    return (is_beside && is_small(e)) || is_noise ? 0 : e->counts[kind];
}

static void write_legend(struct plot *plot)
{
    double x = LEFT;
    plot->y += LINE + 6;
    for (unsigned kind = 0; kind < TCP_MARK_KINDS; kind++) {
        uint64_t count = shown(&plot->extents[0], kind) + shown(&plot->extents[1], kind);
        bool is_named = kind == TCP_MARK_SYN || kind == TCP_MARK_FIN || kind == TCP_MARK_RST;
        bool is_line = kind >= TCP_MARK_ACK;
        if (count == 0 || is_named) {
            continue;
        }
        char text[80];
        snprintf(text, sizeof text, is_line ? "%s" : "%s ×%llu",
                 plot_marks_label((enum tcp_mark_kind)kind), (unsigned long long)count);
        double width = 42 + 6.9 * (double)strlen(text);
        if (x + width > WIDTH - RIGHT) {
            x = LEFT;
            plot->y += LINE;
        }
        plot_marks_sample(plot->out, (enum tcp_mark_kind)kind, x, plot->y - 4);
        fprintf(plot->out, "<text x=\"%.0f\" y=\"%.0f\">%s</text>\n", x + 23, plot->y, text);
        x += width;
    }
}

/* ---- Panels ---------------------------------------------------------------------------------- */

static struct plot_panel next_panel(struct plot *plot, double height, enum plot_unit unit,
                                    double low, double high)
{
    const double box[] = {LEFT, plot->y + GAP, WIDTH - LEFT - RIGHT, height};
    struct plot_panel panel = plot_panel_of(box, &plot->x, unit, low, high);
    panel.number = plot->panels++;
    plot->y += GAP + height;
    return panel;
}

static void draw_stream(struct plot *plot, unsigned way, double height, bool is_last)
{
    const struct plot_extent *e = &plot->extents[way];
    char title[200];
    /* A window far above the data would press them flat. */
    double high = e->high < 1 ? 1 : e->high;
    double top = e->window > high && e->window < high * 1.4 ? e->window : high;
    snprintf(title, sizeof title, "%s: place in the stream%s",
             way == 0 ? "client → server" : "server → client",
             e->window > top * 1.06 ? " (the window's edge is above the picture in part)" : "");
    struct plot_panel panel = next_panel(plot, height, PLOT_BYTES, e->low, top);
    plot_panel_begin(plot->out, &panel, title, is_last);
    plot_marks_stream(plot->out, &panel, plot->marks, way);
}

static void draw_delay(struct plot *plot, unsigned way, double height, bool is_last)
{
    const struct plot_extent *e = &plot->extents[way];
    const char *receiver = way == 0 ? "server" : "client";
    const char *sender = way == 0 ? "client" : "server";
    bool trips = e->counts[TCP_MARK_ROUND_TRIP] > 0, delays = e->delay >= PLOT_DELAY_LEAST;
    char title[200] = "";
    char *at = title;
    at += trips ? sprintf(at, "round trip from the tap to the %s", receiver) : 0;
    at += trips && delays ? sprintf(at, "; ") : 0;
    if (delays) {
        sprintf(at, "delay from the %s to the tap, above the least", sender);
    }
    struct plot_panel panel = next_panel(plot, height, PLOT_MICROSECONDS, 0, fmax(fmax(e->trip, delays ? e->delay : 0), 1));
    plot_panel_begin(plot->out, &panel, title, is_last);
    plot_marks_delay(plot->out, &panel, plot->marks, way);
}

static void draw_flight(struct plot *plot, unsigned way, double height)
{
    const struct plot_extent *e = &plot->extents[way];
    char title[200];
    bool queued = way == plot->event->record.main_way &&
                  plot->event->record.queue_place == HEALTH_BEFORE_TAP;
    snprintf(title, sizeof title, "in flight: passed the tap, acknowledgment not yet back at the %s%s",
             way == 0 ? "client" : "server",
             queued ? " (without what stands in the queue before the tap)" : "");
    struct plot_panel panel = next_panel(plot, height, PLOT_BYTES, 0, fmax(e->flight, 1));
    plot_panel_begin(plot->out, &panel, title, true);
    plot_marks_flight(plot->out, &panel, plot->marks, way);
}

/* A direction; one that carried little is drawn small. */
static void draw_way(struct plot *plot, unsigned way)
{
    const struct plot_extent *e = &plot->extents[way];
    uint64_t all = 0;
    for (unsigned kind = 0; kind < TCP_MARK_KINDS; kind++) {
        all += e->counts[kind];
    }
    if (all == 0) {
        return;
    }
    bool is_main = way == plot->event->record.main_way;
    bool delays = shown(e, TCP_MARK_ROUND_TRIP) + shown(e, TCP_MARK_DELAY) > 0;
    bool flight = shown(e, TCP_MARK_FLIGHT) > 0;
    draw_stream(plot, way, is_small(e) ? 90 : is_main ? 400 : 220, !delays && !flight);
    if (delays) {
        draw_delay(plot, way, is_main ? 120 : 90, !flight);
    }
    if (flight) {
        draw_flight(plot, way, is_main ? 110 : 80);
    }
    plot->y += TIME_GAP - GAP;
}

/* ---- Together -------------------------------------------------------------------------------- */

/* What was left out, if anything. */
static void write_thinned(struct plot *plot)
{
    const struct tcp_marks *marks = plot->marks;
    if (marks->columns == 0) {
        return;
    }
    char line[300], time[PLOT_TEXT_ROOM], bytes[PLOT_TEXT_ROOM];
    const struct plot_extent *e = &plot->extents[plot->event->record.main_way];
    double cell_us = (plot->x.high - plot->x.low) / marks->columns;
    double cell_bytes = fmax(e->high, e->window) / marks->columns * 2;
    snprintf(line, sizeof line,
             "%llu marks are drawn as %u: those of one kind closer than about %s and %s are one.",
             (unsigned long long)marks->seen, marks->count,
             plot_number(time, cell_us, cell_us, cell_us, PLOT_MICROSECONDS),
             plot_number(bytes, cell_bytes, cell_bytes, cell_bytes, PLOT_BYTES));
    write_line(plot, "note", line);
}

static void measure(struct plot *plot)
{
    const struct tcp_marks *marks = plot->marks;
    uint64_t span_ns =
        marks->count > 0 ? marks->marks[marks->count - 1].time_ns - marks->marks[0].time_ns : 0;
    double span_us = span_ns > 1000 ? (double)span_ns / 1000 : 1;
    plot->x = (struct plot_scale){
        .low = 0, .high = span_us * 1.01, .at_low = LEFT + 6, .at_high = WIDTH - RIGHT};
    plot_extent_of(marks, 0, &plot->extents[0]);
    plot_extent_of(marks, 1, &plot->extents[1]);
}

/* Everything below the frame, or nothing but how high it is: `out` may lead nowhere. */
static void write_body(struct plot *plot)
{
    write_title(plot);
    write_legend(plot);
    draw_way(plot, plot->event->record.main_way);
    draw_way(plot, 1 - plot->event->record.main_way);
    write_thinned(plot);
    plot->y += 16;
}

void plot_write(FILE *out, const struct health_event *event, const struct tcp_marks *marks)
{
    char *body = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&body, &size);
    struct plot plot = {.out = memory, .event = event, .marks = marks};
    if (memory == NULL) {
        return;
    }
    measure(&plot);
    write_body(&plot);
    fclose(memory);
    char ends[CONNECTION_ENDS_ROOM];
    connection_ends(ends, &event->flow, " → ");
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %.0f\" width=\"%d\" "
            "height=\"%.0f\" role=\"img\">\n<title>TCP connection %s: %s</title>\n%s"
            "<rect class=\"back\" width=\"100%%\" height=\"100%%\"/>\n",
            WIDTH, plot.y, WIDTH, plot.y, ends,
            event->verdicts[0] != '\0' ? event->verdicts : "ok", style);
    fwrite(body, 1, size, out);
    fprintf(out, "</svg>\n");
    free(body);
}
