// SPDX-License-Identifier: Apache-2.0
/* Metrics to a receiver of OpenTelemetry's protocol over HTTP (OTLP 1, /v1/metrics), as protobuf.
 * Every interval a request or several, which a thread of the pusher's own sends (push.h). */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "sink/otlp_message.h"
#include "sink/push.h"

enum { BODY_BYTES = 2 << 20, GZIP_BITS = 15 + 16, GZIP_LEVEL = 1 };

struct sink {
    const struct sink_push *options;
    struct push *push;
    struct otlp_message message;
    struct json packed;
    const struct sink_snapshot *snapshot; /* under way */
};

/* Which answers mean "again, later": OTLP 1, "Retryable Response Codes". */
static bool may_retry(long status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* The body as gzip. */
static bool pack(struct json *to, struct span body)
{
    z_stream z = {0};
    json_reset(to);
    if (deflateInit2(&z, GZIP_LEVEL, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    size_t room = deflateBound(&z, (uLong)body.size);
    char *out = json_reserve(to, room);
    bool done = false;
    if (out != NULL) {
        z.next_in = (uint8_t *)(uintptr_t)body.data;
        z.avail_in = (unsigned)body.size;
        z.next_out = (uint8_t *)out;
        z.avail_out = (unsigned)room;
        done = deflate(&z, Z_FINISH) == Z_STREAM_END;
        to->size = done ? room - z.avail_out : 0;
    }
    deflateEnd(&z);
    return done;
}

static void send_message(struct sink *sink)
{
    struct otlp_message *m = &sink->message;
    otlp_message_end(m);
    struct span body = span_of(m->bytes.data, m->bytes.size);
    if (m->points > 0 && !m->bytes.failed &&
        (!sink->options->compresses || pack(&sink->packed, body))) {
        push_put(sink->push,
                 sink->options->compresses ? span_of(sink->packed.data, sink->packed.size) : body,
                 m->points);
    }
}

/* A request grows up to some size; collectors have bounds, too. */
static void take_point(void *context, const struct point *point)
{
    struct sink *sink = context;
    if (point->is_period && !sink->snapshot->is_minute) {
        return; /* said already */
    }
    if (sink->message.bytes.size > BODY_BYTES) {
        send_message(sink);
        otlp_message_begin(&sink->message);
    }
    otlp_message_add(&sink->message, point);
}

static void otlp_snapshot(struct sink *sink, const struct sink_snapshot *snapshot)
{
    sink->snapshot = snapshot;
    otlp_message_begin(&sink->message);
    snapshot->walk(snapshot, take_point, sink);
    send_message(sink);
    sink->snapshot = NULL;
}

static void otlp_free(struct sink *sink)
{
    push_free(sink->push);
    json_done(&sink->message.bytes);
    json_done(&sink->packed);
    free(sink);
}

static struct sink *otlp_open(const struct sink_options *options, struct err *err)
{
    struct sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL) {
        err_set(err, ERR_FAILED, "no memory for the output otlp");
        return NULL;
    }
    sink->options = options->push;
    sink->message = (struct otlp_message){
        .attributes = &options->push->attributes,
        .version = VANTAGE_VERSION,
        .is_classic = strcmp(options->push->histograms, "classic") == 0,
    };
    json_init(&sink->message.bytes);
    json_init(&sink->packed);
    struct push_options push = {
        .output = "otlp",
        .push = options->push,
        .cluster = options->cluster,
        .content_type = "application/x-protobuf",
        .encoding = options->push->compresses ? "gzip" : NULL,
        .may_retry = may_retry,
        .read_answer = otlp_message_rejected,
    };
    sink->push = push_new(&push, err);
    if (sink->push == NULL) {
        otlp_free(sink);
        return NULL;
    }
    return sink;
}

static void otlp_status(const struct sink *sink, struct sink_status *ret)
{
    push_status(sink->push, ret);
}

const struct sink_kind sink_otlp = {
    .name = "otlp",
    .help = "metrics, pushed to a receiver of OpenTelemetry's protocol",
    .open = otlp_open,
    .snapshot = otlp_snapshot,
    .status = otlp_status,
    .close = otlp_free,
};
