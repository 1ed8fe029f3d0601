// SPDX-License-Identifier: Apache-2.0
#include "proto/memcache/memcache_message.h"

enum { ITEMS_FIRST = 112 };

/* What stands before each text. */
struct item {
    uint32_t size;
    uint32_t kind;
};

struct memcache_message *memcache_message_take(struct slab *slab, size_t most)
{
    struct memcache_message *m = slab_take(slab, sizeof *m);
    if (m != NULL) {
        *m = (struct memcache_message){.is_whole = true, .items_most = (uint32_t)most};
    }
    return m;
}

void memcache_message_give(struct slab *slab, struct memcache_message *m)
{
    if (m != NULL) {
        slab_give(slab, m->items);
        slab_give(slab, m);
    }
}

size_t memcache_message_size(const struct memcache_message *m)
{
    return sizeof *m + m->items_size;
}

/* Has room for so many more bytes of items, of which it gives back how many there may be. */
static size_t reserve(struct slab *slab, struct memcache_message *m, size_t size)
{
    size_t left = m->items_most - m->items_size;
    size = size < left ? size : left;
    size_t wanted = m->items_size + size;
    if (m->items != NULL && wanted <= slab_room(m->items)) {
        return size;
    }
    size_t twice = 2 * (size_t)m->items_size;
    size_t most = wanted > twice ? wanted : twice;
    uint8_t *items = slab_grow_large(slab, m->items, most > ITEMS_FIRST ? most : ITEMS_FIRST);
    m->items = items != NULL ? items : m->items;
    m->is_short = m->is_short || items == NULL;
    return items != NULL ? size : 0;
}

void memcache_item_add(struct slab *slab, struct memcache_message *m, enum memcache_item_kind kind,
                       struct span text)
{
    if (slab == NULL || m->is_cut) {
        return;
    }
    struct item item = {.kind = kind};
    size_t room = reserve(slab, m, sizeof item + text.size);
    m->is_cut = room < sizeof item + text.size;
    if (room < sizeof item) {
        return;
    }
    text = span_head(text, room - sizeof item);
    item.size = (uint32_t)text.size;
    m->last_item = m->items_size;
    memcpy(m->items + m->items_size, &item, sizeof item);
    if (text.size > 0) {
        memcpy(m->items + m->items_size + sizeof item, text.data, text.size);
    }
    m->items_size += (uint32_t)(sizeof item + text.size);
    m->count[kind]++;
}

void memcache_item_append(struct slab *slab, struct memcache_message *m, struct span text)
{
    if (m->is_cut || m->items == NULL || text.size == 0) {
        m->is_cut = m->is_cut || text.size > 0;
        return;
    }
    size_t room = reserve(slab, m, text.size);
    m->is_cut = room < text.size;
    text = span_head(text, room);
    struct item item;
    memcpy(&item, m->items + m->last_item, sizeof item);
    item.size += (uint32_t)text.size;
    memcpy(m->items + m->last_item, &item, sizeof item);
    memcpy(m->items + m->items_size, text.data, text.size);
    m->items_size += (uint32_t)text.size;
}

struct span memcache_item_next(const struct memcache_message *m, struct memcache_walk *walk)
{
    if (walk->at >= m->items_size) {
        return span_of(NULL, 0);
    }
    struct item item;
    memcpy(&item, m->items + walk->at, sizeof item);
    struct span text = span_of(m->items + walk->at + sizeof item, item.size);
    walk->kind = (enum memcache_item_kind)item.kind;
    walk->at += (uint32_t)(sizeof item + item.size);
    return text;
}

struct span memcache_item_first(const struct memcache_message *m, enum memcache_item_kind kind)
{
    struct memcache_walk walk = {0};
    struct span text = span_of(NULL, 0);
    if (m->count[kind] == 0) {
        return text;
    }
    do {
        text = memcache_item_next(m, &walk);
    } while (text.data != NULL && walk.kind != kind);
    return text;
}
