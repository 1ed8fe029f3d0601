// SPDX-License-Identifier: Apache-2.0
#include "flow/tcp_stream.h"

#include "flow/tcp_early.h"

#include <assert.h>

enum { SIDE_NEW, SIDE_BEGUN /* its first number is known, and no more */, SIDE_OPEN, SIDE_ENDED };
enum {
    STEP_IDLE,  /* 0: see tcp_stream_is_idle() */
    STEP_PLAIN, /* the loan is in order, and nothing waits */
    STEP_WALK,
};

enum {
    REACH = 1 << 30, /* the largest window: RFC 7323 §2.3 */
    TCP_HEADER = 20,
};

_Static_assert(sizeof(struct tcp_stream) <= 80, "a million of them are idle");

static bool is_live(const struct tcp_stream_side *side)
{
    return side->state == SIDE_BEGUN || side->state == SIDE_OPEN;
}

/* Holes are timed by a coarse clock, which wraps after 52 days. */
enum { TICK_SHIFT = 20 };
enum {
    WAIT_TICKS = TCP_STREAM_WAIT_NS >> TICK_SHIFT,
    LATE_TICKS = TCP_STREAM_LATE_NS >> TICK_SHIFT,
};

static uint32_t tick_of(uint64_t time_ns)
{
    return (uint32_t)(time_ns >> TICK_SHIFT);
}

/* Captures go back in time, too: then none has gone by. */
static bool has_passed(const struct tcp_stream *stream, uint32_t since, int32_t ticks)
{
    return (int32_t)(stream->tick - since) >= ticks;
}

static bool is_within_reach(uint32_t seq, const struct tcp_stream_side *side)
{
    int32_t distance = tcp_early_distance(seq, side->next);
    return distance <= REACH && distance >= -REACH;
}

/* ---- Taking a packet ------------------------------------------------------------------------- */

/* Whether receivers would look at it (RFC 9293 §3.10.7.4), and the capture has its header. */
static bool is_segment(const struct packet *p)
{
    bool legible = p->malformed == PACKET_FINE ||
                   (p->malformed == PACKET_SNAPPED && p->l4 != NULL && p->end - p->l4 >= TCP_HEADER);
    return legible && p->class == PACKET_TCP && p->fragment == FRAGMENT_NONE &&
           p->payload_len <= REACH && p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST);
}

/* The next segment of a side in order, captured whole, while nothing waits on either side, that
 * acknowledges no more than was seen. */
static bool is_plain(const struct tcp_stream *stream, unsigned side, const struct packet *p)
{
    const struct tcp_stream_side *mine = &stream->side[side];
    const struct tcp_stream_side *theirs = &stream->side[1 - side];
    return p->seq == mine->next && is_live(mine) && !mine->has_fin &&
           (!theirs->has_fin || !is_live(theirs)) &&
           stream->early[0] == NULL && stream->early[1] == NULL && p->malformed == PACKET_FINE &&
           p->class == PACKET_TCP && p->fragment == FRAGMENT_NONE &&
           (p->payload_len == 0 ||
            (p->payload != NULL && p->end - p->payload >= p->payload_len)) &&
           (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
           (tcp_early_distance(p->ack, theirs->next) <= 0 || theirs->state == SIDE_NEW);
}

/* Sets the number of a side's first byte. A pure acknowledgement begins nothing: in a keep-alive its
 * number is one too low. */
static void begin(struct tcp_stream_side *side, const struct packet *p, uint32_t seq)
{
    bool syn = p->tcp_flags & TCP_SYN;
    if (!syn && p->payload_len == 0 && !(p->tcp_flags & TCP_FIN)) {
        return;
    }
    side->state = syn ? SIDE_BEGUN : SIDE_OPEN;
    side->next = seq;
    side->acknowledged = seq;
}

/* A SYN that came again is as good as none. Before any byte another one begins anew: nobody answered
 * the first. Later it is ignored (RFC 9293 §3.10.7.4, fourth). */
static bool accept_syn(struct tcp_stream_side *side, const struct packet *p, uint32_t seq)
{
    if (side->state == SIDE_BEGUN) {
        begin(side, p, seq);
        return true;
    }
    return tcp_early_distance(seq, side->next) <= 0;
}

/* The other side has got what is acknowledged. Numbers beyond any window are not believed. */
static void note_acknowledgement(struct tcp_stream_side *theirs, const struct packet *p)
{
    if (p->tcp_flags & TCP_ACK && is_live(theirs) && is_within_reach(p->ack, theirs) &&
        tcp_early_distance(p->ack, theirs->acknowledged) > 0) {
        theirs->acknowledged = p->ack;
    }
}

/* The segment ends the side there, unless something did or its end was passed before. */
static void note_fin(struct tcp_stream_side *side, uint32_t fin)
{
    if (!side->has_fin && tcp_early_distance(fin, side->next) >= 0) {
        side->has_fin = true;
        side->fin = fin;
        side->state = SIDE_OPEN;
    }
}

/* What of the segment lies behind the FIN is no part of the stream. */
static void lend(struct tcp_stream *stream, const struct tcp_stream_side *side, uint32_t seq,
                 uint32_t length, struct tcp_stream_stats *stats)
{
    if (side->has_fin && tcp_early_distance(seq + length, side->fin) > 0) {
        stats->strays++;
        int32_t before = tcp_early_distance(side->fin, seq);
        length = before > 0 ? (uint32_t)before : 0;
    }
    stream->seq = seq;
    stream->left = length;
}

/* A segment without data tells how far its side has gone. Where the other one has acknowledged that,
 * both agree that the bytes before it were there: they are lent as bytes that were not captured. */
static void lend_proof(struct tcp_stream *stream, struct tcp_stream_side *side, uint32_t seq)
{
    if (tcp_early_distance(seq, side->next) > 0 &&
        tcp_early_distance(side->acknowledged, seq) >= 0) {
        side->state = SIDE_OPEN;
        stream->seq = side->next;
        stream->left = seq - side->next;
    }
}

static uint32_t first_seq(const struct packet *p)
{
    return p->seq + (p->tcp_flags & TCP_SYN ? 1 : 0);
}

static void take(struct tcp_stream *stream, const struct packet *p, struct tcp_stream_stats *stats)
{
    struct tcp_stream_side *mine = &stream->side[stream->turn];
    uint32_t seq = first_seq(p);
    if (mine->state == SIDE_NEW) {
        begin(mine, p, seq);
    }
    if (mine->state != SIDE_NEW &&
        (!is_within_reach(seq, mine) || (p->tcp_flags & TCP_SYN && !accept_syn(mine, p, seq)))) {
        stats->strays++;
        return;
    }
    note_acknowledgement(&stream->side[1 - stream->turn], p);
    if (mine->state == SIDE_ENDED) {
        stats->strays += p->payload_len > 0 &&
                         tcp_early_distance(seq + p->payload_len, mine->next) > 0;
        return;
    }
    if (stream->early[stream->turn] == NULL && !mine->has_fin) {
        mine->hole_tick = stream->tick;
    }
    if (p->tcp_flags & TCP_FIN) {
        note_fin(mine, seq + p->payload_len);
    }
    if (p->payload_len > 0) {
        mine->state = SIDE_OPEN;
        lend(stream, mine, seq, p->payload_len, stats);
    } else if (is_live(mine)) {
        lend_proof(stream, mine, seq);
    }
}

void tcp_stream_expect(struct tcp_stream *stream, unsigned side, uint32_t next)
{
    assert(side < 2);
    struct tcp_stream_side *mine = &stream->side[side];
    if (mine->state == SIDE_NEW) {
        mine->state = SIDE_BEGUN;
        mine->next = next;
        mine->acknowledged = next;
    }
}

void tcp_stream_push(struct tcp_stream *stream, struct slab *slab, const struct packet *packet,
                     unsigned side, struct tcp_stream_stats *stats)
{
    (void)slab; /* what has to wait is copied by tcp_stream_next(), when it is known to */
    assert(side < 2);
    struct tcp_stream_side *mine = &stream->side[side];
    stream->packet = packet;
    stream->turn = (uint8_t)side;
    stream->left = 0;
    stream->tick = tick_of(packet->time_ns);
    if (is_plain(stream, side, packet)) {
        mine->absent = false;
        mine->state = packet->payload_len > 0 ? SIDE_OPEN : mine->state;
        stream->step = packet->payload_len > 0 ? STEP_PLAIN : STEP_IDLE;
        return;
    }
    stream->is_refused = false;
    stream->step = STEP_WALK;
    if (!is_segment(packet)) {
        stats->strays++;
        return;
    }
    mine->absent = false;
    if (!(packet->tcp_flags & TCP_RST)) {
        take(stream, packet, stats);
    } else if (is_live(mine) && !is_within_reach(packet->seq, mine)) {
        stats->strays++; /* RFC 5961 §3.2: a reset out of the window is a guess */
    } else {
        stream->is_reset = true;
    }
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

static struct tcp_stream_piece piece_of(unsigned side, enum tcp_stream_kind kind)
{
    return (struct tcp_stream_piece){.kind = kind, .side = (uint8_t)side};
}

/* What was delivered needs no acknowledgement; an old number would look new again after 2^31 bytes. */
static void advance(struct tcp_stream_side *side, uint32_t n)
{
    side->next += n;
    if (tcp_early_distance(side->acknowledged, side->next) < 0) {
        side->acknowledged = side->next;
    }
}

static struct tcp_stream_piece gap_of(struct tcp_stream *stream, unsigned side, uint32_t length,
                                      struct tcp_stream_stats *stats)
{
    struct tcp_stream_piece piece = piece_of(side, TCP_STREAM_GAP);
    piece.length = length;
    advance(&stream->side[side], length);
    stats->gaps++;
    stats->gap_bytes += length;
    return piece;
}

static struct tcp_stream_piece data_of(struct tcp_stream *stream, unsigned side, struct span data,
                                       uint64_t time_ns)
{
    advance(&stream->side[side], (uint32_t)data.size);
    return (struct tcp_stream_piece){
        .kind = TCP_STREAM_DATA, .side = (uint8_t)side, .time_ns = time_ns, .data = data};
}

/* ---- What waits ------------------------------------------------------------------------------ */

/* Whether data that acknowledge so much of the other side have to wait for it. */
static bool waits(struct tcp_stream *stream, unsigned side, uint32_t acknowledged, uint32_t since)
{
    struct tcp_stream_side *theirs = &stream->side[1 - side];
    if (stream->is_reset || stream->is_over || stream->is_forced || theirs->absent || !is_live(theirs) ||
        tcp_early_distance(acknowledged, theirs->next) <= 0) {
        return false;
    }
    if (!has_passed(stream, since, LATE_TICKS)) {
        return true;
    }
    theirs->absent = true; /* until it is heard of again */
    return false;
}

/* How many bytes of the hole from the next byte to `end` will never come. */
static uint32_t known_lost(const struct tcp_stream *stream, unsigned side, uint32_t end)
{
    const struct tcp_stream_side *mine = &stream->side[side];
    uint32_t length = end - mine->next;
    bool forced = stream->is_forced && stream->turn == side;
    if (stream->is_reset || stream->is_over || forced ||
        has_passed(stream, mine->hole_tick, WAIT_TICKS)) {
        return length;
    }
    int32_t acknowledged = tcp_early_distance(mine->acknowledged, mine->next);
    if (acknowledged <= 0) {
        return 0;
    }
    return (uint32_t)acknowledged < length ? (uint32_t)acknowledged : length;
}

/* How many of so many lost bytes are to be told now: those that the sender of the other side's next bytes
 * had got before it sent them. These come next, then the rest. */
static uint32_t lost_so_far(const struct tcp_stream *stream, unsigned side, uint32_t lost)
{
    const struct tcp_stream_side *theirs = &stream->side[1 - side];
    const struct tcp_early_entry *head = tcp_early_head(stream->early[1 - side]);
    if (head == NULL || head->bytes == NULL || head->seq != theirs->next || !is_live(theirs)) {
        return lost;
    }
    int32_t got = tcp_early_distance(head->bytes->acknowledged, stream->side[side].next);
    return got <= 0 ? 0 : (uint32_t)got < lost ? (uint32_t)got : lost;
}

/* Whether the head is the next to be delivered, and may be. */
static bool head_is_due(struct tcp_stream *stream, unsigned side, const struct tcp_early_entry *head)
{
    return head->seq == stream->side[side].next &&
           (head->bytes == NULL ||
            !waits(stream, side, head->bytes->acknowledged, tick_of(head->bytes->time_ns)));
}

/* Gives back what was lent before. The hole behind it is as old as what came after it. */
static void drop_delivered(struct tcp_stream *stream, struct slab *slab, unsigned side)
{
    struct tcp_stream_side *mine = &stream->side[side];
    const struct tcp_early_entry *head = tcp_early_head(stream->early[side]);
    if (head == NULL || tcp_early_distance(head->seq + head->size, mine->next) > 0) {
        return;
    }
    while (head != NULL && tcp_early_distance(head->seq + head->size, mine->next) <= 0) {
        tcp_early_pop(&stream->early[side], slab);
        head = tcp_early_head(stream->early[side]);
    }
    if (head != NULL) {
        mine->hole_tick = head->bytes != NULL ? tick_of(head->bytes->time_ns) : stream->tick;
    }
}

static struct tcp_stream_piece end_of(struct tcp_stream *stream, struct slab *slab, unsigned side)
{
    stream->side[side].state = SIDE_ENDED;
    tcp_early_clear(&stream->early[side], slab); /* it claimed to lie behind the FIN */
    return piece_of(side, TCP_STREAM_END);
}

static struct tcp_stream_piece from_early(struct tcp_stream *stream, struct slab *slab,
                                          unsigned side, struct tcp_stream_stats *stats)
{
    struct tcp_stream_side *mine = &stream->side[side];
    const struct tcp_early_entry *head = tcp_early_head(stream->early[side]);
    uint32_t room = mine->has_fin ? mine->fin - mine->next : REACH;
    if (mine->has_fin && room == 0) {
        return end_of(stream, slab, side);
    }
    if (head != NULL && head->seq == mine->next) {
        uint32_t size = head->size < room ? head->size : room;
        if (!head_is_due(stream, side, head)) {
            return piece_of(side, TCP_STREAM_NOTHING);
        }
        if (head->bytes == NULL) {
            uint32_t part = lost_so_far(stream, side, size);
            if (part > 0 && part < head->size) {
                tcp_early_skip(stream->early[side], part);
            }
            return gap_of(stream, side, part > 0 ? part : size, stats);
        }
        return data_of(stream, side, span_of(head->bytes->data, size), head->bytes->time_ns);
    }
    uint32_t length = head != NULL ? head->seq - mine->next : room;
    if (head != NULL || mine->has_fin) {
        length = known_lost(stream, side, mine->next + (length < room ? length : room));
        length = lost_so_far(stream, side, length);
        if (length > 0) {
            return gap_of(stream, side, length, stats);
        }
    }
    return piece_of(side, TCP_STREAM_NOTHING);
}

/* ---- The loan -------------------------------------------------------------------------------- */

/* What is left of the loan's captured bytes. */
static struct span loan_of(const struct tcp_stream *stream)
{
    struct span captured = packet_payload(stream->packet);
    uint32_t offset = stream->seq - first_seq(stream->packet);
    if (offset >= captured.size) {
        return span_of(NULL, 0);
    }
    return span_head(span_skip(captured, offset), stream->left);
}

static void trim_loan(struct tcp_stream *stream, uint32_t n)
{
    stream->seq += n;
    stream->left -= n < stream->left ? n : stream->left;
}

/* Drops what was delivered before. A keep-alive's or probe's octet is no sign of loss. */
static void trim_repeated(struct tcp_stream *stream, const struct tcp_stream_side *side,
                          struct tcp_stream_stats *stats)
{
    int32_t old = tcp_early_distance(side->next, stream->seq);
    if (old <= 0) {
        return;
    }
    bool probe = old == 1 && stream->left == 1;
    size_t had = loan_of(stream).size;
    stats->repeated_bytes += probe ? 0 : had < (uint32_t)old ? had : (uint32_t)old;
    trim_loan(stream, (uint32_t)old);
}

/* Copies the loan; whether there was room for all of it. */
static bool keep_loan(struct tcp_stream *stream, struct slab *slab, struct tcp_stream_stats *stats)
{
    struct span data = loan_of(stream);
    struct tcp_early_segment segment = {
        .data = data,
        .time_ns = stream->packet->time_ns,
        .seq = stream->seq,
        .cut = stream->left - (uint32_t)data.size,
        .acknowledged = stream->side[1 - stream->turn].acknowledged,
    };
    stats->repeated_bytes += tcp_early_put(&stream->early[stream->turn], slab, &segment);
    stats->early_segments += !stream->is_refused;
    trim_loan(stream, segment.seq - stream->seq);
    return stream->left == 0;
}

/* The loan's bytes up to the first that came before. */
static struct tcp_stream_piece lend_on(struct tcp_stream *stream, unsigned side, uint32_t most,
                                       struct tcp_stream_stats *stats)
{
    struct span data = span_head(loan_of(stream), most);
    uint32_t size = data.size > 0 ? (uint32_t)data.size : stream->left < most ? stream->left : most;
    uint32_t part = data.size > 0 ? size : lost_so_far(stream, side, size);
    size = part > 0 ? part : size;
    stream->side[side].hole_tick = stream->tick;
    trim_loan(stream, size);
    return data.size > 0 ? data_of(stream, side, data, stream->packet->time_ns)
                         : gap_of(stream, side, size, stats);
}

/* What can be told now of the loan and the hole before it; when nothing, it is kept, or empty, or
 * what waits is due. */
static struct tcp_stream_piece from_loan(struct tcp_stream *stream, struct slab *slab,
                                         unsigned side, struct tcp_stream_stats *stats)
{
    struct tcp_stream_side *mine = &stream->side[side];
    const struct tcp_stream_piece nothing = piece_of(side, TCP_STREAM_NOTHING);
    trim_repeated(stream, mine, stats);
    if (stream->left == 0) {
        return nothing;
    }
    const struct tcp_early_entry *head = tcp_early_head(stream->early[side]);
    uint32_t most = head != NULL ? head->seq - mine->next : UINT32_MAX;
    if (head != NULL && head_is_due(stream, side, head)) {
        return nothing;
    }
    uint32_t before = stream->seq - mine->next;
    const struct tcp_stream_side *theirs = &stream->side[1 - side];
    if (most > 0 && before == 0 &&
        !waits(stream, side, theirs->acknowledged, stream->tick)) {
        return lend_on(stream, side, most, stats);
    }
    if (most > 0 && before > 0) {
        uint32_t lost = known_lost(stream, side, mine->next + (before < most ? before : most));
        lost = lost_so_far(stream, side, lost);
        if (lost > 0) {
            return gap_of(stream, side, lost, stats);
        }
    }
    if (keep_loan(stream, slab, stats)) {
        return nothing;
    }
    stats->refused += !stream->is_refused;
    stream->is_refused = true;
    stream->is_forced = true;
    return from_loan(stream, slab, side, stats);
}

/* ---- The walk -------------------------------------------------------------------------------- */

static struct tcp_stream_piece from_side(struct tcp_stream *stream, struct slab *slab,
                                         unsigned side, struct tcp_stream_stats *stats)
{
    struct tcp_stream_side *mine = &stream->side[side];
    if (!is_live(mine)) {
        return piece_of(side, TCP_STREAM_NOTHING);
    }
    drop_delivered(stream, slab, side);
    if (side == stream->turn && stream->left > 0) {
        struct tcp_stream_piece piece = from_loan(stream, slab, side, stats);
        if (piece.kind != TCP_STREAM_NOTHING) {
            return piece;
        }
    }
    return from_early(stream, slab, side, stats);
}

static struct tcp_stream_piece reset_of(struct tcp_stream *stream, struct slab *slab)
{
    bool news = stream->side[0].state != SIDE_ENDED || stream->side[1].state != SIDE_ENDED;
    for (unsigned side = 0; side < 2; side++) {
        stream->side[side].state = SIDE_ENDED;
        tcp_early_clear(&stream->early[side], slab);
    }
    stream->is_reset = false;
    return piece_of(stream->turn, news ? TCP_STREAM_RESET : TCP_STREAM_NOTHING);
}

/* What the packet's acknowledgement settled of the other side was before the packet; what the packet
 * brings may free more of the other side. So the other side is asked first, again and again. */
static struct tcp_stream_piece walk(struct tcp_stream *stream, struct slab *slab,
                                    struct tcp_stream_stats *stats)
{
    stream->is_forced = false;
    struct tcp_stream_piece piece = from_side(stream, slab, 1 - stream->turn, stats);
    if (piece.kind == TCP_STREAM_NOTHING) {
        piece = from_side(stream, slab, stream->turn, stats);
    }
    if (piece.kind == TCP_STREAM_NOTHING && stream->is_reset) {
        piece = reset_of(stream, slab);
    }
    if (piece.kind == TCP_STREAM_NOTHING) {
        stream->step = STEP_IDLE;
        stream->is_over = false;
        stream->packet = NULL;
    }
    return piece;
}

struct tcp_stream_piece tcp_stream_next(struct tcp_stream *stream, struct slab *slab,
                                        struct tcp_stream_stats *stats)
{
    if (stream->step == STEP_PLAIN) {
        stream->step = STEP_IDLE;
        const struct packet *p = stream->packet;
        return data_of(stream, stream->turn, span_of(p->payload, p->payload_len), p->time_ns);
    }
    if (stream->step == STEP_IDLE) {
        return (struct tcp_stream_piece){.kind = TCP_STREAM_NOTHING};
    }
    return walk(stream, slab, stats);
}

void tcp_stream_init(struct tcp_stream *stream)
{
    *stream = (struct tcp_stream){0};
}

void tcp_stream_done(struct tcp_stream *stream, struct slab *slab)
{
    tcp_early_clear(&stream->early[0], slab);
    tcp_early_clear(&stream->early[1], slab);
    tcp_stream_init(stream);
}

void tcp_stream_age(struct tcp_stream *stream, uint64_t now_ns)
{
    if (now_ns == UINT64_MAX) {
        stream->is_over = true;
        stream->left = 0; /* a packet that nobody took may be gone by now */
        stream->step = STEP_WALK;
        return;
    }
    bool fin = (stream->side[0].has_fin && is_live(&stream->side[0])) ||
               (stream->side[1].has_fin && is_live(&stream->side[1]));
    if (stream->step == STEP_IDLE && (fin || stream->early[0] != NULL || stream->early[1] != NULL)) {
        stream->tick = tick_of(now_ns);
        stream->step = STEP_WALK;
    }
}
