// SPDX-License-Identifier: Apache-2.0
#include "flow/tcp_stream.h"

#include "flow/tcp_early.h"

#include <assert.h>

enum { SIDE_NEW, SIDE_SYN /* its SYN, and no more */, SIDE_OPEN, SIDE_ENDED };
enum { STEP_IDLE, STEP_PLAIN /* the loan is in order, and nothing waits */, STEP_WALK };

enum {
    REACH = 1 << 30, /* the largest window: RFC 7323 §2.3 */
    TCP_HEADER = 20,
};

_Static_assert(sizeof(struct tcp_stream) <= 96, "a million of them are idle");

static bool is_live(const struct tcp_stream_side *side)
{
    return side->state == SIDE_SYN || side->state == SIDE_OPEN;
}

static uint64_t elapsed(uint64_t now_ns, uint64_t then_ns)
{
    return now_ns > then_ns ? now_ns - then_ns : 0; /* captures go back in time, too */
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

/* The next segment of a side in order, while nothing waits on either, that acknowledges no more than
 * was seen. Where the other side has not begun its number means nothing, and neither does this. */
static bool is_plain(const struct tcp_stream_side *mine, const struct tcp_stream_side *theirs,
                     const struct packet *p)
{
    return p->seq == mine->next && mine->state == SIDE_OPEN && mine->early == NULL &&
           theirs->early == NULL && !mine->has_fin && p->malformed == PACKET_FINE &&
           p->class == PACKET_TCP && p->fragment == FRAGMENT_NONE &&
           (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
           tcp_early_distance(p->ack, theirs->next) <= 0;
}

/* Sets the number of a side's first byte. Of a pure acknowledgement it may be one too low (a
 * keep-alive), so that it begins nothing; nor does a single byte that may be one, if it is known to
 * have been acknowledged... which nobody knows yet: it is taken as it is. */
static void begin(struct tcp_stream_side *side, const struct packet *p, uint32_t seq)
{
    bool syn = p->tcp_flags & TCP_SYN;
    if (!syn && p->payload_len == 0 && !(p->tcp_flags & TCP_FIN)) {
        return;
    }
    side->state = syn ? SIDE_SYN : SIDE_OPEN;
    side->next = seq;
    side->acknowledged = seq;
}

/* A SYN that came again is as good as none. Before any byte another one begins anew: nobody answered
 * the first. Later it is ignored (RFC 9293 §3.10.7.4, fourth). */
static bool accept_syn(struct tcp_stream_side *side, const struct packet *p, uint32_t seq)
{
    if (side->state == SIDE_SYN) {
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

/* What of the segment lies behind the FIN is no part of the stream (RFC 9293 §3.10.4 sends nothing
 * there). */
static void lend(struct tcp_stream *stream, const struct tcp_stream_side *side,
                 const struct packet *p, uint32_t seq, struct tcp_stream_stats *stats)
{
    struct span captured = packet_payload(p);
    uint32_t length = p->payload_len;
    if (side->has_fin && tcp_early_distance(seq + length, side->fin) > 0) {
        stats->strays++;
        int32_t before = tcp_early_distance(side->fin, seq);
        length = before > 0 ? (uint32_t)before : 0;
    }
    stream->data = captured.data;
    stream->size = captured.size < length ? (uint32_t)captured.size : length;
    stream->cut = length - stream->size;
    stream->seq = seq;
}

/* A segment without data tells how far its side has gone. Where the other one has acknowledged that,
 * both agree that the bytes before it were there: they are lent as bytes that were cut. */
static void lend_proof(struct tcp_stream *stream, const struct tcp_stream_side *side, uint32_t seq)
{
    if (tcp_early_distance(seq, side->next) > 0 &&
        tcp_early_distance(side->acknowledged, seq) >= 0) {
        stream->seq = side->next;
        stream->cut = seq - side->next;
    }
}

static void take(struct tcp_stream *stream, const struct packet *p, struct tcp_stream_stats *stats)
{
    struct tcp_stream_side *mine = &stream->side[stream->turn];
    uint32_t seq = p->seq + (p->tcp_flags & TCP_SYN ? 1 : 0);
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
        stats->strays += tcp_early_distance(seq + p->payload_len, mine->next) > 0;
        return;
    }
    if (mine->early == NULL && !mine->has_fin) {
        mine->hole_ns = p->time_ns;
    }
    if (p->tcp_flags & TCP_FIN) {
        note_fin(mine, seq + p->payload_len);
    }
    if (p->payload_len > 0) {
        mine->state = SIDE_OPEN;
        lend(stream, mine, p, seq, stats);
    } else if (is_live(mine)) {
        lend_proof(stream, mine, seq);
    }
}

void tcp_stream_push(struct tcp_stream *stream, struct slab *slab, const struct packet *packet,
                     unsigned side, struct tcp_stream_stats *stats)
{
    (void)slab;
    assert(side < 2);
    struct tcp_stream_side *mine = &stream->side[side];
    stream->turn = side & 1;
    stream->now_ns = packet->time_ns;
    if (is_plain(mine, &stream->side[1 - side], packet)) {
        struct span data = packet_payload(packet);
        mine->absent = false;
        stream->data = data.data;
        stream->size = (uint32_t)data.size;
        stream->cut = packet->payload_len - stream->size;
        stream->seq = packet->seq;
        stream->step = packet->payload_len == 0 ? STEP_IDLE : stream->cut == 0 ? STEP_PLAIN : STEP_WALK;
        return;
    }
    stream->size = 0;
    stream->cut = 0;
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

static struct tcp_stream_piece piece_of(const struct tcp_stream *stream, unsigned side,
                                        enum tcp_stream_kind kind)
{
    uint64_t hole_ns = stream->side[side].hole_ns;
    return (struct tcp_stream_piece){
        .kind = kind,
        .side = (uint8_t)side,
        .time_ns = stream->now_ns == UINT64_MAX ? hole_ns : stream->now_ns,
    };
}

static struct tcp_stream_piece gap_of(struct tcp_stream *stream, unsigned side, uint32_t length,
                                      struct tcp_stream_stats *stats)
{
    struct tcp_stream_piece piece = piece_of(stream, side, TCP_STREAM_GAP);
    piece.length = length;
    stream->side[side].next += length;
    stats->gaps++;
    stats->gap_bytes += length;
    return piece;
}

static struct tcp_stream_piece data_of(struct tcp_stream *stream, unsigned side, const uint8_t *data,
                                       uint32_t size)
{
    struct tcp_stream_piece piece = piece_of(stream, side, TCP_STREAM_DATA);
    piece.data = span_of(data, size);
    stream->side[side].next += size;
    return piece;
}

/* ---- What waits ------------------------------------------------------------------------------ */

/* Whether data that acknowledge so much of the other side have to wait for it. */
static bool waits(struct tcp_stream *stream, unsigned side, uint32_t acknowledged, uint64_t time_ns)
{
    struct tcp_stream_side *theirs = &stream->side[1 - side];
    if (stream->is_reset || stream->is_forced || theirs->absent || !is_live(theirs) ||
        tcp_early_distance(acknowledged, theirs->next) <= 0) {
        return false;
    }
    if (elapsed(stream->now_ns, time_ns) < TCP_STREAM_LATE_NS) {
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
    if (stream->is_reset || forced || stream->now_ns == UINT64_MAX ||
        elapsed(stream->now_ns, mine->hole_ns) >= TCP_STREAM_WAIT_NS) {
        return length;
    }
    int32_t acknowledged = tcp_early_distance(mine->acknowledged, mine->next);
    if (acknowledged <= 0) {
        return 0;
    }
    return (uint32_t)acknowledged < length ? (uint32_t)acknowledged : length;
}

/* Whether the head is the next to be delivered, and may be. */
static bool head_is_due(struct tcp_stream *stream, unsigned side, const struct tcp_early_entry *head)
{
    return head->seq == stream->side[side].next &&
           (head->bytes == NULL ||
            !waits(stream, side, head->bytes->acknowledged, head->bytes->time_ns));
}

/* Gives back what was lent before. The hole behind it is as old as what came after it. */
static void drop_delivered(struct tcp_stream *stream, struct slab *slab, struct tcp_stream_side *side)
{
    const struct tcp_early_entry *head = tcp_early_head(side->early);
    if (head == NULL || tcp_early_distance(head->seq + head->size, side->next) > 0) {
        return;
    }
    while (head != NULL && tcp_early_distance(head->seq + head->size, side->next) <= 0) {
        tcp_early_pop(&side->early, slab);
        head = tcp_early_head(side->early);
    }
    if (head != NULL) {
        side->hole_ns = head->bytes != NULL ? head->bytes->time_ns : stream->now_ns;
    }
}

static struct tcp_stream_piece end_of(struct tcp_stream *stream, struct slab *slab, unsigned side)
{
    stream->side[side].state = SIDE_ENDED;
    tcp_early_clear(&stream->side[side].early, slab); /* it claimed to lie behind the FIN */
    return piece_of(stream, side, TCP_STREAM_END);
}

static struct tcp_stream_piece from_early(struct tcp_stream *stream, struct slab *slab,
                                          unsigned side, struct tcp_stream_stats *stats)
{
    struct tcp_stream_side *mine = &stream->side[side];
    const struct tcp_early_entry *head = tcp_early_head(mine->early);
    uint32_t room = mine->has_fin ? mine->fin - mine->next : REACH;
    if (mine->has_fin && room == 0) {
        return end_of(stream, slab, side);
    }
    if (head != NULL && head->seq == mine->next) {
        uint32_t size = head->size < room ? head->size : room;
        if (!head_is_due(stream, side, head)) {
            return piece_of(stream, side, TCP_STREAM_NOTHING);
        }
        if (head->bytes == NULL) {
            return gap_of(stream, side, size, stats);
        }
        struct tcp_stream_piece piece = data_of(stream, side, head->bytes->data, size);
        piece.time_ns = head->bytes->time_ns;
        return piece;
    }
    uint32_t length = head != NULL ? head->seq - mine->next : room;
    if (head != NULL || mine->has_fin) {
        length = known_lost(stream, side, mine->next + (length < room ? length : room));
        if (length > 0) {
            return gap_of(stream, side, length, stats);
        }
    }
    return piece_of(stream, side, TCP_STREAM_NOTHING);
}

/* ---- The loan -------------------------------------------------------------------------------- */

static void trim_loan(struct tcp_stream *stream, uint32_t n)
{
    uint32_t captured = n < stream->size ? n : stream->size;
    uint32_t cut = n - captured < stream->cut ? n - captured : stream->cut;
    stream->data = captured > 0 ? stream->data + captured : stream->data;
    stream->size -= captured;
    stream->cut -= cut;
    stream->seq += n;
}

/* Drops what was delivered before. A keep-alive's or probe's octet is no sign of loss. */
static void trim_repeated(struct tcp_stream *stream, const struct tcp_stream_side *side,
                          struct tcp_stream_stats *stats)
{
    int32_t old = tcp_early_distance(side->next, stream->seq);
    if (old <= 0) {
        return;
    }
    bool probe = old == 1 && stream->size == 1 && stream->cut == 0;
    uint32_t had = stream->size;
    trim_loan(stream, (uint32_t)old);
    stats->repeated_bytes += probe ? 0 : had - stream->size;
}

/* Copies the loan; whether there was room for all of it. */
static bool keep_loan(struct tcp_stream *stream, struct slab *slab, struct tcp_stream_stats *stats)
{
    struct tcp_early_segment segment = {
        .data = span_of(stream->data, stream->size),
        .time_ns = stream->now_ns,
        .seq = stream->seq,
        .cut = stream->cut,
        .acknowledged = stream->side[1 - stream->turn].acknowledged,
    };
    stats->repeated_bytes += tcp_early_put(&stream->side[stream->turn].early, slab, &segment);
    stats->early_segments += !stream->is_refused;
    stream->data = segment.data.data;
    stream->size = (uint32_t)segment.data.size;
    stream->cut = segment.cut;
    stream->seq = segment.seq;
    return stream->size + stream->cut == 0;
}

/* The loan's bytes up to the first that came before. */
static struct tcp_stream_piece lend_on(struct tcp_stream *stream, unsigned side, uint32_t most,
                                       struct tcp_stream_stats *stats)
{
    stream->side[side].hole_ns = stream->now_ns;
    uint32_t size = stream->size > 0 ? stream->size : stream->cut;
    size = size < most ? size : most;
    struct tcp_stream_piece piece = stream->size > 0 ? data_of(stream, side, stream->data, size)
                                                     : gap_of(stream, side, size, stats);
    trim_loan(stream, size);
    return piece;
}

/* What can be told now of the loan and the hole before it; when nothing, it is kept, or empty, or
 * what waits is due. */
static struct tcp_stream_piece from_loan(struct tcp_stream *stream, struct slab *slab,
                                         unsigned side, struct tcp_stream_stats *stats)
{
    struct tcp_stream_side *mine = &stream->side[side];
    const struct tcp_stream_piece nothing = piece_of(stream, side, TCP_STREAM_NOTHING);
    trim_repeated(stream, mine, stats);
    if (stream->size + stream->cut == 0) {
        return nothing;
    }
    const struct tcp_early_entry *head = tcp_early_head(mine->early);
    uint32_t most = head != NULL ? head->seq - mine->next : UINT32_MAX;
    if (head != NULL && head_is_due(stream, side, head)) {
        return nothing;
    }
    uint32_t before = stream->seq - mine->next;
    const struct tcp_stream_side *theirs = &stream->side[1 - side];
    if (most > 0 && before == 0 &&
        !waits(stream, side, theirs->acknowledged, stream->now_ns)) {
        return lend_on(stream, side, most, stats);
    }
    if (most > 0 && before > 0) {
        uint32_t lost = known_lost(stream, side, mine->next + (before < most ? before : most));
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
        return piece_of(stream, side, TCP_STREAM_NOTHING);
    }
    drop_delivered(stream, slab, mine);
    if (side == stream->turn && stream->size + stream->cut > 0) {
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
        tcp_early_clear(&stream->side[side].early, slab);
    }
    stream->is_reset = false;
    return piece_of(stream, stream->turn, news ? TCP_STREAM_RESET : TCP_STREAM_NOTHING);
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
    }
    return piece;
}

struct tcp_stream_piece tcp_stream_next(struct tcp_stream *stream, struct slab *slab,
                                        struct tcp_stream_stats *stats)
{
    if (stream->step == STEP_PLAIN) {
        stream->step = STEP_IDLE;
        return data_of(stream, stream->turn, stream->data, stream->size);
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

void tcp_stream_expect(struct tcp_stream *stream, unsigned side, uint32_t seq)
{
    stream->side[side].state = SIDE_SYN;
    stream->side[side].next = seq;
    stream->side[side].acknowledged = seq;
}

void tcp_stream_done(struct tcp_stream *stream, struct slab *slab)
{
    tcp_early_clear(&stream->side[0].early, slab);
    tcp_early_clear(&stream->side[1].early, slab);
    tcp_stream_init(stream);
}

void tcp_stream_age(struct tcp_stream *stream, uint64_t now_ns)
{
    bool waiting = false;
    for (unsigned side = 0; side < 2; side++) {
        const struct tcp_stream_side *mine = &stream->side[side];
        waiting = waiting || mine->early != NULL || (mine->has_fin && mine->state != SIDE_ENDED);
    }
    stream->size = 0;
    stream->cut = 0;
    stream->now_ns = now_ns;
    stream->step = waiting ? STEP_WALK : STEP_IDLE;
}
