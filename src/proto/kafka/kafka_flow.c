// SPDX-License-Identifier: Apache-2.0
#include "proto/kafka/kafka_flow.h"

#include "proto/kafka/kafka_report.h"

enum { SIZE = 4, CORRELATION = 4, REQUEST_HEAD = 14 };

/* What the functions below need, gathered once a call. */
struct call {
    struct proto_context *c;
    struct kafka_flow *flow;
    struct kafka_stats *stats;
    uint64_t time_ns;
    unsigned side;
};

static struct call call_of(struct proto_context *c, unsigned side, uint64_t time_ns)
{
    return (struct call){
        .c = c, .flow = c->state, .stats = c->block, .time_ns = time_ns, .side = side};
}

static bool is_client(const struct call *call)
{
    return call->side == call->flow->client;
}

/* ---- Requests ---------------------------------------------------------------------------------- */

/* Copies a text behind the others; what does not fit is cut. */
static struct span keep_text(struct kafka_request *request, size_t *used, struct span text)
{
    size_t room = sizeof request->text - *used;
    size_t size = text.size < room ? text.size : room;
    uint8_t *to = request->text + *used;
    if (size > 0) {
        memcpy(to, text.data, size);
    }
    *used += size;
    return span_of(to, size);
}

static struct kafka_request *keep(const struct call *call, const struct kafka_head *head)
{
    struct kafka_request *request = call->flow->waiting < KAFKA_WAITING_MAX
                                        ? slab_take(call->c->memory, sizeof *request) : NULL;
    if (request == NULL) {
        return NULL;
    }
    size_t used = 0;
    request->next = NULL;
    request->is_lost = false;
    request->head = *head;
    request->head.client = keep_text(request, &used, head->client);
    request->head.group = keep_text(request, &used, head->group);
    for (uint32_t i = 0; i < head->topic_count; i++) {
        request->head.topics[i] = keep_text(request, &used, head->topics[i]);
    }
    return request;
}

static void enqueue(struct kafka_flow *flow, struct kafka_request *request)
{
    if (flow->first == NULL) {
        flow->first = request;
    } else {
        flow->last->next = request;
    }
    flow->last = request;
    flow->waiting++;
}

static struct kafka_request *dequeue(struct kafka_flow *flow)
{
    struct kafka_request *request = flow->first;
    flow->first = request->next;
    flow->waiting--;
    flow->asking = flow->asking == request ? NULL : flow->asking;
    return request;
}

static void give_up(struct call *call, const char *reason)
{
    while (call->flow->first != NULL) {
        struct kafka_request *request = dequeue(call->flow);
        kafka_report(call->c, request, NULL, call->flow->client, reason);
        slab_give(call->c->memory, request);
    }
}

static void begin_request(struct call *call, struct span bytes, uint64_t start_ns, uint32_t size)
{
    struct kafka_head head;
    if (!kafka_request_read(bytes, &head)) {
        call->stats->malformed++;
        return;
    }
    call->stats->requests[head.key]++;
    call->flow->newest = head.correlation;
    struct kafka_request *request = keep(call, &head);
    if (request == NULL) {
        call->stats->not_kept++;
        return;
    }
    request->start_ns = start_ns;
    request->end_ns = call->time_ns;
    request->bytes = (uint64_t)SIZE + size;
    enqueue(call->flow, request);
    call->flow->asking = request;
}

/* One that wants no response is over with its last byte; those before it have theirs to come. */
static void end_request(struct call *call)
{
    struct kafka_flow *flow = call->flow;
    struct kafka_request *request = flow->asking;
    flow->asking = NULL;
    if (request == NULL) {
        return;
    }
    request->end_ns = call->time_ns;
    if (request->head.acks != 0 || !request->head.is_whole) {
        return;
    }
    kafka_report(call->c, request, NULL, flow->client, NULL);
    struct kafka_request **at = &flow->first;
    struct kafka_request *before = NULL;
    while (*at != request) {
        before = *at;
        at = &before->next;
    }
    *at = NULL; /* it is the last one */
    flow->last = before;
    flow->waiting--;
    slab_give(call->c->memory, request);
}

/* ---- Responses --------------------------------------------------------------------------------- */

static bool is_awaited(const struct kafka_flow *flow, uint32_t correlation)
{
    const struct kafka_request *request = flow->first;
    while (request != NULL && request->head.correlation != correlation) {
        request = request->next;
    }
    return request != NULL;
}

static void begin_response(struct call *call, struct span bytes, uint64_t start_ns, uint32_t size)
{
    struct kafka_flow *flow = call->flow;
    uint32_t correlation = load_be32(bytes.data);
    flow->response = slab_take(call->c->memory, sizeof *flow->response);
    if (flow->response == NULL) {
        call->stats->not_kept++;
        return;
    }
    *flow->response = (struct kafka_response){.start_ns = start_ns, .bytes = (uint64_t)SIZE + size};
    if (!is_awaited(flow, correlation)) {
        return;
    }
    while (flow->first->head.correlation != correlation) { /* their responses were not captured */
        struct kafka_request *request = dequeue(flow);
        kafka_report(call->c, request, NULL, flow->client, "gap");
        slab_give(call->c->memory, request);
    }
    flow->asked = dequeue(flow);
    kafka_response_read(span_skip(bytes, CORRELATION), flow->asked->head.key,
                        flow->asked->head.version, &flow->response->answer);
}

static void end_response(struct call *call)
{
    struct kafka_flow *flow = call->flow;
    if (flow->response != NULL) {
        flow->response->end_ns = call->time_ns;
        kafka_report(call->c, flow->asked, flow->response, flow->client, NULL);
    }
    slab_give(call->c->memory, flow->response);
    slab_give(call->c->memory, flow->asked);
    flow->response = NULL;
    flow->asked = NULL;
}

/* ---- Messages ---------------------------------------------------------------------------------- */

static void end_message(struct call *call)
{
    call->flow->side[call->side].is_open = false;
    if (is_client(call)) {
        end_request(call);
    } else {
        end_response(call);
    }
}

static void lose(struct call *call)
{
    struct kafka_side *side = &call->flow->side[call->side];
    side->is_lost = true;
    side->start_ns = 0;
}

/* Whether a message may begin here, where it is not known: 1 yes, 0 no, -1 more is needed. A request has
 * a number a little above the last one's, a response that of one that waits. */
static int may_begin(const struct call *call, struct span data)
{
    const struct kafka_flow *flow = call->flow;
    if (data.size < REQUEST_HEAD) {
        return -1;
    }
    uint32_t size = load_be32(data.data);
    if (is_client(call)) {
        int like = kafka_looks_like(data);
        uint32_t ahead = load_be32(data.data + 8) - flow->newest;
        return ahead > 0 && ahead <= KAFKA_WAITING_MAX * 4 ? like : 0;
    }
    uint32_t correlation = load_be32(data.data + SIZE);
    bool is_near = flow->first != NULL && correlation - flow->first->head.correlation <=
                                              flow->newest - flow->first->head.correlation;
    return is_near && size >= CORRELATION && size <= KAFKA_MESSAGE_MAX &&
           is_awaited(flow, correlation);
}

/* Reads past bytes up to where a message may begin; how many they were. */
static size_t search(struct call *call, struct span data)
{
    struct kafka_side *side = &call->flow->side[call->side];
    size_t at = 0;
    int found = 0;
    while (at < data.size && (found = may_begin(call, span_skip(data, at))) == 0) {
        at++;
    }
    side->is_lost = found != 1;
    call->stats->skipped_bytes += at;
    side->start_ns = at > 0 ? 0 : side->start_ns;
    return at;
}

/* A message's size and head, when so much of it is there; bytes that were taken. */
static size_t begin_message(struct call *call, struct span data)
{
    struct kafka_side *side = &call->flow->side[call->side];
    if (data.size < SIZE) {
        return 0;
    }
    uint32_t size = load_be32(data.data);
    if (size < CORRELATION || size > KAFKA_MESSAGE_MAX) {
        call->stats->malformed++;
        lose(call);
        return 0;
    }
    uint32_t head = size < KAFKA_HEAD_MAX ? size : KAFKA_HEAD_MAX;
    if (data.size < SIZE + head) {
        return 0;
    }
    struct span bytes = span_of(data.data + SIZE, head);
    uint64_t start_ns = side->start_ns != 0 ? side->start_ns : call->time_ns;
    side->start_ns = 0;
    side->is_open = true;
    side->remaining = size - head;
    if (is_client(call)) {
        begin_request(call, bytes, start_ns, size);
    } else {
        begin_response(call, bytes, start_ns, size);
    }
    return SIZE + head;
}

/* Takes what it can of the bytes; 0 when there must be more. */
static size_t take(struct call *call, struct span data)
{
    struct kafka_side *side = &call->flow->side[call->side];
    size_t taken = 0;
    if (side->is_open && side->remaining > 0) {
        taken = data.size < side->remaining ? data.size : side->remaining;
        side->remaining -= (uint32_t)taken;
    } else if (side->is_lost) {
        taken = search(call, data);
        if (taken > 0 || side->is_lost) {
            return taken;
        }
        taken = begin_message(call, data);
    } else {
        taken = begin_message(call, data);
    }
    if (side->is_open && side->remaining == 0) {
        end_message(call);
    }
    return taken;
}

/* Who asks is known by what a side says first; false: it cannot be told yet. What is no request is the
 * rest of an answer to what was said before the capture. */
static bool learn_roles(struct call *call, struct span data)
{
    int like = kafka_looks_like(data);
    if (like >= 0) {
        call->flow->is_known = true;
        call->flow->client = (uint8_t)(like == 1 ? call->side : 1 - call->side);
        call->flow->side[call->side].is_lost = like == 0;
    }
    return like >= 0;
}

/* ---- Hooks ------------------------------------------------------------------------------------- */

struct proto_taken kafka_flow_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct call call = call_of(c, chunk->side, chunk->time_ns);
    struct kafka_side *side = &call.flow->side[chunk->side];
    struct proto_taken taken = {.verdict = PROTO_GOES_ON};
    if (!call.flow->is_known && !learn_roles(&call, chunk->data)) {
        side->start_ns = side->start_ns != 0 ? side->start_ns : chunk->time_ns;
        return taken;
    }
    while (taken.consumed < chunk->data.size) {
        bool was_lost = side->is_lost;
        struct span rest = span_skip(chunk->data, taken.consumed);
        size_t size = take(&call, rest);
        taken.consumed += size;
        if (size == 0 && was_lost == side->is_lost) {
            side->start_ns = side->start_ns != 0 ? side->start_ns : chunk->time_ns;
            break;
        }
    }
    return taken;
}

void kafka_flow_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct call call = call_of(c, side, c->now_ns);
    struct kafka_side *s = &call.flow->side[side];
    call.stats->gaps++;
    call.stats->gap_bytes += length;
    s->start_ns = 0;
    bool is_within = s->is_open && length <= s->remaining;
    if (s->is_open && call.flow->is_known) {
        if (is_client(&call) && call.flow->asking != NULL) {
            call.flow->asking->is_lost = true;
        } else if (!is_client(&call) && call.flow->response != NULL) {
            call.flow->response->is_lost = true;
        }
    }
    s->remaining = is_within ? s->remaining - length : 0;
    if (s->is_open && s->remaining == 0) {
        end_message(&call);
    }
    if (!is_within) {
        lose(&call);
    }
}

void kafka_flow_fin(struct proto_context *c, unsigned side)
{
    struct call call = call_of(c, side, c->now_ns);
    if (call.flow->is_known && side != call.flow->client) {
        give_up(&call, "closed");
    }
}

void kafka_flow_close(struct proto_context *c, enum proto_close why)
{
    struct call call = call_of(c, 0, c->now_ns);
    call.side = 1U - call.flow->client;
    if (call.flow->side[call.side].is_open) { /* a response that was not over */
        if (call.flow->response != NULL) {
            call.flow->response->is_lost = true;
        }
        end_response(&call);
    }
    give_up(&call, proto_close_reason(why));
}
