// SPDX-License-Identifier: Apache-2.0
#include "proto/mongodb/mongodb_bson.h"

#include "base/cursor.h"

enum { SIZE_LEAST = 5, SIZE_MAX_BSON = 48 << 20 };

uint32_t bson_size(struct span data)
{
    uint32_t size = data.size >= 4 ? load_le32(data.data) : 0;
    return size >= SIZE_LEAST && size <= SIZE_MAX_BSON ? size : 0;
}

struct bson_walk bson_open(struct span data)
{
    uint32_t size = bson_size(data);
    struct bson_walk walk = {.rest = span_of(data.data, 0),
                             .is_cut = size == 0 || size > data.size};
    if (size > 0) {
        size_t end = size <= data.size ? size - 1 : data.size; /* without its last zero */
        walk.rest = span_skip(span_head(data, end), 4);
    }
    return walk;
}

/* ---- Elements ------------------------------------------------------------------------------- */

/* The bytes of a text that ends with a zero, which is among them; 0 when there is none. */
static size_t terminated(struct span data)
{
    const uint8_t *zero = data.size > 0 ? memchr(data.data, 0, data.size) : NULL;
    return zero != NULL ? (size_t)(zero - data.data) + 1 : 0;
}

/* A length before `more` bytes and as many as it says. */
static size_t counted(struct span data, size_t more)
{
    uint32_t size = data.size >= 4 ? load_le32(data.data) : UINT32_MAX;
    return size <= SIZE_MAX_BSON ? 4 + more + size : 0;
}

static size_t regex_size(struct span data)
{
    size_t pattern = terminated(data);
    size_t options = pattern > 0 ? terminated(span_skip(data, pattern)) : 0;
    return options > 0 ? pattern + options : 0;
}

/* Bytes of the value that `data` begins with; SIZE_MAX: it is broken or cut. */
static size_t value_size(uint8_t type, struct span data)
{
    size_t size;
    switch (type) {
    case BSON_DOUBLE:
    case BSON_DATE:
    case BSON_TIMESTAMP:
    case BSON_INT64:
        return 8;
    case BSON_STRING:
    case BSON_CODE:
    case BSON_SYMBOL:
        size = counted(data, 0);
        return size >= SIZE_LEAST ? size : SIZE_MAX;
    case BSON_DOCUMENT:
    case BSON_ARRAY:
    case BSON_CODE_SCOPE:
        size = bson_size(data);
        return size > 0 ? size : SIZE_MAX;
    case BSON_BINARY:
        size = counted(data, 1);
        return size > 0 ? size : SIZE_MAX;
    case BSON_REGEX:
        size = regex_size(data);
        return size > 0 ? size : SIZE_MAX;
    case BSON_POINTER:
        size = counted(data, 12);
        return size >= SIZE_LEAST + 12 ? size : SIZE_MAX;
    case BSON_OBJECT_ID:
        return 12;
    case BSON_DECIMAL:
        return 16;
    case BSON_INT32:
        return 4;
    case BSON_BOOL:
        return 1;
    case BSON_UNDEFINED:
    case BSON_NULL:
    case BSON_MIN_KEY:
    case BSON_MAX_KEY:
        return 0;
    default:
        return SIZE_MAX;
    }
}

/* Values that are large may be cut: what there is of them is shown. */
static bool may_be_cut(uint8_t type)
{
    switch (type) {
    case BSON_STRING:
    case BSON_DOCUMENT:
    case BSON_ARRAY:
    case BSON_BINARY:
    case BSON_CODE:
    case BSON_SYMBOL:
    case BSON_CODE_SCOPE:
        return true;
    default:
        return false;
    }
}

bool bson_next(struct bson_walk *walk, struct bson_element *ret)
{
    struct span rest = walk->rest;
    walk->rest = span_head(rest, 0);
    if (rest.size == 0) {
        return false;
    }
    size_t name = terminated(span_skip(rest, 1));
    if (name == 0) {
        walk->is_cut = true;
        return false;
    }
    struct span value = span_skip(rest, 1 + name);
    size_t size = value_size(rest.data[0], value);
    if (size > value.size) {
        walk->is_cut = true;
        if (size == SIZE_MAX || !may_be_cut(rest.data[0])) {
            return false;
        }
    }
    *ret = (struct bson_element){
        .type = rest.data[0],
        .name = span_of(rest.data + 1, name - 1),
        .value = span_head(value, size),
    };
    walk->rest = span_skip(value, size);
    return true;
}

struct bson_element bson_find(struct span document, const char *name)
{
    struct bson_walk walk = bson_open(document);
    struct bson_element e;
    while (bson_next(&walk, &e)) {
        if (span_equal(e.name, span_str(name))) {
            return e;
        }
    }
    return (struct bson_element){0};
}

struct span bson_text(const struct bson_element *e)
{
    bool is_text = e->type == BSON_STRING || e->type == BSON_SYMBOL || e->type == BSON_CODE;
    if (!is_text || e->value.size < 4) {
        return span_of("", 0);
    }
    uint32_t size = load_le32(e->value.data); /* with its last zero */
    return span_head(span_skip(e->value, 4), size > 0 ? size - 1 : 0);
}

int64_t bson_integer(const struct bson_element *e)
{
    double number;
    uint64_t bits;
    switch (e->type) {
    case BSON_INT32:
        return (int32_t)load_le32(e->value.data);
    case BSON_INT64:
    case BSON_DATE:
        return (int64_t)load_le64(e->value.data);
    case BSON_BOOL:
        return e->value.data[0];
    case BSON_DOUBLE:
        bits = load_le64(e->value.data);
        memcpy(&number, &bits, sizeof number);
        return number > -9e18 && number < 9e18 ? (int64_t)number : 0;
    default:
        return 0;
    }
}
