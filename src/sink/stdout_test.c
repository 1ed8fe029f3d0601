// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sink/sink.h"

/* The tests' own standard output, put aside while the sink has another. */
static int saved = -1;

static void output_to(int fd)
{
    fflush(stdout);
    saved = dup(STDOUT_FILENO);
    dup2(fd, STDOUT_FILENO);
    close(fd);
}

static void output_back(void)
{
    dup2(saved, STDOUT_FILENO);
    close(saved);
}

static struct sink *open_sink(const struct sink_kind **kind)
{
    struct err err = {0};
    *kind = sink_kind_find("stdout");
    assert_non_null(*kind);
    struct sink *sink = (*kind)->open(&(struct sink_options){0}, &err);
    assert_non_null(sink);
    return sink;
}

static void finds_kinds(void **state)
{
    assert_string_equal(sink_kind_find("file")->name, "file");
    assert_null(sink_kind_find("nosuch"));
}

static void buffers_until_flushed(void **state)
{
    const struct sink_kind *kind;
    struct sink *sink = open_sink(&kind);
    int ends[2];
    char text[32];
    struct sink_status status;
    assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
    output_to(ends[1]);
    bool wrote = kind->write(sink, span_str("{}\n{\"a\":1}\n"), 2, NULL);
    ssize_t early = read(ends[0], text, sizeof text);
    bool flushed = kind->flush(sink, NULL);
    ssize_t late = read(ends[0], text, sizeof text);
    output_back();
    assert_true(wrote && flushed);
    assert_int_equal(early, -1);
    assert_int_equal(late, 11);
    assert_memory_equal(text, "{}\n{\"a\":1}\n", 11);
    kind->status(sink, &status);
    assert_int_equal(status.events, 2);
    assert_int_equal(status.bytes, 11);
    assert_int_equal(status.lost, 0);
    kind->close(sink);
    close(ends[0]);
}

/* Reads slowly from a pipe that does not block its writer, which must wait by itself. */
static void *drain(void *arg)
{
    static char sink[100000];
    size_t total = 0;
    ssize_t n;
    while ((n = read(*(int *)arg, sink, sizeof sink)) > 0) {
        total += (size_t)n;
    }
    return (void *)(uintptr_t)total;
}

static void waits_for_a_slow_reader(void **state)
{
    enum { SIZE = 300000 };
    static char lines[SIZE];
    const struct sink_kind *kind;
    struct sink *sink = open_sink(&kind);
    int ends[2];
    memset(lines, 'x', SIZE);
    lines[SIZE - 1] = '\n';
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    pthread_t reader;
    void *total;
    assert_int_equal(pthread_create(&reader, NULL, drain, &ends[0]), 0);
    output_to(ends[1]);
    bool wrote = kind->write(sink, span_of(lines, SIZE), 1, NULL);
    kind->close(sink);
    output_back();
    pthread_join(reader, &total);
    assert_true(wrote);
    assert_int_equal((uintptr_t)total, SIZE);
    close(ends[0]);
}

static void closed_pipe_is_a_quiet_end(void **state)
{
    const struct sink_kind *kind;
    struct sink *sink = open_sink(&kind);
    int ends[2];
    struct err err = {0};
    struct err again = {0};
    struct sink_status status;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    output_to(ends[1]);
    bool wrote = kind->write(sink, span_str("{}\n"), 1, &err);
    bool flushed = kind->flush(sink, &err);
    bool after = kind->write(sink, span_str("{}\n{}\n"), 2, &again);
    output_back();
    assert_true(wrote);
    assert_false(flushed);
    assert_false(after);
    assert_int_equal(err.code, ERR_FAILED);
    assert_string_equal(err.text, "standard output was closed");
    assert_string_equal(again.text, "standard output was closed");
    kind->status(sink, &status);
    assert_int_equal(status.events, 0);
    assert_int_equal(status.lost, 3);
    kind->close(sink);
}

static void full_disk_is_an_end(void **state)
{
    const struct sink_kind *kind;
    struct sink *sink = open_sink(&kind);
    struct err err = {0};
    struct sink_status status;
    output_to(open("/dev/full", O_WRONLY));
    kind->write(sink, span_str("{}\n"), 1, &err);
    bool flushed = kind->flush(sink, &err);
    output_back();
    assert_false(flushed);
    assert_non_null(strstr(err.text, "No space left"));
    kind->status(sink, &status);
    assert_int_equal(status.lost, 1);
    assert_non_null(strstr(status.last_error, "No space left"));
    kind->close(sink);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_kinds),
        cmocka_unit_test(buffers_until_flushed),
        cmocka_unit_test(waits_for_a_slow_reader),
        cmocka_unit_test(closed_pipe_is_a_quiet_end),
        cmocka_unit_test(full_disk_is_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
