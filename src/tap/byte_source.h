// SPDX-License-Identifier: Apache-2.0
/* The bytes of a file, a pipe or standard input, with gzip (RFC 1952) and Zstandard (RFC 8878)
 * taken off when the first bytes say so, never by the name; members and frames that follow each
 * other are one stream. Plain files are read straight into the caller's memory.
 *
 * Memory: 64 KiB, and the window of the compression. One thread, except byte_source_consumed() and
 * byte_source_read_at(). */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct byte_source;

enum byte_source_status {
    BYTE_SOURCE_DATA,   /* at least one byte came */
    BYTE_SOURCE_END,    /* there are no more */
    BYTE_SOURCE_WAIT,   /* a pipe has none at present, or a signal came */
    BYTE_SOURCE_FAILED, /* err says why */
};

/* Opens `path`, or standard input for "-". `poll_ms` is how long a read waits for a pipe; a file
 * never waits. NULL with err filled when it cannot be opened or is a directory. */
struct byte_source *byte_source_open(const char *path, uint32_t poll_ms, struct err *err);

/* NULL is fine. */
void byte_source_close(struct byte_source *source);

/* Reads at most `room` bytes to `to`, their number into `got`. */
enum byte_source_status byte_source_read(struct byte_source *source, uint8_t *to, size_t room,
                                         size_t *got, struct err *err);

/* Pieces of a plain file may be read by others ahead of the reader: whether this is one, and nothing of
 * it is kept in here. Known after the first read. */
bool byte_source_has_pieces(const struct byte_source *source);

/* Where the next byte_source_read() of such a file reads. */
uint64_t byte_source_position(const struct byte_source *source);

/* Reads at most `room` bytes at `offset` of such a file and returns how many came. 0 at its end and where
 * it cannot be read: the reader will find out itself. Any thread. */
size_t byte_source_read_at(const struct byte_source *source, uint64_t offset, uint8_t *to,
                           size_t room);

/* The bytes up to `position` of such a file were read in another way: the reader goes on there. */
void byte_source_go_to(struct byte_source *source, uint64_t position);

/* Such a file as it is open, for reading in another way; the source's. -1 where it is not the source's
 * alone: standard input. */
int byte_source_descriptor(const struct byte_source *source);

/* Whether it can be opened a second time: a regular file. */
bool byte_source_is_file(const struct byte_source *source);

/* Whether what is read was compressed; known after the first read. */
bool byte_source_is_compressed(const struct byte_source *source);

/* Size in the file system, 0 for a pipe. */
uint64_t byte_source_size(const struct byte_source *source);

/* Bytes taken from the file so far, compressed ones where it is compressed. Any thread. */
uint64_t byte_source_consumed(const struct byte_source *source);
