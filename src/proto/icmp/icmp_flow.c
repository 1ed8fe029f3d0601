// SPDX-License-Identifier: Apache-2.0
#include "proto/icmp/icmp_flow.h"

#include "base/address.h"
#include "proto/icmp/icmp_event.h"
#include "proto/icmp/icmp_words.h"

/* Packetbeat's words. */
static const char repeated_note[] =
    "Another request with the same Id and Seq was received so this request was closed without "
    "receiving a response.";
static const char no_reply_note[] = "Request was received without an associated response.";
static const char no_request_note[] = "Response was received without an associated request.";

static struct icmp_flow *flow_of(const struct proto_context *c)
{
    return c->state;
}

static struct icmp_stats *stats_of(const struct proto_context *c)
{
    return c->block;
}

/* ---- Reports ---------------------------------------------------------------------------------- */

/* What an event is made of; a part that is not there is NULL. */
struct exchange {
    const struct icmp_message *request;
    const struct icmp_message *response;
    const char *reason;
    const char *note;
};

static struct icmp_part part_of(const struct icmp_message *m, char room[ICMP_WORD_ROOM])
{
    if (m == NULL) {
        return (struct icmp_part){0};
    }
    return (struct icmp_part){.message = icmp_word(m->version, m->type, m->code, room),
                              .type = {.value = m->type, .present = true},
                              .code = {.value = m->code, .present = true}};
}

static bool is_fine(const struct exchange *x)
{
    if (x->request == NULL) {
        return false;
    }
    enum icmp_role role = icmp_role_of(x->request->version, x->request->type);
    return role != ICMP_ERROR && (role != ICMP_REQUEST || x->response != NULL);
}

/* The address of whom the request went to, as text. */
static struct span write_path(const struct flow *flow, unsigned request_side,
                              char room[ADDRESS_ROOM])
{
    unsigned end = 1 - (flow->initiator ^ request_side);
    const uint8_t *address = flow->key.address[end];
    return span_of(room, (size_t)(address_write(room, flow->key.version, address) - room));
}

static void report(struct proto_context *c, const struct exchange *x)
{
    if (c->events->capacity == 0) {
        return;
    }
    char words[2][ICMP_WORD_ROOM], path[ADDRESS_ROOM];
    const struct icmp_message *any = x->request != NULL ? x->request : x->response;
    uint8_t side = x->request != NULL ? any->side : (uint8_t)(1 - any->side);
    struct span note = x->note != NULL ? span_str(x->note) : span_of(NULL, 0);
    struct icmp_event e = {
        .transaction = {.head = {.type = &icmp_event_type},
                        .start_ns = any->time_ns,
                        .status = is_fine(x) ? TRANSACTION_OK : TRANSACTION_ERROR,
                        .request_side = side,
                        .reason = x->reason,
                        .path = write_path(c->flow, side, path),
                        .notes = {.count = x->note != NULL, .items = &note},
                        .protocol = "", /* the transport says it */
                        .event_type_json = "[\"connection\"]"},
        .version = any->version,
        .request = part_of(x->request, words[0]),
        .response = part_of(x->response, words[1]),
    };
    if (x->request != NULL) {
        e.transaction.source_bytes = x->request->bytes;
    }
    if (x->response != NULL) {
        e.transaction.destination_bytes = x->response->bytes;
        e.transaction.end_ns = x->response->time_ns;
    }
    event_log_add(c->events, &e.transaction.head);
}

/* ---- Requests that wait ----------------------------------------------------------------------- */

static struct icmp_waiting *at(const struct icmp_flow *f, uint32_t i)
{
    return &f->ring[(f->first + i) & (f->capacity - 1)];
}

static struct icmp_waiting *find(const struct icmp_flow *f, uint32_t key, unsigned side)
{
    for (uint32_t i = 0; i < f->count; i++) {
        struct icmp_waiting *w = at(f, i);
        if (w->key == key && w->side == side && !w->is_over) {
            return w;
        }
    }
    return NULL;
}

static void drop_oldest(struct icmp_flow *f)
{
    f->first++;
    f->count--;
}

static void end(struct icmp_flow *f, struct icmp_waiting *w)
{
    w->is_over = true;
    while (f->count > 0 && at(f, 0)->is_over) {
        drop_oldest(f);
    }
}

static struct icmp_message message_of(const struct proto_context *c, const struct icmp_waiting *w)
{
    return (struct icmp_message){.time_ns = w->start_ns,
                                 .key = w->key,
                                 .bytes = w->bytes,
                                 .version = c->flow->key.version,
                                 .type = w->type,
                                 .code = w->code,
                                 .side = w->side};
}

static void give_up(struct proto_context *c, struct icmp_waiting *w, const char *reason,
                    const char *note)
{
    struct icmp_message request = message_of(c, w);
    struct exchange x = {.request = &request, .reason = reason, .note = note};
    stats_of(c)->unanswered++;
    report(c, &x);
    end(flow_of(c), w);
}

static void expire(struct proto_context *c, uint64_t now_ns)
{
    struct icmp_flow *f = flow_of(c);
    uint64_t timeout = (uint64_t)c->settings->transaction_timeout;
    while (f->count > 0 && now_ns > at(f, 0)->start_ns && now_ns - at(f, 0)->start_ns > timeout) {
        give_up(c, at(f, 0), "timeout", no_reply_note);
    }
}

/* Twice the room, up to the bound; false when there is none. */
static bool grow(struct proto_context *c)
{
    struct icmp_flow *f = flow_of(c);
    uint32_t capacity = f->capacity == 0 ? ICMP_WAITING_FIRST : 2 * f->capacity;
    struct icmp_waiting *ring =
        capacity <= ICMP_WAITING_MAX ? slab_take(c->memory, capacity * sizeof *ring) : NULL;
    if (ring == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < f->count; i++) {
        ring[i] = *at(f, i);
    }
    slab_give(c->memory, f->ring);
    f->ring = ring;
    f->capacity = capacity;
    f->first = 0;
    return true;
}

/* ---- Messages --------------------------------------------------------------------------------- */

static void take_request(struct proto_context *c, const struct icmp_message *m)
{
    struct icmp_flow *f = flow_of(c);
    struct icmp_waiting *same = find(f, m->key, m->side);
    stats_of(c)->requests++;
    if (same != NULL) {
        stats_of(c)->repeated++;
        give_up(c, same, "repeated", repeated_note);
    }
    if (f->count == f->capacity && !grow(c)) {
        stats_of(c)->evicted++;
        if (f->capacity == 0) {
            stats_of(c)->unanswered++;
            return;
        }
        give_up(c, at(f, 0), "evicted", no_reply_note);
    }
    *at(f, f->count++) = (struct icmp_waiting){.start_ns = m->time_ns,
                                               .key = m->key,
                                               .bytes = m->bytes,
                                               .type = m->type,
                                               .code = m->code,
                                               .side = m->side};
}

static void take_reply(struct proto_context *c, const struct icmp_message *m)
{
    struct icmp_waiting *w = find(flow_of(c), m->key, 1U - m->side);
    struct exchange x = {.response = m};
    stats_of(c)->replies++;
    if (w == NULL) {
        stats_of(c)->unmatched++;
        x.note = no_request_note;
        if (c->settings->report_unmatched) {
            report(c, &x);
        }
        return;
    }
    stats_of(c)->transactions++;
    struct icmp_message request = message_of(c, w);
    x.request = &request;
    report(c, &x);
    end(flow_of(c), w);
}

void icmp_flow_take(struct proto_context *c, const struct icmp_message *m)
{
    enum icmp_role role = icmp_role_of(m->version, m->type);
    expire(c, m->time_ns);
    if (role == ICMP_REQUEST) {
        take_request(c, m);
    } else if (role == ICMP_REPLY) {
        take_reply(c, m);
    } else {
        *(role == ICMP_ERROR ? &stats_of(c)->errors : &stats_of(c)->others) += 1;
        report(c, &(struct exchange){.request = m});
    }
}

void icmp_flow_close(struct proto_context *c, const char *reason)
{
    struct icmp_flow *f = flow_of(c);
    while (f->count > 0) {
        give_up(c, at(f, 0), reason, no_reply_note);
    }
    slab_give(c->memory, f->ring);
    *f = (struct icmp_flow){0};
}
