// SPDX-License-Identifier: Apache-2.0
/* GET /api/v1/paths: the latency weather, worst paths first. */
#pragma once

#include "api/parameters.h"

extern const struct parameter get_paths_parameters[];

void get_paths(struct exchange *x);
