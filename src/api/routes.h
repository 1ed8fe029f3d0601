// SPDX-License-Identifier: Apache-2.0
/* The table of what can be asked, and the walk of a request through it: trust, path, method, token,
 * handler. A new route is a row here. */
#pragma once

#include "api/parameters.h"

struct route {
    const char *method; /* "GET" answers HEAD, too */
    const char *path;
    void (*handler)(struct exchange *x);
    const char *help;
    const struct parameter *parameters; /* NULL: takes none; else the handler reads them */
    bool open;                          /* answers without the token */
};

/* All routes, ended by a NULL path. Files of the page come beside them. */
extern const struct route routes[];

/* Fills in the reply. */
void routes_answer(struct exchange *x);
