// SPDX-License-Identifier: Apache-2.0
/* The letters of sketches' bytes, and whole images for somebody else to read: with a folder in the
 * environment's SKETCHES they are left there (tests/sketch/decode_test.py knows what must be in
 * them). */
#include "summary/sketch_case.h"

#include <stdio.h>

#include "base/murmur3.h"
#include "summary/cardinality.h"
#include "summary/kll.h"
#include "summary/quantiles.h"
#include "summary/theta.h"
#include "summary/topn.h"

static const uint32_t sizes[] = {0, 1, 2, 7, 8, 100, 384, 385, 5000, 100000};
enum { SIZES = sizeof sizes / sizeof *sizes };

/* Leaves the image as TYPE-WHAT-SIZE, and empties it. */
static void leave(struct json *image, const char *name, uint32_t size)
{
    const char *folder = getenv("SKETCHES");
    assert_false(image->failed);
    if (folder != NULL) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s-%u", folder, name, size);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(image->data, 1, image->size, file), image->size);
        assert_int_equal(fclose(file), 0);
    }
    json_reset(image);
}

static void numbers_are_little_endian(void **state)
{
    struct json image;
    json_init(&image);
    sketch_put(&image, 0x0102, 2);
    sketch_put_u32(&image, 0x03040506);
    sketch_put_u64(&image, 0x0708090a0b0c0d0e);
    sketch_put_f32(&image, 1);
    sketch_put_f64(&image, 1);
    sketch_assert_bytes(&image, "0201060504030e0d0c0b0a0908070000803f000000000000f03f");
    struct cursor c = cursor_of(span_of(image.data, image.size));
    assert_int_equal(sketch_take_u16(&c), 0x0102);
    assert_int_equal(sketch_take_u32(&c), 0x03040506);
    assert_int_equal(sketch_take_u64(&c), 0x0708090a0b0c0d0e);
    assert_true(sketch_take_f32(&c) == 1);
    cursor_skip(&c, 8);
    assert_int_equal(sketch_take_u16(&c) + sketch_take_u32(&c) + sketch_take_u64(&c), 0);
    assert_true(c.bad);
    json_done(&image);
}

/* The integers below `size`, whole and as a union of halves that overlap. */
static void leaves_distinct(void **state)
{
    static struct cardinality c[3];
    static struct theta t[3];
    struct json image;
    json_init(&image);
    for (uint32_t s = 0; s < SIZES; s++) {
        for (uint32_t k = 0; k < 3; k++) {
            cardinality_reset(&c[k]);
            theta_init(&t[k]);
        }
        for (uint64_t i = 0; i < sizes[s]; i++) {
            struct murmur3 hash = murmur3(&i, sizeof i, MURMUR3_SEED);
            for (uint32_t k = 0; k < 3; k++) {
                if (k == 0 || (k == 1 ? i * 3 < sizes[s] * 2u : i * 3 >= sizes[s])) {
                    cardinality_add_coupon(&c[k], cardinality_coupon(hash));
                    theta_add(&t[k], hash);
                }
            }
        }
        cardinality_write(&c[0], &image);
        leave(&image, "hll-whole", sizes[s]);
        cardinality_merge(&c[1], &c[2]);
        cardinality_write(&c[1], &image);
        leave(&image, "hll-union", sizes[s]);
        theta_write(&t[0], &image);
        leave(&image, "theta-whole", sizes[s]);
        theta_unite(&t[1], &t[2]);
        theta_write(&t[1], &image);
        leave(&image, "theta-union", sizes[s]);
    }
    json_done(&image);
}

/* The integers from 1 to `size` in no order: added, merged, and by way of a histogram. */
static void leaves_quantiles(void **state)
{
    static struct quantiles q;
    struct json image;
    json_init(&image);
    for (uint32_t s = 0; s < SIZES; s++) {
        struct kll whole, parts[2];
        quantiles_reset(&q);
        kll_init(&whole, KLL_K);
        kll_init(&parts[0], KLL_K);
        kll_init(&parts[1], KLL_K);
        for (uint32_t i = 0; i < sizes[s]; i++) {
            uint32_t value = (uint32_t)((uint64_t)i * 7919 % sizes[s]) + 1;
            kll_add(&whole, (float)value);
            kll_add(&parts[i % 3 == 0], (float)value);
            quantiles_add(&q, value);
        }
        kll_write(&whole, &image);
        leave(&image, "kll_float-whole", sizes[s]);
        kll_merge(&parts[0], &parts[1]);
        kll_write(&parts[0], &image);
        leave(&image, "kll_float-union", sizes[s]);
        kll_of_quantiles(&whole, &q);
        kll_write(&whole, &image);
        leave(&image, "kll_float-histogram", sizes[s]);
    }
    json_done(&image);
}

/* `size` names, of which "host0" has a third of the weight. */
static void leaves_frequent(void **state)
{
    static struct {
        TOPN_DECLARE(top, 256);
    } b;
    struct json image;
    json_init(&image);
    topn_init(&b.top, 256, TOPN_KEY_MAX);
    for (uint32_t s = 0; s < SIZES; s++) {
        topn_reset(&b.top);
        for (uint32_t i = 0; i < sizes[s]; i++) {
            char key[TOPN_KEY_MAX] = {0};
            snprintf(key, sizeof key, "host%u", i % 3 == 0 ? 0 : i);
            topn_add(&b.top, key, 2, NULL);
        }
        topn_write_weights(&b.top, &image);
        for (const struct topn_item *i = topn_first(&b.top); i != NULL; i = topn_after(&b.top, i)) {
            topn_write_item(span_str((const char *)topn_key(&b.top, i).data), &image);
        }
        leave(&image, "fi_strings-whole", sizes[s]);
    }
    json_done(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_little_endian),
        cmocka_unit_test(leaves_distinct),
        cmocka_unit_test(leaves_quantiles),
        cmocka_unit_test(leaves_frequent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
