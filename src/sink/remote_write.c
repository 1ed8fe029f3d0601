// SPDX-License-Identifier: Apache-2.0
/* Metrics to a receiver of Prometheus remote write 1.0 (Prometheus itself, Mimir, Thanos,
 * VictoriaMetrics ...): protobuf, packed by Snappy. Every interval a request or several, which a
 * thread of the pusher's own sends in their order (push.h). When the agent ends its series end, too. */
#include <stdlib.h>

#include "base/snappy_pack.h"
#include "sink/push.h"
#include "sink/remote_message.h"

enum { SERIES_A_REQUEST = 2000, MILLISECOND = 1000000 };

struct sink {
    const struct sink_push *options;
    struct push *push;
    struct remote_message message;
    struct json packed;
};

/* Remote write 1.0, "Retries & Backoff": of the 4xx only "too many requests" is asked again. */
static bool may_retry(long status)
{
    return status == 429 || status >= 500;
}

static void send_message(struct sink *sink)
{
    struct remote_message *m = &sink->message;
    json_reset(&sink->packed);
    char *to = json_reserve(&sink->packed, snappy_pack_bound(m->bytes.size));
    if (m->series > 0 && !m->bytes.failed && to != NULL) {
        sink->packed.size = snappy_pack(span_of(m->bytes.data, m->bytes.size), (uint8_t *)to);
        push_put(sink->push, span_of(sink->packed.data, sink->packed.size), m->series);
    }
    remote_message_begin(m, m->time_ms);
}

static void take_point(void *context, const struct point *point)
{
    struct sink *sink = context;
    remote_message_add(&sink->message, point);
    if (sink->message.series >= SERIES_A_REQUEST) {
        send_message(sink);
    }
}

static void remote_snapshot(struct sink *sink, const struct sink_snapshot *snapshot)
{
    remote_message_begin(&sink->message, (int64_t)(snapshot->time_ns / MILLISECOND));
    snapshot->walk(snapshot, take_point, sink);
    remote_message_turn(&sink->message);
    send_message(sink);
    if (snapshot->is_last) { /* nothing is noted any more: all end, a moment later */
        remote_message_begin(&sink->message, sink->message.time_ms + 1);
        remote_message_turn(&sink->message);
        send_message(sink);
    }
}

static void remote_free(struct sink *sink)
{
    push_free(sink->push);
    remote_message_done(&sink->message);
    json_done(&sink->packed);
    free(sink);
}

static struct sink *remote_open(const struct sink_options *options, struct err *err)
{
    struct sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL) {
        err_set(err, ERR_FAILED, "no memory for the output remote_write");
        return NULL;
    }
    sink->options = options->push;
    sink->message.attributes = &options->push->attributes;
    sink->message.is_classic = strcmp(options->push->histograms, "exponential") != 0;
    struct push_options push = {
        .output = "remote_write",
        .push = options->push,
        .cluster = options->cluster,
        .content_type = "application/x-protobuf",
        .encoding = "snappy",
        .header = "X-Prometheus-Remote-Write-Version: 0.1.0",
        .may_retry = may_retry,
    };
    sink->push = push_new(&push, err);
    if (sink->push == NULL) {
        remote_free(sink);
        return NULL;
    }
    return sink;
}

static void remote_status(const struct sink *sink, struct sink_status *ret)
{
    push_status(sink->push, ret);
}

const struct sink_kind sink_remote_write = {
    .name = "remote_write",
    .help = "metrics, pushed to a receiver of Prometheus remote write",
    .open = remote_open,
    .snapshot = remote_snapshot,
    .status = remote_status,
    .close = remote_free,
};
