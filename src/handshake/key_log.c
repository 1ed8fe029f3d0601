// SPDX-License-Identifier: Apache-2.0
#include "handshake/key_log.h"

#include <stdatomic.h>

#include "base/hash.h"

enum { PROBES_MAX = 64 };

struct entry {
    _Atomic uint8_t label; /* plus 1; 0: nobody's */
    uint8_t size;
    uint64_t since_ns;
    uint8_t random[KEY_LOG_RANDOM];
    uint8_t secret[KEY_LOG_SECRET_MAX];
};

struct key_log {
    uint64_t seed;
    uint32_t capacity;
    bool grows;
    _Atomic bool has_some;
    struct entry entries[];
};

size_t key_log_bytes(uint32_t capacity)
{
    return sizeof(struct key_log) + (size_t)capacity * sizeof(struct entry);
}

struct key_log *key_log_in(void *zeroes, uint32_t capacity, uint64_t seed, bool grows)
{
    struct key_log *log = zeroes;
    log->seed = seed;
    log->capacity = capacity;
    log->grows = grows;
    return log;
}

bool key_log_grows(const struct key_log *log)
{
    return log->grows;
}

/* Where an entry is, or the first free place for it; NULL when neither is near. */
static const struct entry *locate(const struct key_log *log, const uint8_t *random, uint8_t label,
                                  bool *ret_is_there)
{
    uint64_t at = hash64(random, KEY_LOG_RANDOM, log->seed + label) % log->capacity;
    for (unsigned i = 0; i < PROBES_MAX; i++, at = (at + 1) % log->capacity) {
        const struct entry *entry = &log->entries[at];
        uint8_t found = atomic_load_explicit(&entry->label, memory_order_acquire);
        *ret_is_there = found == label && memcmp(entry->random, random, KEY_LOG_RANDOM) == 0;
        if (found == 0 || *ret_is_there) {
            return entry;
        }
    }
    *ret_is_there = false;
    return NULL;
}

bool key_log_is_of_use(const struct key_log *log)
{
    return log != NULL &&
           (log->grows || atomic_load_explicit(&log->has_some, memory_order_relaxed));
}

bool key_log_find(const struct key_log *log, const struct key_log_query *query, struct span *ret)
{
    bool is_there;
    const struct entry *entry = locate(log, query->random, (uint8_t)(query->label + 1), &is_there);
    is_there = is_there && (entry->since_ns == 0 || entry->since_ns < query->now_ns);
    if (is_there) {
        *ret = span_of(entry->secret, entry->size);
    }
    return is_there;
}

/* ---- Lines ---------------------------------------------------------------------------------- */

static int digit_of(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Reads pairs of hexadecimal digits; returns the bytes, 0 when it is none or too long. */
static size_t read_hex(struct span text, uint8_t *to, size_t room)
{
    if (text.size % 2 != 0 || text.size / 2 > room) {
        return 0;
    }
    for (size_t i = 0; i < text.size; i += 2) {
        int high = digit_of(text.data[i]), low = digit_of(text.data[i + 1]);
        if (high < 0 || low < 0) {
            return 0;
        }
        to[i / 2] = (uint8_t)(high << 4 | low);
    }
    return text.size / 2;
}

/* The next word of a line. */
static struct span next_word(struct span *line)
{
    const uint8_t *space = line->size > 0 ? memchr(line->data, ' ', line->size) : NULL;
    size_t size = space != NULL ? (size_t)(space - line->data) : line->size;
    struct span word = span_head(*line, size);
    *line = span_skip(*line, space != NULL ? size + 1 : size);
    return word;
}

static int label_of(struct span word)
{
    static const char *const names[KEY_LOG_LABELS] = {
        [KEY_LOG_MASTER] = "CLIENT_RANDOM",
        [KEY_LOG_CLIENT] = "CLIENT_TRAFFIC_SECRET_0",
        [KEY_LOG_SERVER] = "SERVER_TRAFFIC_SECRET_0",
        [KEY_LOG_CLIENT_HANDSHAKE] = "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
        [KEY_LOG_SERVER_HANDSHAKE] = "SERVER_HANDSHAKE_TRAFFIC_SECRET",
        [KEY_LOG_EARLY] = "CLIENT_EARLY_TRAFFIC_SECRET",
    };
    for (int i = 0; i < KEY_LOG_LABELS; i++) {
        if (span_equal(word, span_str(names[i]))) {
            return i;
        }
    }
    return -1;
}

enum key_log_line key_log_add(struct key_log *log, struct span line, uint64_t since_ns)
{
    uint8_t random[KEY_LOG_RANDOM], secret[KEY_LOG_SECRET_MAX];
    if (line.size > 0 && line.data[line.size - 1] == '\r') {
        line.size--;
    }
    if (line.size == 0 || line.data[0] == '#') {
        return KEY_LOG_IGNORED;
    }
    int label = label_of(next_word(&line));
    struct span of_random = next_word(&line);
    if (read_hex(of_random, random, sizeof random) != sizeof random) {
        return KEY_LOG_BAD;
    }
    size_t size = read_hex(line, secret, sizeof secret);
    if (label < 0) {
        return KEY_LOG_IGNORED;
    }
    if (size < 32) {
        return KEY_LOG_BAD;
    }
    bool is_there;
    struct entry *entry = (struct entry *)locate(log, random, (uint8_t)(label + 1), &is_there);
    if (is_there) {
        return KEY_LOG_IGNORED;
    }
    if (entry == NULL) {
        return KEY_LOG_FULL;
    }
    entry->size = (uint8_t)size;
    entry->since_ns = since_ns;
    atomic_store_explicit(&log->has_some, true, memory_order_relaxed);
    memcpy(entry->random, random, sizeof random);
    memcpy(entry->secret, secret, size);
    atomic_store_explicit(&entry->label, (uint8_t)(label + 1), memory_order_release);
    return KEY_LOG_ADDED;
}
