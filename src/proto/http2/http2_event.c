// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_event.h"

#define FIELD(name_, kind_, member, flags_, help_)                                                 \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct http2_event, member),              \
        .flags = flags_, .help = help_                                                             \
    }

static const struct event_field http2_fields_shown[] = {
    FIELD("grpc.message", EVENT_SPAN, grpc_message, 0, "why a call failed, in the server's words"),
    FIELD("grpc.method", EVENT_SPAN, grpc_method, 0, "what was called"),
    FIELD("grpc.request.messages", EVENT_OPTIONAL, grpc_requests, 0, "messages of the client"),
    FIELD("grpc.response.messages", EVENT_OPTIONAL, grpc_responses, 0, "messages of the server"),
    FIELD("grpc.service", EVENT_SPAN, grpc_service, 0, "of which service, with its package"),
    FIELD("grpc.status", EVENT_TEXT, grpc_status, 0, "OK, NOT_FOUND ..."),
    FIELD("grpc.status_code", EVENT_OPTIONAL, grpc_code, 0, "the same as a number"),
    FIELD("http.request.body.bytes", EVENT_U64, request_body_bytes, 0,
          "bytes of the request's body, as it was sent, padding apart"),
    FIELD("http.request.bytes", EVENT_U64, transaction.source_bytes, 0,
          "bytes of the request's frames, headers packed"),
    FIELD("http.request.headers", EVENT_PAIRS, request_headers, 0,
          "length and type of the body; other headers where they were asked for"),
    FIELD("http.request.method", EVENT_SPAN, transaction.method, EVENT_COPY, "as it was sent"),
    FIELD("http.request.referrer", EVENT_SPAN, referrer, 0, "whence the client came"),
    FIELD("http.response.body.bytes", EVENT_U64, response_body_bytes, 0,
          "bytes of the response's body, as it was sent, padding apart"),
    FIELD("http.response.bytes", EVENT_U64, transaction.destination_bytes, 0,
          "bytes of the response's frames, headers packed"),
    FIELD("http.response.headers", EVENT_PAIRS, response_headers, 0,
          "length and type of the body; other headers where they were asked for"),
    FIELD("http.response.status_code", EVENT_U16, status_code, 0, "100 to 999"),
    FIELD("http.version", EVENT_TEXT, version, 0, "2"),
    FIELD("http2.error", EVENT_TEXT, error, 0, "why the stream was reset"),
    FIELD("http2.headers_incomplete", EVENT_BOOL, is_partial, 0,
          "headers are missing that were sent before the capture began, or that it lost"),
    FIELD("http2.pushed", EVENT_BOOL, is_pushed, 0, "the server sent it unasked"),
    FIELD("http2.stream_id", EVENT_U32, stream, 0, "of the connection"),
    FIELD("network.forwarded_ip", EVENT_SPAN, forwarded_ip, 0,
          "the client that a proxy named in the header chosen for it"),
    FIELD("related.hosts", EVENT_SPANS, hosts, 0, "names of hosts in it"),
    FIELD("related.user", EVENT_SPANS, users, 0, "names of users in it"),
    FIELD("url.domain", EVENT_SPAN, domain, 0, "the host that was asked for"),
    FIELD("url.extension", EVENT_SPAN, extension, 0, "of the last part of the path"),
    FIELD("url.full", EVENT_SPAN, full, 0, "the parts together, secrets hidden"),
    FIELD("url.path", EVENT_SPAN, url_path, 0, "decoded"),
    FIELD("url.port", EVENT_U16, port, 0, "where it is not the scheme's"),
    FIELD("url.query", EVENT_SPAN, url_query, 0, "parameters, sorted, secrets hidden"),
    FIELD("url.scheme", EVENT_SPAN, scheme, 0, "http or https"),
    FIELD("user_agent.original", EVENT_SPAN, user_agent, 0, "as it was sent"),
    {0},
};

const struct event_type http2_event_type = {
    .dataset = "http",
    .help = "A request and its response on a stream of HTTP/2",
    .size = sizeof(struct http2_event),
    .fields = http2_fields_shown,
    .common = transaction_fields,
};
