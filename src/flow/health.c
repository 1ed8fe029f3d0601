// SPDX-License-Identifier: Apache-2.0
#include "flow/health_book.h"

#include "base/cursor.h"
#include "base/prefetch.h"

#include "flow/flow_tcp.h"
#include "flow/health_clock.h"
#include "flow/health_segments.h"
#include "flow/health_shift.h"

enum { STEP_BACK_MOST_US = 1200 * 1000000 }; /* what is more, modulo 2^32, is a silence */

/* ---- Reading a packet ------------------------------------------------------------------------ */

/* Nearly all segments carry time stamps alone, laid out as RFC 7323 suggests. */
static void read_options(struct health_step *s)
{
    const struct packet *p = s->p;
    uint32_t size = (uint32_t)(p->l4[12] >> 4) * 4;
    s->options.has_timestamps = false;
    s->options.sack_count = 0;
    s->options.ts_value = s->options.ts_echo = 0;
    s->options.mss = 0;
    s->options.window_scale = -1;
    s->options.sack_permitted = false;
    s->truncated = size > (size_t)(p->end - p->l4);
    if (size <= TCP_HEADER_SIZE || s->truncated) {
        return;
    }
    const uint8_t *at = p->l4 + TCP_HEADER_SIZE;
    if (size == TCP_HEADER_SIZE + HEALTH_STAMPS_SIZE && load_be32(at) == HEALTH_STAMPS_HEAD) {
        s->options.has_timestamps = true;
        s->options.ts_value = load_be32(at + 4);
        s->options.ts_echo = load_be32(at + 8);
    } else {
        wire_tcp_options(p, &s->options);
    }
}

/* The SACK blocks belong to what a copy keeps, too. */
static uint32_t print_of(const struct health_step *s)
{
    uint32_t print = health_print(s->p, s->options.ts_value, s->options.ts_echo, s->ip_id);
    for (unsigned i = 0; i < s->options.sack_count; i++) {
        print = (print ^ s->options.sack[i][0]) * 0x9e3779b1u ^ s->options.sack[i][1];
    }
    return print | 1;
}

static void read_packet(struct health_step *s)
{
    const struct packet *p = s->p;
    read_options(s);
    s->passed_us = s->now_us = (uint32_t)(p->time_ns / 1000);
    s->flags = p->tcp_flags;
    s->length = p->payload_len;
    s->start = p->seq + (s->flags & TCP_SYN ? 1 : 0);
    s->ip_id = p->version == 4 ? load_be16(p->ip + 4) : 0;
}

/* ---- Counting -------------------------------------------------------------------------------- */

/* What counts for copies, too. */
static void count_frame(struct health_step *s)
{
    struct health *h = s->health;
    struct health_half *half = s->half;
    health_count32(&h->packets, s->p->frames);
    if (s->p->window == 0 && !(s->flags & (TCP_SYN | TCP_FIN | TCP_RST))) {
        health_count16(&half->zero_windows);
    }
    if (s->length > 0 && !(s->flags & TCP_RST)) {
        health_count32(&half->data_packets, 1);
        half->data_bytes += s->length;
        health_add_unique(half, -(int32_t)s->length); /* until it is known what is new */
    }
    half->flags |= HALF_SEEN;
    h->flags |= s->truncated ? HEALTH_TRUNCATED : 0;
}

/* Whether the segment moves the connection on: it cannot be a copy then. */
static bool moves_on(const struct health_step *s)
{
    const struct health_half *half = s->half;
    const struct health_half *other = s->other;
    if (s->flags & (TCP_SYN | TCP_RST | TCP_FIN)) {
        return false;
    }
    if (s->length > 0) {
        return health_distance(s->start, half->next) >= 0 || !(half->flags & HALF_NEXT);
    }
    return s->flags & TCP_ACK && health_distance(s->p->ack, other->acked) > 0;
}

static bool pass_over_copy(struct health_step *s)
{
    struct health *h = s->health;
    struct health_detail *d = health_step_detail(s, s->half);
    if (s->half->flags & HALF_NEXT && health_is_recorded(s->half, d, s->p)) {
        return false; /* its record tells a copy */
    }
    s->print = print_of(s);
    bool copy = !moves_on(s) && health_is_copy(s);
    if (copy && s->flags & TCP_RST && s->ip_id == 0 && !(h->flags & HEALTH_MIRRORED)) {
        copy = false; /* a host that aborts answers each segment so, all alike */
    }
    if (!copy) {
        health_remember(h, s->side, d, s->print);
        return false;
    }
    health_count16(&h->copies);
    h->flags |= HEALTH_MIRRORED;
    if (s->length > 0) {
        health_count16(&s->half->copies);
    }
    return true;
}

/* ---- Segments without data ------------------------------------------------------------------- */

/* A FIN takes a sequence number, too. One that is far from all that was sent is nobody's. */
static void take_fin(struct health_step *s)
{
    struct health_half *half = s->half;
    uint32_t at = s->start + s->length;
    int32_t jump = health_distance(at, half->next);
    if (half->flags & HALF_NEXT && (jump > HEALTH_JUMP_MAX || jump < -HEALTH_JUMP_MAX)) {
        s->health->flags |= HEALTH_JUMPED;
        return;
    }
    struct health_detail *d = health_step_detail(s, half);
    if (d != NULL) {
        health_clock_run(half, d, s->now_us);
        d->progress_us = half->next == half->acked ? s->now_us : d->progress_us;
    }
    half->flags |= HALF_FIN;
    if (half->flags & HALF_NEXT && jump >= 0) {
        half->next = at + 1;
    }
}

/* What says nothing has the number of what is said next (RFC 9293 §3.8.1): by that, data were sent
 * that did not come as far as the tap, or not yet. */
static void note_beyond(struct health_step *s)
{
    const int32_t beyond = health_distance(s->start, s->half->next);
    if (!(s->flags & (TCP_SYN | TCP_RST)) && beyond > 0 && beyond < HEALTH_JUMP_MAX) {
        s->half->flags |= HALF_BEYOND;
    }
}

/* Probes without data, as Linux sends them: one below the next (RFC 9293 §3.8.4, §3.8.6.1). */
static void take_probe(struct health_step *s)
{
    struct health_half *half = s->half;
    bool below = half->flags & HALF_NEXT && s->start == half->next - 1;
    if (!below || s->flags & (TCP_SYN | TCP_FIN | TCP_RST) ||
        health_distance(half->next, half->acked) > 0 || half->flags & HALF_FIN) {
        return;
    }
    if (health_window_is_closed(half)) {
        health_count8(&s->health->probes);
    } else {
        health_count16(&half->keepalives);
    }
}

/* ---- Together -------------------------------------------------------------------------------- */

static void forget_flight(struct health_step *s)
{
    for (unsigned side = 0; side < 2; side++) {
        struct health_detail *d = health_detail_of(s->book, &s->health->halves[side]);
        if (d != NULL) {
            health_clock_run(&s->health->halves[side], d, s->health->last_us);
            health_delay_judge(&s->health->halves[side], d, true);
            health_detail_forget(d);
            d->clock_us = d->progress_us = d->epoch_us = d->data_us = s->now_us;
        }
    }
}

static void follow_any(struct health_step *s)
{
    struct health *h = s->health;
    struct health_half *half = s->half;
    if (!(h->flags & HEALTH_MEASURES) || s->flags & TCP_SYN) {
        health_handshake(s);
    }
    if (!(half->flags & HALF_NEXT)) {
        health_data_begin(half, s->start);
    }
    struct health_detail *d = health_step_detail(s, half);
    if (d != NULL && s->options.has_timestamps && s->passed_us == s->now_us &&
        health_delay_may_tell(d, s->now_us, s->options.ts_value, s->length > 0)) {
        health_delay_tell(half, d, s->now_us, s->options.ts_value);
    }
    health_delay_ask(s);
    if (h->flags & HEALTH_AHEAD << s->side) {
        health_acks_settle(s);
    }
    if (s->length > 0) {
        health_data(s);
    } else {
        note_beyond(s);
        take_probe(s);
    }
    if (s->flags & TCP_FIN) {
        take_fin(s);
    }
    if (s->flags & TCP_ACK) {
        health_acks(s);
    }
}

static void follow(struct health_step *s)
{
    count_frame(s);
    if (pass_over_copy(s)) {
        return;
    }
    if (s->flags & TCP_RST) {
        health_reset(s);
    } else {
        follow_any(s);
    }
}

/* Asks for what all of this will look at. */
static void prefetch_details(const struct health_book *book, const struct health *h)
{
    for (unsigned side = 0; side < 2; side++) {
        const struct health_detail *d = &book->details[h->halves[side].detail];
        prefetch_write(d);
        prefetch_write(&d->max_window);
        prefetch_write(&d->owner);
        prefetch_write(d->prints);
    }
}

/* Time that passed since the latest packet, or that the capture's clock was set back by. Of a
 * packet that only stands later in the capture than it passed the connection's time stays where it
 * is. */
static void follow_clock(struct health_step *s)
{
    const uint32_t silence_us = s->now_us - s->health->last_us;
    const uint32_t back_us = s->health->last_us - s->now_us;
    if (back_us > HEALTH_STEP_US && back_us < STEP_BACK_MOST_US) {
        health_shift(s->book, s->health, back_us);
    } else if (silence_us > HEALTH_FORGET_US && back_us > HEALTH_STEP_US) {
        forget_flight(s);
    } else if (health_distance(s->now_us, s->health->last_us) < 0) {
        s->now_us = s->health->last_us;
    }
}

void health_follow(struct health_book *book, struct health *h, const struct packet *p,
                   unsigned side)
{
    struct health_step s;
    prefetch_details(book, h);
    s.book = book;
    s.details = book->details;
    s.health = h;
    s.half = &s.health->halves[side];
    s.other = &s.health->halves[1 - side];
    s.p = p;
    s.side = (uint8_t)side;
    read_packet(&s);
    if (s.health->packets == 0) {
        s.health->first_us = s.health->last_us = s.now_us;
    }
    follow_clock(&s);
    follow(&s);
    s.health->last_us = s.now_us;
    health_detail_end(&s);
    if (!book->options.thorough) {
        health_plain_note(book->details, s.health);
    }
}

/* A segment amid a connection, whole and with a window. */
static bool is_ordinary(const struct packet *p)
{
    return p->class == PACKET_TCP && p->fragment == FRAGMENT_NONE && p->window != 0 &&
           (p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK;
}

void health_any_packet(struct health_book *book, flow_index flow, const struct packet *p,
                       unsigned side)
{
    if (!flow_tcp_is_legible(p)) {
        return;
    }
    uint32_t index = health_book_find(book, flow);
    if (index != 0 || (index = health_book_add(book, flow)) != 0) {
        health_follow(book, &book->connections[index], p, side);
    }
}

void health_packet(struct health_book *book, flow_index flow, const struct packet *p, unsigned side)
{
    if (is_ordinary(p)) {
        health_plain_packet(book, flow, p, side);
    } else {
        health_any_packet(book, flow, p, side);
    }
}

void health_stray_packet(struct health_book *book, flow_index flow, const struct packet *p,
                         unsigned side)
{
    uint32_t index = health_book_find(book, flow);
    if (index == 0) {
        return;
    }
    struct health *h = &book->connections[index];
    health_count32(&h->packets, p->frames);
    if (p->tcp_flags & TCP_RST) {
        health_count16(&h->halves[side].resets);
    }
}

void health_note_icmp(struct health_book *book, flow_index flow, const struct packet *error)
{
    enum { UNREACHABLE = 3, FRAGMENTATION_NEEDED = 4, V6_UNREACHABLE = 1, V6_TOO_BIG = 2 };
    uint32_t index = health_book_find(book, flow);
    if (index == 0) {
        return;
    }
    struct health *h = &book->connections[index];
    bool v4 = error->class == PACKET_ICMP;
    health_count8(&h->icmp_errors);
    if (v4 ? error->icmp_type == UNREACHABLE && error->icmp_code == FRAGMENTATION_NEEDED
           : error->icmp_type == V6_TOO_BIG) {
        h->flags |= HEALTH_PMTU_ICMP;
    } else if (error->icmp_type == (v4 ? UNREACHABLE : V6_UNREACHABLE)) {
        h->flags |= HEALTH_UNREACHABLE;
    }
}
