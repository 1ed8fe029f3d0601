// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_grpc.h"

#include "base/cursor.h"

enum { TRAILERS = 0x80 /* gRPC-Web: trailers, as a message of the body */ };

void http2_grpc_take(struct http2_grpc *grpc, struct span data)
{
    while (data.size > 0 && !grpc->is_lost) {
        if (grpc->remaining > 0) {
            uint32_t size = data.size < grpc->remaining ? (uint32_t)data.size : grpc->remaining;
            grpc->remaining -= size;
            data = span_skip(data, size);
            continue;
        }
        grpc->prefix[grpc->have++] = *data.data;
        data = span_skip(data, 1);
        if (grpc->have == sizeof grpc->prefix) {
            grpc->have = 0;
            grpc->messages += !(grpc->prefix[0] & TRAILERS);
            grpc->remaining = load_be32(grpc->prefix + 1);
        }
    }
}

bool http2_grpc_is_type(struct span type)
{
    struct span begin = span_str("application/grpc");
    if (!span_equal(span_head(type, begin.size), begin)) {
        return false;
    }
    return type.size == begin.size || memchr("+;-", type.data[begin.size], 3) != NULL;
}

const char *http2_grpc_status_name(uint32_t status)
{
    static const char *const names[] = {
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
        "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
        "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    };
    return status < sizeof names / sizeof *names ? names[status] : NULL;
}
