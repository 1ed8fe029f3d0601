// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sink/sink.h"

static char directory[64];

static const char *path_of(const char *name)
{
    static char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

static int make_directory(void **state)
{
    snprintf(directory, sizeof directory, "/tmp/sink_file_XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int remove_directory(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", directory);
    return system(command);
}

static struct sink *open_sink(const char *path, uint64_t rotate_bytes, uint32_t keep)
{
    struct err err = {0};
    struct sink_options options = {.path = path, .rotate_bytes = rotate_bytes, .keep = keep};
    struct sink *sink = sink_kind_find("file")->open(&options, &err);
    assert_int_equal(err.code, ERR_NONE);
    assert_non_null(sink);
    return sink;
}

static void write_text(struct sink *sink, const char *text)
{
    uint32_t count = 0;
    for (const char *at = text; *at != '\0'; at++) {
        count += *at == '\n';
    }
    assert_true(sink_kind_find("file")->write(sink, span_str(text), count, NULL));
}

static struct sink_status status_of(const struct sink *sink)
{
    struct sink_status status;
    sink_kind_find("file")->status(sink, &status);
    return status;
}

static void flush(struct sink *sink)
{
    assert_true(sink_kind_find("file")->flush(sink, NULL));
}

static void close_sink(struct sink *sink)
{
    sink_kind_find("file")->close(sink);
}

static void assert_file(const char *name, const char *expected)
{
    char text[4096];
    int fd = open(path_of(name), O_RDONLY);
    if (expected == NULL) {
        assert_int_equal(fd, -1);
        return;
    }
    assert_true(fd >= 0);
    ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(size >= 0);
    text[size] = '\0';
    assert_string_equal(text, expected);
}

static void appends(void **state)
{
    for (int round = 0; round < 2; round++) {
        struct sink *sink = open_sink(path_of("a"), 0, 0);
        write_text(sink, "{}\n{}\n");
        close_sink(sink);
    }
    assert_file("a", "{}\n{}\n{}\n{}\n");
}

static void mends_what_a_crash_left(void **state)
{
    int fd = open(path_of("torn"), O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "{}\n{\"ha", 7), 7);
    close(fd);
    struct sink *sink = open_sink(path_of("torn"), 0, 0);
    write_text(sink, "{}\n");
    close_sink(sink);
    assert_file("torn", "{}\n{\"ha\n{}\n");
}

static void rotates_and_keeps(void **state)
{
    struct sink *sink = open_sink(path_of("r"), 12, 2);
    write_text(sink, "{\"n\":1}\n");
    write_text(sink, "{}\n"); /* 11 bytes: fits */
    write_text(sink, "{\"n\":2}\n");
    write_text(sink, "{\"n\":3,\"longer than\":\"that\"}\n");
    write_text(sink, "{\"n\":4}\n");
    flush(sink);
    assert_file("r", "{\"n\":4}\n");
    assert_file("r.1", "{\"n\":3,\"longer than\":\"that\"}\n");
    assert_file("r.2", "{\"n\":2}\n");
    assert_file("r.3", NULL);
    struct sink_status status = status_of(sink);
    assert_int_equal(status.events, 5);
    assert_int_equal(status.lost, 0);
    close_sink(sink);
    sink = open_sink(path_of("r"), 12, 0); /* keeps none; what was there counts */
    write_text(sink, "{\"n\":5}\n");
    close_sink(sink);
    assert_file("r", "{\"n\":5}\n");
    assert_file("r.1", "{\"n\":3,\"longer than\":\"that\"}\n");
}

/* A file that there is, told by the last characters of its name; how many there are of the stem. */
static size_t count_dated(const char *stem, const char *last_ending, char *last)
{
    char pattern[PATH_MAX];
    glob_t found;
    snprintf(pattern, sizeof pattern, "%s*", path_of(stem));
    size_t count = glob(pattern, 0, NULL, &found) == 0 ? found.gl_pathc : 0;
    for (size_t i = 0; i < count; i++) {
        const char *path = found.gl_pathv[i];
        if (strcmp(path + strlen(path) - strlen(last_ending), last_ending) == 0) {
            snprintf(last, PATH_MAX, "%s", path + strlen(directory) + 1);
        }
    }
    globfree(&found);
    return count;
}

static void dated_files_keep_their_names(void **state)
{
    char last[PATH_MAX] = "", stem[PATH_MAX];
    struct err err = {0};
    snprintf(stem, sizeof stem, "%s", path_of("dated"));
    struct sink_options options = {
        .path = stem, .rotate_bytes = 5, .keep = 2, .is_dated = true};
    struct sink *sink = sink_kind_find("file")->open(&options, &err);
    assert_non_null(sink);
    for (char line[] = "{\"n\":1}\n"; line[5] <= '4'; line[5]++) {
        write_text(sink, line);
    }
    close_sink(sink);
    assert_int_equal(count_dated("dated", "-3.ndjson", last), 3); /* of four, the oldest is gone */
    assert_file(last, "{\"n\":4}\n");
    options.rotate_on_start = true;
    sink = sink_kind_find("file")->open(&options, &err);
    assert_non_null(sink);
    close_sink(sink);
    assert_int_equal(count_dated("dated", "-4.ndjson", last), 3);
    assert_file(last, "");
}

static void says_why_it_cannot_open(void **state)
{
    struct err err = {0};
    struct sink_options options = {.path = "/nosuch/place/events.json"};
    assert_null(sink_kind_find("file")->open(&options, &err));
    assert_int_equal(err.code, ERR_FAILED);
    assert_non_null(strstr(err.text, "/nosuch/place/events.json: No such file"));
    err = (struct err){0};
    options.path = NULL;
    assert_null(sink_kind_find("file")->open(&options, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

static void full_device_is_counted(void **state)
{
    struct sink *sink = open_sink("/dev/full", 10, 3);
    write_text(sink, "{}\n{}\n");
    flush(sink);
    write_text(sink, "{}\n");
    flush(sink);
    struct sink_status status = status_of(sink);
    assert_int_equal(status.events, 0);
    assert_int_equal(status.lost, 3);
    assert_non_null(strstr(status.last_error, "No space left"));
    close_sink(sink);
    assert_int_equal(access("/dev/full.1", F_OK), -1);
}

/* A disk of 64 KiB: what does not fit is lost as whole lines, and when there is room again, all is
 * well again. */
static void full_disk_tears_no_line(void **state)
{
    enum { LINE = 1000, LINES = 100 };
    static char text[LINES * LINE + 1];
    char mount_point[PATH_MAX];
    snprintf(mount_point, sizeof mount_point, "%s", path_of("disk"));
    assert_int_equal(mkdir(mount_point, 0700), 0);
    if (mount("tmpfs", mount_point, "tmpfs", 0, "size=64k") != 0) {
        skip(); /* not root */
    }
    for (int i = 0; i < LINES; i++) {
        memset(text + i * LINE, 'x', LINE - 1);
        text[(i + 1) * LINE - 1] = '\n';
    }
    struct sink *sink = open_sink(path_of("disk/f"), 0, 0);
    write_text(sink, text);
    flush(sink);
    struct sink_status full = status_of(sink);
    struct stat file;
    int found = stat(path_of("disk/f"), &file);
    /* Room again: all events from now on arrive. */
    int cut = truncate(path_of("disk/f"), 2 * LINE);
    write_text(sink, text + 90 * LINE);
    flush(sink);
    struct sink_status after = status_of(sink);
    struct stat mended;
    int found_again = stat(path_of("disk/f"), &mended);
    close_sink(sink);
    umount(mount_point);
    assert_int_equal(found | found_again | cut, 0);
    assert_true(full.events > 0 && full.lost > 0);
    assert_int_equal(full.events + full.lost, LINES);
    assert_int_equal(file.st_size, full.events * LINE);
    assert_int_equal(full.bytes, full.events * LINE);
    assert_non_null(strstr(full.last_error, "No space left"));
    assert_int_equal(after.events, full.events + 10);
    assert_int_equal(after.lost, full.lost);
    assert_string_equal(after.last_error, "");
    assert_int_equal(mended.st_size, 12 * LINE);
}

/* The directory goes away before a rotation, and comes back. */
static void tries_again(void **state)
{
    assert_int_equal(mkdir(path_of("gone"), 0700), 0);
    struct sink *sink = open_sink(path_of("gone/f"), 4, 1);
    write_text(sink, "{}\n");
    flush(sink);
    char from[PATH_MAX];
    snprintf(from, sizeof from, "%s", path_of("gone"));
    assert_int_equal(rename(from, path_of("away")), 0);
    write_text(sink, "{\"lost\":1}\n");
    assert_int_equal(status_of(sink).lost, 1);
    assert_non_null(strstr(status_of(sink).last_error, "No such file"));
    assert_int_equal(rename(path_of("away"), from), 0);
    write_text(sink, "{}\n");
    close_sink(sink);
    assert_file("gone/f", "{}\n");
    assert_file("gone/f.1", "{}\n");
}

static void makes_folders_where_asked(void **state)
{
    struct err err = {0};
    struct sink_options options = {.path = path_of("new/deeper/f"), .makes_folder = true};
    struct sink *sink = sink_kind_find("file")->open(&options, &err);
    assert_non_null(sink);
    write_text(sink, "{}\n");
    close_sink(sink);
    assert_file("new/deeper/f", "{}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_folders_where_asked),
        cmocka_unit_test(appends),
        cmocka_unit_test(mends_what_a_crash_left),
        cmocka_unit_test(rotates_and_keeps),
        cmocka_unit_test(dated_files_keep_their_names),
        cmocka_unit_test(says_why_it_cannot_open),
        cmocka_unit_test(full_device_is_counted),
        cmocka_unit_test(full_disk_tears_no_line),
        cmocka_unit_test(tries_again),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
