// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/tls_v2_hello.h"

#include "base/cursor.h"

#include <string.h>

enum { CLIENT_HELLO = 1, RANDOM = 32, SESSION_ID_MAX = 32, CHALLENGE_LEAST = 16 };

size_t tls_v2_hello_size(const uint8_t *head)
{
    return 2 + (size_t)(load_be16(head) & 0x7fff);
}

int tls_v2_hello_probe(struct span data)
{
    static const uint8_t begin[] = {CLIENT_HELLO, 3};
    size_t known = data.size < 4 ? data.size : 4;
    if (known > 0 && data.data[0] < 0x80) { /* a head of two bytes has no padding behind it */
        return -1;
    }
    if (known > 2 && memcmp(data.data + 2, begin, known - 2) != 0) {
        return -1;
    }
    if (data.size < TLS_V2_HEAD) {
        return 0;
    }
    size_t ciphers = load_be16(data.data + 5);
    size_t session = load_be16(data.data + 7);
    size_t challenge = load_be16(data.data + 9);
    bool fits = data.data[4] <= 4 && ciphers > 0 && ciphers % 3 == 0 &&
                ciphers <= 3 * TLS_V2_CIPHERS && session <= SESSION_ID_MAX &&
                challenge >= CHALLENGE_LEAST && challenge <= RANDOM &&
                TLS_V2_HEAD + ciphers + session + challenge == tls_v2_hello_size(data.data);
    return fits ? 1 : -1;
}

/* Those whose first byte is zero are TLS's; the others are SSL 2.0's own. */
static uint8_t *put_ciphers(uint8_t *to, struct span list)
{
    uint8_t *at = to + 2;
    for (size_t i = 0; i + 3 <= list.size; i += 3) {
        if (list.data[i] == 0) {
            at = mempcpy(at, list.data + i + 1, 2);
        }
    }
    size_t size = (size_t)(at - to) - 2;
    to[0] = (uint8_t)(size >> 8);
    to[1] = (uint8_t)size;
    return at;
}

size_t tls_v2_hello_body(struct span hello, uint8_t to[TLS_V2_BODY])
{
    struct cursor c = cursor_of(span_skip(hello, 5));
    size_t cipher_bytes = cursor_be16(&c);
    size_t session_bytes = cursor_be16(&c);
    size_t challenge_bytes = cursor_be16(&c);
    struct span ciphers = cursor_take(&c, cipher_bytes);
    struct span session = cursor_take(&c, session_bytes);
    struct span challenge = cursor_take(&c, challenge_bytes);
    uint8_t *at = mempcpy(to, hello.data + 3, 2);
    memset(at, 0, RANDOM);
    at += RANDOM;
    memcpy(at - challenge.size, challenge.data, challenge.size);
    *at++ = (uint8_t)session.size;
    at = mempcpy(at, session.data, session.size);
    at = put_ciphers(at, ciphers);
    *at++ = 1; /* of compressions, the null one */
    *at++ = 0;
    return (size_t)(at - to);
}
