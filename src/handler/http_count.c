// SPDX-License-Identifier: Apache-2.0
/* HTTP/1 and HTTP/2 by requests: "http". A request and its response count as one, when the response
 * has ended or it is clear that none comes. */
#include "handler/facts.h"
#include "handler/place_filter.h"
#include "handler/requests.h"
#include "handler/route.h"
#include "handler/side_filter.h"
#include "summary/cardinality.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { SLOTS = 256, WORDS = 64, NAME = 160, HOST_MAX = 60, METHOD_MAX = 12, CLASSES = 6 };
enum {
    CARDINALITY = 1, COUNTERS = 2, HOSTS = 4, QUANTILES = 8, ROUTES = 16, TOP_CLIENTS = 32,
    TOP_ERRORS = 64, TOP_METHODS = 128, TOP_STATUS_CODES = 256, TOP_USER_AGENTS = 512,
};

struct http_count {
    struct requests all;
    uint64_t classes[CLASSES]; /* responses by the first digit of their status; 0: another */
    struct quantiles first_byte;
    uint64_t filtered, observed, deep;
    uint64_t sides[SIDE_FILTER_SIDES];
    struct rate rate;
    _Alignas(8) struct cardinality hosts;
    _Alignas(8) struct cardinality clients;
    TOPN_DECLARE(methods, WORDS);
    TOPN_DECLARE(status_codes, WORDS);
    TOPN_DECLARE_WIDE(clients_top, SLOTS, REQUESTS_END);
    TOPN_DECLARE_WIDE(servers_top, SLOTS, REQUESTS_END);
    TOPN_DECLARE_WIDE(server_errors, SLOTS, NAME);
    TOPN_DECLARE_WIDE(client_errors, SLOTS, NAME);
    TOPN_DECLARE_WIDE(agents, SLOTS, NAME);
    struct requests_by by_host;
    struct requests_by by_route;
};

struct http_settings {
    struct handler_settings common;
    struct place_filter filter;
    struct side_filter sides;
    struct handler_words suffixes; /* only_host_suffix */
};

struct http_state {
    struct place_filter_cache verdicts;
    struct facts facts;
};

static const char *const http_facts[] = {"url.domain", "url.path", "http.response.status_code",
                                         "user_agent.original", NULL};
enum { FACT_HOST, FACT_PATH, FACT_STATUS, FACT_AGENT };

/* What an event says. */
struct http_words {
    struct span method, host, path, agent;
    uint64_t status;
};

static bool http_configure(const struct handler_options *options, void *settings,
                           struct err *err)
{
    struct http_settings *s = settings;
    s->suffixes = handler_list(options, "only_host_suffix");
    return place_filter_read(options, &s->filter, err) &&
           side_filter_read(options, &s->sides, err);
}

static void http_init(void *block)
{
    struct http_count *b = block;
    topn_init(&b->methods, WORDS, TOPN_KEY_MAX);
    topn_init(&b->status_codes, WORDS, TOPN_KEY_MAX);
    topn_init(&b->clients_top, SLOTS, REQUESTS_END);
    topn_init(&b->servers_top, SLOTS, REQUESTS_END);
    topn_init(&b->server_errors, SLOTS, NAME);
    topn_init(&b->client_errors, SLOTS, NAME);
    topn_init(&b->agents, SLOTS, NAME);
}

/* ---- By name -------------------------------------------------------------------------------- */

static const char *const host_labels[] = {"host", NULL};
static const char *const route_labels[] = {"host", "method", "route", NULL};
static const struct metric_set http_host_set;
static const struct metric_set http_route_set;

static void by_name(struct http_count *b, const struct http_words *words,
                    const struct transaction *t, uint32_t groups)
{
    struct breakdown_name host = {0}, route = {0};
    char path[ROUTE_ROOM];
    size_t size = route_of(words->path, path);
    breakdown_put(&host, words->host, HOST_MAX);
    breakdown_put(&route, words->host, HOST_MAX);
    breakdown_put(&route, words->method, METHOD_MAX);
    breakdown_put(&route, span_of(path, size), ROUTE_ROOM);
    if (groups & HOSTS) {
        struct breakdown_of of = requests_of(&b->by_host, &http_host_set, host_labels);
        requests_count(breakdown_add(&of, &host), t, true);
    }
    if (groups & ROUTES) {
        struct breakdown_of of = requests_of(&b->by_route, &http_route_set, route_labels);
        requests_count(breakdown_add(&of, &route), t, true);
    }
}

/* The host with the route. */
static void note_errors(struct http_count *b, const struct http_words *words)
{
    char text[HOST_MAX + ROUTE_ROOM];
    struct span host = span_head(words->host, HOST_MAX);
    if (words->status >= 400) {
        memcpy(text, host.size > 0 ? host.data : (const uint8_t *)"", host.size);
        size_t size = host.size + route_of(words->path, text + host.size);
        handler_add_name(words->status >= 500 ? &b->server_errors : &b->client_errors,
                         span_of(text, size), 1);
    }
}

/* ---- Counting ------------------------------------------------------------------------------- */

static struct http_words words_of(struct handler_run *run, const struct handler_event *event)
{
    const struct event_head *head = event->transaction;
    const struct event_field *const *fields =
        facts_find(&((struct http_state *)run->state)->facts, http_facts, head);
    return (struct http_words){
        .method = ((const struct transaction *)head)->method,
        .host = facts_text(head, fields[FACT_HOST]),
        .path = facts_text(head, fields[FACT_PATH]),
        .agent = facts_text(head, fields[FACT_AGENT]),
        .status = facts_number(head, fields[FACT_STATUS]),
    };
}

static void note(struct handler_run *run, struct handler_event *event,
                 const struct http_words *words, const struct transaction *t)
{
    struct http_count *b = run->block;
    char client[REQUESTS_END], server[REQUESTS_END], status[8];
    handler_add_name(&b->methods, words->method, 1);
    if (words->status > 0 && words->status < 1000) {
        char *end = json_digits(status, words->status);
        handler_add_name(&b->status_codes, span_of(status, (size_t)(end - status)), 1);
    }
    if (t->first_byte.present) {
        quantiles_add(&b->first_byte, (double)t->first_byte.value / 1000);
    }
    handler_add_name(&b->clients_top, requests_end(event, 0, false, client), 1);
    handler_add_name(&b->servers_top, requests_end(event, 1, true, server), 1);
    handler_add_name(&b->agents, words->agent, words->agent.size > 0);
    note_errors(b, words);
    cardinality_add_coupon(&b->clients, handler_coupon(event, 0));
    if (words->host.size > 0) {
        cardinality_add_coupon(&b->hosts, handler_text_coupon(words->host));
    }
    by_name(b, words, t, handler_settings(run)->groups);
}

static bool http_on_event(struct handler_run *run, struct handler_event *event)
{
    static const char *const datasets[] = {"http", NULL};
    const struct http_settings *settings = run->settings;
    struct http_state *state = run->state;
    struct http_count *b = run->block;
    const struct transaction *t = requests_event(event, datasets);
    if (t == NULL) {
        return false;
    }
    struct http_words words = words_of(run, event);
    bool is_deep = handler_is_deep(run);
    b->observed++;
    b->deep += is_deep;
    if (!place_filter_event(&settings->filter, settings->common.world, &state->verdicts, event) ||
        !side_filter_passes(&settings->sides, event) ||
        !requests_has_suffix(&settings->suffixes, words.host)) {
        b->filtered++;
        return false;
    }
    run->sums[0]++;
    b->sides[event->direction]++;
    b->classes[words.status / 100 < CLASSES ? words.status / 100 : 0] += words.status > 0;
    requests_count(&b->all, t, is_deep);
    if (is_deep) {
        note(run, event, &words, t);
    }
    return true;
}

/* ---- Parts ---------------------------------------------------------------------------------- */

static void http_reset(void *block)
{
    struct http_count *b = block;
    struct breakdown_of hosts = requests_of(&b->by_host, &http_host_set, host_labels);
    struct breakdown_of routes = requests_of(&b->by_route, &http_route_set, route_labels);
    breakdown_reset(&hosts);
    breakdown_reset(&routes);
}

static void http_merge(void *into, const void *from)
{
    struct http_count *b = into;
    const struct http_count *f = from;
    struct breakdown_of hosts = requests_of(&b->by_host, &http_host_set, host_labels);
    struct breakdown_of routes = requests_of(&b->by_route, &http_route_set, route_labels);
    struct breakdown_of more_hosts = requests_of(&f->by_host, &http_host_set, host_labels);
    struct breakdown_of more_routes = requests_of(&f->by_route, &http_route_set, route_labels);
    breakdown_merge(&hosts, &more_hosts);
    breakdown_merge(&routes, &more_routes);
}

static bool host_part(const void *settings, const void *block, uint32_t outer, uint32_t number,
                      struct handler_part *ret)
{
    const struct http_count *b = block;
    struct breakdown_of of = requests_of(&b->by_host, &http_host_set, host_labels);
    (void)outer;
    return ((const struct handler_settings *)settings)->groups & HOSTS &&
           breakdown_part(&of, number, ret);
}

static bool route_part(const void *settings, const void *block, uint32_t outer, uint32_t number,
                       struct handler_part *ret)
{
    const struct http_count *b = block;
    struct breakdown_of of = requests_of(&b->by_route, &http_route_set, route_labels);
    (void)outer;
    return ((const struct handler_settings *)settings)->groups & ROUTES &&
           breakdown_part(&of, number, ret);
}

static const struct metric http_host_metrics[] = {
    REQUESTS_ROWS(struct requests, count, "http_host_", HOSTS, HOSTS),
    {0},
};

static const struct metric_set http_host_set = {
    .name = "http_host",
    .help = "Requests to a host",
    .metrics = http_host_metrics,
    .size = sizeof(struct requests),
};

static const struct metric http_route_metrics[] = {
    REQUESTS_ROWS(struct requests, count, "http_route_", ROUTES, ROUTES),
    {0},
};

static const struct metric_set http_route_set = {
    .name = "http_route",
    .help = "Requests of a route",
    .metrics = http_route_metrics,
    .size = sizeof(struct requests),
};

static const struct handler_parts route_parts = {
    .key = "routes",
    .set = &http_route_set,
    .part = route_part,
    .is_top = true,
};

static const struct handler_parts host_parts = {
    .key = "hosts",
    .set = &http_host_set,
    .part = host_part,
    .next = &route_parts,
    .is_top = true,
};

/* ---- The table ------------------------------------------------------------------------------ */

#define ROW(name_, kind_, member_, path_, groups_, unit_, help_)                                   \
    .name = name_, .kind = kind_, .offset = offsetof(struct http_count, member_), .unit = unit_,   \
    .help = help_, .group = #groups_, .path = path_, .family = "http_" name_, .groups = groups_
#define COUNT(name_, member_, groups_, help_)                                                      \
    {ROW(name_, METRIC_COUNTER, member_, name_, groups_, "requests", help_)}
#define TOP(name_, member_, groups_, label_, help_)                                                \
    {ROW(name_, METRIC_TOPN, member_, name_, groups_, "requests", help_), .key = METRIC_KEY_TEXT,  \
     .label = label_}

static const struct metric http_metrics[] = {
    REQUESTS_ROWS(struct http_count, all, "http_", COUNTERS, QUANTILES),
    SIDE_FILTER_ROWS(struct http_count, sides, "http", COUNTERS, "requests"),
    COUNT("status_1xx", classes[1], COUNTERS, "Responses with a status from 100 to 199"),
    COUNT("status_2xx", classes[2], COUNTERS, "Responses with a status from 200 to 299"),
    COUNT("status_3xx", classes[3], COUNTERS, "Responses with a status from 300 to 399"),
    COUNT("status_4xx", classes[4], COUNTERS, "Responses with a status from 400 to 499"),
    COUNT("status_5xx", classes[5], COUNTERS, "Responses with a status from 500 to 599"),
    COUNT("status_other", classes[0], COUNTERS, "Responses with another status"),
    {ROW("first_byte_us", METRIC_QUANTILES, first_byte, "first_byte_us", QUANTILES, "us",
         "Quantiles of the time from a request's end to its response's first byte, in "
         "microseconds")},
    {ROW("rates_rps", METRIC_RATE, rate, "rates/rps", QUANTILES, "requests",
         "Rate of HTTP requests per second")},
    {ROW("cardinality_hosts", METRIC_CARDINALITY, hosts, "cardinality/hosts", CARDINALITY, "",
         "Cardinality of hosts that were asked for")},
    {ROW("cardinality_clients", METRIC_CARDINALITY, clients, "cardinality/clients", CARDINALITY, "",
         "Cardinality of HTTP clients")},
    TOP("top_methods", methods, TOP_METHODS, "method", "Top methods"),
    TOP("top_status_codes", status_codes, TOP_STATUS_CODES, "status_code", "Top status codes"),
    TOP("top_clients", clients_top, TOP_CLIENTS, "client", "Top clients by requests"),
    TOP("top_servers", servers_top, TOP_CLIENTS, "server", "Top servers and ports by requests"),
    TOP("top_server_errors", server_errors, TOP_ERRORS, "route",
        "Top hosts and routes by responses with a status of 500 or above"),
    TOP("top_client_errors", client_errors, TOP_ERRORS, "route",
        "Top hosts and routes by responses with a status from 400 to 499"),
    TOP("top_user_agents", agents, TOP_USER_AGENTS, "user_agent", "Top user agents"),
    COUNT("hosts_folded", by_host.names.folded, HOSTS,
          "Hosts that found no room of their own and count with all others"),
    COUNT("routes_folded", by_route.names.folded, ROUTES,
          "Routes that found no room of their own and count with all others"),
    COUNT("filtered_requests", filtered, COUNTERS,
          "Requests that did not match the configured filter(s) (if any)"),
    COUNT("observed_requests", observed, 0, "Requests before filtering"),
    COUNT("deep_sampled_requests", deep, 0, "Requests that were sampled for deep inspection"),
    {0},
};

static const struct metric_set http_set = {
    .name = "http",
    .help = "HTTP by requests",
    .metrics = http_metrics,
    .size = sizeof(struct http_count),
    .init = http_init,
    .reset = http_reset,
    .merge = http_merge,
};

static const struct handler_group http_groups[] = {
    {"cardinality", true},      {"counters", true},        {"hosts", true},
    {"quantiles", true},        {"routes", true},          {"top_clients", true},
    {"top_errors", true},       {"top_methods", true},     {"top_status_codes", true},
    {"top_user_agents", false}, {0}};

static const char *const http_options[] = {
    "only_host_suffix", "geoloc_notfound", "asn_notfound", "only_geoloc_prefix", "only_asn_number",
    "only_directions", "recorded_stream", "deep_sample_rate", "num_periods", "topn_count",
    "topn_percentile_threshold", NULL};

const struct handler handler_http_count = {
    .type = "http",
    .version = "1.0",
    .object = "http",
    .title = "HttpStreamHandler",
    .inputs = HANDLER_PCAP,
    .finished = HANDLER_TRANSACTION,
    .set = &http_set,
    .groups = http_groups,
    .options = http_options,
    .settings_size = sizeof(struct http_settings),
    .state_size = sizeof(struct http_state),
    .configure = http_configure,
    .on_event = http_on_event,
    .on_tick = handler_goes_on,
    .parts = &host_parts,
};
