// SPDX-License-Identifier: Apache-2.0
/* What the reader of the screen has chosen: page, row, order, filter, moment. view_key() is the one place
 * where keys mean something; it is pure, so that tests press keys without a terminal. The view says what
 * to ask of the agent, and arranges a page that was built from the answers. One thread. */
#pragma once

#include "top/page.h"

enum view_key {
    VIEW_ENTER = '\r',
    VIEW_ESCAPE = 27,
    VIEW_BACKSPACE = 127,
    VIEW_UP = 0x100,
    VIEW_DOWN,
    VIEW_LEFT,
    VIEW_RIGHT,
    VIEW_PAGE_UP,
    VIEW_PAGE_DOWN,
    VIEW_HOME,
    VIEW_END,
    VIEW_TAB_BACK,
};

enum { VIEW_FILTER_ROOM = 100, VIEW_PATH_ROOM = 1024, VIEW_UNSORTED = TABLE_COLUMNS };

/* What is remembered of each page while another is looked at. */
struct view_place {
    size_t box;    /* of several tables */
    size_t chosen; /* row of it */
    size_t first;  /* row at the top of the window, kept by whoever draws */
    size_t sort;   /* a column, or VIEW_UNSORTED: as it came */
    bool descends;
    char filter[VIEW_FILTER_ROOM];
};

struct view {
    enum page_kind page;
    struct view_place places[PAGE_KINDS];
    struct view_place detail;
    bool is_detail;  /* all fields of the chosen row */
    bool is_help;
    bool is_typing;  /* a filter */
    bool is_going;   /* `g` came, a page's letter is to follow */
    bool is_quit;
    bool is_redraw;  /* the terminal may show anything */
    bool is_asking;  /* the agent is to be asked anew: other questions than before */
    enum page_span span;
    uint64_t shot;   /* the moment that is shown; 0: now */
    int step;        /* seconds to walk from there */
    unsigned offset; /* of the first flow */
    int set_step;    /* to the next set or policy, or the one before */
    size_t policy;
    char set[64];
    char typed[VIEW_FILTER_ROOM];
    const struct node *about; /* of the chosen row; NULL: nothing to open */
};

void view_init(struct view *view, enum page_kind page);

/* One key: a byte, or one of enum view_key. `page` is what is shown. */
void view_key(struct view *view, const struct page *page, unsigned key);

/* The path of /api/v1/flows for the filter, order and offset. */
void view_flows_path(const struct view *view, char to[VIEW_PATH_ROOM]);

/* Filters and sorts the tables of a page, keeps the choice within them. */
void view_arrange(struct view *view, struct page *page);

/* Where the reader is: the page's place, or that of the fields. */
struct view_place *view_place(struct view *view);
