// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "handler/facts.h"
#include "handler/requests.h"

/* ---- Names ---------------------------------------------------------------------------------- */

static void suffixes_end_at_dots(void **state)
{
    (void)state;
    const char *words[] = {"example.org", ".test"};
    struct handler_words two = {words, words, 2}, none = {0};
    assert_true(requests_has_suffix(&two, span_str("example.org")));
    assert_true(requests_has_suffix(&two, span_str("WWW.Example.org")));
    assert_true(requests_has_suffix(&two, span_str("a.test")));
    assert_false(requests_has_suffix(&two, span_str("badexample.org")));
    assert_false(requests_has_suffix(&two, span_str("test")));
    assert_false(requests_has_suffix(&two, span_str("")));
    assert_true(requests_has_suffix(&none, span_str("")));
}

static void ends_are_as_in_urls(void **state)
{
    (void)state;
    static const uint8_t four[4] = {192, 0, 2, 1}, six[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    struct handler_event event = {.version = 4, .address = {four, four}, .port = {1, 443}};
    char to[REQUESTS_END];
    assert_true(span_equal(requests_end(&event, 1, true, to), span_str("192.0.2.1:443")));
    assert_true(span_equal(requests_end(&event, 0, false, to), span_str("192.0.2.1")));
    event = (struct handler_event){.version = 6, .address = {six, six}, .port = {1, 443}};
    assert_true(span_equal(requests_end(&event, 1, true, to), span_str("[2001:db8::1]:443")));
    assert_true(span_equal(requests_end(&event, 0, false, to), span_str("2001:db8::1")));
}

/* ---- Fields by name ------------------------------------------------------------------------- */

struct thing {
    struct transaction transaction;
    uint16_t code;
    char word[8];
};

static const struct event_field thing_fields[] = {
    {.name = "thing.code", .kind = EVENT_U16, .offset = offsetof(struct thing, code)},
    {.name = "thing.word", .kind = EVENT_INLINE, .offset = offsetof(struct thing, word)},
    {0},
};

static const struct event_type thing_type = {
    .dataset = "thing", .size = sizeof(struct thing), .fields = thing_fields,
    .common = transaction_fields};
static const struct event_type other_type = {
    .dataset = "other", .size = sizeof(struct transaction), .fields = thing_fields + 2,
    .common = transaction_fields};

static void fields_are_found_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"thing.word", "thing.code", "method", "no.such", NULL};
    static const char *const datasets[] = {"thing", NULL};
    struct facts facts = {0};
    struct thing thing = {.transaction.head.type = &thing_type, .code = 404, .word = "hello"};
    struct transaction other = {.head.type = &other_type, .method = span_str("GET")};
    for (unsigned i = 0; i < 3; i++) { /* made, kept */
        const struct event_head *head = &thing.transaction.head;
        const struct event_field *const *f = facts_find(&facts, names, head);
        assert_true(span_equal(facts_text(head, f[0]), span_str("hello")));
        assert_int_equal(facts_number(head, f[1]), 404);
        assert_int_equal(facts_text(head, f[1]).size, 0);
        assert_null(f[3]);
        f = facts_find(&facts, names, &other.head);
        assert_null(f[0]);
        assert_true(span_equal(facts_text(&other.head, f[2]), span_str("GET")));
        assert_int_equal(facts_number(&other.head, f[0]), 0);
    }
    struct handler_event event = {.transaction = &thing.transaction.head};
    assert_ptr_equal(requests_event(&event, datasets), &thing);
    event.transaction = &other.head;
    assert_null(requests_event(&event, datasets));
    event.transaction = NULL;
    assert_null(requests_event(&event, datasets));
}

static void more_types_than_are_kept(void **state)
{
    (void)state;
    static const char *const names[] = {"thing.code", NULL};
    struct event_type types[2 * FACTS_TYPES];
    struct facts facts = {0};
    struct thing thing = {.code = 7};
    for (unsigned i = 0; i < 6 * FACTS_TYPES; i++) {
        types[i % (2 * FACTS_TYPES)] = thing_type;
        thing.transaction.head.type = &types[i % (2 * FACTS_TYPES)];
        const struct event_head *head = &thing.transaction.head;
        assert_int_equal(facts_number(head, facts_find(&facts, names, head)[0]), 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suffixes_end_at_dots),
        cmocka_unit_test(ends_are_as_in_urls),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(more_types_than_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
