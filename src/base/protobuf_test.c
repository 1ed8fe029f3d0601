// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/protobuf.h"

static void expect(struct json *j, const char *bytes, size_t size)
{
    assert_false(j->failed);
    assert_int_equal(j->size, size);
    assert_memory_equal(j->data, bytes, size);
    json_done(j);
}

#define EXPECT(j, bytes) expect(j, bytes, sizeof(bytes) - 1)

static void numbers(void **state)
{
    struct json j;
    (void)state;
    json_init(&j);
    protobuf_u64(&j, 1, 150); /* the example of the specification */
    protobuf_u64(&j, 2, 0);
    protobuf_u64(&j, 16, UINT64_MAX);
    EXPECT(&j, "\x08\x96\x01\x10\x00\x80\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

static void numbers_with_a_sign(void **state)
{
    struct json j;
    (void)state;
    json_init(&j);
    protobuf_signed(&j, 1, -1);
    protobuf_signed(&j, 1, 1);
    protobuf_zigzag(&j, -0x7fffffff - 1);
    protobuf_zigzag(&j, INT64_MIN);
    EXPECT(&j, "\x08\x01\x08\x02\xff\xff\xff\xff\x0f\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
}

static void eight_bytes(void **state)
{
    struct json j;
    (void)state;
    json_init(&j);
    protobuf_fixed(&j, 3, 0x0102030405060708);
    protobuf_double(&j, 1, 1.0);
    EXPECT(&j, "\x19\x08\x07\x06\x05\x04\x03\x02\x01\x09\0\0\0\0\0\0\xf0\x3f");
}

static void texts(void **state)
{
    struct json j;
    (void)state;
    json_init(&j);
    protobuf_text(&j, 2, span_str("testing"));
    protobuf_text(&j, 2, span_str("a\xff"));
    protobuf_bytes(&j, 2, span_str("a\xff"));
    EXPECT(&j, "\x12\x07testing\x12\x04" "a\xef\xbf\xbd\x12\x02" "a\xff");
}

static void nested_messages(void **state)
{
    struct json j;
    (void)state;
    json_init(&j);
    size_t outer = protobuf_begin(&j, 3);
    size_t inner = protobuf_begin(&j, 1);
    protobuf_u64(&j, 1, 150);
    protobuf_end(&j, inner);
    protobuf_end(&j, protobuf_begin(&j, 2));
    protobuf_end(&j, outer);
    EXPECT(&j, "\x1a\x07\x0a\x03\x08\x96\x01\x12\x00");
}

/* A length of two bytes moves what is inside by two. */
static void a_long_message(void **state)
{
    struct json j;
    char inside[300];
    (void)state;
    json_init(&j);
    memset(inside, 'x', sizeof inside);
    size_t mark = protobuf_begin(&j, 1);
    protobuf_bytes(&j, 1, span_of(inside, sizeof inside));
    protobuf_end(&j, mark);
    assert_int_equal(j.size, 3 + 3 + 300);
    assert_memory_equal(j.data, "\x0a\xaf\x02\x0a\xac\x02xx", 8);
    json_done(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),         cmocka_unit_test(numbers_with_a_sign),
        cmocka_unit_test(eight_bytes),     cmocka_unit_test(texts),
        cmocka_unit_test(nested_messages), cmocka_unit_test(a_long_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
