// SPDX-License-Identifier: Apache-2.0
/* The counters and levels of the board, as /metrics and those who push metrics name them: constant
 * tables of offsets. What ends in "_total" grows, as Prometheus has it; all else is a level. */
#pragma once

#include "engine/board.h"

struct board_row {
    const char *name;
    const char *help;
    size_t offset; /* of a uint64_t, in the struct that the table is of */
};

/* Ended by a NULL name: of struct board, board_tap, board_worker and board_output. */
extern const struct board_row board_rows[];
extern const struct board_row board_tap_rows[];
extern const struct board_row board_worker_rows[];
extern const struct board_row board_output_rows[];

uint64_t board_row_value(const struct board_row *row, const void *of);
bool board_row_grows(const struct board_row *row);
/* What the workers counted, together; without their load. */
struct board_worker board_rows_sum(const struct board *board);
