// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sink/remote_message.h"
#include "summary/quantiles.h"

static const struct text_list no_attributes;

/* A native histogram of 1, 1 and 0 at scale 7: both ones in bucket (2^(-1/128), 1], which is -1 in
 * OpenTelemetry and 0 here. */
static void a_native_histogram(void **state)
{
    static struct quantiles q;
    struct remote_message m = {.attributes = &no_attributes};
    struct point p = {.name = "x", .help = "h", .kind = POINT_HISTOGRAM, .quantiles = &q};
    static const uint8_t about[] = "\x1a\x08\x08\x03\x12\x01x\x22\x01h"; /* a histogram */
    /* A span of one bucket from 0 on, its count as a difference (4 is 2, zigzag), the time. */
    static const uint8_t buckets[] = "\x5a\x04\x08\x00\x10\x01\x62\x01\x04\x78\x07";
    (void)state;
    quantiles_add(&q, 1);
    quantiles_add(&q, 1);
    quantiles_add(&q, 0);
    remote_message_begin(&m, 7);
    remote_message_add(&m, &p);
    assert_int_equal(m.series, 1);
    assert_memory_equal(m.bytes.data, about, sizeof about - 1);
    assert_memory_equal(m.bytes.data + m.bytes.size - (sizeof buckets - 1), buckets,
                        sizeof buckets - 1);
    remote_message_done(&m);
}

/* What is there no more is said to be over, once. */
static void a_series_ends(void **state)
{
    struct remote_message m = {.attributes = &no_attributes, .is_classic = true};
    struct point p = {.name = "x", .help = "h", .kind = POINT_GAUGE, .value = 1};
    static const uint8_t stale[] = "\x02\0\0\0\0\0\xf0\x7f";
    (void)state;
    remote_message_begin(&m, 7);
    remote_message_add(&m, &p);
    remote_message_turn(&m);
    assert_int_equal(m.series, 1);
    remote_message_begin(&m, 8);
    remote_message_turn(&m);
    assert_int_equal(m.series, 1);
    assert_memory_equal(m.bytes.data + m.bytes.size - 10, stale, 8);
    remote_message_begin(&m, 9);
    remote_message_turn(&m);
    assert_int_equal(m.series, 0);
    remote_message_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_native_histogram),
        cmocka_unit_test(a_series_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
