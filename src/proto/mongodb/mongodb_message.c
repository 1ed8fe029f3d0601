// SPDX-License-Identifier: Apache-2.0
#include "proto/mongodb/mongodb_message.h"

#include "base/cursor.h"
#include "proto/mongodb/mongodb_bson.h"

enum {
    MSG_CHECKSUM = 1,
    MSG_MORE_TO_COME = 2,
    MSG_EXHAUST_ALLOWED = 1 << 16,
    MSG_KNOWN = MSG_CHECKSUM | MSG_MORE_TO_COME | MSG_EXHAUST_ALLOWED,
    REPLY_FAILED = 2,
    NAME_MAX_BYTES = 256,
    COMPRESSORS = 4,
};

static uint32_t take_u32(struct cursor *c)
{
    struct span s = cursor_take(c, 4);
    return s.size == 4 ? load_le32(s.data) : 0;
}

static int64_t take_i64(struct cursor *c)
{
    struct span s = cursor_take(c, 8);
    return s.size == 8 ? (int64_t)load_le64(s.data) : 0;
}

/* A text that ends with a zero. */
static struct span take_text(struct cursor *c)
{
    const uint8_t *zero = cursor_left(c) > 0 ? memchr(c->at, 0, cursor_left(c)) : NULL;
    if (c->bad || zero == NULL) {
        c->bad = true;
        return span_of("", 0);
    }
    struct span text = span_of(c->at, (size_t)(zero - c->at));
    c->at = zero + 1;
    return text;
}

/* What there is of a document. */
static struct span take_document(struct cursor *c)
{
    struct span rest = span_of(c->at, cursor_left(c));
    uint32_t size = c->bad ? 0 : bson_size(rest);
    if (size == 0) {
        c->bad = true;
        return span_of("", 0);
    }
    struct span document = span_head(rest, size);
    c->at += document.size;
    c->bad = size > document.size;
    return document;
}

struct span mongodb_next_document(struct span *documents)
{
    uint32_t size = bson_size(*documents);
    struct span document = span_head(*documents, size);
    *documents = size > 0 ? span_skip(*documents, size) : span_head(*documents, 0);
    return document;
}

/* ---- Looks ---------------------------------------------------------------------------------- */

struct mongodb_header mongodb_header_read(struct span data)
{
    return (struct mongodb_header){
        .size = load_le32(data.data),
        .id = (int32_t)load_le32(data.data + 4),
        .response_to = (int32_t)load_le32(data.data + 8),
        .opcode = load_le32(data.data + 12),
    };
}

bool mongodb_opcode_is_known(uint32_t opcode)
{
    switch (opcode) {
    case MONGODB_REPLY:
    case MONGODB_UPDATE:
    case MONGODB_INSERT:
    case MONGODB_QUERY:
    case MONGODB_GET_MORE:
    case MONGODB_DELETE:
    case MONGODB_KILL_CURSORS:
    case MONGODB_COMPRESSED:
    case MONGODB_MSG:
        return true;
    default:
        return false;
    }
}

/* What the 5 bytes behind the header of a kind may be: flags, or a zero, and the first byte of what
 * comes then. */
static bool body_fits(const struct mongodb_header *h, uint32_t word, uint8_t next)
{
    bool is_name = next > ' ' && next < 0x7f;
    switch (h->opcode) {
    case MONGODB_MSG:
        return (word & ~(uint32_t)MSG_KNOWN) == 0 && next <= 1;
    case MONGODB_QUERY:
        return word <= 0xff && is_name;
    case MONGODB_INSERT:
        return word <= 1 && is_name;
    case MONGODB_UPDATE:
    case MONGODB_DELETE:
    case MONGODB_GET_MORE:
        return word == 0 && is_name;
    case MONGODB_KILL_CURSORS:
        return word == 0;
    case MONGODB_REPLY:
        return word <= 0xf && h->size >= 36;
    default:
        return mongodb_opcode_is_known(word) && word != MONGODB_COMPRESSED;
    }
}

/* ... where a reply may, or may not, be one to command 0. */
static enum proto_guess look(struct span data, bool answers_zero)
{
    uint8_t bytes[MONGODB_LOOK] = {0};
    size_t known = data.size < sizeof bytes ? data.size : sizeof bytes;
    memcpy(bytes, data.data, known);
    struct mongodb_header h = mongodb_header_read(span_of(bytes, sizeof bytes));
    /* What is not there yet is 0, so the length can only grow. */
    if (h.size > MONGODB_SIZE_MAX || (known >= 4 && h.size < MONGODB_LOOK)) {
        return PROTO_NO;
    }
    if (known < MONGODB_HEADER) {
        return PROTO_UNSURE;
    }
    bool is_answer = h.response_to != 0 || answers_zero;
    if (!mongodb_opcode_is_known(h.opcode) || (h.opcode == MONGODB_REPLY && !is_answer)) {
        return PROTO_NO;
    }
    if (known < MONGODB_LOOK) {
        return PROTO_UNSURE;
    }
    return body_fits(&h, load_le32(bytes + 16), bytes[20]) ? PROTO_YES
                                                           : PROTO_NO;
}

enum proto_guess mongodb_look(struct span data)
{
    return look(data, false);
}

enum proto_guess mongodb_look_for_answer(struct span data)
{
    return look(data, true);
}

/* ---- Bodies --------------------------------------------------------------------------------- */

static void read_query(struct mongodb_message *m, struct cursor *c)
{
    cursor_skip(c, 4);
    m->collection = take_text(c);
    mongodb_number_set(m, MONGODB_SKIP, (int32_t)take_u32(c));
    mongodb_number_set(m, MONGODB_LIMIT, (int32_t)take_u32(c));
    m->body = take_document(c);
    if (!c->bad && cursor_left(c) > 0) {
        m->second = take_document(c);
    }
    m->wants_reply = true;
}

static void read_reply(struct mongodb_message *m, struct cursor *c)
{
    m->is_response = true;
    m->has_failed = take_u32(c) & REPLY_FAILED;
    mongodb_number_set(m, MONGODB_CURSOR, take_i64(c));
    mongodb_number_set(m, MONGODB_STARTING_FROM, (int32_t)take_u32(c));
    mongodb_number_set(m, MONGODB_RETURNED, (int32_t)take_u32(c));
    m->documents = span_of(c->at, cursor_left(c));
    struct span documents = m->documents;
    m->body = mongodb_next_document(&documents);
}

static void read_old_write(struct mongodb_message *m, struct cursor *c)
{
    cursor_skip(c, 4);
    m->collection = take_text(c);
    if (m->header.opcode == MONGODB_INSERT) {
        m->documents = span_of(c->at, cursor_left(c));
        return;
    }
    cursor_skip(c, 4);
    m->body = take_document(c);
    if (m->header.opcode == MONGODB_UPDATE) {
        m->second = take_document(c);
    }
}

static void read_cursors(struct mongodb_message *m, struct cursor *c)
{
    cursor_skip(c, 4);
    if (m->header.opcode == MONGODB_GET_MORE) {
        m->collection = take_text(c);
        mongodb_number_set(m, MONGODB_LIMIT, (int32_t)take_u32(c));
        mongodb_number_set(m, MONGODB_CURSOR, take_i64(c));
        m->wants_reply = true;
        return;
    }
    if (take_u32(c) > 0) {
        mongodb_number_set(m, MONGODB_CURSOR, take_i64(c));
    }
}

/* A section of kind 1: a size, a name, documents. */
static void read_sequence(struct mongodb_message *m, struct cursor *c)
{
    uint32_t size = take_u32(c);
    if (c->bad || size < 5 || size > MONGODB_SIZE_MAX) {
        c->bad = true;
        return;
    }
    size_t left = cursor_left(c);
    struct span inside = cursor_take(c, size - 4 < left ? size - 4 : left);
    struct cursor within = cursor_of(inside);
    struct mongodb_section section = {.name = take_text(&within)};
    section.documents = span_of(within.at, cursor_left(&within));
    if (m->section_count < MONGODB_SECTIONS_MAX && !within.bad) {
        m->sections[m->section_count++] = section;
    }
}

static void read_msg(struct mongodb_message *m, struct cursor *c)
{
    uint32_t flags = take_u32(c);
    m->is_response = m->header.response_to != 0;
    m->more_to_come = flags & MSG_MORE_TO_COME;
    m->wants_reply = !m->is_response && !m->more_to_come;
    size_t tail = flags & MSG_CHECKSUM ? 4 : 0;
    while (!c->bad && cursor_left(c) > tail) {
        uint8_t kind = cursor_u8(c);
        if (kind == 0) {
            m->body = take_document(c);
        } else if (kind == 1) {
            read_sequence(m, c);
        } else {
            c->bad = true;
        }
    }
}

bool mongodb_message_read(struct mongodb_message *m, struct mongodb_header header, struct span body)
{
    struct span none = span_of("", 0);
    *m = (struct mongodb_message){
        .header = header, .collection = none, .body = none, .second = none, .documents = none};
    m->is_cut = (size_t)header.size > MONGODB_HEADER + body.size;
    struct cursor c = cursor_of(body);
    switch (header.opcode) {
    case MONGODB_MSG:
        read_msg(m, &c);
        break;
    case MONGODB_QUERY:
        read_query(m, &c);
        break;
    case MONGODB_REPLY:
        read_reply(m, &c);
        break;
    case MONGODB_INSERT:
    case MONGODB_UPDATE:
    case MONGODB_DELETE:
        read_old_write(m, &c);
        break;
    case MONGODB_GET_MORE:
    case MONGODB_KILL_CURSORS:
        read_cursors(m, &c);
        break;
    default:
        return false;
    }
    return !c.bad || m->is_cut;
}
