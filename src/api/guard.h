// SPDX-License-Identifier: Apache-2.0
/* Who may ask. A browser sends whatever page it has open to 127.0.0.1, so that it is not enough to
 * listen on loopback: a page of another site must not get an answer through DNS rebinding (its own
 * name, pointed at this machine) nor across origins. With a token set, a request must carry it, and
 * then any host name will do, since no foreign page knows the token. Pure functions over a value
 * that does not change after start; any thread. */
#pragma once

#include <stdbool.h>

enum { GUARD_TOKEN_MAX = 256 };

struct guard {
    char host[256];               /* the host of api.listen */
    char token[GUARD_TOKEN_MAX];  /* "": none is asked for */
};

/* What a request says of itself; NULL where a header is absent. */
struct guard_request {
    const char *version; /* "HTTP/1.1" */
    const char *host;
    const char *origin;
    const char *authorization;
};

/* From api.listen and api.token; false when one of them is too long. */
bool guard_init(struct guard *guard, const char *listen_text, const char *token);

/* Whether Host and Origin are this agent's. If not, `why` is one sentence with the remedy; a static
 * string. */
bool guard_trusts(const struct guard *guard, const struct guard_request *request,
                  const char **why);

/* Whether the request carries the token, if one is asked for; in time that does not depend on how
 * much of it is right. */
bool guard_admits(const struct guard *guard, const char *authorization);
