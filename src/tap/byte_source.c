// SPDX-License-Identifier: Apache-2.0
#include "tap/byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/cursor.h"

enum {
    INPUT_SIZE = 64 << 10,
    MAGIC_SIZE = 4,
    GZIP_WINDOW = 15 + 16, /* zlib: the largest window, and a gzip header before it */
};

#define ZSTD_MAGIC 0xfd2fb528U
#define ZSTD_SKIPPABLE_MAGIC 0x184d2a50U /* its last four bits are free */

struct byte_source {
    char *name;
    int fd;
    uint32_t poll_ms;
    bool is_file;
    bool is_shared; /* standard input: others have it open, too, as the same description */
    bool at_end; /* of the file */
    enum { KIND_UNKNOWN, KIND_PLAIN, KIND_GZIP, KIND_ZSTD } kind;
    bool in_member; /* a compressed member or frame has begun and not ended */
    uint64_t size;
    uint64_t start; /* where the file was when it was opened: standard input may be amid one */
    _Atomic uint64_t consumed;
    z_stream gzip;
    ZSTD_DStream *zstd;
    size_t input_at;
    size_t input_end;
    uint8_t input[INPUT_SIZE];
};

static bool check_type(struct byte_source *source, struct err *err)
{
    struct stat st;
    if (fstat(source->fd, &st) < 0) {
        return err_set(err, ERR_FAILED, "%s: %s", source->name, strerror(errno));
    }
    if (S_ISDIR(st.st_mode)) {
        return err_set(err, ERR_FAILED, "%s: is a directory", source->name);
    }
    source->is_file = S_ISREG(st.st_mode);
    source->size = source->is_file ? (uint64_t)st.st_size : 0;
    off_t start = source->is_file ? lseek(source->fd, 0, SEEK_CUR) : 0;
    source->start = start > 0 ? (uint64_t)start : 0;
    return true;
}

struct byte_source *byte_source_open(const char *path, uint32_t poll_ms, struct err *err)
{
    struct byte_source *source = calloc(1, sizeof *source);
    bool is_stdin = strcmp(path, "-") == 0;
    if (source != NULL) {
        source->fd = -1;
        source->name = strdup(is_stdin ? "standard input" : path);
    }
    if (source == NULL || source->name == NULL) {
        err_set(err, ERR_FAILED, "%s: out of memory", path);
        byte_source_close(source);
        return NULL;
    }
    source->poll_ms = poll_ms;
    source->is_shared = is_stdin;
    source->fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
    if (source->fd < 0) {
        err_set(err, ERR_FAILED, "%s: %s", source->name, strerror(errno));
        byte_source_close(source);
        return NULL;
    }
    if (!check_type(source, err)) {
        byte_source_close(source);
        return NULL;
    }
    if (source->is_file) {
        (void)posix_fadvise(source->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    }
    return source;
}

void byte_source_close(struct byte_source *source)
{
    if (source == NULL) {
        return;
    }
    if (source->kind == KIND_GZIP) {
        inflateEnd(&source->gzip);
    }
    ZSTD_freeDStream(source->zstd);
    if (source->fd >= 0) {
        close(source->fd);
    }
    free(source->name);
    free(source);
}

/* A file that others cut short has not ended as it should have, wherever it was cut. */
static enum byte_source_status end_of_file(struct byte_source *source, struct err *err)
{
    source->at_end = true;
    uint64_t position = byte_source_position(source);
    if (source->is_file && position < source->size) {
        err_set(err, ERR_FAILED, "%s: byte %" PRIu64 ": became shorter while it was read: it had %" PRIu64
                " bytes", source->name, position, source->size);
        return BYTE_SOURCE_FAILED;
    }
    return BYTE_SOURCE_END;
}

/* read(2) that can wait no longer than asked. */
static enum byte_source_status read_raw(struct byte_source *source, uint8_t *to, size_t room,
                                        size_t *got, struct err *err)
{
    if (!source->is_file) {
        struct pollfd waiting = {.fd = source->fd, .events = POLLIN};
        int ready = poll(&waiting, 1, (int)source->poll_ms);
        if (ready == 0 || (ready < 0 && errno == EINTR)) {
            return BYTE_SOURCE_WAIT;
        }
    }
    ssize_t n = source->is_file
                    ? pread(source->fd, to, room, (off_t)byte_source_position(source))
                    : read(source->fd, to, room);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return BYTE_SOURCE_WAIT;
    }
    if (n < 0) {
        err_set(err, ERR_FAILED, "%s: byte %" PRIu64 ": %s", source->name,
                byte_source_consumed(source), strerror(errno));
        return BYTE_SOURCE_FAILED;
    }
    if (n == 0) {
        return end_of_file(source, err);
    }
    *got = (size_t)n;
    atomic_fetch_add_explicit(&source->consumed, (uint64_t)n, memory_order_relaxed);
    return BYTE_SOURCE_DATA;
}

/* Adds to the input, which holds an unread rest of at most a few bytes. */
static enum byte_source_status fill_input(struct byte_source *source, struct err *err)
{
    if (source->input_at == source->input_end) {
        source->input_at = source->input_end = 0;
    }
    size_t got = 0;
    enum byte_source_status status = read_raw(source, source->input + source->input_end,
                                              INPUT_SIZE - source->input_end, &got, err);
    source->input_end += got;
    return status;
}

static bool begin_gzip(struct byte_source *source, struct err *err)
{
    if (inflateInit2(&source->gzip, GZIP_WINDOW) != Z_OK) {
        return err_set(err, ERR_FAILED, "%s: out of memory for gzip", source->name);
    }
    source->kind = KIND_GZIP;
    return true;
}

static bool begin_zstd(struct byte_source *source, struct err *err)
{
    source->zstd = ZSTD_createDStream();
    if (source->zstd == NULL) {
        return err_set(err, ERR_FAILED, "%s: out of memory for zstd", source->name);
    }
    source->kind = KIND_ZSTD;
    return true;
}

/* Reads the magic and takes the decompressor that it asks for. */
static enum byte_source_status find_kind(struct byte_source *source, struct err *err)
{
    while (source->input_end < MAGIC_SIZE && !source->at_end) {
        enum byte_source_status status = fill_input(source, err);
        if (status == BYTE_SOURCE_WAIT || status == BYTE_SOURCE_FAILED) {
            return status;
        }
    }
    const uint8_t *magic = source->input;
    uint32_t word = source->input_end < MAGIC_SIZE ? 0 : load_le32(magic);
    bool begun = true;
    if (source->input_end >= 2 && magic[0] == 0x1f && magic[1] == 0x8b) {
        begun = begin_gzip(source, err);
    } else if (word == ZSTD_MAGIC || (word & ~15U) == ZSTD_SKIPPABLE_MAGIC) {
        begun = begin_zstd(source, err);
    } else {
        source->kind = KIND_PLAIN;
    }
    return begun ? BYTE_SOURCE_DATA : BYTE_SOURCE_FAILED;
}

static enum byte_source_status compression_failed(const struct byte_source *source,
                                                  const char *reason, struct err *err)
{
    uint64_t unread = source->input_end - source->input_at;
    err_set(err, ERR_FAILED, "%s: byte %" PRIu64 ": %s data are damaged: %s", source->name,
            byte_source_consumed(source) - unread, source->kind == KIND_GZIP ? "gzip" : "zstd",
            reason);
    return BYTE_SOURCE_FAILED;
}

/* Decompresses what the input holds; sets `got`, which may be 0. */
static enum byte_source_status inflate_some(struct byte_source *source, uint8_t *to, size_t room,
                                            size_t *got, struct err *err)
{
    z_stream *gzip = &source->gzip;
    if (!source->in_member) {
        while (source->input_at < source->input_end && source->input[source->input_at] == 0) {
            source->input_at++; /* tapes and some writers pad the end with zeros */
        }
        if (source->input_at == source->input_end) {
            return BYTE_SOURCE_DATA;
        }
        inflateReset(gzip);
        source->in_member = true;
    }
    gzip->next_in = source->input + source->input_at;
    gzip->avail_in = (uInt)(source->input_end - source->input_at);
    gzip->next_out = to;
    gzip->avail_out = (uInt)room;
    int result = inflate(gzip, Z_NO_FLUSH);
    source->input_at = source->input_end - gzip->avail_in;
    *got = room - gzip->avail_out;
    if (result == Z_STREAM_END) {
        source->in_member = false;
    } else if (result != Z_OK && result != Z_BUF_ERROR && *got == 0) {
        return compression_failed(source, gzip->msg != NULL ? gzip->msg : zError(result), err);
    }
    return BYTE_SOURCE_DATA;
}

static enum byte_source_status unzstd_some(struct byte_source *source, uint8_t *to, size_t room,
                                           size_t *got, struct err *err)
{
    ZSTD_inBuffer in = {source->input, source->input_end, source->input_at};
    ZSTD_outBuffer out = {to, room, 0};
    if (in.pos == in.size && !source->in_member) {
        return BYTE_SOURCE_DATA;
    }
    size_t result = ZSTD_decompressStream(source->zstd, &out, &in);
    source->input_at = in.pos;
    *got = out.pos;
    if (ZSTD_isError(result)) {
        return compression_failed(source, ZSTD_getErrorName(result), err);
    }
    source->in_member = result != 0;
    return BYTE_SOURCE_DATA;
}

static enum byte_source_status read_compressed(struct byte_source *source, uint8_t *to, size_t room,
                                               size_t *got, struct err *err)
{
    for (;;) {
        enum byte_source_status status = source->kind == KIND_GZIP
                                             ? inflate_some(source, to, room, got, err)
                                             : unzstd_some(source, to, room, got, err);
        if (status != BYTE_SOURCE_DATA || *got > 0) {
            return status;
        }
        if (source->input_at < source->input_end) {
            continue; /* a member ended without a byte: the next one begins */
        }
        status = source->at_end ? BYTE_SOURCE_END : fill_input(source, err);
        if (status == BYTE_SOURCE_END && source->in_member) {
            return compression_failed(source, "they end early", err);
        }
        if (status != BYTE_SOURCE_DATA) {
            return status;
        }
    }
}

static enum byte_source_status read_plain(struct byte_source *source, uint8_t *to, size_t room,
                                          size_t *got, struct err *err)
{
    size_t kept = source->input_end - source->input_at;
    if (kept > 0) {
        *got = kept < room ? kept : room;
        memcpy(to, source->input + source->input_at, *got);
        source->input_at += *got;
        return BYTE_SOURCE_DATA;
    }
    return source->at_end ? BYTE_SOURCE_END : read_raw(source, to, room, got, err);
}

enum byte_source_status byte_source_read(struct byte_source *source, uint8_t *to, size_t room,
                                         size_t *got, struct err *err)
{
    *got = 0;
    if (source->kind == KIND_UNKNOWN) {
        enum byte_source_status status = find_kind(source, err);
        if (status != BYTE_SOURCE_DATA) {
            return status;
        }
    }
    return source->kind == KIND_PLAIN ? read_plain(source, to, room, got, err)
                                      : read_compressed(source, to, room, got, err);
}

bool byte_source_has_pieces(const struct byte_source *source)
{
    return source->is_file && source->kind == KIND_PLAIN && !source->at_end &&
           source->input_at == source->input_end;
}

uint64_t byte_source_position(const struct byte_source *source)
{
    return source->start + byte_source_consumed(source);
}

size_t byte_source_read_at(const struct byte_source *source, uint64_t offset, uint8_t *to,
                           size_t room)
{
    size_t got = 0;
    while (got < room) {
        ssize_t n = pread(source->fd, to + got, room - got, (off_t)(offset + got));
        if (n <= 0) {
            break;
        }
        got += (size_t)n;
    }
    return got;
}

void byte_source_go_to(struct byte_source *source, uint64_t position)
{
    atomic_store_explicit(&source->consumed, position - source->start, memory_order_relaxed);
}

int byte_source_descriptor(const struct byte_source *source)
{
    return source->is_shared ? -1 : source->fd;
}

bool byte_source_is_file(const struct byte_source *source)
{
    return source->is_file;
}

bool byte_source_is_compressed(const struct byte_source *source)
{
    return source->kind == KIND_GZIP || source->kind == KIND_ZSTD;
}

uint64_t byte_source_size(const struct byte_source *source)
{
    return source->size;
}

uint64_t byte_source_consumed(const struct byte_source *source)
{
    return atomic_load_explicit(&source->consumed, memory_order_relaxed);
}
