// SPDX-License-Identifier: Apache-2.0
/* Spreads the frames of an interface over the sockets of several workers so that everything that
 * belongs to one flow reaches one worker: both directions, all fragments, inside or outside of a
 * tunnel. A classic BPF program in the kernel (packet(7), PACKET_FANOUT_CBPF) hashes the innermost
 * pair of IP addresses it can reach, in a way that does not care which of the two is the source.
 *
 * Why not PACKET_FANOUT_HASH: it hashes ports, which only the first fragment has, and of a tunnel
 * the outer header only, whose UDP source port VXLAN, GENEVE and GTP-U choose for each direction
 * anew. Leaving ports out costs spread between two hosts that talk only to each other.
 *
 * Seen through, up to two tunnels deep: two VLAN tags, IPv4 and IPv6 in each other, GRE, VXLAN
 * (port 4789), GENEVE (6081), GTP-U (2152). Fragments of a tunnel's own datagrams, IPv6 extension
 * headers and anything else end the walk: the addresses found so far count. ARP and other frames
 * that name no pair go to the first worker, other non-IP Ethernet by its pair of MAC addresses.
 *
 * A frame that ends within a header it promises goes to the first worker. No state; any thread. */
#pragma once

#include <linux/filter.h>

#include "base/err.h"
#include "base/span.h"

enum { FANOUT_PROGRAM_MAX = 640 };

struct fanout_program {
    struct sock_filter code[FANOUT_PROGRAM_MAX];
    uint16_t count;
};

/* Writes the program; its result, modulo the number of workers, is the worker. */
void fanout_build(struct fanout_program *ret);

/* Makes a packet socket that is bound to an interface a member of `group`. */
bool fanout_join(int fd, uint16_t group, struct err *err);
