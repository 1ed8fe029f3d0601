// SPDX-License-Identifier: Apache-2.0
#include <math.h>

#include "summary/kll.h"
#include "summary/quantiles.h"
#include "summary/sketch_case.h"

enum { VALUES = 50000 };

static uint64_t random_state;

static double random_unit(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return ((double)(random_state >> 12) + 0.5) / (double)(1ull << 52);
}

static void assert_weighs(const struct kll *s)
{
    uint64_t weight = 0;
    for (uint32_t h = 0; h < s->levels; h++) {
        assert_true(s->begins[h] <= s->begins[h + 1]);
        weight += (uint64_t)(s->begins[h + 1] - s->begins[h]) << h;
        for (uint32_t i = s->begins[h] + 1; h > 0 && i < s->begins[h + 1]; i++) {
            assert_true(s->items[i - 1] <= s->items[i]);
        }
    }
    assert_int_equal(weight, s->count);
}

/* The values were 0 to `count` - 1, so that each is its own rank. */
static void assert_right(const struct kll *s, uint32_t count)
{
    assert_int_equal(s->count, count);
    assert_weighs(s);
    double last = 0;
    for (double rank = 0; rank <= 1; rank += 1.0 / 64) {
        double at = (double)kll_at(s, rank);
        assert_true(fabs(at / count - rank) < 2 * 0.0133); /* all of these, so not 99 % */
        assert_true(at >= last);
        last = at;
    }
    assert_true(kll_at(s, 0) == 0 && kll_at(s, 1) == (float)(count - 1));
}

/* The numbers from 0 on in an order that a prime makes. */
static void add_shuffled(struct kll *s, uint32_t begin, uint32_t end)
{
    for (uint32_t i = begin; i < end; i++) {
        kll_add(s, (float)((uint64_t)i * 7919 % VALUES));
    }
}

static void errs_as_stated(void **state)
{
    struct kll s;
    kll_init(&s, KLL_K);
    add_shuffled(&s, 0, VALUES);
    assert_right(&s, VALUES);
    kll_init(&s, KLL_K);
    for (uint32_t i = VALUES; i-- > 0;) { /* descending, which is what level 0 stores */
        kll_add(&s, (float)i);
    }
    assert_right(&s, VALUES);
}

static void exact_while_few(void **state)
{
    struct kll s;
    kll_init(&s, KLL_K);
    assert_true(isnan(kll_at(&s, 0.5)));
    kll_add(&s, NAN);
    assert_int_equal(s.count, 0);
    for (uint32_t i = 1; i <= KLL_K; i++) {
        kll_add(&s, (float)(i % 2 == 0 ? i : KLL_K - i));
    }
    for (uint32_t i = 1; i < KLL_K; i++) {
        assert_true(kll_at(&s, (i - 0.5) / KLL_K) == (float)i);
    }
}

/* As good whatever the parts, and in either order. */
static void merge_is_union(void **state)
{
    static const uint32_t cuts[] = {0, 1, 150, 1000, VALUES / 2};
    for (uint32_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct kll a, b, ab, ba;
        kll_init(&a, KLL_K);
        kll_init(&b, KLL_K);
        add_shuffled(&a, 0, cuts[i]);
        add_shuffled(&b, cuts[i], VALUES);
        ab = a;
        ba = b;
        kll_merge(&ab, &b);
        kll_merge(&ba, &a);
        assert_right(&ab, VALUES);
        assert_right(&ba, VALUES);
    }
}

static void merges_other_sizes(void **state)
{
    struct kll large, small;
    kll_init(&large, KLL_K_MAX);
    kll_init(&small, KLL_K_MIN);
    add_shuffled(&small, 0, 10000);
    add_shuffled(&large, 0, VALUES);
    kll_merge(&large, &small);
    assert_int_equal(large.k_min, KLL_K_MIN);
    assert_weighs(&large);
    kll_merge(&small, &large);
    assert_weighs(&small);
    assert_int_equal(small.count, VALUES + 20000);
}

static void takes_a_great_many(void **state)
{
    struct kll s;
    kll_init(&s, KLL_K_MAX);
    add_shuffled(&s, 0, VALUES);
    struct kll more = s;
    for (int i = 0; i < 44; i++) { /* 2^44 times as many */
        kll_merge(&s, &more);
        more = s;
    }
    assert_int_equal(s.count, (uint64_t)VALUES << 44);
    assert_weighs(&s);
    assert_true(s.begins[s.levels] <= KLL_ITEMS_MAX);
    assert_true(fabs((double)kll_at(&s, 0.5) / VALUES - 0.5) < 0.02);
}

/* Quantiles of the sketch are those of the histogram. */
static void comes_of_quantiles(void **state)
{
    static const uint32_t counts[] = {0, 1, 2, 300, 1000000};
    for (uint32_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        static struct quantiles q;
        struct kll s;
        quantiles_reset(&q);
        random_state = 5;
        for (uint32_t i = 0; i < counts[c]; i++) {
            double value = exp(10 * random_unit());
            quantiles_add(&q, i % 11 == 0 ? -value : i % 13 == 0 ? 0 : value);
        }
        kll_of_quantiles(&s, &q);
        assert_weighs(&s);
        assert_int_equal(s.count, counts[c]);
        for (double rank = 0; counts[c] > 0 && rank <= 1; rank += 1.0 / 32) {
            assert_true(kll_at(&s, rank) == (float)quantiles_at(&q, rank));
        }
    }
}

/* So many bits that not all items fit: some go to chance, and weights stay. */
static void comes_of_full_quantiles(void **state)
{
    static struct quantiles q;
    memset(&q, 0, sizeof q);
    for (uint32_t i = 0; i < QUANTILES_BUCKETS; i++) {
        quantiles_add(&q, exp2((i + 0.5) / 16));
        quantiles_add(&q, -exp2((i + 0.5) / 16));
    }
    assert_int_equal(quantiles_scale(&q), 4);
    for (int i = 0; i < 21; i++) { /* each count becomes 1010101... in binary */
        struct quantiles once = q;
        quantiles_merge(&q, &once);
        quantiles_merge(&q, &once);
        for (uint32_t k = 0; k < QUANTILES_BUCKETS; k++) {
            quantiles_add(&q, exp2((k + 0.5) / 16));
        }
    }
    struct kll s;
    kll_of_quantiles(&s, &q);
    assert_int_equal(s.k, KLL_K_MAX);
    assert_int_equal(s.count, q.count);
    assert_weighs(&s);
    assert_true(fabs((double)kll_at(&s, 0.9) / quantiles_at(&q, 0.9) - 1) < 0.5);
}

static void assert_written(const float *values, uint32_t count, const char *digits)
{
    struct kll s;
    struct json image;
    json_init(&image);
    kll_init(&s, KLL_K);
    for (uint32_t i = 0; i < count; i++) {
        kll_add(&s, values[i]);
    }
    kll_write(&s, &image);
    sketch_assert_bytes(&image, digits);
    json_done(&image);
}

/* The images of DataSketches. */
static void writes_golden_bytes(void **state)
{
    static const float values[] = {1, 2};
    assert_written(values, 0, "02010f01c8000800");
    assert_written(values, 1, "02020f04c80008000000803f");
    assert_written(values, 2, "05010f00c80008000200000000000000c8000100c60000000000803f00000040"
                              "000000400000803f");
}

static bool read_image(void *sketch, struct span image)
{
    return kll_read(sketch, image);
}

static void reads_what_it_wrote(void **state)
{
    for (uint32_t count = 0; count < VALUES; count += 1 + count / 2) {
        struct kll s, again;
        struct json image, twice;
        json_init(&image);
        json_init(&twice);
        kll_init(&s, KLL_K);
        add_shuffled(&s, 0, count);
        kll_write(&s, &image);
        assert_true(kll_read(&again, span_of(image.data, image.size)));
        kll_write(&again, &twice);
        assert_int_equal(image.size, twice.size);
        assert_memory_equal(image.data, twice.data, image.size);
        assert_true(count == 0 || kll_at(&s, 0.7) == kll_at(&again, 0.7));
        add_shuffled(&again, count, VALUES);
        assert_right(&again, VALUES);
        json_done(&image);
        json_done(&twice);
    }
}

static void reads_with_care(void **state)
{
    static const uint32_t counts[] = {0, 1, 2, 5000};
    for (uint32_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct kll s;
        struct json image;
        json_init(&image);
        kll_init(&s, KLL_K);
        add_shuffled(&s, 0, counts[i]);
        kll_write(&s, &image);
        sketch_assert_careful(&image, read_image, &s);
        json_done(&image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errs_as_stated),
        cmocka_unit_test(exact_while_few),
        cmocka_unit_test(merge_is_union),
        cmocka_unit_test(merges_other_sizes),
        cmocka_unit_test(takes_a_great_many),
        cmocka_unit_test(comes_of_quantiles),
        cmocka_unit_test(comes_of_full_quantiles),
        cmocka_unit_test(writes_golden_bytes),
        cmocka_unit_test(reads_what_it_wrote),
        cmocka_unit_test(reads_with_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
