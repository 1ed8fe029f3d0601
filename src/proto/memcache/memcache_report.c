// SPDX-License-Identifier: Apache-2.0
#include "proto/memcache/memcache_report.h"

#include "base/json.h"

enum { KEYS_MAX = 512, STATISTICS_MAX = 512, VALUES_MAX = 64, QUERY_MAX = 1024, DIGITS_MAX = 24 };

/* The borrowed parts of one half of an event. */
struct half_parts {
    struct span keys[KEYS_MAX];
    struct span values[VALUES_MAX];
    struct memcache_statistic statistics[STATISTICS_MAX];
    char numbers[3][DIGITS_MAX];
    uint8_t *text; /* values in base64, a slab block */
    bool is_short; /* there is no memory for them */
};

/* ---- Base64 (RFC 4648 §4) -------------------------------------------------------------------- */

static size_t encoded_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

static uint8_t *encode(uint8_t *to, struct span from)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (; from.size > 0; from = span_skip(from, 3)) {
        size_t n = from.size < 3 ? from.size : 3;
        uint32_t bits = (uint32_t)from.data[0] << 16 | (n > 1 ? (uint32_t)from.data[1] << 8 : 0) |
                        (n > 2 ? from.data[2] : 0);
        for (unsigned i = 0; i < 4; i++) {
            *to++ = i <= n ? (uint8_t)letters[bits >> (18 - 6 * i) & 63] : '=';
        }
    }
    return to;
}

/* ---- A half --------------------------------------------------------------------------------- */

static const char *type_name(uint8_t type)
{
    static const char *const names[MEMCACHE_TYPES] = {
        "UNKNOWN",  "Load",       "Store", "Delete",  "Counter", "Info",
        "SlabCtrl", "LRUCrawler", "Stats", "Success", "Fail",    "Auth",
    };
    return names[type];
}

static struct span action_of(uint8_t type)
{
    static const char *const names[MEMCACHE_TYPES] = {
        "memcache.unknown", "memcache.load",    "memcache.store",    "memcache.delete",
        "memcache.counter", "memcache.info",    "memcache.slabctrl", "memcache.lrucrawler",
        "memcache.stats",   "memcache.success", "memcache.fail",     "memcache.auth",
    };
    return span_str(names[type]);
}

static struct span signed_number(const struct memcache_message *m, enum memcache_number n,
                                 char to[DIGITS_MAX])
{
    if (!memcache_has(m, n)) {
        return span_of(NULL, 0);
    }
    bool negative = (int64_t)m->number[n] < 0;
    to[0] = '-';
    char *from = to + negative;
    char *end = json_digits(from, negative ? -m->number[n] : m->number[n]);
    return span_of(to, (size_t)(end - to));
}

static void add_statistic(struct memcache_half *half, struct half_parts *parts, struct span name)
{
    if (half->statistics.count < STATISTICS_MAX) {
        parts->statistics[half->statistics.count++] = (struct memcache_statistic){.name = name};
    }
}

static void set_statistic(struct memcache_half *half, struct half_parts *parts, struct span value)
{
    if (half->statistics.count > 0) {
        parts->statistics[half->statistics.count - 1].value = value;
    }
}

static void add_item(struct memcache_half *half, struct half_parts *parts,
                     enum memcache_item_kind kind, struct span text)
{
    switch (kind) {
    case MEMCACHE_ITEM_KEY:
        if (half->keys.count < KEYS_MAX) {
            parts->keys[half->keys.count++] = text;
        }
        break;
    case MEMCACHE_ITEM_VALUE:
        if (half->values.count < VALUES_MAX) {
            parts->values[half->values.count++] = text;
        }
        break;
    case MEMCACHE_ITEM_NAME:
        add_statistic(half, parts, text);
        break;
    case MEMCACHE_ITEM_STATISTIC:
        set_statistic(half, parts, text);
        break;
    case MEMCACHE_ITEM_LINE:
        half->line = text;
        break;
    case MEMCACHE_ITEM_ARGUMENTS:
        half->arguments = text;
        break;
    case MEMCACHE_ITEM_ERROR:
        half->error = text;
        break;
    case MEMCACHE_ITEM_VERSION:
        half->version = text;
        break;
    case MEMCACHE_ITEM_AUTOMOVE:
        half->automove = text;
        break;
    default:
        break;
    }
}

static void encode_values(struct slab *slab, struct memcache_half *half, struct half_parts *parts)
{
    size_t size = 0;
    for (uint32_t i = 0; i < half->values.count; i++) {
        size += encoded_size(parts->values[i].size);
    }
    parts->text = half->values.count > 0 ? slab_take_large(slab, size) : NULL;
    parts->is_short = half->values.count > 0 && parts->text == NULL;
    uint8_t *at = parts->text;
    half->values.count = at != NULL ? half->values.count : 0;
    for (uint32_t i = 0; i < half->values.count; i++) {
        uint8_t *end = encode(at, parts->values[i]);
        parts->values[i] = span_of(at, (size_t)(end - at));
        at = end;
    }
}

/* EVENT_TRUTH: 0 where there is nothing to tell. */
static uint8_t truth_of(bool is_told, bool value)
{
    return (uint8_t)(is_told ? 1 + value : 0);
}

static void set_half(struct slab *slab, struct memcache_half *half, struct half_parts *parts,
                     const struct memcache_message *m)
{
    for (unsigned i = 0; i < MEMCACHE_NUMBERS; i++) {
        half->number[i] = (struct event_optional){m->number[i], m->has >> i & 1};
    }
    half->exptime = signed_number(m, MEMCACHE_EXPTIME, parts->numbers[0]);
    half->source_class = signed_number(m, MEMCACHE_SOURCE_CLASS, parts->numbers[1]);
    half->dest_class = signed_number(m, MEMCACHE_DEST_CLASS, parts->numbers[2]);
    half->keys.items = parts->keys;
    half->values.items = parts->values;
    half->statistics.items = parts->statistics;
    half->command = m->command;
    half->type = type_name(m->type);
    half->opcode = m->opcode;
    half->status = m->status;
    half->no_reply = truth_of(m->may_be_mute, m->no_reply);
    half->quiet = truth_of(m->is_binary || m->is_quiet, m->is_quiet);
    struct memcache_walk walk = {0};
    for (struct span text = memcache_item_next(m, &walk); text.data != NULL;
         text = memcache_item_next(m, &walk)) {
        add_item(half, parts, walk.kind, text);
    }
    encode_values(slab, half, parts);
}

/* ---- Both ----------------------------------------------------------------------------------- */

static bool needs_response(const struct memcache_message *request)
{
    return !request->no_reply && !request->is_quiet && !request->is_quit;
}

/* NULL: all went well. */
static const char *status_of(const struct memcache_pair *pair)
{
    if (pair->request == NULL) {
        return "Client Error";
    }
    if (pair->response == NULL) {
        return needs_response(pair->request) || pair->reason != NULL ? "Server Error" : NULL;
    }
    static const char *const texts[] = {[MEMCACHE_FAILED] = "Error",
                                        [MEMCACHE_CLIENTS] = "Client Error",
                                        [MEMCACHE_SERVERS] = "Server Error"};
    return texts[pair->response->fault];
}

/* The command and its keys, or its arguments. */
static struct span query_of(uint8_t to[QUERY_MAX], const struct memcache_half *request)
{
    uint8_t *at = to;
    const uint8_t *end = to + QUERY_MAX;
    struct span line = request->line.size > 0     ? request->line
                       : request->command != NULL ? span_str(request->command)
                                                  : span_of(to, 0);
    size_t size = line.size < QUERY_MAX ? line.size : QUERY_MAX;
    at = mempcpy(at, line.data, size);
    for (uint32_t i = 0; i <= request->keys.count; i++) {
        struct span word = i < request->keys.count ? request->keys.items[i] : request->arguments;
        if (word.size == 0 || (size_t)(end - at) < word.size + 1) {
            continue;
        }
        *at++ = ' ';
        at = mempcpy(at, word.data, word.size);
    }
    return span_of(to, (size_t)(at - to));
}

static void count(struct memcache_stats *stats, const struct memcache_pair *pair,
                  const char *status)
{
    stats->transactions += pair->request != NULL && pair->response != NULL;
    stats->errors += status != NULL;
    stats->unanswered += pair->response == NULL && status != NULL;
    if (pair->request != NULL && pair->request->type == MEMCACHE_LOAD && status == NULL) {
        uint64_t asked = pair->request->count[MEMCACHE_ITEM_KEY];
        uint64_t found = pair->response != NULL ? pair->response->number[MEMCACHE_COUNT_VALUES] : 0;
        stats->hits += found;
        stats->misses += asked > found ? asked - found : 0;
    }
}

/* A key that is not there is a miss, which binary calls an error. */
static void count_miss(struct memcache_stats *stats, const struct memcache_pair *pair)
{
    bool is_miss = pair->request != NULL && pair->response != NULL &&
                   pair->request->type == MEMCACHE_LOAD && pair->response->is_binary &&
                   pair->response->number[MEMCACHE_STATUS_CODE] == 1;
    stats->misses += is_miss;
}

static void set_times(const struct proto_context *c, struct transaction *t,
                      const struct memcache_pair *pair)
{
    const struct memcache_message *request = pair->request;
    const struct memcache_message *response = pair->response;
    t->request_side = memcache_flow_of(c)->client;
    t->start_ns = request != NULL ? request->start_ns : response->start_ns;
    if (request != NULL) {
        t->request_ns = request->end_ns;
        t->source_bytes = request->bytes;
    }
    if (response != NULL) {
        t->response_ns = response->start_ns;
        t->end_ns = response->end_ns;
        t->destination_bytes = response->bytes;
    }
}

static uint32_t set_notes(struct span notes[6], const struct memcache_pair *pair)
{
    uint32_t n = 0;
    if (pair->request == NULL) {
        notes[n++] = span_str("Invalid transaction. Request missing");
    } else if (pair->request->holed) {
        notes[n++] = span_str("Packet loss while capturing the request");
    }
    if (pair->response != NULL && pair->response->holed) {
        notes[n++] = span_str("Packet loss while capturing the response");
    }
    if (pair->note != NULL) {
        notes[n++] = span_str(pair->note);
    }
    return n;
}

/* Why what is said of a message is not whole; there may be none. `is_short`: there was no room to
 * write it. */
static enum proto_cut cut_of(const struct memcache_message *m, bool is_short)
{
    if (m == NULL) {
        return PROTO_CUT_NOT;
    }
    bool is_more = m->is_long || m->count[MEMCACHE_ITEM_KEY] > KEYS_MAX ||
                   m->count[MEMCACHE_ITEM_NAME] > STATISTICS_MAX ||
                   m->count[MEMCACHE_ITEM_VALUE] > VALUES_MAX;
    return is_short || m->is_short ? PROTO_CUT_SHORT
           : m->is_cut             ? PROTO_CUT_AT_MOST
           : is_more               ? PROTO_CUT_MANY
                                   : PROTO_CUT_NOT;
}

/* What is large; of it only what is read is set. */
struct sheet {
    struct memcache_event event;
    struct half_parts request;
    struct half_parts response;
    struct span notes[6];
    uint8_t query[QUERY_MAX];
};

static void log_event(struct proto_context *c, const struct memcache_pair *pair, const char *status)
{
    struct sheet s;
    struct memcache_event *e = &s.event;
    struct transaction *t = &e->transaction;
    *e = (struct memcache_event){.transaction.head.type = &memcache_event_type};
    s.request.text = s.response.text = NULL;
    s.request.is_short = s.response.is_short = false;
    const struct memcache_message *any = pair->request != NULL ? pair->request : pair->response;
    e->protocol_type = any->is_binary ? "binary" : "text";
    t->status = status != NULL ? TRANSACTION_ERROR : TRANSACTION_OK;
    t->status_text = status;
    t->outcome = status != NULL ? "failure" : "success";
    t->reason = pair->reason;
    t->action = action_of(any->type);
    t->notes = (struct event_spans){set_notes(s.notes, pair), s.notes};
    set_times(c, t, pair);
    if (pair->request != NULL) {
        set_half(c->memory, &e->request, &s.request, pair->request);
        t->method = e->request.command != NULL ? span_str(e->request.command) : t->method;
        t->resource = e->request.keys.count > 0 ? s.request.keys[0] : t->resource;
        t->query = query_of(s.query, &e->request);
    }
    if (pair->response != NULL) {
        set_half(c->memory, &e->response, &s.response, pair->response);
    }
    proto_cut_tell(c->events, t, s.notes, cut_of(pair->request, s.request.is_short),
                   cut_of(pair->response, s.response.is_short));
    (void)event_log_add_whole(c->events, &t->head);
    slab_give(c->memory, s.request.text);
    slab_give(c->memory, s.response.text);
}

void memcache_report(struct proto_context *c, const struct memcache_pair *pair)
{
    struct memcache_pair p = *pair;
    bool silent = p.request != NULL && p.response == NULL && !needs_response(p.request);
    if (silent) { /* nothing was due */
        p.reason = NULL;
        p.note = NULL;
    }
    const char *status = status_of(&p);
    count(memcache_stats_of(c), &p, status);
    count_miss(memcache_stats_of(c), &p);
    if (c->events->capacity != 0) {
        log_event(c, &p, status);
    }
}
