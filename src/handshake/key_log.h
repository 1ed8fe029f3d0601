// SPDX-License-Identifier: Apache-2.0
/* Secrets of TLS connections that one of their ends wrote to a file (SSLKEYLOGFILE,
 * draft-ietf-tls-keylogfile): a table from a ClientHello's random and a label to the secret. It lives in
 * memory that is lent, zeroed, and only grows. One thread adds; any may look, without a lock: an entry
 * is whole when it is seen. Looking costs a hash and mostly one comparison. */
#pragma once

#include "base/span.h"

enum { KEY_LOG_RANDOM = 32, KEY_LOG_SECRET_MAX = 48, KEY_LOG_LINE_MAX = 256 };

enum key_log_label {
    KEY_LOG_MASTER, /* CLIENT_RANDOM: TLS 1.2 */
    KEY_LOG_CLIENT, /* CLIENT_TRAFFIC_SECRET_0 */
    KEY_LOG_SERVER, /* SERVER_TRAFFIC_SECRET_0 */
    KEY_LOG_CLIENT_HANDSHAKE, /* CLIENT_HANDSHAKE_TRAFFIC_SECRET */
    KEY_LOG_SERVER_HANDSHAKE, /* SERVER_HANDSHAKE_TRAFFIC_SECRET */
    KEY_LOG_EARLY, /* CLIENT_EARLY_TRAFFIC_SECRET */
    KEY_LOG_LABELS, /* those that are kept */
};

struct key_log; /* opaque */

/* Bytes for so many secrets, and a log in so many bytes of zeroes; a connection of TLS 1.3 has four. */
size_t key_log_bytes(uint32_t capacity);
struct key_log *key_log_in(void *zeroes, uint32_t capacity, uint64_t seed, bool grows);

/* Whether lines may be added still, so that it is worth waiting for one. */
bool key_log_grows(const struct key_log *log);

/* Whether there is anything to be found, or may be. NULL: no. */
bool key_log_is_of_use(const struct key_log *log);

/* What is looked for, as of when: a secret that a capture holds is known to packets behind it only, so
 * that it does not matter how far ahead the capture is read. */
struct key_log_query {
    uint64_t now_ns;
    const uint8_t *random; /* KEY_LOG_RANDOM bytes */
    enum key_log_label label;
};

/* Whether there is a secret; it stays where it is. */
bool key_log_find(const struct key_log *log, const struct key_log_query *query, struct span *ret);

enum key_log_line {
    KEY_LOG_ADDED,
    KEY_LOG_IGNORED, /* a comment, a label that is not kept, one that is there */
    KEY_LOG_BAD,     /* none of the kind */
    KEY_LOG_FULL,
};

/* Takes a line of the file, without its end. It is known to packets that are later than `since_ns`; 0: to
 * all. */
enum key_log_line key_log_add(struct key_log *log, struct span line, uint64_t since_ns);
