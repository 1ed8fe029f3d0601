// SPDX-License-Identifier: Apache-2.0
/* QUIC 1 and 2 (RFC 9000, RFC 9369): who asks for whom, and what they agree upon, see README.md. */
#include "proto/quic/quic_flow.h"

static const uint16_t ports[] = {443, 8443, 0};

/* A client's first datagram: an Initial packet of a version that is known, or of any other that says so
 * of itself (RFC 9000 §15: 0x?a?a?a?a), and as long as it has to be. */
static enum proto_guess quic_probe(struct span data, unsigned side)
{
    (void)side;
    enum { FORM_AND_FIXED = 0xc0, RESERVED = 0x0a0a0a0a, LOW_NIBBLES = 0x0f0f0f0f };
    struct cursor at = cursor_of(data);
    struct quic_packet packet;
    if (data.size < QUIC_DATAGRAM_MIN || (data.data[0] & FORM_AND_FIXED) != FORM_AND_FIXED ||
        !quic_next_packet(&at, &packet)) {
        return PROTO_NO;
    }
    bool is_reserved = (packet.version & LOW_NIBBLES) == RESERVED;
    bool is_initial = packet.type == QUIC_INITIAL && quic_knows(packet.version);
    return is_initial || is_reserved ? PROTO_YES : PROTO_NO;
}

static void quic_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    const struct quic_flow *f = c->state;
    struct span data = packet_payload(packet);
    if (!f->is_over || quic_probe(data, side) == PROTO_YES) { /* one look at most packets of data */
        quic_flow_take(c, data, side);
    }
}

static void quic_on_close(struct proto_context *c, enum proto_close why)
{
    quic_flow_end(c, proto_close_reason(why));
    quic_flow_done(c);
}

static const char *version_label(unsigned i)
{
    static const char *const names[QUIC_VERSIONS] = {"other", "1", "2", "draft"};
    return names[i];
}

#define AT(member) offsetof(struct quic_stats, member)
#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = AT(member), .unit = unit_,              \
        .help = help_, .group = "counters"                                                         \
    }

static const struct metric quic_metrics[] = {
    COUNTER(handshakes, "handshakes", "Handshakes reported, whole or not"),
    COUNTER(established, "handshakes", "Those after which the client sent data"),
    COUNTER(failed, "handshakes", "All others"),
    {.name = "versions", .kind = METRIC_LABELLED, .offset = AT(versions), .unit = "handshakes",
     .help = "Handshakes by version", .group = "counters", .label = "version",
     .label_value = version_label, .label_count = QUIC_VERSIONS},
    COUNTER(retries, "packets", "Retry packets: the server had the client prove its address"),
    COUNTER(negotiations, "packets", "Servers that did not know the version"),
    COUNTER(unanswered, "handshakes", "Those in which the server was not heard"),
    COUNTER(unopened, "packets", "Initial packets that their key did not open"),
    COUNTER(malformed, "packets", "Initial packets with something that is no frame of theirs"),
    COUNTER(not_kept, "frames", "CRYPTO frames that found no room"),
    {0},
};

static const struct metric_set quic_set = {
    .name = "quic",
    .help = "QUIC handshakes",
    .metrics = quic_metrics,
    .size = sizeof(struct quic_stats),
};

#define OPTION(member, help_)                                                                      \
    {                                                                                              \
        .name = #member, .kind = PROTO_OPTION_FLAG, .offset = offsetof(struct quic_options, member), \
        .fallback = "true", .help = help_                                                          \
    }

static const struct proto_option quic_options[] = {
    OPTION(include_detailed_fields, "Add tls.detailed."),
    OPTION(ja3, "Fingerprints of ClientHellos by JA3."),
    OPTION(ja3s, "Fingerprints of ServerHellos by JA3S."),
    OPTION(ja4, "Fingerprints of ClientHellos by JA4."),
    {0},
};

static const struct event_type *const events[] = {&hello_event_quic, NULL};

const struct proto proto_quic = {
    .name = "quic",
    .help = "QUIC handshakes: names, versions, ciphers, fingerprints",
    .metrics = &quic_set,
    .udp_ports = ports,
    .flow_size = sizeof(struct quic_flow),
    .cache_size = offsetof(struct quic_cache, hello) + HELLO_CACHE_WITHOUT_CHAINS,
    .events = events,
    .options = quic_options,
    .options_size = sizeof(struct quic_options),
    .probe = quic_probe,
    .on_datagram = quic_on_datagram,
    .on_close = quic_on_close,
};
