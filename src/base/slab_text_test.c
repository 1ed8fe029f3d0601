// SPDX-License-Identifier: Apache-2.0
#include "base/slab_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void one_text_has_one_copy(void **state)
{
    (void)state;
    struct slab *slab = slab_new(1 << 20);
    struct slab_text *one = slab_text_keep(slab, span_str("shop"));
    uint64_t used = slab_used(slab);
    struct slab_text *two = slab_text_keep(slab, span_str("shop"));
    struct slab_text *other = slab_text_keep(slab, span_str("shops"));
    assert_ptr_equal(one, two);
    assert_ptr_not_equal(one, other);
    assert_int_equal(slab_used(slab), used + SLAB_BLOCK_MIN);
    slab_text_give(slab, one);
    assert_true(span_equal(slab_text_span(two), span_str("shop")));
    slab_text_give(slab, other);
    slab_text_give(slab, two);
    assert_int_equal(slab_used(slab), 0);
    slab_free(slab);
}

static void nothing_and_too_much(void **state)
{
    (void)state;
    char long_text[2 * SLAB_TEXT_MAX];
    memset(long_text, 'x', sizeof long_text);
    struct slab *slab = slab_new(1 << 20);
    assert_null(slab_text_keep(slab, span_of(NULL, 0)));
    assert_int_equal(slab_text_span(NULL).size, 0);
    slab_text_give(slab, NULL);
    struct slab_text *text = slab_text_keep(slab, span_of(long_text, sizeof long_text));
    assert_int_equal(slab_text_span(text).size, SLAB_TEXT_MAX);
    slab_text_give(slab, text);
    assert_int_equal(slab_used(slab), 0);
    slab_free(slab);
}

/* Far more texts than lists, given back in another order than they came. */
static void many_texts(void **state)
{
    (void)state;
    enum { TEXTS = 8 * SLAB_TEXT_LISTS, HOLDERS = 3 };
    static struct slab_text *texts[HOLDERS][TEXTS];
    struct slab *slab = slab_new(4 << 20);
    for (unsigned h = 0; h < HOLDERS; h++) {
        for (unsigned i = 0; i < TEXTS; i++) {
            char name[16];
            int size = snprintf(name, sizeof name, "user%u", i);
            texts[h][i] = slab_text_keep(slab, span_of(name, (size_t)size));
            assert_non_null(texts[h][i]);
        }
    }
    for (unsigned i = 0; i < TEXTS; i++) {
        for (unsigned h = 0; h < HOLDERS; h++) {
            char name[16];
            unsigned which = i * 7 % TEXTS;
            int size = snprintf(name, sizeof name, "user%u", which);
            assert_true(span_equal(slab_text_span(texts[h][which]), span_of(name, (size_t)size)));
            slab_text_give(slab, texts[h][which]);
        }
    }
    assert_int_equal(slab_used(slab), 0);
    slab_free(slab);
}

static void without_memory_there_is_none(void **state)
{
    (void)state;
    struct slab *slab = slab_new(2048); /* no room for the table */
    assert_null(slab_text_keep(slab, span_str("shop")));
    assert_int_equal(slab_used(slab), 0);
    slab_free(slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_text_has_one_copy),
        cmocka_unit_test(nothing_and_too_much),
        cmocka_unit_test(many_texts),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
