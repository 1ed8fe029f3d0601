// SPDX-License-Identifier: Apache-2.0
/* TCP, UDP, UDP-Lite, SCTP, ICMP and IGMP headers. Private to wire/; decoders as wire_walk.h says.
 * A header that the snap length cut is read as far as it goes: its packet keeps its class, with
 * PACKET_SNAPPED as a note. */
#pragma once

#include "wire/wire_walk.h"

enum { WIRE_TCP_SIZE = 20, WIRE_UDP_SIZE = 8 };

/* Notes a TCP header that is all there: `header` bytes of the segment's `size`. */
static inline void wire_transport_note_tcp(struct packet *p, const uint8_t *tcp, uint32_t header,
                                           uint32_t size)
{
    p->class = PACKET_TCP;
    p->source_port = load_be16(tcp);
    p->destination_port = load_be16(tcp + 2);
    p->has_ports = true;
    p->seq = load_be32(tcp + 4);
    p->ack = load_be32(tcp + 8);
    p->tcp_flags = tcp[13];
    p->window = load_be16(tcp + 14);
    p->l4 = tcp;
    p->payload = tcp + header;
    p->payload_len = size - header;
}

/* Notes a UDP header that is all there, of a datagram of `size` bytes. */
static inline void wire_transport_note_udp(struct packet *p, const uint8_t *udp, uint32_t size)
{
    p->class = PACKET_UDP;
    p->source_port = load_be16(udp);
    p->destination_port = load_be16(udp + 2);
    p->has_ports = true;
    p->l4 = udp;
    p->payload = udp + WIRE_UDP_SIZE;
    p->payload_len = size - WIRE_UDP_SIZE;
}

/* The step that reads the tunnel between two UDP ports: STEP_DONE when they are no tunnel's. */
enum wire_step wire_transport_tunnel(uint16_t source_port, uint16_t destination_port);

/* What a packet is by the number of its payload's protocol. */
enum packet_class wire_transport_class(uint8_t protocol);

/* Reads ports, TCP's fields or ICMP's type and code, as far as `captured` bytes at p->l4 have them;
 * for a header that is not whole or must not be judged. p->class is set. */
void wire_transport_glimpse(struct packet *p, uint32_t captured);

enum wire_step wire_transport_tcp(struct wire_walk *w);     /* RFC 9293 §3.1 */
enum wire_step wire_transport_udp(struct wire_walk *w);     /* RFC 768 */
enum wire_step wire_transport_udplite(struct wire_walk *w); /* RFC 3828 §3.1 */
enum wire_step wire_transport_sctp(struct wire_walk *w);    /* RFC 9260 §3.1 */
enum wire_step wire_transport_icmp(struct wire_walk *w);    /* RFC 792 */
enum wire_step wire_transport_icmpv6(struct wire_walk *w);  /* RFC 4443 §2.1 */
enum wire_step wire_transport_igmp(struct wire_walk *w);    /* RFC 2236 §2, RFC 3376 §4 */
