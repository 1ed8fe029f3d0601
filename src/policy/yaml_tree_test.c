// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "policy/yaml_tree.h"

static void reads_yaml_and_json(void **state)
{
    struct tree_memory *memory = tree_memory_new();
    struct tree tree;
    struct err err = {0};
    assert_true(yaml_tree_read(memory, span_str("a: {b: [1, x]}\nc:\na: 2\n"), &tree, &err));
    assert_int_equal(tree.count, 3); /* a key twice stays twice */
    assert_int_equal(tree_get(tree_get(&tree, "a"), "b")->count, 2);
    assert_null(tree_get(&tree, "c"));
    assert_true(yaml_tree_read(memory, span_str("{\"a\": \"1\"}"), &tree, &err));
    assert_int_equal(tree_get(&tree, "a")->number, 1);
    assert_true(yaml_tree_read(memory, span_str(""), &tree, &err));
    assert_int_equal(tree.kind, TREE_NULL);
    tree_memory_free(memory);
}

static void refuses(const char *text, const char *why)
{
    struct tree_memory *memory = tree_memory_new();
    struct tree tree;
    struct err err = {0};
    assert_false(yaml_tree_read(memory, span_str(text), &tree, &err));
    assert_non_null(strstr(err.text, why));
    tree_memory_free(memory);
}

static void refuses_what_is_none(void **state)
{
    refuses("a: [b", "line 2, column 1: this is not YAML");
    refuses("? [a]\n: b\n", "line 1, column 3: a key is no name");
    refuses("a: &a [*a]\n", "the document is too large");
    refuses("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
            "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
            "e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
            "the document is too large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_yaml_and_json),
        cmocka_unit_test(refuses_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
