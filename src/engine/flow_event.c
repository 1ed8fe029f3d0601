// SPDX-License-Identifier: Apache-2.0
#include "engine/flow_event.h"

#include "base/hash.h"
#include "base/text.h"
#include "event/community.h"

#define ROW(name_, kind_, member, flags_, help_)                                                   \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct flow_event, member),               \
        .flags = flags_, .help = help_                                                             \
    }
#define FIELD(name, kind, member, help) ROW(name, kind, member, 0, help)
#define EXTRA(name, kind, member, help) ROW(name, kind, member, EVENT_EXTRA, help)
#define ALWAYS(name, kind, member, help) ROW(name, kind, member, EVENT_ALWAYS, help)
#define FIXED(name, kind, member, help) ROW(name, kind, member, EVENT_FIXED, help)

static const struct event_field fields[] = {
    ALWAYS("@timestamp", EVENT_TIME, timestamp_ns, "packet time of the report"),
    FIELD("destination.bytes", EVENT_U64, count.bytes[1], "frame bytes from the responder"),
    FIELD("destination.ip", EVENT_ADDRESS, destination, "the responder, innermost address"),
    FIELD("destination.mac", EVENT_MAC, destination_mac, "innermost Ethernet address"),
    FIELD("destination.packets", EVENT_U64, count.packets[1], "frames from the responder"),
    FIELD("destination.port", EVENT_U32, destination_port, "the responder's port"),
    FIXED("event.action", EVENT_TEXT, action, "network_flow"),
    FIXED("event.category", EVENT_JSON, category_json, "network"),
    FIXED("event.dataset", EVENT_TEXT, dataset, "flow"),
    ALWAYS("event.duration", EVENT_U64, duration_ns, "ns from first to last packet"),
    ALWAYS("event.end", EVENT_TIME, end_ns, "time of the latest packet"),
    EXTRA("event.incomplete", EVENT_BOOL, incomplete, "the capture lost packets meanwhile"),
    FIXED("event.kind", EVENT_TEXT, kind, "event"),
    ROW("event.reason", EVENT_TEXT, reason, EVENT_EXTRA | EVENT_FIXED, "why this report was made"),
    ALWAYS("event.start", EVENT_TIME, start_ns, "time of the first packet"),
    FIXED("event.type", EVENT_JSON, event_type_json, "connection, and end for the last report"),
    EXTRA("flow.destination.tcp_flags", EVENT_INLINE, destination_flags, "TCP flags seen"),
    EXTRA("flow.destination.ttl", EVENT_U8, destination_ttl, "latest TTL or hop limit"),
    EXTRA("flow.destination.vlan", EVENT_U16_LIST, side_vlan[1],
          "its VLAN ids, where the source's differ"),
    ALWAYS("flow.final", EVENT_BOOL, final, "true in the last report of a flow"),
    EXTRA("flow.fragments", EVENT_BOOL, fragments, "some packets came as IP fragments"),
    EXTRA("flow.history", EVENT_INLINE, history, "Zeek's history letters"),
    EXTRA("flow.icmp_errors", EVENT_U16, icmp_errors, "ICMP errors that quoted this flow"),
    FIELD("flow.id", EVENT_INLINE, flow_id, "the same in all reports of a flow"),
    EXTRA("flow.source.tcp_flags", EVENT_INLINE, source_flags, "TCP flags seen"),
    EXTRA("flow.source.ttl", EVENT_U8, source_ttl, "latest TTL or hop limit"),
    EXTRA("flow.source.vlan", EVENT_U16_LIST, side_vlan[0],
          "its VLAN ids, where the destination's differ"),
    ROW("flow.state", EVENT_TEXT, state, EVENT_EXTRA | EVENT_FIXED, "Zeek's conn_state"),
    EXTRA("flow.tcp.handshake", EVENT_U64, handshake_ns, "ns from SYN to the handshake's last ACK"),
    EXTRA("flow.tcp.out_of_order", EVENT_U16, out_of_order, "segments behind later ones"),
    EXTRA("flow.tcp.retransmissions", EVENT_U16, retransmissions, "segments seen again"),
    EXTRA("flow.tunnel.id", EVENT_U32, tunnel_id, "VNI, TEID, key or session, as first seen"),
    ROW("flow.tunnel.type", EVENT_TEXT, tunnel, EVENT_EXTRA | EVENT_FIXED,
        "innermost tunnel around the flow"),
    FIELD("flow.vlan", EVENT_U16_LIST, vlan, "VLAN ids, outermost first, of the source first"),
    FIELD("network.bytes", EVENT_U64, network_bytes, "both directions"),
    FIELD("network.community_id", EVENT_INLINE, community_id, "Community ID v1, seed 0"),
    EXTRA("network.iana_number", EVENT_U8, protocol, "IP protocol number"),
    FIELD("network.packets", EVENT_U64, network_packets, "both directions"),
    FIXED("network.transport", EVENT_TEXT, transport, "tcp, udp, icmp, ipv6-icmp, sctp ..."),
    FIXED("network.type", EVENT_TEXT, network_type, "ipv4, ipv6, arp ..."),
    FIELD("source.bytes", EVENT_U64, count.bytes[0], "frame bytes from the initiator"),
    FIELD("source.ip", EVENT_ADDRESS, source, "the initiator, innermost address"),
    FIELD("source.mac", EVENT_MAC, source_mac, "innermost Ethernet address"),
    FIELD("source.packets", EVENT_U64, count.packets[0], "frames from the initiator"),
    FIELD("source.port", EVENT_U32, source_port, "the initiator's port"),
    FIXED("type", EVENT_TEXT, dataset, "flow"),
    {0},
};

const struct event_type flow_event_type = {
    .dataset = "flow",
    .help = "A conversation of two ends: who, when, how much, in what state",
    .size = sizeof(struct flow_event),
    .fields = fields,
};

/* ---- Names ---------------------------------------------------------------------------------- */

static const char *reason_name(enum flow_reason reason)
{
    static const char *const names[] = {"period",         "closed",  "idle timeout",
                                        "active timeout", "evicted", "end of capture"};
    return names[reason];
}

/* IANA protocol keywords in lower case, as ECS wants them. */
static const char *transport_name(uint8_t protocol)
{
    switch (protocol) {
    case 1: return "icmp";
    case 2: return "igmp";
    case 6: return "tcp";
    case 17: return "udp";
    case 46: return "rsvp";
    case 47: return "gre";
    case 50: return "esp";
    case 51: return "ah";
    case 58: return "ipv6-icmp";
    case 88: return "eigrp";
    case 89: return "ospf";
    case 103: return "pim";
    case 112: return "vrrp";
    case 115: return "l2tp";
    case 132: return "sctp";
    case 136: return "udplite";
    default: return NULL;
    }
}

static const char *network_type_name(const struct flow_key *key)
{
    if (key->version != 0) {
        return key->version == 4 ? "ipv4" : "ipv6";
    }
    switch (key->port[0]) {
    case 0x0806: return "arp";
    case 0x8035: return "rarp";
    case 0x88cc: return "lldp";
    case 0x888e: return "eapol";
    case 0x8863: return "pppoe";
    case 0x8809: return "slow";
    default: return NULL;
    }
}

static void flags_text(char ret[9], uint8_t flags)
{
    static const char letters[] = "CEUAPRSF";
    for (unsigned bit = 0; bit < 8; bit++) {
        if (flags & 0x80 >> bit) {
            *ret++ = letters[bit];
        }
    }
    *ret = '\0';
}

/* ---- Filling -------------------------------------------------------------------------------- */

static void fill_ends(struct flow_event *e, const struct flow *flow, const struct flow_cold *cold)
{
    const struct flow_key *key = &flow->key;
    unsigned source = flow->initiator;
    if (key->version != 0) {
        e->source.version = e->destination.version = key->version;
        memcpy(e->source.bytes, key->address[source], 16);
        memcpy(e->destination.bytes, key->address[1 - source], 16);
    } else {
        e->source_mac.present = e->destination_mac.present = true;
        memcpy(e->source_mac.bytes, key->address[source], 6);
        memcpy(e->destination_mac.bytes, key->address[1 - source], 6);
    }
    bool has_ports = key->protocol == 6 || key->protocol == 17 || key->protocol == 132 ||
                     key->protocol == 136;
    if (has_ports && !key->portless) {
        e->source_port = key->port[source];
        e->destination_port = key->port[1 - source];
    }
    if (key->version != 0 && cold->mac_seen != 0) {
        e->source_mac.present = cold->mac_seen & 1;
        e->destination_mac.present = cold->mac_seen & 2;
        memcpy(e->source_mac.bytes, cold->mac[0], 6);
        memcpy(e->destination_mac.bytes, cold->mac[1], 6);
    }
}

static void add_vlan(struct event_u16_list *to, uint16_t vlan)
{
    to->values[to->count++] = vlan;
}

static bool has_vlan(const struct event_u16_list *list, uint16_t vlan)
{
    for (unsigned i = 0; i < list->count; i++) {
        if (list->values[i] == vlan) {
            return true;
        }
    }
    return false;
}

/* The first packet's key is what the flow is known by, whatever the other direction bears. */
static void fill_vlans(struct flow_event *e, const struct flow *flow, const struct flow_cold *cold)
{
    bool differ = flow->key.vlan[0] & FLOW_VLANS_DIFFER;
    e->key.vlan[0] &= (uint16_t)~FLOW_VLANS_DIFFER;
    for (unsigned side = 0; side < 1U + differ; side++) {
        uint16_t vlan[PACKET_VLANS];
        flow_vlans(flow, cold, side, vlan);
        for (unsigned i = 0; i < PACKET_VLANS && vlan[i] != 0; i++) {
            if (side == 0 || !has_vlan(&e->vlan, vlan[i])) {
                add_vlan(&e->vlan, vlan[i]);
            }
            if (differ) {
                add_vlan(&e->side_vlan[side], vlan[i]);
            }
        }
    }
}

static void fill_network(struct flow_event *e, const struct flow *flow,
                         const struct flow_cold *cold)
{
    const struct flow_key *key = &flow->key;
    e->network_type = network_type_name(key);
    e->protocol = key->version != 0 ? key->protocol : 0;
    /* A fragment without ports is no conversation of that transport. */
    e->transport = key->version != 0 && !key->portless ? transport_name(key->protocol) : NULL;
    e->tunnel = key->tunnel != TUNNEL_NONE ? packet_tunnel_name(key->tunnel) : NULL;
    e->tunnel_id = key->tunnel != TUNNEL_NONE ? cold->tunnel_id[0] : 0;
    fill_vlans(e, flow, cold);
    e->source_ttl = flow->ttl[0];
    e->destination_ttl = flow->ttl[1];
}

static void fill_counters(struct flow_event *e, const struct flow *flow,
                          const struct flow_counters *before)
{
    for (unsigned side = 0; side < 2; side++) {
        e->count.packets[side] = flow->packets[side] - (before ? before->packets[side] : 0);
        e->count.bytes[side] = flow->bytes[side] - (before ? before->bytes[side] : 0);
    }
    e->network_packets = e->count.packets[0] + e->count.packets[1];
    e->network_bytes = e->count.bytes[0] + e->count.bytes[1];
}

void flow_event_fill(struct flow_event *ret, const struct flow *flow, const struct flow_cold *cold,
                     enum flow_reason reason, uint64_t now_ns, const struct flow_counters *before)
{
    bool final = reason != FLOW_REASON_PERIOD;
    *ret = (struct flow_event){
        .head = {.type = &flow_event_type},
        .key = flow->key,
        .timestamp_ns = now_ns,
        .start_ns = flow->first_ns,
        .end_ns = flow->last_ns,
        .duration_ns = flow->last_ns - flow->first_ns,
        .handshake_ns = (uint64_t)cold->handshake_us * 1000,
        .retransmissions = flow->retransmissions,
        .out_of_order = flow->out_of_order,
        .icmp_errors = cold->icmp_errors,
        .initiator = flow->initiator,
        .final = final,
        .incomplete = flow->flags & FLOW_INCOMPLETE,
        .fragments = flow->flags & FLOW_FRAGMENTS,
        .dataset = "flow",
        .kind = "event",
        .action = "network_flow",
        .category_json = "[\"network\"]",
        .event_type_json = final ? "[\"connection\",\"end\"]" : "[\"connection\"]",
        .reason = reason_name(reason),
        .state = flow_connection_state(flow),
    };
    fill_ends(ret, flow, cold);
    fill_network(ret, flow, cold);
    fill_counters(ret, flow, before);
    if (flow->key.protocol == 6 && flow->key.version != 0) {
        flags_text(ret->source_flags, flow->tcp_flags[0]);
        flags_text(ret->destination_flags, flow->tcp_flags[1]);
    }
    flow_history_text(flow, cold, ret->history);
}

/* ---- Identities ------------------------------------------------------------------------------ */

/* The key has its ends in the order that the specification wants already, and an ICMP message without a
 * counterpart its sender first. */
void flow_event_community_id(char ret[FLOW_EVENT_COMMUNITY_ID], const struct flow_key *key)
{
    ret[0] = '\0';
    if (key->version == 0 || key->portless) {
        return;
    }
    size_t size = key->version == 4 ? 4 : 16;
    uint8_t message[COMMUNITY_MESSAGE] = {0}; /* the seed is 0 */
    const uint8_t tail[] = {key->protocol, 0, (uint8_t)(key->port[0] >> 8), (uint8_t)key->port[0],
                            (uint8_t)(key->port[1] >> 8), (uint8_t)key->port[1]};
    uint8_t *end = mempcpy(message + 2, key->address[0], size);
    end = mempcpy(end, key->address[1], size);
    end = mempcpy(end, tail, community_has_ports(key->protocol) ? sizeof tail : 2);
    community_of_message(ret, span_of(message, (size_t)(end - message)));
}

/* The flow's key and first packet, hashed without a secret: the same at every run and on every
 * host that saw the same packet. */
static void flow_id(struct flow_event *e)
{
    struct {
        struct flow_key key;
        uint64_t start;
    } identity = {e->key, e->start_ns};
    XXH128_hash_t hash = XXH3_128bits(&identity, sizeof identity);
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, hash);
    char *end = text_base64(e->flow_id, bytes.digest, sizeof bytes.digest);
    end[-2] = '\0'; /* no padding */
}

void flow_event_finish(struct flow_event *event)
{
    flow_event_community_id(event->community_id, &event->key);
    flow_id(event);
}
