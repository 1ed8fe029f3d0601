// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_suffix.h"

#include "base/hash.h"

#include <libpsl.h>
#include <stdatomic.h>

/* Names come again and again, and the list takes thousands of instructions a name. */
enum {
    SETS = 1024,
    SET_BITS = 10,
    WAYS = 8,     /* a cache line */
    AT_BITS = 12, /* names are shorter, escaped as well */
    LEVELS = 9,   /* labels that libpsl looks at, from the end */
};

/* What is remembered of a name in lower case is its hash, and in the lowest bits of that where its registered
 * domain begins, or its size where it has none, being a public suffix itself. One word: any thread may. A
 * set has the last ones first: one that is new takes the first place, and moves the others back. */
static _Atomic(uint64_t) *set_of(uint64_t hash)
{
    static _Alignas(64) _Atomic(uint64_t) known[SETS][WAYS];
    return known[hash >> (64 - SET_BITS)];
}

/* The last LEVELS labels of a name. */
static size_t tail_at(const char *lower, size_t size)
{
    unsigned dots = 0;
    for (size_t at = size; at > 0; at--) {
        if (lower[at - 1] == '.' && ++dots == LEVELS) {
            return at;
        }
    }
    return 0;
}

static bool recall(uint64_t hash, size_t size, size_t *at)
{
    _Atomic(uint64_t) *set = set_of(hash);
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t found = atomic_load_explicit(&set[i], memory_order_relaxed);
        *at = found & ((1U << AT_BITS) - 1);
        if (found >> AT_BITS == hash >> AT_BITS && *at <= size) {
            return true;
        }
    }
    return false;
}

static void remember(uint64_t hash, size_t at)
{
    _Atomic(uint64_t) *set = set_of(hash);
    for (unsigned i = WAYS - 1; i > 0; i--) {
        atomic_store_explicit(&set[i], atomic_load_explicit(&set[i - 1], memory_order_relaxed),
                              memory_order_relaxed);
    }
    atomic_store_explicit(&set[0], hash >> AT_BITS << AT_BITS | at, memory_order_relaxed);
}

static size_t registered_at(const char *lower, size_t size);

/* It begins a label before the longest tail of the name that is a public suffix. Tails are asked for one by
 * one, for those of names in one domain are often known. */
static size_t look_up(const char *lower, size_t size)
{
    if (psl_is_public_suffix(psl_builtin(), lower)) {
        return size;
    }
    const char *dot = strchr(lower, '.');
    if (dot == NULL) {
        return 0;
    }
    size_t behind = (size_t)(dot + 1 - lower), rest = size - behind;
    size_t at = registered_at(dot + 1, rest);
    return at == rest ? 0 : behind + at;
}

/* Where the registered domain begins in a name of LEVELS labels at most; its size where it has none, being
 * a public suffix itself. */
static size_t registered_at(const char *lower, size_t size)
{
    uint64_t hash = hash64(lower, size, hash_seed());
    size_t at;
    if (!recall(hash, size, &at)) {
        at = look_up(lower, size);
        remember(hash, at);
    }
    return at;
}

/* The same of any name. */
static size_t registered_in(const char *lower, size_t size)
{
    uint64_t hash = hash64(lower, size, hash_seed());
    size_t at;
    if (!recall(hash, size, &at)) {
        size_t tail = tail_at(lower, size);
        at = tail + look_up(lower + tail, size - tail);
        remember(hash, at);
    }
    return at;
}

bool dns_suffix_split(const struct dns_name *name, struct dns_domain *ret)
{
    *ret = (struct dns_domain){0};
    if (name->labels < 2) {
        return false;
    }
    char lower[sizeof name->text];
    dns_name_lower(name, lower);
    size_t at = registered_in(lower, name->size);
    if (at == name->size) {
        return false;
    }
    struct span text = dns_name_text(name);
    ret->registered = span_skip(text, at);
    const uint8_t *dot = memchr(ret->registered.data, '.', ret->registered.size);
    if (dot != NULL) {
        ret->suffix = span_skip(ret->registered, (size_t)(dot + 1 - ret->registered.data));
    }
    ret->subdomain = span_head(text, at > 0 ? at - 1 : 0);
    return true;
}
