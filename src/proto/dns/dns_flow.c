// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_flow.h"

#include "proto/dns/dns_event.h"
#include "proto/dns/dns_report.h"

enum { PLAIN_UDP_MAX = 512 }; /* bytes of a message without EDNS (RFC 1035 §2.3.4) */

/* Packetbeat's words. */
static const char repeated_note[] =
    "Another query with the same DNS ID from this client was received so this query was closed "
    "without receiving a response";
static const char no_response_note[] = "No response to this query was received";
static const char no_query_note[] = "Response: received without an associated Query";
static const char large_query_note[] = "Non-EDNS packet has size greater than 512";
static const char large_response_note[] = "Response: Non-EDNS packet has size greater than 512";
static const char no_edns_note[] = "Responder does not support EDNS";
static const char unexpected_edns_note[] = "Unexpected EDNS answer";
static const char loss_note[] = "Packet loss while capturing the response";
/* And ours, by enum dns_flaw. */
static const char *const query_flaws[] = {NULL, "The capture has only the beginning of the query",
                                          "The query cannot be read to its end"};
static const char *const response_flaws[] = {NULL,
                                             "The capture has only the beginning of the response",
                                             "The response cannot be read to its end"};

static struct dns_flow *flow_of(const struct proto_context *c)
{
    return c->state;
}

static struct dns_stats *stats_of(const struct proto_context *c)
{
    return c->block;
}

/* ---- Queries that wait ------------------------------------------------------------------------ */

static struct dns_waiting **bucket_of(const struct dns_flow *f, unsigned id)
{
    return &f->buckets[id % DNS_BUCKETS];
}

static struct dns_waiting *find(const struct dns_flow *f, unsigned id, unsigned side)
{
    struct dns_waiting *w = f->buckets != NULL ? *bucket_of(f, id) : f->oldest;
    while (w != NULL && (w->message.id != id || w->side != side)) {
        w = f->buckets != NULL ? w->next : w->newer;
    }
    return w;
}

/* Puts all that wait into a table; without memory for it there is none. */
static void make_table(struct proto_context *c)
{
    struct dns_flow *f = flow_of(c);
    f->buckets = slab_take(c->memory, DNS_BUCKETS * sizeof(struct dns_waiting *));
    if (f->buckets == NULL) {
        return;
    }
    memset(f->buckets, 0, DNS_BUCKETS * sizeof(struct dns_waiting *));
    for (struct dns_waiting *w = f->oldest; w != NULL; w = w->newer) {
        w->next = *bucket_of(f, w->message.id);
        *bucket_of(f, w->message.id) = w;
    }
}

static void take_out(struct proto_context *c, struct dns_waiting *w)
{
    struct dns_flow *f = flow_of(c);
    *(w->older != NULL ? &w->older->newer : &f->oldest) = w->newer;
    *(w->newer != NULL ? &w->newer->older : &f->newest) = w->older;
    if (f->buckets != NULL) {
        struct dns_waiting **at = bucket_of(f, w->message.id);
        while (*at != w) {
            at = &(*at)->next;
        }
        *at = w->next;
    }
    f->count--;
    f->bytes -= (uint32_t)w->message.bytes.size;
    slab_give(c->memory, w->transfer);
    slab_give(c->memory, w);
}

static void put_in(struct proto_context *c, struct dns_waiting *w)
{
    struct dns_flow *f = flow_of(c);
    w->older = f->newest;
    *(f->newest != NULL ? &f->newest->newer : &f->oldest) = w;
    f->newest = w;
    f->count++;
    f->bytes += (uint32_t)w->message.bytes.size;
    if (f->buckets != NULL) {
        w->next = *bucket_of(f, w->message.id);
        *bucket_of(f, w->message.id) = w;
    } else if (f->count > DNS_FEW) {
        make_table(c);
    }
}

/* ---- Reports ---------------------------------------------------------------------------------- */

static struct dns_exchange exchange_of(const struct dns_waiting *w)
{
    struct dns_exchange x = {.query = &w->message,
                             .query_ns = w->start_ns,
                             .query_bytes = w->wire_bytes,
                             .request_side = w->side};
    dns_exchange_note(&x, query_flaws[w->flaw]);
    return x;
}

/* Reports a query without a response, or with the beginning of a transfer. */
static void give_up(struct proto_context *c, struct dns_waiting *w, const char *reason,
                    const char *note)
{
    struct dns_exchange x = exchange_of(w);
    const struct dns_transfer *t = w->transfer;
    stats_of(c)->unanswered++;
    x.reason = w->gapped ? "gap" : reason;
    if (t != NULL) {
        x.more_answers = t->more_answers;
        x.response_bytes = t->first_bytes + t->bytes;
    }
    dns_exchange_note(&x, note);
    dns_report(c, &x);
    take_out(c, w);
}

static void expire(struct proto_context *c, uint64_t now_ns)
{
    struct dns_flow *f = flow_of(c);
    uint64_t timeout = (uint64_t)c->settings->transaction_timeout;
    while (f->oldest != NULL && now_ns > f->oldest->start_ns &&
           now_ns - f->oldest->start_ns > timeout) {
        give_up(c, f->oldest, "timeout", no_response_note);
    }
}

static void note_sizes(struct dns_exchange *x, const struct dns_waiting *w, bool response_has)
{
    bool query_has = w->has_edns;
    if (!query_has && w->flaw == DNS_FINE && x->query_bytes > PLAIN_UDP_MAX) {
        dns_exchange_note(x, large_query_note);
    }
    if (!response_has && x->response_bytes > PLAIN_UDP_MAX) {
        dns_exchange_note(x, large_response_note);
    }
    if (query_has != response_has) {
        dns_exchange_note(x, query_has ? no_edns_note : unexpected_edns_note);
    }
}

/* Whether a message can be read to its end, and whether it has an OPT as far as it can be read. */
static bool is_sound(const struct dns_message *m, bool *has_edns)
{
    struct dns_walk walk = dns_walk_of(m);
    *has_edns = false;
    for (struct dns_record record; dns_walk_next(&walk, &record);) {
        *has_edns |= record.type == DNS_OPT && record.section == DNS_ADDITIONAL;
    }
    return !walk.bad;
}

/* ---- Queries ---------------------------------------------------------------------------------- */

static struct dns_waiting *waiting_new(struct proto_context *c, const struct dns_message *m,
                                       const struct dns_arrival *a)
{
    /* Nobody asks for events: the question is all that is needed to know the response by. */
    size_t size = c->events->capacity > 0 ? m->bytes.size : m->question_end;
    struct dns_waiting *w = slab_take(c->memory, sizeof *w + size);
    if (w != NULL) {
        *w = (struct dns_waiting){.message = *m,
                                  .start_ns = a->start_ns,
                                  .wire_bytes = a->wire_bytes,
                                  .side = a->side,
                                  .flaw = a->flaw,
                                  .has_edns = a->has_edns};
        memcpy(w->bytes, m->bytes.data, size);
        w->message.bytes = span_of(w->bytes, size);
    }
    return w;
}

static void make_room(struct proto_context *c, uint32_t size)
{
    struct dns_flow *f = flow_of(c);
    uint32_t most = f->buckets != NULL || f->count <= DNS_FEW ? DNS_WAITING_MAX : 4 * DNS_FEW;
    while (f->oldest != NULL && (f->count >= most || f->bytes + size > DNS_WAITING_BYTES)) {
        stats_of(c)->evicted++;
        give_up(c, f->oldest, "evicted", no_response_note);
    }
}

static void take_query(struct proto_context *c, const struct dns_message *m,
                       const struct dns_arrival *a)
{
    stats_of(c)->queries++;
    struct dns_waiting *same = find(flow_of(c), m->id, a->side);
    if (same != NULL) {
        stats_of(c)->repeated++;
        give_up(c, same, "repeated", repeated_note);
    }
    make_room(c, (uint32_t)m->bytes.size);
    struct dns_waiting *w = waiting_new(c, m, a);
    if (w == NULL) {
        stats_of(c)->evicted++;
        stats_of(c)->unanswered++;
        return;
    }
    put_in(c, w);
}

/* ---- Responses -------------------------------------------------------------------------------- */

static void take_unmatched(struct proto_context *c, const struct dns_message *m,
                           const struct dns_arrival *a)
{
    stats_of(c)->unmatched++;
    if (!c->settings->report_unmatched) {
        return;
    }
    struct dns_exchange x = {.response = m,
                             .response_ns = a->end_ns,
                             .response_bytes = a->wire_bytes,
                             .request_side = (uint8_t)(1 - a->side)};
    x.is_unread = a->is_unread;
    dns_exchange_note(&x, no_query_note);
    dns_exchange_note(&x, response_flaws[a->flaw]);
    dns_report(c, &x);
}

/* Reports a query with its response; of a transfer with the first message of it. */
static void answer(struct proto_context *c, struct dns_waiting *w, const struct dns_message *m,
                   const struct dns_arrival *a)
{
    struct dns_message first;
    const struct dns_transfer *t = w->transfer;
    stats_of(c)->transactions++;
    stats_of(c)->errors += dns_rcode(m) != 0 || a->is_unread;
    struct dns_exchange x = exchange_of(w);
    x.response = m;
    x.response_ns = a->end_ns;
    x.response_bytes = a->wire_bytes;
    if (t != NULL && dns_message_read(span_of(t->first, t->size), &first)) {
        x.response = &first;
        x.response_bytes = t->first_bytes + t->bytes;
        x.more_answers = t->more_answers;
        if (t->holed) {
            dns_exchange_note(&x, loss_note);
        }
    }
    dns_exchange_note(&x, response_flaws[a->flaw]);
    x.is_unread = a->is_unread;
    if (a->flaw == DNS_FINE && a->is_datagram && c->events->capacity > 0) {
        note_sizes(&x, w, a->has_edns);
    }
    dns_report(c, &x);
    take_out(c, w);
}

/* Reports a query with a response whose question cannot be read, so that nothing behind it can be.
 * Without a query (NULL) it is a response like any other that has none. */
static void answer_unread(struct proto_context *c, struct dns_waiting *w, struct span bytes,
                          const struct dns_arrival *arrival)
{
    struct dns_message m;
    struct dns_arrival a = *arrival;
    bool is_cut = a.flaw == DNS_CUT;
    dns_header_read(bytes, &m);
    a.flaw = is_cut ? DNS_CUT : DNS_BROKEN;
    a.is_unread = !is_cut;
    if (w == NULL) {
        take_unmatched(c, &m, &a);
        return;
    }
    answer(c, w, &m, &a);
}

/* Whether more messages follow that belong to the same response. */
static bool goes_on(struct proto_context *c, struct dns_waiting *w, const struct dns_message *m,
                    const struct dns_arrival *a)
{
    unsigned type = w->message.question_type;
    if (a->is_datagram || (type != DNS_AXFR && type != DNS_IXFR)) {
        return false;
    }
    if (w->transfer == NULL) {
        w->transfer = dns_transfer_new(c->memory, m, a->wire_bytes);
    } else {
        w->transfer->bytes += a->wire_bytes;
        w->transfer->more_answers += m->counts[DNS_ANSWER];
    }
    return w->transfer != NULL && !dns_transfer_take(w->transfer, m, type);
}

/* Whether the question's name is one; its end says no more than that there is one of some kind. */
static bool leads_somewhere(const struct dns_message *m)
{
    struct dns_name name;
    return dns_name_read(m, m->question_name, false, &name);
}

static void take_response(struct proto_context *c, const struct dns_message *m,
                          const struct dns_arrival *a)
{
    stats_of(c)->responses++;
    struct dns_waiting *w = find(flow_of(c), m->id, 1U - a->side);
    /* A response may go without the question (RFC 5936 §2.2.2), but not to another one. */
    bool is_other = w != NULL && m->question_name != 0 && w->message.question_name != 0 &&
                    !dns_same_question(&w->message, m);
    if (is_other && w->transfer == NULL && !leads_somewhere(m)) {
        stats_of(c)->malformed += a->flaw == DNS_FINE;
        answer_unread(c, w, m->bytes, a);
    } else if (w == NULL || is_other) {
        take_unmatched(c, m, a);
    } else if (!goes_on(c, w, m, a)) {
        answer(c, w, m, a);
    }
}

/* What is said to a group is a message by itself: who answers does so elsewhere, or not at all. */
static void take_multicast(struct proto_context *c, const struct dns_message *m,
                           const struct dns_arrival *a)
{
    bool is_response = dns_is_response(m);
    stats_of(c)->multicast++;
    *(is_response ? &stats_of(c)->responses : &stats_of(c)->queries) += 1;
    struct dns_exchange x = {.query_ns = a->start_ns,
                             .response_ns = a->start_ns,
                             .query_bytes = a->wire_bytes,
                             .request_side = a->side,
                             .is_multicast = true,
                             .protocol = a->protocol};
    *(is_response ? &x.response : &x.query) = m;
    dns_exchange_note(&x, (is_response ? response_flaws : query_flaws)[a->flaw]);
    dns_report(c, &x);
}

/* ---- The door --------------------------------------------------------------------------------- */

void dns_flow_take(struct proto_context *c, const struct dns_message *m, struct dns_arrival *arrival)
{
    expire(c, arrival->end_ns);
    bool sound = is_sound(m, &arrival->has_edns);
    if (arrival->flaw == DNS_FINE && !sound) {
        arrival->flaw = DNS_BROKEN;
    }
    stats_of(c)->cut += arrival->flaw == DNS_CUT;
    stats_of(c)->malformed += arrival->flaw == DNS_BROKEN;
    bool is_lone_response = arrival->protocol != NULL && dns_is_response(m) &&
                            find(flow_of(c), m->id, 1U - arrival->side) == NULL;
    if (arrival->is_multicast || is_lone_response) {
        take_multicast(c, m, arrival);
    } else if (dns_is_response(m)) {
        take_response(c, m, arrival);
    } else {
        take_query(c, m, arrival);
    }
}

void dns_flow_take_unread(struct proto_context *c, struct span bytes,
                          const struct dns_arrival *arrival)
{
    struct dns_message m;
    bool is_cut = arrival->flaw == DNS_CUT;
    stats_of(c)->cut += is_cut;
    stats_of(c)->malformed += !is_cut;
    expire(c, arrival->end_ns);
    if (!dns_header_read(bytes, &m) || !dns_is_response(&m)) {
        return;
    }
    struct dns_waiting *w = find(flow_of(c), m.id, 1U - arrival->side);
    if (w == NULL || w->transfer == NULL) {
        stats_of(c)->responses++;
        answer_unread(c, w, bytes, arrival);
    }
}

void dns_flow_gap(struct proto_context *c, unsigned side)
{
    for (struct dns_waiting *w = flow_of(c)->oldest; w != NULL; w = w->newer) {
        if (w->side != side) {
            w->gapped = true;
            if (w->transfer != NULL) {
                w->transfer->holed = true;
            }
        }
    }
}

void dns_flow_close(struct proto_context *c, const char *reason)
{
    struct dns_flow *f = flow_of(c);
    while (f->oldest != NULL) {
        give_up(c, f->oldest, reason, no_response_note);
    }
    slab_give(c->memory, f->buckets);
    f->buckets = NULL;
}
