// SPDX-License-Identifier: Apache-2.0
/* MongoDB: what is asked of the database and what it says, see README.md. */
#include "proto/mongodb/mongodb_flow.h"
#include "proto/mongodb/mongodb_unpack.h"

static const uint16_t ports[] = {27017, 0};

#define ROW(name_, kind_, member, fallback_, help_)                                                \
    .name = name_, .kind = kind_, .offset = offsetof(struct mongodb_options, member),              \
    .fallback = fallback_, .help = help_

static const struct proto_option options[] = {
    {ROW("max_docs", PROTO_OPTION_NUMBER, documents_max, "10",
         "How many documents of a reply `response` shows; 0: all."),
     .minimum = 0, .maximum = INT32_MAX},
    {ROW("max_doc_length", PROTO_OPTION_NUMBER, document_bytes_max, "5000",
         "How many bytes of each; 0: all."),
     .minimum = 0, .maximum = INT32_MAX},
    {ROW("max_message_size", PROTO_OPTION_SIZE, max_message_size, "10M",
         "Of a message, and of each text in its event, no more than this is read."),
     .minimum = 1 << 10, .maximum = 256 << 20},
    {0},
};

static enum proto_guess mongodb_probe(struct span data, unsigned side)
{
    (void)side;
    return data.size > 0 ? mongodb_look(data) : PROTO_UNSURE;
}

static struct mongodb_side *side_of(const struct reading *r)
{
    return &mongodb_flow_of(r->c)->side[r->number];
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* The message at hand is whole. */
static void end_message(struct proto_context *c, struct mongodb_side *s, uint64_t time_ns)
{
    struct mongodb_record *record = s->open;
    s->open = NULL;
    if (record != NULL) {
        record->link.end_ns = time_ns;
        mongodb_take(c, record);
    }
}

/* Whether what says that it answers 0, as a message does that answers nothing, is the reply to a command:
 * the shell numbers its commands from 0, and a server asks nothing. */
static bool answers_zero(const struct reading *r, struct mongodb_header header)
{
    return header.response_to == 0 && mongodb_awaits(r->c, 1 - r->number, 0);
}

/* The record of a message of which `kept` bytes are there, and `cut` says why no more; NULL when it
 * cannot be read or kept. */
static struct mongodb_record *record_of(struct reading *r, struct mongodb_header header,
                                        struct span kept, enum proto_cut cut)
{
    struct mongodb_stats *stats = mongodb_stats_of(r->c);
    struct span body = span_skip(kept, MONGODB_HEADER);
    uint8_t *block = NULL;
    uint32_t wire_size = header.size;
    struct mongodb_packed packed;
    if (header.opcode == MONGODB_COMPRESSED) {
        stats->compressed++;
        bool good = mongodb_packed_read(body, &packed) &&
                    mongodb_unpack(r->c->memory, &packed, mongodb_most(r->c), &body, &block);
        if (!good) {
            slab_give(r->c->memory, block);
            stats->not_kept++;
            return NULL;
        }
        cut = cut != PROTO_CUT_NOT ? cut : packed.cut;
        header.opcode = packed.opcode;
        header.size = packed.size < MONGODB_SIZE_MAX ? packed.size + MONGODB_HEADER : UINT32_MAX;
    }
    struct mongodb_message m;
    bool good = mongodb_message_read(&m, header, body);
    m.cut = cut;
    if (m.header.opcode == MONGODB_MSG && answers_zero(r, header)) {
        m.is_response = true;
        m.wants_reply = false;
    }
    struct mongodb_record *record = good ? mongodb_record_new(r->c, &m) : NULL;
    slab_give(r->c->memory, block);
    stats->malformed += !good;
    stats->not_kept += good && record == NULL;
    if (record != NULL) {
        record->bytes = wire_size;
        record->link.side = r->number;
        record->link.start_ns = r->side->start_ns;
    }
    return record;
}

/* What is said is no MongoDB; lets go when that happens too often. */
static enum reading_step survive(struct reading *r)
{
    struct reading_trust *trust = &mongodb_flow_of(r->c)->trust;
    mongodb_stats_of(r->c)->malformed += trust->understood;
    r->side->seeking = true;
    reading_take(r, 1);
    return reading_survives(trust);
}

/* A message of a kind that is not known is passed over, when it may be one at all. */
static enum reading_step pass_unknown(struct reading *r, struct mongodb_header header)
{
    bool is_sane = header.size >= MONGODB_HEADER && header.size <= MONGODB_SIZE_MAX &&
                   header.opcode < 10000 && mongodb_flow_of(r->c)->trust.understood;
    if (!is_sane) {
        return survive(r);
    }
    mongodb_note_code(mongodb_stats_of(r->c), header.opcode);
    r->side->left = header.size;
    return READING_GOES_ON;
}

/* How many bytes of a message are read: for an event all that it may tell, which of a reply stands
 * behind its documents. */
static size_t wanted_of(const struct reading *r, struct mongodb_header header)
{
    size_t most = header.opcode == MONGODB_COMPRESSED ? MONGODB_PACKED_MAX : MONGODB_KEPT_MAX;
    if (r->c->events->capacity > 0 && most < mongodb_most(r->c)) {
        most = mongodb_most(r->c);
    }
    return header.size < most ? header.size : most;
}

/* `taken` bytes of a message were, of which `kept` are there: the others are passed over. */
static void take_kept(struct reading *r, struct span kept, size_t taken, enum proto_cut cut)
{
    struct mongodb_side *s = side_of(r);
    struct mongodb_header header = mongodb_header_read(kept);
    s->open = record_of(r, header, kept, cut);
    s->reading.left = (uint32_t)(header.size - taken);
    s->reading.has_begun = false;
    reading_understands(&mongodb_flow_of(r->c)->trust);
    if (s->reading.left == 0) {
        end_message(r->c, s, r->time_ns);
    }
}

/* No more is gathered of a message. */
static void end_gather(struct reading *r)
{
    struct mongodb_side *s = side_of(r);
    struct gather *g = s->gather;
    s->gather = NULL;
    take_kept(r, gather_span(g), g->taken, gather_cut(g, mongodb_header_read(gather_span(g)).size));
    gather_end(&g, r->c->memory);
}

static enum reading_step gather(struct reading *r)
{
    if (gather_take(&side_of(r)->gather, r)) {
        end_gather(r);
    }
    return READING_GOES_ON;
}

static enum reading_step read_message(struct reading *r)
{
    if (r->rest.size < MONGODB_HEADER) {
        return READING_WAITS;
    }
    struct mongodb_header header = mongodb_header_read(r->rest);
    if (!mongodb_opcode_is_known(header.opcode)) {
        return pass_unknown(r, header);
    }
    if (r->rest.size < MONGODB_LOOK) {
        return READING_WAITS;
    }
    bool fits = answers_zero(r, header) ? mongodb_look_for_answer(r->rest) == PROTO_YES
                                        : mongodb_look(r->rest) == PROTO_YES;
    if (!fits) {
        return survive(r);
    }
    size_t wanted = wanted_of(r, header);
    if (r->rest.size >= wanted) {
        struct span kept = span_head(r->rest, wanted);
        r->rest = span_skip(r->rest, wanted);
        take_kept(r, kept, wanted, wanted < header.size ? PROTO_CUT_AT_MOST : PROTO_CUT_NOT);
        return READING_GOES_ON;
    }
    bool gathers = wanted > MONGODB_PACKED_MAX ||
                   (wanted > MONGODB_KEPT_MAX && header.opcode != MONGODB_COMPRESSED);
    if (gathers && gather_begin(&side_of(r)->gather, r->c->memory, (uint32_t)wanted)) {
        return gather(r);
    }
    return READING_WAITS;
}

static enum reading_step pass_over(struct reading *r)
{
    if (reading_pass_over(r)) {
        end_message(r->c, side_of(r), r->time_ns);
    }
    return READING_GOES_ON;
}

static enum proto_guess look(const struct reading *r)
{
    return mongodb_look(r->rest);
}

/* ---- Hooks ---------------------------------------------------------------------------------- */

/* Nobody is late while his answer is under way; who is, is so as soon as that is over and more comes. */
static enum reading_step read_some(struct reading *r)
{
    mongodb_age(r->c, r->time_ns);
    if (r->side->left > 0) {
        return pass_over(r);
    }
    if (side_of(r)->gather != NULL) {
        return gather(r);
    }
    if (r->side->seeking && !reading_seek(r, look)) {
        return READING_WAITS;
    }
    reading_begin(r);
    return read_message(r);
}

static struct proto_taken mongodb_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    return reading_run(c, chunk, &mongodb_flow_of(c)->side[chunk->side].reading, read_some);
}


static void mongodb_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct mongodb_side *s = &mongodb_flow_of(c)->side[side];
    mongodb_stats_of(c)->gaps++;
    if (s->gather != NULL) { /* what came before the hole is read */
        struct reading r = {
            .c = c, .side = &s->reading, .time_ns = c->now_ns, .number = (uint8_t)side};
        end_gather(&r);
    }
    if (reading_pass_hole(&s->reading, length)) {
        if (s->open != NULL) {
            s->open->holed = true;
        }
        if (s->reading.left == 0) {
            end_message(c, s, c->now_ns);
        }
        return;
    }
    waiting_doubt(&mongodb_flow_of(c)->waiting, 1 - side); /* no number is used twice */
    slab_give(c->memory, s->open);
    *s = (struct mongodb_side){.reading.seeking = true};
}

/* What stands where a message would say what it is. */
static void mongodb_on_refused(void *block, struct span data, unsigned side)
{
    struct mongodb_stats *stats = block;
    (void)side;
    stats->refused++;
    uint32_t opcode = data.size >= MONGODB_HEADER ? mongodb_header_read(data).opcode : 0;
    if (opcode != 0 && !mongodb_opcode_is_known(opcode)) {
        mongodb_note_code(stats, opcode);
    }
}

static void mongodb_on_fin(struct proto_context *c, unsigned side)
{
    mongodb_give_up(c, 1 - side, "closed");
}

static void mongodb_on_close(struct proto_context *c, enum proto_close why)
{
    struct mongodb_flow *f = mongodb_flow_of(c);
    mongodb_give_up(c, WAITING_BOTH, proto_close_reason(why));
    slab_give(c->memory, f->side[0].open);
    slab_give(c->memory, f->side[1].open);
    slab_give(c->memory, f->side[0].gather);
    slab_give(c->memory, f->side[1].gather);
}

static const struct event_type *const events[] = {&mongodb_event_type, NULL};

const struct proto proto_mongodb = {
    .name = "mongodb",
    .help = "commands to MongoDB and its replies: OP_MSG, compressed, and the opcodes before it",
    .metrics = &mongodb_set,
    .tcp_ports = ports,
    .flow_size = sizeof(struct mongodb_flow),
    .events = events,
    .options = options,
    .options_size = sizeof(struct mongodb_options),
    .probe = mongodb_probe,
    .on_refused = mongodb_on_refused,
    .on_chunk = mongodb_on_chunk,
    .on_gap = mongodb_on_gap,
    .on_fin = mongodb_on_fin,
    .on_close = mongodb_on_close,
};
