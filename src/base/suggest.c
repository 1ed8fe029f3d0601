// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.h"

#include <stdbool.h>
#include <string.h>

enum { SUGGEST_MAX = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment: insertions, deletions, substitutions, and swaps of neighbours, which
 * is what fingers do. Three rows of the matrix are enough. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][SUGGEST_MAX + 1];
    for (size_t j = 0; j <= b_size; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_size; i++) {
        size_t *now = rows[i % 3];
        const size_t *before = rows[(i + 2) % 3];
        const size_t *two_before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t change = before[j - 1] + (a[i - 1] != b[j - 1]);
            now[j] = least(change, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                now[j] = least(now[j], two_before[j - 2] + 1);
            }
        }
    }
    return rows[a_size % 3][b_size];
}

struct suggest suggest_of(const char *word)
{
    return (struct suggest){.word = word, .best = NULL, .distance = SUGGEST_MAX};
}

void suggest_offer(struct suggest *suggest, const char *name)
{
    size_t word_size = strlen(suggest->word);
    size_t name_size = strlen(name);
    if (word_size == 0 || word_size > SUGGEST_MAX || name_size > SUGGEST_MAX) {
        return;
    }
    size_t far = distance(suggest->word, word_size, name, name_size);
    bool is_start = word_size >= 3 && strncmp(suggest->word, name, word_size) == 0;
    if (is_start) {
        far = 1; /* a name cut short is as good as one slip */
    }
    if (far < suggest->distance && (is_start || far <= (least(word_size, name_size) + 2) / 3)) {
        suggest->best = name;
        suggest->distance = far;
    }
}
