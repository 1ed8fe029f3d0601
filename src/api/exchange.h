// SPDX-License-Identifier: Apache-2.0
/* One request and the reply to it. The server makes an exchange when a request's headers have come
 * and frees it when the reply has gone; a handler only fills in the reply: most write JSON into
 * `body`, a few bring a response of their own. One thread at a time. */
#pragma once

#include <microhttpd.h>
#include <pthread.h>

#include "api/guard.h"
#include "base/json.h"
#include "engine/engine.h"

struct beat_options;
struct stream;

/* What all requests are served from; constant while the server runs. */
struct service {
    struct engine *engine;
    struct stream *stream;
    pthread_mutex_t *searching; /* the workers take one search for flows at a time */
    struct guard guard;
    struct policies *policies;       /* NULL: there are none */
    struct config_pktvisor pktvisor; /* how its interface is served */
    const struct beat_options *beat; /* NULL: the agent is not in Packetbeat's place */
};

struct exchange {
    const struct service *service; /* borrowed */
    struct MHD_Connection *connection;
    const char *method;
    const char *version; /* "HTTP/1.1" */
    const char *path;   /* decoded, without the query */
    size_t body_size;   /* bytes of the request's body so far */
    struct json request; /* the body, where somebody wants it */
    unsigned status;    /* 200 unless the handler says otherwise */
    const char *type;   /* of the reply's body; application/json unless the handler says otherwise */
    struct json body;
    bool ends_agent;    /* which goes on until the reply has gone */
    struct MHD_Response *response; /* instead of `body`; owned until it is sent */
};

/* NULL when there is no memory. */
struct exchange *exchange_new(const struct service *service, struct MHD_Connection *connection,
                              const char *method, const char *path, const char *version);
void exchange_free(struct exchange *x);

/* A header of the request, or NULL. */
const char *exchange_header(const struct exchange *x, const char *name);

/* Adds a header to the reply; makes it a response of its own if it is none yet, so that the body
 * must be complete. */
void exchange_add_header(struct exchange *x, const char *name, const char *value);

/* Replies with {"error": "..."} instead of what was written so far. */
__attribute__((format(printf, 3, 4))) void exchange_refuse(struct exchange *x, unsigned status,
                                                           const char *format, ...);

/* Hands the reply to the server. */
enum MHD_Result exchange_send(struct exchange *x);
