// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>

#include "base/json.h"
#include "base/json_check.h"
#include "event/event_plain.h"
#include "event/event_writer.h"

struct inner {
    uint64_t number;
    struct span text;
    struct event_items deeper; /* of itself */
};

struct sample {
    struct event_head head;
    uint64_t bytes;
    uint64_t time;
    struct event_address ip;
    uint32_t port;
    struct span name;
    const char *fixed;
    const char *list;
    const char *text;
    double number;
    struct event_items items;
    bool extra;
};

#define ROW(name_, kind_, member, flags_)                                                          \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct sample, member), .flags = flags_,  \
        .help = "a test"                                                                           \
    }
#define INNER(name_, kind_, member)                                                                \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct inner, member), .help = "a test"   \
    }

static const struct event_field leaf_fields[] = {
    INNER("number", EVENT_U64, number), INNER("text", EVENT_SPAN, text), {0}};
static const struct event_type leaf_type = {
    .dataset = "leaf", .help = "x", .size = sizeof(struct inner), .fields = leaf_fields};
static const struct event_field inner_fields[] = {
    {.name = "deeper", .kind = EVENT_ITEMS, .offset = offsetof(struct inner, deeper),
     .help = "a test", .item = &leaf_type},
    INNER("number", EVENT_U64, number),
    {0},
};
static const struct event_type inner_type = {
    .dataset = "inner", .help = "x", .size = sizeof(struct inner), .fields = inner_fields};

/* Three objects that show the same, partly with something of their own between. */
static const struct event_field fields[] = {
    ROW("@timestamp", EVENT_TIME, time, EVENT_ALWAYS),
    ROW("client.bytes", EVENT_U64, bytes, 0),
    ROW("client.ip", EVENT_ADDRESS, ip, 0),
    ROW("client.port", EVENT_U32, port, 0),
    ROW("event.kind", EVENT_TEXT, fixed, EVENT_FIXED),
    ROW("event.start", EVENT_TIME, time, EVENT_ALWAYS),
    ROW("event.types", EVENT_JSON, list, EVENT_FIXED),
    {.name = "items", .kind = EVENT_ITEMS, .offset = offsetof(struct sample, items),
     .help = "a test", .item = &inner_type},
    ROW("number", EVENT_NUMBER, number, 0),
    ROW("server.bytes", EVENT_U64, bytes, 0),
    ROW("server.extra", EVENT_BOOL, extra, EVENT_EXTRA),
    ROW("server.ip", EVENT_ADDRESS, ip, 0),
    ROW("server.name", EVENT_SPAN, name, EVENT_COPY),
    ROW("server.port", EVENT_U32, port, 0),
    ROW("source.bytes", EVENT_U64, bytes, 0),
    ROW("source.ip", EVENT_ADDRESS, ip, 0),
    ROW("source.name", EVENT_SPAN, name, 0),
    ROW("source.port", EVENT_U32, port, 0),
    ROW("text", EVENT_TEXT, text, 0),
    ROW("type", EVENT_TEXT, fixed, EVENT_FIXED),
    {0},
};
static const struct event_type type = {
    .dataset = "sample", .help = "x", .size = sizeof(struct sample), .fields = fields};

static void assert_written(struct event_writer *writer, const struct sample *s,
                           const char *expected)
{
    struct json j;
    json_init(&j);
    event_writer_put(writer, &j, &s->head);
    assert_true(json_check(j.data, j.size));
    json_append(&j, "", 1);
    assert_string_equal(j.data, expected);
    json_done(&j);
}

#define TIME "2026-11-15T22:38:49.123456789Z"

static void writes_what_comes_twice(void **state)
{
    struct err err = {0};
    if (!event_type_check(&type, &err)) {
        fail_msg("%s", err.text);
    }
    struct event_writer *writer = event_writer_new(0);
    struct sample s = {.head = {.type = &type}, .time = 1794782329123456789u, .number = 1.5};
    s.bytes = 12345;
    s.ip = (struct event_address){4, {10, 0, 0, 1}};
    s.port = 80;
    s.fixed = "event";
    s.list = "[\"a\"]";
    const char *expected =
        "{\"@timestamp\":\"" TIME "\",\"client\":{\"bytes\":12345,\"ip\":\"10.0.0.1\",\"port\":80},"
        "\"event\":{\"kind\":\"event\",\"start\":\"" TIME "\",\"types\":[\"a\"]},\"number\":1.5,"
        "\"server\":{\"bytes\":12345,\"ip\":\"10.0.0.1\",\"port\":80},\"source\":{\"bytes\":12345,"
        "\"ip\":\"10.0.0.1\",\"port\":80},\"type\":\"event\"}";
    assert_written(writer, &s, expected);
    assert_written(writer, &s, expected);
    s.name = span_str("a \"name\" that is longer than one of the pieces in which literals are copied");
    s.extra = true;
    s.fixed = "";
    s.list = NULL;
    s.number = 0;
    assert_written(
        writer, &s,
        "{\"@timestamp\":\"" TIME "\",\"client\":{\"bytes\":12345,\"ip\":\"10.0.0.1\",\"port\":80},"
        "\"event\":{\"start\":\"" TIME "\"},\"number\":0,"
        "\"server\":{\"bytes\":12345,\"extra\":true,\"ip\":\"10.0.0.1\",\"name\":\"a \\\"name\\\" "
        "that is longer than one of the pieces in which literals are copied\",\"port\":80},"
        "\"source\":{\"bytes\":12345,\"ip\":\"10.0.0.1\",\"name\":\"a \\\"name\\\" that is longer "
        "than one of the pieces in which literals are copied\",\"port\":80}}");
    event_writer_free(writer);
}

static void leaves_out_what_is_not_wanted(void **state)
{
    struct event_writer *writer = event_writer_new(EVENT_EXTRA);
    struct sample s = {.head = {.type = &type}, .number = 1, .extra = true};
    assert_written(writer, &s,
                   "{\"@timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"event\":{\"start\":"
                   "\"1970-01-01T00:00:00.000000000Z\"},\"number\":1}");
    event_writer_free(writer);
}

/* Lists within lists, of shapes that take each other's places. */
static void writes_lists_within_lists(void **state)
{
    struct event_writer *writer = event_writer_new(0);
    struct inner leaves[] = {{.number = 1}, {.text = span_str("t")}, {0}};
    struct inner inner[] = {{.number = 1, .deeper = {3, leaves}}, {.deeper = {1, leaves}}, {0}};
    struct sample s = {.head = {.type = &type}, .number = 1, .items = {3, inner}};
    const char *expected = "{\"@timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"event\":{\"start\":"
                           "\"1970-01-01T00:00:00.000000000Z\"},\"items\":[{\"deeper\":[{\"number\":1"
                           "},{\"text\":\"t\"},{}],\"number\":1},{\"deeper\":[{\"number\":1}]},{}],"
                           "\"number\":1}";
    assert_written(writer, &s, expected);
    assert_written(writer, &s, expected);
    event_writer_free(writer);
    struct json plain;
    json_init(&plain);
    event_plain_put(&plain, &type, &s);
    json_append(&plain, "", 1);
    assert_string_equal(plain.data, expected);
    json_done(&plain);
}

static void assert_same(const struct json *a, const struct json *b)
{
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->data, b->data, a->size);
}

/* One writer for more shapes than it keeps says of each what a fresh one does, and what comes out of a
 * plain walk. */
static void keeps_shapes_apart(void **state)
{
    static const char *const texts[] = {NULL, "one", "two", ""};
    struct event_writer *writer = event_writer_new(0);
    struct json a, b;
    json_init(&a);
    json_init(&b);
    for (unsigned i = 0; i < 1U << 12; i++) {
        struct sample s = {
            .head = {.type = &type},
            .time = i,
            .bytes = i & 1,
            .ip = {.version = i & 2 ? 6 : 0},
            .port = i & 4,
            .name = span_of("n", i & 8 ? 1 : 0),
            .fixed = texts[i >> 4 & 3],
            .list = i & 64 ? "{}" : NULL,
            .text = texts[i >> 7 & 3],
            .number = i & 512 ? 1 : NAN,
            .extra = i & 1024,
        };
        json_reset(&a);
        json_reset(&b);
        event_writer_put(writer, &a, &s.head);
        event_json(&b, &s.head);
        assert_true(json_check(a.data, a.size));
        assert_same(&a, &b);
        json_reset(&b);
        event_plain_put(&b, &type, &s);
        assert_same(&a, &b);
    }
    json_done(&a);
    json_done(&b);
    event_writer_free(writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_comes_twice),
        cmocka_unit_test(leaves_out_what_is_not_wanted),
        cmocka_unit_test(writes_lists_within_lists),
        cmocka_unit_test(keeps_shapes_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
