// SPDX-License-Identifier: Apache-2.0
/* What an event of HTTP/2 holds beyond what every transaction does: the words of HTTP/1, and what streams
 * and gRPC add. A plain value that borrows its texts until it is logged. */
#pragma once

#include "event/transaction.h"

struct http2_event {
    struct transaction transaction;
    uint64_t request_body_bytes;
    uint64_t response_body_bytes;
    struct event_pairs request_headers;
    struct event_pairs response_headers;
    struct span referrer;
    struct span forwarded_ip;
    struct event_spans hosts;
    struct event_spans users;
    struct span domain;
    struct span extension;
    struct span full;
    struct span url_path;
    struct span url_query;
    struct span scheme;
    struct span user_agent;
    struct span grpc_service;
    struct span grpc_method;
    struct span grpc_message;
    struct event_optional grpc_code;
    struct event_optional grpc_requests;
    struct event_optional grpc_responses;
    const char *grpc_status;
    const char *version;
    const char *error;
    uint32_t stream;
    bool is_pushed;
    bool is_partial;
    uint16_t status_code;
    uint16_t port;
};

extern const struct event_type http2_event_type;
