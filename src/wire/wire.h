// SPDX-License-Identifier: Apache-2.0
/* The door of wire/: bytes to packets, L2 to L4 and all tunnels. Pure functions, no state, no
 * allocation, bounded work a frame (nesting is cut at WIRE_DEPTH_MAX headers). Hostile bytes give
 * PACKET_MALFORMED with a reason, never an error. Any thread. */
#pragma once

#include "wire/packet.h"

enum { WIRE_DEPTH_MAX = 24 };

/* Decodes one frame into `ret`, which is overwritten whole. Walks every link header and tunnel
 * down to the innermost packet. For a fragment it stops at the fragment (class by the IP protocol
 * number; ports if the first fragment has them). */
void wire_decode(const struct frame *frame, struct packet *ret);

/* Goes on where a fragment stopped: `datagram` is the reassembled IP packet, header included and
 * mended (length, no fragment bits). Updates `p`, which was decoded from one of its fragments and
 * keeps its L2, VLAN, tunnel and time facts; the caller sets frames and wire_len. The result may be
 * a fragment again (of an inner packet). */
void wire_resume(struct packet *p, struct span datagram);

/* Reads the IP and L4 headers that an ICMP error quotes (p->quoted) into `ret`: version, protocol,
 * addresses (ret->ip), ports when quoted. Returns false when too little was quoted. */
bool wire_quoted(const struct packet *p, struct packet *ret);

/* TCP options (RFC 9293 §3.1, RFC 7323, RFC 2018). */
struct wire_tcp_options {
    uint16_t mss;          /* 0: absent */
    int8_t window_scale;   /* -1: absent */
    bool sack_permitted;
    bool has_timestamps;
    uint32_t ts_value;
    uint32_t ts_echo;
    uint8_t sack_count;    /* SACK blocks read, at most 4 */
    uint32_t sack[4][2];
    bool malformed;        /* an option's length lied; what came before it is valid */
};

/* Reads the options of a TCP packet whose header was captured whole. */
void wire_tcp_options(const struct packet *p, struct wire_tcp_options *ret);
