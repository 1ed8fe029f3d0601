// SPDX-License-Identifier: Apache-2.0
#include "policy/intake_look.h"

#include "policy/policy_filter.h"

void intake_look_fill(struct handler_event *event, const struct intake_packet *p)
{
    const struct packet *packet = p->packet;
    bool is_ip = packet->version != 0 && packet->ip != NULL;
    *event = (struct handler_event){
        .time_ns = packet->time_ns,
        .talk = p->hash,
        .packet = packet,
        .address = {is_ip ? packet_source_ip(packet) : NULL,
                    is_ip ? packet_destination_ip(packet) : NULL},
        .port = {packet->source_port, packet->destination_port},
        .size = packet->wire_len,
        .kinds = (uint8_t)((p->frame != NULL ? HANDLER_FRAME : 0) |
                           (p->key != NULL ? HANDLER_DATAGRAM : 0)),
        .version = is_ip ? packet->version : 0,
        .protocol = is_ip ? packet->protocol : 0,
        .tcp_flags = packet->class == PACKET_TCP ? packet->tcp_flags : 0,
    };
    if (packet->class == PACKET_UDP) {
        event->payload = packet_payload(packet);
    }
}

bool intake_look_passes(const struct policy_input *input, const struct intake_packet *p)
{
    if (input->bpf == NULL) {
        return true;
    }
    if (p->frame != NULL) {
        return policy_filter_passes(input, p->frame->link,
                                   span_of(p->frame->data, p->frame->cap_len),
                                   p->frame->wire_len);
    }
    size_t size = p->packet->ip != NULL ? (size_t)(p->packet->end - p->packet->ip) : 0;
    return policy_filter_passes(input, FRAME_LINK_RAW, span_of(p->packet->ip, size),
                               (uint32_t)size);
}

/* Destination first: what goes between two of our hosts comes in. */
uint8_t intake_look_direction(const struct policy_input *input, const struct handler_event *event,
                              uint8_t told)
{
    if (input->hosts.count == 0 || event->version == 0) {
        return input->hosts.count == 0 ? told : FRAME_DIRECTION_UNKNOWN;
    }
    if (hosts_have(&input->hosts, event->version, event->address[1])) {
        return FRAME_DIRECTION_IN;
    }
    return hosts_have(&input->hosts, event->version, event->address[0]) ? FRAME_DIRECTION_OUT
                                                                        : FRAME_DIRECTION_UNKNOWN;
}
