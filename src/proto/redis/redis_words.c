// SPDX-License-Identifier: Apache-2.0
#include "proto/redis/redis_words.h"

bool redis_word_is(struct span a, const char *b)
{
    size_t i = 0;
    for (; i < a.size && b[i] != '\0'; i++) {
        bool lower = a.data[i] >= 'a' && a.data[i] <= 'z';
        if ((lower ? a.data[i] - 32 : a.data[i]) != (uint8_t)b[i]) {
            return false;
        }
    }
    return i == a.size && b[i] == '\0';
}

/* The same of names that are told apart mostly by their first letter. */
static inline bool is_word(struct span a, const char *b)
{
    return a.size > 0 && (*a.data | 0x20) == (*b | 0x20) && redis_word_is(a, b);
}

unsigned redis_word_flags(struct span name)
{
    static const struct {
        const char *name;
        unsigned flags;
    } words[] = {
        {"ACL", REDIS_TWO_WORDS},
        {"CLIENT", REDIS_TWO_WORDS},
        {"CLUSTER", REDIS_TWO_WORDS},
        {"COMMAND", REDIS_TWO_WORDS},
        {"CONFIG", REDIS_TWO_WORDS},
        {"DEBUG", REDIS_TWO_WORDS},
        {"FUNCTION", REDIS_TWO_WORDS},
        {"LATENCY", REDIS_TWO_WORDS},
        {"MEMORY", REDIS_TWO_WORDS},
        {"MODULE", REDIS_TWO_WORDS},
        {"MONITOR", REDIS_MONITORS},
        {"OBJECT", REDIS_TWO_WORDS},
        {"PSUBSCRIBE", REDIS_SUBSCRIBES},
        {"PSYNC", REDIS_SYNCS},
        {"PUBSUB", REDIS_TWO_WORDS},
        {"PUNSUBSCRIBE", REDIS_SUBSCRIBES},
        {"SCRIPT", REDIS_TWO_WORDS},
        {"SENTINEL", REDIS_TWO_WORDS},
        {"SLOWLOG", REDIS_TWO_WORDS},
        {"SSUBSCRIBE", REDIS_SUBSCRIBES},
        {"SUBSCRIBE", REDIS_SUBSCRIBES},
        {"SUNSUBSCRIBE", REDIS_SUBSCRIBES},
        {"SYNC", REDIS_SYNCS},
        {"UNSUBSCRIBE", REDIS_SUBSCRIBES},
        {"XGROUP", REDIS_TWO_WORDS},
        {"XINFO", REDIS_TWO_WORDS},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (is_word(name, words[i].name)) {
            return words[i].flags;
        }
    }
    return 0;
}

bool redis_word_is_published(struct span word)
{
    return is_word(word, "MESSAGE") || is_word(word, "PMESSAGE") ||
           is_word(word, "SMESSAGE");
}

unsigned redis_word_secret(struct span name, struct span word, uint64_t index, uint64_t count)
{
    if (is_word(name, "AUTH")) { /* AUTH [user] password */
        return index + 2 == count;
    }
    if (index == 0) {
        return 0;
    }
    if (is_word(name, "HELLO")) { /* HELLO 3 AUTH user password */
        return is_word(word, "AUTH") ? 2 : 0;
    }
    if (is_word(name, "MIGRATE")) { /* ... AUTH password, ... AUTH2 user password */
        return is_word(word, "AUTH") ? 1 : is_word(word, "AUTH2") ? 2 : 0;
    }
    if (is_word(name, "CONFIG")) { /* CONFIG SET requirepass password */
        return is_word(word, "REQUIREPASS") || is_word(word, "MASTERAUTH") ||
               is_word(word, "TLS-KEY-FILE-PASS") ||
               is_word(word, "TLS-CLIENT-KEY-FILE-PASS");
    }
    return is_word(name, "SENTINEL") &&
           (is_word(word, "AUTH-PASS") || is_word(word, "SENTINEL-PASS"));
}

bool redis_word_has_rules(struct span name)
{
    return is_word(name, "ACL");
}

bool redis_word_is_discreet(struct span name)
{
    static const char *const names[] = {"ACL", "AUTH", "CONFIG", "HELLO", "MIGRATE", "SENTINEL"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (is_word(name, names[i])) {
            return true;
        }
    }
    return false;
}
