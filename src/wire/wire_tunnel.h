// SPDX-License-Identifier: Apache-2.0
/* IP in IP and the tunnels over UDP. Private to wire/; decoders as wire_walk.h says.
 *
 * A decoder of a tunnel over UDP is called because of a port, and a port is a hint: where the
 * payload plainly is not that tunnel, or carries the tunnel's own control messages, the decoder
 * changes nothing and ends the walk, so that the packet stays what it is, UDP. */
#pragma once

#include "wire/wire_walk.h"

enum wire_step wire_tunnel_ipip(struct wire_walk *w);      /* RFC 2003, RFC 2473, RFC 4213 */
enum wire_step wire_tunnel_vxlan(struct wire_walk *w);     /* RFC 7348 §5 */
enum wire_step wire_tunnel_vxlan_gpe(struct wire_walk *w); /* draft-ietf-nvo3-vxlan-gpe-13 §3 */
enum wire_step wire_tunnel_geneve(struct wire_walk *w);    /* RFC 8926 §3.4 */
enum wire_step wire_tunnel_gtpu(struct wire_walk *w);      /* 3GPP TS 29.281 §5.1 */
enum wire_step wire_tunnel_teredo(struct wire_walk *w);    /* RFC 4380 §5.1.1 */
enum wire_step wire_tunnel_l2tp_udp(struct wire_walk *w);  /* RFC 2661 §3.1, RFC 3931 §4.1.2 */
enum wire_step wire_tunnel_l2tp_ip(struct wire_walk *w);   /* RFC 3931 §4.1.1 */
