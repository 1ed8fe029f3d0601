// SPDX-License-Identifier: Apache-2.0
/* gRPC over HTTP/2: the messages within a body, each with a prefix of five bytes (a flag, a length), and
 * what the numbers of a status are called. Pure; messages are counted, not read. */
#pragma once

#include "base/span.h"

struct http2_grpc {
    uint64_t messages;  /* that have begun */
    uint32_t remaining; /* of the one at hand */
    uint8_t prefix[5];
    uint8_t have;       /* bytes of the prefix */
    bool is_lost;       /* bytes are missing: from then on none is counted */
};

/* Bytes of a body, in order. */
void http2_grpc_take(struct http2_grpc *grpc, struct span data);

/* Whether a Content-Type is gRPC's. */
bool http2_grpc_is_type(struct span type);

/* What a grpc-status is called; NULL: unknown. */
const char *http2_grpc_status_name(uint32_t status);
