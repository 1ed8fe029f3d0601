// SPDX-License-Identifier: Apache-2.0
/* Cassandra's native protocol, versions 3 to 5: requests and responses, see README.md. */
#include "base/cursor.h"
#include "base/lz4.h"
#include "base/snappy.h"
#include "proto/cassandra/cassandra_flow.h"

enum { BOTH_SIDES = 2, LZ4_LENGTH = 4 };

static const uint16_t ports[] = {9042, 0};
static const char *const compressors[] = {"", "snappy", "lz4", NULL};

#define ROW(name_, kind_, member, fallback_, help_)                                                \
    .name = name_, .kind = kind_, .offset = offsetof(struct cassandra_options, member),            \
    .fallback = fallback_, .help = help_

static const struct proto_option options[] = {
    {ROW("send_request", PROTO_OPTION_FLAG, settings.send_request, "true",
         "Events show what was asked: `query` and `cassandra.request`.")},
    {ROW("send_response", PROTO_OPTION_FLAG, settings.send_response, "true",
         "Events show what was answered: `cassandra.response`.")},
    {ROW("send_request_header", PROTO_OPTION_FLAG, request_header, "true",
         "Events show the headers of requests.")},
    {ROW("send_response_header", PROTO_OPTION_FLAG, response_header, "true",
         "Events show the headers of responses.")},
    {ROW("compressor", PROTO_OPTION_CHOICE, compressor, NULL,
         "How connections are compressed whose beginning was not seen; empty: tried out."),
     .choices = compressors},
    {ROW("ignored_ops", PROTO_OPTION_LIST, ignored, NULL,
         "Kinds of requests or responses whose transactions are not reported: OPTIONS, STARTUP ...")},
    {0},
};

/* A side's bytes, and where in them we are. */
struct reading {
    struct proto_context *c;
    struct cassandra_flow *flow;
    struct cassandra_side *side;
    struct span rest;
    uint64_t time_ns;
    uint8_t number; /* of the side */
};

enum step { GOES_ON, WAITS, LETS_GO };

/* Of an envelope: the first thing that a client says says a lot. */
static enum proto_guess guess_envelope(struct span data, const struct cassandra_header *h)
{
    static const char version[] = "CQL_VERSION";
    if (h->op != CASSANDRA_STARTUP) {
        return PROTO_YES;
    }
    size_t wanted = CASSANDRA_HEADER + h->size;
    if (data.size < wanted && data.size < 512) {
        return PROTO_UNSURE;
    }
    return memmem(data.data, data.size, version, sizeof version - 1) ? PROTO_YES : PROTO_NO;
}

static enum proto_guess cassandra_probe(struct span data, unsigned side)
{
    (void)side;
    struct cassandra_header header;
    struct cassandra_outer outer;
    enum cassandra_looks plain = cassandra_look(data, &header);
    if (plain == CASSANDRA_LOOKS_RIGHT && header.size <= 16 << 20) {
        return guess_envelope(data, &header);
    }
    if (data.size == 0) {
        return PROTO_UNSURE;
    }
    enum cassandra_looks framed = cassandra_look_outer(data, &outer);
    if (framed == CASSANDRA_LOOKS_RIGHT) {
        return PROTO_YES;
    }
    bool is_cut = plain == CASSANDRA_LOOKS_CUT || framed == CASSANDRA_LOOKS_CUT;
    return is_cut ? PROTO_UNSURE : PROTO_NO;
}

static void take(struct reading *r, size_t size)
{
    r->rest = span_skip(r->rest, size);
    r->side->has_begun = false;
}

static void forget(struct reading *r)
{
    struct cassandra_side *s = r->side;
    slab_give(r->c->memory, s->open);
    slab_give(r->c->memory, s->kept);
    *s = (struct cassandra_side){.is_framed = s->is_framed, .seeking = true};
}

/* What is said is no Cassandra; lets go when that happens too often. */
static enum step survive(struct reading *r)
{
    struct cassandra_flow *f = r->flow;
    if (!f->understood) {
        return LETS_GO;
    }
    cassandra_stats_of(r->c)->malformed++;
    f->broken++;
    forget(r);
    take(r, r->rest.size > 0);
    return f->broken < CASSANDRA_BROKEN_MAX ? GOES_ON : LETS_GO;
}

/* ---- Bodies --------------------------------------------------------------------------------- */

static bool unpack_snappy(struct span *body, uint8_t *room)
{
    uint64_t length;
    bool whole;
    if (!snappy_length(*body, &length)) {
        return false;
    }
    size_t size = snappy_unpack(*body, room, CASSANDRA_KEPT_MAX, &whole);
    *body = span_of(room, size);
    return whole || size == CASSANDRA_KEPT_MAX;
}

/* A length in network order, then a block. */
static bool unpack_lz4(struct span *body, uint8_t *room)
{
    bool whole;
    if (body->size < LZ4_LENGTH) {
        return false;
    }
    uint32_t length = load_be32(body->data);
    size_t most = length < CASSANDRA_KEPT_MAX ? length : CASSANDRA_KEPT_MAX;
    size_t size = lz4_unpack(span_skip(*body, LZ4_LENGTH), room, most, &whole);
    *body = span_of(room, size);
    return size == most;
}

static uint8_t packing_of(const struct reading *r)
{
    const char *chosen = cassandra_options_of(r->c)->compressor;
    if (r->flow->packing != CASSANDRA_UNKNOWN) {
        return r->flow->packing;
    }
    return strcmp(chosen, "snappy") == 0 ? CASSANDRA_SNAPPY
           : strcmp(chosen, "lz4") == 0  ? CASSANDRA_LZ4
                                         : CASSANDRA_UNKNOWN;
}

/* As much of a body as can be had; empty when it cannot. */
static struct span unpack(struct reading *r, struct span body, uint8_t *room)
{
    uint8_t packing = packing_of(r);
    struct span unpacked = body;
    if (body.size == 0) {
        return body;
    }
    if (packing != CASSANDRA_LZ4) {
        bool fine = unpack_snappy(&unpacked, room);
        if (fine || packing == CASSANDRA_SNAPPY) {
            return unpacked;
        }
        unpacked = body;
    }
    return unpack_lz4(&unpacked, room) || packing == CASSANDRA_LZ4 ? unpacked : span_of(room, 0);
}

static struct cassandra_record *record_of(struct reading *r, struct cassandra_header header,
                                          struct span body)
{
    uint8_t *room = NULL;
    bool is_packed = (header.flags & CASSANDRA_COMPRESSED) != 0 && header.version < 5;
    if (is_packed) {
        cassandra_stats_of(r->c)->compressed++;
        room = slab_take(r->c->memory, CASSANDRA_KEPT_MAX);
        body = room != NULL ? unpack(r, body, room) : span_head(body, 0);
    } else if (header.op == CASSANDRA_STARTUP) {
        r->flow->packing = (uint8_t)cassandra_packing_of(body);
    }
    struct cassandra_record *record = cassandra_record_new(r->c, header, body);
    slab_give(r->c->memory, room);
    cassandra_stats_of(r->c)->not_kept += record == NULL;
    return record;
}

/* ---- Envelopes ------------------------------------------------------------------------------ */

/* The envelope at hand is whole. */
static void end_envelope(struct reading *r)
{
    struct cassandra_record *record = r->side->open;
    r->side->open = NULL;
    if (record != NULL) {
        record->end_ns = r->time_ns;
        cassandra_take(r->c, record);
    }
}

static void begin_envelope(struct reading *r, const struct cassandra_header *header, size_t size)
{
    struct span body = span_head(span_skip(r->rest, CASSANDRA_HEADER), size);
    struct cassandra_record *record = record_of(r, *header, body);
    if (record != NULL) {
        record->side = r->number;
        record->start_ns = r->side->start_ns;
    }
    r->side->open = record;
    r->side->left = (uint32_t)(header->size - size);
    r->flow->understood = true;
    r->flow->broken = 0;
    take(r, CASSANDRA_HEADER + size);
    if (r->side->left == 0) {
        end_envelope(r);
    }
}

static enum step read_envelope(struct reading *r)
{
    struct cassandra_header header;
    if (!r->side->has_begun) {
        r->side->has_begun = true;
        r->side->start_ns = r->time_ns;
    }
    enum cassandra_looks looks = cassandra_look(r->rest, &header);
    if (looks != CASSANDRA_LOOKS_RIGHT) {
        return looks == CASSANDRA_LOOKS_CUT ? WAITS : survive(r);
    }
    size_t size = header.size < CASSANDRA_KEPT_MAX ? header.size : CASSANDRA_KEPT_MAX;
    if (r->rest.size < CASSANDRA_HEADER + size) {
        return WAITS;
    }
    begin_envelope(r, &header, size);
    return GOES_ON;
}

static enum step pass_over(struct reading *r)
{
    size_t size = r->rest.size < r->side->left ? r->rest.size : r->side->left;
    r->side->left -= (uint32_t)size;
    take(r, size);
    if (r->side->left == 0) {
        end_envelope(r);
    }
    return GOES_ON;
}

/* ---- Frames of version 5 -------------------------------------------------------------------- */

/* Reads the envelopes in `bytes`; returns those at the end that are not all there, in `*rest`. */
static enum step read_inner(struct reading *r, struct span bytes, struct span *rest)
{
    struct reading inner = *r;
    inner.rest = bytes;
    enum step step = GOES_ON;
    while (step == GOES_ON && inner.rest.size > 0 && !r->side->seeking) {
        step = r->side->left > 0 ? pass_over(&inner) : read_envelope(&inner);
    }
    *rest = r->side->seeking ? span_head(inner.rest, 0) : inner.rest;
    return step == LETS_GO ? LETS_GO : GOES_ON;
}

/* What is left of envelopes waits for the frame that brings more. */
static bool keep(struct reading *r, struct span rest)
{
    struct cassandra_side *s = r->side;
    uint8_t *block = rest.size > 0 ? slab_take(r->c->memory, rest.size) : NULL;
    if (block != NULL) {
        memcpy(block, rest.data, rest.size);
    }
    slab_give(r->c->memory, s->kept);
    s->kept = block;
    s->kept_size = block != NULL ? (uint32_t)rest.size : 0;
    return block != NULL || rest.size == 0;
}

/* A frame's payload, behind what was kept of those before it. */
static enum step read_payload(struct reading *r, struct span payload)
{
    struct cassandra_side *s = r->side;
    uint8_t *joined = NULL;
    if (s->kept_size > 0) {
        joined = slab_take(r->c->memory, s->kept_size + payload.size);
        if (joined == NULL) {
            cassandra_stats_of(r->c)->not_kept++;
            forget(r);
            return GOES_ON;
        }
        memcpy(joined, s->kept, s->kept_size);
        memcpy(joined + s->kept_size, payload.data, payload.size);
        payload = span_of(joined, s->kept_size + payload.size);
    }
    struct span rest;
    enum step step = read_inner(r, payload, &rest);
    if (!keep(r, rest)) {
        cassandra_stats_of(r->c)->not_kept++;
        forget(r);
    }
    slab_give(r->c->memory, joined);
    return step;
}

static enum step read_packed(struct reading *r, struct span payload, uint32_t unpacked)
{
    bool whole;
    uint8_t *room = slab_take(r->c->memory, unpacked);
    cassandra_stats_of(r->c)->compressed++;
    if (room == NULL) {
        cassandra_stats_of(r->c)->not_kept++;
        forget(r);
        return GOES_ON;
    }
    size_t size = lz4_unpack(payload, room, unpacked, &whole);
    enum step step = GOES_ON;
    if (whole && size == unpacked) {
        step = read_payload(r, span_of(room, size));
    } else {
        cassandra_stats_of(r->c)->malformed++;
        forget(r);
    }
    slab_give(r->c->memory, room);
    return step;
}

static enum step read_framed(struct reading *r, const struct cassandra_outer *outer)
{
    size_t size = (size_t)outer->header + outer->size + CASSANDRA_TRAILER;
    if (r->rest.size < size) {
        return WAITS;
    }
    struct span payload = span_head(span_skip(r->rest, outer->header), outer->size);
    bool began = r->side->has_begun || r->side->kept_size > 0;
    if (outer->is_whole && (r->side->kept_size > 0 || r->side->left > 0)) {
        forget(r); /* the rest of an envelope did not come */
        began = false;
    }
    r->side->seeking = false;
    r->side->is_framed = true;
    r->side->has_begun = began;
    r->flow->understood = true;
    enum step step = outer->unpacked > 0 ? read_packed(r, payload, outer->unpacked)
                                         : read_payload(r, payload);
    r->rest = span_skip(r->rest, size);
    return step;
}

/* ---- Hooks ---------------------------------------------------------------------------------- */

/* Behind a hole: to where an envelope or a frame may begin. */
static enum step seek(struct reading *r)
{
    struct cassandra_header header;
    struct cassandra_outer outer;
    while (r->rest.size >= CASSANDRA_HEADER) {
        bool found = r->side->is_framed
                         ? cassandra_look_outer(r->rest, &outer) == CASSANDRA_LOOKS_RIGHT
                         : cassandra_look(r->rest, &header) == CASSANDRA_LOOKS_RIGHT;
        if (found) {
            r->side->seeking = false;
            return GOES_ON;
        }
        take(r, 1);
    }
    return WAITS;
}

static enum step read_outer(struct reading *r)
{
    struct cassandra_outer outer;
    if (!r->side->has_begun && r->side->kept_size == 0) {
        r->side->has_begun = true;
        r->side->start_ns = r->time_ns;
    }
    enum cassandra_looks looks = cassandra_look_outer(r->rest, &outer);
    if (looks == CASSANDRA_LOOKS_RIGHT) {
        return read_framed(r, &outer);
    }
    if (looks == CASSANDRA_LOOKS_CUT) {
        return WAITS;
    }
    return r->side->is_framed ? survive(r) : LETS_GO;
}

/* Where neither is known yet, an envelope is what both sides begin with. */
static enum step read_some(struct reading *r)
{
    struct cassandra_header header;
    if (r->side->seeking) {
        return seek(r);
    }
    if (r->side->is_framed) {
        return read_outer(r);
    }
    if (r->side->left > 0) {
        return pass_over(r);
    }
    enum cassandra_looks looks = cassandra_look(r->rest, &header);
    if (looks == CASSANDRA_LOOKS_ELSE) {
        struct cassandra_outer outer;
        enum cassandra_looks framed = cassandra_look_outer(r->rest, &outer);
        if (framed != CASSANDRA_LOOKS_ELSE) {
            return read_outer(r);
        }
    }
    return read_envelope(r);
}

static struct proto_taken cassandra_on_chunk(struct proto_context *c,
                                             const struct proto_chunk *chunk)
{
    struct cassandra_flow *f = cassandra_flow_of(c);
    cassandra_age(c, chunk->time_ns);
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

static void cassandra_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct cassandra_flow *f = cassandra_flow_of(c);
    struct cassandra_side *s = &f->side[side];
    struct reading r = {.c = c, .flow = f, .side = s, .time_ns = c->now_ns};
    cassandra_stats_of(c)->gaps++;
    if (s->left >= length && !s->is_framed) { /* within what is passed over */
        s->left -= length;
        if (s->open != NULL) {
            s->open->holed = true;
        }
        if (s->left == 0) {
            end_envelope(&r);
        }
        return;
    }
    cassandra_give_up(c, 1 - side, "gap"); /* their responses may have been in the hole */
    forget(&r);
}

static void cassandra_on_fin(struct proto_context *c, unsigned side)
{
    cassandra_give_up(c, 1 - side, "closed");
}

static void cassandra_on_close(struct proto_context *c, enum proto_close why)
{
    static const char *const reasons[] = {
        [PROTO_CLOSED] = "closed", [PROTO_RESET] = "reset", [PROTO_TIMEOUT] = "timeout"};
    struct cassandra_flow *f = cassandra_flow_of(c);
    cassandra_give_up(c, BOTH_SIDES, reasons[why]);
    for (unsigned i = 0; i < BOTH_SIDES; i++) {
        slab_give(c->memory, f->side[i].open);
        slab_give(c->memory, f->side[i].kept);
    }
}

static const struct event_type *const events[] = {&cassandra_event_type, NULL};

const struct proto proto_cassandra = {
    .name = "cassandra",
    .help = "Cassandra's native protocol, versions 3 to 5: requests and responses, compressed or not",
    .metrics = &cassandra_set,
    .tcp_ports = ports,
    .flow_size = sizeof(struct cassandra_flow),
    .events = events,
    .options = options,
    .options_size = sizeof(struct cassandra_options),
    .probe = cassandra_probe,
    .on_chunk = cassandra_on_chunk,
    .on_gap = cassandra_on_gap,
    .on_fin = cassandra_on_fin,
    .on_close = cassandra_on_close,
};
