// SPDX-License-Identifier: Apache-2.0
#include "event/event.h"

#include <assert.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/json.h"
#include "base/text.h"

/* ---- Kinds ---------------------------------------------------------------------------------- */

enum { EVENT_LIST_MAX = sizeof(((struct event_u16_list *)0)->values) / sizeof(uint16_t) };

/* Bytes that a value of any kind but text takes at most: a time in quotes is the longest but for
 * an IPv6 address. */
enum { EVENT_VALUE_ROOM = ADDRESS_ROOM + 2 };

static const struct {
    uint8_t size;
    uint8_t alignment;
} event_kinds[] = {
#define KIND(type) .size = sizeof(type), .alignment = _Alignof(type)
    [EVENT_BOOL] = {KIND(bool)},
    [EVENT_U8] = {KIND(uint8_t)},
    [EVENT_U16] = {KIND(uint16_t)},
    [EVENT_U32] = {KIND(uint32_t)},
    [EVENT_U64] = {KIND(uint64_t)},
    [EVENT_TIME] = {KIND(uint64_t)},
    [EVENT_ADDRESS] = {KIND(struct event_address)},
    [EVENT_MAC] = {KIND(struct event_mac)},
    [EVENT_SPAN] = {KIND(struct span)},
    [EVENT_TEXT] = {KIND(const char *)},
    [EVENT_INLINE] = {KIND(char)},
    [EVENT_JSON] = {KIND(const char *)},
    [EVENT_U16_LIST] = {KIND(struct event_u16_list)},
    [EVENT_NUMBER] = {KIND(double)},
    [EVENT_TRUTH] = {KIND(uint8_t)},
#undef KIND
};

enum { EVENT_KINDS = sizeof event_kinds / sizeof *event_kinds };

/* ---- Check ---------------------------------------------------------------------------------- */

/* How many names a path has; 0 when one is empty or JSON would have to escape it. */
static unsigned event_path_depth(const char *path)
{
    unsigned depth = 1;
    for (const char *at = path; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || *at == '"' || *at == '\\') {
            return 0;
        }
        if (*at == '.') {
            depth++;
            if (at == path || at[1] == '.' || at[1] == '\0') {
                return 0;
            }
        }
    }
    return *path != '\0' ? depth : 0;
}

/* Whether `path` names a value within the object that `object` names. */
static bool event_path_within(const char *path, const char *object)
{
    size_t size = strlen(object);
    return strncmp(path, object, size) == 0 && path[size] == '.';
}

static const char *event_field_wrong(const struct event_type *type, const struct event_field *f)
{
    unsigned depth = event_path_depth(f->name);
    if (depth == 0 || depth > EVENT_DEPTH_MAX) {
        return "has a bad name";
    }
    if ((unsigned)f->kind >= EVENT_KINDS) {
        return "has an unknown kind";
    }
    if ((size_t)f->offset + event_kinds[f->kind].size > type->size) {
        return "lies beyond the struct";
    }
    if (f->offset % event_kinds[f->kind].alignment != 0) {
        return "is not aligned";
    }
    if (f->help == NULL || *f->help == '\0') {
        return "has no help";
    }
    if (f != type->fields && strcmp(f[-1].name, f->name) >= 0) {
        return "does not sort behind the one before it";
    }
    for (const struct event_field *other = type->fields; other != f; other++) {
        if (event_path_within(f->name, other->name)) {
            return "lies within a value";
        }
    }
    return NULL;
}

bool event_type_check(const struct event_type *type, struct err *err)
{
    for (const struct event_field *f = type->fields; f->name != NULL; f++) {
        const char *wrong = event_field_wrong(type, f);
        if (wrong != NULL) {
            return err_set(err, ERR_FAILED, "field %s of event %s %s", f->name, type->dataset,
                           wrong);
        }
    }
    return true;
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
    bool always;
};

struct event_plan {
    const struct event_type *type;
    char *ways;
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
        .always = field->flags & EVENT_ALWAYS,
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

struct event_plan *event_plan_new(const struct event_type *type)
{
    unsigned count = 0;
    size_t size = 0;
    for (const struct event_field *f = type->fields; f->name != NULL; f++) {
        count++;
        size += 4 * strlen(f->name) + 3; /* a dot becomes four bytes at most */
    }
    struct event_plan *plan = calloc(1, sizeof *plan + count * sizeof *plan->steps);
    char *to = malloc(size + 1);
    if (plan == NULL || to == NULL) {
        free(plan);
        free(to);
        return NULL;
    }
    plan->type = type;
    plan->ways = to;
    plan->count = count;
    for (unsigned i = 0; i < count; i++) {
        const char *before = i > 0 ? type->fields[i - 1].name : "";
        to = event_step_init(&plan->steps[i], &type->fields[i], before, to);
    }
    return plan;
}

void event_plan_free(struct event_plan *plan)
{
    if (plan != NULL) {
        free(plan->ways);
        free(plan);
    }
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
    default:
        return json_digits(to, event_number(kind, at));
    }
}

/* Kinds of any size; false when it is not one of them. */
static bool event_put_large(struct json *to, enum event_kind kind, const void *at)
{
    to->comma = false;
    switch (kind) {
    case EVENT_SPAN:
        json_span(to, *(const struct span *)at);
        return true;
    case EVENT_TEXT:
        json_text(to, event_pointer(at));
        return true;
    case EVENT_INLINE:
        json_text(to, at);
        return true;
    case EVENT_JSON:
        json_raw(to, event_is_empty(kind, at) ? span_str("null") : span_str(event_pointer(at)));
        return true;
    default:
        return false;
    }
}

/* ---- Encoding ------------------------------------------------------------------------------- */

static char *event_write_closings(char *to, unsigned count)
{
    while (count-- > 0) {
        *to++ = '}';
    }
    return to;
}

void event_plan_json(const struct event_plan *plan, struct json *to, const struct event_head *event)
{
    json_object_begin(to);
    bool first = true;
    unsigned open = 0;   /* objects around the field written last */
    unsigned shared = 0; /* of these, around all fields since */
    for (const struct event_step *s = plan->steps; s < plan->steps + plan->count; s++) {
        enum event_kind kind = s->kind;
        const void *at = (const uint8_t *)event + s->offset;
        shared = s->shared < shared ? s->shared : shared;
        if (!s->always && event_is_empty(kind, at)) {
            continue;
        }
        char *end = json_reserve(to, s->way_size + EVENT_DEPTH_MAX + 1u + EVENT_VALUE_ROOM);
        if (end == NULL) {
            return;
        }
        end = event_write_closings(end, open - shared);
        if (!first) {
            *end++ = ',';
        }
        end = mempcpy(end, s->way + s->skip[shared], (size_t)s->way_size - s->skip[shared]);
        to->size = (size_t)(end - to->data);
        if (!event_put_large(to, kind, at)) {
            to->size = (size_t)(event_write_small(end, kind, at) - to->data);
        }
        first = false;
        open = shared = s->depth;
    }
    for (; open > 0; open--) {
        json_object_end(to);
    }
    json_object_end(to);
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

void event_json(struct json *to, const struct event_head *event)
{
    const struct event_plan *plan = event_plan_of(event->type);
    if (plan == NULL) {
        to->failed = true;
        return;
    }
    event_plan_json(plan, to, event);
}
