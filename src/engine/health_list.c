// SPDX-License-Identifier: Apache-2.0
#include "engine/health_list.h"

#include <stdlib.h>

struct health_list {
    struct health_event **heap; /* the least bad one first */
    uint32_t room, count;
    uint64_t total;
};

struct health_list *health_list_new(uint32_t room)
{
    struct health_list *list = calloc(1, sizeof *list);
    struct health_event **heap = calloc(room, sizeof *heap);
    if (list == NULL || heap == NULL) {
        free(list);
        free(heap);
        return NULL;
    }
    *list = (struct health_list){.heap = heap, .room = room};
    return list;
}

void health_list_free(struct health_list *list)
{
    if (list == NULL) {
        return;
    }
    for (uint32_t i = 0; i < list->count; i++) {
        free(list->heap[i]);
    }
    free(list->heap);
    free(list);
}

/* Below zero: `a` is worse. */
static int compare(const struct health_event *a, const struct health_event *b)
{
    if (a->badness != b->badness) {
        return a->badness > b->badness ? -1 : 1;
    }
    uint64_t first = a->flow.start_ns, second = b->flow.start_ns;
    return first != second ? (first < second ? -1 : 1) : 0;
}

static int compare_places(const void *a, const void *b)
{
    return compare(*(struct health_event *const *)a, *(struct health_event *const *)b);
}

static void swap(struct health_event **a, struct health_event **b)
{
    struct health_event *kept = *a;
    *a = *b;
    *b = kept;
}

static void sift_up(struct health_list *list, uint32_t at)
{
    while (at > 0 && compare(list->heap[at], list->heap[(at - 1) / 2]) > 0) {
        swap(&list->heap[at], &list->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void sift_down(struct health_list *list)
{
    for (uint32_t at = 0;;) {
        uint32_t child = 2 * at + 1;
        if (child >= list->count) {
            return;
        }
        if (child + 1 < list->count && compare(list->heap[child + 1], list->heap[child]) > 0) {
            child++;
        }
        if (compare(list->heap[child], list->heap[at]) <= 0) {
            return;
        }
        swap(&list->heap[child], &list->heap[at]);
        at = child;
    }
}

void health_list_add(struct health_list *list, const struct health_event *event)
{
    if (!event->flow.final) {
        return;
    }
    list->total++;
    if (list->count == list->room) {
        if (compare(event, list->heap[0]) < 0) {
            *list->heap[0] = *event;
            sift_down(list);
        }
        return;
    }
    struct health_event *copy = malloc(sizeof *copy);
    if (copy == NULL) {
        return; /* counted in the total: the reader sees that some are missing */
    }
    *copy = *event;
    list->heap[list->count++] = copy;
    sift_up(list, list->count - 1);
}

uint32_t health_list_sort(struct health_list *list, const struct health_event *const **ret,
                          uint64_t *ret_total)
{
    qsort(list->heap, list->count, sizeof *list->heap, compare_places);
    *ret = (const struct health_event *const *)list->heap;
    *ret_total = list->total;
    return list->count;
}
