// SPDX-License-Identifier: Apache-2.0
/* QUIC packets with long headers (RFC 9000 §17.2, RFC 9369 §3.2), and Initial packets opened. Functions
 * over spans, no allocation. */
#pragma once

#include "base/cursor.h"
#include "proto/quic/quic_keys.h"

enum {
    QUIC_DATAGRAM_MIN = 1200, /* of a datagram with a client's Initial (RFC 9000 §14.1) */
    QUIC_INITIAL_MAX = 4096, /* of an Initial packet that is opened */
};

enum quic_type { QUIC_INITIAL, QUIC_EARLY, QUIC_HANDSHAKE, QUIC_RETRY, QUIC_NEGOTIATION, QUIC_SHORT };

struct quic_packet {
    enum quic_type type;
    uint32_t version;
    struct span destination; /* connection ids; empty in a short header */
    struct span source;
    struct span versions; /* QUIC_NEGOTIATION: those offered, four bytes each */
    struct span whole;    /* from the header's first byte */
    size_t number_at;     /* QUIC_INITIAL: where the packet number begins in `whole` */
};

/* The next packet of a datagram (RFC 9000 §12.2); false at its end, and at what is none (then
 * at->bad). A packet of an unknown version is all that is left. */
bool quic_next_packet(struct cursor *at, struct quic_packet *ret);

/* A variable-length integer (RFC 9000 §16). */
uint64_t quic_integer(struct cursor *c);

/* Opens an Initial packet that the client (or the server) sent in a connection that began with
 * `first_id`; its frames to `to`. Empty when it cannot be opened. `cache` as quic_keys_find() has it. */
struct span quic_open(const struct quic_packet *packet, struct span first_id, bool is_server,
                      struct quic_keys_cache *cache, uint8_t to[QUIC_INITIAL_MAX]);
