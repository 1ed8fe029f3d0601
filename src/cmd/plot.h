// SPDX-License-Identifier: Apache-2.0
/* The picture of one connection as SVG: time and sequence for each direction, with round trips and
 * bytes in flight under it. One file without scripts, links or fonts of its own, for light and dark
 * screens. Its size is bounded by the number of marks (flow/tcp_marks.h), some 20 bytes each. */
#pragma once

#include "engine/health_event.h"
#include "flow/tcp_graph.h"

#include <stdio.h>

void plot_write(FILE *out, const struct health_event *event, const struct tcp_marks *marks);
