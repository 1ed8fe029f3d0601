// SPDX-License-Identifier: Apache-2.0
#include "engine/conversation_core.h"

#include <stdlib.h>

struct conversations *conversations_new(const struct conversation_options *options, struct err *err)
{
    struct conversations *all = calloc(1, sizeof *all);
    if (all == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    all->options = *options;
    bool is_there = conversation_pool_init(&all->pool, options->capacity,
                                           options->listeners->cache_size, options->budget);
    all->slab = slab_new_within(options->memory, options->blocks);
    const struct transaction_log_options log = {
        .outbox = options->wants_events ? options->outbox : NULL,
        .finish = options->finish,
        .text_max = options->text_max,
        .slab = all->slab,
        .wants_lines = options->wants_lines,
    };
    bool has_log = transaction_log_init(&all->log, &log);
    all->context = (struct proto_context){.memory = all->slab, .events = &all->log.events};
    if (!is_there || !has_log || all->slab == NULL) {
        err_set(err, ERR_FAILED, "cannot reserve memory for conversations; lower limits.memory");
        conversations_free(all);
        return NULL;
    }
    return all;
}

void conversations_free(struct conversations *all)
{
    if (all == NULL) {
        return;
    }
    conversation_pool_done(&all->pool);
    slab_free(all->slab);
    transaction_log_done(&all->log);
    free(all);
}

const struct conversation_stats *conversations_stats(struct conversations *all)
{
    all->stats.memory_refused = slab_refused(all->slab);
    all->stats.events_cut = all->log.events.cut;
    return &all->stats;
}

struct conversation *conversation_begin(struct conversations *all, struct flow *flow)
{
    struct conversation *c = conversation_pool_take(&all->pool, flow);
    if (c == NULL) {
        flow->flags |= FLOW_UNHEARD;
        all->stats.refused++;
        return NULL;
    }
    tcp_stream_init(&c->stream);
    flow->flags |= FLOW_HEARD;
    return c;
}

struct conversation *conversation_begin_tcp(struct conversations *all, struct flow *flow)
{
    struct conversation *c = conversation_begin(all, flow);
    for (unsigned side = 0; c != NULL && side < 2; side++) {
        if (flow->tcp_flags[side] & TCP_SYN) {
            tcp_stream_expect(&c->stream, side, flow->next_seq[side]);
        }
    }
    return c;
}

void conversation_end(struct conversations *all, struct flow *flow)
{
    struct conversation *c = conversation_pool_at(&all->pool, flow);
    tcp_stream_done(&c->stream, all->slab);
    pending_drop(&c->pending[0], all->slab);
    pending_drop(&c->pending[1], all->slab);
    slab_give(all->slab, c->state);
    all->stats.active -= c->proto != 0;
    conversation_pool_give(&all->pool, flow);
    flow->flags &= (uint8_t)~FLOW_HEARD;
}

enum proto_close conversation_reason(const struct conversation *c, const struct flow *flow)
{
    if (c->reset) {
        return PROTO_RESET;
    }
    return c->fins == 3 || flow->flags & FLOW_CLOSED ? PROTO_CLOSED : PROTO_TIMEOUT;
}

void conversation_open_log(struct conversations *all, const struct conversation_moment *moment,
                           flow_index index, struct flow *flow)
{
    const struct transaction_moment opened = {
        .of = {flow, moment->cold},
        .index = index,
        .order = moment->order,
        .now_ns = moment->now_ns,
    };
    transaction_log_open(&all->log, &opened);
}

void conversation_prefetch(const struct conversations *all, const struct flow *later,
                           const struct flow *soon)
{
    conversation_pool_prefetch(&all->pool, later, soon);
}
