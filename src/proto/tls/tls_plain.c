// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/tls_plain.h"

#include "handshake/hello.h"
#include "handshake/hello_names.h"

#define WAIT_NS UINT64_C(5000000000) /* packet time for which secrets are waited for */

enum {
    SALT_BYTES = 4,     /* TLS 1.2's AES-GCM: the other 8 of a nonce stand in the record (RFC 5288) */
    EXPLICIT_BYTES = 8,
    KEY_UPDATE = 24,
    BESIDE_MAX = 13,
};

/* ---- Ciphers -------------------------------------------------------------------------------- */

/* What a cipher suite's name says of it; false when it is not one that can be opened. */
static bool read_cipher(struct tls_plain *plain, uint16_t cipher)
{
    const char *name = hello_cipher_name(cipher);
    if (name == NULL) {
        return false;
    }
    plain->hash = strstr(name, "SHA384") != NULL ? SECRET_SHA384 : SECRET_SHA256;
    if (strstr(name, "_AES_128_GCM_") != NULL) {
        plain->kind = AEAD_AES_128_GCM;
    } else if (strstr(name, "_AES_256_GCM_") != NULL) {
        plain->kind = AEAD_AES_256_GCM;
    } else {
        plain->kind = AEAD_CHACHA20_POLY1305;
        return strstr(name, "_CHACHA20_POLY1305_") != NULL;
    }
    return true;
}

/* The bytes of a nonce that a key comes with. */
static size_t iv_size(const struct tls_plain *plain)
{
    bool is_short = plain->version < HELLO_TLS_1_3 && plain->kind != AEAD_CHACHA20_POLY1305;
    return is_short ? SALT_BYTES : AEAD_NONCE;
}

/* ---- Keys ----------------------------------------------------------------------------------- */

/* RFC 8446 §7.3 */
static void use_secret(const struct tls_plain *plain, struct tls_plain_side *side)
{
    uint8_t key[AEAD_KEY_MAX];
    struct span secret = span_of(side->secret, secret_size(plain->hash));
    secret_expand(plain->hash, secret, "key", key, aead_key_size(plain->kind));
    secret_expand(plain->hash, secret, "iv", side->iv, sizeof side->iv);
    aead_init(&side->aead, plain->kind, key);
    side->number = 0;
}

/* RFC 8446 §7.2 */
static void update_secret(const struct tls_plain *plain, struct tls_plain_side *side)
{
    uint8_t next[SECRET_MAX];
    size_t size = secret_size(plain->hash);
    secret_expand(plain->hash, span_of(side->secret, size), "traffic upd", next, size);
    memcpy(side->secret, next, size);
    use_secret(plain, side);
}

/* RFC 5246 §6.3: the client's key, the server's, the client's IV, the server's. */
static void use_master(struct tls_plain *plain, struct span master)
{
    uint8_t seed[2 * KEY_LOG_RANDOM], block[2 * AEAD_KEY_MAX + 2 * AEAD_NONCE];
    size_t key = aead_key_size(plain->kind), iv = iv_size(plain);
    memcpy(seed, plain->server_random, KEY_LOG_RANDOM);
    memcpy(seed + KEY_LOG_RANDOM, plain->client_random, KEY_LOG_RANDOM);
    secret_prf(plain->hash, master, "key expansion", span_of(seed, sizeof seed), block,
               2 * key + 2 * iv);
    for (unsigned i = 0; i < 2; i++) {
        struct tls_plain_side *side = &plain->side[i == 0 ? plain->client : 1 - plain->client];
        aead_init(&side->aead, plain->kind, block + i * key);
        memcpy(side->iv, block + 2 * key + i * iv, iv);
    }
}

/* RFC 8446 §7.1: until its Finished a side uses the secret of the handshake, where that is known. */
static void use_handshake(struct tls_plain *plain, unsigned number, const struct key_log *keys)
{
    struct tls_plain_side *side = &plain->side[number];
    enum key_log_label label =
        number == plain->client ? KEY_LOG_CLIENT_HANDSHAKE : KEY_LOG_SERVER_HANDSHAKE;
    struct span secret;
    if (key_log_find(keys, plain->client_random, label, &secret) &&
        secret.size == secret_size(plain->hash)) {
        memcpy(side->of_data, side->secret, secret.size);
        memcpy(side->secret, secret.data, secret.size);
        side->in_handshake = true;
    }
    use_secret(plain, side);
}

static bool find_secrets(struct tls_plain *plain, const struct key_log *keys)
{
    struct span first, second;
    if (plain->version < HELLO_TLS_1_3) {
        if (!key_log_find(keys, plain->client_random, KEY_LOG_MASTER, &first)) {
            return false;
        }
        use_master(plain, first);
        return true;
    }
    size_t size = secret_size(plain->hash);
    if (!key_log_find(keys, plain->client_random, KEY_LOG_CLIENT, &first) ||
        !key_log_find(keys, plain->client_random, KEY_LOG_SERVER, &second) || first.size != size ||
        second.size != size) {
        return false;
    }
    memcpy(plain->side[plain->client].secret, first.data, size);
    memcpy(plain->side[1 - plain->client].secret, second.data, size);
    use_handshake(plain, 0, keys);
    use_handshake(plain, 1, keys);
    return true;
}

enum tls_plain_wait tls_plain_ready(struct tls_plain *plain, const struct proto_context *c)
{
    if (plain->since_ns == 0) {
        return TLS_PLAIN_READY;
    }
    if (find_secrets(plain, c->keys)) {
        plain->since_ns = 0;
        return TLS_PLAIN_READY;
    }
    bool is_late = c->now_ns > plain->since_ns + WAIT_NS;
    return key_log_grows(c->keys) && !is_late ? TLS_PLAIN_WAITING : TLS_PLAIN_LOST;
}

bool tls_plain_is_settled(const struct tls_plain *plain)
{
    return plain->since_ns == 0 && !plain->side[0].in_handshake && !plain->side[1].in_handshake;
}

void tls_plain_finish(struct tls_plain *plain, unsigned number)
{
    struct tls_plain_side *side = &plain->side[number];
    if (side->in_handshake) {
        side->in_handshake = false;
        memcpy(side->secret, side->of_data, sizeof side->secret);
        use_secret(plain, side);
    }
}

struct tls_plain *tls_plain_new(const struct proto_context *c, struct span client_hello,
                                struct span server_hello)
{
    const struct tls_flow *f = c->state;
    struct hello client, server;
    if (c->keys == NULL || !hello_read(&client, client_hello, false) ||
        !hello_read(&server, server_hello, true)) {
        return NULL;
    }
    struct tls_plain *plain = slab_take(c->memory, sizeof *plain);
    if (plain == NULL) {
        return NULL;
    }
    memset(plain, 0, sizeof *plain);
    memcpy(plain->client_random, client.random.data, KEY_LOG_RANDOM);
    memcpy(plain->server_random, server.random.data, KEY_LOG_RANDOM);
    plain->version = f->version;
    plain->client = f->client;
    plain->since_ns = c->now_ns != 0 ? c->now_ns : 1;
    bool is_known = plain->version >= HELLO_TLS_1_2 && plain->version <= HELLO_TLS_1_3;
    if (!is_known || !read_cipher(plain, server.cipher) ||
        tls_plain_ready(plain, c) == TLS_PLAIN_LOST) {
        slab_give(c->memory, plain);
        return NULL;
    }
    return plain;
}

/* ---- Records -------------------------------------------------------------------------------- */

/* RFC 5246 §6.2.3.3; returns the size of the data, or -1. */
static long open_old(const struct tls_plain *plain, struct tls_plain_side *side, struct span record,
                     uint8_t *to)
{
    uint8_t nonce[AEAD_NONCE], beside[BESIDE_MAX];
    bool is_explicit = iv_size(plain) == SALT_BYTES;
    size_t before = TLS_RECORD_HEAD + (is_explicit ? EXPLICIT_BYTES : 0);
    if (record.size < before + AEAD_TAG) {
        return -1;
    }
    size_t size = record.size - before - AEAD_TAG;
    if (is_explicit) {
        memcpy(nonce, side->iv, SALT_BYTES);
        memcpy(nonce + SALT_BYTES, record.data + TLS_RECORD_HEAD, EXPLICIT_BYTES);
    } else {
        aead_nonce(nonce, side->iv, side->number);
    }
    for (unsigned i = 0; i < 8; i++) {
        beside[i] = (uint8_t)(side->number >> (56 - 8 * i));
    }
    memcpy(beside + 8, record.data, 3);
    beside[11] = (uint8_t)(size >> 8);
    beside[12] = (uint8_t)size;
    side->number++;
    bool is_open = aead_open(&side->aead, nonce, span_of(beside, sizeof beside),
                             span_skip(record, before), to);
    return is_open ? (long)size : -1;
}

/* RFC 8446 §5.2: the type stands behind the data, and zeroes behind it. */
static bool open_new(const struct tls_plain *plain, struct tls_plain_side *side, struct span record,
                     uint8_t *to, struct tls_plain_record *ret)
{
    uint8_t nonce[AEAD_NONCE];
    struct span sealed = span_skip(record, TLS_RECORD_HEAD);
    aead_nonce(nonce, side->iv, side->number);
    if (!aead_open(&side->aead, nonce, span_head(record, TLS_RECORD_HEAD), sealed, to)) {
        return !side->is_open && ++side->shut < TLS_PLAIN_SHUT_MAX;
    }
    side->is_open = true;
    side->number++;
    size_t size = sealed.size - AEAD_TAG;
    while (size > 0 && to[size - 1] == 0) {
        size--;
    }
    ret->type = size > 0 ? to[--size] : 0;
    ret->data = span_of(to, size);
    if (ret->type == TLS_HANDSHAKE && !side->in_handshake && size > 0 && to[0] == KEY_UPDATE) {
        update_secret(plain, side);
    }
    return true;
}

bool tls_plain_open(struct tls_plain *plain, unsigned side, struct span record,
                    struct tls_plain_record *ret)
{
    struct tls_plain_side *s = &plain->side[side];
    *ret = (struct tls_plain_record){.type = record.data[0], .data = span_of(plain->bytes, 0)};
    if (plain->version >= HELLO_TLS_1_3) {
        return record.data[0] != TLS_DATA || open_new(plain, s, record, plain->bytes, ret);
    }
    long size = open_old(plain, s, record, plain->bytes);
    if (size > 0) {
        ret->data = span_of(plain->bytes, (size_t)size);
    }
    return size >= 0;
}
