// SPDX-License-Identifier: Apache-2.0
#include "api/routes.h"

#include "api/assets.h"
#include "api/get_beat.h"
#include "api/get_connections.h"
#include "api/get_flows.h"
#include "api/get_health.h"
#include "api/get_metrics.h"
#include "api/get_paths.h"
#include "api/get_schema.h"
#include "api/get_summary.h"
#include "api/pktvisor.h"
#include "api/stream.h"
#include "base/suggest.h"

/* GET /api/v1/stream */
static void get_stream(struct exchange *x)
{
    x->type = "text/event-stream";
    if (strcmp(x->method, MHD_HTTP_METHOD_HEAD) == 0) {
        return;
    }
    x->response = stream_open(x->service->stream, x->connection);
    if (x->response == NULL) {
        exchange_refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE,
                        "all event streams are taken: close a page that is open, or poll"
                        " /api/v1/summary");
        exchange_add_header(x, "Retry-After", "5");
    }
}

const struct route routes[] = {
    {"GET", "/api/v1/summary", get_summary,
     "all figures: totals, taps, workers, protocol hierarchy, metrics", get_summary_parameters,
     false},
    {"GET", "/api/v1/history", get_summary_history, "the last minutes, second by second",
     get_summary_history_parameters, false},
    {"GET", "/api/v1/flows", get_flows, "active or recently ended flows, as events",
     get_flows_parameters, false},
    {"GET", "/api/v1/connections", get_connections,
     "TCP connections and what each suffered from, worst first, with flows.health",
     get_connections_parameters, false},
    {"GET", "/api/v1/connection", get_connections_one,
     "one of them, with the marks of its time-sequence graph: [us, kind, way, from, to, count]",
     get_connections_one_parameters, false},
    {"GET", "/api/v1/paths", get_paths,
     "what TCP connections had by the clients' country and system and the servers' zone and port, "
     "longest round trips first, with flows.health", get_paths_parameters, false},
    {"GET", "/api/v1/stream", get_stream,
     "server-sent events: `tick` once a second, with the figures and the latest seconds", NULL,
     false},
    {"GET", "/api/v1/schema", get_schema, "this list, and what metrics and events are made of",
     NULL, false},
    {"GET", "/api/v1/metrics/app", get_health_app, "version and up time, as pktvisor has it", NULL,
     false},
    {"GET", "/metrics", get_metrics, "everything countable, as Prometheus text", NULL, false},
    {"GET", "/api/v1/health", get_health, "503 when the figures stand still", NULL, true},
    {"GET", "/api/v1/ready", get_health_ready, "503 until packets are being analysed", NULL, true},
    {"GET", "/healthz", get_health, "the same as /api/v1/health", NULL, true},
    {"GET", "/readyz", get_health_ready, "the same as /api/v1/ready", NULL, true},
    {0},
};

static const struct route *find_route(const char *path)
{
    for (const struct route *route = routes; route->path != NULL; route++) {
        if (strcmp(route->path, path) == 0) {
            return route;
        }
    }
    return NULL;
}

static void refuse_path(struct exchange *x)
{
    if (strcmp(x->path, "/") == 0) {
        exchange_refuse(x, MHD_HTTP_NOT_FOUND,
                        "this vantage was built without its page (-Dweb=false); /api/v1/schema lists"
                        " what there is");
        return;
    }
    struct suggest suggest = suggest_of(x->path);
    for (const struct route *route = routes; route->path != NULL; route++) {
        suggest_offer(&suggest, route->path);
    }
    if (suggest.best != NULL) {
        exchange_refuse(x, MHD_HTTP_NOT_FOUND, "no such path: did you mean %s?", suggest.best);
    } else {
        exchange_refuse(x, MHD_HTTP_NOT_FOUND, "no such path: /api/v1/schema lists what there is");
    }
}

static bool is_readable_by(const char *method)
{
    return strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
}

static void refuse_method(struct exchange *x)
{
    exchange_refuse(x, MHD_HTTP_METHOD_NOT_ALLOWED, "%.16s is not for this path: use GET",
                    x->method);
    exchange_add_header(x, "Allow", "GET, HEAD");
}

static void refuse_token(struct exchange *x)
{
    exchange_refuse(x, MHD_HTTP_UNAUTHORIZED,
                    "this agent asks for its token: send the header Authorization: Bearer TOKEN,"
                    " with api.token of its configuration");
    exchange_add_header(x, "WWW-Authenticate", "Bearer realm=\"vantage\"");
}

static bool is_trusted(struct exchange *x)
{
    struct guard_request request = {
        .version = x->version,
        .host = exchange_header(x, "Host"),
        .origin = exchange_header(x, "Origin"),
    };
    const char *why;
    if (guard_trusts(&x->service->guard, &request, &why)) {
        return true;
    }
    exchange_refuse(x, MHD_HTTP_FORBIDDEN, "%s", why);
    return false;
}

static void answer_beat(struct exchange *x)
{
    if (!is_readable_by(x->method)) {
        refuse_method(x);
    } else if (!guard_admits(&x->service->guard, exchange_header(x, "Authorization"))) {
        refuse_token(x);
    } else {
        get_beat(x);
    }
}

void routes_answer(struct exchange *x)
{
    if (!is_trusted(x)) {
        return;
    }
    if (pktvisor_serves(x)) {
        if (guard_admits(&x->service->guard, exchange_header(x, "Authorization"))) {
            pktvisor_answer(x);
        } else {
            refuse_token(x);
        }
        return;
    }
    if (get_beat_serves(x)) {
        answer_beat(x);
        return;
    }
    const struct route *route = find_route(x->path);
    const struct bundle_file *asset = route == NULL ? assets_find(x->path) : NULL;
    if (route == NULL && asset == NULL) {
        refuse_path(x);
    } else if (!is_readable_by(x->method)) {
        refuse_method(x);
    } else if (asset != NULL) {
        assets_reply(x, asset); /* the page holds no figures, so it may ask for the token itself */
    } else if (!route->open &&
               !guard_admits(&x->service->guard, exchange_header(x, "Authorization"))) {
        refuse_token(x);
    } else if (route->parameters != NULL || parameters_read(x, NULL, NULL)) {
        route->handler(x);
    }
}
