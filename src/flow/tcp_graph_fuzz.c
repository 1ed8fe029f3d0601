// SPDX-License-Identifier: Apache-2.0
/* Random segments of one connection: nothing may overflow, and the list of marks keeps its bounds.
 * Each record of the input is eight bytes: side and flags, sequence and acknowledgment near those
 * before or anywhere, length, window, time. */
#include "flow/tcp_graph.h"

#include <assert.h>
#include <string.h>

enum { FLOW = 1, ROOM = 64, RECORD = 8, HEADER = 32, PAYLOAD = 1448 };

static void check(const struct tcp_marks *marks)
{
    assert(marks->count <= marks->room && marks->seen >= marks->count);
    for (uint32_t i = 0; i < marks->count; i++) {
        assert(marks->marks[i].kind < TCP_MARK_KINDS && marks->marks[i].way < 2);
        assert(marks->marks[i].to >= marks->marks[i].from);
        assert(i == 0 || marks->marks[i].time_ns >= marks->marks[i - 1].time_ns);
    }
}

/* Near what was there, but for a few that are anywhere. */
static uint32_t number_of(uint32_t before, uint8_t how)
{
    return how > 250 ? before + ((uint32_t)how << 24) : before + (uint32_t)((int8_t)how / 16) * PAYLOAD;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    struct health_book *book = health_book_new(&(struct health_options){.flows = 2, .details = 2}, &err);
    struct tcp_graph *graph = tcp_graph_new(ROOM, &err);
    assert(book != NULL && graph != NULL);
    uint8_t tcp[HEADER], ip[20] = {0};
    uint32_t next[2] = {UINT32_MAX - 5000, 77};
    uint64_t now = UINT64_C(1000000000);
    tcp_graph_begin(graph, book, FLOW);
    for (; size >= RECORD; data += RECORD, size -= RECORD) {
        unsigned side = data[0] & 1;
        memset(tcp, data[5] & 1 ? data[6] : 1, sizeof tcp);
        tcp[12] = HEADER / 4 << 4;
        if (data[5] & 2) {
            memcpy(tcp + 20, (const uint8_t[]){5, 10}, 2);
            uint32_t edge = __builtin_bswap32(next[1 - side] + data[5] * 100u);
            memcpy(tcp + 22, &edge, sizeof edge);
        }
        now += (uint64_t)data[7] * data[7] * 100000 - (data[0] & 0x80 ? 1000000 : 0);
        struct packet p = {
            .time_ns = now, .class = PACKET_TCP, .version = 4, .frames = 1, .has_ports = true,
            .ip = ip, .l4 = tcp, .payload = tcp + HEADER, .end = tcp + HEADER,
            .tcp_flags = data[1], .window = (uint16_t)(data[6] << 4),
            .payload_len = data[4] == 0xff ? UINT16_MAX : data[4] % 4 * PAYLOAD,
            .seq = number_of(next[side], data[2]), .ack = number_of(next[1 - side], data[3]),
        };
        ip[5] = data[5];
        health_packet(book, FLOW, &p, side);
        tcp_graph_packet(graph, book, FLOW, &p, side);
        next[side] = p.seq + p.payload_len;
        if (data[0] == 0x7e) {
            tcp_graph_begin(graph, book, FLOW);
        }
    }
    check(tcp_graph_marks(graph));
    tcp_graph_free(graph);
    health_book_free(book);
    return 0;
}
