// SPDX-License-Identifier: Apache-2.0
#include "proto/pgsql/pgsql_message.h"

enum { KEPT_FIRST = 512, LENGTH = 4 };

/* How many bytes are shown of a message that has this letter. */
static uint32_t most_of(struct pgsql_kept most, uint8_t type)
{
    return type == 'Q' || type == 'P' ? most.statement : most.other;
}

void pgsql_message_reset(struct pgsql_reader *r, struct slab *slab)
{
    slab_give(slab, r->kept);
    *r = (struct pgsql_reader){0};
}

bool pgsql_message_is_idle(const struct pgsql_reader *r)
{
    return r->header_size == 0 && !r->in_body;
}

/* Reads on in the header; false when more is needed. */
static bool take_header(struct pgsql_reader *r, struct cursor *in, bool untyped, uint64_t now_ns)
{
    uint8_t wanted = untyped ? LENGTH : PGSQL_HEADER;
    if (r->header_size == 0) {
        r->message.start_ns = now_ns;
    }
    while (r->header_size < wanted && cursor_left(in) > 0) {
        r->header[r->header_size++] = cursor_u8(in);
    }
    return r->header_size >= wanted;
}

/* The header is whole; false when it is none. */
static bool begin_body(struct pgsql_reader *r, bool untyped)
{
    uint32_t length = load_be32(r->header + !untyped);
    uint32_t most = untyped ? PGSQL_STARTUP_MAX : PGSQL_LENGTH_MAX;
    if (length < LENGTH || length > most) {
        return false;
    }
    r->message.type = untyped ? 0 : r->header[0];
    r->message.size = length - LENGTH;
    r->message.bytes = r->header_size + r->message.size;
    r->left = r->message.size;
    r->in_body = true;
    return true;
}

/* Keeps what is still wanted of a body; `data` NULL: so many bytes that are missing. */
static void keep(struct pgsql_reader *r, struct slab *slab, const uint8_t *data, size_t size)
{
    size_t before = r->message.size - r->left;
    if (before > r->kept_size) { /* there was no room for all before: no more then */
        return;
    }
    size_t most = most_of(r->most, r->message.type);
    size_t wanted = r->kept_size + size < most ? r->kept_size + size : most;
    size_t room = r->kept != NULL ? slab_room(r->kept) : 0;
    if (wanted > room) {
        uint8_t *more = slab_grow_large(slab, r->kept, wanted < KEPT_FIRST ? KEPT_FIRST : wanted);
        if (more == NULL) {
            wanted = room;
        } else {
            r->kept = more;
        }
    }
    size_t count = wanted - r->kept_size;
    if (r->kept == NULL || count == 0) {
        return;
    }
    if (data != NULL) {
        memcpy(r->kept + r->kept_size, data, count);
    } else {
        memset(r->kept + r->kept_size, 0, count);
    }
    r->kept_size += (uint32_t)count;
}

static enum pgsql_step finish(struct pgsql_reader *r, struct span body, struct pgsql_message *ret)
{
    *ret = r->message;
    ret->body = span_head(body, most_of(r->most, r->message.type));
    r->message = (struct pgsql_message){0};
    r->kept_size = 0;
    r->header_size = 0;
    r->in_body = false;
    return PGSQL_WHOLE;
}

bool pgsql_message_whole(struct cursor *in, struct pgsql_kept most, uint64_t now_ns,
                         struct pgsql_message *ret)
{
    if (cursor_left(in) < PGSQL_HEADER) {
        return false;
    }
    uint32_t length = load_be32(in->at + 1);
    if (length < LENGTH || cursor_left(in) - 1 < length) {
        return false;
    }
    uint8_t type = cursor_u8(in);
    cursor_skip(in, LENGTH);
    uint32_t size = length - LENGTH;
    *ret = (struct pgsql_message){
        .type = type,
        .body = span_head(cursor_take(in, size), most_of(most, type)),
        .size = size,
        .bytes = PGSQL_HEADER + (uint64_t)size,
        .start_ns = now_ns,
    };
    return true;
}

enum pgsql_step pgsql_message_next(struct pgsql_reader *r, struct slab *slab, struct cursor *in,
                                   bool untyped, uint64_t now_ns, struct pgsql_message *ret)
{
    if (!r->in_body) {
        if (r->header_size == 0) { /* what was handed out is not looked at any more */
            slab_give(slab, r->kept);
            r->kept = NULL;
            if (!untyped && pgsql_message_whole(in, r->most, now_ns, ret)) {
                return PGSQL_WHOLE;
            }
        }
        if (!take_header(r, in, untyped, now_ns)) {
            return PGSQL_MORE;
        }
        if (!begin_body(r, untyped)) {
            return PGSQL_BAD;
        }
    }
    size_t here = cursor_left(in) < r->left ? cursor_left(in) : r->left;
    struct span data = cursor_take(in, here);
    if (here == r->message.size) {
        return finish(r, data, ret);
    }
    keep(r, slab, data.data, here);
    r->left -= (uint32_t)here;
    return r->left > 0 ? PGSQL_MORE : finish(r, span_of(r->kept, r->kept_size), ret);
}

bool pgsql_message_miss(struct pgsql_reader *r, struct slab *slab, uint32_t length)
{
    if (!r->in_body || length >= r->left) {
        return false;
    }
    keep(r, slab, NULL, length);
    r->left -= length;
    r->message.holed = true;
    return true;
}
