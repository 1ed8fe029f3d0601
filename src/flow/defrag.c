// SPDX-License-Identifier: Apache-2.0
#include "flow/defrag.h"

#include "flow/defrag_store.h"

#include <netinet/in.h>
#include <netinet/ip6.h>
#include <stddef.h>
#include <stdlib.h>

enum { IPV4_SIZE = 20, IPV6_SIZE = 40, IPV6_FRAGMENT_SIZE = 8 };

_Static_assert(DEFRAG_STORE_MAC + DEFRAG_STORE_OUTER + DEFRAG_STORE_HEADERS + UINT16_MAX <=
                   DEFRAG_DATAGRAM_MAX, "all that a record and its bytes can be");

struct defrag {
    struct defrag_store store;
    uint64_t timeout_ns;
    bool room_wanted; /* the next datagram that goes is one too many */
    struct defrag_stats stats;
};

struct defrag *defrag_new(const struct defrag_options *options, struct err *err)
{
    struct defrag *d = calloc(1, sizeof *d);
    if (d == NULL) {
        err_set(err, ERR_FAILED, "out of memory for fragments");
        return NULL;
    }
    d->timeout_ns = options->timeout_ns != 0 ? options->timeout_ns : DEFRAG_TIMEOUT_NS;
    uint64_t memory = options->memory < DEFRAG_MEMORY_MIN ? DEFRAG_MEMORY_MIN : options->memory;
    if (!defrag_store_init(&d->store, memory, options->seed, err)) {
        free(d);
        return NULL;
    }
    return d;
}

void defrag_free(struct defrag *d)
{
    if (d != NULL) {
        defrag_store_done(&d->store);
        free(d);
    }
}

/* ---- Pieces -------------------------------------------------------------------------------- */

static struct defrag_key key_of(const struct packet *p)
{
    struct defrag_key key = {
        .id = p->fragment_id,
        .tunnel_id = p->tunnel_id,
        .vlan = {p->vlan[0], p->vlan[1]},
        .protocol = p->version == 4 ? p->protocol : 0,
        .version = p->version,
        .tunnel = p->tunnel,
    };
    size_t size = p->version == 4 ? 4 : 16;
    memcpy(key.address[0], packet_source_ip(p), size);
    memcpy(key.address[1], packet_destination_ip(p), size);
    return key;
}

static struct defrag_piece piece_of(const struct packet *p)
{
    uint32_t captured = (uint32_t)(p->end - p->l4);
    return (struct defrag_piece){
        .bytes = p->l4,
        .offset = p->fragment_offset,
        .size = p->payload_len,
        .captured = captured < p->payload_len ? captured : p->payload_len,
    };
}

/* The part [from, to) of a piece, which covers it. */
static struct defrag_piece part_of(const struct defrag_piece *whole, uint32_t from, uint32_t to)
{
    uint32_t skip = from - whole->offset;
    uint32_t captured = whole->captured > skip ? whole->captured - skip : 0;
    return (struct defrag_piece){
        .bytes = whole->bytes + (captured > 0 ? skip : 0),
        .offset = from,
        .size = to - from,
        .captured = captured < to - from ? captured : to - from,
    };
}

static uint32_t end_of(const struct defrag_chunk *piece)
{
    return (uint32_t)piece->offset + piece->size;
}

enum fit { FIT_NEW, FIT_DUPLICATE, FIT_OVERLAP };

/* How a piece lies to those that are there. `ret_previous`: the last one that ends before it. */
static enum fit fit_of(const struct defrag_store *store, const struct defrag_datagram *g,
                       const struct defrag_piece *piece, uint32_t *ret_previous)
{
    uint32_t end = piece->offset + piece->size;
    uint32_t last = g->last_piece;
    if (last != 0 && end_of(&store->chunks[last]) <= piece->offset) {
        *ret_previous = last; /* in order: the common case */
        return FIT_NEW;
    }
    *ret_previous = 0;
    for (uint32_t i = g->pieces; i != 0; i = store->chunks[i].next_piece) {
        const struct defrag_chunk *there = &store->chunks[i];
        if (there->offset >= end) {
            break;
        }
        if (there->offset == piece->offset && there->size == piece->size) {
            return FIT_DUPLICATE;
        }
        if (end_of(there) > piece->offset) {
            return FIT_OVERLAP;
        }
        *ret_previous = i;
    }
    return FIT_NEW;
}

/* Keeps of a piece what is missing; `previous` is the last one that ends before it. */
static void fill_holes(struct defrag_store *store, struct defrag_datagram *g,
                       const struct defrag_piece *piece, uint32_t previous)
{
    uint32_t end = piece->offset + piece->size;
    uint32_t at = piece->offset;
    uint32_t next = previous != 0 ? store->chunks[previous].next_piece : g->pieces;
    while (at < end && g->piece_count < DEFRAG_PIECES_MAX) {
        uint32_t hole_end = end;
        if (next != 0 && store->chunks[next].offset < end) {
            hole_end = store->chunks[next].offset;
        }
        if (hole_end > at) {
            struct defrag_piece part = part_of(piece, at, hole_end);
            defrag_store_insert(store, g, previous, &part);
        }
        if (next == 0 || hole_end == end) {
            return;
        }
        at = end_of(&store->chunks[next]);
        previous = next;
        next = store->chunks[next].next_piece;
    }
}

/* ---- Pushing ------------------------------------------------------------------------------- */

/* The place of the field that names the fragment header, which ends these IPv6 headers; 0: none. */
static size_t fragment_name(const uint8_t *headers, size_t size)
{
    size_t name = offsetof(struct ip6_hdr, ip6_nxt);
    size_t at = IPV6_SIZE;
    while (at + IPV6_FRAGMENT_SIZE < size && headers[name] != IPPROTO_FRAGMENT) {
        size_t length = headers[at + 1];
        length = headers[name] == IPPROTO_AH ? (length + 2) * 4 : (length + 1) * 8;
        name = at;
        at += length;
    }
    return at + IPV6_FRAGMENT_SIZE == size && headers[name] == IPPROTO_FRAGMENT ? name : 0;
}

/* Whether the length field of a whole datagram can tell its size; that of IPv6 does not count the
 * fixed header. */
static bool fits_length(uint8_t version, size_t headers, uint32_t payload)
{
    if (version == 6) {
        headers -= IPV6_SIZE + IPV6_FRAGMENT_SIZE;
    }
    return headers + payload <= UINT16_MAX;
}

/* All but the last fragment are multiples of 8 bytes, and none ends beyond what a datagram can be
 * (RFC 791 §3.2, RFC 8200 §4.5). */
static bool is_sane(const struct packet *p)
{
    size_t headers = (size_t)(p->l4 - p->ip);
    return p->malformed == PACKET_FINE && p->payload_len > 0 && headers <= DEFRAG_STORE_HEADERS &&
           (p->version == 4 || fragment_name(p->ip, headers) != 0) &&
           (!p->more_fragments || p->payload_len % 8 == 0) &&
           fits_length(p->version, headers, p->fragment_offset + p->payload_len);
}

/* Whether the fragment agrees with what is known of the datagram's end. */
static bool agrees(const struct defrag_store *store, const struct defrag_datagram *g,
                   const struct packet *p)
{
    uint32_t end = p->fragment_offset + p->payload_len;
    if (g->total != DEFRAG_STORE_UNKNOWN) {
        return p->more_fragments ? end < g->total : end == g->total;
    }
    return p->more_fragments || g->last_piece == 0 || end >= end_of(&store->chunks[g->last_piece]);
}

static void keep_headers(struct defrag_datagram *g, const struct packet *p)
{
    g->packet = *p;
    g->headers_size = (uint16_t)(p->l4 - p->ip);
    memcpy(g->headers, p->ip, g->headers_size);
    if (p->mac != NULL) {
        memcpy(g->mac, p->mac, DEFRAG_STORE_MAC);
    }
    if (p->outer_ip != NULL) {
        g->outer_size = p->outer_ip[0] >> 4 == 4 ? IPV4_SIZE : IPV6_SIZE;
        memcpy(g->outer, p->outer_ip, g->outer_size);
    }
}

/* Counts a fragment's frames in a datagram; false when the sums would overflow, which takes a flood
 * of copies. */
static bool count_frames(struct defrag_datagram *g, const struct packet *p)
{
    if (g->frames > UINT32_MAX - p->frames || g->wire_len > UINT32_MAX - p->wire_len) {
        return false;
    }
    g->frames += p->frames;
    g->wire_len += p->wire_len;
    if (p->time_ns > g->latest_ns) {
        g->latest_ns = p->time_ns;
    }
    return true;
}

/* Puts a fragment that agrees with its datagram in its place. */
static void place(struct defrag *d, struct defrag_datagram *g, const struct packet *p)
{
    struct defrag_piece piece = piece_of(p);
    uint32_t previous;
    enum fit fit = fit_of(&d->store, g, &piece, &previous);
    if (fit == FIT_DUPLICATE) {
        return;
    }
    d->stats.overlaps += fit == FIT_OVERLAP;
    if (fit == FIT_OVERLAP && g->key.version == 6) {
        g->given_up = true;
        return;
    }
    if (g->piece_count == DEFRAG_PIECES_MAX) {
        d->stats.bad++;
        g->given_up = true;
        return;
    }
    if (!p->more_fragments) {
        g->total = piece.offset + piece.size;
    }
    fill_holes(&d->store, g, &piece, previous);
}

/* Headers that only the first fragment has can still make the datagram longer than is possible. */
static bool is_whole(const struct defrag_datagram *g)
{
    return !g->given_up && g->bytes == g->total &&
           fits_length(g->key.version, g->headers_size, g->total);
}

static void store_be16(uint8_t *to, size_t value)
{
    to[0] = (uint8_t)(value >> 8);
    to[1] = (uint8_t)value;
}

/* Writes the headers of the datagram as they were before it was cut; returns their end. */
static uint8_t *write_headers(const struct defrag_datagram *g, uint8_t *to)
{
    size_t size = g->headers_size;
    memcpy(to, g->headers, size);
    if (g->key.version == 4) {
        store_be16(to + 2, size + g->total);
        to[6] &= 0x40; /* keep "don't fragment" */
        to[7] = 0;
        return to + size;
    }
    size -= IPV6_FRAGMENT_SIZE;
    to[fragment_name(g->headers, g->headers_size)] = g->headers[size];
    store_be16(to + 4, size - IPV6_SIZE + g->total);
    return to + size;
}

/* Writes a whole datagram, up to the first byte that the capture has not. */
static struct span write_datagram(const struct defrag_store *store, const struct defrag_datagram *g,
                                  uint8_t *memory)
{
    uint8_t *at = write_headers(g, memory);
    for (uint32_t i = g->pieces; i != 0; i = store->chunks[i].next_piece) {
        at = defrag_store_load(store, i, at);
        if (store->chunks[i].captured < store->chunks[i].size) {
            break;
        }
    }
    return span_of(memory, (size_t)(at - memory));
}

static void forget(struct defrag *d, struct defrag_datagram *g)
{
    defrag_store_drop(&d->store, g);
    d->stats.held--;
}

static enum defrag_result refuse(struct defrag *d)
{
    d->stats.bad++;
    return DEFRAG_BAD;
}

enum defrag_result defrag_push(struct defrag *d, const struct packet *fragment, uint8_t *memory,
                               struct span *ret_datagram, uint32_t *ret_frames,
                               uint32_t *ret_wire_len)
{
    if (!is_sane(fragment)) {
        return refuse(d);
    }
    struct defrag_key key = key_of(fragment);
    struct defrag_datagram *g = defrag_store_find(&d->store, &key);
    if (g == NULL) {
        g = defrag_store_add(&d->store, &key);
        g->begun_ns = fragment->time_ns;
        keep_headers(g, fragment);
        d->stats.held++;
    } else if (!g->given_up && !agrees(&d->store, g, fragment)) {
        return refuse(d);
    }
    if (!count_frames(g, fragment)) {
        return refuse(d);
    }
    if (fragment->fragment_offset == 0 && g->packet.fragment != FRAGMENT_FIRST) {
        keep_headers(g, fragment);
    }
    if (!g->given_up) {
        place(d, g, fragment);
    }
    if (!is_whole(g)) {
        return DEFRAG_HELD;
    }
    *ret_datagram = write_datagram(&d->store, g, memory);
    *ret_frames = g->frames;
    *ret_wire_len = g->wire_len;
    d->stats.whole++;
    forget(d, g);
    return DEFRAG_WHOLE;
}

/* ---- Giving up ----------------------------------------------------------------------------- */

/* A fragment takes a record, chunks for its bytes, and one more for each cut where it fills holes
 * between pieces. */
bool defrag_needs_room(struct defrag *d, const struct packet *fragment)
{
    uint32_t captured = (uint32_t)(fragment->end - fragment->l4);
    uint32_t chunks = captured / DEFRAG_STORE_CHUNK_BYTES + 1 + DEFRAG_PIECES_MAX;
    d->room_wanted = d->store.datagrams_left == 0 || d->store.chunks_left < chunks;
    return d->room_wanted;
}

/* What is left of an incomplete datagram as a packet with all that it points to in `memory`. */
static void write_remains(const struct defrag_store *store, const struct defrag_datagram *g,
                          struct packet *ret, uint8_t *memory)
{
    uint8_t *at = memory;
    *ret = g->packet;
    ret->time_ns = g->latest_ns;
    ret->frames = g->frames;
    ret->wire_len = g->wire_len;
    if (ret->mac != NULL) {
        ret->mac = memcpy(at, g->mac, DEFRAG_STORE_MAC);
        at += DEFRAG_STORE_MAC;
    }
    if (ret->outer_ip != NULL) {
        ret->outer_ip = memcpy(at, g->outer, g->outer_size);
        at += g->outer_size;
    }
    ret->ip = memcpy(at, g->headers, g->headers_size);
    at += g->headers_size;
    ret->l4 = ret->payload = at;
    if (g->pieces != 0 && store->chunks[g->pieces].offset == 0) {
        at = defrag_store_load(store, g->pieces, at);
    }
    ret->end = at;
}

bool defrag_pop(struct defrag *d, uint64_t now_ns, struct packet *ret, uint8_t *memory)
{
    struct defrag_datagram *g = defrag_store_oldest(&d->store);
    if (g == NULL) {
        return false;
    }
    bool in_time = now_ns < g->begun_ns || now_ns - g->begun_ns < d->timeout_ns;
    if (in_time && now_ns != UINT64_MAX) {
        return false;
    }
    write_remains(&d->store, g, ret, memory);
    forget(d, g);
    if (d->room_wanted && now_ns == UINT64_MAX) {
        d->stats.evicted++;
    } else {
        d->stats.timed_out++;
    }
    d->room_wanted = false;
    return true;
}

const struct defrag_stats *defrag_stats(const struct defrag *d)
{
    return &d->stats;
}
