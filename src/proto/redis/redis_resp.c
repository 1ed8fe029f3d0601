// SPDX-License-Identifier: Apache-2.0
#include "proto/redis/redis_resp.h"

#include "proto/redis/redis_measure.h"
#include "proto/redis/redis_put.h"
#include "proto/redis/redis_quick.h"
#include "proto/redis/redis_words.h"

enum {
    INLINE_MAX = 64 << 10,     /* as the server has it */
    DIGITS_MAX = 12,           /* of a length: far above what a server takes */
};

enum resp_state {
    AT_TYPE,
    IN_INLINE,
    IN_NUMBER,
    AT_NUMBER_END,
    IN_LINE,
    AT_LINE_END,
    IN_BULK,
    AT_BULK_CR,
    AT_BULK_LF,
    AT_CHUNK,
};

static const char mask[] = "****";

void resp_begin(struct resp_reader *r)
{
    bool is_client = r->is_client;
    memset(r, 0, offsetof(struct resp_reader, levels)); /* a level is set when it begins */
    r->is_client = is_client;
}

bool resp_is_idle(const struct resp_reader *r)
{
    return r->bytes == 0;
}

static struct span text_part(const struct resp_text *text, uint32_t start, uint32_t size)
{
    return size > 0 ? span_of(text->data + start, size) : span_of(NULL, 0);
}

struct span resp_element(const struct resp_reader *r, const struct resp_text *text, unsigned index)
{
    struct resp_element e = index < RESP_ELEMENTS ? r->elements[index] : (struct resp_element){0};
    return text_part(text, e.start, e.size);
}

/* ---- Text ----------------------------------------------------------------------------------- */

static void put_text(const struct resp_reader *r, struct resp_text *text, const char *what)
{
    if (r->hidden == 0) {
        redis_put(text, what, strlen(what));
    }
}

static const char *bracket(uint8_t type, bool closes)
{
    switch (type) {
    case '%': return closes ? "}" : "{";
    default: return closes ? "]" : "[";
    }
}

static bool is_array(uint8_t type)
{
    return type == '*' || type == '%' || type == '~' || type == '>' || type == '|';
}

/* ---- Values --------------------------------------------------------------------------------- */

/* What a command's word says of those behind it. */
static void note_word(struct resp_reader *r, const struct resp_text *text, uint64_t index)
{
    struct span word = text_part(text, r->word_start, text->size - r->word_start);
    struct span name = index == 0 ? word : resp_element(r, text, 0);
    if (index == 0) {
        unsigned flags = redis_word_flags(name);
        r->has_rules = flags & REDIS_HAS_RULES;
        r->is_discreet = flags & REDIS_DISCREET;
    }
    unsigned secret = r->masked || !r->is_discreet
                          ? 0
                          : redis_word_secret(name, word, index, r->count);
    if (r->secret == 0) {
        r->secret = (uint8_t)secret;
    }
}

/* Ends a value, and all that it was the last of. */
static enum resp_verdict end_value(struct resp_reader *r, struct resp_text *text)
{
    r->state = AT_TYPE;
    for (;;) {
        struct resp_level *level = redis_put_level(r);
        if (level == NULL) {
            return RESP_DONE;
        }
        if (r->depth == 1 && level->index < RESP_ELEMENTS && !r->masked && r->hidden == 0) {
            r->elements[level->index] =
                (struct resp_element){r->word_start, text->size - r->word_start};
        }
        if (r->is_client) {
            note_word(r, text, level->index);
        }
        r->masked = false;
        level->index += level->index < UINT32_MAX - 1;
        level->left -= !level->streamed;
        if (level->left > 0) {
            return RESP_MORE;
        }
        if (!r->is_client && level->type != '|') {
            put_text(r, text, bracket(level->type, true));
        }
        r->depth--;
        if (level->type == '|') { /* the value that it speaks of is still to come */
            r->hidden = r->hidden > r->depth ? 0 : r->hidden;
            return RESP_MORE;
        }
        /* Elements of the outermost only have a place; that of an inner array is not kept. */
        r->word_start = text->size;
    }
}

static enum resp_verdict end_nil(struct resp_reader *r, struct resp_text *text)
{
    r->is_null = r->is_null || r->depth == 0;
    put_text(r, text, "nil");
    return end_value(r, text);
}

/* The values of an array that is too deep to be shown stand for it in the one around it. */
static enum resp_verdict flatten(struct resp_reader *r, uint64_t values)
{
    struct resp_level *level = redis_put_level(r);
    if (r->endless || level->left > UINT64_MAX / 2) {
        return RESP_BAD;
    }
    level->left += values - 1;
    r->state = AT_TYPE;
    return RESP_MORE;
}

/* An array, set, map, push or attribute of `number` values. */
static enum resp_verdict begin_level(struct resp_reader *r, struct resp_text *text)
{
    bool pairs = r->value_type == '%' || r->value_type == '|';
    uint64_t values = r->number << pairs;
    bool hides = r->value_type == '|';
    if (r->depth == 0 && !hides) {
        r->count = values;
    }
    if (r->depth == RESP_DEPTH && values > 0) {
        return flatten(r, values + hides);
    }
    if (!hides) {
        redis_put_begin(r, text);
    }
    if (!r->is_client && !hides) {
        put_text(r, text, bracket(r->value_type, false));
    }
    if (values == 0 && !r->endless) {
        if (hides) {
            r->state = AT_TYPE;
            return RESP_MORE;
        }
        put_text(r, text, r->is_client ? "" : bracket(r->value_type, true));
        return end_value(r, text);
    }
    r->levels[r->depth++] = (struct resp_level){
        .left = r->endless ? 1 : values, .type = r->value_type, .streamed = r->endless};
    r->hidden = hides && r->hidden == 0 ? r->depth : r->hidden;
    r->state = AT_TYPE;
    return RESP_MORE;
}

/* The '.' behind the last of values whose count was '?'. */
static enum resp_verdict end_streamed(struct resp_reader *r, struct resp_text *text)
{
    struct resp_level *level = redis_put_level(r);
    if (level == NULL || !level->streamed || level->type == '|') {
        return RESP_BAD;
    }
    put_text(r, text, bracket(level->type, true));
    r->depth--;
    r->word_start = text->size;
    return end_value(r, text);
}

/* ---- Steps: each reads something and says whether the message goes on --------------------- */

static enum resp_verdict read_command_type(struct resp_reader *r, struct cursor *c, uint8_t type)
{
    if (r->depth > 0) {
        r->state = IN_NUMBER;
        return type == '$' ? RESP_MORE : RESP_BAD;
    }
    if (type == '*') {
        r->type = type;
        r->state = IN_NUMBER;
        return RESP_MORE;
    }
    bool letter = (type | 32) >= 'a' && (type | 32) <= 'z';
    if (!letter && type != ' ') {
        return RESP_BAD;
    }
    c->at--;
    r->state = IN_INLINE;
    return RESP_MORE;
}

static enum resp_verdict read_value_type(struct resp_reader *r, uint8_t type)
{
    switch (type) {
    case '*':
    case '~':
    case '>':
    case '%':
    case '|':
    case '$':
    case '!':
    case '=':
        r->state = IN_NUMBER;
        break;
    case '+':
    case '-':
    case ':':
    case ',':
    case '(':
    case '#':
    case '_':
    case '.':
        r->state = IN_LINE;
        break;
    default:
        return RESP_BAD;
    }
    if (r->depth == 0 && type != '|') {
        r->type = type;
        r->is_error = type == '-' || type == '!';
    }
    return RESP_MORE;
}

static enum resp_verdict read_type(struct resp_reader *r, struct cursor *c, struct resp_text *text)
{
    uint8_t type = cursor_u8(c);
    r->value_type = type;
    r->number = r->line = r->digits = 0;
    r->negative = r->endless = r->in_chunks = r->looked = false;
    r->skip = 0;
    enum resp_verdict verdict =
        r->is_client ? read_command_type(r, c, type) : read_value_type(r, type);
    if (verdict == RESP_MORE && !is_array(type) && type != '.') {
        redis_put_begin(r, text);
    }
    if (r->is_client && r->depth > 0 && r->secret > 0 && --r->secret == 0) {
        r->masked = true;
        put_text(r, text, mask);
    }
    return verdict;
}

static enum resp_verdict read_number(struct resp_reader *r, struct cursor *c)
{
    while (cursor_left(c) > 0) {
        uint8_t digit = cursor_u8(c);
        if (digit == '\r') {
            r->state = AT_NUMBER_END;
            return r->digits > 0 || r->endless ? RESP_MORE : RESP_BAD;
        }
        bool first = r->digits == 0 && !r->negative && !r->endless;
        if (digit == '-' && first) {
            r->negative = true;
        } else if (digit == '?' && first && !r->is_client) {
            r->endless = true;
        } else if (digit >= '0' && digit <= '9' && r->digits < DIGITS_MAX && !r->endless) {
            r->number = r->number * 10 + (digit - '0');
            r->digits++;
        } else {
            return RESP_BAD;
        }
    }
    return RESP_MORE;
}

static bool is_string(uint8_t type)
{
    return type == '$' || type == '!' || type == '=' || type == ';';
}

static enum resp_verdict read_number_end(struct resp_reader *r, struct cursor *c,
                                         struct resp_text *text)
{
    if (cursor_u8(c) != '\n') {
        return RESP_BAD;
    }
    if (r->negative) { /* nothing: RESP 2 */
        if (is_array(r->value_type)) {
            redis_put_begin(r, text);
        }
        bool fine = r->number == 1 && r->value_type != ';' && (!r->is_client || r->depth == 0);
        return fine ? end_nil(r, text) : RESP_BAD;
    }
    if (!is_string(r->value_type)) {
        return begin_level(r, text);
    }
    if (r->in_chunks && r->number == 0) {
        return end_value(r, text);
    }
    if (r->endless) {
        r->in_chunks = true;
        r->state = AT_CHUNK;
        return r->value_type == '$' ? RESP_MORE : RESP_BAD;
    }
    r->skip = r->value_type == '=' ? 4 : 0;
    r->state = r->number > 0 ? IN_BULK : AT_BULK_CR;
    return RESP_MORE;
}

static enum resp_verdict read_chunk(struct resp_reader *r, struct cursor *c)
{
    r->value_type = ';';
    r->number = r->digits = 0;
    r->endless = false;
    r->state = IN_NUMBER;
    return cursor_u8(c) == ';' ? RESP_MORE : RESP_BAD;
}

/* Copies the next `size` bytes; without `last` only as many as fit. */
static void copy(struct resp_reader *r, struct cursor *c, struct resp_text *text, size_t size)
{
    size_t room = text->capacity - text->size;
    bool shown = r->hidden == 0 && !r->masked;
    if (shown && !text->last && size > room) {
        size = room;
    }
    if (shown) {
        redis_put(text, c->at, size);
    }
    c->at += size;
}

static enum resp_verdict read_bulk(struct resp_reader *r, struct cursor *c, struct resp_text *text)
{
    if (!r->looked) {
        r->looked = true;
        if (r->has_rules && memchr("><#!", *c->at, 4) != NULL) {
            r->masked = true;
            put_text(r, text, mask);
        }
    }
    if (r->skip > 0) {
        cursor_skip(c, 1);
        r->skip--;
        r->number--;
    } else {
        const uint8_t *before = c->at;
        size_t left = cursor_left(c);
        copy(r, c, text, r->number < left ? (size_t)r->number : left);
        r->number -= (uint64_t)(c->at - before);
    }
    r->state = r->number > 0 ? IN_BULK : AT_BULK_CR;
    return RESP_MORE;
}

static enum resp_verdict read_bulk_end(struct resp_reader *r, struct cursor *c,
                                       struct resp_text *text)
{
    if (r->state == AT_BULK_CR) {
        r->state = AT_BULK_LF;
        return cursor_u8(c) == '\r' ? RESP_MORE : RESP_BAD;
    }
    if (cursor_u8(c) != '\n') {
        return RESP_BAD;
    }
    if (r->in_chunks) {
        r->state = AT_CHUNK;
        return RESP_MORE;
    }
    return end_value(r, text);
}

static enum resp_verdict read_line(struct resp_reader *r, struct cursor *c, struct resp_text *text)
{
    const uint8_t *before = c->at;
    const uint8_t *end = memchr(c->at, '\r', cursor_left(c));
    size_t size = (size_t)((end != NULL ? end : c->end) - c->at);
    size_t fits = redis_measure_line(r->value_type, r->line, span_of(c->at, size));
    if (r->value_type == '#') {
        r->truth = fits > 0 ? *c->at : r->truth;
        cursor_skip(c, fits);
    } else {
        copy(r, c, text, fits);
    }
    r->line += (uint32_t)(c->at - before);
    if (fits < size) {
        return RESP_BAD;
    }
    if (c->at == end) {
        cursor_skip(c, 1);
        r->state = AT_LINE_END;
    }
    return RESP_MORE;
}

static enum resp_verdict read_line_end(struct resp_reader *r, struct cursor *c,
                                       struct resp_text *text)
{
    if (cursor_u8(c) != '\n') {
        return RESP_BAD;
    }
    switch (r->value_type) {
    case '_':
        return end_nil(r, text);
    case '.':
        return end_streamed(r, text);
    case '#':
        put_text(r, text, r->truth == 't' ? "true" : "false");
        return r->line == 1 ? end_value(r, text) : RESP_BAD;
    default:
        return end_value(r, text);
    }
}

/* The words of an inline command, which stands in the text as it came. */
static void split_inline(struct resp_reader *r, struct resp_text *text)
{
    while (text->size > 0 && text->data[text->size - 1] <= ' ') {
        text->size--;
    }
    uint32_t at = 0;
    while (at < text->size) {
        while (text->data[at] <= ' ') {
            at++;
        }
        uint32_t start = at;
        while (at < text->size && text->data[at] > ' ') {
            at++;
        }
        if (r->count < RESP_ELEMENTS) {
            r->elements[r->count] = (struct resp_element){start, at - start};
        }
        r->count++;
    }
    if (r->count == 0 && text->last) { /* there was no room for any of it */
        r->count = 1;
    }
    if (r->count > 1 && redis_word_flags(resp_element(r, text, 0)) & REDIS_DISCREET) {
        r->elements[1] = r->elements[2] = (struct resp_element){0};
        text->size = r->elements[0].start + r->elements[0].size;
        redis_put(text, " ", 1);
        redis_put(text, mask, sizeof mask - 1);
    }
}

static enum resp_verdict read_inline(struct resp_reader *r, struct cursor *c,
                                     struct resp_text *text)
{
    const uint8_t *before = c->at;
    const uint8_t *end = memchr(c->at, '\n', cursor_left(c));
    size_t size = (size_t)((end != NULL ? end : c->end) - c->at);
    size_t fits = size < INLINE_MAX - r->line ? size : INLINE_MAX - r->line;
    copy(r, c, text, fits);
    r->line += (uint32_t)(c->at - before);
    if (fits < size) {
        return RESP_BAD;
    }
    if (c->at != end) {
        return RESP_MORE;
    }
    cursor_skip(c, 1);
    split_inline(r, text);
    return RESP_DONE;
}

/* At the type of a value. */
static enum resp_verdict read_begin(struct resp_reader *r, struct cursor *c, struct resp_text *text)
{
    switch (redis_quick_read(r, c, text)) {
    case REDIS_QUICK_VALUE:
        return end_value(r, text);
    case REDIS_QUICK_ARRAY:
        return begin_level(r, text);
    case REDIS_QUICK_NOTHING:
        break;
    }
    return cursor_left(c) > 0 ? read_type(r, c, text) : RESP_MORE;
}

static enum resp_verdict step(struct resp_reader *r, struct cursor *c, struct resp_text *text)
{
    switch ((enum resp_state)r->state) {
    case AT_TYPE:
        return read_begin(r, c, text);
    case IN_INLINE:
        return read_inline(r, c, text);
    case IN_NUMBER:
        return read_number(r, c);
    case AT_NUMBER_END:
        return read_number_end(r, c, text);
    case IN_LINE:
        return read_line(r, c, text);
    case AT_LINE_END:
        return read_line_end(r, c, text);
    case IN_BULK:
        return read_bulk(r, c, text);
    case AT_BULK_CR:
    case AT_BULK_LF:
        return read_bulk_end(r, c, text);
    case AT_CHUNK:
        return read_chunk(r, c);
    }
    return RESP_BAD;
}

void resp_skip_blank(const struct resp_reader *r, struct cursor *c)
{
    while (r->bytes == 0 && cursor_left(c) > 0 && (*c->at == '\r' || *c->at == '\n')) {
        cursor_skip(c, 1);
    }
}

enum resp_verdict resp_read(struct resp_reader *r, struct cursor *c, struct resp_text *text)
{
    resp_skip_blank(r, c);
    while (cursor_left(c) > 0) {
        if (!text->last && text->capacity - text->size < RESP_STEP) {
            return RESP_FULL;
        }
        const uint8_t *before = c->at;
        enum resp_verdict verdict = step(r, c, text);
        r->bytes += (uint64_t)(c->at - before);
        if (verdict != RESP_MORE) {
            return verdict;
        }
    }
    return RESP_MORE;
}

bool resp_miss(struct resp_reader *r, uint64_t length)
{
    if (r->state != IN_BULK || r->number < length) {
        return false;
    }
    r->number -= length;
    r->bytes += length;
    r->skip = 0;
    r->looked = true;
    r->state = r->number > 0 ? IN_BULK : AT_BULK_CR;
    return true;
}
