// SPDX-License-Identifier: Apache-2.0
/* Packetbeat's configuration (packetbeat.yml and its command line) as a struct config: one engine, two
 * dialects. What has no meaning here is named in warnings, never passed over in silence; docs/packetbeat.md
 * is the list. Cold path. */
#pragma once

#include "engine/beat_arguments.h"
#include "engine/beat_kibana.h"
#include "engine/config.h"

struct beat_config {
    struct config *config;
    struct beat_kibana kibana; /* dashboards, and where they go */
    const struct node *root;   /* all that was said */
    struct text_list warnings;
    struct beat_inside *inside; /* private */
};

/* Reads and translates. NULL and err when something is wrong. */
struct beat_config *beat_config_new(const struct beat_arguments *arguments, struct err *err);
/* NULL is fine. */
void beat_config_free(struct beat_config *beat);
