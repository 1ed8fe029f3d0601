// SPDX-License-Identifier: Apache-2.0
/* The flow event: ECS as Packetbeat 8 shapes it (event.*, source.*, destination.*, network.*,
 * flow.*), with Zeek's connection state and history, TTL, VLAN, tunnel and TCP flags. Workers fill
 * it in from a flow, the output thread finishes and encodes it. */
#pragma once

#include "event/event.h"
#include "flow/flow.h"

/* Why a report was made. */
enum flow_reason {
    FLOW_REASON_PERIOD,  /* the flow goes on */
    FLOW_REASON_CLOSED,  /* TCP ended it, or its ports were taken by a new connection */
    FLOW_REASON_IDLE,    /* no packet for the time-out */
    FLOW_REASON_ACTIVE,  /* it lasted longer than the active time-out */
    FLOW_REASON_EVICTED, /* its place in the table was needed */
    FLOW_REASON_END,     /* the capture ended */
};

enum {
    FLOW_EVENT_COMMUNITY_ID = 32, /* room for one, terminated: COMMUNITY_ROOM */
    FLOW_EVENT_ID = 24,           /* likewise, of the flow's own */
};

/* Counters at an earlier report, for reports of differences. */
struct flow_counters {
    uint64_t packets[2];
    uint64_t bytes[2];
};

struct flow_event {
    struct event_head head;
    struct flow_key key;
    uint64_t timestamp_ns; /* packet time of the report */
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t duration_ns;
    struct flow_counters count; /* 0 source, 1 destination */
    uint64_t network_packets;
    uint64_t network_bytes;
    uint64_t handshake_ns;
    struct event_address source;
    struct event_address destination;
    struct event_mac source_mac;
    struct event_mac destination_mac;
    uint32_t source_port;
    uint32_t destination_port;
    uint32_t tunnel_id;
    uint16_t retransmissions;
    uint16_t out_of_order;
    uint16_t icmp_errors;
    struct event_u16_list vlan;         /* of both */
    struct event_u16_list side_vlan[2]; /* where they differ */
    uint8_t source_ttl;
    uint8_t destination_ttl;
    uint8_t protocol;
    uint8_t initiator;
    bool final;
    bool incomplete; /* packets of it were lost by the capture */
    bool fragments;
    const char *dataset;
    const char *kind;
    const char *action;
    const char *category_json;
    const char *event_type_json; /* ["connection"] or ["connection","end"] */
    const char *network_type;    /* ipv4, ipv6, arp ... */
    const char *transport;       /* tcp, udp, icmp, ipv6-icmp ...; NULL: absent */
    const char *reason;
    const char *state;  /* Zeek's conn_state, "" for what is not TCP */
    const char *tunnel; /* NULL: none */
    char history[16];
    char source_flags[9]; /* TCP flags seen, letters of CEUAPRSF */
    char destination_flags[9];
    char community_id[FLOW_EVENT_COMMUNITY_ID];
    char flow_id[FLOW_EVENT_ID];
    uint32_t flow; /* its number in the worker's table, by the worker; 0: none */
};

extern const struct event_type flow_event_type;

/* Fills in an event from a flow, but for head.order, head.suborder and what flow_event_finish()
 * makes. `before`: counters to subtract, or NULL. Packet path. */
void flow_event_fill(struct flow_event *ret, const struct flow *flow, const struct flow_cold *cold,
                     enum flow_reason reason, uint64_t now_ns, const struct flow_counters *before);

/* Adds the community id and the flow id, which cost a hash: before encoding, off the packet path. */
void flow_event_finish(struct flow_event *event);

/* The Community ID of a key as text; "" where it has none. Costs a SHA-1. */
void flow_event_community_id(char ret[FLOW_EVENT_COMMUNITY_ID], const struct flow_key *key);
