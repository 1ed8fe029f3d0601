// SPDX-License-Identifier: Apache-2.0
#include "proto/thrift/thrift_flow.h"

enum { BOTH_SIDES = 2, TEXT_MAX = 1 << 16 };

/* ---- Events --------------------------------------------------------------------------------- */

static bool is_reply(const struct thrift_record *r)
{
    return r->kind == THRIFT_REPLY || r->kind == THRIFT_EXCEPTION;
}

static void set_call(const struct proto_context *c, struct thrift_event *e,
                     const struct thrift_record *r)
{
    struct transaction *t = &e->transaction;
    struct span method = thrift_text_of(r, THRIFT_METHOD);
    t->request_side = r->side;
    t->start_ns = r->start_ns;
    t->request_ns = r->end_ns;
    t->source_bytes = r->bytes;
    t->method = method;
    t->path = e->service = thrift_text_of(r, THRIFT_SERVICE);
    e->params = thrift_text_of(r, THRIFT_VALUE);
    t->query = span_of(method.data, method.size + e->params.size);
    if (c->settings->send_request) {
        t->request = t->query;
    }
}

/* `Exceptions: ...` is put together in a block of the slab, which is returned. */
static uint8_t *exceptions_text(struct slab *slab, struct span exceptions, struct span *ret)
{
    static const char head[] = "Exceptions: ";
    uint8_t *block = slab_take(slab, sizeof head + exceptions.size);
    if (block != NULL) {
        uint8_t *end =
            mempcpy(mempcpy(block, head, sizeof head - 1), exceptions.data, exceptions.size);
        *ret = span_of(block, (size_t)(end - block));
    }
    return block;
}

static uint8_t *set_reply(const struct proto_context *c, struct thrift_event *e,
                          const struct thrift_record *r)
{
    struct transaction *t = &e->transaction;
    t->response_ns = r->start_ns;
    t->end_ns = r->end_ns;
    t->destination_bytes = r->bytes;
    e->return_value = thrift_text_of(r, THRIFT_VALUE);
    e->exceptions = thrift_text_of(r, THRIFT_THROWN);
    if (t->start_ns == 0) { /* its call was not seen */
        t->start_ns = r->start_ns;
        t->request_side = 1 - r->side;
        t->method = thrift_text_of(r, THRIFT_METHOD);
        t->path = e->service = thrift_text_of(r, THRIFT_SERVICE);
    }
    if (!c->settings->send_response) {
        return NULL;
    }
    t->response = e->return_value;
    return r->has_failed ? exceptions_text(c->memory, e->exceptions, &t->response) : NULL;
}

static uint32_t set_notes(struct span notes[3], const struct thrift_record *call,
                          const struct thrift_record *reply)
{
    uint32_t n = 0;
    if (call == NULL) {
        notes[n++] = span_str("Unmatched response");
    } else if (call->holed) {
        notes[n++] = span_str("Packet loss while capturing the request");
    }
    if (reply != NULL && reply->holed) {
        notes[n++] = span_str("Packet loss while capturing the response");
    }
    return n;
}

/* Reports a call with its reply, either of which may be NULL. */
static void report(struct proto_context *c, const struct thrift_record *call,
                   const struct thrift_record *reply, const char *reason)
{
    struct thrift_stats *stats = thrift_stats_of(c);
    bool failed = reason != NULL || call == NULL || (reply != NULL && reply->has_failed);
    bool is_dropped = (call != NULL && call->is_dropped) || (reply != NULL && reply->is_dropped);
    stats->transactions += call != NULL && reply != NULL;
    stats->errors += failed;
    stats->unanswered += reason != NULL;
    stats->dropped += is_dropped;
    if (c->events->capacity == 0 || is_dropped) {
        return;
    }
    struct span notes[3];
    struct thrift_event e = {.transaction.head.type = &thrift_event_type};
    struct transaction *t = &e.transaction;
    uint8_t *block = NULL;
    if (call != NULL) {
        set_call(c, &e, call);
    }
    if (reply != NULL) {
        block = set_reply(c, &e, reply);
    }
    t->status = failed ? TRANSACTION_ERROR : TRANSACTION_OK;
    t->outcome = failed ? "failure" : reply != NULL ? "success" : NULL;
    t->reason = reason;
    t->notes = (struct event_spans){set_notes(notes, call, reply), notes};
    (void)event_log_add(c->events, &t->head);
    slab_give(c->memory, block);
}

/* ---- The queue ------------------------------------------------------------------------------ */

static void push(struct thrift_flow *f, struct thrift_record *r)
{
    if (f->tail != NULL) {
        f->tail->next = r;
    } else {
        f->head = r;
    }
    f->tail = r;
    f->count++;
    f->queue_bytes += r->size;
}

/* Takes the call behind `before` off the queue; that at its head when that is NULL. */
static struct thrift_record *pop(struct thrift_flow *f, struct thrift_record *before)
{
    struct thrift_record *r = before != NULL ? before->next : f->head;
    if (before != NULL) {
        before->next = r->next;
    } else {
        f->head = r->next;
    }
    f->tail = f->tail == r ? before : f->tail;
    f->count--;
    f->queue_bytes -= r->size;
    return r;
}

static void give_up(struct proto_context *c, struct thrift_record *before, const char *reason)
{
    struct thrift_record *r = pop(thrift_flow_of(c), before);
    thrift_stats_of(c)->oneways += reason == NULL;
    report(c, r, NULL, reason);
    slab_give(c->memory, r);
}

void thrift_give_up(struct proto_context *c, unsigned side, const char *reason)
{
    struct thrift_flow *f = thrift_flow_of(c);
    struct thrift_record *before = NULL;
    while (before != NULL ? before->next != NULL : f->head != NULL) {
        struct thrift_record *r = before != NULL ? before->next : f->head;
        if (side == BOTH_SIDES || r->side == side) {
            give_up(c, before, reason);
        } else {
            before = r;
        }
    }
}

void thrift_age(struct proto_context *c, uint64_t now_ns)
{
    struct thrift_flow *f = thrift_flow_of(c);
    uint64_t timeout = (uint64_t)c->settings->transaction_timeout;
    while (f->head != NULL && f->head->end_ns + timeout < now_ns &&
           f->side[1 - f->head->side].open == NULL) {
        give_up(c, NULL, "timeout");
    }
}

static void take_call(struct proto_context *c, struct thrift_record *r)
{
    struct thrift_flow *f = thrift_flow_of(c);
    struct thrift_stats *stats = thrift_stats_of(c);
    stats->calls++;
    if (r->is_oneway) {
        stats->oneways++;
        report(c, r, NULL, NULL);
        slab_give(c->memory, r);
        return;
    }
    push(f, r);
    while (f->count > THRIFT_QUEUE_MAX || (f->queue_bytes > THRIFT_QUEUE_BYTES && f->count > 1)) {
        stats->evicted++;
        give_up(c, NULL, "evicted");
    }
}

static bool fits(const struct thrift_record *call, const struct thrift_record *reply)
{
    return call->sequence == reply->sequence && call->side != reply->side &&
           span_equal(thrift_text_of(call, THRIFT_METHOD), thrift_text_of(reply, THRIFT_METHOD));
}

/* Calls before one that is answered, that have its number, want no reply. */
static void pass_oneways(struct proto_context *c, const struct thrift_record *answered)
{
    struct thrift_flow *f = thrift_flow_of(c);
    struct thrift_record *before = NULL;
    for (struct thrift_record *r = f->head; r != answered; r = before ? before->next : f->head) {
        if (r->sequence == answered->sequence && r->side == answered->side) {
            give_up(c, before, NULL);
        } else {
            before = r;
        }
    }
}

/* The call of a reply, taken off the queue; NULL when there is none. */
static struct thrift_record *find_call(struct proto_context *c, const struct thrift_record *reply)
{
    struct thrift_flow *f = thrift_flow_of(c);
    struct thrift_record *r = f->head;
    while (r != NULL && !fits(r, reply)) {
        r = r->next;
    }
    if (r == NULL) {
        return NULL;
    }
    pass_oneways(c, r);
    struct thrift_record *before = NULL;
    for (struct thrift_record *at = f->head; at != r; at = at->next) {
        before = at;
    }
    return pop(f, before);
}

static void take_reply(struct proto_context *c, struct thrift_record *r)
{
    struct thrift_stats *stats = thrift_stats_of(c);
    stats->replies++;
    stats->exceptions += r->has_failed;
    struct thrift_record *call = find_call(c, r);
    stats->unmatched += call == NULL;
    if (call != NULL || c->settings->report_unmatched) {
        report(c, call, r, NULL);
    }
    slab_give(c->memory, call);
    slab_give(c->memory, r);
}

void thrift_take(struct proto_context *c, struct thrift_record *r)
{
    if (is_reply(r)) {
        take_reply(c, r);
    } else {
        take_call(c, r);
    }
}
