// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/hash.h"
#include "summary/cardinality.h"
#include "summary/sketch_case.h"

/* Items first .. first + count of the universe `seed`. */
static void add_range(struct cardinality *c, uint64_t first, uint64_t count, uint64_t seed)
{
    for (uint64_t i = first; i < first + count; i++) {
        cardinality_add(c, hash64(&i, sizeof i, seed));
    }
}

static void assert_same_estimate(const struct cardinality *a, const struct cardinality *b)
{
    assert_true(cardinality_estimate(a) == cardinality_estimate(b));
    assert_int_equal(a->mode, b->mode);
}

static void exact_while_few(void **state)
{
    struct cardinality c = {0};
    assert_true(cardinality_estimate(&c) == 0);
    for (uint64_t n = 1; n <= 384; n++) {
        add_range(&c, n - 1, 1, 5);
        add_range(&c, n / 2, 1, 5); /* a repeat */
        assert_true(cardinality_estimate(&c) == (double)n);
    }
    assert_int_equal(c.mode, CARDINALITY_SET);
    add_range(&c, 384, 1, 5);
    assert_int_equal(c.mode, CARDINALITY_DENSE);
    assert_true(fabs(cardinality_estimate(&c) - 385) < 385 * 0.05);
}

/* The root mean square of the relative error over many universes is the stated 1.63 %. */
static void errs_as_stated(void **state)
{
    static const uint64_t sizes[] = {1000, 4096, 12000, 60000};
    enum { TRIALS = 40 };
    for (unsigned s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        double square = 0;
        double bias = 0;
        for (uint64_t seed = 0; seed < TRIALS; seed++) {
            struct cardinality c = {0};
            add_range(&c, 0, sizes[s], seed * 0x9e3779b97f4a7c15u);
            double off = cardinality_estimate(&c) / (double)sizes[s] - 1;
            assert_true(fabs(off) < 5 * 0.0163);
            square += off * off / TRIALS;
            bias += off / TRIALS;
        }
        assert_true(sqrt(square) < 1.35 * 0.0163);
        assert_true(fabs(bias) < 4 * 0.0163 / sqrt(TRIALS));
    }
}

static void merge_is_union(void **state)
{
    static const uint64_t sizes[] = {0, 1, 7, 8, 20, 100, 384, 385, 5000};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (unsigned i = 0; i < SIZES; i++) {
        for (unsigned k = 0; k < SIZES; k++) {
            struct cardinality a = {0}, b = {0}, both = {0}, ab, ba;
            add_range(&a, 0, sizes[i], 9);
            add_range(&b, sizes[i] / 2, sizes[k], 9);
            add_range(&both, 0, sizes[i], 9);
            add_range(&both, sizes[i] / 2, sizes[k], 9);
            ab = a;
            ba = b;
            cardinality_merge(&ab, &b);
            cardinality_merge(&ba, &a);
            assert_same_estimate(&ab, &both);
            assert_same_estimate(&ba, &both);
            cardinality_merge(&ab, &both); /* again: the same */
            assert_same_estimate(&ab, &both);
        }
    }
}

static void reset_forgets(void **state)
{
    static const uint64_t sizes[] = {0, 5, 300, 5000, 40, 400, 3};
    struct cardinality c = {0};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct cardinality fresh = {0};
        cardinality_reset(&c);
        assert_true(cardinality_estimate(&c) == 0);
        add_range(&c, 0, sizes[i], 77);
        add_range(&fresh, 0, sizes[i], 77);
        assert_same_estimate(&c, &fresh);
    }
}

/* MurmurHash3's coupons of the integers 0 to 7 in the order of their coming, and the cells of the
 * set that Apache DataSketches makes of them: its bytes behind the head. */
static void cells_stand_as_in_datasketches(void **state)
{
    static const uint32_t in[] = {0x4c2d7cb, 0x6fbf22b, 0xdf92f86, 0x7668175,
                                  0x65dbc81, 0x8e6657b, 0xa422dfc, 0x517e9c1};
    static const uint32_t out[] = {0x65dbc81, 0xdf92f86, 0x4c2d7cb, 0x517e9c1,
                                   0x7668175, 0xa422dfc, 0x8e6657b, 0x6fbf22b};
    struct cardinality c = {0};
    for (unsigned i = 0; i < 8; i++) {
        assert_memory_equal(c.cells, in, i * sizeof *in);
        cardinality_add_coupon(&c, in[i]);
        assert_int_equal(c.mode, i < 7 ? CARDINALITY_LIST : CARDINALITY_SET);
    }
    assert_int_equal(c.lg_cells, 5);
    unsigned held = 0;
    for (unsigned i = 0; i < 32; i++) {
        if (c.cells[i] != 0) {
            assert_int_equal(c.cells[i], out[held]);
            held++;
        }
    }
    assert_int_equal(held, 8);
}

/* Integers first .. first + count, as DataSketches hashes them. */
static void add_integers(struct cardinality *c, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++) {
        cardinality_add_coupon(c, cardinality_coupon(murmur3(&i, sizeof i, MURMUR3_SEED)));
    }
}

static void assert_written(uint64_t count, const char *digits)
{
    struct cardinality c = {0};
    struct json image;
    json_init(&image);
    add_integers(&c, 0, count);
    cardinality_write(&c, &image);
    sketch_assert_bytes(&image, digits);
    json_done(&image);
}

/* The images of DataSketches, but for the byte that says HLL_4 there and HLL_8 here. */
static void writes_golden_bytes(void **state)
{
    assert_written(0, "0201070c030c0008");
    assert_written(1, "0201070c03080108cbd7c204");
    assert_written(2, "0201070c03080208cbd7c2042bf2fb06");
    assert_written(8, "0301070c050800090800000081bc5d06862ff90dcbd7c204c1e9170575816607fc2d420a"
                      "7b65e6082bf2fb06");
}

static void coupons_end_at_63(void **state)
{
    assert_int_equal(cardinality_coupon((struct murmur3){.low = UINT64_MAX, .high = 0}),
                     63u << 26 | 0x3ffffff);
    assert_int_equal(cardinality_coupon((struct murmur3){.high = 1}), 63u << 26);
    assert_int_equal(cardinality_coupon((struct murmur3){.high = UINT64_MAX}), 1u << 26);
}

static void reads_what_it_wrote(void **state)
{
    for (uint64_t count = 0; count < 300000; count += 1 + count / 3) {
        struct cardinality c = {0}, again = {0}, more;
        struct json image;
        json_init(&image);
        add_integers(&c, 7, count);
        cardinality_write(&c, &image);
        add_integers(&again, 99, 500); /* is forgotten */
        assert_true(cardinality_read(&again, span_of(image.data, image.size)));
        assert_same_estimate(&c, &again);
        assert_int_equal(c.lg_cells, again.lg_cells);
        if (c.mode == CARDINALITY_DENSE) {
            assert_memory_equal(&c, &again, sizeof c);
        }
        more = c;
        add_integers(&c, 400, 300); /* it holds the same items, too */
        add_integers(&again, 400, 300);
        cardinality_merge(&more, &again);
        assert_same_estimate(&c, &again);
        assert_same_estimate(&c, &more);
        json_done(&image);
    }
}

/* A dense image with `target` and lg_k 13 whose registers are all `value`, but one is 63. */
static bool read_packed(struct cardinality *c, uint8_t target, uint32_t value, uint8_t least)
{
    uint8_t image[40 + 8192 + 4] = {10, 1, 7, 13, 0, 0, least, (uint8_t)(2 | target << 2)};
    uint32_t bits = target < 2 ? 4 + 2u * target : 8;
    for (uint32_t i = 0; i < 8192; i++) {
        uint32_t written = i == 5000 ? (target == 0 ? 15 : 63) : value - least;
        for (uint32_t bit = 0; bit < bits; bit++) {
            uint32_t place = i * bits + bit;
            image[40 + place / 8] |= (uint8_t)((written >> bit & 1) << place % 8);
        }
    }
    size_t size = 40 + 8192 * bits / 8 + (target == 1);
    if (target == 0) {
        uint32_t pair = 63u << 26 | 5000;
        memcpy(image + size, &pair, sizeof pair);
        image[36] = 1;
        size += sizeof pair;
    }
    return cardinality_read(c, span_of(image, size));
}

static void reads_other_packings(void **state)
{
    for (uint8_t target = 0; target < 3; target++) {
        struct cardinality c = {0};
        assert_true(read_packed(&c, target, 9, target == 0 ? 3 : 0));
        assert_int_equal(c.mode, CARDINALITY_DENSE);
        for (uint32_t i = 0; i < CARDINALITY_REGISTERS; i++) {
            assert_int_equal(c.registers[i], i == 5000 - 4096 ? 63 : 9);
        }
    }
    struct cardinality c = {0};
    assert_false(read_packed(&c, 3, 9, 0));
    assert_false(read_packed(&c, 0, 70, 60)); /* a register of 70 */
    assert_int_equal(c.mode, CARDINALITY_EMPTY);
}

static bool read_image(void *sketch, struct span image)
{
    return cardinality_read(sketch, image);
}

static void reads_with_care(void **state)
{
    static const uint64_t counts[] = {0, 5, 100, 5000};
    for (unsigned i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct cardinality c = {0};
        struct json image;
        json_init(&image);
        add_integers(&c, 0, counts[i]);
        cardinality_write(&c, &image);
        sketch_assert_careful(&image, read_image, &c);
        json_done(&image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_while_few),
        cmocka_unit_test(errs_as_stated),
        cmocka_unit_test(merge_is_union),
        cmocka_unit_test(reset_forgets),
        cmocka_unit_test(cells_stand_as_in_datasketches),
        cmocka_unit_test(writes_golden_bytes),
        cmocka_unit_test(coupons_end_at_63),
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(reads_other_packings),
        cmocka_unit_test(reads_with_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
