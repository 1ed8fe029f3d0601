// SPDX-License-Identifier: Apache-2.0
/* Several captures as one, in the order of time; frames of the same time come in the order of the
 * files, frames of one file stay in its order. A frame without a time follows the one before it.
 *
 * A file is looked at once for its first time and then closed; it is opened again when that time
 * has come. So a directory of a thousand captures that follow each other holds one or two open.
 *
 * Memory: for each capture that is open at the same time, 64 KiB of its bytes (up to 576 KiB when
 * it has very long records). One thread, except capture_merge_consumed(). */
#pragma once

#include "tap/capture_secrets.h"
#include "tap/tap.h"

struct capture_merge;

struct capture_merge *capture_merge_new(uint32_t poll_ms, struct err *err);

/* NULL is fine. */
void capture_merge_free(struct capture_merge *merge);

/* Adds a file. False with err filled when it cannot be read at all; `is_foreign` says whether that
 * is because it is empty or no capture. Damage further in is found by capture_merge_next(). */
bool capture_merge_add(struct capture_merge *merge, const char *path, bool *is_foreign,
                       struct err *err);

/* How many files were added. */
size_t capture_merge_count(const struct capture_merge *merge);

/* As tap_kind.next; the bytes of frames are copied into the batch's memory. TAP_ERROR means that
 * one file ended in damage: the others go on with the next call. */
enum tap_status capture_merge_next(struct capture_merge *merge, struct tap_batch *batch,
                                   struct err *err);

/* Secrets that were read and not fetched yet, of all files; may be fetched. Those before the first packet
 * of a file are there once it was added. */
struct capture_secrets *capture_merge_secrets(struct capture_merge *merge);

/* Sizes of all files, and bytes of them that were read so far. Any thread. */
uint64_t capture_merge_size(const struct capture_merge *merge);
uint64_t capture_merge_consumed(const struct capture_merge *merge);
