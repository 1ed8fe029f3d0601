// SPDX-License-Identifier: Apache-2.0
/* What an event of HTTP holds beyond what every transaction does, in Packetbeat's words. A plain value
 * that borrows its texts until it is logged. */
#pragma once

#include "event/transaction.h"

struct http_event {
    struct transaction transaction;
    uint64_t request_body_bytes;
    uint64_t response_body_bytes;
    struct span request_body;
    struct span response_body;
    struct event_pairs request_headers;
    struct event_pairs response_headers;
    struct span referrer;
    struct span status_phrase;
    struct span forwarded_ip;
    struct event_spans hosts;
    struct event_spans users;
    struct span domain;
    struct span extension;
    struct span full;
    struct span url_path;
    struct span url_query;
    struct span user_agent;
    const char *scheme;
    char version[4];
    uint16_t status_code;
    uint16_t port;
};

extern const struct event_type http_event_type;
