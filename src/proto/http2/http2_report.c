// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_report.h"

#include "hypertext/http_url.h"
#include "proto/http2/http2_event.h"
#include "proto/http2/http2_headers.h"

enum { NOTES_MAX = 10, HOSTS_MAX = 2 };

/* An event in the making, with the memory of what it borrows. */
struct sheet {
    struct http2_event event;
    const struct http2_options *options;
    const struct http2_stream *stream;
    const struct http2_message *request;
    const struct http2_message *response;
    uint16_t server_port;
    struct http_text to;
    struct span notes[NOTES_MAX];
    struct span hosts[HOSTS_MAX];
    struct span user;
    struct event_pair request_headers[HTTP2_HEADERS_SHOWN];
    struct event_pair response_headers[HTTP2_HEADERS_SHOWN];
    uint8_t memory[64 << 10];
};

static const char *const method_classes[HTTP2_METHOD_CLASSES] = {
    "get", "post", "head", "put", "delete", "options", "patch", "connect", "trace", "other",
};

unsigned http2_method_class(struct span method)
{
    unsigned i = 0;
    while (i < HTTP2_METHOD_CLASSES - 1 && !http_equals(method, method_classes[i])) {
        i++;
    }
    return i;
}

const char *http2_method_class_name(unsigned i)
{
    return method_classes[i];
}

/* §7 of RFC 9113 */
static const char *error_name(uint32_t error)
{
    static const char *const names[] = {
        "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT",
        "STREAM_CLOSED", "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
        "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
    };
    return error < sizeof names / sizeof *names ? names[error] : "unknown";
}

static void note_if(struct sheet *s, bool holds, const char *text)
{
    struct event_spans *notes = &s->event.transaction.notes;
    if (holds && notes->count < NOTES_MAX) {
        s->notes[notes->count++] = span_str(text);
    }
}

static void relate_host(struct sheet *s, struct span host)
{
    struct event_spans *hosts = &s->event.hosts;
    bool known = hosts->count > 0 && span_equal(s->hosts[0], host);
    if (host.size > 0 && !known && hosts->count < HOSTS_MAX) {
        s->hosts[hosts->count++] = host;
    }
}

/* ---- The URL --------------------------------------------------------------------------------- */

static void set_host(struct sheet *s)
{
    struct http2_event *e = &s->event;
    struct span authority = http2_fields_find(&s->request->fields, ":authority");
    if (authority.size == 0) {
        authority = http2_fields_find(&s->request->fields, "host");
    }
    uint16_t port = 0;
    http_authority(authority, &e->domain, &port);
    bool is_known = authority.size > 0;
    port = port != 0 ? port : s->server_port;
    e->port = is_known && port != http_usual_port(e->scheme) ? port : 0;
    if (is_known && !http_is_address(e->domain)) {
        e->transaction.destination_domain = e->domain;
        relate_host(s, e->domain);
    }
}

static void set_query(struct sheet *s, struct span method, struct span path)
{
    const uint8_t *from = s->to.at;
    http_put_span(&s->to, method);
    http_put_span(&s->to, span_str(method.size > 0 && path.size > 0 ? " " : ""));
    http_put_span(&s->to, path);
    s->event.transaction.query = http_text_since(&s->to, from);
}

static void set_url(struct sheet *s)
{
    struct http2_event *e = &s->event;
    const struct http2_fields *fields = &s->request->fields;
    struct span path = http2_fields_find(fields, ":path");
    struct http_url url = http_url_of(path, false);
    e->scheme = http2_fields_find(fields, ":scheme");
    e->transaction.method = http2_fields_find(fields, ":method");
    set_host(s);
    e->url_path = http_decode(&s->to, url.path, false);
    if (!s->stream->is_grpc) {
        e->extension = http_extension(e->url_path);
    }
    if (url.query.size > 0) {
        e->url_query =
            http_parameters(&s->to, url.query, span_str(""), &s->options->shown);
    }
    if (e->domain.size > 0 && e->scheme.size > 0) {
        e->full = http_full_url(&s->to, &(struct http_url_parts){.scheme = e->scheme,
                                                                 .host = e->domain,
                                                                 .port = e->port,
                                                                 .path = url.path,
                                                                 .query = e->url_query});
    }
    set_query(s, e->transaction.method, e->url_path);
}

/* ---- Messages -------------------------------------------------------------------------------- */

static struct span first_of_list(struct span value)
{
    const uint8_t *comma = value.size > 0 ? memchr(value.data, ',', value.size) : NULL;
    size_t size = comma != NULL ? (size_t)(comma - value.data) : value.size;
    while (size > 0 && value.data[size - 1] == ' ') {
        size--;
    }
    return span_head(value, size);
}

/* What headers say that has a field of its own. */
static void set_people(struct sheet *s)
{
    struct http2_event *e = &s->event;
    const struct http_shown *shown = &s->options->shown;
    const struct http2_fields *fields = &s->request->fields;
    struct span name = span_str("authorization");
    if (http_is_sent(name, shown) && http_redaction(name, shown) == NULL) {
        s->user = http_user_of(http2_fields_find(fields, "authorization"), &s->to);
    }
    e->transaction.user_name = s->user;
    e->users = (struct event_spans){.count = s->user.size > 0, .items = &s->user};
    e->user_agent = http2_fields_find(fields, "user-agent");
    struct span referrer = http2_fields_find(fields, "referer");
    if (referrer.size > 0) {
        e->referrer = http_hide_in_url(&s->to, referrer, shown);
        relate_host(s, http_url_of(referrer, false).host);
    }
    if (s->options->real_ip_header[0] != '\0') {
        const uint8_t *from = s->to.at;
        struct span lower = http_put_lower(&s->to, span_str(s->options->real_ip_header));
        http_put(&s->to, '\0');
        bool fits = s->to.at > from && s->to.at[-1] == '\0';
        e->forwarded_ip = first_of_list(
            fits ? http2_fields_find(fields, (const char *)lower.data) : span_str(""));
    }
}

static void set_request(struct sheet *s)
{
    struct http2_event *e = &s->event;
    struct transaction *t = &e->transaction;
    t->start_ns = s->request->start_ns;
    t->request_ns = s->request->end_ns;
    t->source_bytes = s->stream->is_pushed ? 0 : s->request->bytes;
    e->request_body_bytes = s->request->body_bytes;
    set_url(s);
    set_people(s);
    e->request_headers = (struct event_pairs){
        .count = http2_headers_shown(s->request, s->options, &s->to, s->request_headers),
        .items = s->request_headers,
    };
    if (s->options->settings.send_request) {
        t->request = http2_headers_text(s->request, s->options, &s->to);
    }
    note_if(s, s->request->is_lost, "Packet loss while capturing the request");
}

static void set_response(struct sheet *s)
{
    struct http2_event *e = &s->event;
    struct transaction *t = &e->transaction;
    t->response_ns = s->response->start_ns;
    t->end_ns = s->response->end_ns;
    t->destination_bytes = s->response->bytes;
    e->response_body_bytes = s->response->body_bytes;
    e->status_code = s->stream->status;
    e->response_headers = (struct event_pairs){
        .count = http2_headers_shown(s->response, s->options, &s->to, s->response_headers),
        .items = s->response_headers,
    };
    if (s->options->settings.send_response) {
        t->response = http2_headers_text(s->response, s->options, &s->to);
    }
    note_if(s, s->response->is_lost, "Packet loss while capturing the response");
}

/* ---- gRPC ------------------------------------------------------------------------------------ */

/* The status of the trailers, or of a response that has no body (the protocol's Trailers-Only). */
static struct event_optional grpc_status(const struct http2_stream *stream)
{
    struct event_optional code = {0};
    struct span text = http2_fields_last(&stream->message[HTTP2_RESPONSE].fields, "grpc-status");
    code.present = stream->is_grpc && text.size > 0 && text.size <= 4;
    for (size_t i = 0; i < text.size && code.present; i++) {
        code.present = text.data[i] >= '0' && text.data[i] <= '9';
        code.value = code.value * 10 + (uint64_t)(text.data[i] - '0');
    }
    return code.present ? code : (struct event_optional){0};
}

static struct event_optional messages_of(const struct http2_message *m)
{
    return (struct event_optional){.value = m->grpc.messages,
                                   .present = m->start_ns != 0 && !m->grpc.is_lost};
}

static void set_grpc(struct sheet *s)
{
    struct http2_event *e = &s->event;
    struct span path = http2_fields_find(&s->request->fields, ":path");
    const uint8_t *slash = path.size > 0 ? memrchr(path.data, '/', path.size) : NULL;
    if (slash != NULL && slash > path.data) {
        e->grpc_service = span_of(path.data + 1, (size_t)(slash - path.data) - 1);
        e->grpc_method = span_skip(path, (size_t)(slash + 1 - path.data));
        e->transaction.action = span_skip(path, 1);
    }
    e->grpc_code = grpc_status(s->stream);
    if (e->grpc_code.present) {
        e->grpc_status = http2_grpc_status_name((uint32_t)e->grpc_code.value);
    }
    struct span said = http2_fields_last(&s->response->fields, "grpc-message");
    if (said.size > 0) {
        e->grpc_message = http_decode(&s->to, said, false);
    }
    e->grpc_requests = messages_of(s->request);
    e->grpc_responses = messages_of(s->response);
}

/* ---- Events ---------------------------------------------------------------------------------- */

static void set_end(struct sheet *s, const char *reason)
{
    const struct http2_stream *stream = s->stream;
    bool has_request = s->request->start_ns != 0, has_response = s->response->start_ns != 0;
    struct transaction *t = &s->event.transaction;
    s->event.is_partial = s->request->is_partial || s->response->is_partial;
    s->event.error = stream->is_reset ? error_name(stream->error) : NULL;
    if (!has_request) {
        t->start_ns = s->response->start_ns;
        note_if(s, stream->is_upgrade, "The request was HTTP/1.1's, with Upgrade: h2c");
        note_if(s, !stream->is_upgrade, "Unmatched response");
    }
    note_if(s, stream->is_reset, "Stream reset");
    note_if(s, stream->is_refused, "Not looked at by the server: GOAWAY");
    if (!has_response) {
        t->reason = reason;
        note_if(s, reason != NULL && strcmp(reason, "gap") == 0,
                "Packet loss while capturing the response");
        note_if(s, true, "Unmatched request");
    } else {
        note_if(s, !s->response->is_over && !stream->is_reset, "Response not complete");
    }
}

/* Whether it went wrong, as far as was seen: a response that goes on when the capture ends has not. */
static bool is_error(const struct http2_stream *stream, const char *reason)
{
    const struct http2_message *request = &stream->message[HTTP2_REQUEST];
    const struct http2_message *response = &stream->message[HTTP2_RESPONSE];
    struct event_optional code = grpc_status(stream);
    bool is_alone = (request->start_ns == 0 && !stream->is_upgrade) || response->start_ns == 0;
    bool goes_on = reason != NULL && strcmp(reason, "timeout") == 0;
    bool is_cut = !response->is_over && !goes_on;
    return is_alone || is_cut || stream->status >= 400 || (code.present && code.value != 0);
}

static void count(struct http2_stats *stats, const struct http2_stream *stream, bool failed)
{
    const struct http2_message *request = &stream->message[HTTP2_REQUEST];
    const struct http2_message *response = &stream->message[HTTP2_RESPONSE];
    struct event_optional code = grpc_status(stream);
    stats->transactions += request->start_ns != 0 && response->start_ns != 0;
    stats->errors += failed;
    stats->unmatched_requests += response->start_ns == 0;
    stats->unmatched_responses += request->start_ns == 0 && !stream->is_upgrade;
    stats->request_bytes += stream->is_pushed ? 0 : request->bytes;
    stats->response_bytes += response->bytes;
    if (stream->is_grpc) {
        stats->grpc_calls++;
        stats->grpc_errors += code.present && code.value != 0;
        stats->grpc_messages += request->grpc.messages + response->grpc.messages;
    }
}

void http2_report(struct proto_context *c, const struct http2_stream *stream, unsigned client,
                  const char *reason)
{
    const struct http2_options *options = http2_options_of(c->settings);
    bool failed = is_error(stream, reason);
    count(c->block, stream, failed);
    bool is_wanted = stream->message[HTTP2_REQUEST].start_ns != 0 || stream->is_upgrade ||
                     options->settings.report_unmatched;
    if (c->events->capacity == 0 || !is_wanted) {
        return;
    }
    struct sheet s; /* large, so that only what is read is set */
    s.event = (struct http2_event){.transaction.head.type = &http2_event_type, .version = "2",
                                   .stream = stream->id, .is_pushed = stream->is_pushed};
    struct transaction *t = &s.event.transaction;
    t->status = failed ? TRANSACTION_ERROR : TRANSACTION_OK;
    t->request_side = (uint8_t)client;
    t->notes.items = s.notes;
    s.event.hosts.items = s.hosts;
    s.user = span_of(NULL, 0);
    s.options = options;
    s.stream = stream;
    s.request = &stream->message[HTTP2_REQUEST];
    s.response = &stream->message[HTTP2_RESPONSE];
    s.server_port = c->flow->key.port[c->flow->initiator ^ client ^ 1U];
    s.to = (struct http_text){s.memory, s.memory + sizeof s.memory};
    if (s.request->start_ns != 0) {
        set_request(&s);
    }
    if (s.response->start_ns != 0) {
        set_response(&s);
    }
    if (stream->is_grpc) {
        set_grpc(&s);
    }
    set_end(&s, reason);
    (void)event_log_add(c->events, &t->head);
}
