// SPDX-License-Identifier: Apache-2.0
/* The flow event: ECS as Packetbeat 8 shapes it (event.*, source.*, destination.*, network.*,
 * flow.*), with Zeek's connection state and history, TTL, VLAN, tunnel and TCP flags. */
#pragma once

#include "event/event.h"
#include "flow/flow.h"

/* Why a report was made. */
enum flow_reason {
    FLOW_REASON_PERIOD, FLOW_REASON_CLOSED, FLOW_REASON_IDLE, FLOW_REASON_ACTIVE,
    FLOW_REASON_EVICTED, FLOW_REASON_END,
};

struct flow_event {
    struct event_head head;
    uint64_t timestamp_ns; /* packet time of the report */
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t duration_ns;
    uint64_t packets[2]; /* 0 source, 1 destination */
    uint64_t bytes[2];
    uint64_t network_packets;
    uint64_t network_bytes;
    struct event_address source;
    struct event_address destination;
    struct event_mac source_mac;
    struct event_mac destination_mac;
    uint32_t source_port;
    uint32_t destination_port;
    uint32_t tunnel_id;
    uint32_t retransmissions;
    uint32_t out_of_order;
    uint32_t icmp_errors;
    uint64_t handshake_ns;
    struct event_u16_list vlan;
    uint8_t source_ttl;
    uint8_t destination_ttl;
    uint8_t protocol;
    bool final;
    bool has_ports; /* port 0 of a flow with ports is written */
    bool incomplete;
    const char *event_type_json; /* ["connection"] ... */
    const char *network_type;    /* ipv4, ipv6, arp ... */
    const char *transport;       /* tcp, udp, icmp, ipv6-icmp ...; NULL: absent */
    const char *reason;
    const char *state;           /* Zeek conn_state */
    const char *tunnel;
    char history[16];
    char source_tcp_flags[9];      /* letters CEUAPRSF of those seen */
    char destination_tcp_flags[9];
    char community_id[32];
    char flow_id[28];
};

extern const struct event_type flow_event_type;

/* Fills in an event from a flow; the caller sets head.order and head.suborder. `deltas` are the
 * counters at the previous report to subtract, or NULL. Community id and flow id are left for
 * flow_event_finish(), which the output thread calls before encoding (SHA-1 costs). */
void flow_event_fill(struct flow_event *ret, const struct flow *flow, const struct flow_cold *cold,
                     enum flow_reason reason, uint64_t now_ns, const struct flow_event *deltas);
void flow_event_finish(struct flow_event *event);
