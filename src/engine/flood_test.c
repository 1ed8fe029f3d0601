// SPDX-License-Identifier: Apache-2.0
#include "engine/flood.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* A handshake from one of many clients that the server answered. */
static struct flow half_open(uint32_t client, uint8_t server)
{
    struct flow flow = {.key = {.port = {(uint16_t)(1024 + client), 80}, .protocol = 6, .version = 4,
                                .address = {{10, 0, (uint8_t)(client >> 8), (uint8_t)client},
                                            {10, 1, 0, server}}}};
    flow.tcp_flags[0] = TCP_SYN;
    flow.tcp_flags[1] = TCP_SYN | TCP_ACK;
    return flow;
}

static void note(struct flood *flood, uint32_t count, uint8_t server, int change)
{
    for (uint32_t i = 0; i < count; i++) {
        struct flow flow = half_open(i, server);
        flood_note(flood, &flow, change);
    }
}

static void many_that_wait_are_a_flood(void **state)
{
    (void)state;
    struct flood *flood = calloc(1, sizeof *flood);
    struct flow one = half_open(0, 1), other = half_open(0, 2);
    note(flood, FLOOD_LEAST - 1, 1, 1);
    assert_false(flood_has(flood, &one));
    note(flood, 1, 1, 1);
    assert_true(flood_has(flood, &one));
    assert_false(flood_has(flood, &other));
    one.tcp_flags[0] |= TCP_ACK; /* one that completes amid it is none of it */
    assert_false(flood_has(flood, &one));
    free(flood);
}

static void it_lasts_until_none_waits(void **state)
{
    (void)state;
    struct flood *flood = calloc(1, sizeof *flood);
    struct flow one = half_open(0, 1);
    note(flood, FLOOD_LEAST, 1, 1);
    note(flood, FLOOD_LEAST - 1, 1, -1);
    assert_true(flood_has(flood, &one));
    note(flood, 1, 1, -1);
    assert_false(flood_has(flood, &one));
    note(flood, 3, 1, -1); /* more than were counted */
    note(flood, FLOOD_LEAST - 1, 1, 1);
    assert_false(flood_has(flood, &one));
    free(flood);
}

static void handshakes_that_complete_are_none(void **state)
{
    (void)state;
    struct flood *flood = calloc(1, sizeof *flood);
    struct flow one = half_open(0, 1);
    for (int i = 0; i < 10 * FLOOD_LEAST; i++) {
        note(flood, 1, 1, 1);
        note(flood, 1, 1, -1);
    }
    assert_false(flood_has(flood, &one));
    free(flood);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_that_wait_are_a_flood),
        cmocka_unit_test(it_lasts_until_none_waits),
        cmocka_unit_test(handshakes_that_complete_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
