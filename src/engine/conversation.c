// SPDX-License-Identifier: Apache-2.0
#include "engine/conversation.h"

#include <assert.h>

#include "engine/conversation_core.h"
#include "wire/proxy_header.h"

enum {
    SWITCHES_MAX = 4,   /* of one conversation, from protocol to protocol */
    TRIES_MAX = 8,      /* to tell one whose beginning was not captured whole, */
    TRIES_ANYWHERE = 4, /* of these so many where a side just goes on */
};

/* ---- One call of a hook --------------------------------------------------------------------- */

/* Everything that the small functions below need, gathered once a packet. */
struct call {
    struct conversations *all;
    const struct conversation_moment *moment;
    flow_index index;
    struct flow *flow;
    struct conversation *c;
    struct proto_context *context; /* the worker's one: to zero one costs more than all else */
};

static const struct listener *listener_of(const struct call *call)
{
    return &call->all->options.listeners->items[call->c->proto - 1];
}

static const struct proto *proto_of(const struct call *call)
{
    return listener_of(call)->proto;
}

static void set_context(struct call *call)
{
    struct proto_context *context = call->context;
    bool known = call->c->proto != 0;
    context->block = known ? call->moment->blocks + listener_of(call)->offset : NULL;
    context->settings = known ? listener_of(call)->settings : NULL;
    context->cache = known ? call->all->pool.caches + listener_of(call)->cache_at : NULL;
    context->state = call->c->state;
    context->flow = call->flow;
    context->now_ns = call->moment->now_ns;
    context->keys = call->all->options.listeners->keys;
}

/* ---- Whose it is ---------------------------------------------------------------------------- */

/* A listener's number plus 1, 0 when none can tell yet, LISTENERS_NONE when none wants it. */
static uint32_t ask(const struct call *call, struct span data, unsigned side)
{
    const struct listeners *all = call->all->options.listeners;
    const struct flow_key *key = &call->flow->key;
    if (call->c->late.is_on) {
        return late_ask(&call->c->late, all, key, data, side);
    }
    uint32_t number = listeners_ask(all, key, data, side);
    return number == LISTENERS_NONE ? listeners_refused(all, key, call->moment->blocks, data, side)
                                    : number;
}

/* Gives the conversation to a protocol; false when there is no memory for its state. */
static bool attach(struct call *call, uint32_t number)
{
    size_t size = call->all->options.listeners->items[number - 1].proto->flow_size;
    if (size > 0) {
        call->c->state = slab_take(call->all->slab, size);
        if (call->c->state == NULL) {
            return false;
        }
        memset(call->c->state, 0, size);
    }
    call->c->proto = (uint16_t)number;
    call->c->late = (struct late){0};
    call->all->stats.active++;
    set_context(call);
    for (unsigned side = 0; side < 2 && call->c->holes > 0 && proto_of(call)->on_gap != NULL; side++) {
        proto_of(call)->on_gap(call->context, side, 0);
    }
    transaction_log_pass(&call->all->log);
    return true;
}

static struct inner_world world_of(struct call *call)
{
    return (struct inner_world){
        .listeners = call->all->options.listeners,
        .slab = call->all->slab,
        .events = &call->all->log.events,
        .blocks = call->moment->blocks,
        .caches = call->all->pool.caches,
        .flow = call->flow,
        .now_ns = call->moment->now_ns,
    };
}

static void close_inner(struct call *call, enum proto_close why)
{
    if (call->c->inner != NULL) {
        struct inner_world world = world_of(call);
        inner_close(&world, call->c->inner, why);
        call->c->inner = NULL;
        transaction_log_pass(&call->all->log);
    }
}

/* The protocol has no more to say of the flow, if there is one. */
static void close_protocol(struct call *call, enum proto_close why)
{
    close_inner(call, why);
    if (call->c->proto != 0 && proto_of(call)->on_close != NULL) {
        proto_of(call)->on_close(call->context, why);
        transaction_log_pass(&call->all->log);
    }
}

static void let_go(struct call *call)
{
    close_protocol(call, PROTO_CLOSED);
    call->all->stats.let_go += call->c->proto != 0;
    conversation_end(call->all, call->flow);
    call->flow->flags |= FLOW_UNHEARD;
    call->c = NULL;
}

static void drop_pending(struct call *call)
{
    pending_drop(&call->c->pending[0], call->all->slab);
    pending_drop(&call->c->pending[1], call->all->slab);
}

/* No protocol wants what was said, but one may begin later. */
static void pass_by(struct call *call)
{
    struct conversation *c = call->c;
    bool is_over =
        c->late.is_on ? late_is_over(&c->late) : call->all->options.listeners->begins_late == 0;
    if (is_over) {
        let_go(call);
        return;
    }
    c->late.is_on = true;
    c->holes = 0; /* they are others' */
    drop_pending(call);
}

/* ---- Bytes of a connection ------------------------------------------------------------------ */

static bool keep(struct call *call, unsigned side, struct span data, uint64_t time_ns)
{
    return pending_keep(&call->c->pending[side], call->all->slab, data, time_ns);
}

static void switch_protocol(struct call *call);

/* One call of on_chunk; what came out of it goes inward. */
static struct proto_taken offer(struct call *call, const struct proto_chunk *chunk)
{
    struct proto_taken taken = proto_of(call)->on_chunk(call->context, chunk);
    assert(taken.consumed <= chunk->data.size);
    transaction_log_pass(&call->all->log);
    if (taken.plain.size > 0) {
        struct inner_world world = world_of(call);
        world.agreed = taken.agreed;
        struct proto_chunk within = {
            .data = taken.plain, .side = chunk->side, .time_ns = chunk->time_ns};
        inner_feed(&world, &call->c->inner, &within);
        transaction_log_pass(&call->all->log);
    }
    return taken;
}

/* Offers a protocol all of a chunk; what it does not take is left in it, and kept, if it is not kept
 * already. Whether that waits for a key. */
static bool feed_chunk(struct call *call, struct proto_chunk *chunk, bool is_kept)
{
    struct pending *p = &call->c->pending[chunk->side];
    bool is_all = chunk->data.size >= pending_size(p);
    size_t consumed = 0;
    struct proto_taken taken;
    do {
        taken = offer(call, chunk);
        consumed += taken.consumed;
        chunk->data = span_skip(chunk->data, taken.consumed);
    } while (taken.plain.size > 0 && taken.verdict == PROTO_GOES_ON && chunk->data.size > 0);
    if (is_kept) {
        pending_consume(p, call->all->slab, consumed);
    }
    is_kept = is_kept || chunk->data.size == 0 || keep(call, chunk->side, chunk->data, chunk->time_ns);
    if (taken.verdict == PROTO_NOT_MINE || !is_kept) {
        let_go(call);
    } else if (taken.verdict == PROTO_SWITCHED) {
        switch_protocol(call);
    } else if (taken.waits) {
        pending_await(p, call->all->slab, chunk->time_ns);
        return true;
    } else if (is_all) {
        pending_settle(p, call->all->slab);
    }
    return false;
}

/* Offers a protocol bytes of a side; those that it leaves are kept for the next time. */
static void feed(struct call *call, unsigned side, struct span data, uint64_t time_ns)
{
    struct pending *p = &call->c->pending[side];
    bool from_pending = pending_size(p) > 0;
    if (from_pending && data.size > 0 && !keep(call, side, data, time_ns)) {
        let_go(call);
        return;
    }
    struct proto_chunk chunk = {
        .data = from_pending ? pending_data(p) : data,
        .side = (uint8_t)side,
        .time_ns = time_ns,
    };
    (void)feed_chunk(call, &chunk, from_pending);
}

/* Bytes that are pending, but for what may be a proxy's header. */
static size_t unread(const struct conversation *c, unsigned side)
{
    return c->begun & 1U << side ? pending_size(&c->pending[side]) : 0;
}

/* What is pending is read now, as of when it was said, the initiator's words first. */
static void catch_up(struct call *call)
{
    for (unsigned side = 0; side < 2 && call->c != NULL; side++) {
        if (call->c->proto != 0 && unread(call->c, side) > 0) { /* it may have switched */
            feed(call, side, span_of(NULL, 0), pending_since(&call->c->pending[side]));
        }
    }
}

/* Asks anew about what is pending, the initiator's words first. */
static void identify_pending(struct call *call)
{
    for (unsigned side = 0; side < 2; side++) {
        struct span data = pending_data(&call->c->pending[side]);
        uint32_t number = unread(call->c, side) > 0 ? ask(call, data, side) : 0;
        if (number == LISTENERS_NONE) {
            pass_by(call);
            return;
        }
        if (number != 0 && !attach(call, number)) {
            let_go(call);
            return;
        }
        if (number != 0) {
            catch_up(call);
            return;
        }
    }
}

/* The connection goes on with another protocol; what is pending is the first of it. */
static void switch_protocol(struct call *call)
{
    if (call->c->switches == SWITCHES_MAX) {
        let_go(call);
        return;
    }
    close_protocol(call, PROTO_CLOSED);
    slab_give(call->all->slab, call->c->state);
    call->all->stats.active--;
    call->c->state = NULL;
    call->c->proto = 0;
    call->c->switches++;
    set_context(call);
    identify_pending(call);
}

/* What waits is offered again, for the secret that it waits for may have come, or for the first time to the
 * protocol that it turned out to be: as it was said, in its order and as of its time, up to where it has to
 * go on waiting. */
static void try_again(struct call *call)
{
    uint32_t tried[2] = {0};
    unsigned side;
    while (call->c != NULL && call->c->proto != 0 &&
           (side = pending_next(call->c->pending, tried, call->c->first)) < 2) {
        struct pending *p = &call->c->pending[side];
        const struct pending_mark *mark = pending_mark(p, tried[side]);
        uint32_t marks = pending_marks(p);
        struct proto_chunk chunk = {
            .data = span_head(pending_data(p), mark->end),
            .side = (uint8_t)side,
            .time_ns = mark->time_ns,
        };
        bool waits = feed_chunk(call, &chunk, true);
        tried[side] = waits ? UINT32_MAX : tried[side] + 1 - (marks - pending_marks(p));
    }
}

/* What was said is not to be understood. Where there was a hole before, or the connection was met in the
 * middle of something, what comes later may be: the beginning of a connection tells best what it is, but
 * is not all that does. */
static void pass_over(struct call *call)
{
    struct conversation *c = call->c;
    if (c->late.is_on || (c->holes == 0 && !conversation_is_met_midway(call->flow)) ||
        c->holes == TRIES_MAX) {
        pass_by(call);
        return;
    }
    c->holes++;
    drop_pending(call);
}

/* Bytes of a connection whose protocol is not known yet: they are kept until one says yes, with the times
 * when they came. Mostly the first bytes tell, and nothing has to be kept. Of the same time who spoke first is
 * read first: in a connection that is met in its middle it need not be who is taken for its initiator.
 * What was passed over may be long, and have an end only where the other side speaks. */
static void identify(struct call *call, unsigned side, struct span data, uint64_t time_ns)
{
    struct pending *p = &call->c->pending[side];
    bool fresh = conversation_is_fresh(call->c);
    if (fresh && call->c->holes >= TRIES_ANYWHERE && side == call->c->first) {
        return;
    }
    uint32_t number = fresh ? ask(call, data, side) : 0;
    bool keeps = number == 0;
    if (fresh) {
        call->c->first = (uint8_t)side;
    }
    bool fits = !keeps || keep(call, side, data, time_ns);
    if (keeps) {
        pending_await(p, call->all->slab, time_ns);
    }
    if (fits && keeps && !fresh) {
        number = ask(call, pending_data(p), side);
    }
    if (number == LISTENERS_NONE) {
        pass_over(call);
        if (!fresh && call->c != NULL) {
            identify(call, side, data, time_ns); /* without what was before */
        }
    } else if (!fits || (number != 0 && !attach(call, number))) {
        let_go(call);
    } else if (number != 0 && keeps) {
        try_again(call);
    } else if (number != 0) {
        feed(call, side, data, time_ns);
    }
}

/* The first words of a side, and what goes on where that may still be a proxy's header: returns what is to be
 * read of them. */
static __attribute__((noinline)) struct span first_words(struct call *call,
                                                         const struct tcp_stream_piece *piece)
{
    struct span data = piece->data;
    const struct pending *held = &call->c->pending[piece->side];
    if (!conversation_pass_header(call->all, call->c, piece, &data)) {
        let_go(call);
    } else if (data.size > 0 && call->c->proto != 0 && pending_size(held) > 0) {
        feed(call, piece->side, span_of(NULL, 0), pending_since(held));
    }
    return data;
}

static void take_data(struct call *call, const struct tcp_stream_piece *piece)
{
    struct span data = piece->data;
    if (!(call->c->begun & 1U << piece->side)) {
        data = first_words(call, piece);
        if (call->c == NULL || data.size == 0) {
            return;
        }
    }
    if (call->c->proto != 0) {
        feed(call, piece->side, data, piece->time_ns);
    } else {
        late_hear(&call->c->late, piece->side);
        identify(call, piece->side, data, piece->time_ns);
        if (call->c != NULL) {
            late_count(&call->c->late, data.size);
        }
    }
}

static void take_gap(struct call *call, unsigned side, uint32_t length)
{
    call->c->begun |= (uint8_t)(1U << side);
    pending_drop(&call->c->pending[side], call->all->slab);
    if (call->c->proto == 0) {
        call->c->holes = call->c->holes > 0 ? call->c->holes : 1;
        late_miss(&call->c->late);
        pass_over(call);
        return;
    }
    if (proto_of(call)->on_gap != NULL) {
        proto_of(call)->on_gap(call->context, side, length);
        transaction_log_pass(&call->all->log);
    }
}

static void take_fin(struct call *call, unsigned side)
{
    call->c->fins |= (uint8_t)(1U << side);
    if (call->c->proto != 0 && proto_of(call)->on_fin != NULL) {
        proto_of(call)->on_fin(call->context, side);
        transaction_log_pass(&call->all->log);
    }
    if (call->c->inner != NULL && pending_size(&call->c->pending[side]) == 0) {
        struct inner_world world = world_of(call);
        inner_fin(&world, call->c->inner, side);
        transaction_log_pass(&call->all->log);
    }
}

static void take_piece(struct call *call, const struct tcp_stream_piece *piece)
{
    switch (piece->kind) {
    case TCP_STREAM_DATA:
        try_again(call);
        if (call->c != NULL) {
            take_data(call, piece);
        }
        break;
    case TCP_STREAM_GAP:
        take_gap(call, piece->side, piece->length);
        break;
    case TCP_STREAM_END:
        take_fin(call, piece->side);
        break;
    case TCP_STREAM_RESET:
        call->c->reset = true;
        break;
    case TCP_STREAM_NOTHING:
        break;
    }
}

static void take_pieces(struct call *call)
{
    while (call->c != NULL && !tcp_stream_is_idle(&call->c->stream)) {
        struct tcp_stream_piece piece =
            tcp_stream_next(&call->c->stream, call->all->slab, &call->all->stats.streams);
        take_piece(call, &piece);
    }
}

/* ---- Calls ---------------------------------------------------------------------------------- */

static struct call call_of(struct conversations *all, const struct conversation_moment *moment,
                           flow_index index, struct flow *flow)
{
    return (struct call){
        .all = all,
        .moment = moment,
        .index = index,
        .flow = flow,
        .c = flow->flags & FLOW_HEARD ? conversation_pool_at(&all->pool, flow) : NULL,
        .context = &all->context,
    };
}

static void open_log(struct call *call)
{
    conversation_open_log(call->all, call->moment, call->index, call->flow);
}

/* ---- Segments ------------------------------------------------------------------------------- */

static void take_tcp(struct call *call, const struct packet *packet, unsigned side)
{
    if (call->c == NULL && packet->payload_len > 0) { /* it is worth one once it says something */
        call->c = conversation_begin_tcp(call->all, call->flow);
    }
    if (call->c == NULL) {
        return;
    }
    tcp_stream_push(&call->c->stream, call->all->slab, packet, side, &call->all->stats.streams);
    tcp_stream_age(&call->c->stream, call->moment->now_ns);
    if (tcp_stream_is_idle(&call->c->stream)) {
        return; /* as after most acknowledgements */
    }
    open_log(call);
    set_context(call);
    take_pieces(call);
}

/* ---- Datagrams ------------------------------------------------------------------------------ */

/* A conversation of a protocol that is known from the first packet; false when there is no room. */
static bool begin_with(struct call *call, uint32_t number)
{
    call->c = conversation_begin(call->all, call->flow);
    if (call->c == NULL) {
        return false;
    }
    if (!attach(call, number)) {
        let_go(call);
        return false;
    }
    return true;
}

static void take_datagram(struct call *call, const struct packet *packet, unsigned side)
{
    set_context(call);
    proto_of(call)->on_datagram(call->context, packet, side);
    transaction_log_pass(&call->all->log);
}

/* Datagrams of fewer bytes are no protocol's: they keep a way through a NAT open (RFC 5626 §3.5.1 and
 * many more), and tell nothing of what a flow is. */
enum { DATAGRAM_LEAST = 8 };

static void take_udp(struct call *call, const struct packet *packet, unsigned side)
{
    struct packet behind;
    packet = proxy_header_passed(packet, &behind);
    call->all->stats.proxy_headers += packet == &behind;
    if (packet->payload_len < (call->c == NULL ? DATAGRAM_LEAST : 1)) {
        return;
    }
    open_log(call);
    if (call->c == NULL) {
        uint32_t number = listeners_ask_datagram(call->all->options.listeners, call->flow,
                                                 packet_payload(packet), side);
        call->flow->flags |= number == LISTENERS_NONE ? FLOW_UNHEARD : 0;
        if (number == 0 || number == LISTENERS_NONE || !begin_with(call, number)) {
            return;
        }
    }
    take_datagram(call, packet, side);
}

/* ICMP needs no probe: there is one protocol that reads it. */
static void take_icmp(struct call *call, const struct packet *packet, unsigned side)
{
    const struct listeners *listeners = call->all->options.listeners;
    open_log(call);
    if (call->c != NULL || begin_with(call, (uint32_t)(listeners->icmp - listeners->items) + 1)) {
        take_datagram(call, packet, side);
    }
}

/* ---- The door ------------------------------------------------------------------------------- */

void conversation_packet(struct conversations *all, const struct conversation_moment *moment,
                         flow_index index, struct flow *flow, const struct packet *packet,
                         unsigned side)
{
    if (flow->flags & FLOW_UNHEARD || packet->l4 == NULL) {
        return;
    }
    struct call call = call_of(all, moment, index, flow);
    const struct listeners *listeners = all->options.listeners;
    if (packet->class == PACKET_TCP && listeners->has_tcp) {
        take_tcp(&call, packet, side);
    } else if (packet->class == PACKET_UDP && listeners->has_udp && packet->payload_len > 0) {
        take_udp(&call, packet, side);
    } else if ((packet->class == PACKET_ICMP || packet->class == PACKET_ICMPV6) &&
               listeners->icmp != NULL) {
        take_icmp(&call, packet, side);
    }
}

/* Time has come to `until_ns`. */
static void go_on(struct call *call, uint64_t until_ns)
{
    open_log(call);
    set_context(call);
    tcp_stream_age(&call->c->stream, until_ns);
    take_pieces(call);
    try_again(call);
}

void conversation_age(struct conversations *all, const struct conversation_moment *moment,
                      flow_index index, struct flow *flow)
{
    struct call call = call_of(all, moment, index, flow);
    if (call.c != NULL) {
        go_on(&call, moment->now_ns);
    }
}

void conversation_close(struct conversations *all, const struct conversation_moment *moment,
                        flow_index index, struct flow *flow)
{
    struct call call = call_of(all, moment, index, flow);
    if (call.c != NULL) {
        go_on(&call, UINT64_MAX);
    }
    if (call.c != NULL) {
        close_protocol(&call, conversation_reason(call.c, flow));
        conversation_end(all, flow);
    }
}
