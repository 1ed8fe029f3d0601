// SPDX-License-Identifier: Apache-2.0
/* Any bytes as every document of an agent: pages are built, filtered, drawn and printed; what is printed
 * as JSON is JSON, and no text has a byte that moves a cursor. */
#include <stdlib.h>

#include "base/json_check.h"
#include "base/node_json.h"
#include "top/draw.h"
#include "top/once.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void print_all(const struct page *page)
{
    struct json out;
    json_init(&out);
    once_write(page, ONCE_JSON, 80, true, &out);
    require(json_check(out.data, out.size - 1));
    for (unsigned format = ONCE_TEXT; format <= ONCE_CSV; format += ONCE_CSV) {
        json_reset(&out);
        once_write(page, (enum once_format)format, 80, true, &out);
        for (size_t i = 0; i < out.size; i++) {
            unsigned char c = (unsigned char)out.data[i];
            require((c >= ' ' || c == '\n') && c != 0x7f);
        }
    }
    json_done(&out);
}

static void try_page(struct page *page, enum page_kind kind, const struct page_source *source)
{
    struct view view;
    struct grid grid = {.unicode = true};
    view_init(&view, kind);
    view.places[kind].filter[0] = 'a';
    page_build(page, kind, source);
    print_all(page);
    view_arrange(&view, page);
    struct draw_frame frame = {.agent = "x", .behind = -1, .status = page_status(page, source)};
    if (grid_reset(&grid, 80, 24)) {
        draw_screen(&grid, page, &view, &frame);
    }
    grid_done(&grid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct nodes memory = {0};
    struct page page = {0};
    const struct node *root = node_json_parse(&memory, span_of(data, size));
    struct page_source source = {.set = "net", .policy = "p", .before = root, .seconds = 10};
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        source.documents[i] = root;
    }
    for (unsigned i = 0; i < PAGE_KINDS && root != NULL; i++) {
        source.span = (enum page_span)(size % PAGE_SPANS);
        try_page(&page, (enum page_kind)i, &source);
    }
    if (root != NULL) {
        page_detail(&page, root);
        print_all(&page);
    }
    page_done(&page);
    node_done(&memory);
    return 0;
}
