// SPDX-License-Identifier: Apache-2.0
/* The door of flow/: packets in, flows out. A flow is a bidirectional conversation of the innermost
 * addresses and ports, told apart by VLANs and tunnel. A table belongs to one worker and is never
 * shared. All memory is address space taken at start; finding a flow costs two cache misses, which
 * the caller hides by prefetching a batch ahead:
 *
 *     flow_key_make → flow_prefetch_bucket → (others) → flow_prefetch → (others) → flow_find
 *
 * A flow is 128 hot bytes (two cache lines: key and counters) and 48 cold ones that only reports
 * and unusual packets touch. Indices, not pointers, name flows; 0 is no flow. */
#pragma once

#include "base/budget.h"
#include "base/err.h"
#include "wire/packet.h"

/* ---- Keys --------------------------------------------------------------------------------- */

/* The normalised key: the lower (address, port) is end 0. Compared as bytes: all are always set. */
struct flow_key {
    uint8_t address[2][16]; /* IPv4 in the first four bytes, MACs in the first six */
    uint16_t port[2];       /* TCP, UDP, SCTP ports; ICMP type and counter-type; ethertype */
    uint32_t tunnel_id;     /* of tunnels whose id both directions share, else 0 */
    uint16_t vlan[2];
    uint8_t protocol; /* IANA number */
    uint8_t version;  /* 4, 6, or 0: a conversation of two MAC addresses */
    uint8_t tunnel;   /* enum packet_tunnel */
    uint8_t portless : 1; /* a protocol with ports, but none to read: later fragments */
    uint8_t directed : 1; /* ICMP without a counterpart: port[1] is the code, end 0 the sender */
    uint8_t zero : 6;
};

/* In vlan[0] of a flow whose directions bear different tags: those of its first packet are in the
 * key, those of the other end in the cold half, where those in a tunnel have its id. No packet's key
 * has it, for VLAN ids have 12 bits. */
#define FLOW_VLANS_DIFFER 0x8000U

/* Makes the key of a packet and tells which end sent it (0 or 1); -1 when the packet belongs to no
 * flow (nothing legible). */
int flow_key_make(const struct packet *p, struct flow_key *ret);

/* A seeded hash of the key; the seed keeps attackers from choosing collisions. Where
 * flow_key_may_cross() the VLANs are left out, so that both directions have one hash. */
uint64_t flow_key_hash(const struct flow_key *key, uint64_t seed);

/* Whether its directions may bear different VLAN tags and be one flow: both ends are hosts, so that
 * either may answer the other (else one is a group, or all, or there is no IP), in no tunnel. */
bool flow_key_may_cross(const struct flow_key *key);

/* ---- Flows -------------------------------------------------------------------------------- */

typedef uint32_t flow_index; /* names a flow of one table; 0: none */

/* What the two ends have done; Zeek's endpoint states. */
enum flow_tcp_state {
    FLOW_TCP_INACTIVE, FLOW_TCP_SYN_SENT, FLOW_TCP_SYN_ACK_SENT, FLOW_TCP_PARTIAL,
    FLOW_TCP_ESTABLISHED, FLOW_TCP_CLOSED, FLOW_TCP_RESET,
};

enum flow_flags {
    FLOW_IN_USE = 1,
    FLOW_CLOSED = 2,     /* TCP: both ends closed or one reset; what still comes is stragglers */
    FLOW_TOUCHED = 4,    /* on the worker's list of flows seen since the last flush */
    FLOW_FRAGMENTS = 8,  /* some packets came as fragments */
    FLOW_FLIPPED = 16,   /* the initiator did not send the first packet: see flow_begin() */
    FLOW_HEARD = 32,     /* a conversation listens to it */
    FLOW_INCOMPLETE = 64, /* packets of it were lost by the capture */
    FLOW_UNHEARD = 128   /* no protocol wants to hear it */
};

struct flow {
    struct flow_key key;
    uint32_t timer_previous; /* in the timer wheel's list; what comes next is the table's */
    uint32_t talk;       /* number of its conversation with FLOW_HEARD; by the engine, else its own */
    uint16_t timer_slot : 10;
    uint16_t window_scale : 5; /* TCP: the larger of both, private */
    uint16_t flooded : 1; /* TCP: its handshake was one of a flood's; by the engine, at its end */
    uint8_t flags;       /* enum flow_flags */
    uint8_t initiator;   /* which end of the key is the source: 0 or 1 */
    uint8_t tcp_state[2]; /* enum flow_tcp_state, by side: 0 the initiator, 1 the responder */
    uint8_t history_seen; /* bits of flow_history.h */
    uint8_t window_top;   /* TCP: the largest window of either, unscaled and less one, in units of 256 */
    /* second cache line */
    uint64_t first_ns;
    uint64_t last_ns;
    uint64_t packets[2]; /* by side */
    uint64_t bytes[2];
    uint32_t next_seq[2]; /* TCP: the sequence number expected next from that side */
    uint8_t tcp_flags[2]; /* all flags seen from that side */
    uint8_t ttl[2];       /* of the latest packet from that side */
    uint16_t retransmissions; /* TCP segments seen again, saturating */
    uint16_t out_of_order;
};

#define FLOW_ORDER_MAX (UINT64_MAX >> 10)

struct flow_cold {
    uint64_t order : 54;       /* number of its first packet in the capture: the sort key of reports */
    uint64_t leapt : 2;        /* TCP, by side: an unusual segment lay far from what was expected */
    uint64_t zero_windows : 8; /* TCP: a nibble a side, saturating */
    uint8_t mac[2][6];     /* by side; valid where mac_seen has the side's bit */
    char history[14];      /* Zeek's letters but '^', not terminated when full */
    uint8_t retransmissions[2]; /* by side, saturating; paces the history's 't' */
    uint32_t handshake_us : 25;   /* SYN to the ACK of the SYN-ACK as seen here, saturating; 0: unknown */
    uint32_t handshake_share : 7; /* see flow_round_trip_ns() */
    union {
        uint32_t tunnel_id[1]; /* in a tunnel: as first seen from the initiator (in the key only if shared) */
        uint16_t other_vlan[2]; /* with FLOW_VLANS_DIFFER: of the end that did not send the first packet */
    };
    uint16_t icmp_errors;  /* ICMP errors that quoted it */
    uint8_t icmp_error;    /* what the latest said: flow_icmp_error_name() */
    uint8_t mac_seen : 2;
    uint8_t handshake_share_low : 6;
} __attribute__((packed, aligned(4)));

/* ---- The table ---------------------------------------------------------------------------- */

struct flow_table; /* opaque */

struct flow_table_options {
    uint32_t capacity; /* flows at most; beyond it the least useful ones are evicted */
    uint64_t seed;
    struct budget *budget; /* that flows which are new are paid from, or NULL: nobody asks */
    uint32_t bytes_each;   /* what one costs of it */
};

/* Reserves a table; NULL and err when the system refuses. Costs address space, not memory. */
struct flow_table *flow_table_new(const struct flow_table_options *options, struct err *err);
void flow_table_free(struct flow_table *table);

/* Brings the bucket, then the flow that it names, into the cache; that is very likely the flow of
 * the hash, and its index is returned, 0 if there is none. */
void flow_prefetch_bucket(const struct flow_table *table, uint64_t hash);
flow_index flow_prefetch(const struct flow_table *table, uint64_t hash);

/* The flow with this key, or 0. */
flow_index flow_find(const struct flow_table *table, const struct flow_key *key, uint64_t hash);
/* The same, where it is very likely `hint`, which flow_prefetch() returned some packets ago. */
flow_index flow_find_near(const struct flow_table *table, const struct flow_key *key, uint64_t hash,
                          flow_index hint);

/* Where there is no flow with this key: the one that the packet from `end` belongs to though its
 * directions bear different VLAN tags, as mirrors of some switches have them; or 0. It is that
 * whose packets from this end have borne these tags, else, of those that have none from this end
 * yet, the one that spoke last. Of two hosts that speak of the same in FLOW_VLANS_MOST VLANs and
 * more, any: so that nobody can make a search long. */
flow_index flow_find_across(const struct flow_table *table, const struct flow_key *key,
                            unsigned end, uint64_t hash);
enum { FLOW_VLANS_MOST = 64 };

/* The flow that flow_find_across() found has got a packet of this key from `end`. */
void flow_cross(struct flow_table *table, flow_index index, const struct flow_key *key,
                unsigned end);

/* The VLAN tags of the packets from a side, 0 the initiator: outermost first, zeroes behind the
 * last. */
void flow_vlans(const struct flow *flow, const struct flow_cold *cold, unsigned side,
                uint16_t ret[2]);

/* Whether flow_add() would need an eviction first: there are as many as there may be, or the budget is
 * spent. */
bool flow_table_is_full(const struct flow_table *table);

/* The flow that can best be spared: closed before one-sided before idle, among a few candidates
 * that a clock hand passes. The table must not be empty. Skips flows with FLOW_TOUCHED while others
 * are near; the caller checks. */
flow_index flow_table_victim(struct flow_table *table);

/* A new zeroed flow with this key, FLOW_IN_USE set. The table must not be full. */
flow_index flow_add(struct flow_table *table, const struct flow_key *key, uint64_t hash);

/* Ends a flow: its index may be used again. The first fetches ahead what the second will need beside the
 * flow, which is in the cache. */
void flow_prefetch_drop(const struct flow_table *table, flow_index index);
void flow_drop(struct flow_table *table, flow_index index);

struct flow *flow_at(const struct flow_table *table, flow_index index);
struct flow_cold *flow_cold_at(const struct flow_table *table, flow_index index);

uint32_t flow_table_count(const struct flow_table *table);
/* One more than the largest index ever in use: walk 1 .. bound - 1 and skip those not in use. */
uint32_t flow_table_bound(const struct flow_table *table);
/* Bytes of memory that the table touches now, at most. */
uint64_t flow_table_memory(const struct flow_table *table);
/* Bytes that a flow costs when `capacity` are in the table. */
enum { FLOW_BYTES = 204 };

/* ---- Timers: a wheel of seconds over packet time ------------------------------------------- */

/* Has the flow come up at `second` (since 1970) or, when that lies beyond the wheel's horizon, at
 * the horizon, to be armed anew. Re-arming moves it. */
void flow_arm(struct flow_table *table, flow_index index, uint64_t second);

/* Moves the wheel to `second` and collects at most `max` flows that are due into `ret`; they are
 * disarmed. Returns how many; call again while it returns `max`. */
uint32_t flow_due(struct flow_table *table, uint64_t second, flow_index *ret, uint32_t max);

/* ---- Updating ------------------------------------------------------------------------------ */

/* What a packet meant to its flow. */
struct flow_update {
    uint8_t side;         /* 0: from the initiator */
    bool retransmission;  /* TCP payload seen before */
    bool out_of_order;    /* TCP segment behind what was expected, but new */
    bool opened;          /* TCP handshake complete with this packet */
    bool closed;          /* TCP connection ended with this packet */
    bool plain;           /* TCP segment as expected, amid an open connection; none of the above */
    bool stray;           /* flow_is_stray(): counted, and nothing else */
    uint64_t before_ns;   /* time of the flow's latest packet before this one */
};

/* Whether a SYN was answered, and its sender has acknowledged nothing since. */
static inline bool flow_is_half_open(const struct flow *flow)
{
    return (flow->tcp_flags[0] & (TCP_SYN | TCP_ACK)) == TCP_SYN && flow->tcp_flags[1] & TCP_SYN;
}

/* Starts a new flow with its first packet: first time, MACs, order, and the initiator, which is
 *  - TCP with SYN: its sender; with SYN and ACK: its receiver;
 *  - ICMP: who asks, even where the reply came first;
 *  - else the sender, unless it sends from a server's port to a port that is none; where a TCP
 *    connection was joined midway and neither port is known for servers, the end with the higher.
 * FLOW_FLIPPED is set where that is not the sender. Does not count the packet. */
void flow_begin(struct flow_table *table, flow_index index, const struct packet *p, int end,
                uint64_t order);

/* Whether this packet of a key that is in the table opens a connection of its own: the flow must be
 * ended and a new one begun. A TCP SYN does so that is no copy of the flow's own, if the connection
 * was closed or reset, its sender had closed its side, or all had been quiet for a minute. */
bool flow_is_reopened(const struct flow *flow, const struct packet *p, int end);

/* Whether this packet of a flow is a SYN, FIN or RST that its receiver would not take, so that it neither
 * opens nor ends anything: somebody else's guess, or left from another connection.
 *  - Once the handshake is over, by its sequence number (RFC 9293 §3.10.7.4, RFC 5961 §3 and §4): it is
 *    further than two windows, of 64 KiB at least, from what its side sent last, or a SYN that is no
 *    copy of the first one. Two, since the tap knows neither what the receiver has got by now nor what
 *    was lost before it.
 *  - Before that, a RST to a SYN that does not acknowledge it (RFC 9293 §3.10.7.3).
 * Of a connection joined in the middle windows are not known: all are believed. */
bool flow_is_stray(const struct flow *flow, const struct packet *p, int end);

/* Counts a packet (all frames that it stands for) and follows its TCP state. `end` is what
 * flow_key_make returned. The packet has a time. What it meant goes into `ret`, which is
 * overwritten whole: in place, for a value that is returned would be put together from its bytes
 * for each packet. */
void flow_count(struct flow_table *table, flow_index index, const struct packet *p, int end,
                struct flow_update *ret);

/* Nanoseconds from here to an end of a TCP connection (1: the responder, 0: the initiator) and back, as
 * its handshake showed them: SYN to SYN-ACK, or SYN-ACK to ACK, to a thousandth of the whole. 0: not
 * known, because the handshake was not seen, or not without packets sent again. */
uint64_t flow_round_trip_ns(const struct flow_cold *cold, unsigned side);

/* Notes an ICMP error that quoted a packet of this flow. */
void flow_note_icmp(struct flow_table *table, flow_index index, const struct packet *error);

/* What the latest of them said: network_, host_, protocol_ or port_unreachable, fragmentation_needed (also
 * IPv6's "packet too big"), source_route_failed, admin_prohibited, time_exceeded, other. NULL: there was
 * none. Static text. */
const char *flow_icmp_error_name(const struct flow_cold *cold);

/* Zeek's conn_state of the flow: S0 S1 S2 S3 SF REJ RSTO RSTR RSTOS0 RSTRH SH SHR OTH, as defined
 * in docs.zeek.org base/protocols/conn. UDP has S0, SF and SHR by who has spoken; "" for the rest.
 * Static text. */
const char *flow_connection_state(const struct flow *flow);

/* Zeek's history as terminated text: the letters S H A D F R T W G I Q in upper case for the
 * initiator's packets, in lower case for the responder's, '^' first where FLOW_FLIPPED is set.
 * UDP has D alone, what is neither has nothing. */
void flow_history_text(const struct flow *flow, const struct flow_cold *cold, char ret[16]);
