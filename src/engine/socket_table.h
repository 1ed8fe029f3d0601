// SPDX-License-Identifier: Apache-2.0
/* Which process holds the socket of a local address and port, by /proc/net/{tcp,tcp6,udp,udp6} and
 * /proc/PID/fd. Sockets are looked through once a second and when one is missed, but never for more
 * than a tenth of the time; those that closed are remembered for five minutes, because what is told
 * of a connection often comes after its end. Where many share a port, the first that was found has it.
 * A fixed number of sockets, off the packet path, one thread. */
#pragma once

#include "engine/process_list.h"

enum { SOCKET_TABLE_MAX = 32768 };

/* The end of a conversation, as this machine sees its own. */
struct socket_place {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint16_t port;
    bool is_udp;
    bool is_here; /* the address is one of this machine: sockets of any address fit, too */
};

struct socket_table; /* opaque; some 3 MB */

/* NULL without memory. `processes` is to outlive it: who is found is looked up there at once. */
struct socket_table *socket_table_new(struct process_list *processes);
void socket_table_free(struct socket_table *table);

/* Looks anew if it is time. */
void socket_table_poll(struct socket_table *table, uint64_t now_ns);

/* The process's number; 0: not known. May look anew. */
int32_t socket_table_find(struct socket_table *table, const struct socket_place *place,
                          uint64_t now_ns);
