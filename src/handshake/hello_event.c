// SPDX-License-Identifier: Apache-2.0
#include "handshake/hello_event.h"

#define ROW(name_, kind_, offset_, flags_, help_)                                                  \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offset_, .flags = flags_, .help = help_            \
    }
#define AT(member) offsetof(struct hello_event, member)
#define FIELD(name, kind, member, help) ROW(name, kind, AT(member), 0, help)
#define LIST(name, member, help) ROW(name, EVENT_SPANS, AT(member), 0, help)
#define NAMES(name, member, help) ROW(name, EVENT_VALUE, AT(member), 0, help)

/* ---- Alerts --------------------------------------------------------------------------------- */

static const struct event_field alert_fields[] = {
    {.name = "code", .kind = EVENT_U8, .offset = offsetof(struct hello_alert, code),
     .flags = EVENT_ALWAYS, .help = "its number"},
    {.name = "severity", .kind = EVENT_TEXT, .offset = offsetof(struct hello_alert, severity),
     .help = "warning or fatal"},
    {.name = "source", .kind = EVENT_TEXT, .offset = offsetof(struct hello_alert, source),
     .help = "client or server"},
    {.name = "type", .kind = EVENT_SPAN, .offset = offsetof(struct hello_alert, type),
     .help = "its name"},
    {0},
};

static const struct event_type alert_type = {
    .dataset = "alert",
    .help = "An alert that was sent in the clear",
    .size = sizeof(struct hello_alert),
    .fields = alert_fields,
};

#define ITEMS(name_, member_, type_, help_)                                                        \
    {                                                                                              \
        .name = name_, .kind = EVENT_ITEMS, .offset = AT(member_), .item = &type_, .help = help_   \
    }

/* Certificates, as JSON already. */
#define CERTIFICATES(name_, member_, help_)                                                        \
    {                                                                                              \
        .name = name_, .kind = EVENT_VALUE, .offset = AT(member_), .item = &hello_identity_type,   \
        .help = help_                                                                              \
    }

/* What a side is known by, in front of the rows of its hello (`ja3` and the like stand between). */
#define HASH_ROWS(prefix, side)                                                                    \
    FIELD(prefix "hash.md5", EVENT_INLINE, side.md5, "of its certificate"),                        \
    FIELD(prefix "hash.sha1", EVENT_INLINE, side.sha1, "of its certificate"),                      \
    FIELD(prefix "hash.sha256", EVENT_INLINE, side.sha256, "of its certificate"),                  \
    FIELD(prefix "issuer", EVENT_SPAN, side.issuer, "who issued its certificate")
#define DATE_ROWS(prefix, side)                                                                    \
    FIELD(prefix "not_after", EVENT_INLINE, side.not_after, "its certificate's end"),              \
    FIELD(prefix "not_before", EVENT_INLINE, side.not_before, "its certificate's beginning")

/* ---- The table ------------------------------------------------------------------------------ */

#define HELLO "tls.detailed.client_hello."
#define ANSWER "tls.detailed.server_hello."

enum { QUIC_ROWS = 5 /* those in front, which TLS over TCP does not have */ };

static const struct event_field hello_fields[] = {
    FIELD("quic.client_connection_id", EVENT_SPAN, quic_client_id, "that the client chose for itself"),
    FIELD("quic.retry", EVENT_BOOL, quic_retry, "the server had the client prove its address"),
    FIELD("quic.server_connection_id", EVENT_SPAN, quic_server_id, "that the client chose for the server"),
    FIELD("quic.server_versions", EVENT_SPANS, quic_offered, "of a server that knows no version asked for"),
    FIELD("quic.version", EVENT_SPAN, quic_version, "1, 2, or a number in hexadecimal"),
    FIELD("tls.cipher", EVENT_SPAN, cipher, "the cipher suite chosen"),
    FIELD("tls.client.certificate_chain", EVENT_VALUE, client.raw_chain, "certificates as PEM"),
    HASH_ROWS("tls.client.", client),
    FIELD("tls.client.ja3", EVENT_INLINE, ja3, "fingerprint of the ClientHello"),
    FIELD("tls.client.ja4", EVENT_INLINE, ja4, "fingerprint of the ClientHello"),
    DATE_ROWS("tls.client.", client),
    FIELD("tls.client.server_name", EVENT_SPAN, server_name, "whom the client asks for (SNI)"),
    FIELD("tls.client.subject", EVENT_SPAN, client.subject, "whom its certificate names"),
    NAMES("tls.client.supported_ciphers", supported_ciphers, "cipher suites that the client offers"),
    CERTIFICATES("tls.client.x509", client.x509, "its certificate"),
    LIST("tls.detailed.alert_types", alert_types, "names of the alerts"),
    ITEMS("tls.detailed.alerts", alerts, alert_type, "alerts that were sent in the clear"),
    CERTIFICATES("tls.detailed.client_certificate_chain", client.chain,
                 "the client's certificates but the first"),
    FIELD("tls.detailed.client_certificate_requested", EVENT_TRUTH, certificate_requested,
          "whether the server asked for a certificate"),
    NAMES(HELLO "extensions._unparsed_", client_hello.unparsed, "extensions not told otherwise"),
    NAMES(HELLO "extensions.application_layer_protocol_negotiation", client_hello.protocols,
          "what the client would speak"),
    NAMES(HELLO "extensions.ec_points_formats", client_hello.point_formats, "formats it can read"),
    LIST(HELLO "extensions.server_name_indication", client_hello.server_names, "whom it asks for"),
    ROW(HELLO "extensions.session_ticket", EVENT_SPAN, AT(client_hello.ticket), EVENT_EMPTY_TOO,
        "length of the ticket; empty when it has none yet"),
    NAMES(HELLO "extensions.signature_algorithms", client_hello.signatures, "schemes it accepts"),
    FIELD(HELLO "extensions.status_request.request_extensions", EVENT_OPTIONAL,
          client_hello.status_extensions, "bytes of extensions for the responder"),
    FIELD(HELLO "extensions.status_request.responder_id_list_length", EVENT_OPTIONAL,
          client_hello.status_responders, "bytes of the list of responders it trusts"),
    FIELD(HELLO "extensions.status_request.type", EVENT_TEXT, client_hello.status_type, "ocsp"),
    NAMES(HELLO "extensions.supported_groups", client_hello.groups, "groups for the key exchange"),
    NAMES(HELLO "extensions.supported_versions", client_hello.versions, "versions it speaks"),
    FIELD(HELLO "random", EVENT_SPAN, client_hello.random, "in hexadecimal"),
    FIELD(HELLO "session_id", EVENT_SPAN, client_hello.session_id, "in hexadecimal"),
    NAMES(HELLO "supported_compression_methods", client_hello.compressions, "NULL, mostly"),
    FIELD(HELLO "version", EVENT_INLINE, client_hello.version, "3.3 is TLS 1.2, or above"),
    FIELD("tls.detailed.ocsp_response", EVENT_TEXT, ocsp_response, "how the responder answered"),
    FIELD("tls.detailed.resumption_method", EVENT_TEXT, resumption_method, "id, ticket or psk"),
    CERTIFICATES("tls.detailed.server_certificate_chain", server.chain,
                 "the server's certificates but the first"),
    NAMES(ANSWER "extensions._unparsed_", server_hello.unparsed, "extensions not told otherwise"),
    NAMES(ANSWER "extensions.application_layer_protocol_negotiation", server_hello.protocols,
          "what is spoken"),
    NAMES(ANSWER "extensions.ec_points_formats", server_hello.point_formats, "formats it can read"),
    ROW(ANSWER "extensions.session_ticket", EVENT_SPAN, AT(server_hello.ticket), EVENT_EMPTY_TOO,
        "a ticket will come"),
    FIELD(ANSWER "extensions.status_request.response", EVENT_BOOL, server_hello.has_status,
          "a certificate's status will come"),
    FIELD(ANSWER "extensions.supported_versions", EVENT_SPAN, server_hello.version_chosen,
          "the version chosen"),
    FIELD(ANSWER "random", EVENT_SPAN, server_hello.random, "in hexadecimal"),
    FIELD(ANSWER "selected_compression_method", EVENT_TEXT, server_hello.compression, "NULL, mostly"),
    FIELD(ANSWER "session_id", EVENT_SPAN, server_hello.session_id, "in hexadecimal"),
    FIELD(ANSWER "version", EVENT_INLINE, server_hello.version, "3.3 is TLS 1.2, or above"),
    FIELD("tls.detailed.version", EVENT_TEXT, version_name, "the version agreed upon"),
    FIELD("tls.established", EVENT_TRUTH, established, "both sides went on to encrypted records"),
    FIELD("tls.next_protocol", EVENT_SPAN, next_protocol, "what is spoken inside (ALPN)"),
    FIELD("tls.resumed", EVENT_TRUTH, resumed, "keys of an earlier session were used"),
    FIELD("tls.server.certificate_chain", EVENT_VALUE, server.raw_chain, "certificates as PEM"),
    HASH_ROWS("tls.server.", server),
    FIELD("tls.server.ja3s", EVENT_INLINE, ja3s, "fingerprint of the ServerHello"),
    DATE_ROWS("tls.server.", server),
    FIELD("tls.server.subject", EVENT_SPAN, server.subject, "whom its certificate names"),
    CERTIFICATES("tls.server.x509", server.x509, "its certificate"),
    FIELD("tls.version", EVENT_TEXT, version, "agreed upon"),
    FIELD("tls.version_protocol", EVENT_TEXT, version_protocol, "tls or ssl"),
    {0},
};

const struct event_type hello_event_quic = {
    .dataset = "quic",
    .help = "The handshake of a QUIC connection",
    .size = sizeof(struct hello_event),
    .fields = hello_fields,
    .common = transaction_fields,
};

const struct event_type hello_event_tls = {
    .dataset = "tls",
    .help = "The handshake of a TLS connection",
    .size = sizeof(struct hello_event),
    .fields = hello_fields + QUIC_ROWS,
    .common = transaction_fields,
};
