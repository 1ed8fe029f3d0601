// SPDX-License-Identifier: Apache-2.0
/* The tap of capture files. One file is read straight into the engine's batches; several, or a
 * directory, are merged by time. What is wrong with a file is told when everything that can be
 * read has been: one line each. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tap/capture_file.h"
#include "tap/capture_filter.h"
#include "tap/capture_merge.h"
#include "tap/tap.h"

enum {
    POLL_MS = 100,
    REJECTED_MAX = 64, /* batches without a match before the engine hears of it */
};

struct tap {
    struct capture_file *file;   /* the only file, or NULL */
    struct capture_merge *merge; /* several, or NULL */
    struct capture_filter *filter;
    uint32_t snap_len; /* 0 keeps all */
    bool ended;
    struct err problems; /* of files that are done with, a line each */
    uint32_t problems_left_out;
    _Atomic uint64_t received;
    uint64_t files_skipped;
};

/* Remembers a problem for the end; the first says what kind it is. */
static void add_problem(struct tap *tap, const struct err *problem)
{
    struct err *all = &tap->problems;
    size_t used = strlen(all->text);
    size_t size = strlen(problem->text);
    enum { TAIL = 40 }; /* room for the line that counts what did not fit */
    if (used + 1 + size + TAIL >= sizeof all->text) {
        tap->problems_left_out++;
        return;
    }
    if (all->code == ERR_NONE) {
        all->code = problem->code;
    } else {
        all->text[used++] = '\n';
    }
    memcpy(all->text + used, problem->text, size + 1);
}

/* Hands all problems to err; true when there were none. */
static bool tell_problems(struct tap *tap, struct err *err)
{
    if (tap->problems.code == ERR_NONE) {
        return true;
    }
    if (tap->problems_left_out > 0) {
        size_t used = strlen(tap->problems.text);
        snprintf(tap->problems.text + used, sizeof tap->problems.text - used,
                 "\nand %" PRIu32 " more", tap->problems_left_out);
    }
    return err_set(err, tap->problems.code, "%s", tap->problems.text);
}

static bool is_directory(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Adds a file of a directory, if it is a regular one and a capture. */
static void add_entry(struct tap *tap, const char *directory, const char *name)
{
    char path[PATH_MAX];
    struct stat st;
    int size = snprintf(path, sizeof path, "%s/%s", directory, name);
    if (size < 0 || (size_t)size >= sizeof path || stat(path, &st) < 0 || !S_ISREG(st.st_mode)) {
        return;
    }
    bool is_foreign;
    struct err problem = {0};
    if (capture_merge_add(tap->merge, path, &is_foreign, &problem)) {
        return;
    }
    if (is_foreign) {
        tap->files_skipped++;
    } else {
        add_problem(tap, &problem);
    }
}

static void add_directory(struct tap *tap, const char *path)
{
    struct err problem = {0};
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) {
        err_set(&problem, ERR_FAILED, "%s: %s", path, strerror(errno));
        add_problem(tap, &problem);
        return;
    }
    size_t before = capture_merge_count(tap->merge);
    uint64_t skipped_before = tap->files_skipped;
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            add_entry(tap, path, entries[i]->d_name);
        }
        free(entries[i]);
    }
    free(entries);
    if (capture_merge_count(tap->merge) == before) {
        err_set(&problem, ERR_FAILED, "%s: no captures in it (%" PRIu64 " other files)", path,
                tap->files_skipped - skipped_before);
        add_problem(tap, &problem);
    }
}

/* Several sources. Those that cannot be read are told at the end, unless there is no other. */
static bool open_many(struct tap *tap, const struct tap_options *options, uint32_t poll_ms,
                      struct err *err)
{
    tap->merge = capture_merge_new(poll_ms, err);
    if (tap->merge == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < options->source_count; i++) {
        const char *path = options->sources[i];
        bool is_foreign;
        struct err problem = {0};
        if (is_directory(path)) {
            add_directory(tap, path);
        } else if (!capture_merge_add(tap->merge, path, &is_foreign, &problem)) {
            add_problem(tap, &problem);
        }
    }
    return capture_merge_count(tap->merge) > 0 || tell_problems(tap, err);
}

static bool open_sources(struct tap *tap, const struct tap_options *options, struct err *err)
{
    uint32_t poll_ms = options->poll_ms != 0 ? options->poll_ms : POLL_MS;
    if (options->source_count == 1 && !is_directory(options->sources[0])) {
        tap->file = capture_file_open(options->sources[0], 0, poll_ms, NULL, err);
        return tap->file != NULL;
    }
    return open_many(tap, options, poll_ms, err);
}

static void pcapfile_close(struct tap *tap)
{
    if (tap == NULL) {
        return;
    }
    capture_file_close(tap->file);
    capture_merge_free(tap->merge);
    capture_filter_free(tap->filter);
    free(tap);
}

static struct tap *pcapfile_open(const struct tap_options *options, struct err *err)
{
    if (options->source_count == 0) {
        err_set(err, ERR_USAGE, "no capture file named");
        return NULL;
    }
    struct tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL) {
        err_set(err, ERR_FAILED, "%s: out of memory", options->sources[0]);
        return NULL;
    }
    tap->snap_len = options->snap_len;
    if (options->filter != NULL && options->filter[0] != '\0') {
        tap->filter = capture_filter_new(options->filter, err);
        if (tap->filter == NULL) {
            pcapfile_close(tap);
            return NULL;
        }
    }
    if (!open_sources(tap, options, err)) {
        pcapfile_close(tap);
        return NULL;
    }
    return tap;
}

/* The frames as they are in the files. A damaged one among several does not end the rest. */
static enum tap_status read_batch(struct tap *tap, struct tap_batch *batch)
{
    for (;;) {
        struct err problem = {0};
        enum tap_status status = tap->file != NULL
                                     ? capture_file_next(tap->file, batch, &problem)
                                     : capture_merge_next(tap->merge, batch, &problem);
        if (status != TAP_ERROR) {
            return status;
        }
        add_problem(tap, &problem);
        if (tap->file != NULL) {
            return TAP_END;
        }
    }
}

static void cut_frames(const struct tap *tap, struct tap_batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        if (batch->frames[i].cap_len > tap->snap_len) {
            batch->frames[i].cap_len = tap->snap_len;
        }
    }
}

/* Everything is read: the problems, once, or a plain end. */
static enum tap_status finish(struct tap *tap, struct err *err)
{
    tap->ended = true;
    if (tap->filter != NULL) {
        struct err problem = {0};
        if (!capture_filter_check(tap->filter, &problem)) {
            add_problem(tap, &problem);
        }
    }
    return tell_problems(tap, err) ? TAP_END : TAP_ERROR;
}

static enum tap_status pcapfile_next(struct tap *tap, struct tap_batch *batch, struct err *err)
{
    batch->count = 0;
    if (tap->ended) {
        return TAP_END;
    }
    uint32_t rounds = batch->piece.size > 0 ? 1 : REJECTED_MAX;
    for (uint32_t i = 0; i < rounds; i++) {
        enum tap_status status = read_batch(tap, batch);
        if (status == TAP_END) {
            return finish(tap, err);
        }
        if (status != TAP_OK) {
            return status;
        }
        atomic_fetch_add_explicit(&tap->received, batch->count, memory_order_relaxed);
        if (tap->filter != NULL) {
            batch->count = capture_filter_apply(tap->filter, batch->frames, batch->count);
        }
        if (tap->snap_len != 0) {
            cut_frames(tap, batch);
        }
        if (batch->count > 0) {
            return TAP_OK;
        }
    }
    return TAP_IDLE;
}

static bool pcapfile_claim(struct tap *tap, struct tap_batch *batch)
{
    return tap->file != NULL && capture_file_claim(tap->file, batch);
}

static void pcapfile_fill(const struct tap *tap, struct tap_batch *batch)
{
    capture_file_fill(tap->file, batch);
}

static bool pcapfile_secrets(struct tap *tap, struct span *text, uint64_t *since_ns)
{
    struct capture_secrets *secrets = tap->file != NULL ? capture_file_secrets(tap->file)
                                                        : capture_merge_secrets(tap->merge);
    return capture_secrets_next(secrets, text, since_ns);
}

static void pcapfile_stats(struct tap *tap, struct tap_stats *ret)
{
    *ret = (struct tap_stats){
        .received = atomic_load_explicit(&tap->received, memory_order_relaxed),
        .files_skipped = tap->files_skipped,
    };
    if (tap->file != NULL) {
        ret->bytes_read = capture_file_consumed(tap->file);
        ret->bytes_total = capture_file_size(tap->file);
    } else {
        ret->bytes_read = capture_merge_consumed(tap->merge);
        ret->bytes_total = capture_merge_size(tap->merge);
    }
}

const struct tap_kind tap_pcapfile = {
    .name = "pcapfile",
    .help = "capture files: pcap and pcapng, plain, .gz or .zst; directories; - for standard input",
    .open = pcapfile_open,
    .next = pcapfile_next,
    .claim = pcapfile_claim,
    .fill = pcapfile_fill,
    .secrets = pcapfile_secrets,
    .stats = pcapfile_stats,
    .close = pcapfile_close,
};
