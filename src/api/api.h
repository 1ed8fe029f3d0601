// SPDX-License-Identifier: Apache-2.0
/* The door of api/: an HTTP server over a running engine. It answers REST requests in JSON, the
 * Prometheus text, a stream of server-sent events and the files of the web page, all from one table
 * of routes (routes.c). It only reads: the board, which it locks for the time of a rendering, and
 * flows, which it asks the workers for; it never touches a worker.
 *
 * Two threads of libmicrohttpd serve all connections, a third renders one event a second for all
 * streams together. Connections, streams, headers, bodies and waiting times are bounded. It listens
 * where api.listen says, which is loopback unless the user wrote otherwise. */
#pragma once

#include "base/err.h"
#include "engine/engine.h"

enum {
    API_CONNECTIONS_MAX = 256,
    API_STREAMS_MAX = 64,        /* of the connections, those that may be event streams */
    API_IDLE_SECONDS = 15,       /* a connection on which nothing moves for so long is closed */
    API_REQUEST_MAX = 16 << 10,  /* bytes of a request's line and headers */
    API_BODY_MAX = 4 << 10,      /* bytes of a request's body, which nothing here reads */
};

struct api; /* opaque */

/* Starts to serve on config->api.listen; port 0 takes a free one. `engine` must outlive the api,
 * and so must config->beat; all else of `config` only this call. NULL and err when the address cannot be had. */
struct api *api_start(struct engine *engine, const struct config *config, struct err *err);

/* Ends all connections and frees the api. NULL is fine. */
void api_stop(struct api *api);

/* Where it listens in fact, "127.0.0.1:10853"; lives as long as the api. */
const char *api_address(const struct api *api);
