// SPDX-License-Identifier: Apache-2.0
#include "event/event_plain.h"

#include "event/event_plan.h"
#include "event/event_value.h"

static void put_closings(struct json *to, unsigned count)
{
    static const char closings[] = "}}}}}}}}";
    _Static_assert((int)EVENT_DEPTH_MAX < (int)sizeof closings, "as many as there may be");
    json_append(to, closings, count);
}

static bool is_there(const struct event_step *step, const void *at)
{
    if (step->kind == EVENT_SPAN && step->flags & EVENT_EMPTY_TOO) {
        return ((const struct span *)at)->data != NULL;
    }
    return step->flags & EVENT_ALWAYS || !event_value_is_empty(step->kind, at);
}

static void put_items(struct json *to, const struct event_type *type, const struct event_items *list)
{
    json_array_begin(to);
    for (uint32_t i = 0; i < list->count; i++) {
        event_plain_put(to, type, (const uint8_t *)list->items + i * type->size);
    }
    json_array_end(to);
}

/* A value of bounded size; returns the end. */
static char *write_value(char *to, enum event_kind kind, const void *at)
{
    struct event_clock clock = {0};
    switch (kind) {
    case EVENT_TIME:
        return event_value_time(to, *(const uint64_t *)at, &clock);
    case EVENT_ADDRESS:
        return event_value_address(to, at);
    case EVENT_MAC:
        return event_value_mac(to, at);
    default:
        return event_value_write(to, kind, at);
    }
}

static void put_value(struct json *to, const struct event_step *step, const void *at)
{
    to->comma = false;
    if (step->kind == EVENT_ITEMS) {
        put_items(to, step->item->type, at);
    } else if (event_value_is_large(step->kind)) {
        event_value_put(to, step->kind, at, step->flags);
    } else {
        char *end = json_reserve(to, EVENT_VALUE_ROOM);
        if (end != NULL) {
            to->size = (size_t)(write_value(end, step->kind, at) - to->data);
        }
    }
}

void event_plain_put(struct json *to, const struct event_type *type, const void *from)
{
    const struct event_plan *plan = event_plan_of(type);
    if (plan == NULL) {
        to->failed = true;
        return;
    }
    unsigned open = 0, shared = 0; /* objects around the field before, and of these around all since */
    bool is_first = true;
    json_object_begin(to);
    for (const struct event_step *step = plan->steps; step < plan->steps + plan->count; step++) {
        const void *at = (const uint8_t *)from + step->offset;
        shared = step->shared < shared ? step->shared : shared;
        if (!is_there(step, at)) {
            continue;
        }
        put_closings(to, open - shared);
        json_append(to, ",", !is_first);
        json_append(to, step->way + step->skip[shared], step->way_size - (size_t)step->skip[shared]);
        put_value(to, step, at);
        is_first = false;
        open = shared = step->depth;
    }
    put_closings(to, open);
    json_object_end(to);
}
