// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "proto/redis/redis_resp.h"

enum { ROOM = 4096 };

/* Reads all messages, a verdict and the text of each on a line, `piece` bytes at a time. */
static void read_all(char *ret, bool is_client, struct span data, size_t piece, uint32_t room)
{
    struct resp_reader reader = {.is_client = is_client};
    uint8_t bytes[ROOM];
    struct resp_text text = {.data = bytes, .capacity = 0};
    *ret = '\0';
    for (size_t at = 0; at < data.size; at += piece) {
        struct cursor c = cursor_of(span_head(span_skip(data, at), piece));
        while (cursor_left(&c) > 0) {
            enum resp_verdict verdict = resp_read(&reader, &c, &text);
            if (verdict == RESP_FULL) {
                text.capacity += 70;
                text.capacity = text.capacity < room ? text.capacity : room;
                text.last = text.capacity == room;
            } else if (verdict != RESP_MORE) {
                if (verdict == RESP_BAD) {
                    strcpy(ret, "bad");
                    return;
                }
                ret += sprintf(ret, "%s%.*s (%d)\n", reader.is_error ? "error " : "",
                               (int)text.size, (char *)bytes, (int)reader.bytes);
                resp_begin(&reader);
                text = (struct resp_text){.data = bytes};
            }
        }
    }
}

static void assert_read(bool is_client, const char *data, const char *expected)
{
    char said[ROOM];
    for (size_t piece = 1; piece <= strlen(data); piece++) {
        /* From memory of its own size, so that a byte too far is seen. */
        uint8_t *copy = malloc(strlen(data));
        memcpy(copy, data, strlen(data));
        read_all(said, is_client, span_of(copy, strlen(data)), piece, ROOM);
        free(copy);
        assert_string_equal(said, expected);
    }
}

static void reads_commands(void **state)
{
    assert_read(true, "*3\r\n$3\r\nset\r\n$4\r\nkey3\r\n$2\r\nme\r\n", "set key3 me (31)\n");
    assert_read(true, "*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n", "PING (14)\nGET  (19)\n");
    assert_read(true, "*0\r\n*-1\r\n", " (4)\nnil (5)\n");
    assert_read(true, "\r\nPING\r\n set  a b \n", "PING (6)\n set  a b (11)\n");
    assert_read(true, "*1\r\n+OK\r\n", "bad");
    assert_read(true, "*1\r\n$-1\r\n", "bad");
    assert_read(true, "+OK\r\n", "bad");
    assert_read(true, "*1x", "bad");
}

static void hides_secrets(void **state)
{
    assert_read(true, "*2\r\n$4\r\nauth\r\n$2\r\npw\r\n", "auth **** (22)\n");
    assert_read(true, "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$2\r\npw\r\n", "AUTH me **** (30)\n");
    assert_read(true,
                "*7\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n$4\r\nauth\r\n$2\r\npw\r\n$7\r\nSETNAME"
                "\r\n$1\r\nx\r\n",
                "HELLO 3 AUTH auth **** SETNAME x (70)\n");
    assert_read(true, "*4\r\n$6\r\nCONFIG\r\n$3\r\nSET\r\n$11\r\nrequirepass\r\n$2\r\npw\r\n",
                "CONFIG SET requirepass **** (51)\n");
    assert_read(true, "*4\r\n$3\r\nACL\r\n$7\r\nSETUSER\r\n$2\r\nme\r\n$3\r\n>pw\r\n",
                "ACL SETUSER me **** (43)\n");
    assert_read(true, "AUTH me pw\r\nGET AUTH\r\n", "AUTH **** (12)\nGET AUTH (10)\n");
    assert_read(true, "*3\r\n$3\r\nSET\r\n$4\r\nAUTH\r\n$2\r\npw\r\n", "SET AUTH pw (31)\n");
}

static void reads_values(void **state)
{
    assert_read(false, "+OK\r\n-ERR no\r\n:-5\r\n$5\r\nhello\r\n$-1\r\n*-1\r\n",
                "OK (5)\nerror ERR no (9)\n-5 (5)\nhello (11)\nnil (5)\nnil (5)\n");
    assert_read(false, "*3\r\n$1\r\na\r\n*2\r\n:1\r\n*0\r\n$-1\r\n", "[a, [1, []], nil] (28)\n");
    assert_read(false, "*2\r\n*1\r\n*1\r\n$1\r\nx\r\n-no\r\n", "[[[x]], no] (24)\n");
    assert_read(false, "$4\r\n\r\n\r\n\r\n\n+OK\r\n", "\r\n\r\n (10)\nOK (5)\n");
}

static void reads_resp3(void **state)
{
    assert_read(false, "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n#t\r\n", "{a: 1, b: [true]} (24)\n");
    assert_read(false, "_\r\n,3.14\r\n(12345678901234567890\r\n#f\r\n",
                "nil (3)\n3.14 (7)\n12345678901234567890 (23)\nfalse (4)\n");
    assert_read(false, "=8\r\ntxt:some\r\n!5\r\nERR x\r\n", "some (14)\nerror ERR x (11)\n");
    assert_read(false, ">2\r\n+invalidate\r\n~1\r\n+k\r\n", "[invalidate, [k]] (25)\n");
    assert_read(false, "|1\r\n+ttl\r\n*2\r\n:5\r\n:6\r\n*2\r\n:1\r\n|1\r\n+x\r\n+y\r\n:2\r\n",
                "[1, 2] (46)\n");
    assert_read(false, "*?\r\n:1\r\n%?\r\n+a\r\n:2\r\n.\r\n.\r\n", "[1, {a: 2}] (26)\n");
    assert_read(false, "$?\r\n;4\r\nHell\r\n;1\r\no\r\n;0\r\n+x\r\n", "Hello (25)\nx (4)\n");
    assert_read(false, ".\r\n", "bad");
    assert_read(false, "#x\r\n", "bad");
    assert_read(false, ":1x\r\n+\r\n", "bad");
}

static void reads_strings_of_arrays(void **state)
{
    assert_read(false, "*5\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n+OK\r\n",
                "[a, b, c, d, e] (39)\nOK (5)\n");
    assert_read(false, "*2\r\n*3\r\n$1\r\na\r\n$0\r\n\r\n$1\r\nc\r\n*3\r\n:1\r\n$2\r\nbb\r\n$-1\r\n",
                "[[a, , c], [1, bb, nil]] (49)\n");
    assert_read(false, "%3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\ne\r\n$1\r\nf\r\n",
                "{a: b, c: d, e: f} (46)\n");
    assert_read(false, "*6\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n$1\r\nexx", "bad");
}

/* However little of it may be kept, and however it comes. */
static void leaves_out_what_does_not_fit(void **state)
{
    static const char data[] = "*6\r\n$3\r\none\r\n$20\r\n01234567890123456789\r\n:1234567\r\n"
                               "$5\r\nthree\r\n$4\r\nfour\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n+c\r\n-ERR no\r\n";
    const size_t size = sizeof data - 1;
    for (uint32_t room = 1; room < 100; room++) {
        char at_once[ROOM], said[ROOM];
        read_all(at_once, false, span_of(data, size), size, room);
        assert_true(strlen(at_once) > 0);
        for (size_t piece = 1; piece < size; piece++) {
            read_all(said, false, span_of(data, size), piece, room);
            assert_string_equal(said, at_once);
        }
    }
}

/* What is nested deeper than is shown is counted still. */
static void reads_deep(void **state)
{
    char data[ROOM] = "";
    for (unsigned i = 0; i < 100; i++) {
        strcat(data, "*1\r\n");
    }
    strcat(data, ":7\r\n");
    assert_read(false, data, "[[[[[[[[[[[[[[[[7]]]]]]]]]]]]]]]] (404)\n");
    data[0] = '\0';
    for (unsigned i = 0; i < 20; i++) {
        strcat(data, "*2\r\n:1\r\n");
    }
    strcat(data, ":7\r\n+x\r\n");
    assert_read(false, data,
                "[1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, [1, 1, 1, 1, 1, 7]]]]]]]]"
                "]]]]]]]] (164)\nx (4)\n");
}

static void cuts_text(void **state)
{
    char said[ROOM];
    const char *data = "*2\r\n$100\r\n"
                       "0123456789012345678901234567890123456789012345678901234567890123456789"
                       "012345678901234567890123456789\r\n:77\r\n+OK\r\n";
    for (size_t piece = 1; piece <= strlen(data); piece++) {
        read_all(said, false, span_str(data), piece, 20);
        assert_string_equal(said, "[0123456789012345678 (117)\nOK (5)\n");
    }
}

static void misses_within_a_value(void **state)
{
    struct resp_reader reader = {0};
    uint8_t bytes[ROOM];
    struct resp_text text = {.data = bytes, .capacity = ROOM, .last = true};
    struct cursor c = cursor_of(span_str("$10\r\nab"));
    assert_int_equal(resp_read(&reader, &c, &text), RESP_MORE);
    assert_false(resp_miss(&reader, 9));
    assert_true(resp_miss(&reader, 6));
    c = cursor_of(span_str("yz\r\n"));
    assert_int_equal(resp_read(&reader, &c, &text), RESP_DONE);
    assert_memory_equal(bytes, "abyz", 4);
    assert_int_equal(reader.bytes, 17);
    resp_begin(&reader);
    assert_false(resp_miss(&reader, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_commands), cmocka_unit_test(hides_secrets),
        cmocka_unit_test(reads_values),   cmocka_unit_test(reads_resp3),
        cmocka_unit_test(reads_deep),     cmocka_unit_test(cuts_text),
        cmocka_unit_test(misses_within_a_value), cmocka_unit_test(reads_strings_of_arrays),
        cmocka_unit_test(leaves_out_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
