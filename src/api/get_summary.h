// SPDX-License-Identifier: Apache-2.0
/* Handlers that show the board: all of it, and its seconds alone. */
#pragma once

#include "api/parameters.h"

extern const struct parameter get_summary_parameters[];
extern const struct parameter get_summary_history_parameters[];

/* GET /api/v1/summary */
void get_summary(struct exchange *x);
/* GET /api/v1/history */
void get_summary_history(struct exchange *x);
