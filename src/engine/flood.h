// SPDX-License-Identifier: Apache-2.0
/* Floods of SYNs, told from connections whose packets vanish. A server that answers SYNs of made-up
 * addresses repeats each answer and hears nothing; so does one whose client's acknowledgment got
 * lost. A client that lives repeats its SYN unless it got the answer, so that a single SYN and
 * answers without end are the first, or a hole for what follows a SYN: one connection does not tell
 * which. Many within a minute to one server do.
 *
 * Who sees packets in their order, the front, watches SYNs and their answers, and nothing else: a
 * handshake that is answered again, and whose client has not repeated its SYN, counts once for its
 * server. Where FLOOD_LEAST of them count within this period of FLOOD_PERIOD seconds of packet time
 * and the one before, the server is under a flood for as long as more come. The front says so by a
 * mark among the units, once a second and server; workers note the second. A handshake that waits is
 * one of the flood's if its server was under one since it began. Marks have their place in the order of
 * things, so that the answer is the same however many workers there are.
 *
 * Live there are several fronts, each with some of a server's clients: they count together, by relaxed
 * atomics. What is remembered is bounded: where four places that a handshake may have are taken the oldest
 * is forgotten; of one that two servers would take the first has it, until it was quiet for a period. */
#pragma once

#include "flow/flow.h"

#include <stdatomic.h>

enum { FLOOD_LEAST = 64, FLOOD_PERIOD = 32, FLOOD_SERVERS = 1024 };

/* ---- The front's part ------------------------------------------------------------------------ */

struct flood_server {
    _Atomic uint32_t tag;       /* of its address and port; 0: none */
    _Atomic uint32_t period;    /* that `counts[0]` is of */
    _Atomic int32_t counts[2];  /* handshakes answered again: in that period, in the one before */
    _Atomic uint32_t told;      /* the second of the latest mark */
};

/* What fronts share. Zeroes are one that has seen nothing. */
struct flood {
    struct flood_server servers[FLOOD_SERVERS];
};

struct flood_watch; /* opaque: a front's */

/* NULL without memory: 128 KiB, touched as handshakes come. `flood` outlives it. */
struct flood_watch *flood_watch_new(struct flood *flood);
/* NULL is fine. */
void flood_watch_free(struct flood_watch *watch);

/* A TCP packet with SYN, in the order of time: its flow's key with its hash, which end of it sent
 * the packet, and packet time. Returns the server that is to be told as one under a flood in this
 * second, or 0. */
uint64_t flood_watch_syn(struct flood_watch *watch, const struct packet *packet,
                         const struct flow_key *key, unsigned end, uint64_t now_ns);

/* ---- A worker's part ------------------------------------------------------------------------- */

/* Zeroes are one that was told of none. */
struct flood_told {
    struct {
        uint64_t server;
        uint64_t second; /* the latest that it was under a flood in */
    } places[FLOOD_SERVERS];
};

/* What flood_watch_syn() returned, and the time of the mark. */
void flood_note(struct flood_told *told, uint64_t server, uint64_t time_ns);

/* Whether the flow's handshake is one of a flood's: it waits, and its server was under one since. */
bool flood_has(const struct flood_told *told, const struct flow *flow);
