// SPDX-License-Identifier: Apache-2.0
/* Connections that nobody wanted, while another protocol may begin in them yet: TLS behind STARTTLS
 * of a protocol that is not read here, TLS or HTTP behind what a proxy was asked and answered
 * (SOCKS), HTTP behind a first request that is none. Such a thing begins where one side speaks after
 * the other, so nothing but the first bytes of each turn is looked at, by the protocols that can be
 * sure of them (proto.h, probe_late); they may come in any pieces. It costs a few instructions a
 * packet until LATE_BYTES of both sides were said, or
 * LATE_TURNS; then the connection is let go of. Zeroes are the beginning. */
#pragma once

#include "engine/listeners.h"

/* XMPP takes some 2 KiB until it turns, SMTP, IMAP and FTP six to ten turns. */
enum { LATE_BYTES = 8 << 10, LATE_TURNS = 32 };

struct late {
    uint16_t bytes;      /* that both sides said while nobody was known to want them, saturating */
    uint8_t turns;       /* how often one of them spoke after the other, saturating */
    uint8_t is_on : 1;   /* nobody wants them */
    uint8_t is_turn : 1; /* what was said last begins a turn, and was not looked at yet */
    uint8_t speaker : 2; /* who said it, plus 1; 0: nobody, or bytes were missed since */
    uint8_t waits : 2; /* sides whose turn may begin another protocol, which more bytes will tell; a
                        * bit each */
};

/* A side says something, before it is asked whose that is: does it begin a turn? */
static inline void late_hear(struct late *late, unsigned side)
{
    late->is_turn = late->speaker != side + 1;
    late->turns = (uint8_t)(late->turns + (late->is_turn && late->turns < LATE_TURNS));
    late->speaker = (uint8_t)((side + 1) & 3);
}

/* So many bytes were said, and it is not known whose they are. */
static inline void late_count(struct late *late, size_t size)
{
    late->bytes =
        (uint16_t)(size < (size_t)(LATE_BYTES - late->bytes) ? late->bytes + size : LATE_BYTES);
}

/* Bytes are missing: what comes next, of either side, may begin a turn. */
static inline void late_miss(struct late *late)
{
    late->speaker = 0;
    late->waits = 0;
}

/* Nothing will be looked at any more. */
static inline bool late_is_over(const struct late *late)
{
    return (late->bytes == LATE_BYTES || late->turns == LATE_TURNS) && late->waits == 0;
}

/* Of a connection that nobody wanted: whose it is now, by what a side said last and what of its
 * turn was kept before that. Returns as listeners_ask(). */
uint32_t late_ask(struct late *late, const struct listeners *all, const struct flow_key *key,
                  struct span data, unsigned side);
