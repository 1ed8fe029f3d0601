// SPDX-License-Identifier: Apache-2.0
/* The protocol hierarchy: the board's paths ("ethernet, ipv4, tcp": so many packets) as a tree in
 * which every layer counts what came through it. At most BOARD_PATHS paths of PACKET_LAYERS_MAX
 * layers; cost is proportional to their product. */
#pragma once

#include "base/json.h"
#include "engine/engine.h"

/* Appends an array of {"name", "packets", "bytes", "children"}, the most bytes first. */
void hierarchy_json(const struct board_path *paths, uint32_t count, struct json *to);
