// SPDX-License-Identifier: Apache-2.0
/* TCP health, flow's door for it: packets of TCP connections in, one record a connection out that
 * says what the network, the two hosts and the capture did to it. Headers only, one pass, from any
 * vantage point; definitions in docs/tcp-health.md.
 *
 * The model: a connection is two halves, the data of one end and what the other acknowledges. What
 * a sender knew is asked on the sender's clock: its segments count when they pass, the segments
 * that acknowledge them a round trip (tap, sender) later, for that is when the next data that they
 * let go pass (Jaiswal et al., INFOCOM 2004).
 *
 * A book belongs to one worker. A connection costs HEALTH_BYTES from its first packet; a half with
 * data borrows a detail (segments in flight, delays), and a larger block when that has not enough
 * room or there is trouble. Both go back when all has been acknowledged and nothing came for a
 * while, or when another half needs them more. All memory is address space taken at start. A spent
 * budget is counted, and the record says so. */
#pragma once

#include "flow/flow.h"

#include <math.h>

enum {
    HEALTH_BYTES = 232,        /* of a live connection */
    HEALTH_DETAIL_BYTES = 5760 /* of a half that has data in flight, at most */
};

struct health_book; /* opaque */

struct health_options {
    uint32_t flows;   /* of the flow table: no more connections than that */
    uint32_t details; /* halves with data in flight at a time */
    bool thorough;    /* no short way for plain segments: tests compare */
};

/* NULL and err when the system refuses. */
struct health_book *health_book_new(const struct health_options *options, struct err *err);
void health_book_free(struct health_book *book);

/* Takes in a packet of the flow with this index; side 0 is the initiator. What is not TCP, or whose
 * TCP header is cut off, is passed over. Packets come in the order of the capture. */
void health_packet(struct health_book *book, flow_index flow, const struct packet *p,
                   unsigned side);

/* The same for one of which flow_count() said that it is plain: most are, and cost less here. */
void health_plain_packet(struct health_book *book, flow_index flow, const struct packet *p,
                         unsigned side);

/* The same for one of which flow_is_stray() said that its receiver does not take it: it is counted, and
 * changes nothing else. */
void health_stray_packet(struct health_book *book, flow_index flow, const struct packet *p,
                         unsigned side);

/* An ICMP error that quoted a packet of the flow. */
void health_note_icmp(struct health_book *book, flow_index flow, const struct packet *error);

/* The flow ended: what was kept for it is free again. */
void health_drop(struct health_book *book, flow_index flow);

/* A second of packet time went by: takes back details of idle connections, a bounded number. */
void health_tick(struct health_book *book, uint64_t now_ns);

/* Asks for the memory of a connection ahead of its packet, in two steps: the second uses what the
 * first asked for. */
void health_prefetch_index(const struct health_book *book, flow_index flow);
void health_prefetch(const struct health_book *book, flow_index flow);

struct health_book_stats {
    uint64_t connections; /* now */
    uint64_t details;     /* now */
    uint64_t seized;      /* details taken from connections that still had data in flight */
    uint64_t refused;     /* packets of connections for which there was no room */
    uint64_t memory;      /* bytes touched, at most */
};
void health_book_stats(const struct health_book *book, struct health_book_stats *ret);

/* ---- The record ---------------------------------------------------------------------------- */

/* A statement that the vantage point may be unable to make. */
enum health_truth { HEALTH_UNKNOWN, HEALTH_FALSE, HEALTH_TRUE };

enum health_verdict {
    HEALTH_BUFFERBLOAT,
    HEALTH_BLACKHOLED,
    HEALTH_LOSSY,
    HEALTH_REORDERED,
    HEALTH_RECEIVER_LIMITED,
    HEALTH_SENDER_LIMITED,
    HEALTH_APPLICATION_LIMITED,
    HEALTH_SLOW_SERVER,
    HEALTH_SHORT_OF_WINDOW,
    HEALTH_VERDICTS,
};

/* Where a queue stands, as seen from the tap. */
enum health_place { HEALTH_NOWHERE, HEALTH_BEFORE_TAP, HEALTH_BEHIND_TAP };

/* A direction: the data that flow in it, and what became of them. A number that could not be
 * measured is NAN. Times in ms, sizes in bytes. */
struct health_way {
    double data_pkts, data_bytes, unique_bytes, not_captured_bytes;
    double retrans_pkts, retrans_earlier_copy_seen_pkts, retrans_fills_hole_pkts;
    double reordered_original_pkts, network_dup_pkts, spurious_retrans_pkts;
    double fast_retransmits, timeouts, tail_probes;
    double lost_before_tap_pkts, lost_behind_tap_pkts;
    double duplicate_acks, sack_acks; /* that the receiver of these data sent */
    double zero_window_pkts;          /* that the sender of these data sent */
    double window_full_pkts;
    double sender_busy_time_ms, nonidle_throughput_mbps, goodput_mbps, rwnd_limited_ms, idle_ms;
    double rtt_samples, rtt_p50_ms, rtt_p95_ms, rtt_loaded_ms;
    double queue_p50_ms, queue_p95_ms; /* of the worst minute */
    double max_flight_bytes, max_window_bytes, initial_window_segs;
    double mss, window_scale, ce_pkts;
    double ece_acks; /* that the receiver of these data sent */
};

/* A verdict: HEALTH_TRUE has a confidence (0 to 1) and the numbers that it rests on. */
struct health_finding {
    enum health_truth truth;
    float confidence;
    float evidence[3]; /* docs/tcp-health.md says of each verdict what they are */
};

struct health_record {
    double handshake_rtt_to_server_ms, handshake_rtt_to_client_ms;
    double min_rtt_to_server_ms, min_rtt_to_client_ms;
    double ttfb_ms, tls_handshake_ms, server_response_ms, longest_stall_ms;
    double packets, duplicate_frames, rst_pkts, keepalives, turns, window_probes;
    double syn_pkts, synack_pkts, icmp_errors;
    double blackhole_episodes, blackhole_episode_s;
    double timeouts, tail_probes, initial_window_segs;
    struct health_way ways[2]; /* 0: client to server */
    struct health_finding findings[HEALTH_VERDICTS];
    unsigned main_way;         /* which way most data went */
    enum health_place queue_place;
    const char *first_rst_from; /* "client", "server", NULL: none */
    const char *close;          /* fin, refused, rst_by_client ..., NULL: not closed */
    const char *blackhole_kind; /* NULL: none */
    const char *limited_by;     /* NULL: not to be said */
    const char *ecn_flavour;    /* NULL: none */
    const char *quality;        /* ok, degraded, midstream, one_way, truncated */
    enum health_truth established, handshake_seen, timestamps, sack, ecn_negotiated;
    enum health_truth self_induced, half_open, simultaneous_open, syn_retransmitted;
    enum health_truth pmtu_blackhole_recovered, pmtud_icmp, reordering, spurious_retrans;
    enum health_truth capture_loss, one_way, options_truncated, budget_spent;
    enum health_truth syn_flood; /* health_in_flood() */
};

/* What is known of the connection of a flow up to now; false when nothing was kept for it. Changes
 * nothing: a connection that goes on can be asked again. `silence_ns` is how long ago its latest
 * packet passed: what an open connection does not say, it does not say only after a while. */
bool health_finish(const struct health_book *book, flow_index flow, uint64_t silence_ns,
                   struct health_record *ret);

/* The record is of a handshake that waits, one of a flood's to its server. Where its client sent one SYN
 * only, so that nothing shows that it lives, it is called that, and not blackholed. */
void health_in_flood(struct health_record *record);

/* Whole round trips, client to server and back, in ms, NAN where a side was not measured: the median, the
 * 95th percentile (as the sum of both sides', so at most that), the least; and the share of data
 * segments of the main direction that were sent again, in percent. */
struct health_trip {
    double rtt_ms;
    double rtt_p95_ms;
    double min_rtt_ms;
    double loss_percent;
    double throughput_mbps;
};
struct health_trip health_trip_of(const struct health_record *record);

/* Short lower-case names with underscores; static text. */
const char *health_verdict_name(enum health_verdict verdict);
