// SPDX-License-Identifier: Apache-2.0
#include "top/view.h"

#include <ctype.h>
#include <stdio.h>

enum { PAGE_STEP = 10, FLOWS_LIMIT = 500, OFFSET_MOST = 10000 };

void view_init(struct view *view, enum page_kind page)
{
    *view = (struct view){.page = page, .is_redraw = true, .is_asking = true};
    for (size_t i = 0; i < PAGE_KINDS; i++) {
        view->places[i].sort = VIEW_UNSORTED;
    }
    view->places[PAGE_OVERVIEW].box = 1; /* talkers: the first that Enter opens */
    view->places[PAGE_FLOWS].sort = 3;
    view->places[PAGE_FLOWS].descends = true;
    view->detail.sort = VIEW_UNSORTED;
}

struct view_place *view_place(struct view *view)
{
    return view->is_detail ? &view->detail : &view->places[view->page];
}

static void go_to(struct view *view, enum page_kind page)
{
    view->page = page;
    view->is_detail = false;
    view->is_asking = true;
}

/* ---- Flows by query ----------------------------------------------------------------------------- */

/* The parameters that /api/v1/flows knows; what else a filter says is looked for here. */
static bool is_parameter(const char *word, size_t size)
{
    static const char *const names[] = {"state:", "proto:", "ip:", "port:", "version:"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]);
        if (size > n && strncmp(word, names[i], n) == 0) {
            return true;
        }
    }
    return false;
}

static size_t put_parameter(char *to, size_t room, size_t at, const char *word, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *colon = memchr(word, ':', size);
    size_t name = (size_t)(colon - word);
    if (at + 3 * size + 2 >= room) {
        return at;
    }
    to[at++] = '&';
    memcpy(to + at, word, name);
    at += name;
    to[at++] = '=';
    for (size_t i = name + 1; i < size; i++) {
        unsigned char c = (unsigned char)word[i];
        if (isalnum(c) || c == '.') {
            to[at++] = (char)c;
        } else {
            to[at++] = '%';
            to[at++] = digits[c >> 4];
            to[at++] = digits[c & 15];
        }
    }
    to[at] = '\0';
    return at;
}

void view_flows_path(const struct view *view, char to[VIEW_PATH_ROOM])
{
    static const char *const orders[] = {[3] = "bytes", [4] = "packets", [6] = "duration",
                                         [7] = "start"};
    const struct view_place *place = &view->places[PAGE_FLOWS];
    bool is_known = place->sort < sizeof orders / sizeof *orders && orders[place->sort] != NULL;
    int size = snprintf(to, VIEW_PATH_ROOM, "/api/v1/flows?limit=%d&offset=%u&sort=%s&order=%s",
                        FLOWS_LIMIT, view->offset, is_known ? orders[place->sort] : "bytes",
                        is_known && !place->descends ? "asc" : "desc");
    size_t at = (size_t)size;
    for (const char *word = place->filter; *word != '\0';) {
        size_t length = strcspn(word, " ");
        if (is_parameter(word, length)) {
            at = put_parameter(to, VIEW_PATH_ROOM, at, word, length);
        }
        word += length + (word[length] == ' ');
    }
}

/* The words of a filter that are no parameters. */
static void local_filter(const struct view *view, const char *filter, char to[VIEW_FILTER_ROOM])
{
    size_t at = 0;
    for (const char *word = filter; *word != '\0';) {
        size_t size = strcspn(word, " ");
        if (view->page != PAGE_FLOWS || view->is_detail || !is_parameter(word, size)) {
            memcpy(to + at, word, size);
            at += size;
            to[at++] = ' ';
        }
        word += size + (word[size] == ' ');
    }
    to[at > 0 ? at - 1 : 0] = '\0';
}

/* ---- Arranging ---------------------------------------------------------------------------------- */

void view_arrange(struct view *view, struct page *page)
{
    struct view_place *place = view_place(view);
    char filter[2 * VIEW_FILTER_ROOM];
    local_filter(view, place->filter, filter);
    for (size_t i = 0; i < page->table_count; i++) {
        table_filter(&page->tables[i], filter);
        if (place->sort < page->tables[i].column_count && page->table_count == 1) {
            table_sort(&page->tables[i], place->sort, place->descends);
        }
    }
    if (place->box >= page->table_count) {
        place->box = 0;
    }
    const struct table *table = page->table_count > 0 ? &page->tables[place->box] : NULL;
    size_t rows = table != NULL ? table->row_count : 0;
    place->chosen = place->chosen < rows ? place->chosen : rows > 0 ? rows - 1 : 0;
    view->about = rows > 0 ? table->rows[place->chosen].about : NULL;
}

/* ---- Keys --------------------------------------------------------------------------------------- */

static void type_key(struct view *view, unsigned key)
{
    size_t size = strlen(view->typed);
    struct view_place *place = view_place(view);
    if (key == VIEW_ENTER || key == '\n' || key == VIEW_ESCAPE) {
        view->is_typing = false;
        if (key != VIEW_ESCAPE) {
            snprintf(place->filter, sizeof place->filter, "%s", view->typed);
            place->chosen = 0;
            view->offset = 0;
            view->is_asking = true;
        }
    } else if ((key == VIEW_BACKSPACE || key == '\b') && size > 0) {
        view->typed[size - 1] = '\0';
    } else if (key == ('U' & 31)) {
        view->typed[0] = '\0';
    } else if (key >= ' ' && key < VIEW_BACKSPACE && size + 1 < sizeof view->typed) {
        view->typed[size] = (char)key;
        view->typed[size + 1] = '\0';
    }
}

static void go_key(struct view *view, unsigned key)
{
    static const char letters[PAGE_KINDS + 1] = "ofcptd";
    const char *at = key > 0 && key < 128 ? strchr(letters, (int)key) : NULL;
    view->is_going = false;
    if (at != NULL) {
        go_to(view, (enum page_kind)(at - letters));
    }
}

/* Rows; false when the key is not about them. */
static bool move_key(struct view *view, const struct page *page, unsigned key)
{
    struct view_place *place = view_place(view);
    size_t rows = page->table_count > 0 ? page->tables[place->box].row_count : 0;
    size_t last = rows > 0 ? rows - 1 : 0;
    size_t at = place->chosen;
    switch (key) {
    case VIEW_UP: case 'k': at -= at > 0; break;
    case VIEW_DOWN: case 'j': at += at < last; break;
    case VIEW_PAGE_UP: at -= at < PAGE_STEP ? at : PAGE_STEP; break;
    case VIEW_PAGE_DOWN: at = at + PAGE_STEP < last ? at + PAGE_STEP : last; break;
    case VIEW_HOME: at = 0; break;
    case VIEW_END: case 'G': at = last; break;
    default: return false;
    }
    place->chosen = at;
    view->about = rows > 0 ? page->tables[place->box].rows[at].about : NULL;
    return true;
}

static void move_box(struct view *view, const struct page *page, bool back)
{
    struct view_place *place = view_place(view);
    size_t count = page->table_count;
    if (count > 1) {
        place->box = (place->box + (back ? count - 1 : 1)) % count;
        place->chosen = place->first = 0;
        view->about = page->tables[place->box].row_count > 0
                          ? page->tables[place->box].rows[0].about
                          : NULL;
    }
}

/* The next column to sort by; behind the last the order in which the rows came. */
static void sort_key(struct view *view, const struct page *page, bool back)
{
    struct view_place *place = view_place(view);
    if (page->table_count != 1) {
        return;
    }
    const struct table *table = &page->tables[0];
    size_t count = table->column_count;
    if (place->sort >= count) {
        place->sort = back ? count - 1 : 0;
    } else {
        place->sort = back ? (place->sort == 0 ? VIEW_UNSORTED : place->sort - 1)
                           : (place->sort + 1 == count ? VIEW_UNSORTED : place->sort + 1);
    }
    place->descends = place->sort < count && table->columns[place->sort].is_right;
    view->is_asking |= view->page == PAGE_FLOWS;
}

/* From a row of the overview to the flows behind it. */
static void drill(struct view *view, const struct page *page)
{
    static const char *const words[] = {NULL, "ip:", "port:", "ip:"}; /* by table */
    size_t box = view->places[PAGE_OVERVIEW].box;
    size_t chosen = view->places[PAGE_OVERVIEW].chosen;
    if (box >= 4 || box >= page->table_count || words[box] == NULL ||
        chosen >= page->tables[box].row_count) {
        return;
    }
    const char *name = page->tables[box].rows[chosen].cells[0].text;
    size_t size = strcspn(name, box == 2 ? "/ " : " ");
    struct view_place *flows = &view->places[PAGE_FLOWS];
    int room = VIEW_FILTER_ROOM - 8;
    snprintf(flows->filter, sizeof flows->filter, "%s%.*s", words[box],
             (int)size < room ? (int)size : room, name);
    flows->chosen = 0;
    view->offset = 0;
    go_to(view, PAGE_FLOWS);
}

static void enter_key(struct view *view, const struct page *page)
{
    if (view->page == PAGE_OVERVIEW) {
        drill(view, page);
    } else if (!view->is_detail && view->about != NULL) {
        view->is_detail = true;
        view->detail = (struct view_place){.sort = VIEW_UNSORTED};
    }
}

static void escape_key(struct view *view)
{
    struct view_place *place = view_place(view);
    if (place->filter[0] != '\0') {
        place->filter[0] = '\0';
        view->is_asking = true;
    } else if (view->is_detail) {
        view->is_detail = false;
    } else {
        view->shot = 0;
        view->step = 0;
    }
}

static void page_flows_key(struct view *view, bool back)
{
    unsigned step = FLOWS_LIMIT;
    if (view->page == PAGE_FLOWS) {
        view->offset = back ? (view->offset < step ? 0 : view->offset - step)
                            : (view->offset + step > OFFSET_MOST ? view->offset
                                                                 : view->offset + step);
        view->is_asking = true;
    }
}

static void turn_key(struct view *view, unsigned key)
{
    unsigned step = key == VIEW_LEFT ? PAGE_KINDS - 1 : 1;
    go_to(view, (enum page_kind)((view->page + step) % PAGE_KINDS));
}

/* Order, filter and what is counted. */
static void choose_key(struct view *view, const struct page *page, unsigned key)
{
    switch (key) {
    case '/':
        view->is_typing = true;
        snprintf(view->typed, sizeof view->typed, "%s", view_place(view)->filter);
        break;
    case 's': case 'S': sort_key(view, page, key == 'S'); break;
    case 'r':
        view_place(view)->descends = !view_place(view)->descends;
        view->is_asking |= view->page == PAGE_FLOWS;
        break;
    case 'w': view->span = (enum page_span)((view->span + 1) % PAGE_SPANS); break;
    case 'm': view->set_step = 1; break;
    case 'M': view->set_step = -1; break;
    case '>': case '<': page_flows_key(view, key == '<'); break;
    default: break;
    }
}

/* Time, and where to go. */
static void act_key(struct view *view, const struct page *page, unsigned key)
{
    switch (key) {
    case 'q': case 3: view->is_quit = true; break;
    case '?': case 'h': view->is_help = true; break;
    case 'g': view->is_going = true; break;
    case '\t': case VIEW_TAB_BACK: move_box(view, page, key == VIEW_TAB_BACK); break;
    case VIEW_LEFT: case VIEW_RIGHT: turn_key(view, key); break;
    case VIEW_ENTER: case '\n': enter_key(view, page); break;
    case VIEW_ESCAPE: escape_key(view); break;
    case '[': case ']': view->step += key == '[' ? -1 : 1; break;
    case '{': case '}': view->step += key == '{' ? -10 : 10; break;
    case ' ':
        view->step = view->shot == 0 ? -1 : 0;
        view->shot = 0;
        break;
    case 'L' & 31: view->is_redraw = true; break;
    default:
        if (key >= '1' && key < '1' + PAGE_KINDS) {
            go_to(view, (enum page_kind)(key - '1'));
        } else {
            choose_key(view, page, key);
        }
    }
}

void view_key(struct view *view, const struct page *page, unsigned key)
{
    if (view->is_typing) {
        type_key(view, key);
    } else if (view->is_help) {
        view->is_help = false;
        view->is_quit = key == 'q' || key == 3;
    } else if (view->is_going) {
        go_key(view, key);
    } else if (!move_key(view, page, key)) {
        act_key(view, page, key);
    }
}
