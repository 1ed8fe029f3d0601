// SPDX-License-Identifier: Apache-2.0
#include "tap/fanout.h"

#include <assert.h>
#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The offsets of the program count from skb->data, which is not the same place for all frames when
 * the fanout runs: a received frame starts at its network header there, one on its way out at its
 * link header (the table at the top of the kernel's net/packet/af_packet.c). Loads by SKF_NET_OFF
 * would hide the difference, but they reach only the linear part of a frame, which often ends
 * before the inner headers of a tunnel. So X holds the offset of the header that is looked at, and
 * only where it starts depends on the direction. The kernel takes one VLAN tag off each received
 * frame beforehand. */

enum {
    TUNNELS_MAX = 2,
    TAGS_MAX = 2,
    LABELS_MAX = 96,
    IPV6_SIZE = 40,
    UDP_SIZE = 8,
    VXLAN_SIZE = 8,
    GENEVE_SIZE = 8,
    GTP_SIZE = 8,
    GTP_OPTIONAL_SIZE = 4,
    PORT_VXLAN = 4789,
    PORT_GENEVE = 6081,
    PORT_GTP = 2152,
    GRE_ETHERNET = 0x6558, /* transparent Ethernet bridging, RFC 7637 */
};

/* Scratch words of the program. */
enum { SOURCE, DESTINATION, KEPT, OFFSET, FLAGS, WORDS };

#define MIX_SUM 0x9e3779b1U /* odd constants with well-mixed bits */
#define MIX_XOR 0x85ebca6bU
#define MIX_LAST 0xc2b2ae35U
#define MIX_WORD 0x01000193U

struct assembler {
    struct fanout_program *program;
    uint16_t label_count;
    uint16_t labels[LABELS_MAX]; /* instruction that each stands for */
};

/* Where one level of headers can be entered: at an Ethernet header, with an EtherType in A, at an
 * IP header. X is the offset of that header. */
struct level {
    uint16_t ethernet;
    uint16_t type;
    uint16_t ipv4;
    uint16_t ipv6;
};

static uint16_t new_label(struct assembler *a)
{
    assert(a->label_count < LABELS_MAX);
    return a->label_count++;
}

static void set_label(struct assembler *a, uint16_t label)
{
    a->labels[label] = a->program->count;
}

static void emit_jump(struct assembler *a, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
    assert(a->program->count < FANOUT_PROGRAM_MAX);
    a->program->code[a->program->count++] = (struct sock_filter){code, jt, jf, k};
}

static void emit(struct assembler *a, uint16_t code, uint32_t k)
{
    emit_jump(a, code, k, 0, 0);
}

/* Only BPF_JA reaches any distance, so that every jump to a label is one; resolve() aims them. */
static void go(struct assembler *a, uint16_t label)
{
    emit(a, BPF_JMP | BPF_JA, label);
}

static void go_if_equal(struct assembler *a, uint32_t value, uint16_t label)
{
    emit_jump(a, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    go(a, label);
}

static void go_unless_equal(struct assembler *a, uint32_t value, uint16_t label)
{
    emit_jump(a, BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    go(a, label);
}

static void go_if_any_bit(struct assembler *a, uint32_t bits, uint16_t label)
{
    emit_jump(a, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    go(a, label);
}

static void resolve(struct assembler *a)
{
    for (uint32_t i = 0; i < a->program->count; i++) {
        struct sock_filter *jump = &a->program->code[i];
        if (jump->code == (BPF_JMP | BPF_JA)) {
            assert(a->labels[jump->k] > i);
            jump->k = a->labels[jump->k] - i - 1;
        }
    }
}

/* A = the byte, half word or word at X + offset. */
static void load(struct assembler *a, uint16_t size, uint32_t offset)
{
    emit(a, BPF_LD | BPF_IND | size, offset);
}

static void load_ancillary(struct assembler *a, int32_t what)
{
    emit(a, BPF_LD | BPF_ABS | BPF_W, (uint32_t)(SKF_AD_OFF + what));
}

static void keep(struct assembler *a, uint32_t slot)
{
    emit(a, BPF_ST, slot);
}

static void recall(struct assembler *a, uint32_t slot)
{
    emit(a, BPF_LD | BPF_MEM, slot);
}

/* A = A operation argument; X where `operation` has BPF_X. */
static void compute(struct assembler *a, uint16_t operation, uint32_t argument)
{
    emit(a, BPF_ALU | operation, argument);
}

static void set_offset(struct assembler *a)
{
    emit(a, BPF_MISC | BPF_TAX, 0);
}

/* X = X + size; A is lost. */
static void step(struct assembler *a, uint32_t size)
{
    emit(a, BPF_MISC | BPF_TXA, 0);
    compute(a, BPF_ADD | BPF_K, size);
    set_offset(a);
}

/* Ends with the hash of the two address words, the same when they are exchanged. */
static void emit_hash(struct assembler *a)
{
    recall(a, DESTINATION);
    emit(a, BPF_LDX | BPF_MEM, SOURCE);
    compute(a, BPF_ADD | BPF_X, 0);
    compute(a, BPF_MUL | BPF_K, MIX_SUM);
    keep(a, KEPT);
    recall(a, DESTINATION);
    compute(a, BPF_XOR | BPF_X, 0);
    compute(a, BPF_MUL | BPF_K, MIX_XOR);
    emit(a, BPF_LDX | BPF_MEM, KEPT);
    compute(a, BPF_XOR | BPF_X, 0);
    set_offset(a);
    compute(a, BPF_RSH | BPF_K, 16);
    compute(a, BPF_XOR | BPF_X, 0);
    compute(a, BPF_MUL | BPF_K, MIX_LAST);
    set_offset(a);
    compute(a, BPF_RSH | BPF_K, 13);
    compute(a, BPF_XOR | BPF_X, 0);
    emit(a, BPF_RET | BPF_A, 0);
}

/* Makes one word of the IPv6 address at X + offset; X is also in OFFSET. */
static void emit_fold(struct assembler *a, uint32_t offset, uint32_t slot)
{
    load(a, BPF_W, offset);
    for (uint32_t word = 1; word < 4; word++) {
        compute(a, BPF_MUL | BPF_K, MIX_WORD);
        keep(a, KEPT);
        load(a, BPF_W, offset + 4 * word);
        emit(a, BPF_LDX | BPF_MEM, KEPT);
        compute(a, BPF_XOR | BPF_X, 0);
        emit(a, BPF_LDX | BPF_MEM, OFFSET);
    }
    keep(a, slot);
}

/* Goes to the next level with the EtherType in KEPT. */
static void go_by_type(struct assembler *a, const struct level *inner)
{
    recall(a, KEPT);
    go_if_equal(a, GRE_ETHERNET, inner->ethernet);
    go(a, inner->type);
}

/* GRE, RFC 2784 and 2890: a word each for checksum, key and sequence number, if their flags are
 * set. Version 1 (PPTP) and source routes are not looked into. */
static void emit_gre(struct assembler *a, const struct level *inner, uint16_t hash)
{
    load(a, BPF_H, 0);
    go_if_any_bit(a, 0x4007, hash);
    keep(a, FLAGS);
    load(a, BPF_H, 2);
    keep(a, KEPT);
    emit(a, BPF_STX, OFFSET);
    recall(a, FLAGS);
    compute(a, BPF_RSH | BPF_K, 15);
    compute(a, BPF_ADD | BPF_K, 1);
    for (uint32_t bit = 13; bit >= 12; bit--) {
        keep(a, WORDS);
        recall(a, FLAGS);
        compute(a, BPF_RSH | BPF_K, bit);
        compute(a, BPF_AND | BPF_K, 1);
        emit(a, BPF_LDX | BPF_MEM, WORDS);
        compute(a, BPF_ADD | BPF_X, 0);
    }
    compute(a, BPF_LSH | BPF_K, 2);
    emit(a, BPF_LDX | BPF_MEM, OFFSET);
    compute(a, BPF_ADD | BPF_X, 0);
    set_offset(a);
    go_by_type(a, inner);
}

/* GENEVE, RFC 8926: options of a length that the first byte tells. */
static void emit_geneve(struct assembler *a, const struct level *inner)
{
    load(a, BPF_H, UDP_SIZE + 2);
    keep(a, KEPT);
    load(a, BPF_B, UDP_SIZE);
    compute(a, BPF_AND | BPF_K, 0x3f);
    compute(a, BPF_LSH | BPF_K, 2);
    compute(a, BPF_ADD | BPF_K, UDP_SIZE + GENEVE_SIZE);
    compute(a, BPF_ADD | BPF_X, 0);
    set_offset(a);
    go_by_type(a, inner);
}

/* GTP-U, 3GPP TS 29.281 §5: a G-PDU of version 1 with at most one extension header, as the user
 * plane of 5G has it. */
static void emit_gtp(struct assembler *a, const struct level *inner, uint16_t hash)
{
    uint16_t optional = new_label(a), extended = new_label(a), at_ip = new_label(a);
    load(a, BPF_B, UDP_SIZE + 1);
    go_unless_equal(a, 0xff, hash); /* G-PDU */
    load(a, BPF_B, UDP_SIZE);
    go_if_any_bit(a, 0x07, optional);
    step(a, UDP_SIZE + GTP_SIZE);
    go(a, at_ip);

    set_label(a, optional);
    go_if_any_bit(a, 0x04, extended);
    step(a, UDP_SIZE + GTP_SIZE + GTP_OPTIONAL_SIZE);
    go(a, at_ip);

    set_label(a, extended); /* its first byte is its length in words, its last the next type */
    load(a, BPF_B, UDP_SIZE + GTP_SIZE + GTP_OPTIONAL_SIZE);
    compute(a, BPF_LSH | BPF_K, 2);
    compute(a, BPF_ADD | BPF_K, UDP_SIZE + GTP_SIZE + GTP_OPTIONAL_SIZE - 1);
    compute(a, BPF_ADD | BPF_X, 0);
    set_offset(a);
    load(a, BPF_B, 0);
    go_unless_equal(a, 0, hash);
    step(a, 1);

    set_label(a, at_ip);
    load(a, BPF_B, 0);
    compute(a, BPF_AND | BPF_K, 0xf0);
    go_if_equal(a, 0x40, inner->ipv4);
    go_if_equal(a, 0x60, inner->ipv6);
    go(a, hash);
}

/* A is the protocol of what X points at. */
static void emit_payload(struct assembler *a, const struct level *inner, uint16_t hash)
{
    uint16_t gre = new_label(a), geneve = new_label(a), gtp = new_label(a);
    go_if_equal(a, IPPROTO_IPIP, inner->ipv4);
    go_if_equal(a, IPPROTO_IPV6, inner->ipv6);
    go_if_equal(a, IPPROTO_GRE, gre);
    go_unless_equal(a, IPPROTO_UDP, hash);
    load(a, BPF_H, 2);
    go_if_equal(a, PORT_GENEVE, geneve);
    go_if_equal(a, PORT_GTP, gtp);
    go_unless_equal(a, PORT_VXLAN, hash);
    step(a, UDP_SIZE + VXLAN_SIZE);
    go(a, inner->ethernet);
    set_label(a, gre);
    emit_gre(a, inner, hash);
    set_label(a, geneve);
    emit_geneve(a, inner);
    set_label(a, gtp);
    emit_gtp(a, inner, hash);
}

/* An IPv4 header at X; RFC 791. A fragment's payload may be the middle of anything. */
static void emit_ipv4(struct assembler *a, bool is_last, uint16_t payload, uint16_t hash)
{
    load(a, BPF_W, 12);
    keep(a, SOURCE);
    load(a, BPF_W, 16);
    keep(a, DESTINATION);
    if (is_last) {
        go(a, hash);
        return;
    }
    load(a, BPF_H, 6);
    go_if_any_bit(a, 0x3fff, hash); /* more fragments, or an offset */
    load(a, BPF_B, 9);
    keep(a, KEPT);
    load(a, BPF_B, 0);
    compute(a, BPF_AND | BPF_K, 0x0f);
    compute(a, BPF_LSH | BPF_K, 2);
    compute(a, BPF_ADD | BPF_X, 0);
    set_offset(a);
    recall(a, KEPT);
    go(a, payload);
}

/* An IPv6 header at X; RFC 8200. A fragment has an extension header, which ends the walk. */
static void emit_ipv6(struct assembler *a, bool is_last, uint16_t hash)
{
    emit(a, BPF_STX, OFFSET);
    emit_fold(a, 8, SOURCE);
    emit_fold(a, 24, DESTINATION);
    if (is_last) {
        go(a, hash);
        return;
    }
    load(a, BPF_B, 6);
    keep(a, KEPT);
    step(a, IPV6_SIZE);
    recall(a, KEPT);
}

static struct level new_level(struct assembler *a)
{
    return (struct level){new_label(a), new_label(a), new_label(a), new_label(a)};
}

/* One level of headers; `other` is where an EtherType leads that is not IP. */
static void emit_level(struct assembler *a, const struct level *level, const struct level *inner,
                       uint16_t other, uint16_t hash)
{
    set_label(a, level->ethernet);
    load(a, BPF_H, ETH_HLEN - 2);
    keep(a, KEPT);
    step(a, ETH_HLEN);
    recall(a, KEPT);
    set_label(a, level->type);
    for (int i = 0; i < TAGS_MAX; i++) {
        uint16_t tag = new_label(a), no_tag = new_label(a);
        go_if_equal(a, ETH_P_8021Q, tag);
        go_unless_equal(a, ETH_P_8021AD, no_tag);
        set_label(a, tag);
        load(a, BPF_H, 2);
        keep(a, KEPT);
        step(a, 4);
        recall(a, KEPT);
        set_label(a, no_tag);
    }
    go_if_equal(a, ETH_P_IP, level->ipv4);
    go_if_equal(a, ETH_P_IPV6, level->ipv6);
    go(a, other);
    uint16_t payload = new_label(a);
    set_label(a, level->ipv4);
    emit_ipv4(a, inner == NULL, payload, hash);
    set_label(a, level->ipv6);
    emit_ipv6(a, inner == NULL, hash);
    set_label(a, payload);
    if (inner != NULL) {
        emit_payload(a, inner, hash);
    }
}

/* Where the outermost header starts, by the direction of the frame. */
static void emit_start(struct assembler *a, const struct level *outer)
{
    uint16_t at_network = new_label(a);
    emit(a, BPF_LDX | BPF_IMM, 0);
    load_ancillary(a, SKF_AD_PKTTYPE);
    go_unless_equal(a, PACKET_OUTGOING, at_network);
    load_ancillary(a, SKF_AD_HATYPE);
    go_if_equal(a, ARPHRD_ETHER, outer->ethernet);
    go_if_equal(a, ARPHRD_LOOPBACK, outer->ethernet);
    set_label(a, at_network);
    load_ancillary(a, SKF_AD_PROTOCOL);
    go(a, outer->type);
}

/* Not IP; A is the EtherType. The last words of the two MAC addresses, if there are any and they
 * are a pair: an ARP request goes to all, its answer to one. */
static void emit_not_ip(struct assembler *a, uint16_t hash, uint16_t first_worker)
{
    go_if_equal(a, ETH_P_ARP, first_worker);
    load_ancillary(a, SKF_AD_HATYPE);
    go_unless_equal(a, ARPHRD_ETHER, first_worker);
    emit(a, BPF_LD | BPF_ABS | BPF_W, (uint32_t)(SKF_LL_OFF + 2));
    keep(a, DESTINATION);
    emit(a, BPF_LD | BPF_ABS | BPF_W, (uint32_t)(SKF_LL_OFF + 8));
    keep(a, SOURCE);
}

void fanout_build(struct fanout_program *ret)
{
    ret->count = 0;
    struct assembler a = {.program = ret};
    uint16_t hash = new_label(&a), not_ip = new_label(&a), first_worker = new_label(&a);
    struct level level = new_level(&a);
    emit_start(&a, &level);
    for (int depth = 0; depth <= TUNNELS_MAX; depth++) {
        struct level inner = new_level(&a);
        emit_level(&a, &level, depth < TUNNELS_MAX ? &inner : NULL, depth == 0 ? not_ip : hash,
                   hash);
        level = inner;
    }
    set_label(&a, not_ip);
    emit_not_ip(&a, hash, first_worker);
    set_label(&a, hash);
    emit_hash(&a);
    set_label(&a, first_worker); /* last: the kernel's check of scratch words walks over a return */
    emit(&a, BPF_RET | BPF_K, 0);
    resolve(&a);
}

bool fanout_join(int fd, uint16_t group, struct err *err)
{
    struct fanout_program program;
    fanout_build(&program);
    const struct sock_fprog filter = {.len = program.count, .filter = program.code};
    const int join = (PACKET_FANOUT_CBPF << 16) | group;
    if (setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &join, sizeof join) < 0 ||
        setsockopt(fd, SOL_PACKET, PACKET_FANOUT_DATA, &filter, sizeof filter) < 0) {
        return err_set(err, ERR_FAILED, "fanout group %u: %s", group, strerror(errno));
    }
    return true;
}
