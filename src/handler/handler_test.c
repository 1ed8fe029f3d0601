// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "handler/handler.h"

static void parts_are_sound(const struct handler_parts *parts)
{
    for (; parts != NULL; parts = parts->next) {
        struct err err = {0};
        metric_set_check(parts->set, &err);
        assert_string_equal(err.text, "");
        for (const struct metric *m = parts->set->metrics; m->name != NULL; m++) {
            assert_non_null(m->path);
            assert_non_null(m->family);
        }
        assert_non_null(parts->part);
    }
}

/* A port whose bit is missing would never be read. */
static void readers_are_sound(void **state)
{
    for (const struct handler *const *h = handlers; *h != NULL; h++) {
        const struct handler_reader *reader = (*h)->reader;
        uint64_t bits = 0;
        for (const uint16_t *port = reader != NULL ? reader->ports : NULL; port != NULL && *port != 0;
             port++) {
            bits |= HANDLER_PORT_BIT(*port);
        }
        assert_true(reader == NULL || reader->port_bits == bits);
    }
}

static void tables_are_sound(void **state)
{
    for (const struct handler *const *h = handlers; *h != NULL; h++) {
        struct err err = {0};
        unsigned rates = 0;
        metric_set_check((*h)->set, &err);
        assert_string_equal(err.text, "");
        uint32_t groups = 0;
        for (const struct metric *m = (*h)->set->metrics; m->name != NULL; m++) {
            assert_non_null(m->path);
            assert_non_null(m->family);
            assert_true(m->side == 0 || (*h)->has_side != NULL);
            rates += m->kind == METRIC_RATE;
            groups |= m->groups;
        }
        assert_true(rates <= HANDLER_RATES);
        parts_are_sound((*h)->parts);
        assert_true(groups < 1u << handler_group_count(*h));
        assert_ptr_equal(handler_find((*h)->type, (*h)->version), *h);
    }
    assert_null(handler_find("net", "3.0"));
}

static void the_share_of_deep_samples_is_as_asked(void **state)
{
    struct handler_settings settings = {.deep_sample_rate = 25};
    struct handler_run run = {.settings = &settings};
    unsigned deep = 0;
    for (unsigned i = 0; i < 10000; i++) {
        deep += handler_is_deep(&run);
    }
    assert_in_range(deep, 2300, 2700);
    settings.deep_sample_rate = 100;
    assert_true(handler_is_deep(&run));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_sound),
        cmocka_unit_test(readers_are_sound),
        cmocka_unit_test(the_share_of_deep_samples_is_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
