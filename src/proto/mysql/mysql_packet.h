// SPDX-License-Identifier: Apache-2.0
/* One side of a MySQL connection as packets: a length of three bytes, a number, a payload; payloads
 * of 2^24-1 bytes go on in the next packet. Bytes may come in any pieces. Of a payload so many of the
 * first bytes are shown as its reader wants, however it came; the rest is passed over and costs nothing.
 * A payload that is whole in the bytes given is lent from them, another one is gathered in slab memory.
 * Constant work a byte. One thread. */
#pragma once

#include "base/cursor.h"
#include "base/slab.h"

enum { MYSQL_KEPT = 65 << 10, MYSQL_HEADER = 4, MYSQL_PAYLOAD_MAX = 0xffffff };

/* How many bytes of a payload are shown. */
struct mysql_kept {
    uint32_t statement; /* that begins as a command with a statement does */
    uint32_t other;
};

struct mysql_packet {
    struct span body;  /* its first bytes; lent until the next call */
    uint64_t size;     /* of the whole payload */
    uint64_t bytes;    /* on the wire, headers included */
    uint64_t start_ns; /* when its first byte came */
    uint8_t number;    /* of its first packet */
    uint8_t last_number;
    bool holed; /* bytes of it were not captured: they are zero in body */
};

/* The packet that a side is sending; zeroed at first. */
struct mysql_reader {
    struct mysql_packet packet; /* so far; body unused */
    uint8_t *kept;              /* slab block */
    uint32_t kept_size;
    uint32_t most; /* of them */
    uint32_t left; /* of the payload, before the next header */
    uint8_t header[MYSQL_HEADER];
    uint8_t header_size;
    bool goes_on; /* the payload was full: another one follows */
};

/* A packet that is whole in `in`, where none has begun before: then it is taken off and lent
 * from there, all of it; else nothing is. */
bool mysql_packet_whole(struct cursor *in, uint64_t now_ns, struct mysql_packet *ret);

/* Of a packet that is lent whole, no more is shown than `kept` says. */
void mysql_packet_shorten(struct mysql_packet *packet, struct mysql_kept kept);

/* Takes bytes off `in`, which came at `now_ns`; true when a packet is whole, which is then in `ret`.
 * Where it is false all bytes were taken. */
bool mysql_packet_next(struct mysql_reader *r, struct slab *slab, struct cursor *in,
                       struct mysql_kept kept, uint64_t now_ns, struct mysql_packet *ret);

/* Whether no packet has begun. */
bool mysql_packet_is_idle(const struct mysql_reader *r);

/* `length` bytes are missing. True when they are of the packet that has begun, which goes on; else
 * the reader is to be reset. */
bool mysql_packet_miss(struct mysql_reader *r, struct slab *slab, uint32_t length);

/* Forgets what has begun and gives its memory back. */
void mysql_packet_reset(struct mysql_reader *r, struct slab *slab);
