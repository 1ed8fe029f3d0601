// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static void hides(const char *text, const char *expected)
{
    char copy[256];
    size_t size = strlen(text);
    memcpy(copy, text, size);
    size = sql_hide(copy, size);
    copy[size] = '\0';
    assert_string_equal(copy, expected);
}

static void passwords_are_hidden(void **state)
{
    (void)state;
    hides("CREATE USER 'bob'@'%' IDENTIFIED BY 'hunter22'", "CREATE USER 'bob'@'%' IDENTIFIED BY 'xxxxx'");
    hides("alter user b identified with sha2 by \"it's 1\" replace 'old'' one', c",
          "alter user b identified with sha2 by \"xxxxx\" replace 'xxxxx', c");
    hides("GRANT ALL ON *.* TO b IDENTIFIED BY PASSWORD '*2470C0C06'",
          "GRANT ALL ON *.* TO b IDENTIFIED BY PASSWORD 'xxxxx'");
    hides("SET PASSWORD FOR 'b'@'h' = 'secret'; SELECT a = 'b'", "SET PASSWORD FOR 'b'@'h' = 'xxxxx'; SELECT a = 'b'");
    hides("SET PASSWORD = PASSWORD('secret')", "SET PASSWORD = PASSWORD('xxxxx')");
    hides("CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='secret', MASTER_PORT=1",
          "CHANGE MASTER TO MASTER_HOST='h', MASTER_PASSWORD='xxxxx', MASTER_PORT=1");
    hides("ALTER ROLE b ENCRYPTED PASSWORD E'se\\'cret' VALID UNTIL '2030'",
          "ALTER ROLE b ENCRYPTED PASSWORD E'xxxxx' VALID UNTIL '2030'");
    hides("CREATE ROLE b LOGIN PASSWORD $q$secret$q$ CREATEDB", "CREATE ROLE b LOGIN PASSWORD $q$xxxxx$q$ CREATEDB");
    hides("CREATE USER MAPPING FOR b SERVER s OPTIONS (user 'b', password 'secret')",
          "CREATE USER MAPPING FOR b SERVER s OPTIONS (user 'b', password 'xxxxx')");
    hides("CREATE SUBSCRIPTION s CONNECTION 'host=h password=secret dbname=d' PUBLICATION p",
          "CREATE SUBSCRIPTION s CONNECTION 'host=h password=xxxxx dbname=d' PUBLICATION p");
    hides("UPDATE u SET `passwd` = 'secret', \"Password\" = 'secret' WHERE name = 'bob'",
          "UPDATE u SET `passwd` = 'xxxxx', \"Password\" = 'xxxxx' WHERE name = 'bob'");
    hides("SELECT 1 FROM u WHERE password /* ' */ = 'abc'", "SELECT 1 FROM u WHERE password /* ' */ = 'xxx'");
    hides("ALTER USER b IDENTIFIED BY 'secret and cut", "ALTER USER b IDENTIFIED BY 'xxxxx");
}

static void what_is_no_password_stays(void **state)
{
    (void)state;
    static const char *const plain[] = {
        "", "'", "$", "$$", "select 'a' from t where identified = 'b'", "SELECT password, 'a' FROM t",
        "SELECT password FROM u WHERE name = 'bob'", "ALTER ROLE b PASSWORD NULL", "-- password 'x'\nselect 1",
        "ALTER ROLE b PASSWORD $1", "CREATE USER b IDENTIFIED BY RANDOM PASSWORD, c ATTRIBUTE 'a'",
        "SELECT * FROM passwords WHERE a = 'b'",
    };
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        hides(plain[i], plain[i]);
    }
}

/* Any bytes, with any quotes unclosed: within the text, and no longer than it. */
static void hiding_survives_cuts(void **state)
{
    (void)state;
    static const char text[] = "PASSWORD 'a' $t$b$t$ /* */ identified \"by\" by `c` password= password='password=d;e'";
    for (size_t from = 0; from < sizeof text - 1; from++) {
        for (size_t size = 0; from + size < sizeof text; size++) {
            char *copy = malloc(size + 1);
            memcpy(copy, text + from, size);
            assert_true(sql_hide(copy, size) <= size);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_word_is_the_method),
        cmocka_unit_test(statements_end_where_they_end),
        cmocka_unit_test(passwords_are_hidden),
        cmocka_unit_test(what_is_no_password_stays),
        cmocka_unit_test(hiding_survives_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
