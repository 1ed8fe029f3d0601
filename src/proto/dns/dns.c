// SPDX-License-Identifier: Apache-2.0
/* DNS (RFC 1035 and its kin): what is asked, what is answered and how fast. The README of this folder
 * says how. */
#include "proto/dns/dns_event.h"
#include "proto/dns/dns_flow.h"
#include "proto/dns/dns_options.h"
#include "proto/dns/dns_report.h"
#include "proto/proto.h"

enum {
    PREFIX = 2,          /* bytes of a message's length, on connections */
    MDNS_PORT = 5353,    /* RFC 6762 */
    LLMNR_PORT = 5355,   /* RFC 4795 */
    TRIES_MAX = 64,      /* places that looked like a message behind a hole and were none */
};

static const uint16_t tcp_ports[] = {53, 0};
static const uint16_t udp_ports[] = {53, MDNS_PORT, LLMNR_PORT, 0};

/* ---- Probe ------------------------------------------------------------------------------------ */

/* Bytes of a connection at which a message may begin. */
static enum dns_likeness look_at_stream(struct span data)
{
    if (data.size < PREFIX) {
        return DNS_SO_FAR;
    }
    size_t size = load_be16(data.data);
    return size == 0 ? DNS_NO : dns_looks_like(span_skip(data, PREFIX), size);
}

/* Whether it came as a datagram or in a connection is not told: both are tried. */
static enum proto_guess dns_probe(struct span data, unsigned side)
{
    (void)side;
    if (dns_looks_like(data, 0) >= DNS_LIKELY) {
        return PROTO_YES;
    }
    enum dns_likeness likeness = look_at_stream(data);
    return likeness >= DNS_LIKELY ? PROTO_YES : likeness == DNS_SO_FAR ? PROTO_UNSURE : PROTO_NO;
}

/* At its port less will do, where it can be no connection's beginning. */
static enum proto_guess dns_probe_at_port(struct span data, unsigned side)
{
    enum proto_guess guess = dns_probe(data, side);
    if (guess != PROTO_NO) {
        return guess;
    }
    enum dns_likeness likeness = dns_has_question(data);
    return likeness == DNS_YES ? PROTO_YES : likeness == DNS_SO_FAR ? PROTO_UNSURE : PROTO_NO;
}

/* ---- Datagrams -------------------------------------------------------------------------------- */

static bool has_port(const struct flow *flow, uint16_t port)
{
    return flow->key.port[0] == port || flow->key.port[1] == port;
}

/* Whether what a side says goes to a group. */
static bool is_to_group(const struct flow *flow, unsigned side)
{
    const uint8_t *to = flow->key.address[1 - (flow->initiator ^ side)];
    return flow->key.version == 4 ? (to[0] & 0xf0) == 0xe0 : to[0] == 0xff;
}

static void dns_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    struct span payload = packet_payload(packet);
    struct dns_message message;
    struct dns_arrival arrival = {
        .start_ns = packet->time_ns,
        .end_ns = packet->time_ns,
        .wire_bytes = packet->payload_len,
        .side = (uint8_t)side,
        .is_datagram = true,
        .flaw = payload.size < packet->payload_len ? DNS_CUT : DNS_FINE,
        .is_multicast = is_to_group(c->flow, side),
        .protocol = has_port(c->flow, MDNS_PORT)    ? "mdns"
                    : has_port(c->flow, LLMNR_PORT) ? "llmnr"
                                                    : NULL,
    };
    if (dns_message_read(payload, &message)) {
        dns_flow_take(c, &message, &arrival);
    } else {
        dns_flow_take_unread(c, payload, &arrival);
    }
}

/* ---- Connections ------------------------------------------------------------------------------ */

/* Behind a hole: moves to where a message begins for sure. Returns the bytes to step over; `found` when
 * it begins there, else more bytes are needed. What looks like a message and is none costs a try, for
 * that took a walk. */
static size_t seek(struct dns_side *side, struct span data, bool *found)
{
    *found = false;
    for (size_t at = 0; side->tries < TRIES_MAX; at++) {
        struct span rest = span_skip(data, at);
        if (rest.size < PREFIX + DNS_HEADER_BYTES) {
            return at;
        }
        size_t size = load_be16(rest.data);
        if (size < DNS_HEADER_BYTES || !dns_is_header(rest.data + PREFIX)) {
            continue;
        }
        if (rest.size < PREFIX + size) {
            return at;
        }
        *found = look_at_stream(rest) == DNS_YES;
        if (*found) {
            return at;
        }
        side->tries++;
    }
    return data.size;
}

/* The message whose length and bytes begin `data`; false when that is none. */
static bool take_message(struct proto_context *c, const struct proto_chunk *chunk, struct span data)
{
    struct dns_flow *f = c->state;
    struct dns_side *side = &f->side[chunk->side];
    struct dns_message message;
    struct dns_arrival arrival = {
        .start_ns = side->start_ns != 0 ? side->start_ns : chunk->time_ns,
        .end_ns = chunk->time_ns,
        .wire_bytes = data.size,
        .side = chunk->side,
    };
    if (!dns_message_read(data, &message)) {
        dns_flow_take_unread(c, data, &arrival);
        return ++f->broken < DNS_BROKEN_MAX;
    }
    f->broken = 0;
    if (dns_opcode(&message) != DNS_STATEFUL) {
        dns_flow_take(c, &message, &arrival);
    }
    return true;
}

/* What has begun and is not whole yet. */
static void remember(struct dns_side *side, struct span rest, uint64_t time_ns)
{
    side->held = (uint32_t)rest.size;
    side->wanted = rest.size >= PREFIX ? PREFIX + (uint32_t)load_be16(rest.data) : 0;
    side->start_ns = rest.size == 0 ? 0 : side->start_ns != 0 ? side->start_ns : time_ns;
}

/* Steps over what belongs to no message that can be read; false when more bytes are needed. */
static bool find_start(struct dns_side *side, struct span *data)
{
    size_t skipped = side->skip < data->size ? side->skip : data->size;
    side->skip -= (uint32_t)skipped;
    *data = span_skip(*data, skipped);
    if (!side->seeking) {
        return true;
    }
    bool found;
    *data = span_skip(*data, seek(side, *data, &found));
    side->seeking = !found;
    return found;
}

static struct proto_taken dns_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct dns_flow *f = c->state;
    struct dns_side *side = &f->side[chunk->side];
    struct span data = chunk->data;
    struct proto_taken taken = {.verdict = PROTO_GOES_ON};
    if (find_start(side, &data)) {
        while (data.size >= PREFIX && data.size >= PREFIX + (size_t)load_be16(data.data)) {
            size_t size = load_be16(data.data);
            if (!take_message(c, chunk, span_of(data.data + PREFIX, size))) {
                taken.verdict = PROTO_NOT_MINE;
                break;
            }
            side->start_ns = 0;
            data = span_skip(data, PREFIX + size);
        }
        remember(side, data, chunk->time_ns);
    } else if (side->tries >= TRIES_MAX) {
        taken.verdict = PROTO_NOT_MINE;
    }
    taken.consumed = chunk->data.size - data.size;
    return taken;
}

static void dns_on_gap(struct proto_context *c, unsigned side_number, uint32_t length)
{
    struct dns_flow *f = c->state;
    struct dns_side *side = &f->side[side_number];
    ((struct dns_stats *)c->block)->gaps++;
    dns_flow_gap(c, side_number);
    uint32_t missing = side->skip > 0 ? side->skip : side->wanted > 0 ? side->wanted - side->held : 0;
    bool is_within = missing >= length && missing > 0 && !side->seeking;
    *side = (struct dns_side){.seeking = !is_within,
                              .skip = is_within ? missing - length : 0,
                              .tries = side->tries};
}

static void dns_on_close(struct proto_context *c, enum proto_close why)
{
    dns_flow_close(c, proto_close_reason(why));
}

_Static_assert(sizeof(struct dns_flow) <= 112, "a flow is a slab block of 128 bytes");

static const struct event_type *const events[] = {&dns_event_type, NULL};

static const char *const agreed_names[] = {"dot", NULL}; /* RFC 7301 §6 */

const struct proto proto_dns = {
    .name = "dns",
    .help = "queries and responses of DNS, multicast DNS and LLMNR, zone transfers",
    .metrics = &dns_set,
    .tcp_ports = tcp_ports,
    .agreed_names = agreed_names,
    .udp_ports = udp_ports,
    .flow_size = sizeof(struct dns_flow),
    .cache_size = DNS_REPORT_ROOM,
    .events = events,
    .options = dns_option_rows,
    .options_size = sizeof(struct dns_options),
    .probe = dns_probe,
    .probe_at_port = dns_probe_at_port,
    .on_chunk = dns_on_chunk,
    .on_gap = dns_on_gap,
    .on_datagram = dns_on_datagram,
    .on_close = dns_on_close,
};
