// SPDX-License-Identifier: Apache-2.0
/* Apache Thrift: which methods are called and what they return, see README.md. */
#include "proto/thrift/thrift_flow.h"

static const uint16_t ports[] = {9090, 0};

static const char *const transports[] = {"socket", "framed", NULL};
static const char *const protocols[] = {"binary", "compact", NULL};

#define ROW(name_, kind_, member, fallback_, help_)                                                \
    .name = name_, .kind = kind_, .offset = offsetof(struct thrift_options, member),               \
    .fallback = fallback_, .help = help_

static const struct proto_option options[] = {
    {ROW("transport_type", PROTO_OPTION_CHOICE, transport_type, "socket",
         "Taken for Packetbeat's sake: both are recognised."),
     .choices = transports},
    {ROW("protocol_type", PROTO_OPTION_CHOICE, protocol_type, "binary",
         "Taken for Packetbeat's sake: both are recognised."),
     .choices = protocols},
    {ROW("idl_files", PROTO_OPTION_LIST, idl_files, NULL,
         "Interface definitions, which give services, parameters and fields their names.")},
    {ROW("string_max_size", PROTO_OPTION_NUMBER, text_max, "200", "How many bytes of a text."),
     .minimum = 0, .maximum = INT32_MAX},
    {ROW("collection_max_size", PROTO_OPTION_NUMBER, elements_max, "15",
         "How many elements of a list, set, map or struct."),
     .minimum = 0, .maximum = INT32_MAX},
    {ROW("capture_reply", PROTO_OPTION_FLAG, capture_reply, "true", "Show what is returned.")},
    {ROW("obfuscate_strings", PROTO_OPTION_FLAG, hides_texts, "false", "Show texts as \"*\".")},
    {ROW("drop_after_n_struct_fields", PROTO_OPTION_NUMBER, fields_max, "500",
         "Leave out messages with a struct of more fields."),
     .minimum = 1, .maximum = 65536},
    {ROW("max_message_size", PROTO_OPTION_SIZE, max_message_size, "10M",
         "Of a message, and of the text made of it, no more than this is read."),
     .minimum = 1 << 10, .maximum = 256 << 20},
    {0},
};

static bool thrift_prepare(struct proto_settings *settings, struct err *err)
{
    struct thrift_options *o = (struct thrift_options *)settings;
    thrift_idl_free(o->idl);
    o->idl = NULL;
    if (o->idl_files.count > 0) {
        o->idl = thrift_idl_new(&o->idl_files, err);
    }
    return o->idl_files.count == 0 || o->idl != NULL;
}

static void thrift_release(struct proto_settings *settings)
{
    struct thrift_options *o = (struct thrift_options *)settings;
    thrift_idl_free(o->idl);
    o->idl = NULL;
}

static enum proto_guess thrift_probe(struct span data, unsigned side)
{
    (void)side;
    struct thrift_head head;
    return thrift_look(data, &head);
}

static struct thrift_side *side_of(const struct reading *r)
{
    return &thrift_flow_of(r->c)->side[r->number];
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* `message` is what is there of one of `bytes`, where that is known; `cut` says why no more. */
static void begin_record(struct reading *r, struct span message, uint64_t bytes, enum proto_cut cut)
{
    struct thrift_head head;
    (void)thrift_look(message, &head);
    struct thrift_record *record =
        thrift_record_new(r->c, &head, span_skip(message, head.size), cut);
    thrift_stats_of(r->c)->not_kept += record == NULL;
    if (record != NULL) {
        record->bytes = bytes;
        record->link.start_ns = r->side->start_ns;
        record->link.side = r->number;
    }
    side_of(r)->open = record;
}

/* Nothing of a message is at hand any more. */
static void reset(const struct proto_context *c, struct thrift_side *s)
{
    slab_give(c->memory, s->walk);
    slab_give(c->memory, s->gather);
    *s = (struct thrift_side){0};
}

/* The message at hand is whole. */
static void end_message(struct proto_context *c, struct thrift_side *s, uint64_t time_ns)
{
    struct thrift_record *record = s->open;
    reset(c, s);
    reading_understands(&thrift_flow_of(c)->trust);
    if (record != NULL) {
        record->link.end_ns = time_ns;
        thrift_take(c, record);
    }
}

/* What is said is no Thrift; lets go when that happens too often. */
static enum reading_step survive(struct reading *r)
{
    struct reading_trust *trust = &thrift_flow_of(r->c)->trust;
    struct thrift_side *s = side_of(r);
    slab_give(r->c->memory, s->open);
    reset(r->c, s);
    s->reading.seeking = true;
    thrift_stats_of(r->c)->malformed += trust->understood;
    reading_take(r, 1);
    return reading_survives(trust);
}

/* A connection keeps to its transport and its protocol. */
static enum proto_guess look_at(const struct reading *r, struct thrift_head *ret)
{
    const struct thrift_flow *f = thrift_flow_of(r->c);
    enum proto_guess found = thrift_look(r->rest, ret);
    bool fits =
        !f->trust.understood || (ret->is_framed == f->is_framed && ret->is_compact == f->is_compact);
    return found == PROTO_YES && !fits ? PROTO_NO : found;
}

static enum proto_guess look(const struct reading *r)
{
    struct thrift_head head;
    return look_at(r, &head);
}

/* ---- With frames ---------------------------------------------------------------------------- */

static enum reading_step pass_over(struct reading *r)
{
    if (reading_pass_over(r)) {
        end_message(r->c, side_of(r), r->time_ns);
    }
    return READING_GOES_ON;
}

/* How many bytes of a message are read. */
static size_t most_of(const struct proto_context *c)
{
    size_t most = (size_t)thrift_options_of(c)->max_message_size;
    return c->events->capacity > 0 && most > THRIFT_KEPT_MAX ? most : THRIFT_KEPT_MAX;
}

/* `taken` bytes of a message of `whole` were, of which `kept` are there: the others are passed
 * over. */
static void take_kept(struct reading *r, struct span kept, size_t whole, size_t taken,
                      enum proto_cut cut)
{
    struct thrift_side *s = side_of(r);
    begin_record(r, kept, whole, cut);
    s->reading.left = (uint32_t)(whole - taken);
    s->reading.has_begun = false;
    if (s->reading.left == 0) {
        end_message(r->c, s, r->time_ns);
    }
}

/* No more is gathered of a message with a frame. */
static void end_gather(struct reading *r)
{
    struct gather *g = side_of(r)->gather;
    side_of(r)->gather = NULL;
    struct thrift_head head = {0};
    (void)thrift_look(gather_span(g), &head);
    size_t whole = (size_t)head.frame_size + 4;
    take_kept(r, gather_span(g), whole, g->taken, gather_cut(g, whole));
    gather_end(&g, r->c->memory);
}

static enum reading_step gather(struct reading *r)
{
    if (gather_take(&side_of(r)->gather, r)) {
        end_gather(r);
    }
    return READING_GOES_ON;
}

static enum reading_step read_framed(struct reading *r, const struct thrift_head *head)
{
    size_t whole = (size_t)head->frame_size + 4, most = most_of(r->c);
    size_t wanted = whole < most ? whole : most;
    if (r->rest.size >= wanted) {
        struct span kept = span_head(r->rest, wanted);
        r->rest = span_skip(r->rest, wanted);
        take_kept(r, kept, whole, wanted, wanted < whole ? PROTO_CUT_AT_MOST : PROTO_CUT_NOT);
        return READING_GOES_ON;
    }
    if (wanted > THRIFT_KEPT_MAX &&
        gather_begin(&side_of(r)->gather, r->c->memory, (uint32_t)wanted)) {
        return gather(r);
    }
    return READING_WAITS;
}

/* ---- Without frames ------------------------------------------------------------------------- */

/* Bytes of a large message go: they are kept as far as they are shown. */
static void pass(struct reading *r, size_t size)
{
    struct thrift_side *s = side_of(r);
    if (s->gather != NULL) {
        gather_add(&s->gather, r->c->memory, span_head(r->rest, size));
    }
    s->walk->passed += size;
    s->walk->scanned -= (uint32_t)size;
    r->rest = span_skip(r->rest, size);
}

/* The struct's end is not there yet. When a message is so large that its end is not waited for, its
 * bytes go as they come. */
static enum reading_step wait_for_end(struct reading *r)
{
    struct thrift_side *s = side_of(r);
    if (!s->walk->is_large && r->rest.size < THRIFT_KEPT_MAX) {
        return READING_WAITS;
    }
    if (!s->walk->is_large) {
        s->walk->is_large = true;
        (void)gather_begin(&s->gather, r->c->memory, (uint32_t)most_of(r->c));
    }
    pass(r, s->walk->scanned);
    return READING_WAITS;
}

/* The message's end is there: its record is made of all that is shown. */
static void end_struct(struct reading *r)
{
    struct thrift_side *s = side_of(r);
    size_t scanned = s->walk->scanned, size = s->walk->passed + scanned, most = most_of(r->c);
    enum proto_cut cut = size > most ? PROTO_CUT_AT_MOST : PROTO_CUT_NOT;
    if (!s->walk->is_large) {
        begin_record(r, span_head(r->rest, scanned < most ? scanned : most), size, cut);
        r->rest = span_skip(r->rest, scanned);
    } else {
        pass(r, scanned);
        struct gather *g = s->gather;
        if (g != NULL) {
            bool is_short = g->size < g->taken && g->size < g->wanted;
            begin_record(r, gather_span(g), size, is_short ? PROTO_CUT_SHORT : cut);
        } else {
            thrift_stats_of(r->c)->not_kept++;
        }
    }
    end_message(r->c, s, r->time_ns);
}

static enum reading_step read_struct(struct reading *r)
{
    struct thrift_side *s = side_of(r);
    struct thrift_walk *walk = s->walk;
    struct cursor c = cursor_of(span_skip(r->rest, walk->scanned));
    enum thrift_skip step = thrift_skip(&walk->skipper, &c);
    walk->scanned = (uint32_t)(c.at - r->rest.data);
    if (step == THRIFT_SKIP_BAD) {
        return survive(r);
    }
    if (step == THRIFT_SKIP_MORE) {
        return wait_for_end(r);
    }
    end_struct(r);
    return READING_GOES_ON;
}

static enum reading_step begin_walk(struct reading *r, const struct thrift_head *head)
{
    struct thrift_walk *walk = slab_take(r->c->memory, sizeof *walk);
    if (walk == NULL) {
        return READING_LETS_GO;
    }
    thrift_skip_begin(&walk->skipper, head->is_compact);
    walk->passed = 0;
    walk->scanned = (uint32_t)head->size;
    walk->is_large = false;
    side_of(r)->walk = walk;
    return READING_GOES_ON;
}

static enum reading_step read_message(struct reading *r)
{
    struct thrift_head head;
    enum proto_guess guess = look_at(r, &head);
    if (guess != PROTO_YES) {
        return guess == PROTO_UNSURE ? READING_WAITS : survive(r);
    }
    struct thrift_flow *f = thrift_flow_of(r->c);
    f->is_framed = head.is_framed;
    f->is_compact = head.is_compact;
    if (head.is_framed) {
        return read_framed(r, &head);
    }
    return begin_walk(r, &head);
}

/* ---- Hooks ---------------------------------------------------------------------------------- */

/* Nobody is late while his answer is under way; who is, is so as soon as that is over and more comes. */
static enum reading_step read_some(struct reading *r)
{
    const struct thrift_side *s = side_of(r);
    thrift_age(r->c, r->time_ns);
    if (s->reading.left > 0) {
        return pass_over(r);
    }
    if (s->walk != NULL) {
        return read_struct(r);
    }
    if (s->gather != NULL) {
        return gather(r);
    }
    if (r->side->seeking && !reading_seek(r, look)) {
        return READING_WAITS;
    }
    reading_begin(r);
    return read_message(r);
}

static struct proto_taken thrift_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    return reading_run(c, chunk, &thrift_flow_of(c)->side[chunk->side].reading, read_some);
}

static void thrift_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct thrift_side *s = &thrift_flow_of(c)->side[side];
    thrift_stats_of(c)->gaps++;
    if (s->gather != NULL && s->walk == NULL) { /* what came before the hole is read */
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
    thrift_lose(c, side);
    slab_give(c->memory, s->open);
    reset(c, s);
    s->reading.seeking = true;
}

static void thrift_on_fin(struct proto_context *c, unsigned side)
{
    thrift_give_up(c, 1 - side, "closed");
}

static void thrift_on_close(struct proto_context *c, enum proto_close why)
{
    struct thrift_flow *f = thrift_flow_of(c);
    thrift_give_up(c, WAITING_BOTH, proto_close_reason(why));
    for (unsigned side = 0; side < 2; side++) {
        slab_give(c->memory, f->side[side].open);
        slab_give(c->memory, f->side[side].walk);
        slab_give(c->memory, f->side[side].gather);
    }
}

static const struct event_type *const events[] = {&thrift_event_type, NULL};

const struct proto proto_thrift = {
    .name = "thrift",
    .help = "calls of Thrift services and their replies: binary and compact, framed or not",
    .metrics = &thrift_set,
    .tcp_ports = ports,
    .flow_size = sizeof(struct thrift_flow),
    .events = events,
    .options = options,
    .options_size = sizeof(struct thrift_options),
    .prepare = thrift_prepare,
    .release = thrift_release,
    .probe = thrift_probe,
    .on_chunk = thrift_on_chunk,
    .on_gap = thrift_on_gap,
    .on_fin = thrift_on_fin,
    .on_close = thrift_on_close,
};
