// SPDX-License-Identifier: Apache-2.0
#include "policy/sflow.h"

#include "base/cursor.h"

enum { VERSION = 5, ADDRESS_4 = 1, ADDRESS_6 = 2 };
enum { FLOW_SAMPLE = 1, FLOW_SAMPLE_EXPANDED = 3 };
enum { RAW_HEADER = 1, ETHERNET = 2, IPV4 = 3, IPV6 = 4 };
enum { HEADER_ETHERNET = 1, HEADER_IPV4 = 11, HEADER_IPV6 = 12 };
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_SERVICE = 0x88a8 };
enum { TAGS_MAX = 4, EXTENSIONS_MAX = 8, PORT_MASK = 0x3fffffff };

/* ---- The header of a packet ----------------------------------------------------------------- */

static void read_ports(struct cursor *c, struct flow_record *ret)
{
    if (ret->protocol == 6 || ret->protocol == 17 || ret->protocol == 132 || ret->protocol == 136) {
        uint16_t source = cursor_be16(c), destination = cursor_be16(c);
        ret->source_port = c->bad ? 0 : source;
        ret->destination_port = c->bad ? 0 : destination;
    }
}

static void read_address(struct cursor *c, uint8_t version, struct flow_address *ret)
{
    struct span bytes = cursor_take(c, version == 4 ? 4 : 16);
    *ret = (struct flow_address){.version = c->bad ? 0 : version};
    memcpy(ret->bytes, bytes.data, bytes.size);
}

static void read_ipv4(struct span packet, struct flow_record *ret)
{
    struct cursor c = cursor_of(packet);
    size_t head = (cursor_u8(&c) & 15u) * 4;
    ret->tos = cursor_u8(&c);
    cursor_skip(&c, 4);
    bool is_first = (cursor_be16(&c) & 0x1fff) == 0;
    cursor_skip(&c, 1);
    ret->protocol = cursor_u8(&c);
    cursor_skip(&c, 2);
    read_address(&c, 4, &ret->source);
    read_address(&c, 4, &ret->destination);
    if (!c.bad && head >= 20 && is_first) {
        c = cursor_of(span_skip(packet, head));
        read_ports(&c, ret);
    }
}

/* Steps over extension headers (RFC 8200 §4); false at one behind which no ports can be. */
static bool skip_extension(struct cursor *c, uint8_t *next)
{
    uint8_t type = *next;
    if (type != 0 && type != 43 && type != 44 && type != 51 && type != 60) {
        return false;
    }
    *next = cursor_u8(c);
    uint8_t size = cursor_u8(c);
    if (type == 44) { /* fragment */
        bool is_first = (cursor_be16(c) & 0xfff8) == 0;
        cursor_skip(c, is_first ? 4 : SIZE_MAX);
    } else {
        cursor_skip(c, type == 51 ? (size + 2u) * 4 - 2 : (size + 1u) * 8 - 2);
    }
    return !c->bad;
}

static void read_ipv6(struct span packet, struct flow_record *ret)
{
    struct cursor c = cursor_of(packet);
    ret->tos = (uint8_t)(cursor_be32(&c) >> 20);
    cursor_skip(&c, 2);
    uint8_t next = cursor_u8(&c);
    cursor_skip(&c, 1);
    read_address(&c, 6, &ret->source);
    read_address(&c, 6, &ret->destination);
    for (unsigned i = 0; i < EXTENSIONS_MAX && !c.bad && skip_extension(&c, &next); i++) {
    }
    ret->protocol = next;
    read_ports(&c, ret);
}

static void read_ethernet(struct span frame, struct flow_record *ret)
{
    struct cursor c = cursor_of(span_skip(frame, 12));
    uint16_t type = cursor_be16(&c);
    for (unsigned i = 0; i < TAGS_MAX && (type == TYPE_VLAN || type == TYPE_SERVICE); i++) {
        cursor_skip(&c, 2);
        type = cursor_be16(&c);
    }
    struct span packet = span_of(c.at, cursor_left(&c));
    if (!c.bad && type == TYPE_IPV4) {
        read_ipv4(packet, ret);
    } else if (!c.bad && type == TYPE_IPV6) {
        read_ipv6(packet, ret);
    }
}

/* ---- Records of a sample -------------------------------------------------------------------- */

static void read_raw(struct cursor *c, struct flow_record *ret)
{
    uint32_t protocol = cursor_be32(c);
    ret->bytes = cursor_be32(c);
    cursor_skip(c, 4); /* bytes taken off */
    struct span header = cursor_take(c, cursor_be32(c));
    if (c->bad) {
        return;
    }
    if (protocol == HEADER_ETHERNET) {
        read_ethernet(header, ret);
    } else if (protocol == HEADER_IPV4) {
        read_ipv4(header, ret);
    } else if (protocol == HEADER_IPV6) {
        read_ipv6(header, ret);
    }
}

/* Fields of an IP packet that the agent has read itself. */
static void read_keyed(struct cursor *c, uint8_t version, struct flow_record *ret)
{
    ret->bytes = cursor_be32(c);
    ret->protocol = (uint8_t)cursor_be32(c);
    read_address(c, version, &ret->source);
    read_address(c, version, &ret->destination);
    ret->source_port = (uint16_t)cursor_be32(c);
    ret->destination_port = (uint16_t)cursor_be32(c);
    cursor_skip(c, 4); /* TCP flags */
    ret->tos = (uint8_t)cursor_be32(c);
}

static bool read_records(struct cursor *c, uint32_t count, struct flow_record *ret)
{
    for (uint32_t i = 0; i < count && !c->bad; i++) {
        uint32_t tag = cursor_be32(c);
        struct cursor record = cursor_of(cursor_take(c, cursor_be32(c)));
        switch (tag) {
        case RAW_HEADER:
            read_raw(&record, ret);
            break;
        case ETHERNET:
            ret->bytes = ret->bytes == 0 ? cursor_be32(&record) : ret->bytes;
            break;
        case IPV4:
        case IPV6:
            read_keyed(&record, tag == IPV4 ? 4 : 6, ret);
            break;
        default: /* of an enterprise, or more about the same packet */
            break;
        }
        if (record.bad) {
            return false;
        }
    }
    return !c->bad;
}

static bool read_sample(struct span sample, bool is_expanded, const struct flow_address *agent,
                        const struct export_sink *sink)
{
    struct cursor c = cursor_of(sample);
    struct flow_record record = {.exporter = *agent, .packets = 1};
    cursor_skip(&c, is_expanded ? 12 : 8); /* sequence, source */
    record.sampling = cursor_be32(&c);
    cursor_skip(&c, 8); /* pool, drops */
    cursor_skip(&c, is_expanded ? 4 : 0);
    record.input = cursor_be32(&c) & (is_expanded ? UINT32_MAX : PORT_MASK);
    cursor_skip(&c, is_expanded ? 4 : 0);
    record.output = cursor_be32(&c) & (is_expanded ? UINT32_MAX : PORT_MASK);
    uint32_t count = cursor_be32(&c);
    if (!read_records(&c, count, &record)) {
        return false;
    }
    record.sampling = record.sampling > 0 ? record.sampling : 1;
    sink->take(sink->context, &record);
    return true;
}

bool sflow_read(const struct export_datagram *datagram, const struct export_sink *sink)
{
    struct cursor c = cursor_of(datagram->bytes);
    struct flow_address agent = {0};
    bool is_sound = true;
    uint32_t version = cursor_be32(&c), kind = cursor_be32(&c);
    if (version != VERSION || (kind != ADDRESS_4 && kind != ADDRESS_6)) {
        return false;
    }
    read_address(&c, kind == ADDRESS_4 ? 4 : 6, &agent);
    cursor_skip(&c, 12); /* which agent, sequence, uptime */
    uint32_t count = cursor_be32(&c);
    for (uint32_t i = 0; i < count && !c.bad; i++) {
        uint32_t tag = cursor_be32(&c);
        struct span sample = cursor_take(&c, cursor_be32(&c));
        if (!c.bad && (tag == FLOW_SAMPLE || tag == FLOW_SAMPLE_EXPANDED)) {
            is_sound = read_sample(sample, tag == FLOW_SAMPLE_EXPANDED, &agent, sink) && is_sound;
        }
    }
    return is_sound && !c.bad;
}
