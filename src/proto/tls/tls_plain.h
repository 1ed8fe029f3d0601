// SPDX-License-Identifier: Apache-2.0
/* Records opened with the secrets of a key log (RFC 8446 §5.2, RFC 5246 §6.2.3.3, RFC 7905): AES-GCM and
 * ChaCha20-Poly1305 of TLS 1.2 and 1.3. What comes out is handed to the engine, which feeds it to the
 * protocol that is spoken inside.
 *
 * From TLS 1.3's ServerHello on, records are sealed with two keys in turn: those of the handshake up to
 * a side's Finished, then those of the data. Where the log has only the latter, a record that they do
 * not open before any that they do is one of the handshake, of which there are not many.
 *
 * What a client says before it was answered (0-RTT, §4.2.10) is sealed with a third key. Whether the
 * server took it stands in its EncryptedExtensions, so it is kept until these were read; what the server
 * says behind its Finished is read when the last of it was.
 *
 * A connection keeps its secrets only: a block of 512 bytes. What opens records is the worker's
 * (tls_opener.h). */
#pragma once

#include "handshake/hello.h"
#include "handshake/key_log.h"
#include "handshake/secret.h"
#include "proto/tls/tls_opener.h"

enum {
    TLS_PLAIN_SHUT_MAX = 64, /* records of a handshake */
    TLS_PLAIN_NAME = 23, /* bytes of a protocol's name that are kept; longer ones are none that is read */
};

struct tls_plain_side {
    uint64_t number;            /* of the next record */
    uint64_t key;               /* its serial at the opener; 0: it was not made yet */
    uint8_t iv[AEAD_NONCE];
    uint8_t secret[SECRET_MAX]; /* TLS 1.3: the key and the next secret follow from it; before, the key */
    uint8_t of_data[SECRET_MAX]; /* in the handshake: the one behind it */
    uint8_t kind; /* enum aead_kind: of a renegotiation the sides turn one after the other */
    bool in_handshake;
    uint8_t shut;               /* records that were not opened before the first that was */
    bool is_open;               /* one was opened */
};

/* What the client says before it was answered. */
enum tls_early {
    TLS_EARLY_NONE,  /* nothing, or nothing more, or the server does not take it */
    TLS_EARLY_ASKED, /* the server has not said whether it takes it */
    TLS_EARLY_TAKEN, /* records come that its key opens, up to EndOfEarlyData */
    TLS_EARLY_SHUT,  /* its key is not known, or nothing tells whether it was taken */
};

/* What two hellos settle of the keys. */
struct tls_plain_terms {
    uint8_t client_random[KEY_LOG_RANDOM];
    uint8_t server_random[KEY_LOG_RANDOM];
    enum aead_kind kind;
    enum secret_hash hash;
    bool is_whole; /* both were seen, and the cipher is one of those */
};

struct tls_plain {
    uint64_t since_ns; /* waiting for secrets; 0: they are there */
    struct tls_plain_terms now;
    union {
        struct tls_plain_terms next; /* up to TLS 1.2: of a handshake that is said in sealed records */
        uint8_t early_secret[SECRET_MAX]; /* TLS 1.3, where there is one */
    };
    uint16_t version;
    uint8_t turning; /* up to TLS 1.2: a bit for each side that takes the keys that are waited for */
    uint8_t client; /* which side */
    uint8_t agreed_size;
    char agreed[TLS_PLAIN_NAME]; /* what is said within (ALPN); agreed_size 0: not known */
    enum tls_early early;
    bool has_early_secret;
    struct tls_plain_side side[2];
};

_Static_assert(sizeof(struct tls_plain) <= 512 - 16, "a connection takes a block of 512 bytes");

/* For a connection whose two hellos were seen; NULL when its cipher is not one of those, when there is
 * no secret of it and none will come, or no memory. In a slab block, which the caller gives back. */
struct tls_plain *tls_plain_new(const struct proto_context *c, struct span client_hello,
                                struct span server_hello);

enum tls_plain_wait { TLS_PLAIN_READY, TLS_PLAIN_WAITING, TLS_PLAIN_LOST };

/* Whether the secrets for the next sealed record of a side are there, looking for them if need be. */
enum tls_plain_wait tls_plain_ready(struct tls_plain *plain, const struct proto_context *c,
                                    unsigned side);

/* Whether the handshake is over as far as it can be read: nobody has to be waited for. */
bool tls_plain_is_settled(const struct tls_plain *plain);

/* What was in a record; empty where it could not be opened, or need not be. */
struct tls_plain_record {
    uint8_t type;     /* enum tls_record */
    struct span data; /* borrowed from the opener */
};

/* Opens a whole record of a side, head included. False when it cannot be, and nothing that follows can
 * either. */
bool tls_plain_open(struct tls_plain *plain, struct tls_opener *opener, unsigned side,
                    struct span record, struct tls_plain_record *ret);
/* A side has said Finished: what follows is sealed with the keys of the data (RFC 8446 §4.4.4). */
void tls_plain_finish(struct tls_plain *plain, unsigned side);
/* Up to TLS 1.2: a handshake within sealed records (RFC 5246 §7.4.1.1) changes the keys at the sealed
 * ChangeCipherSpec of each side. What was in a record of a side; false: what follows cannot be opened. */
bool tls_plain_renegotiate(struct tls_plain *plain, const struct proto_context *c, unsigned side,
                           const struct tls_plain_record *said);
/* What the server chose, in TLS 1.3 behind its hello: whether it takes what the client said early, and
 * what is to be said within. */
void tls_plain_choose(struct tls_plain *plain, const struct hello *choices);
