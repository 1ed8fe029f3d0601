// SPDX-License-Identifier: Apache-2.0
/* Metrics over time: buckets of some seconds of packet time, of which the last few are kept. The
 * newest is the live one; what is added goes to the bucket of its time, so a late delta finds its
 * own as long as that is kept, and is counted when it is not. All of them merged are the window.
 *
 * Buckets begin at multiples of their length since 1970, whenever the first packet came: those of
 * several agents, and of several runs, are the same. A delta must not span two of them: workers
 * hand theirs over at such moments.
 *
 * Only the live bucket is a block: one that is over is packed (metric_pack.h) until somebody asks for
 * it, or something comes late. What is read is made for the moment, and its memory given back with the
 * next call that is not for reading. (Blocks that cannot be packed stay as they are.) Address space is
 * taken at the start; adding costs a merge, turning over a packing, reading a merge a bucket. One
 * thread at a time: the collector's, which lends what it reads under its own lock. */
#pragma once

#include "base/span.h"

struct metric_set;

enum { WINDOWS_SECONDS = 60, WINDOWS_PERIODS_MAX = 10 };

struct windows;

/* Windows of `periods` (1 to WINDOWS_PERIODS_MAX) buckets of `seconds` (at least 1) each, empty;
 * NULL when there is no memory. */
struct windows *windows_new(const struct metric_set *set, uint32_t seconds, uint32_t periods);
void windows_free(struct windows *w);

/* Makes the bucket of a time in ns since 1970 the live one, if it is newer; those that are then too
 * old go. Time that passes with nothing to count, too, wants to be told. */
void windows_advance(struct windows *w, uint64_t time_ns);

/* Adds a block to the bucket of a time, which may be newer than the live one; false, and counted,
 * when that bucket is no longer kept. */
bool windows_add(struct windows *w, const void *delta, uint64_t time_ns);

/* How many buckets there are up to now, the live one among them. */
uint32_t windows_count(const struct windows *w);
/* How many deltas came too late. */
uint64_t windows_late(const struct windows *w);

/* The block of a bucket, 0 being the live one, 1 that before it ...; NULL when there is none. It is
 * lent until the next call that is not for reading, or that reads another one. */
const void *windows_bucket(struct windows *w, uint32_t i);
/* The live one; NULL before the first time. */
const void *windows_live(struct windows *w);
/* When that bucket began, in ns since 1970. */
uint64_t windows_start_ns(const struct windows *w, uint32_t i);

/* The block of all buckets together, the live one too; lent likewise. */
const void *windows_merge_all(struct windows *w);
/* The same of the live one and those before it, `count` at most. */
const void *windows_merge_last(struct windows *w, uint32_t count);
