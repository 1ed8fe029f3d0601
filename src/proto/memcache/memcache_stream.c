// SPDX-License-Identifier: Apache-2.0
#include "proto/memcache/memcache_stream.h"

#include "base/cursor.h"
#include "proto/memcache/memcache_binary.h"
#include "proto/memcache/memcache_text.h"

enum { TAIL = 2 /* \r\n behind a value */, TEXT_VALUE_MAX = 2048, FRAME = 8 };

/* A side's bytes, and where in them we are. */
struct reading {
    struct proto_context *c;
    struct memcache_flow *flow;
    struct memcache_side *side;
    struct span rest;
    uint64_t time_ns;
    bool is_client;
};

enum step { GOES_ON, WAITS, LETS_GO };

/* ---- Probe ---------------------------------------------------------------------------------- */

static enum proto_guess guess_at(struct span data)
{
    struct memcache_header header;
    if (data.size > 0 && (data.data[0] & 0xfe) == 0x80) {
        static const enum proto_guess guesses[] = {[MEMCACHE_HEADER_BAD] = PROTO_NO,
                                                   [MEMCACHE_HEADER_CUT] = PROTO_UNSURE,
                                                   [MEMCACHE_HEADER_GOOD] = PROTO_YES};
        return guesses[memcache_header_read(data, false, &header)];
    }
    switch (memcache_text_look(data)) {
    case MEMCACHE_LOOKS_REQUEST:
    case MEMCACHE_LOOKS_RESPONSE:
        return PROTO_YES;
    case MEMCACHE_LOOKS_LIKE:
    case MEMCACHE_LOOKS_CUT:
        return PROTO_UNSURE;
    case MEMCACHE_LOOKS_ELSE:
        break;
    }
    return PROTO_NO;
}

/* Of UDP, a frame stands before each: number, sequence, total, reserved. What is cut there or might
 * be another's is none. */
static bool is_framed(struct span data)
{
    if (data.size <= FRAME) {
        return false;
    }
    unsigned sequence = load_be16(data.data + 2), total = load_be16(data.data + 4);
    struct span rest = span_skip(data, FRAME);
    enum memcache_look look = memcache_text_look(rest);
    return sequence == 0 && total > 0 && total < 1024 &&
           (guess_at(rest) == PROTO_YES || look == MEMCACHE_LOOKS_LIKE);
}

enum proto_guess memcache_probe(struct span data, unsigned side)
{
    (void)side;
    if (data.size == 0) {
        return PROTO_UNSURE;
    }
    enum proto_guess guess = guess_at(data);
    return guess == PROTO_NO && is_framed(data) ? PROTO_YES : guess;
}

/* ---- Messages ------------------------------------------------------------------------------- */

void memcache_stream_drop(struct proto_context *c, unsigned side)
{
    struct memcache_side *s = &memcache_flow_of(c)->side[side];
    memcache_message_give(c->memory, s->open);
    *s = (struct memcache_side){
        .seeking = s->seeking, .in_line = s->in_line, .tentative = s->tentative};
}

/* How many bytes the texts of a message may have: where no events are made, what tells it is
 * enough. */
static size_t most_of(const struct proto_context *c)
{
    size_t most = (size_t)memcache_options_of(c)->max_message_size;
    return c->events->capacity == 0 && most > PROTO_TEXT_SURE ? PROTO_TEXT_SURE : most;
}

/* The message at hand, begun if there is none; NULL without memory. */
static struct memcache_message *open_message(struct reading *r)
{
    struct memcache_side *s = r->side;
    if (s->open == NULL) {
        s->open = memcache_message_take(r->c->memory, most_of(r->c));
        if (s->open != NULL) {
            s->open->start_ns = s->start_ns;
        }
    }
    return s->open;
}

static void take(struct reading *r, size_t size)
{
    r->rest = span_skip(r->rest, size);
    r->side->scanned = 0;
    r->side->has_begun = false;
    if (r->side->open != NULL) {
        r->side->open->bytes += size;
    }
}

/* The message at hand is whole. */
static void end_message(struct reading *r)
{
    struct memcache_message *m = r->side->open;
    r->side->open = NULL;
    r->side->has_more = false;
    m->end_ns = r->time_ns;
    r->flow->understood = true;
    r->flow->broken = 0;
    if (r->is_client) {
        memcache_take_request(r->c, m);
    } else if (r->side->tentative) {
        memcache_message_give(r->c->memory, m);
    } else {
        memcache_take_response(r->c, m);
    }
    r->side->tentative = false;
}

/* What is said is none of memcached's; lets go when that happens too often. */
static enum step survive(struct reading *r)
{
    struct memcache_flow *f = r->flow;
    memcache_message_give(r->c->memory, r->side->open);
    r->side->open = NULL;
    r->side->has_more = false;
    if (!f->understood || f->is_datagrams) {
        memcache_stats_of(r->c)->malformed += f->is_datagrams;
        return LETS_GO;
    }
    memcache_stats_of(r->c)->malformed++;
    f->broken++;
    f->uncertain = true;
    r->side->may_begin = false;
    if (!r->is_client && !f->is_binary) {
        memcache_lose_responses(r->c);
    }
    r->side->seeking = true;
    r->side->in_line = !f->is_binary;
    if (f->is_binary && r->rest.size > 0) {
        take(r, 1);
    }
    return f->broken < MEMCACHE_BROKEN_MAX ? GOES_ON : LETS_GO;
}

/* ---- Values --------------------------------------------------------------------------------- */

/* How many bytes of the next value of a message are to be kept. */
static uint64_t kept_bytes(const struct reading *r, uint64_t size)
{
    const struct memcache_options *o = memcache_options_of(r->c);
    const struct memcache_message *m = r->side->open;
    bool wanted = o->values_max < 0 || m->count[MEMCACHE_ITEM_VALUE] < (uint64_t)o->values_max;
    uint64_t most = (uint64_t)o->value_bytes_max;
    return !wanted ? 0 : size < most ? size : most;
}

static void begin_value(struct reading *r, uint64_t size, unsigned tail, bool is_shown)
{
    struct memcache_message *m = r->side->open;
    m->value_left = size + tail;
    m->tail = (uint8_t)tail;
    m->keep_left = is_shown ? kept_bytes(r, size) : 0;
    if (m->keep_left > 0) {
        memcache_item_add(r->c->memory, m, MEMCACHE_ITEM_VALUE, span_of("", 0));
    }
}

static void end_value(struct reading *r)
{
    if (!r->side->has_more) {
        end_message(r);
    }
}

static enum step read_value(struct reading *r)
{
    struct memcache_message *m = r->side->open;
    size_t size = r->rest.size < m->value_left ? r->rest.size : (size_t)m->value_left;
    size_t kept = size < m->keep_left ? size : (size_t)m->keep_left;
    memcache_item_append(r->c->memory, m, span_head(r->rest, kept));
    m->keep_left -= kept;
    m->value_left -= size;
    bool is_over = m->value_left == 0;
    bool ends_badly = is_over && m->tail > 0 && r->rest.data[size - 1] != '\n';
    take(r, size);
    if (ends_badly) { /* the size was wrong: the server says so, too */
        r->side->in_line = true;
    }
    if (is_over) {
        end_value(r);
    }
    return GOES_ON;
}

/* ---- Binary --------------------------------------------------------------------------------- */

/* Bytes that must be there before a message can be read: the head, and values that are looked into.
 */
static size_t wanted_bytes(const struct memcache_header *h, enum memcache_value_use use)
{
    bool is_read = use == MEMCACHE_VALUE_NUMBER || use == MEMCACHE_VALUE_TEXT;
    return h->head_size + (is_read && h->value_size <= TEXT_VALUE_MAX ? h->value_size : 0);
}

static enum step read_binary_message(struct reading *r, const struct memcache_header *h)
{
    struct memcache_message probe = {0};
    memcache_binary_read(NULL, &probe, h, span_head(r->rest, h->head_size));
    enum memcache_value_use use = memcache_binary_use(&probe, h->is_request);
    size_t wanted = wanted_bytes(h, use);
    if (r->rest.size < wanted) {
        return WAITS;
    }
    struct memcache_message *m = open_message(r);
    if (m == NULL) {
        return LETS_GO;
    }
    memcache_binary_read(r->c->memory, m, h, span_head(r->rest, h->head_size));
    struct span value = span_skip(span_head(r->rest, wanted), h->head_size);
    if (value.size > 0) {
        memcache_binary_value(r->c->memory, m, use, value);
    }
    take(r, wanted);
    r->side->has_more = !m->is_whole;
    uint64_t left = h->value_size - value.size;
    if (left == 0) {
        end_value(r);
        return GOES_ON;
    }
    begin_value(r, left, 0, use == MEMCACHE_VALUE_SHOWN);
    return GOES_ON;
}

static enum step read_binary(struct reading *r)
{
    struct memcache_header header;
    switch (memcache_header_read(r->rest, r->flow->understood, &header)) {
    case MEMCACHE_HEADER_BAD:
        return survive(r);
    case MEMCACHE_HEADER_CUT:
        return WAITS;
    case MEMCACHE_HEADER_GOOD:
        break;
    }
    if (header.is_request != r->is_client) {
        return survive(r);
    }
    if (r->rest.size < header.head_size) {
        return WAITS;
    }
    return read_binary_message(r, &header);
}

/* ---- Text ----------------------------------------------------------------------------------- */

/* Nothing follows the line at hand, which may go on behind what is read of it. */
static void end_line(struct reading *r)
{
    r->side->ends_line = r->side->in_line;
    if (!r->side->in_line) {
        end_message(r);
    }
}

/* A command that nobody knows; the server will say ERROR. */
static enum step take_unknown(struct reading *r, struct span line, size_t size)
{
    if (!memcache_options_of(r->c)->parse_unknown || !r->is_client || line.size == 0) {
        enum step step = survive(r);
        r->side->in_line = false;
        take(r, size);
        r->flow->owed += r->is_client && step == GOES_ON && line.size > 0;
        return step;
    }
    bool is_long = r->side->open->is_long;
    memcache_message_give(r->c->memory, r->side->open);
    r->side->open = NULL;
    struct memcache_message *m = open_message(r);
    if (m == NULL) {
        return LETS_GO;
    }
    m->command = "UNKNOWN";
    m->is_long = is_long;
    memcache_item_add(r->c->memory, m, MEMCACHE_ITEM_LINE, line);
    take(r, size);
    end_line(r);
    return GOES_ON;
}

static enum step take_line(struct reading *r, struct span line, size_t size)
{
    struct memcache_message *m = open_message(r);
    if (m == NULL) {
        return LETS_GO;
    }
    struct memcache_line what = r->is_client ? memcache_text_request(r->c->memory, m, line)
                                             : memcache_text_response(r->c->memory, m, line);
    if (what.kind == MEMCACHE_LINE_BAD) {
        return take_unknown(r, line, size);
    }
    take(r, size);
    r->side->has_more = what.is_more;
    if (what.kind == MEMCACHE_LINE_DATA) {
        begin_value(r, what.data_size, TAIL, true);
    } else if (!what.is_more) {
        end_line(r);
    }
    return GOES_ON;
}

/* A line that is longer than what is kept: what there is of it is read, the rest passed over. */
static enum step take_long_line(struct reading *r)
{
    struct span line = span_head(r->rest, MEMCACHE_LINE_MAX);
    const uint8_t *blank = memrchr(line.data, ' ', line.size);
    struct span words = blank != NULL ? span_head(line, (size_t)(blank - line.data)) : line;
    struct memcache_message *m = open_message(r);
    if (m == NULL) {
        return LETS_GO;
    }
    m->is_long = true;
    r->side->in_line = true;
    enum step step = take_line(r, words, line.size);
    r->side->in_line = true; /* also of a line that is none of memcached's */
    return step;
}

static enum step read_line(struct reading *r)
{
    struct span fresh = span_skip(r->rest, r->side->scanned);
    const uint8_t *end = fresh.size > 0 ? memchr(fresh.data, '\n', fresh.size) : NULL;
    if (end == NULL) {
        r->side->scanned = (uint32_t)r->rest.size;
        return r->rest.size < MEMCACHE_LINE_MAX ? WAITS : take_long_line(r);
    }
    size_t size = (size_t)(end - r->rest.data);
    if (size >= MEMCACHE_LINE_MAX) { /* as it is when its end has not come yet */
        return take_long_line(r);
    }
    bool has_return = size > 0 && r->rest.data[size - 1] == '\r';
    return take_line(r, span_head(r->rest, size - has_return), size + 1);
}

/* ---- Behind a hole -------------------------------------------------------------------------- */

static enum step skip_line(struct reading *r)
{
    const uint8_t *end = memchr(r->rest.data, '\n', r->rest.size);
    r->side->in_line = end == NULL;
    take(r, end != NULL ? (size_t)(end + 1 - r->rest.data) : r->rest.size);
    if (end != NULL && r->side->ends_line) {
        r->side->ends_line = false;
        end_message(r);
    }
    return GOES_ON;
}

/* Whether a line of the kind that the side says begins here. */
static enum step seek_line(struct reading *r)
{
    enum memcache_look look = memcache_text_look(r->rest);
    if (look == MEMCACHE_LOOKS_CUT) {
        return WAITS;
    }
    bool mine = look == MEMCACHE_LOOKS_LIKE ||
                look == (r->is_client ? MEMCACHE_LOOKS_REQUEST : MEMCACHE_LOOKS_RESPONSE);
    r->side->seeking = !mine;
    r->side->in_line = !mine;
    r->side->may_begin = r->side->may_begin && mine;
    r->side->tentative = r->side->tentative || !mine;
    return GOES_ON;
}

static enum step seek_header(struct reading *r)
{
    const uint8_t *at = memchr(r->rest.data, r->is_client ? 0x80 : 0x81, r->rest.size);
    take(r, at != NULL ? (size_t)(at - r->rest.data) : r->rest.size);
    if (at == NULL) {
        return GOES_ON;
    }
    struct memcache_header header;
    switch (memcache_header_read(r->rest, false, &header)) {
    case MEMCACHE_HEADER_CUT:
        return WAITS;
    case MEMCACHE_HEADER_GOOD:
        r->side->seeking = false;
        break;
    case MEMCACHE_HEADER_BAD:
        take(r, 1);
        break;
    }
    return GOES_ON;
}

/* A hole within a value: true; what is behind it goes on with the message. */
static bool pass_hole(struct reading *r, uint32_t length)
{
    struct memcache_message *m = r->side->open;
    if (m == NULL || r->side->in_line || m->value_left <= m->tail ||
        length > m->value_left - m->tail) {
        return false;
    }
    m->value_left -= length;
    m->keep_left = m->keep_left > length ? m->keep_left - length : 0;
    m->bytes += length;
    m->holed = true;
    memcache_put(m, MEMCACHE_BYTES_LOST, m->number[MEMCACHE_BYTES_LOST] + length);
    if (m->value_left == 0) { /* binary: its value ended with the hole */
        end_value(r);
    }
    return true;
}

void memcache_stream_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct memcache_flow *f = memcache_flow_of(c);
    struct memcache_side *s = &f->side[side];
    struct reading r = {
        .c = c, .flow = f, .side = s, .time_ns = c->now_ns, .is_client = side == f->client};
    memcache_stats_of(c)->gaps++;
    if (pass_hole(&r, length)) {
        return;
    }
    if (s->ends_line) { /* what is read of its line was there, where it ends is not known */
        s->ends_line = false;
        s->open->holed = true;
        end_message(&r);
    }
    if (side != f->client) { /* which responses were in the hole nobody knows */
        memcache_lose_responses(c);
    } else {
        memcache_lose_commands(c);
    }
    memcache_stream_drop(c, side);
    s->seeking = true;
    s->in_line = false;
    s->tentative = false;
}

/* ---- A chunk -------------------------------------------------------------------------------- */

/* Who asks is told by the first message: its magic, or its first word. */
static void decide(struct memcache_flow *f, const struct proto_chunk *chunk)
{
    uint8_t first = chunk->data.data[0];
    f->is_binary = (first & 0xfe) == 0x80;
    bool asks = f->is_binary ? first == 0x80 : first >= 'a' && first <= 'z';
    f->client = asks ? chunk->side : 1 - chunk->side;
    f->decided = true;
}

static enum step read_some(struct reading *r)
{
    struct memcache_side *s = r->side;
    if (s->in_line) {
        return skip_line(r);
    }
    if (s->open != NULL && s->open->value_left > 0) {
        return read_value(r);
    }
    if (s->seeking) {
        return r->flow->is_binary ? seek_header(r) : seek_line(r);
    }
    if (!s->has_begun) {
        s->has_begun = true;
        s->start_ns = r->time_ns;
    }
    return r->flow->is_binary ? read_binary(r) : read_line(r);
}

/* Nobody is late while a response is under way; who is, is so as soon as that is over and more comes, however
 * it is cut. */
static enum step read_and_age(struct reading *r)
{
    const struct memcache_side *server = &r->flow->side[1 - r->flow->client];
    bool was_answering = server->open != NULL;
    enum step step = read_some(r);
    if (was_answering && server->open == NULL && r->rest.size > 0 && step != LETS_GO) {
        memcache_age(r->c, r->time_ns);
    }
    return step;
}

struct proto_taken memcache_stream_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct memcache_flow *f = memcache_flow_of(c);
    if (!f->decided && chunk->data.size > 0) {
        decide(f, chunk);
    }
    memcache_age(c, chunk->time_ns);
    struct reading r = {
        .c = c,
        .flow = f,
        .side = &f->side[chunk->side],
        .rest = chunk->data,
        .time_ns = chunk->time_ns,
        .is_client = chunk->side == f->client,
    };
    f->side[1 - chunk->side].may_begin = true;
    if (r.side->seeking && r.side->may_begin && !f->is_binary && turns_are_kept(&f->turns)) {
        r.side->seeking = r.side->in_line = r.side->tentative = false; /* its turn: it begins here, */
        r.side->may_begin = false; /* and nowhere else before the other side has spoken again */
    }
    enum step step = GOES_ON;
    while (step == GOES_ON && r.rest.size > 0 && !f->quiet) {
        step = read_and_age(&r);
    }
    size_t left = f->quiet ? 0 : r.rest.size;
    return (struct proto_taken){
        .consumed = chunk->data.size - left,
        .verdict = step == LETS_GO ? PROTO_NOT_MINE : PROTO_GOES_ON,
    };
}
