// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "proto/mysql/mysql_unpack.h"

enum { BUDGET = 8 << 20, ROOM = 4 << 20 };

enum method { PLAIN, ZLIB, ZSTANDARD };

struct stream {
    uint8_t *data;
    size_t size;
};

/* Appends a packet that holds `plain`; `claimed` is the size it says that has. */
static void pack(struct stream *s, enum method method, const void *plain, size_t size,
                 size_t claimed)
{
    uint8_t *at = s->data + s->size;
    uLongf packed = ROOM - s->size - MYSQL_UNPACK_HEADER;
    if (method == ZLIB) {
        assert_int_equal(compress(at + MYSQL_UNPACK_HEADER, &packed, plain, size), Z_OK);
    } else if (method == ZSTANDARD) {
        packed = ZSTD_compress(at + MYSQL_UNPACK_HEADER, packed, plain, size, 3);
        assert_false(ZSTD_isError(packed));
    } else {
        packed = size;
        memcpy(at + MYSQL_UNPACK_HEADER, plain, size);
        claimed = 0;
    }
    for (unsigned i = 0; i < 3; i++) {
        at[i] = (uint8_t)(packed >> 8 * i);
        at[4 + i] = (uint8_t)(claimed >> 8 * i);
    }
    at[3] = 0;
    s->size += MYSQL_UNPACK_HEADER + packed;
}

/* Unpacks a stream that comes in pieces; how often something was lost. */
static unsigned unpack(struct stream s, bool is_zstd, size_t piece, struct stream *ret)
{
    struct slab *slab = slab_new(BUDGET);
    struct mysql_unpacker u = {.is_zstd = is_zstd};
    unsigned lost = 0;
    ret->size = 0;
    for (size_t at = 0; at < s.size; at += piece) {
        size_t here = s.size - at < piece ? s.size - at : piece;
        uint8_t *copy = malloc(here);
        memcpy(copy, s.data + at, here);
        struct cursor c = cursor_of(span_of(copy, here));
        for (;;) {
            struct span plain;
            enum mysql_unpack_step step = mysql_unpack_next(&u, slab, &c, &plain);
            if (step == MYSQL_UNPACK_MORE) {
                break;
            }
            lost += step == MYSQL_UNPACK_LOST;
            if (step == MYSQL_UNPACK_PIECE_READY) {
                assert_true(ret->size + plain.size <= ROOM);
                memcpy(ret->data + ret->size, plain.data, plain.size);
                ret->size += plain.size;
            }
        }
        assert_int_equal(cursor_left(&c), 0);
        free(copy);
    }
    assert_true(mysql_unpack_is_idle(&u));
    assert_int_equal(slab_used(slab), 0);
    mysql_unpack_reset(&u, slab);
    slab_free(slab);
    return lost;
}

static struct stream room(void)
{
    struct stream s = {.data = malloc(ROOM)};
    assert_non_null(s.data);
    return s;
}

static void fill(uint8_t *data, size_t size)
{
    uint32_t seed = 7;
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525 + 1013904223;
        data[i] = (uint8_t)(i % 3 == 0 ? seed >> 29 : 'x');
    }
}

static void assert_unpacks(enum method method)
{
    static const size_t sizes[] = {1, 49, 5000, 16 << 10, (16 << 10) + 1, 300000, 900000};
    static const size_t pieces[] = {1, 7, 1460, SIZE_MAX / 2};
    struct stream packed = room(), plain = room(), ret = room();
    fill(plain.data, ROOM);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        pack(&packed, method, plain.data + plain.size, sizes[i], sizes[i]);
        plain.size += sizes[i];
    }
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_int_equal(unpack(packed, method == ZSTANDARD, pieces[i], &ret), 0);
        assert_int_equal(ret.size, plain.size);
        assert_memory_equal(ret.data, plain.data, plain.size);
    }
    free(packed.data);
    free(plain.data);
    free(ret.data);
}

static void packets_as_they_are(void **state)
{
    (void)state;
    assert_unpacks(PLAIN);
}

static void zlib_in_any_pieces(void **state)
{
    (void)state;
    assert_unpacks(ZLIB);
}

static void zstandard_in_any_pieces(void **state)
{
    (void)state;
    assert_unpacks(ZSTANDARD);
}

/* A packet that lies about itself is passed over; the one behind it is not. */
static void lies_are_passed_over(void **state)
{
    (void)state;
    for (enum method method = ZLIB; method <= ZSTANDARD; method++) {
        for (size_t claimed = 1999; claimed <= 2001; claimed += 2) {
            struct stream packed = room(), plain = room(), ret = room();
            fill(plain.data, 2000);
            pack(&packed, method, plain.data, 2000, claimed);
            pack(&packed, PLAIN, "behind", 6, 0);
            for (size_t piece = 1; piece < 4000; piece *= 3) {
                assert_int_equal(unpack(packed, method == ZSTANDARD, piece, &ret), 1);
                assert_true(ret.size >= 6);
                assert_memory_equal(ret.data + ret.size - 6, "behind", 6);
            }
            free(packed.data);
            free(plain.data);
            free(ret.data);
        }
    }
}

/* What would fill memory or time is not unpacked at all. */
static void bombs_are_passed_over(void **state)
{
    (void)state;
    for (enum method method = ZLIB; method <= ZSTANDARD; method++) {
        struct stream packed = room(), plain = room(), ret = room();
        memset(plain.data, 0, 3 << 20);
        pack(&packed, method, plain.data, 3 << 20, 3 << 20);
        pack(&packed, PLAIN, "behind", 6, 0);
        assert_int_equal(unpack(packed, method == ZSTANDARD, 1000, &ret), 1);
        assert_int_equal(ret.size, 6);
        free(packed.data);
        free(plain.data);
        free(ret.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_as_they_are),
        cmocka_unit_test(zlib_in_any_pieces),
        cmocka_unit_test(zstandard_in_any_pieces),
        cmocka_unit_test(lies_are_passed_over),
        cmocka_unit_test(bombs_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
