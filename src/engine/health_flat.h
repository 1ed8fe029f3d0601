// SPDX-License-Identifier: Apache-2.0
/* One TCP connection as one flat record of plain columns, for stacks that take rows as they are:
 * start_timestamp, end_timestamp, client_country, server_zone, blackholed, bufferbloat,
 * non_idle_throughput_mbps and what goes with them. A verdict that the vantage point cannot give is
 * absent, not false. */
#pragma once

#include "engine/health_event.h"

struct health_flat {
    struct event_head head;
    uint64_t start_timestamp;
    uint64_t end_timestamp;
    struct event_address client_ip;
    struct event_address server_ip;
    uint32_t client_port;
    uint32_t server_port;
    char client_country[PLACES_COUNTRY];
    struct span client_as_name;
    uint32_t client_as_number;
    const char *server_zone;
    uint64_t bytes_from_client;
    uint64_t bytes_from_server;
    uint8_t verdicts[HEALTH_VERDICTS]; /* enum health_truth */
    double non_idle_throughput_mbps;
    double rtt_ms;
    double rtt_p95_ms;
    double min_rtt_ms;
    double loss_percent;
    double time_to_first_byte_ms;
    struct span flow_id;
    struct span community_id;
    uint8_t established;
    bool final;
};

extern const struct event_type health_flat_type;

/* Makes the row of a finished event, which it borrows from. */
void health_flat_of(struct health_flat *ret, const struct health_event *event);
