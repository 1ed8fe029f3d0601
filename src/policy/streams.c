// SPDX-License-Identifier: Apache-2.0
#include "policy/streams.h"

#include <stdlib.h>

#include "base/pages.h"

#define IDLE_NS UINT64_C(30000000000)

enum { AGE_STEP = 64, NONE = 0, REMEMBERED = 65536, SLOTS_FIRST = 64 };

/* A connection, in the index by its hash and in the list from the latest to the longest silent. Its
 * number is its place; 0 is none. */
struct connection {
    struct flow_key key;
    uint64_t hash;
    uint64_t last_ns;
    struct tcp_stream stream;
    struct {
        uint8_t *bytes; /* of a message that is not whole */
        uint32_t size;
    } rest[2];
    uint32_t next_in_slot;
    uint32_t newer, older;
    bool is_closed; /* for want of room, or over: what it still says is ignored */
};

struct streams {
    struct slab *slab;
    struct connection *connections; /* 1 .. capacity: followed and remembered */
    uint32_t *slots;
    uint32_t slot_count; /* as many as there are connections: so much memory is touched */
    uint32_t half;       /* the power of two that is not above it: slots before were not split yet */
    uint32_t limit;
    uint32_t capacity;
    uint32_t made;      /* connections that were ever in use */
    uint32_t free;      /* list of those that are free again, by next_in_slot */
    uint32_t followed;
    uint32_t newest[2], oldest[2]; /* of those followed, and of those remembered */
    struct tcp_stream_stats stats;
};

static size_t slots_size(const struct streams *s)
{
    return ((size_t)s->capacity + SLOTS_FIRST) * sizeof *s->slots;
}

struct streams *streams_new(uint32_t limit, struct slab *slab)
{
    struct streams *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    limit = limit < 1 ? 1 : limit > STREAMS_MAX ? STREAMS_MAX : limit;
    s->slab = slab;
    s->limit = limit;
    s->capacity = limit + 1 + (limit > REMEMBERED ? limit : REMEMBERED);
    s->slot_count = s->half = SLOTS_FIRST;
    s->connections = pages_reserve_sparse(((size_t)s->capacity + 1) * sizeof *s->connections);
    s->slots = pages_reserve_sparse(slots_size(s));
    if (s->connections == NULL || s->slots == NULL) {
        streams_free(s);
        return NULL;
    }
    return s;
}

static void let_go(struct streams *s, struct connection *c)
{
    tcp_stream_done(&c->stream, s->slab);
    for (unsigned side = 0; side < 2; side++) {
        slab_give(s->slab, c->rest[side].bytes);
        c->rest[side].bytes = NULL;
        c->rest[side].size = 0;
    }
}

void streams_free(struct streams *s)
{
    if (s == NULL) {
        return;
    }
    for (uint32_t i = 1; s->connections != NULL && i <= s->made; i++) {
        let_go(s, &s->connections[i]);
    }
    pages_release(s->connections, ((size_t)s->capacity + 1) * sizeof *s->connections);
    pages_release(s->slots, slots_size(s));
    free(s);
}

/* ---- Lists ---------------------------------------------------------------------------------- */

static void unlink_age(struct streams *s, uint32_t number)
{
    struct connection *c = &s->connections[number];
    uint32_t *newest = &s->newest[c->is_closed], *oldest = &s->oldest[c->is_closed];
    if (c->newer != NONE) {
        s->connections[c->newer].older = c->older;
    } else {
        *newest = c->older;
    }
    if (c->older != NONE) {
        s->connections[c->older].newer = c->newer;
    } else {
        *oldest = c->newer;
    }
}

static void link_newest(struct streams *s, uint32_t number)
{
    struct connection *c = &s->connections[number];
    uint32_t *newest = &s->newest[c->is_closed], *oldest = &s->oldest[c->is_closed];
    c->newer = NONE;
    c->older = *newest;
    if (*newest != NONE) {
        s->connections[*newest].newer = number;
    } else {
        *oldest = number;
    }
    *newest = number;
}

/* Linear hashing (Litwin, "Linear Hashing: A New Tool for File and Table Addressing", 1980): the table
 * grows by a slot at a time, and never is there a moment in which all of it is made anew. */
static uint32_t *slot_of(struct streams *s, uint64_t hash)
{
    uint32_t at = (uint32_t)(hash & (2 * s->half - 1));
    return &s->slots[at < s->slot_count ? at : at - s->half];
}

/* One more slot: what was in its other half and now belongs to it moves there. */
static void split_slot(struct streams *s)
{
    uint32_t added = s->slot_count;
    uint32_t *from = &s->slots[added - s->half], *to = &s->slots[added];
    while (*from != NONE) {
        struct connection *c = &s->connections[*from];
        if ((c->hash & (2 * s->half - 1)) == added) {
            *to = *from;
            *from = c->next_in_slot;
            to = &c->next_in_slot;
            *to = NONE;
        } else {
            from = &c->next_in_slot;
        }
    }
    s->slot_count++;
    s->half *= s->slot_count == 2 * s->half ? 2 : 1;
}

static uint32_t find(struct streams *s, const struct flow_key *key, uint64_t hash)
{
    uint32_t number = *slot_of(s, hash);
    while (number != NONE &&
           (s->connections[number].hash != hash ||
            memcmp(&s->connections[number].key, key, sizeof *key) != 0)) {
        number = s->connections[number].next_in_slot;
    }
    return number;
}

static void forget(struct streams *s, uint32_t number)
{
    struct connection *c = &s->connections[number];
    uint32_t *at = slot_of(s, c->hash);
    while (*at != number) {
        at = &s->connections[*at].next_in_slot;
    }
    *at = c->next_in_slot;
    s->followed -= !c->is_closed;
    unlink_age(s, number);
    let_go(s, c);
    c->next_in_slot = s->free;
    s->free = number;
}

/* From followed to remembered. */
static void close_connection(struct streams *s, uint32_t number)
{
    struct connection *c = &s->connections[number];
    unlink_age(s, number);
    let_go(s, c);
    c->is_closed = true;
    s->followed--;
    link_newest(s, number);
}

static uint32_t begin(struct streams *s, const struct flow_key *key, uint64_t hash)
{
    if (s->free == NONE && s->made == s->capacity) {
        forget(s, s->oldest[1] != NONE ? s->oldest[1] : s->oldest[0]);
    }
    uint32_t number = s->free;
    if (number != NONE) {
        s->free = s->connections[number].next_in_slot;
    } else {
        number = ++s->made;
        if (number > s->slot_count) {
            split_slot(s);
        }
    }
    struct connection *c = &s->connections[number];
    *c = (struct connection){.key = *key, .hash = hash, .next_in_slot = *slot_of(s, hash)};
    tcp_stream_init(&c->stream);
    *slot_of(s, hash) = number;
    s->followed++;
    link_newest(s, number);
    if (s->followed > s->limit) {
        close_connection(s, s->oldest[0]);
    }
    return number;
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* Keeps what is left of a side until more comes. False when there is no room. */
static bool keep(struct streams *s, struct connection *c, unsigned side, struct span rest)
{
    if (rest.size == 0) {
        slab_give(s->slab, c->rest[side].bytes);
        c->rest[side].bytes = NULL;
        c->rest[side].size = 0;
        return true;
    }
    if (rest.data == c->rest[side].bytes) {
        c->rest[side].size = (uint32_t)rest.size;
        return true;
    }
    uint8_t *bytes = slab_take(s->slab, rest.size);
    if (bytes == NULL) {
        return false;
    }
    memcpy(bytes, rest.data, rest.size);
    slab_give(s->slab, c->rest[side].bytes);
    c->rest[side].bytes = bytes;
    c->rest[side].size = (uint32_t)rest.size;
    return true;
}

/* What was left before and what came now, as one; empty when there is no room for it. */
static struct span join(struct streams *s, struct connection *c, unsigned side, struct span data)
{
    uint32_t before = c->rest[side].size;
    if (before == 0) {
        return data;
    }
    if (before + data.size > 2 * STREAMS_MESSAGE) {
        return span_of(NULL, 0);
    }
    uint8_t *bytes = slab_grow(s->slab, c->rest[side].bytes, before + data.size);
    if (bytes == NULL) {
        return span_of(NULL, 0);
    }
    memcpy(bytes + before, data.data, data.size);
    c->rest[side].bytes = bytes;
    c->rest[side].size = (uint32_t)(before + data.size);
    return span_of(bytes, c->rest[side].size);
}

static void deliver(struct streams *s, const struct streams_taker *taker, struct connection *c,
                    unsigned side, struct span data)
{
    if (taker->reader->frame == NULL) {
        taker->to(taker->context, data, side);
        return;
    }
    struct span left = join(s, c, side, data);
    size_t skip = 0;
    for (size_t size; left.size > 0 && (size = taker->reader->frame(left, &skip)) > 0;) {
        taker->to(taker->context, span_of(left.data + skip, size), side);
        left = span_skip(left, skip + size);
    }
    keep(s, c, side, left);
}

void streams_push(struct streams *s, const struct streams_taker *taker,
                  const struct packet *packet, const struct flow_key *key, uint64_t hash,
                  unsigned side)
{
    hash += (key->vlan[0] | (uint64_t)key->vlan[1] << 16) *
            UINT64_C(0x9e3779b97f4a7c15); /* it has none */
    uint32_t number = find(s, key, hash);
    bool opens = (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
    if (number != NONE && opens && s->connections[number].is_closed &&
        s->connections[number].last_ns != 0) {
        forget(s, number); /* the same ends, anew */
        number = NONE;
    }
    if (number == NONE) {
        number = begin(s, key, hash);
    } else {
        unlink_age(s, number);
        link_newest(s, number);
    }
    struct connection *c = &s->connections[number];
    if (c->is_closed) {
        return;
    }
    c->last_ns = packet->time_ns;
    tcp_stream_push(&c->stream, s->slab, packet, side, &s->stats);
    for (;;) {
        struct tcp_stream_piece piece = tcp_stream_next(&c->stream, s->slab, &s->stats);
        if (piece.kind == TCP_STREAM_NOTHING) {
            break;
        }
        if (piece.kind == TCP_STREAM_DATA) {
            deliver(s, taker, c, piece.side, piece.data);
        } else if (piece.kind == TCP_STREAM_GAP) {
            keep(s, c, piece.side, span_of(NULL, 0)); /* the framing is lost with the bytes */
        }
    }
}

void streams_age(struct streams *s, uint64_t now_ns)
{
    for (unsigned i = 0; i < AGE_STEP && s->oldest[0] != NONE &&
                         s->connections[s->oldest[0]].last_ns + IDLE_NS < now_ns;
         i++) {
        forget(s, s->oldest[0]);
    }
}
