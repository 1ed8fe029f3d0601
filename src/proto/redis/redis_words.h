// SPDX-License-Identifier: Apache-2.0
/* What is special about some of Redis' commands: names of two words, secrets among their arguments,
 * replies that are none or many. Any other command is fine without being known here. Pure
 * functions; names in any case. */
#pragma once

#include "base/span.h"

enum redis_word_flags {
    REDIS_TWO_WORDS = 1,  /* the first argument is part of the name: CONFIG GET */
    REDIS_SUBSCRIBES = 2, /* confirmed once a channel; messages come unasked from then on */
    REDIS_MONITORS = 4,   /* all commands that the server runs come unasked from then on */
    REDIS_SYNCS = 8,      /* makes a replica: what follows is no conversation */
    REDIS_DISCREET = 16,  /* may have secrets among its arguments */
    REDIS_HAS_RULES = 32, /* arguments are secrets when they begin like rules for passwords */
};

/* enum redis_word_flags of a command's first word. */
unsigned redis_word_flags(struct span name);

/* Whether a first word of an array that a server sends says that it comes unasked. */
bool redis_word_is_published(struct span word);

/* In how many arguments a secret comes, now that argument `index` (the name has 0) of `count` was
 * `word`; 0: no secret is near. */
unsigned redis_word_secret(struct span name, struct span word, uint64_t index, uint64_t count);

/* The slow half of redis_word_is(). */
bool redis_word_is_on(struct span a, const char *b);

/* Whether two words are the same but for case; `b` in upper case. Most differ in their first
 * letter. */
static inline bool redis_word_is(struct span a, const char *b)
{
    return a.size > 0 && (*a.data | 0x20) == (*b | 0x20) && redis_word_is_on(a, b);
}
