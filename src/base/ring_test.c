// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/ring.h"

enum { SIZE = 4096, RECORDS = 200000 };

static void keeps_order_and_bytes(void **state)
{
    struct ring r;
    size_t size;
    assert_true(ring_init(&r, SIZE));
    assert_null(ring_peek(&r, &size));
    for (unsigned i = 0; i < 1000; i++) {
        size_t want = i * 37 % 500;
        uint8_t *to = ring_reserve(&r, want);
        assert_non_null(to);
        assert_int_equal((uintptr_t)to % 8, 0);
        memset(to, (int)i, want);
        assert_null(ring_peek(&r, &size)); /* not before the commit */
        ring_commit(&r);
        const uint8_t *from = ring_peek(&r, &size);
        assert_ptr_equal(from, to);
        assert_ptr_equal(ring_peek(&r, &size), to);
        assert_int_equal(size, want);
        for (size_t k = 0; k < size; k++) {
            assert_int_equal(from[k], (uint8_t)i);
        }
        ring_release(&r);
        assert_int_equal(ring_used(&r), 0);
    }
    ring_done(&r);
}

static void refuses_when_full(void **state)
{
    struct ring r;
    size_t size;
    assert_true(ring_init(&r, SIZE));
    assert_null(ring_reserve(&r, SIZE));
    assert_null(ring_reserve(&r, SIZE / 2 - 7));
    unsigned fit = 0;
    while (ring_reserve(&r, 120) != NULL) {
        ring_commit(&r);
        fit++;
    }
    assert_int_equal(fit, SIZE / 128);
    assert_int_equal(ring_used(&r), SIZE);
    assert_non_null(ring_peek(&r, &size));
    ring_release(&r);
    assert_non_null(ring_reserve(&r, 120));
    assert_non_null(ring_reserve(&r, 8)); /* the one before is forgotten */
    ring_commit(&r);
    assert_int_equal(ring_used(&r), SIZE - 128 + 16);
    ring_done(&r);
}

/* The largest record fits an empty ring wherever its positions stand. */
static void largest_always_fits(void **state)
{
    struct ring r;
    size_t size;
    assert_true(ring_init(&r, SIZE));
    for (unsigned i = 0; i < 2 * SIZE / 8; i++) {
        assert_non_null(ring_reserve(&r, SIZE / 2 - 8));
        ring_commit(&r);
        assert_non_null(ring_peek(&r, &size));
        assert_int_equal(size, SIZE / 2 - 8);
        ring_release(&r);
        assert_non_null(ring_reserve(&r, 0)); /* moves on by one word */
        ring_commit(&r);
        assert_non_null(ring_peek(&r, &size));
        ring_release(&r);
    }
    ring_done(&r);
}

static void *produce(void *arg)
{
    struct ring *r = arg;
    for (uint64_t i = 0; i < RECORDS; i++) {
        size_t size = 8 + i % 100;
        uint8_t *to;
        while ((to = ring_reserve(r, size)) == NULL) {
            sched_yield();
        }
        memcpy(to, &i, sizeof i);
        memset(to + 8, (int)(i & 0xff), size - 8);
        ring_commit(r);
    }
    return NULL;
}

static void two_threads(void **state)
{
    struct ring r;
    pthread_t producer;
    assert_true(ring_init(&r, SIZE));
    assert_int_equal(pthread_create(&producer, NULL, produce, &r), 0);
    unsigned wrong = 0;
    for (uint64_t i = 0; i < RECORDS; i++) {
        size_t size;
        const uint8_t *from;
        while ((from = ring_peek(&r, &size)) == NULL) {
            sched_yield();
        }
        wrong += size != 8 + i % 100 || memcmp(from, &i, sizeof i) != 0 ||
                 from[size - 1] != (size > 8 ? (i & 0xff) : 0);
        ring_release(&r);
    }
    pthread_join(producer, NULL);
    assert_int_equal(wrong, 0);
    assert_int_equal(ring_used(&r), 0);
    ring_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_and_bytes),
        cmocka_unit_test(refuses_when_full),
        cmocka_unit_test(largest_always_fits),
        cmocka_unit_test(two_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
