// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/tls_plain.h"

#include "handshake/hello_names.h"

#define WAIT_NS UINT64_C(5000000000) /* packet time for which secrets are waited for */

enum {
    SALT_BYTES = 4,     /* TLS 1.2's AES-GCM: the other 8 of a nonce stand in the record (RFC 5288) */
    EXPLICIT_BYTES = 8,
    KEY_UPDATE = 24,
    END_OF_EARLY_DATA = 5,
    BESIDE_MAX = 13,
};

/* ---- Ciphers -------------------------------------------------------------------------------- */

/* What a cipher suite's name says of it; false when it is not one that can be opened. */
static bool read_cipher(struct tls_plain_terms *terms, uint16_t cipher)
{
    const char *name = hello_cipher_name(cipher);
    if (name == NULL) {
        return false;
    }
    terms->hash = strstr(name, "SHA384") != NULL ? SECRET_SHA384 : SECRET_SHA256;
    if (strstr(name, "_AES_128_GCM_") != NULL) {
        terms->kind = AEAD_AES_128_GCM;
    } else if (strstr(name, "_AES_256_GCM_") != NULL) {
        terms->kind = AEAD_AES_256_GCM;
    } else {
        terms->kind = AEAD_CHACHA20_POLY1305;
        return strstr(name, "_CHACHA20_POLY1305_") != NULL;
    }
    return true;
}

/* The bytes of a nonce that a key comes with. */
static size_t iv_size(const struct tls_plain *plain, enum aead_kind kind)
{
    bool is_short = plain->version < HELLO_TLS_1_3 && kind != AEAD_CHACHA20_POLY1305;
    return is_short ? SALT_BYTES : AEAD_NONCE;
}

/* ---- Keys ----------------------------------------------------------------------------------- */

/* What a side's key follows from in TLS 1.3. */
static struct span secret_of(const struct tls_plain *plain, const struct tls_plain_side *side)
{
    bool is_early = plain->early == TLS_EARLY_TAKEN && side == &plain->side[plain->client];
    return span_of(is_early ? plain->early_secret : side->secret, secret_size(plain->now.hash));
}

/* The next record of a side is the first that is sealed with that secret (RFC 8446 §7.3). */
static void use_secret(const struct tls_plain *plain, struct tls_plain_side *side)
{
    secret_expand(plain->now.hash, secret_of(plain, side), "iv", side->iv, sizeof side->iv);
    side->kind = (uint8_t)plain->now.kind;
    side->key = 0;
    side->number = 0;
}

/* A side's key, made ready. */
static struct aead *key_of(const struct tls_plain *plain, struct tls_plain_side *side,
                           struct tls_opener *opener)
{
    uint8_t bytes[AEAD_KEY_MAX];
    const uint8_t *key = side->secret;
    side->key = side->key != 0 ? side->key : ++opener->serial;
    struct tls_opener_key *place = tls_opener_place(opener, side->key);
    if (place->serial == side->key) {
        return &place->aead;
    }
    if (plain->version >= HELLO_TLS_1_3) {
        secret_expand(plain->now.hash, secret_of(plain, side), "key", bytes,
                      aead_key_size((enum aead_kind)side->kind));
        key = bytes;
    }
    aead_init(&place->aead, (enum aead_kind)side->kind, key);
    place->serial = side->key;
    return &place->aead;
}

/* RFC 8446 §7.2 */
static void update_secret(const struct tls_plain *plain, struct tls_plain_side *side)
{
    uint8_t next[SECRET_MAX];
    size_t size = secret_size(plain->now.hash);
    secret_expand(plain->now.hash, span_of(side->secret, size), "traffic upd", next, size);
    memcpy(side->secret, next, size);
    use_secret(plain, side);
}

/* RFC 5246 §6.3: the client's key, the server's, the client's IV, the server's. */
static void use_master(struct tls_plain *plain, struct span master)
{
    uint8_t seed[2 * KEY_LOG_RANDOM], block[2 * AEAD_KEY_MAX + 2 * AEAD_NONCE];
    size_t key = aead_key_size(plain->now.kind), iv = iv_size(plain, plain->now.kind);
    memcpy(seed, plain->now.server_random, KEY_LOG_RANDOM);
    memcpy(seed + KEY_LOG_RANDOM, plain->now.client_random, KEY_LOG_RANDOM);
    secret_prf(plain->now.hash, master, "key expansion", span_of(seed, sizeof seed), block,
               2 * key + 2 * iv);
    for (unsigned i = 0; i < 2; i++) {
        unsigned number = i == 0 ? plain->client : 1U - plain->client;
        struct tls_plain_side *side = &plain->side[number];
        if (plain->turning & 1U << number) {
            side->kind = (uint8_t)plain->now.kind;
            memcpy(side->secret, block + i * key, key);
            memcpy(side->iv, block + 2 * key + i * iv, iv);
            side->key = 0;
            side->number = 0;
        }
    }
    plain->turning = 0;
}

static bool find(const struct tls_plain *plain, const struct proto_context *c,
                 enum key_log_label label, struct span *ret)
{
    const struct key_log_query query = {
        .now_ns = c->now_ns, .random = plain->now.client_random, .label = label};
    return key_log_find(c->keys, &query, ret);
}

/* RFC 8446 §7.1: until its Finished a side uses the secret of the handshake, where that is known. */
static void use_handshake(struct tls_plain *plain, unsigned number, const struct proto_context *c)
{
    struct tls_plain_side *side = &plain->side[number];
    enum key_log_label label =
        number == plain->client ? KEY_LOG_CLIENT_HANDSHAKE : KEY_LOG_SERVER_HANDSHAKE;
    struct span secret;
    if (find(plain, c, label, &secret) &&
        secret.size == secret_size(plain->now.hash)) {
        memcpy(side->of_data, side->secret, secret.size);
        memcpy(side->secret, secret.data, secret.size);
        side->in_handshake = true;
    }
    use_secret(plain, side);
}

/* What tells whether early data were taken has to be read, and then they have. */
static void find_early(struct tls_plain *plain, const struct proto_context *c)
{
    struct span secret;
    if (plain->early == TLS_EARLY_ASKED && !plain->side[1 - plain->client].in_handshake) {
        plain->early = TLS_EARLY_SHUT;
    }
    if (find(plain, c, KEY_LOG_EARLY, &secret) &&
        secret.size == secret_size(plain->now.hash)) {
        memcpy(plain->early_secret, secret.data, secret.size);
        plain->has_early_secret = true;
    }
}

static bool find_secrets(struct tls_plain *plain, const struct proto_context *c)
{
    struct span first, second;
    if (plain->version < HELLO_TLS_1_3) {
        if (!find(plain, c, KEY_LOG_MASTER, &first)) {
            return false;
        }
        use_master(plain, first);
        return true;
    }
    size_t size = secret_size(plain->now.hash);
    if (!find(plain, c, KEY_LOG_CLIENT, &first) ||
        !find(plain, c, KEY_LOG_SERVER, &second) || first.size != size ||
        second.size != size) {
        return false;
    }
    memcpy(plain->side[plain->client].secret, first.data, size);
    memcpy(plain->side[1 - plain->client].secret, second.data, size);
    use_handshake(plain, 0, c);
    use_handshake(plain, 1, c);
    find_early(plain, c);
    return true;
}

/* Whether a side's next record has to wait for what the other one says. */
static enum tls_plain_wait early_wait(const struct tls_plain *plain, unsigned side)
{
    switch (plain->early) {
    case TLS_EARLY_NONE:
        return TLS_PLAIN_READY;
    case TLS_EARLY_SHUT:
        return TLS_PLAIN_LOST;
    default:
        break;
    }
    bool waits = side == plain->client ? plain->early == TLS_EARLY_ASKED
                                       : !plain->side[side].in_handshake;
    return waits ? TLS_PLAIN_WAITING : TLS_PLAIN_READY;
}

enum tls_plain_wait tls_plain_ready(struct tls_plain *plain, const struct proto_context *c,
                                    unsigned side)
{
    if (plain->since_ns == 0) {
        return early_wait(plain, side);
    }
    if (find_secrets(plain, c)) {
        plain->since_ns = 0;
        return early_wait(plain, side);
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

static void answer_early(struct tls_plain *plain, bool takes_early)
{
    if (plain->early != TLS_EARLY_ASKED) {
        return;
    }
    plain->early = !takes_early              ? TLS_EARLY_NONE
                   : plain->has_early_secret ? TLS_EARLY_TAKEN
                                             : TLS_EARLY_SHUT;
    if (plain->early == TLS_EARLY_TAKEN) {
        use_secret(plain, &plain->side[plain->client]);
    }
}

void tls_plain_choose(struct tls_plain *plain, const struct hello *choices)
{
    struct span name = hello_first_protocol(choices);
    if (name.size > 0 && name.size <= sizeof plain->agreed) {
        memcpy(plain->agreed, name.data, name.size);
        plain->agreed_size = (uint8_t)name.size;
    }
    answer_early(plain, hello_find(choices, HELLO_EARLY_DATA, NULL));
}

struct tls_plain *tls_plain_new(const struct proto_context *c, struct span client_hello,
                                struct span server_hello)
{
    const struct tls_flow *f = c->state;
    struct hello client, server;
    if (c->cache == NULL || !key_log_is_of_use(c->keys) || !hello_read(&client, client_hello, false) ||
        !hello_read(&server, server_hello, true)) {
        return NULL;
    }
    struct tls_plain *plain = slab_take(c->memory, sizeof *plain);
    if (plain == NULL) {
        return NULL;
    }
    memset(plain, 0, sizeof *plain);
    memcpy(plain->now.client_random, client.random.data, KEY_LOG_RANDOM);
    memcpy(plain->now.server_random, server.random.data, KEY_LOG_RANDOM);
    plain->version = f->version;
    plain->turning = 3;
    plain->client = f->client;
    plain->early = f->has_early_data && !f->retried && f->version == HELLO_TLS_1_3
                       ? TLS_EARLY_ASKED
                       : TLS_EARLY_NONE;
    plain->since_ns = c->now_ns != 0 ? c->now_ns : 1;
    bool is_known = plain->version >= HELLO_TLS_1_2 && plain->version <= HELLO_TLS_1_3;
    if (!is_known || !read_cipher(&plain->now, server.cipher) ||
        tls_plain_ready(plain, c, 1U - plain->client) == TLS_PLAIN_LOST) {
        slab_give(c->memory, plain);
        return NULL;
    }
    if (plain->version < HELLO_TLS_1_3) {
        tls_plain_choose(plain, &server);
    }
    return plain;
}

/* A hello of a renegotiation, whole in its record as it practically always is. */
static void take_hello(struct tls_plain *plain, bool is_server, struct span message)
{
    struct hello hello;
    struct tls_plain_terms *next = &plain->next;
    next->is_whole = false;
    if (message.size < TLS_MESSAGE_HEAD ||
        !hello_read(&hello, span_skip(message, TLS_MESSAGE_HEAD), is_server)) {
        return;
    }
    memcpy(is_server ? next->server_random : next->client_random, hello.random.data, KEY_LOG_RANDOM);
    next->is_whole = is_server && read_cipher(next, hello.cipher);
}

bool tls_plain_renegotiate(struct tls_plain *plain, const struct proto_context *c, unsigned side,
                           const struct tls_plain_record *said)
{
    uint8_t first = said->data.size > 0 ? *said->data.data : 0;
    bool is_server = side != plain->client;
    if (said->type == TLS_HANDSHAKE && first == (is_server ? TLS_SERVER_HELLO : TLS_CLIENT_HELLO)) {
        take_hello(plain, is_server, said->data);
    }
    if (said->type != TLS_CHANGE_CIPHER) {
        return true;
    }
    plain->now = plain->next;
    plain->turning |= (uint8_t)(1U << side);
    plain->since_ns = c->now_ns != 0 ? c->now_ns : 1;
    return plain->next.is_whole;
}

/* ---- Records -------------------------------------------------------------------------------- */

/* RFC 5246 §6.2.3.3; returns the size of the data, or -1. */
static long open_old(const struct tls_plain *plain, struct tls_plain_side *side,
                     struct tls_opener *opener, struct span record)
{
    uint8_t nonce[AEAD_NONCE], beside[BESIDE_MAX];
    bool is_explicit = iv_size(plain, (enum aead_kind)side->kind) == SALT_BYTES;
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
    bool is_open = aead_open(key_of(plain, side, opener), nonce, span_of(beside, sizeof beside),
                             span_skip(record, before), opener->bytes);
    return is_open ? (long)size : -1;
}

/* A message behind which a side's records are sealed with another key (RFC 8446 §4.6.3, §4.5). */
static void turn_key(struct tls_plain *plain, struct tls_plain_side *side, uint8_t message)
{
    bool is_early = plain->early == TLS_EARLY_TAKEN && side == &plain->side[plain->client];
    if (is_early && message == END_OF_EARLY_DATA) {
        plain->early = TLS_EARLY_NONE;
        use_secret(plain, side);
    } else if (!side->in_handshake && message == KEY_UPDATE) {
        update_secret(plain, side);
    }
}

/* RFC 8446 §5.2: the type stands behind the data, and zeroes behind it. */
static bool open_new(struct tls_plain *plain, struct tls_plain_side *side,
                     struct tls_opener *opener, struct span record, struct tls_plain_record *ret)
{
    uint8_t nonce[AEAD_NONCE];
    uint8_t *to = opener->bytes;
    struct span sealed = span_skip(record, TLS_RECORD_HEAD);
    aead_nonce(nonce, side->iv, side->number);
    if (!aead_open(key_of(plain, side, opener), nonce, span_head(record, TLS_RECORD_HEAD), sealed,
                   to)) {
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
    if (ret->type == TLS_HANDSHAKE && size > 0) {
        turn_key(plain, side, to[0]);
    }
    return true;
}

bool tls_plain_open(struct tls_plain *plain, struct tls_opener *opener, unsigned side,
                    struct span record, struct tls_plain_record *ret)
{
    struct tls_plain_side *s = &plain->side[side];
    *ret = (struct tls_plain_record){.type = record.data[0], .data = span_of(opener->bytes, 0)};
    if (plain->version >= HELLO_TLS_1_3) {
        return record.data[0] != TLS_DATA || open_new(plain, s, opener, record, ret);
    }
    long size = open_old(plain, s, opener, record);
    if (size > 0) {
        ret->data = span_of(opener->bytes, (size_t)size);
    }
    return size >= 0;
}
