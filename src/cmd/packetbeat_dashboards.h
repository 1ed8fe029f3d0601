// SPDX-License-Identifier: Apache-2.0
/* `vantage packetbeat setup --dashboards` and what is exported of dashboards: ours, or the user's own, to
 * Kibana or OpenSearch Dashboards. Cold path; blocks while Kibana is asked. */
#pragma once

#include <stdio.h>

#include "cmd/command.h"
#include "engine/beat_config.h"

/* Brings the dashboards to Kibana, again and again where the configuration says so, and tells `out` of it. False,
 * and said on standard error, when it could not be done. */
bool packetbeat_dashboards_load(const struct beat_config *beat, FILE *out);

/* `export dashboard` and `export index-pattern`: what would be brought. */
int packetbeat_dashboards_export(const struct arguments *a);
int packetbeat_dashboards_export_pattern(const struct arguments *a);
