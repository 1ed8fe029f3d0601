// SPDX-License-Identifier: Apache-2.0
/* Saved objects: each is JSON, JSON within it, too; no id comes twice; references lead to what is there, and
 * panels of a dashboard neither overlap nor leave the grid. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/node_json.h"
#include "dashboard/dashboard.h"

static struct span text_at(const struct node *map, const char *path)
{
    const struct node *node = node_find(map, span_str(path));
    return node != NULL ? node->text : (struct span){0};
}

/* All objects as a map: "TYPE ID" to the object. */
static struct node *all_objects(struct nodes *tree)
{
    struct json text;
    struct node *all = node_new(tree, NODE_MAP, (struct span){0});
    json_init(&text);
    dashboard_write_pattern(&text, "net-*");
    for (const struct dashboard *d = dashboards; d->name != NULL; d++) {
        dashboard_write(&text, d, "net-*");
    }
    assert_false(text.failed);
    struct span rest = node_copy(tree, span_of(text.data, text.size));
    json_done(&text);
    while (rest.size > 0) {
        const uint8_t *end = memchr(rest.data, '\n', rest.size);
        assert_non_null(end);
        struct node *object = node_json_parse(tree, span_head(rest, (size_t)(end - rest.data)));
        assert_non_null(object);
        struct span type = text_at(object, "type");
        struct span id = text_at(object, "id");
        struct span name = node_format(tree, "%.*s %.*s", (int)type.size, (const char *)type.data,
                                       (int)id.size, (const char *)id.data);
        assert_null(node_member(all, name));
        node_append_named(all, name, object);
        rest = span_skip(rest, (size_t)(end - rest.data) + 1);
    }
    return all;
}

static void check_inner(struct nodes *tree, const struct node *object)
{
    static const char *const inner[] = {
        "visState", "uiStateJSON", "panelsJSON", "optionsJSON", "fieldFormatMap",
        "kibanaSavedObjectMeta.searchSourceJSON",
    };
    const struct node *attributes = node_member(object, span_str("attributes"));
    assert_true(text_at(attributes, "title").size > 0);
    for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
        struct span text = text_at(attributes, inner[i]);
        assert_true(text.size == 0 || node_json_parse(tree, text) != NULL);
    }
}

static void check_references(struct nodes *tree, const struct node *all, const struct node *object)
{
    const struct node *list = node_member(object, span_str("references"));
    for (const struct node *r = list->first; r != NULL; r = r->next) {
        struct span type = text_at(r, "type");
        struct span id = text_at(r, "id");
        struct span name = node_format(tree, "%.*s %.*s", (int)type.size, (const char *)type.data,
                                       (int)id.size, (const char *)id.data);
        assert_non_null(node_member(all, name));
    }
}

static void objects_are_whole(void **state)
{
    (void)state;
    struct nodes tree = {0};
    const struct node *all = all_objects(&tree);
    unsigned count = 0;
    for (const struct node *object = all->first; object != NULL; object = object->next, count++) {
        check_inner(&tree, object);
        check_references(&tree, all, object);
    }
    assert_true(count > 80);
    node_done(&tree);
}

static unsigned number_at(const struct node *map, const char *path)
{
    unsigned number = 0;
    char text[16] = "";
    struct span digits = text_at(map, path);
    assert_true(digits.size > 0 && digits.size < sizeof text);
    memcpy(text, digits.data, digits.size);
    assert_int_equal(sscanf(text, "%u", &number), 1);
    return number;
}

static void take_place(bool taken[400][48], const struct node *grid)
{
    unsigned x = number_at(grid, "x"), y = number_at(grid, "y");
    unsigned w = number_at(grid, "w"), h = number_at(grid, "h");
    assert_true(w > 0 && h > 0 && x + w <= 48 && y + h <= 400);
    for (unsigned row = y; row < y + h; row++) {
        for (unsigned column = x; column < x + w; column++) {
            assert_false(taken[row][column]);
            taken[row][column] = true;
        }
    }
}

static void panels_have_their_places(void **state)
{
    (void)state;
    struct nodes tree = {0};
    const struct node *all = all_objects(&tree);
    unsigned boards = 0;
    for (const struct node *object = all->first; object != NULL; object = object->next) {
        if (!node_is(node_member(object, span_str("type")), "dashboard")) {
            continue;
        }
        bool taken[400][48] = {0};
        const struct node *references = node_member(object, span_str("references"));
        const struct node *reference = references->first;
        const struct node *panel =
            node_json_parse(&tree, text_at(object, "attributes.panelsJSON"))->first;
        for (; panel != NULL; panel = panel->next, reference = reference->next) {
            take_place(taken, node_member(panel, span_str("gridData")));
            assert_non_null(reference);
            assert_true(span_equal(text_at(panel, "panelRefName"), text_at(reference, "name")));
        }
        assert_null(reference);
        boards++;
    }
    assert_int_equal(boards, 8);
    node_done(&tree);
}

static void dashboards_are_found(void **state)
{
    (void)state;
    assert_ptr_equal(dashboard_find("http"), dashboard_find("vantage-http"));
    assert_string_equal(dashboard_find("vantage-tls")->name, "tls");
    assert_null(dashboard_find("vantage-"));
    assert_null(dashboard_find("nothing"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_whole),
        cmocka_unit_test(panels_have_their_places),
        cmocka_unit_test(dashboards_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
