// SPDX-License-Identifier: Apache-2.0
/* Databases and caches by requests: "db". An operation is a protocol with a verb of it ("pgsql",
 * "SELECT"); a request and its response count as one. */
#include "handler/facts.h"
#include "handler/place_filter.h"
#include "handler/requests.h"
#include "handler/side_filter.h"
#include "summary/cardinality.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { SLOTS = 256, NAME = 160, METHOD_MAX = 40, PROTOCOLS = 6 };
enum {
    CARDINALITY = 1, COUNTERS = 2, OPERATIONS = 4, QUANTILES = 8, TOP_CLIENTS = 16, TOP_ERRORS = 32,
    TOP_RESOURCES = 64, TOP_SERVERS = 128,
};

/* In the order of their counters. */
static const char *const protocols[PROTOCOLS + 1] = {"cassandra", "memcache", "mongodb", "mysql",
                                                     "pgsql",     "redis",    NULL};

struct db_count {
    struct requests all;
    uint64_t protocols[PROTOCOLS];
    uint64_t filtered, observed, deep;
    uint64_t sides[SIDE_FILTER_SIDES];
    struct rate rate;
    _Alignas(8) struct cardinality clients;
    _Alignas(8) struct cardinality resources;
    TOPN_DECLARE_WIDE(clients_top, SLOTS, REQUESTS_END);
    TOPN_DECLARE_WIDE(servers_top, SLOTS, REQUESTS_END);
    TOPN_DECLARE_WIDE(resources_top, SLOTS, NAME);
    TOPN_DECLARE_WIDE(errors_top, SLOTS, NAME);
    TOPN_DECLARE_WIDE(messages, SLOTS, NAME);
    struct requests_by by_operation;
};

struct db_settings {
    struct handler_settings common;
    struct place_filter filter;
    struct side_filter sides;
    uint32_t protocols; /* a bit each of those that are wanted */
};

struct db_state {
    struct place_filter_cache verdicts;
    struct facts facts;
};

/* Where protocols say what went wrong. */
static const char *const error_facts[] = {
    "mysql.error_message", "pgsql.error_message",          "redis.error",
    "error",               "cassandra.response.error.msg", "memcache.response.error_msg", NULL};

static bool db_configure(const struct handler_options *options, void *settings, struct err *err)
{
    struct db_settings *s = settings;
    struct handler_words words = handler_list(options, "only_protocols");
    s->protocols = words.count == 0 ? (1u << PROTOCOLS) - 1 : 0;
    for (size_t i = 0; i < words.count; i++) {
        unsigned k = 0;
        while (k < PROTOCOLS && strcmp(words.words[i], protocols[k]) != 0) {
            k++;
        }
        if (k == PROTOCOLS) {
            return err_set(err, ERR_USAGE,
                           "%s: only_protocols: %s is none of cassandra, memcache, mongodb, mysql, "
                           "pgsql, redis",
                           options->title, words.written[i]);
        }
        s->protocols |= 1u << k;
    }
    return place_filter_read(options, &s->filter, err) &&
           side_filter_read(options, &s->sides, err);
}

static void db_init(void *block)
{
    struct db_count *b = block;
    topn_init(&b->clients_top, SLOTS, REQUESTS_END);
    topn_init(&b->servers_top, SLOTS, REQUESTS_END);
    topn_init(&b->resources_top, SLOTS, NAME);
    topn_init(&b->errors_top, SLOTS, NAME);
    topn_init(&b->messages, SLOTS, NAME);
}

/* ---- Counting ------------------------------------------------------------------------------- */

static const char *const operation_labels[] = {"protocol", "operation", NULL};
static const struct metric_set db_operation_set;

static unsigned protocol_of(const struct transaction *t)
{
    unsigned k = 0;
    while (k < PROTOCOLS - 1 && strcmp(t->head.type->dataset, protocols[k]) != 0) {
        k++;
    }
    return k;
}

/* What it was about: a table, a collection, a key. */
static struct span resource_of(const struct transaction *t)
{
    return t->resource.size > 0 ? t->resource : t->path;
}

/* In words; why there was no response; or what was odd about it. */
static struct span message_of(struct db_state *state, const struct transaction *t)
{
    const struct event_field *const *fields = facts_find(&state->facts, error_facts, &t->head);
    for (unsigned i = 0; error_facts[i] != NULL; i++) {
        struct span text = facts_text(&t->head, fields[i]);
        if (text.size > 0) {
            return text;
        }
    }
    if (t->reason != NULL) {
        return span_str(t->reason);
    }
    return t->notes.count > 0 ? t->notes.items[0] : span_str("");
}

static void note_errors(struct handler_run *run, const struct transaction *t)
{
    struct db_count *b = run->block;
    struct span message = message_of(run->state, t);
    char text[NAME];
    const char *protocol = t->head.type->dataset;
    size_t size = strlen(protocol);
    struct span method = span_head(t->method, METHOD_MAX);
    memcpy(text, protocol, size);
    text[size++] = ' ';
    memcpy(text + size, method.size > 0 ? method.data : (const uint8_t *)"", method.size);
    handler_add_name(&b->errors_top, span_of(text, size + method.size), 1);
    handler_add_name(&b->messages, message, message.size > 0);
}

static void note(struct handler_run *run, struct handler_event *event, const struct transaction *t)
{
    struct db_count *b = run->block;
    char client[REQUESTS_END], server[REQUESTS_END];
    struct span resource = resource_of(t);
    handler_add_name(&b->clients_top, requests_end(event, 0, false, client), 1);
    handler_add_name(&b->servers_top, requests_end(event, 1, true, server), 1);
    cardinality_add_coupon(&b->clients, handler_coupon(event, 0));
    if (resource.size > 0) {
        handler_add_name(&b->resources_top, resource, 1);
        cardinality_add_coupon(&b->resources, handler_text_coupon(resource));
    }
    if (t->status != TRANSACTION_OK) {
        note_errors(run, t);
    }
    if (handler_wants(run, OPERATIONS)) {
        struct breakdown_of of = requests_of(&b->by_operation, &db_operation_set, operation_labels);
        struct breakdown_name name = {0};
        breakdown_put(&name, span_str(t->head.type->dataset), METHOD_MAX);
        breakdown_put(&name, t->method, METHOD_MAX);
        requests_count(breakdown_add(&of, &name), t, true);
    }
}

static bool db_on_event(struct handler_run *run, struct handler_event *event)
{
    const struct db_settings *settings = run->settings;
    struct db_state *state = run->state;
    struct db_count *b = run->block;
    const struct transaction *t = requests_event(event, protocols);
    if (t == NULL) {
        return false;
    }
    unsigned protocol = protocol_of(t);
    bool is_deep = handler_is_deep(run);
    b->observed++;
    b->deep += is_deep;
    if (!(settings->protocols & 1u << protocol) ||
        !side_filter_passes(&settings->sides, event) ||
        !place_filter_event(&settings->filter, settings->common.world, &state->verdicts, event)) {
        b->filtered++;
        return false;
    }
    run->sums[0]++;
    b->sides[event->direction]++;
    b->protocols[protocol]++;
    requests_count(&b->all, t, is_deep);
    if (is_deep) {
        note(run, event, t);
    }
    return true;
}

/* ---- Parts ---------------------------------------------------------------------------------- */

static void db_reset(void *block)
{
    struct db_count *b = block;
    struct breakdown_of of = requests_of(&b->by_operation, &db_operation_set, operation_labels);
    breakdown_reset(&of);
}

static void db_merge(void *into, const void *from)
{
    struct db_count *b = into;
    const struct db_count *f = from;
    struct breakdown_of to = requests_of(&b->by_operation, &db_operation_set, operation_labels);
    struct breakdown_of of = requests_of(&f->by_operation, &db_operation_set, operation_labels);
    breakdown_merge(&to, &of);
}

static bool operation_part(const void *settings, const void *block, uint32_t outer,
                           uint32_t number, struct handler_part *ret)
{
    const struct db_count *b = block;
    struct breakdown_of of = requests_of(&b->by_operation, &db_operation_set, operation_labels);
    (void)outer;
    return ((const struct handler_settings *)settings)->groups & OPERATIONS &&
           breakdown_part(&of, number, ret);
}

static const struct metric db_operation_metrics[] = {
    REQUESTS_ROWS(struct requests, count, "db_operation_", OPERATIONS, OPERATIONS),
    {0},
};

static const struct metric_set db_operation_set = {
    .name = "db_operation",
    .help = "Requests of an operation",
    .metrics = db_operation_metrics,
    .size = sizeof(struct requests),
};

static const struct handler_parts operation_parts = {
    .key = "operations",
    .set = &db_operation_set,
    .part = operation_part,
    .is_top = true,
};

/* ---- The table ------------------------------------------------------------------------------ */

#define ROW(name_, kind_, member_, path_, groups_, unit_, help_)                                   \
    .name = name_, .kind = kind_, .offset = offsetof(struct db_count, member_), .unit = unit_,     \
    .help = help_, .group = #groups_, .path = path_, .family = "db_" name_, .groups = groups_
#define COUNT(name_, member_, groups_, help_)                                                      \
    {ROW(name_, METRIC_COUNTER, member_, name_, groups_, "requests", help_)}
#define TOP(name_, member_, groups_, label_, help_)                                                \
    {ROW(name_, METRIC_TOPN, member_, name_, groups_, "requests", help_), .key = METRIC_KEY_TEXT,  \
     .label = label_}

static const struct metric db_metrics[] = {
    REQUESTS_ROWS(struct db_count, all, "db_", COUNTERS, QUANTILES),
    SIDE_FILTER_ROWS(struct db_count, sides, "db", COUNTERS, "requests"),
    COUNT("cassandra_requests", protocols[0], COUNTERS, "Requests of Cassandra's protocol"),
    COUNT("memcache_requests", protocols[1], COUNTERS, "Requests of Memcached's protocols"),
    COUNT("mongodb_requests", protocols[2], COUNTERS, "Requests of MongoDB's protocol"),
    COUNT("mysql_requests", protocols[3], COUNTERS, "Requests of MySQL's protocol"),
    COUNT("pgsql_requests", protocols[4], COUNTERS, "Requests of PostgreSQL's protocol"),
    COUNT("redis_requests", protocols[5], COUNTERS, "Requests of Redis' protocol"),
    {ROW("rates_rps", METRIC_RATE, rate, "rates/rps", QUANTILES, "requests",
         "Rate of requests to databases per second")},
    {ROW("cardinality_clients", METRIC_CARDINALITY, clients, "cardinality/clients", CARDINALITY, "",
         "Cardinality of clients of databases")},
    {ROW("cardinality_resources", METRIC_CARDINALITY, resources, "cardinality/resources",
         CARDINALITY, "", "Cardinality of tables, collections and keys")},
    TOP("top_clients", clients_top, TOP_CLIENTS, "client", "Top clients by requests"),
    TOP("top_servers", servers_top, TOP_SERVERS, "server", "Top servers and ports by requests"),
    TOP("top_resources", resources_top, TOP_RESOURCES, "resource",
        "Top tables, collections and keys by requests"),
    TOP("top_error_operations", errors_top, TOP_ERRORS, "operation",
        "Top operations by requests that went wrong"),
    TOP("top_error_messages", messages, TOP_ERRORS, "message",
        "Top reasons for which requests went wrong"),
    COUNT("operations_folded", by_operation.names.folded, OPERATIONS,
          "Operations that found no room of their own and count with all others"),
    COUNT("filtered_requests", filtered, COUNTERS,
          "Requests that did not match the configured filter(s) (if any)"),
    COUNT("observed_requests", observed, 0, "Requests before filtering"),
    COUNT("deep_sampled_requests", deep, 0, "Requests that were sampled for deep inspection"),
    {0},
};

static const struct metric_set db_set = {
    .name = "db",
    .help = "Databases and caches by requests",
    .metrics = db_metrics,
    .size = sizeof(struct db_count),
    .init = db_init,
    .reset = db_reset,
    .merge = db_merge,
};

static const struct handler_group db_groups[] = {
    {"cardinality", true}, {"counters", true},   {"operations", true},    {"quantiles", true},
    {"top_clients", true}, {"top_errors", true}, {"top_resources", true}, {"top_servers", true},
    {0}};

static const char *const db_options[] = {
    "only_protocols", "geoloc_notfound", "asn_notfound", "only_geoloc_prefix", "only_asn_number",
    "only_directions", "recorded_stream", "deep_sample_rate", "num_periods", "topn_count",
    "topn_percentile_threshold", NULL};

const struct handler handler_db_count = {
    .type = "db",
    .version = "1.0",
    .object = "db",
    .title = "DbStreamHandler",
    .inputs = HANDLER_PCAP,
    .finished = HANDLER_TRANSACTION,
    .set = &db_set,
    .groups = db_groups,
    .options = db_options,
    .settings_size = sizeof(struct db_settings),
    .state_size = sizeof(struct db_state),
    .configure = db_configure,
    .on_event = db_on_event,
    .on_tick = handler_goes_on,
    .parts = &operation_parts,
};
