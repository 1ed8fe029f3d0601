// SPDX-License-Identifier: Apache-2.0
#include "flow/flow.h"

#include "base/cursor.h"
#include "base/hash.h"

#include <netinet/in.h>
#include <stddef.h>

enum { MAC_SIZE = 6, IPV4_SIZE = 4, IPV6_SIZE = 16 };

/* What takes the place of ports in a key, from the sender's point of view. */
struct port_pair {
    uint16_t source;
    uint16_t destination;
    enum { PAIR_PLAIN, PAIR_PORTLESS, PAIR_DIRECTED } kind;
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
        return (struct port_pair){.kind = PAIR_PORTLESS};
    }
    int counterpart = p->protocol == IPPROTO_ICMP ? icmp_counterpart(p->icmp_type)
                                                  : icmpv6_counterpart(p->icmp_type);
    if (counterpart < 0) {
        return (struct port_pair){p->icmp_type, p->icmp_code, .kind = PAIR_DIRECTED};
    }
    return (struct port_pair){p->icmp_type, (uint16_t)counterpart, .kind = PAIR_PLAIN};
}

static struct port_pair pair_without_ports(const struct packet *p)
{
    switch (p->protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
        return (struct port_pair){.kind = PAIR_PORTLESS};
    case IPPROTO_ICMP:
    case IPPROTO_ICMPV6:
        return icmp_pair(p);
    default:
        return (struct port_pair){.kind = PAIR_PLAIN};
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

/* Where a field lies within a word of the key: a hash reads words, and a word written in pieces a
 * moment ago would stall it until all have reached the cache. */
static inline uint64_t field(uint64_t value, size_t offset, size_t size)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return value << offset % 8 * 8;
#else
    return value << (8 - offset % 8 - size) * 8;
#endif
}

#define FIELD(member, value) \
    field(value, offsetof(struct flow_key, member), sizeof(((struct flow_key *)NULL)->member))

static inline void set_word(void *to, uint64_t word)
{
    memcpy(to, &word, sizeof word);
}

/* All of the key but the addresses. */
static inline void set_rest(const struct packet *p, struct flow_key *ret, uint8_t protocol,
                            struct port_pair ports, int end)
{
    uint64_t id = tunnel_id_is_shared(p->tunnel) ? p->tunnel_id : 0;
    uint8_t *rest = (uint8_t *)ret + offsetof(struct flow_key, port);
    uint32_t pair = (uint32_t)ports.destination << 16 | ports.source;
    pair = end ? pair << 16 | pair >> 16 : pair;
    set_word(rest, FIELD(port[0], pair & UINT16_MAX) | FIELD(port[1], pair >> 16) |
                       FIELD(tunnel_id, id));
    set_word(rest + 8, FIELD(vlan[0], p->vlan[0]) | FIELD(vlan[1], p->vlan[1]) |
                           FIELD(protocol, protocol) | FIELD(version, p->version) |
                           FIELD(tunnel, p->tunnel));
    if (ports.kind != PAIR_PLAIN) {
        ret->portless = ports.kind == PAIR_PORTLESS;
        ret->directed = ports.kind == PAIR_DIRECTED;
    }
}

/* An IPv4 or MAC address; zeroes fill its place. */
static inline void set_short_address(struct flow_key *ret, int end, const uint8_t *address,
                                     size_t size)
{
    uint32_t head;
    uint16_t tail = 0;
    memcpy(&head, address, sizeof head);
    memcpy(&tail, address + sizeof head, size - sizeof head);
    set_word(ret->address[end], field(head, 0, sizeof head) | field(tail, 4, sizeof tail));
    set_word(ret->address[end] + 8, 0);
}

static inline int make_ipv4(const struct packet *p, struct flow_key *ret, struct port_pair ports)
{
    const uint8_t *source = packet_source_ip(p);
    const uint8_t *destination = packet_destination_ip(p);
    uint64_t from = (uint64_t)load_be32(source) << 16 | ports.source;
    uint64_t to = (uint64_t)load_be32(destination) << 16 | ports.destination;
    int end = from > to && ports.kind != PAIR_DIRECTED;
    set_short_address(ret, end, source, IPV4_SIZE);
    set_short_address(ret, 1 - end, destination, IPV4_SIZE);
    set_rest(p, ret, p->protocol, ports, end);
    return end;
}

static inline bool ipv6_is_higher(const uint8_t *a, const uint8_t *b, struct port_pair ports)
{
    uint64_t a_high = load_be64(a), a_low = load_be64(a + 8);
    uint64_t b_high = load_be64(b), b_low = load_be64(b + 8);
    if (a_high != b_high) {
        return a_high > b_high;
    }
    return a_low != b_low ? a_low > b_low : ports.source > ports.destination;
}

static inline int make_ipv6(const struct packet *p, struct flow_key *ret, struct port_pair ports)
{
    const uint8_t *source = packet_source_ip(p);
    const uint8_t *destination = packet_destination_ip(p);
    int end = ipv6_is_higher(source, destination, ports) && ports.kind != PAIR_DIRECTED;
    memcpy(ret->address[end], source, IPV6_SIZE);
    memcpy(ret->address[1 - end], destination, IPV6_SIZE);
    set_rest(p, ret, p->protocol, ports, end);
    return end;
}

static int make_ethernet(const struct packet *p, struct flow_key *ret)
{
    const uint8_t *source = p->mac + MAC_SIZE;
    const uint8_t *destination = p->mac;
    int end = memcmp(source, destination, MAC_SIZE) > 0;
    set_short_address(ret, end, source, MAC_SIZE);
    set_short_address(ret, 1 - end, destination, MAC_SIZE);
    set_rest(p, ret, 0, (struct port_pair){p->ethertype, 0, .kind = PAIR_PLAIN}, 0);
    return end;
}

int flow_key_make(const struct packet *p, struct flow_key *ret)
{
    if (p->version == 0) {
        return p->mac != NULL ? make_ethernet(p, ret) : -1;
    }
    struct port_pair ports = p->has_ports ? (struct port_pair){p->source_port, p->destination_port,
                                                               .kind = PAIR_PLAIN}
                                          : pair_without_ports(p);
    return p->version == 4 ? make_ipv4(p, ret, ports) : make_ipv6(p, ret, ports);
}

/* ---- The hash ------------------------------------------------------------------------------- */

/* Both halves of a 128-bit product, folded: the step of Wang Yi's wyhash. */
static inline uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t word_of(const struct flow_key *key, size_t at)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)key + 8 * at, sizeof word);
    return word;
}

static inline uint64_t turned(uint64_t seed, unsigned bits)
{
    return seed << bits | seed >> (64 - bits);
}

bool flow_key_may_cross(const struct flow_key *key)
{
    uint8_t top = key->address[1][0]; /* groups have the highest addresses */
    if (key->tunnel != TUNNEL_NONE) {
        return false;
    }
    return key->version == 4 ? top < 224 : key->version == 6 && top != 0xff;
}

/* XXH3 is as good and takes three times as long here: a key has one size, and half of that of IPv4
 * is zero. The multipliers are fractions of the square roots of primes, so that a seed of few bits
 * does no harm; who does not know the seed cannot make a factor zero. */
uint64_t flow_key_hash(const struct flow_key *key, uint64_t seed)
{
    uint64_t sum = fold(word_of(key, 0) ^ seed ^ UINT64_C(0x6a09e667f3bcc908),
                        word_of(key, 2) ^ turned(seed, 17) ^ UINT64_C(0xbb67ae8584caa73b));
    if (key->version == 6) {
        sum ^= fold(word_of(key, 1) ^ turned(seed, 29) ^ UINT64_C(0x3c6ef372fe94f82b),
                    word_of(key, 3) ^ turned(seed, 41) ^ UINT64_C(0xa54ff53a5f1d36f1));
    }
    uint64_t vlans = FIELD(vlan[0], UINT64_C(0xffff)) | FIELD(vlan[1], UINT64_C(0xffff));
    uint64_t last = word_of(key, 5);
    if (last & vlans && flow_key_may_cross(key)) {
        last &= ~vlans;
    }
    return fold(sum ^ word_of(key, 4), last ^ turned(seed, 53) ^ UINT64_C(0x510e527fade682d1));
}
