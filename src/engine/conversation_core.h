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
/* Gives all memory of a conversation back. */
void conversation_end(struct conversations *all, struct flow *flow);

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
