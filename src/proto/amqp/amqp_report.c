// SPDX-License-Identifier: Apache-2.0
#include "proto/amqp/amqp_report.h"

#include "base/writer.h"
#include "proto/proto_cut.h"

enum {
    ACTION_MAX = 64,
    NOTES_MAX = 6,
    REQUEST_MAX = 600,
    DIGITS = 4, /* that a byte of a body may take */
    MORE = 8,
    EXCEPTION = 300, /* reply codes from here on are errors (§1.2) */
};

/* What an event refers to. */
struct scratch {
    char action[ACTION_MAX];
    char request[REQUEST_MAX];
    struct span notes[NOTES_MAX];
    uint8_t *body; /* a slab block, or NULL */
    bool is_short; /* it is not all that is to be shown of it */
};

static bool is_close(const struct amqp_method *m)
{
    return (m->class_id == 10 && m->id == 50) || (m->class_id == 20 && m->id == 40);
}

static bool has_failed(const struct amqp_record *r)
{
    bool is_return = r->method->class_id == AMQP_BASIC && r->method->id == 50;
    bool is_reject = r->method->class_id == AMQP_BASIC && r->method->id == 90;
    return is_return || is_reject || (is_close(r->method) && r->code >= EXCEPTION);
}

static bool is_hidden(const struct proto_context *c, const struct amqp_record *r)
{
    bool is_intimate = r->method->is_intimate || (is_close(r->method) && r->code < EXCEPTION) ||
                       (r->method->role == AMQP_RESPONSE && r->method->class_id == 10) ||
                       (r->method->role == AMQP_RESPONSE && r->method->class_id == 20);
    return is_intimate && amqp_options_of(c)->hide_connection_information;
}

static void set_fields(struct amqp_event *e, const struct amqp_record *r)
{
    for (unsigned i = 0; i < AMQP_FIELDS; i++) {
        if (amqp_record_has(r, i)) {
            e->field[i] = amqp_text_of(r, i);
        }
    }
}

/* ---- Bodies --------------------------------------------------------------------------------- */

static bool contains(struct span text, const char *word)
{
    return text.size > 0 && memmem(text.data, text.size, word, strlen(word)) != NULL;
}

static bool is_text(const struct amqp_record *r)
{
    struct span type = amqp_text_of(r, AMQP_CONTENT_TYPE);
    bool is_packed = amqp_text_of(r, AMQP_CONTENT_ENCODING).size > 0;
    return !is_packed && (contains(type, "text") || contains(type, "json"));
}

/* As text, or else as decimal numbers; of a long one less where memory is short. */
static struct span write_body(struct proto_context *c, const struct amqp_record *r,
                              struct scratch *s)
{
    size_t digits = is_text(r) ? 1 : DIGITS;
    struct span body = span_of(r->body, r->body_kept);
    s->body = body.size > 0 ? slab_take_large(c->memory, body.size * digits + MORE) : NULL;
    s->is_short = r->is_short || (s->body == NULL && body.size > 0);
    if (s->body == NULL && body.size > PROTO_TEXT_SURE) {
        body = span_head(body, PROTO_TEXT_SURE);
        s->body = slab_take(c->memory, body.size * digits + MORE);
    }
    if (s->body == NULL) {
        return span_of(NULL, 0);
    }
    struct writer w = writer_of(s->body, body.size * digits + MORE);
    if (digits == 1) {
        writer_span(&w, body);
    } else {
        for (size_t i = 0; i < body.size; i++) {
            writer_text(&w, i > 0 ? " " : "");
            writer_u64(&w, body.data[i]);
        }
    }
    writer_text(&w, body.size < r->body_size ? " [...]" : "");
    return writer_since(&w, s->body);
}

/* "queue.bind QUEUE EXCHANGE" */
static struct span write_request(const struct amqp_record *r, struct scratch *s)
{
    static const uint8_t subjects[] = {AMQP_QUEUE, AMQP_SOURCE, AMQP_DESTINATION, AMQP_EXCHANGE};
    struct writer w = writer_of(s->request, sizeof s->request);
    writer_text(&w, r->method->name);
    for (unsigned i = 0; i < sizeof subjects; i++) {
        struct span subject = amqp_text_of(r, subjects[i]);
        if (amqp_record_has(r, subjects[i]) && subject.size > 0) {
            writer_byte(&w, ' ');
            writer_span(&w, subject);
        }
    }
    if (r->method->class_id == AMQP_BASIC && r->method->id == 30) {
        writer_byte(&w, ' ');
        writer_span(&w, amqp_text_of(r, AMQP_CONSUMER_TAG));
    }
    return writer_since(&w, (uint8_t *)s->request);
}

/* ---- Sides ---------------------------------------------------------------------------------- */

static void set_request(struct proto_context *c, struct amqp_event *e, const struct amqp_record *r,
                        struct scratch *s)
{
    struct transaction *t = &e->transaction;
    t->request_side = r->link.side;
    t->start_ns = r->link.start_ns;
    t->request_ns = r->link.end_ns;
    t->source_bytes = r->method->has_content ? r->body_size : r->bytes;
    t->method = span_str(r->method->name);
    if (r->about != NULL) {
        set_fields(e, r->about);
    }
    set_fields(e, r);
    if (c->settings->send_request) {
        t->request = r->method->has_content ? write_body(c, r, s) : write_request(r, s);
    }
}

static void set_response(struct proto_context *c, struct amqp_event *e, const struct amqp_record *r,
                         struct scratch *s)
{
    struct transaction *t = &e->transaction;
    bool is_message = r->method->has_content;
    bool is_empty = r->method->class_id == AMQP_BASIC && r->method->id == AMQP_GET_EMPTY;
    t->destination_bytes = is_message ? r->body_size : r->bytes;
    if (t->start_ns == 0) { /* what it answers was not seen, or there is nothing */
        t->start_ns = r->link.start_ns;
        t->request_side = 1 - r->link.side;
        t->method = span_str(r->method->name);
    } else {
        t->response_ns = r->link.start_ns;
        t->end_ns = r->link.end_ns;
    }
    if (is_empty) {
        t->method = span_str(r->method->name);
    }
    set_fields(e, r);
    if (c->settings->send_response) {
        t->response = is_message ? write_body(c, r, s) : span_str("OK");
    }
}

static void add_note(struct transaction *t, struct span *notes, const char *text)
{
    notes[t->notes.count++] = span_str(text);
}

static void set_notes(struct amqp_event *e, const struct amqp_record *request,
                      const struct amqp_record *response, struct span notes[NOTES_MAX])
{
    struct transaction *t = &e->transaction;
    t->notes.items = notes;
    if (request != NULL && request->holed) {
        add_note(t, notes, "Packet loss while capturing the request");
    }
    if (response != NULL && response->holed) {
        add_note(t, notes, "Packet loss while capturing the response");
    }
    if ((request != NULL && request->odd_table) || (response != NULL && response->odd_table)) {
        add_note(t, notes, "Failed to parse additional arguments");
    }
    if (request == NULL && response->method->role == AMQP_RESPONSE) {
        add_note(t, notes, "Unmatched response");
    } else if (t->reason != NULL && request != NULL && is_close(request->method)) {
        add_note(t, notes, "Close-ok method not received by sender");
    }
}

/* What max_body_length leaves out is told by " [...]", as Packetbeat does it; what is left out beyond that
 * is told as well. */
static enum proto_cut cut_of(const struct amqp_record *r, const struct scratch *s)
{
    if (s->is_short || r == NULL) {
        return s->is_short ? PROTO_CUT_SHORT : PROTO_CUT_NOT;
    }
    const struct amqp_record *cut = r->cut == PROTO_CUT_NOT && r->about != NULL ? r->about : r;
    return (enum proto_cut)cut->cut;
}

static struct span action_of(struct scratch *s, struct span method)
{
    struct writer w = writer_of(s->action, sizeof s->action);
    writer_text(&w, "amqp.");
    writer_span(&w, method);
    return writer_since(&w, (uint8_t *)s->action);
}

static void add_event(struct proto_context *c, const struct amqp_record *request,
                      const struct amqp_record *response, const char *reason, bool failed)
{
    struct scratch asked = {0}, answered = {0};
    struct amqp_event e = {.transaction.head.type = &amqp_event_type};
    struct transaction *t = &e.transaction;
    if (request != NULL) {
        set_request(c, &e, request, &asked);
    }
    if (response != NULL) {
        set_response(c, &e, response, &answered);
    }
    t->status = failed ? TRANSACTION_ERROR : TRANSACTION_OK;
    t->outcome = failed ? "failure" : request != NULL && response != NULL ? "success" : NULL;
    t->reason = reason;
    t->action = action_of(&asked, t->method);
    set_notes(&e, request, response, asked.notes);
    proto_cut_tell(c->events, t, asked.notes, cut_of(request, &asked),
                   cut_of(response, &answered));
    (void)event_log_add_whole(c->events, &t->head);
    slab_give(c->memory, asked.body);
    slab_give(c->memory, answered.body);
}

void amqp_report(struct proto_context *c, const struct amqp_record *request,
                 const struct amqp_record *response, const char *reason)
{
    struct amqp_stats *stats = amqp_stats_of(c);
    const struct amqp_record *main = request != NULL ? request : response;
    bool unmatched = request == NULL && response->method->role == AMQP_RESPONSE;
    bool failed = reason != NULL || unmatched || has_failed(main);
    stats->transactions += request != NULL && response != NULL;
    stats->errors += failed;
    stats->unanswered += reason != NULL;
    if (c->events->capacity > 0 && !is_hidden(c, main)) {
        add_event(c, request, response, reason, failed);
    }
}
