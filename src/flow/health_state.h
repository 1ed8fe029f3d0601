// SPDX-License-Identifier: Apache-2.0
/* What is kept of a connection, private to flow/'s health files. `struct health` lives as long as
 * the flow; `struct health_detail` of a half only while it has something to tell. Sequence numbers
 * are compared modulo 2^32 (RFC 9293 §3.4). Times are microseconds of packet time modulo 2^32:
 * differences up to half an hour are right, and a connection that was silent for longer has no
 * detail. Counters stop at their largest value. */
#pragma once

#include "flow/health.h"
#include "wire/wire.h"

#include <stddef.h>

enum {
    HEALTH_SEGMENTS = 64, /* records of a half; beyond, neighbours become one */
    HEALTH_HOLES = 133,   /* a queue that overflows drops every other segment of a flight */
    HEALTH_ACKS = 24,    /* on their way to the sender */
    HEALTH_REPEATS = 16, /* retransmissions that may turn out spurious */
    HEALTH_PRINTS = 16,  /* of frames without data, mostly */
    HEALTH_BINS = 256,   /* of HEALTH_BIN_MS */
    HEALTH_BIN_MS = 4,
    HEALTH_QUANTILES = 128, /* 8 an octave from 64 us */
    HEALTH_FEW = 6,      /* round trips, or intervals, that need no histogram */
    HEALTH_FEW_ACKS = 4, /* and what else most never have more of: see struct health_more */
    HEALTH_FEW_SEGMENTS = 4,
};

enum { HEALTH_NO_TIME = UINT32_MAX }; /* of what was never measured */
enum { HEALTH_AT_SENDER_US = 200 }; /* a trip between tap and sender that is shorter is none */

enum {
    HEALTH_JUMP_MAX = 1 << 28, /* no window is larger than 2^30, and no hole grows to a quarter */
    HEALTH_ROUND_MIN_US = 10000, /* of a round trip, when levels of the flight are compared */
    HEALTH_STAMPS_SIZE = 12,
    HEALTH_STAMPS_HEAD = 0x0101080a, /* NOP NOP, time stamps of ten bytes: RFC 7323 appendix A */
};

#define HEALTH_SECOND_US 1000000u
#define HEALTH_STANDING_US 60000u /* of delay are a queue */
#define HEALTH_INTERVAL_US 100000u /* CoDel's interval, RFC 8289 §4.2 */
#define HEALTH_SILENCE_US 3000000u /* after which a peer may be lost */
#define HEALTH_FORGET_US 600000000u /* of silence, after which nothing is in flight */
#define HEALTH_WINDOW_US 60000000u /* after which bins are judged, so that clock skew stays small */

/* A segment that passed, or several that lie side by side. */
struct health_segment {
    uint32_t start, end;
    uint32_t time_us;  /* when it passed first */
    uint16_t ip_id;    /* of that first one */
    uint8_t flags;     /* enum health_segment_flags */
    uint32_t ts_value; /* of the first one */
    /* with SEGMENT_AGAIN, of the latest one: see health_segment_stamp(); else, with SEGMENT_MERGED, when
     * the first of several passed, and time_us is of the last */
    uint32_t stamp;
};

enum health_segment_flags {
    SEGMENT_SACKED = 1,
    SEGMENT_MERGED = 2,
    SEGMENT_FILLED = 4,
    SEGMENT_AGAIN = 8, /* sent more than once */
    SEGMENT_EVEN = 16, /* merged ones that passed one soon after the other */
    SEGMENT_CLEAN = SEGMENT_MERGED | SEGMENT_EVEN, /* that give round trips have none but these */
};

/* Bytes that did not pass while later ones did. `order` is of the segment that showed it: its time
 * stamp; where there are none, when it passed in units of 64 us (20 bits) and the last 12 bits of its
 * IP identification. */
struct health_hole {
    uint32_t start, end;
    uint32_t order;
};

enum { HOLE_TIME_SHIFT = 6, HOLE_ID_BITS = 12, HOLE_ID_MASK = 0xfff };

/* An acknowledgment that the sender will have by time_us. */
struct health_ack {
    uint32_t time_us, ack, edge;
};

/* A retransmission, until it is known whether it was needed. */
struct health_repeat {
    uint32_t start, end, ts_value, time_us;
};

/* Minima of a delay over intervals. Of its histogram, bins outside of low to high are zero. */
struct health_series {
    uint32_t from_us;   /* where the interval under way began, with is_open */
    uint32_t minimum_us;
    uint16_t count;     /* intervals; the histogram is in use if they are more than a few */
    uint8_t low, high;  /* bins in use, with count > 0 */
    bool is_open;
    uint8_t few[HEALTH_FEW]; /* bins of the first ones */
};

/* Working state of a half: a cache line that each packet touches, and three that go with what it
 * says; then what unusual ones do, then arrays. */
struct health_detail {
    _Alignas(64) struct health_segment *segments;        /* here, or in `more` */
    uint8_t segment_first, segment_count, segment_acked; /* ring; the first ones are acknowledged */
    uint8_t segment_mask, side;                          /* the ring's size less one; whose data */
    uint8_t calm, initial_state; /* enum health_calm: see health_plain.c; enum health_initial */
    bool is_marked;              /* see health_segments_mark() */
    /* the sender's clock */
    uint32_t clock_us, acked_there, edge_there;
    uint32_t need;             /* window that one more segment takes */
    uint32_t calm_until;       /* data up to here change nothing else; what was seen, if not calm */
    uint32_t busy_us;          /* beyond the whole ms in the half */
    uint32_t data_us, progress_us;   /* data passed last; an ACK moved on, or the flight began */
    uint32_t epoch_us, epoch_flight; /* levels of the flight, a round trip at a time */
    uint32_t ts_latest;
    int32_t delay_us; /* of the latest packet by its time stamp, above the base */

    /* second cache line: round trips, tap to receiver, a few in a millisecond */
    uint32_t max_window, sample_count, sampled_us;
    struct health_series round_trip;
    uint32_t window_start_us;
    uint64_t sample_sum_us;
    uint32_t smooth_us, variation_us;
    uint32_t prompt_us; /* where the latest interval began with a round trip without a queue */
    uint16_t prompt_bins, prompt_fills; /* such intervals; see fill_us */

    /* third: delay by the sender's time stamps */
    uint32_t tick_us; /* 0: not known yet, HEALTH_NO_TIME: no clock */
    uint32_t ts_first, ts_first_us;
    int32_t delay_base_us;
    struct health_series one_way;
    uint32_t leap_us, leapt_us, asked_us, asked_ts; /* see health_delay_ask() */
    uint32_t idle_since_us, rwnd_us;                /* of the sender's clock; rwnd_us as busy_us */
    uint8_t clock_restarts;
    bool clock_confirmed; /* its tick was looked at twice */
    bool is_joined;       /* its first data, at origin, are from the middle of the connection */
    uint8_t print_next;

    /* fourth */
    uint32_t owner; /* index of the connection, 0: free */
    uint8_t ack_first, ack_count;
    bool idle;  /* the sender's clock shows nothing in flight and nothing wanted */
    bool began; /* data were seen */
    /* of senders without time stamps, see health_data.c: bursts, and spans of time with data; of a
     * clock whose tick is not known yet, see health_delay.c: a later stamp and its time, and
     * intervals that it said nothing of */
    uint32_t burst_us, burst_ack_us, span_us;
    uint16_t spans, spans_seen;
    bool burst_acked, span_seen, burst_thick;
    uint8_t ip_id_good, ip_id_count;
    bool has_repeated; /* see health_more */
    uint16_t ip_id_last;
    uint32_t marked_end;                            /* of the last that is, with is_marked */
    uint8_t hole_count, stuck_count, duplicate_run; /* with the next two: health_has_trouble() */
    bool in_recovery, in_timeout;
    uint8_t jumps, stale_count; /* segments in a row that lie out of all proportion; see stale */
    bool has_sack, is_ahead;
    uint32_t window_full, ce_pkts, ece_acks;
    uint32_t few_us[HEALTH_FEW]; /* the first round trips */

    /* loss, and what the sender did about it */
    uint32_t sacked; /* highest, valid with has_sack */
    uint32_t recovery, timeout_recovery; /* ends of what is under repair */
    uint32_t stuck, stuck_us, stuck_length; /* lowest unacknowledged segment that was repeated */
    uint32_t stale, stale_us; /* the same of one that the tap saw acknowledged */
    uint32_t duplicate_acks, sack_acks;
    uint32_t ahead; /* acknowledged though it never passed: health_acks_settle() */
    uint32_t passed; /* bytes in holes that did pass: beyond HEALTH_HOLES neighbours are one */

    uint32_t origin; /* where the data began, for the initial window */
    uint32_t initial_due_us;
    uint32_t initial_window; /* bytes; 0: not known yet */
    uint32_t max_flight, level;
    uint16_t epochs, level_epochs, best_level_epochs;
    uint16_t queue_p50_ms, queue_p95_ms;
    uint32_t rtt_p50_us, rtt_p95_us; /* only in what remains and in views */
    uint32_t fill_us; /* of the latest hole, without time stamps: health_repeat.c */
    uint16_t slow_fills, repeats_open; /* of repeats a bit for each */
    uint32_t duplicate_us;             /* the first of duplicate_run */
    uint8_t repeat_next;
    bool stuck_shrank;
    bool peer_spoke; /* later than stuck_us; while stuck_count is 0 nobody asks */
    bool queue_before; /* the queue is between sender and tap */
    uint32_t next_free;
    struct health_book *book;
    struct health_more *more; /* NULL: not yet */

    uint32_t prints[HEALTH_PRINTS]; /* of the latest frames, a ring */
    /* What stands above is zero in a new detail, but for the pointers. Below, only what is in use is
     * valid; with `more` it is there and not here. */
    struct health_ack few_acks[HEALTH_FEW_ACKS];
    struct health_segment few_segments[HEALTH_FEW_SEGMENTS];
};

/* What only those need that have said more than a little, or have trouble: a detail borrows it when
 * one of its own arrays is full, and keeps it. */
struct health_more {
    struct health_segment segments[HEALTH_SEGMENTS];
    struct health_ack acks[HEALTH_ACKS];
    uint16_t quantiles[HEALTH_QUANTILES];         /* with sample_count > HEALTH_FEW */
    struct health_repeat repeats[HEALTH_REPEATS]; /* with has_repeated, as the next three */
    uint32_t repeated_end; /* highest byte of all repeats */
    uint32_t gone_end; /* highest byte of those whose places others took */
    uint32_t gone;     /* how many of these may still turn out spurious */
    struct health_hole holes[HEALTH_HOLES];
    /* Histograms of absolute values, so that a base that falls later only shifts them; all zero in
     * a free block. */
    uint16_t round_trip_bins[HEALTH_BINS], one_way_bins[HEALTH_BINS];
    uint32_t next_free;
};

/* What is left of the details of a closed connection until it is reported. */
enum { HEALTH_HEAD_BYTES = offsetof(struct health_detail, prints) };
struct health_remains {
    bool has[2];
    uint32_t next_free;
    _Alignas(uint64_t) uint8_t heads[2][HEALTH_HEAD_BYTES];
};

/* What a clock has to do when plain data or acknowledgments pass: whatever it may be; nothing, since
 * it runs on; only to begin. */
enum health_calm { CALM_NOT, CALM_FLIGHT, CALM_REST };

enum health_initial { INITIAL_VOID, INITIAL_SENDING, INITIAL_ACKED, INITIAL_KNOWN };

/* The data that one end sends. */
struct health_half {
    __attribute__((packed, aligned(4))) uint64_t data_bytes; /* no room lost to alignment */
    int32_t extra_bytes; /* of them, that are not new: health_unique() */
    uint32_t busy_ms, rwnd_ms;
    uint32_t next;  /* highest sequence number seen, plus one */
    uint32_t acked; /* highest acknowledgment of these data */
    uint32_t edge;  /* acknowledgment plus window of the latest */
    uint32_t data_packets, retrans_seen, retrans_hole, reordered;
    uint32_t not_captured;
    uint32_t min_rtt_us; /* tap to the other end */
    uint32_t detail;     /* index, 0: none */
    uint16_t zero_windows, copies;
    uint16_t largest_acked; /* bytes of a segment, for path MTU */
    uint16_t mss;           /* announced by the sender: what the other may send */
    uint16_t bins, queue_bins;
    uint16_t spurious, flags; /* enum health_half_flags */
    uint16_t resets, keepalives;
    uint8_t window_scale;
    uint8_t timeouts, probes, fast;
};

enum health_half_flags {
    HALF_SEEN = 1,      /* a packet of this end was seen */
    HALF_NEXT = 2,      /* next is valid */
    HALF_ACKED = 4,     /* acked is valid */
    HALF_EDGE = 8,      /* edge is valid: the scale is known */
    HALF_SYN = 16, HALF_FIN = 32,
    HALF_SCALE = 64, HALF_TIMESTAMPS = 128,
    HALF_SACK = 256,
    HALF_ECN = 512,     /* asked for or agreed to in the handshake */
    HALF_CLEAN = 1024,  /* the whole stream from its SYN on */
    HALF_OPENER = 4096, /* it sent a SYN without ACK */
    HALF_UNSEEN = 2048, /* its data were acknowledged, but no packet of it was seen */
    HALF_BEGUN = 8192,  /* it had a detail before */
    HALF_UNTIMED = 32768, /* when acknowledgments reached it was not known while most passed */
    HALF_BEYOND = 16384, /* it sent data that did not pass, by the numbers of what did */
};

struct health {
    struct health_half halves[2];
    union {
        uint32_t recent[2]; /* prints of the latest frame of a side that has no detail */
        uint32_t remains;   /* with HEALTH_SHED: index of what is left of its details */
    };
    uint32_t packets;
    uint32_t first_us, last_us;
    union {
        struct {
            uint32_t syn_us, syn_ts, again_us, answer_us;
        };
        struct {
            uint32_t ttfb_us, tls_us, response_us, stall_us;
        };
    };
    uint32_t run_us; /* when the client sent its latest new byte */
    uint32_t to_server_us, to_client_us;
    uint32_t flags; /* enum health_flags */
    uint16_t copies;
    uint16_t turns, episode_ds; /* first episode, tenths of a second */
    uint8_t syns, answers, episodes, icmp_errors;
    uint8_t probes; /* of closed windows */
    uint8_t tls;    /* enum health_tls */
};

enum health_flags {
    HEALTH_ESTABLISHED = 1,
    HEALTH_SIMULTANEOUS = 2,
    HEALTH_SPLIT = 4,          /* the handshake's halves were measured */
    HEALTH_REFUSED = 8,
    HEALTH_RESET_BY_SERVER = 16, /* who sent the first reset */
    HEALTH_HALF_OPEN = 32,
    HEALTH_RESET_AFTER_FIN = 64,
    HEALTH_SEIZED = 128,        /* a detail was taken away, or never had */
    HEALTH_TRUNCATED = 256,
    HEALTH_PMTU_ICMP = 512,
    HEALTH_PMTU_RECOVERED = 1024,
    HEALTH_CLIENT_SPOKE = 2048, /* the latest new data are the client's */
    HEALTH_MIRRORED = 4096,     /* the latest frame before was seen twice */
    HEALTH_QUEUE_BEFORE = 8192,
    HEALTH_UNREACHABLE = 16384,
    HEALTH_OPTIMISTIC = 32768,  /* data were acknowledged before they were sent */
    HEALTH_JUMPED = 65536,      /* sequence numbers out of all proportion */
    HEALTH_MEASURES = 131072,   /* the union holds what came after the handshake */
    HEALTH_HAS_RUN = 262144,
    HEALTH_RESET_SEEN = 524288,
    HEALTH_TLS = 1 << 22, /* tls_us is the handshake's time */
    HEALTH_WAIVED = 1 << 25, /* and the next bit: the half gets no detail */
    HEALTH_PLAIN = 1 << 23, HEALTH_PLAIN_BOTH = 3 << 23, /* packets of the side may go the short way */
    HEALTH_SHED = 1 << 28,    /* it has closed and gave its details back */
    HEALTH_LATE_RESET = 1 << 27, /* the first reset came after a silence */
    HEALTH_SAW_BEFORE = 1 << 29, /* and the next bit: see health_delay_sees_before() */
    HEALTH_AHEAD = 1 << 20, /* and the next bit, for the other side: see health_acks_settle() */
};

_Static_assert(sizeof(struct health) <= HEALTH_BYTES, "what a connection costs");
_Static_assert(sizeof(struct health_detail) + sizeof(struct health_more) <= HEALTH_DETAIL_BYTES,
               "what a detail costs");

/* A packet under analysis. */
struct health_step {
    struct health_book *book;
    struct health *health;
    struct health_half *half;  /* the sender's */
    struct health_half *other;
    struct health_detail *details; /* the book's */
    const struct packet *p;
    struct wire_tcp_options options; /* without SACK blocks and `malformed` if there are none */
    uint32_t passed_us, now_us; /* now is never before what stood in the capture before */
    uint32_t start, length;
    uint32_t print;
    uint32_t ip_id;
    uint8_t side;
    uint8_t flags;
    bool truncated;
};

/* ---- health_plain.c: the short way ----------------------------------------------------------- */

/* health_plain_packet() takes in the next data of a sender, or an acknowledgment of some, with no
 * trouble before or now, which nearly all segments are, and comes to the same as the long way does;
 * whatever it finds to be anything else goes there. */

/* The long way of a packet that can be read, which all can go. */
void health_follow(struct health_book *book, struct health *h, const struct packet *p,
                   unsigned side);

/* Finds it. */
void health_any_packet(struct health_book *book, flow_index flow, const struct packet *p,
                       unsigned side);

/* Notes which halves may go the short way until something else than a plain segment comes. */
void health_plain_note(struct health_detail *details, struct health *h);

/* Tells frames apart: what a copy of a packet keeps, in 32 bits. */
static inline uint32_t health_print(const struct packet *p, uint32_t ts_value, uint32_t ts_echo,
                                    uint32_t ip_id)
{
    uint32_t mixed = p->seq * 0x9e3779b1u + p->ack * 0x85ebca77u + ts_value * 0xc2b2ae3du +
                     ts_echo * 0x165667b1u + (ip_id << 16 | p->window) * 0xd6e8feb9u +
                     (p->payload_len << 8 | p->tcp_flags) * 0x27d4eb2fu;
    return mixed | 1;
}

/* Tells transmissions of the same data apart: each has another time stamp or IP identification. */
static inline uint32_t health_stamp(uint32_t ts_value, uint32_t ip_id)
{
    return ts_value ^ ip_id << 16;
}

/* That of the latest transmission of a segment, which mostly is the first. */
static inline uint32_t health_segment_stamp(const struct health_segment *segment)
{
    return segment->flags & SEGMENT_AGAIN ? segment->stamp
                                          : health_stamp(segment->ts_value, segment->ip_id);
}

/* The detail of a half, or NULL. */
static inline struct health_detail *health_step_detail(const struct health_step *s,
                                                       const struct health_half *half)
{
    return half->detail != 0 ? &s->details[half->detail] : NULL;
}

/* Whether something went wrong that is not mended yet. It is asked just after these were written: one
 * load of all would wait until they have reached the cache. */
static inline bool health_has_trouble(const struct health_detail *d)
{
    return (d->hole_count | d->stuck_count | d->duplicate_run | d->in_recovery | d->in_timeout) != 0;
}

static inline int32_t health_distance(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static inline void health_count8(uint8_t *counter)
{
    if (++*counter == 0) {
        *counter = UINT8_MAX;
    }
}

static inline void health_count16(uint16_t *counter)
{
    if (++*counter == 0) {
        *counter = UINT16_MAX;
    }
}

static inline void health_count32(uint32_t *counter, uint32_t n)
{
    if (__builtin_add_overflow(*counter, n, counter)) {
        *counter = UINT32_MAX;
    }
}

/* The same of one; of most there are few, which a processor guesses. */
static inline void health_tally32(uint32_t *counter)
{
    if (++*counter == 0) {
        *counter = UINT32_MAX;
    }
}

/* Distinct bytes. Of most segments the count of all bytes says it, too. */
static inline uint64_t health_unique(const struct health_half *half)
{
    return half->data_bytes - (uint64_t)half->extra_bytes;
}

/* Of the bytes that were counted, `n` turn out to be new (or, if it is negative, not). */
static inline void health_add_unique(struct health_half *half, int32_t n)
{
    if (__builtin_sub_overflow(half->extra_bytes, n, &half->extra_bytes)) {
        half->extra_bytes = n < 0 ? INT32_MAX : INT32_MIN;
    }
}

/* ---- health_book.c: memory ------------------------------------------------------------------ */

/* The detail of a half of a connection: what it has, or a new one; NULL when the budget is spent. */
struct health_detail *health_detail_take(struct health_book *book, struct health *h, unsigned side,
                                         uint32_t now_us);
/* The sender's half is not worth a detail, now or later. */
void health_detail_waive(struct health_step *s);
/* After a packet: gives the details of a connection that has closed back, but for what its report
 * needs; if all went well at once, else health_tick() does. */
void health_detail_end(struct health_step *s);
/* What was in flight will not be heard of any more. */
void health_detail_forget(struct health_detail *d);
/* Gives a detail the block that its arrays have not enough room for; it has none yet. There is one
 * for each detail. */
void health_detail_grow(struct health_detail *d);
/* Moves into `more` what a detail holds itself. */
void health_detail_extend(struct health_detail *d, struct health_more *more);
/* The one that it has, or NULL. */
struct health_detail *health_detail_of(const struct health_book *book, const struct health_half *half);

/* ---- health_delay.c: round trips and queues -------------------------------------------------- */

/* A round trip of `rtt_us` was measured, of which health_delay_is_news() was true: see
 * health_delay_sample(). */
void health_delay_learn(struct health_half *half, struct health_detail *d, uint32_t now_us,
                        uint32_t rtt_us, uint32_t waited_us, bool is_open);
/* The delay by time stamps leapt: a packet asks, or tells, whether the capture's clock did. */
void health_delay_ask(struct health_step *s);
/* A packet of the half's sender had this time stamp, of which health_delay_may_tell() was true. */
void health_delay_tell(struct health_half *half, struct health_detail *d, uint32_t now_us,
                       uint32_t ts_value);
/* Judges the bins up to now into the half's counters; `last`: the one under way, too. */
void health_delay_judge(struct health_half *half, struct health_detail *d, bool last);
/* Leaves the histograms empty, as those of a free block are. */
void health_delay_clear(struct health_detail *d);
/* The median and the 95th percentile of the round trips of `d` into `ret`, which may be the same. */
void health_delay_quantiles(const struct health_detail *d, struct health_detail *ret);
/* Whether a queue between the sender and the tap would have shown: by time stamps, or else because
 * the sender answered as promptly as an empty path lets it. */
bool health_delay_sees_before(const struct health_detail *d);

enum { HEALTH_TRAIN_US = 1000, HEALTH_SAMPLE_US = 1000 };

/* Whether there is something to learn from a round trip. */
static inline bool health_delay_is_news(const struct health_half *half,
                                        const struct health_detail *d, uint32_t now_us,
                                        uint32_t rtt_us)
{
    return rtt_us < half->min_rtt_us || d->sample_count == 0 ||
           now_us - d->sampled_us >= HEALTH_SAMPLE_US || rtt_us < d->round_trip.minimum_us;
}

/* A round trip of `rtt_us` was measured, of which the receiver may have waited so long before it
 * acknowledged. Of several in a ms one counts, and the least. */
static inline void health_delay_sample(struct health_half *half, struct health_detail *d,
                                       uint32_t now_us, uint32_t rtt_us, uint32_t waited_us,
                                       bool is_open)
{
    if (health_delay_is_news(half, d, now_us, rtt_us)) {
        health_delay_learn(half, d, now_us, rtt_us, waited_us, is_open);
    }
}

/* Whether health_delay_tell() has something to learn from this stamp: of a train of packets of
 * one tick the first was held up least. A sender that paces its data stamps what goes between them
 * without any with the time at which the next may go, which is in the future. */
static inline bool health_delay_may_tell(const struct health_detail *d, uint32_t now_us,
                                         uint32_t ts_value, bool has_data)
{
    if (!has_data && d->began && now_us - d->data_us < HEALTH_SECOND_US) {
        return false;
    }
    if (ts_value == d->ts_latest && now_us - d->data_us < HEALTH_TRAIN_US) {
        return false;
    }
    return d->tick_us != HEALTH_NO_TIME;
}

/* ---- health_data.c, health_repeat.c: segments with data ------------------------------------- */

void health_data(struct health_step *s);
/* After an acknowledgment of the first data of a half, more follow: its initial window is known. */
void health_data_initial(const struct health_half *half, struct health_detail *d, uint32_t now_us);
/* Of data without time stamps: follows IP identifications, which order packets then, and how soon
 * the sender answers. */
void health_data_unstamped(const struct health *h, struct health_detail *d, uint32_t ip_id,
                           uint32_t now_us);
/* A round trip is over that began at epoch_us. */
void health_data_round(const struct health *h, struct health_detail *d, uint32_t now_us);
/* Where the data of a half begin, when its first packet is in the middle of the connection. */
void health_data_begin(struct health_half *half, uint32_t start);
/* Data that begin below what was seen. */
void health_repeat(struct health_step *s, struct health_detail *d);
/* health_copy.c: whether this frame is a copy of one that was seen. */
bool health_is_copy(struct health_step *s);
/* The first hole that ends above `sequence`; hole_count if there is none. */
unsigned health_holes_find(const struct health_detail *d, uint32_t sequence);
/* Closes holes below `sequence` and returns how many bytes they had. */
uint32_t health_holes_below(struct health_detail *d, uint32_t sequence);

/* ---- health_acks.c: acknowledgments ---------------------------------------------------------- */

void health_acks(struct health_step *s);
/* The first data are acknowledged; `trip_us` later the sender has that. */
void health_acks_initial(struct health_detail *d, uint32_t ack, uint32_t now_us, uint32_t trip_us);
/* A packet of a sender shows whether acknowledgments that ran ahead of its data were right. */
void health_acks_settle(struct health_step *s);

/* ---- health_talk.c: who said what when ------------------------------------------------------- */

/* Records of a TLS handshake, told by their first bytes (RFC 8446 §5.1). */
enum health_tls {
    TLS_NONE,
    TLS_HELLO,
    TLS_WAITS,    /* 1.2: for the server's Finished */
    TLS_FINISHED, /* 1.3: the client's has passed */
    TLS_TICKET,
    TLS_TICKETS,
    TLS_ENDED,    /* 1.2: the server's has passed, and the client was silent since */
    TLS_DONE,
};

/* New bytes of a side passed. */
void health_talk(struct health *h, unsigned side, const struct packet *p, uint32_t now_us);

/* The part of it that looks at the payload, until h->tls is TLS_DONE. */
void health_talk_begin(struct health *h, unsigned side, const struct packet *p, uint32_t now_us);

/* The server begins to answer. */
void health_talk_answer(struct health *h, uint32_t now_us);

/* The rest of it. */
static inline void health_talk_turn(struct health *h, unsigned side, uint32_t now_us)
{
    if (side == 0) {
        h->run_us = now_us;
        h->flags |= HEALTH_CLIENT_SPOKE;
    } else if (h->flags & HEALTH_CLIENT_SPOKE) {
        health_talk_answer(h, now_us);
    }
}
void health_handshake(struct health_step *s);
void health_reset(struct health_step *s);

/* ---- health_verdict.c ------------------------------------------------------------------------ */

/* A connection with its details, as they are at the time of a report; all a copy. */
struct health_view {
    struct health health;
    struct health_detail details[2];
    struct health_more more[2]; /* of those that have some */
    bool has_detail[2];
    uint64_t silence_us; /* since its latest packet */
};

/* Flags and verdicts, from the state and from the numbers that are in the record already. */
void health_verdicts(const struct health_view *view, struct health_record *ret);

/* health_black.c: packets that vanish. */
void health_black(const struct health_view *view, struct health_record *ret);
