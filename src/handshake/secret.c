// SPDX-License-Identifier: Apache-2.0
#include "handshake/secret.h"

#include <assert.h>
#include <nettle/hmac.h>

enum { LABEL_MAX = 32, SEED_MAX = 96 };

size_t secret_size(enum secret_hash hash)
{
    return hash == SECRET_SHA384 ? SHA384_DIGEST_SIZE : SHA256_DIGEST_SIZE;
}

/* One keyed hash, of either kind. */
struct keyed {
    enum secret_hash hash;
    union {
        struct hmac_sha256_ctx sha256;
        struct hmac_sha384_ctx sha384;
    } of;
};

static void keyed_init(struct keyed *k, enum secret_hash hash, struct span key)
{
    k->hash = hash;
    if (hash == SECRET_SHA384) {
        hmac_sha384_set_key(&k->of.sha384, key.size, key.data);
    } else {
        hmac_sha256_set_key(&k->of.sha256, key.size, key.data);
    }
}

static void keyed_update(struct keyed *k, struct span data)
{
    if (k->hash == SECRET_SHA384) {
        hmac_sha384_update(&k->of.sha384, data.size, data.data);
    } else {
        hmac_sha256_update(&k->of.sha256, data.size, data.data);
    }
}

/* Gives `size` bytes of the hash, and is ready for another message. */
static void keyed_digest(struct keyed *k, uint8_t *to, size_t size)
{
    if (k->hash == SECRET_SHA384) {
        hmac_sha384_digest(&k->of.sha384, size, to);
    } else {
        hmac_sha256_digest(&k->of.sha256, size, to);
    }
}

void secret_extract(uint8_t to[32], struct span salt, struct span key)
{
    struct keyed k;
    keyed_init(&k, SECRET_SHA256, salt);
    keyed_update(&k, key);
    keyed_digest(&k, to, SHA256_DIGEST_SIZE);
}

/* RFC 8446 §7.1: struct HkdfLabel */
static size_t write_label(uint8_t *to, const char *label, size_t size)
{
    static const char prefix[] = "tls13 ";
    size_t length = strlen(label);
    assert(length <= LABEL_MAX && size <= UINT8_MAX);
    uint8_t *at = to;
    *at++ = 0;
    *at++ = (uint8_t)size;
    *at++ = (uint8_t)(sizeof prefix - 1 + length);
    memcpy(at, prefix, sizeof prefix - 1);
    memcpy(at + sizeof prefix - 1, label, length);
    at += sizeof prefix - 1 + length;
    *at++ = 0;
    return (size_t)(at - to);
}

void secret_expand(enum secret_hash hash, struct span secret, const char *label, uint8_t *to,
                   size_t size)
{
    uint8_t info[LABEL_MAX + 16];
    size_t info_size = write_label(info, label, size);
    struct keyed k;
    keyed_init(&k, hash, secret);
    size_t step = secret_size(hash);
    uint8_t block[SECRET_MAX];
    for (size_t done = 0, round = 1; done < size; done += step, round++) { /* RFC 5869 §2.3 */
        uint8_t number = (uint8_t)round;
        if (round > 1) {
            keyed_update(&k, span_of(block, step));
        }
        keyed_update(&k, span_of(info, info_size));
        keyed_update(&k, span_of(&number, 1));
        keyed_digest(&k, block, step);
        memcpy(to + done, block, size - done < step ? size - done : step);
    }
}

void secret_prf(enum secret_hash hash, struct span secret, const char *label, struct span seed,
                uint8_t *to, size_t size)
{
    uint8_t text[LABEL_MAX + SEED_MAX], a[SECRET_MAX], block[SECRET_MAX];
    size_t label_size = strlen(label), step = secret_size(hash);
    assert(label_size <= LABEL_MAX && seed.size <= SEED_MAX);
    memcpy(text, label, label_size);
    memcpy(text + label_size, seed.data, seed.size);
    struct span what = span_of(text, label_size + seed.size);
    struct keyed k;
    keyed_init(&k, hash, secret);
    keyed_update(&k, what);
    keyed_digest(&k, a, step); /* RFC 5246 §5: A(1) */
    for (size_t done = 0; done < size; done += step) {
        keyed_update(&k, span_of(a, step));
        keyed_update(&k, what);
        keyed_digest(&k, block, step);
        memcpy(to + done, block, size - done < step ? size - done : step);
        keyed_update(&k, span_of(a, step));
        keyed_digest(&k, a, step);
    }
}
