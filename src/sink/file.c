// SPDX-License-Identifier: Apache-2.0
/* Events appended to a file. Beyond rotate_bytes it becomes <path>.1, which was <path>.2 before
 * the next, up to <path>.<keep>; or another is begun, where files are dated. Nothing here is final: while the disk is full or the directory
 * gone, events are lost and counted, and each write tries again. A line is whole or not there. */
#include "sink/codec.h"
#include "sink/dated.h"
#include "sink/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct sink {
    struct lines lines;
    struct codec codec;
    mode_t mode;
    uint64_t rotate_bytes;
    uint32_t keep;
    char *path;      /* owned; of dated files the stem */
    bool is_dated;
    char current[PATH_MAX]; /* the file that is written */
    int fd;          /* -1 when it could not be opened again */
};

/* Whether the file ends in the middle of a line, as a crash may leave it. */
static bool file_ends_torn(const char *path)
{
    struct stat status;
    char last = '\n';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return false;
    }
    bool torn = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0 &&
                pread(fd, &last, 1, status.st_size - 1) == 1 && last != '\n';
    close(fd);
    return torn;
}

/* Returns 0 or errno. */
static int file_reopen(struct sink *sink)
{
    sink->fd = open(sink->current, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, sink->mode);
    if (sink->fd < 0) {
        return errno;
    }
    if (file_ends_torn(sink->current) && write(sink->fd, "\n", 1) != 1) {
        int failure = errno;
        close(sink->fd);
        sink->fd = -1;
        return failure;
    }
    return 0;
}

/* What cannot be made is told by the file that cannot be opened then. */
static void make_folders(const char *path)
{
    char folder[PATH_MAX];
    for (const char *end = strchr(path + 1, '/'); end != NULL; end = strchr(end + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(end - path), path);
        (void)mkdir(folder, 0750);
    }
}

static void file_free(struct sink *sink)
{
    lines_done(&sink->lines);
    codec_done(&sink->codec);
    free(sink->path);
    free(sink);
}

/* Whether `more` bytes would grow the file beyond the size that it may have; a file with nothing
 * in it takes anything. */
static bool file_is_full(const struct sink *sink, size_t more)
{
    struct stat status;
    if (sink->rotate_bytes == 0 || fstat(sink->fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        return false;
    }
    uint64_t size = (uint64_t)status.st_size + sink->lines.size;
    return size > 0 && size + more > sink->rotate_bytes;
}

static void file_name(const struct sink *sink, uint32_t number, char ret[PATH_MAX])
{
    if (number == 0) {
        snprintf(ret, PATH_MAX, "%s", sink->path);
    } else {
        snprintf(ret, PATH_MAX, "%s.%u", sink->path, number);
    }
}

/* Moves all files one number on; returns 0 or errno. */
static int file_move_on(const struct sink *sink)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    int failure = 0;
    for (uint32_t number = sink->keep; number > 0; number--) {
        file_name(sink, number - 1, from);
        file_name(sink, number, to);
        failure = rename(from, to) == 0 || errno == ENOENT ? 0 : errno;
    }
    if (sink->keep == 0 && unlink(sink->path) != 0 && errno != ENOENT) {
        failure = errno;
    }
    return failure; /* the one that counts: of the file in use, which came last */
}

/* Begins a new file; returns 0 or errno, and the sink then goes on with what it has. */
static int file_rotate(struct sink *sink)
{
    int failure = sink->is_dated ? 0 : file_move_on(sink);
    if (failure != 0) {
        return failure;
    }
    close(sink->fd);
    if (!sink->is_dated) {
        return file_reopen(sink);
    }
    dated_next(sink->path, time(NULL), sink->current);
    failure = file_reopen(sink);
    dated_purge(sink->path, sink->keep + 1);
    return failure;
}

/* The file to begin with; false when there is no memory for its path. */
static bool file_choose(struct sink *sink, const struct sink_options *options)
{
    sink->path = strdup(options->path);
    sink->is_dated = options->is_dated;
    if (sink->is_dated) {
        dated_last(options->path, time(NULL), sink->current);
    } else {
        snprintf(sink->current, sizeof sink->current, "%s", options->path);
    }
    return sink->path != NULL;
}

/* Whether there is something in the file. */
static bool file_has_any(const struct sink *sink)
{
    struct stat status;
    return fstat(sink->fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
}

static struct sink *file_open(const struct sink_options *options, struct err *err)
{
    if (options->path == NULL || *options->path == '\0') {
        err_set(err, ERR_USAGE, "output file: it needs a path");
        return NULL;
    }
    struct sink *sink = calloc(1, sizeof *sink);
    if (sink == NULL) {
        err_set(err, ERR_FAILED, "no memory for the output file %s", options->path);
        return NULL;
    }
    sink->rotate_bytes = options->rotate_bytes;
    sink->keep = options->keep;
    sink->mode = options->mode != 0 ? options->mode : 0640;
    codec_init(&sink->codec, options);
    if (options->makes_folder) {
        make_folders(options->path);
    }
    bool has_memory = file_choose(sink, options) && lines_init(&sink->lines);
    int failure = has_memory ? file_reopen(sink) : ENOMEM;
    if (failure != 0) {
        err_set(err, ERR_FAILED, "cannot write events to %s: %s", sink->current, strerror(failure));
        file_free(sink);
        return NULL;
    }
    if (options->rotate_on_start && file_has_any(sink)) {
        (void)file_rotate(sink); /* a file that cannot be moved away is gone on with */
    }
    return sink;
}

/* After a failed write: cuts off the half line, so that readers never see it. Where that cannot be
 * done (a pipe, a device), the next line begins with a newline of its own. */
static void file_repair(struct sink *sink)
{
    struct stat status;
    if (sink->lines.torn > 0 && fstat(sink->fd, &status) == 0 && S_ISREG(status.st_mode) &&
        ftruncate(sink->fd, status.st_size - (off_t)sink->lines.torn) == 0) {
        sink->lines.torn = 0;
    }
}

static bool file_flush(struct sink *sink, struct err *err)
{
    if (sink->fd >= 0 && lines_flush(&sink->lines, sink->fd) != 0) {
        file_repair(sink);
    }
    return true;
}

static bool file_write(struct sink *sink, struct span lines, uint32_t count, struct err *err)
{
    lines = codec_apply(&sink->codec, lines);
    int failure = sink->fd < 0 ? file_reopen(sink) : 0;
    if (failure == 0 && file_is_full(sink, lines.size)) {
        file_flush(sink, NULL);
        failure = file_rotate(sink);
    }
    if (failure != 0) {
        lines_lose(&sink->lines, sink->fd < 0 ? count : 0, failure);
    }
    if (sink->fd < 0) {
        return true;
    }
    if (sink->lines.size + lines.size > LINES_BUFFER) {
        file_flush(sink, NULL); /* and repair, before more follows */
    }
    if (lines_put(&sink->lines, sink->fd, lines, count) != 0) {
        file_repair(sink);
    }
    return true;
}

static void file_status(const struct sink *sink, struct sink_status *ret)
{
    *ret = sink->lines.status;
}

static void file_close(struct sink *sink)
{
    if (sink != NULL) {
        file_flush(sink, NULL);
        if (sink->fd >= 0) {
            close(sink->fd);
        }
        file_free(sink);
    }
}

const struct sink_kind sink_file = {
    .name = "file",
    .help = "Events appended to a file, one JSON object a line, with rotation",
    .open = file_open,
    .write = file_write,
    .flush = file_flush,
    .status = file_status,
    .close = file_close,
};
