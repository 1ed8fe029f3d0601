// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "handler/dns_wait.h"

#define SECOND UINT64_C(1000000000)

static void a_response_finds_its_query(void **state)
{
    struct dns_wait *wait = calloc(1, sizeof *wait);
    struct dns_waited lost, query;
    const uint8_t subnet[DNS_WAIT_SUBNET] = {192, 0, 2};
    struct dns_waiting *entry = dns_wait_add(wait, dns_wait_key(1, 7, 0), SECOND, &lost);
    entry->size = 40;
    dns_wait_subnet(wait, entry, 4, subnet);
    assert_int_equal(lost.key, 0);
    assert_false(dns_wait_take(wait, dns_wait_key(1, 7, 1), &query));
    assert_false(dns_wait_take(wait, dns_wait_key(1, 8, 0), &query));
    assert_true(dns_wait_take(wait, dns_wait_key(1, 7, 0), &query));
    assert_int_equal(query.query.size, 40);
    assert_int_equal(query.query.subnet_version, 4);
    assert_memory_equal(query.subnet, subnet, sizeof subnet);
    assert_false(dns_wait_take(wait, dns_wait_key(1, 7, 0), &query));
    free(wait);
}

static void patience_ends(void **state)
{
    struct dns_wait *wait = calloc(1, sizeof *wait);
    struct dns_waited query;
    dns_wait_add(wait, 11, 1 * SECOND, &query);
    dns_wait_add(wait, 12, 2 * SECOND, &query);
    assert_true(dns_wait_take(wait, 11, &query));
    dns_wait_add(wait, 11, 4 * SECOND, &query); /* its old place in the order means nothing */
    assert_false(dns_wait_expire(wait, 6 * SECOND, 5 * SECOND, &query));
    assert_true(dns_wait_expire(wait, 7 * SECOND, 5 * SECOND, &query));
    assert_int_equal(query.key, 12);
    assert_false(dns_wait_expire(wait, 7 * SECOND, 5 * SECOND, &query));
    assert_true(dns_wait_expire(wait, 9 * SECOND, 5 * SECOND, &query));
    assert_int_equal(query.key, 11);
    free(wait);
}

static void nothing_is_lost_without_a_word(void **state)
{
    struct dns_wait *wait = calloc(1, sizeof *wait);
    struct dns_waited lost, query;
    uint64_t told = 0, expired = 0;
    for (uint64_t i = 0; i < 5 * DNS_WAIT_SLOTS; i++) {
        dns_wait_add(wait, dns_wait_key(i, 1, 0), i, &lost);
        told += lost.key != 0;
    }
    while (dns_wait_expire(wait, 100 * SECOND, SECOND, &query)) {
        expired++;
    }
    assert_int_equal(told + expired, 5 * DNS_WAIT_SLOTS);
    free(wait);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_response_finds_its_query),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(nothing_is_lost_without_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
