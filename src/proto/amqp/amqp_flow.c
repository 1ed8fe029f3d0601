// SPDX-License-Identifier: Apache-2.0
#include "proto/amqp/amqp_report.h"

enum { CLOSE_ERROR = 300, PUBLISH = 40, RETURN = 50 };

/* ---- The list ------------------------------------------------------------------------------- */

static size_t sure_bytes(size_t body)
{
    return body < PROTO_TEXT_SURE ? body : PROTO_TEXT_SURE;
}

static void add(struct proto_context *c, struct amqp_record *r)
{
    r->link.weight = (uint32_t)(sizeof *r + r->room + sure_bytes(r->body_most));
    waiting_add(&amqp_flow_of(c)->open, &r->link);
}

static void take_off(struct proto_context *c, struct amqp_record *r)
{
    waiting_remove(&amqp_flow_of(c)->open, &r->link);
}

/* A method that waits for an answer is reported without one. */
static void give_up(struct proto_context *c, struct amqp_record *r, const char *reason)
{
    take_off(c, r);
    amqp_report(c, r, NULL, reason);
    amqp_record_free(c->memory, r);
}

void amqp_give_up(struct proto_context *c, unsigned side, const char *reason)
{
    struct waiter *next;
    for (struct waiter *w = amqp_flow_of(c)->open.head; w != NULL; w = next) {
        struct amqp_record *r = (struct amqp_record *)w;
        next = w->next;
        if (!r->is_open && waiting_is_of(w, side)) {
            give_up(c, r, reason);
        }
    }
}

void amqp_age(struct proto_context *c, uint64_t now_ns)
{
    uint64_t timeout = (uint64_t)c->settings->transaction_timeout;
    struct waiter *next;
    for (struct waiter *w = amqp_flow_of(c)->open.head; w != NULL; w = next) {
        struct amqp_record *r = (struct amqp_record *)w;
        next = w->next;
        if (r->is_open) {
            continue;
        }
        if (w->end_ns + timeout >= now_ns) {
            break;
        }
        give_up(c, r, "timeout");
    }
}

/* ---- Messages ------------------------------------------------------------------------------- */

static void count_message(struct amqp_stats *stats, const struct amqp_record *r)
{
    stats->published += r->method->id == PUBLISH;
    stats->returned += r->method->id == RETURN;
    stats->delivered += r->method->id != PUBLISH && r->method->id != RETURN;
    stats->body_bytes += r->body_size;
}

/* A message is whole, or as whole as it will be. */
static void end_message(struct proto_context *c, struct amqp_record *r)
{
    struct amqp_stats *stats = amqp_stats_of(c);
    take_off(c, r);
    count_message(stats, r);
    r->is_open = false;
    r->holed |= r->body_left > 0 || !r->has_header;
    if (r->method->id == PUBLISH) {
        amqp_report(c, r, NULL, NULL);
    } else if (r->about != NULL || r->method->role == AMQP_ALONE || c->settings->report_unmatched) {
        amqp_report(c, r->about, r, NULL);
    }
    amqp_record_free(c->memory, r);
}

void amqp_end_messages(struct proto_context *c, unsigned side)
{
    struct waiter *next;
    for (struct waiter *w = amqp_flow_of(c)->open.head; w != NULL; w = next) {
        struct amqp_record *r = (struct amqp_record *)w;
        next = w->next;
        if (r->is_open && waiting_is_of(w, side)) {
            end_message(c, r);
        }
    }
}

/* The message that a side's channel is saying; NULL: none. */
static struct amqp_record *find_message(const struct amqp_flow *f, unsigned side, uint16_t channel)
{
    for (struct waiter *w = f->open.head; w != NULL; w = w->next) {
        struct amqp_record *r = (struct amqp_record *)w;
        if (r->is_open && w->side == side && r->channel == channel) {
            return r;
        }
    }
    return NULL;
}

void amqp_take_header(struct proto_context *c, const struct amqp_side *s, unsigned side,
                      struct span header, uint64_t time_ns)
{
    struct amqp_record *r = find_message(amqp_flow_of(c), side, s->channel);
    if (r == NULL || r->has_header) {
        return; /* its method was not seen */
    }
    take_off(c, r); /* it may move */
    r = amqp_record_add_header(c, r, header);
    r->link.end_ns = time_ns;
    if (s->is_cut) {
        amqp_record_note_cut(r);
    }
    add(c, r);
    if (r->body_size == 0) {
        end_message(c, r);
    }
}

/* How large the block of a body may be, as many as there are under way. */
static size_t most_room(const struct proto_context *c, const struct amqp_record *r)
{
    size_t most = (size_t)amqp_options_of(c)->body_max, others = 0;
    for (struct waiter *w = amqp_flow_of(c)->open.head; w != NULL; w = w->next) {
        const struct amqp_record *other = (const struct amqp_record *)w;
        size_t room = other->body != NULL && other != r ? slab_room(other->body) : 0;
        others += room - sure_bytes(room);
    }
    return others < most ? most - others + PROTO_TEXT_SURE : PROTO_TEXT_SURE;
}

void amqp_take_body(struct proto_context *c, unsigned side, struct span bytes, uint64_t time_ns)
{
    struct amqp_flow *f = amqp_flow_of(c);
    struct amqp_record *r = find_message(f, side, f->side[side].channel);
    if (r == NULL) {
        return;
    }
    if (bytes.data == NULL) {
        r->holed = true;
    } else {
        amqp_record_add_body(c, r, bytes, most_room(c, r));
    }
    r->link.end_ns = time_ns;
    r->body_left -= bytes.size < r->body_left ? bytes.size : r->body_left;
    if (r->body_left == 0 && r->has_header) {
        end_message(c, r);
    }
}

/* ---- Methods -------------------------------------------------------------------------------- */

static uint32_t class_and_id(const struct amqp_record *r)
{
    return (uint32_t)r->method->class_id << 16 | r->method->id;
}

/* The oldest method of a side's channel that waits, of a class and an id, off the list; NULL: none. */
static struct amqp_record *take_waiting(struct proto_context *c, unsigned side, uint16_t channel,
                                        uint32_t which)
{
    for (struct waiter *w = amqp_flow_of(c)->open.head; w != NULL; w = w->next) {
        struct amqp_record *r = (struct amqp_record *)w;
        if (!r->is_open && w->side == side && r->channel == channel && class_and_id(r) == which) {
            take_off(c, r);
            return r;
        }
    }
    return NULL;
}

/* Puts it on the list; the oldest go when that is full. */
static void wait(struct proto_context *c, struct amqp_record *r)
{
    struct waiting *open = &amqp_flow_of(c)->open;
    add(c, r);
    while (waiting_is_full(open, AMQP_OPEN_MAX, AMQP_OPEN_BYTES)) {
        struct amqp_record *oldest = (struct amqp_record *)open->head;
        amqp_stats_of(c)->evicted++;
        if (oldest->is_open) {
            end_message(c, oldest);
        } else {
            give_up(c, oldest, "evicted");
        }
    }
}

static uint32_t number_of(const struct amqp_record *r, enum amqp_field field)
{
    struct span text = amqp_text_of(r, field);
    uint32_t value = 0;
    for (size_t i = 0; i < text.size && i < 6; i++) {
        value = value * 10 + (text.data[i] - (uint32_t)'0');
    }
    return amqp_record_has(r, field) ? value : 0;
}

/* A channel or connection is closed because of a method: that one is answered, and whatever else the
 * channel waits for will not be. */
static void take_close(struct proto_context *c, struct amqp_record *r)
{
    uint32_t culprit = number_of(r, AMQP_CLASS_ID) << 16 | number_of(r, AMQP_METHOD_ID);
    struct waiter *next;
    for (struct waiter *w = amqp_flow_of(c)->open.head; w != NULL; w = next) {
        struct amqp_record *other = (struct amqp_record *)w;
        next = w->next;
        if (other->is_open || w->side == r->link.side ||
            (other->channel != r->channel && r->channel != 0)) {
            continue;
        }
        if (r->code >= CLOSE_ERROR && r->about == NULL && class_and_id(other) == culprit &&
            other->about == NULL) {
            take_off(c, other);
            r->about = other;
            amqp_stats_of(c)->refused++;
        } else {
            give_up(c, other, "closed");
        }
    }
}

static void take_request(struct proto_context *c, struct amqp_record *r)
{
    bool is_close = (r->method->class_id == AMQP_CLOSE_CONNECTION && r->method->id == 50) ||
                    (r->method->class_id == AMQP_CLOSE_CHANNEL && r->method->id == 40);
    amqp_stats_of(c)->requests++;
    if (is_close) {
        take_close(c, r);
    }
    if (r->no_wait) {
        amqp_report(c, r, NULL, NULL);
        amqp_record_free(c->memory, r);
        return;
    }
    wait(c, r);
}

static void take_response(struct proto_context *c, struct amqp_record *r)
{
    struct amqp_stats *stats = amqp_stats_of(c);
    uint32_t asked = (uint32_t)r->method->class_id << 16 | r->method->asked_by;
    struct amqp_record *request = take_waiting(c, 1 - r->link.side, r->channel, asked);
    stats->responses++;
    stats->unmatched += request == NULL;
    if (r->method->has_content) {
        r->about = request;
        r->is_open = true;
        wait(c, r);
        return;
    }
    if (request != NULL || c->settings->report_unmatched) {
        amqp_report(c, request, r, NULL);
    }
    amqp_record_free(c->memory, request);
    amqp_record_free(c->memory, r);
}

void amqp_take(struct proto_context *c, struct amqp_record *r)
{
    struct amqp_record *message = find_message(amqp_flow_of(c), r->link.side, r->channel);
    if (message != NULL) {
        end_message(c, message); /* its body did not come, or not all of it */
    }
    if (r->method->role == AMQP_REQUEST) {
        take_request(c, r);
    } else if (r->method->role == AMQP_RESPONSE) {
        take_response(c, r);
    } else if (r->method->has_content) {
        r->is_open = true;
        wait(c, r);
    } else {
        amqp_report(c, r, NULL, NULL);
        amqp_record_free(c->memory, r);
    }
}
