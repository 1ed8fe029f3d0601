// SPDX-License-Identifier: Apache-2.0
/* The login: nothing of it is reported but that it was; what both sides can do is learnt from it. */
#include "proto/mysql/mysql_event.h"
#include "proto/mysql/mysql_flow.h"

enum capability {
    CAN_COMPRESS = 1 << 5,
    CAN_PROTOCOL_41 = 1 << 9,
    CAN_SSL = 1 << 11,
    CAN_DEPRECATE_EOF = 1 << 24,
    CAN_OPTIONAL_METADATA = 1 << 25,
    CAN_ZSTD = 1 << 26,
    CAN_QUERY_ATTRIBUTES = 1 << 27,
};

enum { RESPONSE_41_FIXED = 32, RESPONSE_320_FIXED = 5 };

void mysql_login_user(const struct proto_context *c, struct span name)
{
    struct mysql_flow *f = c->state;
    slab_text_give(c->memory, f->user);
    f->user = slab_text_keep(c->memory, span_head(name, MYSQL_USER_MAX));
}

struct span mysql_login_user_name(const struct mysql_flow *f)
{
    return slab_text_span(f->user);
}

struct span mysql_login_name(struct cursor *c)
{
    const uint8_t *end = memchr(c->at, '\0', cursor_left(c));
    return cursor_take(c, end != NULL ? (size_t)(end - c->at) : cursor_left(c));
}

bool mysql_login_client(struct proto_context *c, const struct mysql_packet *packet)
{
    struct mysql_flow *f = c->state;
    if (f->phase == MYSQL_AT_PROOF) {
        return true;
    }
    struct cursor in = cursor_of(packet->body);
    uint32_t can = (uint32_t)mysql_fixed(&in, 2);
    bool is_new = can & CAN_PROTOCOL_41;
    can |= is_new ? (uint32_t)mysql_fixed(&in, 2) << 16 : 0;
    cursor_skip(&in, (is_new ? RESPONSE_41_FIXED - 4 : RESPONSE_320_FIXED - 2));
    if (in.bad) {
        return false;
    }
    if (can & CAN_SSL && packet->size == RESPONSE_41_FIXED) {
        f->phase = MYSQL_AT_TLS;
        return true;
    }
    mysql_login_user(c, mysql_login_name(&in));
    f->compressed = can & (CAN_COMPRESS | CAN_ZSTD);
    f->is_zstd = can & CAN_ZSTD && !(can & CAN_COMPRESS);
    f->without_eof = can & CAN_DEPRECATE_EOF;
    f->dialect.query_attributes = can & CAN_QUERY_ATTRIBUTES;
    f->dialect.optional_metadata = can & CAN_OPTIONAL_METADATA;
    f->phase = MYSQL_AT_PROOF;
    return true;
}

/* A side's unpacker; without memory for it the side is passed over. */
static void begin_compressed(struct proto_context *c, struct mysql_side *side)
{
    struct mysql_flow *f = c->state;
    if (side->unpacker == NULL) {
        side->unpacker = slab_take(c->memory, sizeof *side->unpacker);
        if (side->unpacker != NULL) {
            *side->unpacker = (struct mysql_unpacker){.is_zstd = f->is_zstd};
        }
    }
}

void mysql_login_done(struct proto_context *c)
{
    struct mysql_flow *f = c->state;
    f->phase = MYSQL_AT_COMMANDS;
    if (f->compressed) {
        begin_compressed(c, &f->side[0]);
        begin_compressed(c, &f->side[1]);
        if (f->side[0].unpacker == NULL || f->side[1].unpacker == NULL) {
            f->phase = MYSQL_AT_STREAM;
        }
    }
}

bool mysql_login_server(struct proto_context *c, const struct mysql_packet *packet)
{
    struct mysql_flow *f = c->state;
    struct mysql_stats *stats = c->block;
    uint8_t first = packet->body.size > 0 ? packet->body.data[0] : 0;
    if (first == 0xff) {
        stats->login_failures++;
        return true;
    }
    if (f->phase == MYSQL_AT_GREETING) {
        f->phase = MYSQL_AT_LOGIN;
    } else if (first == 0 && f->phase == MYSQL_AT_PROOF) {
        stats->logins++;
        mysql_login_done(c);
    }
    return packet->size > 0;
}
