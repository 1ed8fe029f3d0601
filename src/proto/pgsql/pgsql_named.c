// SPDX-License-Identifier: Apache-2.0
#include "proto/pgsql/pgsql_named.h"

enum { PARAM_WORDS = sizeof(struct pgsql_piece) / sizeof(uint32_t) };

static struct pgsql_piece *params_of(const struct pgsql_named *named)
{
    return (struct pgsql_piece *)(uintptr_t)(named->words + named->type_count);
}

static char *bytes_of(const struct pgsql_named *named)
{
    return (char *)(params_of(named) + named->param_count);
}

struct span pgsql_named_text(const struct pgsql_named *named)
{
    return span_of(bytes_of(named) + named->name_size, named->text_size);
}

uint32_t pgsql_named_type(const struct pgsql_named *named, unsigned i)
{
    return i < named->type_count ? named->words[i] : 0;
}

struct span pgsql_named_param(const struct pgsql_named *named, unsigned i)
{
    struct pgsql_piece piece = params_of(named)[i];
    return span_of(bytes_of(named) + piece.at, piece.size);
}

static void unlink_one(struct pgsql_names *all, struct pgsql_named *n)
{
    if (n->previous != NULL) {
        n->previous->next = n->next;
    } else {
        all->first = n->next;
    }
    if (n->next != NULL) {
        n->next->previous = n->previous;
    } else {
        all->last = n->previous;
    }
    all->count--;
    all->bytes -= n->bytes_size;
}

static void link_first(struct pgsql_names *all, struct pgsql_named *n)
{
    n->previous = NULL;
    n->next = all->first;
    if (all->first != NULL) {
        all->first->previous = n;
    } else {
        all->last = n;
    }
    all->first = n;
    all->count++;
    all->bytes += n->bytes_size;
}

static void drop(struct pgsql_names *all, struct slab *slab, struct pgsql_named *n)
{
    unlink_one(all, n);
    slab_give(slab, n);
}

struct pgsql_named *pgsql_named_find(struct pgsql_names *all, struct span name)
{
    for (struct pgsql_named *n = all->first; n != NULL; n = n->next) {
        if (span_equal(span_of(bytes_of(n), n->name_size), name)) {
            unlink_one(all, n);
            link_first(all, n);
            return n;
        }
    }
    return NULL;
}

void pgsql_named_drop(struct pgsql_names *all, struct slab *slab, struct span name)
{
    struct pgsql_named *n = pgsql_named_find(all, name);
    if (n != NULL) {
        drop(all, slab, n);
    }
}

void pgsql_named_drop_all(struct pgsql_names *all, struct slab *slab)
{
    while (all->first != NULL) {
        drop(all, slab, all->first);
    }
}

static char *append(char *at, struct span part)
{
    return part.size > 0 ? mempcpy(at, part.data, part.size) : at;
}

void pgsql_named_add(struct pgsql_names *all, struct slab *slab, const struct pgsql_said *said)
{
    struct span text = span_head(said->text, PGSQL_NAMED_TEXT);
    size_t size = said->name.size + text.size;
    for (unsigned i = 0; i < said->param_count; i++) {
        size += said->params[i].size;
    }
    size_t words = said->type_count + (size_t)said->param_count * PARAM_WORDS;
    struct pgsql_named *n = slab_take(slab, sizeof *n + words * sizeof *n->words + size);
    if (n != NULL) {
        memset(n, 0, sizeof *n);
        n->name_size = (uint32_t)said->name.size;
        n->text_size = (uint32_t)text.size;
        n->whole = (uint32_t)said->whole;
        n->bytes_size = (uint32_t)size;
        n->unknown = said->unknown;
        n->type_count = (uint8_t)said->type_count;
        n->param_count = (uint8_t)said->param_count;
        memcpy(n->words, said->types, said->type_count * sizeof *n->words);
        char *at = append(append(bytes_of(n), said->name), text);
        for (unsigned i = 0; i < said->param_count; i++) {
            params_of(n)[i] = (struct pgsql_piece){(uint32_t)(at - bytes_of(n)),
                                                   (uint32_t)said->params[i].size};
            at = append(at, said->params[i]);
        }
    }
    pgsql_named_drop(all, slab, said->name); /* what it says may be borrowed from there */
    if (n == NULL) {
        return;
    }
    while (all->last != NULL &&
           (all->count >= PGSQL_NAMED_MAX || all->bytes + size > PGSQL_NAMED_BYTES)) {
        drop(all, slab, all->last);
    }
    link_first(all, n);
}
