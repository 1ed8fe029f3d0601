// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "tap/pcapwrite.h"
#include "tap/tap.h"

extern const struct tap_kind tap_pcapfile;

enum { COUNT_MAX = 100000 };

static char folder[] = "/tmp/pcapfile_test_XXXXXX";

/* What a tap said: the first byte and the time of each frame, and how it ended. */
static struct {
    uint8_t marks[COUNT_MAX];
    uint64_t times[COUNT_MAX];
    uint32_t interfaces[COUNT_MAX];
    uint32_t count;
    enum tap_status status;
    struct err err;
    struct tap_stats stats;
} got;

static const char *path(const char *name)
{
    static char paths[8][256];
    static unsigned turn;
    char *ret = paths[turn++ % 8];
    snprintf(ret, sizeof paths[0], "%s/%s", folder, name);
    return ret;
}

/* Frames whose first byte is `mark`, `count` of them, `step` nanoseconds apart. */
static void write_capture(const char *name, uint8_t mark, uint64_t first_ns, uint64_t step,
                          uint32_t count)
{
    struct err err = {0};
    struct pcapwrite *writer = pcapwrite_open(path(name), PCAPWRITE_BY_NAME, &err);
    assert_non_null(writer);
    uint8_t bytes[100] = {mark};
    for (uint32_t i = 0; i < count; i++) {
        struct frame frame = {.time_ns = first_ns + i * step, .data = bytes, .link = 1,
                              .cap_len = 60 + i % 40, .wire_len = 100};
        assert_true(pcapwrite_frame(writer, &frame, &err));
    }
    assert_true(pcapwrite_close(writer, &err));
}

static size_t read_file(const char *name, uint8_t *to, size_t room)
{
    FILE *file = fopen(path(name), "rb");
    assert_non_null(file);
    size_t size = fread(to, 1, room, file);
    fclose(file);
    return size;
}

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void drain(struct tap *tap)
{
    static struct frame frames[TAP_BATCH_FRAMES];
    struct tap_batch batch = {.frames = frames, .capacity = TAP_BATCH_FRAMES,
                              .memory = malloc(TAP_BATCH_MEMORY), .memory_size = TAP_BATCH_MEMORY};
    do {
        got.status = tap_pcapfile.next(tap, &batch, &got.err);
        assert_true((batch.count > 0) == (got.status == TAP_OK));
        for (uint32_t i = 0; i < batch.count; i++) {
            assert_true(got.count < COUNT_MAX);
            assert_true(frames[i].data >= batch.memory &&
                        frames[i].data + frames[i].cap_len <= batch.memory + batch.memory_size);
            got.marks[got.count] = frames[i].data[0];
            got.interfaces[got.count] = frames[i].interface;
            got.times[got.count++] = frames[i].time_ns;
        }
        memset(batch.memory, 0xee, batch.memory_size); /* nothing may lean on an old batch */
    } while (got.status == TAP_OK || got.status == TAP_IDLE);
    free(batch.memory);
}

static void read_sources(const char *const *sources, uint32_t count, const char *filter)
{
    memset(&got, 0, sizeof got);
    struct tap_options options = {.sources = sources, .source_count = count, .filter = filter};
    struct tap *tap = tap_pcapfile.open(&options, &got.err);
    if (tap == NULL) {
        got.status = TAP_ERROR;
        return;
    }
    drain(tap);
    tap_pcapfile.stats(tap, &got.stats);
    tap_pcapfile.close(tap);
}

static void read_one(const char *name)
{
    const char *source = name[0] == '-' ? name : path(name);
    read_sources(&source, 1, NULL);
}

static void test_plain(void **state)
{
    write_capture("plain.pcap", 1, 1000, 7, 50000);
    read_one("plain.pcap");
    assert_int_equal(got.status, TAP_END);
    assert_int_equal(got.count, 50000);
    assert_int_equal(got.times[49999], 1000 + 49999 * 7);
    assert_int_equal(got.stats.received, 50000);
    assert_true(got.stats.bytes_total > 4000000);
    assert_int_equal(got.stats.bytes_read, got.stats.bytes_total);
}

static size_t gzip(const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
    z_stream stream = {.next_in = (uint8_t *)from, .avail_in = (uInt)size, .next_out = to,
                       .avail_out = (uInt)room};
    assert_int_equal(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, 0), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t made = stream.total_out;
    deflateEnd(&stream);
    return made;
}

static size_t squeeze(bool is_gzip, const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
    return is_gzip ? gzip(from, size, to, room) : ZSTD_compress(to, room, from, size, 1);
}

/* In two members one behind the other, whatever the name says; then without its end. */
static void test_compressed(void **state)
{
    enum { ROOM = 8 << 20 };
    uint8_t *plain = malloc(ROOM), *small = malloc(ROOM);
    write_capture("c.pcap", 3, 5, 9, 20000);
    size_t size = read_file("c.pcap", plain, ROOM);
    for (int is_gzip = 0; is_gzip < 2; is_gzip++) {
        size_t half = squeeze(is_gzip, plain, size / 2, small, ROOM);
        size_t all = half + squeeze(is_gzip, plain + size / 2, size - size / 2, small + half,
                                    ROOM - half);
        write_file("c.bin", small, all);
        read_one("c.bin");
        assert_int_equal(got.status, TAP_END);
        assert_int_equal(got.count, 20000);
        assert_int_equal(got.stats.bytes_read, all);
        write_file("c.bin", small, all - 9);
        read_one("c.bin");
        assert_int_equal(got.status, TAP_ERROR);
        assert_in_range(got.count, 10000, 20000);
        assert_non_null(strstr(got.err.text, "they end early"));
        small[half] ^= 0x55; /* the second member's magic */
        write_file("c.bin", small, all);
        read_one("c.bin");
        assert_int_equal(got.status, TAP_ERROR);
        assert_non_null(strstr(got.err.text, "damaged"));
    }
    size_t cut = squeeze(true, plain, size - 1, small, ROOM);
    write_file("c.bin", small, cut);
    read_one("c.bin");
    assert_int_equal(got.count, 19999);
    assert_non_null(strstr(got.err.text, "(decompressed): truncated: record header promises"));
    free(plain);
    free(small);
}

/* Standard input, a byte or a few at a time. */
static void test_standard_input(void **state)
{
    static uint8_t bytes[1 << 16];
    write_capture("s.pcapng", 9, 77, 1, 300);
    size_t size = read_file("s.pcapng", bytes, sizeof bytes);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        for (size_t at = 0; at < size;) {
            size_t step = 1 + at % 3;
            ssize_t n = write(ends[1], bytes + at, step < size - at ? step : size - at);
            if (n < 0) {
                _exit(1);
            }
            at += (size_t)n;
        }
        _exit(0);
    }
    close(ends[1]);
    int kept = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    close(ends[0]);
    read_one("-");
    dup2(kept, STDIN_FILENO);
    close(kept);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(got.status, TAP_END);
    assert_int_equal(got.count, 300);
    assert_int_equal(got.times[299], 77 + 299);
    assert_int_equal(got.stats.bytes_total, 0);
}

static void test_merge(void **state)
{
    write_capture("m1.pcap", 1, 1000, 10, 3000);
    write_capture("m2.pcapng", 2, 1000, 20, 2000); /* every second time is also one of m1 */
    write_capture("m3.pcap", 3, 40000, 1, 10);
    const char *sources[] = {path("m3.pcap"), path("m1.pcap"), path("m2.pcapng")};
    read_sources(sources, 3, NULL);
    assert_int_equal(got.status, TAP_END);
    assert_int_equal(got.count, 5010);
    assert_int_equal(got.marks[0], 1);
    assert_int_equal(got.marks[1], 2);
    for (uint32_t i = 1; i < got.count; i++) {
        assert_true(got.times[i] >= got.times[i - 1]);
        if (got.times[i] == got.times[i - 1]) {
            assert_true(got.marks[i - 1] % 3 < got.marks[i] % 3); /* the order of the files */
        }
        assert_true(got.interfaces[i] >> 16 == got.marks[i] % 3U);
    }
    assert_int_equal(got.stats.bytes_read, got.stats.bytes_total);
}

static void test_directory(void **state)
{
    assert_int_equal(mkdir(path("d"), 0700), 0);
    assert_int_equal(mkdir(path("d/deeper"), 0700), 0);
    write_capture("d/b.pcap", 2, 500, 1, 100);
    write_capture("d/a.pcap", 1, 500, 1, 100);
    write_file("d/readme.txt", "no capture", 10);
    write_file("d/empty.pcap", "", 0);
    read_one("d");
    assert_int_equal(got.status, TAP_END);
    assert_int_equal(got.count, 200);
    assert_int_equal(got.marks[0], 1);
    assert_int_equal(got.marks[1], 2);
    assert_int_equal(got.stats.files_skipped, 2);
    read_one("d/deeper");
    assert_int_equal(got.status, TAP_ERROR);
    assert_non_null(strstr(got.err.text, "d/deeper: no captures in it"));
}

static void expect_refusal(const char *name, const char *text)
{
    read_one(name);
    assert_int_equal(got.status, TAP_ERROR);
    assert_int_equal(got.err.code, ERR_FAILED);
    assert_int_equal(got.count, 0);
    assert_non_null(strstr(got.err.text, path(name)));
    assert_non_null(strstr(got.err.text, text));
}

static void test_refusals(void **state)
{
    write_file("empty", "", 0);
    write_file("text", "GET / HTTP/1.1\r\n", 16);
    write_file("short", "\xa1\xb2", 2);
    expect_refusal("empty", ": is empty");
    expect_refusal("text", ": not a capture (first bytes 47 45 54 20 2f 20 48 54); expected pcap or "
                           "pcapng, plain, .gz or .zst");
    expect_refusal("short", ": not a capture (first bytes a1 b2);");
    expect_refusal("missing", ": No such file or directory");
}

/* The damaged ones are told at the end, a line each; the others are read to their end. */
static void test_damage_among_others(void **state)
{
    static uint8_t bytes[1 << 16];
    write_capture("ok.pcap", 1, 1000, 10, 200);
    write_capture("bad.pcap", 2, 1000, 10, 100);
    size_t size = read_file("bad.pcap", bytes, sizeof bytes);
    write_file("bad.pcap", bytes, size - 5);
    const char *alone = path("bad.pcap");
    read_sources(&alone, 1, NULL);
    assert_int_equal(got.status, TAP_ERROR);
    assert_int_equal(got.count, 99);
    char line[512];
    snprintf(line, sizeof line,
             "%s: byte %zu: truncated: record header promises 79 bytes, 74 are left", alone,
             size - 79 - 16);
    assert_string_equal(got.err.text, line);
    const char *sources[] = {alone, path("missing"), path("ok.pcap")};
    read_sources(sources, 3, NULL);
    assert_int_equal(got.status, TAP_ERROR);
    assert_int_equal(got.count, 299);
    char both[1024];
    snprintf(both, sizeof both, "%s/missing: No such file or directory\n%s", folder, line);
    assert_string_equal(got.err.text, both);
}

static void test_filter(void **state)
{
    write_capture("f.pcap", 0x11, 1, 1, 1000);
    const char *source = path("f.pcap");
    read_sources(&source, 1, "ether[0] = 0x11 and len = 100 and greater 90");
    assert_int_equal(got.status, TAP_END);
    assert_int_equal(got.count, 1000);
    read_sources(&source, 1, "ether[0] = 0x12");
    assert_int_equal(got.status, TAP_END);
    assert_int_equal(got.count, 0);
    assert_int_equal(got.stats.received, 1000);
    read_sources(&source, 1, "udp poort 53");
    assert_int_equal(got.status, TAP_ERROR);
    assert_int_equal(got.err.code, ERR_USAGE);
    assert_non_null(strstr(got.err.text, "filter 'udp poort 53': "));
    assert_null(strchr(got.err.text, '\n'));
}

static int make_folder(void **state)
{
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[64];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),          cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_standard_input), cmocka_unit_test(test_merge),
        cmocka_unit_test(test_directory),      cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_damage_among_others), cmocka_unit_test(test_filter),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
