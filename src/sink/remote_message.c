// SPDX-License-Identifier: Apache-2.0
#include "sink/remote_message.h"

#include <float.h>
#include <stdio.h>

#include "base/protobuf.h"
#include "summary/metric_view.h"
#include "summary/quantiles.h"

enum { LABELS_MAX = 40, NAME_ROOM = 280, RESET_HINT_GAUGE = 3 };

/* A NaN of its own: value.StaleNaN of Prometheus. */
#define STALE UINT64_C(0x7ff0000000000002)

struct label {
    struct span name, value;
};

struct labels {
    uint32_t count;
    struct label list[LABELS_MAX];
};

/* The first of a name stays: a point's own labels come before those of all series. */
static void add_label(struct labels *labels, struct span name, struct span value)
{
    uint32_t at = labels->count;
    for (uint32_t i = 0; i < labels->count; i++) {
        if (span_equal(labels->list[i].name, name)) {
            return;
        }
    }
    if (labels->count == LABELS_MAX || value.size == 0 || name.size == 0) {
        return;
    }
    labels->count++;
    for (; at > 0; at--) {
        struct span other = labels->list[at - 1].name;
        size_t least = other.size < name.size ? other.size : name.size;
        int order = memcmp(other.data, name.data, least);
        if (order < 0 || (order == 0 && other.size < name.size)) {
            break;
        }
        labels->list[at] = labels->list[at - 1];
    }
    labels->list[at] = (struct label){name, value};
}

/* The labels of a series: its name, with a suffix; the point's; one more (NULL: none); all series'. */
static void encode_labels(struct remote_message *m, const struct point *p, const char *suffix,
                          const char *name, const char *value)
{
    struct labels labels = {0};
    char full[NAME_ROOM];
    snprintf(full, sizeof full, "%s%s", p->name, suffix);
    add_label(&labels, span_str("__name__"), span_str(full));
    if (name != NULL) {
        add_label(&labels, span_str(name), span_str(value));
    }
    for (uint32_t i = 0; i < p->label_count; i++) {
        add_label(&labels, span_str(p->labels[i].name), p->labels[i].value);
    }
    for (size_t i = 0; i < m->attributes->count; i++) {
        const char *text = m->attributes->items[i];
        const char *equals = strchr(text, '=');
        if (equals != NULL) {
            add_label(&labels, span_of(text, (size_t)(equals - text)), span_str(equals + 1));
        }
    }
    json_reset(&m->labels);
    for (uint32_t i = 0; i < labels.count; i++) {
        size_t pair = protobuf_begin(&m->labels, 1);
        protobuf_text(&m->labels, 1, labels.list[i].name);
        protobuf_text(&m->labels, 2, labels.list[i].value);
        protobuf_end(&m->labels, pair);
    }
    remote_series_note(&m->known, span_of(m->labels.data, m->labels.size));
}

/* A TimeSeries with one sample, whose value is given by its bits. */
static void put_sample(struct remote_message *m, struct span labels, uint64_t bits)
{
    size_t series = protobuf_begin(&m->bytes, 1);
    json_append(&m->bytes, labels.data, labels.size);
    size_t sample = protobuf_begin(&m->bytes, 2);
    protobuf_fixed(&m->bytes, 1, bits);
    protobuf_u64(&m->bytes, 2, (uint64_t)m->time_ms);
    protobuf_end(&m->bytes, sample);
    protobuf_end(&m->bytes, series);
    m->series++;
}

static void put_value(struct remote_message *m, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_sample(m, span_of(m->labels.data, m->labels.size), bits);
}

/* ---- Distributions ---------------------------------------------------------------------------- */

/* One span of buckets, and the differences of their counts, each to that before it. Bucket i here
 * is what is above base^(i-1); ours begin at base^i. */
static void put_side(struct json *to, uint32_t spans, uint32_t deltas,
                     const struct quantiles_side *side)
{
    int64_t before = 0;
    if (side->used == 0) {
        return;
    }
    size_t span = protobuf_begin(to, spans);
    protobuf_signed(to, 1, (int64_t)side->first + 1);
    protobuf_u64(to, 2, side->used);
    protobuf_end(to, span);
    size_t list = protobuf_begin(to, deltas);
    for (uint32_t i = 0; i < side->used; i++) {
        int64_t count = (int64_t)quantiles_count(side, i);
        protobuf_zigzag(to, count - before);
        before = count;
    }
    protobuf_end(to, list);
}

static void put_native(struct remote_message *m, const struct point *p)
{
    const struct quantiles *q = p->quantiles;
    struct json *to = &m->bytes;
    encode_labels(m, p, "", NULL, NULL);
    size_t series = protobuf_begin(to, 1);
    json_append(to, m->labels.data, m->labels.size);
    size_t histogram = protobuf_begin(to, 4);
    protobuf_u64(to, 1, q->count);
    protobuf_double(to, 3, q->sum);
    protobuf_signed(to, 4, quantiles_scale(q));
    protobuf_double(to, 5, DBL_MIN); /* what is nearer to zero counts as zero: quantiles.h */
    protobuf_u64(to, 6, q->zero);
    put_side(to, 8, 9, &q->negative);
    put_side(to, 11, 12, &q->positive);
    if (p->is_period) {
        protobuf_u64(to, 14, RESET_HINT_GAUGE);
    }
    protobuf_u64(to, 15, (uint64_t)m->time_ms);
    protobuf_end(to, histogram);
    protobuf_end(to, series);
    m->series++;
}

static void put_parts(struct remote_message *m, const struct point *p)
{
    bool is_spread = p->kind == POINT_SPREAD;
    for (uint32_t i = 0; i < p->count; i++) {
        char at[METRIC_NUMBER_ROOM];
        metric_number_text(p->at[i], at);
        encode_labels(m, p, is_spread ? "" : "_bucket", is_spread ? "quantile" : "le", at);
        put_value(m, p->values[i]);
    }
    if (!is_spread) {
        encode_labels(m, p, "_bucket", "le", "+Inf");
        put_value(m, (double)p->total);
    }
    encode_labels(m, p, "_sum", NULL, NULL);
    put_value(m, p->sum);
    encode_labels(m, p, "_count", NULL, NULL);
    put_value(m, (double)p->total);
}

/* ---- Points ----------------------------------------------------------------------------------- */

/* MetricMetadata, once a family. */
static void describe(struct remote_message *m, const struct point *p, bool is_native)
{
    static const uint8_t types[] = {[POINT_SUM] = 1, [POINT_GAUGE] = 2, [POINT_SPREAD] = 5,
                                    [POINT_HISTOGRAM] = 3};
    if (strcmp(m->name, p->name) == 0) {
        return;
    }
    snprintf(m->name, sizeof m->name, "%s", p->name);
    size_t about = protobuf_begin(&m->bytes, 3);
    protobuf_u64(&m->bytes, 1, is_native ? types[POINT_HISTOGRAM] : types[p->kind]);
    protobuf_text(&m->bytes, 2, span_str(p->name));
    protobuf_text(&m->bytes, 4, span_str(p->help));
    protobuf_end(&m->bytes, about);
}

void remote_message_add(struct remote_message *m, const struct point *p)
{
    bool is_native = p->quantiles != NULL && !m->is_classic;
    describe(m, p, is_native);
    if (is_native) {
        put_native(m, p);
    } else if (p->kind == POINT_SPREAD || p->kind == POINT_HISTOGRAM) {
        put_parts(m, p);
    } else {
        encode_labels(m, p, "", NULL, NULL);
        put_value(m, p->value);
    }
}

static void end_series(void *context, struct span labels)
{
    put_sample(context, labels, STALE);
}

void remote_message_turn(struct remote_message *m)
{
    remote_series_turn(&m->known, end_series, m);
}

void remote_message_begin(struct remote_message *m, int64_t time_ms)
{
    json_reset(&m->bytes);
    m->series = 0;
    m->name[0] = '\0';
    m->time_ms = time_ms;
}

void remote_message_done(struct remote_message *m)
{
    json_done(&m->bytes);
    json_done(&m->labels);
    remote_series_done(&m->known);
}
