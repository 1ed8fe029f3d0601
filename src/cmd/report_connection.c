// SPDX-License-Identifier: Apache-2.0
#include "cmd/report_connection.h"

#include "base/text.h"
#include "cmd/connection_choice.h"

#include <math.h>
#include <string.h>

/* A figure of a record, or of a direction: where it is, and what it is called. */
struct figure {
    const char *label; /* NULL ends a table */
    const char *unit;
    size_t offset;
};

#define OF(member) offsetof(struct health_record, member)
#define IN(member) offsetof(struct health_way, member)

static const struct figure whole[] = {
    {"round trip, client, least", "ms", OF(min_rtt_to_client_ms)},
    {"round trip, server, least", "ms", OF(min_rtt_to_server_ms)},
    {"SYN-ACK to its ACK", "ms", OF(handshake_rtt_to_client_ms)},
    {"SYN to SYN-ACK", "ms", OF(handshake_rtt_to_server_ms)},
    {"TLS handshake", "ms", OF(tls_handshake_ms)},
    {"first answer, seen here", "ms", OF(ttfb_ms)},
    {"slowest answer, server's time", "ms", OF(server_response_ms)},
    {"longest stall", "ms", OF(longest_stall_ms)},
    {"outages that healed", "", OF(blackhole_episodes)},
    {"the first of them", "s", OF(blackhole_episode_s)},
    {"turns", "", OF(turns)},
    {"frames", "", OF(packets)},
    {"copies of frames", "", OF(duplicate_frames)},
    {"SYNs", "", OF(syn_pkts)},
    {"SYN-ACKs", "", OF(synack_pkts)},
    {"RSTs", "", OF(rst_pkts)},
    {"keep-alives", "", OF(keepalives)},
    {"probes of a closed window", "", OF(window_probes)},
    {"ICMP errors about it", "", OF(icmp_errors)},
    {0},
};

static const struct figure ways[] = {
    {"data", "segments", IN(data_pkts)},
    {"data, repeats included", "bytes", IN(data_bytes)},
    {"distinct data", "bytes", IN(unique_bytes)},
    {"acknowledged, not captured", "bytes", IN(not_captured_bytes)},
    {"throughput when not idle", "Mbit/s", IN(nonidle_throughput_mbps)},
    {"throughput over its life", "Mbit/s", IN(goodput_mbps)},
    {"busy", "ms", IN(sender_busy_time_ms)},
    {"held by the window", "ms", IN(rwnd_limited_ms)},
    {"idle", "ms", IN(idle_ms)},
    {"lost before the tap", "segments", IN(lost_before_tap_pkts)},
    {"lost behind the tap", "segments", IN(lost_behind_tap_pkts)},
    {"retransmitted", "segments", IN(retrans_pkts)},
    {"  had passed before", "segments", IN(retrans_earlier_copy_seen_pkts)},
    {"  filled a hole", "segments", IN(retrans_fills_hole_pkts)},
    {"  for nothing", "segments", IN(spurious_retrans_pkts)},
    {"  fast", "repairs", IN(fast_retransmits)},
    {"  by time-out", "repairs", IN(timeouts)},
    {"  by tail probe", "repairs", IN(tail_probes)},
    {"overtaken", "segments", IN(reordered_original_pkts)},
    {"duplicated by the network", "segments", IN(network_dup_pkts)},
    {"duplicate ACKs for it", "", IN(duplicate_acks)},
    {"ACKs with SACK for it", "", IN(sack_acks)},
    {"its sender closed its window", "times", IN(zero_window_pkts)},
    {"ended at the window's edge", "segments", IN(window_full_pkts)},
    {"round trips to its receiver", "samples", IN(rtt_samples)},
    {"  median", "ms", IN(rtt_p50_ms)},
    {"  95 % below", "ms", IN(rtt_p95_ms)},
    {"  mean", "ms", IN(rtt_loaded_ms)},
    {"queue, median", "ms", IN(queue_p50_ms)},
    {"queue, 95 % below", "ms", IN(queue_p95_ms)},
    {"most in flight", "bytes", IN(max_flight_bytes)},
    {"largest window for it", "bytes", IN(max_window_bytes)},
    {"initial window", "segments", IN(initial_window_segs)},
    {"MSS of its sender", "bytes", IN(mss)},
    {"window scale of its sender", "bits", IN(window_scale)},
    {"marked CE", "segments", IN(ce_pkts)},
    {"ACKs that echo marks", "", IN(ece_acks)},
    {0},
};

static double value_of(const void *base, const struct figure *figure)
{
    double value;
    memcpy(&value, (const char *)base + figure->offset, sizeof value);
    return value;
}

/* Whole numbers as they are, others with as many digits as say something. */
static const char *write_value(char ret[TEXT_ROOM], double value)
{
    if (isnan(value)) {
        return memcpy(ret, "-", 2);
    }
    bool whole_number = value == floor(value);
    snprintf(ret, TEXT_ROOM, whole_number ? "%.0f" : value < 1 ? "%.3f" : "%.2f", value);
    return ret;
}

/* ---- Parts ----------------------------------------------------------------------------------- */

static void print_title(const struct health_event *event, const struct terminal *terminal,
                        FILE *out)
{
    const struct flow_event *flow = &event->flow;
    const struct health_record *r = &event->record;
    char ends[CONNECTION_ENDS_ROOM];
    char time[TEXT_TIME_ROOM];
    char lasted[TEXT_ROOM];
    connection_ends(ends, flow, " > ");
    text_rfc3339(time, flow->start_ns, 3);
    text_short_duration(lasted, (int64_t)flow->duration_ns);
    fprintf(out, "%s%s%s\n", terminal_style(terminal, TERMINAL_BOLD), ends,
            terminal_style(terminal, TERMINAL_PLAIN));
    fprintf(out, "began %s, lasted %s, closed: %s\n", time, lasted,
            r->close != NULL ? r->close : "no");
    fprintf(out, "Community ID %s, state %s, history %s\n", flow->community_id, flow->state,
            flow->history);
    fprintf(out, "capture: %s", r->quality);
    const char *tags[] = {r->timestamps == HEALTH_TRUE ? "time stamps" : NULL,
                          r->sack == HEALTH_TRUE ? "SACK" : NULL,
                          r->ecn_negotiated == HEALTH_TRUE ? "ECN" : NULL};
    for (unsigned i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (tags[i] != NULL) {
            fprintf(out, ", %s", tags[i]);
        }
    }
    fprintf(out, "%s%s\n", r->limited_by != NULL ? "; limited by the " : "",
            r->limited_by != NULL ? r->limited_by : "");
}

static void print_verdicts(const struct health_event *event, const struct terminal *terminal,
                           FILE *out)
{
    fprintf(out, "\n%sVerdicts%s\n", terminal_style(terminal, TERMINAL_BOLD),
            terminal_style(terminal, TERMINAL_PLAIN));
    const char *from = event->verdicts;
    if (*from == '\0') {
        fprintf(out, "  none: nothing is wrong with it\n");
    }
    while (*from != '\0') {
        int size = (int)strcspn(from, ",");
        for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
            const char *name = health_verdict_name((enum health_verdict)i);
            if (strncmp(name, from, (size_t)size) == 0 && name[size] == '\0') {
                bool bad = event->badness >= HEALTH_BAD;
                fprintf(out, "  %s%-20s%s %3.0f %%  %s\n",
                        terminal_style(terminal, bad ? TERMINAL_BAD : TERMINAL_WARN), name,
                        terminal_style(terminal, TERMINAL_PLAIN), 100 * event->confidence[i],
                        event->evidence[i]);
            }
        }
        from += size + (from[size] == ',');
    }
    const char *kind = event->record.blackhole_kind;
    if (kind != NULL) {
        fprintf(out, "  black hole: %s\n", kind);
    }
    if (event->queue_place != NULL) {
        bool before = event->record.queue_place == HEALTH_BEFORE_TAP;
        fprintf(out, "  the queue stands %s the tap\n", before ? "before" : "behind");
    }
}

static void print_whole(const struct health_event *event, const struct terminal *terminal, FILE *out)
{
    fprintf(out, "\n%s%-30s %12s%s\n", terminal_style(terminal, TERMINAL_BOLD), "Connection",
            "", terminal_style(terminal, TERMINAL_PLAIN));
    for (const struct figure *f = whole; f->label != NULL; f++) {
        char text[TEXT_ROOM];
        double value = value_of(&event->record, f);
        if (isnan(value) || (value == 0 && f->unit[0] == '\0')) {
            continue; /* nothing to tell */
        }
        fprintf(out, "  %-30s %12s %s\n", f->label, write_value(text, value), f->unit);
    }
}

static void print_ways(const struct health_event *event, const struct terminal *terminal, FILE *out)
{
    const struct health_way *way = event->record.ways;
    fprintf(out, "\n%s%-32s %12s %12s%s\n", terminal_style(terminal, TERMINAL_BOLD), "Direction",
            "to server", "to client", terminal_style(terminal, TERMINAL_PLAIN));
    for (const struct figure *f = ways; f->label != NULL; f++) {
        char text[2][TEXT_ROOM];
        double values[] = {value_of(&way[0], f), value_of(&way[1], f)};
        if (isnan(values[0]) && isnan(values[1])) {
            continue;
        }
        fprintf(out, "  %-30s %12s %12s %s\n", f->label, write_value(text[0], values[0]),
                write_value(text[1], values[1]), f->unit);
    }
}

void report_connection_print(const struct health_event *event, const struct terminal *terminal,
                             FILE *out)
{
    print_title(event, terminal, out);
    print_verdicts(event, terminal, out);
    print_whole(event, terminal, out);
    print_ways(event, terminal, out);
}
