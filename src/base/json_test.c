// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digits.h"
#include "base/json.h"
#include "base/json_check.h"

static void assert_written(struct json *j, const char *expected)
{
    assert_false(j->failed);
    json_append(j, "", 1);
    assert_string_equal(j->data, expected);
    json_done(j);
}

static void nests_and_keeps_commas(void **state)
{
    struct json j;
    json_init(&j);
    json_object_begin(&j);
    json_key(&j, "a");
    json_array_begin(&j);
    json_array_end(&j);
    json_key(&j, "b");
    json_object_begin(&j);
    json_object_end(&j);
    json_key_span(&j, span_str("c\n"));
    json_array_begin(&j);
    json_u64(&j, 1);
    json_null(&j);
    json_bool(&j, true);
    json_text(&j, NULL);
    json_array_begin(&j);
    json_bool(&j, false);
    json_array_end(&j);
    json_raw(&j, span_str("{\"x\":1}"));
    json_array_end(&j);
    json_key(&j, "d");
    json_text(&j, "e");
    json_object_end(&j);
    assert_true(json_check(j.data, j.size));
    assert_written(&j,
                   "{\"a\":[],\"b\":{},\"c\\n\":[1,null,true,null,[false],{\"x\":1}],\"d\":\"e\"}");
}

static void documents_are_apart(void **state)
{
    struct json j;
    json_init(&j);
    json_u64(&j, 1);
    json_append(&j, "\n", 1);
    json_u64(&j, 2);
    json_printf(&j, "\n%s%d\n", "x", 3);
    json_u64(&j, 4);
    assert_written(&j, "1\n2\nx3\n4");
    json_init(&j);
    json_u64(&j, 1);
    json_reset(&j);
    json_text(&j, "fresh");
    assert_written(&j, "\"fresh\"");
}

static void assert_text(const char *in, size_t size, const char *expected)
{
    /* At every offset from a word's edge, so that each path of the scanner meets it. */
    for (size_t shift = 0; shift < 17; shift++) {
        char text[256];
        char want[512];
        memset(text, 'x', shift);
        memcpy(text + shift, in, size);
        size_t n = (size_t)snprintf(want, sizeof want, "\"%.*s%s\"", (int)shift, text, expected);
        struct json j;
        json_init(&j);
        json_span(&j, span_of(text, shift + size));
        assert_int_equal(j.size, n);
        assert_memory_equal(j.data, want, n);
        assert_true(json_check(j.data, j.size));
        json_done(&j);
    }
}

static void escapes_text(void **state)
{
    assert_text("", 0, "");
    assert_text("plain text, no more", 19, "plain text, no more");
    assert_text("\"\\/\b\f\n\r\t\0\x1f\x7f", 11, "\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f");
    assert_text("a!\x20#[]^", 7, "a! #[]^");
    assert_text("Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\xa6\x8a!", 17,
                "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\xa6\x8a!");
}

#define FFFD "\xef\xbf\xbd"

static void replaces_what_is_not_utf8(void **state)
{
    assert_text("a\x80z", 3, "a" FFFD "z");
    assert_text("\xff\xfe", 2, FFFD FFFD);
    assert_text("\xc0\xaf", 2, FFFD FFFD);                   /* overlong */
    assert_text("\xe0\x9f\xbf", 3, FFFD FFFD FFFD);          /* overlong */
    assert_text("\xed\xa0\x80", 3, FFFD FFFD FFFD);          /* surrogate */
    assert_text("\xf4\x90\x80\x80", 4, FFFD FFFD FFFD FFFD); /* above U+10FFFF */
    assert_text("\xf5\x80\x80\x80", 4, FFFD FFFD FFFD FFFD);
    assert_text("\xe2\x82", 2, FFFD FFFD); /* cut off */
    assert_text("\xe2\x82z", 3, FFFD FFFD "z");
    assert_text("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", 10,
                "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf");
}

/* Small ones are looked up, in one piece or two. */
static void writes_all_small_integers(void **state)
{
    (void)state;
    for (uint64_t value = 0; value <= 1000100; value++) {
        char text[32], want[32];
        snprintf(want, sizeof want, "%llu", (unsigned long long)value);
        *digits_write(text, value) = '\0';
        assert_string_equal(text, want);
    }
}

static void writes_integers(void **state)
{
    struct json j;
    json_init(&j);
    uint64_t value = 1;
    for (int digits = 1; digits <= 20; digits++, value *= 10) {
        for (uint64_t v = value - 1; v <= value + 1; v++) {
            char want[32];
            snprintf(want, sizeof want, "%llu", (unsigned long long)v);
            json_reset(&j);
            json_u64(&j, v);
            assert_int_equal(j.size, strlen(want));
            assert_memory_equal(j.data, want, j.size);
        }
    }
    json_reset(&j);
    json_array_begin(&j);
    json_u64(&j, UINT64_MAX);
    json_i64(&j, INT64_MIN);
    json_i64(&j, INT64_MAX);
    json_i64(&j, -1);
    json_i64(&j, 0);
    json_array_end(&j);
    assert_written(&j, "[18446744073709551615,-9223372036854775808,9223372036854775807,-1,0]");
}

static void writes_doubles(void **state)
{
    struct json j;
    json_init(&j);
    json_array_begin(&j);
    double values[] = {0,      -0.0,      1,    0.1,           -2.5, 1e300,
                       5e-324, 0.1 + 0.2, 1e15, 123456789.125, NAN,  INFINITY};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        json_double(&j, values[i]);
    }
    json_array_end(&j);
    assert_true(json_check(j.data, j.size));
    assert_written(&j, "[0,-0,1,0.1,-2.5,1e+300,4.94065645841247e-324,0.30000000000000004,1e+15,"
                       "123456789.125,null,null]");
    uint64_t bits = 88172645463325252u;
    json_init(&j);
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13, bits ^= bits >> 7, bits ^= bits << 17;
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value)) {
            json_reset(&j);
            json_double(&j, value);
            json_append(&j, "", 1);
            assert_true(strtod(j.data, NULL) == value);
        }
    }
    json_done(&j);
}

static void fails_whole(void **state)
{
    struct json j;
    json_init(&j);
    json_text(&j, "kept");
    assert_null(json_reserve(&j, SIZE_MAX / 2));
    assert_true(j.failed);
    json_text(&j, "dropped");
    assert_int_equal(j.size, 6);
    assert_memory_equal(j.data, "\"kept\"", 6);
    json_reset(&j);
    json_text(&j, "again");
    assert_written(&j, "\"again\"");
}

/* Numbers of any length, those around powers of ten among them, as the C library writes them. */
static void digits_are_those_of_the_number(void **state)
{
    (void)state;
    uint64_t power = 1;
    for (unsigned digits = 1; digits <= 20; digits++, power *= 10) {
        const uint64_t values[] = {power - 1, power, power + 1, power * 7 / 3, UINT64_MAX / power};
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            char expected[DIGITS_ROOM + 1], text[DIGITS_ROOM + 1];
            snprintf(expected, sizeof expected, "%" PRIu64, values[i]);
            *digits_write(text, values[i]) = '\0';
            assert_string_equal(text, expected);
        }
    }
}

/* A text in a struct is quoted up to its zero, wherever that is; what is longer, or needs an escape, is
 * left to others. */
static void terminated_texts_are_quoted(void **state)
{
    (void)state;
    enum { ROOM = 40 };
    char text[ROOM], quoted[ROOM + 2];
    for (size_t size = 0; size < ROOM; size++) {
        memset(text, 'x', sizeof text);
        text[size] = '\0';
        char *end = json_quote_terminated(quoted, text, sizeof text);
        if (end != NULL) {
            assert_int_equal(end - quoted, size + 2);
            assert_memory_equal(quoted + 1, text, size);
            assert_int_equal(quoted[0] == '"' && quoted[size + 1] == '"', 1);
        }
        assert_true(end != NULL || size >= 32);
        assert_null(json_quote_terminated(quoted, text, size));
        text[size / 2] = '"';
        assert_true(size == 0 || json_quote_terminated(quoted, text, sizeof text) == NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nests_and_keeps_commas),
        cmocka_unit_test(documents_are_apart),
        cmocka_unit_test(escapes_text),
        cmocka_unit_test(replaces_what_is_not_utf8),
        cmocka_unit_test(writes_integers),
        cmocka_unit_test(writes_all_small_integers),
        cmocka_unit_test(writes_doubles),
        cmocka_unit_test(fails_whole),
        cmocka_unit_test(digits_are_those_of_the_number),
        cmocka_unit_test(terminated_texts_are_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
