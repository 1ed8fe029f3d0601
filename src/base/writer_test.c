// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/writer.h"

static uint8_t room[100];

static struct writer begin(size_t size)
{
    memset(room, '#', sizeof room);
    return writer_of(room, size);
}

static void assert_written(const struct writer *w, const char *expected, bool full)
{
    assert_int_equal(w->at - room, strlen(expected));
    assert_memory_equal(room, expected, strlen(expected));
    assert_int_equal(w->full, full);
}

static void texts(void **state)
{
    (void)state;
    struct writer w = begin(100);
    writer_lower(&w, span_str("AbZ1 "));
    writer_upper(&w, span_str("aBz{ "));
    writer_hex(&w, span_of("\x0f\xa0", 2), false);
    writer_hex(&w, span_of("\x0f", 1), true);
    writer_u64(&w, UINT64_MAX);
    writer_i64(&w, INT64_MIN);
    assert_written(&w, "abz1 ABZ{ 0fa00F18446744073709551615-9223372036854775808", false);
}

static void cuts(void **state)
{
    (void)state;
    struct writer w = begin(5);
    writer_text(&w, "abc");
    writer_text(&w, "");
    writer_text(&w, "defg");
    writer_byte(&w, 'h');
    assert_written(&w, "abcde", true);
    assert_int_equal(room[5], '#');
}

static void json(void **state)
{
    (void)state;
    struct writer w = begin(100);
    writer_json(&w, span_of("a\"\\\n\x01\xc3\xa4\xff\v", 9));
    writer_json_double(&w, 0.1);
    writer_byte(&w, ' ');
    writer_json_float(&w, 0.1F);
    writer_byte(&w, ' ');
    writer_json_double(&w, -1e300);
    writer_json_double(&w, (double)NAN);
    assert_written(&w,
                   "\"a\\\"\\\\\\n\\u0001\xc3\xa4\xef\xbf\xbd\\u000b\"0.1 0.1 -1e+300null", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(cuts),
        cmocka_unit_test(json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
