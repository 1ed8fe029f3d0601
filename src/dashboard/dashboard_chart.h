// SPDX-License-Identifier: Apache-2.0
/* What a chart shows, in the words of Kibana's visualizations by aggregation (visState). Private. */
#pragma once

#include "dashboard/dashboard.h"

/* Appends the visState of a chart with aggregations under its title. */
void dashboard_chart_state(struct json *to, const struct dashboard_chart *chart, const char *title);
/* ... of a text in Markdown. */
void dashboard_chart_text(struct json *to, const char *title, struct span text);
