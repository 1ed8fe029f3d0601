// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/slab.h"
#include "event/event_log.h"
#include "event/event_writer.h"

struct part {
    struct span name;
    struct event_items parts;
};

struct sample {
    struct event_head head;
    uint64_t number;
    struct span text;
    struct event_spans notes;
    struct event_pairs pairs;
    struct event_items parts;
    struct event_addresses addresses;
};

#define ROW(type_, name_, kind_, member, ...)                                                      \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct type_, member), .help = "a test",  \
        __VA_ARGS__                                                                                \
    }

static const struct event_field leaf_fields[] = {ROW(part, "name", EVENT_SPAN, name), {0}};
static const struct event_type leaf = {
    .dataset = "leaf", .size = sizeof(struct part), .fields = leaf_fields};
static const struct event_field part_fields[] = {
    ROW(part, "leaves", EVENT_ITEMS, parts, .item = &leaf),
    ROW(part, "name", EVENT_SPAN, name),
    {0},
};
static const struct event_type part_type = {
    .dataset = "part", .size = sizeof(struct part), .fields = part_fields};

static const struct event_field common[] = {ROW(sample, "text", EVENT_SPAN, text), {0}};
static const struct event_field fields[] = {
    ROW(sample, "addresses", EVENT_ADDRESSES, addresses),
    ROW(sample, "also", EVENT_SPAN, text, .flags = EVENT_COPY | EVENT_EMPTY_TOO),
    ROW(sample, "copy", EVENT_SPAN, text, .flags = EVENT_COPY),
    ROW(sample, "notes", EVENT_SPANS, notes),
    ROW(sample, "number", EVENT_U64, number),
    ROW(sample, "pairs", EVENT_PAIRS, pairs),
    ROW(sample, "parts", EVENT_ITEMS, parts, .item = &part_type),
    {0},
};
static const struct event_type type = {.dataset = "sample",
                                       .help = "All that is borrowed",
                                       .size = sizeof(struct sample),
                                       .fields = fields,
                                       .common = common};

/* Memory of a sample that can be wiped once it was packed. */
struct lent {
    char bytes[5][8];
    struct span notes[2];
    struct event_pair pairs[1];
    struct part leaves[2];
    struct part parts[2];
    struct event_address addresses[2];
};

static struct sample lend(struct lent *l)
{
    static const char texts[5][8] = {"alpha", "beta", "gamma", "delta", "epsilon"};
    memcpy(l->bytes, texts, sizeof texts);
    struct span spans[5];
    for (unsigned i = 0; i < 5; i++) {
        spans[i] = span_str(l->bytes[i]);
    }
    memcpy(l->notes, spans, sizeof l->notes);
    l->pairs[0] = (struct event_pair){spans[2], spans[3]};
    l->leaves[0] = (struct part){.name = spans[4]};
    l->leaves[1] = (struct part){.name = spans[0]};
    l->parts[0] = (struct part){.name = spans[1], .parts = {2, l->leaves}};
    l->parts[1] = (struct part){.name = span_of(NULL, 0)};
    l->addresses[0] = (struct event_address){4, {1, 2, 3, 4}};
    l->addresses[1] = (struct event_address){4, {5, 6, 7, 8}};
    return (struct sample){.head = {.type = &type, .order = 7},
                           .number = 42,
                           .text = spans[4],
                           .notes = {2, l->notes},
                           .pairs = {1, l->pairs},
                           .parts = {2, l->parts},
                           .addresses = {2, l->addresses}};
}

static const char whole[] =
    "{\"addresses\":[\"1.2.3.4\",\"5.6.7.8\"],\"also\":\"epsilon\",\"copy\":\"epsilon\",\"notes\":[\"alpha\",\"beta\"],"
    "\"number\":42,\"pairs\":{\"gamma\":\"delta\"},\"parts\":[{\"leaves\":[{\"name\":\"epsilon\"},"
    "{\"name\":\"alpha\"}],\"name\":\"beta\"},{}],\"text\":\"epsilon\"}";

static void assert_encoded(const void *event, const char *expected)
{
    struct json j;
    json_init(&j);
    event_json(&j, event);
    json_append(&j, "", 1);
    assert_string_equal(j.data, expected);
    json_done(&j);
}

static void outlives_what_it_was_made_of(void **state)
{
    struct err err = {0};
    assert_true(event_type_check(&type, &err));
    struct lent *lent = malloc(sizeof *lent);
    assert_non_null(lent);
    struct sample s = lend(lent);
    size_t size = event_pack(NULL, 0, &s.head, 100);
    assert_int_equal(size % 8, 0);
    void *copy = malloc(size);
    assert_non_null(copy);
    assert_int_equal(event_pack(copy, size, &s.head, 100), size);
    free(lent);
    memset(&s, 0xff, sizeof s);
    assert_encoded(copy, whole);
    /* And again, from a copy that is gone then, as from the log to a ring. */
    void *again = malloc(size);
    assert_non_null(again);
    assert_int_equal(event_pack(again, size, copy, 100), size);
    free(copy);
    assert_encoded(again, whole);
    free(again);
}

/* With less room nothing is written beyond it, and the answer is the same. */
static void any_room(void **state)
{
    struct lent lent;
    struct sample s = lend(&lent);
    size_t size = event_pack(NULL, 0, &s.head, 100);
    for (size_t room = 0; room < size; room += 8) {
        void *copy = malloc(room);
        assert_int_equal(event_pack(copy, room, &s.head, 100), size);
        free(copy);
    }
}

static void cuts_between_characters(void **state)
{
    static const struct {
        const char *text;
        size_t max;
        size_t kept;
    } cases[] = {
        {"abc", 3, 3},          {"abc", 2, 2},           {"abc", 0, 0},
        {"a\xc3\xa4", 2, 1},    {"a\xc3\xa4", 3, 3},     {"\xc3\xa4", 1, 0},
        {"\xe2\x82\xac!", 2, 0}, {"\xe2\x82\xac!", 3, 3}, {"\xf0\x9f\x98\x80!", 3, 0},
        {"\xf0\x9f\x98\x80!", 4, 4},
        {"\x80\x80\x80\x80\x80", 4, 4}, /* no text: cut where it comes */
        {"\xe2\xff\xff", 1, 1},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sample s = {.head = {.type = &type}, .text = span_str(cases[i].text)};
        uint64_t room[64];
        assert_true(event_pack(room, sizeof room, &s.head, cases[i].max) <= sizeof room);
        struct sample *copy = (struct sample *)room;
        assert_int_equal(copy->text.size, cases[i].kept);
    }
}

static void tells_empty_from_none(void **state)
{
    uint64_t room[64];
    struct sample s = {.head = {.type = &type}, .text = span_str("")};
    event_pack(room, sizeof room, &s.head, 100);
    assert_encoded(room, "{\"also\":\"\"}");
    s.text = span_of(NULL, 0);
    event_pack(room, sizeof room, &s.head, 100);
    assert_encoded(room, "{}");
}

static void log_keeps_what_fits(void **state)
{
    struct lent lent;
    struct sample s = lend(&lent);
    uint64_t memory[512];
    struct event_log log = {
        .memory = (uint8_t *)memory, .capacity = sizeof memory, .text_max = 100};
    assert_null(event_log_first(&log));
    unsigned kept = 0;
    while (s.number = kept, event_log_add(&log, &s.head)) {
        kept++;
    }
    assert_true(kept > 2);
    assert_int_equal(log.lost, 1);
    unsigned seen = 0;
    for (struct event_head *e = event_log_first(&log); e != NULL; e = event_log_next(&log, e)) {
        assert_int_equal(((struct sample *)(void *)e)->number, seen);
        assert_int_equal(e->order, 7);
        seen++;
    }
    assert_int_equal(seen, kept);
    event_log_reset(&log);
    assert_null(event_log_first(&log));
    assert_true(event_log_add(&log, &s.head));
    struct event_log none = {0};
    assert_false(event_log_add(&none, &s.head));
    assert_int_equal(none.lost, 1);
}

static void complete(void *owner, struct event_head *event)
{
    ((struct sample *)(void *)event)->number = (uint64_t)++*(unsigned *)owner;
}

/* What a log encodes at once is what is encoded later; what has to be cut is packed. */
static void log_writes_lines(void **state)
{
    struct lent lent;
    struct sample s = lend(&lent);
    uint64_t memory[512];
    unsigned completed = 0;
    struct event_log log = {.memory = (uint8_t *)memory, .capacity = sizeof memory, .text_max = 400,
                            .writer = event_writer_new(0), .complete = complete,
                            .owner = &completed};
    struct json expected;
    json_init(&expected);
    assert_true(event_log_add(&log, &s.head));
    const struct event_line *line = (const struct event_line *)event_log_first(&log);
    assert_ptr_equal(line->head.type, &event_line_type);
    assert_int_equal(line->head.order, 7);
    assert_int_equal(s.number, 1);
    event_json(&expected, &s.head);
    json_append(&expected, "\n", 1);
    assert_int_equal(line->size, expected.size);
    assert_memory_equal(line->text, expected.data, expected.size);
    log.text_max = 10;
    assert_true(event_log_add(&log, &s.head));
    struct event_head *packed = event_log_next(&log, &line->head);
    assert_ptr_equal(packed->type, &type);
    assert_null(event_log_next(&log, packed));
    while (event_log_add(&log, &s.head)) {
        assert_true(completed < 100);
    }
    assert_int_equal(log.lost, 1);
    json_done(&expected);
    event_writer_free(log.writer);
    (void)state;
}

/* Lines that go right to where they are wanted are the same; behind one that cannot, all others wait. */
static void log_passes_lines_on(void **state)
{
    struct lent lent;
    struct sample s = lend(&lent);
    uint64_t memory[1024];
    char text[8192];
    struct json lines = {.data = text, .capacity = sizeof text, .is_fixed = true};
    struct event_log log = {.memory = (uint8_t *)memory, .capacity = sizeof memory, .text_max = 400,
                            .writer = event_writer_new(0), .lines = &lines};
    struct json expected;
    json_init(&expected);
    assert_true(event_log_add(&log, &s.head));
    event_json(&expected, &s.head);
    json_append(&expected, "\n", 1);
    assert_int_equal(lines.size, expected.size);
    assert_memory_equal(text, expected.data, expected.size);
    log.text_max = 3;
    assert_true(event_log_add(&log, &s.head)); /* a text of it is cut */
    log.text_max = 400;
    assert_true(event_log_add(&log, &s.head));
    assert_int_equal(log.line_count, 1);
    assert_int_equal(lines.size, expected.size);
    struct event_head *packed = event_log_first(&log);
    assert_ptr_equal(packed->type, &type);
    assert_ptr_equal(event_log_whole(packed), packed);
    assert_non_null(event_log_next(&log, packed));
    event_log_reset(&log);
    lines.capacity = lines.size + 10;
    assert_true(event_log_add(&log, &s.head)); /* there is no such room among the lines */
    assert_int_equal(lines.size, expected.size);
    assert_non_null(event_log_first(&log));
    assert_int_equal(log.lost, 0);
    json_done(&expected);
    event_writer_free(log.writer);
    (void)state;
}

/* An event that is larger than the log has a block, as long as there is memory, and else its texts cut. */
static void log_lends_blocks_to_large_events(void **state)
{
    enum { LARGE = 3 << 20, SHORT = 1100 };
    uint64_t memory[512];
    uint8_t *text = malloc(LARGE);
    assert_non_null(text);
    memset(text, 'a', LARGE);
    struct sample s = {.head = {.type = &type, .order = 7}, .text = span_of(text, LARGE)};
    struct slab *slab = slab_new(4 << 20);
    struct event_log log = {.memory = (uint8_t *)memory, .capacity = sizeof memory,
                            .text_max = SHORT, .slab = slab};
    assert_true(event_log_add_whole(&log, &s.head));
    assert_true(event_log_add_whole(&log, &s.head));
    struct event_head *record = event_log_first(&log);
    assert_ptr_equal(record->type, &event_large_type);
    assert_int_equal(record->order, 7);
    struct sample *large = (struct sample *)(void *)event_log_whole(record);
    assert_int_equal(large->text.size, LARGE);
    assert_memory_equal(large->text.data, text, LARGE);
    assert_int_equal(log.large_bytes, slab_room(large));
    record = event_log_next(&log, record);
    assert_ptr_equal(record->type, &type);
    assert_int_equal(((struct sample *)(void *)record)->text.size, SHORT);
    assert_int_equal(log.cut, 1);
    log.is_cut = true; /* its maker had cut another text of it */
    assert_true(event_log_add_whole(&log, &s.head));
    assert_int_equal(log.cut, 2);
    assert_true(event_log_add_whole(&log, &(struct sample){.head = {.type = &type}}.head));
    assert_int_equal(log.cut, 2);
    slab_give(slab, large);
    assert_int_equal(slab_used(slab), 0);
    log.slab = NULL;
    log.text_max = SHORT * 4; /* there is no room for that */
    assert_false(event_log_add_whole(&log, &s.head));
    assert_int_equal(log.lost, 1);
    assert_int_equal(log.cut, 2);
    slab_free(slab);
    free(text);
    (void)state;
}

static void texts_of_any_size_are_packed_whole(void **state)
{
    (void)state;
    enum { MOST = 80 };
    _Alignas(8) uint8_t to[1024];
    for (size_t size = 0; size < MOST; size++) {
        uint8_t *text = malloc(size + 1); /* of its own, so that a byte beyond it is found out */
        assert_non_null(text);
        for (size_t i = 0; i < size; i++) {
            text[i] = (uint8_t)('0' + i % 64);
        }
        struct sample s = {.head = {.type = &type}, .text = span_of(text, size)};
        assert_true(event_pack(to, sizeof to, &s.head, MOST) <= sizeof to);
        const struct sample *copy = (const struct sample *)(const void *)to;
        assert_int_equal(copy->text.size, size);
        assert_memory_equal(copy->text.data, text, size);
        free(text);
    }
}

static void a_long_text_that_is_cut_says_so(void **state)
{
    (void)state;
    enum { MOST = 1024, MARK = 6 };
    static uint8_t text[MOST + 1];
    static _Alignas(8) uint8_t to[2 * MOST];
    static _Alignas(8) uint8_t again[2 * MOST];
    memset(text, 'a', sizeof text);
    struct sample s = {.head = {.type = &type}, .text = span_of(text, MOST)};
    event_pack(to, sizeof to, &s.head, MOST);
    const struct sample *copy = (const struct sample *)(const void *)to;
    assert_memory_equal(copy->text.data, text, MOST);
    s.text = span_of(text, MOST + 1);
    event_pack(to, sizeof to, &s.head, MOST);
    assert_int_equal(copy->text.size, MOST);
    assert_memory_equal(copy->text.data, text, MOST - MARK);
    assert_memory_equal(copy->text.data + MOST - MARK, " [...]", MARK);
    event_pack(again, sizeof again, &copy->head, MOST); /* a second time changes nothing */
    const struct sample *second = (const struct sample *)(const void *)again;
    assert_int_equal(second->text.size, MOST);
    assert_memory_equal(second->text.data, copy->text.data, MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_text_that_is_cut_says_so),
        cmocka_unit_test(outlives_what_it_was_made_of),
        cmocka_unit_test(any_room),
        cmocka_unit_test(cuts_between_characters),
        cmocka_unit_test(tells_empty_from_none),
        cmocka_unit_test(log_keeps_what_fits),
        cmocka_unit_test(log_writes_lines),
        cmocka_unit_test(log_passes_lines_on),
        cmocka_unit_test(log_lends_blocks_to_large_events),
        cmocka_unit_test(texts_of_any_size_are_packed_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
