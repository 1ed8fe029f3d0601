// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_flow.h"

#include "base/cursor.h"
#include "proto/http2/http2_talk.h"

enum { SETTING_TABLE_SIZE = 1 };

/* ---- Frames ---------------------------------------------------------------------------------- */

static void begin_block(struct http2_call *call, const struct http2_frame *f)
{
    struct http2_side *side = &call->flow->side[call->side];
    struct http2_block *block = &side->block;
    if (f->type == HTTP2_CONTINUATION) {
        block->bytes += HTTP2_HEADER + f->length;
        block->is_partial = block->is_partial || !block->is_open; /* its begin was not seen */
        return;
    }
    *block = (struct http2_block){
        .start_ns = side->frame_ns != 0 ? side->frame_ns : call->time_ns,
        .stream = f->stream,
        .promised = f->type == HTTP2_PUSH_PROMISE ? f->value : 0,
        .bytes = HTTP2_HEADER + f->length,
        .ends_stream = f->type == HTTP2_HEADERS && f->flags & HTTP2_END_STREAM,
        .is_open = true,
    };
}

static void take_data_head(struct http2_call *call, const struct http2_frame *f)
{
    struct http2_message *m = http2_talk_message(call, f->stream);
    if (m == NULL) {
        call->stats->late++;
        return;
    }
    m->bytes += HTTP2_HEADER + f->length;
}

static void take_head(struct http2_call *call)
{
    struct http2_side *side = &call->flow->side[call->side];
    const struct http2_frame *f = &side->parser.frame;
    call->stats->frames[f->type < HTTP2_TYPES ? f->type : HTTP2_TYPES]++;
    if (!side->has_spoken) { /* §3.4: a side's first frame is SETTINGS */
        side->has_spoken = true;
        side->is_midway = f->type != HTTP2_SETTINGS || f->flags & HTTP2_ACK;
    }
    switch (f->type) {
    case HTTP2_HEADERS:
    case HTTP2_PUSH_PROMISE:
    case HTTP2_CONTINUATION:
        begin_block(call, f);
        break;
    case HTTP2_DATA:
        take_data_head(call, f);
        break;
    case HTTP2_RST_STREAM:
        http2_talk_reset(call, f->stream, f->value);
        break;
    case HTTP2_GOAWAY:
        http2_talk_goaway(call, f->value);
        break;
    default:
        break;
    }
    side->setting_size = 0;
    side->frame_ns = 0;
}

/* A setting is two bytes that name it, and four of value (§6.5.1). */
static void take_settings(struct http2_side *side, struct span data)
{
    while (data.size > 0) {
        side->setting[side->setting_size++] = *data.data;
        data = span_skip(data, 1);
        if (side->setting_size == sizeof side->setting) {
            side->setting_size = 0;
            if (load_be16(side->setting) == SETTING_TABLE_SIZE) {
                side->table_size = load_be32(side->setting + 2);
            }
        }
    }
}

static void take_data(struct http2_call *call, const struct http2_frame *f, struct span data)
{
    struct http2_message *m = http2_talk_message(call, f->stream);
    if (m != NULL) {
        m->body_bytes += data.size;
        m->end_ns = call->time_ns;
        http2_grpc_take(&m->grpc, data);
    }
}

/* A piece of a header block; of one without an end no more than so much is unpacked. */
static void take_fragment(struct http2_call *call, struct span data, bool is_last)
{
    struct http2_block *block = &call->flow->side[call->side].block;
    if (block->is_open && block->bytes <= HTTP2_BLOCK_MAX) {
        http2_talk_fields(call, data, is_last);
    } else if (block->is_open) {
        block->is_open = false;
        call->stats->headers_cut++;
    }
}

static void take_body(struct http2_call *call, struct span data)
{
    struct http2_side *side = &call->flow->side[call->side];
    switch (side->parser.frame.type) {
    case HTTP2_DATA:
        take_data(call, &side->parser.frame, data);
        break;
    case HTTP2_HEADERS:
    case HTTP2_PUSH_PROMISE:
    case HTTP2_CONTINUATION:
        take_fragment(call, data, false);
        break;
    case HTTP2_SETTINGS:
        take_settings(side, data);
        break;
    default:
        break;
    }
}

/* The last frame of a header block is over. A block that was not unpacked to its end leaves a table that
 * is not what the sender's is. */
static void end_block(struct http2_call *call)
{
    struct http2_side *side = &call->flow->side[call->side];
    take_fragment(call, span_str(""), true);
    if (side->block.is_open) {
        http2_talk_block(call);
    } else {
        http2_talk_lose(call);
    }
}

static void take_end(struct http2_call *call)
{
    const struct http2_frame f = call->flow->side[call->side].parser.frame;
    bool is_block = f.type == HTTP2_HEADERS || f.type == HTTP2_PUSH_PROMISE ||
                    f.type == HTTP2_CONTINUATION;
    if (is_block && f.flags & HTTP2_END_HEADERS) {
        end_block(call);
    } else if (f.type == HTTP2_DATA && f.flags & HTTP2_END_STREAM) {
        http2_talk_end(call, f.stream);
    }
}

static void take_piece(struct http2_call *call, enum http2_kind kind, struct span data)
{
    struct http2_side *side = &call->flow->side[call->side];
    switch (kind) {
    case HTTP2_BEGUN:
        call->flow->is_known = true;
        call->flow->client = call->side & 1;
        side->has_begun = true;
        side->frame_ns = 0;
        break;
    case HTTP2_HEAD:
        take_head(call);
        break;
    case HTTP2_BODY:
        take_body(call, data);
        break;
    case HTTP2_END:
        take_end(call);
        break;
    case HTTP2_BROKEN:
        call->stats->malformed++;
        http2_talk_lose(call);
        side->frame_ns = 0;
        break;
    case HTTP2_JUNK:
        call->stats->skipped_bytes += data.size;
        side->frame_ns = 0;
        break;
    case HTTP2_PADDING:
    case HTTP2_MORE:
        break;
    }
}

/* ---- Hooks ----------------------------------------------------------------------------------- */

struct proto_taken http2_flow_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct http2_call call = http2_call_of(c, chunk->side, chunk->time_ns);
    struct http2_side *side = &call.flow->side[chunk->side];
    struct proto_taken taken = {.verdict = PROTO_GOES_ON};
    for (;;) { /* each turn takes bytes, or moves to a phase that does */
        struct span rest = span_skip(chunk->data, taken.consumed);
        struct http2_piece piece = http2_parser_next(&side->parser, rest);
        take_piece(&call, piece.kind, span_head(rest, piece.size));
        taken.consumed += piece.size;
        bool spoken = call.flow->side[0].has_spoken || call.flow->side[1].has_spoken;
        if (piece.kind == HTTP2_BROKEN && !spoken) {
            taken.verdict = PROTO_NOT_MINE;
            return taken;
        }
        if (piece.kind == HTTP2_MORE) {
            if (rest.size > 0 && side->frame_ns == 0) {
                side->frame_ns = chunk->time_ns;
            }
            return taken;
        }
    }
}

void http2_flow_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct http2_call call = http2_call_of(c, side, c->now_ns);
    struct http2_side *s = &call.flow->side[side];
    struct http2_message *m = NULL;
    uint32_t body;
    call.stats->gaps++;
    call.stats->gap_bytes += length;
    s->frame_ns = 0;
    if (!http2_parser_gap(&s->parser, length, &body)) {
        http2_talk_lose(&call);
        return;
    }
    if (s->parser.frame.type == HTTP2_DATA) {
        m = http2_talk_message(&call, s->parser.frame.stream);
    } else if (s->parser.frame.type == HTTP2_SETTINGS) {
        s->table_size = HTTP2_TABLE_MAX; /* what it says now is not known: what it may say at most */
    }
    if (m != NULL) {
        m->body_bytes += body;
        m->is_lost = true;
        m->grpc.is_lost = true;
        m->end_ns = c->now_ns;
    }
    struct proto_chunk nothing = {.data = span_str(""), .side = (uint8_t)side, .time_ns = c->now_ns};
    (void)http2_flow_chunk(c, &nothing);
}

void http2_flow_fin(struct proto_context *c, unsigned side)
{
    struct http2_call call = http2_call_of(c, side, c->now_ns);
    if (call.flow->is_known && side != call.flow->client) {
        http2_talk_give_up(&call, "closed");
    }
}

void http2_flow_close(struct proto_context *c, enum proto_close why)
{
    struct http2_call call = http2_call_of(c, 0, c->now_ns);
    http2_talk_give_up(&call, proto_close_reason(why));
    for (unsigned i = 0; i < 2; i++) {
        http2_hpack_free(c->memory, call.flow->side[i].hpack);
        http2_fields_done(&call.flow->side[i].block.fields, c->memory);
    }
}
