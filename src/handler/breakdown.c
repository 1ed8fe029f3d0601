// SPDX-License-Identifier: Apache-2.0
#include "handler/breakdown.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/json.h"

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
    uint64_t hash = hash64(name.data, name.size, NAME_SEED);
    uint32_t i = find(of->names, hash, name);
    i = i != 0 ? i : make(of, hash, name);
    of->names->weight[i] += weight;
    return i;
}

void *breakdown_add(const struct breakdown_of *to, const struct breakdown_name *name)
{
    return item_at(to, take(to, span_of(name->text, name->size), 1));
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
}

/* ---- Names ---------------------------------------------------------------------------------- */

void breakdown_put(struct breakdown_name *name, struct span value, size_t max)
{
    size_t room = sizeof name->text - 1;
    if (name->values++ > 0 && name->size < room) {
        name->text[name->size++] = '\n';
    }
    size_t end = name->size + max < room ? name->size + max : room;
    while (value.size > 0) {
        unsigned length = json_utf8(value);
        bool is_clean = length > 0 && value.data[0] >= ' ' && value.data[0] != 0x7f;
        length = is_clean ? length : 1;
        if (name->size + length > end) {
            return;
        }
        memcpy(name->text + name->size, is_clean ? (const char *)value.data : "?", length);
        name->size += length;
        value = span_skip(value, length);
    }
}

/* Cuts a name's values apart, one a label. */
static void put_labels(const char *const *labels, const char *name, struct handler_part *ret)
{
    for (unsigned k = 0; k < HANDLER_PART_LABELS && labels[k] != NULL; k++) {
        size_t size = strcspn(name, "\n");
        ret->labels[k].name = labels[k];
        snprintf(ret->labels[k].value, sizeof ret->labels[k].value, "%.*s", (int)size, name);
        name += size + (name[size] == '\n');
    }
}

/* The one value as it is, or those that are not empty, each with what it is called. */
static void join(struct handler_part *ret)
{
    bool is_one = ret->labels[1].name == NULL;
    size_t used = 0;
    ret->name[0] = '\0';
    for (unsigned k = 0; k < HANDLER_PART_LABELS && ret->labels[k].name != NULL; k++) {
        const struct handler_label *label = &ret->labels[k];
        if (label->value[0] != '\0' && used < sizeof ret->name) {
            used += (size_t)snprintf(ret->name + used, sizeof ret->name - used, "%s%s%s%s",
                                     used > 0 ? "," : "", is_one ? "" : label->name,
                                     is_one ? "" : "=", label->value);
        }
    }
    if (used == 0) {
        snprintf(ret->name, sizeof ret->name, "(unknown)");
    }
}

bool breakdown_part(const struct breakdown_of *of, uint32_t number, struct handler_part *ret)
{
    static const char others[] = "(others)\n(others)\n(others)\n(others)";
    const struct breakdown *names = of->names;
    if (number >= names->count) {
        return false;
    }
    bool is_others = number == OTHERS;
    ret->block = is_others && names->weight[OTHERS] == 0 ? NULL : item_at(of, number);
    ret->rank = is_others ? -1 : (double)names->weight[number];
    memset(ret->labels, 0, sizeof ret->labels);
    put_labels(of->labels, is_others ? others : names->name[number], ret);
    join(ret);
    if (is_others) {
        snprintf(ret->name, sizeof ret->name, "(others)");
    }
    return true;
}
