// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/recall.h"

enum { SLOTS = 4, KEY = 16, VALUE = 8 };

static const struct recall_shape shape = {.slots = SLOTS, .key_room = KEY, .value_room = VALUE};
static uint32_t turn;
static _Alignas(8) uint8_t table[RECALL_SIZE(SLOTS, KEY, VALUE)];

static int empty(void **state)
{
    (void)state;
    memset(table, 0, sizeof table);
    return 0;
}

static void keep(uint32_t salt, const char *key, uint64_t value)
{
    struct recall_slot *slot = recall_find(table, &shape, ++turn, salt, span_str(key));
    memcpy(recall_value(slot, &shape), &value, sizeof value);
    slot->is_made = true;
}

/* What is remembered of a key, 0: nothing. */
static uint64_t told(uint32_t salt, const char *key)
{
    uint64_t value = 0;
    struct recall_slot *slot = recall_find(table, &shape, ++turn, salt, span_str(key));
    if (slot->is_made) {
        memcpy(&value, recall_value(slot, &shape), sizeof value);
    }
    return value;
}

static void tells_what_was_made(void **state)
{
    (void)state;
    assert_int_equal(told(0, "one"), 0);
    keep(0, "one", 1);
    assert_int_equal(told(0, "one"), 1);
    assert_int_equal(told(1, "one"), 0);
}

static void forgets_what_was_not_finished(void **state)
{
    (void)state;
    assert_false(recall_find(table, &shape, 1, 0, span_str("half"))->is_made);
    assert_false(recall_find(table, &shape, 2, 0, span_str("half"))->is_made);
}

/* Many more keys than slots: what is told of one is its own. */
static void is_never_wrong(void **state)
{
    (void)state;
    char key[8] = "key 0";
    for (uint32_t i = 1; i < 1000; i++) {
        key[4] = (char)('a' + i % 23);
        uint64_t found = told(i % 3, key);
        assert_true(found == 0 || found == 1 + i % 69);
        keep(i % 3, key, 1 + i % 69);
    }
}

static void takes_no_key_that_is_too_long(void **state)
{
    (void)state;
    assert_null(recall_find(table, &shape, 1, 0, span_str("seventeen letters")));
    assert_non_null(recall_find(table, &shape, 1, 0, span_str("sixteen letters!")));
    assert_null(recall_find(NULL, &shape, 1, 0, span_str("key")));
    assert_null(recall_find(table, &shape, 1, 0, span_str("")));
}

/* As many keys as there are slots and more, in one turn: nobody loses what was found. */
static void keeps_what_was_found_in_this_turn(void **state)
{
    (void)state;
    struct recall_slot *found[SLOTS + 1];
    char key[2] = "a";
    unsigned refused = 0;
    for (unsigned i = 0; i <= SLOTS; i++, key[0]++) {
        found[i] = recall_find(table, &shape, 1, 0, span_str(key));
        refused += found[i] == NULL;
    }
    assert_true(refused > 0);
    key[0] = 'a';
    for (unsigned i = 0; i <= SLOTS; i++, key[0]++) {
        assert_ptr_equal(recall_find(table, &shape, 1, 0, span_str(key)), found[i]);
    }
    assert_non_null(recall_find(table, &shape, 2, 0, span_str("z")));
}

/* A fifth key of a set takes the place of the one that was not found for longest, nobody else's. */
static void forgets_what_was_not_found_for_longest(void **state)
{
    (void)state;
    keep(0, "a", 1);
    keep(0, "b", 2);
    keep(0, "c", 3);
    keep(0, "d", 4);
    assert_int_equal(told(0, "a"), 1);
    keep(0, "e", 5);
    assert_int_equal(told(0, "a"), 1);
    assert_int_equal(told(0, "c"), 3);
    assert_int_equal(told(0, "d"), 4);
    assert_int_equal(told(0, "e"), 5);
    assert_int_equal(told(0, "b"), 0);
}

/* Turns begin again at 1. */
static void goes_on_when_turns_begin_anew(void **state)
{
    (void)state;
    turn = UINT32_MAX - 4;
    keep(0, "a", 1);
    keep(0, "b", 2);
    keep(0, "c", 3);
    keep(0, "d", 4);
    turn = 0;
    keep(0, "e", 5);
    assert_int_equal(told(0, "b"), 2);
    assert_int_equal(told(0, "a"), 0);
    turn = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(tells_what_was_made, empty),
        cmocka_unit_test_setup(forgets_what_was_not_finished, empty),
        cmocka_unit_test_setup(is_never_wrong, empty),
        cmocka_unit_test_setup(keeps_what_was_found_in_this_turn, empty),
        cmocka_unit_test_setup(forgets_what_was_not_found_for_longest, empty),
        cmocka_unit_test_setup(goes_on_when_turns_begin_anew, empty),
        cmocka_unit_test_setup(takes_no_key_that_is_too_long, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
