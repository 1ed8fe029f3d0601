// SPDX-License-Identifier: Apache-2.0
/* ClientHello and ServerHello of TLS 1.0 to 1.3 (RFC 8446 §4.1, RFC 5246 §7.4.1) as views of their
 * bytes: whoever holds a message's body reads it as often as it likes. Pure functions over spans, no
 * allocation; time is linear in the body, and what walks a list is the caller's loop. The messages of
 * DTLS and QUIC are the same. */
#pragma once

#include "base/cursor.h"

enum hello_extension_id {
    HELLO_SERVER_NAME = 0,
    HELLO_STATUS_REQUEST = 5,
    HELLO_GROUPS = 10,
    HELLO_POINT_FORMATS = 11,
    HELLO_SIGNATURES = 13,
    HELLO_ALPN = 16,
    HELLO_TICKET = 35,
    HELLO_PRE_SHARED_KEY = 41,
    HELLO_EARLY_DATA = 42,
    HELLO_VERSIONS = 43,
    HELLO_QUIC_PARAMETERS = 57,
};

enum {
    HELLO_TLS_1_2 = 0x0303,
    HELLO_TLS_1_3 = 0x0304,
    HELLO_RANDOM_BYTES = 32,
    HELLO_EXTENSIONS_MAX = 128, /* that are told */
};

struct hello {
    bool is_server;
    uint16_t version;         /* legacy_version */
    uint16_t cipher;          /* of a server: the one it chose */
    uint8_t compression;      /* likewise */
    struct span random;       /* 32 bytes */
    struct span session_id;   /* at most 32 */
    struct span ciphers;      /* of a client: what it offers, two bytes each */
    struct span compressions; /* likewise, one byte each */
    struct span extensions;   /* one behind the other, without the length of all */
};

struct hello_extension {
    uint16_t id;
    struct span body;
};

/* Reads a message's body (without type and length); false when it is none. Extensions are not looked
 * into: those that are cut or contradict themselves are not found. */
bool hello_read(struct hello *hello, struct span body, bool is_server);

/* The next extension of `at`, a cursor over hello->extensions; false at the end. */
bool hello_next_extension(struct cursor *at, struct hello_extension *ret);
/* Whether there is an extension of that number, and its body (ret may be NULL). */
bool hello_find(const struct hello *hello, uint16_t id, struct span *ret);

/* The elements of a list whose length stands before it in 1 or 2 bytes; empty when the length is not
 * that of the rest. */
struct span hello_list(struct span body, unsigned length_bytes);

/* Writes what hellos are alike in that differ in random, session id, server's name and keys only: all that
 * is told of them otherwise depends on it. Returns its size; 0 when it is more than `room`, where reserved
 * values are strewn in, which makes each another one, and where the server is named more than once. */
size_t hello_outline(uint8_t *to, size_t room, const struct hello *hello);

/* Reserved values that clients strew in so that servers keep ignoring what they do not know (RFC 8701). */
bool hello_is_grease(uint16_t value);

/* The name that a client asks for (RFC 6066 §3); empty when there is none. */
struct span hello_server_name(const struct hello *hello);
/* The next name of `at`, a cursor over what hello_list() gave of the extension's body. */
bool hello_next_name(struct cursor *at, struct span *ret);

/* The next protocol of `at`, a cursor over the list of an ALPN extension (RFC 7301 §3.1). */
bool hello_next_protocol(struct cursor *at, struct span *ret);
/* The first one, a server's only one; empty when there is none. */
struct span hello_first_protocol(const struct hello *hello);

/* The version that a server chose (RFC 8446 §4.2.1), or the highest one that a client offers. */
uint16_t hello_best_version(const struct hello *hello);
/* Whether a server only asks for another ClientHello (RFC 8446 §4.1.3). */
bool hello_is_retry(const struct hello *hello);
