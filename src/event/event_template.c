// SPDX-License-Identifier: Apache-2.0
#include "event/event_template.h"

#include <stdlib.h>

#include "event/event_value.h"

/* The place where the template is, while it is made. */
struct maker {
    struct event_template *t;
    const struct event_plan *plan;
    const void *event; /* whose ends are written; NULL: nobody's */
    size_t literal;  /* where the one under way begins */
    unsigned open;   /* objects around the field written last */
    unsigned shared; /* of these, around all fields since */
    bool first;
};

static inline void append(struct json *literals, const char *from, size_t size)
{
    char *to = json_reserve(literals, size);
    if (to != NULL) {
        memcpy(to, from, size);
        literals->size += size;
    }
}

static void put_closings(struct json *literals, unsigned count)
{
    static const char closings[] = "}}}}}}}}";
    _Static_assert((int)EVENT_DEPTH_MAX < (int)sizeof closings, "and the event's own");
    append(literals, closings, count);
}

/* What the shape says of a field; *text is set when it is a fixed one. */
static bool is_there(const struct event_template *t, const struct event_step *step,
                     const char **text)
{
    *text = NULL;
    if (step->sign == EVENT_SIGN_FIXED) {
        *text = t->shape.fixed[step->place];
        return step->flags & EVENT_ALWAYS || (*text != NULL && **text != '\0');
    }
    return step->sign == EVENT_SIGN_ALWAYS || event_shape_has(&t->shape, step->place);
}

/* Whether two ops write the same. */
static bool is_same_value(const struct event_op *a, const struct event_op *b)
{
    unsigned differs = (a->flags ^ b->flags) & EVENT_PLAIN_ONE;
    return a->kind == b->kind && a->offset == b->offset && a->item == b->item && differs == 0;
}

/* Literals may move until all are written: as long, an op knows only how far from their start its own
 * is, as a pointer that points nowhere. */
static size_t offset_of(const struct event_op *op)
{
    return (size_t)(uintptr_t)op->literal;
}

static bool is_same_literal(const struct event_template *t, const struct event_op *a,
                            const struct event_op *b)
{
    const char *literals = t->literals.data;
    return a->literal_size == b->literal_size &&
           memcmp(literals + offset_of(a), literals + offset_of(b), a->literal_size) == 0;
}

static void settle_literals(struct event_template *t)
{
    for (unsigned i = 0; i < t->op_count; i++) {
        t->ops[i].literal = t->literals.data + offset_of(&t->ops[i]);
    }
}

/* Whether the op goes on with what the copy before it copies; then that one takes it in. */
static bool join_copy(struct maker *m, const struct event_op *op)
{
    struct event_template *t = m->t;
    struct event_op *copy = t->op_count > 0 ? &t->ops[t->op_count - 1] : NULL;
    if (copy == NULL || copy->op != EVENT_OP_COPY || copy->last + 2U >= t->op_count) {
        return false;
    }
    const struct event_op *next = &t->ops[copy->last + 1];
    if (!is_same_value(next, op) || !is_same_literal(t, next, op)) {
        return false;
    }
    copy->last++;
    copy->is_large |= op->is_large;
    t->literals.size = offset_of(op);
    return true;
}

static void make_copy(const struct event_template *t, struct event_op *op)
{
    for (unsigned i = 0; i < t->op_count; i++) {
        if (is_same_value(&t->ops[i], op)) {
            op->op = EVENT_OP_COPY;
            op->first = op->last = (uint8_t)i;
            return;
        }
    }
}

/* Ends the literal under way with an op, which may be a copy. */
static void add_op(struct maker *m, struct event_op op, bool is_again)
{
    struct event_template *t = m->t;
    op.literal = (const char *)(uintptr_t)m->literal;
    op.literal_size = (uint16_t)(t->literals.size - m->literal);
    if (!is_again || !join_copy(m, &op)) {
        if (is_again) {
            make_copy(t, &op);
        }
        t->ops[t->op_count++] = op;
    }
    m->literal = t->literals.size;
}

static void put_fixed(struct json *literals, const struct event_step *step, const char *text)
{
    literals->comma = false;
    if (step->kind == EVENT_TEXT) {
        json_text(literals, text);
    } else {
        json_raw(literals, span_str(text != NULL && *text != '\0' ? text : "null"));
    }
}

/* A value that all have. */
static void put_ends(struct json *literals, const struct event_step *step, const void *event)
{
    const void *at = (const uint8_t *)event + step->offset;
    enum event_kind kind = step->kind;
    literals->comma = false;
    if (event_value_is_large(kind)) {
        event_value_put(literals, kind, at, step->flags);
        return;
    }
    char *to = json_reserve(literals, EVENT_VALUE_ROOM);
    if (to != NULL) {
        literals->size += (size_t)(event_value_write(to, kind, at) - to);
    }
}

static enum event_op_kind op_for(enum event_kind kind)
{
    switch (kind) {
    case EVENT_BOOL:
        return EVENT_OP_BOOL;
    case EVENT_U8:
        return EVENT_OP_U8;
    case EVENT_U32:
        return EVENT_OP_U32;
    case EVENT_U64:
        return EVENT_OP_U64;
    case EVENT_TIME:
        return EVENT_OP_TIME;
    case EVENT_ADDRESS:
        return EVENT_OP_ADDRESS;
    case EVENT_MAC:
        return EVENT_OP_MAC;
    case EVENT_SPAN:
        return EVENT_OP_SPAN;
    case EVENT_INLINE:
        return EVENT_OP_INLINE;
    case EVENT_TEXT:
        return EVENT_OP_TEXT;
    case EVENT_JSON:
        return EVENT_OP_JSON;
    case EVENT_VALUE:
        return EVENT_OP_VALUE;
    case EVENT_ADDRESSES:
        return EVENT_OP_ADDRESSES;
    default:
        return event_value_is_large(kind) ? EVENT_OP_ANY : EVENT_OP_BOUNDED;
    }
}

/* A number that is there is written as one that always is. */
static struct event_op op_of(const struct maker *m, const struct event_step *step)
{
    size_t readable = m->plan->type->size - step->offset;
    struct event_op op = {.offset = step->offset, .kind = step->kind,
                          .flags = step->flags, .item = step->item,
                          .readable = readable < UINT8_MAX ? (uint8_t)readable : UINT8_MAX,
                          .is_large = event_value_is_large(step->kind)};
    if (step->kind == EVENT_OPTIONAL && step->sign == EVENT_SIGN_BIT) {
        op.kind = EVENT_U64;
        op.offset = (uint16_t)(op.offset + offsetof(struct event_optional, value));
    }
    op.op = (uint8_t)op_for(op.kind);
    return op;
}

static void put_step(struct maker *m, const struct event_step *step)
{
    struct json *literals = &m->t->literals;
    const char *text;
    m->shared = step->shared < m->shared ? step->shared : m->shared;
    if (!is_there(m->t, step, &text)) {
        return;
    }
    put_closings(literals, m->open - m->shared);
    append(literals, ",", !m->first);
    uint16_t skip = step->skip[m->shared];
    append(literals, step->way + skip, step->way_size - (size_t)skip);
    if (step->sign == EVENT_SIGN_FIXED) {
        put_fixed(literals, step, text);
    } else if (step->kind == EVENT_BOOL && step->sign == EVENT_SIGN_BIT) {
        append(literals, "true", 4);
    } else if (m->event != NULL && step->flags & EVENT_ENDS) {
        put_ends(literals, step, m->event);
    } else {
        add_op(m, op_of(m, step), step->is_again);
    }
    m->first = false;
    m->open = m->shared = step->depth;
}

static bool make_room(struct event_template *t, const struct event_plan *plan)
{
    unsigned count = plan->count + 1;
    if (count > t->op_room) {
        struct event_op *ops = realloc(t->ops, count * sizeof *ops);
        if (ops == NULL) {
            return false;
        }
        t->ops = ops;
        t->op_room = count;
    }
    return true;
}

/* Of a literal and a value; a text inside the struct is copied as far as one may look. */
static size_t room_of_op(const struct event_op *op)
{
    size_t value = op->op == EVENT_OP_INLINE ? op->readable + 2U : 0;
    return op->literal_size + (value > EVENT_VALUE_ROOM ? value : EVENT_VALUE_ROOM);
}

/* Copies write what the ops they copy do, so all ops together write no more than so many times it. */
static size_t room_of(const struct event_template *t)
{
    size_t room = 2 * EVENT_PIECE;
    for (unsigned i = 0; i < t->op_count; i++) {
        const struct event_op *op = &t->ops[i];
        room += room_of_op(op);
        for (unsigned k = op->first; op->op == EVENT_OP_COPY && k <= op->last; k++) {
            room += room_of_op(&t->ops[k]);
        }
    }
    return room;
}

bool event_template_make_of(struct event_template *t, const struct event_plan *plan,
                            const struct event_shape *shape, unsigned without,
                            const struct event_head *event)
{
    static const char behind[EVENT_PIECE];
    struct maker m = {.t = t, .plan = plan, .event = event, .first = true};
    t->plan = NULL;
    t->shape = *shape;
    t->op_count = 0;
    json_reset(&t->literals);
    if (!make_room(t, plan)) {
        return false;
    }
    json_append(&t->literals, "{", 1);
    for (const struct event_step *step = plan->steps; step < plan->steps + plan->count; step++) {
        if (!(step->flags & without)) {
            put_step(&m, step);
        } else {
            m.shared = step->shared < m.shared ? step->shared : m.shared;
        }
    }
    put_closings(&t->literals, m.open + 1);
    t->ops[t->op_count++] = (struct event_op){
        .op = EVENT_OP_END,
        .literal = (const char *)(uintptr_t)m.literal,
        .literal_size = (uint16_t)(t->literals.size - m.literal),
    };
    json_append(&t->literals, behind, sizeof behind);
    settle_literals(t);
    t->room = room_of(t);
    t->plan = t->literals.failed ? NULL : plan;
    return t->plan != NULL;
}

bool event_template_make(struct event_template *t, const struct event_plan *plan,
                         const struct event_shape *shape, unsigned without)
{
    return event_template_make_of(t, plan, shape, without, NULL);
}

void event_template_done(struct event_template *t)
{
    json_done(&t->literals);
    free(t->ops);
    *t = (struct event_template){0};
}
