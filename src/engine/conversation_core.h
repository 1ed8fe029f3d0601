// SPDX-License-Identifier: Apache-2.0
/* What a worker's conversations are, private to conversation*.c: conversation.c holds them,
 * conversation_life.c makes them and ends them. */
#pragma once

#include "engine/conversation.h"
#include "engine/conversation_pool.h"
#include "engine/transaction_log.h"

struct conversations {
    struct conversation_options options;
    struct conversation_pool pool;
    struct slab *slab;
    struct transaction_log log;
    struct proto_context context; /* of the call at hand */
    struct conversation_stats stats;
};

/* A conversation for a flow; NULL, and the flow is not asked about again, when there are as many as
 * there may be. */
struct conversation *conversation_begin(struct conversations *all, struct flow *flow);
/* The same for a TCP connection, whose stream begins behind the SYNs that were seen. */
struct conversation *conversation_begin_tcp(struct conversations *all, struct flow *flow);
/* Gives all memory of a conversation back. */
void conversation_end(struct conversations *all, struct flow *flow);

/* Why a conversation ends with its flow. */
enum proto_close conversation_reason(const struct conversation *c, const struct flow *flow);

/* Before hooks are called: events have somewhere to go. */
void conversation_open_log(struct conversations *all, const struct conversation_moment *moment,
                           flow_index index, struct flow *flow);

/* No SYN was seen. */
static inline bool conversation_is_met_midway(const struct flow *flow)
{
    return ((flow->tcp_flags[0] | flow->tcp_flags[1]) & TCP_SYN) == 0;
}

/* Nothing is pending. */
static inline bool conversation_is_fresh(const struct conversation *c)
{
    return pending_size(&c->pending[0]) == 0 && pending_size(&c->pending[1]) == 0;
}

/* A side begins: a proxy may have put a header before what it says, which is passed over once it is whole.
 * `data` is what the piece brought and becomes what is to be read of it: nothing while that cannot be told,
 * for then it is pending. False: there is no memory for that. */
bool conversation_pass_header(struct conversations *all, struct conversation *c,
                              const struct tcp_stream_piece *piece, struct span *data);
