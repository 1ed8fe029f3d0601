// SPDX-License-Identifier: Apache-2.0
/* Data points as a request of OpenTelemetry's protocol: ExportMetricsServiceRequest of
 * opentelemetry-proto 1, as bytes. Points come one after the other; those of one family that follow
 * each other are one metric, those of one scope one list of metrics. Sums are monotonic. Of a
 * distribution whose buckets are known an exponential histogram is made, with the buckets as they
 * are counted; else, or when classic ones are wanted, a summary or an explicit histogram.
 *
 * One thread; memory grows with what is written. */
#pragma once

#include "base/json.h"
#include "base/text.h"
#include "summary/point.h"

struct otlp_message {
    struct json bytes;
    const struct text_list *attributes; /* "NAME=VALUE", of the resource */
    const char *version;                /* of the scope */
    bool is_classic;
    uint32_t points;
    /* of what is open */
    size_t resource, scope, metric, data;
    char scope_name[200];
    char name[256];
    int shape;      /* enum of the .c; 0: no metric is open */
    bool is_period;
};

void otlp_message_begin(struct otlp_message *message);
void otlp_message_add(struct otlp_message *message, const struct point *point);
/* Closes what is open; then `bytes` is the request. */
void otlp_message_end(struct otlp_message *message);

/* How many points a receiver says it rejected (ExportMetricsServiceResponse.partial_success), and
 * its reason; 0 when it says nothing, or what it says is none. */
uint64_t otlp_message_rejected(struct span answer, char *why, size_t room);
