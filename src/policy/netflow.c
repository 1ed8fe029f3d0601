// SPDX-License-Identifier: Apache-2.0
#include "policy/netflow.h"

enum { NETFLOW_1 = 1, NETFLOW_5 = 5, NETFLOW_7 = 7, NETFLOW_9 = 9, IPFIX = 10 };
enum { SETS_9 = 0, OPTIONS_9 = 1, SETS_IPFIX = 2, OPTIONS_IPFIX = 3, FIRST_DATA = 256 };

/* A datagram under way. */
struct reading {
    struct netflow_templates *templates;
    const struct export_datagram *datagram;
    const struct export_sink *sink;
    struct netflow_speaker speaker;
};

/* ---- Fixed records -------------------------------------------------------------------------- */

/* Versions 1, 5 and 7 agree about all that is read. */
static void take_fixed(const struct reading *r, const uint8_t *at, uint32_t sampling)
{
    struct flow_record record = {
        .exporter = r->datagram->exporter,
        .source = {.version = 4},
        .destination = {.version = 4},
        .input = load_be16(at + 12),
        .output = load_be16(at + 14),
        .packets = load_be32(at + 16),
        .bytes = load_be32(at + 20),
        .source_port = load_be16(at + 32),
        .destination_port = load_be16(at + 34),
        .protocol = at[38],
        .tos = at[39],
        .sampling = sampling,
    };
    memcpy(record.source.bytes, at, 4);
    memcpy(record.destination.bytes, at + 4, 4);
    r->sink->take(r->sink->context, &record);
}

/* Bytes of a record. Those of version 1 have 52 bytes, but softflowd's have 48. */
static size_t fixed_size(uint16_t version, size_t size, uint16_t count)
{
    return version == NETFLOW_5 || (version == NETFLOW_1 && size < count * 52u) ? 48 : 52;
}

static bool read_fixed(const struct reading *r, uint16_t version)
{
    const size_t head = version == NETFLOW_1 ? 16 : 24;
    struct span bytes = r->datagram->bytes;
    if (bytes.size < head) {
        return false;
    }
    uint16_t count = load_be16(bytes.data + 2);
    size_t size = fixed_size(version, bytes.size - head, count);
    uint32_t sampling = version == NETFLOW_5 ? load_be16(bytes.data + 22) & 0x3fff : 1;
    bytes = span_skip(bytes, head);
    for (uint16_t i = 0; i < count; i++, bytes = span_skip(bytes, size)) {
        if (bytes.size < size) {
            return false;
        }
        take_fixed(r, bytes.data, sampling > 0 ? sampling : 1);
    }
    return true;
}

/* ---- Records of templates ------------------------------------------------------------------- */

/* What the fields of a record say, before all of them are known. */
struct facts {
    struct flow_record record;
    uint64_t sampler;
    uint64_t interval, space; /* packets looked at, and then not */
    uint32_t rate;            /* 0: not told */
};

static uint64_t number(struct span value)
{
    uint64_t ret = 0;
    value = value.size > 8 ? span_skip(value, value.size - 8) : value;
    for (size_t i = 0; i < value.size; i++) {
        ret = ret << 8 | value.data[i];
    }
    return ret;
}

static void set_address(struct flow_address *to, uint8_t version, struct span value)
{
    static const uint8_t zero[16];
    size_t size = version == 4 ? 4 : 16;
    if (value.size == size && (to->version == 0 || memcmp(value.data, zero, size) != 0)) {
        *to = (struct flow_address){.version = version};
        memcpy(to->bytes, value.data, size);
    }
}

static uint32_t clamp(uint64_t value)
{
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

/* What records are counted by. A total counts as the delta does, where there is no delta; so does what
 * left the device (23, 24). */
static bool set_amount(struct flow_record *r, uint16_t element, uint64_t value)
{
    switch (element) {
    case 1: /* octetDeltaCount */
        r->bytes = value;
        return true;
    case 2: /* packetDeltaCount */
        r->packets = value;
        return true;
    case 23:  /* postOctetDeltaCount */
    case 85:  /* octetTotalCount */
    case 352: /* layer2OctetDeltaCount */
        r->bytes = r->bytes == 0 ? value : r->bytes;
        return true;
    case 24: /* postPacketDeltaCount */
    case 86: /* packetTotalCount */
        r->packets = r->packets == 0 ? value : r->packets;
        return true;
    default:
        return false;
    }
}

static bool set_sampling(struct facts *f, uint16_t element, uint64_t value)
{
    switch (element) {
    case 34: /* samplingInterval */
    case 50: /* samplerRandomInterval */
        f->rate = clamp(value);
        return true;
    case 48:  /* samplerId */
    case 302: /* selectorId */
        f->sampler = value;
        return true;
    case 305: /* samplingPacketInterval */
        f->interval = value;
        return true;
    case 306: /* samplingPacketSpace */
        f->space = value;
        return true;
    default:
        return false;
    }
}

/* One field (IANA, "IPFIX Information Elements"). */
static void set_field(struct facts *f, uint16_t element, struct span value)
{
    struct flow_record *r = &f->record;
    uint64_t n = number(value);
    if (set_amount(r, element, n) || set_sampling(f, element, n)) {
        return;
    }
    switch (element) {
    case 4: /* protocolIdentifier */
        r->protocol = (uint8_t)n;
        break;
    case 5: /* ipClassOfService */
        r->tos = (uint8_t)n;
        break;
    case 7:   /* sourceTransportPort */
    case 180: /* udpSourcePort */
    case 182: /* tcpSourcePort */
        r->source_port = (uint16_t)n;
        break;
    case 11:  /* destinationTransportPort */
    case 181: /* udpDestinationPort */
    case 183: /* tcpDestinationPort */
        r->destination_port = (uint16_t)n;
        break;
    case 8:
    case 27: /* sourceIPv4Address, sourceIPv6Address */
        set_address(&r->source, element == 8 ? 4 : 6, value);
        break;
    case 12:
    case 28: /* destinationIPv4Address, destinationIPv6Address */
        set_address(&r->destination, element == 12 ? 4 : 6, value);
        break;
    case 10: /* ingressInterface */
        r->input = (uint32_t)n;
        break;
    case 14: /* egressInterface */
        r->output = (uint32_t)n;
        break;
    default:
        break;
    }
}

static uint32_t rate_of(const struct facts *f)
{
    if (f->interval > 0) {
        return clamp((clamp(f->interval) + (uint64_t)clamp(f->space)) / clamp(f->interval));
    }
    return f->rate;
}

static void take(const struct reading *r, const struct netflow_template *t, struct facts *f)
{
    uint32_t rate = rate_of(f);
    uint64_t now = r->datagram->time_ns;
    if (t->is_options) {
        if (rate > 0) {
            netflow_templates_sample(r->templates, &r->speaker, f->sampler, rate, now);
            netflow_templates_sample(r->templates, &r->speaker, 0, rate, now);
        }
        return;
    }
    f->record.sampling =
        rate > 0 ? rate : netflow_templates_rate(r->templates, &r->speaker, f->sampler, now);
    f->record.exporter = r->datagram->exporter;
    r->sink->take(r->sink->context, &f->record);
}

/* The length of a field that says its own (RFC 7011 §7). */
static size_t variable_size(struct cursor *c)
{
    uint8_t small = cursor_u8(c);
    return small < 255 ? small : cursor_be16(c);
}

static bool read_record(const struct netflow_template *t, struct cursor *c, struct facts *f)
{
    for (uint16_t i = 0; i < t->count; i++) {
        const struct netflow_field *field = &t->fields[i];
        size_t size = field->size == NETFLOW_VARIABLE ? variable_size(c) : field->size;
        struct span value = cursor_take(c, size);
        if (field->element != 0 && !c->bad) {
            set_field(f, field->element, value);
        }
    }
    return !c->bad;
}

static bool read_data(const struct reading *r, uint16_t id, struct span set)
{
    const struct netflow_template *t =
        netflow_templates_find(r->templates, &r->speaker, id, r->datagram->time_ns);
    struct cursor c = cursor_of(set);
    if (t == NULL) {
        return false;
    }
    while (cursor_left(&c) >= t->least) { /* less is padding */
        struct facts facts = {0};
        if (!read_record(t, &c, &facts)) {
            return false;
        }
        take(r, t, &facts);
    }
    return true;
}

/* ---- Sets ----------------------------------------------------------------------------------- */

static bool read_set(const struct reading *r, uint16_t id, struct span set)
{
    bool is_ipfix = r->speaker.version == IPFIX;
    if (id >= FIRST_DATA) {
        return read_data(r, id, set);
    }
    if (id == (is_ipfix ? SETS_IPFIX : SETS_9) || id == (is_ipfix ? OPTIONS_IPFIX : OPTIONS_9)) {
        return netflow_templates_read(r->templates, &r->speaker, set,
                                      id == (is_ipfix ? OPTIONS_IPFIX : OPTIONS_9),
                                      r->datagram->time_ns);
    }
    return true; /* reserved */
}

/* Sets follow each other; one that cannot be read does not hinder the next. */
static bool read_sets(const struct reading *r, struct cursor *c)
{
    bool is_sound = true;
    while (cursor_left(c) >= 4) {
        uint16_t id = cursor_be16(c), size = cursor_be16(c);
        struct span set = cursor_take(c, size >= 4 ? size - 4u : SIZE_MAX);
        if (c->bad) {
            return false;
        }
        is_sound = read_set(r, id, set) && is_sound;
    }
    return is_sound;
}

bool netflow_read(struct netflow_templates *templates, const struct export_datagram *datagram,
                  const struct export_sink *sink)
{
    struct reading r = {.templates = templates, .datagram = datagram, .sink = sink};
    struct cursor c = cursor_of(datagram->bytes);
    uint16_t version = cursor_be16(&c);
    switch (version) {
    case NETFLOW_1:
    case NETFLOW_5:
    case NETFLOW_7:
        return read_fixed(&r, version);
    case NETFLOW_9:
        cursor_skip(&c, 14); /* count, times, sequence */
        break;
    case IPFIX: {
        uint16_t size = cursor_be16(&c);
        cursor_skip(&c, 8); /* time, sequence */
        if (size < 16 || size > datagram->bytes.size) {
            return false;
        }
        c.end = datagram->bytes.data + size;
        break;
    }
    default:
        return false;
    }
    r.speaker = (struct netflow_speaker){.exporter = datagram->exporter, .version = version};
    r.speaker.port = version == IPFIX ? datagram->port : 0;
    r.speaker.domain = cursor_be32(&c);
    return !c.bad && read_sets(&r, &c);
}
