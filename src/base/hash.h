// SPDX-License-Identifier: Apache-2.0
/* Hashing of keys that strangers choose (addresses, names): XXH3 with a seed drawn at start, so
 * that nobody outside can aim at one bucket. Not for files or the wire: values differ from run to
 * run unless VANTAGE_HASH_SEED (a number) is in the environment, which makes runs repeatable. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* 64 bits over `size` bytes at `data`; some 2 to 4 ns up to 40 bytes. */
static inline uint64_t hash64(const void *data, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, size, seed);
}

/* The seed of this process, the same at every call and in every thread. */
uint64_t hash_seed(void);
