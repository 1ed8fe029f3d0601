// SPDX-License-Identifier: Apache-2.0
#include "flow/flow.h"

#include "base/cursor.h"
#include "base/hash.h"

#include <netinet/in.h>

enum { MAC_SIZE = 6 };

/* What takes the place of ports in a key, from the sender's point of view. */
struct port_pair {
    uint16_t source;
    uint16_t destination;
    bool portless;
    bool directed;
};

/* The type that answers, or asks for, an ICMP type; -1: there is none (RFC 792, 950, 1256). */
static int icmp_counterpart(uint8_t type)
{
    switch (type) {
    case 0: return 8; /* echo */
    case 8: return 0;
    case 9: return 10; /* router advertisement and solicitation */
    case 10: return 9;
    case 13: return 14; /* timestamp */
    case 14: return 13;
    case 15: return 16; /* information */
    case 16: return 15;
    case 17: return 18; /* address mask */
    case 18: return 17;
    default: return -1;
    }
}

/* The same for ICMPv6 (RFC 4443, 2710, 4861, 4620, 6275). */
static int icmpv6_counterpart(uint8_t type)
{
    switch (type) {
    case 128: return 129; /* echo */
    case 129: return 128;
    case 130: return 131; /* multicast listener query and report */
    case 131: return 130;
    case 133: return 134; /* router solicitation and advertisement */
    case 134: return 133;
    case 135: return 136; /* neighbour solicitation and advertisement */
    case 136: return 135;
    case 139: return 140; /* node information */
    case 140: return 139;
    case 144: return 145; /* home agent address discovery */
    case 145: return 144;
    default: return -1;
    }
}

/* Community ID's pairs: a question and its answer make one flow, all else is (type, code). */
static struct port_pair icmp_pair(const struct packet *p)
{
    if (p->fragment == FRAGMENT_LATER || p->class == PACKET_MALFORMED || p->end - p->l4 < 2) {
        return (struct port_pair){.portless = true};
    }
    int counterpart = p->protocol == IPPROTO_ICMP ? icmp_counterpart(p->icmp_type)
                                                  : icmpv6_counterpart(p->icmp_type);
    if (counterpart < 0) {
        return (struct port_pair){p->icmp_type, p->icmp_code, .directed = true};
    }
    return (struct port_pair){p->icmp_type, (uint16_t)counterpart, .directed = false};
}

static inline struct port_pair port_pair_of(const struct packet *p)
{
    if (p->has_ports) {
        return (struct port_pair){p->source_port, p->destination_port, .portless = false};
    }
    switch (p->protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
        return (struct port_pair){.portless = true};
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return icmp_pair(p);
    default:
        return (struct port_pair){.portless = false};
    }
}

/* VNI, VSID and PPPoE session id name the same segment or line in both directions (RFC 7348, 7637,
 * 8926, 2516); an ERSPAN session is one mirror that sees both, and keeps apart what two mirrors saw
 * of one conversation. TEIDs, L2TP sessions, GRE keys and labels are the receiver's choice. */
static inline bool tunnel_id_is_shared(uint8_t tunnel)
{
    const uint32_t shared = 1U << TUNNEL_VXLAN | 1U << TUNNEL_NVGRE | 1U << TUNNEL_GENEVE |
                            1U << TUNNEL_ERSPAN | 1U << TUNNEL_PPPOE;
    return shared >> tunnel & 1;
}

/* All of the key but its ends. */
static inline void set_context(const struct packet *p, struct flow_key *ret, uint8_t protocol,
                               struct port_pair ports)
{
    ret->tunnel_id = tunnel_id_is_shared(p->tunnel) ? p->tunnel_id : 0;
    ret->vlan[0] = p->vlan[0];
    ret->vlan[1] = p->vlan[1];
    ret->protocol = protocol;
    ret->version = p->version;
    ret->tunnel = p->tunnel;
    ret->portless = ports.portless;
    ret->directed = ports.directed;
    ret->zero = 0;
}

/* An address in its place of 16 bytes, as the two words that hold it. */
struct address_words {
    uint64_t first;
    uint64_t second;
};

static inline void set_end(struct flow_key *ret, int end, struct address_words address,
                           uint16_t port)
{
    memcpy(ret->address[end], &address, sizeof address);
    ret->port[end] = port;
}

static inline struct address_words words_of(const uint8_t *address, size_t size)
{
    struct address_words words = {0, 0};
    memcpy(&words, address, size);
    return words;
}

static inline int make_ipv4(const struct packet *p, struct flow_key *ret)
{
    const uint8_t *source = packet_source_ip(p);
    const uint8_t *destination = packet_destination_ip(p);
    struct port_pair ports = port_pair_of(p);
    uint64_t from = (uint64_t)load_be32(source) << 16 | ports.source;
    uint64_t to = (uint64_t)load_be32(destination) << 16 | ports.destination;
    int end = from > to && !ports.directed;
    set_end(ret, end, words_of(source, 4), ports.source);
    set_end(ret, 1 - end, words_of(destination, 4), ports.destination);
    set_context(p, ret, p->protocol, ports);
    return end;
}

static int make_ipv6(const struct packet *p, struct flow_key *ret)
{
    const uint8_t *source = packet_source_ip(p);
    const uint8_t *destination = packet_destination_ip(p);
    struct port_pair ports = port_pair_of(p);
    int order = memcmp(source, destination, 16);
    if (order == 0) {
        order = ports.source - ports.destination;
    }
    int end = order > 0 && !ports.directed;
    set_end(ret, end, words_of(source, 16), ports.source);
    set_end(ret, 1 - end, words_of(destination, 16), ports.destination);
    set_context(p, ret, p->protocol, ports);
    return end;
}

static int make_ethernet(const struct packet *p, struct flow_key *ret)
{
    const uint8_t *source = p->mac + MAC_SIZE;
    const uint8_t *destination = p->mac;
    int end = memcmp(source, destination, MAC_SIZE) > 0;
    set_end(ret, end, words_of(source, MAC_SIZE), 0);
    set_end(ret, 1 - end, words_of(destination, MAC_SIZE), 0);
    ret->port[0] = p->ethertype;
    set_context(p, ret, 0, (struct port_pair){.portless = false});
    return end;
}

int flow_key_make(const struct packet *p, struct flow_key *ret)
{
    if (p->version == 4) {
        return make_ipv4(p, ret);
    }
    if (p->version == 6) {
        return make_ipv6(p, ret);
    }
    return p->mac != NULL ? make_ethernet(p, ret) : -1;
}

uint64_t flow_key_hash(const struct flow_key *key, uint64_t seed)
{
    return hash64(key, sizeof *key, seed);
}
