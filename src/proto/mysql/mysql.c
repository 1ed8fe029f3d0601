// SPDX-License-Identifier: Apache-2.0
/* MySQL and MariaDB: what is asked of the server and what it answers, see README.md. */
#include "proto/mysql/mysql_event.h"
#include "proto/mysql/mysql_flow.h"
#include "proto/mysql/mysql_look.h"

static const uint16_t ports[] = {3306, 3307, 0};

static enum proto_guess mysql_probe(struct span data, unsigned side)
{
    (void)side; /* of a connection met midway any side may be the one that asks */
    switch (mysql_look(data).what) {
    case MYSQL_LOOKS_UNSURE:
        return PROTO_UNSURE;
    case MYSQL_LOOKS_FOREIGN:
        return PROTO_NO;
    default:
        return PROTO_YES;
    }
}

/* ---- Behind holes ----------------------------------------------------------------------------- */

static void drop_reader(const struct proto_context *c, struct mysql_side *s)
{
    if (s->reader != NULL) {
        mysql_packet_reset(s->reader, c->memory);
        slab_give(c->memory, s->reader);
        s->reader = NULL;
    }
}

/* A side that is to be read has a reader; false without memory. */
static bool take_reader(const struct proto_context *c, struct mysql_side *s)
{
    if (s->reader == NULL) {
        s->reader = slab_take(c->memory, sizeof *s->reader);
        if (s->reader != NULL) {
            *s->reader = (struct mysql_reader){.left = 0};
        }
    }
    return s->reader != NULL;
}

/* The rest of what a side was saying is not understood: the next packet is looked for. */
static void lose_side(struct proto_context *c, unsigned side, const char *reason)
{
    struct mysql_flow *f = c->state;
    struct mysql_side *s = &f->side[side];
    drop_reader(c, s);
    if (s->unpacker != NULL) {
        mysql_unpack_reset(s->unpacker, c->memory);
    }
    f->seeking[side] = true;
    f->may_begin[side] = false; /* not before the other side has said something */
    if (f->phase != MYSQL_AT_STREAM && f->phase != MYSQL_AT_COMMANDS) {
        mysql_login_done(c); /* whatever was missed: it will be over some time */
    }
    bool waits = f->head != NULL || f->owed > 0;
    if (side == f->client) {
        turns_lose_questions(&f->turns, waits);
    } else {
        turns_lose_answers(&f->turns, waits);
        f->reply_holed = true;
        mysql_give_up(c, reason);
    }
    f->wants_file = false;
}

/* Bytes that are no MySQL; false when they are too many to go on. */
static bool survive(struct proto_context *c, unsigned side)
{
    struct mysql_flow *f = c->state;
    struct mysql_stats *stats = c->block;
    if (!f->understood) {
        return false;
    }
    stats->malformed++;
    f->broken++;
    lose_side(c, side, "malformed");
    return f->broken < MYSQL_BROKEN_MAX;
}

/* Whether a packet begins here, where one was looked for; if not the bytes are passed over, unless it
 * takes more of them to tell (`wait`). */
static bool find_packet(struct proto_context *c, unsigned side, struct span data, bool *wait)
{
    struct mysql_flow *f = c->state;
    const struct mysql_side *s = &f->side[side];
    if (!f->may_begin[side]) {
        return false;
    }
    struct mysql_look look = mysql_look_at(data);
    *wait = look.what == MYSQL_LOOKS_UNSURE && data.size < MYSQL_LOOK_MAX;
    bool fits = side == f->client ? look.what == MYSQL_LOOKS_COMMAND
                                  : look.what == MYSQL_LOOKS_REPLY;
    fits = fits && look.compressed == (s->unpacker != NULL);
    if (fits || (side != f->client && s->unpacker == NULL && mysql_look_is_answer(data))) {
        f->seeking[side] = false;
        return true;
    }
    f->may_begin[side] = *wait;
    if (!*wait) { /* who knows what that was an answer to */
        lose_side(c, side, "gap");
    }
    return false;
}

/* ---- Packets ---------------------------------------------------------------------------------- */

/* Behind what one side says the other one begins anew. */
static void encourage(struct mysql_flow *f, unsigned side)
{
    f->may_begin[1 - side] = f->may_begin[1 - side] || f->seeking[1 - side];
}

static bool take_packet(struct proto_context *c, unsigned side, const struct mysql_packet *packet,
                        uint64_t now_ns)
{
    const struct mysql_flow *f = c->state;
    bool is_client = side == f->client;
    switch ((enum mysql_phase)f->phase) {
    case MYSQL_AT_COMMANDS:
        return is_client ? mysql_take_command(c, packet, now_ns)
                         : mysql_take_answer(c, packet, now_ns);
    case MYSQL_AT_GREETING:
    case MYSQL_AT_LOGIN:
    case MYSQL_AT_PROOF:
        return is_client ? mysql_login_client(c, packet) : mysql_login_server(c, packet);
    case MYSQL_AT_STREAM:
    case MYSQL_AT_TLS:
        break;
    }
    return true;
}

/* How much of a packet is wanted: of the client's statements all that may be shown, of a row what a
 * response's text may have. */
static struct mysql_kept kept_of(const struct proto_context *c, unsigned side)
{
    const struct mysql_flow *f = c->state;
    const struct mysql_options *options = (const struct mysql_options *)c->settings;
    struct mysql_kept kept = {.statement = MYSQL_KEPT, .other = MYSQL_KEPT};
    if (side != f->client) {
        kept.other += options->common.send_response ? (uint32_t)options->max_row_length : 0;
        kept.statement = kept.other;
    } else if (f->phase == MYSQL_AT_COMMANDS && !f->wants_file) {
        kept.statement = (uint32_t)options->max_message_size + 1;
    }
    return kept;
}

/* The next packet; false when there is none yet. Mostly it is whole in a segment, and needs no
 * reader. */
static bool next_packet(struct proto_context *c, unsigned side, struct cursor *in, uint64_t now_ns,
                        struct mysql_packet *ret)
{
    struct mysql_flow *f = c->state;
    struct mysql_side *s = &f->side[side];
    if (s->reader == NULL) {
        if (side != f->client && f->phase == MYSQL_AT_COMMANDS && s->unpacker == NULL) {
            mysql_pass_rows(c, in, now_ns);
        }
        if (cursor_left(in) == 0) {
            return false;
        }
        if (mysql_packet_whole(in, now_ns, ret)) {
            if (side == f->client || ret->size > MYSQL_KEPT) { /* rows mostly are shorter */
                mysql_packet_shorten(ret, kept_of(c, side));
            }
            return true;
        }
    }
    if (!take_reader(c, s)) {
        lose_side(c, side, "gap"); /* without memory the rest is as good as not captured */
        return false;
    }
    return mysql_packet_next(s->reader, c->memory, in, kept_of(c, side), now_ns, ret);
}

/* Reads packets of plain bytes, as long as they stay plain; false when they are none. */
static bool take_plain(struct proto_context *c, unsigned side, struct cursor *in, uint64_t now_ns)
{
    struct mysql_flow *f = c->state;
    struct mysql_side *s = &f->side[side];
    const struct mysql_unpacker *before = s->unpacker;
    struct mysql_packet packet;
    while (f->phase < MYSQL_AT_STREAM && s->unpacker == before && !f->seeking[side] &&
           next_packet(c, side, in, now_ns, &packet)) {
        if (!take_packet(c, side, &packet, now_ns)) {
            return false;
        }
    }
    return true;
}

/* One step of a compressed side; false when what comes is no MySQL. */
static bool take_compressed(struct proto_context *c, unsigned side, struct cursor *in,
                            uint64_t now_ns)
{
    struct mysql_flow *f = c->state;
    struct mysql_stats *stats = c->block;
    struct span piece;
    switch (mysql_unpack_next(f->side[side].unpacker, c->memory, in, &piece)) {
    case MYSQL_UNPACK_PIECE_READY: {
        struct cursor plain = cursor_of(piece);
        return take_plain(c, side, &plain, now_ns);
    }
    case MYSQL_UNPACK_LOST:
        stats->not_unpacked++;
        lose_side(c, side, "gap");
        break;
    case MYSQL_UNPACK_MORE:
        break;
    }
    return true;
}

static bool take_bytes(struct proto_context *c, unsigned side, struct cursor *in, uint64_t now_ns)
{
    struct mysql_flow *f = c->state;
    const struct mysql_side *s = &f->side[side];
    while (f->phase < MYSQL_AT_STREAM && !f->seeking[side]) {
        bool has_more = s->unpacker != NULL && mysql_unpack_has_more(s->unpacker);
        if (cursor_left(in) == 0 && !has_more) {
            break;
        }
        bool fine = s->unpacker != NULL ? take_compressed(c, side, in, now_ns)
                                        : take_plain(c, side, in, now_ns);
        if (!fine) {
            return false;
        }
    }
    return true;
}

/* ---- Hooks ------------------------------------------------------------------------------------ */

/* Who asks, and where in the conversation it begins; false when more bytes are needed to tell. */
static bool decide(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct mysql_flow *f = c->state;
    struct mysql_look look = mysql_look(chunk->data);
    if (look.what == MYSQL_LOOKS_UNSURE && chunk->data.size < MYSQL_LOOK_MAX) {
        return false;
    }
    bool by_server = look.what != MYSQL_LOOKS_COMMAND && look.what != MYSQL_LOOKS_LOGIN &&
                     look.what != MYSQL_LOOKS_FOREIGN;
    f->client = by_server ? 1 - chunk->side : chunk->side;
    f->decided = true;
    f->compressed = look.compressed;
    f->is_zstd = look.is_zstd;
    if (look.what == MYSQL_LOOKS_GREETING || look.what == MYSQL_LOOKS_LOGIN) {
        f->phase = look.what == MYSQL_LOOKS_LOGIN ? MYSQL_AT_LOGIN : MYSQL_AT_GREETING;
        return true;
    }
    f->seeking[chunk->side] = look.what == MYSQL_LOOKS_ROWS;
    f->seeking[1 - chunk->side] = true;
    f->may_begin[1 - chunk->side] = true;
    f->understood = look.what == MYSQL_LOOKS_ROWS;
    mysql_login_done(c);
    return true;
}

static struct proto_taken mysql_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct mysql_flow *f = c->state;
    struct proto_taken taken = {.consumed = chunk->data.size, .verdict = PROTO_GOES_ON};
    if (!f->decided && !decide(c, chunk)) {
        taken.consumed = 0;
        return taken;
    }
    struct mysql_side *s = &f->side[chunk->side];
    bool wait = false;
    encourage(f, chunk->side);
    if (f->seeking[chunk->side] && !find_packet(c, chunk->side, chunk->data, &wait)) {
        taken.consumed = wait ? 0 : chunk->data.size;
        return taken;
    }
    struct cursor in = cursor_of(chunk->data);
    if (!take_bytes(c, chunk->side, &in, chunk->time_ns) && !survive(c, chunk->side)) {
        taken.verdict = PROTO_NOT_MINE;
    }
    if (s->reader != NULL && mysql_packet_is_idle(s->reader)) {
        drop_reader(c, s);
    }
    if (f->phase == MYSQL_AT_TLS) {
        ((struct mysql_stats *)c->block)->switched++;
        taken.consumed = chunk->data.size - cursor_left(&in);
        taken.verdict = PROTO_SWITCHED;
    }
    return taken;
}

static void mysql_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct mysql_flow *f = c->state;
    struct mysql_side *s = &f->side[side];
    ((struct mysql_stats *)c->block)->gaps++;
    if (!f->decided) {
        return;
    }
    bool goes_on = !f->seeking[side] && s->unpacker == NULL && s->reader != NULL &&
                   mysql_packet_miss(s->reader, c->memory, length);
    if (!goes_on) {
        lose_side(c, side, "gap");
        f->may_begin[side] = side == f->client; /* a command may stand right behind it */
    }
}

static void mysql_on_fin(struct proto_context *c, unsigned side)
{
    const struct mysql_flow *f = c->state;
    if (f->decided && side != f->client) {
        mysql_give_up(c, "closed");
    }
}

static void mysql_on_close(struct proto_context *c, enum proto_close why)
{
    struct mysql_flow *f = c->state;
    mysql_give_up(c, proto_close_reason(why));
    mysql_drop_all(c);
    for (unsigned side = 0; side < 2; side++) {
        struct mysql_side *s = &f->side[side];
        drop_reader(c, s);
        if (s->unpacker != NULL) {
            mysql_unpack_reset(s->unpacker, c->memory);
            slab_give(c->memory, s->unpacker);
            s->unpacker = NULL;
        }
    }
}

static const struct event_type *const events[] = {&mysql_event_type, NULL};

const struct proto proto_mysql = {
    .name = "mysql",
    .help = "queries, prepared statements and their results of MySQL and MariaDB",
    .metrics = &mysql_set,
    .tcp_ports = ports,
    .flow_size = sizeof(struct mysql_flow),
    .events = events,
    .options = mysql_option_rows,
    .options_size = sizeof(struct mysql_options),
    .probe = mysql_probe,
    .on_chunk = mysql_on_chunk,
    .on_gap = mysql_on_gap,
    .on_fin = mysql_on_fin,
    .on_close = mysql_on_close,
};
