// SPDX-License-Identifier: Apache-2.0
#include "handler/breakdown.h"

#include <stdio.h>

#include "base/hash.h"
#include "summary/metric_key.h"

enum { OTHERS, NAME_SEED = 7 };

static void *item_at(const struct breakdown_of *of, uint32_t i)
{
    return (uint8_t *)of->items + i * of->set->size;
}

static uint32_t lightest(const struct breakdown *names)
{
    uint32_t best = 1;
    for (uint32_t i = 2; i < names->count; i++) {
        best = names->weight[i] < names->weight[best] ? i : best;
    }
    return best;
}

/* Adds the lightest item to the others; its place is free. */
static uint32_t fold(const struct breakdown_of *of)
{
    struct breakdown *names = of->names;
    uint32_t i = lightest(names);
    metric_block_merge(of->set, item_at(of, OTHERS), item_at(of, i));
    metric_block_reset(of->set, item_at(of, i));
    names->weight[OTHERS] += names->weight[i];
    names->weight[i] = 0;
    names->folded++;
    return i;
}

static uint32_t find(const struct breakdown *names, uint64_t hash, struct span name)
{
    for (uint32_t i = 1; i < names->count; i++) {
        if (names->hash[i] == hash && strlen(names->name[i]) == name.size &&
            memcmp(names->name[i], name.data, name.size) == 0) {
            return i;
        }
    }
    return 0;
}

static uint32_t make(const struct breakdown_of *of, uint64_t hash, struct span name)
{
    struct breakdown *names = of->names;
    if (names->count == 0) {
        metric_block_reset(of->set, item_at(of, OTHERS));
        names->count = 1;
    }
    uint32_t i = names->count < BREAKDOWN_ITEMS ? names->count++ : fold(of);
    metric_block_reset(of->set, item_at(of, i));
    names->hash[i] = hash;
    memset(names->name[i], 0, BREAKDOWN_NAME);
    memcpy(names->name[i], name.data, name.size);
    return i;
}

static uint32_t take(const struct breakdown_of *of, struct span name, uint64_t weight)
{
    const uint8_t *zero = memchr(name.data, 0, name.size);
    name = span_head(name, zero != NULL ? (size_t)(zero - name.data) : name.size);
    name = span_head(name, BREAKDOWN_NAME - 1);
    uint64_t hash = hash64(name.data, name.size, NAME_SEED);
    uint32_t i = find(of->names, hash, name);
    i = i != 0 ? i : make(of, hash, name);
    of->names->weight[i] += weight;
    return i;
}

void *breakdown_add(const struct breakdown_of *to, struct span name)
{
    return item_at(to, take(to, name.data != NULL ? name : span_str(""), 1));
}

void breakdown_reset(const struct breakdown_of *of)
{
    for (uint32_t i = 0; i < of->names->count; i++) {
        metric_block_reset(of->set, item_at(of, i));
        of->names->weight[i] = 0;
    }
    of->names->count = 0;
    of->names->folded = 0;
}

void breakdown_merge(const struct breakdown_of *into, const struct breakdown_of *from)
{
    const struct breakdown *names = from->names;
    for (uint32_t i = 1; i < names->count; i++) {
        uint32_t at = take(into, span_str(names->name[i]), names->weight[i]);
        metric_block_merge(into->set, item_at(into, at), item_at(from, i));
    }
    if (names->count > 0) { /* the loop has made those of `into` unless there was nothing */
        into->names->count += into->names->count == 0;
        metric_block_merge(into->set, item_at(into, OTHERS), item_at(from, OTHERS));
        into->names->weight[OTHERS] += names->weight[OTHERS];
    }
    into->names->folded += names->folded;
}

bool breakdown_part(const struct breakdown_of *of, uint32_t number, struct handler_part *ret)
{
    const struct breakdown *names = of->names;
    if (number >= names->count) {
        return false;
    }
    bool is_others = number == OTHERS;
    ret->block = is_others && names->weight[OTHERS] == 0 ? NULL : item_at(of, number);
    ret->rank = is_others ? -1 : (double)names->weight[number];
    const char *name = is_others ? "(others)" : names->name[number];
    char text[METRIC_KEY_ROOM];
    metric_key_text(METRIC_KEY_TEXT, span_str(name), text, sizeof text);
    snprintf(ret->label, sizeof ret->label, "%.*s", (int)sizeof ret->label - 1, text);
    snprintf(ret->name, sizeof ret->name, "%.*s", (int)sizeof ret->name - 1, text);
    return true;
}
