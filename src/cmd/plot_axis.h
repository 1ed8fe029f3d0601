// SPDX-License-Identifier: Apache-2.0
/* Panels of a picture: scales, grids, ticks at round numbers, labels with units. Private to plot.c
 * and plot_marks.c. */
#pragma once

#include <stdint.h>
#include <stdio.h>

enum plot_unit { PLOT_BYTES, PLOT_MICROSECONDS };

/* From numbers to places; `high` is above `low`. */
struct plot_scale {
    double low, high;
    double at_low, at_high; /* px */
};

struct plot_panel {
    unsigned number; /* in the picture: names its clip path */
    double left, top, width, height;
    struct plot_scale x; /* microseconds since the first packet */
    struct plot_scale y;
    enum plot_unit unit; /* of y */
};

static inline double plot_at(const struct plot_scale *scale, double value)
{
    double share = (value - scale->low) / (scale->high - scale->low);
    return scale->at_low + share * (scale->at_high - scale->at_low);
}

/* Makes a panel whose y goes from `low` to `high` or a little beyond. */
struct plot_panel plot_panel_of(const double box[4], const struct plot_scale *x, enum plot_unit unit,
                                double low, double high);

/* Draws the frame, the grid and the labels of y, and the title above; with `has_time` the labels of
 * x below. */
void plot_panel_begin(FILE *out, const struct plot_panel *panel, const char *title, int has_time);

enum { PLOT_TEXT_ROOM = 48 };

/* A number with its unit, for an axis that goes up to `high` in steps of `step`: "1.5 s", "200 kB". */
const char *plot_number(char ret[PLOT_TEXT_ROOM], double value, double step, double high,
                        enum plot_unit unit);
