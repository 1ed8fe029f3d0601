// SPDX-License-Identifier: Apache-2.0
#include "engine/inner.h"

#include <assert.h>

#include "engine/pending.h"

enum {
    SWITCHES_MAX = 4,
};

struct inner {
    struct pending pending[2];
    void *state;
    uint16_t proto; /* its listener's number plus 1; 0: not known yet */
    uint8_t switches;
    bool is_deaf; /* nobody wants it */
};

static const struct listener *listener_of(const struct inner_world *w, const struct inner *inner)
{
    return &w->listeners->items[inner->proto - 1];
}

static struct proto_context context_of(const struct inner_world *w, const struct inner *inner)
{
    const struct listener *listener = listener_of(w, inner);
    return (struct proto_context){
        .block = w->blocks + listener->offset,
        .state = inner->state,
        .flow = w->flow,
        .memory = w->slab,
        .events = w->events,
        .now_ns = w->now_ns,
        .settings = listener->settings,
        .cache = w->caches + listener->cache_at,
        .is_sealed = true,
    };
}

/* The protocol has no more to say, if there is one. */
static void leave(const struct inner_world *w, struct inner *inner, enum proto_close why)
{
    if (inner->proto != 0 && listener_of(w, inner)->proto->on_close != NULL) {
        struct proto_context context = context_of(w, inner);
        listener_of(w, inner)->proto->on_close(&context, why);
    }
    slab_give(w->slab, inner->state);
    inner->state = NULL;
    inner->proto = 0;
}

static void go_deaf(const struct inner_world *w, struct inner *inner)
{
    leave(w, inner, PROTO_CLOSED);
    pending_drop(&inner->pending[0], w->slab);
    pending_drop(&inner->pending[1], w->slab);
    inner->is_deaf = true;
}

/* Gives it to a protocol; false when there is no memory for its state. */
static bool attach(const struct inner_world *w, struct inner *inner, uint32_t number)
{
    size_t size = w->listeners->items[number - 1].proto->flow_size;
    inner->state = size > 0 ? slab_take(w->slab, size) : NULL;
    if (size > 0 && inner->state == NULL) {
        return false;
    }
    if (size > 0) {
        memset(inner->state, 0, size);
    }
    inner->proto = (uint16_t)number;
    return true;
}

/* Offers the protocol what is pending of a side. */
static void offer(const struct inner_world *w, struct inner *inner, unsigned side, uint64_t time_ns)
{
    struct pending *p = &inner->pending[side];
    struct proto_chunk chunk = {
        .data = pending_data(p), .side = (uint8_t)side, .time_ns = time_ns};
    struct proto_context context = context_of(w, inner);
    struct proto_taken taken = listener_of(w, inner)->proto->on_chunk(&context, &chunk);
    assert(taken.consumed <= chunk.data.size);
    pending_consume(p, w->slab, taken.consumed);
    if (taken.verdict == PROTO_NOT_MINE ||
        (taken.verdict == PROTO_SWITCHED && inner->switches++ == SWITCHES_MAX)) {
        go_deaf(w, inner);
    } else if (taken.verdict == PROTO_SWITCHED) {
        leave(w, inner, PROTO_CLOSED);
    }
}

/* Asks whose it is by what is pending of a side. */
static void identify(const struct inner_world *w, struct inner *inner, unsigned side)
{
    struct span data = pending_data(&inner->pending[side]);
    const struct proto_chunk chunk = {.data = data, .side = (uint8_t)side};
    uint32_t number = inner->switches == 0
                          ? listeners_agreed(w->listeners, &w->flow->key, w->agreed, &chunk)
                          : 0;
    number = number != 0 ? number : listeners_ask(w->listeners, &w->flow->key, data, side);
    if (number == LISTENERS_NONE || (number != 0 && !attach(w, inner, number))) {
        go_deaf(w, inner);
    }
}

/* Everything that is pending goes to the protocol once it is known, the initiator's words first; when
 * it has switched, the next one is asked for. */
static void read_on(const struct inner_world *w, struct inner *inner, unsigned side,
                    uint64_t time_ns)
{
    bool was_known = inner->proto != 0;
    for (unsigned round = 0; round <= SWITCHES_MAX && !inner->is_deaf; round++) {
        if (inner->proto == 0 && pending_size(&inner->pending[side]) > 0) {
            identify(w, inner, side);
        }
        if (inner->proto == 0) {
            return;
        }
        for (unsigned i = 0; i < 2 && inner->proto != 0; i++) {
            if (pending_size(&inner->pending[i]) > 0 && (i == side || !was_known)) {
                offer(w, inner, i, time_ns);
            }
        }
        if (inner->proto != 0) {
            return;
        }
        was_known = false;
    }
}

void inner_feed(const struct inner_world *world, struct inner **inner,
                const struct proto_chunk *chunk)
{
    if (*inner == NULL) {
        *inner = slab_take(world->slab, sizeof **inner);
        if (*inner == NULL) {
            return;
        }
        **inner = (struct inner){.proto = 0};
    }
    if ((*inner)->is_deaf) {
        return;
    }
    if (!pending_keep(&(*inner)->pending[chunk->side], world->slab, chunk->data,
                      chunk->time_ns)) {
        go_deaf(world, *inner);
        return;
    }
    read_on(world, *inner, chunk->side, chunk->time_ns);
}

void inner_fin(const struct inner_world *world, struct inner *inner, unsigned side)
{
    if (inner != NULL && inner->proto != 0 && listener_of(world, inner)->proto->on_fin != NULL) {
        struct proto_context context = context_of(world, inner);
        listener_of(world, inner)->proto->on_fin(&context, side);
    }
}

void inner_close(const struct inner_world *world, struct inner *inner, enum proto_close why)
{
    if (inner != NULL) {
        leave(world, inner, why);
        go_deaf(world, inner);
        slab_give(world->slab, inner);
    }
}
