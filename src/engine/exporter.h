// SPDX-License-Identifier: Apache-2.0
/* Metrics on their way to sinks that are pushed to (sink.h, snapshot): every interval, at whole
 * multiples of it of the wall clock, the board's metrics and those of all policies are walked as data
 * points. Minutes are waited for two seconds, so that what belongs to them has come.
 *
 * The office's thread. A walk holds the board's lock, then the policies', for as long as a sink needs
 * to encode: milliseconds. No worker waits for either. */
#pragma once

#include "engine/engine_core.h"

struct exporter; /* opaque */

/* NULL without memory. */
struct exporter *exporter_new(struct engine *engine);
void exporter_free(struct exporter *exporter);
/* Pushes what is due; at the end, `last`, everything. */
void exporter_round(struct exporter *exporter, bool last);
