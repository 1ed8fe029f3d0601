// SPDX-License-Identifier: Apache-2.0
#include "sink/dated.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One of the files: sorts as they were begun. */
struct dated {
    uint32_t day; /* 20261121 */
    uint32_t number;
};

enum { DAY_DIGITS = 8, NUMBER_DIGITS_MAX = 6 };

static const char ending[] = ".ndjson";

static int dated_compare(const void *a, const void *b)
{
    const struct dated *left = a, *right = b;
    if (left->day != right->day) {
        return left->day < right->day ? -1 : 1;
    }
    return left->number < right->number ? -1 : left->number > right->number;
}

static uint32_t day_of(time_t now)
{
    struct tm tm;
    gmtime_r(&now, &tm);
    return (uint32_t)((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday);
}

/* Reads up to `most` digits behind a dash; NULL when it is otherwise. */
static const char *read_part(const char *at, size_t most, uint32_t *ret)
{
    size_t digits = *at == '-' ? strspn(at + 1, "0123456789") : 0;
    if (digits == 0 || digits > most) {
        return NULL;
    }
    *ret = (uint32_t)strtoul(at + 1, NULL, 10);
    return at + 1 + digits;
}

/* Whether that is the name of a file of the stem; `name` is what stands behind the last slash of both. */
static bool read_name(const char *name, const char *stem, struct dated *ret)
{
    size_t size = strlen(stem);
    *ret = (struct dated){0};
    if (strncmp(name, stem, size) != 0) {
        return false;
    }
    const char *at = read_part(name + size, DAY_DIGITS, &ret->day);
    if (at != NULL && *at == '-') {
        at = read_part(at, NUMBER_DIGITS_MAX, &ret->number);
    }
    return at != NULL && strcmp(at, ending) == 0;
}

/* The files that there are, in the order in which they were begun; how many. */
static size_t list_files(const char *stem, struct dated files[DATED_FILES_MAX])
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(stem, '/');
    const char *name = slash != NULL ? slash + 1 : stem;
    if (slash != NULL) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - stem) + 1, stem);
    }
    size_t count = 0;
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir != NULL && count < DATED_FILES_MAX && (entry = readdir(dir)) != NULL;) {
        count += read_name(entry->d_name, name, &files[count]);
    }
    if (dir != NULL) {
        closedir(dir);
    }
    qsort(files, count, sizeof *files, dated_compare);
    return count;
}

static void write_name(const char *stem, struct dated file, char ret[PATH_MAX])
{
    if (file.number == 0) {
        snprintf(ret, PATH_MAX, "%s-%08u%s", stem, file.day, ending);
    } else {
        snprintf(ret, PATH_MAX, "%s-%08u-%u%s", stem, file.day, file.number, ending);
    }
}

/* The last file of the day; false when there is none. */
static bool find_last(const char *stem, struct dated *ret)
{
    struct dated files[DATED_FILES_MAX];
    size_t count = list_files(stem, files);
    bool is_there = false;
    for (size_t i = 0; i < count; i++) {
        if (files[i].day == ret->day) {
            ret->number = files[i].number;
            is_there = true;
        }
    }
    return is_there;
}

void dated_last(const char *stem, time_t now, char ret[PATH_MAX])
{
    struct dated file = {.day = day_of(now)};
    (void)find_last(stem, &file);
    write_name(stem, file, ret);
}

void dated_next(const char *stem, time_t now, char ret[PATH_MAX])
{
    struct dated file = {.day = day_of(now)};
    if (find_last(stem, &file)) {
        file.number++;
    }
    write_name(stem, file, ret);
}

void dated_purge(const char *stem, uint32_t keep)
{
    struct dated files[DATED_FILES_MAX];
    char path[PATH_MAX];
    size_t count = list_files(stem, files);
    for (size_t i = 0; i + keep < count; i++) {
        write_name(stem, files[i], path);
        (void)unlink(path);
    }
}
