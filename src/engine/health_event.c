// SPDX-License-Identifier: Apache-2.0
#include "engine/health_event.h"

#include <stdio.h>

#define AT(member) offsetof(struct health_event, member)
#define FIELD(name_, kind_, member, help_)                                                         \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = AT(member), .help = help_                          \
    }
#define ALWAYS(name_, kind_, member, help_)                                                        \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = AT(member), .flags = EVENT_ALWAYS, .help = help_   \
    }
#define HEALTH "tcp.health."
#define NUMBER(name_, member, help_) FIELD(HEALTH name_, EVENT_NUMBER, record.member, help_)
#define TEXT(name_, member, help_) FIELD(HEALTH name_, EVENT_TEXT, record.member, help_)
#define TRUTH(name_, member, help_) FIELD(HEALTH name_, EVENT_TRUTH, record.member, help_)
#define VERDICT(name_, index)                                                                      \
    FIELD(HEALTH "verdict." name_ ".confidence", EVENT_NUMBER, confidence[index], "0 to 1"),       \
        FIELD(HEALTH "verdict." name_ ".evidence", EVENT_INLINE, evidence[index],                  \
              "what it rests on")
#define IN(way, index, member, help_) NUMBER(way "." #member, ways[index].member, help_)

/* The numbers of a direction, in the order of their names. */
#define WAY(way, index)                                                                            \
    IN(way, index, ce_pkts, "data with a congestion mark (CE) when they passed"),                  \
    IN(way, index, data_bytes, "payload, repeats included"),                                       \
    IN(way, index, data_pkts, "segments with payload"),                                            \
    IN(way, index, duplicate_acks, "that the receiver of these data sent"),                        \
    IN(way, index, ece_acks, "ACKs that echo congestion marks (ECE)"),                             \
    IN(way, index, fast_retransmits, "repairs begun by SACK or duplicate ACKs"),                   \
    IN(way, index, goodput_mbps, "distinct payload by the connection's life"),                     \
    IN(way, index, idle_ms, "time with nothing in flight and nothing wanted"),                     \
    IN(way, index, initial_window_segs, "segments sent before the first was acknowledged"),        \
    IN(way, index, lost_before_tap_pkts, "segments lost between sender and tap"),                  \
    IN(way, index, lost_behind_tap_pkts, "segments lost between tap and receiver"),                \
    IN(way, index, max_flight_bytes, "most bytes in flight, on the sender's clock"),               \
    IN(way, index, max_window_bytes, "largest window that the receiver advertised"),               \
    IN(way, index, mss, "announced by the sender of these data"),                                  \
    IN(way, index, network_dup_pkts, "data segments among duplicate_frames"),                      \
    IN(way, index, nonidle_throughput_mbps, "acknowledged payload by sender_busy_time_ms"),        \
    IN(way, index, not_captured_bytes, "acknowledged, but in no frame: the capture's loss"),       \
    IN(way, index, queue_p50_ms, "median delay above the base, of the worst minute"),              \
    IN(way, index, queue_p95_ms, "the same, 95th percentile"),                                     \
    IN(way, index, reordered_original_pkts, "first transmissions that came after later ones"),     \
    IN(way, index, retrans_earlier_copy_seen_pkts, "retransmissions of what had passed the tap"),  \
    IN(way, index, retrans_fills_hole_pkts, "retransmissions of what had not"),                    \
    IN(way, index, retrans_pkts, "retransmissions"),                                               \
    IN(way, index, rtt_loaded_ms, "mean round trip tap to receiver with data in flight"),          \
    IN(way, index, rtt_p50_ms, "round trip tap to receiver, median"),                              \
    IN(way, index, rtt_p95_ms, "round trip tap to receiver, 95th percentile"),                     \
    IN(way, index, rtt_samples, "round trips measured by data and acknowledgment"),                \
    IN(way, index, rwnd_limited_ms, "part of the busy time in which the window was full"),         \
    IN(way, index, sack_acks, "acknowledgments with SACK blocks"),                                 \
    IN(way, index, sender_busy_time_ms, "time with data unacknowledged or held by the window"),    \
    IN(way, index, spurious_retrans_pkts, "retransmissions that were not needed"),                 \
    IN(way, index, tail_probes, "tail loss probes"),                                               \
    IN(way, index, timeouts, "retransmission time-outs"),                                          \
    IN(way, index, unique_bytes, "distinct payload bytes that frames show"),                       \
    IN(way, index, window_full_pkts, "segments that ended at the window's edge"),                  \
    IN(way, index, window_scale, "announced by the sender of these data"),                         \
    IN(way, index, zero_window_pkts, "segments of this sender that close its window")

static const struct event_field fields[] = {
    ALWAYS("@timestamp", EVENT_TIME, flow.timestamp_ns, "packet time of the report"),
    FIELD("client.as.number", EVENT_U32, client.as_number, "its autonomous system, with geo.asn"),
    FIELD("client.as.organization.name", EVENT_INLINE, client.as_name, "whose that is"),
    FIELD("client.geo.country_iso_code", EVENT_INLINE, client.country, "its country, with geo.city"),
    FIELD("client.ip", EVENT_ADDRESS, flow.source, "who opened the connection"),
    FIELD("client.port", EVENT_U32, flow.source_port, "its port"),
    FIELD("event.action", EVENT_TEXT, flow.action, "tcp_connection"),
    FIELD("event.category", EVENT_JSON, flow.category_json, "network"),
    FIELD("event.dataset", EVENT_TEXT, flow.dataset, "tcp.connection"),
    ALWAYS("event.duration", EVENT_U64, flow.duration_ns, "ns from first to last packet"),
    ALWAYS("event.end", EVENT_TIME, flow.end_ns, "time of the latest packet"),
    FIELD("event.incomplete", EVENT_BOOL, flow.incomplete, "the capture lost packets meanwhile"),
    FIELD("event.kind", EVENT_TEXT, flow.kind, "event"),
    FIELD("event.reason", EVENT_TEXT, flow.reason, "why this report was made"),
    ALWAYS("event.start", EVENT_TIME, flow.start_ns, "time of the first packet"),
    FIELD("event.type", EVENT_JSON, flow.event_type_json,
          "connection, and end for the last report"),
    ALWAYS("flow.final", EVENT_BOOL, flow.final, "true in the last report of a connection"),
    FIELD("flow.history", EVENT_INLINE, flow.history, "Zeek's history letters"),
    FIELD("flow.id", EVENT_INLINE, flow.flow_id, "joins with the flow's event"),
    FIELD("flow.state", EVENT_TEXT, flow.state, "Zeek's conn_state"),
    FIELD("flow.tunnel.id", EVENT_U32, flow.tunnel_id, "VNI, TEID, key or session, as first seen"),
    FIELD("flow.tunnel.type", EVENT_TEXT, flow.tunnel, "innermost tunnel around the flow"),
    FIELD("flow.vlan", EVENT_U16_LIST, flow.vlan, "VLAN ids, outermost first"),
    FIELD("network.community_id", EVENT_INLINE, flow.community_id, "Community ID v1, seed 0"),
    FIELD("network.iana_number", EVENT_U8, flow.protocol, "6"),
    FIELD("network.transport", EVENT_TEXT, flow.transport, "tcp"),
    FIELD("network.type", EVENT_TEXT, flow.network_type, "ipv4 or ipv6"),
    FIELD("server.ip", EVENT_ADDRESS, flow.destination, "the other end"),
    FIELD("server.port", EVENT_U32, flow.destination_port, "its port"),
    WAY("c2s", 0),
    NUMBER("duplicate_frames", duplicate_frames, "frames that are copies of the same IP packet"),
    TRUTH("established", established, "the whole handshake was seen"),
    TEXT("first_rst_from", first_rst_from, "client or server"),
    NUMBER("flags.blackhole_episode_s", blackhole_episode_s, "how long the first of them took"),
    NUMBER("flags.blackhole_episodes", blackhole_episodes, "outages that healed"),
    TEXT("flags.blackhole_kind", blackhole_kind, "syn, synack, mid_connection ..."),
    TRUTH("flags.blackholed", findings[HEALTH_BLACKHOLED].truth,
          "packets vanish, and it never recovers"),
    TRUTH("flags.budget_spent", budget_spent, "memory was short: numbers may be too small"),
    TRUTH("flags.bufferbloat", findings[HEALTH_BUFFERBLOAT].truth, "a standing queue"),
    TRUTH("flags.capture_loss", capture_loss, "the capture missed data"),
    TEXT("flags.close", close, "fin, refused, unreachable, rst_by_client, rst_by_server ..."),
    TEXT("flags.ecn_flavour", ecn_flavour, "RFC3168"),
    TRUTH("flags.ecn_negotiated", ecn_negotiated, "both ends agreed to ECN"),
    TRUTH("flags.half_open", half_open, "one end knew nothing of the connection any more"),
    TRUTH("flags.handshake_seen", handshake_seen, "SYN and SYN-ACK were seen"),
    FIELD(HEALTH "flags.icmp_error", EVENT_TEXT, icmp_error,
          "the latest ICMP error: host_unreachable, fragmentation_needed ..."),
    NUMBER("flags.initial_window_segs", initial_window_segs, "the server's, in segments"),
    NUMBER("flags.keepalives", keepalives, "keep-alive probes"),
    TEXT("flags.limited_by", limited_by, "application, sender, receiver or network"),
    TRUTH("flags.one_way", one_way, "only one direction passes here"),
    TRUTH("flags.options_truncated", options_truncated, "the capture cut TCP options off"),
    TRUTH("flags.pmtu_blackhole_recovered", pmtu_blackhole_recovered,
          "large segments vanished until smaller ones were sent"),
    TRUTH("flags.pmtud_icmp", pmtud_icmp, "a router told the path's MTU"),
    TRUTH("flags.reordering", reordering, "the network changed the order"),
    NUMBER("flags.rto", timeouts, "retransmission time-outs"),
    TRUTH("flags.sack", sack, "negotiated"),
    TRUTH("flags.self_induced", self_induced, "the queue holds this connection's own bytes"),
    NUMBER("flags.server_response_ms", server_response_ms, "the longest turn's server time"),
    TRUTH("flags.simultaneous_open", simultaneous_open, "both ends sent a SYN"),
    TRUTH("flags.spurious_retrans", spurious_retrans, "a retransmission was not needed"),
    TRUTH("flags.syn_flood", syn_flood, "one of many handshakes to the server that nobody completed"),
    TRUTH("flags.syn_retransmitted", syn_retransmitted, "more than one SYN"),
    TRUTH("flags.timestamps", timestamps, "negotiated"),
    NUMBER("flags.tlp", tail_probes, "tail loss probes"),
    NUMBER("flags.turns", turns, "requests that were answered"),
    NUMBER("handshake_rtt_to_client_ms", handshake_rtt_to_client_ms, "SYN-ACK to the ACK of it"),
    NUMBER("handshake_rtt_to_server_ms", handshake_rtt_to_server_ms, "SYN to SYN-ACK"),
    NUMBER("icmp_errors", icmp_errors, "ICMP errors that quoted the connection"),
    NUMBER("longest_stall_ms", longest_stall_ms, "longest time without progress of data in flight"),
    NUMBER("min_rtt_to_client_ms", min_rtt_to_client_ms, "tap and client, minimum"),
    NUMBER("min_rtt_to_server_ms", min_rtt_to_server_ms, "tap and server, minimum"),
    NUMBER("packets", packets, "frames, copies included"),
    TEXT("quality", quality, "ok, degraded, midstream, one_way or truncated"),
    FIELD(HEALTH "queue_place", EVENT_TEXT, queue_place,
          "before_tap or behind_tap, of the sender's data"),
    NUMBER("rst_pkts", rst_pkts, "segments with RST"),
    WAY("s2c", 1),
    FIELD(HEALTH "server_zone", EVENT_TEXT, server.zone, "of the table of zones"),
    NUMBER("syn_pkts", syn_pkts, "SYNs of the client"),
    NUMBER("synack_pkts", synack_pkts, "SYN-ACKs of the server"),
    NUMBER("tls_handshake_ms", tls_handshake_ms, "ClientHello to the end of the handshake"),
    NUMBER("ttfb_ms", ttfb_ms, "last byte of the first request to the first of its answer, here"),
    VERDICT("application_limited", HEALTH_APPLICATION_LIMITED),
    VERDICT("blackholed", HEALTH_BLACKHOLED),
    VERDICT("bufferbloat", HEALTH_BUFFERBLOAT),
    VERDICT("lossy", HEALTH_LOSSY),
    VERDICT("receiver_limited", HEALTH_RECEIVER_LIMITED),
    VERDICT("reordered", HEALTH_REORDERED),
    VERDICT("sender_limited", HEALTH_SENDER_LIMITED),
    VERDICT("short_of_window", HEALTH_SHORT_OF_WINDOW),
    VERDICT("slow_server", HEALTH_SLOW_SERVER),
    FIELD(HEALTH "verdicts", EVENT_INLINE, verdicts, "those that hold, worst first, with commas"),
    NUMBER("window_probes", window_probes, "probes of a closed window"),
    FIELD("type", EVENT_TEXT, flow.dataset, "tcp.connection"),
    {0},
};

const struct event_type health_event_type = {
    .dataset = "tcp.connection",
    .help = "What a capture says about a TCP connection: its network, its ends, the capture itself",
    .size = sizeof(struct health_event),
    .fields = fields,
};

/* ---- Filling -------------------------------------------------------------------------------- */

void health_event_fill(struct health_event *ret, const struct flow *flow,
                       const struct flow_cold *cold, enum flow_reason reason, uint64_t now_ns)
{
    flow_event_fill(&ret->flow, flow, cold, reason, now_ns, NULL);
    ret->flow.head.type = &health_event_type;
    ret->flow.dataset = "tcp.connection";
    ret->flow.action = "tcp_connection";
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        ret->evidence[i][0] = '\0';
        ret->confidence[i] = NAN;
    }
    ret->verdicts[0] = '\0';
    ret->queue_place = NULL;
    ret->icmp_error = flow_icmp_error_name(cold);
}

/* ---- Words ----------------------------------------------------------------------------------- */

/* Says a verdict's evidence: health_verdict.c has set the three numbers. */
static void say(char ret[HEALTH_EVIDENCE_ROOM], enum health_verdict verdict, const float n[3])
{
#define SAY(...) snprintf(ret, HEALTH_EVIDENCE_ROOM, __VA_ARGS__)
    double a = n[0], b = n[1], c = n[2];
    switch (verdict) {
    case HEALTH_BUFFERBLOAT:
        SAY("60 ms of queue or more in %.0f of %.0f intervals of 100 ms, median %.0f ms", a, b, c);
        break;
    case HEALTH_BLACKHOLED:
        SAY("%.0f repeats in %.1f s without an answer", a, b);
        break;
    case HEALTH_LOSSY:
        SAY("%.2f %% of segments: %.0f before the tap, %.0f behind it", a, b, c);
        break;
    case HEALTH_REORDERED:
        SAY("%.0f segments overtaken, %.2f %%; %.0f retransmissions for nothing", a, b, c);
        break;
    case HEALTH_RECEIVER_LIMITED:
        SAY("window closed for %.0f of %.0f busy ms; %.0f bytes at most", a, b, c);
        break;
    case HEALTH_SENDER_LIMITED:
        SAY("%.0f round trips at %.0f bytes in flight; window %.0f bytes", a, b, c);
        break;
    case HEALTH_APPLICATION_LIMITED:
        SAY("idle for %.0f of %.0f ms; %.0f bytes in all", a, b, c);
        break;
    case HEALTH_SLOW_SERVER:
        SAY("slowest answer after %.0f ms, of %.0f turns; path %.1f ms", a, b, c);
        break;
    case HEALTH_SHORT_OF_WINDOW:
        SAY("window full for %.0f of %.0f busy ms; %.0f bytes at most", a, b, c);
        break;
    case HEALTH_VERDICTS:
        break;
    }
#undef SAY
}

/* From the one that hurts most to those that only explain. */
static const enum health_verdict worst_first[HEALTH_VERDICTS] = {
    HEALTH_BLACKHOLED,      HEALTH_BUFFERBLOAT,      HEALTH_LOSSY,
    HEALTH_SLOW_SERVER,     HEALTH_REORDERED,        HEALTH_SHORT_OF_WINDOW,
    HEALTH_RECEIVER_LIMITED, HEALTH_SENDER_LIMITED,  HEALTH_APPLICATION_LIMITED,
};

enum { REFUSED_WEIGHT = 60 };

static const double weights[HEALTH_VERDICTS] = {
    [HEALTH_BLACKHOLED] = 100,      [HEALTH_BUFFERBLOAT] = 60,     [HEALTH_LOSSY] = 50,
    [HEALTH_SLOW_SERVER] = 40,      [HEALTH_REORDERED] = 30,       [HEALTH_SHORT_OF_WINDOW] = 25,
    [HEALTH_RECEIVER_LIMITED] = 15, [HEALTH_SENDER_LIMITED] = 10,  [HEALTH_APPLICATION_LIMITED] = 1,
};

double health_event_badness(const struct health_record *record)
{
    bool failed = record->close != NULL && (strcmp(record->close, "refused") == 0 ||
                                            strcmp(record->close, "unreachable") == 0);
    double badness = failed ? REFUSED_WEIGHT : 0;
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        const struct health_finding *f = &record->findings[i];
        badness += f->truth == HEALTH_TRUE ? weights[i] * (double)f->confidence : 0;
    }
    return badness;
}

void health_event_finish(struct health_event *event)
{
    static const char *const places[] = {NULL, "before_tap", "behind_tap"};
    flow_event_finish(&event->flow);
    event->queue_place = places[event->record.queue_place];
    event->badness = health_event_badness(&event->record);
    size_t at = 0;
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        enum health_verdict verdict = worst_first[i];
        const struct health_finding *f = &event->record.findings[verdict];
        if (f->truth != HEALTH_TRUE) {
            continue;
        }
        event->confidence[verdict] = f->confidence;
        say(event->evidence[verdict], verdict, f->evidence);
        at += (size_t)snprintf(event->verdicts + at, HEALTH_LIST_ROOM - at, "%s%s",
                               at > 0 ? "," : "", health_verdict_name(verdict));
    }
}
