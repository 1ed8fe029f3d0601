// SPDX-License-Identifier: Apache-2.0
#include "proto/thrift/thrift_wire.h"

enum {
    VERSION_1 = 0x8001,
    COMPACT = 0x82,
    COMPACT_VERSION = 1,
    FRAME = 4,
    FRAME_LEAST = 5,
    VARINT_MAX = 10,
    SIZE_MAX_VALUE = 256 << 20,
};

/* ---- Pieces --------------------------------------------------------------------------------- */

uint64_t thrift_varint(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < VARINT_MAX; i++) {
        uint8_t byte = cursor_u8(c);
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (!(byte & 0x80)) {
            return c->bad ? 0 : value;
        }
    }
    c->bad = true;
    return 0;
}

int64_t thrift_zigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static uint8_t type_of_compact(uint8_t type)
{
    static const uint8_t types[] = {
        THRIFT_STOP, THRIFT_TRUE, THRIFT_FALSE,  THRIFT_BYTE,   THRIFT_I16,
        THRIFT_I32,  THRIFT_I64,  THRIFT_DOUBLE, THRIFT_STRING, THRIFT_LIST,
        THRIFT_SET,  THRIFT_MAP,  THRIFT_STRUCT, THRIFT_UUID,
    };
    return type < sizeof types ? types[type] : THRIFT_NONE;
}

static bool is_type(uint8_t type)
{
    return (type <= THRIFT_UUID && (0x1fd5cU >> type & 1)) || type == THRIFT_TRUE ||
           type == THRIFT_FALSE;
}

struct thrift_field thrift_field_read(struct cursor *c, bool is_compact, int16_t last)
{
    uint8_t byte = cursor_u8(c);
    struct thrift_field field = {.type = is_compact ? type_of_compact(byte & 15) : byte};
    if (c->bad || byte == THRIFT_STOP) {
        field.type = c->bad ? THRIFT_NONE : THRIFT_STOP;
        return field;
    }
    if (!is_compact) {
        field.id = (int16_t)cursor_be16(c);
    } else if (byte >> 4 != 0) {
        field.id = (int16_t)(last + (byte >> 4));
    } else {
        field.id = (int16_t)thrift_zigzag(thrift_varint(c));
    }
    field.type = c->bad || !is_type(field.type) ? THRIFT_NONE : field.type;
    return field;
}

/* In containers a boolean is a byte. */
static uint8_t element_type(uint8_t type, bool is_compact)
{
    uint8_t own = is_compact ? type_of_compact(type) : type;
    return own == THRIFT_TRUE || own == THRIFT_FALSE ? THRIFT_BOOL : own;
}

static struct thrift_container read_compact(struct cursor *c, bool is_map)
{
    struct thrift_container ret = {0};
    if (is_map) {
        uint64_t count = thrift_varint(c);
        uint8_t types = count > 0 ? cursor_u8(c) : 0;
        ret.types[0] = element_type(types >> 4, true);
        ret.types[1] = element_type(types & 15, true);
        ret.count = (uint32_t)count;
        c->bad = c->bad || count > SIZE_MAX_VALUE;
        return ret;
    }
    uint8_t byte = cursor_u8(c);
    uint64_t count = byte >> 4 == 15 ? thrift_varint(c) : byte >> 4;
    ret.types[0] = element_type(byte & 15, true);
    ret.count = (uint32_t)count;
    c->bad = c->bad || count > SIZE_MAX_VALUE;
    return ret;
}

struct thrift_container thrift_container_read(struct cursor *c, bool is_compact, bool is_map)
{
    struct thrift_container ret = {0};
    if (is_compact) {
        ret = read_compact(c, is_map);
    } else {
        ret.types[0] = cursor_u8(c);
        ret.types[1] = is_map ? cursor_u8(c) : 0;
        ret.count = cursor_be32(c);
        c->bad = c->bad || ret.count > SIZE_MAX_VALUE;
    }
    bool good = is_type(ret.types[0]) && (!is_map || is_type(ret.types[1]));
    c->bad = c->bad || (ret.count > 0 && !good);
    return ret;
}

/* ---- Past a struct -------------------------------------------------------------------------- */

enum level_kind { IN_STRUCT, IN_CONTAINER, TEXT_HEAD, LIST_HEAD, MAP_HEAD, VARINT };

static bool push(struct thrift_skipper *s, struct thrift_level level)
{
    if (s->depth == THRIFT_DEPTH_MAX) {
        return false;
    }
    s->levels[s->depth++] = level;
    return true;
}

void thrift_skip_begin(struct thrift_skipper *s, bool is_compact)
{
    s->is_compact = is_compact;
    s->skip = 0;
    s->depth = 0;
    (void)push(s, (struct thrift_level){.kind = IN_STRUCT});
}

static bool begin_value(struct thrift_skipper *s, uint8_t type)
{
    static const uint8_t sizes[] = {
        [THRIFT_BOOL] = 1, [THRIFT_BYTE] = 1, [THRIFT_DOUBLE] = 8, [THRIFT_I16] = 2,
        [THRIFT_I32] = 4,  [THRIFT_I64] = 8,  [THRIFT_UUID] = 16};
    switch (type) {
    case THRIFT_TRUE:
    case THRIFT_FALSE:
        return true;
    case THRIFT_STRING:
        return push(s, (struct thrift_level){.kind = TEXT_HEAD});
    case THRIFT_STRUCT:
        return push(s, (struct thrift_level){.kind = IN_STRUCT});
    case THRIFT_MAP:
        return push(s, (struct thrift_level){.kind = MAP_HEAD});
    case THRIFT_SET:
    case THRIFT_LIST:
        return push(s, (struct thrift_level){.kind = LIST_HEAD});
    case THRIFT_I16:
    case THRIFT_I32:
    case THRIFT_I64:
        if (s->is_compact) {
            return push(s, (struct thrift_level){.kind = VARINT});
        }
        s->skip = sizes[type];
        return true;
    default:
        s->skip = type < sizeof sizes ? sizes[type] : 0;
        return s->skip > 0;
    }
}

/* Whether what could not be read may be read when more comes. */
static bool is_short(struct span rest)
{
    return rest.size < 1 + VARINT_MAX;
}

/* The next field, or the end of the struct. */
static enum thrift_skip skip_field(struct thrift_skipper *s, struct cursor *c)
{
    struct cursor at = *c;
    struct thrift_field field = thrift_field_read(&at, s->is_compact, 0);
    if (at.bad) {
        return is_short(span_of(c->at, cursor_left(c))) ? THRIFT_SKIP_MORE : THRIFT_SKIP_BAD;
    }
    *c = at;
    if (field.type == THRIFT_STOP) {
        s->depth--;
        return THRIFT_SKIP_DONE;
    }
    return begin_value(s, field.type) ? THRIFT_SKIP_DONE : THRIFT_SKIP_BAD;
}

static enum thrift_skip skip_element(struct thrift_skipper *s)
{
    struct thrift_level *level = &s->levels[s->depth - 1];
    if (level->left == 0) {
        s->depth--;
        return THRIFT_SKIP_DONE;
    }
    uint8_t type = level->types[level->left & 1];
    level->left--;
    return begin_value(s, type) ? THRIFT_SKIP_DONE : THRIFT_SKIP_BAD;
}

/* The head of a text or a container takes the place of the level that waits for it. */
static enum thrift_skip skip_head(struct thrift_skipper *s, struct cursor *c)
{
    struct thrift_level *level = &s->levels[s->depth - 1];
    struct cursor at = *c;
    bool is_map = level->kind == MAP_HEAD;
    struct thrift_container container = {0};
    uint64_t size = 0;
    if (level->kind == LIST_HEAD || is_map) {
        container = thrift_container_read(&at, s->is_compact, is_map);
    } else if (s->is_compact) {
        size = thrift_varint(&at);
    } else {
        size = cursor_be32(&at);
    }
    if (at.bad) {
        return is_short(span_of(c->at, cursor_left(c))) ? THRIFT_SKIP_MORE : THRIFT_SKIP_BAD;
    }
    *c = at;
    if (level->kind == TEXT_HEAD || level->kind == VARINT) {
        s->skip = level->kind == TEXT_HEAD ? size : 0;
        s->depth--;
        return s->skip <= SIZE_MAX_VALUE ? THRIFT_SKIP_DONE : THRIFT_SKIP_BAD;
    }
    /* Elements count down: a map's keys have even numbers left. */
    level->kind = IN_CONTAINER;
    level->left = is_map ? 2 * container.count : container.count;
    level->types[0] = container.types[0];
    level->types[1] = is_map ? container.types[1] : container.types[0];
    return THRIFT_SKIP_DONE;
}

enum thrift_skip thrift_skip(struct thrift_skipper *s, struct cursor *c)
{
    for (;;) {
        size_t left = cursor_left(c);
        size_t size = s->skip < left ? (size_t)s->skip : left;
        cursor_skip(c, size);
        s->skip -= size;
        if (s->skip > 0) {
            return THRIFT_SKIP_MORE;
        }
        if (s->depth == 0) {
            return THRIFT_SKIP_DONE;
        }
        uint8_t kind = s->levels[s->depth - 1].kind;
        enum thrift_skip step = kind == IN_STRUCT      ? skip_field(s, c)
                                : kind == IN_CONTAINER ? skip_element(s)
                                                       : skip_head(s, c);
        if (step != THRIFT_SKIP_DONE) {
            return step;
        }
    }
}

/* ---- Heads ---------------------------------------------------------------------------------- */

static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        bool letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
        bool later = (byte >= '0' && byte <= '9') || byte == ':' || byte == '.' || byte == '-';
        if (!letter && byte != '_' && !(later && i > 0)) {
            return false;
        }
    }
    return true;
}

static void read_binary_head(struct cursor *c, struct thrift_head *ret, uint32_t *name_size)
{
    uint32_t word = cursor_be32(c);
    ret->kind = (uint8_t)word;
    *name_size = cursor_be32(c);
    if (!c->bad && (word >> 8 != VERSION_1 << 8)) {
        ret->kind = 0;
    }
}

static void read_compact_head(struct cursor *c, struct thrift_head *ret, uint32_t *name_size)
{
    cursor_skip(c, 1);
    uint8_t byte = cursor_u8(c);
    ret->kind = (byte & 0x1f) == COMPACT_VERSION ? byte >> 5 : 0;
    ret->sequence = (int32_t)thrift_varint(c);
    *name_size = (uint32_t)thrift_varint(c);
}

static bool kind_fits(uint8_t kind)
{
    return kind >= THRIFT_CALL && kind <= THRIFT_ONEWAY;
}

/* What can be told of the beginning of a head before it is whole. */
static bool may_begin(struct span data, bool is_compact)
{
    static const uint8_t binary[] = {0x80, 0x01, 0x00};
    if (is_compact) {
        return data.size < 2 ||
               ((data.data[1] & 0x1f) == COMPACT_VERSION && kind_fits(data.data[1] >> 5));
    }
    size_t known = data.size < sizeof binary ? data.size : sizeof binary;
    return memcmp(data.data, binary, known) == 0 && (data.size < 4 || kind_fits(data.data[3]));
}

/* A head without its frame. */
static enum proto_guess look_bare(struct span data, struct thrift_head *ret)
{
    if (data.size == 0) {
        return PROTO_UNSURE;
    }
    ret->is_compact = data.data[0] == COMPACT;
    if (!may_begin(data, ret->is_compact)) {
        return PROTO_NO;
    }
    struct cursor c = cursor_of(data);
    uint32_t name_size = 0;
    if (ret->is_compact) {
        read_compact_head(&c, ret, &name_size);
    } else {
        read_binary_head(&c, ret, &name_size);
    }
    if (c.bad) {
        return data.size < 2 + 2 * VARINT_MAX ? PROTO_UNSURE : PROTO_NO;
    }
    if (!kind_fits(ret->kind) || name_size == 0 || name_size > THRIFT_NAME_MAX ||
        !is_name(span_head(span_of(c.at, cursor_left(&c)), name_size))) {
        return PROTO_NO;
    }
    ret->name = cursor_take(&c, name_size);
    if (!ret->is_compact) {
        ret->sequence = (int32_t)cursor_be32(&c);
    }
    if (c.bad || cursor_left(&c) == 0) {
        return PROTO_UNSURE;
    }
    uint8_t type = ret->is_compact ? type_of_compact(*c.at & 15) : *c.at;
    ret->size = data.size - cursor_left(&c);
    return *c.at == THRIFT_STOP || is_type(type) ? PROTO_YES : PROTO_NO;
}

enum proto_guess thrift_look(struct span data, struct thrift_head *ret)
{
    *ret = (struct thrift_head){0};
    if (data.size == 0) {
        return PROTO_UNSURE;
    }
    if (data.data[0] >= 0x80) {
        return look_bare(data, ret);
    }
    if (data.data[0] > THRIFT_FRAME_MAX >> 24) {
        return PROTO_NO;
    }
    if (data.size < FRAME) {
        return PROTO_UNSURE;
    }
    uint32_t size = load_be32(data.data);
    if (size < FRAME_LEAST || size > THRIFT_FRAME_MAX) {
        return PROTO_NO;
    }
    enum proto_guess look = look_bare(span_skip(data, FRAME), ret);
    bool fits = look != PROTO_YES || ret->size < size;
    ret->is_framed = true;
    ret->frame_size = size;
    ret->size += FRAME;
    return fits ? look : PROTO_NO;
}
