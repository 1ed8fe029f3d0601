// SPDX-License-Identifier: Apache-2.0
/* Cassandra's native protocol, versions 3 to 5: requests and responses, see README.md. */
#include "base/cursor.h"
#include "base/lz4.h"
#include "base/snappy.h"
#include "base/sql.h"
#include "proto/cassandra/cassandra_flow.h"

enum { SIDES = 2, LZ4_LENGTH = 4 };

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
    {ROW("redact_secrets", PROTO_OPTION_FLAG, redact_secrets, "true",
         "Hide passwords in statements: PASSWORD = 'xxxxx'.")},
    {ROW("compressor", PROTO_OPTION_CHOICE, compressor, NULL,
         "How connections are compressed whose beginning was not seen; empty: tried out."),
     .choices = compressors},
    {ROW("ignored_ops", PROTO_OPTION_LIST, ignored, NULL,
         "Kinds of requests or responses whose transactions are not reported: OPTIONS, STARTUP "
         "...")},
    {ROW("max_message_size", PROTO_OPTION_SIZE, max_message_size, "10M",
         "Of a request, as it is sent and unpacked, no more than this is read."),
     .minimum = 1 << 10, .maximum = 256 << 20},
    {0},
};

/* Of an envelope: the first thing that a client says says a lot. */
static enum proto_guess guess_envelope(struct span data, const struct cassandra_header *h)
{
    static const char version[] = "CQL_VERSION";
    if (h->op != CASSANDRA_STARTUP) {
        return PROTO_YES;
    }
    if (data.size > CASSANDRA_HEADER && data.data[CASSANDRA_HEADER] != 0) {
        return PROTO_NO; /* so many options there are not; SOCKS begins with a 5, too */
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
    enum proto_guess plain = cassandra_look(data, &header);
    if (plain == PROTO_YES && header.size <= 16 << 20) {
        return guess_envelope(data, &header);
    }
    if (data.size == 0) {
        return PROTO_UNSURE;
    }
    enum proto_guess framed = cassandra_look_outer(data, &outer);
    if (framed == PROTO_YES) {
        return PROTO_YES;
    }
    bool is_cut = plain == PROTO_UNSURE || framed == PROTO_UNSURE;
    return is_cut ? PROTO_UNSURE : PROTO_NO;
}

static struct cassandra_side *side_of(const struct reading *r)
{
    return &cassandra_flow_of(r->c)->side[r->number];
}

static bool is_framed(const struct reading *r)
{
    return cassandra_flow_of(r->c)->is_framed[r->number];
}

static void forget(struct proto_context *c, struct cassandra_side *s)
{
    slab_give(c->memory, s->open);
    slab_give(c->memory, s->gather);
    slab_give(c->memory, s->kept);
    *s = (struct cassandra_side){.reading.seeking = true};
}

/* What is said is no Cassandra; lets go when that happens too often. */
static enum reading_step survive(struct reading *r)
{
    struct reading_trust *trust = &cassandra_flow_of(r->c)->trust;
    cassandra_stats_of(r->c)->malformed += trust->understood;
    forget(r->c, side_of(r));
    reading_take(r, r->rest.size > 0);
    return reading_survives(trust);
}

/* ---- Bodies --------------------------------------------------------------------------------- */

/* Where a body is unpacked to. */
struct place {
    uint8_t *bytes;
    size_t room;
    enum proto_cut cut; /* why what does not fit is left out */
};

static bool unpack_snappy(struct span *body, const struct place *to)
{
    uint64_t length;
    bool whole;
    if (!snappy_length(*body, &length)) {
        return false;
    }
    size_t size = snappy_unpack(*body, to->bytes, to->room, &whole);
    *body = span_of(to->bytes, size);
    return whole || size == to->room;
}

/* A length in network order, then a block. */
static bool unpack_lz4(struct span *body, const struct place *to)
{
    bool whole;
    if (body->size < LZ4_LENGTH) {
        return false;
    }
    uint32_t length = load_be32(body->data);
    size_t most = length < to->room ? length : to->room;
    size_t size = lz4_unpack(span_skip(*body, LZ4_LENGTH), to->bytes, most, &whole);
    *body = span_of(to->bytes, size);
    return size == most;
}

static uint8_t packing_of(const struct reading *r)
{
    const char *chosen = cassandra_options_of(r->c)->compressor;
    uint8_t known = cassandra_flow_of(r->c)->packing;
    if (known != CASSANDRA_UNKNOWN) {
        return known;
    }
    return strcmp(chosen, "snappy") == 0 ? CASSANDRA_SNAPPY
           : strcmp(chosen, "lz4") == 0  ? CASSANDRA_LZ4
                                         : CASSANDRA_UNKNOWN;
}

/* How many bytes of a body are read: of requests that events show all that may be shown. */
static size_t most_of(const struct reading *r, const struct cassandra_header *header)
{
    size_t most = (size_t)cassandra_options_of(r->c)->max_message_size;
    bool is_long = header->op == CASSANDRA_QUERY || header->op == CASSANDRA_PREPARE ||
                   header->op == CASSANDRA_BATCH;
    bool is_shown = r->c->events->capacity > 0 && r->c->settings->send_request;
    return is_long && is_shown && most > CASSANDRA_KEPT_MAX ? most : CASSANDRA_KEPT_MAX;
}

/* Takes memory to unpack a body to; false when there is none. */
static bool take_place(struct reading *r, const struct cassandra_header *header, size_t packed,
                       struct place *to)
{
    size_t most = most_of(r, header), dense = PROTO_DENSITY_MAX * packed;
    to->room = most < dense ? most : dense;
    to->cut = most <= dense ? PROTO_CUT_AT_MOST : PROTO_CUT_DENSE;
    to->room = to->room > CASSANDRA_KEPT_MAX ? to->room : CASSANDRA_KEPT_MAX;
    to->bytes = slab_take_large(r->c->memory, to->room);
    if (to->bytes == NULL) {
        *to = (struct place){.bytes = slab_take(r->c->memory, CASSANDRA_KEPT_MAX),
                             .room = CASSANDRA_KEPT_MAX,
                             .cut = PROTO_CUT_SHORT};
    }
    return to->bytes != NULL;
}

/* As much of a body as can be had; empty when it cannot. */
static struct span unpack(struct reading *r, struct span body, const struct place *to)
{
    uint8_t packing = packing_of(r);
    struct span unpacked = body;
    if (body.size == 0) {
        return body;
    }
    if (packing != CASSANDRA_LZ4) {
        bool fine = unpack_snappy(&unpacked, to);
        if (fine || packing == CASSANDRA_SNAPPY) {
            return unpacked;
        }
        unpacked = body;
    }
    return unpack_lz4(&unpacked, to) || packing == CASSANDRA_LZ4 ? unpacked : span_of(to->bytes, 0);
}

/* Passwords in CQL: CREATE ROLE … WITH PASSWORD = 'a'. */
static void hide_secrets(struct cassandra_record *r)
{
    if (cassandra_has(r, CASSANDRA_ASKED_QUERY)) {
        char *text = (char *)r->bytes_of_texts + r->text[CASSANDRA_ASKED_QUERY].at;
        r->text[CASSANDRA_ASKED_QUERY].size =
            (uint32_t)sql_hide(text, r->text[CASSANDRA_ASKED_QUERY].size);
    }
}

/* The record of an envelope, of whose body so much is there, and `cut` says why no more. */
static struct cassandra_record *record_of(struct reading *r, struct cassandra_header header,
                                          struct span body, enum proto_cut cut)
{
    struct place to = {0};
    bool is_packed = (header.flags & CASSANDRA_COMPRESSED) != 0 && header.version < 5;
    if (is_packed) {
        cassandra_stats_of(r->c)->compressed++;
        body = take_place(r, &header, body.size, &to) ? unpack(r, body, &to) : span_head(body, 0);
        cut = cut == PROTO_CUT_NOT && body.size == to.room ? to.cut : cut;
    } else if (header.op == CASSANDRA_STARTUP) {
        cassandra_flow_of(r->c)->packing = (uint8_t)cassandra_packing_of(body);
    }
    struct cassandra_record *record = cassandra_record_new(r->c, header, body, cut);
    slab_give(r->c->memory, to.bytes);
    cassandra_stats_of(r->c)->not_kept += record == NULL;
    if (record != NULL && cassandra_options_of(r->c)->redact_secrets) {
        hide_secrets(record);
    }
    return record;
}

/* ---- Envelopes ------------------------------------------------------------------------------ */

/* The envelope at hand is whole. */
static void end_envelope(struct proto_context *c, struct cassandra_side *s, uint64_t time_ns)
{
    struct cassandra_record *record = s->open;
    s->open = NULL;
    if (record != NULL) {
        record->link.end_ns = time_ns;
        cassandra_take(c, record);
    }
}

/* `taken` bytes of an envelope's body were, of which `body` is there: the others are passed over.
 */
static void take_kept(struct reading *r, const struct cassandra_header *header, struct span body,
                      size_t taken, enum proto_cut cut)
{
    struct cassandra_side *s = side_of(r);
    struct cassandra_record *record = record_of(r, *header, body, cut);
    if (record != NULL) {
        record->link.side = r->number;
        record->link.start_ns = r->side->start_ns;
    }
    s->open = record;
    s->reading.left = (uint32_t)(header->size - taken);
    s->reading.has_begun = false;
    reading_understands(&cassandra_flow_of(r->c)->trust);
    if (s->reading.left == 0) {
        end_envelope(r->c, s, r->time_ns);
    }
}

/* No more is gathered of an envelope. */
static void end_gather(struct reading *r)
{
    struct cassandra_header header = {0};
    struct gather *g = side_of(r)->gather;
    side_of(r)->gather = NULL;
    (void)cassandra_look(gather_span(g), &header);
    take_kept(r, &header, span_skip(gather_span(g), CASSANDRA_HEADER), g->taken - CASSANDRA_HEADER,
              gather_cut(g, CASSANDRA_HEADER + (size_t)header.size));
    gather_end(&g, r->c->memory);
}

static enum reading_step gather(struct reading *r)
{
    if (gather_take(&side_of(r)->gather, r)) {
        end_gather(r);
    }
    return READING_GOES_ON;
}

static enum reading_step read_envelope(struct reading *r)
{
    struct cassandra_header header;
    reading_begin(r);
    enum proto_guess looks = cassandra_look(r->rest, &header);
    if (looks != PROTO_YES) {
        return looks == PROTO_UNSURE ? READING_WAITS : survive(r);
    }
    size_t most = most_of(r, &header);
    size_t size = header.size < most ? header.size : most;
    if (r->rest.size >= CASSANDRA_HEADER + size) {
        struct span body = span_head(span_skip(r->rest, CASSANDRA_HEADER), size);
        r->rest = span_skip(r->rest, CASSANDRA_HEADER + size);
        take_kept(r, &header, body, size, size < header.size ? PROTO_CUT_AT_MOST : PROTO_CUT_NOT);
        return READING_GOES_ON;
    }
    if (size > CASSANDRA_KEPT_MAX &&
        gather_begin(&side_of(r)->gather, r->c->memory, (uint32_t)(CASSANDRA_HEADER + size))) {
        return gather(r);
    }
    return READING_WAITS;
}

static enum reading_step pass_over(struct reading *r)
{
    if (reading_pass_over(r)) {
        end_envelope(r->c, side_of(r), r->time_ns);
    }
    return READING_GOES_ON;
}

/* ---- Frames of version 5 -------------------------------------------------------------------- */

/* Reads the envelopes in `bytes`; returns those at the end that are not all there, in `*rest`. */
static enum reading_step read_inner(struct reading *r, struct span bytes, struct span *rest)
{
    struct reading inner = *r;
    inner.rest = bytes;
    enum reading_step step = READING_GOES_ON;
    while (step == READING_GOES_ON && inner.rest.size > 0 && !r->side->seeking) {
        step = r->side->left > 0            ? pass_over(&inner)
               : side_of(r)->gather != NULL ? gather(&inner)
                                            : read_envelope(&inner);
    }
    *rest = r->side->seeking ? span_head(inner.rest, 0) : inner.rest;
    return step == READING_LETS_GO ? READING_LETS_GO : READING_GOES_ON;
}

/* What is left of envelopes waits for the frame that brings more. */
static bool keep(struct reading *r, struct span rest)
{
    struct cassandra_side *s = side_of(r);
    struct gather *block =
        rest.size > 0 ? slab_take(r->c->memory, sizeof *block + rest.size) : NULL;
    if (block != NULL) {
        *block = (struct gather){.size = (uint32_t)rest.size};
        memcpy(block->bytes, rest.data, rest.size);
    }
    slab_give(r->c->memory, s->kept);
    s->kept = block;
    return block != NULL || rest.size == 0;
}

/* A frame's payload, behind what was kept of those before it. */
static enum reading_step read_payload(struct reading *r, struct span payload)
{
    struct cassandra_side *s = side_of(r);
    uint8_t *joined = NULL;
    if (s->kept != NULL) {
        size_t size = s->kept->size;
        joined = slab_take(r->c->memory, size + payload.size);
        if (joined == NULL) {
            cassandra_stats_of(r->c)->not_kept++;
            forget(r->c, side_of(r));
            return READING_GOES_ON;
        }
        memcpy(joined, s->kept->bytes, size);
        memcpy(joined + size, payload.data, payload.size);
        payload = span_of(joined, size + payload.size);
    }
    struct span rest;
    enum reading_step step = read_inner(r, payload, &rest);
    if (!keep(r, rest)) {
        cassandra_stats_of(r->c)->not_kept++;
        forget(r->c, side_of(r));
    }
    slab_give(r->c->memory, joined);
    return step;
}

static enum reading_step read_packed(struct reading *r, struct span payload, uint32_t unpacked)
{
    bool whole;
    uint8_t *room = slab_take(r->c->memory, unpacked);
    cassandra_stats_of(r->c)->compressed++;
    if (room == NULL) {
        cassandra_stats_of(r->c)->not_kept++;
        forget(r->c, side_of(r));
        return READING_GOES_ON;
    }
    size_t size = lz4_unpack(payload, room, unpacked, &whole);
    enum reading_step step = READING_GOES_ON;
    if (whole && size == unpacked) {
        step = read_payload(r, span_of(room, size));
    } else {
        cassandra_stats_of(r->c)->malformed++;
        forget(r->c, side_of(r));
    }
    slab_give(r->c->memory, room);
    return step;
}

static enum reading_step read_framed(struct reading *r, const struct cassandra_outer *outer)
{
    size_t size = (size_t)outer->header + outer->size + CASSANDRA_TRAILER;
    if (r->rest.size < size) {
        return READING_WAITS;
    }
    struct span payload = span_head(span_skip(r->rest, outer->header), outer->size);
    struct cassandra_side *s = side_of(r);
    bool began = r->side->has_begun || s->kept != NULL;
    bool is_open = s->kept != NULL || s->gather != NULL || s->reading.left > 0;
    if (outer->is_whole && is_open) {
        forget(r->c, s); /* the rest of an envelope did not come */
        began = false;
    }
    r->side->seeking = false;
    r->side->has_begun = began;
    cassandra_flow_of(r->c)->is_framed[r->number] = true;
    cassandra_flow_of(r->c)->trust.understood = true;
    enum reading_step step = outer->unpacked > 0 ? read_packed(r, payload, outer->unpacked)
                                         : read_payload(r, payload);
    r->rest = span_skip(r->rest, size);
    return step;
}

/* ---- Hooks ---------------------------------------------------------------------------------- */

/* Where an envelope or a frame may begin. */
static enum proto_guess look(const struct reading *r)
{
    struct cassandra_header header;
    struct cassandra_outer outer;
    if (r->rest.size < CASSANDRA_HEADER) {
        return PROTO_UNSURE;
    }
    enum proto_guess guess = is_framed(r) ? cassandra_look_outer(r->rest, &outer)
                                                   : cassandra_look(r->rest, &header);
    return guess == PROTO_YES ? PROTO_YES : PROTO_NO;
}

static enum reading_step read_outer(struct reading *r)
{
    struct cassandra_outer outer;
    if (side_of(r)->kept == NULL) {
        reading_begin(r);
    }
    enum proto_guess looks = cassandra_look_outer(r->rest, &outer);
    if (looks == PROTO_YES) {
        return read_framed(r, &outer);
    }
    if (looks == PROTO_UNSURE) {
        return READING_WAITS;
    }
    return is_framed(r) ? survive(r) : READING_LETS_GO;
}

/* Where neither is known yet, an envelope is what both sides begin with. Nobody is late while his response
 * is under way; who is, is so as soon as that is over and more comes. */
static enum reading_step read_some(struct reading *r)
{
    struct cassandra_header header;
    const struct cassandra_side *s = side_of(r);
    cassandra_age(r->c, r->time_ns);
    if (r->side->seeking && !reading_seek(r, look)) {
        return READING_WAITS;
    }
    if (is_framed(r)) {
        return read_outer(r);
    }
    if (s->reading.left > 0) {
        return pass_over(r);
    }
    if (s->gather != NULL) {
        return gather(r);
    }
    enum proto_guess looks = cassandra_look(r->rest, &header);
    if (looks == PROTO_NO) {
        struct cassandra_outer outer;
        enum proto_guess framed = cassandra_look_outer(r->rest, &outer);
        if (framed != PROTO_NO) {
            return read_outer(r);
        }
    }
    return read_envelope(r);
}


static struct proto_taken cassandra_on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    return reading_run(c, chunk, &cassandra_flow_of(c)->side[chunk->side].reading, read_some);
}

static void cassandra_on_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct cassandra_side *s = &cassandra_flow_of(c)->side[side];
    cassandra_stats_of(c)->gaps++;
    if (s->gather != NULL && !cassandra_flow_of(c)->is_framed[side]) {
        struct reading r = {
            .c = c, .side = &s->reading, .time_ns = c->now_ns, .number = (uint8_t)side};
        end_gather(&r); /* what came before the hole is read */
    }
    if (!cassandra_flow_of(c)->is_framed[side] && reading_pass_hole(&s->reading, length)) {
        if (s->open != NULL) {
            s->open->holed = true;
        }
        if (s->reading.left == 0) {
            end_envelope(c, s, c->now_ns);
        }
        return;
    }
    cassandra_lose(c, side);
    forget(c, s);
}

static void cassandra_on_fin(struct proto_context *c, unsigned side)
{
    cassandra_give_up(c, 1 - side, "closed");
}

static void cassandra_on_close(struct proto_context *c, enum proto_close why)
{
    struct cassandra_flow *f = cassandra_flow_of(c);
    cassandra_give_up(c, WAITING_BOTH, proto_close_reason(why));
    for (unsigned i = 0; i < SIDES; i++) {
        slab_give(c->memory, f->side[i].open);
        slab_give(c->memory, f->side[i].gather);
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
