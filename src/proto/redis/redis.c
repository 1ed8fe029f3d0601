// SPDX-License-Identifier: Apache-2.0
/* Redis: what is asked of the server and what it says, see README.md. */
#include "proto/proto.h"
#include "proto/redis/redis_event.h"
#include "proto/redis/redis_flow.h"
#include "proto/redis/redis_probe.h"

static const uint16_t ports[] = {6379, 6380, 26379, 0};

/* What the first byte of a message says of its sender; '*' begins commands and replies. */
static bool only_servers_say(uint8_t first)
{
    return first != '*' && memchr("+-:$_#,(!=%~>|", first, 14) != NULL;
}

static bool is_letter(uint8_t byte)
{
    return (byte | 32) >= 'a' && (byte | 32) <= 'z';
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* What a text may have at most: where no events are made, what tells a command is enough. */
static size_t most_of(const struct proto_context *c)
{
    const struct redis_options *options = (const struct redis_options *)c->settings;
    size_t most = (size_t)options->max_message_size;
    return c->events->capacity == 0 && most > PROTO_TEXT_SURE ? PROTO_TEXT_SURE : most;
}

/* The text of a message is in `room` bytes from now on. */
static void set_room(const struct proto_context *c, struct resp_text *text, uint8_t *data,
                     size_t room)
{
    size_t most = most_of(c);
    text->data = data;
    text->capacity = (uint32_t)(room < most ? room : most);
    text->last = room >= most;
}

static uint8_t *block_of(const struct redis_message *m)
{
    return m->text.data != m->first ? m->text.data : NULL;
}

/* Has the text of a message at least twice the room, where there is memory. */
static void grow_text(const struct proto_context *c, struct redis_message *m)
{
    uint8_t *block = block_of(m);
    size_t wanted = 2 * (size_t)m->text.capacity, most = most_of(c);
    uint8_t *data = slab_grow_large(c->memory, block, wanted < most ? wanted : most);
    if (data == NULL) {
        m->text.last = m->is_short = true;
        return;
    }
    if (block == NULL) {
        memcpy(data, m->first, m->text.size);
    }
    set_room(c, &m->text, data, slab_room(data));
}

/* Nothing of a message is at hand any more. */
static void drop_message(const struct proto_context *c, struct redis_side *side)
{
    if (side->message != NULL) {
        slab_give(c->memory, block_of(side->message));
        slab_give(c->memory, side->message);
        side->message = NULL;
    }
}

/* Ready for the next message of a side, which is not likely to be as long as a long one. */
static void begin_message(const struct proto_context *c, struct redis_message *m)
{
    resp_begin(&m->reader);
    if (m->text.capacity > PROTO_TEXT_SURE || m->is_short) {
        slab_give(c->memory, block_of(m));
        set_room(c, &m->text, m->first, sizeof m->first);
    }
    m->text.size = 0;
    m->text.is_cut = m->is_short = m->holed = false;
}

/* A side without a message at hand gets one; false without memory. */
static bool take_up(const struct proto_context *c, unsigned number)
{
    const struct redis_flow *f = c->state;
    struct redis_side *side = &((struct redis_flow *)c->state)->side[number];
    if (side->message != NULL) {
        return true;
    }
    struct redis_message *m = slab_take(c->memory, sizeof *m);
    if (m == NULL) {
        return false;
    }
    m->reader.is_client = f->decided && number == f->client;
    m->is_short = false;
    set_room(c, &m->text, m->first, sizeof m->first);
    begin_message(c, m);
    side->message = m;
    return true;
}

/* Behind a hole, or what is no RESP: what was begun is forgotten. */
static void begin_seeking(const struct proto_context *c, struct redis_side *side, bool in_line)
{
    drop_message(c, side);
    side->seeking = true;
    side->in_line = in_line;
    side->may_begin = false;
    side->tentative = true;
}

/* Moves to where a message may begin; false when there is none. A command without RESP looks like any
 * text: it is believed where some came before, and the server has answered since. */
static bool seek(struct redis_side *side, bool is_client, bool has_inline, struct cursor *cursor)
{
    while (cursor_left(cursor) > 0) {
        if (side->in_line) {
            const uint8_t *end = memchr(cursor->at, '\n', cursor_left(cursor));
            cursor->at = end != NULL ? end + 1 : cursor->end;
            side->in_line = end == NULL;
            continue;
        }
        uint8_t first = *cursor->at;
        bool is_inline = is_client && has_inline && side->may_begin && is_letter(first);
        if (first == '*' || is_inline || (!is_client && only_servers_say(first))) {
            side->seeking = false;
            return true;
        }
        side->in_line = true;
        side->may_begin = false;
    }
    return false;
}

/* Who asks is told by what they say; where that can be either's, it is the initiator. */
static void decide(struct redis_flow *f, uint8_t side, uint8_t first)
{
    f->client = only_servers_say(first) ? 1 - side : is_letter(first) ? side : 0;
    f->decided = true;
    f->side[side].message->reader.is_client = side == f->client;
}

/* The supposed client says what only servers say, and has asked for nothing yet. */
static void reverse(const struct proto_context *c, unsigned side)
{
    struct redis_flow *f = c->state;
    f->client = 1 - f->client;
    drop_message(c, &f->side[1 - side]);
    f->side[side].message->reader.is_client = side == f->client;
    begin_message(c, f->side[side].message);
}

/* At the first byte of a message. */
static void begin(const struct proto_context *c, const struct proto_chunk *chunk, uint8_t first)
{
    struct redis_flow *f = c->state;
    struct redis_message *m = f->side[chunk->side].message;
    if (!f->decided) {
        decide(f, chunk->side, first);
    } else if (m->reader.is_client && !f->asked && only_servers_say(first)) {
        reverse(c, chunk->side);
    }
    m->start_ns = chunk->time_ns;
}

static void take_message(struct proto_context *c, struct redis_side *side, uint64_t now_ns)
{
    struct redis_flow *f = c->state;
    side->tentative = false;
    f->understood = true;
    f->broken = 0;
    if (side->message->reader.is_client) {
        f->asked = true;
        f->has_inline = f->has_inline || side->message->reader.type == 0;
        redis_take_request(c, now_ns);
    } else {
        redis_take_reply(c, now_ns);
    }
    begin_message(c, side->message);
}

/* What a side said is not understood up to some place. Which replies were there nobody knows. */
static void lose(struct proto_context *c, unsigned side, const char *reason)
{
    struct redis_flow *f = c->state;
    bool waits = f->head != NULL || f->owed > 0;
    if (f->decided && side == f->client) {
        turns_lose_questions(&f->turns, waits);
    } else if (f->decided) {
        turns_lose_answers(&f->turns, waits);
        redis_give_up(c, reason);
        f->owed = 0;
    }
}

/* Bytes that are no RESP; false when they are too many to go on. */
static bool survive(struct proto_context *c, struct redis_side *side)
{
    struct redis_flow *f = c->state;
    if (!f->understood) {
        return false;
    }
    if (!side->tentative) {
        struct redis_stats *stats = c->block;
        stats->malformed++;
        lose(c, (unsigned)(side - f->side), "malformed");
        f->broken++;
    }
    begin_seeking(c, side, true);
    return f->broken < REDIS_BROKEN_MAX;
}

/* Reads on in what a side says; false when that is no Redis. */
static bool take_some(struct proto_context *c, const struct proto_chunk *chunk,
                      struct cursor *cursor)
{
    struct redis_side *side = &((struct redis_flow *)c->state)->side[chunk->side];
    struct redis_message *m = side->message;
    switch (resp_read(&m->reader, cursor, &m->text)) {
    case RESP_FULL:
        grow_text(c, m);
        break;
    case RESP_DONE:
        take_message(c, side, chunk->time_ns);
        break;
    case RESP_BAD:
        return survive(c, side);
    case RESP_MORE:
        break;
    }
    return true;
}

static struct proto_taken redis_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct redis_flow *f = c->state;
    struct proto_taken taken = {.consumed = chunk->data.size, .verdict = PROTO_GOES_ON};
    struct redis_side *side = &f->side[chunk->side];
    struct cursor cursor = cursor_of(chunk->data);
    f->side[1 - chunk->side].may_begin = true;
    if (side->may_begin && turns_are_kept(&f->turns)) {
        side->in_line = false; /* it was its turn: what it says begins here */
    }
    while (!f->quiet) {
        bool is_client = f->decided && chunk->side == f->client;
        if (side->seeking && !seek(side, is_client, f->has_inline, &cursor)) {
            break;
        }
        if (!take_up(c, chunk->side)) {
            lose(c, chunk->side, "gap"); /* without memory the rest is as good as not captured */
            begin_seeking(c, side, false);
            break;
        }
        resp_skip_blank(&side->message->reader, &cursor);
        if (cursor_left(&cursor) == 0) {
            break;
        }
        if (resp_is_idle(&side->message->reader)) {
            begin(c, chunk, *cursor.at);
        }
        if (!take_some(c, chunk, &cursor)) {
            taken.verdict = PROTO_NOT_MINE;
            break;
        }
    }
    if (side->message != NULL && resp_is_idle(&side->message->reader)) {
        drop_message(c, side);
    }
    return taken;
}

static void redis_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct redis_flow *f = c->state;
    struct redis_stats *stats = c->block;
    struct redis_side *s = &f->side[side];
    stats->gaps++;
    if (s->message != NULL && resp_miss(&s->message->reader, length)) {
        s->message->holed = true;
        return;
    }
    lose(c, side, "gap");
    begin_seeking(c, s, false);
}

static void redis_on_fin(struct proto_context *c, unsigned side)
{
    const struct redis_flow *f = c->state;
    if (f->decided && side != f->client) {
        redis_give_up(c, "closed");
    }
}

static void redis_on_close(struct proto_context *c, enum proto_close why)
{
    struct redis_flow *f = c->state;
    redis_give_up(c, proto_close_reason(why));
    drop_message(c, &f->side[0]);
    drop_message(c, &f->side[1]);
}

#define ROW(name_, kind_, fallback_, help_)                                                        \
    .name = #name_, .kind = kind_, .offset = offsetof(struct redis_options, name_),                \
    .fallback = fallback_, .help = help_

static const struct proto_option options[] = {
    {ROW(queue_max_bytes, PROTO_OPTION_SIZE, "1M",
         "Of commands that wait for their replies, on one connection."),
     .minimum = 1 << 10, .maximum = 64 << 20},
    {ROW(queue_max_messages, PROTO_OPTION_NUMBER, "4096",
         "How many commands may wait for their replies, on one connection."),
     .minimum = 1, .maximum = 1 << 20},
    {ROW(max_message_size, PROTO_OPTION_SIZE, "10M",
         "Of a command, and of a reply, no more than this is shown."),
     .minimum = 1 << 10, .maximum = INT64_C(1) << 30},
    {0},
};

static const struct event_type *const events[] = {&redis_event_type, NULL};

const struct proto proto_redis = {
    .name = "redis",
    .help = "commands and replies of Redis, RESP 2 and 3, pipelines, published messages",
    .metrics = &redis_set,
    .tcp_ports = ports,
    .flow_size = sizeof(struct redis_flow),
    .events = events,
    .options = options,
    .options_size = sizeof(struct redis_options),
    .probe = redis_probe,
    .probe_at_port = redis_probe_at_port,
    .on_chunk = redis_on_chunk,
    .on_gap = redis_on_gap,
    .on_fin = redis_on_fin,
    .on_close = redis_on_close,
};
