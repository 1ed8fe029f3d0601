// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http_report.h"

#include "proto/http/http_body.h"
#include "proto/http/http_headers.h"
#include "proto/http/http_raw.h"
#include "hypertext/http_url.h"

enum { NOTES_MAX = 8, HOSTS_MAX = 2 };

/* An event in the making, with the memory of what it borrows. */
struct sheet {
    struct http_event event;
    const struct http_options *options;
    const struct flow *flow;
    bool is_sealed; /* said within TLS */
    bool is_short;  /* memory was, for something of it */
    struct http_text to;
    struct span notes[NOTES_MAX];
    struct span hosts[HOSTS_MAX];
    struct span user;
    struct http_body bodies[2]; /* of request and response */
    struct http_raw raws[2];
    struct event_pair request_headers[HTTP_HEADERS_MAX];
    struct event_pair response_headers[HTTP_HEADERS_MAX];
    uint8_t memory[48 << 10];
};

static void note(struct sheet *s, const char *text)
{
    struct event_spans *notes = &s->event.transaction.notes;
    if (notes->count < NOTES_MAX) {
        s->notes[notes->count++] = span_str(text);
    }
}

static void note_if(struct sheet *s, bool holds, const char *text)
{
    if (holds) {
        note(s, text);
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

/* ---- The URL -------------------------------------------------------------------------------- */

static void set_host(struct sheet *s, const struct http_message *m, const struct http_url *url)
{
    struct http_event *e = &s->event;
    uint16_t port = url->port;
    struct span host = url->host;
    if (m->head.host.size > 0) {
        http_authority(http_text_of(m, m->head.host), &host, &port);
    }
    unsigned responder = s->flow->initiator ^ (m->side ^ 1U);
    uint16_t seen = s->flow->key.port[responder];
    if (port != 0 && port != seen) {
        note(s, "Host header port number mismatch");
    }
    port = port != 0 ? port : seen;
    e->domain = host;
    e->port = port != http_usual_port(span_str(e->scheme)) ? port : 0;
    if (!http_is_address(host)) {
        e->transaction.destination_domain = host;
        relate_host(s, host);
    }
}

static void set_url(struct sheet *s, const struct http_message *m)
{
    struct http_event *e = &s->event;
    struct span method = http_text_of(m, m->head.method);
    struct span target = http_text_of(m, m->head.target);
    bool is_connect = span_equal(method, span_str("CONNECT"));
    struct http_url url = http_url_of(target, is_connect);
    bool has_form = m->body != NULL &&
                    http_contains(http_text_of(m, m->head.content_type), "urlencoded");
    struct span form = span_of(m->body, has_form ? m->body_kept : 0);
    e->scheme = s->is_sealed ? "https" : "http";
    set_host(s, m, &url);
    e->url_path = http_decode(&s->to, url.path, false);
    e->extension = http_extension(e->url_path);
    if (url.query.size > 0 || form.size > 0) {
        e->url_query = http_parameters(&s->to, url.query, form, &s->options->shown);
    }
    if (e->domain.size > 0) {
        e->full = http_full_url(&s->to, &(struct http_url_parts){.scheme = span_str(e->scheme),
                                                                 .host = e->domain,
                                                                 .port = e->port,
                                                                 .path = url.path,
                                                                 .query = e->url_query});
    }
    const uint8_t *from = s->to.at;
    http_put_span(&s->to, method);
    http_put(&s->to, ' ');
    http_put_span(&s->to, is_connect ? target : e->url_path);
    e->transaction.method = method;
    e->transaction.query = http_text_since(&s->to, from);
}

/* ---- Messages ------------------------------------------------------------------------------- */

static void set_version(struct http_event *e, const struct http_message *m)
{
    e->version[0] = '1';
    e->version[1] = '.';
    e->version[2] = (char)('0' + m->head.minor);
}

static void set_referrer(struct sheet *s, const struct http_message *m)
{
    struct span referrer = http_text_of(m, m->head.referrer);
    if (referrer.size > 0) {
        s->event.referrer = http_hide_in_url(&s->to, referrer, &s->options->shown);
        relate_host(s, http_url_of(referrer, false).host);
    }
}

/* What headers say that has a field of its own. */
static void set_people(struct sheet *s, const struct http_message *m)
{
    struct http_event *e = &s->event;
    s->user = http_basic_user(m, s->options, &s->to);
    e->transaction.user_name = s->user;
    e->users = (struct event_spans){.count = s->user.size > 0, .items = &s->user};
    e->user_agent = http_text_of(m, m->head.user_agent);
    if (s->options->real_ip_header[0] != '\0') { /* the first of a list is the client */
        struct span value = http_header(m, s->options->real_ip_header);
        const uint8_t *comma = value.size > 0 ? memchr(value.data, ',', value.size) : NULL;
        size_t size = comma != NULL ? (size_t)(comma - value.data) : value.size;
        while (size > 0 && value.data[size - 1] == ' ') {
            size--;
        }
        e->forwarded_ip = span_head(value, size);
    }
}

static void set_request(struct sheet *s, const struct http_message *m)
{
    struct http_event *e = &s->event;
    struct transaction *t = &e->transaction;
    t->start_ns = m->start_ns;
    t->request_ns = m->end_ns;
    t->source_bytes = m->bytes;
    t->request_side = m->side;
    e->request_body_bytes = m->body_bytes;
    set_version(e, m);
    set_url(s, m);
    set_referrer(s, m);
    set_people(s, m);
    e->request_headers = (struct event_pairs){
        .count = http_headers_shown(m, s->options, &s->to, s->request_headers),
        .items = s->request_headers,
    };
    if (m->lost) {
        note(s, "Packet loss while capturing the request");
    }
    note_if(s, m->is_cut && !m->is_short, "Request cut at max_message_size");
    note_if(s, m->is_short, "Request cut for want of memory");
    s->is_short = s->is_short || m->is_short;
}

static void set_response(struct sheet *s, const struct http_message *m)
{
    struct http_event *e = &s->event;
    struct transaction *t = &e->transaction;
    t->response_ns = m->start_ns;
    t->end_ns = m->end_ns;
    t->destination_bytes = m->bytes;
    e->response_body_bytes = m->body_bytes;
    e->status_code = m->head.status;
    e->status_phrase = http_put_lower(&s->to, http_text_of(m, m->head.phrase));
    e->response_headers = (struct event_pairs){
        .count = http_headers_shown(m, s->options, &s->to, s->response_headers),
        .items = s->response_headers,
    };
    if (m->lost) {
        note(s, "Packet loss while capturing the response");
    }
    note_if(s, m->is_cut && !m->is_short, "Response cut at max_message_size");
    note_if(s, m->is_short, "Response cut for want of memory");
    s->is_short = s->is_short || m->is_short;
}

/* That a body was not unpacked to its end, where it was not cut before. */
static void note_cut(struct sheet *s, const struct http_message *m, const struct http_body *body)
{
    static const char *const cuts[2][HTTP_BODY_SHORT + 1] = {
        {NULL, "Request cut at max_message_size", "Request cut: it is packed too densely",
         "Request cut for want of memory"},
        {NULL, "Response cut at max_message_size", "Response cut: it is packed too densely",
         "Response cut for want of memory"},
    };
    note_if(s, body->cut != HTTP_BODY_WHOLE && !m->is_cut, cuts[m->head.status != 0][body->cut]);
    s->is_short = s->is_short || body->cut == HTTP_BODY_SHORT;
}

static void set_bodies(struct sheet *s, const struct http_message *request,
                       const struct http_message *response)
{
    if (request != NULL && http_body_is_wanted(request, s->options)) {
        s->event.request_body = http_body_of(&s->bodies[0], request, s->options);
        note_if(s, s->bodies[0].is_broken, "Request body cannot be decoded");
        note_cut(s, request, &s->bodies[0]);
    }
    if (response != NULL && http_body_is_wanted(response, s->options)) {
        s->event.response_body = http_body_of(&s->bodies[1], response, s->options);
        note_if(s, s->bodies[1].is_broken, "Response body cannot be decoded");
        note_cut(s, response, &s->bodies[1]);
    }
}

/* What was said, word for word, where that is asked for. */
static void set_texts(struct sheet *s, const struct http_message *request,
                      const struct http_message *response)
{
    const struct proto_settings *settings = &s->options->settings;
    struct transaction *t = &s->event.transaction;
    if (request != NULL && settings->send_request) {
        t->request = http_raw_of(&s->raws[0], request, s->event.request_body, s->options);
    }
    if (response != NULL && settings->send_response) {
        t->response = http_raw_of(&s->raws[1], response, s->event.response_body, s->options);
    }
}

/* What a lone message says of the transaction that it was part of. */
static void set_lone(struct sheet *s, const struct http_message *response, const char *reason)
{
    struct transaction *t = &s->event.transaction;
    if (response == NULL) {
        t->reason = reason;
        if (reason != NULL && strcmp(reason, "gap") == 0) {
            note(s, "Packet loss while capturing the response");
        }
        note(s, "Unmatched request");
        return;
    }
    t->start_ns = response->start_ns;
    t->request_side = (uint8_t)(1 - response->side);
    set_version(&s->event, response);
    note(s, "Unmatched response");
}

static void count(struct http_stats *stats, const struct http_message *request,
                  const struct http_message *response, bool is_error)
{
    stats->transactions += request != NULL && response != NULL;
    stats->errors += is_error;
    stats->unmatched_requests += response == NULL;
    stats->unmatched_responses += request == NULL;
    stats->request_bytes += request != NULL ? request->bytes : 0;
    stats->response_bytes += response != NULL ? response->bytes : 0;
}

void http_report(struct proto_context *c, const struct http_message *request,
                 const struct http_message *response, const char *reason,
                 const struct http_options *options)
{
    bool is_error = request == NULL || response == NULL || response->head.status >= 400;
    count(c->block, request, response, is_error);
    bool is_wanted = request != NULL || options->settings.report_unmatched;
    if (c->events->capacity == 0 || !is_wanted) {
        return;
    }
    struct sheet s; /* large, so that only what is read is set */
    s.event = (struct http_event){.transaction.head.type = &http_event_type};
    s.event.transaction.status = is_error ? TRANSACTION_ERROR : TRANSACTION_OK;
    s.event.transaction.notes.items = s.notes;
    s.event.hosts.items = s.hosts;
    s.options = options;
    s.flow = c->flow;
    s.is_sealed = c->is_sealed;
    s.is_short = false;
    for (unsigned i = 0; i < 2; i++) {
        s.bodies[i] = (struct http_body){.memory = c->memory};
        s.raws[i] = (struct http_raw){.memory = c->memory};
    }
    s.to = (struct http_text){s.memory, s.memory + sizeof s.memory};
    if (request != NULL) {
        set_request(&s, request);
    }
    if (response != NULL) {
        set_response(&s, response);
    }
    if (request == NULL || response == NULL) {
        set_lone(&s, response, reason);
    }
    set_bodies(&s, request, response);
    set_texts(&s, request, response);
    c->events->is_cut = s.is_short;
    (void)event_log_add_whole(c->events, &s.event.transaction.head);
    for (unsigned i = 0; i < 2; i++) {
        http_body_done(&s.bodies[i]);
        http_raw_done(&s.raws[i]);
    }
}
