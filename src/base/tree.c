// SPDX-License-Identifier: Apache-2.0
#include "base/tree.h"

#include <stdlib.h>

#include "base/text.h"

struct tree_block {
    struct tree_block *next;
    max_align_t bytes[];
};

struct tree_memory {
    struct tree_block *blocks;
};

static void *need(void *memory)
{
    if (memory == NULL) {
        abort();
    }
    return memory;
}

struct tree_memory *tree_memory_new(void)
{
    return need(calloc(1, sizeof(struct tree_memory)));
}

void tree_memory_free(struct tree_memory *memory)
{
    while (memory != NULL && memory->blocks != NULL) {
        struct tree_block *next = memory->blocks->next;
        free(memory->blocks);
        memory->blocks = next;
    }
    free(memory);
}

void *tree_take(struct tree_memory *memory, size_t size)
{
    struct tree_block *block = need(calloc(1, sizeof *block + size));
    block->next = memory->blocks;
    memory->blocks = block;
    return block->bytes;
}

const char *tree_keep(struct tree_memory *memory, const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(tree_take(memory, size), text, size);
}

static bool is_digits(const char *text)
{
    return *text != '\0' && text[strspn(text, "0123456789")] == '\0';
}

struct tree tree_scalar(struct tree_memory *memory, const char *text)
{
    struct tree tree = {.kind = TREE_TEXT, .text = tree_keep(memory, text)};
    int64_t number;
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        tree.kind = TREE_FLAG;
        tree.flag = text[0] == 't';
    } else if (is_digits(text) && text_parse_number(text, &number)) {
        tree.kind = TREE_NUMBER;
        tree.number = (uint64_t)number;
    }
    return tree;
}

struct tree tree_map(void)
{
    return (struct tree){.kind = TREE_MAP};
}

struct tree tree_list(void)
{
    return (struct tree){.kind = TREE_LIST};
}

bool tree_add(struct tree_memory *memory, struct tree *to, const char *key,
              const struct tree *value)
{
    if (to->count == TREE_ITEMS) {
        return false;
    }
    if ((to->count & (to->count - 1)) == 0) { /* room is the next power of two */
        size_t room = to->count == 0 ? 1 : 2 * to->count;
        struct tree *items = tree_take(memory, room * sizeof *items);
        const char **keys = tree_take(memory, room * sizeof *keys);
        for (size_t i = 0; i < to->count; i++) {
            items[i] = to->items[i];
            keys[i] = to->keys[i];
        }
        to->items = items;
        to->keys = keys;
    }
    to->keys[to->count] = key != NULL ? tree_keep(memory, key) : NULL;
    to->items[to->count++] = *value;
    return true;
}

static struct tree *find(const struct tree *map, const char *key)
{
    for (size_t i = 0; map != NULL && map->kind == TREE_MAP && i < map->count; i++) {
        if (strcmp(map->keys[i], key) == 0) {
            return &map->items[i];
        }
    }
    return NULL;
}

const struct tree *tree_get(const struct tree *map, const char *key)
{
    const struct tree *found = find(map, key);
    return found != NULL && found->kind != TREE_NULL ? found : NULL;
}

void tree_merge(struct tree_memory *memory, struct tree *into, const struct tree *from)
{
    for (size_t i = 0; from != NULL && from->kind == TREE_MAP && i < from->count; i++) {
        struct tree *old = find(into, from->keys[i]);
        if (old != NULL) {
            *old = from->items[i];
        } else {
            tree_add(memory, into, from->keys[i], &from->items[i]);
        }
    }
}

struct tree tree_copy(struct tree_memory *memory, const struct tree *from)
{
    struct tree copy = *from;
    copy.text = from->text != NULL ? tree_keep(memory, from->text) : NULL;
    copy.items = NULL;
    copy.keys = NULL;
    copy.count = 0;
    for (size_t i = 0; i < from->count; i++) {
        struct tree item = tree_copy(memory, &from->items[i]);
        tree_add(memory, &copy, from->keys[i], &item);
    }
    return copy;
}

static int by_key(const void *a, const void *b, void *map)
{
    const char *const *keys = map;
    return strcmp(keys[*(const size_t *)a], keys[*(const size_t *)b]);
}

static void map_json(const struct tree *map, struct json *to)
{
    size_t order[TREE_ITEMS];
    for (size_t i = 0; i < map->count; i++) {
        order[i] = i;
    }
    qsort_r(order, map->count, sizeof *order, by_key, map->keys);
    json_object_begin(to);
    for (size_t i = 0; i < map->count; i++) {
        json_key(to, map->keys[order[i]]);
        tree_json(&map->items[order[i]], to);
    }
    json_object_end(to);
}

void tree_json(const struct tree *tree, struct json *to)
{
    switch (tree->kind) {
    case TREE_NULL:
        json_null(to);
        break;
    case TREE_FLAG:
        json_bool(to, tree->flag);
        break;
    case TREE_NUMBER:
        json_u64(to, tree->number);
        break;
    case TREE_TEXT:
        json_text(to, tree->text);
        break;
    case TREE_LIST:
        json_array_begin(to);
        for (size_t i = 0; i < tree->count; i++) {
            tree_json(&tree->items[i], to);
        }
        json_array_end(to);
        break;
    case TREE_MAP:
        map_json(tree, to);
        break;
    }
}
