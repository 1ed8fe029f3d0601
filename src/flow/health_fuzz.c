// SPDX-License-Identifier: Apache-2.0
/* Random segments of a few connections: nothing may overflow, what is said must hang together, and
 * a book that has no short way for plain segments must say the same.
 * Each record of the input is eight bytes: which connection and side, flags, sequence and
 * acknowledgment near those before, length, window, time. */
#include "flow/health.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTIONS = 4, DETAILS = 3, RECORD = 8, HEADER = 32, PAYLOAD = 1448 };

struct talk {
    uint32_t next[2];
};

/* A TCP header with time stamps or SACK blocks, as the input wants it. */
static void write_header(uint8_t tcp[HEADER], const uint8_t *in, const struct packet *p)
{
    memset(tcp, 1, HEADER); /* NOPs */
    tcp[12] = HEADER / 4 << 4;
    if (in[1] & 0x20) { /* otherwise the URG bit, which nobody looks at */
        tcp[20] = 5;
        tcp[21] = 10;
        uint32_t edges[2] = {__builtin_bswap32(p->ack + in[4] * 100u),
                             __builtin_bswap32(p->ack + in[4] * 100u + in[5] * 50u)};
        memcpy(tcp + 22, edges, sizeof edges);
    } else {
        static const uint8_t head[] = {1, 1, 8, 10};
        memcpy(tcp + 20, head, sizeof head);
        uint32_t stamp = __builtin_bswap32((uint32_t)(p->time_ns / 1000000));
        memcpy(tcp + 24, &stamp, sizeof stamp);
        memcpy(tcp + 28, &stamp, sizeof stamp);
    }
}

static void check(const struct health_book *book, const struct health_book *thorough,
                  flow_index flow)
{
    struct health_record r, other;
    if (!health_finish(book, flow, 0, &r)) {
        return;
    }
    assert(health_finish(thorough, flow, 0, &other));
    assert(memcmp(&r, &other, sizeof r) == 0);
    for (unsigned side = 0; side < 2; side++) {
        const struct health_way *way = &r.ways[side];
        assert(way->unique_bytes <= way->data_bytes + 1e12);
        assert(way->retrans_pkts + way->reordered_original_pkts <= way->data_pkts);
        assert(!(way->sender_busy_time_ms < 0) && !(way->rtt_p50_ms < 0));
        assert(!(way->rwnd_limited_ms > way->sender_busy_time_ms + 1));
    }
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        const struct health_finding *f = &r.findings[i];
        assert(f->truth != HEALTH_TRUE || (f->confidence > 0 && f->confidence <= 1));
    }
    /* Few packets are no evidence. */
    assert(r.packets > 3 || r.findings[HEALTH_BUFFERBLOAT].truth != HEALTH_TRUE);
    assert(r.packets > 2 || r.findings[HEALTH_BLACKHOLED].truth != HEALTH_TRUE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct health_options options = {.flows = CONNECTIONS, .details = DETAILS};
    struct err err = {0};
    struct health_book *book = health_book_new(&options, &err);
    options.thorough = true;
    struct health_book *thorough = health_book_new(&options, &err);
    struct talk talks[CONNECTIONS] = {0};
    uint8_t tcp[HEADER];
    uint8_t ip[20] = {0};
    uint64_t now = 1000000000;
    assert(book != NULL && thorough != NULL);
    for (; size >= RECORD; data += RECORD, size -= RECORD) {
        flow_index flow = 1 + data[0] % CONNECTIONS;
        unsigned side = data[0] >> 2 & 1;
        struct talk *talk = &talks[flow - 1];
        now += (uint64_t)data[7] * data[7] * 100000;
        struct packet p = {
            .time_ns = now, .class = PACKET_TCP, .version = 4, .frames = 1, .has_ports = true,
            .ip = ip, .l4 = tcp, .payload = tcp + HEADER, .end = tcp + HEADER,
            .tcp_flags = data[1] & 0x80 ? TCP_ACK : data[1] & 0xdf, .window = (uint16_t)(data[6] << 4),
            .payload_len = data[4] % 4 * PAYLOAD,
        };
        /* Mostly in order; at times a step back or ahead, seldom a leap. */
        int step = (int8_t)data[2];
        p.seq = talk->next[side] + (step < -120 ? (uint32_t)step << 24 : (uint32_t)(step / 64 * PAYLOAD));
        p.ack = talk->next[1 - side] + (uint32_t)((int8_t)data[3] / 32 * PAYLOAD);
        ip[5] = data[5];
        write_header(tcp, data, &p);
        health_packet(book, flow, &p, side);
        health_packet(thorough, flow, &p, side);
        talk->next[side] = p.seq + p.payload_len + (p.tcp_flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
        if (data[0] == 0xff) {
            check(book, thorough, flow);
            health_drop(book, flow);
            health_drop(thorough, flow);
        } else if (data[0] == 0xfe) {
            health_tick(book, now);
            health_tick(thorough, now);
        }
    }
    for (flow_index flow = 1; flow <= CONNECTIONS; flow++) {
        check(book, thorough, flow);
    }
    health_book_free(book);
    health_book_free(thorough);
    return 0;
}
