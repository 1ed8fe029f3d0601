// SPDX-License-Identifier: Apache-2.0
/* One capture file on its way into batches: its bytes are read straight into the memory of the
 * batch and its frames point there. The beginning of a record at the end of a batch is kept, and is
 * the first thing in the memory of the next, which may be another one.
 *
 * Memory: what one batch left over, at most the batch's memory, and the byte source. One thread,
 * except capture_file_consumed(), _claim() and _fill(). */
#pragma once

#include "tap/capture_secrets.h"
#include "tap/tap.h"

struct capture_file;

/* Opens `path` ("-" is standard input) whose interfaces are numbered from `interface_base`. A
 * regular file's first bytes are looked at: NULL with err filled when it is empty or no capture.
 * `is_foreign`, which may be NULL, tells these two from files that could not be read. */
struct capture_file *capture_file_open(const char *path, uint32_t interface_base, uint32_t poll_ms,
                                       bool *is_foreign, struct err *err);

/* NULL is fine. */
void capture_file_close(struct capture_file *file);

/* The next frames, as of tap_kind.next. The batch's memory must have room for the longest record
 * (PCAP_READER_RECORD_MAX) and more. */
enum tap_status capture_file_next(struct capture_file *file, struct tap_batch *batch,
                                  struct err *err);

/* As of tap_kind.claim and tap_kind.fill. */
bool capture_file_claim(struct capture_file *file, struct tap_batch *batch);
void capture_file_fill(const struct capture_file *file, struct tap_batch *batch);

/* Secrets that were read and not fetched yet; may be fetched. */
struct capture_secrets *capture_file_secrets(struct capture_file *file);

/* Whether it can be closed and opened again. */
bool capture_file_is_reopenable(const struct capture_file *file);

/* Size on disk (0 for a pipe), and bytes of it that were read so far. Any thread. */
uint64_t capture_file_size(const struct capture_file *file);
uint64_t capture_file_consumed(const struct capture_file *file);
