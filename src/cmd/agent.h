// SPDX-License-Identifier: Apache-2.0
/* What `run`, `live` and `demo` have in common: a live engine with its API, until a signal comes. */
#pragma once

#include "engine/engine.h"

struct agent_options {
    const char *command; /* for messages */
    const char *mode;    /* "live", "demo" */
    struct pcapwrite *writer; /* every frame goes there, with one worker; NULL: none */
    bool only_logs;      /* what there is to say goes to the log, where nobody reads standard error */
    bool is_quiet;       /* events go to standard output: keep the status line off the terminal */
};

/* Runs the agent with a configuration; returns the exit status. */
int agent_run(const struct config *config, const struct agent_options *options);

/* Reads a configuration, or takes the defaults when `path` is NULL; prints what is wrong with it and
 * returns NULL. */
struct config *agent_config(const char *path);
