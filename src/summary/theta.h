// SPDX-License-Identifier: Apache-2.0
/* How many distinct items there were, and how many of them were in another sketch too, or in it
 * only: the clients that asked for both names, those that are new since yesterday. It is the Theta
 * sketch of Apache DataSketches (Dasgupta, Lang, Rhodes, Thaler, "A Framework for Estimating Stream
 * Expression Cardinalities", 2016): of the items' hashes it keeps those below a bound, theta, which
 * sinks so that some 4096 are kept; the part of all numbers below it says of how many they are a
 * sample. Up to 4096 items it is exact; beyond, the standard error is 1.56 %. For a count alone,
 * cardinality.h is as good with a sixteenth of the memory.
 *
 * Items come by the hash of DataSketches (base/murmur3.h), for the bytes to be of use to others;
 * the places in the table are seeded, so that strangers cannot aim at one. Whatever the order of
 * the items, the split among workers and the merges, estimates and bytes are the same: both look at
 * the 4096 least hashes only.
 *
 * Flat memory, 64 KiB, prepared by theta_init(). One thread at a time; an add costs some 8 ns. */
#pragma once

#include "base/murmur3.h"
#include "base/span.h"

struct json;

enum {
    THETA_LG = 12,
    THETA_NOMINAL = 1 << THETA_LG,
    THETA_SLOTS = 2 * THETA_NOMINAL,
    THETA_HELD_MAX = THETA_SLOTS / 16 * 15,
};

/* Theta of those that kept everything: the hashes have 63 bits. */
#define THETA_WHOLE (UINT64_MAX >> 1)

struct theta {
    uint64_t theta; /* all hashes below it that came are held; none above */
    uint64_t seed;  /* of the places in the table; odd */
    uint32_t count; /* held */
    uint64_t slots[THETA_SLOTS]; /* 0: free */
};

/* An empty sketch, in any memory. */
void theta_init(struct theta *t);

/* Adds an item by its hash (by MURMUR3_SEED). */
void theta_add(struct theta *t, struct murmur3 hash);

/* Makes `into` the union; the intersection; what of it is not in `other`. An intersection's or a
 * difference's error grows as it gets smaller than what it is made of. */
void theta_unite(struct theta *into, const struct theta *other);
void theta_intersect(struct theta *into, const struct theta *other);
void theta_subtract(struct theta *from, const struct theta *other);

/* The number of distinct items, and its relative standard error (0: exact). */
double theta_estimate(const struct theta *t);
double theta_error(const struct theta *t);

/* Appends the bytes of DataSketches' compact, ordered Theta sketch, version 3. */
void theta_write(const struct theta *t, struct json *to);

/* Reads such bytes, ordered or not, of version 3 and of version 4, which packs the hashes' bits.
 * False, and empty, when they are something else. Of sketches that hold more than this one can, the
 * least hashes are kept. */
bool theta_read(struct theta *t, struct span image);
