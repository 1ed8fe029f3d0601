// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "handshake/key_log.h"

#define R16 "00112233445566778899aabbccddeeff"
#define RANDOM R16 R16
#define SECRET "ffeeddccbbaa99887766554433221100"

static enum key_log_line add(struct key_log *log, const char *line)
{
    return key_log_add(log, span_str(line), 0);
}

static bool find(const struct key_log *log, const uint8_t *random, enum key_log_label label,
                 struct span *ret)
{
    const struct key_log_query query = {.now_ns = 7, .random = random, .label = label};
    return key_log_find(log, &query, ret);
}

static void keeps_secrets(void **state)
{
    (void)state;
    struct key_log *log = key_log_in(calloc(1, key_log_bytes(64)), 64, 1, false);
    uint8_t random[KEY_LOG_RANDOM];
    struct span secret;
    for (unsigned i = 0; i < 32; i++) {
        random[i] = (uint8_t)(i % 16 * 0x11);
    }
    assert_false(find(log, random, KEY_LOG_MASTER, &secret));
    assert_int_equal(add(log, "CLIENT_RANDOM " RANDOM " " SECRET SECRET SECRET "\r"), KEY_LOG_ADDED);
    assert_true(find(log, random, KEY_LOG_MASTER, &secret));
    assert_int_equal(secret.size, 48);
    assert_int_equal(secret.data[0], 0xff);
    assert_false(find(log, random, KEY_LOG_CLIENT, &secret));
    assert_int_equal(add(log, "CLIENT_TRAFFIC_SECRET_0 " RANDOM " " SECRET SECRET), KEY_LOG_ADDED);
    assert_true(find(log, random, KEY_LOG_CLIENT, &secret));
    assert_int_equal(secret.size, 32);
    assert_int_equal(add(log, "CLIENT_RANDOM " RANDOM " " SECRET SECRET SECRET), KEY_LOG_IGNORED);
    free(log);
}

/* What a capture holds is not known to the packets before it. */
static void keeps_to_its_time(void **state)
{
    (void)state;
    struct key_log *log = key_log_in(calloc(1, key_log_bytes(64)), 64, 1, false);
    const uint8_t random[KEY_LOG_RANDOM] = {0};
    const char *line = "CLIENT_RANDOM 0000000000000000000000000000000000000000000000000000000000000000 "
                       SECRET SECRET SECRET;
    struct span secret;
    assert_false(key_log_is_of_use(NULL));
    assert_false(key_log_is_of_use(log));
    assert_int_equal(key_log_add(log, span_str(line), 1000), KEY_LOG_ADDED);
    assert_true(key_log_is_of_use(log));
    struct key_log_query query = {.now_ns = 1000, .random = random, .label = KEY_LOG_MASTER};
    assert_false(key_log_find(log, &query, &secret));
    query.now_ns = 1001;
    assert_true(key_log_find(log, &query, &secret));
    free(log);
}

static void tells_other_lines(void **state)
{
    (void)state;
    struct key_log *log = key_log_in(calloc(1, key_log_bytes(64)), 64, 1, false);
    assert_int_equal(add(log, ""), KEY_LOG_IGNORED);
    assert_int_equal(add(log, "# made by"), KEY_LOG_IGNORED);
    assert_int_equal(add(log, "EXPORTER_SECRET " RANDOM " " SECRET SECRET), KEY_LOG_IGNORED);
    assert_int_equal(add(log, "CLIENT_RANDOM " R16 " " SECRET SECRET SECRET), KEY_LOG_BAD);
    assert_int_equal(add(log, "CLIENT_RANDOM " RANDOM " 0g"), KEY_LOG_BAD);
    assert_int_equal(add(log, "CLIENT_RANDOM " RANDOM), KEY_LOG_BAD);
    assert_int_equal(add(log, "CLIENT_RANDOM " RANDOM " " SECRET SECRET SECRET SECRET), KEY_LOG_BAD);
    assert_int_equal(add(log, "hello"), KEY_LOG_BAD);
    free(log);
}

static void says_when_it_is_full(void **state)
{
    (void)state;
    struct key_log *log = key_log_in(calloc(1, key_log_bytes(8)), 8, 1, false);
    char line[KEY_LOG_LINE_MAX];
    for (unsigned i = 0; i <= 8; i++) {
        snprintf(line, sizeof line, "CLIENT_RANDOM %02x%s %s", i, &RANDOM[2], SECRET SECRET SECRET);
        assert_int_equal(add(log, line), i < 8 ? KEY_LOG_ADDED : KEY_LOG_FULL);
    }
    free(log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_secrets),
        cmocka_unit_test(keeps_to_its_time),
        cmocka_unit_test(tells_other_lines),
        cmocka_unit_test(says_when_it_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
