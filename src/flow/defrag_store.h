// SPDX-License-Identifier: Apache-2.0
/* Where fragments wait, private to flow/: records of datagrams and chunks of bytes, both in address
 * space taken at start. A record holds the packet and the headers of one of the datagram's
 * fragments and a list of pieces, ordered by offset, that never overlap; a piece lies in a chain of
 * chunks. Records hang in a hash chain and in a list by age. Indices name records and chunks; 0 is
 * none. */
#pragma once

#include "base/err.h"
#include "wire/packet.h"

enum {
    DEFRAG_STORE_CHUNK = 768,                            /* two hold what an Ethernet frame does */
    DEFRAG_STORE_CHUNK_BYTES = DEFRAG_STORE_CHUNK - 16,
    DEFRAG_STORE_MAC = 14,
    DEFRAG_STORE_OUTER = 40,    /* of an outer IP header: its addresses at least */
    DEFRAG_STORE_HEADERS = 216, /* of the datagram: IPv4 with options, or IPv6 with extensions */
    DEFRAG_STORE_UNKNOWN = UINT16_MAX + 1,
};

/* Same kind of fragments, same values: RFC 791 §3.2, RFC 8200 §4.5. Compared as bytes. */
struct defrag_key {
    uint8_t address[2][16]; /* source, destination */
    uint32_t id;
    uint32_t tunnel_id;
    uint16_t vlan[2];
    uint8_t protocol; /* IPv4 */
    uint8_t version;
    uint8_t tunnel;
    uint8_t zero;
};

struct defrag_chunk {
    uint32_t next;       /* of this piece; in the pool: the next free one */
    uint32_t next_piece; /* of a piece's first chunk, as all below: the piece behind it */
    uint16_t offset;
    uint16_t size;     /* by the headers */
    uint16_t captured; /* bytes here */
    uint16_t zero;
    uint8_t bytes[DEFRAG_STORE_CHUNK_BYTES];
};

struct defrag_datagram {
    struct defrag_key key;
    struct packet packet; /* of the first fragment once it is there */
    uint64_t begun_ns;
    uint64_t latest_ns;
    uint32_t chain; /* the next record of this bucket, or free record */
    uint32_t older;
    uint32_t newer;
    uint32_t pieces; /* the first of them */
    uint32_t last_piece;
    uint32_t bytes; /* of all pieces, by the headers */
    uint32_t total; /* once the last fragment is there, else DEFRAG_STORE_UNKNOWN */
    uint32_t frames;
    uint32_t wire_len;
    uint16_t headers_size;
    uint8_t piece_count;
    uint8_t outer_size;
    bool given_up; /* never to be made whole; it only counts */
    uint8_t mac[DEFRAG_STORE_MAC];
    uint8_t outer[DEFRAG_STORE_OUTER];
    uint8_t headers[DEFRAG_STORE_HEADERS];
};

/* Bytes [offset, offset + size) of a datagram's payload, of which the first `captured` are at
 * `bytes`. */
struct defrag_piece {
    const uint8_t *bytes;
    uint32_t offset;
    uint32_t size;
    uint32_t captured;
};

struct defrag_store {
    struct defrag_datagram *datagrams;
    struct defrag_chunk *chunks;
    uint32_t *buckets;
    uint64_t seed;
    uint32_t datagram_count; /* in all, as the next two */
    uint32_t chunk_count;
    uint32_t bucket_count;
    uint32_t datagrams_left;
    uint32_t chunks_left;
    uint32_t free_datagram;
    uint32_t free_chunk;
    uint32_t datagram_bound; /* one more than the largest index ever used */
    uint32_t chunk_bound;
    uint32_t oldest;
    uint32_t newest;
};

/* Reserves what `memory` bytes have room for; false and err when the system refuses. */
bool defrag_store_init(struct defrag_store *store, uint64_t memory, uint64_t seed, struct err *err);
void defrag_store_done(struct defrag_store *store);

/* The datagram with this key, or NULL. */
struct defrag_datagram *defrag_store_find(struct defrag_store *store, const struct defrag_key *key);

/* A new datagram, the newest. There must be a record left. */
struct defrag_datagram *defrag_store_add(struct defrag_store *store, const struct defrag_key *key);

/* Gives a datagram's record and chunks back. */
void defrag_store_drop(struct defrag_store *store, struct defrag_datagram *datagram);

/* The datagram that came first, or NULL. */
struct defrag_datagram *defrag_store_oldest(const struct defrag_store *store);

/* Keeps a piece behind the piece `previous` (0: before all). There must be chunks left. */
void defrag_store_insert(struct defrag_store *store, struct defrag_datagram *datagram,
                         uint32_t previous, const struct defrag_piece *piece);

/* Copies what was captured of a piece; returns where it ends. */
uint8_t *defrag_store_load(const struct defrag_store *store, uint32_t piece, uint8_t *to);
