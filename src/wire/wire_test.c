// SPDX-License-Identifier: Apache-2.0
/* Frames written down in hexadecimal, and what they must be. */
#include "wire/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Header by header; lengths are hexadecimal strings, too. */
#define MAC "020000000001 020000000002 "
#define IP4_FLAGS(total, flags, protocol) \
    "4500" total "0001" flags "40" protocol "0000 0a000001 0a000002 "
#define IP4(total, protocol) IP4_FLAGS(total, "0000", protocol)
#define IP6(size, next) \
    "60000000" size next "40 20010db8000000000000000000000001 20010db8000000000000000000000002 "
#define TCP "0401 0050 00000001 00000002 5018 ffff 0000 0000 "
#define UDP(source, destination, size) source destination size "0000 "
#define TCP4 IP4("0028", "06") TCP                     /* 40 bytes */
#define UDP6 IP6("0008", "11") UDP("0035", "0401", "0008") /* 48 bytes */
#define TCP4_FRAME MAC "0800" TCP4                     /* 54 bytes */
#define GRE(total) MAC "0800" IP4(total, "2f")
#define OVER_UDP(total, port, size) MAC "0800" IP4(total, "11") UDP("c000", port, size)

enum { BYTES_MAX = 2048 };

struct bytes {
    uint8_t *data; /* of exactly `size` bytes, so that reads behind them are found */
    uint32_t size;
};

static struct bytes bytes_new(const char *hex)
{
    uint8_t buffer[BYTES_MAX];
    uint32_t size = 0;
    for (unsigned value; *hex != '\0';) {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert_true(size < BYTES_MAX);
        assert_int_equal(sscanf(hex, "%2x", &value), 1);
        buffer[size++] = (uint8_t)value;
        hex += 2;
    }
    struct bytes b = {.data = malloc(size > 0 ? size : 1), .size = size};
    assert_non_null(b.data);
    memcpy(b.data, buffer, size);
    return b;
}

static struct frame frame_of(struct bytes b, uint16_t link)
{
    return (struct frame){.time_ns = 1, .data = b.data, .cap_len = b.size, .wire_len = b.size,
                          .link = link};
}

/* The hierarchy path as text, with slashes between the layers. */
static void path_of(const struct packet *p, char *ret, size_t size)
{
    size_t used = 0;
    ret[0] = '\0';
    for (int i = 0; i < PACKET_LAYERS_MAX; i++) {
        uint64_t shifted = p->layers >> i * PACKET_LAYER_BITS;
        enum packet_layer layer = (enum packet_layer)(shifted & ((1 << PACKET_LAYER_BITS) - 1));
        if (layer != LAYER_NONE) {
            used += (size_t)snprintf(ret + used, size - used, "%s%s", used > 0 ? "/" : "",
                                     packet_layer_name(layer));
        }
    }
}

struct row {
    const char *name;
    uint16_t link;
    const char *hex;
    const char *path;
    enum packet_class class;
    enum packet_malformed malformed;
    enum packet_tunnel tunnel;
    uint32_t tunnel_id;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        struct bytes b = bytes_new(row->hex);
        struct frame frame = frame_of(b, row->link);
        struct packet p;
        wire_decode(&frame, &p);
        char path[128];
        path_of(&p, path, sizeof path);
        if (p.class != row->class || p.malformed != row->malformed || p.tunnel != row->tunnel ||
            p.tunnel_id != row->tunnel_id || strcmp(path, row->path) != 0) {
            fail_msg("%s: %s, class %s, malformed %s, tunnel %s %u", row->name, path,
                     packet_class_name(p.class), packet_malformed_name(p.malformed),
                     packet_tunnel_name(p.tunnel), p.tunnel_id);
        }
        free(b.data);
    }
}

static void links(void **state)
{
    static const struct row rows[] = {
        {"ethernet", 1, TCP4_FRAME, "ethernet/ipv4/tcp", PACKET_TCP},
        {"ethernet, ipv6", 1, MAC "86dd" UDP6, "ethernet/ipv6/udp", PACKET_UDP},
        {"stacked tags", 1, MAC "88a80064 810000c8 9100012c 0800" TCP4,
         "ethernet/vlan/vlan/vlan/ipv4/tcp", PACKET_TCP},
        {"arp", 1, MAC "0806 0001 0800 06 04 0001" MAC "0a000001 0a000002", "ethernet/arp",
         PACKET_ARP},
        {"stp", 1, MAC "0003 424203", "ethernet/llc/stp", PACKET_OTHER},
        {"snap", 1, MAC "0030 aaaa03 000000 0800" TCP4, "ethernet/llc/snap/ipv4/tcp", PACKET_TCP},
        {"snap of a vendor", 1, MAC "0008 aaaa03 00000c 2000", "ethernet/llc/snap/unknown",
         PACKET_OTHER},
        {"lldp", 1, MAC "88cc 0000", "ethernet/lldp", PACKET_OTHER},
        {"unknown ethertype", 1, MAC "9000 0000", "ethernet/unknown", PACKET_OTHER},
        {"no ethertype", 1, MAC "0000 0000", "ethernet/unknown", PACKET_OTHER},
        {"ppp", 9, "ff03 0021" TCP4, "ppp/ipv4/tcp", PACKET_TCP},
        {"ppp, compressed fields", 9, "57" UDP6, "ppp/ipv6/udp", PACKET_UDP},
        {"ppp, lcp", 9, "ff03 c021 01010004", "ppp/unknown", PACKET_OTHER},
        {"ppp in hdlc", 50, "ff03 0021" TCP4, "ppp/ipv4/tcp", PACKET_TCP},
        {"cisco in hdlc", 50, "0f00 0800" TCP4, "hdlc/ipv4/tcp", PACKET_TCP},
        {"cisco hdlc", 104, "8f00 86dd" UDP6, "hdlc/ipv6/udp", PACKET_UDP},
        {"slarp", 104, "8f00 8035 00000002", "hdlc/unknown", PACKET_OTHER},
        {"cooked", 113, "0004 0001 0006 0200000000010000 0800" TCP4, "sll/ipv4/tcp", PACKET_TCP},
        {"cooked llc", 113, "0000 0001 0006 0200000000010000 0004 424203", "sll/llc/stp",
         PACKET_OTHER},
        {"cooked v2", 276, "0800 0000 00000001 0001 00 06 0200000000010000" TCP4,
         "sll2/ipv4/tcp", PACKET_TCP},
        {"null, little endian", 0, "02000000" TCP4, "null/ipv4/tcp", PACKET_TCP},
        {"null, big endian", 0, "00000002" TCP4, "null/ipv4/tcp", PACKET_TCP},
        {"null, ipv6 of darwin", 0, "1e000000" UDP6, "null/ipv6/udp", PACKET_UDP},
        {"loop", 108, "00000018" UDP6, "null/ipv6/udp", PACKET_UDP},
        {"raw", 101, TCP4, "raw/ipv4/tcp", PACKET_TCP},
        {"raw, ipv6", 101, UDP6, "raw/ipv6/udp", PACKET_UDP},
        {"raw of bsd", 12, TCP4, "raw/ipv4/tcp", PACKET_TCP},
        {"ipv4", 228, TCP4, "raw/ipv4/tcp", PACKET_TCP},
        {"ipv6", 229, UDP6, "raw/ipv6/udp", PACKET_UDP},
        {"unknown link type", 147, TCP4, "unknown", PACKET_OTHER},
    };
    check_rows(rows, COUNT(rows));
}

static void networks(void **state)
{
    static const struct row rows[] = {
        {"icmp", 1, MAC "0800" IP4("001c", "01") "0800 0000 00000000", "ethernet/ipv4/icmp",
         PACKET_ICMP},
        {"icmpv6", 101, IP6("0008", "3a") "8000 0000 00000000", "raw/ipv6/icmpv6", PACKET_ICMPV6},
        {"igmp", 101, IP4("001c", "02") "1100 0000 00000000", "raw/ipv4/igmp", PACKET_IGMP},
        {"sctp", 101, IP4("0020", "84") "1f90 1f91 00000000 00000000", "raw/ipv4/sctp",
         PACKET_SCTP},
        {"udp-lite", 101, IP4("001c", "88") UDP("1000", "2000", "0000"), "raw/ipv4/udplite",
         PACKET_UDP},
        {"esp", 101, IP4("001c", "32") "00000001 00000001", "raw/ipv4/esp", PACKET_OTHER},
        {"ospf", 101, IP4("001c", "59") "02010000 00000000", "raw/ipv4/ospf", PACKET_OTHER},
        {"ah", 101, IP4("0040", "33") "06040000 00000001 00000001 000000000000000000000000" TCP,
         "raw/ipv4/ah/tcp", PACKET_TCP},
        {"ah without authentication value", 101, IP6("0010", "33") "3a000000 00000000"
         "8000 0000 00000000", "raw/ipv6/ah/icmpv6", PACKET_ICMPV6},
        {"options", 101, "4600002c 00010000 40060000 0a000001 0a000002 94040000" TCP,
         "raw/ipv4/tcp", PACKET_TCP},
        {"extension headers", 101, IP6("0020", "00") "2b00010400000000 3c00000000000000"
         "1100010400000000" UDP("0035", "0401", "0008"), "raw/ipv6/udp", PACKET_UDP},
        {"no next header", 101, IP6("0000", "3b"), "raw/ipv6", PACKET_OTHER},
        {"mobility", 101, IP6("0008", "87") "3b00000000000000", "raw/ipv6", PACKET_OTHER},
        {"atomic fragment", 101, IP6("0010", "2c") "1100000000000001"
         UDP("0035", "0401", "0008"), "raw/ipv6/udp", PACKET_UDP},
        {"extension header's number in ipv4", 101, IP4("001c", "3c") "0600000000000000",
         "raw/ipv4/unknown", PACKET_OTHER},
        {"fragment", 101, IP4_FLAGS("001c", "0001", "11") "0000000000000000",
         "raw/ipv4/fragment", PACKET_UDP},
    };
    check_rows(rows, COUNT(rows));
}

static void tunnels(void **state)
{
    static const struct row rows[] = {
        {"4in4", 101, IP4("003c", "04") TCP4, "raw/ipv4/ipv4/tcp", PACKET_TCP, 0, TUNNEL_IPIP},
        {"6in4", 101, IP4("0044", "29") UDP6, "raw/ipv4/ipv6/udp", PACKET_UDP, 0, TUNNEL_IPIP},
        {"4in6", 101, IP6("0028", "04") TCP4, "raw/ipv6/ipv4/tcp", PACKET_TCP, 0, TUNNEL_IPIP},
        {"6in6", 101, IP6("0030", "29") UDP6, "raw/ipv6/ipv6/udp", PACKET_UDP, 0, TUNNEL_IPIP},
        {"mpls", 1, MAC "8847 00010040 00020140" TCP4, "ethernet/mpls/ipv4/tcp", PACKET_TCP, 0,
         TUNNEL_MPLS, 32},
        {"mpls, control word", 1, MAC "8848 00020140 00000000" TCP4_FRAME,
         "ethernet/mpls/ethernet/ipv4/tcp", PACKET_TCP, 0, TUNNEL_MPLS, 32},
        {"mpls, no control word", 1, MAC "8847 00020140" TCP4_FRAME,
         "ethernet/mpls/ethernet/ipv4/tcp", PACKET_TCP, 0, TUNNEL_MPLS, 32},
        {"mpls, who knows", 1, MAC "8847 00020140 10000000 00000000", "ethernet/mpls/unknown",
         PACKET_OTHER, 0, TUNNEL_MPLS, 32},
        {"mpls over udp", 1, OVER_UDP("0048", "19eb", "0034") "00020140" TCP4,
         "ethernet/ipv4/udp/mpls/ipv4/tcp", PACKET_TCP, 0, TUNNEL_MPLS, 32},
        {"pppoe", 1, MAC "8864 1100 0005 0032 0057" UDP6, "ethernet/pppoe/ppp/ipv6/udp",
         PACKET_UDP, 0, TUNNEL_PPPOE, 5},
        {"pppoe discovery", 1, MAC "8863 110900000000", "ethernet/pppoe", PACKET_OTHER},
        {"gre", 1, GRE("0040") "00000800" TCP4, "ethernet/ipv4/gre/ipv4/tcp", PACKET_TCP, 0,
         TUNNEL_GRE},
        {"gre, key", 1, GRE("0044") "20000800 00000007" TCP4, "ethernet/ipv4/gre/ipv4/tcp",
         PACKET_TCP, 0, TUNNEL_GRE, 7},
        {"gre, all fields", 1, GRE("004c") "b0000800 00000000 00000007 00000001" TCP4,
         "ethernet/ipv4/gre/ipv4/tcp", PACKET_TCP, 0, TUNNEL_GRE, 7},
        {"gre, routing", 1, GRE("0050") "40000800 00000000 08000004 0a000001 00000000" TCP4,
         "ethernet/ipv4/gre/ipv4/tcp", PACKET_TCP, 0, TUNNEL_GRE},
        {"gre, keepalive", 1, GRE("0018") "00000000", "ethernet/ipv4/gre/unknown", PACKET_OTHER, 0,
         TUNNEL_GRE},
        {"wccp", 1, GRE("0044") "0000883e 00000000" TCP4, "ethernet/ipv4/gre/ipv4/tcp",
         PACKET_TCP, 0, TUNNEL_GRE},
        {"pptp", 1, GRE("004e") "3081880b 002a0007 00000001 00000002 0021" TCP4,
         "ethernet/ipv4/gre/ppp/ipv4/tcp", PACKET_TCP, 0, TUNNEL_GRE, 7},
        {"pptp acknowledgement", 1, GRE("0020") "2081880b 00000007 00000002",
         "ethernet/ipv4/gre", PACKET_OTHER},
        {"bridging", 1, GRE("004e") "00006558" TCP4_FRAME,
         "ethernet/ipv4/gre/ethernet/ipv4/tcp", PACKET_TCP, 0, TUNNEL_GRE},
        {"nvgre", 1, GRE("0052") "20006558 00123401" TCP4_FRAME,
         "ethernet/ipv4/nvgre/ethernet/ipv4/tcp", PACKET_TCP, 0, TUNNEL_NVGRE, 0x1234},
        {"erspan i", 1, GRE("004e") "000088be" TCP4_FRAME,
         "ethernet/ipv4/gre/erspan/ethernet/ipv4/tcp", PACKET_TCP, 0, TUNNEL_ERSPAN},
        {"erspan ii", 1, GRE("005a") "100088be 00000001 10640005 00000000" TCP4_FRAME,
         "ethernet/ipv4/gre/erspan/ethernet/ipv4/tcp", PACKET_TCP, 0, TUNNEL_ERSPAN, 5},
        {"erspan iii", 1, GRE("0066") "100022eb 00000001 20640005 00000000 00000001"
         "0000000000000000" TCP4_FRAME, "ethernet/ipv4/gre/erspan/ethernet/ipv4/tcp", PACKET_TCP,
         0, TUNNEL_ERSPAN, 5},
        {"erspan iii, ip", 1, GRE("0050") "100022eb 00000001 20640005 00000000 00000800" TCP4,
         "ethernet/ipv4/gre/erspan/ipv4/tcp", PACKET_TCP, 0, TUNNEL_ERSPAN, 5},
        {"l2tpv3", 1, MAC "0800" IP4("0052", "73") "00000009 aabbccdd" TCP4_FRAME,
         "ethernet/ipv4/l2tp/ethernet/ipv4/tcp", PACKET_TCP, 0, TUNNEL_L2TP, 9},
        {"l2tpv3 control", 1, MAC "0800" IP4("0020", "73") "00000000 c8030000 00000000",
         "ethernet/ipv4/l2tp", PACKET_OTHER},
    };
    check_rows(rows, COUNT(rows));
}

static void tunnels_over_udp(void **state)
{
    static const struct row rows[] = {
        {"vxlan", 1, OVER_UDP("005a", "12b5", "0046") "08000000 00007b00" TCP4_FRAME,
         "ethernet/ipv4/udp/vxlan/ethernet/ipv4/tcp", PACKET_TCP, 0, TUNNEL_VXLAN, 123},
        {"no vxlan", 1, OVER_UDP("0024", "12b5", "0010") "00000000 00007b00", "ethernet/ipv4/udp",
         PACKET_UDP},
        {"vxlan of an intact other", 1, OVER_UDP("0034", "12b5", "0020") "08000000 00007b00" MAC
         "88cc 0000", "ethernet/ipv4/udp/vxlan/ethernet/lldp", PACKET_OTHER, 0, TUNNEL_VXLAN, 123},
        {"vxlan-gpe", 1, OVER_UDP("004c", "12b6", "0038") "0c000001 00007b00" TCP4,
         "ethernet/ipv4/udp/vxlan/ipv4/tcp", PACKET_TCP, 0, TUNNEL_VXLAN, 123},
        {"geneve", 1, OVER_UDP("005e", "17c1", "004a") "01006558 00007b00 00000000" TCP4_FRAME,
         "ethernet/ipv4/udp/geneve/ethernet/ipv4/tcp", PACKET_TCP, 0, TUNNEL_GENEVE, 123},
        {"gtp-u", 1, OVER_UDP("004c", "0868", "0038") "30ff0028 0000000a" TCP4,
         "ethernet/ipv4/udp/gtpu/ipv4/tcp", PACKET_TCP, 0, TUNNEL_GTPU, 10},
        {"gtp-u, extension header", 1, OVER_UDP("0054", "0868", "0040")
         "34ff0030 0000000a 00000085 01000000" TCP4, "ethernet/ipv4/udp/gtpu/ipv4/tcp",
         PACKET_TCP, 0, TUNNEL_GTPU, 10},
        {"gtp-u echo", 1, OVER_UDP("0028", "0868", "0014") "32010004 00000000 00010000",
         "ethernet/ipv4/udp", PACKET_UDP},
        {"teredo", 1, OVER_UDP("004c", "0dd8", "0038") UDP6, "ethernet/ipv4/udp/teredo/ipv6/udp",
         PACKET_UDP, 0, TUNNEL_TEREDO},
        {"teredo bubble with indications", 1, OVER_UDP("0059", "0dd8", "0045")
         "00010000 0000000000000000 00 0000 1234 56789abc" IP6("0000", "3b"),
         "ethernet/ipv4/udp/teredo/ipv6", PACKET_OTHER, 0, TUNNEL_TEREDO},
        {"no teredo", 1, OVER_UDP("0024", "0dd8", "0010") "80000000 00007b00",
         "ethernet/ipv4/udp", PACKET_UDP},
        {"l2tpv2", 1, OVER_UDP("0050", "06a5", "003c") "40020034 00010002 ff030021" TCP4,
         "ethernet/ipv4/udp/l2tp/ppp/ipv4/tcp", PACKET_TCP, 0, TUNNEL_L2TP, 0x10002},
        {"l2tpv2 control", 1, OVER_UDP("0028", "06a5", "0014") "c802000c 00010000 00000000",
         "ethernet/ipv4/udp", PACKET_UDP},
        {"dns to a client whose port is that of mpls", 1, OVER_UDP("0029", "19eb", "0015")
         "123481800001 0001 0000000000", "ethernet/ipv4/udp", PACKET_UDP},
        {"dns to a client whose port is geneve's", 1, OVER_UDP("0029", "17c1", "0015")
         "123481800001 0001 0000000000", "ethernet/ipv4/udp", PACKET_UDP},
        {"dns to a client whose port is vxlan's", 1, OVER_UDP("0029", "12b5", "0015")
         "0c3481800001 0001 0000000000", "ethernet/ipv4/udp", PACKET_UDP},
        {"l2tpv3 over udp", 1, OVER_UDP("005a", "06a5", "0046") "00030000 00000009" TCP4_FRAME,
         "ethernet/ipv4/udp/l2tp/ethernet/ipv4/tcp", PACKET_TCP, 0, TUNNEL_L2TP, 9},
    };
    check_rows(rows, COUNT(rows));
}

static void malformed(void **state)
{
    static const struct row rows[] = {
        {"empty", 1, "", "malformed", PACKET_MALFORMED, PACKET_BAD_LINK},
        {"ethernet", 1, MAC "08", "malformed", PACKET_MALFORMED, PACKET_BAD_LINK},
        {"vlan", 1, MAC "8100 0001", "ethernet/malformed", PACKET_MALFORMED, PACKET_BAD_VLAN},
        {"mpls", 1, MAC "8847 000100", "ethernet/malformed", PACKET_MALFORMED, PACKET_BAD_MPLS},
        {"pppoe", 1, MAC "8864 2200 0005 0000", "ethernet/malformed", PACKET_MALFORMED,
         PACKET_BAD_PPP},
        {"arp", 1, MAC "0806 0001 0800 06 04 0001" MAC, "ethernet/arp/malformed",
         PACKET_MALFORMED, PACKET_BAD_ARP},
        {"version of ipv4", 1, MAC "0800 55000028 00010000 40060000 0a000001 0a000002" TCP,
         "ethernet/malformed", PACKET_MALFORMED, PACKET_BAD_IPV4},
        {"header length of ipv4", 101, "44000028 00010000 40060000 0a000001 0a000002" TCP,
         "raw/malformed", PACKET_MALFORMED, PACKET_BAD_IPV4},
        {"total length of ipv4", 101, IP4("0013", "06") TCP, "raw/malformed", PACKET_MALFORMED,
         PACKET_BAD_IPV4},
        {"version of ipv6", 1, MAC "86dd 50" UDP6, "ethernet/malformed", PACKET_MALFORMED,
         PACKET_BAD_IPV6},
        {"extension header", 101, IP6("0008", "00") "1101000000000000", "raw/ipv6/malformed",
         PACKET_MALFORMED, PACKET_BAD_EXTENSION},
        {"fragment beyond 64 KiB", 101, IP4_FLAGS("001c", "1fff", "11") "0000000000000000",
         "raw/ipv4/fragment/malformed", PACKET_MALFORMED, PACKET_BAD_FRAGMENT},
        {"empty fragment", 101, IP4_FLAGS("0014", "2000", "11"), "raw/ipv4/fragment/malformed",
         PACKET_MALFORMED, PACKET_BAD_FRAGMENT},
        {"data offset of tcp", 101, IP4("0028", "06")
         "0401 0050 00000001 00000002 4018 ffff 0000 0000", "raw/ipv4/tcp/malformed",
         PACKET_MALFORMED, PACKET_BAD_TCP},
        {"options of tcp", 1, MAC "0800" IP4("0028", "06")
         "0401 0050 00000001 00000002 6018 ffff 0000 0000", "ethernet/ipv4/tcp/malformed",
         PACKET_MALFORMED, PACKET_BAD_TCP},
        {"short tcp", 101, IP4("001c", "06") "0401005000000001", "raw/ipv4/tcp/malformed",
         PACKET_MALFORMED, PACKET_BAD_TCP},
        {"length of udp", 101, IP4("001c", "11") UDP("0001", "0002", "0007"),
         "raw/ipv4/udp/malformed", PACKET_MALFORMED, PACKET_BAD_UDP},
        {"length of udp beyond ip", 101, IP4("001c", "11") UDP("0001", "0002", "0009"),
         "raw/ipv4/udp/malformed", PACKET_MALFORMED, PACKET_BAD_UDP},
        {"sctp", 101, IP4("001c", "84") "0001000200000000", "raw/ipv4/sctp/malformed",
         PACKET_MALFORMED, PACKET_BAD_SCTP},
        {"icmp", 101, IP4("0016", "01") "0800", "raw/ipv4/icmp/malformed", PACKET_MALFORMED,
         PACKET_BAD_ICMP},
        {"igmp", 101, IP4("0018", "02") "11000000", "raw/ipv4/igmp/malformed", PACKET_MALFORMED,
         PACKET_BAD_IGMP},
        {"version of gre", 101, IP4("0018", "2f") "00020800", "raw/ipv4/malformed",
         PACKET_MALFORMED, PACKET_BAD_TUNNEL},
    };
    check_rows(rows, COUNT(rows));
}

static void decode_hex(const char *hex, uint16_t link, struct bytes *b, struct packet *p)
{
    *b = bytes_new(hex);
    struct frame frame = frame_of(*b, link);
    wire_decode(&frame, p);
}

/* The straight line for plain frames and the walk agree: the second frame is not plain. */
static void plain_is_walked(void **state)
{
    static const char *const frames[][2] = {
        {MAC "0800" TCP4 "aabbccdd", "aabbccdd"},
        {MAC "86dd" UDP6 "aabbccdd", "aabbccdd"},
    };
    for (size_t i = 0; i < COUNT(frames); i++) {
        struct bytes b = bytes_new(frames[i][0]);
        struct frame frame = frame_of(b, FRAME_LINK_ETHERNET);
        struct packet plain;
        wire_decode(&frame, &plain);
        frame.vlan_tpid = 0x8100;
        struct packet walked;
        wire_decode(&frame, &walked);
        assert_int_equal(walked.vlan_count, 1);
        walked.vlan_count = 0;
        assert_true(walked.layers != plain.layers);
        walked.layers = plain.layers;
        assert_memory_equal(&plain, &walked, sizeof plain);
        free(b.data);
    }
}

static void fields_of_tcp(void **state)
{
    struct bytes b;
    struct packet p;
    decode_hex(MAC "0800" IP4("002a", "06") TCP "4142 00000000", 1, &b, &p);
    assert_int_equal(p.source_port, 1025);
    assert_int_equal(p.destination_port, 80);
    assert_true(p.has_ports);
    assert_int_equal(p.seq, 1);
    assert_int_equal(p.ack, 2);
    assert_int_equal(p.tcp_flags, TCP_ACK | TCP_PSH);
    assert_int_equal(p.window, 0xffff);
    assert_int_equal(p.payload_len, 2);
    assert_int_equal(packet_payload(&p).size, 2); /* without the padding */
    assert_memory_equal(packet_payload(&p).data, "AB", 2);
    assert_int_equal(p.version, 4);
    assert_int_equal(p.ttl, 0x40);
    assert_int_equal(p.ethertype, 0x0800);
    assert_int_equal(packet_source_ip(&p)[3], 1);
    assert_int_equal(packet_destination_ip(&p)[3], 2);
    free(b.data);
}

static void tags(void **state)
{
    struct bytes b = bytes_new(MAC "8100 a064 8100 00c8 0800" TCP4);
    struct frame frame = frame_of(b, FRAME_LINK_ETHERNET);
    frame.vlan_tpid = 0x88a8;
    frame.vlan_tci = 0x6005;
    struct packet p;
    wire_decode(&frame, &p);
    assert_int_equal(p.class, PACKET_TCP);
    assert_int_equal(p.vlan_count, 3);
    assert_int_equal(p.vlan[0], 5);
    assert_int_equal(p.vlan[1], 100);
    char path[128];
    path_of(&p, path, sizeof path);
    assert_string_equal(path, "ethernet/vlan/vlan/vlan/ipv4/tcp");
    free(b.data);
}

static void tunnel_facts(void **state)
{
    struct bytes b;
    struct packet p;
    decode_hex(MAC "8100 0001 0800" IP4("005a", "11") UDP("c000", "12b5", "0046")
               "08000000 00007b00" TCP4_FRAME, 1, &b, &p);
    assert_ptr_equal(p.outer_ip, b.data + 18);
    assert_ptr_equal(p.mac, b.data + 18 + 20 + 8 + 8);
    assert_ptr_equal(p.ip, p.mac + 14);
    assert_int_equal(p.tunnel_depth, 1);
    assert_int_equal(p.destination_port, 80);
    free(b.data);
    decode_hex(OVER_UDP("0040", "12b5", "002c") "08000000 00007b00" MAC
               "0806 0001 0800 00 00 0001 00000000", 1, &b, &p);
    assert_int_equal(p.class, PACKET_ARP);
    assert_int_equal(p.version, 0);
    assert_null(p.ip);
    assert_non_null(p.outer_ip);
    assert_false(p.has_ports);
    free(b.data);
}

/* A length of 0 with a payload behind it: segmentation offload. */
static void offload(void **state)
{
    struct bytes b;
    struct packet p;
    decode_hex(MAC "0800" IP4("0000", "06") TCP "41424344", 1, &b, &p);
    assert_int_equal(p.class, PACKET_TCP);
    assert_int_equal(p.payload_len, 4);
    free(b.data);
    decode_hex(MAC "86dd" IP6("0000", "06") TCP "41424344", 1, &b, &p);
    assert_int_equal(p.class, PACKET_TCP);
    assert_int_equal(p.payload_len, 4);
    free(b.data);
}

/* A full-size segment by how many bytes of the frame the capture kept. */
static void snapped(void **state)
{
    static const struct {
        uint32_t cap_len;
        enum packet_class class;
        enum packet_malformed malformed;
        bool has_ports;
        uint32_t seq;
        uint8_t flags;
        uint32_t payload_len;
    } rows[] = {
        {54, PACKET_TCP, PACKET_FINE, true, 1, 0x18, 1460},
        {50, PACKET_TCP, PACKET_SNAPPED, true, 1, 0x18, 1460},
        {42, PACKET_TCP, PACKET_SNAPPED, true, 1, 0, 1460},
        {38, PACKET_TCP, PACKET_SNAPPED, true, 0, 0, 1460},
        {34, PACKET_TCP, PACKET_SNAPPED, false, 0, 0, 1460},
        {33, PACKET_MALFORMED, PACKET_SNAPPED, false, 0, 0, 0},
        {13, PACKET_MALFORMED, PACKET_SNAPPED, false, 0, 0, 0},
    };
    struct bytes b = bytes_new(MAC "0800" IP4("05dc", "06") TCP);
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint8_t *copy = malloc(rows[i].cap_len);
        assert_non_null(copy);
        memcpy(copy, b.data, rows[i].cap_len);
        struct frame frame = {.data = copy, .cap_len = rows[i].cap_len, .wire_len = 1514,
                              .link = FRAME_LINK_ETHERNET};
        struct packet p;
        wire_decode(&frame, &p);
        assert_int_equal(p.class, rows[i].class);
        assert_int_equal(p.malformed, rows[i].malformed);
        assert_int_equal(p.has_ports, rows[i].has_ports);
        assert_int_equal(p.seq, rows[i].seq);
        assert_int_equal(p.tcp_flags, rows[i].flags);
        assert_int_equal(p.payload_len, rows[i].payload_len);
        assert_int_equal(p.wire_len, 1514);
        free(copy);
    }
    free(b.data);
}

static void fragments(void **state)
{
    struct bytes b;
    struct packet p;
    decode_hex(MAC "0800" IP4_FLAGS("0024", "2000", "11") UDP("0035", "0401", "0010")
               "4142434445464748", 1, &b, &p);
    assert_int_equal(p.class, PACKET_UDP);
    assert_int_equal(p.fragment, FRAGMENT_FIRST);
    assert_int_equal(p.more_fragments, 1);
    assert_int_equal(p.source_port, 53);
    assert_ptr_equal(p.l4, b.data + 34);
    assert_int_equal(p.payload_len, 16);
    free(b.data);
    decode_hex(MAC "86dd" IP6("0010", "2c") "0600 0059 00000007 4142434445464748", 1, &b, &p);
    assert_int_equal(p.class, PACKET_TCP);
    assert_int_equal(p.fragment, FRAGMENT_LATER);
    assert_int_equal(p.fragment_offset, 88);
    assert_int_equal(p.more_fragments, 1);
    assert_int_equal(p.fragment_id, 7);
    assert_ptr_equal(p.l4, b.data + 14 + 48);
    assert_false(p.has_ports);
    free(b.data);
}

static void resume(void **state)
{
    struct bytes b;
    struct packet p;
    decode_hex(MAC "8100 0007 0800" IP4_FLAGS("001c", "0001", "04") "4142434445464748", 1, &b, &p);
    assert_int_equal(p.class, PACKET_OTHER);
    struct bytes whole = bytes_new(IP4("003c", "04") TCP4);
    wire_resume(&p, span_of(whole.data, whole.size));
    assert_int_equal(p.class, PACKET_TCP);
    assert_int_equal(p.fragment, FRAGMENT_NONE);
    assert_int_equal(p.vlan[0], 7);
    assert_int_equal(p.tunnel, TUNNEL_IPIP);
    assert_ptr_equal(p.outer_ip, whole.data);
    assert_ptr_equal(p.ip, whole.data + 20);
    assert_ptr_equal(p.mac, b.data);
    char path[128];
    path_of(&p, path, sizeof path);
    assert_string_equal(path, "ethernet/vlan/ipv4/ipv4/tcp");
    free(whole.data);
    free(b.data);
}

static void quoted(void **state)
{
    struct bytes b;
    struct packet p;
    struct packet inner;
    decode_hex(IP4("0038", "01") "0301 0000 00000000" IP4("05dc", "06") "0401005000000009", 101,
               &b, &p);
    assert_int_equal(p.class, PACKET_ICMP);
    assert_int_equal(p.icmp_type, 3);
    assert_int_equal(p.icmp_code, 1);
    assert_ptr_equal(p.quoted, b.data + 28);
    assert_true(wire_quoted(&p, &inner));
    assert_int_equal(inner.class, PACKET_TCP);
    assert_int_equal(inner.destination_port, 80);
    assert_int_equal(inner.seq, 9);
    assert_ptr_equal(inner.ip, p.quoted);
    free(b.data);
    decode_hex(IP6("0038", "3a") "0300 0000 00000000" UDP6, 101, &b, &p);
    assert_true(wire_quoted(&p, &inner));
    assert_int_equal(inner.version, 6);
    assert_int_equal(inner.source_port, 53);
    free(b.data);
    decode_hex(IP4("0020", "01") "0b00 0000 00000000 45000000", 101, &b, &p);
    assert_false(wire_quoted(&p, &inner));
    free(b.data);
    decode_hex(IP4("001c", "01") "0800 0000 00000000", 101, &b, &p);
    assert_null(p.quoted);
    assert_false(wire_quoted(&p, &inner));
    free(b.data);
}

/* Tags without end are cut at the bound, and the path stays within its capacity. */
static void too_deep(void **state)
{
    uint8_t data[14 + 4 * 40] = {0};
    for (size_t at = 12; at + 2 <= sizeof data; at += 4) {
        data[at] = 0x81;
    }
    struct frame frame = {.data = data, .cap_len = sizeof data, .wire_len = sizeof data,
                          .link = FRAME_LINK_ETHERNET};
    struct packet p;
    wire_decode(&frame, &p);
    assert_int_equal(p.class, PACKET_MALFORMED);
    assert_int_equal(p.malformed, PACKET_TOO_DEEP);
    assert_int_equal(p.layers >> PACKET_LAYER_BITS * PACKET_LAYERS_MAX, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links),
        cmocka_unit_test(networks),
        cmocka_unit_test(tunnels),
        cmocka_unit_test(tunnels_over_udp),
        cmocka_unit_test(malformed),
        cmocka_unit_test(plain_is_walked),
        cmocka_unit_test(fields_of_tcp),
        cmocka_unit_test(tags),
        cmocka_unit_test(tunnel_facts),
        cmocka_unit_test(offload),
        cmocka_unit_test(snapped),
        cmocka_unit_test(fragments),
        cmocka_unit_test(resume),
        cmocka_unit_test(quoted),
        cmocka_unit_test(too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
