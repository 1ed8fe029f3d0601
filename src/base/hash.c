// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

static uint64_t hash_seed_drawn;

static void hash_seed_draw(void)
{
    const char *text = getenv("VANTAGE_HASH_SEED");
    if (text != NULL && *text != '\0') {
        hash_seed_drawn = strtoull(text, NULL, 0);
        return;
    }
    /* Up to 256 bytes come whole or not at all (getrandom(2)), and only a kernel older than 3.17
     * gives none: a guessable seed would open every table to flooding. */
    ssize_t got = getrandom(&hash_seed_drawn, sizeof hash_seed_drawn, 0);
    assert(got == sizeof hash_seed_drawn);
}

uint64_t hash_seed(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, hash_seed_draw);
    return hash_seed_drawn;
}
