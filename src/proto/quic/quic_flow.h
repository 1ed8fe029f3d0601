// SPDX-License-Identifier: Apache-2.0
/* One QUIC connection until its handshake is over: what the Initial packets of both sides carry,
 * put together from CRYPTO frames that come in any order, and told as an event; then the next one
 * between the same ports. Each side keeps at most QUIC_CRYPTO_MAX bytes; at most QUIC_OPENED_MAX
 * packets of a connection are opened. */
#pragma once

#include "handshake/hello_event.h"
#include "proto/proto.h"
#include "proto/quic/quic_packet.h"
#include "proto/quic/quic_stats.h"

enum {
    QUIC_CRYPTO_MAX = 16 << 10,
    QUIC_PIECES_MAX = 32, /* runs of bytes that are there, with holes between them */
    QUIC_OPENED_MAX = 64,
    QUIC_OFFERED_MAX = 8, /* versions of a negotiation that are kept */
};

struct quic_id {
    uint8_t size;
    uint8_t bytes[QUIC_ID_MAX];
};

struct quic_piece {
    uint16_t from;
    uint16_t to; /* behind its last byte */
};

/* The bytes of a side's CRYPTO frames. */
struct quic_crypto {
    uint8_t *bytes; /* slab; NULL: none */
    uint8_t count;
    struct quic_piece pieces[QUIC_PIECES_MAX]; /* in order, apart */
};

struct quic_flow {
    struct quic_crypto crypto[2]; /* 0: of the client */
    struct quic_id first_id;      /* that the keys are made of */
    struct quic_id begun_id;      /* that the client chose: another one before a retry */
    struct quic_id client_id;
    struct quic_id server_id;
    uint64_t start_ns;
    uint64_t last_ns;
    uint32_t version;
    uint32_t offered[QUIC_OFFERED_MAX];
    uint8_t offered_count;
    uint8_t opened;
    uint8_t client; /* which side of the flow asks */
    bool has_client;
    bool has_retry;
    bool is_read;      /* an Initial was opened, of whichever side */
    bool is_answered;  /* an Initial of the server was opened */
    bool is_complete;  /* the client went on with keys of its own behind the ServerHello */
    bool is_closed;    /* a side closed the connection in an Initial packet */
    bool server_closed;
    uint64_t close_code; /* RFC 9000 §20.1; from 0x100 on a TLS alert */
    bool is_over;      /* reported; what follows may be another connection's */
};

/* A worker's, for all connections: see their headers. */
struct quic_cache {
    struct quic_keys_cache keys;
    struct hello_cache hello; /* as far as HELLO_CACHE_WITHOUT_CHAINS */
};

void quic_flow_take(struct proto_context *c, struct span datagram, unsigned side);
/* Reports what there is, once; `reason` NULL: the handshake has come to its end. */
void quic_flow_end(struct proto_context *c, const char *reason);
/* Gives all memory back. */
void quic_flow_done(struct proto_context *c);

/* The whole message at the front of a side's bytes, its body; false when it is not there. */
bool quic_flow_message(const struct quic_crypto *crypto, uint8_t type, struct span *ret);
