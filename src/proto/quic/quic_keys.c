// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/quic_keys.h"

enum {
    SALT_BYTES = 20,
    NO_SALT = -1,
};

/* The first and the last version of each number that keys are made of. */
static const struct {
    uint32_t from, to;
    int salt;
} versions[] = {
    {QUIC_VERSION_1, QUIC_VERSION_1, 0},
    {QUIC_VERSION_2, QUIC_VERSION_2, 1},
    {0xff00001d, 0xff000020, 2}, /* drafts 29 to 32 */
    {0xff000017, 0xff00001c, 3}, /* drafts 23 to 28 */
    {0xfaceb002, 0xfaceb002, 3}, /* draft 27 as Facebook's programs speak it */
    {0xfaceb00e, 0xfaceb00e, 3},
};

static int salt_of(uint32_t version)
{
    for (unsigned i = 0; i < sizeof versions / sizeof *versions; i++) {
        if (version >= versions[i].from && version <= versions[i].to) {
            return versions[i].salt;
        }
    }
    return NO_SALT;
}

bool quic_knows(uint32_t version)
{
    return salt_of(version) != NO_SALT;
}

static void use_salt(struct secret_source *source, int number)
{
    static const uint8_t salts[QUIC_SALTS][SALT_BYTES] = {
        /* RFC 9001 §5.2 */
        {0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
         0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a},
        /* RFC 9369 §3.3.1 */
        {0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
         0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9},
        /* draft-ietf-quic-tls-29 §5.2 */
        {0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
         0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99},
        /* draft-ietf-quic-tls-23 §5.2 */
        {0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
         0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02},
    };
    secret_source_init(source, SECRET_SHA256, span_of(salts[number], SALT_BYTES));
}

/* Of which connection and side keys are. */
struct whose {
    uint32_t version;
    struct span first_id;
    bool is_server;
};

static void make_keys(struct quic_keys *keys, struct secret_source *salt, const struct whose *whose)
{
    bool is_2 = whose->version == QUIC_VERSION_2;
    uint8_t initial[32], secret[32];
    struct secret_source source;
    secret_source_extract(salt, whose->first_id, initial);
    secret_expand(SECRET_SHA256, span_of(initial, sizeof initial),
                  whose->is_server ? "server in" : "client in", secret, sizeof secret);
    secret_source_init(&source, SECRET_SHA256, span_of(secret, sizeof secret));
    secret_source_expand(&source, is_2 ? "quicv2 key" : "quic key", keys->key, sizeof keys->key);
    secret_source_expand(&source, is_2 ? "quicv2 iv" : "quic iv", keys->iv, sizeof keys->iv);
    secret_source_expand(&source, is_2 ? "quicv2 hp" : "quic hp", keys->mask, sizeof keys->mask);
}

/* The place where the keys are remembered, or are to be; NULL: nowhere. */
static struct recall_slot *find_slot(struct quic_keys_cache *cache, const struct recall_shape *shape,
                                     const struct whose *whose)
{
    uint8_t key[QUIC_KEYS_KEY];
    if (++cache->turn == 0) {
        cache->turn = 1;
    }
    memcpy(key, &whose->version, sizeof whose->version);
    memcpy(key + sizeof whose->version, whose->first_id.data, whose->first_id.size);
    size_t size = sizeof whose->version + whose->first_id.size;
    return recall_find(cache->known, shape, cache->turn, whose->is_server, span_of(key, size));
}

static void make_anew(struct quic_keys *ret, const struct whose *whose)
{
    struct secret_source salt;
    use_salt(&salt, salt_of(whose->version));
    make_keys(ret, &salt, whose);
}

void quic_keys_find(struct quic_keys *ret, struct quic_keys_cache *cache, uint32_t version,
                    struct span first_id, bool is_server)
{
    static const struct recall_shape shape = {QUIC_KEYS_KEPT, QUIC_KEYS_KEY, QUIC_KEYS_ROOM};
    _Static_assert(sizeof *ret <= QUIC_KEYS_ROOM, "room for them");
    const struct whose whose = {version, first_id, is_server};
    struct recall_slot *slot = cache != NULL ? find_slot(cache, &shape, &whose) : NULL;
    if (slot == NULL) {
        make_anew(ret, &whose);
        return;
    }
    for (int i = 0; i < QUIC_SALTS && !cache->has_salts; i++) {
        use_salt(&cache->salts[i], i);
    }
    cache->has_salts = true;
    struct quic_keys *known = recall_value(slot, &shape);
    if (!slot->is_made) {
        make_keys(known, &cache->salts[salt_of(version)], &whose);
        slot->is_made = true;
    }
    *ret = *known;
}
