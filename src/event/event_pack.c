// SPDX-License-Identifier: Apache-2.0
#include "event/event.h"

#include "base/copy.h"
#include "base/json.h"
#include "event/event_plan.h"

enum { PACK_ALIGNMENT = 8, UTF8_MAX = 4, MARKED_LEAST = 1 << 10 };

static const char cut_mark[] = " [...]"; /* at the end of a text that was longer */

/* Memory that is filled from the front; beyond its end it only counts. */
struct packer {
    uint8_t *to;
    size_t room;
    size_t used;
    size_t text_max;
};

/* The next `size` bytes at a multiple of `alignment`, NULL when they lie beyond the end. */
static inline void *packer_take(struct packer *p, size_t size, size_t alignment)
{
    size_t start = (p->used + alignment - 1) & ~(alignment - 1);
    p->used = start + size;
    return p->used <= p->room ? p->to + start : NULL;
}

/* The first `max` bytes of a text that is longer, but not half a character. */
static struct span cut_text(struct span text, size_t max)
{
    for (size_t back = 1; back < UTF8_MAX && back <= max; back++) {
        if ((text.data[max - back] & 0xc0) != 0x80) { /* where a character begins */
            bool whole = json_utf8(span_skip(text, max - back)) <= back;
            return span_head(text, whole ? max : max - back);
        }
    }
    return span_head(text, max);
}

/* Packs bytes as they are; what refers to them is `ret`, NULL when that found no room itself. */
static inline void pack_bytes(struct packer *p, struct span text, struct span *ret)
{
    uint8_t *copy = packer_take(p, text.size, 1);
    if (copy != NULL) {
        copy_text(copy, text);
    }
    if (ret != NULL) {
        *ret = span_of(text.data != NULL ? copy : NULL, text.size);
    }
}

/* A text that is too long says so at its end, where there is room for that. */
static __attribute__((noinline)) void pack_cut(struct packer *p, struct span text, struct span *ret)
{
    size_t mark = p->text_max >= MARKED_LEAST ? sizeof cut_mark - 1 : 0;
    text = cut_text(text, p->text_max - mark);
    uint8_t *copy = packer_take(p, text.size + mark, 1);
    if (copy != NULL) {
        memcpy(copy, text.data, text.size);
        memcpy(copy + text.size, cut_mark, mark);
    }
    if (ret != NULL) {
        *ret = span_of(copy, text.size + mark);
    }
}

static inline void pack_text(struct packer *p, struct span text, struct span *ret)
{
    if (text.size > p->text_max) {
        pack_cut(p, text, ret);
        return;
    }
    pack_bytes(p, text, ret);
}

/* Packs `size` bytes of a list's items; NULL when there is no room. */
static void *pack_array(struct packer *p, const void *items, size_t size)
{
    void *copy = packer_take(p, size, PACK_ALIGNMENT);
    if (copy != NULL && size > 0) {
        memcpy(copy, items, size);
    }
    return copy;
}

static void pack_spans(struct packer *p, const struct event_spans *list, struct event_spans *ret)
{
    struct span *copy = pack_array(p, list->items, list->count * sizeof *copy);
    for (uint32_t i = 0; i < list->count; i++) {
        pack_text(p, list->items[i], copy != NULL ? &copy[i] : NULL);
    }
    if (ret != NULL) {
        ret->items = copy;
    }
}

static void pack_pairs(struct packer *p, const struct event_pairs *list, struct event_pairs *ret)
{
    struct event_pair *copy = pack_array(p, list->items, list->count * sizeof *copy);
    for (uint32_t i = 0; i < list->count; i++) {
        pack_text(p, list->items[i].name, copy != NULL ? &copy[i].name : NULL);
        struct span *value = copy != NULL ? &copy[i].value : NULL;
        if (list->items[i].is_json) { /* cut, it would be no JSON any more */
            pack_bytes(p, list->items[i].value, value);
        } else {
            pack_text(p, list->items[i].value, value);
        }
    }
    if (ret != NULL) {
        ret->items = copy;
    }
}

static void pack_addresses(struct packer *p, const struct event_addresses *list,
                           struct event_addresses *ret)
{
    void *copy = pack_array(p, list->items, list->count * sizeof *list->items);
    if (ret != NULL) {
        ret->items = copy;
    }
}

static void pack_loans(struct packer *p, const struct event_plan *plan, const uint8_t *from,
                       uint8_t *to);

static void pack_items(struct packer *p, const struct event_plan *plan,
                       const struct event_items *list, struct event_items *ret)
{
    const struct event_type *type = plan->type;
    uint8_t *copy = pack_array(p, list->items, list->count * type->size);
    for (uint32_t i = 0; i < list->count; i++) {
        size_t offset = i * type->size;
        const uint8_t *from = (const uint8_t *)list->items + offset;
        pack_loans(p, plan, from, copy != NULL ? copy + offset : NULL);
    }
    if (ret != NULL) {
        ret->items = copy;
    }
}

/* A field that is empty stays as it was copied with its struct. */
static void pack_loan(struct packer *p, const struct event_loan *f, const void *at, void *copy)
{
    switch ((enum event_kind)f->kind) {
    case EVENT_VALUE:
        if (((const struct span *)at)->data != NULL) {
            pack_bytes(p, *(const struct span *)at, copy);
        }
        break;
    case EVENT_SPANS:
        if (((const struct event_spans *)at)->count > 0) {
            pack_spans(p, at, copy);
        }
        break;
    case EVENT_PAIRS:
        if (((const struct event_pairs *)at)->count > 0) {
            pack_pairs(p, at, copy);
        }
        break;
    case EVENT_ITEMS:
        pack_items(p, f->item, at, copy);
        break;
    case EVENT_ADDRESSES:
        pack_addresses(p, at, copy);
        break;
    default:
        break;
    }
}

/* Packs what the fields of the struct `from` borrow; its copy is `to`, NULL when that found no
 * room. Most texts of an event are empty. */
static void pack_loans(struct packer *p, const struct event_plan *plan, const uint8_t *from,
                       uint8_t *to)
{
    const struct event_loan *f = plan->loans;
    for (; f < plan->loans + plan->text_count; f++) {
        const struct span *text = (const struct span *)(const void *)(from + f->offset);
        if (text->data != NULL) {
            pack_text(p, *text, to != NULL ? (struct span *)(void *)(to + f->offset) : NULL);
        }
    }
    for (; f < plan->loans + plan->loan_count; f++) {
        pack_loan(p, f, from + f->offset, to != NULL ? to + f->offset : NULL);
    }
}

size_t event_pack(void *to, size_t room, const struct event_head *event, size_t text_max)
{
    struct packer p = {.to = to, .room = room, .text_max = text_max};
    const struct event_plan *plan = event_plan_of(event->type);
    if (plan == NULL) {
        return SIZE_MAX;
    }
    void *copy = pack_array(&p, event, plan->type->size);
    pack_loans(&p, plan, (const uint8_t *)event, copy);
    return (p.used + PACK_ALIGNMENT - 1) & ~(size_t)(PACK_ALIGNMENT - 1);
}
