// SPDX-License-Identifier: Apache-2.0
/* traffic_gen KIND OUT COUNT: writes a capture of COUNT packets (idle, flight, asked: of COUNT flows), the same
 * bytes each time. Kinds:
 *
 *     http   web transactions over keep-alive connections, bodies of up to 20 kB
 *     mix    TLS-like, HTTP, DNS and QUIC-like traffic over IPv4 and IPv6, some of it tagged
 *     small  64-byte frames of 100,000 flows; in the middle fifth every second one is a SYN of a flood
 *     idle   flows that open within ten seconds and then say nothing: all of them are concurrent
 *     flight TCP connections that open within ten seconds, say one thing and get no answer to it
 *     asked  Redis connections that open within ten seconds, ask once, are answered, and stay;
 *            asked-http, asked-mysql, asked-pgsql: the same of others, databases after a login
 *     scan   every packet a flow of its own: half a scan of ports and hosts, half a SYN flood
 *
 * http, mix and small resemble the traffic of the measured tables elsewhere but are not the same;
 * figures compare only within one kind of origin. Frames are Ethernet, checksums are right, one
 * packet a microsecond except in idle, flight and asked. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FRAME_MAX = 1518,
    SEGMENT_MAX = 1448,
    CONVERSATIONS = 256, /* in flight at a time in http and mix */
    TCP = 6,
    UDP = 17,
    FIN = 1,
    SYN = 2,
    RST = 4,
    PSH = 8,
    ACK = 16,
};

/* ---- Output -------------------------------------------------------------------------------- */

static FILE *out;
static const char *out_name;
static uint64_t written;
static uint64_t clock_ns = 1700000000ull * 1000000000ull;
static uint64_t clock_step_ns = 1000;

static void fail(const char *what)
{
    fprintf(stderr, "traffic_gen: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void put(const void *bytes, size_t size)
{
    if (fwrite(bytes, size, 1, out) != 1) {
        fail(out_name);
    }
}

static void open_capture(const char *name)
{
    out_name = name;
    out = fopen(name, "wb");
    if (!out) {
        fail(name);
    }
    setvbuf(out, NULL, _IOFBF, 1 << 20);
    /* magic (nanoseconds), version 2.4, zone, accuracy, snap length, Ethernet */
    put((uint32_t[]){0xa1b23c4d, 0x00040002, 0, 0, 65535, 1}, 24);
}

static void put_frame(const uint8_t *frame, size_t size)
{
    uint32_t length = (uint32_t)size;
    put((uint32_t[]){(uint32_t)(clock_ns / 1000000000), (uint32_t)(clock_ns % 1000000000), length,
                     length},
        16);
    put(frame, size);
    clock_ns += clock_step_ns;
    written++;
}

/* ---- Chance -------------------------------------------------------------------------------- */

/* xorshift64*: Marsaglia, "Xorshift RNGs", 2003; the multiplier by Vigna. */
static uint64_t random_state = 0x76616e74616765;

static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 2685821657736338717ull;
}

static uint32_t random_below(uint32_t bound)
{
    return (uint32_t)((random_next() >> 32) * bound >> 32);
}

/* ---- Frames -------------------------------------------------------------------------------- */

/* What a frame is made from. Addresses are 16 bytes; IPv4 uses the first four. */
struct shape {
    uint8_t source[16];
    uint8_t destination[16];
    uint16_t source_port;
    uint16_t destination_port;
    bool ipv6;
    uint16_t vlan; /* 0: untagged */
    uint8_t protocol;
    uint8_t flags; /* TCP */
    uint32_t seq;
    uint32_t ack;
};

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* The sum of RFC 1071, not yet folded. */
static uint64_t sum(const uint8_t *bytes, size_t size)
{
    uint64_t total = 0;
    for (size_t i = 0; i + 1 < size; i += 2) {
        total += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
    }
    return size & 1 ? total + (uint32_t)(bytes[size - 1] << 8) : total;
}

static uint16_t fold(uint64_t total)
{
    while (total >> 16) {
        total = (total & 0xffff) + (total >> 16);
    }
    return (uint16_t)~total;
}

static size_t write_ethernet(uint8_t *frame, const struct shape *shape)
{
    static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
    memcpy(frame, macs, sizeof(macs));
    size_t at = 12;
    if (shape->vlan) {
        put16(frame + at, 0x8100);
        put16(frame + at + 2, shape->vlan);
        at += 4;
    }
    put16(frame + at, shape->ipv6 ? 0x86dd : 0x0800);
    return at + 2;
}

/* Writes the IP header for `size` bytes behind it; returns its length. */
static size_t write_ip(uint8_t *ip, const struct shape *shape, size_t size)
{
    if (shape->ipv6) {
        memset(ip, 0, 8);
        ip[0] = 0x60;
        put16(ip + 4, (uint32_t)size);
        ip[6] = shape->protocol;
        ip[7] = 64;
        memcpy(ip + 8, shape->source, 16);
        memcpy(ip + 24, shape->destination, 16);
        return 40;
    }
    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)size + 20);
    put16(ip + 4, (uint32_t)written);
    ip[8] = 64;
    ip[9] = shape->protocol;
    memcpy(ip + 12, shape->source, 4);
    memcpy(ip + 16, shape->destination, 4);
    put16(ip + 10, fold(sum(ip, 20)));
    return 20;
}

/* Writes a TCP or UDP header; returns its length. The checksum comes later. */
static size_t write_transport(uint8_t *at, const struct shape *shape, size_t payload)
{
    put16(at, shape->source_port);
    put16(at + 2, shape->destination_port);
    if (shape->protocol == UDP) {
        put16(at + 4, (uint32_t)payload + 8);
        put16(at + 6, 0);
        return 8;
    }
    put32(at + 4, shape->seq);
    put32(at + 8, shape->ack);
    put32(at + 12, (uint32_t)5 << 28 | (uint32_t)shape->flags << 16 | 64240);
    put32(at + 16, 0);
    return 20;
}

/* Sends a frame; `payload` may be NULL for bytes of no meaning. Padded to 60 bytes. */
static void send_frame(const struct shape *shape, const void *payload, size_t size)
{
    uint8_t frame[FRAME_MAX];
    size_t ip = write_ethernet(frame, shape);
    size_t header = shape->protocol == UDP ? 8 : 20;
    size_t transport = ip + write_ip(frame + ip, shape, header + size);
    write_transport(frame + transport, shape, size);
    if (payload) {
        memcpy(frame + transport + header, payload, size);
    } else {
        memset(frame + transport + header, (int)(written & 0xff), size);
    }
    size_t address = shape->ipv6 ? 16 : 4;
    uint64_t pseudo = sum(shape->source, address) + sum(shape->destination, address) +
                      shape->protocol + header + size;
    uint16_t checksum = fold(pseudo + sum(frame + transport, header + size));
    put16(frame + transport + (shape->protocol == UDP ? 6 : 16),
          shape->protocol == UDP && !checksum ? 0xffff : checksum);
    size_t length = transport + header + size;
    if (length < 60) {
        memset(frame + length, 0, 60 - length);
        length = 60;
    }
    put_frame(frame, length);
}

static void set_address(uint8_t address[16], bool ipv6, uint32_t number)
{
    memset(address, 0, 16);
    if (ipv6) {
        put32(address, 0x20010db8);
        put32(address + 12, number);
    } else {
        put32(address, number);
    }
}

/* ---- Conversations: http and mix ----------------------------------------------------------- */

enum application { HTTP, TLS, DNS, QUIC };

enum step { OPEN, OPEN_ANSWER, OPEN_ACK, REQUEST, RESPONSE, CLOSE, CLOSE_ANSWER, CLOSE_ACK };

/* A client and a server that take turns; one call of conversation_send() is one packet. */
struct conversation {
    struct shape client; /* as the client sends */
    enum application application;
    enum step step;
    uint32_t seq[2];       /* next of the client, of the server */
    uint32_t transactions; /* left */
    uint32_t response;     /* bytes left of the response under way */
    uint32_t unacked;      /* segments since the client's last ACK */
};

static void conversation_begin(struct conversation *c, bool is_mix)
{
    static const uint16_t ports[] = {[HTTP] = 80, [TLS] = 443, [DNS] = 53, [QUIC] = 443};
    memset(c, 0, sizeof(*c));
    uint32_t chance = is_mix ? random_below(100) : 0;
    c->application = !is_mix || chance < 15 ? HTTP : chance < 45 ? TLS : chance < 95 ? DNS : QUIC;
    bool is_tcp = c->application == HTTP || c->application == TLS;
    c->client.protocol = is_tcp ? TCP : UDP;
    c->client.ipv6 = is_mix && random_below(4) == 0;
    c->client.vlan = is_mix && random_below(10) == 0 ? (uint16_t)(1 + random_below(4)) : 0;
    set_address(c->client.source, c->client.ipv6, 0x0a000000 + random_below(20000));
    set_address(c->client.destination, c->client.ipv6, 0xc6336400 + random_below(200));
    c->client.source_port = (uint16_t)(1024 + random_below(64000));
    c->client.destination_port = ports[c->application];
    c->seq[0] = (uint32_t)random_next();
    c->seq[1] = (uint32_t)random_next();
    c->step = is_tcp ? OPEN : REQUEST;
    c->transactions = c->application == DNS ? 1 : 1 + random_below(c->application == QUIC ? 60 : 20);
}

/* One packet from the client (side 0) or the server (side 1). */
static void speak(struct conversation *c, int side, uint8_t flags, const void *payload, size_t size)
{
    struct shape shape = c->client;
    if (side) {
        memcpy(shape.source, c->client.destination, 16);
        memcpy(shape.destination, c->client.source, 16);
        shape.source_port = c->client.destination_port;
        shape.destination_port = c->client.source_port;
    }
    shape.flags = flags;
    shape.seq = c->seq[side];
    shape.ack = flags & ACK ? c->seq[!side] : 0;
    send_frame(&shape, payload, size);
    c->seq[side] += (uint32_t)size + (flags & (SYN | FIN) ? 1 : 0);
}

/* A name of a few hundred thousand in the wire format of RFC 1035 section 3.1: "xxxxx.example". */
static size_t dns_message(uint8_t *at, uint32_t number, bool is_response)
{
    static const uint8_t end[] = "\7example\0\0\1\0\1";
    put16(at, number);
    put16(at + 2, is_response ? 0x8180 : 0x0100);
    put32(at + 4, is_response ? 0x00010001 : 0x00010000);
    put32(at + 8, 0);
    at[12] = 5;
    for (int i = 0; i < 5; i++) {
        at[13 + i] = (uint8_t)('a' + (number >> (4 * i) & 15));
    }
    memcpy(at + 18, end, sizeof(end) - 1);
    size_t size = 18 + sizeof(end) - 1;
    if (is_response) { /* a pointer to the name, A, IN, 60 s, 4 bytes of address */
        static const uint8_t answer[] = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc6\x33\x64\1";
        memcpy(at + size, answer, sizeof(answer) - 1);
        size += sizeof(answer) - 1;
    }
    return size;
}

static size_t http_request(uint8_t *at)
{
    return (size_t)sprintf((char *)at,
                           "GET /articles/%u?page=%u HTTP/1.1\r\nHost: bench.example\r\n"
                           "User-Agent: traffic-gen/1.0\r\nAccept: */*\r\nCookie: id=%08x\r\n\r\n",
                           random_below(5000), random_below(20), random_below(1u << 31));
}

static size_t http_response(uint8_t *at, uint32_t length)
{
    static const char *const reasons[] = {"200 OK", "200 OK", "200 OK", "404 Not Found"};
    return (size_t)sprintf((char *)at,
                           "HTTP/1.1 %s\r\nServer: bench\r\nContent-Type: text/plain\r\n"
                           "Content-Length: %u\r\nConnection: keep-alive\r\n\r\n",
                           reasons[random_below(4)], length);
}

/* The head of a TLS 1.2 or 1.3 record of application data, RFC 8446 section 5.2. */
static size_t tls_record(uint8_t *at, uint32_t length)
{
    memcpy(at, (uint8_t[]){23, 3, 3}, 3);
    put16(at + 3, length);
    return 5;
}

static void send_request(struct conversation *c)
{
    uint8_t payload[SEGMENT_MAX];
    size_t size = 0;
    memset(payload, 0x5a, sizeof(payload));
    switch (c->application) {
    case HTTP:
        size = http_request(payload);
        break;
    case TLS:
        size = tls_record(payload, 200 + random_below(300));
        size += (size_t)(payload[3] << 8 | payload[4]);
        break;
    case DNS:
        size = dns_message(payload, c->seq[0], false);
        break;
    case QUIC:
        size = 40 + random_below(200);
        break;
    }
    speak(c, 0, PSH | ACK, payload, size);
    c->step = RESPONSE;
    c->response = 0;
    c->unacked = 0; /* the request acknowledged what came before */
}

/* The first segment of a response: its head and as much of the body as fits. */
static void begin_response(struct conversation *c)
{
    uint8_t payload[SEGMENT_MAX];
    size_t size = 0;
    uint32_t body = random_below(4) ? random_below(2500) : random_below(20000);
    memset(payload, 'v', sizeof(payload));
    switch (c->application) {
    case HTTP:
        size = http_response(payload, body);
        break;
    case TLS:
        body = body > 16384 ? 16384 : body;
        size = tls_record(payload, body);
        break;
    case DNS:
        size = dns_message(payload, c->seq[0], true);
        body = 0;
        break;
    case QUIC:
        body %= 1200;
        break;
    }
    size_t part = body < SEGMENT_MAX - size ? body : SEGMENT_MAX - size;
    speak(c, 1, PSH | ACK, payload, size + part);
    c->response = body - (uint32_t)part;
}

/* The next packet of a response: a segment, or after each second one the client's ACK. */
static void send_response(struct conversation *c)
{
    if (c->unacked == 2) {
        speak(c, 0, ACK, NULL, 0);
        c->unacked = 0;
        return;
    }
    if (c->response == 0) {
        begin_response(c);
    } else {
        uint32_t part = c->response < SEGMENT_MAX ? c->response : SEGMENT_MAX;
        speak(c, 1, ACK, NULL, part);
        c->response -= part;
    }
    c->unacked += c->client.protocol == TCP;
    if (c->response == 0) {
        c->transactions--;
        c->step = c->transactions ? REQUEST : CLOSE;
    }
}

/* Sends the next packet; false when it was the last. */
static bool conversation_send(struct conversation *c)
{
    switch (c->step) {
    case OPEN:
        speak(c, 0, SYN, NULL, 0);
        break;
    case OPEN_ANSWER:
        speak(c, 1, SYN | ACK, NULL, 0);
        break;
    case OPEN_ACK:
        speak(c, 0, ACK, NULL, 0);
        break;
    case REQUEST:
        send_request(c);
        return true;
    case RESPONSE:
        send_response(c);
        return c->step != CLOSE || c->client.protocol == TCP;
    case CLOSE:
        speak(c, 0, FIN | ACK, NULL, 0);
        break;
    case CLOSE_ANSWER:
        speak(c, 1, FIN | ACK, NULL, 0);
        break;
    case CLOSE_ACK:
        speak(c, 0, ACK, NULL, 0);
        return false;
    }
    c->step++;
    return true;
}

static void make_conversations(uint64_t count, bool is_mix)
{
    static struct conversation all[CONVERSATIONS];
    for (size_t i = 0; i < CONVERSATIONS; i++) {
        conversation_begin(&all[i], is_mix);
    }
    while (written < count) {
        struct conversation *c = &all[random_below(CONVERSATIONS)];
        if (!conversation_send(c)) {
            conversation_begin(c, is_mix);
        }
    }
}

static void make_http(uint64_t count)
{
    make_conversations(count, false);
}

static void make_mix(uint64_t count)
{
    make_conversations(count, true);
}

/* ---- Single packets: small, idle, scan ------------------------------------------------------ */

/* A SYN from a random address to one victim. */
static void send_flood(void)
{
    struct shape shape = {.protocol = TCP, .flags = SYN, .destination_port = 443};
    set_address(shape.source, false, 0x0b000000 + random_below(0xb0000000));
    set_address(shape.destination, false, 0xcb007107);
    shape.source_port = (uint16_t)(1024 + random_below(64000));
    shape.seq = (uint32_t)random_next();
    send_frame(&shape, NULL, 10);
}

/* A packet of flow `number`, in one of its two directions. */
static void send_steady(uint32_t number, bool is_answer)
{
    static const uint16_t ports[] = {53, 123, 443, 8125};
    struct shape shape = {.protocol = number % 10 < 3 ? TCP : UDP, .flags = ACK};
    uint16_t client = (uint16_t)(1024 + number % 60000);
    uint16_t server = ports[number % 4];
    set_address(is_answer ? shape.destination : shape.source, false, 0x0a000000 + number / 7);
    set_address(is_answer ? shape.source : shape.destination, false, 0xc6336400 + number % 250);
    shape.source_port = is_answer ? server : client;
    shape.destination_port = is_answer ? client : server;
    shape.seq = (uint32_t)random_next();
    send_frame(&shape, NULL, shape.protocol == TCP ? 10 : 22);
}

static void make_small(uint64_t count)
{
    while (written < count) {
        bool is_flood_time = written >= count / 10 * 4 && written < count / 10 * 6;
        if (is_flood_time && written % 2) {
            send_flood();
        } else {
            /* half of the packets belong to a tenth of the flows */
            send_steady(random_below(random_below(2) ? 100000 : 10000), random_below(2));
        }
    }
}

/* Opens flow `number`: a TCP handshake, perhaps with a request, or a question and an answer over
 * UDP. */
static void open_flow(uint32_t number, uint8_t protocol, bool asks)
{
    struct conversation c = {.client = {.protocol = protocol}};
    set_address(c.client.source, false, 0x0a000000 + number);
    set_address(c.client.destination, false, 0xc6336400 + number % 250);
    c.client.source_port = (uint16_t)(1024 + number % 60000);
    c.client.destination_port = protocol == TCP ? 443 : 3478;
    c.seq[0] = (uint32_t)random_next();
    c.seq[1] = (uint32_t)random_next();
    if (c.client.protocol == TCP) {
        speak(&c, 0, SYN, NULL, 0);
        speak(&c, 1, SYN | ACK, NULL, 0);
        speak(&c, 0, ACK, NULL, 0);
        if (asks) {
            speak(&c, 0, PSH | ACK, NULL, 20);
        }
    } else {
        speak(&c, 0, 0, NULL, 20);
        speak(&c, 1, 0, NULL, 20);
    }
}

static void make_idle(uint64_t count)
{
    clock_step_ns = 4000000000ull / (count ? count : 1);
    for (uint64_t i = 0; i < count; i++) {
        open_flow((uint32_t)i, i % 2 ? TCP : UDP, false);
    }
}

/* What is said on a connection that stays open and silent then: its parser stays, too. */
struct talk {
    uint16_t port;
    struct {
        int side;
        const char *text; /* NULL: no more */
        size_t size;
    } turns[8];
};

#define CLIENT(text_) {0, text_, sizeof(text_) - 1}
#define SERVER(text_) {1, text_, sizeof(text_) - 1}

static const struct talk redis_talk = {
    6379, {CLIENT("*1\r\n$4\r\nPING\r\n"), SERVER("+PONG\r\n")}};

static const struct talk http_talk = {
    80,
    {CLIENT("GET /cart?item=7 HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: bench\r\n\r\n"),
     SERVER("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")}};

static const struct talk mysql_talk = {
    3306,
    {SERVER("\x4a\0\0\0\x0a" "8.0.36\0" "\7\0\0\0" "saltsalt\0" "\xff\xff\xff\2\0\xff\xdf\x15"
            "\0\0\0\0\0\0\0\0\0\0" "moresaltsalt\0" "mysql_native_password\0"),
     CLIENT("\x3f\0\0\1\x05\xa2\x08\0\0\0\0\1\xff\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
            "shop\0" "\0" "mysql_native_password\0" "\0\0\0"),
     SERVER("\7\0\0\2\0\0\0\2\0\0\0"),
     CLIENT("\x1b\0\0\0\3" "UPDATE cart SET items = 7 "),
     SERVER("\7\0\0\1\0\1\0\2\0\0\0")}};

static const struct talk pgsql_talk = {
    5432,
    {CLIENT("\0\0\0\x22\0\3\0\0" "user\0shop\0" "database\0cart\0" "\0\0"),
     SERVER("R\0\0\0\x08\0\0\0\0" "Z\0\0\0\5I"),
     CLIENT("Q\0\0\0\x1eUPDATE cart SET items = 7\0"),
     SERVER("C\0\0\0\x0dUPDATE 1\0" "Z\0\0\0\5I")}};

/* A client that has asked and been answered. */
static void open_asked(uint32_t number, const struct talk *talk)
{
    struct conversation c = {.client = {.protocol = TCP, .destination_port = talk->port}};
    set_address(c.client.source, false, 0x0a000000 + number);
    set_address(c.client.destination, false, 0xc6336400 + number % 250);
    c.client.source_port = (uint16_t)(1024 + number % 60000);
    c.seq[0] = (uint32_t)random_next();
    c.seq[1] = (uint32_t)random_next();
    speak(&c, 0, SYN, NULL, 0);
    speak(&c, 1, SYN | ACK, NULL, 0);
    speak(&c, 0, ACK, NULL, 0);
    for (size_t i = 0; talk->turns[i].text; i++) {
        speak(&c, talk->turns[i].side, PSH | ACK, talk->turns[i].text, talk->turns[i].size);
    }
}

static void make_talks(uint64_t count, const struct talk *talk)
{
    clock_step_ns = 1250000000ull / (count ? count : 1);
    for (uint64_t i = 0; i < count; i++) {
        open_asked((uint32_t)i, talk);
    }
}

static void make_asked(uint64_t count)
{
    make_talks(count, &redis_talk);
}

static void make_asked_http(uint64_t count)
{
    make_talks(count, &http_talk);
}

static void make_asked_mysql(uint64_t count)
{
    make_talks(count, &mysql_talk);
}

static void make_asked_pgsql(uint64_t count)
{
    make_talks(count, &pgsql_talk);
}

static void make_flight(uint64_t count)
{
    clock_step_ns = 2500000000ull / (count ? count : 1);
    for (uint64_t i = 0; i < count; i++) {
        open_flow((uint32_t)i, TCP, true);
    }
}

/* The number-th probe of a scan: ports of one host after the other. */
static void send_probe(uint32_t number)
{
    struct shape shape = {.protocol = TCP, .flags = SYN, .source_port = 44321};
    set_address(shape.source, false, 0xc0000207);
    set_address(shape.destination, false, 0x0a000000 + number / 1000);
    shape.destination_port = (uint16_t)(1 + number % 1000);
    shape.seq = (uint32_t)random_next();
    send_frame(&shape, NULL, 0);
}

static void make_scan(uint64_t count)
{
    while (written < count) {
        if (written % 2) {
            /* distinct by construction: source address and port are a counter's digits */
            struct shape shape = {.protocol = TCP, .flags = SYN, .destination_port = 443};
            set_address(shape.source, false, 0x0b000000 + (uint32_t)(written / 2) / 64 * 257);
            set_address(shape.destination, false, 0xcb007107);
            shape.source_port = (uint16_t)(1024 + written / 2 % 64 * 1000);
            send_frame(&shape, NULL, 0);
        } else {
            send_probe((uint32_t)(written / 2));
        }
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*make)(uint64_t count);
    } kinds[] = {{"http", make_http}, {"mix", make_mix},   {"small", make_small},
                 {"idle", make_idle}, {"flight", make_flight}, {"scan", make_scan},   {"asked", make_asked},
                 {"asked-http", make_asked_http},       {"asked-mysql", make_asked_mysql},
                 {"asked-pgsql", make_asked_pgsql},
                 {NULL, NULL}};
    if (argc == 4) {
        for (size_t i = 0; kinds[i].name; i++) {
            if (strcmp(argv[1], kinds[i].name) == 0) {
                open_capture(argv[2]);
                kinds[i].make(strtoull(argv[3], NULL, 10));
                if (fclose(out) != 0) {
                    fail(argv[2]);
                }
                return 0;
            }
        }
    }
    fputs("usage: traffic_gen http|mix|small|idle|flight|scan|asked[-http|-mysql|-pgsql] OUT COUNT\n", stderr);
    return 2;
}
