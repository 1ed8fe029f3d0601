// SPDX-License-Identifier: Apache-2.0
/* What frames mean to streams: header blocks to requests and responses, ends and resets to events.
 * Private to the protocol. */
#pragma once

#include "proto/http2/http2_flow.h"

/* What the functions below need, gathered once a call. */
struct http2_call {
    struct proto_context *c;
    struct http2_flow *flow;
    struct http2_stats *stats;
    const struct http2_options *options;
    uint64_t time_ns;
    unsigned side; /* whose bytes they are */
};

struct http2_call http2_call_of(struct proto_context *c, unsigned side, uint64_t time_ns);

/* Bytes of a header block; `is_last` of them. */
void http2_talk_fields(struct http2_call *call, struct span data, bool is_last);

/* The header block at hand is whole. */
void http2_talk_block(struct http2_call *call);

/* The message that a frame of that stream belongs to, NULL: none that is known. */
struct http2_message *http2_talk_message(const struct http2_call *call, uint32_t stream);

/* END_STREAM. */
void http2_talk_end(struct http2_call *call, uint32_t stream);

void http2_talk_reset(struct http2_call *call, uint32_t stream, uint32_t error);
void http2_talk_goaway(struct http2_call *call, uint32_t last_stream);

/* Bytes of the side are lost, and with them where frames begin and what is in its table. */
void http2_talk_lose(struct http2_call *call);

/* The connection says no more: all that is open is reported. */
void http2_talk_give_up(struct http2_call *call, const char *reason);
