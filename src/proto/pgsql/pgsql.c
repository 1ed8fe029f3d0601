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

static void drop_reader(const struct proto_context *c, unsigned side)
{
    struct pgsql_flow *f = c->state;
    if (f->reader[side] != NULL) {
        pgsql_message_reset(f->reader[side], c->memory);
        slab_give(c->memory, f->reader[side]);
        f->reader[side] = NULL;
    }
}

/* A side that is to be read has a reader; false without memory. */
static bool take_reader(const struct proto_context *c, unsigned side)
{
    struct pgsql_flow *f = c->state;
    if (f->reader[side] == NULL) {
        f->reader[side] = slab_take(c->memory, sizeof *f->reader[side]);
        if (f->reader[side] != NULL) {
            *f->reader[side] = (struct pgsql_reader){.left = 0};
        }
    }
    return f->reader[side] != NULL;
}

/* The rest of what a side was saying is not understood: the next message is looked for. */
static void lose_side(struct proto_context *c, unsigned side, const char *reason)
{
    struct pgsql_flow *f = c->state;
    bool waits = f->head != NULL || f->owed > 0;
    drop_reader(c, side);
    f->seeking[side] = true;
    f->may_begin[side] = false; /* not before the other side has said something */
    if (f->phase < PGSQL_AT_STREAM) {
        f->phase = PGSQL_AT_MESSAGES;
    }
    if (side == f->client) {
        turns_lose_questions(&f->turns, waits);
        pgsql_forget_unnamed(c);
        return;
    }
    turns_lose_answers(&f->turns, waits);
    if (f->reply != NULL) {
        f->reply->holed = true;
    }
    pgsql_give_up(c, reason);
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
static bool find_message(struct proto_context *c, unsigned side, struct span data, bool *wait)
{
    struct pgsql_flow *f = c->state;
    if (!f->may_begin[side]) {
        return false;
    }
    enum pgsql_looks look = pgsql_look_at_chain(data, side == f->client);
    *wait = look == PGSQL_LOOKS_UNSURE && data.size < PGSQL_LOOK_MAX;
    f->seeking[side] = look == PGSQL_LOOKS_UNSURE || look == PGSQL_LOOKS_FOREIGN;
    f->may_begin[side] = *wait;
    if (f->seeking[side] && !*wait) { /* who knows what that was an answer to */
        lose_side(c, side, "gap");
    }
    return !f->seeking[side];
}

/* Behind what one side says the other one begins anew. */
static void encourage(struct pgsql_flow *f, unsigned side)
{
    f->may_begin[1 - side] = f->may_begin[1 - side] || f->seeking[1 - side];
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

/* Where the question for TLS was not captured, its refusal stands before the first message of the server.
 * A notice begins with 'N', too, but none of its lengths has another byte there than zero. */
static bool is_stray_offer(const struct pgsql_flow *f, unsigned side, const struct cursor *in)
{
    return f->phase == PGSQL_AT_LOGIN && side != f->client && f->reader[side] == NULL &&
           *in->at == 'N' && (cursor_left(in) < 2 || in->at[1] != 0);
}

/* How much of a message is wanted: of the client's statements all that may be shown, with what stands
 * beside it, of a row what a response's text may have. */
static struct pgsql_kept kept_of(const struct proto_context *c, unsigned side)
{
    const struct pgsql_flow *f = c->state;
    const struct pgsql_options *options = (const struct pgsql_options *)c->settings;
    struct pgsql_kept kept = {.statement = PGSQL_KEPT, .other = PGSQL_KEPT};
    if (side == f->client) {
        kept.statement += (uint32_t)options->max_message_size;
    } else if (options->common.send_response) {
        kept.other += (uint32_t)options->max_row_length;
    }
    return kept;
}

/* Mostly messages are whole in a segment, and need no reader. */
static enum pgsql_step next_message(struct proto_context *c, unsigned side, struct cursor *in,
                                    uint64_t now_ns, struct pgsql_message *ret)
{
    struct pgsql_flow *f = c->state;
    bool untyped = f->phase == PGSQL_AT_START && side == f->client;
    struct pgsql_kept most = kept_of(c, side);
    if (f->reader[side] == NULL && !untyped && pgsql_message_whole(in, most, now_ns, ret)) {
        return PGSQL_WHOLE;
    }
    if (!take_reader(c, side)) {
        lose_side(c, side, "gap"); /* without memory the rest is as good as not captured */
        return PGSQL_MORE;
    }
    f->reader[side]->most = most;
    return pgsql_message_next(f->reader[side], c->memory, in, untyped, now_ns, ret);
}

static bool take_bytes(struct proto_context *c, unsigned side, struct cursor *in, uint64_t now_ns)
{
    struct pgsql_flow *f = c->state;
    struct pgsql_message message;
    while (cursor_left(in) > 0 && f->phase < PGSQL_AT_STREAM && !f->seeking[side]) {
        if (f->phase == PGSQL_AT_OFFER && side != f->client) {
            take_offer(f, in);
            continue;
        }
        if (is_stray_offer(f, side, in)) {
            if (cursor_left(in) < 2) {
                break; /* it comes again */
            }
            cursor_skip(in, 1);
        }
        switch (next_message(c, side, in, now_ns, &message)) {
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
    f->seeking[chunk->side] = look == PGSQL_LOOKS_ROWS;
    f->seeking[1 - chunk->side] = true;
    f->may_begin[1 - chunk->side] = true;
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
    if (f->seeking[chunk->side] && !find_message(c, chunk->side, chunk->data, &wait)) {
        taken.consumed = wait ? 0 : chunk->data.size;
        return taken;
    }
    struct cursor in = cursor_of(chunk->data);
    if (!take_bytes(c, chunk->side, &in, chunk->time_ns) && !survive(c, chunk->side)) {
        taken.verdict = PROTO_NOT_MINE;
    }
    if (cursor_left(&in) == 1 && is_stray_offer(f, chunk->side, &in)) {
        taken.consumed--;
    }
    const struct pgsql_reader *reader = f->reader[chunk->side];
    if (reader != NULL && pgsql_message_is_idle(reader)) {
        drop_reader(c, chunk->side);
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
    struct pgsql_reader *reader = f->reader[side];
    ((struct pgsql_stats *)c->block)->gaps++;
    if (!f->decided) {
        return;
    }
    if (f->seeking[side] || reader == NULL || !pgsql_message_miss(reader, c->memory, length)) {
        lose_side(c, side, "gap");
        f->may_begin[side] = side == f->client; /* a message may stand right behind it */
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
    pgsql_give_up(c, proto_close_reason(why));
    pgsql_drop_all(c);
    drop_reader(c, 0);
    drop_reader(c, 1);
}

static const struct event_type *const events[] = {&pgsql_event_type, NULL};

static const char *const agreed_names[] = {"postgresql", NULL}; /* RFC 7301 §6 */

const struct proto proto_pgsql = {
    .name = "pgsql",
    .help = "statements of PostgreSQL, simple and extended, and their results",
    .metrics = &pgsql_set,
    .tcp_ports = ports,
    .agreed_names = agreed_names,
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
