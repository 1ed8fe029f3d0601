// SPDX-License-Identifier: Apache-2.0
#include "top/draw.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "top/draw_table.h"

enum {
    TOP_ROWS = 2,       /* status and tabs */
    WIDE = 100,         /* from there on the first line has room for a longer sparkline */
    STATUS_GRAPH = 4,
    STATUS_GRAPH_WIDE = 16,
    BOX_WIDTH = 24,     /* of the DNS page, at least */
    BOX_HEIGHT = 8,
    FIGURES_HEIGHT = 40,
    WHOLE_HEIGHT = 900,
};

/* ---- Lines around the body ---------------------------------------------------------------------- */

static void draw_moment(struct grid *grid, const struct draw_frame *frame)
{
    char text[64];
    enum grid_style style = GRID_GOOD;
    if (frame->trouble != NULL) {
        snprintf(text, sizeof text, "  gone %.8s ", frame->status.now);
        style = GRID_BAD;
    } else if (frame->behind >= 0) {
        snprintf(text, sizeof text, "  held, %" PRId64 " s ago %.8s ", frame->behind,
                 frame->status.now);
        style = GRID_WARN;
    } else {
        snprintf(text, sizeof text, "  live %.8s ", frame->status.now);
    }
    grid_text_right(grid, 0, 0, grid->width, style, text);
}

/* "200 pkt/s", "1.20 Mbit/s". */
static char *with_unit(char to[64], double value, const char *unit)
{
    char number[TEXT_ROOM];
    text_short_count(number, value);
    snprintf(to, 64, "%s%s%s", number, strchr(number, ' ') == NULL ? " " : "", unit);
    return to;
}

static void draw_status(struct grid *grid, const struct draw_frame *frame)
{
    const struct page_status *s = &frame->status;
    char packets[64];
    char bits[64];
    char dropped[64];
    unsigned at = 1 + grid_text(grid, 0, 1, grid->width / 3, GRID_BOLD, frame->agent);
    at += 2 + grid_text(grid, 0, at + 1, 10, GRID_DIM, s->mode);
    unsigned width = grid->width < WIDE ? STATUS_GRAPH : STATUS_GRAPH_WIDE;
    if (s->packets_seen.count > 0) {
        draw_table_graph(grid, (struct draw_area){0, at, width, 1}, &s->packets_seen);
        at += width + 1;
    }
    with_unit(packets, s->packets, "pkt/s");
    with_unit(bits, s->bits, "bit/s");
    with_unit(dropped, isnan(s->dropped) ? 0 : s->dropped, "dropped");
    at += 2 + grid_text(grid, 0, at, grid->width, GRID_PLAIN, packets);
    at += 2 + grid_text(grid, 0, at, grid->width, GRID_PLAIN, bits);
    grid_text(grid, 0, at, grid->width, s->dropped > 0 ? GRID_BAD : GRID_DIM, dropped);
    draw_moment(grid, frame);
}

static void draw_tabs(struct grid *grid, const struct page *page, const struct view *view)
{
    unsigned at = 1;
    for (unsigned i = 0; i < PAGE_KINDS; i++) {
        bool is_here = i == (unsigned)view->page;
        at += grid_format(grid, 1, at, grid->width, is_here ? GRID_CHOSEN : GRID_DIM, " %u %s ",
                          i + 1, page_name((enum page_kind)i));
    }
    const struct view_place *place = &view->places[view->page];
    const char *filter = view->is_detail ? view->detail.filter : place->filter;
    bool is_named = view->is_detail || page->kind == PAGE_DNS || page->kind == PAGE_TOP;
    const char *what = page->kind == PAGE_TOP && !view->is_detail ? page->set : page->title;
    if (filter[0] != '\0') {
        grid_format(grid, 1, at + 2, grid->width - at - 2, GRID_WARN, "/%s", filter);
    } else if (is_named) {
        grid_text(grid, 1, at + 2, grid->width - at - 2, GRID_BOLD, what);
    }
}

static const char *keys_of(const struct page *page, const struct view *view)
{
    static const char *const keys[PAGE_KINDS] = {
        "q quit  ? help  1-6 page  Tab box  Enter its flows  w span  / filter  [ ] time",
        "q quit  ? help  Enter fields  s sort  r turn  / filter  < > page  [ ] time",
        "q quit  ? help  Enter fields  s sort  r turn  / filter  [ ] time  Space hold",
        "q quit  ? help  Enter fields  s sort  r turn  / filter  [ ] time  Space hold",
        "q quit  ? help  m M metric set  Tab box  w span  / filter  [ ] time",
        "q quit  ? help  m M policy  Tab box  / filter  [ ] time  Space hold",
    };
    (void)page;
    return view->is_detail ? "Esc back  / filter  s sort  ? help  q quit" : keys[view->page];
}

static void draw_last(struct grid *grid, const struct page *page, const struct view *view,
                      const struct draw_frame *frame)
{
    static const char *const spans[] = {"last seconds", "last minute", "since start"};
    unsigned row = grid->height - 1;
    if (view->is_typing) {
        unsigned at = grid_format(grid, row, 1, grid->width - 1, GRID_BOLD, "/%s", view->typed);
        grid_text(grid, row, 1 + at, 1, GRID_CHOSEN, " ");
        return;
    }
    if (view->is_going) {
        grid_text(grid, row, 1, grid->width, GRID_BOLD,
                  "go to: o overview  f flows  c connections  p paths  t top  d dns");
        return;
    }
    grid_text(grid, row, 1, grid->width - 1, GRID_DIM, keys_of(page, view));
    bool has_span = page->kind == PAGE_OVERVIEW || page->kind == PAGE_TOP;
    if (has_span && !view->is_detail && grid->width >= 96) {
        grid_text_right(grid, row, 0, grid->width - 1, GRID_PLAIN, spans[view->span]);
    }
    if (frame->trouble != NULL) {
        grid_format(grid, row - 1, 0, grid->width, GRID_BAD, " %s; trying again ", frame->trouble);
    }
}

static void draw_help(struct grid *grid)
{
    static const char *const lines[] = {
        "1-6, g and a letter     overview, flows, connections, paths, top, dns",
        "left right              the page before, the next one",
        "up down k j, PgUp PgDn  choose a row;  Home End G  the first, the last",
        "Tab                     the next box of a page that has several",
        "Enter                   what is behind the row: its flows, or all its fields",
        "/                       filter: words, column:word, !word; of flows also",
        "                        ip: port: proto: version: state: as the API has it",
        "Esc                     no filter, back, back to now",
        "s S r                   sort by the next column, the one before, turn round",
        "w                       counts: last seconds, last minute, since start",
        "m M                     the next metric set or policy, the one before",
        "< >                     pages of flows",
        "Space                   hold, and go on",
        "[ ] { }                 walk in time by one second, by ten",
        "Ctrl-L                  draw the screen again",
        "q Ctrl-C                quit",
    };
    grid_text(grid, TOP_ROWS + 1, 3, grid->width, GRID_BOLD, "Keys");
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        grid_text(grid, TOP_ROWS + 3 + i, 3, grid->width - 4, GRID_PLAIN, lines[i]);
    }
    grid_text(grid, grid->height - 1, 1, grid->width, GRID_DIM, "any key goes back");
}

/* ---- Bodies ------------------------------------------------------------------------------------- */

/* Sees to it that the chosen row is in a window of `height` rows. */
static void follow(struct view_place *place, unsigned height)
{
    if (place->chosen < place->first) {
        place->first = place->chosen;
    } else if (height > 0 && place->chosen >= place->first + height) {
        place->first = place->chosen - height + 1;
    }
}

static struct draw_list list_at(const struct page *page, const struct view_place *place, size_t i)
{
    bool is_here = place->box == i;
    return (struct draw_list){
        .table = &page->tables[i],
        .first = is_here ? place->first : 0,
        .chosen = is_here ? (long)place->chosen : DRAW_NOTHING,
        .sort = page->table_count == 1 ? place->sort : TABLE_COLUMNS,
        .descends = place->descends,
    };
}

/* Figures of a line of the header, one behind the other, in as many rows as they take; the rows. */
static unsigned draw_figures(struct grid *grid, const struct page *page, unsigned line,
                             struct draw_area area)
{
    unsigned row = 0;
    unsigned at = 0;
    for (size_t i = 0; i < page->figure_count; i++) {
        const struct page_figure *f = &page->figures[i];
        unsigned size = grid_columns(f->name) + 1 + grid_columns(f->text);
        if (f->line != line) {
            continue;
        }
        if (at > 0 && at + 3 + size > area.width) {
            row++;
            at = 0;
        }
        if (at > 0) {
            at += grid_text(grid, area.row + row, area.column + at, 3, GRID_DIM, " | ");
        }
        unsigned room = area.width > at ? area.width - at : 0;
        at += 1 + grid_text(grid, area.row + row, area.column + at, room, GRID_DIM, f->name);
        at += grid_text(grid, area.row + row, area.column + at, room, GRID_BOLD, f->text);
    }
    return at > 0 ? row + 1 : 0;
}

static void draw_list_body(struct grid *grid, const struct page *page, struct view_place *place,
                           struct draw_area area)
{
    if (page->table_count == 0) {
        return;
    }
    unsigned used = draw_figures(grid, page, 0, area);
    area.row += used;
    area.height -= used < area.height ? used : area.height;
    follow(place, area.height > 1 ? area.height - 1 : 1);
    struct draw_list list = list_at(page, place, 0);
    draw_table_list(grid, area, &list);
}

/* Boxes side by side in `columns`, each `height` rows high. */
static void draw_boxes(struct grid *grid, const struct page *page, const struct view_place *place,
                       struct draw_area area, unsigned columns)
{
    unsigned width = (area.width + 2) / columns;
    for (size_t i = 0; i < page->table_count; i++) {
        struct draw_area box = {
            area.row + (unsigned)(i / columns) * area.height,
            area.column + (unsigned)(i % columns) * width,
            width - 2,
            area.height - 1,
        };
        struct draw_list list = list_at(page, place, i);
        draw_table_box(grid, box, &list);
    }
}

static void draw_overview(struct grid *grid, const struct page *page, struct view_place *place,
                          struct draw_area area)
{
    unsigned half = (area.width + 2) / 2;
    unsigned height = area.height / 7 < 2 ? 2 : area.height / 7 > 6 ? 6 : area.height / 7;
    for (unsigned i = 0; i < page->graph_count && i < 2 && 2 * i + 1 < page->figure_count; i++) {
        const struct page_figure *bits = &page->figures[2 * i];
        unsigned column = area.column + i * half;
        unsigned at = grid_text(grid, area.row, column, half - 2, GRID_BOLD, page->graphs[i].name);
        char text[2][64];
        grid_format(grid, area.row, column + at + 1, half - 3 - at, GRID_PLAIN, "%s  %s",
                    with_unit(text[0], bits[0].value, "bit/s"),
                    with_unit(text[1], bits[1].value, "pkt/s"));
        struct draw_area graph = {area.row + 1, column, half - 2, height};
        draw_table_graph(grid, graph, &page->graphs[i]);
    }
    struct draw_area rest = {area.row + height + 1, area.column, area.width, 1};
    rest.row += 1 + draw_figures(grid, page, 1, rest);
    rest.height = (area.row + area.height + 1 - rest.row) / 2;
    follow(place, rest.height > 2 ? rest.height - 2 : 1);
    draw_boxes(grid, page, place, rest, 2);
}

/* The window that shows the focused box of a page which may be higher than the screen. */
static unsigned scroll_of(unsigned box_row, unsigned box_height, unsigned height)
{
    unsigned end = box_row + box_height;
    return end > height ? end - height : 0;
}

/* Header and boxes on a grid as high as they need, of which a window is shown. */
static void draw_dns(struct grid *grid, const struct page *page, struct view_place *place,
                     struct draw_area area)
{
    struct grid tall = {.unicode = grid->unicode};
    unsigned columns = area.width / BOX_WIDTH >= 4 ? 4 : area.width / BOX_WIDTH >= 2 ? 2 : 1;
    unsigned rows = ((unsigned)page->table_count + columns - 1) / columns;
    unsigned total = FIGURES_HEIGHT + rows * 2 * BOX_HEIGHT;
    if (!grid_reset(&tall, grid->width, total)) {
        return;
    }
    unsigned at = 0;
    for (unsigned line = 0; line < 6; line++) {
        struct draw_area header = {at, area.column, area.width, 1};
        at += draw_figures(&tall, page, line, header);
    }
    at++;
    unsigned fit = rows > 0 && area.height > at ? (area.height - at) / rows : 0;
    unsigned height = fit < BOX_HEIGHT ? BOX_HEIGHT : fit > 12 ? 12 : fit;
    follow(place, height - 2);
    struct draw_area boxes = {at, area.column, area.width, height};
    draw_boxes(&tall, page, place, boxes, columns);
    unsigned focus = at + (unsigned)(place->box / columns) * height;
    bool is_start = place->box == 0 && place->chosen == 0;
    unsigned from = is_start ? 0 : scroll_of(focus, height, area.height);
    grid_copy(grid, area.row, &tall, from, area.height);
    grid_done(&tall);
}

/* The counters of a set on the left, its top-Ns on the right; or one of both over all. */
static void draw_top(struct grid *grid, const struct page *page, struct view_place *place,
                     struct draw_area area)
{
    if (page->table_count <= 1) {
        draw_list_body(grid, page, place, area);
        return;
    }
    unsigned columns = 2;
    unsigned rows = ((unsigned)page->table_count + 1) / columns;
    area.height /= rows;
    area.height = area.height < 4 ? 4 : area.height;
    follow(place, area.height > 2 ? area.height - 2 : 1);
    draw_boxes(grid, page, place, area, columns);
}

/* How many bytes of a text go into a line of `room`: whole words where there are any. */
static size_t line_of(const char *text, size_t room)
{
    size_t size = strlen(text);
    if (size <= room) {
        return size;
    }
    for (size = room; size > 0 && text[size] != ' '; size--) {
    }
    return size > 0 ? size : room;
}

/* Why a page is empty. */
static void draw_note(struct grid *grid, const char *note, struct draw_area area)
{
    for (unsigned row = area.row + 2; *note != '\0'; row++) {
        size_t size = line_of(note, area.width - 4);
        grid_format(grid, row, area.column + 2, area.width - 2, GRID_WARN, "%.*s", (int)size, note);
        note += size + (note[size] == ' ');
    }
}

static void draw_body(struct grid *grid, const struct page *page, struct view *view,
                      struct draw_area area)
{
    struct view_place *place = view_place(view);
    bool is_page = !view->is_detail;
    if (page->note != NULL && is_page) {
        draw_note(grid, page->note, area);
    } else if (page->kind == PAGE_OVERVIEW && is_page) {
        draw_overview(grid, page, place, area);
    } else if (page->kind == PAGE_DNS && is_page) {
        draw_dns(grid, page, place, area);
    } else if (page->kind == PAGE_TOP && is_page) {
        draw_top(grid, page, place, area);
    } else {
        draw_list_body(grid, page, place, area);
    }
}

void draw_screen(struct grid *grid, const struct page *page, struct view *view,
                 const struct draw_frame *frame)
{
    if (grid->width < DRAW_WIDTH || grid->height < DRAW_HEIGHT) {
        grid_format(grid, 0, 0, grid->width, GRID_WARN, "Too small: %ux%u, needs %dx%d",
                    grid->width, grid->height, DRAW_WIDTH, DRAW_HEIGHT);
        grid_text(grid, 1, 0, grid->width, GRID_PLAIN, "q quits");
        return;
    }
    draw_status(grid, frame);
    draw_tabs(grid, page, view);
    if (view->is_help) {
        draw_help(grid);
        return;
    }
    struct draw_area body = {TOP_ROWS + 1, 1, grid->width - 2, grid->height - TOP_ROWS - 3};
    draw_body(grid, page, view, body);
    draw_last(grid, page, view, frame);
}

/* ---- Without a screen --------------------------------------------------------------------------- */

void draw_whole(struct grid *grid, const struct page *page, unsigned width)
{
    struct grid tall = {.unicode = grid->unicode};
    if (!grid_reset(&tall, width, WHOLE_HEIGHT)) {
        return;
    }
    unsigned at = 0;
    for (unsigned line = 0; line < 6; line++) {
        at += draw_figures(&tall, page, line, (struct draw_area){at, 0, width, 1});
    }
    at += at > 0;
    if (page->note != NULL) {
        at += grid_text(&tall, at, 0, width, GRID_PLAIN, page->note) > 0;
    }
    for (size_t i = 0; i < page->table_count && at < WHOLE_HEIGHT; i++) {
        struct draw_list list = {.table = &page->tables[i], .chosen = DRAW_NOTHING,
                                 .sort = TABLE_COLUMNS};
        unsigned height = (unsigned)page->tables[i].row_count + 1;
        struct draw_area area = {at, 0, width, height};
        if (height > 1 && page->table_count > 1) {
            draw_table_box(&tall, area, &list);
        } else if (height > 1) {
            draw_table_list(&tall, area, &list);
        }
        at += height > 1 ? height + 1 : 0;
    }
    grid_reset(grid, width, at > 0 && at < WHOLE_HEIGHT ? at - (page->table_count > 0) : at);
    grid_copy(grid, 0, &tall, 0, grid->height);
    grid_done(&tall);
}
