// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/tree.h"

static char *text_of(const struct tree *tree, struct json *to)
{
    json_init(to);
    tree_json(tree, to);
    json_append(to, "", 1);
    return to->data;
}

static void scalars_have_kinds(void **state)
{
    struct tree_memory *memory = tree_memory_new();
    assert_int_equal(tree_scalar(memory, "true").kind, TREE_FLAG);
    assert_int_equal(tree_scalar(memory, "17").number, 17);
    assert_int_equal(tree_scalar(memory, "-17").kind, TREE_TEXT);
    assert_int_equal(tree_scalar(memory, "99999999999999999999").kind, TREE_TEXT);
    assert_string_equal(tree_scalar(memory, "010").text, "010");
    tree_memory_free(memory);
}

static void maps_merge_and_sort(void **state)
{
    struct tree_memory *memory = tree_memory_new(), *other = tree_memory_new();
    struct tree a = tree_map(), b = tree_map(), list = tree_list(), nothing = {0};
    struct tree one = tree_scalar(memory, "1"), two = tree_scalar(memory, "two");
    struct json text;
    tree_add(memory, &list, NULL, &one);
    tree_add(memory, &list, NULL, &two);
    tree_add(memory, &a, "z", &one);
    tree_add(memory, &a, "a", &list);
    tree_add(memory, &b, "z", &two);
    tree_add(memory, &b, "m", &nothing);
    tree_merge(memory, &a, &b);
    tree_merge(memory, &a, NULL);
    struct tree copy = tree_copy(other, &a);
    tree_memory_free(memory);
    assert_string_equal(text_of(&copy, &text), "{\"a\":[1,\"two\"],\"m\":null,\"z\":\"two\"}");
    assert_null(tree_get(&copy, "m"));
    assert_null(tree_get(&copy, "q"));
    assert_string_equal(tree_get(&copy, "z")->text, "two");
    json_done(&text);
    tree_memory_free(other);
}

static void there_is_a_bound(void **state)
{
    struct tree_memory *memory = tree_memory_new();
    struct tree list = tree_list(), item = tree_scalar(memory, "x");
    for (unsigned i = 0; i < TREE_ITEMS; i++) {
        assert_true(tree_add(memory, &list, NULL, &item));
    }
    assert_false(tree_add(memory, &list, NULL, &item));
    tree_memory_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_have_kinds),
        cmocka_unit_test(maps_merge_and_sort),
        cmocka_unit_test(there_is_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
