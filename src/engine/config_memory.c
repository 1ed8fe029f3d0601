// SPDX-License-Identifier: Apache-2.0
/* Where the texts and lists of a config live. */
#include "engine/config_keys.h"

#include <stdlib.h>
#include <string.h>

/* Blocks in a list, freed together: a config is small and lives long. */
struct config_memory {
    struct config_memory *next;
    max_align_t bytes[];
};

void *config_allocate(struct config *config, size_t size)
{
    struct config_memory *block = calloc(1, sizeof *block + size);
    if (block == NULL) {
        abort(); /* memory that ends this early leaves nothing to go on with */
    }
    block->next = config->memory;
    config->memory = block;
    return block->bytes;
}

const char *config_text(struct config *config, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(config_allocate(config, size), text, size);
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

void config_memory_release(struct config *config)
{
    while (config->memory != NULL) {
        struct config_memory *next = config->memory->next;
        free(config->memory);
        config->memory = next;
    }
}
