// SPDX-License-Identifier: Apache-2.0
/* Fragments are made here, read by wire/, put together, and read again. */
#include "flow/defrag.h"

#include "base/cursor.h"
#include "wire/wire.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SECOND = 1000000000, PAYLOAD = 3000, UDP_SIZE = 8 };

struct lab {
    struct defrag *defrag;
    uint8_t payload[UINT16_MAX + 1]; /* a UDP datagram from port 5000 to 53, header included */
    uint8_t memory[DEFRAG_DATAGRAM_MAX];
    uint8_t bytes[UINT16_MAX + 100]; /* of the last frame */
    uint32_t options;                /* bytes of IPv4 options or IPv6 extensions before the data */
    uint32_t snap;                   /* bytes that the capture keeps; 0: all */
    uint32_t id;
    uint64_t now_ns;
    struct packet packet; /* of the last fragment; once whole, of the datagram */
    struct span datagram;
    uint32_t frames;
    uint32_t wire_len;
};

static void write_payload(struct lab *lab, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        lab->payload[i] = (uint8_t)(i * 7 + i / 251);
    }
    const uint8_t udp[UDP_SIZE] = {5000 >> 8, 5000 & 255, 0, 53, (uint8_t)(size >> 8),
                                   (uint8_t)size, 0, 0};
    memcpy(lab->payload, udp, sizeof udp);
}

static struct lab *lab_new(uint64_t memory)
{
    struct lab *lab = calloc(1, sizeof *lab);
    struct defrag_options options = {.memory = memory, .seed = 1};
    lab->defrag = defrag_new(&options, NULL);
    lab->now_ns = 1000 * (uint64_t)SECOND;
    lab->id = 1;
    write_payload(lab, PAYLOAD);
    return lab;
}

static int set_up(void **state)
{
    *state = lab_new(DEFRAG_MEMORY_MIN);
    return 0;
}

static int tear_down(void **state)
{
    struct lab *lab = *state;
    defrag_free(lab->defrag);
    free(lab);
    return 0;
}

/* Writes the headers of an IPv4 fragment; returns their size. */
static size_t write_ipv4(struct lab *lab, uint32_t offset, uint32_t size, bool more)
{
    size_t header = 20 + lab->options;
    size_t total = header + size;
    const uint8_t ip[20] = {(uint8_t)(0x40 | header / 4), 0, (uint8_t)(total >> 8),
                            (uint8_t)total, (uint8_t)(lab->id >> 8), (uint8_t)lab->id,
                            (uint8_t)((offset >> 11) | (more ? 0x20 : 0)), (uint8_t)(offset >> 3),
                            64, IPPROTO_UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2};
    memcpy(lab->bytes, ip, sizeof ip);
    memset(lab->bytes + 20, 1, lab->options); /* no-operations */
    return header;
}

/* The same of an IPv6 fragment; options are a destination options header. */
static size_t write_ipv6(struct lab *lab, uint32_t offset, uint32_t size, bool more)
{
    size_t length = lab->options + 8 + size;
    uint8_t *at = lab->bytes;
    memset(at, 0, 40 + lab->options + 8);
    at[0] = 0x60;
    at[4] = (uint8_t)(length >> 8);
    at[5] = (uint8_t)length;
    at[6] = lab->options > 0 ? IPPROTO_DSTOPTS : IPPROTO_FRAGMENT;
    at[7] = 64;
    at[8] = at[24] = 0x20;
    at[23] = 1;
    at[39] = 2;
    at += 40;
    if (lab->options > 0) {
        at[0] = IPPROTO_FRAGMENT;
        at[1] = (uint8_t)(lab->options / 8 - 1);
        at[2] = 1; /* PadN */
        at[3] = (uint8_t)(lab->options - 4);
        at += lab->options;
    }
    const uint8_t fragment[8] = {IPPROTO_UDP, 0, (uint8_t)(offset >> 8),
                                 (uint8_t)((offset & 0xf8) | more), (uint8_t)(lab->id >> 24),
                                 (uint8_t)(lab->id >> 16), (uint8_t)(lab->id >> 8),
                                 (uint8_t)lab->id};
    memcpy(at, fragment, sizeof fragment);
    return 40 + lab->options + sizeof fragment;
}

static enum defrag_result push(struct lab *lab, size_t header, uint32_t offset, uint32_t size)
{
    memcpy(lab->bytes + header, lab->payload + offset, size);
    uint32_t length = (uint32_t)(header + size);
    struct frame frame = {
        .time_ns = lab->now_ns,
        .data = lab->bytes,
        .cap_len = lab->snap > 0 && lab->snap < length ? lab->snap : length,
        .wire_len = length,
        .link = FRAME_LINK_RAW,
    };
    wire_decode(&frame, &lab->packet);
    assert_int_not_equal(lab->packet.fragment, FRAGMENT_NONE);
    assert_false(defrag_needs_room(lab->defrag, &lab->packet));
    enum defrag_result result = defrag_push(lab->defrag, &lab->packet, lab->memory,
                                            &lab->datagram, &lab->frames, &lab->wire_len);
    memset(lab->bytes, 0xee, length); /* the frame is gone */
    return result;
}

static enum defrag_result four(struct lab *lab, uint32_t offset, uint32_t size, bool more)
{
    return push(lab, write_ipv4(lab, offset, size, more), offset, size);
}

static enum defrag_result six(struct lab *lab, uint32_t offset, uint32_t size, bool more)
{
    return push(lab, write_ipv6(lab, offset, size, more), offset, size);
}

/* The datagram reads as if it had never been cut. */
static void assert_whole(struct lab *lab, size_t headers, size_t size)
{
    assert_int_equal(lab->datagram.size, headers + size);
    assert_memory_equal(lab->datagram.data + headers, lab->payload, size);
    wire_resume(&lab->packet, lab->datagram);
    assert_int_equal(lab->packet.fragment, FRAGMENT_NONE);
    assert_int_equal(lab->packet.class, PACKET_UDP);
    assert_int_equal(lab->packet.malformed, PACKET_FINE);
    assert_int_equal(lab->packet.source_port, 5000);
    assert_int_equal(lab->packet.destination_port, 53);
    assert_int_equal(lab->packet.payload_len, size - UDP_SIZE);
    assert_int_equal(defrag_stats(lab->defrag)->held, 0);
    assert_int_equal(defrag_stats(lab->defrag)->whole, 1);
    struct packet none;
    assert_false(defrag_pop(lab->defrag, UINT64_MAX, &none, lab->memory));
}

static void pop_any(struct lab *lab)
{
    assert_true(defrag_pop(lab->defrag, UINT64_MAX, &lab->packet, lab->memory));
}

static void ipv4_in_order(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(four(lab, 0, 1480, true), DEFRAG_HELD);
    assert_int_equal(four(lab, 1480, 1480, true), DEFRAG_HELD);
    assert_int_equal(defrag_stats(lab->defrag)->held, 1);
    assert_int_equal(four(lab, 2960, 40, false), DEFRAG_WHOLE);
    assert_int_equal(lab->frames, 3);
    assert_int_equal(lab->wire_len, 3 * 20 + PAYLOAD);
    assert_whole(lab, 20, PAYLOAD);
}

static void ipv4_in_reverse_with_options(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(four(lab, 2960, 40, false), DEFRAG_HELD);
    assert_int_equal(four(lab, 1480, 1480, true), DEFRAG_HELD);
    lab->options = 8; /* not copied on fragmentation, so that only the first has them */
    assert_int_equal(four(lab, 0, 1480, true), DEFRAG_WHOLE);
    assert_whole(lab, 28, PAYLOAD);
}

static void ipv6_with_and_without_extensions(void **state)
{
    for (uint32_t options = 0; options <= 24; options += 24) {
        struct lab *lab = *state;
        lab->options = options;
        assert_int_equal(six(lab, 1448, 1448, true), DEFRAG_HELD);
        assert_int_equal(six(lab, 2896, 104, false), DEFRAG_HELD);
        assert_int_equal(six(lab, 0, 1448, true), DEFRAG_WHOLE);
        assert_int_equal(lab->datagram.data[options > 0 ? 40 : 6], IPPROTO_UDP);
        assert_whole(lab, 40 + options, PAYLOAD);
        tear_down(state);
        set_up(state);
    }
}

static void tiny_fragments_in_a_wild_order(void **state)
{
    struct lab *lab = *state;
    enum { SIZE = 8 * 101 };
    write_payload(lab, SIZE);
    for (uint32_t i = 0; i < 101; i++) {
        uint32_t n = i * 37 % 101;
        assert_int_equal(four(lab, 8 * n, 8, n < 100), i < 100 ? DEFRAG_HELD : DEFRAG_WHOLE);
    }
    assert_int_equal(lab->frames, 101);
    assert_whole(lab, 20, SIZE);
}

static void the_largest_datagram(void **state)
{
    struct lab *lab = *state;
    write_payload(lab, 65515);
    assert_int_equal(four(lab, 0, 32768, true), DEFRAG_HELD);
    assert_int_equal(four(lab, 32768, 65515 - 32768, false), DEFRAG_WHOLE);
    assert_whole(lab, 20, 65515);
}

static void larger_than_possible(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(four(lab, 0, 32768, true), DEFRAG_HELD);
    assert_int_equal(four(lab, 65512, 16, false), DEFRAG_BAD); /* the ping of death */
    assert_int_equal(four(lab, 32768, 65515 - 32768, false), DEFRAG_WHOLE);
    lab->options = 40; /* now the first fragment's header makes it too long */
    lab->id = 2;
    assert_int_equal(four(lab, 0, 32768, true), DEFRAG_HELD);
    lab->options = 0;
    assert_int_equal(four(lab, 32768, 65515 - 32768, false), DEFRAG_HELD);
    pop_any(lab);
    assert_int_equal(lab->packet.frames, 2);
    assert_int_equal(defrag_stats(lab->defrag)->bad, 1);
}

static void duplicates_only_count(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(six(lab, 0, 1480, true), DEFRAG_HELD);
    assert_int_equal(six(lab, 0, 1480, true), DEFRAG_HELD);
    assert_int_equal(six(lab, 1480, 1520, false), DEFRAG_WHOLE);
    assert_int_equal(lab->frames, 3);
    assert_int_equal(defrag_stats(lab->defrag)->overlaps, 0);
    assert_whole(lab, 40, PAYLOAD);
}

static void ipv4_overlaps_keep_what_came_first(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(four(lab, 800, 400, true), DEFRAG_HELD);
    assert_int_equal(four(lab, 1600, 400, true), DEFRAG_HELD);
    uint8_t kept[400];
    memcpy(kept, lab->payload + 800, sizeof kept);
    memset(lab->payload + 800, 'x', sizeof kept); /* another story for the same bytes */
    assert_int_equal(four(lab, 400, 1600, true), DEFRAG_HELD);
    assert_int_equal(four(lab, 2000, 1000, false), DEFRAG_HELD);
    assert_int_equal(four(lab, 0, 800, true), DEFRAG_WHOLE);
    memcpy(lab->payload + 800, kept, sizeof kept);
    assert_int_equal(lab->frames, 5);
    assert_int_equal(defrag_stats(lab->defrag)->overlaps, 2);
    assert_whole(lab, 20, PAYLOAD);
}

static void ipv6_overlaps_give_the_datagram_up(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(six(lab, 0, 1480, true), DEFRAG_HELD);
    assert_int_equal(six(lab, 1472, 1528, false), DEFRAG_HELD);
    assert_int_equal(six(lab, 1480, 1520, false), DEFRAG_HELD);
    assert_int_equal(defrag_stats(lab->defrag)->overlaps, 1);
    pop_any(lab);
    assert_int_equal(lab->packet.frames, 3);
    assert_true(lab->packet.has_ports);
}

static void ends_that_contradict(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(four(lab, 1480, 1520, false), DEFRAG_HELD);
    assert_int_equal(four(lab, 1480, 800, false), DEFRAG_BAD);
    assert_int_equal(four(lab, 2960, 80, true), DEFRAG_BAD);
    assert_int_equal(four(lab, 0, 1480, true), DEFRAG_WHOLE);
    assert_int_equal(defrag_stats(lab->defrag)->bad, 2);
    assert_whole(lab, 20, PAYLOAD);
}

static void sizes_that_no_sender_cuts(void **state)
{
    struct lab *lab = *state;
    assert_int_equal(four(lab, 0, 1001, true), DEFRAG_BAD);
    assert_int_equal(six(lab, 0, 1001, true), DEFRAG_BAD);
    assert_int_equal(defrag_stats(lab->defrag)->held, 0);
}

static void too_many_pieces(void **state)
{
    struct lab *lab = *state;
    for (uint32_t i = 0; i < 2 * DEFRAG_PIECES_MAX; i++) {
        assert_int_equal(four(lab, 16 * i, 8, true), DEFRAG_HELD);
    }
    assert_int_equal(defrag_stats(lab->defrag)->bad, 1);
    pop_any(lab);
    assert_int_equal(lab->packet.frames, 2 * DEFRAG_PIECES_MAX);
}

static void other_ids_are_other_datagrams(void **state)
{
    struct lab *lab = *state;
    four(lab, 0, 1480, true);
    lab->id = 2;
    assert_int_equal(four(lab, 1480, 1520, false), DEFRAG_HELD);
    assert_int_equal(six(lab, 1480, 1520, false), DEFRAG_HELD);
    assert_int_equal(defrag_stats(lab->defrag)->held, 3);
    lab->id = 1;
    assert_int_equal(four(lab, 1480, 1520, false), DEFRAG_WHOLE);
}

static void what_times_out_stands_for_its_frames(void **state)
{
    struct lab *lab = *state;
    uint64_t begun = lab->now_ns;
    four(lab, 1480, 1480, true);
    lab->now_ns += 5 * (uint64_t)SECOND;
    four(lab, 0, 1480, true);
    struct packet p;
    assert_false(defrag_pop(lab->defrag, begun + DEFRAG_TIMEOUT_NS - 1, &p, lab->memory));
    assert_true(defrag_pop(lab->defrag, begun + DEFRAG_TIMEOUT_NS, &p, lab->memory));
    assert_false(defrag_pop(lab->defrag, UINT64_MAX, &p, lab->memory));
    assert_int_equal(p.frames, 2);
    assert_int_equal(p.wire_len, 3000);
    assert_true(p.time_ns == lab->now_ns);
    assert_int_equal(p.fragment, FRAGMENT_FIRST);
    assert_true(p.has_ports);
    assert_int_equal(p.source_port, 5000);
    assert_int_equal(packet_source_ip(&p)[0], 10);
    assert_int_equal(p.end - p.l4, 1480);
    assert_memory_equal(p.l4, lab->payload, 1480);
    assert_int_equal(defrag_stats(lab->defrag)->timed_out, 1);
    assert_int_equal(defrag_stats(lab->defrag)->held, 0);
}

static void without_its_first_there_are_no_ports(void **state)
{
    struct lab *lab = *state;
    six(lab, 1480, 1480, true);
    pop_any(lab);
    assert_int_equal(lab->packet.fragment, FRAGMENT_LATER);
    assert_false(lab->packet.has_ports);
    assert_int_equal(lab->packet.frames, 1);
    assert_int_equal(packet_destination_ip(&lab->packet)[15], 2);
    assert_true(lab->packet.end == lab->packet.l4);
}

static void snapped_fragments_give_what_was_captured(void **state)
{
    struct lab *lab = *state;
    lab->snap = 96;
    assert_int_equal(four(lab, 1480, 1520, false), DEFRAG_HELD);
    assert_int_equal(four(lab, 0, 1480, true), DEFRAG_WHOLE);
    assert_int_equal(lab->datagram.size, 96);
    wire_resume(&lab->packet, lab->datagram);
    assert_int_equal(lab->packet.class, PACKET_UDP);
    assert_int_equal(lab->packet.payload_len, PAYLOAD - UDP_SIZE);
    assert_int_equal(packet_payload(&lab->packet).size, 96 - 20 - UDP_SIZE);
}

/* A frame on Ethernet, so that there is a MAC address to remember. */
static void macs_outlive_their_frames(void **state)
{
    struct lab *lab = *state;
    size_t header = write_ipv4(lab, 0, 16, true);
    uint8_t bytes[64] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8, 0x08, 0x00};
    memcpy(bytes + 14, lab->bytes, header);
    struct frame frame = {.time_ns = 1, .data = bytes, .cap_len = 50, .wire_len = 50,
                          .link = FRAME_LINK_ETHERNET};
    wire_decode(&frame, &lab->packet);
    assert_int_equal(defrag_push(lab->defrag, &lab->packet, lab->memory, &lab->datagram,
                                 &lab->frames, &lab->wire_len), DEFRAG_HELD);
    memset(bytes, 0, sizeof bytes);
    pop_any(lab);
    assert_int_equal(lab->packet.mac[5], 9);
    assert_int_equal(lab->packet.mac[11], 8);
}

static void the_budget_holds(void **state)
{
    struct lab *lab = *state;
    struct packet p;
    uint32_t sent = 0, popped = 0;
    for (lab->id = 1; lab->id <= 2000; lab->id++) {
        size_t header = write_ipv4(lab, 0, 1480, true);
        struct frame frame = {.time_ns = lab->now_ns, .data = lab->bytes, .cap_len = 1500,
                              .wire_len = 1500, .link = FRAME_LINK_RAW};
        memcpy(lab->bytes + header, lab->payload, 1480);
        wire_decode(&frame, &lab->packet);
        while (defrag_needs_room(lab->defrag, &lab->packet)) {
            assert_true(defrag_pop(lab->defrag, UINT64_MAX, &p, lab->memory));
            assert_int_equal(p.fragment_id, popped + 1); /* the oldest goes */
            popped += p.frames;
        }
        assert_int_equal(defrag_push(lab->defrag, &lab->packet, lab->memory, &lab->datagram,
                                     &lab->frames, &lab->wire_len), DEFRAG_HELD);
        sent++;
    }
    assert_in_range(popped, 1000, 1900);
    assert_int_equal(defrag_stats(lab->defrag)->evicted, popped);
    assert_int_equal(defrag_stats(lab->defrag)->held, sent - popped);
    while (defrag_pop(lab->defrag, UINT64_MAX, &p, lab->memory)) {
        popped += p.frames;
    }
    assert_int_equal(popped, sent);
    assert_int_equal(defrag_stats(lab->defrag)->held, 0);
    const struct defrag_stats *stats = defrag_stats(lab->defrag);
    assert_int_equal(stats->timed_out, sent - stats->evicted);
}

#define lab_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        lab_test(ipv4_in_order),
        lab_test(ipv4_in_reverse_with_options),
        lab_test(ipv6_with_and_without_extensions),
        lab_test(tiny_fragments_in_a_wild_order),
        lab_test(the_largest_datagram),
        lab_test(larger_than_possible),
        lab_test(duplicates_only_count),
        lab_test(ipv4_overlaps_keep_what_came_first),
        lab_test(ipv6_overlaps_give_the_datagram_up),
        lab_test(ends_that_contradict),
        lab_test(sizes_that_no_sender_cuts),
        lab_test(too_many_pieces),
        lab_test(other_ids_are_other_datagrams),
        lab_test(what_times_out_stands_for_its_frames),
        lab_test(without_its_first_there_are_no_ports),
        lab_test(snapped_fragments_give_what_was_captured),
        lab_test(macs_outlive_their_frames),
        lab_test(the_budget_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
