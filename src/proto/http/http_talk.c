// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http_talk.h"

#include <assert.h>

#include "proto/http/http_body.h"
#include "proto/http/http_report.h"

/* What the functions below need, gathered once a call. */
struct call {
    struct proto_context *c;
    struct http_talk *talk;
    struct http_stats *stats;
    const struct http_options *options;
    uint64_t time_ns;
};

static struct call call_of(struct proto_context *c, const struct http_options *options,
                           uint64_t time_ns)
{
    return (struct call){
        .c = c, .talk = c->state, .stats = c->block, .options = options, .time_ns = time_ns};
}

static const char *const method_classes[HTTP_METHOD_CLASSES] = {
    "get", "post", "head", "put", "delete", "options", "patch", "connect", "trace", "other",
};

unsigned http_method_class(struct span method)
{
    unsigned i = 0;
    while (i < HTTP_METHOD_CLASSES - 1 && !http_equals(method, method_classes[i])) {
        i++;
    }
    return i;
}

const char *http_method_class_name(unsigned i)
{
    return method_classes[i];
}

/* ---- Messages ------------------------------------------------------------------------------- */

static bool is_request(const struct http_message *m)
{
    return m->head.status == 0;
}

static void forget(const struct call *call, struct http_message *m)
{
    if (m != NULL) {
        slab_give(call->c->memory, m->body);
        slab_give(call->c->memory, m);
    }
}

/* Forms are kept for url.query, other bodies when they were asked for. */
static bool wants_body(const struct call *call, const struct http_message *m)
{
    struct span type = http_text_of(m, m->head.content_type);
    if (is_request(m)) {
        return http_contains(type, "urlencoded") || http_body_is_wanted(m, call->options);
    }
    return http_body_is_wanted(m, call->options);
}

/* A fold is read as spaces (RFC 9112 §5.2). */
static void unfold(struct http_message *m)
{
    uint8_t *end = m->text + m->text_size;
    uint8_t *at = m->text + m->head.headers_at;
    while (at + 1 < end && (at = memchr(at, '\n', (size_t)(end - 1 - at))) != NULL) {
        if (at[1] == ' ' || at[1] == '\t') {
            at[0] = ' ';
            at[-1] = at[-1] == '\r' ? ' ' : at[-1];
        }
        at++;
    }
}

static struct http_message *keep(struct call *call, struct http_side *side, unsigned number,
                                 struct span text, const struct http_head *head)
{
    struct http_message *m = slab_take(call->c->memory, sizeof *m + text.size);
    if (m == NULL) {
        call->stats->not_kept++;
        return NULL;
    }
    *m = (struct http_message){
        .start_ns = side->start_ns != 0 ? side->start_ns : call->time_ns,
        .end_ns = call->time_ns,
        .bytes = text.size,
        .text_size = (uint32_t)text.size,
        .head = *head,
        .side = (uint8_t)number,
    };
    memcpy(m->text, text.data, text.size);
    if (head->is_folded) {
        unfold(m);
    }
    m->keeps_body = wants_body(call, m);
    return m;
}

/* How much of a body is kept: of a form that is only read for its parameters, a block full. */
static size_t body_most(const struct call *call, const struct http_message *m)
{
    size_t most = (size_t)call->options->max_message_size;
    return most <= SLAB_BLOCK_MAX || http_body_is_wanted(m, call->options) ? most : SLAB_BLOCK_MAX;
}

/* Keeps what fits of a piece of the body. */
static void keep_body(struct call *call, struct http_message *m, struct span data)
{
    size_t most = body_most(call, m);
    size_t wanted = m->body_kept + data.size;
    if (wanted > most) {
        m->is_cut = true;
        wanted = most;
    }
    if (m->body == NULL || slab_room(m->body) < wanted) {
        uint8_t *body = slab_grow_large(call->c->memory, m->body, wanted);
        if (body == NULL) {
            m->is_cut = m->is_short = true;
            wanted = m->body != NULL && slab_room(m->body) < wanted ? slab_room(m->body)
                                                                    : m->body_kept;
        } else {
            m->body = body;
        }
    }
    if (wanted > m->body_kept) {
        memcpy(m->body + m->body_kept, data.data, wanted - m->body_kept);
        m->body_kept = (uint32_t)wanted;
    }
    m->keeps_body = !m->is_cut;
}

/* ---- Transactions --------------------------------------------------------------------------- */

static void report(struct call *call, struct http_message *request, struct http_message *response,
                   const char *reason)
{
    http_report(call->c, request, response, reason, call->options);
    forget(call, request);
    forget(call, response);
}

static void enqueue(struct call *call, struct http_message *request)
{
    struct http_talk *talk = call->talk;
    if (talk->first == NULL) {
        talk->first = request;
    } else {
        talk->last->next = request;
    }
    talk->last = request;
    talk->waiting++;
}

static struct http_message *dequeue(struct call *call)
{
    struct http_talk *talk = call->talk;
    struct http_message *request = talk->first;
    talk->first = request->next;
    talk->waiting--;
    for (unsigned side = 0; side < 2; side++) {
        if (talk->side[side].open == request) {
            talk->side[side].open = NULL;
        }
    }
    return request;
}

/* The request that the next response answers, or NULL. */
static struct http_message *asked(const struct call *call)
{
    struct http_message *first = call->talk->first;
    return first != NULL && first->answer == NULL ? first : NULL;
}

static void answer(struct call *call, struct http_message *response)
{
    struct http_message *request = asked(call);
    response->is_over = true;
    turns_answer(&call->talk->turns, request != NULL, call->time_ns);
    if (request == NULL) {
        report(call, NULL, response, NULL);
    } else if (request->is_over) {
        report(call, dequeue(call), response, NULL);
    } else {
        request->answer = response; /* early, as a 413 to a large upload: wait for its end */
    }
}

static void finish_request(struct call *call, struct http_message *request)
{
    request->is_over = true;
    if (request->is_alone) {
        report(call, request, NULL, "gap");
    } else if (request->answer != NULL) {
        assert(request == call->talk->first);
        report(call, dequeue(call), request->answer, NULL);
    }
}

/* The message at hand of a side is over, in peace or not. */
static void finish(struct call *call, unsigned number)
{
    struct http_message *m = call->talk->side[number].open;
    call->talk->side[number].open = NULL;
    if (m == NULL) {
        return;
    }
    if (is_request(m)) {
        finish_request(call, m);
    } else {
        answer(call, m);
    }
}

/* Nobody will answer the requests that wait any more. */
static void give_up(struct call *call, const char *reason)
{
    while (call->talk->first != NULL) {
        struct http_message *request = dequeue(call);
        struct http_message *early = request->answer;
        report(call, request, early, early == NULL ? reason : NULL);
    }
    call->talk->beyond = 0;
}

/* ---- Pieces --------------------------------------------------------------------------------- */

/* Who asks and who answers is known from the first head on: what looks like the other kind of message
 * later is text that somebody sends. */
static void learn_roles(struct http_talk *talk, unsigned number, bool asks)
{
    if (!talk->is_known) {
        talk->is_known = true;
        talk->asker = (uint8_t)(asks ? number : 1 - number);
        talk->side[talk->asker].parser.role = HTTP_REQUESTS;
        talk->side[1 - talk->asker].parser.role = HTTP_RESPONSES;
    }
}

static void take_request(struct call *call, unsigned number, struct span text,
                         const struct http_head *head)
{
    struct http_talk *talk = call->talk;
    struct http_side *side = &talk->side[number];
    call->stats->requests[http_method_class(http_part_of(text.data, head->method))]++;
    http_parser_frame(&side->parser, head, HTTP_ASKED_OTHER);
    bool in_step = turns_ask(&talk->turns, talk->first != NULL || talk->beyond > 0, call->time_ns);
    if (!in_step) {
        side->open = keep(call, side, number, text, head);
        if (side->open != NULL) {
            side->open->is_alone = true;
        }
        return;
    }
    if (talk->beyond > 0 || talk->waiting == HTTP_WAITING_MAX) {
        call->stats->not_kept++;
        talk->beyond++;
        return;
    }
    side->open = keep(call, side, number, text, head);
    if (side->open == NULL) {
        talk->beyond++;
        return;
    }
    enqueue(call, side->open);
}

/* §7.8, §9.3.6 of RFC 9110: from here on the connection speaks something else. */
static bool switches(const struct http_head *head, enum http_asked what)
{
    return head->status == 101 ||
           (what == HTTP_ASKED_CONNECT && head->status >= 200 && head->status < 300);
}

static enum http_asked what_was_asked(const struct http_message *request)
{
    if (request == NULL) {
        return HTTP_ASKED_OTHER;
    }
    struct span method = http_text_of(request, request->head.method);
    if (span_equal(method, span_str("HEAD"))) {
        return HTTP_ASKED_HEAD;
    }
    return span_equal(method, span_str("CONNECT")) ? HTTP_ASKED_CONNECT : HTTP_ASKED_OTHER;
}

static void take_response(struct call *call, unsigned number, struct span text,
                          const struct http_head *head)
{
    struct http_talk *talk = call->talk;
    struct http_side *side = &talk->side[number];
    unsigned class = head->status / 100;
    struct http_message *request = asked(call);
    enum http_asked what = what_was_asked(request);
    call->stats->responses[class < HTTP_STATUS_CLASSES ? class : 0]++;
    http_parser_frame(&side->parser, head, what);
    if (class == 1 && head->status != 101) {
        return; /* 100 Continue and the like: the response itself is still to come */
    }
    talk->has_switched = switches(head, what);
    if (what == HTTP_ASKED_CONNECT && !talk->has_switched) {
        http_parser_resume(&talk->side[talk->asker].parser);
    }
    if (request == NULL && talk->first == NULL && talk->beyond > 0) {
        talk->beyond--;
        return;
    }
    side->open = keep(call, side, number, text, head);
    if (side->open == NULL && request != NULL) {
        forget(call, dequeue(call)); /* it was answered, which cannot be told: counted as not kept */
    }
}

static void take_head(struct call *call, unsigned number, struct span text,
                      const struct http_head *head)
{
    learn_roles(call->talk, number, head->status == 0);
    if (head->status == 0) {
        take_request(call, number, text, head);
    } else {
        take_response(call, number, text, head);
    }
    call->talk->side[number].start_ns = 0;
}

static void take_bytes(struct call *call, unsigned number, struct span data, bool is_content)
{
    struct http_message *m = call->talk->side[number].open;
    if (m == NULL || data.size == 0) {
        return;
    }
    m->bytes += data.size;
    m->end_ns = call->time_ns;
    if (is_content) {
        m->body_bytes += data.size;
        if (m->keeps_body) {
            keep_body(call, m, data);
        }
    }
}

/* A message has ended. After a CONNECT the client's bytes may be anybody's. */
static void take_end(struct call *call, unsigned number)
{
    struct http_side *side = &call->talk->side[number];
    if (side->open != NULL && is_request(side->open) && !side->open->is_alone &&
        what_was_asked(side->open) == HTTP_ASKED_CONNECT) {
        http_parser_pause(&side->parser);
    }
    finish(call, number);
}

/* A request whose head is too long: it will be answered, though it is not kept. */
static void miss_request(struct call *call)
{
    struct http_talk *talk = call->talk;
    if (turns_ask(&talk->turns, talk->first != NULL || talk->beyond > 0, call->time_ns)) {
        talk->beyond++;
    }
}

/* A response whose head is too long: whose it was is known, but not what it says. */
static void miss_response(struct call *call)
{
    struct http_talk *talk = call->talk;
    struct http_message *request = asked(call);
    if (talk->first == NULL && talk->beyond > 0) {
        talk->beyond--;
        return;
    }
    turns_answer(&talk->turns, request != NULL, call->time_ns);
    if (request == NULL) {
        return;
    }
    if (what_was_asked(request) == HTTP_ASKED_CONNECT) { /* the client does not wait any more */
        http_parser_resume(&talk->side[talk->asker].parser);
    }
    report(call, dequeue(call), NULL, "malformed");
}

/* `head`: what there was of one that is too long; else empty. */
static void take_broken(struct call *call, unsigned number, struct span head)
{
    call->stats->malformed++;
    call->talk->side[number].start_ns = 0;
    finish(call, number);
    if (head.size == 0) {
        return;
    }
    learn_roles(call->talk, number, memcmp(head.data, "HTTP/", 5) != 0);
    if (number == call->talk->asker) {
        miss_request(call);
    } else {
        miss_response(call);
    }
}

static void take_piece(struct call *call, unsigned number, enum http_kind kind, struct span data,
                       const struct http_head *head)
{
    switch (kind) {
    case HTTP_MORE:
        break;
    case HTTP_HEAD:
        take_head(call, number, data, head);
        break;
    case HTTP_BODY:
    case HTTP_FRAMING:
        take_bytes(call, number, data, kind == HTTP_BODY);
        break;
    case HTTP_END:
        take_end(call, number);
        break;
    case HTTP_BROKEN:
        take_broken(call, number, data);
        call->stats->skipped_bytes += data.size;
        break;
    case HTTP_JUNK:
        call->talk->side[number].start_ns = 0;
        call->stats->skipped_bytes += data.size;
        break;
    }
}

/* Most of what is said are bodies of which only the length matters: whether the chunk is amid
 * one. */
static bool pass_body(struct call *call, const struct proto_chunk *chunk)
{
    struct http_side *side = &call->talk->side[chunk->side];
    bool passes = (side->open == NULL || !side->open->keeps_body) &&
                  http_parser_pass(&side->parser, chunk->data.size);
    if (passes) {
        take_bytes(call, chunk->side, chunk->data, true);
    }
    return passes;
}

/* ---- Hooks ---------------------------------------------------------------------------------- */

struct proto_taken http_talk_chunk(struct proto_context *c, const struct proto_chunk *chunk,
                                   const struct http_options *options)
{
    struct call call = call_of(c, options, chunk->time_ns);
    struct http_side *side = &call.talk->side[chunk->side];
    struct proto_taken taken = {.verdict = PROTO_GOES_ON};
    if (pass_body(&call, chunk)) {
        taken.consumed = chunk->data.size;
        return taken;
    }
    for (;;) { /* each turn takes bytes, or moves to a phase that does */
        struct span rest = span_skip(chunk->data, taken.consumed);
        struct http_head head;
        struct http_piece piece = http_parser_next(&side->parser, rest, &head);
        take_piece(&call, chunk->side, piece.kind, span_head(rest, piece.size), &head);
        taken.consumed += piece.size;
        if (piece.kind == HTTP_END && call.talk->has_switched && side->parser.role != HTTP_REQUESTS) {
            call.stats->switched++;
            taken.verdict = PROTO_SWITCHED;
            return taken;
        }
        if (piece.kind == HTTP_MORE) {
            bool begins = rest.size > 0 && side->start_ns == 0;
            if (begins && http_parser_is_between(&side->parser)) {
                side->start_ns = chunk->time_ns;
            }
            return taken;
        }
    }
}

/* A gap hides where messages begin: requests, or responses, may have been in it. */
static void lose(struct call *call, unsigned number)
{
    struct http_talk *talk = call->talk;
    if (talk->side[number].open != NULL) {
        talk->side[number].open->lost = true;
        finish(call, number);
    }
    talk->side[number].start_ns = 0;
    bool waits = talk->first != NULL || talk->beyond > 0;
    if (talk->is_known && number == talk->asker) {
        turns_lose_questions(&talk->turns, waits);
    } else if (talk->is_known) {
        turns_lose_answers(&talk->turns, waits);
        give_up(call, "gap");
    }
}

void http_talk_gap(struct proto_context *c, unsigned side, uint32_t length,
                   const struct http_options *options)
{
    struct call call = call_of(c, options, c->now_ns);
    struct http_side *s = &call.talk->side[side];
    call.stats->gaps++;
    call.stats->gap_bytes += length;
    uint64_t content = 0;
    enum http_gap gap = http_parser_gap(&s->parser, length, &content);
    if (s->open != NULL) {
        s->open->lost = true;
        s->open->bytes += content;
        s->open->body_bytes += content;
        s->open->end_ns = c->now_ns;
        s->open->keeps_body = false; /* what follows does not belong behind what was kept */
        s->open->is_cut = s->open->is_cut || s->open->body != NULL;
    }
    if (gap == HTTP_GAP_LOST) {
        lose(&call, side);
        return;
    }
    struct proto_chunk nothing = {
        .data = span_str(""), .side = (uint8_t)side, .time_ns = c->now_ns};
    (void)http_talk_chunk(c, &nothing, options);
}

void http_talk_fin(struct proto_context *c, unsigned side, const struct http_options *options)
{
    struct call call = call_of(c, options, c->now_ns);
    finish(&call, side);
    http_parser_restart(&call.talk->side[side].parser);
    call.talk->side[side].start_ns = 0;
    if (call.talk->is_known && side != call.talk->asker) {
        give_up(&call, "closed");
    }
}

void http_talk_close(struct proto_context *c, enum proto_close why,
                     const struct http_options *options)
{
    struct call call = call_of(c, options, c->now_ns);
    unsigned asker = call.talk->asker;
    finish(&call, 1 - asker); /* the response first: it may be the answer to the request at hand */
    finish(&call, asker);
    give_up(&call, proto_close_reason(why));
}
