// SPDX-License-Identifier: Apache-2.0
#include "proto/amqp/amqp_record.h"

#include "base/cursor.h"
#include "base/text.h"
#include "proto/amqp/amqp_table.h"

enum {
    TEXTS_MAX = 32 << 10,
    TEXTS_MIN = 128,
    EXPANSION = 3, /* JSON is mostly no longer than that many times what came */
    BODY_FIRST = 496,
    PROPERTIES = 14,
    PERSISTENT = 2,
};

static const uint64_t ns_a_second = 1000000000;

struct draft {
    struct amqp_record *record;
    const struct amqp_options *options;
    struct writer out;
    enum proto_cut cut; /* why, should there be no room */
};

static struct writer out_of(struct amqp_record *r)
{
    return writer_of(r->bytes_of_texts + r->size, r->room - r->size);
}

/* Without room for all that is to be shown, the record says so. */
static void note_room(struct draft *d, enum amqp_field field)
{
    if (d->out.full && field != AMQP_HIDDEN) {
        d->record->cut = (uint8_t)d->cut;
    }
    d->out.full = false;
}

/* What was written since `from` is the field's, if it fitted. */
static void set_field(struct draft *d, enum amqp_field field, uint8_t *from)
{
    struct amqp_record *r = d->record;
    if (d->out.full || field == AMQP_HIDDEN) {
        note_room(d, field);
        d->out.at = from;
        return;
    }
    r->text[field].at = (uint16_t)(from - r->bytes_of_texts);
    r->text[field].size = (uint16_t)(d->out.at - from);
    r->has |= UINT64_C(1) << field;
}

static void set_number(struct draft *d, enum amqp_field field, uint64_t value)
{
    uint8_t *from = d->out.at;
    if (field == AMQP_REPLY_CODE) {
        d->record->code = (uint32_t)value;
    }
    writer_u64(&d->out, value);
    set_field(d, field, from);
}

static void set_text(struct draft *d, enum amqp_field field, struct span text)
{
    uint8_t *from = d->out.at;
    bool is_default = field == AMQP_EXCHANGE && text.size == 0 && d->record->method->class_id != 40;
    if (is_default) { /* the exchange that has no name is not worth a field */
        return;
    }
    if (field == AMQP_EXCHANGE_TYPE && text.size == 0) {
        text = span_str("direct");
    }
    writer_span(&d->out, text);
    note_room(d, field); /* a text may be cut */
    set_field(d, field, from);
}

static void set_table(struct draft *d, enum amqp_field field, struct cursor *c)
{
    uint8_t *from = d->out.at;
    bool is_wanted = field == AMQP_HEADERS     ? d->options->parse_headers
                     : field == AMQP_ARGUMENTS ? d->options->parse_arguments
                                               : true;
    bool is_empty = cursor_left(c) >= 4 && load_be32(c->at) == 0;
    if (!is_wanted || is_empty) {
        cursor_skip(c, cursor_be32(c));
        return;
    }
    if (!amqp_table_write(&d->out, c)) { /* not shown, for one of two reasons */
        d->record->odd_table |= !d->out.full;
        note_room(d, field);
        d->out.at = from;
        return;
    }
    set_field(d, field, from);
}

static void set_time(struct draft *d, enum amqp_field field, uint64_t seconds)
{
    char text[TEXT_TIME_ROOM];
    bool fits = seconds <= UINT64_MAX / ns_a_second / 2;
    set_text(d, field,
             span_of(text, fits ? text_rfc3339(text, seconds * ns_a_second, 0) : 0));
}

static void set_octet(struct draft *d, enum amqp_field field, uint8_t value)
{
    if (field == AMQP_DELIVERY_MODE) {
        set_text(d, field, span_str(value == PERSISTENT ? "persistent" : "non-persistent"));
    } else {
        set_number(d, field, value);
    }
}

/* Bits that follow each other share bytes, the first is the lowest. */
static void set_bit(struct draft *d, enum amqp_field field, bool value)
{
    uint8_t *from = d->out.at;
    d->record->no_wait |= field == AMQP_NO_WAIT && value;
    writer_text(&d->out, value ? "true" : "false");
    set_field(d, field, from);
}

static void set_value(struct draft *d, struct amqp_argument argument, struct cursor *c)
{
    struct cursor before = *c;
    switch (argument.kind) {
    case AMQP_OCTET:
        set_octet(d, argument.field, cursor_u8(c));
        break;
    case AMQP_SHORT:
        set_number(d, argument.field, cursor_be16(c));
        break;
    case AMQP_LONG:
        set_number(d, argument.field, cursor_be32(c));
        break;
    case AMQP_LONG_LONG:
        set_number(d, argument.field, cursor_be64(c));
        break;
    case AMQP_SHORT_TEXT:
        set_text(d, argument.field, cursor_take(c, cursor_u8(c)));
        break;
    case AMQP_LONG_TEXT:
        set_text(d, argument.field, cursor_take(c, cursor_be32(c)));
        break;
    case AMQP_TABLE:
        set_table(d, argument.field, c);
        break;
    default:
        set_time(d, argument.field, cursor_be64(c));
    }
    if (c->bad && !before.bad && argument.field != AMQP_HIDDEN) { /* what was not there is not shown */
        d->record->has &= ~(UINT64_C(1) << argument.field);
    }
}

static void read_arguments(struct draft *d, struct cursor *c)
{
    const struct amqp_argument *a = d->record->method->arguments;
    unsigned bits = 0, count = 0;
    for (unsigned i = 0; i < AMQP_ARGUMENTS_MAX && a[i].kind != AMQP_KIND_END && !c->bad; i++) {
        if (a[i].kind != AMQP_BIT) {
            count = 0;
            set_value(d, a[i], c);
            continue;
        }
        if (count % 8 == 0) {
            bits = cursor_u8(c);
        }
        if (!c->bad) {
            set_bit(d, a[i].field, bits >> count % 8 & 1);
        }
        count++;
    }
}

static size_t room_for(struct span bytes)
{
    size_t room = TEXTS_MIN + EXPANSION * bytes.size;
    return room < TEXTS_MAX ? room : TEXTS_MAX;
}

struct amqp_record *amqp_record_new(const struct proto_context *c, const struct amqp_method *method,
                                    struct span arguments)
{
    size_t room = room_for(arguments);
    struct amqp_record *r = slab_take(c->memory, sizeof *r + room);
    if (r == NULL) {
        return NULL;
    }
    *r = (struct amqp_record){.method = method, .room = (uint32_t)room};
    struct draft d = {
        .record = r, .options = amqp_options_of(c), .out = out_of(r), .cut = PROTO_CUT_LONG};
    struct cursor cursor = cursor_of(arguments);
    read_arguments(&d, &cursor);
    r->size = (uint32_t)(d.out.at - r->bytes_of_texts);
    return r;
}

void amqp_record_note_cut(struct amqp_record *r)
{
    r->odd_table = false; /* it is not odd, but goes on where nobody reads */
    r->cut = PROTO_CUT_LONG;
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* In the order of their flags, from the highest. */
static const struct amqp_argument properties[PROPERTIES] = {
    {AMQP_SHORT_TEXT, AMQP_CONTENT_TYPE}, {AMQP_SHORT_TEXT, AMQP_CONTENT_ENCODING},
    {AMQP_TABLE, AMQP_HEADERS},           {AMQP_OCTET, AMQP_DELIVERY_MODE},
    {AMQP_OCTET, AMQP_PRIORITY},          {AMQP_SHORT_TEXT, AMQP_CORRELATION_ID},
    {AMQP_SHORT_TEXT, AMQP_REPLY_TO},     {AMQP_SHORT_TEXT, AMQP_EXPIRATION},
    {AMQP_SHORT_TEXT, AMQP_MESSAGE_ID},   {AMQP_TIME, AMQP_TIMESTAMP},
    {AMQP_SHORT_TEXT, AMQP_TYPE},         {AMQP_SHORT_TEXT, AMQP_USER_ID},
    {AMQP_SHORT_TEXT, AMQP_APP_ID},       {AMQP_SHORT_TEXT, AMQP_HIDDEN},
};

/* How much of a body is to be shown. */
static uint32_t most_of_body(const struct proto_context *c, const struct amqp_record *r)
{
    const struct amqp_options *options = amqp_options_of(c);
    bool is_published = r->method->role == AMQP_ALONE && r->method->id == 40;
    bool is_sent = is_published ? options->settings.send_request : options->settings.send_response;
    uint64_t most = is_sent && c->events->capacity > 0 ? (uint64_t)options->body_max : 0;
    return (uint32_t)(most < r->body_size ? most : r->body_size);
}

struct amqp_record *amqp_record_add_header(const struct proto_context *c, struct amqp_record *r,
                                           struct span header)
{
    struct cursor cursor = cursor_of(header);
    r->body_size = r->body_left = cursor_be64(&cursor);
    r->has_header = true;
    size_t room = r->size + room_for(header);
    room = room < TEXTS_MAX ? room : TEXTS_MAX;
    struct amqp_record *larger =
        room > r->room ? slab_grow(c->memory, r, sizeof *r + room) : NULL;
    if (larger != NULL) {
        r = larger;
        r->room = (uint32_t)room;
    }
    struct draft d = {.record = r, .options = amqp_options_of(c), .out = out_of(r)};
    d.cut = room > r->room ? PROTO_CUT_SHORT : PROTO_CUT_LONG;
    unsigned flags = cursor_be16(&cursor);
    for (unsigned more = flags; (more & 1) != 0 && !cursor.bad;) {
        more = cursor_be16(&cursor); /* flags of properties that there are none of */
    }
    for (unsigned i = 0; i < PROPERTIES && !cursor.bad; i++) {
        if (flags >> (15 - i) & 1) {
            set_value(&d, properties[i], &cursor);
        }
    }
    r->size = (uint32_t)(d.out.at - r->bytes_of_texts);
    r->body_most = most_of_body(c, r);
    return r;
}

/* Has room for `size` more bytes of a body; how many there is room for. */
static size_t make_room(const struct proto_context *c, struct amqp_record *r, size_t size, size_t most)
{
    size_t room = r->body != NULL ? slab_room(r->body) : 0;
    size_t wanted = r->body_kept + size;
    if (wanted > room) {
        size_t twice = 2 * room > BODY_FIRST ? 2 * room : BODY_FIRST;
        size_t bound = most < r->body_most ? most : r->body_most;
        wanted = wanted > twice ? wanted : twice;
        wanted = wanted < bound ? wanted : bound;
        uint8_t *body = wanted > room ? slab_grow_large(c->memory, r->body, wanted) : NULL;
        r->body = body != NULL ? body : r->body;
        room = body != NULL ? slab_room(body) : room;
    }
    return (room < r->body_most ? room : r->body_most) - r->body_kept;
}

void amqp_record_add_body(const struct proto_context *c, struct amqp_record *r, struct span bytes,
                          size_t most)
{
    if (r->holed || r->is_short) {
        return; /* what comes behind a hole does not belong to what is kept */
    }
    bytes = span_head(bytes, r->body_most - r->body_kept);
    size_t size = bytes.size;
    bytes = span_head(bytes, size > 0 ? make_room(c, r, size, most) : 0);
    r->is_short = bytes.size < size;
    if (bytes.size > 0) {
        memcpy(r->body + r->body_kept, bytes.data, bytes.size);
        r->body_kept += (uint32_t)bytes.size;
    }
}

void amqp_record_free(struct slab *slab, struct amqp_record *r)
{
    if (r == NULL) {
        return;
    }
    if (r->about != NULL) {
        slab_give(slab, r->about->body);
        slab_give(slab, r->about);
    }
    slab_give(slab, r->body);
    slab_give(slab, r);
}
