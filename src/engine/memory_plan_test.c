// SPDX-License-Identifier: Apache-2.0
/* The parts of the memory: they fit in it, whatever is asked for, and flows always have some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/conversation_pool.h"
#include "engine/memory_plan.h"

#define MIB (INT64_C(1) << 20)

static struct config config_with(int64_t memory, int64_t flows, bool health)
{
    return (struct config){
        .limits = {.memory = memory, .flows = flows, .fragments_memory = memory / 64},
        .flows = {.health = health},
    };
}

static uint64_t sum(const struct memory_plan *plan)
{
    return plan->flow_memory + plan->talk_memory + plan->shared_memory;
}

static void all_parts_fit(void **state)
{
    static const int64_t sizes[] = {64, 256, 512, 2048, 65536};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (uint32_t workers = 1; workers <= 2; workers++) {
            for (unsigned health = 0; health < 2; health++) {
                struct config config = config_with(sizes[i] * MIB, 0, health);
                struct memory_plan plan = memory_plan(&config, workers);
                assert_true(sum(&plan) * workers < (uint64_t)config.limits.memory);
                assert_true((uint64_t)plan.flows * plan.flow_bytes <=
                            plan.flow_memory + plan.shared_memory);
                assert_true(plan.flows > 1024);
            }
        }
    }
    (void)state;
}

static void little_memory_holds_some_flows(void **state)
{
    struct config config = config_with(16 * MIB, 0, true);
    struct memory_plan plan = memory_plan(&config, 4);
    assert_int_equal(plan.flows, 1024);
    assert_true(plan.flow_memory >= (uint64_t)plan.flows * plan.flow_bytes);
    assert_int_equal(plan.shared_memory, 0);
    (void)state;
}

static void a_number_of_flows_is_kept(void **state)
{
    struct config config = config_with(512 * MIB, 10001, false);
    struct memory_plan plan = memory_plan(&config, 2);
    assert_int_equal(plan.flows, 5001);
    assert_int_equal(plan.flow_memory, (uint64_t)5001 * plan.flow_bytes);
    assert_true(plan.shared_memory > 0);
    (void)state;
}

/* A million connections at rest, each with a parser whose state takes a block of 128 bytes. */
static void a_million_parsers_fit_in_512_mib(void **state)
{
    const uint64_t count = 1000000, blocks = 128;
    struct config config = config_with(512 * MIB, 0, false);
    struct memory_plan plan = memory_plan(&config, 1);
    uint64_t flows = count * plan.flow_bytes;
    uint64_t talks = count * (CONVERSATION_BYTES + blocks);
    assert_true(plan.flows >= count);
    uint64_t beyond = flows > plan.flow_memory ? flows - plan.flow_memory : 0;
    assert_true(beyond + talks <= plan.talk_memory + plan.shared_memory);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_parts_fit),
        cmocka_unit_test(little_memory_holds_some_flows),
        cmocka_unit_test(a_number_of_flows_is_kept),
        cmocka_unit_test(a_million_parsers_fit_in_512_mib),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
