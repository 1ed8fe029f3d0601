// SPDX-License-Identifier: Apache-2.0
/* The board as JSON, the one shape that the summary, the stream and so the page share. The board
 * must be locked by the caller. */
#pragma once

#include "base/json.h"
#include "engine/engine.h"

enum { BOARD_JSON_TOP_MAX = 100 };

/* How much of it is wanted. */
struct board_json_options {
    uint32_t seconds; /* the latest of the history, at most; 0: none */
    unsigned top;     /* items of each top-N */
    bool window;      /* each metric set's last minute beside its total */
};

/* Appends {"version", "mode", "note", "ready", "started", "now", "totals", "taps", "workers",
 * "hierarchy", "metrics"} and, where asked for, "seconds". */
void board_json(const struct board *board, struct board_json_options options, struct json *to);

/* Appends an array of the latest `limit` seconds, oldest first. */
void board_json_seconds(const struct board *board, uint32_t limit, struct json *to);
