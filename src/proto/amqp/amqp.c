// SPDX-License-Identifier: Apache-2.0
/* AMQP 0-9-1: methods with their answers, and messages, see README.md. */
#include "base/cursor.h"
#include "proto/amqp/amqp_flow.h"

enum { BOTH_SIDES = 2, CLASS_AND_ID = 4 };

static const uint16_t ports[] = {5672, 0};

#define ROW(name_, kind_, member, fallback_, help_)                                                \
    .name = name_, .kind = kind_, .offset = offsetof(struct amqp_options, member),                 \
    .fallback = fallback_, .help = help_

static const struct proto_option options[] = {
    {ROW("parse_headers", PROTO_OPTION_FLAG, parse_headers, "true",
         "Events show the headers of messages.")},
    {ROW("parse_arguments", PROTO_OPTION_FLAG, parse_arguments, "true",
         "Events show the further arguments of declarations.")},
    {ROW("hide_connection_information", PROTO_OPTION_FLAG, hide_connection_information, "true",
         "How connections and channels are opened and closed in peace makes no events.")},
    {ROW("max_body_length", PROTO_OPTION_NUMBER, body_max, "1000",
         "How many bytes of a message `request` and `response` show."),
     .minimum = 0, .maximum = 65536},
    {0},
};

/* A side's bytes, and where in them we are. */
struct reading {
    struct proto_context *c;
    struct amqp_flow *flow;
    struct amqp_side *side;
    struct span rest;
    uint64_t time_ns;
    uint8_t number; /* of the side */
};

enum step { GOES_ON, WAITS, LETS_GO };

static enum proto_guess amqp_probe(struct span data, unsigned side)
{
    (void)side;
    static const enum proto_guess guesses[] = {[AMQP_LOOKS_ELSE] = PROTO_NO,
                                               [AMQP_LOOKS_CUT] = PROTO_UNSURE,
                                               [AMQP_LOOKS_RIGHT] = PROTO_YES};
    return guesses[amqp_look(data)];
}

static void take(struct reading *r, size_t size)
{
    r->rest = span_skip(r->rest, size);
    r->side->has_begun = false;
}

/* What is said is no AMQP; lets go when that happens too often. */
static enum step survive(struct reading *r)
{
    struct amqp_flow *f = r->flow;
    if (!f->understood) {
        return LETS_GO;
    }
    amqp_stats_of(r->c)->malformed++;
    f->broken++;
    r->side->seeking = true;
    amqp_end_messages(r->c, r->number);
    take(r, r->rest.size > 0);
    return f->broken < AMQP_BROKEN_MAX ? GOES_ON : LETS_GO;
}

static void take_method(struct reading *r, struct span payload, uint32_t bytes)
{
    const struct amqp_method *method =
        amqp_method_find(load_be16(payload.data), load_be16(payload.data + 2));
    struct amqp_record *record = amqp_record_new(r->c, method, span_skip(payload, CLASS_AND_ID));
    if (record == NULL) {
        amqp_stats_of(r->c)->not_kept++;
        return;
    }
    record->channel = r->side->channel;
    record->side = r->number;
    record->start_ns = r->side->start_ns;
    record->end_ns = r->time_ns;
    record->bytes = bytes;
    amqp_take(r->c, record);
}

/* A method or a content header: all of it is there, or as much as is read of one that is large. */
static enum step read_whole(struct reading *r, const struct amqp_frame *frame)
{
    size_t size = frame->size < AMQP_KEPT_MAX ? frame->size : AMQP_KEPT_MAX;
    if (r->rest.size < AMQP_HEADER + size + 1) {
        return WAITS;
    }
    if (size == frame->size && r->rest.data[AMQP_HEADER + size] != AMQP_END) {
        return survive(r);
    }
    struct span payload = span_head(span_skip(r->rest, AMQP_HEADER), size);
    r->flow->understood = true;
    r->flow->broken = 0;
    r->side->channel = frame->channel;
    if (frame->type == AMQP_METHOD) {
        take_method(r, payload, AMQP_HEADER + frame->size + 1);
    } else {
        amqp_take_header(r->c, r->side, r->number, span_skip(payload, CLASS_AND_ID), r->time_ns);
    }
    r->side->left = (uint32_t)(frame->size - size) + (size < frame->size);
    r->side->is_body = false;
    take(r, AMQP_HEADER + size + (size == frame->size));
    return GOES_ON;
}

static enum step begin_body(struct reading *r, const struct amqp_frame *frame)
{
    if (frame->size > AMQP_FRAME_MAX || frame->channel == 0) {
        return survive(r);
    }
    r->side->channel = frame->channel;
    r->side->left = frame->size + 1;
    r->side->is_body = true;
    take(r, AMQP_HEADER);
    return GOES_ON;
}

static enum step read_frame(struct reading *r)
{
    if (r->rest.data[0] == AMQP_BODY) {
        if (r->rest.size < AMQP_HEADER) {
            return WAITS;
        }
        struct amqp_frame frame = amqp_frame_read(r->rest);
        return begin_body(r, &frame);
    }
    enum amqp_looks looks = amqp_look(r->rest);
    if (looks != AMQP_LOOKS_RIGHT) {
        return looks == AMQP_LOOKS_CUT ? WAITS : survive(r);
    }
    if (r->rest.data[0] == 'A' || r->rest.data[0] == AMQP_HEARTBEAT) {
        r->flow->understood = true;
        take(r, AMQP_GREETING);
        return GOES_ON;
    }
    struct amqp_frame frame = amqp_frame_read(r->rest);
    return read_whole(r, &frame);
}

/* What is left of a frame: a body, and the byte that ends it. */
static enum step pass_over(struct reading *r)
{
    struct amqp_side *s = r->side;
    size_t payload = s->left - 1;
    struct span bytes = span_head(r->rest, payload);
    if (bytes.size > 0) {
        if (s->is_body) {
            amqp_take_body(r->c, r->number, bytes, r->time_ns);
        }
        s->left -= (uint32_t)bytes.size;
        take(r, bytes.size);
        return GOES_ON;
    }
    s->left = 0;
    if (r->rest.data[0] != AMQP_END) {
        return survive(r);
    }
    take(r, 1);
    return GOES_ON;
}

/* Behind a hole: to where a frame may begin. */
static enum step seek(struct reading *r)
{
    while (r->rest.size > 0) {
        enum amqp_looks looks = amqp_look(r->rest);
        if (looks == AMQP_LOOKS_CUT) {
            return WAITS;
        }
        if (looks == AMQP_LOOKS_RIGHT) {
            r->side->seeking = false;
            return GOES_ON;
        }
        take(r, 1);
    }
    return WAITS;
}

/* ---- Hooks ---------------------------------------------------------------------------------- */

static enum step read_some(struct reading *r)
{
    if (r->side->left > 0) {
        return pass_over(r);
    }
    if (r->side->seeking) {
        return seek(r);
    }
    if (!r->side->has_begun) {
        r->side->has_begun = true;
        r->side->start_ns = r->time_ns;
    }
    return read_frame(r);
}

static struct proto_taken amqp_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct amqp_flow *f = amqp_flow_of(c);
    amqp_age(c, chunk->time_ns);
    struct reading r = {
        .c = c,
        .flow = f,
        .side = &f->side[chunk->side],
        .rest = chunk->data,
        .time_ns = chunk->time_ns,
        .number = chunk->side,
    };
    enum step step = GOES_ON;
    while (step == GOES_ON && r.rest.size > 0) {
        step = read_some(&r);
    }
    return (struct proto_taken){
        .consumed = chunk->data.size - r.rest.size,
        .verdict = step == LETS_GO ? PROTO_NOT_MINE : PROTO_GOES_ON,
    };
}

static void amqp_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct amqp_flow *f = amqp_flow_of(c);
    struct amqp_side *s = &f->side[side];
    amqp_stats_of(c)->gaps++;
    if (s->left > length) { /* within a frame that is passed over */
        s->left -= length;
        if (s->is_body) {
            amqp_take_body(c, side, span_of(NULL, length), c->now_ns);
        }
        return;
    }
    amqp_end_messages(c, side);
    amqp_give_up(c, 1 - side, "gap"); /* their answers may have been in the hole */
    *s = (struct amqp_side){.seeking = true};
}

static void amqp_on_fin(struct proto_context *c, unsigned side)
{
    amqp_end_messages(c, side);
    amqp_give_up(c, 1 - side, "closed");
}

static void amqp_on_close(struct proto_context *c, enum proto_close why)
{
    static const char *const reasons[] = {
        [PROTO_CLOSED] = "closed", [PROTO_RESET] = "reset", [PROTO_TIMEOUT] = "timeout"};
    amqp_end_messages(c, BOTH_SIDES);
    amqp_give_up(c, BOTH_SIDES, reasons[why]);
}

static const struct event_type *const events[] = {&amqp_event_type, NULL};

const struct proto proto_amqp = {
    .name = "amqp",
    .help = "AMQP 0-9-1, as RabbitMQ speaks it: methods with their answers, and messages",
    .metrics = &amqp_set,
    .tcp_ports = ports,
    .flow_size = sizeof(struct amqp_flow),
    .events = events,
    .options = options,
    .options_size = sizeof(struct amqp_options),
    .probe = amqp_probe,
    .on_chunk = amqp_on_chunk,
    .on_gap = amqp_on_gap,
    .on_fin = amqp_on_fin,
    .on_close = amqp_on_close,
};
