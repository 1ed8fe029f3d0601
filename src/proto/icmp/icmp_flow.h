// SPDX-License-Identifier: Apache-2.0
/* The requests of a flow that wait for their replies: a ring in the order in which they came, in a slab
 * block that doubles up to ICMP_WAITING_MAX. A flow is one pair of types between two addresses; a reply
 * has the identifier and the number of its request. To find one is a walk over the ring. */
#pragma once

#include "proto/proto.h"

enum { ICMP_WAITING_FIRST = 4, ICMP_WAITING_MAX = 512 };

struct icmp_waiting {
    uint64_t start_ns;
    uint32_t key;   /* identifier, number */
    uint32_t bytes; /* behind the header */
    uint8_t type;
    uint8_t code;
    uint8_t side;
    bool is_over;   /* it had its reply; its place is free when it is the oldest */
};

struct icmp_flow {
    struct icmp_waiting *ring; /* in a slab block, NULL: none yet */
    uint32_t capacity;         /* a power of two */
    uint32_t first;            /* grows for ever: its place is modulo the capacity */
    uint32_t count;            /* with those that are over */
};

/* A message as it came. */
struct icmp_message {
    uint64_t time_ns;
    uint32_t key;
    uint32_t bytes;
    uint8_t version;
    uint8_t type;
    uint8_t code;
    uint8_t side;
};

void icmp_flow_take(struct proto_context *c, const struct icmp_message *m);

/* Reports what waits and gives all memory back. */
void icmp_flow_close(struct proto_context *c, const char *reason);
