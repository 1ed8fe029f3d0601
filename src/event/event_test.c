// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "base/json.h"
#include "base/json_check.h"
#include "event/event.h"

struct sample {
    struct event_head head;
    uint64_t time;
    uint64_t u64;
    struct span span;
    const char *text;
    const char *json;
    uint32_t u32;
    uint16_t u16;
    uint8_t u8;
    bool flag;
    struct event_u16_list list;
    struct event_address address;
    struct event_mac mac;
    char inlined[16];
};

#define FIELD(name_, kind_, member, flags_)                                                        \
    {                                                                                              \
        name_, kind_, offsetof(struct sample, member), flags_, "for the test", NULL                \
    }

/* Every kind, at several depths. */
static const struct event_field fields[] = {
    FIELD("@timestamp", EVENT_TIME, time, EVENT_ALWAYS),
    FIELD("a.b.c.bool", EVENT_BOOL, flag, 0),
    FIELD("a.b.c.u8", EVENT_U8, u8, 0),
    FIELD("a.b.u16", EVENT_U16, u16, 0),
    FIELD("a.d.u32", EVENT_U32, u32, 0),
    FIELD("address", EVENT_ADDRESS, address, 0),
    FIELD("json", EVENT_JSON, json, 0),
    FIELD("text.inline", EVENT_INLINE, inlined, 0),
    FIELD("text.span", EVENT_SPAN, span, 0),
    FIELD("text.static", EVENT_TEXT, text, 0),
    FIELD("x.y.list", EVENT_U16_LIST, list, 0),
    FIELD("x.y.mac", EVENT_MAC, mac, 0),
    FIELD("x.z.u64", EVENT_U64, u64, 0),
    {0},
};

static const struct event_type type = {
    .dataset = "sample", .help = "All kinds", .size = sizeof(struct sample), .fields = fields};

static void assert_encoded(const void *event, const char *expected)
{
    struct json j;
    json_init(&j);
    event_json(&j, event);
    assert_true(json_check(j.data, j.size));
    json_append(&j, "", 1);
    assert_string_equal(j.data, expected);
    json_done(&j);
}

static void encodes_every_kind(void **state)
{
    struct sample s = {
        .head = {.type = &type},
        .time = 1794782329123456789u,
        .u64 = UINT64_MAX,
        .span = span_str("a \"span\""),
        .text = "static",
        .json = "[1,{}]",
        .u32 = UINT32_MAX,
        .u16 = UINT16_MAX,
        .u8 = UINT8_MAX,
        .flag = true,
        .list = {.count = 2, .values = {10, 4095}},
        .address = {.version = 6, .bytes = {0x20, 1, 0xd, 0xb8, [15] = 1}},
        .mac = {.present = true, .bytes = {0, 1, 0xa, 0xbc, 0xde, 0xff}},
        .inlined = "in\n",
    };
    assert_encoded(&s, "{\"@timestamp\":\"2026-11-15T22:38:49.123456789Z\",\"a\":{\"b\":{\"c\":{"
                       "\"bool\":true,\"u8\":255},\"u16\":65535},\"d\":{\"u32\":4294967295}},"
                       "\"address\":\"2001:db8::1\",\"json\":[1,{}],\"text\":{\"inline\":\"in\\n\","
                       "\"span\":\"a \\\"span\\\"\",\"static\":\"static\"},\"x\":{\"y\":{\"list\":"
                       "[10,4095],\"mac\":\"00-01-0A-BC-DE-FF\"},\"z\":{\"u64\":"
                       "18446744073709551615}}}");
}

static void omits_what_is_empty(void **state)
{
    struct sample s = {.head = {.type = &type}, .text = "", .json = ""};
    assert_encoded(&s, "{\"@timestamp\":\"1970-01-01T00:00:00.000000000Z\"}");
    s.u16 = 1;
    s.u64 = 2;
    assert_encoded(&s, "{\"@timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"a\":{\"b\":{\"u16\":1}"
                       "},\"x\":{\"z\":{\"u64\":2}}}");
    s.u8 = 3;
    s.u32 = 4;
    s.u16 = 0;
    s.u64 = 0;
    assert_encoded(&s, "{\"@timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"a\":{\"b\":{\"c\":{"
                       "\"u8\":3}},\"d\":{\"u32\":4}}}");
}

/* With every subset of the fields the braces match and the commas stand right. */
static void any_subset_is_json(void **state)
{
    struct json j;
    json_init(&j);
    json_array_begin(&j);
    for (unsigned bits = 0; bits < 1u << 12; bits++) {
        struct sample s = {
            .head = {.type = &type},
            .flag = bits & 1,
            .u8 = bits >> 1 & 1,
            .u16 = bits >> 2 & 1,
            .u32 = bits >> 3 & 1,
            .address = {.version = bits >> 4 & 1 ? 4 : 0},
            .json = bits >> 5 & 1 ? "{}" : NULL,
            .inlined = {bits >> 6 & 1 ? 'i' : 0},
            .span = span_of("s", bits >> 7 & 1),
            .text = bits >> 8 & 1 ? "t" : NULL,
            .list = {.count = bits >> 9 & 1},
            .mac = {.present = bits >> 10 & 1},
            .u64 = bits >> 11 & 1,
        };
        size_t before = j.size + j.comma;
        event_json(&j, &s.head);
        assert_true(json_check(j.data + before, j.size - before));
    }
    json_array_end(&j);
    assert_true(json_check(j.data, j.size));
    json_done(&j);
}

static void always_means_always(void **state)
{
    static const struct event_field all[] = {
        FIELD("a", EVENT_ADDRESS, address, EVENT_ALWAYS),
        FIELD("b", EVENT_BOOL, flag, EVENT_ALWAYS),
        FIELD("i", EVENT_INLINE, inlined, EVENT_ALWAYS),
        FIELD("j", EVENT_JSON, json, EVENT_ALWAYS),
        FIELD("l", EVENT_U16_LIST, list, EVENT_ALWAYS),
        FIELD("m", EVENT_MAC, mac, EVENT_ALWAYS),
        FIELD("n", EVENT_U64, u64, EVENT_ALWAYS),
        FIELD("s", EVENT_SPAN, span, EVENT_ALWAYS),
        FIELD("t", EVENT_TEXT, text, EVENT_ALWAYS),
        {0},
    };
    static const struct event_type always = {
        .dataset = "always", .size = sizeof(struct sample), .fields = all};
    struct sample s = {.head = {.type = &always}};
    assert_encoded(&s, "{\"a\":null,\"b\":false,\"i\":\"\",\"j\":null,\"l\":[],\"m\":null,\"n\":0,"
                       "\"s\":\"\",\"t\":null}");
}

static void assert_refused(const struct event_field *table, const char *reason)
{
    struct event_type t = {.dataset = "bad", .size = sizeof(struct sample), .fields = table};
    struct err err = {0};
    assert_false(event_type_check(&t, &err));
    assert_non_null(strstr(err.text, reason));
}

static void checks_tables(void **state)
{
    struct err err = {0};
    assert_true(event_type_check(&type, &err));
    assert_refused(
        (struct event_field[]){FIELD("b", EVENT_U64, u64, 0), FIELD("a", EVENT_U64, u64, 0), {0}},
        "sort");
    assert_refused(
        (struct event_field[]){FIELD("a", EVENT_U64, u64, 0), FIELD("a", EVENT_U64, u64, 0), {0}},
        "twice");
    assert_refused((struct event_field[]){FIELD("a", EVENT_U64, u64, 0),
                                          FIELD("a-b", EVENT_U64, u64, 0),
                                          FIELD("a.b", EVENT_U64, u64, 0),
                                          {0}},
                   "within");
    assert_refused((struct event_field[]){FIELD("a..b", EVENT_U64, u64, 0), {0}}, "name");
    assert_refused((struct event_field[]){FIELD("a\"", EVENT_U64, u64, 0), {0}}, "name");
    assert_refused((struct event_field[]){FIELD("a.b.c.d.e.f.g.h.i", EVENT_U8, u8, 0), {0}},
                   "name");
    assert_refused((struct event_field[]){FIELD("a", 99, u64, 0), {0}}, "kind");
    assert_refused((struct event_field[]){FIELD("a", EVENT_U64, u8, 0), {0}}, "aligned");
    assert_refused(
        (struct event_field[]){{"a", EVENT_SPAN, sizeof(struct sample) - 8, 0, "x", NULL}, {0}},
        "beyond");
    assert_refused((struct event_field[]){{"a", EVENT_U8, 0, 0, NULL, NULL}, {0}}, "help");
}

/* ---- Lists, and fields in common ------------------------------------------------------------- */

struct part {
    struct span name;
    uint32_t number;
    struct event_spans tags;
};

struct lists {
    struct event_head head;
    struct event_spans notes;
    struct event_pairs headers;
    struct event_items parts;
    struct event_addresses addresses;
    struct event_optional count;
    struct span shared;
    bool flag;
};

#define PART(name_, kind_, member)                                                                 \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct part, member), .help = "a test"    \
    }
#define LIST(name_, kind_, member, ...)                                                            \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct lists, member), .help = "a test",  \
        __VA_ARGS__                                                                                \
    }

static const struct event_field part_fields[] = {
    PART("name", EVENT_SPAN, name),
    PART("of.number", EVENT_U32, number),
    PART("of.tags", EVENT_SPANS, tags),
    {0},
};
static const struct event_type part_type = {
    .dataset = "part", .help = "A part", .size = sizeof(struct part), .fields = part_fields};

static const struct event_field common_fields[] = {
    LIST("a.first", EVENT_BOOL, flag),
    LIST("c.shared", EVENT_SPAN, shared),
    LIST("n", EVENT_SPANS, notes, .flags = EVENT_PLAIN_ONE),
    LIST("z.last", EVENT_BOOL, flag),
    {0},
};
static const struct event_field list_fields[] = {
    LIST("a.addresses", EVENT_ADDRESSES, addresses),
    LIST("a.headers", EVENT_PAIRS, headers),
    LIST("a.parts", EVENT_ITEMS, parts, .item = &part_type),
    LIST("b", EVENT_OPTIONAL, count),
    LIST("c.copy", EVENT_SPAN, shared, .flags = EVENT_COPY),
    LIST("o", EVENT_SPANS, notes, .flags = EVENT_COPY),
    {0},
};
static const struct event_type list_type = {.dataset = "lists",
                                            .help = "Lists",
                                            .size = sizeof(struct lists),
                                            .fields = list_fields,
                                            .common = common_fields};

static void encodes_lists(void **state)
{
    struct err err = {0};
    if (!event_type_check(&list_type, &err)) {
        fail_msg("%s", err.text);
    }
    struct lists l = {.head = {.type = &list_type}};
    assert_encoded(&l, "{}");
    struct span texts[] = {span_str("one"), span_str("tw\"o")};
    struct part parts[] = {{.name = span_str("p"), .number = 1, .tags = {2, texts}}, {.number = 0}};
    struct event_address addresses[] = {{4, {10, 0, 0, 1}}, {6, {[15] = 1}}};
    struct event_pair pairs[] = {{span_str("host"), span_str("h")},
                                 {span_str("via"), span_str("1")},
                                 {span_str("empty"), span_of(NULL, 0)},
                                 {span_str("via"), span_str("2")},
                                 {span_str("via"), span_str("3")}};
    l.notes = (struct event_spans){1, texts};
    l.count.present = true;
    assert_encoded(&l, "{\"b\":0,\"n\":\"one\",\"o\":[\"one\"]}");
    l.parts = (struct event_items){2, parts};
    l.headers = (struct event_pairs){5, pairs};
    l.addresses = (struct event_addresses){2, addresses};
    l.notes = (struct event_spans){2, texts};
    l.flag = true;
    l.shared = span_str("s");
    assert_encoded(&l, "{\"a\":{\"addresses\":[\"10.0.0.1\",\"::1\"],\"first\":true,\"headers\":"
                       "{\"host\":\"h\",\"via\":[\"1\",\"2\",\"3\"],\"empty\":\"\"},\"parts\":[{"
                       "\"name\":\"p\",\"of\":{\"number\":1,\"tags\":[\"one\",\"tw\\\"o\"]}},{}]},"
                       "\"b\":0,\"c\":{\"copy\":\"s\",\"shared\":\"s\"},\"n\":[\"one\",\"tw\\\"o\"],"
                       "\"o\":[\"one\",\"tw\\\"o\"],\"z\":{\"last\":true}}");
}

static void assert_list_refused(const struct event_field *table, const struct event_field *common,
                                const char *reason)
{
    struct event_type t = {
        .dataset = "bad", .size = sizeof(struct lists), .fields = table, .common = common};
    struct err err = {0};
    assert_false(event_type_check(&t, &err));
    if (strstr(err.text, reason) == NULL) {
        fail_msg("%s", err.text);
    }
}

static void checks_lists_and_common(void **state)
{
    const struct event_field flag[] = {LIST("f", EVENT_BOOL, flag), {0}};
    const struct event_field inner[] = {LIST("f.g", EVENT_BOOL, flag), {0}};
    const struct event_field shared[] = {LIST("s", EVENT_SPAN, shared), {0}};
    const struct event_field again[] = {LIST("t", EVENT_SPAN, shared), {0}};
    const struct event_field copy[] = {LIST("t", EVENT_SPAN, shared, .flags = EVENT_COPY), {0}};
    const struct event_field nothing[] = {{0}};
    const struct event_field other[] = {LIST("f", EVENT_BOOL, flag), {0}};
    assert_list_refused(flag, other, "twice");
    assert_list_refused(flag, inner, "within");
    assert_list_refused(inner, flag, "within");
    assert_list_refused(shared, again, "EVENT_COPY");
    assert_list_refused(copy, nothing, "copy of no other");
    assert_list_refused((struct event_field[]){LIST("i", EVENT_ITEMS, parts), {0}}, NULL, "no type");
    assert_list_refused((struct event_field[]){LIST("i", EVENT_U8, flag, .item = &part_type), {0}},
                        NULL, "no list");
    const struct event_type bad_part = {.dataset = "part", .size = 1, .fields = part_fields};
    assert_list_refused((struct event_field[]){LIST("i", EVENT_ITEMS, parts, .item = &bad_part), {0}},
                        NULL, "name of event part lies beyond");
    struct event_type endless = {.dataset = "endless", .size = sizeof(struct lists)};
    struct event_field self[] = {LIST("i", EVENT_ITEMS, parts, .item = &endless), {0}};
    endless.fields = self;
    assert_list_refused(self, NULL, "too deep");
}

/* Enough types for collisions, from two threads at once. */
enum { TYPES = 200 };
static struct event_type types[TYPES];
static const struct event_field one[] = {FIELD("u8", EVENT_U8, u8, 0), {0}};

static void *encode_all(void *unused)
{
    struct json j;
    json_init(&j);
    for (unsigned i = 0; i < TYPES; i++) {
        struct sample s = {.head = {.type = &types[i]}, .u8 = 7};
        event_json(&j, &s.head);
    }
    bool fine = j.size == TYPES * strlen("{\"u8\":7},") - 1;
    json_done(&j);
    return fine ? types : NULL;
}

static void any_thread_any_type(void **state)
{
    for (unsigned i = 0; i < TYPES; i++) {
        types[i] = (struct event_type){.dataset = "one", .fields = one};
    }
    pthread_t other;
    void *fine;
    assert_int_equal(pthread_create(&other, NULL, encode_all, NULL), 0);
    assert_non_null(encode_all(NULL));
    pthread_join(other, &fine);
    assert_non_null(fine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_every_kind), cmocka_unit_test(omits_what_is_empty),
        cmocka_unit_test(any_subset_is_json), cmocka_unit_test(always_means_always),
        cmocka_unit_test(checks_tables),      cmocka_unit_test(any_thread_any_type),
        cmocka_unit_test(encodes_lists),      cmocka_unit_test(checks_lists_and_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
