// SPDX-License-Identifier: Apache-2.0
#include "base/slab_text.h"

#include <assert.h>
#include <string.h>

#include "base/hash.h"

struct slab_text {
    struct slab_text *next; /* on the list of its hash */
    struct slab_text *previous;
    uint32_t holders;
    uint16_t list;
    uint8_t size;
    uint8_t bytes[];
};

struct table {
    uint32_t count;
    struct slab_text *lists[SLAB_TEXT_LISTS];
};

/* The slab's table, made if need be; NULL without memory. */
static struct table *table_of(struct slab *slab)
{
    void **place = slab_place(slab);
    if (*place == NULL) {
        *place = slab_take(slab, sizeof(struct table));
        if (*place != NULL) {
            memset(*place, 0, sizeof(struct table));
        }
    }
    return *place;
}

/* Nobody needs a table without texts. */
static void put_away(struct slab *slab)
{
    struct table *table = *slab_place(slab);
    if (table->count == 0) {
        slab_give(slab, table);
        *slab_place(slab) = NULL;
    }
}

static struct slab_text *find(const struct table *table, uint32_t list, struct span text)
{
    struct slab_text *at = table->lists[list];
    for (unsigned steps = 0; at != NULL && steps < SLAB_TEXT_LOOK; steps++, at = at->next) {
        if (at->holders < UINT32_MAX && span_equal(slab_text_span(at), text)) {
            return at;
        }
    }
    return NULL;
}

static struct slab_text *add(struct slab *slab, struct table *table, uint32_t list, struct span text)
{
    struct slab_text *fresh = slab_take(slab, sizeof *fresh + text.size);
    if (fresh == NULL) {
        return NULL;
    }
    struct slab_text *first = table->lists[list];
    *fresh = (struct slab_text){
        .next = first, .list = (uint16_t)list, .size = (uint8_t)text.size};
    memcpy(fresh->bytes, text.data, text.size);
    if (first != NULL) {
        first->previous = fresh;
    }
    table->lists[list] = fresh;
    table->count++;
    return fresh;
}

struct slab_text *slab_text_keep(struct slab *slab, struct span text)
{
    text = span_head(text, SLAB_TEXT_MAX);
    struct table *table = text.size > 0 ? table_of(slab) : NULL;
    if (table == NULL) {
        return NULL;
    }
    uint32_t list = (uint32_t)(hash64(text.data, text.size, hash_seed()) % SLAB_TEXT_LISTS);
    struct slab_text *kept = find(table, list, text);
    kept = kept != NULL ? kept : add(slab, table, list, text);
    if (kept == NULL) {
        put_away(slab);
        return NULL;
    }
    kept->holders++;
    return kept;
}

struct span slab_text_span(const struct slab_text *text)
{
    return text != NULL ? span_of(text->bytes, text->size) : span_of(NULL, 0);
}

void slab_text_give(struct slab *slab, struct slab_text *text)
{
    if (text == NULL || --text->holders > 0) {
        return;
    }
    struct table *table = *slab_place(slab);
    assert(table != NULL && table->count > 0);
    if (text->previous != NULL) {
        text->previous->next = text->next;
    } else {
        table->lists[text->list] = text->next;
    }
    if (text->next != NULL) {
        text->next->previous = text->previous;
    }
    table->count--;
    slab_give(slab, text);
    put_away(slab);
}
