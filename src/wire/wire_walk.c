// SPDX-License-Identifier: Apache-2.0
#include "wire/wire_walk.h"

enum wire_step wire_walk_bad(struct wire_walk *w, enum packet_malformed reason)
{
    w->packet->class = PACKET_MALFORMED;
    w->packet->malformed = (uint8_t)reason;
    wire_walk_layer(w, LAYER_MALFORMED);
    return STEP_DONE;
}

enum wire_step wire_walk_short(struct wire_walk *w, enum packet_malformed reason)
{
    return wire_walk_bad(w, w->cut > 0 ? PACKET_SNAPPED : reason);
}

void wire_walk_enter(struct wire_walk *w, enum packet_tunnel tunnel, enum packet_layer layer,
                     uint32_t id)
{
    struct packet *p = w->packet;
    if (layer != LAYER_NONE) {
        wire_walk_layer(w, layer);
    }
    p->tunnel = (uint8_t)tunnel;
    p->tunnel_id = id;
    p->tunnel_depth++;
    p->outer_ip = p->ip;
}

void wire_walk_forget_ip(struct packet *p)
{
    p->ip = p->l4 = p->payload = p->quoted = NULL;
    p->payload_len = p->seq = p->ack = p->fragment_id = 0;
    p->fragment_offset = p->window = p->source_port = p->destination_port = 0;
    p->version = p->protocol = p->ttl = p->tos = 0;
    p->tcp_flags = p->icmp_type = p->icmp_code = 0;
    p->class = PACKET_OTHER;
    p->malformed = PACKET_FINE;
    p->fragment = FRAGMENT_NONE;
    p->more_fragments = 0;
    p->has_ports = false;
}
