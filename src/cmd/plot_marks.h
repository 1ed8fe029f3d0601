// SPDX-License-Identifier: Apache-2.0
/* Marks in a panel of a picture: what each kind looks like. Private to plot.c. */
#pragma once

#include "cmd/plot_axis.h"
#include "flow/tcp_graph.h"

/* Shorter delays are the sender's clock, which ticks every millisecond. */
#define PLOT_DELAY_LEAST 3000.0

/* What a way's marks reach, and how many of a kind there are. */
struct plot_extent {
    double low, high;    /* bytes of the stream that were sent, acknowledged or SACKed */
    double window;       /* the highest edge of the window */
    double trip, delay;  /* the longest round trip; delay before the tap: microseconds */
    double flight;       /* most bytes in flight */
    uint64_t counts[TCP_MARK_KINDS]; /* before thinning */
};

void plot_extent_of(const struct tcp_marks *marks, unsigned way, struct plot_extent *ret);

/* Draws the marks of a way that belong into a panel of bytes of the stream; of delays; of bytes in
 * flight. */
void plot_marks_stream(FILE *out, const struct plot_panel *panel, const struct tcp_marks *marks,
                       unsigned way);
void plot_marks_delay(FILE *out, const struct plot_panel *panel, const struct tcp_marks *marks,
                      unsigned way);
void plot_marks_flight(FILE *out, const struct plot_panel *panel, const struct tcp_marks *marks,
                       unsigned way);

/* Draws a sample of a kind for the legend, 18 px wide from x; its class is that of the marks. */
void plot_marks_sample(FILE *out, enum tcp_mark_kind kind, double x, double y);

/* What people call a kind. */
const char *plot_marks_label(enum tcp_mark_kind kind);
