// SPDX-License-Identifier: Apache-2.0
/* Where the texts and lists of a config live. */
#include "engine/config_keys.h"

#include "base/tree.h"

void *config_allocate(struct config *config, size_t size)
{
    return tree_take(config->memory, size);
}

const char *config_text(struct config *config, const char *text)
{
    return tree_keep(config->memory, text);
}

void config_list_add(struct config *config, struct text_list *list, const char *text)
{
    if (list->is_default) {
        *list = (struct text_list){0};
    }
    bool is_full = (list->count & (list->count - 1)) == 0; /* room is the next power of two */
    if (is_full) {
        size_t room = list->count == 0 ? 1 : 2 * list->count;
        const char **items = config_allocate(config, room * sizeof *items);
        for (size_t i = 0; i < list->count; i++) {
            items[i] = list->items[i];
        }
        list->items = items;
    }
    list->items[list->count++] = config_text(config, text);
}
