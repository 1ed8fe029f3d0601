// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_talk.h"

#include "proto/http2/http2_report.h"

struct http2_call http2_call_of(struct proto_context *c, unsigned side, uint64_t time_ns)
{
    return (struct http2_call){.c = c, .flow = c->state, .stats = c->block, .time_ns = time_ns,
                               .options = http2_options_of(c->settings), .side = side};
}

static struct http2_side *side_of(const struct http2_call *call)
{
    return &call->flow->side[call->side];
}

/* Whether the side at hand is the client, as far as is known. */
static bool is_client(const struct http2_call *call)
{
    return call->flow->is_known ? call->side == call->flow->client : call->side == 0;
}

/* What the side at hand sends on a stream: a request or a response. */
static unsigned direction_of(const struct http2_call *call)
{
    return is_client(call) ? HTTP2_REQUEST : HTTP2_RESPONSE;
}

/* ---- Streams that are over ------------------------------------------------------------------- */

static void finish(struct http2_call *call, struct http2_stream *stream, const char *reason)
{
    http2_report(call->c, stream, call->flow->is_known ? call->flow->client : 0, reason);
    http2_streams_remove(&call->flow->streams, call->c->memory, stream);
}

static void finish_if_over(struct http2_call *call, struct http2_stream *stream)
{
    const struct http2_message *request = &stream->message[HTTP2_REQUEST];
    bool is_asked = request->is_over || request->start_ns == 0 || stream->lost_ns[HTTP2_REQUEST] != 0;
    if (is_asked && stream->message[HTTP2_RESPONSE].is_over) {
        finish(call, stream, NULL);
    }
}

void http2_talk_end(struct http2_call *call, uint32_t id)
{
    struct http2_stream *stream = http2_streams_find(&call->flow->streams, id);
    if (stream == NULL) {
        return;
    }
    struct http2_message *m = &stream->message[direction_of(call)];
    m->is_over = true;
    m->end_ns = call->time_ns;
    finish_if_over(call, stream);
}

void http2_talk_reset(struct http2_call *call, uint32_t id, uint32_t error)
{
    struct http2_stream *stream = http2_streams_find(&call->flow->streams, id);
    call->stats->resets++;
    if (stream != NULL) {
        stream->is_reset = !stream->message[HTTP2_RESPONSE].is_over;
        stream->error = error;
        finish(call, stream, "reset");
    }
}

/* §6.8: what the other side opened beyond that stream is not looked at. */
void http2_talk_goaway(struct http2_call *call, uint32_t last_stream)
{
    struct http2_streams *streams = &call->flow->streams;
    unsigned opened_by_other = is_client(call) ? 0 : 1;
    call->stats->goaways++;
    for (uint32_t i = streams->count; i > 0 && streams->items[i - 1]->id > last_stream; i--) {
        struct http2_stream *stream = streams->items[i - 1];
        if (stream->id % 2 == opened_by_other && stream->message[HTTP2_RESPONSE].start_ns == 0) {
            stream->is_refused = true;
            finish(call, stream, "closed");
        }
    }
}

void http2_talk_give_up(struct http2_call *call, const char *reason)
{
    struct http2_streams *streams = &call->flow->streams;
    while (streams->count > 0) {
        struct http2_stream *stream = streams->items[0];
        finish(call, stream, stream->lost_ns[HTTP2_RESPONSE] != 0 ? "gap" : reason);
    }
}

/* Streams whose end may have been lost, and of which nothing was heard since. */
static void expire(struct http2_call *call)
{
    struct http2_flow *flow = call->flow;
    uint64_t patience = (uint64_t)call->options->settings.transaction_timeout;
    if (flow->expires_ns == 0 || call->time_ns < flow->expires_ns) {
        return;
    }
    flow->expires_ns = 0;
    for (uint32_t i = flow->streams.count; i > 0; i--) {
        struct http2_stream *stream = flow->streams.items[i - 1];
        uint64_t lost_ns = stream->lost_ns[HTTP2_RESPONSE];
        if (lost_ns != 0 && call->time_ns - lost_ns >= patience) {
            finish(call, stream, "gap");
        } else if (lost_ns != 0) {
            flow->expires_ns = call->time_ns + patience;
        }
    }
}

/* ---- Header blocks --------------------------------------------------------------------------- */

static bool is_among(struct span name, const char *const *names)
{
    while (*names != NULL && !span_equal(name, span_str(*names))) {
        names++;
    }
    return *names != NULL;
}

/* Whether an event will show a field, or says something else because of it. */
static bool is_wanted(const struct http2_call *call, struct span name)
{
    static const char *const names[] = {
        "host", "content-type", "content-length", "user-agent", "referer", "grpc-status",
        "grpc-message", NULL,
    };
    const struct http2_options *o = call->options;
    bool is_pseudo = name.size > 0 && name.data[0] == ':';
    return is_pseudo || o->settings.send_request || o->settings.send_response ||
           is_among(name, names) || http_is_sent(name, &o->shown) ||
           http_equals(name, o->real_ip_header);
}

/* The table of header fields is not known any more. */
static void lose_table(struct http2_call *call)
{
    struct http2_side *side = side_of(call);
    http2_hpack_free(call->c->memory, side->hpack);
    side->hpack = NULL;
    side->is_midway = true;
    side->block.is_partial = true;
    side->restarts = (uint8_t)(side->restarts + (side->restarts < UINT8_MAX));
    call->stats->headers_lost++;
}

/* What the block at hand is unpacked with; NULL: it is not to be, or cannot. */
static struct http2_hpack *unpacker(struct http2_call *call)
{
    struct http2_side *side = side_of(call);
    uint32_t allowed = call->flow->side[1 - call->side].table_size;
    if (side->block.is_partial && side->hpack == NULL) {
        return NULL; /* it was lost within this block */
    }
    if (side->hpack == NULL && side->restarts < HTTP2_RESTARTS_MAX) {
        side->hpack = http2_hpack_new(call->c->memory, call->c->cache, side->is_midway);
        allowed = side->is_midway ? HTTP2_TABLE_MAX : allowed;
    }
    if (side->hpack == NULL) {
        side->block.is_partial = true;
        side->is_midway = true;
        return NULL;
    }
    if (!http2_hpack_wake(side->hpack, call->c->memory)) {
        lose_table(call);
        return NULL;
    }
    http2_hpack_allow(side->hpack, allowed);
    return side->hpack;
}

void http2_talk_fields(struct http2_call *call, struct span data, bool is_last)
{
    struct http2_side *side = side_of(call);
    struct http2_hpack *hpack = unpacker(call);
    while (hpack != NULL) {
        struct http2_field field;
        switch (http2_hpack_next(hpack, &data, is_last, &field)) {
        case HTTP2_NONE:
            return;
        case HTTP2_FIELD:
            if (is_wanted(call, field.name)) {
                http2_fields_add(&side->block.fields, call->c->memory, field.name, field.value);
            }
            break;
        case HTTP2_UNKNOWN:
            side->block.is_partial = true;
            break;
        case HTTP2_FAILED:
            lose_table(call);
            return;
        }
    }
}

/* §8.3: pseudo-header fields tell which side it is. */
static void learn_roles(struct http2_call *call)
{
    static const char *const asked[] = {":method", ":path", ":authority", ":scheme", NULL};
    const struct http2_fields *fields = &side_of(call)->block.fields;
    struct span name, value;
    uint32_t at = 0;
    while (!call->flow->is_known && http2_fields_next(fields, &at, &name, &value)) {
        bool answers = span_equal(name, span_str(":status"));
        if (answers || is_among(name, asked)) {
            call->flow->is_known = true;
            call->flow->client = (answers ? 1 - call->side : call->side) & 1;
        }
    }
}

/* Adds what the block says to a message. */
static void fill(struct http2_call *call, struct http2_message *m, struct http2_block *block)
{
    if (m->start_ns == 0) {
        m->start_ns = block->start_ns;
    }
    m->bytes += block->bytes;
    m->end_ns = call->time_ns;
    m->is_partial = m->is_partial || block->is_partial;
    http2_fields_join(&m->fields, call->c->memory, &block->fields);
}

static struct http2_stream *add(struct http2_call *call, uint32_t id)
{
    struct http2_stream *stream =
        http2_streams_add(&call->flow->streams, call->c->memory, id);
    call->stats->not_kept += stream == NULL;
    return stream;
}

static void learn_type(struct http2_stream *stream, const struct http2_message *m)
{
    stream->is_grpc =
        stream->is_grpc || http2_grpc_is_type(http2_fields_find(&m->fields, "content-type"));
}

/* A client's first block on a stream, or one that a server promised. */
static void open_stream(struct http2_call *call, uint32_t id, struct http2_block *block)
{
    bool is_whole = block->is_partial || http2_fields_find(&block->fields, ":method").size > 0;
    if (!is_whole) {
        call->stats->late++; /* trailers of a request that was not seen */
        return;
    }
    expire(call);
    call->stats->requests[http2_method_class(http2_fields_find(&block->fields, ":method"))]++;
    struct http2_stream *stream = add(call, id);
    if (stream != NULL) {
        fill(call, &stream->message[HTTP2_REQUEST], block);
        learn_type(stream, &stream->message[HTTP2_REQUEST]);
    }
}

static void take_request(struct http2_call *call, struct http2_block *block)
{
    struct http2_flow *flow = call->flow;
    struct http2_stream *stream = http2_streams_find(&flow->streams, block->stream);
    if (stream != NULL) {
        fill(call, &stream->message[HTTP2_REQUEST], block);
        stream->lost_ns[HTTP2_REQUEST] = 0;
        return;
    }
    bool is_new = block->stream % 2 == 1 && block->stream > flow->opened_to;
    if (!is_new) {
        call->stats->late++;
        return;
    }
    flow->opened_to = block->stream & INT32_MAX;
    flow->opened_from = flow->opened_from == 0 ? flow->opened_to : flow->opened_from;
    open_stream(call, block->stream, block);
}

static void take_promise(struct http2_call *call, struct http2_block *block)
{
    bool is_new = block->promised != 0 && block->promised % 2 == 0 &&
                  http2_streams_find(&call->flow->streams, block->promised) == NULL;
    if (!is_new) {
        call->stats->late++;
        return;
    }
    call->stats->pushed++;
    open_stream(call, block->promised, block);
    struct http2_stream *stream = http2_streams_find(&call->flow->streams, block->promised);
    if (stream != NULL) {
        stream->is_pushed = true;
        stream->message[HTTP2_REQUEST].is_over = true;
    }
}

static uint16_t status_of(struct span text)
{
    unsigned status = 0;
    for (size_t i = 0; i < text.size && i < 3; i++) {
        status = status * 10 + (unsigned)(text.data[i] - '0');
    }
    return text.size == 3 && status <= 999 ? (uint16_t)status : 0;
}

/* A response whose request was not seen; NULL when it is the late rest of what was. */
static struct http2_stream *open_answer(struct http2_call *call, const struct http2_block *block)
{
    const struct http2_flow *flow = call->flow;
    bool was_seen = flow->opened_from != 0 && block->stream >= flow->opened_from &&
                    block->stream <= flow->opened_to;
    if (was_seen || (block->stream % 2 == 0 && flow->side[flow->client].has_begun)) {
        call->stats->late++;
        return NULL;
    }
    struct http2_stream *stream = add(call, block->stream);
    if (stream != NULL) { /* §3.2 of RFC 7540: the stream of the request that was upgraded */
        stream->is_upgrade = block->stream == 1 && flow->side[flow->client].has_begun;
    }
    return stream;
}

static void take_response(struct http2_call *call, struct http2_block *block)
{
    struct http2_stream *stream = http2_streams_find(&call->flow->streams, block->stream);
    bool is_first = stream == NULL || stream->message[HTTP2_RESPONSE].start_ns == 0;
    uint16_t status = status_of(http2_fields_find(&block->fields, ":status"));
    unsigned class = status / 100U;
    if (is_first && class == 1 && !block->ends_stream) {
        call->stats->responses[class]++; /* the response itself is still to come (§8.1) */
        return;
    }
    if (stream == NULL) {
        stream = open_answer(call, block);
    }
    if (stream == NULL) {
        return;
    }
    struct http2_message *m = &stream->message[HTTP2_RESPONSE];
    fill(call, m, block);
    stream->lost_ns[HTTP2_RESPONSE] = 0;
    if (is_first) {
        call->stats->responses[class < HTTP2_STATUS_CLASSES ? class : 0]++;
        stream->status = status;
        learn_type(stream, m);
    }
}

void http2_talk_block(struct http2_call *call)
{
    struct http2_block *block = &side_of(call)->block;
    learn_roles(call);
    call->stats->blocks_partial += block->is_partial;
    call->stats->headers_cut += block->fields.is_cut;
    if (block->promised != 0) {
        take_promise(call, block);
    } else if (is_client(call)) {
        take_request(call, block);
    } else {
        take_response(call, block);
    }
    http2_fields_done(&block->fields, call->c->memory);
    block->is_open = false;
    if (block->ends_stream && block->promised == 0) {
        http2_talk_end(call, block->stream);
    }
}

struct http2_message *http2_talk_message(const struct http2_call *call, uint32_t id)
{
    struct http2_stream *stream = http2_streams_find(&call->flow->streams, id);
    unsigned direction = direction_of(call);
    if (stream == NULL || stream->message[direction].start_ns == 0) {
        return NULL;
    }
    stream->lost_ns[direction] = 0;
    return &stream->message[direction];
}

/* ---- What is lost ---------------------------------------------------------------------------- */

void http2_talk_lose(struct http2_call *call)
{
    struct http2_flow *flow = call->flow;
    struct http2_side *side = side_of(call);
    unsigned direction = direction_of(call);
    if (side->hpack != NULL) {
        lose_table(call);
    }
    side->is_midway = true;
    http2_fields_done(&side->block.fields, call->c->memory);
    side->block = (struct http2_block){0};
    flow->side[call->side].table_size = HTTP2_TABLE_MAX;
    if (direction == HTTP2_REQUEST) {
        flow->opened_from = 0;
    }
    for (uint32_t i = flow->streams.count; i > 0; i--) {
        struct http2_stream *stream = flow->streams.items[i - 1];
        struct http2_message *m = &stream->message[direction];
        if (!m->is_over) {
            m->is_lost = m->start_ns != 0;
            m->grpc.is_lost = true;
            stream->lost_ns[direction] = call->time_ns;
            finish_if_over(call, stream);
        }
    }
    uint64_t at = call->time_ns + (uint64_t)call->options->settings.transaction_timeout;
    if (flow->expires_ns == 0 && direction == HTTP2_RESPONSE && flow->streams.count > 0) {
        flow->expires_ns = at;
    }
}
