// SPDX-License-Identifier: Apache-2.0
/* How TLS and QUIC make keys of secrets: HKDF (RFC 5869) with the labels of RFC 8446 §7.1, and the
 * older pseudo-random function of RFC 5246 §5. Pure; the hashes are nettle's. Some microseconds each:
 * for the beginning of a connection, not for each packet. */
#pragma once

#include <nettle/hmac.h>

#include "base/span.h"

enum secret_hash { SECRET_SHA256, SECRET_SHA384 };

enum { SECRET_MAX = 48 /* bytes of a hash, and so of a secret */ };

/* Bytes of the hash. */
size_t secret_size(enum secret_hash hash);

/* A secret, or a salt, that several things are made of: what hashing begins with is done once. A plain
 * value. */
struct secret_source {
    enum secret_hash hash;
    union {
        struct hmac_sha256_ctx sha256;
        struct hmac_sha384_ctx sha384;
    } of;
};

void secret_source_init(struct secret_source *source, enum secret_hash hash, struct span secret);
/* As secret_expand() does it. */
void secret_source_expand(struct secret_source *source, const char *label, uint8_t *to, size_t size);
/* HKDF-Extract with the source as salt: secret_size() bytes. */
void secret_source_extract(struct secret_source *source, struct span key, uint8_t *to);

/* HKDF-Extract with SHA-256: 32 bytes. */
void secret_extract(uint8_t to[32], struct span salt, struct span key);

/* HKDF-Expand-Label with an empty context: `size` bytes, at most 255. The label is without its "tls13 ". */
void secret_expand(enum secret_hash hash, struct span secret, const char *label, uint8_t *to,
                   size_t size);

/* The pseudo-random function of TLS 1.2: `size` bytes of a secret, a label and a seed, 64 at most. */
void secret_prf(enum secret_hash hash, struct span secret, const char *label, struct span seed,
                uint8_t *to, size_t size);
