// SPDX-License-Identifier: Apache-2.0
/* The door of top/: the terminal UI. An HTTP client of an agent's API, which may run anywhere; it knows
 * the agent by nothing else. A round of questions a second (remote.h), whose answers are kept for walking
 * back in time (past.h); the shown one is parsed, made into a page (page.h), arranged as the reader wants
 * (view.h), drawn on a grid (draw.h, grid.h), of which the cells that changed go to the terminal
 * (screen.h). One thread; the keyboard never waits for the agent. */
#pragma once

#include "base/err.h"
#include "top/once.h"

struct top_options {
    const char *url;
    const char *token;  /* NULL: none */
    const char *authority; /* file of trusted certificates; NULL: the system's */
    bool trusts_all;    /* no certificate is looked at */
    const char *policy; /* of the page dns; NULL: the first that there is */
    const char *set;    /* of the page top; NULL: the first */
    const char *filter; /* of the page that is shown first; NULL: none */
    enum page_kind page;
    enum page_span span;
    enum once_format format;
    bool is_once; /* one page to standard output; else the screen */
};

/* Returns when the reader quits or the one page is written; false and an err when there is no terminal,
 * or no agent for the one page. */
bool top_run(const struct top_options *options, struct err *err);
