// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/slab.h"

enum { BUDGET = 8 << 20, BLOCKS = 600 };

static void blocks_hold_what_was_asked_for(void **state)
{
    struct slab *slab = slab_new(BUDGET);
    for (size_t size = 0; size <= 5000; size += 7) {
        uint8_t *block = slab_take(slab, size);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % 16, 0);
        assert_true(slab_room(block) >= size);
        assert_int_equal(slab_used(slab), slab_room(block) + 16);
        memset(block, 0xff, slab_room(block));
        slab_give(slab, block);
        assert_int_equal(slab_used(slab), 0);
    }
    slab_give(slab, NULL);
    slab_free(slab);
    slab_free(NULL);
}

static void the_largest_goes_and_no_larger(void **state)
{
    struct slab *slab = slab_new(BUDGET);
    uint8_t *block = slab_take(slab, SLAB_BLOCK_MAX);
    assert_non_null(block);
    memset(block, 1, SLAB_BLOCK_MAX);
    assert_null(slab_take(slab, SLAB_BLOCK_MAX + 1));
    assert_null(slab_take(slab, SIZE_MAX));
    assert_int_equal(slab_refused(slab), 2);
    slab_give(slab, block);
    slab_free(slab);
}

static void a_budget_is_spent_to_the_last_block(void **state)
{
    enum { ODD = 5 * 64 + 63 };
    struct slab *slab = slab_new(ODD);
    void *blocks[5];
    for (int i = 0; i < 5; i++) {
        blocks[i] = slab_take(slab, 1);
        assert_non_null(blocks[i]);
    }
    assert_null(slab_take(slab, 1));
    assert_int_equal(slab_used(slab), 5 * 64);
    for (int i = 0; i < 5; i++) {
        slab_give(slab, blocks[i]);
    }
    assert_int_equal(slab_used(slab), 0);
    void *whole = slab_take(slab, 4 * 64 - 16); /* four have become one */
    assert_non_null(whole);
    assert_null(slab_take(slab, 65));
    slab_give(slab, whole);
    slab_free(slab);
    assert_null(slab_new(63));
}

/* All memory in the smallest blocks, given back in two halves, is fit for the largest again. */
static void small_blocks_leave_room_for_large_ones(void **state)
{
    enum { SMALL = (4 << 20) / 64 };
    static void *blocks[SMALL];
    struct slab *slab = slab_new(4 << 20);
    for (int i = 0; i < SMALL; i++) {
        blocks[i] = slab_take(slab, 48);
        assert_non_null(blocks[i]);
    }
    assert_null(slab_take(slab, 1));
    for (int odd = 0; odd < 2; odd++) {
        for (int i = odd; i < SMALL; i += 2) {
            slab_give(slab, blocks[i]);
        }
    }
    void *large[2] = {slab_take(slab, SLAB_BLOCK_MAX), slab_take(slab, SLAB_BLOCK_MAX)};
    assert_non_null(large[0]);
    assert_non_null(large[1]);
    slab_give(slab, large[0]);
    slab_give(slab, large[1]);
    assert_int_equal(slab_used(slab), 0);
    slab_free(slab);
}

static void growing_keeps_the_content(void **state)
{
    struct slab *slab = slab_new(64 << 10);
    uint8_t *block = slab_grow(slab, NULL, 10);
    memset(block, 7, slab_room(block));
    size_t had = slab_room(block);
    assert_ptr_equal(slab_grow(slab, block, had), block);
    uint8_t *larger = slab_grow(slab, block, 3000);
    assert_non_null(larger);
    for (size_t i = 0; i < had; i++) {
        assert_int_equal(larger[i], 7);
    }
    assert_null(slab_grow(slab, larger, 64 << 10)); /* then the old one stays */
    assert_int_equal(larger[0], 7);
    slab_give(slab, larger);
    assert_int_equal(slab_used(slab), 0);
    slab_free(slab);
}

/* Takes and gives in no order: no block reaches into another, and all of it comes back. */
static void blocks_never_overlap(void **state)
{
    struct slab *slab = slab_new(BUDGET);
    uint8_t *blocks[BLOCKS] = {NULL};
    size_t sizes[BLOCKS];
    uint32_t random = 1;
    for (unsigned step = 0; step < 40000; step++) {
        random = random * 1664525 + 1013904223;
        unsigned i = (random >> 8) % BLOCKS;
        if (blocks[i] != NULL) {
            for (size_t at = 0; at < sizes[i]; at += sizes[i] / 8 + 1) {
                assert_int_equal(blocks[i][at], (uint8_t)i);
            }
            slab_give(slab, blocks[i]);
            blocks[i] = NULL;
            continue;
        }
        sizes[i] = random % (1U << (random >> 4) % 17) + 1;
        blocks[i] = slab_take(slab, sizes[i]);
        if (blocks[i] != NULL) {
            memset(blocks[i], (int)i, sizes[i]);
        }
    }
    assert_true(slab_refused(slab) < 20000);
    for (unsigned i = 0; i < BLOCKS; i++) {
        slab_give(slab, blocks[i]);
    }
    assert_int_equal(slab_used(slab), 0);
    slab_free(slab);
}

/* Blocks are paid from a budget and what is behind it; what came back is had again for nothing. */
static void a_shared_budget_pays(void **state)
{
    struct budget shared = {.left = 1 << 20}, own = {.left = 2 << 20, .behind = &shared};
    struct slab *slab = slab_new_within(8 << 20, &own);
    void *blocks[3];
    for (unsigned i = 0; i < 3; i++) {
        blocks[i] = slab_take(slab, SLAB_BLOCK_MAX / 2);
        assert_non_null(blocks[i]);
    }
    assert_int_equal(own.left, 0);
    assert_int_equal(shared.left, 0);
    assert_null(slab_take(slab, SLAB_BLOCK_MAX / 2));
    assert_int_equal(slab_refused(slab), 1);
    slab_give(slab, blocks[0]);
    blocks[0] = slab_take(slab, SLAB_BLOCK_MAX / 2);
    assert_non_null(blocks[0]);
    slab_free(slab);
    (void)state;
}

/* What is larger than a block can be grows without being copied, is paid as long as it is out, and each
 * budget gets its own back. */
static void large_ones_come_and_go(void **state)
{
    enum { SMALL = 1 << 20, LARGE = 5 << 20, OWN = 3 << 20, SHARED = 16 << 20 };
    struct budget shared = {SHARED, NULL};
    struct budget own = {OWN, &shared};
    struct slab *slab = slab_new_within(OWN + SHARED, &own);
    uint8_t *text = slab_grow_large(slab, NULL, SMALL);
    assert_non_null(text);
    memset(text, 7, SMALL);
    uint64_t shared_before = shared.left, own_before = own.left;
    for (size_t size = SMALL; size <= LARGE; size += 100000) {
        uint8_t *larger = slab_grow_large(slab, text, size);
        assert_non_null(larger);
        assert_int_equal((uintptr_t)larger % 16, 0);
        text = larger;
        assert_true(slab_room(text) >= size);
        text[size - 1] = 7;
    }
    for (size_t i = 0; i < SMALL; i++) {
        assert_int_equal(text[i], 7);
    }
    assert_null(slab_grow_large(slab, text, OWN + SHARED)); /* it stays as it was */
    assert_null(slab_grow_large(slab, NULL, SIZE_MAX - 5));
    assert_int_equal(slab_refused(slab), 2);
    assert_int_equal(text[SMALL - 1], 7);
    assert_int_equal(slab_used(slab), slab_room(text) + 48);
    slab_give(slab, text);
    assert_int_equal(slab_used(slab), 0);
    assert_int_equal(shared.left, shared_before);
    assert_int_equal(own.left, own_before);
    assert_non_null(slab_grow_large(slab, NULL, 2 << 20));
    slab_free(slab); /* with what is out */
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_hold_what_was_asked_for),
        cmocka_unit_test(the_largest_goes_and_no_larger),
        cmocka_unit_test(a_budget_is_spent_to_the_last_block),
        cmocka_unit_test(small_blocks_leave_room_for_large_ones),
        cmocka_unit_test(growing_keeps_the_content),
        cmocka_unit_test(blocks_never_overlap),
        cmocka_unit_test(a_shared_budget_pays),
        cmocka_unit_test(large_ones_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
