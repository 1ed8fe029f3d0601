// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "summary/sketch_case.h"
#include "summary/topn.h"

enum { SLOTS = 256, CAPACITY = SLOTS / 4 * 3, KEY = 17, UNIVERSE = 5000, ADDS = 60000 };

struct block {
    TOPN_DECLARE(top, SLOTS);
};

static uint64_t random_state;

static uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void key_of(uint32_t number, uint8_t key[KEY])
{
    memset(key, 7, KEY);
    memcpy(key, &number, sizeof number);
}

static void block_init(struct block *b)
{
    memset(b, 0, sizeof *b);
    topn_init_extras(&b->top, SLOTS, KEY);
}

static void add(struct topn *t, uint32_t number, uint64_t weight)
{
    uint8_t key[KEY];
    key_of(number, key);
    topn_add(t, key, weight, (uint64_t[]){1, weight, number});
}

/* A skewed stream: item i of about UNIVERSE with a chance near 1/i. Its truth is summed beside. */
static void add_stream(struct topn *t, uint64_t *truth, uint64_t seed)
{
    random_state = seed;
    for (unsigned i = 0; i < ADDS; i++) {
        uint32_t number =
            (uint32_t)(UNIVERSE / (1 + random_next() % UNIVERSE) + random_next() % 300);
        uint64_t weight = 1 + random_next() % 100;
        number = random_next() % 2 ? number : (uint32_t)(random_next() % UNIVERSE);
        add(t, number, weight);
        truth[number] += weight;
    }
}

static uint32_t number_of(const struct topn *t, const struct topn_item *item)
{
    uint32_t number;
    memcpy(&number, topn_key(t, item).data, sizeof number);
    return number;
}

/* Each item within its bounds, the order right, and no heavier item missing. */
static void assert_sound(const struct topn *t, const uint64_t *truth)
{
    const struct topn_item *top[CAPACITY];
    uint32_t count = topn_top(t, top, CAPACITY);
    assert_int_equal(count, t->count);
    uint64_t total = 0;
    bool held[2 * UNIVERSE + 300] = {false};
    for (uint32_t i = 0; i < count; i++) {
        uint64_t want = truth[number_of(t, top[i])];
        held[number_of(t, top[i])] = true;
        assert_in_range(top[i]->weight, 1, want);
        assert_true(top[i]->weight + top[i]->error >= want);
        assert_true(top[i]->error <= t->error);
        assert_true(i == 0 || top[i - 1]->weight >= top[i]->weight);
    }
    for (uint32_t i = 0; i < 2 * UNIVERSE + 300; i++) {
        total += truth[i];
        assert_true(held[i] || truth[i] <= t->error);
    }
    assert_int_equal(t->total, total);
    /* The paper's bound with sampled medians, as DataSketches states it. */
    assert_true((double)t->error <= 3.5 / SLOTS * (double)total);
}

static void exact_below_capacity(void **state)
{
    struct block b;
    block_init(&b);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 1; i <= CAPACITY; i++) {
            add(&b.top, i, i);
        }
    }
    const struct topn_item *top[CAPACITY + 1];
    assert_int_equal(topn_top(&b.top, top, CAPACITY + 1), CAPACITY);
    assert_int_equal(b.top.error, 0);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        uint32_t number = CAPACITY - i;
        assert_int_equal(number_of(&b.top, top[i]), number);
        assert_int_equal(top[i]->weight, 3 * number);
        assert_int_equal(topn_extras(&b.top, top[i])[0], 3);
        assert_int_equal(topn_extras(&b.top, top[i])[1], 3 * number);
    }
    assert_int_equal(topn_top(&b.top, top, 5), 5);
    assert_int_equal(number_of(&b.top, top[4]), CAPACITY - 4);
    assert_int_equal(topn_top(&b.top, top, 0), 0);
}

static void ties_go_by_key(void **state)
{
    struct block b;
    block_init(&b);
    for (uint32_t i = 100; i > 0; i--) {
        add(&b.top, i, 5);
    }
    const struct topn_item *top[10];
    assert_int_equal(topn_top(&b.top, top, 10), 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(number_of(&b.top, top[i]), i + 1);
    }
}

static void holds_its_bounds(void **state)
{
    static uint64_t truth[2 * UNIVERSE + 300];
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct block b;
        block_init(&b);
        memset(truth, 0, sizeof truth);
        add_stream(&b.top, truth, seed * 7919);
        assert_true(b.top.error > 0);
        assert_sound(&b.top, truth);
    }
}

static void survives_equal_weights(void **state)
{
    static uint64_t truth[2 * UNIVERSE + 300];
    struct block b;
    block_init(&b);
    memset(truth, 0, sizeof truth);
    for (uint32_t i = 0; i < UNIVERSE; i++) {
        add(&b.top, i, 9);
        truth[i] += 9;
    }
    assert_sound(&b.top, truth);
    add(&b.top, 1, 0); /* nothing */
    assert_sound(&b.top, truth);
}

static void merge_is_union(void **state)
{
    static uint64_t truth[2 * UNIVERSE + 300];
    memset(truth, 0, sizeof truth);
    struct block parts[4];
    struct block all;
    block_init(&all);
    for (unsigned i = 0; i < 4; i++) {
        block_init(&parts[i]);
        add_stream(&parts[i].top, truth, 1000 + i);
        topn_merge(&all.top, &parts[i].top);
    }
    assert_sound(&all.top, truth);
    /* The other way round: another summary, the same bounds. */
    topn_reset(&all.top);
    for (unsigned i = 4; i-- > 0;) {
        topn_merge(&all.top, &parts[i].top);
    }
    assert_sound(&all.top, truth);
}

static void small_merges_commute(void **state)
{
    struct block a, b, ab, ba;
    block_init(&a);
    block_init(&b);
    block_init(&ab);
    block_init(&ba);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        add(&a.top, i, i + 1);
        add(&b.top, CAPACITY - 1 - i, 1000);
    }
    topn_merge(&ab.top, &a.top);
    topn_merge(&ab.top, &b.top);
    topn_merge(&ba.top, &b.top);
    topn_merge(&ba.top, &a.top);
    const struct topn_item *x[CAPACITY], *y[CAPACITY];
    assert_int_equal(topn_top(&ab.top, x, CAPACITY), CAPACITY);
    assert_int_equal(topn_top(&ba.top, y, CAPACITY), CAPACITY);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        assert_memory_equal(x[i], y[i], topn_stride(&ab.top, x[i]));
    }
    assert_int_equal(ab.top.total, ba.top.total);
}

static void reset_forgets(void **state)
{
    static uint64_t truth[2 * UNIVERSE + 300];
    struct block b;
    block_init(&b);
    add_stream(&b.top, truth, 3);
    topn_reset(&b.top);
    assert_int_equal(b.top.count + b.top.error + b.top.total, 0);
    topn_init_extras(&b.top, SLOTS, KEY); /* as metric_block_reset() does */
    memset(truth, 0, sizeof truth);
    add_stream(&b.top, truth, 4);
    assert_sound(&b.top, truth);
}

static void write_names(struct topn *t, const char *name, struct json *to)
{
    char key[TOPN_KEY_MAX] = {0};
    json_init(to);
    if (name != NULL) {
        memcpy(key, name, strlen(name));
        topn_add(t, key, 1, NULL);
    }
    topn_write_weights(t, to);
    if (name != NULL) {
        topn_write_item(span_str(name), to);
    }
}

/* The images of DataSketches; the byte behind 0a0a, by which a reader sizes its table, is its
 * default there and the least that will do here. */
static void writes_golden_bytes(void **state)
{
    static struct {
        TOPN_DECLARE(top, 1024);
    } b;
    struct json image;
    topn_init(&b.top, 1024, TOPN_KEY_MAX);
    write_names(&b.top, NULL, &image);
    sketch_assert_bytes(&image, "01010a0a03050000");
    json_done(&image);
    write_names(&b.top, "d1.example.net", &image);
    sketch_assert_bytes(&image, "04010a0a03000000010000000000000001000000000000000000000000000000"
                                "01000000000000000e00000064312e6578616d706c652e6e6574");
    topn_reset(&b.top);
    assert_true(topn_read(&b.top, span_of(image.data, image.size)));
    assert_int_equal(b.top.count, 1);
    assert_string_equal((const char *)topn_key(&b.top, topn_first(&b.top)).data, "d1.example.net");
    json_done(&image);
}

/* What bytes hold: what may be above the offset of all. */
static uint64_t counter(const struct topn *t, const struct topn_item *item)
{
    uint64_t most = item->weight + item->error;
    return most > t->error ? most - t->error : 1;
}

static void reads_what_it_wrote(void **state)
{
    static uint64_t truth[2 * UNIVERSE + 300];
    struct block b, again;
    struct json image;
    block_init(&b);
    block_init(&again);
    json_init(&image);
    memset(truth, 0, sizeof truth);
    add_stream(&b.top, truth, 31);
    add_stream(&again.top, (uint64_t[2 * UNIVERSE + 300]){0}, 5); /* is forgotten */
    topn_write(&b.top, &image);
    assert_true(topn_read(&again.top, span_of(image.data, image.size)));
    assert_sound(&again.top, truth);
    assert_int_equal(again.top.error, b.top.error);
    assert_int_equal(again.top.count, b.top.count);
    const struct topn_item *other = topn_first(&again.top);
    for (const struct topn_item *one = topn_first(&b.top); one != NULL; one = topn_after(&b.top, one)) {
        assert_memory_equal(topn_key(&b.top, one).data, topn_key(&again.top, other).data, KEY);
        assert_int_equal(counter(&b.top, one), other->weight);
        assert_int_equal(other->error, b.top.error);
        other = topn_after(&again.top, other);
    }
    /* Again, it is the same bytes; and one that is too small for it keeps its bounds. */
    struct json twice;
    json_init(&twice);
    topn_write(&again.top, &twice);
    assert_int_equal(twice.size, image.size);
    assert_memory_equal(twice.data, image.data, image.size);
    struct {
        TOPN_DECLARE(top, SLOTS / 4);
    } small = {0};
    topn_init(&small.top, SLOTS / 4, KEY);
    assert_true(topn_read(&small.top, span_of(image.data, image.size)));
    assert_true(small.top.error > b.top.error && small.top.total == b.top.total);
    for (const struct topn_item *item = topn_first(&small.top); item != NULL;
         item = topn_after(&small.top, item)) {
        assert_in_range(truth[number_of(&small.top, item)], item->weight, item->weight + item->error);
    }
    json_done(&twice);
    json_done(&image);
}

static bool read_image(void *sketch, struct span image)
{
    return topn_read(sketch, image);
}

static void reads_with_care(void **state)
{
    struct block b;
    struct json image;
    block_init(&b);
    json_init(&image);
    for (uint32_t i = 0; i < 30; i++) {
        add(&b.top, i, i + 1);
    }
    topn_write(&b.top, &image);
    sketch_assert_careful(&image, read_image, &b.top);
    topn_init_extras(&b.top, SLOTS, KEY - 1); /* keys that are too long */
    assert_false(topn_read(&b.top, span_of(image.data, image.size)));
    assert_int_equal(b.top.count, 0);
    json_done(&image);
}

static void holds_wide_keys(void **state)
{
    struct {
        TOPN_DECLARE_WIDE(top, 16, TOPN_WIDE_MAX);
    } a = {0}, b = {0};
    topn_init(&a.top, 16, TOPN_WIDE_MAX);
    topn_init(&b.top, 16, TOPN_WIDE_MAX);
    for (unsigned i = 0; i < 40; i++) { /* more than there is room for: purges move wide items */
        char key[TOPN_WIDE_MAX];
        memset(key, 'x', sizeof key);
        key[TOPN_WIDE_MAX - 1] = (char)i;
        topn_add(i % 2 ? &a.top : &b.top, key, i + 1, NULL);
    }
    topn_merge(&a.top, &b.top);
    const struct topn_item *top[1];
    assert_int_equal(topn_top(&a.top, top, 1), 1);
    struct span key = topn_key(&a.top, top[0]);
    assert_int_equal(key.size, TOPN_WIDE_MAX);
    assert_int_equal(key.data[TOPN_WIDE_MAX - 1], 39);
    assert_int_equal(key.data[TOPN_WIDE_MAX - 2], 'x');
    assert_int_equal(a.top.total, 820);
}

static void texts_are_padded_keys(void **state)
{
    static const char *const texts[] = {"a", "ab", "", "example.com", "a"};
    struct {
        TOPN_DECLARE_WIDE(top, 16, TOPN_WIDE_MAX);
        TOPN_DECLARE(narrow, 16);
    } a = {0}, b = {0};
    topn_init(&a.top, 16, TOPN_WIDE_MAX);
    topn_init(&b.top, 16, TOPN_WIDE_MAX);
    topn_init(&a.narrow, 16, TOPN_KEY_MAX);
    for (unsigned i = 0; i < 5; i++) {
        char key[TOPN_WIDE_MAX] = {0};
        memcpy(key, texts[i], strlen(texts[i]));
        topn_add_text(&a.top, span_str(texts[i]), 1);
        topn_add(&a.top, key, 1, NULL); /* the same item */
        topn_add_text(&b.top, span_of(key, sizeof key), 1);
        topn_add_text(&a.narrow, span_str(texts[i]), 1);
    }
    topn_merge(&a.top, &b.top);
    assert_int_equal(a.top.count, 4);
    assert_int_equal(a.narrow.count, 4);
    const struct topn_item *top[1];
    assert_int_equal(topn_top(&a.top, top, 1), 1);
    assert_int_equal(topn_key(&a.top, top[0]).size, 1);
    assert_memory_equal(topn_key(&a.top, top[0]).data, "a", 1);
    assert_int_equal(top[0]->weight, 6);
}

/* Whatever the lengths of names, they stay within the room, and what is not there is within the error. */
static void long_names_purge_early(void **state)
{
    enum { WIDE = 64, NAMES = 400 };
    static struct {
        TOPN_DECLARE_WIDE(top, WIDE, TOPN_WIDE_MAX);
        uint64_t behind;
    } b = {.behind = 7};
    static uint64_t truth[NAMES];
    topn_init(&b.top, WIDE, TOPN_WIDE_MAX);
    for (unsigned i = 0; i < 20 * NAMES; i++) {
        unsigned which = i % 3 == 0 ? i % 9 : (unsigned)(random_next() % NAMES);
        char name[TOPN_WIDE_MAX + 1];
        int size = snprintf(name, sizeof name, "%0*u", (int)(1 + which % TOPN_WIDE_MAX), which);
        topn_add_text(&b.top, span_of(name, (size_t)size), 1 + which % 4);
        truth[which] += 1 + which % 4;
        assert_true(b.top.used <= b.top.room && b.top.count <= b.top.capacity);
    }
    assert_int_equal(b.behind, 7);
    assert_true(b.top.error > 0);
    bool held[NAMES] = {false};
    for (const struct topn_item *i = topn_first(&b.top); i != NULL; i = topn_after(&b.top, i)) {
        char name[TOPN_WIDE_MAX + 1] = {0};
        memcpy(name, topn_key(&b.top, i).data, topn_key(&b.top, i).size);
        unsigned which = (unsigned)strtoul(name, NULL, 10);
        held[which] = true;
        assert_in_range(truth[which], i->weight, i->weight + i->error);
    }
    for (unsigned i = 0; i < NAMES; i++) {
        assert_true(held[i] || truth[i] <= b.top.error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_below_capacity), cmocka_unit_test(ties_go_by_key),
        cmocka_unit_test(holds_its_bounds),     cmocka_unit_test(survives_equal_weights),
        cmocka_unit_test(merge_is_union),       cmocka_unit_test(small_merges_commute),
        cmocka_unit_test(reset_forgets),        cmocka_unit_test(writes_golden_bytes),
        cmocka_unit_test(reads_what_it_wrote),  cmocka_unit_test(reads_with_care),
        cmocka_unit_test(holds_wide_keys),      cmocka_unit_test(texts_are_padded_keys),
        cmocka_unit_test(long_names_purge_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
