// SPDX-License-Identifier: Apache-2.0
/* An agent as it is seen from here: a URL, a token, and a round of questions that are asked side by
 * side (libcurl's multi interface). Nothing here blocks but remote_wait(), which also watches the
 * keyboard, so that an agent that does not answer never takes the keys away. An answer may have
 * ANSWER_MAX bytes and take ten seconds; what is more is a failure of the round. One thread. */
#pragma once

#include "base/err.h"
#include "base/span.h"

/* What can be asked. */
enum remote_ask {
    REMOTE_SUMMARY,
    REMOTE_HISTORY,
    REMOTE_FLOWS,
    REMOTE_CONNECTIONS,
    REMOTE_PATHS,
    REMOTE_SCHEMA,
    REMOTE_POLICIES,
    REMOTE_WINDOW,
    REMOTE_ASKS,
};

enum remote_state {
    REMOTE_IDLE,
    REMOTE_BUSY,
    REMOTE_DONE,   /* all answers are there */
    REMOTE_FAILED, /* remote_error() says why */
};

struct remote; /* opaque */

struct remote_options {
    const char *url;       /* host, host:port or a URL; http and port 10853 where it does not say */
    const char *token;     /* NULL: none */
    const char *authority; /* file of certificates (PEM) that are trusted; NULL: the system's */
    bool trusts_all;       /* https without a look at the certificate */
};

/* NULL and an err when the URL is none of these, or there is no such file. remote_free(NULL) is fine. */
struct remote *remote_new(const struct remote_options *options, struct err *err);
void remote_free(struct remote *remote);

/* The agent's URL without what may be secret in it. */
const char *remote_name(const struct remote *remote);

/* Begins a round; what is left of the last one ends. Paths begin with a slash; NULL: not asked. */
void remote_begin(struct remote *remote, const char *const paths[REMOTE_ASKS]);

/* Carries the round on; sleeps at most `ms`, until bytes come from the agent or `fd` (-1: none) can be
 * read. Signals end the sleep. */
enum remote_state remote_wait(struct remote *remote, int fd, unsigned ms);

/* Body and HTTP status of an answer of a round that is done; empty and 0 for what was not asked. */
struct span remote_body(const struct remote *remote, enum remote_ask ask);
long remote_status(const struct remote *remote, enum remote_ask ask);

/* A sentence about a round that failed. */
const char *remote_error(const struct remote *remote);
