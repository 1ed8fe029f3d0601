// SPDX-License-Identifier: Apache-2.0
#include "event/event.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/json.h"
#include "base/text.h"

enum { EVENT_LIST_MAX = sizeof(((struct event_u16_list *)0)->values) / sizeof(uint16_t) };

/* Bytes that a value of bounded size takes at most: a time in quotes is the longest but for an IPv6
 * address. */
enum { EVENT_VALUE_ROOM = ADDRESS_ROOM + 2 };

/* Ways and closings are copied in pieces of this size, so that something lies behind them. */
enum { EVENT_PIECE = 16 };
_Static_assert((int)EVENT_DEPTH_MAX < (int)EVENT_PIECE, "closings are one piece");

/* Kinds whose values may be of any size. */
enum {
    EVENT_LARGE = 1 << EVENT_SPAN | 1 << EVENT_VALUE | 1 << EVENT_TEXT | 1 << EVENT_INLINE |
                  1 << EVENT_JSON | 1 << EVENT_SPANS | 1 << EVENT_PAIRS | 1 << EVENT_ITEMS |
                  1 << EVENT_ADDRESSES
};

/* ---- Fields of a type ----------------------------------------------------------------------- */

struct event_walk event_walk_of(const struct event_type *type)
{
    return (struct event_walk){.own = type->fields, .common = type->common};
}

const struct event_field *event_walk_next(struct event_walk *walk)
{
    const struct event_field *common = walk->common;
    bool has_common = common != NULL && common->name != NULL;
    if (walk->own->name == NULL) {
        return has_common ? walk->common++ : NULL;
    }
    return has_common && strcmp(common->name, walk->own->name) < 0 ? walk->common++ : walk->own++;
}

/* ---- Plan ----------------------------------------------------------------------------------- */

/* One field. `way` is all that leads to its value from outside the event's object, for source.ip:
 * "source":{"ip": ; from inside `d` objects only the part from way + skip[d] on. */
struct event_step {
    const char *way;
    uint16_t way_size;
    uint16_t skip[EVENT_DEPTH_MAX];
    uint16_t offset;
    uint8_t depth;  /* objects around the value, the event's own not counted */
    uint8_t shared; /* of these, around the field before it in the table, too */
    uint8_t kind;
    uint8_t flags;
    bool is_large; /* the value may be of any size */
    struct event_plan *item; /* EVENT_ITEMS: owned */
};

struct event_plan {
    const struct event_type *type;
    char *ways;
    size_t room; /* for all ways, and values of bounded size */
    unsigned count;
    struct event_step steps[];
};

/* How many objects two paths have in common. */
static unsigned event_shared(const char *a, const char *b)
{
    unsigned shared = 0;
    for (; *a != '\0' && *a == *b; a++, b++) {
        shared += *a == '.';
    }
    return shared;
}

/* Writes the way of `field` at `to` and returns its end. */
static char *event_step_init(struct event_step *step, const struct event_field *field,
                             const char *before, char *to)
{
    *step = (struct event_step){
        .way = to,
        .offset = field->offset,
        .shared = (uint8_t)event_shared(before, field->name),
        .kind = (uint8_t)field->kind,
        .flags = field->flags,
        .is_large = EVENT_LARGE >> field->kind & 1,
    };
    *to++ = '"';
    for (const char *at = field->name; *at != '\0'; at++) {
        if (*at != '.') {
            *to++ = *at;
            continue;
        }
        memcpy(to, "\":{\"", 4);
        to += 4;
        assert(step->depth + 1 < EVENT_DEPTH_MAX);
        step->skip[++step->depth] = (uint16_t)(to - 1 - step->way);
    }
    memcpy(to, "\":", 2);
    to += 2;
    step->way_size = (uint16_t)(to - step->way);
    return to;
}

/* A plan with room for the steps of a type, none of them filled in. */
static struct event_plan *event_plan_room(const struct event_type *type)
{
    unsigned count = 0;
    size_t size = 0;
    struct event_walk walk = event_walk_of(type);
    for (const struct event_field *f; (f = event_walk_next(&walk)) != NULL;) {
        count++;
        size += 4 * strlen(f->name) + 3; /* a dot becomes four bytes at most */
    }
    struct event_plan *plan = calloc(1, sizeof *plan + count * sizeof *plan->steps);
    char *ways = calloc(1, size + EVENT_PIECE);
    if (plan == NULL || ways == NULL) {
        free(plan);
        free(ways);
        return NULL;
    }
    size_t room = size + count * (1 + EVENT_DEPTH_MAX + EVENT_VALUE_ROOM) + 2 * EVENT_PIECE;
    *plan = (struct event_plan){.type = type, .ways = ways, .room = room, .count = count};
    return plan;
}

struct event_plan *event_plan_new(const struct event_type *type)
{
    struct event_plan *plan = event_plan_room(type);
    if (plan == NULL) {
        return NULL;
    }
    char *to = plan->ways;
    const char *before = "";
    struct event_walk walk = event_walk_of(type);
    for (struct event_step *step = plan->steps; step < plan->steps + plan->count; step++) {
        const struct event_field *f = event_walk_next(&walk);
        to = event_step_init(step, f, before, to);
        before = f->name;
        if (f->kind == EVENT_ITEMS) {
            step->item = event_plan_new(f->item);
            if (step->item == NULL) {
                event_plan_free(plan);
                return NULL;
            }
        }
    }
    return plan;
}

void event_plan_free(struct event_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (unsigned i = 0; i < plan->count; i++) {
        event_plan_free(plan->steps[i].item);
    }
    free(plan->ways);
    free(plan);
}

/* ---- Values --------------------------------------------------------------------------------- */

/* The unsigned number at `at`; kinds up to EVENT_TIME stand in the order of their sizes. */
static inline uint64_t event_number(enum event_kind kind, const void *at)
{
    switch (kind) {
    case EVENT_BOOL:
        return *(const bool *)at;
    case EVENT_U8:
        return *(const uint8_t *)at;
    case EVENT_U16:
        return *(const uint16_t *)at;
    case EVENT_U32:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

static inline const char *event_pointer(const void *at)
{
    return *(const char *const *)at;
}

static bool event_is_empty(enum event_kind kind, const void *at)
{
    switch (kind) {
    case EVENT_ADDRESS:
        return ((const struct event_address *)at)->version == 0;
    case EVENT_MAC:
        return !((const struct event_mac *)at)->present;
    case EVENT_SPAN:
    case EVENT_VALUE:
        return ((const struct span *)at)->size == 0;
    case EVENT_TEXT:
    case EVENT_JSON:
        return event_pointer(at) == NULL || *event_pointer(at) == '\0';
    case EVENT_INLINE:
        return *(const char *)at == '\0';
    case EVENT_U16_LIST:
        return ((const struct event_u16_list *)at)->count == 0;
    case EVENT_NUMBER:
        return isnan(*(const double *)at);
    case EVENT_TRUTH:
        return *(const uint8_t *)at == 0;
    case EVENT_SPANS:
        return ((const struct event_spans *)at)->count == 0;
    case EVENT_PAIRS:
        return ((const struct event_pairs *)at)->count == 0;
    case EVENT_ITEMS:
        return ((const struct event_items *)at)->count == 0;
    case EVENT_ADDRESSES:
        return ((const struct event_addresses *)at)->count == 0;
    case EVENT_OPTIONAL:
        return !((const struct event_optional *)at)->present;
    default:
        return event_number(kind, at) == 0;
    }
}

static char *event_write_time(char *to, uint64_t nanoseconds)
{
    *to++ = '"';
    to += text_rfc3339(to, nanoseconds, 9);
    *to++ = '"';
    return to;
}

static char *event_write_address(char *to, const struct event_address *address)
{
    if (address->version == 0) {
        return mempcpy(to, "null", 4);
    }
    *to++ = '"';
    to = address_write(to, address->version, address->bytes);
    *to++ = '"';
    return to;
}

static char *event_write_mac(char *to, const struct event_mac *mac)
{
    static const char hex[] = "0123456789ABCDEF";
    if (!mac->present) {
        return mempcpy(to, "null", 4);
    }
    for (unsigned i = 0; i < sizeof mac->bytes; i++) {
        *to++ = i == 0 ? '"' : '-';
        *to++ = hex[mac->bytes[i] >> 4];
        *to++ = hex[mac->bytes[i] & 15];
    }
    *to++ = '"';
    return to;
}

static char *event_write_list(char *to, const struct event_u16_list *list)
{
    *to++ = '[';
    for (unsigned i = 0; i < list->count && i < EVENT_LIST_MAX; i++) {
        if (i > 0) {
            *to++ = ',';
        }
        to = json_digits(to, list->values[i]);
    }
    *to++ = ']';
    return to;
}

/* A number to a thousandth, without zeros at its end. */
static char *event_write_thousandths(char *to, double value)
{
    if (!(fabs(value) < 1e15)) {
        return mempcpy(to, "null", 4);
    }
    uint64_t thousandths = (uint64_t)llround(fabs(value) * 1000);
    if (value < 0 && thousandths > 0) {
        *to++ = '-';
    }
    to = json_digits(to, thousandths / 1000);
    unsigned rest = (unsigned)(thousandths % 1000);
    if (rest == 0) {
        return to;
    }
    *to++ = '.';
    for (unsigned unit = 100; rest > 0; unit /= 10) {
        *to++ = (char)('0' + rest / unit);
        rest %= unit;
    }
    return to;
}

static char *event_write_optional(char *to, const struct event_optional *number)
{
    return number->present ? json_digits(to, number->value) : mempcpy(to, "null", 4);
}

static char *event_write_signed(char *to, int64_t value)
{
    if (value < 0) {
        *to++ = '-';
    }
    return json_digits(to, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static char *event_write_truth(char *to, uint8_t truth)
{
    if (truth == 0) {
        return mempcpy(to, "null", 4);
    }
    return truth == 2 ? mempcpy(to, "true", 4) : mempcpy(to, "false", 5);
}

/* Kinds of bounded size, into room for EVENT_VALUE_ROOM bytes; returns the end. */
static char *event_write_small(char *to, enum event_kind kind, const void *at)
{
    switch (kind) {
    case EVENT_BOOL:
        return event_number(kind, at) ? mempcpy(to, "true", 4) : mempcpy(to, "false", 5);
    case EVENT_TIME:
        return event_write_time(to, event_number(kind, at));
    case EVENT_ADDRESS:
        return event_write_address(to, at);
    case EVENT_MAC:
        return event_write_mac(to, at);
    case EVENT_U16_LIST:
        return event_write_list(to, at);
    case EVENT_NUMBER:
        return event_write_thousandths(to, *(const double *)at);
    case EVENT_TRUTH:
        return event_write_truth(to, *(const uint8_t *)at);
    case EVENT_OPTIONAL:
        return event_write_optional(to, at);
    case EVENT_I64:
        return event_write_signed(to, *(const int64_t *)at);
    default:
        return json_digits(to, event_number(kind, at));
    }
}

/* ---- Values of any size --------------------------------------------------------------------- */

static void event_put_spans(struct json *to, const struct event_spans *list, unsigned flags)
{
    if (list->count == 1 && flags & EVENT_PLAIN_ONE) {
        json_span(to, list->items[0]);
        return;
    }
    json_array_begin(to);
    for (uint32_t i = 0; i < list->count; i++) {
        json_span(to, list->items[i]);
    }
    json_array_end(to);
}

static void event_put_addresses(struct json *to, const struct event_addresses *list)
{
    json_array_begin(to);
    for (uint32_t i = 0; i < list->count; i++) {
        char text[EVENT_VALUE_ROOM];
        char *end = event_write_address(text, &list->items[i]);
        json_raw(to, span_of(text, (size_t)(end - text)));
    }
    json_array_end(to);
}

/* The next pair with the name of pair `i`, counted from `from`; the list's count when there is
 * none. */
static uint32_t event_pair_find(const struct event_pairs *list, uint32_t i, uint32_t from)
{
    while (from < list->count && !span_equal(list->items[from].name, list->items[i].name)) {
        from++;
    }
    return from;
}

static void event_put_pair_value(struct json *to, const struct event_pair *pair)
{
    if (pair->is_json) {
        json_raw(to, pair->value);
    } else {
        json_span(to, pair->value);
    }
}

static void event_put_pairs(struct json *to, const struct event_pairs *list)
{
    json_object_begin(to);
    for (uint32_t i = 0; i < list->count; i++) {
        if (event_pair_find(list, i, 0) < i) {
            continue;
        }
        json_key_span(to, list->items[i].name);
        uint32_t next = event_pair_find(list, i, i + 1);
        if (next == list->count) {
            event_put_pair_value(to, &list->items[i]);
            continue;
        }
        json_array_begin(to);
        event_put_pair_value(to, &list->items[i]);
        for (; next < list->count; next = event_pair_find(list, i, next + 1)) {
            event_put_pair_value(to, &list->items[next]);
        }
        json_array_end(to);
    }
    json_object_end(to);
}

static void event_plan_put(const struct event_plan *plan, struct json *to, const void *event,
                           unsigned without);

static void event_put_items(struct json *to, const struct event_items *list,
                            const struct event_plan *plan, unsigned without)
{
    json_array_begin(to);
    for (uint32_t i = 0; i < list->count; i++) {
        event_plan_put(plan, to, (const uint8_t *)list->items + i * plan->type->size, without);
    }
    json_array_end(to);
}

static void event_put_large(struct json *to, const struct event_step *step, const void *at,
                            unsigned without)
{
    to->comma = false;
    switch ((enum event_kind)step->kind) {
    case EVENT_SPAN:
        json_span(to, *(const struct span *)at);
        break;
    case EVENT_VALUE:
        json_raw(to, event_is_empty(EVENT_VALUE, at) ? span_str("null")
                                                     : *(const struct span *)at);
        break;
    case EVENT_TEXT:
        json_text(to, event_pointer(at));
        break;
    case EVENT_INLINE:
        json_text(to, at);
        break;
    case EVENT_JSON:
        json_raw(to, event_is_empty(EVENT_JSON, at) ? span_str("null")
                                                    : span_str(event_pointer(at)));
        break;
    case EVENT_SPANS:
        event_put_spans(to, at, step->flags);
        break;
    case EVENT_PAIRS:
        event_put_pairs(to, at);
        break;
    case EVENT_ITEMS:
        event_put_items(to, at, step->item, without);
        break;
    case EVENT_ADDRESSES:
        event_put_addresses(to, at);
        break;
    default:
        break;
    }
}

/* ---- Encoding ------------------------------------------------------------------------------- */

static inline char *event_write_closings(char *to, unsigned count)
{
    memcpy(to, "}}}}}}}}}}}}}}}}", EVENT_PIECE);
    return to + count;
}

/* The way to a value from within `shared` objects. Most ways are one or two pieces. */
static inline char *event_write_way(char *to, const struct event_step *step, unsigned shared)
{
    const char *way = step->way + step->skip[shared];
    size_t size = (size_t)step->way_size - step->skip[shared];
    memcpy(to, way, EVENT_PIECE);
    for (size_t at = EVENT_PIECE; at < size; at += EVENT_PIECE) {
        memcpy(to + at, way + at, EVENT_PIECE);
    }
    return to + size;
}

static bool event_is_omitted(const struct event_step *step, const void *at)
{
    if (step->flags & EVENT_ALWAYS || !event_is_empty(step->kind, at)) {
        return false;
    }
    return !(step->flags & EVENT_EMPTY_TOO) || ((const struct span *)at)->data == NULL;
}

static void event_plan_put(const struct event_plan *plan, struct json *to, const void *event,
                           unsigned without)
{
    json_object_begin(to);
    char *end = json_reserve(to, plan->room);
    bool first = true;
    unsigned open = 0;   /* objects around the field written last */
    unsigned shared = 0; /* of these, around all fields since */
    for (const struct event_step *s = plan->steps; s < plan->steps + plan->count; s++) {
        const void *at = (const uint8_t *)event + s->offset;
        shared = s->shared < shared ? s->shared : shared;
        if (s->flags & without || event_is_omitted(s, at)) {
            continue;
        }
        if (end == NULL) {
            return;
        }
        end = event_write_closings(end, open - shared);
        *end = ',';
        end = event_write_way(end + !first, s, shared);
        if (s->is_large) {
            to->size = (size_t)(end - to->data);
            event_put_large(to, s, at, without);
            end = json_reserve(to, plan->room);
        } else {
            end = event_write_small(end, s->kind, at);
        }
        first = false;
        open = shared = s->depth;
    }
    if (end != NULL) {
        end = event_write_closings(end, open + 1);
        to->size = (size_t)(end - to->data);
        to->comma = true;
    }
}

void event_plan_json(const struct event_plan *plan, struct json *to, const struct event_head *event)
{
    event_plan_put(plan, to, event, 0);
}

/* ---- Plans of all types --------------------------------------------------------------------- */

enum { EVENT_TYPES_MAX = 256 };

/* The plan of a type, made if this is its first event: an open-addressed table by the type's
 * address, whose entries are set once and never change. NULL without memory. */
static const struct event_plan *event_plan_of(const struct event_type *type)
{
    static _Atomic(struct event_plan *) plans[EVENT_TYPES_MAX];
    size_t start = (uintptr_t)type / sizeof *type;
    for (size_t i = 0;; i++) {
        assert(i < EVENT_TYPES_MAX);
        _Atomic(struct event_plan *) *place = &plans[(start + i) % EVENT_TYPES_MAX];
        struct event_plan *plan = atomic_load_explicit(place, memory_order_acquire);
        if (plan == NULL) {
            struct event_plan *made = event_plan_new(type);
            if (made == NULL || atomic_compare_exchange_strong(place, &plan, made)) {
                return made;
            }
            event_plan_free(made); /* another thread was first */
        }
        if (plan->type == type) {
            return plan;
        }
    }
}

void event_json_without(struct json *to, const struct event_head *event, unsigned flags)
{
    const struct event_plan *plan = event_plan_of(event->type);
    if (plan == NULL) {
        to->failed = true;
        return;
    }
    event_plan_put(plan, to, event, flags);
}

void event_json(struct json *to, const struct event_head *event)
{
    event_json_without(to, event, 0);
}
