// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/tls_flow.h"

#include "handshake/hello.h"
#include "proto/tls/tls_cache.h"
#include "proto/tls/tls_plain.h"
#include "proto/tls/tls_report.h"
#include "proto/tls/tls_v2_hello.h"

enum {
    BODY_FIRST = 2048, /* of a message that claims to be longer, until it shows to be */
    ALERT_RECORD = 19, /* TLS 1.3: two bytes, the inner type and the tag (RFC 8446 §5.2) */
};

static void drop(const struct proto_context *c, struct tls_message *message)
{
    slab_give(c->memory, message->bytes);
    *message = (struct tls_message){0};
}

static void drop_messages(struct proto_context *c)
{
    struct tls_flow *f = c->state;
    for (unsigned i = 0; i < 2; i++) {
        drop(c, &f->side[i].body);
        drop(c, &f->side[i].hello);
        drop(c, &f->side[i].certificates);
    }
    drop(c, &f->chosen);
}

static void drop_plain(struct proto_context *c)
{
    struct tls_flow *f = c->state;
    slab_give(c->memory, f->plain);
    f->plain = NULL;
}

void tls_flow_done(struct proto_context *c)
{
    drop_messages(c);
    drop_plain(c);
}

void tls_flow_end(struct proto_context *c, const char *reason)
{
    struct tls_flow *f = c->state;
    if (!f->is_reported) {
        f->is_reported = true;
        tls_report(c, reason);
        drop_messages(c);
    }
    f->is_over = f->is_over || reason != NULL || f->plain == NULL;
}

/* ---- Messages ------------------------------------------------------------------------------- */

static struct span body_of(const struct tls_side *side)
{
    return side->body.bytes != NULL ? span_of(side->body.bytes, side->body.size) : span_of("", 0);
}

/* Keeps the body at hand as `to`, instead of what was there. */
static void keep_body(const struct proto_context *c, struct tls_side *side, struct tls_message *to)
{
    drop(c, to);
    *to = side->body;
    side->body = (struct tls_message){0};
}

static void take_client_hello(struct proto_context *c, unsigned side)
{
    struct tls_flow *f = c->state;
    struct tls_side *s = &f->side[side];
    struct hello hello;
    /* The second one, that a server asked for, says less of the client than the first. */
    if (s->hello.bytes != NULL || (f->has_client && f->client != side) ||
        !hello_read(&hello, body_of(s), false)) {
        return;
    }
    f->client = (uint8_t)side;
    f->has_client = true;
    f->has_early_data = hello_find(&hello, HELLO_EARLY_DATA, NULL);
    keep_body(c, s, &s->hello);
}

static void take_server_hello(struct proto_context *c, unsigned side)
{
    struct tls_flow *f = c->state;
    struct tls_side *s = &f->side[side];
    struct hello hello;
    if ((f->has_client && f->client == side) ||
        !hello_read(&hello, body_of(s), true)) {
        return;
    }
    f->client = (uint8_t)(1 - side);
    f->has_client = true;
    f->version = hello_best_version(&hello);
    f->retried = f->retried || hello_is_retry(&hello);
    keep_body(c, s, &s->hello);
    const struct tls_message *asked = &f->side[f->client].hello;
    if (f->plain == NULL && asked->bytes != NULL && !hello_is_retry(&hello)) {
        f->plain = tls_plain_new(c, span_of(asked->bytes, asked->size),
                                 span_of(s->hello.bytes, s->hello.size));
    }
}

/* RFC 6066 §8, RFC 6960 §4.2.1: the status is the first thing in it. */
static void take_status(struct tls_flow *f, struct span body)
{
    static const uint8_t begin[] = {0x0a, 0x01}; /* an ENUMERATED of one byte */
    for (size_t at = 4; at + 3 <= body.size && at < 16; at++) {
        if (memcmp(body.data + at, begin, sizeof begin) == 0) {
            f->ocsp_response = (uint8_t)(body.data[at + 2] + 1);
            return;
        }
    }
}

/* RFC 8446 §4.3.1 */
static void take_choices(struct tls_flow *f)
{
    struct span list = f->chosen.bytes != NULL
                           ? hello_list(span_of(f->chosen.bytes, f->chosen.size), 2)
                           : span_of("", 0);
    const struct hello choices = {.is_server = true, .extensions = list};
    if (f->plain != NULL) {
        tls_plain_choose(f->plain, &choices);
    }
}

static void take_message(struct proto_context *c, unsigned side)
{
    struct tls_flow *f = c->state;
    struct tls_side *s = &f->side[side];
    switch (s->head[0]) {
    case TLS_CLIENT_HELLO:
        take_client_hello(c, side);
        break;
    case TLS_SERVER_HELLO:
        take_server_hello(c, side);
        break;
    case TLS_ENCRYPTED_EXTENSIONS:
        keep_body(c, s, &f->chosen);
        take_choices(f);
        break;
    case TLS_CERTIFICATE:
        keep_body(c, s, &s->certificates);
        break;
    case TLS_CERTIFICATE_STATUS:
        take_status(f, body_of(s));
        break;
    default:
        break;
    }
    drop(c, &s->body);
    s->head_have = 0;
}

/* Whether the message whose head is known is one whose body is read. */
static bool wants_body(uint8_t type)
{
    return type == TLS_CLIENT_HELLO || type == TLS_SERVER_HELLO || type == TLS_CERTIFICATE ||
           type == TLS_CERTIFICATE_STATUS || type == TLS_ENCRYPTED_EXTENSIONS;
}

/* The head of a message is whole. */
static void begin_message(struct proto_context *c, unsigned side)
{
    struct tls_flow *f = c->state;
    struct tls_stats *stats = c->block;
    struct tls_side *s = &f->side[side];
    uint8_t type = s->head[0];
    s->body_left = (uint32_t)s->head[1] << 16 | load_be16(s->head + 2);
    s->key_exchanged = s->key_exchanged || type == TLS_SERVER_KEY_EXCHANGE ||
                       type == TLS_CLIENT_KEY_EXCHANGE;
    f->certificate_requested = f->certificate_requested || type == TLS_CERTIFICATE_REQUEST;
    bool is_long = s->body_left > TLS_MESSAGE_MAX;
    stats->oversized += wants_body(type) && is_long;
    s->is_skipped = is_long || !wants_body(type);
}

/* Room for `size` more bytes of the body at hand; false when there is none. */
static bool grow_body(const struct proto_context *c, struct tls_side *s, size_t size)
{
    size_t wanted = s->body.size + size;
    if (s->body.bytes != NULL && wanted <= slab_room(s->body.bytes)) {
        return true;
    }
    size_t whole = s->body.size + s->body_left;
    size_t twice = 2 * wanted > BODY_FIRST ? 2 * wanted : BODY_FIRST;
    uint8_t *bytes = slab_grow(c->memory, s->body.bytes, whole < twice ? whole : twice);
    if (bytes == NULL) {
        return false;
    }
    s->body.bytes = bytes;
    return true;
}

/* Takes what is there of the body. */
static void take_body(struct proto_context *c, unsigned side, struct cursor *at)
{
    struct tls_flow *f = c->state;
    struct tls_side *s = &f->side[side];
    size_t left = cursor_left(at);
    struct span part = cursor_take(at, left < s->body_left ? left : s->body_left);
    if (!s->is_skipped && part.size > 0 && !grow_body(c, s, part.size)) {
        ((struct tls_stats *)c->block)->not_kept++;
        s->is_skipped = true;
        drop(c, &s->body);
    }
    if (!s->is_skipped && part.size > 0) {
        memcpy(s->body.bytes + s->body.size, part.data, part.size);
        s->body.size += (uint32_t)part.size;
    }
    s->body_left -= (uint32_t)part.size;
    if (s->body_left > 0) {
        return;
    }
    if (s->head[0] == TLS_FINISHED && f->plain != NULL) {
        tls_plain_finish(f->plain, side);
    }
    if (s->is_skipped) {
        s->head_have = 0;
    } else {
        take_message(c, side);
    }
}

/* Bytes of handshake records: messages, cut anywhere (RFC 8446 §5.1). */
static void take_handshake(struct proto_context *c, unsigned side, struct span data)
{
    struct tls_side *s = &((struct tls_flow *)c->state)->side[side];
    struct cursor at = cursor_of(data);
    while (cursor_left(&at) > 0) {
        if (s->head_have < TLS_MESSAGE_HEAD) {
            s->head[s->head_have++] = cursor_u8(&at);
            if (s->head_have < TLS_MESSAGE_HEAD) {
                continue;
            }
            begin_message(c, side);
        }
        take_body(c, side, &at);
    }
}

static void take_alert(struct proto_context *c, unsigned side, struct span data)
{
    struct tls_side *s = &((struct tls_flow *)c->state)->side[side];
    for (size_t i = 0; i < data.size; i++) {
        if (!s->has_alert_half) {
            s->alert_half = data.data[i];
        } else if (s->alert_count < TLS_ALERTS_MAX) {
            s->alerts[s->alert_count][0] = s->alert_half;
            s->alerts[s->alert_count++][1] = data.data[i];
            ((struct tls_stats *)c->block)->alerts++;
        }
        s->has_alert_half = !s->has_alert_half;
    }
}

/* ---- Records -------------------------------------------------------------------------------- */

/* Whether what a side sends in records of handshakes and alerts can be read. Behind ChangeCipherSpec
 * it cannot, but in TLS 1.3, where that means nothing and a second ClientHello may follow. */
static bool is_plain(const struct tls_flow *f, const struct tls_side *s)
{
    return !s->changed || f->version == HELLO_TLS_1_3;
}

/* An encrypted record of TLS 1.3. The client's first one behind the ServerHello tells how it took that:
 * its Finished is longer than an alert can be. What it sends early tells nothing of that kind. */
static void take_encrypted(struct tls_flow *f, unsigned side, size_t length)
{
    bool is_answered = f->version == HELLO_TLS_1_3 && f->side[1 - side].hello.bytes != NULL;
    if (side == f->client && is_answered && !f->finished) {
        f->finished = !f->has_early_data || f->side[1 - side].has_encrypted;
        f->refused = f->finished && !f->has_early_data && length == ALERT_RECORD;
    }
    f->side[side].has_encrypted = true;
}

static size_t record_size(const uint8_t *head)
{
    return TLS_RECORD_HEAD + (size_t)load_be16(head + 3);
}

/* Looks at the head of a record; false when it is none. */
static bool see_head(struct tls_flow *f, unsigned side, const uint8_t *head)
{
    size_t length = record_size(head) - TLS_RECORD_HEAD;
    bool is_again = f->version < HELLO_TLS_1_3 && f->side[side].changed; /* sealed */
    if (head[0] < TLS_CHANGE_CIPHER || head[0] > TLS_HEARTBEAT || head[1] != 3 ||
        length > TLS_RECORD_MAX ||
        (head[0] == TLS_CHANGE_CIPHER && length != 1 && !is_again)) {
        return false;
    }
    if (head[0] == TLS_CHANGE_CIPHER) {
        f->side[side].changed = true;
    } else if (head[0] == TLS_DATA && f->has_client) {
        take_encrypted(f, side, length);
    }
    return true;
}

/* The bytes of a record whose head was seen ahead are taken. */
static void unscan(struct tls_side *s, size_t size)
{
    s->scanned -= (uint32_t)(size < s->scanned ? size : s->scanned);
}

/* Takes the head of a record; false when it is none. */
static bool begin_record(struct tls_flow *f, unsigned side, const uint8_t *head)
{
    struct tls_side *s = &f->side[side];
    if (s->scanned == 0 && !see_head(f, side, head)) {
        return false;
    }
    unscan(s, record_size(head));
    s->record_type = head[0];
    s->record_left = load_be16(head + 3);
    return true;
}

static void take_payload(struct proto_context *c, unsigned side, struct cursor *at)
{
    struct tls_flow *f = c->state;
    struct tls_side *s = &f->side[side];
    size_t left = cursor_left(at);
    struct span part = cursor_take(at, left < s->record_left ? left : s->record_left);
    s->record_left = (uint16_t)(s->record_left - part.size);
    if (s->record_type == TLS_HANDSHAKE && is_plain(f, s)) {
        take_handshake(c, side, part);
    } else if (s->record_type == TLS_ALERT && is_plain(f, s)) {
        take_alert(c, side, part);
    }
}

/* Whether the handshake has come to its end: both sides encrypt. Of TLS 1.3 the rest may be told, too,
 * where it can be opened, or perhaps soon. */
static bool is_finished(const struct tls_flow *f)
{
    if (f->version != HELLO_TLS_1_3) {
        return f->side[0].changed && f->side[1].changed;
    }
    return f->finished && (f->refused || f->plain == NULL || tls_plain_is_settled(f->plain));
}

/* ---- Sealed records ------------------------------------------------------------------------- */

/* Whether sealed records of a side have to wait for the other one's hello: what a client says early is
 * opened by what a server chooses. */
static bool is_early(const struct proto_context *c, unsigned side)
{
    const struct tls_flow *f = c->state;
    return key_log_is_of_use(c->keys) && f->has_early_data && side == f->client && !f->is_reported &&
           f->side[1 - side].hello.bytes == NULL;
}

/* Whether a record is one that a key has to open. */
static bool is_sealed(const struct proto_context *c, unsigned side, uint8_t type)
{
    const struct tls_flow *f = c->state;
    if (f->plain == NULL) {
        return type == TLS_DATA && is_early(c, side);
    }
    return f->version == HELLO_TLS_1_3 ? type == TLS_DATA : f->side[side].changed;
}

/* Looks ahead at the heads of records that may have to wait for their key, so that the handshake's end
 * is seen in time; false at what is no record. */
static bool scan(struct tls_flow *f, unsigned side, struct span data)
{
    struct tls_side *s = &f->side[side];
    while (s->scanned + TLS_RECORD_HEAD <= data.size) {
        const uint8_t *head = data.data + s->scanned;
        if (!see_head(f, side, head)) {
            return false;
        }
        s->scanned += (uint32_t)record_size(head);
    }
    return true;
}

static void give_up(struct proto_context *c)
{
    ((struct tls_stats *)c->block)->unopened++;
    tls_flow_end(c, "undecipherable");
}

/* What was in a record. Of TLS 1.3 that may be the handshake, up to the report. */
static void take_opened(struct proto_context *c, unsigned side, const struct tls_plain_record *opened,
                        struct span *ret)
{
    const struct tls_flow *f = c->state;
    bool is_told = f->version == HELLO_TLS_1_3 && !f->is_reported;
    if (opened->type == TLS_DATA) {
        *ret = opened->data;
    } else if (f->version < HELLO_TLS_1_3) {
        if (!tls_plain_renegotiate(f->plain, c, side, opened)) {
            give_up(c);
        }
    } else if (opened->type == TLS_HANDSHAKE && is_told) {
        take_handshake(c, side, opened->data);
    } else if (opened->type == TLS_ALERT && is_told) {
        take_alert(c, side, opened->data);
    }
    ((struct tls_stats *)c->block)->opened_bytes += ret->size;
}

/* Takes a sealed record, if it is whole and can be opened by now; false when nothing was taken. */
static bool take_sealed(struct proto_context *c, unsigned side, struct cursor *at, struct span *ret)
{
    struct tls_flow *f = c->state;
    struct tls_side *s = &f->side[side];
    if (!scan(f, side, span_of(at->at, cursor_left(at)))) {
        ((struct tls_stats *)c->block)->malformed++;
        tls_flow_end(c, "malformed");
        return false;
    }
    enum tls_plain_wait wait =
        f->plain != NULL ? tls_plain_ready(f->plain, c, side) : TLS_PLAIN_WAITING;
    if (wait == TLS_PLAIN_LOST) {
        ((struct tls_stats *)c->block)->unopened += f->plain->since_ns == 0;
        drop_plain(c);
        return true;
    }
    size_t size = record_size(at->at);
    if (wait == TLS_PLAIN_WAITING || cursor_left(at) < size) {
        return false;
    }
    struct span record = cursor_take(at, size);
    unscan(s, size);
    struct tls_plain_record opened;
    if (!tls_plain_open(f->plain, &((struct tls_cache *)c->cache)->opener, side, record, &opened)) {
        give_up(c);
        return true;
    }
    take_opened(c, side, &opened, ret);
    return true;
}

/* ---- Hellos of SSL 2.0's form ---------------------------------------------------------------- */

/* Whether a hello of that form may come next: it is the first that a client says. */
static bool may_be_v2(const struct tls_flow *f, unsigned side, const uint8_t *head)
{
    const struct tls_side *s = &f->side[side];
    return *head >= 0x80 && s->record_type == 0 && s->hello.bytes == NULL &&
           !(f->has_client && f->client != side);
}

/* Takes one; false when it is not whole yet. What is none is left to be told as malformed. */
static bool take_v2_hello(struct proto_context *c, unsigned side, struct cursor *at)
{
    struct tls_flow *f = c->state;
    struct tls_side *s = &f->side[side];
    struct span data = span_of(at->at, cursor_left(at));
    int is_one = tls_v2_hello_probe(data);
    if (is_one == 0 || (is_one > 0 && data.size < tls_v2_hello_size(data.data))) {
        return false;
    }
    if (is_one < 0) {
        ((struct tls_stats *)c->block)->malformed++;
        tls_flow_end(c, "malformed");
        return true;
    }
    uint8_t body[TLS_V2_BODY];
    struct span hello = cursor_take(at, tls_v2_hello_size(data.data));
    size_t size = tls_v2_hello_body(hello, body);
    s->record_type = TLS_HANDSHAKE;
    s->body_left = (uint32_t)size;
    if (grow_body(c, s, size)) {
        memcpy(s->body.bytes, body, size);
        s->body.size = (uint32_t)size;
        take_client_hello(c, side);
    } else {
        ((struct tls_stats *)c->block)->not_kept++;
        f->client = (uint8_t)side;
        f->has_client = true;
    }
    drop(c, &s->body);
    s->body_left = 0;
    return true;
}

/* ---- The whole ------------------------------------------------------------------------------ */

/* Takes what comes next; false when it needs more bytes, or a key. */
static bool take_some(struct proto_context *c, unsigned side, struct cursor *at, struct span *ret)
{
    struct tls_flow *f = c->state;
    struct tls_side *s = &f->side[side];
    if (s->record_left > 0) {
        take_payload(c, side, at);
        return s->record_left == 0;
    }
    if (cursor_left(at) < TLS_RECORD_HEAD) {
        return false;
    }
    if (may_be_v2(f, side, at->at)) {
        return take_v2_hello(c, side, at);
    }
    if (is_sealed(c, side, *at->at)) {
        return take_sealed(c, side, at, ret);
    }
    if (!begin_record(f, side, cursor_take(at, TLS_RECORD_HEAD).data)) {
        ((struct tls_stats *)c->block)->malformed++;
        tls_flow_end(c, "malformed");
    }
    return true;
}

bool tls_flow_waits(const struct proto_context *c, unsigned side)
{
    const struct tls_flow *f = c->state;
    const struct tls_side *s = &f->side[side];
    if (f->plain == NULL || s->record_left > 0) {
        return s->record_left == 0 && is_early(c, side);
    }
    bool is_sealed_side = f->version == HELLO_TLS_1_3 || s->changed;
    return is_sealed_side && (f->plain->since_ns != 0 ||
                              tls_plain_ready(f->plain, c, side) == TLS_PLAIN_WAITING);
}

struct span tls_flow_agreed(const struct tls_flow *f)
{
    return f->plain != NULL ? span_of(f->plain->agreed, f->plain->agreed_size) : span_of("", 0);
}

size_t tls_flow_read(struct proto_context *c, const struct proto_chunk *chunk, struct span *ret)
{
    struct tls_flow *f = c->state;
    struct cursor at = cursor_of(chunk->data);
    f->start_ns = f->start_ns != 0 ? f->start_ns : chunk->time_ns;
    if (!f->finished && chunk->time_ns > f->last_ns) {
        f->last_ns = chunk->time_ns;
    }
    *ret = span_of("", 0);
    bool goes_on = true;
    while (goes_on && !f->is_over && ret->size == 0) {
        goes_on = take_some(c, chunk->side, &at, ret);
        if (is_finished(f)) {
            tls_flow_end(c, NULL);
        }
    }
    return (size_t)(at.at - chunk->data.data);
}

/* A hole within a record that lies within a message, or in what is not read, does no harm to what
 * follows; any other leaves nothing to go by. */
void tls_flow_gap(struct proto_context *c, unsigned side, uint32_t length)
{
    struct tls_flow *f = c->state;
    struct tls_stats *stats = c->block;
    struct tls_side *s = &f->side[side];
    stats->gaps++;
    stats->gap_bytes += length;
    f->lossy = true;
    bool is_message = s->record_type == TLS_HANDSHAKE && is_plain(f, s);
    bool is_within = !is_message || (s->head_have == TLS_MESSAGE_HEAD && length <= s->body_left);
    if (f->is_reported || f->plain != NULL || length > s->record_left || !is_within) {
        tls_flow_end(c, "gap");
        return;
    }
    s->record_left = (uint16_t)(s->record_left - length);
    if (is_message) {
        s->body_left -= length;
        s->is_skipped = true;
        drop(c, &s->body);
        s->head_have = s->body_left > 0 ? TLS_MESSAGE_HEAD : 0;
    }
}
