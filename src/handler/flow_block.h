// SPDX-License-Identifier: Apache-2.0
/* The block of the handler of flows: devices, and interfaces of them, each with counters, sketches and
 * top lists of its own, in tables of fixed size. Address space is taken for all of them; memory comes
 * as they do. What finds no place is counted. A block has no pointers and can be merged as any. */
#pragma once

#include "handler/flow_record.h"
#include "handler/handler.h"
#include "summary/cardinality.h"
#include "summary/topn.h"

enum {
    FLOW_DEVICES = 64,
    FLOW_INTERFACES = 256, /* of all devices together */
    FLOW_INDEX = 1024,
    FLOW_SLOTS = 256,
    FLOW_SLOTS_TOS = 64,
    FLOW_KEY = 64,
    FLOW_KEY_LONG = 128,
    FLOW_KEY_SHORT = 40,
};

/* Groups of the handler, in the order of its list. */
enum flow_group {
    FLOW_BY_BYTES = 1, FLOW_BY_PACKETS = 2, FLOW_CARDINALITY = 4, FLOW_COUNTERS = 8,
    FLOW_TOP_IPS = 16, FLOW_TOP_IPS_PORTS = 32, FLOW_TOP_PORTS = 64, FLOW_CONVERSATIONS = 128,
    FLOW_TOP_GEO = 256, FLOW_TOP_INTERFACES = 512, FLOW_TOP_TOS = 1024,
};

enum { FLOW_IN, FLOW_OUT, FLOW_DIRECTIONS };
enum { FLOW_BYTES, FLOW_PACKETS, FLOW_MEASURES };

/* What goes through an interface in one direction, in bytes or in packets. */
struct flow_side {
    uint64_t udp, tcp, other_l4, ipv4, ipv6, total;
    TOPN_DECLARE_WIDE(src_ips, FLOW_SLOTS, FLOW_KEY);
    TOPN_DECLARE_WIDE(dst_ips, FLOW_SLOTS, FLOW_KEY);
    TOPN_DECLARE(src_ports, FLOW_SLOTS);
    TOPN_DECLARE(dst_ports, FLOW_SLOTS);
    TOPN_DECLARE_WIDE(src_ip_ports, FLOW_SLOTS, FLOW_KEY);
    TOPN_DECLARE_WIDE(dst_ip_ports, FLOW_SLOTS, FLOW_KEY);
    TOPN_DECLARE(dscp, FLOW_SLOTS_TOS);
    TOPN_DECLARE(ecn, FLOW_SLOTS_TOS);
};

/* ... and in both. */
struct flow_both {
    TOPN_DECLARE_WIDE(places, FLOW_SLOTS, METRIC_PLACE);
    TOPN_DECLARE_WIDE(owners, FLOW_SLOTS, METRIC_PLACE);
    TOPN_DECLARE_WIDE(conversations, FLOW_SLOTS, FLOW_KEY_LONG);
};

struct flow_interface {
    uint32_t device; /* number in the block */
    uint32_t number; /* SNMP's */
    bool is_made;    /* the top lists have their shape */
    _Alignas(8) struct cardinality conversations;
    _Alignas(8) struct cardinality source_ips;
    _Alignas(8) struct cardinality destination_ips;
    _Alignas(8) struct cardinality source_ports;
    _Alignas(8) struct cardinality destination_ports;
    struct flow_side sides[FLOW_DIRECTIONS][FLOW_MEASURES];
    struct flow_both both[FLOW_MEASURES];
};

struct flow_device {
    struct flow_address address;
    bool is_made;
    uint64_t flows, filtered;
    TOPN_DECLARE(in_bytes, FLOW_SLOTS);
    TOPN_DECLARE(out_bytes, FLOW_SLOTS);
    TOPN_DECLARE(in_packets, FLOW_SLOTS);
    TOPN_DECLARE(out_packets, FLOW_SLOTS);
};

struct flow_block {
    uint64_t lost; /* records for which there was no place */
    uint32_t device_count, interface_count;
    uint16_t index[FLOW_INDEX]; /* number of an interface plus one, by its hash; 0: free */
    struct flow_device devices[FLOW_DEVICES];
    struct flow_interface interfaces[FLOW_INTERFACES];
};

/* A device, and an interface of a device, made if need be; NULL when the table is full. */
struct flow_device *flow_block_device(struct flow_block *table, const struct flow_address *address);
struct flow_interface *flow_block_interface(struct flow_block *table,
                                            const struct flow_device *device, uint32_t number);

/* The tables: of the block, of its devices, of their interfaces. */
extern const struct metric_set flow_block_set;
extern const struct metric_set flow_block_device_set;
extern const struct metric_set flow_block_interface_set;
