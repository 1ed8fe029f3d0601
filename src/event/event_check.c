// SPDX-License-Identifier: Apache-2.0
#include "event/event.h"

#include "event/transaction.h"

static const struct {
    uint8_t size;
    uint8_t alignment;
    bool borrows; /* refers to memory outside the event */
} event_shapes[] = {
#define SHAPE(type) .size = sizeof(type), .alignment = _Alignof(type)
    [EVENT_BOOL] = {SHAPE(bool)},
    [EVENT_U8] = {SHAPE(uint8_t)},
    [EVENT_U16] = {SHAPE(uint16_t)},
    [EVENT_U32] = {SHAPE(uint32_t)},
    [EVENT_U64] = {SHAPE(uint64_t)},
    [EVENT_TIME] = {SHAPE(uint64_t)},
    [EVENT_ADDRESS] = {SHAPE(struct event_address)},
    [EVENT_MAC] = {SHAPE(struct event_mac)},
    [EVENT_SPAN] = {SHAPE(struct span), .borrows = true},
    [EVENT_TEXT] = {SHAPE(const char *)},
    [EVENT_INLINE] = {SHAPE(char)},
    [EVENT_JSON] = {SHAPE(const char *)},
    [EVENT_U16_LIST] = {SHAPE(struct event_u16_list)},
    [EVENT_SPANS] = {SHAPE(struct event_spans), .borrows = true},
    [EVENT_PAIRS] = {SHAPE(struct event_pairs), .borrows = true},
    [EVENT_ITEMS] = {SHAPE(struct event_items), .borrows = true},
    [EVENT_ADDRESSES] = {SHAPE(struct event_addresses), .borrows = true},
    [EVENT_NUMBER] = {SHAPE(double)},
    [EVENT_TRUTH] = {SHAPE(uint8_t)},
    [EVENT_OPTIONAL] = {SHAPE(struct event_optional)},
    [EVENT_I64] = {SHAPE(int64_t)},
    [EVENT_VALUE] = {SHAPE(struct span), .borrows = true},
#undef SHAPE
};

enum { EVENT_KINDS = sizeof event_shapes / sizeof *event_shapes };

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

/* Whether all that a field shows is told by a transaction's ends. */
static bool event_is_of_ends(const struct event_field *f)
{
    if (f->kind == EVENT_ADDRESSES) {
        return f->offset == offsetof(struct transaction, related_ip);
    }
    return f->offset >= TRANSACTION_ENDS && f->offset < TRANSACTION_ENDS + TRANSACTION_ENDS_SIZE;
}

static const char *event_value_wrong(const struct event_type *type, const struct event_field *f)
{
    unsigned depth = event_path_depth(f->name);
    if (depth == 0 || depth > EVENT_DEPTH_MAX) {
        return "has a bad name";
    }
    if ((unsigned)f->kind >= EVENT_KINDS) {
        return "has an unknown kind";
    }
    if ((size_t)f->offset + event_shapes[f->kind].size > type->size) {
        return "lies beyond the struct";
    }
    if (f->offset % event_shapes[f->kind].alignment != 0) {
        return "is not aligned";
    }
    if (f->help == NULL || *f->help == '\0') {
        return "has no help";
    }
    if (f->kind != EVENT_VALUE && (f->kind == EVENT_ITEMS) != (f->item != NULL)) {
        return f->item == NULL ? "has no type of its items" : "has items and is no list of them";
    }
    if (f->flags & EVENT_EMPTY_TOO && f->kind != EVENT_SPAN) {
        return "is no span and says EVENT_EMPTY_TOO";
    }
    if (f->flags & EVENT_ENDS && !event_is_of_ends(f)) {
        return "says EVENT_ENDS and is none of a transaction's ends";
    }
    return NULL;
}

/* What is wrong between a field and those before it in the union of the tables. Event_pack()
 * follows what is borrowed once, at its owner. */
static const char *event_place_wrong(const struct event_type *type, const struct event_field *f)
{
    bool borrows = event_shapes[f->kind].borrows;
    unsigned owners = 0;
    struct event_walk walk = event_walk_of(type);
    for (const struct event_field *other; (other = event_walk_next(&walk)) != NULL;) {
        if (other != f && strcmp(other->name, f->name) == 0) {
            return "is there twice";
        }
        if (event_path_within(f->name, other->name)) {
            return "lies within a value";
        }
        owners += other->offset == f->offset && other->kind == f->kind &&
                  other->item == f->item && !(other->flags & EVENT_COPY);
    }
    if (borrows && owners != 1) {
        return owners == 0 ? "is a copy of no other" : "shares its span, say EVENT_COPY in one";
    }
    return NULL;
}

static bool event_table_check(const struct event_type *type, unsigned depth, struct err *err);

static const char *event_field_wrong(const struct event_type *type, const struct event_field *f,
                                     unsigned depth, struct err *err)
{
    const char *wrong = event_value_wrong(type, f);
    if (wrong == NULL) {
        wrong = event_place_wrong(type, f);
    }
    if (wrong == NULL && f->item != NULL) {
        if (depth == EVENT_ITEMS_MAX) {
            return "lies too deep in lists";
        }
        return event_table_check(f->item, depth + 1, err) ? NULL : "has a bad type of items";
    }
    return wrong;
}

static bool event_fields_check(const struct event_type *type, const struct event_field *fields,
                               unsigned depth, struct err *err)
{
    for (const struct event_field *f = fields; f != NULL && f->name != NULL; f++) {
        bool sorted = f == fields || strcmp(f[-1].name, f->name) < 0;
        const char *wrong = sorted ? event_field_wrong(type, f, depth, err)
                                   : "does not sort behind the one before it";
        if (wrong != NULL) {
            return err_set(err, ERR_FAILED, "field %s of event %s %s", f->name, type->dataset,
                           wrong);
        }
    }
    return true;
}

static bool event_table_check(const struct event_type *type, unsigned depth, struct err *err)
{
    return event_fields_check(type, type->fields, depth, err) &&
           event_fields_check(type, type->common, depth, err);
}

bool event_type_check(const struct event_type *type, struct err *err)
{
    return event_table_check(type, 0, err);
}
