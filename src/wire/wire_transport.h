// SPDX-License-Identifier: Apache-2.0
/* TCP, UDP, UDP-Lite, SCTP, ICMP and IGMP headers. Private to wire/; decoders as wire_walk.h says.
 * A header that the snap length cut is read as far as it goes: its packet keeps its class, with
 * PACKET_SNAPPED as a note. */
#pragma once

#include "wire/wire_walk.h"

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
