// SPDX-License-Identifier: Apache-2.0
/* Link headers and what lies directly on them: Ethernet, LLC and SNAP, VLAN tags, Linux cooked
 * captures, BSD loopback, Cisco HDLC, ARP. Private to wire/; decoders as wire_walk.h says. */
#pragma once

#include "wire/wire_walk.h"

enum { WIRE_ETHERNET_SIZE = 14 };

/* The step that reads a payload named by `type`. Notes it as the packet's ethertype and ends the
 * walk as PACKET_OTHER where it is none that we read. */
enum wire_step wire_link_ethertype(struct wire_walk *w, uint16_t type);

/* Whether `size` captured bytes at `at` look like an Ethernet frame whose payload we read: for
 * tunnels that do not say what they carry. */
bool wire_link_plausible_ethernet(const uint8_t *at, size_t size);

enum wire_step wire_link_ethernet(struct wire_walk *w);   /* IEEE 802.3 §3.1.1 */
enum wire_step wire_link_vlan(struct wire_walk *w);       /* IEEE 802.1Q §9 */
enum wire_step wire_link_llc(struct wire_walk *w);        /* IEEE 802.2 §3, RFC 1042 */
enum wire_step wire_link_sll(struct wire_walk *w);        /* LINKTYPE_LINUX_SLL */
enum wire_step wire_link_sll2(struct wire_walk *w);       /* LINKTYPE_LINUX_SLL2 */
enum wire_step wire_link_null(struct wire_walk *w);       /* LINKTYPE_NULL, LINKTYPE_LOOP */
enum wire_step wire_link_cisco_hdlc(struct wire_walk *w); /* RFC 1547 §4.3.1 */
enum wire_step wire_link_arp(struct wire_walk *w);        /* RFC 826, RFC 903 */
