// SPDX-License-Identifier: Apache-2.0
#include "proto/cassandra/cassandra_flow.h"

#include <strings.h>

enum { NOTES_MAX = 4 };

/* ---- Events --------------------------------------------------------------------------------- */

static void set_fields(const struct proto_settings *settings, struct cassandra_event *e,
                       const struct cassandra_record *r)
{
    bool is_shown = r->header.is_response ? settings->send_response : settings->send_request;
    for (unsigned i = 0; is_shown && i < CASSANDRA_FIELDS; i++) {
        if (cassandra_has(r, i)) {
            e->field[i] = cassandra_text_of(r, i);
        }
    }
}

static void set_request(const struct proto_settings *settings, struct cassandra_event *e,
                        const struct cassandra_record *r)
{
    struct transaction *t = &e->transaction;
    t->request_side = r->link.side;
    t->start_ns = r->link.start_ns;
    t->request_ns = r->link.end_ns;
    t->source_bytes = CASSANDRA_HEADER + (uint64_t)r->header.size;
    t->method = span_str(cassandra_op_name(r->header.op));
    set_fields(settings, e, r);
    t->query = e->field[CASSANDRA_ASKED_QUERY];
}

static void set_response(const struct proto_settings *settings, struct cassandra_event *e,
                         const struct cassandra_record *r)
{
    struct transaction *t = &e->transaction;
    t->destination_bytes = CASSANDRA_HEADER + (uint64_t)r->header.size;
    set_fields(settings, e, r);
    if (t->start_ns != 0) {
        t->response_ns = r->link.start_ns;
        t->end_ns = r->link.end_ns;
        return;
    }
    t->start_ns = r->link.start_ns; /* nobody asked, or it was not seen */
    t->request_side = 1 - r->link.side;
    t->method = span_str(cassandra_op_name(r->header.op));
    e->no_request = true;
}

static uint32_t set_notes(struct span notes[NOTES_MAX], const struct cassandra_record *request,
                          const struct cassandra_record *response)
{
    uint32_t n = 0;
    if (request != NULL && request->holed) {
        notes[n++] = span_str("Packet loss while capturing the request");
    }
    if (response != NULL && response->holed) {
        notes[n++] = span_str("Packet loss while capturing the response");
    }
    if (request != NULL && request->cut != PROTO_CUT_NOT) {
        notes[n++] = span_str(proto_cut_note((enum proto_cut)request->cut, false));
    }
    if (request == NULL && response->header.op != CASSANDRA_EVENT) {
        notes[n++] = span_str("Unmatched response");
    }
    return n;
}

static bool is_ignored(const struct proto_context *c, const struct cassandra_record *r)
{
    const struct text_list *list = &cassandra_options_of(c)->ignored;
    for (size_t i = 0; r != NULL && i < list->count; i++) {
        if (strcasecmp(list->items[i], cassandra_op_name(r->header.op)) == 0) {
            return true;
        }
    }
    return false;
}

/* Reports a request with its response, either of which may be NULL. */
static void report(struct proto_context *c, const struct cassandra_record *request,
                   const struct cassandra_record *response, const char *reason)
{
    struct cassandra_stats *stats = cassandra_stats_of(c);
    bool is_error = response != NULL && response->header.op == CASSANDRA_ERROR;
    bool is_pushed = response != NULL && response->header.op == CASSANDRA_EVENT;
    bool failed = reason != NULL || is_error || (request == NULL && !is_pushed);
    stats->transactions += request != NULL && response != NULL;
    stats->errors += failed;
    stats->unanswered += reason != NULL;
    if (is_ignored(c, request) || is_ignored(c, response)) {
        stats->ignored++;
        return;
    }
    if (c->events->capacity == 0) {
        return;
    }
    struct span notes[NOTES_MAX];
    struct cassandra_event e = {.transaction.head.type = &cassandra_event_type};
    struct transaction *t = &e.transaction;
    if (request != NULL) {
        set_request(c->settings, &e, request);
    }
    if (response != NULL) {
        set_response(c->settings, &e, response);
    }
    t->status = failed ? TRANSACTION_ERROR : TRANSACTION_OK;
    t->outcome = failed ? "failure" : request != NULL ? "success" : NULL;
    t->reason = reason;
    t->notes = (struct event_spans){set_notes(notes, request, response), notes};
    enum proto_cut cut = request != NULL ? (enum proto_cut)request->cut : PROTO_CUT_NOT;
    proto_cut_count(c->events, cut, PROTO_CUT_NOT);
    (void)event_log_add_whole(c->events, &t->head);
}

/* ---- The queue ------------------------------------------------------------------------------ */

static void give_up(struct proto_context *c, struct cassandra_record *r, const char *reason)
{
    reason = waiting_reason(&r->link, reason);
    waiting_remove(&cassandra_flow_of(c)->waiting, &r->link);
    report(c, r, NULL, reason);
    slab_give(c->memory, r);
}

void cassandra_give_up(struct proto_context *c, unsigned side, const char *reason)
{
    struct waiter *next;
    for (struct waiter *w = cassandra_flow_of(c)->waiting.head; w != NULL; w = next) {
        next = w->next;
        if (waiting_is_of(w, side)) {
            give_up(c, (struct cassandra_record *)w, reason);
        }
    }
}

void cassandra_lose(struct proto_context *c, unsigned side)
{
    struct waiting *waiting = &cassandra_flow_of(c)->waiting;
    struct waiter *next;
    for (struct waiter *w = waiting->head; w != NULL && waiting->doubted > 0; w = next) {
        next = w->next;
        if (w->doubted && w->side == side) {
            give_up(c, (struct cassandra_record *)w, "gap");
        }
    }
    waiting_doubt(waiting, 1 - side);
}

/* A stream that is used anew was answered before: in the hole. */
static void settle_doubt(struct proto_context *c, const struct cassandra_record *anew)
{
    struct waiting *waiting = &cassandra_flow_of(c)->waiting;
    struct waiter *next;
    for (struct waiter *w = waiting->head; w != NULL && waiting->doubted > 0; w = next) {
        struct cassandra_record *r = (struct cassandra_record *)w;
        next = w->next;
        if (w->doubted && r->header.stream == anew->header.stream && w->side == anew->link.side) {
            give_up(c, r, "gap");
        }
    }
}

/* Whether its response is under way. */
static bool is_being_answered(const struct cassandra_flow *f, const struct cassandra_record *r)
{
    const struct cassandra_record *response = f->side[1 - r->link.side].open;
    return response != NULL && response->header.stream == r->header.stream;
}

/* The oldest come first. One whose response is on its way has all the time. */
void cassandra_age(struct proto_context *c, uint64_t now_ns)
{
    struct cassandra_flow *f = cassandra_flow_of(c);
    uint64_t timeout = (uint64_t)c->settings->transaction_timeout;
    struct waiter *next;
    for (struct waiter *w = f->waiting.head; w != NULL; w = next) {
        struct cassandra_record *r = (struct cassandra_record *)w;
        next = w->next;
        if (is_being_answered(f, r)) {
            continue;
        }
        if (w->end_ns + timeout >= now_ns) {
            break;
        }
        give_up(c, r, "timeout");
    }
}

static void take_request(struct proto_context *c, struct cassandra_record *r)
{
    struct waiting *waiting = &cassandra_flow_of(c)->waiting;
    cassandra_stats_of(c)->requests++;
    settle_doubt(c, r);
    waiting_add(waiting, &r->link);
    uint32_t most = CASSANDRA_QUEUE_BYTES + (uint32_t)cassandra_options_of(c)->max_message_size;
    while (waiting_is_full(waiting, CASSANDRA_QUEUE_MAX, most)) {
        cassandra_stats_of(c)->evicted++;
        give_up(c, (struct cassandra_record *)waiting->head, "evicted");
    }
}

/* The request of a response's stream, taken off the queue; NULL when there is none. */
static struct cassandra_record *take_asked(struct waiting *waiting,
                                           const struct cassandra_record *response)
{
    for (struct waiter *w = waiting->head; w != NULL; w = w->next) {
        struct cassandra_record *r = (struct cassandra_record *)w;
        if (r->header.stream == response->header.stream && w->side != response->link.side) {
            waiting_remove(waiting, w);
            return r;
        }
    }
    return NULL;
}

static void take_response(struct proto_context *c, struct cassandra_record *r)
{
    struct cassandra_stats *stats = cassandra_stats_of(c);
    bool is_pushed = r->header.op == CASSANDRA_EVENT;
    struct cassandra_record *request = is_pushed ? NULL : take_asked(&cassandra_flow_of(c)->waiting, r);
    stats->responses += !is_pushed;
    stats->pushed += is_pushed;
    stats->unmatched += request == NULL && !is_pushed;
    if (request != NULL || is_pushed || c->settings->report_unmatched) {
        report(c, request, r, NULL);
    }
    slab_give(c->memory, request);
    slab_give(c->memory, r);
}

void cassandra_take(struct proto_context *c, struct cassandra_record *r)
{
    if (r->header.is_response) {
        take_response(c, r);
    } else {
        take_request(c, r);
    }
}
