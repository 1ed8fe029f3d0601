// SPDX-License-Identifier: Apache-2.0
/* Knuth's buddy system (The Art of Computer Programming 1, §2.5, algorithms R and S): a block of order
 * n is 2^n bytes at an offset that is a multiple of 2^n; its buddy is where that bit is flipped. A free
 * block is on the list of its order. Address space is cut from the front, in blocks of the highest
 * order, only when no list has what is asked for: what was never needed is never touched.
 *
 * What is given back is likely to be wanted again soon: of connections that end together as many begin
 * before long. So the last blocks of each order are kept as they are, neither free nor out, and joined
 * only when memory runs short. */
#include "base/slab.h"

#include "base/pages.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#endif
#endif

/* With ASan, blocks that are not out are out of bounds. */
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(at, size) ((void)(at), (void)(size))
#endif

enum { ORDER_MIN = 6, ORDER_MAX = 21, ORDERS = ORDER_MAX + 1 };
enum { KEPT_LEAST = 8, KEPT_BYTES = 256 << 10 }; /* of one order: so many blocks, or bytes */
enum { ORDER_LARGE = ORDERS, LARGE_STEP = 256 << 10 };

enum block_state { BLOCK_OUT = 0x4f55, BLOCK_FREE = 0x4652, BLOCK_KEPT = 0x4b45 };

struct block {
    uint32_t order;
    uint32_t state;
    struct block *next; /* on the list of free blocks */
    struct block *previous;
};

enum { HEADER = 16 }; /* of a block that is out: `previous` is the content's */

/* Stands before the header of a block that has pages of its own. */
struct large {
    struct large *next;
    struct large *previous;
    struct budget *payer; /* NULL: nobody was asked */
    size_t size;          /* of all pages */
};

enum { LARGE_HEADER = sizeof(struct large) + HEADER };

_Static_assert(LARGE_HEADER % HEADER == 0, "the content of a large block is aligned like others");
_Static_assert(offsetof(struct block, previous) == HEADER, "the content keeps its alignment");
_Static_assert(SLAB_BLOCK_MAX + HEADER <= 1 << ORDER_MAX, "the largest block fits");
_Static_assert(sizeof(struct block) <= 1 << ORDER_MIN, "the smallest has room for the links");

struct slab {
    uint8_t *memory;
    size_t budget;   /* bytes of address space */
    struct budget *paid_from; /* NULL: nobody asks */
    size_t cut;      /* bytes that blocks have been made of so far */
    struct large *large; /* those that are out */
    size_t large_bytes;
    void *place;
    uint64_t used;
    uint64_t refused;
    uint32_t filled; /* a bit for each order whose list is not empty */
    struct block *free[ORDERS];
    struct block *kept[ORDERS];
    uint16_t kept_count[ORDERS];
};

static struct slab *make(uint64_t budget, void *reserve(size_t size))
{
    budget &= ~(uint64_t)((1 << ORDER_MIN) - 1);
    struct slab *slab = budget == 0 || budget > SIZE_MAX ? NULL : calloc(1, sizeof *slab);
    if (slab == NULL) {
        return NULL;
    }
    slab->budget = (size_t)budget;
    slab->memory = reserve(slab->budget);
    if (slab->memory == NULL) {
        free(slab);
        return NULL;
    }
    return slab;
}

void slab_free(struct slab *slab)
{
    if (slab == NULL) {
        return;
    }
    while (slab->large != NULL) {
        slab_give(slab, (uint8_t *)slab->large + LARGE_HEADER);
    }
    ASAN_UNPOISON_MEMORY_REGION(slab->memory, slab->budget);
    pages_release(slab->memory, slab->budget);
    free(slab);
}

struct slab *slab_new(uint64_t budget)
{
    return make(budget, pages_reserve_sparse);
}

struct slab *slab_new_within(uint64_t most, struct budget *budget)
{
    struct slab *slab = make(most, pages_reserve);
    if (slab != NULL) {
        slab->paid_from = budget;
    }
    return slab;
}

static size_t size_of(uint32_t order)
{
    return (size_t)1 << order;
}

static struct block *block_of(const void *content)
{
    return (struct block *)(uintptr_t)((const uint8_t *)content - HEADER);
}

/* ---- Lists --------------------------------------------------------------------------------- */

static void put_on_list(struct slab *slab, struct block *block, uint32_t order)
{
    struct block *next = slab->free[order];
    ASAN_UNPOISON_MEMORY_REGION(block, sizeof *block);
    *block = (struct block){.order = order, .state = BLOCK_FREE, .next = next};
    if (next != NULL) {
        next->previous = block;
    }
    slab->free[order] = block;
    slab->filled |= 1U << order;
}

static void take_off_list(struct slab *slab, struct block *block)
{
    uint32_t order = block->order;
    if (block->next != NULL) {
        block->next->previous = block->previous;
    }
    if (block->previous != NULL) {
        block->previous->next = block->next;
        return;
    }
    slab->free[order] = block->next;
    if (block->next == NULL) {
        slab->filled &= ~(1U << order);
    }
}

/* ---- Splitting and joining ------------------------------------------------------------------ */

static bool can_pay(const struct slab *slab, size_t size)
{
    return size <= slab->budget - slab->cut - slab->large_bytes &&
           (slab->paid_from == NULL || budget_with(slab->paid_from, size) != NULL);
}

/* Makes the next block of what was never used, as large as goes; whether it has that order. */
static bool cut_fresh(struct slab *slab, uint32_t wanted)
{
    uint32_t order = ORDER_MAX;
    while (order >= wanted && !can_pay(slab, size_of(order))) {
        order--;
    }
    if (order < wanted) {
        return false;
    }
    if (slab->paid_from != NULL) {
        (void)budget_take(slab->paid_from, size_of(order));
    }
    struct block *block = (struct block *)(void *)(slab->memory + slab->cut);
    slab->cut += size_of(order);
    ASAN_POISON_MEMORY_REGION(block, size_of(order));
    put_on_list(slab, block, order);
    return true;
}

/* The buddy of a block of that order, where it is free as a whole; else NULL. */
static struct block *free_buddy(const struct slab *slab, const struct block *block, uint32_t order)
{
    size_t offset = (size_t)((const uint8_t *)block - slab->memory) ^ size_of(order);
    if (order >= ORDER_MAX || offset + size_of(order) > slab->cut) {
        return NULL;
    }
    struct block *buddy = (struct block *)(void *)(slab->memory + offset);
    return buddy->state == BLOCK_FREE && buddy->order == order ? buddy : NULL;
}

/* Joins a block with its buddy, and that with its own, as far as they are free, and lists it. */
static void join(struct slab *slab, struct block *block, uint32_t order)
{
    struct block *buddy;
    while ((buddy = free_buddy(slab, block, order)) != NULL) {
        take_off_list(slab, buddy);
        ASAN_POISON_MEMORY_REGION(buddy, sizeof *buddy);
        block = buddy < block ? buddy : block;
        order++;
    }
    put_on_list(slab, block, order);
}

static bool has_kept_enough(const struct slab *slab, uint32_t order)
{
    return slab->kept_count[order] >= KEPT_LEAST && slab->kept_count[order] >= KEPT_BYTES >> order;
}

static struct block *take_kept(struct slab *slab, uint32_t order)
{
    struct block *block = slab->kept[order];
    slab->kept[order] = block->next;
    slab->kept_count[order]--;
    return block;
}

/* Memory runs short: what was kept is joined. Whether there was any. */
static bool join_kept(struct slab *slab)
{
    bool any = false;
    for (uint32_t order = ORDER_MIN; order < ORDERS; order++) {
        while (slab->kept_count[order] > 0) {
            struct block *block = take_kept(slab, order);
            block->state = BLOCK_OUT;
            join(slab, block, order);
            any = true;
        }
    }
    return any;
}

/* A block of that order off the lists, by splitting a larger one; NULL when there is none. */
static struct block *split(struct slab *slab, uint32_t order)
{
    if (slab->filled >> order == 0 && !cut_fresh(slab, order) &&
        !(join_kept(slab) && slab->filled >> order != 0)) {
        return NULL;
    }
    uint32_t found = order + (uint32_t)__builtin_ctz(slab->filled >> order);
    struct block *block = slab->free[found];
    take_off_list(slab, block);
    while (found > order) {
        found--;
        put_on_list(slab, (struct block *)(void *)((uint8_t *)block + size_of(found)), found);
    }
    return block;
}

static uint32_t order_for(size_t size)
{
    size_t whole = size + HEADER;
    return whole <= size_of(ORDER_MIN) ? ORDER_MIN : 64 - (uint32_t)__builtin_clzl(whole - 1);
}

void *slab_take(struct slab *slab, size_t size)
{
    uint32_t order = size <= SLAB_BLOCK_MAX ? order_for(size) : 0;
    struct block *block = order == 0                     ? NULL
                          : slab->kept_count[order] != 0 ? take_kept(slab, order)
                                                         : split(slab, order);
    if (block == NULL) {
        slab->refused++;
        return NULL;
    }
    ASAN_UNPOISON_MEMORY_REGION(block, size_of(order));
    block->order = order;
    block->state = BLOCK_OUT;
    slab->used += size_of(order);
    return (uint8_t *)block + HEADER;
}

/* ---- Large ones ------------------------------------------------------------------------------- */

static struct large *large_of(const void *content)
{
    return (struct large *)(uintptr_t)((const uint8_t *)content - LARGE_HEADER);
}

static bool is_large(const void *content)
{
    return block_of(content)->order == ORDER_LARGE;
}

static void link_large(struct slab *slab, struct large *large)
{
    large->previous = NULL;
    large->next = slab->large;
    if (slab->large != NULL) {
        slab->large->previous = large;
    }
    slab->large = large;
}

static void unlink_large(struct slab *slab, const struct large *large)
{
    if (large->next != NULL) {
        large->next->previous = large->previous;
    }
    if (large->previous != NULL) {
        large->previous->next = large->next;
    } else {
        slab->large = large->next;
    }
}

/* Has so many bytes paid; false when they cannot be had. */
static bool pay_large(struct slab *slab, size_t size, struct budget **payer)
{
    if (!can_pay(slab, size)) {
        return false;
    }
    *payer = budget_with(slab->paid_from, size);
    if (*payer != NULL) {
        (*payer)->left -= size;
    }
    slab->large_bytes += size;
    slab->used += size;
    return true;
}

static void pay_back(struct slab *slab, size_t size, struct budget *payer)
{
    if (payer != NULL) {
        budget_give(payer, size);
    }
    slab->large_bytes -= size;
    slab->used -= size;
}

static void give_large(struct slab *slab, void *content)
{
    struct large *large = large_of(content);
    unlink_large(slab, large);
    pay_back(slab, large->size, large->payer);
    pages_release(large, large->size);
}

/* Whole pages for so many bytes and the headers; 0: there is no such size. */
static size_t pages_for(size_t size)
{
    return size > SIZE_MAX / 2 ? 0
                               : (size + LARGE_HEADER + LARGE_STEP - 1) / LARGE_STEP * LARGE_STEP;
}

static void *take_large(struct slab *slab, size_t size)
{
    size_t whole = pages_for(size);
    struct budget *payer = NULL;
    if (whole == 0 || !pay_large(slab, whole, &payer)) {
        return NULL;
    }
    struct large *large = pages_reserve(whole);
    if (large == NULL) {
        pay_back(slab, whole, payer);
        return NULL;
    }
    large->payer = payer;
    large->size = whole;
    link_large(slab, large);
    struct block *block = (struct block *)(void *)(large + 1);
    block->order = ORDER_LARGE;
    block->state = BLOCK_OUT;
    return (uint8_t *)large + LARGE_HEADER;
}

/* What it has is paid back before it is paid anew, as a whole, so that each budget gets its own. */
static void *resize_large(struct slab *slab, void *content, size_t size)
{
    struct large *large = large_of(content);
    size_t whole = large->size;
    size_t wanted = pages_for(size > whole + whole / 4 ? size : whole + whole / 4);
    struct budget *old = large->payer;
    struct budget *payer = NULL;
    pay_back(slab, whole, old);
    bool is_paid = wanted > 0 && pay_large(slab, wanted, &payer);
    if (!is_paid && (wanted = pages_for(size)) > 0) {
        is_paid = pay_large(slab, wanted, &payer);
    }
    unlink_large(slab, large);
    struct large *there = is_paid ? pages_resize(large, whole, wanted) : NULL;
    if (there != NULL) {
        there->payer = payer;
        there->size = wanted;
        link_large(slab, there);
        return (uint8_t *)there + LARGE_HEADER;
    }
    if (is_paid) {
        pay_back(slab, wanted, payer);
    }
    (void)pay_large(slab, whole, &large->payer);
    link_large(slab, large);
    return NULL;
}

void slab_give(struct slab *slab, void *content)
{
    if (content == NULL) {
        return;
    }
    struct block *block = block_of(content);
    uint32_t order = block->order;
    if (order == ORDER_LARGE) {
        assert(block->state == BLOCK_OUT);
        give_large(slab, content);
        return;
    }
    assert((uint8_t *)block >= slab->memory && (uint8_t *)block < slab->memory + slab->cut);
    assert(block->state == BLOCK_OUT); /* given once, and nobody wrote before its beginning */
    slab->used -= size_of(order);
    ASAN_POISON_MEMORY_REGION(block, size_of(order));
    ASAN_UNPOISON_MEMORY_REGION(block, sizeof *block);
    if (has_kept_enough(slab, order)) {
        join(slab, block, order);
        return;
    }
    block->state = BLOCK_KEPT;
    block->next = slab->kept[order];
    slab->kept[order] = block;
    slab->kept_count[order]++;
}

void *slab_grow(struct slab *slab, void *content, size_t size)
{
    if (content != NULL && slab_room(content) >= size) {
        return content;
    }
    void *larger = slab_take(slab, size);
    if (content != NULL && larger != NULL) {
        memcpy(larger, content, slab_room(content));
        slab_give(slab, content);
    }
    return larger;
}

void *slab_grow_large(struct slab *slab, void *content, size_t size)
{
    size_t room = content != NULL ? slab_room(content) : 0;
    if (size <= SLAB_BLOCK_MAX || size <= room) {
        return slab_grow(slab, content, size);
    }
    if (content != NULL && is_large(content)) {
        void *there = resize_large(slab, content, size);
        slab->refused += there == NULL;
        return there;
    }
    void *larger = take_large(slab, size);
    slab->refused += larger == NULL;
    if (content != NULL && larger != NULL) {
        memcpy(larger, content, room);
        slab_give(slab, content);
    }
    return larger;
}

size_t slab_room(const void *content)
{
    if (is_large(content)) {
        return large_of(content)->size - LARGE_HEADER;
    }
    return size_of(block_of(content)->order) - HEADER;
}

void **slab_place(struct slab *slab)
{
    return &slab->place;
}

uint64_t slab_used(const struct slab *slab)
{
    return slab->used;
}

uint64_t slab_refused(const struct slab *slab)
{
    return slab->refused;
}
