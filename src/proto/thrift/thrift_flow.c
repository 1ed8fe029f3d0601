// SPDX-License-Identifier: Apache-2.0
#include "proto/thrift/thrift_flow.h"

enum { NOTES_MAX = 4 };

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
    t->request_side = r->link.side;
    t->start_ns = r->link.start_ns;
    t->request_ns = r->link.end_ns;
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
    uint8_t *block = slab_take_large(slab, sizeof head + exceptions.size);
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
    t->response_ns = r->link.start_ns;
    t->end_ns = r->link.end_ns;
    t->destination_bytes = r->bytes;
    e->return_value = thrift_text_of(r, THRIFT_VALUE);
    e->exceptions = thrift_text_of(r, THRIFT_THROWN);
    if (t->start_ns == 0) { /* its call was not seen */
        t->start_ns = r->link.start_ns;
        t->request_side = 1 - r->link.side;
        t->method = thrift_text_of(r, THRIFT_METHOD);
        t->path = e->service = thrift_text_of(r, THRIFT_SERVICE);
    }
    if (!c->settings->send_response) {
        return NULL;
    }
    t->response = e->return_value;
    return r->has_failed ? exceptions_text(c->memory, e->exceptions, &t->response) : NULL;
}

static uint32_t set_notes(struct span notes[NOTES_MAX], const struct thrift_record *call,
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

static enum proto_cut cut_of(const struct thrift_record *r)
{
    return r != NULL ? (enum proto_cut)r->cut : PROTO_CUT_NOT;
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
    struct span notes[NOTES_MAX];
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
    proto_cut_tell(c->events, t, notes, cut_of(call), cut_of(reply));
    (void)event_log_add_whole(c->events, &t->head);
    slab_give(c->memory, block);
}

/* ---- The queue ------------------------------------------------------------------------------ */

static void give_up(struct proto_context *c, struct thrift_record *r, const char *reason)
{
    reason = waiting_reason(&r->link, reason);
    waiting_remove(&thrift_flow_of(c)->waiting, &r->link);
    thrift_stats_of(c)->oneways += reason == NULL;
    report(c, r, NULL, reason);
    slab_give(c->memory, r);
}

void thrift_give_up(struct proto_context *c, unsigned side, const char *reason)
{
    struct waiter *next;
    for (struct waiter *w = thrift_flow_of(c)->waiting.head; w != NULL; w = next) {
        next = w->next;
        if (waiting_is_of(w, side)) {
            give_up(c, (struct thrift_record *)w, reason);
        }
    }
}

void thrift_age(struct proto_context *c, uint64_t now_ns)
{
    struct thrift_flow *f = thrift_flow_of(c);
    uint64_t timeout = (uint64_t)c->settings->transaction_timeout;
    struct waiter *w;
    while ((w = f->waiting.head) != NULL && w->end_ns + timeout < now_ns &&
           f->side[1 - w->side].open == NULL && f->side[1 - w->side].gather == NULL) {
        give_up(c, (struct thrift_record *)w, "timeout");
    }
}

void thrift_lose(struct proto_context *c, unsigned side)
{
    struct thrift_flow *f = thrift_flow_of(c);
    struct waiter *next;
    for (struct waiter *w = f->waiting.head; w != NULL && f->waiting.doubted > 0; w = next) {
        next = w->next;
        if (w->doubted && w->side == side) {
            give_up(c, (struct thrift_record *)w, "gap");
        }
    }
    if (f->shares_numbers) {
        thrift_give_up(c, 1 - side, "gap");
    } else {
        waiting_doubt(&f->waiting, 1 - side);
    }
}

/* A number that is used anew was answered before, in the hole; and where others wait that have it, nothing
 * tells their replies apart but their order. */
static void settle_doubt(struct proto_context *c, const struct thrift_record *anew)
{
    struct thrift_flow *f = thrift_flow_of(c);
    const struct thrift_record *latest = (const struct thrift_record *)f->waiting.tail;
    struct waiter *next;
    f->shares_numbers |= latest != NULL && !latest->link.doubted && latest->sequence == anew->sequence;
    for (struct waiter *w = f->waiting.head; w != NULL && f->waiting.doubted > 0; w = next) {
        struct thrift_record *r = (struct thrift_record *)w;
        next = w->next;
        if (w->doubted && r->sequence == anew->sequence && w->side == anew->link.side) {
            give_up(c, r, "gap");
        }
    }
}

static void take_call(struct proto_context *c, struct thrift_record *r)
{
    struct waiting *waiting = &thrift_flow_of(c)->waiting;
    struct thrift_stats *stats = thrift_stats_of(c);
    settle_doubt(c, r);
    stats->calls++;
    if (r->is_oneway) {
        stats->oneways++;
        report(c, r, NULL, NULL);
        slab_give(c->memory, r);
        return;
    }
    waiting_add(waiting, &r->link);
    uint32_t most = THRIFT_QUEUE_BYTES + (uint32_t)thrift_options_of(c)->max_message_size;
    while (waiting_is_full(waiting, THRIFT_QUEUE_MAX, most)) {
        stats->evicted++;
        give_up(c, (struct thrift_record *)waiting->head, "evicted");
    }
}

static bool fits(const struct thrift_record *call, const struct thrift_record *reply)
{
    return call->sequence == reply->sequence && call->link.side != reply->link.side &&
           span_equal(thrift_text_of(call, THRIFT_METHOD), thrift_text_of(reply, THRIFT_METHOD));
}

/* Calls before one that is answered, that have its number, want no reply. */
static void pass_oneways(struct proto_context *c, const struct thrift_record *answered)
{
    struct waiter *next;
    for (struct waiter *w = thrift_flow_of(c)->waiting.head; w != &answered->link; w = next) {
        struct thrift_record *r = (struct thrift_record *)w;
        next = w->next;
        if (r->sequence == answered->sequence && w->side == answered->link.side) {
            give_up(c, r, NULL);
        }
    }
}

/* The call of a reply, taken off the queue; NULL when there is none. */
static struct thrift_record *take_answered(struct proto_context *c,
                                           const struct thrift_record *reply)
{
    struct waiting *waiting = &thrift_flow_of(c)->waiting;
    for (struct waiter *w = waiting->head; w != NULL; w = w->next) {
        struct thrift_record *r = (struct thrift_record *)w;
        if (fits(r, reply)) {
            pass_oneways(c, r);
            waiting_remove(waiting, w);
            return r;
        }
    }
    return NULL;
}

static void take_reply(struct proto_context *c, struct thrift_record *r)
{
    struct thrift_stats *stats = thrift_stats_of(c);
    stats->replies++;
    stats->exceptions += r->has_failed;
    struct thrift_record *call = take_answered(c, r);
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
