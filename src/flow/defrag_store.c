// SPDX-License-Identifier: Apache-2.0
#include "flow/defrag_store.h"

#include "base/hash.h"
#include "base/pages.h"

#include <assert.h>

enum { CHUNKS_A_DATAGRAM = 2 }; /* on average */

_Static_assert(sizeof(struct defrag_key) == 48, "compared as bytes");
_Static_assert(sizeof(struct defrag_chunk) == DEFRAG_STORE_CHUNK, "a chunk");

/* ---- Memory -------------------------------------------------------------------------------- */

static size_t datagrams_size(const struct defrag_store *store)
{
    return ((size_t)store->datagram_count + 1) * sizeof *store->datagrams;
}

static size_t chunks_size(const struct defrag_store *store)
{
    return ((size_t)store->chunk_count + 1) * sizeof *store->chunks;
}

static size_t buckets_size(const struct defrag_store *store)
{
    return (size_t)store->bucket_count * sizeof *store->buckets;
}

static uint32_t buckets_for(uint32_t datagrams)
{
    uint32_t buckets = 64;
    while (buckets < datagrams) {
        buckets *= 2;
    }
    return buckets;
}

bool defrag_store_init(struct defrag_store *store, uint64_t memory, uint64_t seed, struct err *err)
{
    const uint64_t each = sizeof *store->datagrams + CHUNKS_A_DATAGRAM * DEFRAG_STORE_CHUNK +
                          2 * sizeof *store->buckets;
    const uint64_t most = UINT32_MAX / 4;
    uint32_t count = (uint32_t)(memory / each < most ? memory / each : most);
    *store = (struct defrag_store){
        .seed = seed,
        .datagram_count = count,
        .datagrams_left = count,
        .datagram_bound = 1,
        .chunk_count = count * CHUNKS_A_DATAGRAM,
        .chunks_left = count * CHUNKS_A_DATAGRAM,
        .chunk_bound = 1,
        .bucket_count = buckets_for(count),
    };
    store->datagrams = pages_reserve(datagrams_size(store));
    store->chunks = pages_reserve(chunks_size(store));
    store->buckets = pages_reserve(buckets_size(store));
    if (store->datagrams == NULL || store->chunks == NULL || store->buckets == NULL) {
        defrag_store_done(store);
        return err_set(err, ERR_FAILED,
                       "cannot reserve %llu bytes for fragments; give them less memory",
                       (unsigned long long)memory);
    }
    return true;
}

void defrag_store_done(struct defrag_store *store)
{
    pages_release(store->datagrams, datagrams_size(store));
    pages_release(store->chunks, chunks_size(store));
    pages_release(store->buckets, buckets_size(store));
}

/* ---- Chunks -------------------------------------------------------------------------------- */

static uint32_t take_chunk(struct defrag_store *store)
{
    assert(store->chunks_left > 0);
    uint32_t index = store->free_chunk;
    if (index != 0) {
        store->free_chunk = store->chunks[index].next;
    } else {
        index = store->chunk_bound++;
    }
    store->chunks_left--;
    store->chunks[index].next = 0;
    return index;
}

/* Gives a chain of chunks back. */
static void give_chunks(struct defrag_store *store, uint32_t index)
{
    while (index != 0) {
        uint32_t next = store->chunks[index].next;
        store->chunks[index].next = store->free_chunk;
        store->free_chunk = index;
        store->chunks_left++;
        index = next;
    }
}

/* Copies a piece into a chain of chunks; returns its first. */
static uint32_t store_piece(struct defrag_store *store, const struct defrag_piece *piece)
{
    uint32_t first = take_chunk(store);
    struct defrag_chunk *chunk = &store->chunks[first];
    chunk->offset = (uint16_t)piece->offset;
    chunk->size = (uint16_t)piece->size;
    chunk->captured = (uint16_t)piece->captured;
    for (uint32_t done = 0; done < piece->captured; done += DEFRAG_STORE_CHUNK_BYTES) {
        if (done > 0) {
            chunk->next = take_chunk(store);
            chunk = &store->chunks[chunk->next];
        }
        uint32_t left = piece->captured - done;
        memcpy(chunk->bytes, piece->bytes + done,
               left < DEFRAG_STORE_CHUNK_BYTES ? left : DEFRAG_STORE_CHUNK_BYTES);
    }
    return first;
}

void defrag_store_insert(struct defrag_store *store, struct defrag_datagram *datagram,
                         uint32_t previous, const struct defrag_piece *piece)
{
    uint32_t index = store_piece(store, piece);
    uint32_t *link = previous != 0 ? &store->chunks[previous].next_piece : &datagram->pieces;
    store->chunks[index].next_piece = *link;
    *link = index;
    if (store->chunks[index].next_piece == 0) {
        datagram->last_piece = index;
    }
    datagram->piece_count++;
    datagram->bytes += piece->size;
}

uint8_t *defrag_store_load(const struct defrag_store *store, uint32_t piece, uint8_t *to)
{
    uint32_t left = store->chunks[piece].captured;
    for (uint32_t index = piece; left > 0; index = store->chunks[index].next) {
        uint32_t n = left < DEFRAG_STORE_CHUNK_BYTES ? left : DEFRAG_STORE_CHUNK_BYTES;
        memcpy(to, store->chunks[index].bytes, n);
        to += n;
        left -= n;
    }
    return to;
}

/* ---- Records ------------------------------------------------------------------------------- */

static uint32_t *bucket_of(struct defrag_store *store, const struct defrag_key *key)
{
    return &store->buckets[hash64(key, sizeof *key, store->seed) & (store->bucket_count - 1)];
}

struct defrag_datagram *defrag_store_find(struct defrag_store *store, const struct defrag_key *key)
{
    for (uint32_t i = *bucket_of(store, key); i != 0; i = store->datagrams[i].chain) {
        if (memcmp(&store->datagrams[i].key, key, sizeof *key) == 0) {
            return &store->datagrams[i];
        }
    }
    return NULL;
}

static uint32_t take_datagram(struct defrag_store *store)
{
    assert(store->datagrams_left > 0);
    store->datagrams_left--;
    uint32_t index = store->free_datagram;
    if (index == 0) {
        return store->datagram_bound++;
    }
    store->free_datagram = store->datagrams[index].chain;
    return index;
}

struct defrag_datagram *defrag_store_add(struct defrag_store *store, const struct defrag_key *key)
{
    uint32_t index = take_datagram(store);
    uint32_t *bucket = bucket_of(store, key);
    struct defrag_datagram *datagram = &store->datagrams[index];
    *datagram = (struct defrag_datagram){
        .key = *key,
        .total = DEFRAG_STORE_UNKNOWN,
        .chain = *bucket,
        .older = store->newest,
    };
    *bucket = index;
    *(store->newest != 0 ? &store->datagrams[store->newest].newer : &store->oldest) = index;
    store->newest = index;
    return datagram;
}

void defrag_store_drop(struct defrag_store *store, struct defrag_datagram *datagram)
{
    uint32_t index = (uint32_t)(datagram - store->datagrams);
    uint32_t *link = bucket_of(store, &datagram->key);
    while (*link != index) {
        link = &store->datagrams[*link].chain;
    }
    *link = datagram->chain;
    uint32_t older = datagram->older;
    uint32_t newer = datagram->newer;
    *(older != 0 ? &store->datagrams[older].newer : &store->oldest) = newer;
    *(newer != 0 ? &store->datagrams[newer].older : &store->newest) = older;
    for (uint32_t piece = datagram->pieces; piece != 0;) {
        uint32_t next = store->chunks[piece].next_piece;
        give_chunks(store, piece);
        piece = next;
    }
    datagram->chain = store->free_datagram;
    store->free_datagram = index;
    store->datagrams_left++;
}

struct defrag_datagram *defrag_store_oldest(const struct defrag_store *store)
{
    return store->oldest != 0 ? &store->datagrams[store->oldest] : NULL;
}
