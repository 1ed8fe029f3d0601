// SPDX-License-Identifier: Apache-2.0
/* Parts of blocks, for the renderers of documents. */
#include "policy/policy_view.h"

#include <stdlib.h>

static int by_rank(const void *a, const void *b)
{
    const struct handler_part *x = &((const struct policy_part *)a)->part;
    const struct handler_part *y = &((const struct policy_part *)b)->part;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? 1 : -1;
    }
    return strcmp(x->name, y->name);
}

struct policy_part *policy_view_parts(const struct policy_view *whole,
                                      const struct handler_parts *parts, uint32_t outer,
                                      size_t *ret_count)
{
    struct policy_part *list = NULL;
    struct handler_part part = {0};
    size_t count = 0, room = 0;
    for (uint32_t i = 0; parts->part(whole->instance->settings, whole->block, outer, i, &part);
         i++) {
        if (part.block == NULL) {
            continue;
        }
        if (count == room) {
            room = room == 0 ? 8 : 2 * room;
            list = realloc(list, room * sizeof *list);
            if (list == NULL) {
                abort();
            }
        }
        list[count] = (struct policy_part){.view = *whole, .number = i, .part = part};
        list[count++].view.block = part.block;
    }
    if (count > 0) {
        qsort(list, count, sizeof *list, by_rank);
    }
    const struct handler_settings *s = whole->instance->settings;
    *ret_count = parts->is_top && count > s->topn_count ? s->topn_count : count;
    return list;
}
