// SPDX-License-Identifier: Apache-2.0
/* Golden screens: documents of a real agent in data/ drawn at several sizes. With GOLDEN_UPDATE in the
 * environment the goldens are written anew; read them before you commit them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/node_json.h"
#include "top/draw.h"
#include "top/once.h"

struct fixture {
    struct nodes memory;
    struct json texts[REMOTE_ASKS];
    struct page page;
    struct view view;
    struct page_source source;
};

static bool read_all(const char *path, struct json *to)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    char chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, file)) > 0;) {
        json_append(to, chunk, n);
    }
    fclose(file);
    return true;
}

static void begin(struct fixture *f, enum page_kind kind)
{
    static const char *const names[REMOTE_ASKS] = {
        [REMOTE_SUMMARY] = "summary",         [REMOTE_HISTORY] = "history",
        [REMOTE_FLOWS] = "flows",             [REMOTE_CONNECTIONS] = "connections",
        [REMOTE_PATHS] = "paths",             [REMOTE_WINDOW] = "window",
    };
    *f = (struct fixture){.source = {.span = PAGE_TOTAL, .set = "", .policy = "default"}};
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        char path[64];
        json_init(&f->texts[i]);
        snprintf(path, sizeof path, "data/%s.json", names[i] != NULL ? names[i] : "");
        if (names[i] != NULL) {
            assert_true(read_all(path, &f->texts[i]));
            struct span text = span_of(f->texts[i].data, f->texts[i].size);
            f->source.documents[i] = node_json_parse(&f->memory, text);
            assert_non_null(f->source.documents[i]);
        }
    }
    view_init(&f->view, kind);
    page_build(&f->page, kind, &f->source);
    view_arrange(&f->view, &f->page);
}

static void end(struct fixture *f)
{
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        json_done(&f->texts[i]);
    }
    page_done(&f->page);
    node_done(&f->memory);
}

/* Holds bytes to a file of data/. */
static void hold(const char *name, const struct json *is)
{
    char path[96];
    struct json should;
    json_init(&should);
    snprintf(path, sizeof path, "data/%s", name);
    if (getenv("GOLDEN_UPDATE") != NULL) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        fwrite(is->data, 1, is->size, file);
        fclose(file);
    }
    assert_true(read_all(path, &should));
    json_append(&should, "", 1);
    if (should.size - 1 != is->size || memcmp(should.data, is->data, is->size) != 0) {
        fprintf(stderr, "%s is now:\n%.*s\n", path, (int)is->size, is->data);
        fail();
    }
    json_done(&should);
}

static void print_screen(struct fixture *f, unsigned width, unsigned height, bool unicode,
                         struct json *to)
{
    struct grid grid = {.unicode = unicode};
    struct draw_frame frame = {
        .agent = "agent.example:10853", .behind = -1, .status = page_status(&f->page, &f->source)};
    assert_true(grid_reset(&grid, width, height));
    draw_screen(&grid, &f->page, &f->view, &frame);
    grid_print(&grid, to);
    grid_done(&grid);
}

static void hold_page(enum page_kind kind, unsigned width, unsigned height, bool unicode)
{
    struct fixture f;
    struct json text;
    char name[64];
    json_init(&text);
    begin(&f, kind);
    print_screen(&f, width, height, unicode, &text);
    snprintf(name, sizeof name, "%s_%ux%u.txt", page_name(kind), width, height);
    hold(name, &text);
    json_done(&text);
    end(&f);
}

static void pages_at_80x24(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PAGE_KINDS; i++) {
        hold_page((enum page_kind)i, 80, 24, true);
    }
}

static void wide_pages(void **state)
{
    (void)state;
    hold_page(PAGE_OVERVIEW, 132, 43, true);
    hold_page(PAGE_CONNECTIONS, 160, 24, true);
    hold_page(PAGE_DNS, 200, 50, true);
}

static void plain_ascii(void **state)
{
    (void)state;
    hold_page(PAGE_OVERVIEW, 81, 24, false);
}

static void too_small_says_so(void **state)
{
    (void)state;
    hold_page(PAGE_OVERVIEW, 60, 10, true);
}

static void as_json_and_csv(void **state)
{
    (void)state;
    struct fixture f;
    struct json text;
    json_init(&text);
    begin(&f, PAGE_FLOWS);
    once_write(&f.page, ONCE_CSV, 80, true, &text);
    hold("flows.csv", &text);
    json_reset(&text);
    once_write(&f.page, ONCE_JSON, 80, true, &text);
    hold("flows_once.json", &text);
    json_done(&text);
    end(&f);
}

/* The sixth talker of data/summary.json has escape sequences and a change of direction in its name. */
static void hostile_names_are_tamed(void **state)
{
    (void)state;
    struct fixture f;
    struct grid grid = {.unicode = true};
    struct grid shown = {.unicode = true};
    struct terminal terminal = {.moves = true, .width = 132, .height = 43};
    struct json text;
    json_init(&text);
    begin(&f, PAGE_OVERVIEW);
    struct draw_frame frame = {.agent = "\033[2Jx", .behind = -1,
                               .status = page_status(&f.page, &f.source)};
    assert_true(grid_reset(&grid, 132, 43));
    draw_screen(&grid, &f.page, &f.view, &frame);
    grid_paint(&grid, &shown, &terminal, &text);
    json_append(&text, "", 1);
    assert_non_null(strstr(text.data, "evil"));
    assert_null(strstr(text.data, "\033]"));
    assert_null(strstr(text.data, "\xe2\x80\xae"));
    assert_ptr_equal(strstr(text.data, "\033[2J"), text.data + 4); /* ours, at the beginning */
    assert_null(strstr(text.data + 8, "\033[2J"));
    json_reset(&text);
    grid_paint(&grid, &shown, &terminal, &text);
    assert_int_equal(text.size, 4); /* nothing changed: nothing but the plain style */
    json_done(&text);
    grid_done(&grid);
    grid_done(&shown);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_at_80x24),    cmocka_unit_test(wide_pages),
        cmocka_unit_test(plain_ascii),       cmocka_unit_test(too_small_says_so),
        cmocka_unit_test(as_json_and_csv),   cmocka_unit_test(hostile_names_are_tamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
