// SPDX-License-Identifier: Apache-2.0
#include "api/hierarchy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json_check.h"
#include "wire/packet.h"

static struct board_path path(uint64_t packets, unsigned count, ...)
{
    struct board_path ret = {.packets = packets, .bytes = packets * 100};
    va_list layers;
    va_start(layers, count);
    for (unsigned i = 0; i < count; i++) {
        ret.layers |= (uint64_t)va_arg(layers, unsigned) << (i * PACKET_LAYER_BITS);
    }
    va_end(layers);
    return ret;
}

static void expect(const struct board_path *paths, uint32_t count, const char *expected)
{
    struct json json;
    json_init(&json);
    hierarchy_json(paths, count, &json);
    json_append(&json, "", 1);
    assert_string_equal(json.data, expected);
    json_done(&json);
}

static void test_empty(void **state)
{
    expect(NULL, 0, "[]");
    expect(&(struct board_path){.packets = 3}, 1, "[]");
}

/* Siblings by bytes, whatever the order they come in; a layer counts what ends at it, too. */
static void test_tree(void **state)
{
    const struct board_path paths[] = {
        path(1, 2, LAYER_ETHERNET, LAYER_ARP),
        path(5, 3, LAYER_ETHERNET, LAYER_IPV4, LAYER_TCP),
        path(2, 2, LAYER_ETHERNET, LAYER_IPV4),
        path(9, 3, LAYER_ETHERNET, LAYER_IPV4, LAYER_UDP),
    };
    expect(paths, 4,
           "[{\"name\":\"ethernet\",\"packets\":17,\"bytes\":1700,\"children\":["
           "{\"name\":\"ipv4\",\"packets\":16,\"bytes\":1600,\"children\":["
           "{\"name\":\"udp\",\"packets\":9,\"bytes\":900,\"children\":[]},"
           "{\"name\":\"tcp\",\"packets\":5,\"bytes\":500,\"children\":[]}]},"
           "{\"name\":\"arp\",\"packets\":1,\"bytes\":100,\"children\":[]}]}]");
}

/* As many paths as the board holds, as deep as a packet can be. */
static void test_largest(void **state)
{
    static struct board_path paths[BOARD_PATHS];
    for (unsigned i = 0; i < BOARD_PATHS; i++) {
        paths[i].packets = i;
        for (unsigned depth = 0; depth < PACKET_LAYERS_MAX; depth++) {
            uint64_t layer = LAYER_ETHERNET + (i * (depth + 1)) % (LAYER_COUNT - LAYER_ETHERNET);
            paths[i].layers |= layer << (depth * PACKET_LAYER_BITS);
        }
    }
    struct json json;
    json_init(&json);
    hierarchy_json(paths, BOARD_PATHS, &json);
    assert_true(json_check(json.data, json.size));
    json_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
