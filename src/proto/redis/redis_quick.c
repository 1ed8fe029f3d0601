// SPDX-License-Identifier: Apache-2.0
#include "proto/redis/redis_quick.h"

#include "proto/redis/redis_measure.h"
#include "proto/redis/redis_put.h"

enum { PIECE = 16 /* bytes that are copied at once where so many are there */ };

static bool has_room(const struct resp_text *text, size_t size)
{
    return text->last || text->capacity - text->size >= size + RESP_STEP;
}

/* The string at the cursor, if it is whole and not empty, and what it has beside its bytes. */
static struct span measure_string(const struct cursor *c, size_t *beside)
{
    struct span data = span_of(c->at, cursor_left(c));
    uint32_t size;
    size_t from = redis_measure_length(data, &size);
    bool is_whole = from > 0 && size > 0 && data.size - from >= size + 2UL &&
                    memcmp(data.data + from + size, "\r\n", 2) == 0;
    *beside = from + 2;
    return is_whole ? span_of(data.data + from, size) : span_of(NULL, 0);
}

/* Most strings are short, and a call to copy them takes longer than the copy. Behind a string are two
 * bytes at least. */
static void put_string(const struct cursor *c, struct resp_text *text, struct span string)
{
    bool is_piece = string.size <= PIECE && c->end - string.data >= PIECE &&
                    text->capacity - text->size >= PIECE;
    if (!is_piece) {
        redis_put(text, string.data, string.size);
        return;
    }
    memcpy(text->data + text->size, string.data, PIECE);
    text->size += (uint32_t)string.size;
}

/* Strings of a server's array but its last, which ends more than itself, and but those of which it is
 * remembered where they are. */
static void read_strings(struct resp_reader *r, struct cursor *c, struct resp_text *text)
{
    struct resp_level *level = redis_put_level(r);
    bool is_counted = level != NULL && !r->is_client && r->hidden == 0 && !level->streamed;
    while (is_counted && level->left > 1 && (r->depth > 1 || level->index >= RESP_ELEMENTS) &&
           level->index < UINT32_MAX - 1 && cursor_left(c) > 0 && *c->at == '$') {
        size_t beside;
        struct span string = measure_string(c, &beside);
        if (string.size == 0 || !has_room(text, string.size)) {
            return;
        }
        redis_put_begin(r, text);
        put_string(c, text, string);
        cursor_skip(c, string.size + beside);
        level->index++;
        level->left--;
    }
}

/* What begins an outermost value; of others it is known. */
static void begin_outermost(struct resp_reader *r, uint8_t type)
{
    if (r->depth == 0) {
        r->type = type;
        r->is_error = type == '-';
    }
}

/* One that is neither hidden nor secret. */
static bool read_string(struct resp_reader *r, struct cursor *c, struct resp_text *text)
{
    if ((r->is_client && r->depth == 0) || r->secret > 0 || r->has_rules) {
        return false;
    }
    size_t beside;
    struct span string = measure_string(c, &beside);
    if (string.size == 0 || !has_room(text, string.size)) {
        return false;
    }
    begin_outermost(r, '$');
    redis_put_begin(r, text);
    put_string(c, text, string);
    cursor_skip(c, string.size + beside);
    return true;
}

/* A status, an error or a number. */
static bool read_line(struct resp_reader *r, struct cursor *c, struct resp_text *text)
{
    uint8_t type = *c->at;
    const uint8_t *end = memchr(c->at, '\r', cursor_left(c));
    if (r->is_client || end == NULL || c->end - end < 2 || end[1] != '\n') {
        return false;
    }
    struct span line = span_of(c->at + 1, (size_t)(end - c->at - 1));
    if (redis_measure_line(type, 0, line) < line.size || !has_room(text, line.size)) {
        return false;
    }
    begin_outermost(r, type);
    redis_put_begin(r, text);
    redis_put(text, line.data, line.size);
    cursor_skip(c, line.size + 3);
    return true;
}

static bool read_array(struct resp_reader *r, struct cursor *c)
{
    uint32_t count;
    size_t size = redis_measure_length(span_of(c->at, cursor_left(c)), &count);
    if (size == 0 || (r->is_client && r->depth > 0)) {
        return false;
    }
    begin_outermost(r, '*');
    r->number = count;
    r->endless = false;
    cursor_skip(c, size);
    return true;
}

enum redis_quick redis_quick_read(struct resp_reader *r, struct cursor *c, struct resp_text *text)
{
    if (r->hidden > 0) {
        return REDIS_QUICK_NOTHING;
    }
    read_strings(r, c, text);
    if (cursor_left(c) == 0) {
        return REDIS_QUICK_NOTHING;
    }
    uint8_t type = *c->at;
    bool is_read = false;
    switch (type) {
    case '$':
        is_read = read_string(r, c, text);
        break;
    case '+':
    case '-':
    case ':':
        is_read = read_line(r, c, text);
        break;
    case '*':
        is_read = read_array(r, c);
        break;
    default:
        break;
    }
    if (!is_read) {
        return REDIS_QUICK_NOTHING;
    }
    r->value_type = type;
    r->in_chunks = false;
    return type == '*' ? REDIS_QUICK_ARRAY : REDIS_QUICK_VALUE;
}
