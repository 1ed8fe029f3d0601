// SPDX-License-Identifier: Apache-2.0
/* Every field that an event may have has a type, and one only: a protocol that is new gets its own by
 * itself, or fails here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_check.h"
#include "base/node_json.h"
#include "engine/beat_fields.h"
#include "engine/index_template.h"
#include "engine/template_types.h"
#include "proto/proto.h"

struct seen {
    struct nodes tree;
    struct node *types; /* by path */
    unsigned faults;
};

static void see(void *context, const char *path, const char *type)
{
    struct seen *seen = context;
    if (type == NULL) {
        print_error("%s has no type: name it in beat_fields.c\n", path);
        seen->faults++;
        return;
    }
    struct span name = node_copy(&seen->tree, span_str(path));
    const struct node *before = node_member(seen->types, name);
    if (before == NULL) {
        node_append_named(seen->types, name, node_new(&seen->tree, NODE_TEXT, span_str(type)));
    } else if (!node_is(before, type)) {
        print_error("%s is a %s and a %.*s\n", path, type, (int)before->text.size, before->text.data);
        seen->faults++;
    }
}

static void every_field_has_one_type(void **state)
{
    (void)state;
    struct seen seen = {0};
    seen.types = node_new(&seen.tree, NODE_MAP, (struct span){0});
    template_types_walk(see, &seen);
    assert_int_equal(seen.faults, 0);
    static const char *const some[][2] = {
        {"source.ip", "ip"},           {"event.start", "date"},        {"event.round_trip", "long"},
        {"kafka.api_version", "long"}, {"dhcpv6.transaction_id", "keyword"}, {"flow.final", "boolean"},
        {"tls.client.ja4", "keyword"}, {"tcp.health.min_rtt_to_server_ms", "double"},
    };
    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        const struct node *type = node_member(seen.types, span_str(some[i][0]));
        if (type == NULL || !node_is(type, some[i][1])) {
            fail_msg("%s is no %s", some[i][0], some[i][1]);
        }
    }
    node_done(&seen.tree);
}

static void every_protocol_names_its_events(void **state)
{
    (void)state;
    for (const struct proto *const *proto = protos; *proto != NULL; proto++) {
        bool reads = (*proto)->on_chunk != NULL || (*proto)->on_datagram != NULL;
        if (reads && ((*proto)->events == NULL || (*proto)->events[0] == NULL)) {
            fail_msg("%s names no events", (*proto)->name);
        }
    }
}

/* Fields with a type that is known; objects alone have fields below them. */
static unsigned check_properties(const struct node *properties, const char *above)
{
    static const char *const types[] = {"keyword", "long", "ip", "date", "boolean", "double",
                                        "object", "text", "float", "geo_point", NULL};
    unsigned count = 0;
    for (const struct node *field = properties->first; field != NULL; field = field->next) {
        const struct node *type = node_member(field, span_str("type"));
        const struct node *below = node_member(field, span_str("properties"));
        size_t i = 0;
        while (type != NULL && types[i] != NULL && !node_is(type, types[i])) {
            i++;
        }
        bool is_known = type == NULL ? below != NULL : types[i] != NULL;
        if (!is_known || (below != NULL && type != NULL && !node_is(type, "object"))) {
            fail_msg("below %s: %.*s has no type, or is a value and an object", above,
                     (int)field->name.size, field->name.data);
        }
        count += below != NULL ? check_properties(below, above) : 1;
    }
    return count;
}

static void the_template_is_sound(void **state)
{
    (void)state;
    struct json text;
    struct nodes tree = {0};
    struct index_template options = {.pattern = "x*", .beat = "x", .version = "1", .policy = "p"};
    json_init(&text);
    index_template_write(&text, &options);
    assert_true(json_check(text.data, text.size));
    const struct node *root = node_json_parse(&tree, span_of(text.data, text.size));
    assert_non_null(root);
    const struct node *mappings = node_find(root, span_str("template.mappings.properties"));
    assert_true(mappings != NULL && check_properties(mappings, "the root") > 600);
    json_done(&text);
    node_done(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_has_one_type),
        cmocka_unit_test(every_protocol_names_its_events),
        cmocka_unit_test(the_template_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
