// SPDX-License-Identifier: Apache-2.0
/* The latency weather as metrics: of the worst METRICS_PATHS paths, as /api/v1/paths has them, what TCP
 * connections had in the last ten to twenty minutes. Gauges, and summaries without sum and count, since the
 * time that they cover moves on; units are seconds, bytes and ratios, as Prometheus wants them. */
#pragma once

#include "base/json.h"
#include "engine/engine.h"

enum { METRICS_PATHS = 20 };

/* Writes nothing where no connection was judged. */
void metrics_paths_write(struct json *to, struct engine *engine);
