// SPDX-License-Identifier: Apache-2.0
#include "geo/geo_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

enum { COPY_MAX = 1 << 30 };

/* Copies what a file holds into memory that has a name as long as it is open; -1 when it cannot. */
static int copy_of(int from)
{
    int to = memfd_create("geo", MFD_CLOEXEC);
    ssize_t moved = 1;
    while (to >= 0 && moved > 0) {
        moved = sendfile(to, from, NULL, COPY_MAX);
    }
    if (to >= 0 && moved < 0) {
        close(to);
        return -1;
    }
    return to;
}

static bool open_version(struct geo_file *file, struct geo_version *version, struct err *err)
{
    char copy[32];
    int fd = open(file->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file->seen) != 0) {
        err_set(err, ERR_FAILED, "%s: %s; give the path of a database in MMDB format", file->path,
                strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return false;
    }
    int memory = copy_of(fd);
    close(fd);
    snprintf(copy, sizeof copy, "/proc/self/fd/%d", memory);
    bool has_copy = memory >= 0 && access(copy, R_OK) == 0;
    int status = MMDB_open(has_copy ? copy : file->path, MMDB_MODE_MMAP, &version->base);
    if (memory >= 0) {
        close(memory);
    }
    version->is_open = status == MMDB_SUCCESS;
    return version->is_open ||
           err_set(err, ERR_FAILED, "%s: %s; give the path of a database in MMDB format", file->path,
                   MMDB_strerror(status));
}

static void close_version(struct geo_version *version)
{
    if (version->is_open) {
        MMDB_close(&version->base);
        version->is_open = false;
    }
}

bool geo_file_open(struct geo_file *file, const char *path, struct err *err)
{
    *file = (struct geo_file){.path = strdup(path)};
    if (file->path == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    return open_version(file, &file->versions[0], err);
}

void geo_file_close(struct geo_file *file)
{
    close_version(&file->versions[0]);
    close_version(&file->versions[1]);
    free(file->path);
}

const MMDB_s *geo_file_take(struct geo_file *file, uint32_t *ret_number)
{
    for (;;) {
        uint32_t number = atomic_load(&file->current);
        struct geo_version *version = &file->versions[number & 1];
        atomic_fetch_add(&version->readers, 1);
        if (atomic_load(&file->current) == number) {
            *ret_number = number;
            return &version->base;
        }
        atomic_fetch_sub(&version->readers, 1); /* it has just been replaced */
    }
}

void geo_file_give(struct geo_file *file, uint32_t number)
{
    atomic_fetch_sub(&file->versions[number & 1].readers, 1);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

enum geo_news geo_file_refresh(struct geo_file *file, struct err *err)
{
    uint32_t number = atomic_load(&file->current);
    struct geo_version *other = &file->versions[(number + 1) & 1];
    struct stat now;
    /* One that is away is about to be replaced; look-ups in the one before the last have long ended. */
    if (stat(file->path, &now) != 0 || is_same(&now, &file->seen) ||
        atomic_load(&other->readers) != 0) {
        return GEO_SAME;
    }
    close_version(other);
    if (!open_version(file, other, err)) {
        return GEO_BAD;
    }
    atomic_store(&file->current, number + 1);
    return GEO_NEW;
}
