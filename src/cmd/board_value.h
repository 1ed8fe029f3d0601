// SPDX-License-Identifier: Apache-2.0
/* Single values off the board, by the names of their set and metric. A name that is not in the
 * tables is our own bug. The board is locked by the caller. */
#pragma once

#include "engine/engine.h"

/* A counter or gauge since start. */
uint64_t board_value(const struct board *board, const char *set, const char *metric);
/* One of a labelled counter's. */
uint64_t board_label_value(const struct board *board, const char *set, const char *metric,
                           unsigned label);
/* The row and the block it lies in, for top-Ns. */
const struct metric *board_metric(const struct board *board, const char *set, const char *metric,
                                  const void **ret_value);
