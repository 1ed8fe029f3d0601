// SPDX-License-Identifier: Apache-2.0
#include "tap/fanout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <linux/if_arp.h>
#include <linux/if_packet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"

/* A frame as the kernel's fanout hook sees it. */
struct hooked {
    uint8_t bytes[512];
    size_t size;
    size_t data; /* where skb->data points */
    uint32_t packet_type;
    uint32_t hardware;
    uint32_t protocol;
};

static const uint32_t ancillary_first = (uint32_t)SKF_AD_OFF;

static bool load_at(const struct hooked *h, int64_t at, uint32_t width, uint32_t *a)
{
    if (at < 0 || (size_t)at + width > h->size) {
        return false;
    }
    const uint8_t *p = h->bytes + at;
    *a = width == 4 ? load_be32(p) : width == 2 ? load_be16(p) : *p;
    return true;
}

static bool load_absolute(const struct hooked *h, uint32_t k, uint32_t width, uint32_t *a)
{
    if (k >= ancillary_first) {
        uint32_t what = k - ancillary_first;
        assert_true(what == SKF_AD_PKTTYPE || what == SKF_AD_HATYPE || what == SKF_AD_PROTOCOL);
        *a = what == SKF_AD_PKTTYPE  ? h->packet_type
             : what == SKF_AD_HATYPE ? h->hardware
                                     : h->protocol;
        return true;
    }
    if ((int32_t)k < 0) {
        return load_at(h, (int64_t)(int32_t)k - SKF_LL_OFF, width, a);
    }
    return load_at(h, (int64_t)h->data + k, width, a);
}

static void alu(uint32_t *a, uint16_t code, uint32_t value)
{
    switch (BPF_OP(code)) {
    case BPF_ADD: *a += value; break;
    case BPF_MUL: *a *= value; break;
    case BPF_XOR: *a ^= value; break;
    case BPF_AND: *a &= value; break;
    case BPF_LSH: *a <<= value; break;
    case BPF_RSH: *a >>= value; break;
    default: fail_msg("operation %x", code);
    }
}

static uint32_t width_of(uint16_t code)
{
    return BPF_SIZE(code) == BPF_W ? 4 : BPF_SIZE(code) == BPF_H ? 2 : 1;
}

/* Runs the program as the kernel does; a load out of bounds ends it with 0. */
static uint32_t run(const struct fanout_program *program, const struct hooked *h)
{
    uint32_t a = 0, x = 0, memory[BPF_MEMWORDS] = {0};
    for (uint32_t pc = 0;; pc++) {
        assert_true(pc < program->count);
        const struct sock_filter *i = &program->code[pc];
        switch (BPF_CLASS(i->code)) {
        case BPF_LD:
            if (BPF_MODE(i->code) == BPF_MEM) {
                a = memory[i->k];
            } else if (BPF_MODE(i->code) == BPF_ABS) {
                if (!load_absolute(h, i->k, width_of(i->code), &a)) {
                    return 0;
                }
            } else if (!load_at(h, (int64_t)h->data + x + i->k, width_of(i->code), &a)) {
                return 0;
            }
            break;
        case BPF_LDX: x = BPF_MODE(i->code) == BPF_MEM ? memory[i->k] : i->k; break;
        case BPF_ST: memory[i->k] = a; break;
        case BPF_STX: memory[i->k] = x; break;
        case BPF_ALU: alu(&a, i->code, BPF_SRC(i->code) == BPF_X ? x : i->k); break;
        case BPF_MISC: *(BPF_MISCOP(i->code) == BPF_TAX ? &x : &a) =
            BPF_MISCOP(i->code) == BPF_TAX ? a : x; break;
        case BPF_RET: return BPF_RVAL(i->code) == BPF_A ? a : i->k;
        case BPF_JMP:
            if (BPF_OP(i->code) == BPF_JA) {
                pc += i->k;
            } else {
                bool yes = BPF_OP(i->code) == BPF_JEQ ? a == i->k : (a & i->k) != 0;
                pc += yes ? i->jt : i->jf;
            }
            break;
        }
    }
}

static void add16(struct hooked *h, uint32_t value)
{
    h->bytes[h->size++] = (uint8_t)(value >> 8);
    h->bytes[h->size++] = (uint8_t)value;
}

static void add32(struct hooked *h, uint32_t value)
{
    add16(h, value >> 16);
    add16(h, value & 0xffff);
}

static void add_ethernet(struct hooked *h, uint8_t from, uint8_t to, uint32_t type)
{
    add32(h, 0x02000000), add16(h, to);
    add32(h, 0x02000000), add16(h, from);
    add16(h, type);
}

static void add_ipv4(struct hooked *h, uint32_t from, uint32_t to, uint32_t protocol,
                     uint32_t fragment)
{
    add16(h, 0x4500), add16(h, 100), add16(h, (uint32_t)rand() & 0xffff), add16(h, fragment);
    add16(h, 64 << 8 | protocol), add16(h, 0);
    add32(h, from), add32(h, to);
}

static void add_ipv6(struct hooked *h, uint32_t from, uint32_t to, uint32_t next)
{
    add32(h, 0x60000000), add16(h, 100), add16(h, next << 8 | 64);
    add32(h, 0x20010db8), add32(h, 0), add32(h, from), add32(h, 1);
    add32(h, 0x20010db8), add32(h, 0), add32(h, to), add32(h, 1);
}

static void add_udp(struct hooked *h, uint32_t from, uint32_t to)
{
    add16(h, from), add16(h, to), add16(h, 80), add16(h, 0);
}

enum shape {
    PLAIN, FRAGMENT, TAGGED, TWICE_TAGGED, IPV6, VXLAN, VXLAN_TAGGED, GENEVE, GENEVE_OPTIONS, GTP,
    GTP_EXTENDED, GRE_IP, GRE_KEYED_ETHERNET, IP_IN_IP, SIX_IN_FOUR, FOUR_IN_SIX, VXLAN_IN_GRE,
    SHAPES,
};

static void add_inner_ethernet(struct hooked *h, uint32_t from, uint32_t to)
{
    add_ethernet(h, (uint8_t)from, (uint8_t)to, 0x0800);
    add_ipv4(h, from, to, 6, 0);
}

static void add_vxlan(struct hooked *h)
{
    add_udp(h, 49152 + (uint32_t)rand() % 1000, 4789);
    add32(h, 0x08000000), add32(h, 42 << 8);
}

static void add_gre(struct hooked *h, uint32_t flags, uint32_t type)
{
    add16(h, flags), add16(h, type);
    for (uint32_t bit = 0x8000; bit >= 0x1000; bit >>= 1) {
        if (flags & bit) {
            add32(h, (uint32_t)rand());
        }
    }
}

/* A frame on an Ethernet link between the hosts `from` and `to`; tunnels end at 9.9.9.1 and .2, in
 * the direction that goes with them, so that only the inner pair tells flows apart. */
static void build(struct hooked *h, enum shape shape, uint32_t from, uint32_t to)
{
    uint32_t near = 0x09090901 + (from > to), far = 0x09090901 + (from <= to);
    uint32_t tunnel_protocol = shape == GRE_IP || shape == GRE_KEYED_ETHERNET || shape == VXLAN_IN_GRE
                                   ? 47 : shape == IP_IN_IP ? 4 : shape == SIX_IN_FOUR ? 41 : 17;
    *h = (struct hooked){.hardware = ARPHRD_ETHER};
    add_ethernet(h, (uint8_t)near, (uint8_t)far,
                 shape == TAGGED || shape == TWICE_TAGGED      ? 0x8100
                 : shape == IPV6 || shape == FOUR_IN_SIX ? 0x86dd
                                                         : 0x0800);
    switch (shape) {
    case TWICE_TAGGED: case TAGGED: case PLAIN:
        if (shape == TWICE_TAGGED) {
            add16(h, 7), add16(h, 0x8100);
        }
        if (shape != PLAIN) {
            add16(h, 5), add16(h, 0x0800);
        }
        add_ipv4(h, from, to, 17, 0), add_udp(h, from & 0xffff, 4000);
        return;
    case FRAGMENT: add_ipv4(h, from, to, 17, 0x2000 | (uint32_t)rand() % 99); return;
    case IPV6: add_ipv6(h, from, to, 6); return;
    case FOUR_IN_SIX: add_ipv6(h, near, far, 4); add_ipv4(h, from, to, 6, 0); return;
    default: add_ipv4(h, near, far, tunnel_protocol, 0x4000); break;
    }
    switch (shape) {
    case VXLAN: add_vxlan(h); add_inner_ethernet(h, from, to); break;
    case VXLAN_TAGGED:
        add_vxlan(h);
        add_ethernet(h, 1, 2, 0x88a8), add16(h, 9), add16(h, 0x0800);
        add_ipv4(h, from, to, 6, 0);
        break;
    case GENEVE: case GENEVE_OPTIONS:
        add_udp(h, (uint32_t)rand() & 0xffff, 6081);
        add16(h, shape == GENEVE ? 0 : 2 << 8), add16(h, 0x6558), add32(h, 0);
        if (shape == GENEVE_OPTIONS) {
            add32(h, (uint32_t)rand()), add32(h, (uint32_t)rand());
        }
        add_inner_ethernet(h, from, to);
        break;
    case GTP: case GTP_EXTENDED:
        add_udp(h, (uint32_t)rand() & 0xffff, 2152);
        add16(h, shape == GTP ? 0x30ff : 0x34ff), add16(h, 40), add32(h, (uint32_t)rand());
        if (shape == GTP_EXTENDED) {
            add32(h, 0x85), add32(h, 0x01100900);
        }
        add_ipv4(h, from, to, 6, 0);
        break;
    case GRE_IP: add_gre(h, 0, 0x0800); add_ipv4(h, from, to, 6, 0); break;
    case GRE_KEYED_ETHERNET: add_gre(h, 0xb000, 0x6558); add_inner_ethernet(h, from, to); break;
    case VXLAN_IN_GRE:
        add_gre(h, 0x2000, 0x0800);
        add_ipv4(h, near, far, 17, 0);
        add_vxlan(h);
        add_inner_ethernet(h, from, to);
        break;
    case SIX_IN_FOUR: add_ipv6(h, from, to, 6); break;
    default: add_ipv4(h, from, to, 6, 0); break;
    }
}

/* As the kernel hands over a received frame: behind its link header and its first tag. */
static void receive(struct hooked *h)
{
    h->packet_type = PACKET_HOST;
    if (load_be16(h->bytes + 12) == 0x8100) {
        memmove(h->bytes + 12, h->bytes + 16, h->size - 16);
        h->size -= 4;
    }
    h->protocol = load_be16(h->bytes + 12);
    h->data = 14;
}

/* As the kernel hands over a frame on its way out: with its link header. */
static void send_out(struct hooked *h)
{
    h->packet_type = PACKET_OUTGOING;
    h->protocol = load_be16(h->bytes + 12);
    h->data = 0;
}

static struct fanout_program program;

static uint32_t result(enum shape shape, uint32_t from, uint32_t to, bool is_received)
{
    struct hooked h;
    build(&h, shape, from, to);
    (is_received ? receive : send_out)(&h);
    return run(&program, &h);
}

static void test_directions_agree(void **state)
{
    for (enum shape shape = PLAIN; shape < SHAPES; shape++) {
        for (uint32_t i = 0; i < 100; i++) {
            uint32_t a = 0x0a000000 + (uint32_t)rand() % 65536, b = 0xc0a80000 + i;
            uint32_t expected = result(shape, a, b, true);
            assert_true(expected != 0);
            assert_int_equal(result(shape, b, a, true), expected);
            assert_int_equal(result(shape, a, b, false), expected);
            assert_int_equal(result(shape, b, a, false), expected);
        }
    }
}

/* The inner pair decides, whatever carries it. */
static void test_tunnels_are_seen_through(void **state)
{
    uint32_t a = 0x0a000001, b = 0xc0a80009;
    uint32_t plain = result(PLAIN, a, b, true);
    for (enum shape shape = PLAIN; shape < SHAPES; shape++) {
        if (shape != IPV6 && shape != SIX_IN_FOUR) {
            assert_int_equal(result(shape, a, b, true), plain);
        }
    }
    assert_int_equal(result(SIX_IN_FOUR, a, b, true), result(IPV6, a, b, true));
}

static void test_spread(void **state)
{
    for (uint32_t workers = 2; workers <= 16; workers *= 2) {
        uint32_t counts[16] = {0};
        for (uint32_t i = 0; i < 4096; i++) { /* neighbours talking to one server */
            counts[result(PLAIN, 0x0a000000 + i, 0x0a010001, true) % workers]++;
        }
        for (uint32_t i = 0; i < workers; i++) {
            assert_in_range(counts[i], 4096 / workers * 3 / 4, 4096 / workers * 5 / 4);
        }
    }
}

static void test_not_ip(void **state)
{
    struct hooked h = {.hardware = ARPHRD_ETHER};
    add_ethernet(&h, 1, 2, 0x0806);
    receive(&h);
    assert_int_equal(run(&program, &h), 0);
    struct hooked forth = {.hardware = ARPHRD_ETHER}, back = forth;
    add_ethernet(&forth, 1, 2, 0x8864);
    add_ethernet(&back, 2, 1, 0x8864);
    receive(&forth);
    send_out(&back);
    assert_true(run(&program, &forth) != 0);
    assert_int_equal(run(&program, &forth), run(&program, &back));
}

static void test_cut_anywhere(void **state)
{
    for (enum shape shape = PLAIN; shape < SHAPES; shape++) {
        struct hooked h;
        build(&h, shape, 0x0a000001, 0xc0a80001);
        send_out(&h);
        for (size_t size = h.size; size-- > 0;) {
            h.size = size;
            (void)run(&program, &h);
        }
    }
}

/* Its check is stricter than ours; a filter on one's own socket needs no rights. */
static void test_kernel_takes_it(void **state)
{
    int udp = socket(AF_INET, SOCK_DGRAM, 0);
    struct sock_fprog filter = {.len = program.count, .filter = program.code};
    assert_int_equal(setsockopt(udp, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), 0);
    close(udp);
}

int main(void)
{
    fanout_build(&program);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directions_agree), cmocka_unit_test(test_tunnels_are_seen_through),
        cmocka_unit_test(test_spread),           cmocka_unit_test(test_not_ip),
        cmocka_unit_test(test_cut_anywhere),     cmocka_unit_test(test_kernel_takes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
