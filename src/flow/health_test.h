// SPDX-License-Identifier: Apache-2.0
/* For tests of health: connections made up packet by packet, on a path whose times are known: the
 * tap is 3 ms from the server and 7 ms from the client, unless a test says otherwise. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/health.h"

#include <stdlib.h>
#include <string.h>

enum { CLIENT, SERVER, MSS = 1460, SEGMENT = 1448, TCP_SIZE = 40, FLOWS = 1000 };

#define MS UINT64_C(1000000)

/* A connection under way; `at` is when the next packet passes. */
struct talk {
    struct health_book *book;
    flow_index flow;
    uint64_t at;
    uint32_t next[2];
    uint32_t acked[2]; /* what each side acknowledges */
    uint64_t sent_ago; /* how long before `at` the packet left its sender */
    uint16_t window;
    uint16_t ip_id;
    bool stamps;
    bool lies;     /* its stamps are no clock */
    uint32_t echo; /* of the other's stamps; 0: what comes natural */
    uint8_t cut; /* bytes of the header that the capture lacks */
    uint8_t said_size;
    uint8_t said[16]; /* the first bytes of what is said, as far as the capture has them */
};

static inline struct health_book *new_book(uint32_t details)
{
    struct err err = {0};
    struct health_options options = {.flows = FLOWS, .details = details};
    struct health_book *book = health_book_new(&options, &err);
    assert_non_null(book);
    return book;
}

static inline void put32(uint8_t *to, uint32_t value)
{
    value = __builtin_bswap32(value);
    memcpy(to, &value, sizeof value);
}

/* Passes a packet with any sequence number; options of a SYN, or stamps. */
static inline void pass(struct talk *t, unsigned side, uint8_t flags, uint32_t seq, uint32_t length)
{
    uint8_t ip[20] = {0};
    uint8_t tcp[TCP_SIZE + sizeof t->said];
    memset(tcp, 1, TCP_SIZE);
    memcpy(tcp + TCP_SIZE, t->said, sizeof t->said);
    tcp[12] = TCP_SIZE / 4 << 4;
    uint8_t *option = tcp + 20;
    if (flags & TCP_SYN) {
        static const uint8_t offer[] = {2, 4, MSS >> 8, MSS & 0xff, 3, 3, 7, 4, 2, 1};
        memcpy(option, offer, sizeof offer);
        option += sizeof offer;
    }
    if (t->stamps) {
        option[0] = 8;
        option[1] = 10;
        put32(option + 2, (uint32_t)((t->at - t->sent_ago) / MS));
        put32(option + 6, t->echo != 0 ? t->echo : (uint32_t)(t->at / MS - 3));
        if (t->lies) {
            put32(option + 2, (uint32_t)t->at * 2654435761u);
            put32(option + 6, (uint32_t)t->at * 2246822519u);
        }
    }
    t->ip_id++;
    ip[4] = (uint8_t)(t->ip_id >> 8);
    ip[5] = (uint8_t)t->ip_id;
    struct packet p = {
        .time_ns = t->at,
        .class = PACKET_TCP,
        .version = 4,
        .frames = 1,
        .has_ports = true,
        .ip = ip,
        .l4 = tcp,
        .payload = t->cut > 0 ? NULL : tcp + TCP_SIZE,
        .end = tcp + TCP_SIZE + (length > 0 ? t->said_size : 0) - t->cut,
        .seq = seq,
        .ack = t->acked[side],
        .tcp_flags = flags,
        .window = t->window,
        .payload_len = length,
    };
    health_packet(t->book, t->flow, &p, side);
}

static inline void say(struct talk *t, unsigned side, uint32_t length)
{
    pass(t, side, TCP_ACK | TCP_PSH, t->next[side], length);
    t->next[side] += length;
}

static inline void acknowledge(struct talk *t, unsigned side)
{
    t->acked[side] = t->next[1 - side];
    pass(t, side, TCP_ACK, t->next[side], 0);
}

static inline void wait_ms(struct talk *t, double ms)
{
    t->at += (uint64_t)(ms * (double)MS);
}

/* SYN, SYN-ACK after 6 ms, ACK after 14 more. */
static inline void shake_hands(struct talk *t, uint32_t first)
{
    t->at += 1000000 * MS;
    t->window = 65535;
    t->next[CLIENT] = first;
    t->next[SERVER] = first + 7777;
    pass(t, CLIENT, TCP_SYN, t->next[CLIENT]++, 0);
    wait_ms(t, 6);
    t->acked[SERVER] = t->next[CLIENT];
    pass(t, SERVER, TCP_SYN | TCP_ACK, t->next[SERVER]++, 0);
    wait_ms(t, 14);
    t->window = 8192;
    acknowledge(t, CLIENT);
}

static inline void ask(struct talk *t)
{
    say(t, CLIENT, 100);
    wait_ms(t, 6);
    acknowledge(t, SERVER);
}

static inline struct health_record record_of(const struct talk *t)
{
    struct health_record r;
    assert_true(health_finish(t->book, t->flow, 0, &r));
    return r;
}

static inline struct talk begin(void)
{
    struct talk t = {.book = new_book(16), .flow = 1, .stamps = true, .ip_id = 100};
    shake_hands(&t, 1000);
    return t;
}

static inline void end(struct talk *t)
{
    health_book_free(t->book);
}

#define assert_near(got, want, by) assert_true((got) >= (want) - (by) && (got) <= (want) + (by))

static inline bool has_verdict(const struct health_record *r)
{
    for (unsigned i = 0; i < HEALTH_VERDICTS; i++) {
        if (r->findings[i].truth == HEALTH_TRUE) {
            return true;
        }
    }
    return false;
}
