// SPDX-License-Identifier: Apache-2.0
/* Any bytes behind any link header. The input begins with the link type (big-endian), how many
 * bytes the wire had beyond the captured ones, and a byte of flags. */
#include "base/cursor.h"
#include "wire/wire.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FLAG_KERNEL_TAG = 1, FLAG_RESUME = 2, HEADER = 5 };

static void check_pointer(const uint8_t *at, struct span s)
{
    assert(at == NULL || (at >= s.data && at <= s.data + s.size));
}

static void check(const struct packet *p, struct span s)
{
    check_pointer(p->ip, s);
    check_pointer(p->l4, s);
    check_pointer(p->payload, s);
    check_pointer(p->quoted, s);
    check_pointer(p->end, s);
    assert(p->class < PACKET_CLASSES && p->malformed < PACKET_MALFORMED_REASONS);
    assert((p->class == PACKET_MALFORMED) <= (p->malformed != PACKET_FINE));
    assert(p->layers >> PACKET_LAYER_BITS * PACKET_LAYERS_MAX == 0);
    assert((p->version != 0) == (p->ip != NULL));
    assert(p->version == 0 || p->version == p->ip[0] >> 4);
    assert(p->l4 == NULL || (p->ip < p->l4 && p->l4 <= p->end));
    assert(p->payload == NULL || (p->l4 <= p->payload && p->payload <= p->end));
    assert((p->tunnel != TUNNEL_NONE) == (p->tunnel_depth > 0));
    if (p->version != 0) {
        assert(p->end - p->ip >= (p->version == 4 ? 20 : 40));
        assert(packet_destination_ip(p) > packet_source_ip(p));
    }
    assert(packet_payload(p).size <= p->payload_len);
}

static void check_readers(const struct packet *p, struct span s)
{
    struct wire_tcp_options options;
    wire_tcp_options(p, &options);
    assert(options.sack_count <= 4 && options.window_scale <= 14);
    struct packet inner;
    if (wire_quoted(p, &inner)) {
        check(&inner, s);
        assert(inner.ip == p->quoted);
    }
}

/* The straight line for plain frames gives what the walk gives, which a tag makes sure of. */
static void check_plain(struct frame frame, const struct packet *tagless)
{
    struct packet p;
    frame.vlan_tpid = 0x8100;
    wire_decode(&frame, &p);
    struct packet expected = *tagless;
    expected.layers = p.layers;
    expected.vlan_count = p.vlan_count;
    memcpy(expected.vlan, p.vlan, sizeof expected.vlan);
    assert(memcmp(&p, &expected, sizeof p) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEADER) {
        return 0;
    }
    struct span s = span_of(data + HEADER, size - HEADER);
    struct frame frame = {
        .data = s.data,
        .cap_len = (uint32_t)s.size,
        .wire_len = (uint32_t)s.size + load_be16(data + 2),
        .link = load_be16(data),
        .vlan_tpid = (data[4] & FLAG_KERNEL_TAG) != 0 ? 0x8100 : 0,
    };
    struct packet p;
    wire_decode(&frame, &p);
    check(&p, s);
    check_pointer(p.mac, s);
    check_pointer(p.outer_ip, s);
    check_readers(&p, s);
    if (frame.link == FRAME_LINK_ETHERNET && frame.vlan_tpid == 0 && p.layers >> 54 == 0 &&
        p.vlan_count == 0) {
        check_plain(frame, &p);
    }
    if ((data[4] & FLAG_RESUME) != 0 && p.version != 0) {
        struct span datagram = span_of(p.ip, (size_t)(s.data + s.size - p.ip));
        wire_resume(&p, datagram);
        check(&p, s);
        check_readers(&p, s);
    }
    return 0;
}
