// SPDX-License-Identifier: Apache-2.0
#include "cmd/plot_axis.h"

#include <math.h>
#include <string.h>

enum {
    TICK_HEIGHT = 30, /* px between ticks, about; */
    TICK_HEIGHT_LARGE = 44, /* in panels that are higher than */
    PANEL_LARGE = 150,
    TICK_WIDTH = 110,
    TICKS_MAX = 32,
};

/* A unit and how many of the base it has. */
struct prefix {
    double size;
    const char *name;
};

static const struct prefix bytes[] = {{1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}, {1, "B"}};
static const struct prefix times[] = {{1e6, "s"}, {1e3, "ms"}, {1, "µs"}};

/* The unit in which `high` is at least one. */
static const struct prefix *choose_prefix(double high, enum plot_unit unit)
{
    const struct prefix *prefix = unit == PLOT_BYTES ? bytes : times;
    while (prefix->size > 1 && high < prefix->size) {
        prefix++;
    }
    return prefix;
}

const char *plot_number(char ret[PLOT_TEXT_ROOM], double value, double step, double high,
                        enum plot_unit unit)
{
    const struct prefix *prefix = choose_prefix(high, unit);
    double scaled_step = step / prefix->size;
    int digits = scaled_step >= 0.999 ? 0 : scaled_step >= 0.0999 ? 1 : scaled_step >= 0.00999 ? 2 : 3;
    snprintf(ret, PLOT_TEXT_ROOM, "%.*f %s", digits, value / prefix->size, prefix->name);
    return ret;
}

/* 1, 2 or 5 times a power of ten, for about so many steps. */
static double round_step(double span, double steps)
{
    double raw = span / (steps < 1 ? 1 : steps);
    double power = pow(10, floor(log10(raw)));
    double lead = raw / power;
    double step = power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10);
    return step < 1 ? 1 : step; /* there is no part of a byte or microsecond */
}

struct plot_panel plot_panel_of(const double box[4], const struct plot_scale *x, enum plot_unit unit,
                                double low, double high)
{
    struct plot_panel panel = {
        .left = box[0], .top = box[1], .width = box[2], .height = box[3], .x = *x, .unit = unit};
    double span = high > low ? high - low : 1;
    panel.y = (struct plot_scale){
        .low = low - (low < 0 ? span * 0.03 : 0),
        .high = low + span * 1.06,
        .at_low = box[1] + box[3],
        .at_high = box[1],
    };
    return panel;
}

static void draw_rows(FILE *out, const struct plot_panel *p)
{
    double apart = p->height > PANEL_LARGE ? TICK_HEIGHT_LARGE : TICK_HEIGHT;
    double step = round_step(p->y.high - p->y.low, p->height / apart);
    double value = ceil(p->y.low / step) * step;
    for (unsigned i = 0; i < TICKS_MAX && value <= p->y.high; i++, value += step) {
        char text[PLOT_TEXT_ROOM];
        double y = plot_at(&p->y, value);
        fprintf(out, "<path class=\"grid\" d=\"M%.0f %.1fh%.0f\"/>", p->left, y, p->width);
        if (value == 0) {
            strcpy(text, "0");
        } else {
            plot_number(text, value, step, p->y.high, p->unit);
        }
        fprintf(out, "<text class=\"tick end\" x=\"%.0f\" y=\"%.1f\">%s</text>\n", p->left - 8,
                y + 4, text);
    }
}

static void draw_columns(FILE *out, const struct plot_panel *p, int has_time)
{
    double step = round_step(p->x.high - p->x.low, p->width / TICK_WIDTH);
    double value = ceil(p->x.low / step) * step;
    for (unsigned i = 0; i < TICKS_MAX && value <= p->x.high; i++, value += step) {
        char text[PLOT_TEXT_ROOM];
        double x = plot_at(&p->x, value);
        fprintf(out, "<path class=\"grid\" d=\"M%.1f %.0fv%.0f\"/>\n", x, p->top, p->height);
        if (has_time) {
            fprintf(out, "<text class=\"tick mid\" x=\"%.1f\" y=\"%.0f\">%s</text>\n", x,
                    p->top + p->height + 17,
                    value == 0 ? "0" : plot_number(text, value, step, p->x.high, PLOT_MICROSECONDS));
        }
    }
}

void plot_panel_begin(FILE *out, const struct plot_panel *p, const char *title, int has_time)
{
    fprintf(out,
            "<clipPath id=\"panel%u\"><rect x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\"/>"
            "</clipPath>\n",
            p->number, p->left, p->top - 4, p->width, p->height + 8);
    fprintf(out, "<text class=\"head\" x=\"%.0f\" y=\"%.0f\">%s</text>\n", p->left, p->top - 8,
            title);
    draw_columns(out, p, has_time);
    draw_rows(out, p);
    fprintf(out, "<path class=\"axis\" d=\"M%.0f %.0fv%.0fh%.0f\"/>\n", p->left, p->top, p->height,
            p->width);
    if (has_time) {
        fprintf(out, "<text class=\"tick end\" x=\"%.0f\" y=\"%.0f\">time since the first packet"
                     "</text>\n",
                p->left + p->width, p->top + p->height + 33);
    }
}
