// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/flow_identity.h"

enum { PLACES = 1 << 16 };

/* A report of flow number `flow`, which began with packet `order` from `port`. */
static struct flow_event report(uint32_t flow, uint64_t order, uint16_t port, bool final)
{
    return (struct flow_event){
        .head = {.type = &flow_event_type, .suborder = order},
        .key = {.address = {{10, 0, 0, 1}, {10, 0, 0, 2}}, .port = {port, 80}, .protocol = 6,
                .version = 4},
        .start_ns = order,
        .flow = flow,
        .final = final,
    };
}

/* What is recalled is what would have been made. */
static void is_as_made(struct flow_identities *all, struct flow_event event)
{
    struct flow_event made = event;
    flow_event_finish(&made);
    flow_identities_finish(all, &event);
    assert_string_equal(event.community_id, made.community_id);
    assert_string_equal(event.flow_id, made.flow_id);
}

static void reports_of_a_flow_have_one_identity(void **state)
{
    struct flow_identities *all = flow_identities_new();
    assert_non_null(all);
    for (unsigned i = 0; i < 3; i++) {
        is_as_made(all, report(7, 1, 1000, i == 2));
    }
    flow_identities_free(all);
    (void)state;
}

static void flows_of_one_place_are_told_apart(void **state)
{
    struct flow_identities *all = flow_identities_new();
    for (unsigned i = 0; i < 2; i++) {
        is_as_made(all, report(7, 0, 1000, false));
        is_as_made(all, report(7 + PLACES, 1, 1001, false)); /* beyond the places */
        is_as_made(all, report(7, 2, 1002, false));          /* another flow with the number */
    }
    flow_identities_free(all);
    (void)state;
}

static void a_flow_without_a_number_is_not_kept(void **state)
{
    struct flow_identities *all = flow_identities_new();
    is_as_made(all, report(0, 0, 1000, false));
    is_as_made(all, report(0, 0, 1001, false));
    flow_identities_free(all);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_of_a_flow_have_one_identity),
        cmocka_unit_test(flows_of_one_place_are_told_apart),
        cmocka_unit_test(a_flow_without_a_number_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
