// SPDX-License-Identifier: Apache-2.0
#include "flow/tcp_graph.h"

#include "flow/flow_tcp.h"
#include "flow/health_book.h"
#include "flow/health_clock.h"

#include <stdlib.h>

enum {
    SCALE_MAX = 14,     /* RFC 7323 §2.3 */
    DELAY_STEP_US = 1000, /* smaller changes of the delay are its clock's ticks */
};

/* Acknowledgments that have passed but not yet reached the sender. */
struct pending {
    struct health_ack acks[HEALTH_ACKS];
    unsigned count;
};

/* What was known of a half before the packet, and the graph's own sense of where it is. */
struct graph_way {
    uint32_t repeats, fills, late, copies, missed, keepalives;
    uint32_t samples;
    uint64_t sample_sum_us;
    int64_t delay_us;      /* the latest drawn; -1: none */
    int64_t flight, ack, edge; /* the same */
    struct pending pending;
    uint32_t next;         /* with `flight`: what the sender had sent */
    uint32_t sequence;     /* the highest number met, */
    int64_t offset;        /* and its place in the stream */
    bool has_origin;
};

struct tcp_graph {
    struct tcp_marks marks;
    struct graph_way ways[2];
    uint32_t copies, probes;
    uint64_t now_ns;
    uint32_t now_us;
};

struct tcp_graph *tcp_graph_new(uint32_t room, struct err *err)
{
    struct tcp_graph *graph = calloc(1, sizeof *graph);
    if (graph == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    if (!tcp_marks_init(&graph->marks, room, err)) {
        free(graph);
        return NULL;
    }
    return graph;
}

void tcp_graph_free(struct tcp_graph *graph)
{
    if (graph != NULL) {
        tcp_marks_done(&graph->marks);
        free(graph);
    }
}

const struct tcp_marks *tcp_graph_marks(const struct tcp_graph *graph)
{
    return &graph->marks;
}

/* ---- Places in the stream -------------------------------------------------------------------- */

/* Where a sequence number lies, by the half of the numbers that is nearest to the highest one. */
static int64_t place_of(struct graph_way *w, uint32_t sequence)
{
    if (!w->has_origin) {
        w->has_origin = true;
        w->sequence = sequence;
        w->offset = 0;
    }
    int32_t ahead = health_distance(sequence, w->sequence);
    int64_t place = w->offset + ahead;
    if (ahead > 0) {
        w->sequence = sequence;
        w->offset = place;
    }
    return place;
}

static void add(struct tcp_graph *g, unsigned kind, unsigned way, int64_t from, int64_t to)
{
    struct tcp_mark mark = {
        .time_ns = g->now_ns, .from = from, .to = to, .kind = (uint8_t)kind, .way = (uint8_t)way};
    tcp_marks_add(&g->marks, &mark);
}

/* ---- What TCP health found out --------------------------------------------------------------- */

/* How much a counter gained since the last packet. */
static uint32_t gain(uint32_t *known, uint32_t now)
{
    uint32_t gained = now > *known ? now - *known : 0;
    *known = now;
    return gained;
}

/* What a segment with data was. */
static enum tcp_mark_kind kind_of(struct tcp_graph *g, const struct health *h, unsigned side)
{
    struct graph_way *w = &g->ways[side];
    const struct health_half *half = &h->halves[side];
    uint32_t copies = gain(&w->copies, half->copies) + gain(&g->copies, h->copies);
    uint32_t fills = gain(&w->fills, half->retrans_hole);
    uint32_t repeats = gain(&w->repeats, half->retrans_seen);
    uint32_t late = gain(&w->late, half->reordered);
    uint32_t probes = gain(&w->keepalives, half->keepalives) + gain(&g->probes, h->probes);
    return copies > 0    ? TCP_MARK_COPY
           : fills > 0   ? TCP_MARK_FILL
           : repeats > 0 ? TCP_MARK_REPEAT
           : late > 0    ? TCP_MARK_LATE
           : probes > 0  ? TCP_MARK_PROBE
                         : TCP_MARK_DATA;
}

/* Round trips measured with this packet: their mean, if it gave several. */
static void add_round_trip(struct tcp_graph *g, unsigned way, const struct health_detail *d)
{
    struct graph_way *w = &g->ways[way];
    if (d->sample_count > w->samples && d->sample_sum_us >= w->sample_sum_us) {
        uint64_t mean = (d->sample_sum_us - w->sample_sum_us) / (d->sample_count - w->samples);
        add(g, TCP_MARK_ROUND_TRIP, way, (int64_t)mean, (int64_t)mean);
    }
    w->samples = d->sample_count;
    w->sample_sum_us = d->sample_sum_us;
}

static void add_delay(struct tcp_graph *g, unsigned way, const struct health_detail *d)
{
    struct graph_way *w = &g->ways[way];
    int64_t delay = d->delay_us > 0 ? d->delay_us : 0;
    bool known = d->tick_us != 0 && d->tick_us != HEALTH_NO_TIME;
    if (known && (w->delay_us < 0 || llabs(delay - w->delay_us) > DELAY_STEP_US)) {
        w->delay_us = delay;
        add(g, TCP_MARK_DELAY, way, delay, delay);
    }
}

/* ---- Bytes in flight, on the sender's clock --------------------------------------------------- */

static void add_flight(struct tcp_graph *g, unsigned way, uint32_t acked)
{
    struct graph_way *w = &g->ways[way];
    int32_t out = health_distance(w->next, acked);
    int64_t flight = out > 0 ? out : 0;
    if (flight != w->flight) {
        w->flight = flight;
        add(g, TCP_MARK_FLIGHT, way, flight, flight);
    }
}

/* Acknowledgments that reached the sender since the last packet, each at its time. */
static void pass_pending(struct tcp_graph *g, unsigned way)
{
    struct pending *pending = &g->ways[way].pending;
    uint64_t now_ns = g->now_ns;
    for (unsigned i = 0; i < pending->count; i++) {
        int32_t ago_us = health_distance(g->now_us, pending->acks[i].time_us);
        if (ago_us <= 0) {
            break;
        }
        uint64_t ago_ns = (uint64_t)ago_us * 1000;
        g->now_ns = ago_ns < now_ns ? now_ns - ago_ns : 0;
        add_flight(g, way, pending->acks[i].ack);
    }
    g->now_ns = now_ns;
    pending->count = 0;
}

static void note_flight(struct tcp_graph *g, unsigned way, const struct health_half *half,
                        const struct health_detail *d)
{
    struct graph_way *w = &g->ways[way];
    if (d->began) {
        w->next = half->next - (half->flags & HALF_FIN ? 1 : 0);
        add_flight(g, way, d->acked_there);
    }
    w->pending.count = d->ack_count;
    for (unsigned i = 0; i < d->ack_count; i++) {
        w->pending.acks[i] = health_clock_acks(d)[(d->ack_first + i) % health_clock_room(d)];
    }
}

/* ---- What the packet itself says --------------------------------------------------------------- */

static void add_data(struct tcp_graph *g, const struct packet *p, unsigned side, unsigned kind)
{
    struct graph_way *w = &g->ways[side];
    uint32_t start = p->seq + (p->tcp_flags & TCP_SYN ? 1 : 0);
    if (p->tcp_flags & TCP_RST) {
        add(g, TCP_MARK_RST, side, w->offset, w->offset); /* its number may be anything */
        return;
    }
    int64_t from = place_of(w, start);
    int64_t to = from + p->payload_len;
    if (p->payload_len > 0) {
        place_of(w, start + p->payload_len);
        add(g, kind, side, from, to);
    } else if (kind == TCP_MARK_PROBE) {
        add(g, kind, side, from, from);
    }
    if (p->tcp_flags & (TCP_SYN | TCP_FIN)) {
        add(g, p->tcp_flags & TCP_SYN ? TCP_MARK_SYN : TCP_MARK_FIN, side, to, to);
    }
}

/* The first block is the newest (RFC 2018 §4); one below the acknowledgment, or inside the second,
 * tells of bytes that came twice (RFC 2883 §4). */
static void add_sack(struct tcp_graph *g, const struct packet *p, unsigned way)
{
    uint32_t size = (uint32_t)(p->l4[12] >> 4) * 4;
    if (size <= TCP_HEADER_SIZE || size > (size_t)(p->end - p->l4)) {
        return;
    }
    struct wire_tcp_options options;
    wire_tcp_options(p, &options);
    for (unsigned i = 0; i < options.sack_count && i < 2; i++) {
        const uint32_t *block = options.sack[i];
        uint32_t length = block[1] - block[0];
        bool twice = i == 0 && (health_distance(block[0], p->ack) < 0 ||
                                (options.sack_count > 1 &&
                                 health_distance(block[0], options.sack[1][0]) >= 0 &&
                                 health_distance(block[1], options.sack[1][1]) <= 0));
        if (length <= INT32_MAX) {
            int64_t from = g->ways[way].offset + health_distance(block[0], g->ways[way].sequence);
            add(g, twice ? TCP_MARK_DSACK : TCP_MARK_SACK, way, from, from + length);
        }
        if (!twice) {
            break;
        }
    }
}

static void add_ack(struct tcp_graph *g, const struct packet *p, const struct health *h,
                    unsigned side)
{
    unsigned way = 1 - side;
    struct graph_way *w = &g->ways[way];
    const struct health_half *receiver = &h->halves[side];
    if ((p->tcp_flags & (TCP_ACK | TCP_RST)) != TCP_ACK) {
        return;
    }
    int64_t at = place_of(w, p->ack);
    bool scaled = !(p->tcp_flags & TCP_SYN) && receiver->window_scale <= SCALE_MAX;
    int64_t edge = at + ((int64_t)p->window << (scaled ? receiver->window_scale : 0));
    uint32_t missed = gain(&w->missed, h->halves[way].not_captured);
    if (missed > 0) {
        add(g, TCP_MARK_MISSED, way, at - missed, at);
    }
    if (at != w->ack) {
        w->ack = at;
        add(g, TCP_MARK_ACK, way, at, at);
    }
    if (receiver->flags & HALF_SCALE && edge != w->edge) {
        w->edge = edge;
        add(g, TCP_MARK_WINDOW, way, edge, edge);
    }
    if (p->window == 0 && !(p->tcp_flags & (TCP_SYN | TCP_FIN))) {
        add(g, TCP_MARK_ZERO_WINDOW, way, at, at);
    }
    add_sack(g, p, way);
}

/* ---- Together -------------------------------------------------------------------------------- */

static void look(struct tcp_graph *g, const struct health_book *book, const struct health *h)
{
    for (unsigned way = 0; way < 2; way++) {
        const struct health_detail *d = health_detail_of(book, &h->halves[way]);
        if (d == NULL) {
            g->ways[way].samples = 0;
            g->ways[way].sample_sum_us = 0;
            g->ways[way].pending.count = 0;
            continue;
        }
        add_round_trip(g, way, d);
        note_flight(g, way, &h->halves[way], d);
    }
}

void tcp_graph_begin(struct tcp_graph *graph, const struct health_book *book, flow_index flow)
{
    tcp_marks_clear(&graph->marks);
    memset(graph->ways, 0, sizeof graph->ways);
    graph->ways[0].flight = graph->ways[1].flight = -1;
    graph->ways[0].delay_us = graph->ways[1].delay_us = -1;
    graph->ways[0].ack = graph->ways[1].ack = graph->ways[0].edge = graph->ways[1].edge = -1;
    graph->copies = graph->probes = 0;
    uint32_t index = health_book_find(book, flow);
    if (index == 0) {
        return;
    }
    const struct health *h = &book->connections[index];
    graph->probes = h->probes;
    for (unsigned side = 0; side < 2; side++) {
        struct graph_way *w = &graph->ways[side];
        const struct health_half *half = &h->halves[side];
        const struct health_detail *d = health_detail_of(book, half);
        kind_of(graph, h, side);
        w->missed = half->not_captured;
        if (half->flags & HALF_NEXT) {
            place_of(w, half->next);
        }
        if (d != NULL) {
            w->samples = d->sample_count;
            w->sample_sum_us = d->sample_sum_us;
        }
    }
}

void tcp_graph_packet(struct tcp_graph *graph, const struct health_book *book, flow_index flow,
                      const struct packet *p, unsigned side)
{
    uint32_t index = health_book_find(book, flow);
    if (index == 0 || !flow_tcp_is_legible(p)) {
        return;
    }
    const struct health *h = &book->connections[index];
    graph->now_ns = p->time_ns;
    graph->now_us = (uint32_t)(p->time_ns / 1000);
    pass_pending(graph, 0);
    pass_pending(graph, 1);
    uint32_t copies = graph->copies;
    enum tcp_mark_kind kind = kind_of(graph, h, side);
    if (graph->copies > copies && p->payload_len == 0) {
        return; /* a copy of what was drawn */
    }
    add_data(graph, p, side, kind);
    add_ack(graph, p, h, side);
    const struct health_detail *d = health_detail_of(book, &h->halves[side]);
    if (d != NULL) {
        add_delay(graph, side, d);
    }
    look(graph, book, h);
}
