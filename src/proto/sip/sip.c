// SPDX-License-Identifier: Apache-2.0
/* SIP (RFC 3261) over UDP and TCP: an event for each message, as Packetbeat has it. See README.md. */
#include "proto/sip/sip_report.h"

enum { KEPT_MAX = 64 << 10, BROKEN_MAX = 8 };

static const uint16_t ports[] = {5060, 0};
static const char *const transports[] = {"udp", "tcp", NULL};

#define ROW(name_, kind_, member, fallback_, help_)                                                \
    .name = name_, .kind = kind_, .offset = offsetof(struct sip_options, member),                  \
    .fallback = fallback_, .help = help_

static const struct proto_option options[] = {
    {ROW("parse_authorization", PROTO_OPTION_FLAG, parse_authorization, "true",
         "Events show who logs in, and where.")},
    {ROW("parse_body", PROTO_OPTION_FLAG, parse_body, "true",
         "Events show the session that a body describes (SDP).")},
    {ROW("keep_original", PROTO_OPTION_FLAG, keep_original, "true",
         "Events show the message as it was sent, in `event.original`.")},
    {ROW("transport_protocol", PROTO_OPTION_CHOICE, transport, "udp",
         "Changes nothing: packets say what they came by."),
     .choices = transports},
    {0},
};

/* What a side of a connection is saying. */
struct side {
    uint64_t start_ns; /* of the message's first byte */
    size_t searched;   /* bytes of it without the end of its headers */
    size_t wanted;     /* bytes that it takes, once its headers are there */
    uint64_t left;     /* of a large body, passed over */
    bool has_begun;
    bool seeking;
};

struct sip_flow {
    struct side side[2];
    bool understood;
    uint8_t broken;
};

struct reading {
    struct proto_context *c;
    struct sip_flow *flow;
    struct side *side;
    struct span rest;
    uint64_t time_ns;
    uint8_t number;
};

enum step { GOES_ON, WAITS, LETS_GO };

static enum proto_guess sip_probe(struct span data, unsigned side)
{
    (void)side;
    static const enum proto_guess guesses[] = {[SIP_LOOKS_ELSE] = PROTO_NO,
                                               [SIP_LOOKS_CUT] = PROTO_UNSURE,
                                               [SIP_LOOKS_RIGHT] = PROTO_YES};
    return guesses[sip_look(data)];
}

static void take(struct reading *r, size_t size)
{
    r->rest = span_skip(r->rest, size);
    r->side->has_begun = false;
    r->side->searched = 0;
    r->side->wanted = 0;
}

/* What is said is no SIP; lets go when that happens too often. */
static enum step survive(struct reading *r)
{
    if (!r->flow->understood) {
        return LETS_GO;
    }
    ((struct sip_stats *)r->c->block)->malformed++;
    r->flow->broken++;
    r->side->seeking = true;
    take(r, 1);
    return r->flow->broken < BROKEN_MAX ? GOES_ON : LETS_GO;
}

/* A message whose headers are there; its body too, or as much as is read of a large one. */
static enum step read_whole(struct reading *r, size_t head_size)
{
    struct sip_message m;
    sip_message_read(&m, span_head(r->rest, head_size));
    int64_t length = sip_content_length(&m);
    size_t body = length > 0 ? (size_t)length : 0;
    size_t kept = body < KEPT_MAX ? body : KEPT_MAX;
    if (r->rest.size < head_size + kept) {
        r->side->wanted = head_size + kept;
        return WAITS;
    }
    m.body = span_head(span_skip(r->rest, head_size), kept);
    ((struct sip_stats *)r->c->block)->too_large += kept < body;
    r->flow->understood = true;
    r->flow->broken = 0;
    sip_report(r->c, &m, span_head(r->rest, head_size + kept), r->number, r->side->start_ns);
    r->side->left = body - kept;
    take(r, head_size + kept);
    return GOES_ON;
}

static enum step read_message(struct reading *r)
{
    if (r->rest.size < r->side->wanted) {
        return WAITS;
    }
    enum sip_looks looks = sip_look(r->rest);
    if (looks != SIP_LOOKS_RIGHT) {
        return looks == SIP_LOOKS_CUT ? WAITS : survive(r);
    }
    size_t head = sip_head_size(r->rest, r->side->searched);
    if (head == 0 && r->rest.size > KEPT_MAX) {
        return survive(r);
    }
    if (head == 0) {
        r->side->searched = r->rest.size;
        return WAITS;
    }
    r->side->searched = head - 1;
    return read_whole(r, head);
}

/* Behind a hole: to where a message may begin, at the beginning of a line. */
static enum step seek(struct reading *r)
{
    while (r->rest.size > 0) {
        enum sip_looks looks = sip_look(r->rest);
        if (looks == SIP_LOOKS_CUT) {
            return WAITS;
        }
        if (looks == SIP_LOOKS_RIGHT) {
            r->side->seeking = false;
            return GOES_ON;
        }
        take(r, 1);
    }
    return WAITS;
}

static enum step read_some(struct reading *r)
{
    if (r->side->left > 0) {
        size_t size = r->rest.size < r->side->left ? r->rest.size : (size_t)r->side->left;
        r->side->left -= size;
        take(r, size);
        return GOES_ON;
    }
    if (r->side->seeking) {
        return seek(r);
    }
    if (r->rest.data[0] == '\r' || r->rest.data[0] == '\n') { /* keeps the connection (RFC 5626) */
        take(r, 1);
        return GOES_ON;
    }
    if (!r->side->has_begun) {
        r->side->has_begun = true;
        r->side->start_ns = r->time_ns;
    }
    return read_message(r);
}

static struct proto_taken sip_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct sip_flow *f = c->state;
    struct reading r = {
        .c = c,
        .flow = f,
        .side = &f->side[chunk->side],
        .rest = chunk->data,
        .time_ns = chunk->time_ns,
        .number = chunk->side,
    };
    enum step step = GOES_ON;
    while (step == GOES_ON && r.rest.size > 0) {
        step = read_some(&r);
    }
    return (struct proto_taken){
        .consumed = chunk->data.size - r.rest.size,
        .verdict = step == LETS_GO ? PROTO_NOT_MINE : PROTO_GOES_ON,
    };
}

static void sip_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct side *s = &((struct sip_flow *)c->state)->side[side];
    ((struct sip_stats *)c->block)->gaps++;
    if (s->left >= length) {
        s->left -= length;
    } else {
        *s = (struct side){.seeking = true};
    }
}

static void sip_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    struct span bytes = packet_payload(packet);
    size_t head = sip_look(bytes) == SIP_LOOKS_RIGHT ? sip_head_size(bytes, 0) : 0;
    bool is_ping = sip_trim(bytes).size == 0; /* keeps a way through a NAT open */
    if (head == 0) {
        ((struct sip_stats *)c->block)->malformed += !is_ping;
        return;
    }
    struct sip_message m;
    sip_message_read(&m, span_head(bytes, head));
    int64_t length = sip_content_length(&m);
    struct span body = span_skip(bytes, head);
    m.body = length >= 0 && (uint64_t)length < body.size ? span_head(body, (size_t)length) : body;
    sip_report(c, &m, span_head(bytes, head + m.body.size), side, packet->time_ns);
}

static void sip_on_close(struct proto_context *c, enum proto_close why)
{
    (void)c;
    (void)why;
}

static const struct event_type *const events[] = {&sip_event_type, NULL};

const struct proto proto_sip = {
    .name = "sip",
    .help = "SIP over UDP and TCP: requests and responses of telephony, and the sessions they make",
    .metrics = &sip_set,
    .tcp_ports = ports,
    .udp_ports = ports,
    .flow_size = sizeof(struct sip_flow),
    .events = events,
    .options = options,
    .options_size = sizeof(struct sip_options),
    .probe = sip_probe,
    .on_chunk = sip_on_chunk,
    .on_gap = sip_on_gap,
    .on_datagram = sip_on_datagram,
    .on_close = sip_on_close,
};
