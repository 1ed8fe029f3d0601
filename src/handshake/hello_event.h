// SPDX-License-Identifier: Apache-2.0
/* What is reported of a TLS handshake, however it was carried, in Packetbeat's words: an event whose
 * texts borrow from the messages, from constant names, and from a scratch. The protocols tls and quic
 * log it, each with its own type. Filled in once a connection, from messages that their reader kept;
 * some ten microseconds. Lists end after HELLO_LIST_MAX items. */
#pragma once

#include "base/recall.h"
#include "event/transaction.h"
#include "handshake/certificate.h"
#include "handshake/fingerprint.h"
#include "handshake/hello.h"

enum {
    HELLO_LIST_MAX = 512,
    HELLO_CHAIN_MAX = 16,  /* certificates of a message that are looked at */
    HELLO_ALERTS_MAX = 8,
    HELLO_EVENT_SCRATCH = 64 << 10, /* bytes that nearly all events fit in, but for raw certificates */
};

/* What users may choose of it. */
enum hello_hash { HELLO_MD5 = 1, HELLO_SHA1 = 2, HELLO_SHA256 = 4 };
enum hello_print { HELLO_JA3 = 1, HELLO_JA3S = 2, HELLO_JA4 = 4 };

/* What was made of parts of hellos and of certificates, for those that offer the same: few programs make
 * most connections, to servers that show the same certificates. A worker's, zeroed at first; two parts
 * that fell into one slot take turns. Callers that meet no certificates need not have that part. */
enum {
    HELLO_NAMES = 512,
    HELLO_NAMES_KEY = 256,
    HELLO_NAMES_ROOM = 3808,
    HELLO_PRINTS = 512,
    HELLO_PRINTS_KEY = 512,
    HELLO_PRINTS_ROOM = 80,
    HELLO_CHAINS = 128,
    HELLO_CHAINS_KEY = 6 << 10,
    HELLO_CHAINS_ROOM = 10 << 10,
};

struct hello_cache {
    uint32_t turn; /* of recall_find(): a new one for each event */
    _Alignas(64) uint8_t names[RECALL_SIZE(HELLO_NAMES, HELLO_NAMES_KEY, HELLO_NAMES_ROOM)];
    uint8_t prints[RECALL_SIZE(HELLO_PRINTS, HELLO_PRINTS_KEY, HELLO_PRINTS_ROOM)];
    uint8_t chains[RECALL_SIZE(HELLO_CHAINS, HELLO_CHAINS_KEY, HELLO_CHAINS_ROOM)];
};

enum { HELLO_CACHE_WITHOUT_CHAINS = offsetof(struct hello_cache, chains) };

struct hello_show {
    bool detailed;          /* tls.detailed and x509 */
    bool certificates;      /* x509 and the chain */
    bool raw_certificates;  /* PEM */
    uint8_t hashes;         /* of certificates, enum hello_hash */
    uint8_t prints;         /* of hellos, enum hello_print */
    char transport;         /* as fingerprint_ja4() wants it */
    struct hello_cache *cache; /* or NULL; always of the same choices */
};

/* A certificate as x509.* and as an item of a chain. */
struct hello_certificate {
    struct event_spans alternative_names;
    struct span issuer_name;
    struct event_spans issuer[CERTIFICATE_PARTS];
    struct span subject_name;
    struct event_spans subject[CERTIFICATE_PARTS];
    char not_before[CERTIFICATE_TIME_ROOM];
    char not_after[CERTIFICATE_TIME_ROOM];
    const char *key_algorithm;
    uint32_t key_bits;
    struct span serial;
    const char *signature;
    uint8_t version;
};

/* What a side showed of itself. */
struct hello_identity {
    struct span raw_chain; /* JSON */
    char md5[33];
    char sha1[41];
    char sha256[65];
    struct span issuer;
    struct span subject;
    char not_before[CERTIFICATE_TIME_ROOM];
    char not_after[CERTIFICATE_TIME_ROOM];
    struct hello_certificate x509;
    struct event_items chain; /* all but the first */
};

/* tls.detailed.client_hello and .server_hello */
struct hello_details {
    char version[8];
    struct span random;
    struct span session_id;
    struct span compressions; /* JSON */
    const char *compression;
    struct event_spans unparsed;
    struct event_spans protocols;
    struct span point_formats; /* JSON */
    struct event_spans server_names;
    struct span ticket;
    struct span signatures; /* JSON */
    struct span groups; /* JSON */
    struct span versions; /* JSON */
    struct span version_chosen;
    const char *status_type;
    struct event_optional status_responders;
    struct event_optional status_extensions;
    bool has_status;
};

struct hello_alert {
    uint8_t code;
    const char *severity;
    const char *source;
    struct span type;
};

struct hello_event {
    struct transaction transaction;
    struct span quic_version;
    struct span quic_client_id;
    struct span quic_server_id;
    struct event_spans quic_offered;
    bool quic_retry;
    struct span cipher;
    uint8_t established; /* EVENT_TRUTH */
    uint8_t resumed;
    uint8_t certificate_requested;
    const char *resumption_method;
    const char *version;          /* "1.3" */
    const char *version_protocol; /* "tls" */
    const char *version_name;     /* "TLS 1.3" */
    const char *ocsp_response;
    struct span next_protocol;
    char ja3[FINGERPRINT_JA3_ROOM];
    char ja3s[FINGERPRINT_JA3_ROOM];
    char ja4[FINGERPRINT_JA4_ROOM];
    struct span server_name;
    struct span supported_ciphers; /* JSON */
    struct hello_identity client;
    struct hello_identity server;
    struct hello_details client_hello;
    struct hello_details server_hello;
    struct event_items alerts;
    struct event_spans alert_types;
};

extern const struct event_type hello_event_tls;
extern const struct event_type hello_event_quic;

/* A new event begins, and its maker has `cache` (NULL: none) in its struct hello_show: texts of an event
 * borrow from the cache until then. */
void hello_cache_turn(struct hello_cache *cache);

/* The parts of an event, each from one message. What was said before of the same part is lost. */
void hello_event_client(struct hello_event *event, struct scratch *scratch,
                        const struct hello *hello, const struct hello_show *show);
/* The version of the whole. */
void hello_event_version(struct hello_event *event, uint16_t version, const struct hello_show *show);
void hello_event_server(struct hello_event *event, struct scratch *scratch,
                        const struct hello *hello, const struct hello_show *show);
/* A Certificate message's list (RFC 5246 §7.4.2: each with its length in three bytes; TLS 1.3 has
 * extensions behind each). */
void hello_event_certificates(struct hello_identity *identity, struct scratch *scratch,
                              struct span list, bool has_extensions,
                              const struct hello_show *show);
