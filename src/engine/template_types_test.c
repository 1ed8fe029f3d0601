// SPDX-License-Identifier: Apache-2.0
/* Every field that an event may have has a type, and one only: a protocol that is new gets its own by
 * itself, or fails here. Dashboards ask for such fields only, each for what its type can answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/json_check.h"
#include "base/node_json.h"
#include "dashboard/dashboard.h"
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

/* ---- Dashboards -------------------------------------------------------------------------------------- */

static const char numbers[] = "long double float";
static const char ordered[] = "long double float date";
static const char keys[] = "keyword long ip date boolean double float";
static const char any[] = "keyword long ip date boolean double float text";

static void expect_type(struct seen *seen, const struct dashboard_chart *chart, struct span field,
                        const char *types)
{
    const struct node *type = node_member(seen->types, field);
    char name[32] = "";
    if (type != NULL) {
        snprintf(name, sizeof name, "%.*s", (int)type->text.size, (const char *)type->text.data);
    }
    if (type == NULL || strstr(types, name) == NULL) {
        print_error("%s: %.*s is %s, not one of %s\n", chart->title, (int)field.size,
                    (const char *)field.data, type == NULL ? "no field" : name, types);
        seen->faults++;
    }
}

static void check_measure(struct seen *seen, const struct dashboard_chart *chart,
                          const struct dashboard_measure *measure)
{
    static const char *const types[] = {
        [DASHBOARD_SUM] = numbers,         [DASHBOARD_MAX] = ordered,
        [DASHBOARD_MIN] = ordered,         [DASHBOARD_PERCENTILES] = numbers,
        [DASHBOARD_DISTINCT] = keys,
    };
    if (measure->what == DASHBOARD_COUNT) {
        assert_null(measure->field);
    } else if (measure->what != 0) {
        expect_type(seen, chart, span_str(measure->field), types[measure->what]);
    }
}

/* Names in KQL stand before a colon or a comparison; what is in quotes is none. */
static void check_query(struct seen *seen, const struct dashboard_chart *chart)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789@_.";
    bool is_quoted = false;
    for (const char *at = chart->query; *at != '\0';) {
        size_t size = strspn(at, letters);
        const char *behind = at + size + strspn(at + size, " ");
        if (size > 0 && !is_quoted && strchr(":<>", *behind) != NULL && *behind != '\0') {
            expect_type(seen, chart, span_of(at, size), any);
        }
        is_quoted = *at == '"' ? !is_quoted : is_quoted;
        at += size > 0 ? size : 1;
    }
    assert_false(is_quoted);
}

static void check_chart(struct seen *seen, const struct dashboard_chart *chart)
{
    for (unsigned i = 0; i < DASHBOARD_MEASURES; i++) {
        check_measure(seen, chart, &chart->measures[i]);
    }
    for (unsigned i = 0; i < DASHBOARD_SPLITS && chart->splits[i].field != NULL; i++) {
        bool is_time = strcmp(chart->splits[i].field, "@timestamp") == 0;
        assert_int_equal(chart->splits[i].most > 0, !is_time);
        expect_type(seen, chart, span_str(chart->splits[i].field), is_time ? "date" : keys);
    }
    for (unsigned i = 0; i < DASHBOARD_COLUMNS && chart->columns[i] != NULL; i++) {
        expect_type(seen, chart, span_str(chart->columns[i]), any);
    }
    check_query(seen, chart);
}

static void dashboards_ask_for_fields_that_can_answer(void **state)
{
    (void)state;
    struct seen seen = {0};
    seen.types = node_new(&seen.tree, NODE_MAP, (struct span){0});
    template_types_walk(see, &seen);
    for (const struct dashboard *d = dashboards; d->name != NULL; d++) {
        for (const struct dashboard_chart *chart = d->charts; chart->title != NULL; chart++) {
            check_chart(&seen, chart);
        }
    }
    assert_int_equal(seen.faults, 0);
    node_done(&seen.tree);
}

/* Numbers are shown as bytes, times and the like; a text shown so would be shown as nothing. */
static void patterns_format_numbers_only(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct json line;
    json_init(&line);
    seen.types = node_new(&seen.tree, NODE_MAP, (struct span){0});
    template_types_walk(see, &seen);
    dashboard_write_pattern(&line, "x-*");
    const struct node *object = node_json_parse(&seen.tree, span_of(line.data, line.size));
    const struct node *text = node_find(object, span_str("attributes.fieldFormatMap"));
    const struct node *formats = node_json_parse(&seen.tree, text->text);
    unsigned count = 0;
    for (const struct node *f = formats->first; f != NULL; f = f->next, count++) {
        expect_type(&seen, &(struct dashboard_chart){.title = "formats"}, f->name, numbers);
    }
    assert_true(count > 5 && seen.faults == 0);
    json_done(&line);
    node_done(&seen.tree);
}

/* ---- The template ------------------------------------------------------------------------------------ */

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
        cmocka_unit_test(dashboards_ask_for_fields_that_can_answer),
        cmocka_unit_test(patterns_format_numbers_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
