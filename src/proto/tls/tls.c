// SPDX-License-Identifier: Apache-2.0
/* TLS 1.0 to 1.3: who asks for whom, what they agree upon and who they say they are, see README.md. */
#include "base/cursor.h"
#include "handshake/hello_event.h"
#include "proto/tls/tls_cache.h"
#include "proto/tls/tls_flow.h"
#include "proto/tls/tls_v2_hello.h"

/* Bytes of a record with a ClientHello at least: a version, a random number, a cipher. */
enum { TLS_LATE_LEAST = 4 + 2 + 32 + 1 + 2 + 2 + 2 };

static const uint16_t ports[] = {443, 993, 995, 5223, 8443, 8883, 9243, 0};

/* A record with the beginning of a hello. What is encrypted says nothing to anybody, so a connection
 * met midway is nobody's. */
static enum proto_guess tls_probe(struct span data, unsigned side)
{
    (void)side;
    static const uint8_t begin[] = {TLS_HANDSHAKE, 3};
    size_t known = data.size < sizeof begin ? data.size : sizeof begin;
    if (memcmp(data.data, begin, known) != 0) {
        int is_v2 = tls_v2_hello_probe(data);
        return is_v2 > 0 ? PROTO_YES : is_v2 < 0 ? PROTO_NO : PROTO_UNSURE;
    }
    if (data.size < TLS_RECORD_HEAD + 1) {
        return PROTO_UNSURE;
    }
    uint16_t length = load_be16(data.data + 3);
    uint8_t type = data.data[TLS_RECORD_HEAD];
    bool is_hello = type == TLS_CLIENT_HELLO || type == TLS_SERVER_HELLO;
    return data.data[2] <= 4 && length > 0 && length <= TLS_RECORD_MAX && is_hello ? PROTO_YES
                                                                                   : PROTO_NO;
}

/* A ClientHello at the beginning of its record: RFC 8446 §4.1.2, §5.1. */
static enum proto_guess tls_probe_late(struct span data, unsigned side)
{
    (void)side;
    static const uint8_t begin[] = {TLS_HANDSHAKE, 3, 0, 0, 0, TLS_CLIENT_HELLO, 0, 0, 0, 3, 0};
    static const uint8_t known[] = {0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0};
    for (size_t i = 0; i < data.size && i < sizeof begin; i++) {
        if ((data.data[i] & known[i]) != begin[i]) {
            return PROTO_NO;
        }
    }
    if (data.size < sizeof begin) {
        return PROTO_UNSURE;
    }
    uint16_t record = load_be16(data.data + 3);
    uint16_t hello = load_be16(data.data + 7);
    bool is_one = data.data[2] <= 4 && data.data[10] <= 4 && record >= TLS_LATE_LEAST &&
                  record <= TLS_RECORD_MAX && hello + 4 >= record;
    return is_one ? PROTO_YES : PROTO_NO;
}

static struct proto_taken tls_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    const struct tls_flow *f = c->state;
    struct proto_taken taken = {.consumed = 0};
    taken.consumed = tls_flow_read(c, chunk, &taken.plain);
    if (taken.plain.size > 0) {
        taken.agreed = tls_flow_agreed(f);
    }
    taken.waits = taken.consumed < chunk->data.size && tls_flow_waits(c, chunk->side);
    taken.verdict = f->is_over ? PROTO_NOT_MINE : PROTO_GOES_ON;
    return taken;
}

static void tls_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    tls_flow_gap(c, side, length);
}

static void tls_on_fin(struct proto_context *c, unsigned side)
{
    (void)side;
    const struct tls_flow *f = c->state;
    if (f->plain == NULL) { /* otherwise there may be more to read */
        tls_flow_end(c, "closed");
    }
}

static void tls_on_close(struct proto_context *c, enum proto_close why)
{
    tls_flow_end(c, proto_close_reason(why));
    tls_flow_done(c);
}

static const char *version_label(unsigned i)
{
    static const char *const names[TLS_VERSIONS] = {"unknown", "SSL 3.0", "TLS 1.0",
                                                    "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    return names[i];
}

#define AT(member) offsetof(struct tls_stats, member)
#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = AT(member), .unit = unit_,              \
        .help = help_, .group = "counters"                                                         \
    }

static const struct metric tls_metrics[] = {
    COUNTER(handshakes, "handshakes", "Handshakes reported, whole or not"),
    COUNTER(established, "handshakes", "Those after which both sides encrypted"),
    COUNTER(failed, "handshakes", "All others"),
    COUNTER(resumed, "handshakes", "Those with keys of an earlier session"),
    {.name = "versions", .kind = METRIC_LABELLED, .offset = AT(versions), .unit = "handshakes",
     .help = "Handshakes by the version that the server chose", .group = "counters",
     .label = "version", .label_value = version_label, .label_count = TLS_VERSIONS},
    COUNTER(client_certificates, "handshakes", "Those in which the client showed a certificate"),
    COUNTER(alerts, "alerts", "Alerts sent in the clear"),
    COUNTER(unanswered, "handshakes", "Those in which the server was not heard"),
    COUNTER(malformed, "connections", "Connections with something that is no record"),
    COUNTER(gaps, "gaps", "Places of a handshake that were not captured"),
    COUNTER(gap_bytes, "bytes", "Bytes that were not"),
    COUNTER(oversized, "messages", "Messages that were too long to be kept"),
    COUNTER(not_kept, "messages", "Messages for which there was no memory"),
    COUNTER(opened_bytes, "bytes", "Bytes that secrets of the key log opened"),
    COUNTER(unopened, "connections", "Connections whose secrets did not open a record"),
    {0},
};

static const struct metric_set tls_set = {
    .name = "tls",
    .help = "TLS handshakes",
    .metrics = tls_metrics,
    .size = sizeof(struct tls_stats),
};

#define OPTION(member, kind_, fallback_, help_)                                                    \
    {                                                                                              \
        .name = #member, .kind = kind_, .offset = offsetof(struct tls_options, member),            \
        .fallback = fallback_, .help = help_                                                       \
    }

static const char *const hashes[] = {"md5", "sha1", "sha256", NULL};

static const struct proto_option tls_options[] = {
    OPTION(send_certificates, PROTO_OPTION_FLAG, "true", "Tell what is in certificates (x509)."),
    OPTION(include_raw_certificates, PROTO_OPTION_FLAG, "false", "Add the certificates as PEM."),
    OPTION(include_detailed_fields, PROTO_OPTION_FLAG, "true", "Add tls.detailed and x509."),
    {.name = "fingerprints", .kind = PROTO_OPTION_LIST,
     .offset = offsetof(struct tls_options, fingerprints), .fallback = "sha1",
     .help = "Hashes of certificates: md5, sha1, sha256.", .choices = hashes},
    OPTION(ja3, PROTO_OPTION_FLAG, "true", "Fingerprints of ClientHellos by JA3."),
    OPTION(ja3s, PROTO_OPTION_FLAG, "true", "Fingerprints of ServerHellos by JA3S."),
    OPTION(ja4, PROTO_OPTION_FLAG, "true", "Fingerprints of ClientHellos by JA4."),
    OPTION(key_log, PROTO_OPTION_TEXT, NULL,
           "A file that one of the ends writes secrets to (SSLKEYLOGFILE): what is said inside is "
           "followed, too. Live it is read on as it grows."),
    {0},
};

static const struct event_type *const events[] = {&hello_event_tls, NULL};

const struct proto proto_tls = {
    .name = "tls",
    .help = "TLS handshakes: names, versions, ciphers, certificates, fingerprints",
    .metrics = &tls_set,
    .tcp_ports = ports,
    .flow_size = sizeof(struct tls_flow),
    .cache_size = sizeof(struct tls_cache),
    .events = events,
    .options = tls_options,
    .options_size = sizeof(struct tls_options),
    .probe = tls_probe,
    .probe_late = tls_probe_late,
    .on_chunk = tls_on_chunk,
    .on_gap = tls_on_gap,
    .on_fin = tls_on_fin,
    .on_close = tls_on_close,
};
