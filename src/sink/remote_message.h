// SPDX-License-Identifier: Apache-2.0
/* Data points as a request of Prometheus remote write 1.0: prometheus.WriteRequest (prompb), as
 * bytes that are yet to be packed. Labels are sorted, none is empty; every sample has the time of the
 * snapshot. Of a distribution whose buckets are known a native histogram is made, if the receiver
 * takes them; else what /metrics has. Series that have ended get the marker of staleness.
 *
 * One thread; memory grows with what is written. */
#pragma once

#include "base/json.h"
#include "base/text.h"
#include "sink/remote_series.h"
#include "summary/point.h"

struct remote_message {
    struct json bytes;
    struct json labels; /* of a series, encoded */
    const struct text_list *attributes; /* "NAME=VALUE", labels of all series */
    bool is_classic;
    int64_t time_ms;
    uint32_t series; /* in it */
    struct remote_series known;
    char name[256]; /* the family whose description was written last */
};

void remote_message_done(struct remote_message *message);
void remote_message_begin(struct remote_message *message, int64_t time_ms);
void remote_message_add(struct remote_message *message, const struct point *point);
/* The snapshot is whole: what was there at the last one, and was not now, is over. */
void remote_message_turn(struct remote_message *message);
