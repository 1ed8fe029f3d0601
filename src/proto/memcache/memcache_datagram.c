// SPDX-License-Identifier: Apache-2.0
#include "proto/memcache/memcache_datagram.h"

#include "base/cursor.h"
#include "proto/memcache/memcache_stream.h"

enum { FRAME = 8, PARTS_MAX = 512 };

struct part_frame {
    uint16_t id;
    uint16_t sequence;
    uint16_t total;
};

struct memcache_part {
    struct memcache_part *next; /* those of all responses, sorted by id and sequence */
    uint64_t time_ns;
    struct part_frame frame;
    uint32_t size;
    uint8_t data[];
};

/* ---- Parts ---------------------------------------------------------------------------------- */

static void drop_part(struct proto_context *c, struct memcache_part **at)
{
    struct memcache_part *part = *at;
    *at = part->next;
    memcache_flow_of(c)->parts_bytes -= (uint32_t)sizeof *part + part->size;
    slab_give(c->memory, part);
}

void memcache_datagram_drop(struct proto_context *c)
{
    struct memcache_flow *f = memcache_flow_of(c);
    while (f->parts != NULL) {
        memcache_stats_of(c)->datagrams_lost++;
        drop_part(c, &f->parts);
    }
}

/* Where a part of such an id begins in the list. */
static struct memcache_part **find(struct memcache_flow *f, struct part_frame frame)
{
    struct memcache_part **at = &f->parts;
    while (*at != NULL &&
           ((*at)->frame.id < frame.id ||
            ((*at)->frame.id == frame.id && (*at)->frame.sequence < frame.sequence))) {
        at = &(*at)->next;
    }
    return at;
}

/* Keeps a datagram; what is not whole is given up when there is no room. */
static void keep(struct proto_context *c, struct part_frame frame, struct span data,
                 uint64_t time_ns)
{
    struct memcache_flow *f = memcache_flow_of(c);
    size_t size = sizeof(struct memcache_part) + data.size;
    if (f->parts_bytes + size > MEMCACHE_PARTS_BYTES) {
        memcache_datagram_drop(c);
    }
    struct memcache_part **at = find(f, frame);
    bool known =
        *at != NULL && (*at)->frame.id == frame.id && (*at)->frame.sequence == frame.sequence;
    struct memcache_part *part = known ? NULL : slab_take(c->memory, size);
    if (part == NULL) {
        memcache_stats_of(c)->datagrams_lost++;
        return;
    }
    *part = (struct memcache_part){
        .next = *at, .time_ns = time_ns, .frame = frame, .size = (uint32_t)data.size};
    memcpy(part->data, data.data, data.size);
    *at = part;
    f->parts_bytes += (uint32_t)size;
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* Reads all messages of what a request or a response says. */
static void read_messages(struct proto_context *c, struct span data, unsigned side,
                          uint64_t time_ns)
{
    struct memcache_flow *f = memcache_flow_of(c);
    struct proto_chunk chunk = {.data = data, .side = (uint8_t)side, .time_ns = time_ns};
    struct proto_taken taken = memcache_stream_chunk(c, &chunk);
    bool is_whole =
        taken.verdict == PROTO_GOES_ON && taken.consumed == data.size && f->side[side].open == NULL;
    memcache_stats_of(c)->malformed += !is_whole && taken.verdict == PROTO_GOES_ON;
    memcache_stream_drop(c, side);
    f->side[side] = (struct memcache_side){0};
}

/* How many bytes there are of a response if it is whole; 0: it is not. */
static size_t whole_size(struct memcache_flow *f, struct part_frame frame)
{
    size_t size = 0;
    uint32_t count = 0;
    struct memcache_part *part = *find(f, (struct part_frame){.id = frame.id});
    for (; part != NULL && part->frame.id == frame.id; part = part->next) {
        size += part->size;
        count++;
    }
    return count == frame.total ? size : 0;
}

/* All parts are there: they are read as one. */
static void join(struct proto_context *c, struct part_frame frame, unsigned side, size_t size)
{
    struct memcache_flow *f = memcache_flow_of(c);
    struct memcache_part **at = find(f, (struct part_frame){.id = frame.id});
    uint8_t *bytes = slab_take(c->memory, size);
    uint64_t first_ns = (*at)->time_ns, last_ns = first_ns;
    size_t used = 0;
    while (*at != NULL && (*at)->frame.id == frame.id) {
        if (bytes != NULL) {
            memcpy(bytes + used, (*at)->data, (*at)->size);
            used += (*at)->size;
        }
        first_ns = (*at)->time_ns < first_ns ? (*at)->time_ns : first_ns;
        last_ns = (*at)->time_ns > last_ns ? (*at)->time_ns : last_ns;
        drop_part(c, at);
    }
    if (bytes == NULL) {
        memcache_stats_of(c)->datagrams_lost++;
        return;
    }
    f->side[side].has_begun = true;
    f->side[side].start_ns = first_ns;
    read_messages(c, span_of(bytes, used), side, last_ns);
    slab_give(c->memory, bytes);
}

void memcache_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    struct memcache_flow *f = memcache_flow_of(c);
    struct span payload = packet_payload(packet);
    if (payload.size <= FRAME) {
        memcache_stats_of(c)->malformed++;
        return;
    }
    struct cursor cursor = cursor_of(payload);
    struct part_frame frame = {.id = cursor_be16(&cursor)};
    frame.sequence = cursor_be16(&cursor);
    frame.total = cursor_be16(&cursor);
    cursor_skip(&cursor, 2);
    struct span data = span_of(cursor.at, cursor_left(&cursor));
    if (frame.total == 0 || frame.sequence >= frame.total) {
        memcache_stats_of(c)->malformed++;
        return;
    }
    f->is_datagrams = true;
    f->id = frame.id;
    if (frame.total == 1) {
        read_messages(c, data, side, c->now_ns);
        return;
    }
    if (frame.total > PARTS_MAX) {
        memcache_stats_of(c)->datagrams_lost++;
        return;
    }
    keep(c, frame, data, c->now_ns);
    size_t size = whole_size(f, frame);
    if (size > 0) {
        join(c, frame, side, size);
    }
}
