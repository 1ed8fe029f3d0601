// SPDX-License-Identifier: Apache-2.0
/* Pages as screens: a status line, tabs, the body, and the keys on the last line. Pure: the same page,
 * view and size give the same cells. What does not fit is left out by rank, cut with an ellipsis, or
 * scrolls with the choice; below DRAW_WIDTH by DRAW_HEIGHT the screen says that it is too small. */
#pragma once

#include "top/grid.h"
#include "top/view.h"

enum { DRAW_WIDTH = 80, DRAW_HEIGHT = 24 };

/* What is around a page. */
struct draw_frame {
    const char *agent;   /* its name */
    const char *trouble; /* why figures stand still; NULL: they do not */
    int64_t behind;      /* seconds that the moment shown lies back; -1: it is now */
    struct page_status status;
};

/* Draws everything on a grid that has been reset to its size. */
void draw_screen(struct grid *grid, const struct page *page, struct view *view,
                 const struct draw_frame *frame);

/* The page alone, as high as it is, on a grid that is made here: for output that is no screen. */
void draw_whole(struct grid *grid, const struct page *page, unsigned width);
