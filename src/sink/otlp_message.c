// SPDX-License-Identifier: Apache-2.0
#include "sink/otlp_message.h"

#include <math.h>
#include <stdio.h>

#include "base/cursor.h"
#include "base/protobuf.h"
#include "summary/quantiles.h"

/* Metric.data's fields, opentelemetry/proto/metrics/v1/metrics.proto. */
enum shape { NONE = 0, GAUGE = 5, SUM = 7, HISTOGRAM = 9, EXPONENTIAL = 10, SUMMARY = 11 };
enum { TEMPORALITY_DELTA = 1, TEMPORALITY_CUMULATIVE = 2 };

static enum shape shape_of(const struct otlp_message *message, const struct point *p)
{
    switch (p->kind) {
    case POINT_SUM:
        return SUM;
    case POINT_GAUGE:
        return GAUGE;
    default:
        return p->quantiles != NULL && !message->is_classic ? EXPONENTIAL
               : p->kind == POINT_SPREAD                    ? SUMMARY
                                                            : HISTOGRAM;
    }
}

/* KeyValue with a string. */
static void put_attribute(struct json *to, uint32_t field, struct span key, struct span value)
{
    size_t pair = protobuf_begin(to, field);
    protobuf_text(to, 1, key);
    size_t any = protobuf_begin(to, 2);
    protobuf_text(to, 1, value);
    protobuf_end(to, any);
    protobuf_end(to, pair);
}

/* ---- What points stand in --------------------------------------------------------------------- */

static void end_metric(struct otlp_message *m)
{
    if (m->shape == NONE) {
        return;
    }
    if (m->shape == SUM || m->shape == HISTOGRAM || m->shape == EXPONENTIAL) {
        protobuf_u64(&m->bytes, 2, m->is_period ? TEMPORALITY_DELTA : TEMPORALITY_CUMULATIVE);
    }
    if (m->shape == SUM) {
        protobuf_u64(&m->bytes, 3, 1);
    }
    protobuf_end(&m->bytes, m->data);
    protobuf_end(&m->bytes, m->metric);
    m->shape = NONE;
}

static void end_scope(struct otlp_message *m)
{
    end_metric(m);
    if (m->scope_name[0] != '\0') {
        protobuf_end(&m->bytes, m->scope);
        m->scope_name[0] = '\0';
    }
}

static void begin_scope(struct otlp_message *m, const char *name)
{
    static const char policy[] = "pktvisor/";
    end_scope(m);
    snprintf(m->scope_name, sizeof m->scope_name, "%s", name);
    m->scope = protobuf_begin(&m->bytes, 2);
    size_t scope = protobuf_begin(&m->bytes, 1);
    protobuf_text(&m->bytes, 1, span_str(name));
    protobuf_text(&m->bytes, 2, span_str(m->version));
    if (strncmp(name, policy, sizeof policy - 1) == 0) { /* as pktvisor says it */
        put_attribute(&m->bytes, 3, span_str("policy_name"), span_str(name + sizeof policy - 1));
    }
    protobuf_end(&m->bytes, scope);
}

/* UCUM's codes where it has one; counts of things are in braces there. */
static void put_unit(struct json *to, const char *unit)
{
    static const char *const codes[][2] = {
        {"bytes", "By"}, {"seconds", "s"}, {"us", "us"}, {"ms", "ms"}, {"ns", "ns"},
        {"ratio", "1"}, {"percent", "%"},
    };
    char text[64];
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (strcmp(codes[i][0], unit) == 0) {
            protobuf_text(to, 3, span_str(codes[i][1]));
            return;
        }
    }
    snprintf(text, sizeof text, "{%s}", unit);
    protobuf_text(to, 3, span_str(text));
}

static void begin_metric(struct otlp_message *m, const struct point *p, enum shape shape)
{
    end_metric(m);
    snprintf(m->name, sizeof m->name, "%s", p->name);
    m->shape = shape;
    m->is_period = p->is_period;
    m->metric = protobuf_begin(&m->bytes, 2);
    protobuf_text(&m->bytes, 1, span_str(p->name));
    protobuf_text(&m->bytes, 2, span_str(p->help));
    if (p->unit != NULL && p->unit[0] != '\0') {
        put_unit(&m->bytes, p->unit);
    }
    m->data = protobuf_begin(&m->bytes, (uint32_t)shape);
}

void otlp_message_begin(struct otlp_message *m)
{
    json_reset(&m->bytes);
    m->points = 0;
    m->shape = NONE;
    m->scope_name[0] = '\0';
    m->resource = protobuf_begin(&m->bytes, 1);
    size_t resource = protobuf_begin(&m->bytes, 1);
    for (size_t i = 0; i < m->attributes->count; i++) {
        const char *text = m->attributes->items[i];
        const char *equals = strchr(text, '=');
        if (equals != NULL) {
            put_attribute(&m->bytes, 1, span_of(text, (size_t)(equals - text)),
                          span_str(equals + 1));
        }
    }
    protobuf_end(&m->bytes, resource);
}

void otlp_message_end(struct otlp_message *m)
{
    end_scope(m);
    protobuf_end(&m->bytes, m->resource);
}

/* ---- Points ----------------------------------------------------------------------------------- */

static void put_head(struct json *to, const struct point *p, uint32_t attributes)
{
    for (uint32_t i = 0; i < p->label_count; i++) {
        put_attribute(to, attributes, span_str(p->labels[i].name), p->labels[i].value);
    }
    protobuf_fixed(to, 2, p->start_ns);
    protobuf_fixed(to, 3, p->end_ns);
}

static void put_number(struct json *to, const struct point *p)
{
    bool is_whole = p->value == floor(p->value) && fabs(p->value) < 0x1p53;
    put_head(to, p, 7);
    if (is_whole) {
        protobuf_fixed(to, 6, (uint64_t)(int64_t)p->value);
    } else {
        protobuf_double(to, 4, p->value);
    }
}

static void put_summary(struct json *to, const struct point *p)
{
    put_head(to, p, 7);
    protobuf_fixed(to, 4, p->total);
    protobuf_double(to, 5, p->sum);
    for (uint32_t i = 0; i < p->count; i++) {
        size_t rank = protobuf_begin(to, 6);
        protobuf_double(to, 1, p->at[i]);
        protobuf_double(to, 2, p->values[i]);
        protobuf_end(to, rank);
    }
}

/* Counts between the bounds, not up to them. */
static void put_histogram(struct json *to, const struct point *p)
{
    uint64_t before = 0;
    put_head(to, p, 9);
    protobuf_fixed(to, 4, p->total);
    protobuf_double(to, 5, p->sum);
    size_t counts = protobuf_begin(to, 6);
    for (uint32_t i = 0; i < p->count; i++) {
        uint64_t up_to = (uint64_t)p->values[i];
        protobuf_eight(to, up_to - before);
        before = up_to;
    }
    protobuf_eight(to, p->total - before);
    protobuf_end(to, counts);
    size_t bounds = protobuf_begin(to, 7);
    for (uint32_t i = 0; i < p->count; i++) {
        uint64_t bits;
        memcpy(&bits, &p->at[i], sizeof bits);
        protobuf_eight(to, bits);
    }
    protobuf_end(to, bounds);
}

static void put_side(struct json *to, uint32_t field, const struct quantiles_side *side)
{
    size_t buckets = protobuf_begin(to, field);
    protobuf_signed(to, 1, side->first);
    size_t counts = protobuf_begin(to, 2);
    for (uint32_t i = 0; i < side->used; i++) {
        protobuf_varint(to, quantiles_count(side, i));
    }
    protobuf_end(to, counts);
    protobuf_end(to, buckets);
}

/* The buckets are the specification's: (2^(i / 2^scale), 2^((i + 1) / 2^scale)]. */
static void put_exponential(struct json *to, const struct point *p)
{
    const struct quantiles *q = p->quantiles;
    put_head(to, p, 1);
    protobuf_fixed(to, 4, q->count);
    bool is_negative = q->negative.used > 0; /* then a sum means nothing to who reads rates */
    if (!is_negative) {
        protobuf_double(to, 5, q->sum);
    }
    protobuf_signed(to, 6, quantiles_scale(q));
    protobuf_fixed(to, 7, q->zero);
    if (q->positive.used > 0) {
        put_side(to, 8, &q->positive);
    }
    if (is_negative) {
        put_side(to, 9, &q->negative);
    }
    protobuf_double(to, 12, q->min);
    protobuf_double(to, 13, q->max);
}

void otlp_message_add(struct otlp_message *m, const struct point *p)
{
    enum shape shape = shape_of(m, p);
    if (strcmp(m->scope_name, p->scope) != 0) {
        begin_scope(m, p->scope);
    }
    if ((int)shape != m->shape || p->is_period != m->is_period || strcmp(m->name, p->name) != 0) {
        begin_metric(m, p, shape);
    }
    size_t point = protobuf_begin(&m->bytes, 1);
    switch (shape) {
    case HISTOGRAM:
        put_histogram(&m->bytes, p);
        break;
    case EXPONENTIAL:
        put_exponential(&m->bytes, p);
        break;
    case SUMMARY:
        put_summary(&m->bytes, p);
        break;
    default:
        put_number(&m->bytes, p);
        break;
    }
    protobuf_end(&m->bytes, point);
    m->points++;
}

/* ---- Answers ---------------------------------------------------------------------------------- */

static uint64_t read_varint(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !c->bad; shift += 7) {
        uint8_t byte = cursor_u8(c);
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return value;
        }
    }
    c->bad = true;
    return 0;
}

/* The field of that number whose value is a varint, or a span; false when there is none. */
static bool find_field(struct span message, uint32_t field, uint64_t *number, struct span *bytes)
{
    struct cursor c = cursor_of(message);
    while (!c.bad && cursor_left(&c) > 0) {
        uint64_t tag = read_varint(&c);
        struct span inside = {0};
        uint64_t value = 0;
        switch (tag & 7) {
        case 0:
            value = read_varint(&c);
            break;
        case 2:
            value = read_varint(&c);
            inside = value <= cursor_left(&c) ? cursor_take(&c, (size_t)value) : span_of(NULL, 0);
            c.bad |= inside.size != value;
            break;
        default:
            return false; /* none of the two messages has others */
        }
        if (!c.bad && tag >> 3 == field) {
            *number = value;
            *bytes = inside;
            return true;
        }
    }
    return false;
}

uint64_t otlp_message_rejected(struct span answer, char *why, size_t room)
{
    uint64_t number, rejected;
    struct span partial, text;
    if (!find_field(answer, 1, &number, &partial) ||
        !find_field(partial, 1, &rejected, &text)) {
        return 0;
    }
    if (find_field(partial, 2, &number, &text)) {
        snprintf(why, room, "%.*s", (int)(text.size < room ? text.size : room),
                 (const char *)text.data);
    }
    return rejected;
}
