// SPDX-License-Identifier: Apache-2.0
/* A flow that speaks DNS: the queries that wait for their responses. A response belongs to the query of
 * the other side that has its number and its question; there is at most one of a number, for another
 * one closes the first. Queries wait for transaction_timeout at most, in packet time, looked at when
 * the flow says something again. The flow is a zeroed block of the engine's; it holds at most
 * DNS_WAITING_MAX queries in the slab, found by number in a table once there are more than a few, and
 * their bytes are bounded by DNS_WAITING_BYTES: beyond that the oldest is given up. */
#pragma once

#include "proto/dns/dns_message.h"
#include "proto/dns/dns_transfer.h"
#include "proto/proto.h"

enum {
    DNS_WAITING_MAX = 512,
    DNS_WAITING_BYTES = 256 << 10,
    DNS_BUCKETS = 512,     /* with numbers that were chosen to collide, 256 are in one */
    DNS_FEW = 8,           /* are found without the table */
    DNS_BROKEN_MAX = 8,    /* times that a connection may lose its framing */
};

/* What is wrong with a message. */
enum dns_flaw {
    DNS_FINE,
    DNS_CUT,    /* the capture has only the beginning of it */
    DNS_BROKEN, /* its records cannot be read to the end */
};

/* A query that waits; in a slab block, with its bytes. */
struct dns_waiting {
    struct dns_waiting *older;
    struct dns_waiting *newer;
    struct dns_waiting *next;      /* in the bucket */
    struct dns_transfer *transfer; /* once that has begun, in a slab block */
    struct dns_message message;    /* of `bytes` */
    uint64_t start_ns;
    uint64_t wire_bytes;
    uint8_t side;
    uint8_t flaw;   /* enum dns_flaw */
    bool has_edns;
    bool gapped;    /* what was lost since may have been its response */
    uint8_t bytes[];
};

/* How far one side of a connection has been read: messages have their length before them (RFC 1035
 * §4.2.2). */
struct dns_side {
    uint64_t start_ns; /* of the message that has begun; 0: none has */
    uint32_t wanted;   /* bytes of it with its length, once that is known */
    uint32_t held;     /* bytes of it that are there */
    uint32_t skip;     /* bytes that belong to a message that was not captured whole */
    bool seeking;      /* behind a hole: where does a message begin? */
    uint8_t tries;
};

struct dns_flow {
    struct dns_waiting *oldest;
    struct dns_waiting *newest;
    struct dns_waiting **buckets; /* in a slab block, NULL: none yet */
    uint32_t count;
    uint32_t bytes;
    struct dns_side side[2];
    uint8_t broken;
};

/* How a message came. */
struct dns_arrival {
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t wire_bytes;
    uint8_t side;
    bool is_datagram;
    uint8_t flaw; /* enum dns_flaw; DNS_BROKEN is found out by dns_flow_take(), and so is has_edns */
    bool has_edns;
    bool is_unread; /* not even its question can be read, and that is not the fault of the capture */
    bool is_multicast;
    const char *protocol; /* mdns, llmnr, or NULL */
};

/* A message of either kind. */
void dns_flow_take(struct proto_context *c, const struct dns_message *m, struct dns_arrival *arrival);

/* A message whose question cannot be read. As a response it is one to the query that waits for its number,
 * else it is nothing. */
void dns_flow_take_unread(struct proto_context *c, struct span bytes,
                          const struct dns_arrival *arrival);

/* Bytes of a side were lost. */
void dns_flow_gap(struct proto_context *c, unsigned side);

/* Reports what waits and gives all memory back. */
void dns_flow_close(struct proto_context *c, const char *reason);
