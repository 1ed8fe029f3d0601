// SPDX-License-Identifier: Apache-2.0
/* "Did you mean …?": the nearest of the names that are offered to a word that is none of them.
 * A value on the caller's stack; it borrows the word and the names. */
#pragma once

#include <stddef.h>

struct suggest {
    const char *word;
    const char *best; /* nearest so far, or NULL when none is near enough */
    size_t distance;  /* of best */
};

/* Nothing offered yet. */
struct suggest suggest_of(const char *word);

/* Offers a name; among equally near ones the first stays. Words beyond 64 bytes are never near. */
void suggest_offer(struct suggest *suggest, const char *name);
