// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_fields.h"

#include "base/cursor.h"

enum { SIZES = 4 }; /* bytes before a field: of its name, of its value */

/* Room for so many bytes more; NULL, and noted, when there is none. */
static uint8_t *room(struct http2_fields *fields, struct slab *memory, size_t size)
{
    size_t wanted = fields->size + size;
    if (wanted <= HTTP2_FIELDS_MAX && (fields->bytes == NULL || slab_room(fields->bytes) < wanted)) {
        uint8_t *bytes = slab_grow(memory, fields->bytes, wanted);
        fields->bytes = bytes != NULL ? bytes : fields->bytes;
    }
    if (wanted > HTTP2_FIELDS_MAX || fields->bytes == NULL || slab_room(fields->bytes) < wanted) {
        fields->is_cut = true;
        return NULL;
    }
    fields->size = (uint32_t)wanted;
    return fields->bytes + wanted - size;
}

static uint8_t *put(uint8_t *to, struct span text)
{
    if (text.size > 0) {
        memcpy(to, text.data, text.size);
    }
    return to + text.size;
}

void http2_fields_add(struct http2_fields *fields, struct slab *memory, struct span name,
                      struct span value)
{
    fields->is_cut = fields->is_cut || value.size > HTTP2_VALUE_MAX || name.size > UINT8_MAX;
    name = span_head(name, UINT8_MAX);
    value = span_head(value, HTTP2_VALUE_MAX);
    uint8_t *to = room(fields, memory, SIZES + name.size + value.size);
    if (to != NULL) {
        const uint16_t sizes[] = {(uint16_t)name.size, (uint16_t)value.size};
        memcpy(to, sizes, SIZES);
        (void)put(put(to + SIZES, name), value);
    }
}

void http2_fields_join(struct http2_fields *fields, struct slab *memory, struct http2_fields *from)
{
    fields->is_cut = fields->is_cut || from->is_cut;
    if (fields->bytes == NULL) {
        fields->bytes = from->bytes;
        fields->size = from->size;
    } else {
        uint8_t *to = from->size > 0 ? room(fields, memory, from->size) : NULL;
        if (to != NULL) {
            memcpy(to, from->bytes, from->size);
        }
        slab_give(memory, from->bytes);
    }
    *from = (struct http2_fields){0};
}

void http2_fields_done(struct http2_fields *fields, struct slab *memory)
{
    slab_give(memory, fields->bytes);
    *fields = (struct http2_fields){0};
}

bool http2_fields_next(const struct http2_fields *fields, uint32_t *at, struct span *name,
                       struct span *value)
{
    if (*at >= fields->size) {
        return false;
    }
    uint16_t sizes[2];
    memcpy(sizes, fields->bytes + *at, SIZES);
    *name = span_of(fields->bytes + *at + SIZES, sizes[0]);
    *value = span_of(name->data + sizes[0], sizes[1]);
    *at += (uint32_t)SIZES + sizes[0] + sizes[1];
    return true;
}

static struct span find(const struct http2_fields *fields, const char *wanted, bool last)
{
    struct span name, value, found = {0};
    uint32_t at = 0;
    while ((last || found.data == NULL) && http2_fields_next(fields, &at, &name, &value)) {
        if (span_equal(name, span_str(wanted))) {
            found = value;
        }
    }
    return found.data != NULL ? found : span_str("");
}

struct span http2_fields_find(const struct http2_fields *fields, const char *name)
{
    return find(fields, name, false);
}

struct span http2_fields_last(const struct http2_fields *fields, const char *name)
{
    return find(fields, name, true);
}
