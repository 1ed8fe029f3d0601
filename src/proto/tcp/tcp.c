// SPDX-License-Identifier: Apache-2.0
/* The life of TCP connections in numbers: how many were asked for, answered, closed, reset, and what
 * had to be sent again. */
#include "proto/proto.h"

/* Zeek's connection states, in which connections ended. */
static const char *const states[] = {
    "S0",   "S1",   "S2",     "S3",    "SF", "REJ", "RSTO",
    "RSTR", "RSTOS0", "RSTRH", "SH", "SHR", "OTH",
};
enum { TCP_PROTOCOL = 6, STATES = sizeof states / sizeof *states };

struct tcp_stats {
    uint64_t packets;
    uint64_t syns;
    uint64_t syn_acks;
    uint64_t opened;
    uint64_t closed;
    uint64_t resets;
    uint64_t retransmissions;
    uint64_t out_of_order;
    uint64_t zero_windows;
    uint64_t strays;
    uint64_t flooded;
    uint64_t states[STATES];
};

static void tcp_on_packet(void *block, const struct packet *p, const struct flow *flow,
                          const struct flow_update *update)
{
    if (p->class != PACKET_TCP || p->l4 == NULL) {
        return;
    }
    struct tcp_stats *s = block;
    bool syn = p->tcp_flags & TCP_SYN;
    bool ack = p->tcp_flags & TCP_ACK;
    bool reset = p->tcp_flags & TCP_RST;
    s->packets++;
    s->syns += syn && !ack;
    s->syn_acks += syn && ack;
    s->opened += update->opened;
    s->closed += update->closed;
    s->resets += reset;
    s->retransmissions += update->retransmission;
    s->out_of_order += update->out_of_order;
    s->zero_windows += p->window == 0 && !reset && !syn;
    s->strays += update->stray;
    (void)flow;
}

static const char *state_name(unsigned i)
{
    return states[i];
}

static void tcp_on_end(void *block, const struct flow *flow)
{
    if (flow->key.version == 0 || flow->key.protocol != TCP_PROTOCOL) {
        return;
    }
    struct tcp_stats *s = block;
    s->flooded += flow->flooded;
    const char *state = flow_connection_state(flow);
    for (unsigned i = 0; i < STATES; i++) {
        if (strcmp(state, states[i]) == 0) {
            s->states[i]++;
            return;
        }
    }
}

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct tcp_stats, member),     \
        .unit = unit_, .help = help_, .group = "counters"                                          \
    }

static const struct metric tcp_metrics[] = {
    COUNTER(packets, "packets", "TCP packets"),
    COUNTER(syns, "packets", "Requests to open a connection, repeated ones too"),
    COUNTER(syn_acks, "packets", "Answers to them"),
    COUNTER(opened, "connections", "Handshakes seen to complete"),
    COUNTER(closed, "connections", "Connections seen to end, orderly or by reset"),
    COUNTER(resets, "packets", "Packets with the RST flag"),
    COUNTER(retransmissions, "packets", "Segments whose bytes had been seen before"),
    COUNTER(out_of_order, "packets", "Segments that came after later ones"),
    COUNTER(zero_windows, "packets", "Packets that closed the receive window"),
    COUNTER(strays, "packets",
            "SYN, FIN and RST that their receiver would not take: guesses, or left from elsewhere"),
    COUNTER(flooded, "connections",
            "Handshakes that nobody completed, 64 or more a minute to one server: a SYN flood"),
    {.name = "ended", .kind = METRIC_LABELLED, .offset = offsetof(struct tcp_stats, states),
     .unit = "connections", .help = "Connections by the state they ended in, as Zeek names it",
     .group = "counters", .label = "state", .label_value = state_name, .label_count = STATES},
    {0},
};

static const struct metric_set tcp_set = {
    .name = "tcp",
    .help = "Handshakes, endings and repairs of TCP connections",
    .metrics = tcp_metrics,
    .size = sizeof(struct tcp_stats),
};

const struct proto proto_tcp = {
    .name = "tcp",
    .help = "connections asked for, opened, closed, reset; segments sent again",
    .metrics = &tcp_set,
    .on_packet = tcp_on_packet,
    .on_end = tcp_on_end,
};
