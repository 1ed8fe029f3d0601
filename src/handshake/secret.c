// SPDX-License-Identifier: Apache-2.0
#include "handshake/secret.h"

#include <assert.h>

enum { LABEL_MAX = 32, SEED_MAX = 96 };

size_t secret_size(enum secret_hash hash)
{
    return hash == SECRET_SHA384 ? SHA384_DIGEST_SIZE : SHA256_DIGEST_SIZE;
}

void secret_source_init(struct secret_source *source, enum secret_hash hash, struct span secret)
{
    source->hash = hash;
    if (hash == SECRET_SHA384) {
        hmac_sha384_set_key(&source->of.sha384, secret.size, secret.data);
    } else {
        hmac_sha256_set_key(&source->of.sha256, secret.size, secret.data);
    }
}

static void keyed_update(struct secret_source *k, struct span data)
{
    if (k->hash == SECRET_SHA384) {
        hmac_sha384_update(&k->of.sha384, data.size, data.data);
    } else {
        hmac_sha256_update(&k->of.sha256, data.size, data.data);
    }
}

/* Gives `size` bytes of the hash, and is ready for another message. */
static void keyed_digest(struct secret_source *k, uint8_t *to, size_t size)
{
    if (k->hash == SECRET_SHA384) {
        hmac_sha384_digest(&k->of.sha384, size, to);
    } else {
        hmac_sha256_digest(&k->of.sha256, size, to);
    }
}

void secret_source_extract(struct secret_source *source, struct span key, uint8_t *to)
{
    keyed_update(source, key);
    keyed_digest(source, to, secret_size(source->hash));
}

void secret_extract(uint8_t to[32], struct span salt, struct span key)
{
    struct secret_source source;
    secret_source_init(&source, SECRET_SHA256, salt);
    secret_source_extract(&source, key, to);
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

void secret_source_expand(struct secret_source *source, const char *label, uint8_t *to, size_t size)
{
    uint8_t info[LABEL_MAX + 16], block[SECRET_MAX];
    size_t info_size = write_label(info, label, size), step = secret_size(source->hash);
    for (size_t done = 0, round = 1; done < size; done += step, round++) { /* RFC 5869 §2.3 */
        if (round > 1) {
            keyed_update(source, span_of(block, step));
        }
        info[info_size] = (uint8_t)round;
        keyed_update(source, span_of(info, info_size + 1));
        keyed_digest(source, block, step);
        memcpy(to + done, block, size - done < step ? size - done : step);
    }
}

void secret_expand(enum secret_hash hash, struct span secret, const char *label, uint8_t *to,
                   size_t size)
{
    struct secret_source source;
    secret_source_init(&source, hash, secret);
    secret_source_expand(&source, label, to, size);
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
    struct secret_source k;
    secret_source_init(&k, hash, secret);
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
