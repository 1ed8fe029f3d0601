// SPDX-License-Identifier: Apache-2.0
#include "proto/quic/quic_report.h"

#include "base/json.h"
#include "handshake/hello_names.h"

enum {
    CLIENT_HELLO = 1,
    SERVER_HELLO = 2,
    VERSION_ROOM = 32, /* "draft-29", "0x1a2a3a4a", and what writing a number may take */
    ID_ROOM = 2 * QUIC_ID_MAX + 1,
};

/* Texts that the event borrows. */
struct texts {
    char version[VERSION_ROOM];
    char client_id[ID_ROOM];
    char server_id[ID_ROOM];
    char offered[QUIC_OFFERED_MAX][VERSION_ROOM];
    struct span offered_spans[QUIC_OFFERED_MAX];
};

/* "1", "2", "draft-29", or the number in hexadecimal. */
static struct span version_text(char to[VERSION_ROOM], uint32_t version)
{
    uint8_t bytes[] = {(uint8_t)(version >> 24), (uint8_t)(version >> 16), (uint8_t)(version >> 8),
                       (uint8_t)version};
    if (version == QUIC_VERSION_1 || version == QUIC_VERSION_2) {
        return span_str(version == QUIC_VERSION_1 ? "1" : "2");
    }
    if (version >> 8 == 0xff0000) {
        memcpy(to, "draft-", 6);
        return span_of(to, (size_t)(json_digits(to + 6, version & 0xff) - to));
    }
    memcpy(to, "0x", 2);
    fingerprint_hex(to + 2, span_of(bytes, sizeof bytes), false);
    return span_str(to);
}

static void tell_quic(struct hello_event *e, struct texts *texts, const struct quic_flow *f)
{
    e->quic_version = version_text(texts->version, f->version);
    e->quic_retry = f->has_retry;
    fingerprint_hex(texts->client_id, span_of(f->client_id.bytes, f->client_id.size), false);
    fingerprint_hex(texts->server_id, span_of(f->first_id.bytes, f->first_id.size), false);
    e->quic_client_id = span_str(texts->client_id);
    e->quic_server_id = span_str(texts->server_id);
    for (unsigned i = 0; i < f->offered_count; i++) {
        texts->offered_spans[i] = version_text(texts->offered[i], f->offered[i]);
    }
    e->quic_offered = (struct event_spans){.count = f->offered_count, .items = texts->offered_spans};
}

static struct hello_show show_of(const struct proto_context *c)
{
    const struct quic_options *o = (const struct quic_options *)(const void *)c->settings;
    struct quic_cache *cache = c->cache;
    return (struct hello_show){
        .detailed = o->include_detailed_fields,
        .prints = (uint8_t)((o->ja3 ? HELLO_JA3 : 0) | (o->ja3s ? HELLO_JA3S : 0) |
                            (o->ja4 ? HELLO_JA4 : 0)),
        .transport = 'q',
        .cache = cache != NULL ? &cache->hello : NULL,
    };
}

/* The hellos, as far as they are there; whether the server's is. */
static bool tell_hellos(struct hello_event *e, struct scratch *scratch,
                        const struct proto_context *c)
{
    const struct quic_flow *f = c->state;
    const struct hello_show show = show_of(c);
    hello_cache_turn(show.cache);
    struct span body;
    struct hello hello;
    if (quic_flow_message(&f->crypto[0], CLIENT_HELLO, &body) && hello_read(&hello, body, false)) {
        hello_event_client(e, scratch, &hello, &show);
    }
    if (!quic_flow_message(&f->crypto[1], SERVER_HELLO, &body) || !hello_read(&hello, body, true)) {
        return false;
    }
    hello_event_server(e, scratch, &hello, &show);
    bool resumed = hello_find(&hello, HELLO_PRE_SHARED_KEY, NULL);
    e->resumed = resumed ? 2 : 1;
    e->resumption_method = resumed && show.detailed ? "psk" : NULL;
    return true;
}

/* An alert comes as the code of a close (RFC 9001 §4.8). */
static void tell_alert(struct hello_event *e, struct hello_alert *alert, const struct quic_flow *f)
{
    enum { ALERTS = 0x100, ALERTS_END = 0x200 };
    if (!f->is_closed || f->close_code < ALERTS || f->close_code >= ALERTS_END) {
        return;
    }
    alert->code = (uint8_t)(f->close_code - ALERTS);
    const char *name = hello_alert_name(alert->code);
    alert->severity = "fatal";
    alert->source = f->server_closed ? "server" : "client";
    alert->type = span_str(name != NULL ? name : "(unknown)");
    e->alerts = (struct event_items){.count = 1, .items = alert};
    e->alert_types = (struct event_spans){.count = 1, .items = &alert->type};
}

static unsigned version_class(uint32_t version)
{
    return version == QUIC_VERSION_1       ? 1
           : version == QUIC_VERSION_2     ? 2
           : version >> 8 == 0xff0000      ? 3
                                           : 0;
}

static void count(struct quic_stats *stats, const struct quic_flow *f)
{
    stats->handshakes++;
    stats->established += f->is_complete;
    stats->failed += !f->is_complete;
    stats->versions[version_class(f->version)]++;
    stats->unanswered += !f->is_answered && f->offered_count == 0;
}

void quic_report(struct proto_context *c, const char *reason)
{
    const struct quic_flow *f = c->state;
    if (!f->has_client) {
        return;
    }
    uint64_t little = 0; /* without memory the event says what needs none */
    void *memory = slab_take(c->memory, HELLO_EVENT_SCRATCH);
    struct scratch scratch =
        memory != NULL ? scratch_of(memory, HELLO_EVENT_SCRATCH) : scratch_of(&little, 0);
    struct hello_event e = {.transaction.head.type = &hello_event_quic};
    struct texts texts;
    tell_quic(&e, &texts, f);
    bool answered = tell_hellos(&e, &scratch, c);
    struct hello_alert alert;
    tell_alert(&e, &alert, f);
    e.established = f->is_complete ? 2 : 1;
    e.transaction.start_ns = f->start_ns;
    e.transaction.end_ns = answered || f->is_answered || f->offered_count > 0 ? f->last_ns : 0;
    e.transaction.request_side = f->client;
    e.transaction.status = f->is_complete ? TRANSACTION_OK : TRANSACTION_ERROR;
    e.transaction.reason = f->is_complete ? NULL : reason;
    count(c->block, f);
    event_log_add(c->events, &e.transaction.head);
    slab_give(c->memory, memory);
}
