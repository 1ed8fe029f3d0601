// SPDX-License-Identifier: Apache-2.0
/* The query of a URL, read by a table: which parameters a route has, what each takes, and how it
 * gets into the handler's values. What is unknown, repeated or not what it takes is refused with a
 * sentence that says so. Values are at most PARAMETER_VALUE_MAX bytes. */
#pragma once

#include "api/exchange.h"

enum { PARAMETER_VALUE_MAX = 128, PARAMETERS_MAX = 32 };

struct parameter {
    const char *name;
    const char *takes; /* completes "takes ...": "a whole number from 1 to 1000" */
    const char *help;  /* one clause for people */
    /* Reads `text` into the handler's values; false: it is not what this parameter takes. */
    bool (*read)(const char *text, void *values);
};

/* Reads the query into `values` by a table that ends with a NULL name (NULL: the route takes no
 * parameters). False when it has refused the exchange. */
bool parameters_read(struct exchange *x, const struct parameter *table, void *values);
