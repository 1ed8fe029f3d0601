// SPDX-License-Identifier: Apache-2.0
/* Memcached in UDP: a frame of 8 bytes (number of the request, sequence, total, reserved) before a
 * piece of the text or binary protocol. A response of several datagrams is kept until it is whole,
 * in any order, within MEMCACHE_PARTS_BYTES a flow. */
#pragma once

#include "proto/memcache/memcache_flow.h"

/* As proto.on_datagram. */
void memcache_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side);
/* Gives back what is not whole. */
void memcache_datagram_drop(struct proto_context *c);
