// SPDX-License-Identifier: Apache-2.0
/* SIP (RFC 3261) over UDP and TCP: an event for each message, as Packetbeat has it. See README.md. */
#include "proto/proto_reading.h"
#include "proto/sip/sip_report.h"

enum { KEPT_MAX = 64 << 10 };

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
struct sip_side {
    struct reading_side reading;
    size_t searched; /* bytes of the message without the end of its headers */
    size_t wanted;   /* bytes that it takes, once its headers are there */
    uint64_t left;   /* of a large body, passed over */
};

struct sip_flow {
    struct sip_side side[2];
    struct reading_trust trust;
};

_Static_assert(sizeof(struct sip_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

static struct sip_flow *sip_flow_of(const struct proto_context *c)
{
    return c->state;
}

static struct sip_stats *sip_stats_of(const struct proto_context *c)
{
    return c->block;
}

static enum proto_guess sip_probe(struct span data, unsigned side)
{
    (void)side;
    return sip_look(data);
}

static struct sip_side *side_of(const struct reading *r)
{
    return &sip_flow_of(r->c)->side[r->number];
}

static void take(struct reading *r, size_t size)
{
    struct sip_side *s = side_of(r);
    reading_take(r, size);
    s->searched = 0;
    s->wanted = 0;
}

/* What is said is no SIP; lets go when that happens too often. */
static enum reading_step survive(struct reading *r)
{
    struct reading_trust *trust = &sip_flow_of(r->c)->trust;
    sip_stats_of(r->c)->malformed += trust->understood;
    r->side->seeking = true;
    take(r, 1);
    return reading_survives(trust);
}

/* A message whose headers are there; its body too, or as much as is read of a large one. */
static enum reading_step read_whole(struct reading *r, size_t head_size)
{
    struct sip_side *s = side_of(r);
    struct sip_message m;
    sip_message_read(&m, span_head(r->rest, head_size));
    int64_t length = sip_content_length(&m);
    size_t body = length > 0 ? (size_t)length : 0;
    size_t kept = body < KEPT_MAX ? body : KEPT_MAX;
    if (r->rest.size < head_size + kept) {
        s->wanted = head_size + kept;
        return READING_WAITS;
    }
    m.body = span_head(span_skip(r->rest, head_size), kept);
    m.is_cut = kept < body;
    sip_stats_of(r->c)->too_large += m.is_cut;
    reading_understands(&sip_flow_of(r->c)->trust);
    sip_report(r->c, &m, span_head(r->rest, head_size + kept), r->number, r->side->start_ns);
    s->left = body - kept;
    take(r, head_size + kept);
    return READING_GOES_ON;
}

static enum reading_step read_message(struct reading *r)
{
    struct sip_side *s = side_of(r);
    if (r->rest.size < s->wanted) {
        return READING_WAITS;
    }
    enum proto_guess looks = sip_look(r->rest);
    if (looks != PROTO_YES) {
        return looks == PROTO_UNSURE ? READING_WAITS : survive(r);
    }
    size_t head = sip_head_size(r->rest, s->searched);
    if (head == 0 && r->rest.size > KEPT_MAX) {
        return survive(r);
    }
    if (head == 0) {
        s->searched = r->rest.size;
        return READING_WAITS;
    }
    s->searched = head - 1;
    return read_whole(r, head);
}

static enum proto_guess look(const struct reading *r)
{
    return sip_look(r->rest);
}

static enum reading_step read_some(struct reading *r)
{
    struct sip_side *s = side_of(r);
    if (s->left > 0) {
        size_t size = r->rest.size < s->left ? r->rest.size : (size_t)s->left;
        s->left -= size;
        take(r, size);
        return READING_GOES_ON;
    }
    if (r->side->seeking && !reading_seek(r, look)) {
        return READING_WAITS;
    }
    if (r->rest.data[0] == '\r' || r->rest.data[0] == '\n') { /* keeps the connection (RFC 5626) */
        take(r, 1);
        return READING_GOES_ON;
    }
    reading_begin(r);
    return read_message(r);
}

static struct proto_taken sip_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    return reading_run(c, chunk, &sip_flow_of(c)->side[chunk->side].reading, read_some);
}


static void sip_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct sip_side *s = &sip_flow_of(c)->side[side];
    sip_stats_of(c)->gaps++;
    if (s->left >= length) {
        s->left -= length;
    } else {
        *s = (struct sip_side){.reading.seeking = true};
    }
}

/* Of headers that do not end: all of them; of a datagram that the capture has cut, the whole lines. */
static size_t open_head_size(struct span bytes, bool is_cut)
{
    if (!is_cut || bytes.size == 0) {
        return bytes.size;
    }
    const uint8_t *end = memrchr(bytes.data, '\n', bytes.size);
    return end != NULL ? (size_t)(end + 1 - bytes.data) : bytes.size;
}

static void sip_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    struct span bytes = packet_payload(packet);
    bool is_cut = bytes.size < packet->payload_len;
    if (sip_look(bytes) != PROTO_YES) {
        bool is_ping = sip_trim(bytes).size == 0; /* keeps a way through a NAT open */
        sip_stats_of(c)->malformed += !is_ping;
        return;
    }
    size_t head = sip_head_size(bytes, 0);
    bool is_open = head == 0;
    sip_stats_of(c)->malformed += is_open && !is_cut;
    struct sip_message m;
    sip_message_read(&m, span_head(bytes, is_open ? open_head_size(bytes, is_cut) : head));
    int64_t length = sip_content_length(&m);
    struct span body = span_skip(bytes, is_open ? bytes.size : head);
    m.body = length >= 0 && (uint64_t)length < body.size ? span_head(body, (size_t)length) : body;
    size_t size = is_open ? bytes.size : head + m.body.size;
    sip_report(c, &m, span_head(bytes, size), side, packet->time_ns);
}

static void sip_on_close(struct proto_context *c, enum proto_close why)
{
    (void)c;
    (void)why;
}

static const struct event_type *const events[] = {&sip_event_type, NULL};

static const char *const agreed_names[] = {"sip/2", NULL}; /* RFC 7301 §6 */

const struct proto proto_sip = {
    .name = "sip",
    .help = "SIP over UDP and TCP: requests and responses of telephony, and the sessions they make",
    .metrics = &sip_set,
    .tcp_ports = ports,
    .agreed_names = agreed_names,
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
