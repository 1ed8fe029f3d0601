// SPDX-License-Identifier: Apache-2.0
#include "proto/amqp/amqp_report.h"

enum { BOTH_SIDES = 2, CLOSE_ERROR = 300, PUBLISH = 40, RETURN = 50 };

/* ---- The list ------------------------------------------------------------------------------- */

static void push(struct amqp_flow *f, struct amqp_record *r)
{
    if (f->tail != NULL) {
        f->tail->next = r;
    } else {
        f->head = r;
    }
    f->tail = r;
    r->next = NULL;
    r->weight = (uint32_t)sizeof *r + r->room + r->body_room;
    f->bytes += r->weight;
    f->count++;
}

static struct amqp_record *after(const struct amqp_flow *f, const struct amqp_record *before)
{
    return before != NULL ? before->next : f->head;
}

/* Takes the record behind `before` off the list; the first when that is NULL. */
static struct amqp_record *pop(struct amqp_flow *f, struct amqp_record *before)
{
    struct amqp_record *r = after(f, before);
    if (before != NULL) {
        before->next = r->next;
    } else {
        f->head = r->next;
    }
    f->tail = f->tail == r ? before : f->tail;
    f->count--;
    f->bytes -= r->weight;
    r->next = NULL;
    return r;
}

/* The method that waits for an answer behind `before` is reported without one. */
static void give_up(struct proto_context *c, struct amqp_record *before, const char *reason)
{
    struct amqp_record *r = pop(amqp_flow_of(c), before);
    amqp_report(c, r, NULL, reason);
    amqp_record_free(c->memory, r);
}

void amqp_give_up(struct proto_context *c, unsigned side, const char *reason)
{
    struct amqp_flow *f = amqp_flow_of(c);
    struct amqp_record *before = NULL;
    for (struct amqp_record *r = f->head; r != NULL; r = after(f, before)) {
        if (!r->is_open && (side == BOTH_SIDES || r->side == side)) {
            give_up(c, before, reason);
        } else {
            before = r;
        }
    }
}

void amqp_age(struct proto_context *c, uint64_t now_ns)
{
    struct amqp_flow *f = amqp_flow_of(c);
    uint64_t timeout = (uint64_t)c->settings->transaction_timeout;
    struct amqp_record *before = NULL;
    for (struct amqp_record *r = f->head; r != NULL; r = after(f, before)) {
        if (r->is_open) {
            before = r;
        } else if (r->end_ns + timeout < now_ns) {
            give_up(c, before, "timeout");
        } else {
            break;
        }
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

/* A message is whole, or as whole as it will be; it is off the list. */
static void end_message(struct proto_context *c, struct amqp_record *r)
{
    struct amqp_stats *stats = amqp_stats_of(c);
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

static void end_message_behind(struct proto_context *c, struct amqp_record *before)
{
    end_message(c, pop(amqp_flow_of(c), before));
}

void amqp_end_messages(struct proto_context *c, unsigned side)
{
    struct amqp_flow *f = amqp_flow_of(c);
    struct amqp_record *before = NULL;
    for (struct amqp_record *r = f->head; r != NULL; r = after(f, before)) {
        if (r->is_open && (side == BOTH_SIDES || r->side == side)) {
            end_message_behind(c, before);
        } else {
            before = r;
        }
    }
}

/* The message that a side's channel is saying: the record, and what stands before it in the list. */
static struct amqp_record *find_message(const struct amqp_flow *f, unsigned side, uint16_t channel,
                                        struct amqp_record **before)
{
    *before = NULL;
    for (struct amqp_record *r = f->head; r != NULL; *before = r, r = r->next) {
        if (r->is_open && r->side == side && r->channel == channel) {
            return r;
        }
    }
    return NULL;
}

void amqp_take_header(struct proto_context *c, const struct amqp_side *s, unsigned side,
                      struct span header, uint64_t time_ns)
{
    struct amqp_flow *f = amqp_flow_of(c);
    struct amqp_record *before;
    struct amqp_record *r = find_message(f, side, s->channel, &before);
    if (r == NULL || r->has_header) {
        return; /* its method was not seen */
    }
    pop(f, before);
    r = amqp_record_add_header(c, r, header);
    r->end_ns = time_ns;
    if (r->body_size == 0) {
        end_message(c, r);
    } else {
        push(f, r);
    }
}

void amqp_take_body(struct proto_context *c, unsigned side, struct span bytes, uint64_t time_ns)
{
    struct amqp_flow *f = amqp_flow_of(c);
    struct amqp_record *before;
    struct amqp_record *r = find_message(f, side, f->side[side].channel, &before);
    if (r == NULL) {
        return;
    }
    if (bytes.data == NULL) {
        r->holed = true;
    } else {
        amqp_record_add_body(r, bytes);
    }
    r->end_ns = time_ns;
    r->body_left -= bytes.size < r->body_left ? bytes.size : r->body_left;
    if (r->body_left == 0 && r->has_header) {
        end_message_behind(c, before);
    }
}

/* ---- Methods -------------------------------------------------------------------------------- */

/* The oldest method of a side's channel that waits, of a class and an id; NULL: none. */
static struct amqp_record *take_waiting(struct amqp_flow *f, unsigned side, uint16_t channel,
                                        uint32_t class_and_id)
{
    struct amqp_record *before = NULL;
    for (struct amqp_record *r = f->head; r != NULL; before = r, r = r->next) {
        uint32_t that = (uint32_t)r->method->class_id << 16 | r->method->id;
        if (!r->is_open && r->side == side && r->channel == channel && that == class_and_id) {
            return pop(f, before);
        }
    }
    return NULL;
}

static void make_room(struct proto_context *c)
{
    struct amqp_flow *f = amqp_flow_of(c);
    while (f->count > AMQP_OPEN_MAX || (f->bytes > AMQP_OPEN_BYTES && f->count > 1)) {
        amqp_stats_of(c)->evicted++;
        if (f->head->is_open) {
            end_message_behind(c, NULL);
        } else {
            give_up(c, NULL, "evicted");
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
    struct amqp_flow *f = amqp_flow_of(c);
    uint32_t culprit = number_of(r, AMQP_CLASS_ID) << 16 | number_of(r, AMQP_METHOD_ID);
    struct amqp_record *before = NULL;
    for (struct amqp_record *w = f->head; w != NULL; w = after(f, before)) {
        uint32_t that = (uint32_t)w->method->class_id << 16 | w->method->id;
        bool is_concerned = w != r && !w->is_open && w->side != r->side &&
                            (w->channel == r->channel || r->channel == 0);
        if (!is_concerned) {
            before = w;
        } else if (r->code >= CLOSE_ERROR && r->about == NULL && that == culprit &&
                   w->about == NULL) {
            r->about = pop(f, before);
            amqp_stats_of(c)->refused++;
        } else {
            give_up(c, before, "closed");
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
    push(amqp_flow_of(c), r);
    make_room(c);
}

static void take_response(struct proto_context *c, struct amqp_record *r)
{
    struct amqp_stats *stats = amqp_stats_of(c);
    uint32_t asked = (uint32_t)r->method->class_id << 16 | r->method->asked_by;
    struct amqp_record *request =
        take_waiting(amqp_flow_of(c), 1 - r->side, r->channel, asked);
    stats->responses++;
    stats->unmatched += request == NULL;
    if (r->method->has_content) {
        r->about = request;
        r->is_open = true;
        push(amqp_flow_of(c), r);
        make_room(c);
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
    struct amqp_flow *f = amqp_flow_of(c);
    struct amqp_record *before;
    if (find_message(f, r->side, r->channel, &before) != NULL) {
        end_message_behind(c, before); /* its body did not come, or not all of it */
    }
    if (r->method->role == AMQP_REQUEST) {
        take_request(c, r);
    } else if (r->method->role == AMQP_RESPONSE) {
        take_response(c, r);
    } else if (r->method->has_content) {
        r->is_open = true;
        push(f, r);
        make_room(c);
    } else {
        amqp_report(c, r, NULL, NULL);
        amqp_record_free(c->memory, r);
    }
}
