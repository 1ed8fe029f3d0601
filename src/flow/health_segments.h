// SPDX-License-Identifier: Apache-2.0
/* The ring of segments that passed, private to flow/'s health files: acknowledged ones first, which
 * are kept until their room is needed, to recognise what comes late. */
#pragma once

#include "flow/health_state.h"

/* Records a segment. */
void health_segments_add(struct health_step *s, struct health_detail *d, uint32_t start,
                         uint32_t end);
/* The first record that ends above `sequence`; segment_count if there is none. */
unsigned health_segments_find(struct health_detail *d, uint32_t sequence);

/* Where index `i` of the ring of a detail lies, counted from the oldest. */
static inline struct health_segment *health_segment_at(struct health_detail *d, unsigned i)
{
    return &d->segments[(d->segment_first + i) & d->segment_mask];
}

/* Whether the ring has no room; one that may be larger becomes so. */
static inline bool health_segments_are_full(struct health_detail *d)
{
    if (d->segment_count <= d->segment_mask) {
        return false;
    }
    if (d->more == NULL) {
        health_detail_grow(d);
        return false;
    }
    return true;
}

/* When something is acknowledged, health_cover() has to look at records up to `end`. */
static inline void health_segments_mark_to(struct health_detail *d, uint32_t end)
{
    if (!d->is_marked || health_distance(end, d->marked_end) > 0) {
        d->marked_end = end;
    }
    d->is_marked = true;
}

/* Something is known of a record but that it passed, or it is longer than all that were
 * acknowledged before: when it is acknowledged, health_cover() has to look at it. */
static inline void health_segments_mark(struct health_detail *d, struct health_segment *segment,
                                        unsigned flags)
{
    segment->flags = (uint8_t)(segment->flags | flags);
    health_segments_mark_to(d, segment->end);
}

/* Whether largest_acked would grow with a segment of the half as long as this; `mss` is what its
 * receiver announced. */
static inline bool health_segments_is_longest(const struct health_half *half, uint32_t length,
                                              uint32_t mss)
{
    return length > half->largest_acked && half->largest_acked < (mss > 0 ? mss : UINT16_MAX);
}

/* Makes room in a ring that is full. */
static inline void health_segments_forget(struct health_detail *d)
{
    d->segment_first++; /* it wraps where the ring does */
    d->segment_count--;
    d->segment_acked = (uint8_t)(d->segment_acked - (d->segment_acked > 0));
}

/* Makes room in a ring full of unacknowledged ones: neighbours become one, about equally long over the
 * whole flight, so that round trips are measured all along it and not at its ends only. The newest
 * stay, by which copies of frames are known. Some 60 steps, for 15 places or more where nothing was
 * SACKed or sent again; false where nothing could be joined. */
bool health_segments_thin(struct health_detail *d);

/* Makes the last of a ring full of unacknowledged ones longer, when nothing else helps. Its time becomes that of what came
 * last, which is what the acknowledgment of all of it answers. */
static inline void health_segments_merge(struct health_detail *d, uint32_t end, uint32_t now_us)
{
    struct health_segment *last = health_segment_at(d, d->segment_count - 1u);
    if (!(last->flags & (SEGMENT_MERGED | SEGMENT_AGAIN))) {
        last->stamp = last->time_us;
    }
    last->end = end;
    last->time_us = now_us;
    last->flags &= (uint8_t)~SEGMENT_EVEN;
    health_segments_mark(d, last, SEGMENT_MERGED);
}

/* Whether a packet of the server's left it since its latest data and never came, as IPv4
 * identifications tell that count its packets one by one: of acknowledgments without data, which are
 * counted, too, there are none while the client says nothing. */
static inline bool health_segments_missed(const struct health *h, struct health_detail *d,
                                          uint32_t ip_id)
{
    enum { STEPS = 3, MISSED_MOST = 4 };
    const uint32_t trip_us = h->halves[0].min_rtt_us;
    if (trip_us < HEALTH_AT_SENDER_US || trip_us == HEALTH_NO_TIME) {
        return false; /* nothing gets lost between */
    }
    if (d->side == 0 || d->segment_count <= STEPS || ip_id == 0 ||
        health_distance(h->run_us, d->data_us) >= 0) {
        return false;
    }
    unsigned at = d->segment_count - 1u;
    uint16_t latest = health_segment_at(d, at)->ip_id;
    for (unsigned i = 0; i < STEPS; i++, at--) {
        uint16_t before = health_segment_at(d, at - 1)->ip_id;
        if ((uint16_t)(health_segment_at(d, at)->ip_id - before) != 1) {
            return false;
        }
    }
    uint16_t step = (uint16_t)(ip_id - latest);
    return step > 1 && step <= MISSED_MOST;
}

/* Whether a pause of the sender before the data that pass now may have been none, though all was
 * acknowledged: a slow line before the tap brings the full segments of a bulk transfer one by one,
 * and no clock shows what they wait in. Who has said all mostly ends with less than a full segment. */
static inline bool health_segments_trickle(const struct health *h, const struct health_half *half,
                                           struct health_detail *d, uint32_t now_us)
{
    enum { TRIP_LEAST_US = 1000, PAUSE_MOST_US = 250000, LENGTH_LEAST = 512 };
    const uint32_t trip_us = h->halves[1 - d->side].min_rtt_us;
    if (trip_us < TRIP_LEAST_US || trip_us == HEALTH_NO_TIME || d->segment_count == 0 ||
        (d->tick_us != 0 && d->tick_us != HEALTH_NO_TIME) || now_us - d->data_us > PAUSE_MOST_US) {
        return false;
    }
    const struct health_segment *last = health_segment_at(d, d->segment_count - 1u);
    const uint32_t length = last->end - last->start;
    return length >= half->largest_acked && length >= LENGTH_LEAST;
}

/* Whether such a pause was the network's for one of these reasons. */
static inline bool health_segments_held_up(const struct health *h, const struct health_half *half,
                                           struct health_detail *d, uint32_t ip_id, uint32_t now_us)
{
    return d->idle && (health_segments_missed(h, d, ip_id) ||
                       health_segments_trickle(h, half, d, now_us));
}

/* Whether IPv4 identifications of a half, of which this is one, say what left its sender first. */
static inline bool health_ids_tell(const struct health_detail *d, uint32_t ip_id)
{
    return ip_id != 0 && d->ip_id_count >= 20 && d->ip_id_good * 10 > d->ip_id_count * 9;
}

/* What an acknowledgment newly covers. */
struct health_covered {
    uint32_t time_us; /* when the last segment passed */
    uint32_t count;
    bool clean; /* some, each sent once, none SACKed or behind a hole; false: the above mean nothing */
    bool is_rough; /* time_us is known to a sixteenth of the flight's: never for a new minimum */
};

/* The same of `ack` that ends amid a record of several, clean ones that passed one soon after the
 * other: the time is by the place among the bytes. */
struct health_covered health_cover_part(const struct health_segment *segment, uint32_t ack);

/* How long the receiver may have waited before it acknowledged one segment, just now: until the
 * next one came, as a delayed acknowledgment does (RFC 9293 §3.8.6.3), if none did for ever. */
static inline uint32_t health_segments_waited(struct health_detail *d,
                                              const struct health_covered *covered, uint32_t mss)
{
    if (covered->count != 1 || covered->is_rough) {
        return 0;
    }
    const struct health_segment *segment = health_segment_at(d, d->segment_acked - 1u);
    if (segment->end - segment->start >= 2 * mss) {
        return 0;
    }
    if (d->segment_acked >= d->segment_count) {
        return UINT32_MAX;
    }
    int32_t apart =
        health_distance(health_segment_at(d, d->segment_acked)->time_us, covered->time_us);
    return apart > 0 ? (uint32_t)apart : 0; /* what came later may fill a hole before */
}

/* health_cover() where some records are marked. */
struct health_covered health_cover_marked(struct health_half *half, struct health_detail *d,
                                          uint32_t ack, uint32_t mss);

/* Marks segments of the half as acknowledged up to `ack`; `mss` is what its receiver announced. */
static inline struct health_covered health_cover(struct health_half *half, struct health_detail *d,
                                                 uint32_t ack, uint32_t mss)
{
    if (d->is_marked) {
        return health_cover_marked(half, d, ack, mss);
    }
    const unsigned first = d->segment_acked, count = d->segment_count;
    unsigned at = ack == half->next ? count : first; /* nothing ends beyond what was seen */
    while (at < count && health_distance(health_segment_at(d, at)->end, ack) <= 0) {
        at++;
    }
    if (at == first) {
        return (struct health_covered){.clean = false};
    }
    d->segment_acked = (uint8_t)at;
    return (struct health_covered){
        .time_us = health_segment_at(d, at - 1)->time_us, .count = at - first, .clean = true};
}

/* Keeps the print of a frame, by which a copy will be known. */
static inline void health_remember(struct health *h, unsigned side, struct health_detail *d,
                                   uint32_t print)
{
    if (d != NULL) {
        d->prints[d->print_next++ % HEALTH_PRINTS] = print;
    } else if (!(h->flags & HEALTH_SHED)) {
        h->recent[side] = print;
    }
}

/* Whether a segment is the next data of its sender and will have a record, by which a copy will be
 * known. A print would cost time, and one more line of memory. */
static inline bool health_is_recorded(const struct health_half *half,
                                      const struct health_detail *d, const struct packet *p)
{
    return d != NULL && p->payload_len > 0 && p->seq == half->next &&
           !(p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) &&
           (d->segment_count < HEALTH_SEGMENTS || d->segment_acked > 0);
}
