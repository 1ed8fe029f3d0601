// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_suffix.h"

#include "base/hash.h"

#include <libpsl.h>
#include <stdatomic.h>

/* Names come again and again, and the list takes thousands of instructions a name. */
enum { SETS = 1024, SET_BITS = 10, WAYS = 8 /* a cache line */, AT_BITS = 12 /* names are shorter, escaped as well */ };

/* Where the registered domain begins in a name in lower case; its size where it has none. What is
 * remembered of a name is its hash with that in its lowest bits, in one word: any thread may. A set has
 * the last ones first: one that is new takes the first place, and moves the others back. */
static size_t registered_at(const char *lower, size_t size)
{
    static _Alignas(64) _Atomic(uint64_t) known[SETS][WAYS];
    uint64_t hash = hash64(lower, size, hash_seed());
    _Atomic(uint64_t) *set = known[hash >> (64 - SET_BITS)];
    for (unsigned i = 0; i < WAYS; i++) {
        uint64_t found = atomic_load_explicit(&set[i], memory_order_relaxed);
        size_t at = found & ((1U << AT_BITS) - 1);
        if (found >> AT_BITS == hash >> AT_BITS && at <= size) {
            return at;
        }
    }
    const char *registered = psl_registrable_domain(psl_builtin(), lower);
    size_t at = registered != NULL ? (size_t)(registered - lower) : size;
    for (unsigned i = WAYS - 1; i > 0; i--) {
        atomic_store_explicit(&set[i], atomic_load_explicit(&set[i - 1], memory_order_relaxed),
                              memory_order_relaxed);
    }
    atomic_store_explicit(&set[0], hash >> AT_BITS << AT_BITS | at, memory_order_relaxed);
    return at;
}

bool dns_suffix_split(const struct dns_name *name, struct dns_domain *ret)
{
    *ret = (struct dns_domain){0};
    if (name->labels < 2) {
        return false;
    }
    char lower[DNS_NAME_ROOM + 1];
    for (unsigned i = 0; i < name->size; i++) {
        char c = name->text[i];
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    lower[name->size] = '\0';
    size_t at = registered_at(lower, name->size);
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
