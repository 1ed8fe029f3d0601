// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http_event.h"

#define FIELD(name_, kind_, member, flags_, help_)                                                 \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct http_event, member),               \
        .flags = flags_, .help = help_                                                             \
    }

static const struct event_field http_fields[] = {
    FIELD("http.request.body.bytes", EVENT_U64, request_body_bytes, 0,
          "bytes of the request's body, as it was sent, chunk sizes apart"),
    FIELD("http.request.body.content", EVENT_SPAN, request_body, 0,
          "the body, where its type was asked for"),
    FIELD("http.request.bytes", EVENT_U64, transaction.source_bytes, 0, "bytes of the request"),
    FIELD("http.request.headers", EVENT_PAIRS, request_headers, 0,
          "length and type of the body; other headers where they were asked for"),
    FIELD("http.request.method", EVENT_SPAN, transaction.method, EVENT_COPY, "as it was sent"),
    FIELD("http.request.referrer", EVENT_SPAN, referrer, 0, "whence the client came"),
    FIELD("http.response.body.bytes", EVENT_U64, response_body_bytes, 0,
          "bytes of the response's body, as it was sent, chunk sizes apart"),
    FIELD("http.response.body.content", EVENT_SPAN, response_body, 0,
          "the body, where its type was asked for"),
    FIELD("http.response.bytes", EVENT_U64, transaction.destination_bytes, 0,
          "bytes of the response"),
    FIELD("http.response.headers", EVENT_PAIRS, response_headers, 0,
          "length and type of the body; other headers where they were asked for"),
    FIELD("http.response.status_code", EVENT_U16, status_code, 0, "100 to 999"),
    FIELD("http.response.status_phrase", EVENT_SPAN, status_phrase, 0, "in lower case"),
    FIELD("http.version", EVENT_INLINE, version, 0, "1.0 or 1.1"),
    FIELD("network.forwarded_ip", EVENT_SPAN, forwarded_ip, 0,
          "the client that a proxy named in the header chosen for it"),
    FIELD("related.hosts", EVENT_SPANS, hosts, 0, "names of hosts in it"),
    FIELD("related.user", EVENT_SPANS, users, 0, "names of users in it"),
    FIELD("url.domain", EVENT_SPAN, domain, 0, "the host that was asked for"),
    FIELD("url.extension", EVENT_SPAN, extension, 0, "of the last part of the path"),
    FIELD("url.full", EVENT_SPAN, full, 0, "the parts together, secrets hidden"),
    FIELD("url.path", EVENT_SPAN, url_path, 0, "decoded"),
    FIELD("url.port", EVENT_U16, port, 0, "where it is not the scheme's"),
    FIELD("url.query", EVENT_SPAN, url_query, 0,
          "parameters of the target and of a form, sorted, secrets hidden"),
    FIELD("url.scheme", EVENT_TEXT, scheme, 0, "http, or https within TLS"),
    FIELD("user_agent.original", EVENT_SPAN, user_agent, 0, "as it was sent"),
    {0},
};

const struct event_type http_event_type = {
    .dataset = "http",
    .help = "A request and its response",
    .size = sizeof(struct http_event),
    .fields = http_fields,
    .common = transaction_fields,
};
