// SPDX-License-Identifier: Apache-2.0
/* A request with its response, counted and as an event. */
#pragma once

#include "event/transaction.h"
#include "proto/kafka/kafka_flow.h"

struct kafka_event {
    struct transaction transaction;
    const char *api;
    const char *compression;
    const char *error;
    const char *acks;
    struct span client;
    struct span group;
    struct event_spans topics;
    struct event_optional key;
    struct event_optional version;
    struct event_optional records;
    struct event_optional batches;
    struct event_optional records_bytes;
    int64_t error_code;
    uint32_t correlation;
    uint32_t partitions;
};

extern const struct event_type kafka_event_type;

/* Either may be NULL; `reason`: why there is no response. */
void kafka_report(struct proto_context *c, const struct kafka_request *request,
                  const struct kafka_response *response, unsigned client, const char *reason);
