// SPDX-License-Identifier: Apache-2.0
/* One connection's handshake: records and messages in, what was seen kept until it is reported. Two
 * kinds of messages are kept as they came, hellos and certificates; the report reads them again. A
 * connection holds at most TLS_MESSAGE_MAX of each and side, in slab blocks, and that only until its
 * handshake is over; then the engine lets go of it. */
#pragma once

#include "proto/proto.h"
#include "proto/tls/tls_stats.h"

enum {
    TLS_RECORD_HEAD = 5,
    TLS_RECORD_MAX = (1 << 14) + 2048, /* RFC 5246 §6.2.3; 1.3 allows less */
    TLS_MESSAGE_HEAD = 4,
    TLS_MESSAGE_MAX = 64 << 10, /* of a message that is kept; longer ones are passed over */
    TLS_ALERTS_MAX = 4,         /* of a side */
};

/* RFC 8446 §5.1 */
enum tls_record {
    TLS_CHANGE_CIPHER = 20,
    TLS_ALERT = 21,
    TLS_HANDSHAKE = 22,
    TLS_DATA = 23,
    TLS_HEARTBEAT = 24,
};

/* RFC 8446 §4, RFC 5246 §7.4, RFC 6066 §8 */
enum tls_message_type {
    TLS_CLIENT_HELLO = 1,
    TLS_SERVER_HELLO = 2,
    TLS_ENCRYPTED_EXTENSIONS = 8,
    TLS_CERTIFICATE = 11,
    TLS_SERVER_KEY_EXCHANGE = 12,
    TLS_CERTIFICATE_REQUEST = 13,
    TLS_CLIENT_KEY_EXCHANGE = 16,
    TLS_FINISHED = 20,
    TLS_CERTIFICATE_STATUS = 22,
};

/* A message's body in a slab block. */
struct tls_message {
    uint8_t *bytes; /* NULL: none */
    uint32_t size;
};

struct tls_side {
    uint32_t scanned; /* bytes not consumed yet whose records' heads were looked at */
    /* the record at hand */
    uint16_t record_left;
    uint8_t record_type;
    /* the message at hand */
    uint8_t head[TLS_MESSAGE_HEAD];
    uint8_t head_have;
    bool is_skipped;
    struct tls_message body; /* size: what there is of it */
    uint32_t body_left;
    /* what was seen */
    struct tls_message hello;
    struct tls_message certificates;
    uint8_t alert_half; /* an alert's first byte, when its record was cut behind it */
    uint8_t alerts[TLS_ALERTS_MAX][2]; /* level, code */
    uint8_t alert_count;
    bool has_alert_half;
    bool changed;       /* ChangeCipherSpec */
    bool key_exchanged; /* ServerKeyExchange, ClientKeyExchange */
    bool has_encrypted; /* a record of TLS 1.3 whose content cannot be seen */
};

struct tls_plain;

struct tls_flow {
    struct tls_side side[2];
    struct tls_message chosen; /* TLS 1.3: what the server says of its choices, sealed */
    struct tls_plain *plain; /* slab; records can be opened, or may be soon; NULL: they cannot */
    uint64_t start_ns; /* first byte */
    uint64_t last_ns;  /* last byte so far; once `finished`, the one that did it */
    uint16_t version;  /* that the server chose; 0: not known yet */
    uint8_t client;    /* which side asks, once `has_client` */
    bool has_client;
    bool has_early_data;      /* the client sends before it was answered */
    bool retried;             /* HelloRetryRequest */
    bool certificate_requested;
    uint8_t ocsp_response;    /* its status plus 1; 0: there was none */
    bool finished;            /* TLS 1.3: the client went on behind the ServerHello */
    bool refused;             /* ... with an alert */
    bool lossy;               /* bytes of the handshake were not captured */
    bool is_reported;
    bool is_over;             /* nothing more is wanted of the connection */
};

/* Whether records of a side are kept until their secrets come. */
bool tls_flow_waits(const struct proto_context *c, unsigned side);
/* What is said within, by its name in ALPN; empty: not known. Borrowed from the flow. */
struct span tls_flow_agreed(const struct tls_flow *f);
/* Reads on; returns how many bytes were taken. `ret` is what was in a record that was opened, empty
 * mostly, borrowed until the next call; behind such a record it stops. Once f->is_over, nothing more is
 * wanted. */
size_t tls_flow_read(struct proto_context *c, const struct proto_chunk *chunk, struct span *ret);
void tls_flow_gap(struct proto_context *c, unsigned side, uint32_t length);
/* Reports what there is, once; `reason` NULL: the handshake has come to its end, and the connection goes
 * on where its records can be opened. */
void tls_flow_end(struct proto_context *c, const char *reason);
/* Gives all memory back. */
void tls_flow_done(struct proto_context *c);
