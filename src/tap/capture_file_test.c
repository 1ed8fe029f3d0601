// SPDX-License-Identifier: Apache-2.0
/* Pieces: several batches are claimed and filled ahead, in any order, and give what one after the other
 * gives. So does one batch that may borrow from a mapped file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <fcntl.h>
#include <zlib.h>

#include "tap/capture_file.h"

enum { BATCHES = 4 };

static char path[] = "/tmp/capture_file_test.XXXXXX";

/* Records of the given sizes in turn, each filled with its number. */
static void write_records(uint32_t count, const uint32_t *sizes, uint32_t size_count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    const uint32_t head[6] = {0xa1b2c3d4, 4U << 16 | 2, 0, 0, 262144, 1};
    fwrite(head, sizeof head, 1, file);
    uint8_t *bytes = malloc(TAP_FRAME_MAX);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t size = sizes[i % size_count];
        const uint32_t record[4] = {i, 0, size, size};
        memset(bytes, (int)i, size);
        fwrite(record, sizeof record, 1, file);
        fwrite(bytes, size, 1, file);
    }
    free(bytes);
    assert_int_equal(fclose(file), 0);
}

struct reading {
    uint64_t count;
    uint64_t sum; /* over times, lengths and first bytes, in their order */
    uint32_t pieces;
    enum tap_status status;
    struct err err;
};

static void take(struct reading *r, struct capture_file *file, struct tap_batch *batch)
{
    r->status = capture_file_next(file, batch, &r->err);
    for (uint32_t i = 0; r->status == TAP_OK && i < batch->count; i++) {
        const struct frame *f = &batch->frames[i];
        uint8_t first = f->cap_len > 0 ? f->data[0] : 0;
        uint8_t last = f->cap_len > 0 ? f->data[f->cap_len - 1] : 0;
        r->sum = r->sum * 31 + f->time_ns + f->cap_len + (uint64_t)first * last;
        r->count++;
    }
    memset(batch->memory, 0xee, batch->memory_size); /* nothing may lean on an old batch */
}

static void init_batch(struct tap_batch *batch)
{
    *batch = (struct tap_batch){.frames = calloc(TAP_BATCH_FRAMES, sizeof *batch->frames),
                                .capacity = TAP_BATCH_FRAMES,
                                .memory = malloc(TAP_BATCH_MEMORY),
                                .memory_size = TAP_BATCH_MEMORY};
}

static struct reading read_all(uint32_t ahead)
{
    struct reading r = {.status = TAP_OK};
    struct tap_batch batches[BATCHES];
    bool claimed[BATCHES] = {false};
    struct capture_file *file = capture_file_open(path, 0, 100, NULL, &r.err);
    assert_non_null(file);
    for (uint32_t i = 0; i < BATCHES; i++) {
        init_batch(&batches[i]);
    }
    while (r.status == TAP_OK) {
        for (uint32_t i = 0; i < ahead; i++) {
            claimed[i] = capture_file_claim(file, &batches[i]);
        }
        for (uint32_t i = ahead; i-- > 0;) {
            if (claimed[i]) {
                capture_file_fill(file, &batches[i]);
                r.pieces++;
            }
        }
        for (uint32_t i = 0; i < (ahead > 0 ? ahead : 1) && r.status == TAP_OK; i++) {
            take(&r, file, &batches[i]);
        }
    }
    for (uint32_t i = 0; i < BATCHES; i++) {
        free(batches[i].frames);
        free(batches[i].memory);
    }
    capture_file_close(file);
    return r;
}

static struct reading read_alone(void)
{
    struct reading r = {.status = TAP_OK};
    struct tap_batch batch;
    struct capture_file *file = capture_file_open(path, 0, 100, NULL, &r.err);
    assert_non_null(file);
    init_batch(&batch);
    batch.is_alone = true;
    while (r.status == TAP_OK) {
        take(&r, file, &batch);
    }
    free(batch.frames);
    free(batch.memory);
    capture_file_close(file);
    return r;
}

static void same(const struct reading *r, const struct reading *plain)
{
    assert_int_equal(r->status, plain->status);
    assert_int_equal(r->count, plain->count);
    assert_int_equal(r->sum, plain->sum);
    assert_string_equal(r->err.text, plain->err.text);
}

static void same_with_pieces(uint32_t least_pieces)
{
    struct reading plain = read_all(0);
    struct reading alone = read_alone();
    assert_int_equal(plain.pieces, 0);
    same(&alone, &plain);
    for (uint32_t ahead = 1; ahead <= BATCHES; ahead++) {
        struct reading r = read_all(ahead);
        same(&r, &plain);
        assert_true(r.pieces >= least_pieces);
    }
}

static void records_cross_pieces(void **state)
{
    (void)state;
    write_records(3000, (const uint32_t[]){60, 1500, 9000, 333}, 4);
    same_with_pieces(20);
}

/* Short records fill a batch before its piece is read: the rest is read one after the other. */
static void short_records_end_the_pieces(void **state)
{
    (void)state;
    write_records(100000, (const uint32_t[]){14, 20}, 2);
    same_with_pieces(1);
}

static void records_as_long_as_pieces(void **state)
{
    (void)state;
    write_records(40, (const uint32_t[]){262144, 60, 200000}, 3);
    same_with_pieces(1);
}

static void a_short_file_has_its_end(void **state)
{
    (void)state;
    write_records(3, (const uint32_t[]){60}, 1);
    same_with_pieces(0);
}

static void damage_is_told_as_ever(void **state)
{
    (void)state;
    write_records(2000, (const uint32_t[]){1500}, 1);
    assert_int_equal(truncate(path, 2000 * 1516 - 100), 0);
    same_with_pieces(1);
    struct reading r = read_all(2);
    assert_int_equal(r.status, TAP_ERROR);
    assert_int_equal(r.count, 1999);
}

/* Reads a batch of a file, cuts the file and reads the rest. */
static struct reading read_cut(bool is_alone, off_t size)
{
    struct reading r = {.status = TAP_OK};
    struct tap_batch batch;
    struct capture_file *file = capture_file_open(path, 0, 100, NULL, &r.err);
    assert_non_null(file);
    init_batch(&batch);
    batch.is_alone = is_alone;
    r.status = capture_file_next(file, &batch, &r.err);
    assert_int_equal(r.status, TAP_OK);
    assert_true(batch.count > 0);
    assert_int_equal(truncate(path, size), 0);
    for (uint32_t i = 0; i < batch.count; i++) {
        const struct frame *f = &batch.frames[i];
        assert_int_equal(f->data[0], (uint8_t)i); /* as it was before */
        assert_int_equal(f->data[f->cap_len - 1], (uint8_t)i);
    }
    r.count = batch.count;
    while (r.status == TAP_OK) {
        take(&r, file, &batch);
    }
    free(batch.frames);
    free(batch.memory);
    capture_file_close(file);
    return r;
}

static void a_file_that_was_cut_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        write_records(5000, (const uint32_t[]){1000}, 1);
        struct reading r = read_cut(i % 2 == 0, i < 2 ? 0 : 24 + 3000 * 1016);
        assert_int_equal(r.status, TAP_ERROR);
        assert_non_null(strstr(r.err.text, "became shorter while it was read: it had 5080024 bytes"));
        assert_int_equal(i < 2 || r.count == 3000, true);
    }
}

/* Cut although it is leased, as the kernel does to one who is stopped for long. */
static void what_was_lost_is_told(void **state)
{
    (void)state;
    write_records(5000, (const uint32_t[]){1000}, 1);
    struct err err = {0};
    struct tap_batch batch;
    int fd = dup(STDOUT_FILENO); /* the number that comes next */
    close(fd);
    struct capture_file *file = capture_file_open(path, 0, 100, NULL, &err);
    init_batch(&batch);
    batch.is_alone = true;
    assert_int_equal(capture_file_next(file, &batch, &err), TAP_OK);
    bool is_leased = fcntl(fd, F_GETLEASE) == F_RDLCK;
    if (is_leased) {
        assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
        assert_int_equal(truncate(path, 0), 0);
        assert_int_equal(batch.frames[0].data[0], 0);
        assert_int_equal(batch.frames[batch.count - 1].data[999], 0);
        assert_int_equal(capture_file_next(file, &batch, &err), TAP_ERROR);
        assert_non_null(strstr(err.text, "became shorter while it was read, or its disk has failed"));
    }
    free(batch.frames);
    free(batch.memory);
    capture_file_close(file);
    if (!is_leased) {
        skip();
    }
}

static void a_file_that_grows_is_read_on(void **state)
{
    (void)state;
    write_records(100, (const uint32_t[]){1000}, 1);
    FILE *end = fopen(path, "ab"); /* no lease for us */
    assert_non_null(end);
    struct reading r = read_alone();
    assert_int_equal(r.status, TAP_END);
    assert_int_equal(r.count, 100);
    fclose(end);
}

static void compressed_files_have_no_pieces(void **state)
{
    (void)state;
    static const uint8_t head[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, [20] = 1};
    gzFile file = gzopen(path, "wb");
    assert_int_equal(gzwrite(file, head, sizeof head), sizeof head);
    gzclose(file);
    assert_int_equal(read_all(2).pieces, 0);
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_cross_pieces),
        cmocka_unit_test(short_records_end_the_pieces),
        cmocka_unit_test(records_as_long_as_pieces),
        cmocka_unit_test(a_short_file_has_its_end),
        cmocka_unit_test(damage_is_told_as_ever),
        cmocka_unit_test(a_file_that_was_cut_is_told),
        cmocka_unit_test(what_was_lost_is_told),
        cmocka_unit_test(a_file_that_grows_is_read_on),
        cmocka_unit_test(compressed_files_have_no_pieces),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
