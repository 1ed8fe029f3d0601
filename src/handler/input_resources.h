// SPDX-License-Identifier: Apache-2.0
/* The block of the handler "input_resources", which the office fills: it sees no packets. */
#pragma once

#include "summary/quantiles.h"
#include "summary/rate.h"

struct input_resources {
    uint64_t events, deep;
    uint64_t policies, handlers; /* at the latest look */
    struct rate rate;
    struct quantiles cpu;    /* per cent of a processor */
    struct quantiles memory; /* bytes */
};
