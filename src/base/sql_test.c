// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/sql.h"

static void assert_method(const char *text, const char *expected)
{
    char room[SQL_METHOD_MAX];
    struct span method = sql_method(span_str(text), room);
    assert_int_equal(method.size, strlen(expected));
    assert_memory_equal(method.data, expected, method.size);
}

static void the_first_word_is_the_method(void **state)
{
    (void)state;
    assert_method("select 1", "SELECT");
    assert_method("\n\t Insert\ninto x", "INSERT");
    assert_method("begin;", "BEGIN");
    assert_method("/* a; b */ -- c\n update t", "UPDATE");
    assert_method("/*!40101 SET NAMES utf8 */", "SET");
    assert_method("((select 1))", "SELECT");
    assert_method("SELECT(1)", "SELECT");
    assert_method("{call f()}", "{CALL");
    assert_method("", "");
    assert_method("-- nothing", "");
    assert_method("abcdefghijklmnopqrstuvwxyzabcdefghijkl", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF");
}

/* All statements of a text, each in brackets. */
static void assert_split(const char *text, const char *expected)
{
    char said[400] = "";
    size_t size = 0;
    struct span rest = span_str(text);
    for (;;) {
        struct span one = sql_next(&rest);
        if (one.size == 0) {
            break;
        }
        size += (size_t)snprintf(said + size, sizeof said - size, "[%.*s]", (int)one.size, one.data);
    }
    assert_string_equal(said, expected);
}

static void statements_end_where_they_end(void **state)
{
    (void)state;
    assert_split("select 1", "[select 1]");
    assert_split(" select 1 ; select 2;", "[select 1][select 2]");
    assert_split("select ';' ; x", "[select ';'][x]");
    assert_split("select 'it''s;' , \"a;\" ; x", "[select 'it''s;' , \"a;\"][x]");
    assert_split("select e'\\';' ; x", "[select e'\\';'][x]");
    assert_split("a /* ; /* ; */ ; */ b; c", "[a /* ; /* ; */ ; */ b][c]");
    assert_split("a -- ;\n b; c", "[a -- ;\n b][c]");
    assert_split("do $x$ a; $y$ ; $x$; c", "[do $x$ a; $y$ ; $x$][c]");
    assert_split("select $1; b", "[select $1][b]");
    assert_split(";;; -- x\n ; a", "[a]");
    assert_split("'never ends; x", "['never ends; x]");
    assert_split("$$ never ends; x", "[$$ never ends; x]");
    assert_split("", "");
    assert_split("a/*", "[a/*]");
    assert_split("a\\", "[a\\]");
    assert_split("'\\", "['\\]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_word_is_the_method),
        cmocka_unit_test(statements_end_where_they_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
