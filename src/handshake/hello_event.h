// SPDX-License-Identifier: Apache-2.0
/* What is reported of a TLS handshake, however it was carried, in Packetbeat's words: an event whose
 * texts borrow from the messages, from constant names, and from a scratch. The protocols tls and quic
 * log it, each with its own type. Filled in once a connection, from messages that their reader kept;
 * some ten microseconds. Lists end after HELLO_LIST_MAX items. */
#pragma once

#include "event/transaction.h"
#include "handshake/fingerprint.h"
#include "handshake/hello.h"
#include "handshake/hello_identity.h"

enum {
    HELLO_LIST_MAX = 512,
    HELLO_ALERTS_MAX = 8,
    HELLO_EVENT_SCRATCH = 64 << 10, /* bytes that nearly all events fit in, but for raw certificates */
};

/* tls.detailed.client_hello and .server_hello */
struct hello_details {
    char version[8];
    struct span random;
    struct span session_id;
    struct span compressions; /* JSON */
    const char *compression;
    struct span unparsed; /* JSON */
    struct span protocols; /* JSON */
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

/* The parts of an event, each from one message, beside those of hello_identity.h. What was said before of
 * the same part is lost. */
void hello_event_client(struct hello_event *event, struct scratch *scratch,
                        const struct hello *hello, const struct hello_show *show);
/* The version of the whole. */
void hello_event_version(struct hello_event *event, uint16_t version, const struct hello_show *show);
void hello_event_server(struct hello_event *event, struct scratch *scratch,
                        const struct hello *hello, const struct hello_show *show);
