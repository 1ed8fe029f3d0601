// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/quic_flow.h"

#include "proto/quic/quic_report.h"

/* RFC 9000 §19 */
enum quic_frame {
    FRAME_PADDING = 0x00,
    FRAME_PING = 0x01,
    FRAME_ACK = 0x02,
    FRAME_ACK_ECN = 0x03,
    FRAME_CRYPTO = 0x06,
    FRAME_CLOSE = 0x1c,
};

enum { SERVER_HELLO = 2, MESSAGE_HEAD = 4, CRYPTO_FIRST = 2048 };

static void drop(const struct proto_context *c, struct quic_crypto *crypto)
{
    slab_give(c->memory, crypto->bytes);
    *crypto = (struct quic_crypto){0};
}

void quic_flow_done(struct proto_context *c)
{
    struct quic_flow *f = c->state;
    drop(c, &f->crypto[0]);
    drop(c, &f->crypto[1]);
}

/* Of a version that is known nothing is said of what no key opened: the client's first packet never came
 * by, and who is the client is a guess. */
static bool is_handshake(const struct quic_flow *f)
{
    return f->is_read || !quic_knows(f->version) || f->offered_count > 0;
}

void quic_flow_end(struct proto_context *c, const char *reason)
{
    struct quic_flow *f = c->state;
    if (!f->is_over) {
        f->is_over = true;
        if (is_handshake(f)) {
            quic_report(c, reason);
        }
        quic_flow_done(c);
    }
}

/* ---- CRYPTO frames -------------------------------------------------------------------------- */

/* Room for bytes up to `end`; false when there is none. */
static bool make_room(const struct proto_context *c, struct quic_crypto *crypto, size_t end)
{
    if (crypto->bytes != NULL && end <= slab_room(crypto->bytes)) {
        return true;
    }
    uint8_t *bytes = slab_grow(c->memory, crypto->bytes, end < CRYPTO_FIRST ? CRYPTO_FIRST : end);
    crypto->bytes = bytes != NULL ? bytes : crypto->bytes;
    return bytes != NULL;
}

/* Notes that bytes are there; false when they would make too many pieces. */
static bool note(struct quic_crypto *crypto, struct quic_piece piece)
{
    unsigned first = 0;
    while (first < crypto->count && crypto->pieces[first].to < piece.from) {
        first++;
    }
    unsigned behind = first; /* all that it touches become one */
    for (; behind < crypto->count && crypto->pieces[behind].from <= piece.to; behind++) {
        const struct quic_piece *other = &crypto->pieces[behind];
        piece.from = other->from < piece.from ? other->from : piece.from;
        piece.to = other->to > piece.to ? other->to : piece.to;
    }
    if (behind == first && crypto->count == QUIC_PIECES_MAX) {
        return false;
    }
    memmove(&crypto->pieces[first + 1], &crypto->pieces[behind],
            (crypto->count - behind) * sizeof piece);
    crypto->pieces[first] = piece;
    crypto->count = (uint8_t)(crypto->count + 1 - (behind - first));
    return true;
}

static void take_crypto(struct proto_context *c, struct quic_crypto *crypto, uint64_t offset,
                        struct span data)
{
    struct quic_stats *stats = c->block;
    if (data.size == 0) {
        return;
    }
    if (offset > QUIC_CRYPTO_MAX || data.size > QUIC_CRYPTO_MAX - offset) {
        stats->not_kept++;
        return;
    }
    struct quic_piece piece = {.from = (uint16_t)offset, .to = (uint16_t)(offset + data.size)};
    if (!make_room(c, crypto, piece.to) || !note(crypto, piece)) {
        stats->not_kept++;
        return;
    }
    memcpy(crypto->bytes + offset, data.data, data.size);
}

bool quic_flow_message(const struct quic_crypto *crypto, uint8_t type, struct span *ret)
{
    if (crypto->count == 0 || crypto->pieces[0].from != 0 || crypto->pieces[0].to < MESSAGE_HEAD ||
        crypto->bytes[0] != type) {
        return false;
    }
    size_t size = (size_t)crypto->bytes[1] << 16 | load_be16(crypto->bytes + 2);
    *ret = span_of(crypto->bytes + MESSAGE_HEAD, size);
    return crypto->pieces[0].to >= MESSAGE_HEAD + size;
}

/* ---- Frames --------------------------------------------------------------------------------- */

static void skip_ack(struct cursor *c, bool has_counts)
{
    (void)quic_integer(c); /* largest */
    (void)quic_integer(c); /* delay */
    uint64_t ranges = quic_integer(c);
    (void)quic_integer(c);
    for (uint64_t i = 0; i < ranges && !c->bad; i++) { /* two bytes at least each */
        (void)quic_integer(c);
        (void)quic_integer(c);
    }
    for (unsigned i = 0; i < 3 && has_counts; i++) {
        (void)quic_integer(c);
    }
}

/* Padding is a byte each, and fills most of a packet. */
static void skip_padding(struct cursor *c)
{
    static const uint8_t zeros[64];
    while (cursor_left(c) >= sizeof zeros && memcmp(c->at, zeros, sizeof zeros) == 0) {
        cursor_skip(c, sizeof zeros);
    }
    while (cursor_left(c) > 0 && *c->at == FRAME_PADDING) {
        cursor_skip(c, 1);
    }
}

/* Reads the frames of an Initial packet; false when they are none. */
static bool take_frames(struct proto_context *c, struct quic_crypto *crypto, struct span frames)
{
    struct quic_flow *f = c->state;
    struct cursor at = cursor_of(frames);
    while (!at.bad && cursor_left(&at) > 0) {
        uint64_t offset, type = quic_integer(&at);
        switch (type) {
        case FRAME_PADDING:
            skip_padding(&at);
            break;
        case FRAME_PING:
            break;
        case FRAME_ACK:
        case FRAME_ACK_ECN:
            skip_ack(&at, type == FRAME_ACK_ECN);
            break;
        case FRAME_CRYPTO:
            offset = quic_integer(&at);
            take_crypto(c, crypto, offset, cursor_take(&at, (size_t)quic_integer(&at)));
            break;
        case FRAME_CLOSE:
            f->is_closed = true;
            f->server_closed = crypto == &f->crypto[1];
            f->close_code = quic_integer(&at);
            return true;
        default:
            return false;
        }
    }
    return !at.bad;
}

/* ---- Packets -------------------------------------------------------------------------------- */

static void set_id(struct quic_id *to, struct span id)
{
    to->size = (uint8_t)id.size;
    memcpy(to->bytes, id.data, id.size);
}

static struct span id_of(const struct quic_id *id)
{
    return span_of(id->bytes, id->size);
}

static bool is_id(const struct quic_id *id, struct span other)
{
    return span_equal(id_of(id), other);
}

/* A client's Initial. Until it is answered it may begin anew, with another id: behind a retry that
 * was not seen. */
static void begin(struct proto_context *c, const struct quic_packet *p, unsigned side)
{
    struct quic_flow *f = c->state;
    bool is_anew =
        !f->has_client || (!f->is_answered && !f->has_retry &&
                           (!is_id(&f->first_id, p->destination) || f->version != p->version));
    if (is_anew) {
        drop(c, &f->crypto[0]);
        f->client = (uint8_t)side;
        f->has_client = true;
        f->version = p->version;
        set_id(&f->first_id, p->destination);
        set_id(&f->begun_id, p->destination);
        set_id(&f->client_id, p->source);
    }
}

static struct quic_keys_cache *keys_of(const struct proto_context *c)
{
    struct quic_cache *cache = c->cache;
    return cache != NULL ? &cache->keys : NULL;
}

static void take_initial(struct proto_context *c, const struct quic_packet *p, bool is_server)
{
    struct quic_flow *f = c->state;
    struct quic_stats *stats = c->block;
    uint8_t memory[QUIC_INITIAL_MAX];
    if (f->opened == QUIC_OPENED_MAX) {
        return;
    }
    f->opened++;
    struct span frames = quic_open(p, id_of(&f->first_id), is_server, keys_of(c), memory);
    if (frames.size == 0) {
        stats->unopened++;
        return;
    }
    f->is_read = true;
    f->is_answered = f->is_answered || is_server;
    if (is_server) {
        set_id(&f->server_id, p->source);
    }
    f->version = p->version; /* a server may choose another one (RFC 9368 §2.3) */
    stats->malformed += !take_frames(c, &f->crypto[is_server], frames);
}

/* The client begins again with the id that the server gave, and so with other keys (RFC 9000 §17.2.5). */
static void take_retry(struct proto_context *c, const struct quic_packet *p)
{
    struct quic_flow *f = c->state;
    if (!f->is_answered && !f->has_retry) {
        f->has_retry = true;
        ((struct quic_stats *)c->block)->retries++;
        set_id(&f->first_id, p->source);
    }
}

static void take_negotiation(struct proto_context *c, const struct quic_packet *p)
{
    struct quic_flow *f = c->state;
    struct cursor at = cursor_of(p->versions);
    ((struct quic_stats *)c->block)->negotiations++;
    for (f->offered_count = 0; f->offered_count < QUIC_OFFERED_MAX && cursor_left(&at) >= 4;) {
        f->offered[f->offered_count++] = cursor_be32(&at);
    }
}

/* A client that sends with keys of its own has believed the server. */
static void take_short(struct quic_flow *f, bool is_server)
{
    struct span hello;
    if (!is_server && quic_flow_message(&f->crypto[1], SERVER_HELLO, &hello)) {
        f->is_complete = true;
    }
}

static void take_packet(struct proto_context *c, const struct quic_packet *p, unsigned side)
{
    struct quic_flow *f = c->state;
    bool is_server = f->has_client && side != f->client;
    switch (p->type) {
    case QUIC_INITIAL:
        if (!is_server) {
            begin(c, p, side);
        }
        if (quic_knows(p->version)) {
            take_initial(c, p, is_server);
        }
        break;
    case QUIC_RETRY:
        if (is_server) {
            take_retry(c, p);
        }
        break;
    case QUIC_NEGOTIATION:
        if (is_server) {
            take_negotiation(c, p);
        }
        break;
    case QUIC_SHORT:
        take_short(f, is_server);
        break;
    case QUIC_EARLY:
    case QUIC_HANDSHAKE:
        break;
    }
}

/* ---- Another connection --------------------------------------------------------------------- */

/* Whether the client says it of the connection that is known: all its Initial packets bear the same
 * id of its own, if it has one (RFC 9000 §7.2), and go to an id that it chose at first or that the
 * server gave it. */
static bool is_known(const struct quic_flow *f, const struct quic_packet *p)
{
    bool is_clients = f->client_id.size > 0 && is_id(&f->client_id, p->source);
    bool is_to_known = is_id(&f->first_id, p->destination) || is_id(&f->begun_id, p->destination) ||
                       is_id(&f->server_id, p->destination);
    return is_clients || is_to_known;
}

/* Whether a packet's own id opens it, as it does that of a client that begins. */
static bool opens_itself(struct proto_context *c, const struct quic_packet *p)
{
    struct quic_flow *f = c->state;
    uint8_t memory[QUIC_INITIAL_MAX];
    if (f->opened == QUIC_OPENED_MAX) {
        return false;
    }
    f->opened++;
    return quic_open(p, p->destination, false, keys_of(c), memory).size > 0;
}

/* Behind a negotiation the client asks for another connection (RFC 9000 §6.2), from the same port
 * or not; and ports are used again. */
static bool is_another(struct proto_context *c, const struct quic_packet *p, unsigned side)
{
    const struct quic_flow *f = c->state;
    if (p->type != QUIC_INITIAL || !f->has_client || side != f->client) {
        return false;
    }
    bool is_negotiated = f->offered_count > 0 && !f->is_answered && f->version != p->version;
    return is_negotiated || (!is_known(f, p) && (!quic_knows(p->version) || opens_itself(c, p)));
}

static void renew(struct proto_context *c)
{
    struct quic_flow *f = c->state;
    quic_flow_end(c, "timeout");
    *f = (struct quic_flow){.start_ns = c->now_ns};
}

void quic_flow_take(struct proto_context *c, struct span datagram, unsigned side)
{
    struct quic_flow *f = c->state;
    struct cursor at = cursor_of(datagram);
    struct quic_packet packet;
    f->start_ns = f->start_ns != 0 ? f->start_ns : c->now_ns;
    while (quic_next_packet(&at, &packet)) {
        if (is_another(c, &packet, side)) {
            renew(c);
        }
        if (f->is_over) {
            return;
        }
        f->last_ns = c->now_ns;
        take_packet(c, &packet, side);
        if (f->is_complete || f->is_closed) {
            quic_flow_end(c, f->is_complete ? NULL : "closed");
        }
    }
}
