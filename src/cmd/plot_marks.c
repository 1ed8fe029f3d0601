// SPDX-License-Identifier: Apache-2.0
#include "cmd/plot_marks.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define BAR_LEAST 2.0 /* px: a segment is to be seen in a picture of gigabytes */

/* How a kind is drawn. */
enum shape { SHAPE_BAR, SHAPE_LINE, SHAPE_DOT, SHAPE_DOWN, SHAPE_UP, SHAPE_DIAMOND, SHAPE_CROSS, SHAPE_RING };

struct look {
    const char *class;
    const char *label;
    enum shape shape;
    bool bar; /* the bytes as a bar under the symbol */
};

static const struct look looks[TCP_MARK_KINDS] = {
    [TCP_MARK_DATA] = {"data", "data", SHAPE_BAR, true},
    [TCP_MARK_REPEAT] = {"repeat", "sent again", SHAPE_DOWN, true},
    [TCP_MARK_FILL] = {"fill", "sent again, fills a hole", SHAPE_UP, true},
    [TCP_MARK_LATE] = {"late", "overtaken", SHAPE_DIAMOND, true},
    [TCP_MARK_COPY] = {"copy", "copy of a frame", SHAPE_CROSS, false},
    [TCP_MARK_PROBE] = {"probe", "probe", SHAPE_RING, false},
    [TCP_MARK_SACK] = {"sack", "SACK", SHAPE_BAR, true},
    [TCP_MARK_DSACK] = {"dsack", "DSACK: came twice", SHAPE_BAR, true},
    [TCP_MARK_MISSED] = {"missed", "not captured", SHAPE_BAR, true},
    [TCP_MARK_ZERO_WINDOW] = {"zero", "window closed", SHAPE_RING, false},
    [TCP_MARK_SYN] = {"syn", "SYN", SHAPE_DIAMOND, false},
    [TCP_MARK_FIN] = {"fin", "FIN", SHAPE_DIAMOND, false},
    [TCP_MARK_RST] = {"rst", "RST", SHAPE_CROSS, false},
    [TCP_MARK_ACK] = {"ack", "acknowledged", SHAPE_LINE, false},
    [TCP_MARK_WINDOW] = {"window", "window's edge", SHAPE_LINE, false},
    [TCP_MARK_FLIGHT] = {"flight", "in flight", SHAPE_LINE, false},
    [TCP_MARK_ROUND_TRIP] = {"trip", "round trip from the tap", SHAPE_DOT, false},
    [TCP_MARK_DELAY] = {"delay", "delay before the tap", SHAPE_LINE, false},
};

const char *plot_marks_label(enum tcp_mark_kind kind)
{
    return looks[kind].label;
}

void plot_extent_of(const struct tcp_marks *marks, unsigned way, struct plot_extent *ret)
{
    *ret = (struct plot_extent){0};
    for (uint32_t i = 0; i < marks->count; i++) {
        const struct tcp_mark *m = &marks->marks[i];
        if (m->way != way) {
            continue;
        }
        ret->counts[m->kind] += m->count;
        double to = (double)m->to;
        if (m->kind == TCP_MARK_WINDOW) {
            ret->window = fmax(ret->window, to);
        } else if (m->kind == TCP_MARK_FLIGHT) {
            ret->flight = fmax(ret->flight, to);
        } else if (m->kind == TCP_MARK_ROUND_TRIP) {
            ret->trip = fmax(ret->trip, to);
        } else if (m->kind == TCP_MARK_DELAY) {
            ret->delay = fmax(ret->delay, to);
        } else {
            ret->low = fmin(ret->low, (double)m->from);
            ret->high = fmax(ret->high, to);
        }
    }
}

/* ---- Shapes ---------------------------------------------------------------------------------- */

static void draw_shape(FILE *out, enum shape shape, double x, double y)
{
    switch (shape) {
    case SHAPE_DOT:
        fprintf(out, "M%.1f %.1fh0", x, y); /* round caps make it a dot */
        break;
    case SHAPE_DOWN:
        fprintf(out, "M%.1f %.1fl-4 -7h8z", x, y);
        break;
    case SHAPE_UP:
        fprintf(out, "M%.1f %.1fl-4 7h8z", x, y);
        break;
    case SHAPE_DIAMOND:
        fprintf(out, "M%.1f %.1fl4 4l-4 4l-4 -4z", x, y - 4);
        break;
    case SHAPE_CROSS:
        fprintf(out, "M%.1f %.1fl8 8m0 -8l-8 8", x - 4, y - 4);
        break;
    case SHAPE_RING:
        fprintf(out, "M%.1f %.1fa3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z", x - 3.5, y);
        break;
    case SHAPE_BAR:
    case SHAPE_LINE:
        break;
    }
}

/* A bar that may grow by the next mark. */
struct bar {
    double x, top, bottom;
    bool is_open;
};

static void end_bar(FILE *out, struct bar *bar)
{
    if (bar->is_open) {
        double height = fmax(bar->bottom - bar->top, BAR_LEAST);
        fprintf(out, "M%.1f %.1fv%.1f", bar->x, bar->bottom - height, height);
        bar->is_open = false;
    }
}

static void add_bar(FILE *out, struct bar *bar, double x, double top, double bottom)
{
    if (bar->is_open && fabs(bar->x - x) < 0.1 && bottom <= bar->bottom + 0.5 &&
        bottom >= bar->top - 0.5) {
        bar->top = fmin(bar->top, top);
        return;
    }
    end_bar(out, bar);
    *bar = (struct bar){x, top, bottom, true};
}

/* ---- Kinds ----------------------------------------------------------------------------------- */

static double time_of(const struct tcp_marks *marks, const struct tcp_mark *m)
{
    return (double)(m->time_ns - marks->marks[0].time_ns) / 1000;
}

/* All marks of a kind as one path, so that they cost little. */
static void draw_kind(FILE *out, const struct plot_panel *p, const struct tcp_marks *marks,
                      unsigned way, unsigned kind)
{
    const struct look *look = &looks[kind];
    struct bar bar = {0};
    bool begun = false;
    for (uint32_t i = 0; i < marks->count; i++) {
        const struct tcp_mark *m = &marks->marks[i];
        if (m->kind != kind || m->way != way) {
            continue;
        }
        double x = plot_at(&p->x, time_of(marks, m));
        double top = plot_at(&p->y, (double)m->to);
        double bottom = plot_at(&p->y, (double)m->from);
        if (!begun) {
            fprintf(out, "<path class=\"%s\" d=\"", look->class);
        }
        if (look->shape == SHAPE_LINE) {
            fprintf(out, begun ? "H%.1fV%.1f" : "M%.1f %.1f", x, top);
        }
        if (look->bar) {
            add_bar(out, &bar, x, top, bottom);
        }
        begun = true;
        draw_shape(out, look->shape, x, look->shape == SHAPE_UP ? bottom : top);
    }
    end_bar(out, &bar);
    if (begun && look->shape == SHAPE_LINE) {
        const struct tcp_mark *last = &marks->marks[marks->count - 1];
        fprintf(out, "H%.1f", plot_at(&p->x, time_of(marks, last)));
    }
    if (begun) {
        fprintf(out, "\"/>\n");
    }
}

/* Names SYN, FIN and RST where the first of them is. */
static void name_kind(FILE *out, const struct plot_panel *p, const struct tcp_marks *marks,
                      unsigned way, unsigned kind)
{
    const struct tcp_mark *first = NULL;
    uint64_t count = 0;
    for (uint32_t i = 0; i < marks->count; i++) {
        const struct tcp_mark *m = &marks->marks[i];
        if (m->kind == kind && m->way == way) {
            first = first == NULL ? m : first;
            count += m->count;
        }
    }
    if (first == NULL) {
        return;
    }
    double x = plot_at(&p->x, time_of(marks, first));
    double y = plot_at(&p->y, (double)first->from);
    bool at_right = x > p->left + p->width - 60;
    y = fmin(fmax(y - 6, p->top + 10), p->top + p->height - 7);
    fprintf(out, "<text class=\"name%s %s\" x=\"%.1f\" y=\"%.1f\">%s", at_right ? " end" : "",
            kind == TCP_MARK_RST ? "bad" : "", at_right ? x - 7 : x + 7, y, looks[kind].label);
    if (count > 1) {
        fprintf(out, " ×%llu", (unsigned long long)count);
    }
    fprintf(out, "</text>\n");
}

static void draw_kinds(FILE *out, const struct plot_panel *p, const struct tcp_marks *marks,
                       unsigned way, const uint8_t *kinds)
{
    fprintf(out, "<g clip-path=\"url(#panel%u)\">\n", p->number);
    for (; *kinds != TCP_MARK_KINDS; kinds++) {
        draw_kind(out, p, marks, way, *kinds);
    }
    fprintf(out, "</g>\n");
}

void plot_marks_stream(FILE *out, const struct plot_panel *p, const struct tcp_marks *marks,
                       unsigned way)
{
    /* What is rare lies on top of what is common. */
    static const uint8_t kinds[] = {
        TCP_MARK_WINDOW, TCP_MARK_ACK,  TCP_MARK_SACK, TCP_MARK_DATA,  TCP_MARK_MISSED,
        TCP_MARK_COPY,   TCP_MARK_DSACK, TCP_MARK_LATE, TCP_MARK_FILL,  TCP_MARK_REPEAT,
        TCP_MARK_PROBE,  TCP_MARK_ZERO_WINDOW, TCP_MARK_SYN, TCP_MARK_FIN, TCP_MARK_RST,
        TCP_MARK_KINDS,
    };
    draw_kinds(out, p, marks, way, kinds);
    name_kind(out, p, marks, way, TCP_MARK_SYN);
    name_kind(out, p, marks, way, TCP_MARK_FIN);
    name_kind(out, p, marks, way, TCP_MARK_RST);
}

void plot_marks_delay(FILE *out, const struct plot_panel *p, const struct tcp_marks *marks,
                      unsigned way)
{
    static const uint8_t both[] = {TCP_MARK_DELAY, TCP_MARK_ROUND_TRIP, TCP_MARK_KINDS};
    struct plot_extent extent;
    plot_extent_of(marks, way, &extent);
    draw_kinds(out, p, marks, way, extent.delay >= PLOT_DELAY_LEAST ? both : both + 1);
}

void plot_marks_flight(FILE *out, const struct plot_panel *p, const struct tcp_marks *marks,
                       unsigned way)
{
    static const uint8_t kinds[] = {TCP_MARK_FLIGHT, TCP_MARK_KINDS};
    draw_kinds(out, p, marks, way, kinds);
}

void plot_marks_sample(FILE *out, enum tcp_mark_kind kind, double x, double y)
{
    const struct look *look = &looks[kind];
    fprintf(out, "<path class=\"%s\" d=\"", look->class);
    if (look->shape == SHAPE_LINE) {
        fprintf(out, "M%.1f %.1fh18", x, y);
    } else if (look->bar) {
        fprintf(out, "M%.1f %.1fv10", x + 9, y - 5);
    }
    double lower = look->shape == SHAPE_UP ? -2 : look->shape == SHAPE_DOWN ? 2 : 0;
    draw_shape(out, look->shape, x + 9, y + lower);
    if (look->shape == SHAPE_DOT) {
        draw_shape(out, look->shape, x + 3, y + 2);
        draw_shape(out, look->shape, x + 15, y - 2);
    }
    fprintf(out, "\"/>");
}
