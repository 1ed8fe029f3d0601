// SPDX-License-Identifier: Apache-2.0
/* The bytes are the file's, however it is walked through; who wants to write it is let through at
 * once, and what was lent stays as it was; who comes by force ends nobody. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap/mapped_file.h"

enum { SIZE = (5 << 20) + 1234 };

static char path[] = "/tmp/mapped_file_test.XXXXXX";
static uint8_t *bytes;

static void write_file(void)
{
    int fd = open(path, O_WRONLY | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, SIZE), SIZE);
    close(fd);
}

/* Skips the test where there are no leases: an old kernel, a file system without. */
static struct mapped_file *map_file(int *fd)
{
    write_file();
    *fd = open(path, O_RDONLY);
    assert_true(*fd >= 0);
    struct mapped_file *map = mapped_file_open(*fd);
    if (map == NULL) {
        close(*fd);
        skip();
    }
    return map;
}

static void unmap(struct mapped_file *map, int fd)
{
    mapped_file_close(map);
    close(fd);
}

/* Walks with `left` bytes of each span unread; every seventh time they are too few as often as it
 * takes to have `longest`. */
static void walk(size_t left, size_t longest)
{
    int fd;
    struct mapped_file *map = map_file(&fd);
    uint64_t at = 0;
    for (unsigned round = 0; at < SIZE; round++) {
        size_t have = 0;
        struct span s;
        do {
            s = mapped_file_bytes(map, at, have);
            assert_true(s.size > have && at + s.size <= SIZE);
            assert_memory_equal(s.data, bytes + at, s.size);
            have = s.size;
        } while (round % 7 == 0 && have <= longest && at + have < SIZE);
        at += have > left && at + have < SIZE ? have - left : have;
    }
    assert_int_equal(mapped_file_bytes(map, SIZE, 0).size, 0);
    assert_int_equal(mapped_file_bytes(map, SIZE - 10, 10).size, 0);
    unmap(map, fd);
}

static void gives_the_bytes_of_the_file(void **state)
{
    (void)state;
    walk(0, 0);
    walk(1, 100);
    walk(1500, 200000);
    walk(60000, MAPPED_FILE_HAVE);
}

static void a_writer_is_let_through(void **state)
{
    (void)state;
    const uint64_t places[] = {0, 700000, (2 << 20) - 100, SIZE - 5000};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int fd;
        struct mapped_file *map = map_file(&fd);
        struct span s = mapped_file_bytes(map, places[i], 0);
        assert_true(s.size > 0);
        int writer = open(path, O_WRONLY | O_TRUNC);
        assert_true(writer >= 0);
        assert_int_equal(write(writer, "other", 5), 5);
        assert_memory_equal(s.data, bytes + places[i], s.size);
        close(writer);
        for (uint64_t at = places[i] + s.size; s.size > 0; at += s.size) {
            s = mapped_file_bytes(map, at, 0); /* until what is mapped ends */
            assert_true(at + s.size <= SIZE);
            assert_memory_equal(s.data, bytes + at, s.size);
        }
        unmap(map, fd);
    }
}

static void a_writer_before_the_first_byte(void **state)
{
    (void)state;
    int fd;
    struct mapped_file *map = map_file(&fd);
    assert_int_equal(truncate(path, 10), 0);
    assert_int_equal(mapped_file_bytes(map, 0, 0).size, 0);
    unmap(map, fd);
}

static void a_file_that_is_written_is_not_mapped(void **state)
{
    (void)state;
    write_file();
    int writer = open(path, O_WRONLY);
    int fd = open(path, O_RDONLY);
    assert_null(mapped_file_open(fd));
    close(writer);
    close(fd);
}

static void no_lease_is_left(void **state)
{
    (void)state;
    int fd;
    struct mapped_file *map = map_file(&fd);
    (void)mapped_file_bytes(map, 0, 0);
    mapped_file_close(map);
    assert_int_equal(fcntl(fd, F_GETLEASE), F_UNLCK);
    int writer = open(path, O_WRONLY | O_NONBLOCK);
    assert_true(writer >= 0);
    close(writer);
    close(fd);
}

/* The kernel lets a lease go itself when we do not for 45 seconds. */
static void a_page_that_is_gone_is_zeros(void **state)
{
    (void)state;
    int fd;
    struct mapped_file *map = map_file(&fd);
    struct span s = mapped_file_bytes(map, 0, 0);
    assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    assert_int_equal(truncate(path, 4096), 0);
    assert_memory_equal(s.data, bytes, 4096);
    assert_false(mapped_file_is_lost(map));
    for (size_t i = s.size - 1; i >= 65536; i--) {
        assert_int_equal(s.data[i], 0);
    }
    assert_int_equal(s.data[20000], 0);
    assert_memory_equal(s.data, bytes, 4096);
    assert_true(mapped_file_is_lost(map));
    assert_int_equal(mapped_file_bytes(map, 0, 0).size, 0);
    unmap(map, fd);
}

static void only_our_pages_are_netted(void **state)
{
    (void)state;
    int fd;
    void (*before)(int) = signal(SIGBUS, SIG_DFL); /* cmocka has one of its own */
    struct mapped_file *map = map_file(&fd);
    pid_t child = fork();
    if (child == 0) {
        int other = open("/dev/shm", O_TMPFILE | O_RDWR, 0600);
        const volatile uint8_t *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, other, 0);
        _exit(*at); /* beyond its end */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    unmap(map, fd);
    signal(SIGBUS, before);
}

static void one_file_is_mapped_at_a_time(void **state)
{
    (void)state;
    int fd;
    struct mapped_file *map = map_file(&fd);
    int other = open(path, O_RDONLY);
    assert_null(mapped_file_open(other));
    mapped_file_close(map);
    map = mapped_file_open(other);
    assert_non_null(map);
    unmap(map, other);
    close(fd);
}

static void other_files_are_not_mapped(void **state)
{
    (void)state;
    const char *const others[] = {"/proc/version", "/dev/null", "/"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        int fd = open(others[i], O_RDONLY);
        assert_null(mapped_file_open(fd));
        close(fd);
    }
    mapped_file_close(NULL);
}

static int make_file(void **state)
{
    (void)state;
    bytes = malloc(SIZE);
    for (uint32_t i = 0; i < SIZE; i++) {
        bytes[i] = (uint8_t)(i * 2654435761U >> 24);
    }
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    free(bytes);
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_bytes_of_the_file),
        cmocka_unit_test(a_writer_is_let_through),
        cmocka_unit_test(a_writer_before_the_first_byte),
        cmocka_unit_test(a_file_that_is_written_is_not_mapped),
        cmocka_unit_test(no_lease_is_left),
        cmocka_unit_test(a_page_that_is_gone_is_zeros),
        cmocka_unit_test(only_our_pages_are_netted),
        cmocka_unit_test(one_file_is_mapped_at_a_time),
        cmocka_unit_test(other_files_are_not_mapped),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
