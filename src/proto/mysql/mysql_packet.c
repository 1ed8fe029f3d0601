// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql_packet.h"

enum { KEPT_FIRST = 512, QUERY = 3, PREPARE = 0x16 };

/* How many bytes are shown of a payload that begins so. */
static uint32_t most_of(struct mysql_kept kept, struct span payload)
{
    uint8_t first = payload.size > 0 ? payload.data[0] : 0;
    return first == QUERY || first == PREPARE ? kept.statement : kept.other;
}

bool mysql_packet_is_idle(const struct mysql_reader *r)
{
    return r->header_size == 0 && !r->goes_on;
}

void mysql_packet_reset(struct mysql_reader *r, struct slab *slab)
{
    slab_give(slab, r->kept);
    *r = (struct mysql_reader){0};
}

/* Reads on in the header; true when it is whole. */
static bool take_header(struct mysql_reader *r, struct cursor *in, uint64_t now_ns)
{
    if (r->header_size == 0 && !r->goes_on) {
        r->packet.start_ns = now_ns;
    }
    while (r->header_size < MYSQL_HEADER && cursor_left(in) > 0) {
        r->header[r->header_size++] = cursor_u8(in);
    }
    if (r->header_size < MYSQL_HEADER) {
        return false;
    }
    r->left = load_le32(r->header) & MYSQL_PAYLOAD_MAX;
    r->packet.last_number = r->header[3];
    if (!r->goes_on) {
        r->packet.number = r->header[3];
    }
    r->goes_on = r->left == MYSQL_PAYLOAD_MAX;
    r->packet.bytes += MYSQL_HEADER;
    return true;
}

/* Has room for `size` more kept bytes; how many there is room for. */
static size_t make_room(struct mysql_reader *r, struct slab *slab, size_t size)
{
    size_t wanted = r->kept_size + size;
    if (wanted > r->most) {
        wanted = r->most;
    }
    size_t room = r->kept != NULL ? slab_room(r->kept) : 0;
    if (wanted > room) {
        uint8_t *more = slab_grow_large(slab, r->kept, wanted < KEPT_FIRST ? KEPT_FIRST : wanted);
        if (more != NULL) {
            r->kept = more;
            room = wanted;
        }
    }
    return (room < wanted ? room : wanted) - r->kept_size;
}

/* Keeps what is still wanted of payload bytes; `data` NULL: so many that are missing. */
static void keep(struct mysql_reader *r, struct slab *slab, const uint8_t *data, size_t size)
{
    if (r->packet.size > r->kept_size) { /* there was no room for all before: no more then */
        return;
    }
    size_t room = make_room(r, slab, size);
    size_t count = size < room ? size : room;
    if (count > 0 && data != NULL) {
        memcpy(r->kept + r->kept_size, data, count);
    } else if (count > 0) {
        memset(r->kept + r->kept_size, 0, count);
    }
    r->kept_size += (uint32_t)count;
}

static void count_payload(struct mysql_reader *r, size_t size)
{
    r->packet.size += size;
    r->packet.bytes += size;
    r->left -= (uint32_t)size;
}

/* The packet is whole: hands it out, and is ready for the next. */
static void finish(struct mysql_reader *r, struct span body, struct mysql_packet *ret)
{
    *ret = r->packet;
    ret->body = body;
    r->packet = (struct mysql_packet){0};
    r->kept_size = 0;
    r->header_size = 0;
}

bool mysql_packet_whole(struct cursor *in, uint64_t now_ns, struct mysql_packet *ret)
{
    if (cursor_left(in) < MYSQL_HEADER) {
        return false;
    }
    uint32_t header = load_le32(in->at);
    uint32_t size = header & MYSQL_PAYLOAD_MAX;
    if (size == MYSQL_PAYLOAD_MAX || cursor_left(in) - MYSQL_HEADER < size) {
        return false;
    }
    cursor_skip(in, MYSQL_HEADER);
    *ret = (struct mysql_packet){
        .body = cursor_take(in, size),
        .size = size,
        .bytes = MYSQL_HEADER + (uint64_t)size,
        .start_ns = now_ns,
        .number = (uint8_t)(header >> 24),
        .last_number = (uint8_t)(header >> 24),
    };
    return true;
}

void mysql_packet_shorten(struct mysql_packet *packet, struct mysql_kept kept)
{
    packet->body = span_head(packet->body, most_of(kept, packet->body));
}

bool mysql_packet_next(struct mysql_reader *r, struct slab *slab, struct cursor *in,
                       struct mysql_kept kept, uint64_t now_ns, struct mysql_packet *ret)
{
    if (r->header_size == 0 && !r->goes_on) { /* what was handed out is not looked at any more */
        slab_give(slab, r->kept);
        r->kept = NULL;
        if (mysql_packet_whole(in, now_ns, ret)) {
            mysql_packet_shorten(ret, kept);
            return true;
        }
    }
    while (cursor_left(in) > 0) {
        if (r->header_size < MYSQL_HEADER && !take_header(r, in, now_ns)) {
            return false;
        }
        size_t here = cursor_left(in) < r->left ? cursor_left(in) : r->left;
        struct span data = cursor_take(in, here);
        bool is_last = here == r->left && !r->goes_on;
        if (r->packet.size == 0) {
            r->most = most_of(kept, data);
        }
        if (is_last && r->packet.size == 0) {
            count_payload(r, here);
            finish(r, span_head(data, r->most), ret);
            return true;
        }
        keep(r, slab, data.data, here);
        count_payload(r, here);
        if (is_last) {
            finish(r, span_of(r->kept, r->kept_size), ret);
            return true;
        }
        if (r->left == 0) {
            r->header_size = 0;
        }
    }
    return false;
}

bool mysql_packet_miss(struct mysql_reader *r, struct slab *slab, uint32_t length)
{
    if (r->header_size < MYSQL_HEADER || length >= r->left) {
        return false;
    }
    r->most = r->packet.size > 0 ? r->most : MYSQL_KEPT;
    keep(r, slab, NULL, length);
    count_payload(r, length);
    r->packet.holed = true;
    return true;
}
