// SPDX-License-Identifier: Apache-2.0
/* AMQP 0-9-1: methods with their answers, and messages, see README.md. */
#include "base/cursor.h"
#include "proto/amqp/amqp_flow.h"

enum { CLASS_AND_ID = 4 };

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
     .minimum = 0, .maximum = INT64_C(1) << 30},
    {0},
};

static enum proto_guess amqp_probe(struct span data, unsigned side)
{
    (void)side;
    return amqp_look(data);
}

static struct amqp_side *side_of(const struct reading *r)
{
    return &amqp_flow_of(r->c)->side[r->number];
}

/* What is said is no AMQP; lets go when that happens too often. */
static enum reading_step survive(struct reading *r)
{
    struct reading_trust *trust = &amqp_flow_of(r->c)->trust;
    amqp_stats_of(r->c)->malformed += trust->understood;
    r->side->seeking = true;
    amqp_end_messages(r->c, r->number);
    reading_take(r, r->rest.size > 0);
    return reading_survives(trust);
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
    if (side_of(r)->is_cut) {
        amqp_record_note_cut(record);
    }
    record->channel = side_of(r)->channel;
    record->link.side = r->number;
    record->link.start_ns = r->side->start_ns;
    record->link.end_ns = r->time_ns;
    record->bytes = bytes;
    amqp_take(r->c, record);
}

/* A method or a content header: all of it is there, or as much as is read of one that is large. */
static enum reading_step read_whole(struct reading *r, const struct amqp_frame *frame)
{
    size_t size = frame->size < AMQP_KEPT_MAX ? frame->size : AMQP_KEPT_MAX;
    if (r->rest.size < AMQP_HEADER + size + 1) {
        return READING_WAITS;
    }
    if (size == frame->size && r->rest.data[AMQP_HEADER + size] != AMQP_END) {
        return survive(r);
    }
    struct span payload = span_head(span_skip(r->rest, AMQP_HEADER), size);
    struct amqp_side *s = side_of(r);
    reading_understands(&amqp_flow_of(r->c)->trust);
    s->channel = frame->channel;
    s->is_cut = size < frame->size;
    if (frame->type == AMQP_METHOD) {
        take_method(r, payload, AMQP_HEADER + frame->size + 1);
    } else {
        amqp_take_header(r->c, s, r->number, span_skip(payload, CLASS_AND_ID), r->time_ns);
    }
    s->reading.left = (uint32_t)(frame->size - size) + s->is_cut;
    s->is_body = false;
    reading_take(r, AMQP_HEADER + size + !s->is_cut);
    return READING_GOES_ON;
}

static enum reading_step begin_body(struct reading *r, const struct amqp_frame *frame)
{
    if (frame->size > AMQP_FRAME_MAX || frame->channel == 0) {
        return survive(r);
    }
    struct amqp_side *s = side_of(r);
    s->channel = frame->channel;
    s->reading.left = frame->size + 1;
    s->is_body = true;
    reading_take(r, AMQP_HEADER);
    return READING_GOES_ON;
}

static enum reading_step read_frame(struct reading *r)
{
    if (r->rest.data[0] == AMQP_BODY) {
        if (r->rest.size < AMQP_HEADER) {
            return READING_WAITS;
        }
        struct amqp_frame frame = amqp_frame_read(r->rest);
        return begin_body(r, &frame);
    }
    enum proto_guess looks = amqp_look(r->rest);
    if (looks != PROTO_YES) {
        return looks == PROTO_UNSURE ? READING_WAITS : survive(r);
    }
    if (r->rest.data[0] == 'A' || r->rest.data[0] == AMQP_HEARTBEAT) {
        amqp_flow_of(r->c)->trust.understood = true;
        reading_take(r, AMQP_GREETING);
        return READING_GOES_ON;
    }
    struct amqp_frame frame = amqp_frame_read(r->rest);
    return read_whole(r, &frame);
}

/* What is left of a frame: a body, and the byte that ends it. */
static enum reading_step pass_over(struct reading *r)
{
    struct amqp_side *s = side_of(r);
    size_t payload = s->reading.left - 1;
    struct span bytes = span_head(r->rest, payload);
    if (bytes.size > 0) {
        if (s->is_body) {
            amqp_take_body(r->c, r->number, bytes, r->time_ns);
        }
        s->reading.left -= (uint32_t)bytes.size;
        reading_take(r, bytes.size);
        return READING_GOES_ON;
    }
    s->reading.left = 0;
    if (r->rest.data[0] != AMQP_END) {
        return survive(r);
    }
    reading_take(r, 1);
    return READING_GOES_ON;
}

static enum proto_guess look(const struct reading *r)
{
    return amqp_look(r->rest);
}

/* ---- Hooks ---------------------------------------------------------------------------------- */

static enum reading_step read_some(struct reading *r)
{
    if (r->side->left > 0) {
        return pass_over(r);
    }
    if (r->side->seeking && !reading_seek(r, look)) {
        return READING_WAITS;
    }
    reading_begin(r);
    return read_frame(r);
}

static struct proto_taken amqp_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    amqp_age(c, chunk->time_ns);
    return reading_run(c, chunk, &amqp_flow_of(c)->side[chunk->side].reading, read_some);
}


static void amqp_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct amqp_side *s = &amqp_flow_of(c)->side[side];
    amqp_stats_of(c)->gaps++;
    if (s->reading.left > length) { /* within a frame that is passed over */
        s->reading.left -= length;
        if (s->is_body) {
            amqp_take_body(c, side, span_of(NULL, length), c->now_ns);
        }
        return;
    }
    amqp_end_messages(c, side);
    amqp_give_up(c, 1 - side, "gap"); /* their answers may have been in the hole */
    *s = (struct amqp_side){.reading.seeking = true};
}

static void amqp_on_fin(struct proto_context *c, unsigned side)
{
    amqp_end_messages(c, side);
    amqp_give_up(c, 1 - side, "closed");
}

static void amqp_on_close(struct proto_context *c, enum proto_close why)
{
    amqp_end_messages(c, WAITING_BOTH);
    amqp_give_up(c, WAITING_BOTH, proto_close_reason(why));
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
