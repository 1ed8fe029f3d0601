// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/node_json.h"

static struct nodes tree;

static struct node *parse(const char *json)
{
    struct node *node = node_json_parse(&tree, span_str(json));
    if (node == NULL) {
        fail_msg("no JSON: %s", json);
    }
    return node;
}

static void assert_json(const struct node *node, const char *expected)
{
    struct json text;
    json_init(&text);
    node_json_write(&text, node);
    json_append(&text, "", 1);
    assert_string_equal(text.data, expected);
    json_done(&text);
}

static void what_is_read_is_written(void **state)
{
    static const char *const same[] = {
        "{\"a\":{\"b\":[1,-2.5e3,\"x\",true,false,null]},\"c\":\"\",\"d\":{},\"e\":[]}",
        "\"\\\"\\\\\\n\xc3\xa9\"", "0",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_json(parse(same[i]), same[i]);
    }
    assert_json(parse(" { \"a\" : \"\\u00e9\\ud83d\\ude00\\ud800\" } "),
                "{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd\"}");
    node_reset(&tree);
}

static void what_is_no_json_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "{", "[1,]", "{\"a\"}", "{\"a\":}", "01", "1.", "-", "\"", "\"\\x\"", "\"\\u12\"", "tru",
        "{} {}", "\"\n\"", "[1 2]", "{1:2}", "1e",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_null(node_json_parse(&tree, span_str(bad[i])));
    }
    char deep[2 * NODE_JSON_DEPTH + 4];
    memset(deep, '[', NODE_JSON_DEPTH + 1);
    memset(deep + NODE_JSON_DEPTH + 1, ']', NODE_JSON_DEPTH + 1);
    assert_null(node_json_parse(&tree, span_of(deep, 2 * NODE_JSON_DEPTH + 2)));
    assert_non_null(node_json_parse(&tree, span_of(deep + 1, 2 * NODE_JSON_DEPTH)));
    node_reset(&tree);
}

static void nodes_are_found_and_put_by_path(void **state)
{
    struct node *root = parse("{\"a\":{\"b\":1},\"a.c\":2,\"d\":null,\"e\":5}");
    assert_true(node_is(node_find(root, span_str("a.b")), "1"));
    assert_true(node_is(node_find(root, span_str("a.c")), "2")); /* a name with a dot of its own */
    assert_null(node_find(root, span_str("a.x")));
    assert_true(node_put(&tree, root, span_str("d.x.y"), parse("true")));
    assert_false(node_put(&tree, root, span_str("e.x"), parse("true")));
    assert_true(node_put(&tree, root, span_str("a.b"), parse("[]")));
    assert_json(root, "{\"a\":{\"b\":[]},\"a.c\":2,\"d\":{\"x\":{\"y\":true}},\"e\":5}");
    assert_non_null(node_take(root, span_str("a.b")));
    assert_non_null(node_take(root, span_str("e")));
    assert_null(node_take(root, span_str("e")));
    node_append_named(root, span_str("z"), parse("1"));
    assert_json(root, "{\"a\":{},\"a.c\":2,\"d\":{\"x\":{\"y\":true}},\"z\":1}");
    node_reset(&tree);
}

static void maps_merge(void **state)
{
    struct node *to = parse("{\"a\":{\"b\":1,\"c\":2},\"d\":1}");
    node_merge(to, parse("{\"a\":{\"c\":3,\"e\":4},\"d\":{\"f\":1}}"));
    assert_json(to, "{\"a\":{\"b\":1,\"c\":3,\"e\":4},\"d\":{\"f\":1}}");
    assert_json(node_clone(&tree, to), "{\"a\":{\"b\":1,\"c\":3,\"e\":4},\"d\":{\"f\":1}}");
    node_reset(&tree);
}

static void people_and_browsers_have_their_way(void **state)
{
    struct json text;
    json_init(&text);
    node_json_pretty(&text, parse("{\"a\":[1,{}],\"b\":\"<&>\"}"));
    node_json_escape_html(&text, 0);
    json_append(&text, "", 1);
    assert_string_equal(text.data, "{\n  \"a\": [\n    1,\n    {}\n  ],\n"
                                   "  \"b\": \"\\u003c\\u0026\\u003e\"\n}");
    json_done(&text);
    node_reset(&tree);
}

static void memory_grows_and_is_kept(void **state)
{
    for (unsigned round = 0; round < 3; round++) {
        struct node *list = node_new(&tree, NODE_LIST, (struct span){0});
        for (unsigned i = 0; i < 10000; i++) {
            node_append(list, node_new(&tree, NODE_NUMBER, node_format(&tree, "%u", i)));
        }
        assert_true(node_is(list->last, "9999"));
        assert_int_equal(node_copy(&tree, span_of(list, 64)).size, 64);
        node_reset(&tree);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(nodes_are_found_and_put_by_path),
        cmocka_unit_test(maps_merge),
        cmocka_unit_test(people_and_browsers_have_their_way),
        cmocka_unit_test(memory_grows_and_is_kept),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    node_done(&tree);
    return failed;
}
