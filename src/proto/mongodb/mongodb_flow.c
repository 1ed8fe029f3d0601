// SPDX-License-Identifier: Apache-2.0
#include "proto/mongodb/mongodb_flow.h"

#include "base/json.h"

enum { DIGITS_MAX = 24, ACTION_MAX = 80 };

/* ---- Events --------------------------------------------------------------------------------- */

struct digits {
    char text[MONGODB_NUMBERS][DIGITS_MAX];
};

static struct span write_number(char to[DIGITS_MAX], int64_t value)
{
    bool negative = value < 0;
    to[0] = '-';
    char *end = json_digits(to + negative, negative ? -(uint64_t)value : (uint64_t)value);
    return span_of(to, (size_t)(end - to));
}

static void set_numbers(struct mongodb_event *e, const struct mongodb_record *r, struct digits *to)
{
    for (unsigned i = 0; i < MONGODB_NUMBERS; i++) {
        if (r->has >> i & 1) {
            e->number[i] = write_number(to->text[i], r->number[i]);
        }
    }
}

static void set_request(struct mongodb_event *e, const struct mongodb_record *r,
                        struct digits *digits)
{
    struct transaction *t = &e->transaction;
    t->request_side = r->link.side;
    t->start_ns = r->link.start_ns;
    t->request_ns = r->link.end_ns;
    t->source_bytes = r->bytes;
    t->method = mongodb_text_of(r, MONGODB_METHOD);
    t->resource = mongodb_text_of(r, MONGODB_RESOURCE);
    t->query = mongodb_text_of(r, MONGODB_QUERY_TEXT);
    t->request = mongodb_text_of(r, MONGODB_REQUEST_TEXT);
    e->collection = mongodb_text_of(r, MONGODB_COLLECTION);
    e->query = mongodb_text_of(r, MONGODB_FIND);
    e->fields = mongodb_text_of(r, MONGODB_FIELDS);
    e->selector = mongodb_text_of(r, MONGODB_SELECTOR);
    e->update = mongodb_text_of(r, MONGODB_CHANGE);
    set_numbers(e, r, digits);
}

static void set_response(struct mongodb_event *e, const struct mongodb_record *r,
                         struct digits *digits)
{
    struct transaction *t = &e->transaction;
    t->response_ns = r->link.start_ns;
    t->end_ns = r->link.end_ns;
    t->destination_bytes = r->bytes;
    t->response = mongodb_text_of(r, MONGODB_RESPONSE_TEXT);
    e->error = mongodb_text_of(r, MONGODB_ERROR);
    set_numbers(e, r, digits);
    if (t->start_ns == 0) { /* its command was not seen */
        t->start_ns = r->link.start_ns;
        t->request_side = 1 - r->link.side;
    }
}

static struct span action_of(char to[ACTION_MAX], struct span method)
{
    char *at = mempcpy(to, "mongodb.", 8);
    struct span head = span_head(method, ACTION_MAX - 8);
    for (size_t i = 0; i < head.size; i++) {
        bool upper = head.data[i] >= 'A' && head.data[i] <= 'Z';
        *at++ = (char)(upper ? head.data[i] + 32 : head.data[i]);
    }
    return span_of(to, head.size > 0 ? (size_t)(at - to) : 0);
}

static uint32_t set_notes(struct span notes[3], const struct mongodb_record *request,
                          const struct mongodb_record *response)
{
    uint32_t n = 0;
    if (request != NULL && request->holed) {
        notes[n++] = span_str("Packet loss while capturing the request");
    }
    if (response != NULL && response->holed) {
        notes[n++] = span_str("Packet loss while capturing the response");
    }
    if (request == NULL) {
        notes[n++] = span_str("Unmatched response");
    }
    return n;
}

static enum proto_cut cut_of(const struct mongodb_record *r)
{
    return r != NULL ? (enum proto_cut)r->cut : PROTO_CUT_NOT;
}

/* Reports a command with its reply, either of which may be NULL. */
static void report(struct proto_context *c, const struct mongodb_record *request,
                   const struct mongodb_record *response, const char *reason)
{
    struct mongodb_stats *stats = mongodb_stats_of(c);
    bool failed = reason != NULL || request == NULL || (response != NULL && response->has_failed);
    stats->transactions += request != NULL && response != NULL;
    stats->errors += failed;
    stats->unanswered += reason != NULL;
    if (c->events->capacity == 0) {
        return;
    }
    struct digits asked, answered;
    struct span notes[5];
    char action[ACTION_MAX];
    struct mongodb_event e = {.transaction.head.type = &mongodb_event_type};
    struct transaction *t = &e.transaction;
    if (request != NULL) {
        set_request(&e, request, &asked);
    }
    if (response != NULL) {
        set_response(&e, response, &answered);
    }
    t->status = failed ? TRANSACTION_ERROR : TRANSACTION_OK;
    t->outcome = failed ? "failure" : response != NULL ? "success" : NULL;
    t->reason = reason;
    t->action = action_of(action, t->method);
    t->notes = (struct event_spans){set_notes(notes, request, response), notes};
    proto_cut_tell(c->events, t, notes, cut_of(request), cut_of(response));
    (void)event_log_add_whole(c->events, &t->head);
}

/* ---- The queue ------------------------------------------------------------------------------ */

static void give_up(struct proto_context *c, struct mongodb_record *r, const char *reason)
{
    reason = waiting_reason(&r->link, reason);
    waiting_remove(&mongodb_flow_of(c)->waiting, &r->link);
    report(c, r, NULL, reason);
    slab_give(c->memory, r);
}

void mongodb_give_up(struct proto_context *c, unsigned side, const char *reason)
{
    struct waiter *next;
    for (struct waiter *w = mongodb_flow_of(c)->waiting.head; w != NULL; w = next) {
        next = w->next;
        if (waiting_is_of(w, side)) {
            give_up(c, (struct mongodb_record *)w, reason);
        }
    }
}

static bool is_late(const struct proto_context *c, const struct mongodb_record *r, uint64_t now_ns)
{
    uint64_t timeout = (uint64_t)c->settings->transaction_timeout;
    return r->link.end_ns + timeout + r->patience_ns < now_ns;
}

/* Whether its reply is under way. */
static bool is_being_answered(const struct mongodb_flow *f, const struct mongodb_record *r)
{
    const struct mongodb_side *s = &f->side[1 - r->link.side];
    if (s->gather != NULL) {
        return s->gather->size >= MONGODB_HEADER &&
               mongodb_header_read(gather_span(s->gather)).response_to == r->id;
    }
    return s->open != NULL && s->open->response_to == r->id;
}

/* The oldest come first; one that has patience does not hold up those behind it. */
void mongodb_age(struct proto_context *c, uint64_t now_ns)
{
    struct mongodb_flow *f = mongodb_flow_of(c);
    bool goes_on = true;
    struct waiter *next;
    for (struct waiter *w = f->waiting.head; w != NULL && goes_on; w = next) {
        struct mongodb_record *r = (struct mongodb_record *)w;
        next = w->next;
        if (is_being_answered(f, r)) {
            continue;
        }
        goes_on = r->patience_ns > 0 || is_late(c, r, now_ns);
        if (is_late(c, r, now_ns)) {
            give_up(c, r, "timeout");
        }
    }
}

static void take_request(struct proto_context *c, struct mongodb_record *r)
{
    struct waiting *waiting = &mongodb_flow_of(c)->waiting;
    mongodb_stats_of(c)->requests++;
    if (!r->wants_reply) {
        report(c, r, NULL, NULL);
        slab_give(c->memory, r);
        return;
    }
    waiting_add(waiting, &r->link);
    uint32_t most = MONGODB_QUEUE_BYTES + 2 * (uint32_t)mongodb_most(c);
    while (waiting_is_full(waiting, MONGODB_QUEUE_MAX, most)) {
        mongodb_stats_of(c)->evicted++;
        give_up(c, (struct mongodb_record *)waiting->head, "evicted");
    }
}

/* The command of a side that has this number; NULL when none waits. */
static struct mongodb_record *command_of(const struct waiting *waiting, unsigned side, int32_t id)
{
    for (struct waiter *w = waiting->head; w != NULL; w = w->next) {
        struct mongodb_record *r = (struct mongodb_record *)w;
        if (r->id == id && w->side == side) {
            return r;
        }
    }
    return NULL;
}

bool mongodb_awaits(const struct proto_context *c, unsigned side, int32_t id)
{
    return command_of(&mongodb_flow_of(c)->waiting, side, id) != NULL;
}

/* The command that a reply names, taken off the queue; NULL when there is none. */
static struct mongodb_record *take_command(struct waiting *waiting,
                                           const struct mongodb_record *reply)
{
    struct mongodb_record *r = command_of(waiting, 1U - reply->link.side, reply->response_to);
    if (r != NULL) {
        waiting_remove(waiting, &r->link);
    }
    return r;
}

static void take_response(struct proto_context *c, struct mongodb_record *r)
{
    struct mongodb_flow *f = mongodb_flow_of(c);
    struct mongodb_stats *stats = mongodb_stats_of(c);
    stats->responses++;
    struct mongodb_record *request = take_command(&f->waiting, r);
    bool is_streamed = request == NULL && f->is_stream && f->stream_id == r->response_to;
    stats->streamed += is_streamed;
    stats->unmatched += request == NULL && !is_streamed;
    if (request != NULL || (!is_streamed && c->settings->report_unmatched)) {
        report(c, request, r, NULL);
    }
    f->is_stream = r->more_to_come;
    f->stream_id = r->id;
    slab_give(c->memory, request);
    slab_give(c->memory, r);
}

void mongodb_take(struct proto_context *c, struct mongodb_record *r)
{
    if (r->is_response) {
        take_response(c, r);
    } else {
        take_request(c, r);
    }
}
