// SPDX-License-Identifier: Apache-2.0
#include "engine/conversation_core.h"
#include "wire/proxy_header.h"

/* The first bytes of a side, of which `held` were kept, in one piece: as many as tell the header's size. */
static struct span join(uint8_t room[PROXY_HEADER_LINE], struct span held, struct span data)
{
    if (held.size == 0) {
        return data;
    }
    struct span first = span_head(held, PROXY_HEADER_LINE);
    struct span rest = span_head(data, PROXY_HEADER_LINE - first.size);
    memcpy(room, first.data, first.size);
    memcpy(room + first.size, rest.data, rest.size);
    return span_of(room, first.size + rest.size);
}

bool conversation_pass_header(struct conversations *all, struct conversation *c,
                              const struct tcp_stream_piece *piece, struct span *data)
{
    uint8_t room[PROXY_HEADER_LINE];
    struct pending *p = &c->pending[piece->side];
    struct span held = pending_data(p);
    size_t header = proxy_header_size(join(room, held, *data));
    if (header > held.size + data->size) {
        struct span more = *data;
        *data = span_of(NULL, 0);
        c->first = conversation_is_fresh(c) ? piece->side : c->first;
        return pending_keep(p, all->slab, more, piece->time_ns);
    }
    c->begun |= (uint8_t)(1U << piece->side);
    if (header > 0) {
        all->stats.proxy_headers++;
        pending_drop(p, all->slab);
        *data = span_skip(*data, header - held.size);
    } else if (held.size > 0) {
        pending_await(p, all->slab, pending_since(p)); /* it was none */
    }
    return true;
}
