// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "summary/sketch_case.h"
#include "summary/theta.h"

/* As large as a stack: each test has a few of them here. */
static struct theta a, b, c, d;

static void add_integers(struct theta *t, uint64_t begin, uint64_t end)
{
    for (uint64_t i = begin; i < end; i++) {
        theta_add(t, murmur3(&i, sizeof i, MURMUR3_SEED));
    }
}

static void make(struct theta *t, uint64_t begin, uint64_t end)
{
    theta_init(t);
    add_integers(t, begin, end);
}

static void assert_near(const struct theta *t, double truth)
{
    double off = fabs(theta_estimate(t) - truth);
    assert_true(off <= 1e-9 || off <= 4 * theta_error(t) * truth);
}

static void assert_same_bytes(const struct theta *x, const struct theta *y)
{
    struct json one, other;
    json_init(&one);
    json_init(&other);
    theta_write(x, &one);
    theta_write(y, &other);
    assert_int_equal(one.size, other.size);
    assert_memory_equal(one.data, other.data, one.size);
    assert_true(theta_estimate(x) == theta_estimate(y));
    json_done(&one);
    json_done(&other);
}

static void errs_as_stated(void **state)
{
    make(&a, 0, THETA_NOMINAL);
    add_integers(&a, 0, 100); /* repeats */
    assert_true(theta_estimate(&a) == THETA_NOMINAL && theta_error(&a) == 0);
    double square = 0;
    enum { TRIALS = 30, ITEMS = 60000 };
    for (uint64_t i = 0; i < TRIALS; i++) {
        make(&a, i << 32, (i << 32) + ITEMS);
        double off = theta_estimate(&a) / ITEMS - 1;
        square += off * off / TRIALS;
        assert_near(&a, ITEMS);
        assert_true(fabs(theta_error(&a) - 0.015) < 0.0015);
    }
    assert_true(sqrt(square) < 1.4 * 0.0156);
}

/* Sizes that are nothing, exact, and sampled, that overlap by a half. */
static void sets_are_right(void **state)
{
    static const uint64_t sizes[] = {0, 1, 1000, 9000, 100000};
    enum { SIZES = sizeof sizes / sizeof *sizes };
    for (uint32_t i = 0; i < SIZES * SIZES; i++) {
        uint64_t from = sizes[i / SIZES] / 2;
        uint64_t end = sizes[i / SIZES];
        uint64_t to = from + sizes[i % SIZES];
        uint64_t both = end < to ? end - from : sizes[i % SIZES];
        make(&a, 0, end);
        make(&b, from, to);
        make(&d, 0, end);
        add_integers(&d, from, to);
        c = a;
        theta_unite(&c, &b);
        assert_near(&c, (double)(end + to - from - both));
        assert_same_bytes(&c, &d); /* the union is the sketch of both */
        c = b;
        theta_unite(&c, &a);
        assert_same_bytes(&c, &d);
        c = a;
        theta_intersect(&c, &b);
        d = b;
        theta_intersect(&d, &a);
        assert_near(&c, (double)both);
        assert_same_bytes(&c, &d);
        theta_subtract(&a, &b);
        assert_near(&a, (double)(end - both));
        theta_unite(&a, &c); /* what is in both and what is not are all */
        assert_near(&a, (double)end);
    }
}

static void order_does_not_matter(void **state)
{
    make(&a, 0, 50000);
    theta_init(&b);
    for (uint64_t i = 50000; i-- > 0;) {
        add_integers(&b, i, i + 1);
    }
    assert_same_bytes(&a, &b);
}

static void assert_written(uint64_t count, const char *digits)
{
    struct json image;
    json_init(&image);
    make(&a, 0, count);
    theta_write(&a, &image);
    sketch_assert_bytes(&image, digits);
    json_done(&image);
}

/* The images of DataSketches. */
static void writes_golden_bytes(void **state)
{
    assert_written(0, "01030300001ecc93");
    assert_written(1, "01030300001acc93e56b61eec8804420");
}

static void reads_golden_bytes(void **state)
{
    uint8_t bytes[512];
    assert_true(theta_read(&a, sketch_of_hex("01030300001e0000", bytes))); /* as Java has it */
    assert_true(theta_estimate(&a) == 0);
    /* Version 4. */
    assert_true(theta_read(
        &a, sketch_of_hex("0104033d011acc93022d0c35ee5befc8aea8be82c8b8dcb400", bytes)));
    make(&b, 0, 2);
    assert_same_bytes(&a, &b);
    /* A sample that has caught nothing. */
    assert_true(theta_read(
        &a, sketch_of_hex("03030300001acc93000000000000000000000000000000010", bytes)));
    assert_true(theta_estimate(&a) == 0 && isinf(theta_error(&a)));
}

static bool read_image(void *sketch, struct span image)
{
    return theta_read(sketch, image);
}

static void reads_what_it_wrote(void **state)
{
    for (uint64_t count = 0; count < 40000; count += 1 + count) {
        struct json image;
        json_init(&image);
        make(&a, 7, 7 + count);
        theta_write(&a, &image);
        assert_true(theta_read(&b, span_of(image.data, image.size)));
        assert_same_bytes(&a, &b);
        add_integers(&a, 100000, 110000);
        add_integers(&b, 100000, 110000);
        assert_same_bytes(&a, &b);
        json_done(&image);
    }
}

static void reads_with_care(void **state)
{
    static const uint64_t counts[] = {0, 1, 20, 9000};
    for (uint32_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct json image;
        json_init(&image);
        make(&a, 0, counts[i]);
        theta_write(&a, &image);
        sketch_assert_careful(&image, read_image, &a);
        json_done(&image);
    }
    struct json packed;
    uint8_t bytes[512];
    struct span image =
        sketch_of_hex("0104033d011acc93022d0c35ee5befc8aea8be82c8b8dcb400", bytes);
    json_init(&packed);
    json_append(&packed, image.data, image.size);
    sketch_assert_careful(&packed, read_image, &a);
    json_done(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errs_as_stated),
        cmocka_unit_test(sets_are_right),
        cmocka_unit_test(order_does_not_matter),
        cmocka_unit_test(writes_golden_bytes),
        cmocka_unit_test(reads_golden_bytes),
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(reads_with_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
