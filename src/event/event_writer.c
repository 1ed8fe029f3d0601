// SPDX-License-Identifier: Apache-2.0
#include "event/event_writer.h"

#include <assert.h>
#include <stdlib.h>

#include "base/digits.h"
#include "event/event_ends.h"
#include "event/event_value.h"

enum { WRITER_WAYS = 4, WRITER_PLACES = 4096, WRITER_INNER = 256 };

/* The items of a list have places of their own: while they are written, the template around them is in
 * use. By the hash of plan and shape there are WRITER_WAYS places that may have a template, those that
 * are used most first. All are owned. */
struct event_writer {
    unsigned without;
    unsigned level; /* lists around what is being written */
    const struct event_plan *plan; /* of the event before */
    struct event_clock clock;
    struct event_hosts hosts;
    struct event_ends *ends; /* owned; NULL: nobody has a template of his own */
    struct event_template *places[WRITER_PLACES];
    struct event_template *inner[EVENT_ITEMS_MAX][WRITER_INNER]; /* by the level */
};

struct event_writer *event_writer_new(unsigned without)
{
    struct event_writer *writer = calloc(1, sizeof *writer);
    if (writer != NULL) {
        writer->without = without;
        writer->ends = event_ends_new(without);
    }
    return writer;
}

static void free_templates(struct event_template **places, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (places[i] != NULL) {
            event_template_done(places[i]);
            free(places[i]);
        }
    }
}

void event_writer_free(struct event_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    free_templates(writer->places, WRITER_PLACES);
    for (unsigned level = 0; level < EVENT_ITEMS_MAX; level++) {
        free_templates(writer->inner[level], WRITER_INNER);
    }
    event_ends_free(writer->ends);
    free(writer);
}

/* Whether the template at a place is that of a shape. */
static inline bool is_of(const struct event_template *t, const struct event_plan *plan,
                         const struct event_shape *shape, uint64_t hash)
{
    return t != NULL && t->hash == hash && t->plan == plan && event_shape_same(&t->shape, shape);
}

/* Makes a template of a shape that has none, at the first of its places; the others move back, and the
 * last one goes. NULL without memory. */
static const struct event_template *make_template(struct event_writer *writer,
                                                  struct event_template **set,
                                                  const struct event_plan *plan,
                                                  const struct event_shape *shape, uint64_t hash)
{
    struct event_template *last = set[WRITER_WAYS - 1];
    struct event_template *t = last != NULL ? last : calloc(1, sizeof *t);
    memmove(set + 1, set, (WRITER_WAYS - 1) * sizeof *set);
    set[0] = t;
    if (t == NULL || !event_template_make(t, plan, shape, writer->without)) {
        return NULL;
    }
    t->hash = hash;
    return t;
}

/* The template for a shape, made if it is not there, where it is not at its first place; one that is found
 * moves a place ahead. */
static const struct event_template *look_further(struct event_writer *writer,
                                                 struct event_template **set,
                                                 const struct event_plan *plan,
                                                 const struct event_shape *shape, uint64_t hash)
{
    for (unsigned i = 1; i < WRITER_WAYS; i++) {
        struct event_template *t = set[i];
        if (is_of(t, plan, shape, hash)) {
            set[i] = set[i - 1];
            set[i - 1] = t;
            return t;
        }
    }
    return make_template(writer, set, plan, shape, hash);
}

static inline struct event_template **set_of(struct event_writer *writer, uint64_t hash)
{
    hash = hash / WRITER_WAYS * WRITER_WAYS;
    return writer->level == 0 ? &writer->places[hash % WRITER_PLACES]
                              : &writer->inner[writer->level - 1][hash % WRITER_INNER];
}

/* The template for a struct's shape, made if it is not there; NULL without memory. */
static const struct event_template *template_of(struct event_writer *writer,
                                                const struct event_plan *plan, const void *event)
{
    struct event_shape shape;
    uint64_t hash = event_plan_shape(plan, event, &shape);
    const struct event_template *own =
        plan->has_ends && writer->ends != NULL
            ? event_ends_find(writer->ends, plan, &shape, hash, event)
            : NULL;
    if (own != NULL) {
        return own;
    }
    struct event_template **set = set_of(writer, hash);
    return is_of(set[0], plan, &shape, hash) ? set[0]
                                             : look_further(writer, set, plan, &shape, hash);
}

/* By way of registers: behind what is copied, the source of a copy may reach into its target. */
static inline void put_piece(char *to, const char *from)
{
    typedef uint64_t half __attribute__((vector_size(EVENT_PIECE / 2)));
    half first, second;
    memcpy(&first, from, sizeof first);
    memcpy(&second, from + sizeof first, sizeof second);
    memcpy(to, &first, sizeof first);
    memcpy(to + sizeof first, &second, sizeof second);
}

static inline char *put_pieces(char *to, const char *from, size_t size)
{
    put_piece(to, from);
    for (size_t at = EVENT_PIECE; at < size; at += EVENT_PIECE) {
        put_piece(to + at, from + at);
    }
    return to + size;
}

/* Has `room` bytes behind what was written up to `end`, which may move; NULL without memory. */
static inline char *make_room(struct json *json, char *end, size_t room)
{
    if ((size_t)(json->data + json->capacity - end) >= room) {
        return end;
    }
    json->size = (size_t)(end - json->data);
    return json_reserve(json, room);
}

/* Repeats what ops wrote that came before; of bounded size, it has its room already. `from` says
 * where in the JSON each of them began to write its value. */
static inline char *put_copy(struct json *json, const struct event_template *t,
                             const struct event_op *op, const size_t *from, char *end)
{
    unsigned behind = op->last + 1U;
    size_t size = from[behind] - t->ops[behind].literal_size - from[op->first];
    if (op->is_large) {
        end = make_room(json, end, size + t->room);
    }
    return end != NULL ? put_pieces(end, json->data + from[op->first], size) : NULL;
}

static void put_struct(struct event_writer *writer, struct json *to, const struct event_plan *plan,
                       const void *event);

static void put_items(struct event_writer *writer, struct json *to, const struct event_items *list,
                      const struct event_plan *plan)
{
    json_array_begin(to);
    writer->level++;
    assert(writer->level <= EVENT_ITEMS_MAX);
    for (uint32_t i = 0; i < list->count; i++) {
        put_struct(writer, to, plan, (const uint8_t *)list->items + i * plan->type->size);
    }
    writer->level--;
    json_array_end(to);
}

/* Any value in any way; returns where what follows goes, with `room` behind it. */
static char *put_any(struct event_writer *writer, struct json *to, const struct event_op *op,
                     const void *at, size_t room)
{
    to->comma = false;
    if (op->kind == EVENT_ITEMS) {
        put_items(writer, to, at, op->item);
    } else {
        event_value_put(to, op->kind, at, op->flags);
    }
    return json_reserve(to, room);
}

/* A text that may be of any size; NULL where it is not as plain as most, or there is no room for it. */
static inline char *put_span(struct json *to, char *end, struct span text, size_t room)
{
    end = make_room(to, end, text.size + 2 + room);
    return end != NULL ? json_quote(end, text) : NULL;
}

/* The same of a static text. */
static inline char *put_text(struct json *to, char *end, const char *text, size_t room)
{
    return text != NULL ? put_span(to, end, span_str(text), room) : NULL;
}

static inline char *put_bool(char *to, bool value)
{
    static const char words[2][8] = {"false", "true"};
    memcpy(to, words[value], sizeof words[value]);
    return to + 5 - value;
}

/* JSON; NULL where it is empty, or there is no room for it. */
static inline char *put_raw(struct json *to, char *end, struct span value, size_t room)
{
    end = value.size > 0 ? make_room(to, end, value.size + room) : NULL;
    return end != NULL ? mempcpy(end, value.data, value.size) : NULL;
}

static inline char *put_json(struct json *to, char *end, const char *json, size_t room)
{
    return json != NULL ? put_raw(to, end, span_str(json), room) : NULL;
}

static inline char *put_addresses(struct event_writer *writer, struct json *to, char *end,
                                  const struct event_addresses *list, size_t room)
{
    end = make_room(to, end, (size_t)list->count * (EVENT_VALUE_ROOM + 1) + 2 + room);
    if (end == NULL) {
        return NULL;
    }
    *end++ = '[';
    for (uint32_t i = 0; i < list->count; i++) {
        *end = ',';
        end = event_value_host(end + (i > 0), &list->items[i], &writer->hosts);
    }
    *end++ = ']';
    return end;
}

/* All ops of a template, from `end` on, which has room for it. Kinds that are met all the time are
 * written here. What stands in variables need not be looked up again behind each byte written. */
static void run_ops(struct event_writer *writer, const struct event_template *t, struct json *to,
                    const void *event, char *end)
{
    size_t from[EVENT_FIELDS_MAX + 1];
    size_t *began = from;
    const char *data = to->data;
    for (const struct event_op *op = t->ops;; op++, began++) {
        end = put_pieces(end, op->literal, op->literal_size);
        *began = (size_t)(end - data);
        const void *at = (const uint8_t *)event + op->offset;
        char *next = NULL;
        switch ((enum event_op_kind)op->op) {
        case EVENT_OP_END:
            to->size = *began;
            to->comma = true;
            return;
        case EVENT_OP_BOOL:
            end = put_bool(end, *(const bool *)at);
            continue;
        case EVENT_OP_U8:
            end = digits_write(end, *(const uint8_t *)at);
            continue;
        case EVENT_OP_U32:
            end = digits_write(end, *(const uint32_t *)at);
            continue;
        case EVENT_OP_U64:
            end = digits_write(end, *(const uint64_t *)at);
            continue;
        case EVENT_OP_TIME:
            end = event_value_time(end, *(const uint64_t *)at, &writer->clock);
            continue;
        case EVENT_OP_ADDRESS:
            end = event_value_host(end, at, &writer->hosts);
            continue;
        case EVENT_OP_MAC:
            end = event_value_mac(end, at);
            continue;
        case EVENT_OP_BOUNDED:
            end = event_value_write(end, op->kind, at);
            continue;
        case EVENT_OP_COPY:
            next = put_copy(to, t, op, from, end);
            break;
        case EVENT_OP_SPAN:
            next = put_span(to, end, *(const struct span *)at, t->room);
            break;
        case EVENT_OP_INLINE:
            next = json_quote_terminated(end, at, op->readable);
            break;
        case EVENT_OP_TEXT:
            next = put_text(to, end, *(const char *const *)at, t->room);
            break;
        case EVENT_OP_JSON:
            next = put_json(to, end, *(const char *const *)at, t->room);
            break;
        case EVENT_OP_VALUE:
            next = put_raw(to, end, *(const struct span *)at, t->room);
            break;
        case EVENT_OP_ADDRESSES:
            next = put_addresses(writer, to, end, at, t->room);
            break;
        case EVENT_OP_ANY:
            break;
        default:
            __builtin_unreachable();
        }
        if (next == NULL && !to->failed) {
            to->size = *began;
            next = put_any(writer, to, op, at, t->room);
        }
        if (next == NULL) {
            return;
        }
        end = next;
        data = to->data;
    }
}

static void put_struct(struct event_writer *writer, struct json *to, const struct event_plan *plan,
                       const void *event)
{
    const struct event_template *t = template_of(writer, plan, event);
    char *end = t != NULL ? json_reserve(to, t->room + 1) : NULL;
    if (end == NULL) {
        to->failed = true;
        return;
    }
    *end = ',';
    run_ops(writer, t, to, event, end + to->comma);
}

void event_writer_put(struct event_writer *writer, struct json *to, const struct event_head *event)
{
    if (writer->plan == NULL || writer->plan->type != event->type) {
        writer->plan = event_plan_of(event->type);
    }
    if (writer->plan == NULL) {
        to->failed = true;
        return;
    }
    put_struct(writer, to, writer->plan, event);
}

void event_writer_list(struct json *to, const struct event_head *first, size_t count, size_t size)
{
    struct event_writer *writer = count > 0 ? event_writer_new(0) : NULL;
    to->failed |= count > 0 && writer == NULL;
    for (size_t i = 0; i < count && writer != NULL; i++) {
        const uint8_t *item = (const uint8_t *)first + i * size;
        event_writer_put(writer, to, (const struct event_head *)(const void *)item);
    }
    event_writer_free(writer);
}
