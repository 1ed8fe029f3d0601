// SPDX-License-Identifier: Apache-2.0
/* Apache Thrift: which methods are called and what they return, see README.md. */
#include "proto/thrift/thrift_flow.h"

enum { BOTH_SIDES = 2 };

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
     .minimum = 0, .maximum = 65536},
    {ROW("collection_max_size", PROTO_OPTION_NUMBER, elements_max, "15",
         "How many elements of a list, set, map or struct."),
     .minimum = 0, .maximum = 65536},
    {ROW("capture_reply", PROTO_OPTION_FLAG, capture_reply, "true", "Show what is returned.")},
    {ROW("obfuscate_strings", PROTO_OPTION_FLAG, hides_texts, "false", "Show texts as \"*\".")},
    {ROW("drop_after_n_struct_fields", PROTO_OPTION_NUMBER, fields_max, "500",
         "Leave out messages with a struct of more fields."),
     .minimum = 1, .maximum = 65536},
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
    static const enum proto_guess guesses[] = {[THRIFT_LOOKS_ELSE] = PROTO_NO,
                                               [THRIFT_LOOKS_CUT] = PROTO_UNSURE,
                                               [THRIFT_LOOKS_RIGHT] = PROTO_YES};
    return guesses[thrift_look(data, &head)];
}

/* A side's bytes, and where in them we are. */
struct reading {
    struct proto_context *c;
    struct thrift_flow *flow;
    struct thrift_side *side;
    struct span rest;
    uint64_t time_ns;
    uint8_t number; /* of the side */
};

enum step { GOES_ON, WAITS, LETS_GO };

/* ---- Messages ------------------------------------------------------------------------------- */

static void take(struct reading *r, size_t size)
{
    r->rest = span_skip(r->rest, size);
}

static void begin_record(struct reading *r, const struct thrift_head *head, struct span body)
{
    struct thrift_record *record = thrift_record_new(r->c, head, body);
    thrift_stats_of(r->c)->not_kept += record == NULL;
    if (record != NULL) {
        record->start_ns = r->side->start_ns;
        record->side = r->number;
    }
    r->side->open = record;
}

/* The message at hand is whole: so many bytes. */
static void end_message(struct reading *r, uint64_t bytes)
{
    struct thrift_record *record = r->side->open;
    *r->side = (struct thrift_side){0};
    r->flow->understood = true;
    r->flow->broken = 0;
    if (record != NULL) {
        record->bytes = bytes;
        record->end_ns = r->time_ns;
        thrift_take(r->c, record);
    }
}

/* What is said is no Thrift; lets go when that happens too often. */
static enum step survive(struct reading *r)
{
    struct thrift_flow *f = r->flow;
    slab_give(r->c->memory, r->side->open);
    *r->side = (struct thrift_side){.seeking = true};
    if (!f->understood) {
        return LETS_GO;
    }
    thrift_stats_of(r->c)->malformed++;
    f->broken++;
    take(r, 1);
    return f->broken < THRIFT_BROKEN_MAX ? GOES_ON : LETS_GO;
}

/* A connection keeps to its transport and its protocol. */
static enum thrift_look look(const struct reading *r, struct thrift_head *ret)
{
    const struct thrift_flow *f = r->flow;
    enum thrift_look found = thrift_look(r->rest, ret);
    bool fits =
        !f->understood || (ret->is_framed == f->is_framed && ret->is_compact == f->is_compact);
    return found == THRIFT_LOOKS_RIGHT && !fits ? THRIFT_LOOKS_ELSE : found;
}

/* ---- With frames ---------------------------------------------------------------------------- */

static enum step pass_over(struct reading *r)
{
    size_t size = r->rest.size < r->side->left ? r->rest.size : r->side->left;
    r->side->left -= (uint32_t)size;
    r->side->passed += size;
    take(r, size);
    if (r->side->left == 0) {
        end_message(r, r->side->passed);
    }
    return GOES_ON;
}

static enum step read_framed(struct reading *r, const struct thrift_head *head)
{
    uint32_t whole = head->frame_size + 4;
    size_t wanted = whole < THRIFT_KEPT_MAX ? whole : THRIFT_KEPT_MAX;
    if (r->rest.size < wanted) {
        return WAITS;
    }
    begin_record(r, head, span_skip(span_head(r->rest, wanted), head->size));
    r->side->left = whole - (uint32_t)wanted;
    r->side->passed = wanted;
    take(r, wanted);
    if (r->side->left == 0) {
        end_message(r, r->side->passed);
    }
    return GOES_ON;
}

/* ---- Without frames ------------------------------------------------------------------------- */

/* What is shown of a message: of a large one its beginning. */
static void show(struct reading *r, size_t size)
{
    struct thrift_head head;
    (void)thrift_look(r->rest, &head);
    size_t shown = size < THRIFT_KEPT_MAX ? size : THRIFT_KEPT_MAX;
    begin_record(r, &head, span_skip(span_head(r->rest, shown), head.size));
}

/* The struct's end is not there yet. When a message is so large that its end is not waited for, its
 * bytes go as they come. */
static enum step wait_for_end(struct reading *r)
{
    struct thrift_side *s = r->side;
    if (!s->is_large && r->rest.size < THRIFT_KEPT_MAX) {
        return WAITS;
    }
    if (!s->is_large) {
        show(r, r->rest.size);
        s->is_large = true;
    }
    s->passed += s->scanned;
    take(r, s->scanned);
    s->scanned = 0;
    return WAITS;
}

static enum step read_struct(struct reading *r)
{
    struct thrift_side *s = r->side;
    struct cursor c = cursor_of(span_skip(r->rest, s->scanned));
    enum thrift_skip step = thrift_skip(&s->skipper, &c);
    s->scanned = (uint32_t)(c.at - r->rest.data);
    if (step == THRIFT_SKIP_BAD) {
        return survive(r);
    }
    if (step == THRIFT_SKIP_MORE) {
        return wait_for_end(r);
    }
    if (!s->is_large) {
        show(r, s->scanned);
    }
    uint64_t bytes = s->passed + s->scanned;
    take(r, s->scanned);
    end_message(r, bytes);
    return GOES_ON;
}

static enum step read_message(struct reading *r)
{
    struct thrift_head head;
    switch (look(r, &head)) {
    case THRIFT_LOOKS_ELSE:
        return survive(r);
    case THRIFT_LOOKS_CUT:
        return WAITS;
    case THRIFT_LOOKS_RIGHT:
        break;
    }
    r->flow->is_framed = head.is_framed;
    r->flow->is_compact = head.is_compact;
    if (head.is_framed) {
        return read_framed(r, &head);
    }
    thrift_skip_begin(&r->side->skipper, head.is_compact);
    r->side->scanned = (uint32_t)head.size;
    r->side->in_struct = true;
    return GOES_ON;
}

/* Behind a hole: to where a message may begin. */
static enum step seek(struct reading *r)
{
    struct thrift_head head;
    while (r->rest.size > 0) {
        switch (look(r, &head)) {
        case THRIFT_LOOKS_RIGHT:
            r->side->seeking = false;
            return GOES_ON;
        case THRIFT_LOOKS_CUT:
            return WAITS;
        case THRIFT_LOOKS_ELSE:
            take(r, 1);
            break;
        }
    }
    return WAITS;
}

/* ---- Hooks ---------------------------------------------------------------------------------- */

static enum step read_some(struct reading *r)
{
    if (r->side->left > 0) {
        return pass_over(r);
    }
    if (r->side->in_struct) {
        return read_struct(r);
    }
    if (r->side->seeking) {
        return seek(r);
    }
    if (!r->side->has_begun) {
        r->side->has_begun = true;
        r->side->start_ns = r->time_ns;
    }
    return read_message(r);
}

static struct proto_taken thrift_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    struct thrift_flow *f = thrift_flow_of(c);
    thrift_age(c, chunk->time_ns);
    struct reading r = {
        .c = c,
        .flow = f,
        .side = &f->side[chunk->side],
        .rest = chunk->data,
        .time_ns = chunk->time_ns,
        .number = chunk->side,
    };
    enum step step = GOES_ON;
    while (step == GOES_ON && r.rest.size > 0) {
        step = read_some(&r);
    }
    return (struct proto_taken){
        .consumed = chunk->data.size - r.rest.size,
        .verdict = step == LETS_GO ? PROTO_NOT_MINE : PROTO_GOES_ON,
    };
}

static void thrift_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct thrift_flow *f = thrift_flow_of(c);
    struct thrift_side *s = &f->side[side];
    thrift_stats_of(c)->gaps++;
    if (s->left >= length) { /* within what is passed over */
        s->left -= length;
        s->passed += length;
        if (s->open != NULL) {
            s->open->holed = true;
        }
        if (s->left == 0) {
            struct reading r = {.c = c, .flow = f, .side = s, .time_ns = c->now_ns};
            end_message(&r, s->passed);
        }
        return;
    }
    thrift_give_up(c, 1 - side, "gap"); /* their replies may have been in the hole */
    slab_give(c->memory, s->open);
    *s = (struct thrift_side){.seeking = true};
}

static void thrift_on_fin(struct proto_context *c, unsigned side)
{
    thrift_give_up(c, 1 - side, "closed");
}

static void thrift_on_close(struct proto_context *c, enum proto_close why)
{
    static const char *const reasons[] = {
        [PROTO_CLOSED] = "closed", [PROTO_RESET] = "reset", [PROTO_TIMEOUT] = "timeout"};
    struct thrift_flow *f = thrift_flow_of(c);
    thrift_give_up(c, BOTH_SIDES, reasons[why]);
    slab_give(c->memory, f->side[0].open);
    slab_give(c->memory, f->side[1].open);
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
