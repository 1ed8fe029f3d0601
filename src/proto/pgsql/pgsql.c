// SPDX-License-Identifier: Apache-2.0
/* PostgreSQL: what is asked of the server and what it answers, see README.md. */
#include "proto/pgsql/pgsql_event.h"
#include "proto/pgsql/pgsql_flow.h"
#include "proto/pgsql/pgsql_look.h"

static const uint16_t ports[] = {5432, 0};

static enum proto_guess pgsql_probe(struct span data, unsigned side)
{
    (void)side; /* of a connection met midway any side may be the one that asks */
    switch (pgsql_look(data)) {
    case PGSQL_LOOKS_UNSURE:
        return PROTO_UNSURE;
    case PGSQL_LOOKS_FOREIGN:
        return PROTO_NO;
    default:
        return PROTO_YES;
    }
}

/* ---- Behind holes ----------------------------------------------------------------------------- */

/* The rest of what a side was saying is not understood: the next message is looked for. */
static void lose_side(struct proto_context *c, unsigned side, const char *reason)
{
    struct pgsql_flow *f = c->state;
    struct pgsql_side *s = &f->side[side];
    pgsql_message_reset(&s->reader, c->memory);
    s->seeking = true;
    s->may_begin = false; /* not before the other side has said something */
    if (f->phase < PGSQL_AT_STREAM) {
        f->phase = PGSQL_AT_MESSAGES;
    }
    if (side != f->client) {
        f->reply.holed = true;
        pgsql_give_up(c, reason);
    }
}

/* Bytes that are no PostgreSQL; false when they are too many to go on. */
static bool survive(struct proto_context *c, unsigned side)
{
    struct pgsql_flow *f = c->state;
    struct pgsql_stats *stats = c->block;
    if (!f->understood) {
        return false;
    }
    stats->malformed++;
    f->broken++;
    lose_side(c, side, "malformed");
    return f->broken < PGSQL_BROKEN_MAX;
}

/* Whether a message begins here, where one was looked for; if not the bytes are passed over, unless it
 * takes more of them to tell (`wait`). */
static bool find_message(struct pgsql_flow *f, unsigned side, struct span data, bool *wait)
{
    struct pgsql_side *s = &f->side[side];
    if (!s->may_begin) {
        return false;
    }
    bool is_client = side == f->client;
    enum pgsql_looks look = is_client ? pgsql_look_at_client(data) : pgsql_look_at_server(data);
    *wait = look == PGSQL_LOOKS_UNSURE && data.size < PGSQL_LOOK_MAX;
    s->seeking = look != (is_client ? PGSQL_LOOKS_CLIENT : PGSQL_LOOKS_SERVER);
    s->may_begin = *wait;
    return !s->seeking;
}

/* Behind what one side says the other one begins anew. */
static void encourage(struct pgsql_flow *f, unsigned side)
{
    struct pgsql_side *other = &f->side[1 - side];
    other->may_begin = other->may_begin || other->seeking;
}

/* ---- Messages --------------------------------------------------------------------------------- */

static bool take_message(struct proto_context *c, unsigned side, const struct pgsql_message *m,
                         uint64_t now_ns)
{
    const struct pgsql_flow *f = c->state;
    if (side != f->client) {
        return pgsql_take_answer(c, m, now_ns);
    }
    return m->type == 0 ? pgsql_take_start(c, m, now_ns) : pgsql_take_request(c, m, now_ns);
}

/* The byte with which the server takes or refuses TLS or GSS; an error is an old server's. */
static void take_offer(struct pgsql_flow *f, struct cursor *in)
{
    if (*in->at == 'E') {
        f->phase = PGSQL_AT_LOGIN;
        return;
    }
    uint8_t answer = cursor_u8(in);
    f->phase = answer == 'S' || answer == 'G' ? PGSQL_AT_TLS : PGSQL_AT_START;
}

static bool take_bytes(struct proto_context *c, unsigned side, struct cursor *in, uint64_t now_ns)
{
    struct pgsql_flow *f = c->state;
    struct pgsql_side *s = &f->side[side];
    struct pgsql_message message;
    while (cursor_left(in) > 0 && f->phase < PGSQL_AT_STREAM) {
        if (f->phase == PGSQL_AT_OFFER && side != f->client) {
            take_offer(f, in);
            continue;
        }
        bool untyped = f->phase == PGSQL_AT_START && side == f->client;
        switch (pgsql_message_next(&s->reader, c->memory, in, untyped, now_ns, &message)) {
        case PGSQL_WHOLE:
            if (!take_message(c, side, &message, now_ns)) {
                return false;
            }
            break;
        case PGSQL_BAD:
            return false;
        case PGSQL_MORE:
            break;
        }
    }
    return true;
}

/* ---- Hooks ------------------------------------------------------------------------------------ */

/* Who asks, and where in the conversation it begins; false when more bytes are needed to tell. */
static bool decide(struct pgsql_flow *f, const struct proto_chunk *chunk)
{
    enum pgsql_looks look = pgsql_look(chunk->data);
    if (look == PGSQL_LOOKS_UNSURE && chunk->data.size < PGSQL_LOOK_MAX) {
        return false;
    }
    bool by_server = look == PGSQL_LOOKS_SERVER || look == PGSQL_LOOKS_ROWS;
    f->client = by_server ? 1 - chunk->side : chunk->side;
    f->decided = true;
    if (look == PGSQL_LOOKS_START) {
        f->phase = PGSQL_AT_START;
        return true;
    }
    f->side[chunk->side].seeking = look == PGSQL_LOOKS_ROWS;
    f->side[1 - chunk->side].seeking = true;
    f->side[1 - chunk->side].may_begin = true;
    f->understood = look == PGSQL_LOOKS_ROWS;
    return true;
}

static struct proto_taken pgsql_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct pgsql_flow *f = c->state;
    struct proto_taken taken = {.consumed = chunk->data.size, .verdict = PROTO_GOES_ON};
    if (!f->decided && !decide(f, chunk)) {
        taken.consumed = 0;
        return taken;
    }
    bool wait = false;
    encourage(f, chunk->side);
    if (f->side[chunk->side].seeking && !find_message(f, chunk->side, chunk->data, &wait)) {
        taken.consumed = wait ? 0 : chunk->data.size;
        return taken;
    }
    struct cursor in = cursor_of(chunk->data);
    if (!take_bytes(c, chunk->side, &in, chunk->time_ns) && !survive(c, chunk->side)) {
        taken.verdict = PROTO_NOT_MINE;
    }
    if (f->phase == PGSQL_AT_TLS) {
        ((struct pgsql_stats *)c->block)->switched++;
        taken.consumed = chunk->data.size - cursor_left(&in);
        taken.verdict = PROTO_SWITCHED;
    }
    return taken;
}

static void pgsql_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct pgsql_flow *f = c->state;
    struct pgsql_side *s = &f->side[side];
    ((struct pgsql_stats *)c->block)->gaps++;
    if (!f->decided) {
        return;
    }
    if (s->seeking || !pgsql_message_miss(&s->reader, c->memory, length)) {
        lose_side(c, side, "gap");
        s->may_begin = side == f->client; /* a message may stand right behind it */
    }
}

static void pgsql_on_fin(struct proto_context *c, unsigned side)
{
    const struct pgsql_flow *f = c->state;
    if (f->decided && side != f->client) {
        pgsql_give_up(c, "closed");
    }
}

static void pgsql_on_close(struct proto_context *c, enum proto_close why)
{
    static const char *const reasons[] = {
        [PROTO_CLOSED] = "closed", [PROTO_RESET] = "reset", [PROTO_TIMEOUT] = "timeout"};
    struct pgsql_flow *f = c->state;
    pgsql_give_up(c, reasons[why]);
    pgsql_drop_all(c);
    pgsql_message_reset(&f->side[0].reader, c->memory);
    pgsql_message_reset(&f->side[1].reader, c->memory);
}

static const struct event_type *const events[] = {&pgsql_event_type, NULL};

const struct proto proto_pgsql = {
    .name = "pgsql",
    .help = "statements of PostgreSQL, simple and extended, and their results",
    .metrics = &pgsql_set,
    .tcp_ports = ports,
    .flow_size = sizeof(struct pgsql_flow),
    .events = events,
    .options = pgsql_option_rows,
    .options_size = sizeof(struct pgsql_options),
    .probe = pgsql_probe,
    .on_chunk = pgsql_on_chunk,
    .on_gap = pgsql_on_gap,
    .on_fin = pgsql_on_fin,
    .on_close = pgsql_on_close,
};
