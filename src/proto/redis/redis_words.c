// SPDX-License-Identifier: Apache-2.0
#include "proto/redis/redis_words.h"

bool redis_word_is_on(struct span a, const char *b)
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

struct word {
    const char *name;
    unsigned flags;
};

/* By their sizes, which most commands have in common with few of them. */
static const struct word of_3[] = {
    {"ACL", REDIS_TWO_WORDS | REDIS_DISCREET | REDIS_HAS_RULES},
    {0},
};
static const struct word of_4[] = {{"AUTH", REDIS_DISCREET}, {"SYNC", REDIS_SYNCS}, {0}};
static const struct word of_5[] = {
    {"DEBUG", REDIS_TWO_WORDS},
    {"HELLO", REDIS_DISCREET},
    {"PSYNC", REDIS_SYNCS},
    {"XINFO", REDIS_TWO_WORDS},
    {0},
};
static const struct word of_6[] = {
    {"CLIENT", REDIS_TWO_WORDS},
    {"CONFIG", REDIS_TWO_WORDS | REDIS_DISCREET},
    {"MEMORY", REDIS_TWO_WORDS},
    {"MODULE", REDIS_TWO_WORDS},
    {"OBJECT", REDIS_TWO_WORDS},
    {"PUBSUB", REDIS_TWO_WORDS},
    {"SCRIPT", REDIS_TWO_WORDS},
    {"XGROUP", REDIS_TWO_WORDS},
    {0},
};
static const struct word of_7[] = {
    {"CLUSTER", REDIS_TWO_WORDS},
    {"COMMAND", REDIS_TWO_WORDS},
    {"LATENCY", REDIS_TWO_WORDS},
    {"MIGRATE", REDIS_DISCREET},
    {"MONITOR", REDIS_MONITORS},
    {"SLOWLOG", REDIS_TWO_WORDS},
    {0},
};
static const struct word of_8[] = {
    {"FUNCTION", REDIS_TWO_WORDS},
    {"SENTINEL", REDIS_TWO_WORDS | REDIS_DISCREET},
    {0},
};
static const struct word of_9[] = {{"SUBSCRIBE", REDIS_SUBSCRIBES}, {0}};
static const struct word of_10[] = {
    {"PSUBSCRIBE", REDIS_SUBSCRIBES},
    {"SSUBSCRIBE", REDIS_SUBSCRIBES},
    {0},
};
static const struct word of_11[] = {{"UNSUBSCRIBE", REDIS_SUBSCRIBES}, {0}};
static const struct word of_12[] = {
    {"PUNSUBSCRIBE", REDIS_SUBSCRIBES},
    {"SUNSUBSCRIBE", REDIS_SUBSCRIBES},
    {0},
};
static const struct word *const words[] = {
    [3] = of_3, [4] = of_4, [5] = of_5,   [6] = of_6,   [7] = of_7,
    [8] = of_8, [9] = of_9, [10] = of_10, [11] = of_11, [12] = of_12,
};

unsigned redis_word_flags(struct span name)
{
    enum { SIZES = sizeof words / sizeof *words };
    const struct word *word = name.size < SIZES ? words[name.size] : NULL;
    for (; word != NULL && word->name != NULL; word++) {
        if (redis_word_is(name, word->name)) {
            return word->flags;
        }
    }
    return 0;
}

bool redis_word_is_published(struct span word)
{
    return redis_word_is(word, "MESSAGE") || redis_word_is(word, "PMESSAGE") ||
           redis_word_is(word, "SMESSAGE");
}

unsigned redis_word_secret(struct span name, struct span word, uint64_t index, uint64_t count)
{
    if (redis_word_is(name, "AUTH")) { /* AUTH [user] password */
        return index + 2 == count;
    }
    if (index == 0) {
        return 0;
    }
    if (redis_word_is(name, "HELLO")) { /* HELLO 3 AUTH user password */
        return redis_word_is(word, "AUTH") ? 2 : 0;
    }
    if (redis_word_is(name, "MIGRATE")) { /* ... AUTH password, ... AUTH2 user password */
        return redis_word_is(word, "AUTH") ? 1 : redis_word_is(word, "AUTH2") ? 2 : 0;
    }
    if (redis_word_is(name, "CONFIG")) { /* CONFIG SET requirepass password */
        return redis_word_is(word, "REQUIREPASS") || redis_word_is(word, "MASTERAUTH") ||
               redis_word_is(word, "TLS-KEY-FILE-PASS") ||
               redis_word_is(word, "TLS-CLIENT-KEY-FILE-PASS");
    }
    return redis_word_is(name, "SENTINEL") &&
           (redis_word_is(word, "AUTH-PASS") || redis_word_is(word, "SENTINEL-PASS"));
}
