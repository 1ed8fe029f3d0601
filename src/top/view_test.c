// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/node_json.h"
#include "top/view.h"

static const char flows[] =
    "{\"matched\":3,\"flows\":["
    "{\"source\":{\"ip\":\"192.0.2.1\",\"port\":1},\"destination\":{\"ip\":\"192.0.2.9\"},"
    "\"network\":{\"bytes\":900,\"packets\":3,\"transport\":\"tcp\"}},"
    "{\"source\":{\"ip\":\"192.0.2.2\"},\"destination\":{\"ip\":\"192.0.2.9\"},"
    "\"network\":{\"bytes\":5000,\"packets\":2,\"transport\":\"udp\"}},"
    "{\"source\":{\"ip\":\"192.0.2.3\"},\"destination\":{\"ip\":\"192.0.2.9\"},"
    "\"network\":{\"bytes\":10000,\"packets\":1,\"transport\":\"udp\"}}]}";

struct fixture {
    struct nodes memory;
    struct page page;
    struct page_source source;
    struct view view;
};

static void build(struct fixture *f)
{
    page_build(&f->page, f->view.page, &f->source);
    view_arrange(&f->view, &f->page);
}

static void begin(struct fixture *f)
{
    *f = (struct fixture){.source = {.set = "", .policy = ""}};
    f->source.documents[REMOTE_FLOWS] = node_json_parse(&f->memory, span_str(flows));
    view_init(&f->view, PAGE_FLOWS);
    build(f);
}

static void end(struct fixture *f)
{
    page_done(&f->page);
    node_done(&f->memory);
}

static void type(struct fixture *f, const char *keys)
{
    for (; *keys != '\0'; keys++) {
        view_key(&f->view, &f->page, (unsigned char)*keys);
        if (!f->view.is_typing && !f->view.is_detail) {
            build(f);
        }
    }
}

static const char *first_source(const struct fixture *f)
{
    return f->page.tables[0].rows[0].cells[0].text;
}

static void sorts_by_numbers_and_turns(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_string_equal(first_source(&f), "192.0.2.3"); /* 10000 before 900: by number */
    type(&f, "r");
    assert_string_equal(first_source(&f), "192.0.2.1:1");
    type(&f, "s"); /* packets, most first */
    assert_string_equal(first_source(&f), "192.0.2.1:1");
    type(&f, "r");
    assert_string_equal(first_source(&f), "192.0.2.3");
    end(&f);
}

static void filters_by_word_column_and_not(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    type(&f, "/source:2.2\r");
    assert_int_equal(f.page.tables[0].row_count, 1);
    assert_string_equal(first_source(&f), "192.0.2.2");
    type(&f, "\033/!UDP\r");
    assert_int_equal(f.page.tables[0].row_count, 1);
    assert_string_equal(first_source(&f), "192.0.2.1:1");
    type(&f, "\033");
    assert_int_equal(f.page.tables[0].row_count, 3);
    end(&f);
}

static void asks_the_agent_for_what_it_knows(void **state)
{
    (void)state;
    struct fixture f;
    char path[VIEW_PATH_ROOM];
    begin(&f);
    type(&f, "/ip:2001:db8::/32 port:443 x&y\r");
    assert_true(f.view.is_asking);
    view_flows_path(&f.view, path);
    assert_string_equal(path, "/api/v1/flows?limit=500&offset=0&sort=bytes&order=desc"
                              "&ip=2001%3Adb8%3A%3A%2F32&port=443");
    type(&f, ">");
    view_flows_path(&f.view, path);
    assert_non_null(strstr(path, "offset=500"));
    end(&f);
}

static void moves_opens_and_comes_back(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    view_key(&f.view, &f.page, VIEW_DOWN);
    view_key(&f.view, &f.page, VIEW_DOWN);
    view_key(&f.view, &f.page, VIEW_DOWN);
    assert_int_equal(f.view.places[PAGE_FLOWS].chosen, 2);
    view_key(&f.view, &f.page, VIEW_ENTER);
    assert_true(f.view.is_detail);
    view_key(&f.view, &f.page, VIEW_ESCAPE);
    assert_false(f.view.is_detail);
    type(&f, "gd");
    assert_int_equal(f.view.page, PAGE_DNS);
    type(&f, "2?q");
    assert_true(f.view.is_quit);
    end(&f);
}

static void holds_and_walks_back(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    view_key(&f.view, &f.page, ' ');
    assert_int_equal(f.view.step, -1);
    view_key(&f.view, &f.page, '{');
    assert_int_equal(f.view.step, -11);
    view_key(&f.view, &f.page, ']');
    assert_int_equal(f.view.step, -10);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorts_by_numbers_and_turns),
        cmocka_unit_test(filters_by_word_column_and_not),
        cmocka_unit_test(asks_the_agent_for_what_it_knows),
        cmocka_unit_test(moves_opens_and_comes_back),
        cmocka_unit_test(holds_and_walks_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
