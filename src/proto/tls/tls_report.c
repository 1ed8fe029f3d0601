// SPDX-License-Identifier: Apache-2.0
#include "proto/tls/tls_report.h"

#include "handshake/hello_event.h"
#include "handshake/hello_names.h"
#include "proto/tls/tls_cache.h"

enum { RAW_FACTOR = 2 /* of certificates as PEM in JSON: 4/3, line ends, and something over */ };

/* ---- What is shown -------------------------------------------------------------------------- */

static bool has_word(const struct text_list *list, const char *word)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static struct hello_show show_of(const struct proto_context *c)
{
    const struct tls_options *o = (const struct tls_options *)(const void *)c->settings;
    return (struct hello_show){
        .detailed = o->include_detailed_fields,
        .certificates = o->send_certificates,
        .raw_certificates = o->include_raw_certificates,
        .hashes = (uint8_t)((has_word(&o->fingerprints, "md5") ? HELLO_MD5 : 0) |
                            (has_word(&o->fingerprints, "sha1") ? HELLO_SHA1 : 0) |
                            (has_word(&o->fingerprints, "sha256") ? HELLO_SHA256 : 0)),
        .prints = (uint8_t)((o->ja3 ? HELLO_JA3 : 0) | (o->ja3s ? HELLO_JA3S : 0) |
                            (o->ja4 ? HELLO_JA4 : 0)),
        .transport = 't',
        .cache = o->include_raw_certificates ? NULL : tls_cache_hellos(c),
    };
}

static size_t scratch_size(const struct tls_flow *f, const struct hello_show *show)
{
    size_t size = HELLO_EVENT_SCRATCH;
    for (unsigned i = 0; i < 2 && show->raw_certificates; i++) {
        size += RAW_FACTOR * (size_t)f->side[i].certificates.size;
    }
    return size;
}

/* ---- The parts ------------------------------------------------------------------------------ */

/* Whether keys of an earlier session are used, and how that was agreed upon. In TLS 1.3 a session id that
 * is echoed means nothing (RFC 8446 §4.1.3), a chosen pre-shared key does; which of the two words stands
 * for that follows Packetbeat, for which an echo is an id. Before, a ticket is taken to be what was
 * accepted even where an id came with it, as RFC 5077 §3.4 wants it to. */
static const char *resumption(const struct tls_flow *f, const struct hello *client,
                              const struct hello *server)
{
    struct span ticket = span_of("", 0);
    if (client == NULL || server == NULL) {
        return NULL;
    }
    bool same_id = client->session_id.size > 0 && span_equal(client->session_id, server->session_id);
    if (f->version == HELLO_TLS_1_3) {
        return !hello_find(server, HELLO_PRE_SHARED_KEY, NULL) ? NULL : same_id ? "id" : "ticket";
    }
    bool offered = hello_find(client, HELLO_TICKET, &ticket) && ticket.size > 0;
    bool accepted = same_id || (offered && hello_find(server, HELLO_TICKET, NULL));
    if (!accepted || f->side[0].key_exchanged || f->side[1].key_exchanged) {
        return NULL;
    }
    return offered ? "ticket" : "id";
}

static const char *ocsp_name(uint8_t status_plus_1)
{
    static const char *const names[] = {"successful",         "malformed_request", "internal_error",
                                        "try_later",          NULL,                "sig_required",
                                        "unauthorized"}; /* RFC 6960 §4.2.1 */
    unsigned status = status_plus_1 - 1U;
    return status < sizeof names / sizeof *names ? names[status] : NULL;
}

struct alerts {
    unsigned count;
    struct hello_alert items[2 * TLS_ALERTS_MAX];
    struct span types[2 * TLS_ALERTS_MAX];
};

static void tell_alerts(struct alerts *to, const struct tls_side *side, const char *source)
{
    for (unsigned i = 0; i < side->alert_count; i++) {
        uint8_t level = side->alerts[i][0], code = side->alerts[i][1];
        const char *name = hello_alert_name(code);
        to->types[to->count] = span_str(name != NULL ? name : "(unknown)");
        to->items[to->count] = (struct hello_alert){
            .code = code,
            .severity = level == 1 ? "warning" : level == 2 ? "fatal" : "(unknown)",
            .source = source,
            .type = to->types[to->count],
        };
        to->count++;
    }
}

/* A side's certificates without what stands before them: a length, in TLS 1.3 a context before it (RFC
 * 8446 §4.4.2). Empty where it has none. */
static struct span certificates_of(const struct tls_flow *f, unsigned side)
{
    const struct tls_message *m = &f->side[side].certificates;
    struct span body = span_of(m->bytes, m->size);
    if (f->version == HELLO_TLS_1_3 && body.size > 0) {
        body = span_skip(body, 1U + body.data[0]);
    }
    return body.size > 3 ? span_skip(body, 3) : span_of(NULL, 0);
}

static void tell_certificates(struct hello_identity *to, struct scratch *scratch,
                              const struct tls_flow *f, unsigned side,
                              const struct hello_show *show)
{
    struct span list = certificates_of(f, side);
    if (list.size > 0) {
        hello_identity_fill(to, scratch, list, f->version == HELLO_TLS_1_3, show);
    }
}

/* What is spoken inside is said in the ServerHello; in TLS 1.3 behind it, sealed (RFC 8446 §4.3.1). */
static void tell_choices(struct hello_event *e, const struct tls_flow *f)
{
    if (f->chosen.bytes != NULL) {
        struct span list = hello_list(span_of(f->chosen.bytes, f->chosen.size), 2);
        struct hello choices = {.is_server = true, .extensions = list};
        e->next_protocol = hello_first_protocol(&choices);
    }
}

static const struct hello *read_hello(struct hello *to, const struct tls_side *side, bool is_server)
{
    bool is_one = side->hello.bytes != NULL &&
                  hello_read(to, span_of(side->hello.bytes, side->hello.size), is_server);
    return is_one ? to : NULL;
}

static void fill(struct hello_event *e, struct scratch *scratch, const struct tls_flow *f,
                 const struct hello_show *show)
{
    unsigned client = f->client, server = 1U - f->client;
    struct hello hellos[2];
    const struct hello *asked = read_hello(&hellos[0], &f->side[client], false);
    const struct hello *answered = read_hello(&hellos[1], &f->side[server], true);
    if (asked != NULL) {
        hello_event_client(e, scratch, asked, show);
    }
    if (answered != NULL) {
        hello_event_server(e, scratch, answered, show);
    } else if (asked != NULL) { /* nothing was agreed upon: as Packetbeat says, what stands in front */
        hello_event_version(e, asked->version, show);
    }
    tell_choices(e, f);
    tell_certificates(&e->server, scratch, f, server, show);
    tell_certificates(&e->client, scratch, f, client, show);
    const char *method = resumption(f, asked, answered);
    e->resumed = method != NULL ? 2 : 1;
    if (show->detailed) {
        e->resumption_method = method;
        e->certificate_requested = f->certificate_requested ? 2 : 1;
        e->ocsp_response = f->ocsp_response != 0 ? ocsp_name(f->ocsp_response) : NULL;
    }
}

/* ---- The whole ------------------------------------------------------------------------------ */

static bool is_established(const struct tls_flow *f)
{
    if (f->version == HELLO_TLS_1_3 && (f->finished || f->retried)) {
        return f->finished && !f->refused;
    }
    return f->side[0].changed && f->side[1].changed;
}

static unsigned version_class(uint16_t version)
{
    unsigned i = version - 0x02ffU; /* 1: SSL 3.0 */
    return version > 0x02ff && i < TLS_VERSIONS ? i : 0;
}

static void count(struct tls_stats *stats, const struct tls_flow *f, const struct hello_event *e)
{
    bool established = e->established == 2;
    stats->handshakes++;
    stats->established += established;
    stats->failed += !established;
    stats->resumed += e->resumed == 2;
    stats->versions[version_class(f->version)]++;
    stats->client_certificates += certificates_of(f, f->client).size > 0;
    stats->unanswered += f->side[1 - f->client].hello.bytes == NULL &&
                         f->side[1 - f->client].alert_count == 0;
}

static void tell_transaction(struct transaction *t, const struct tls_flow *f, bool established,
                             const char *reason)
{
    static const struct span lossy = {(const uint8_t *)"Packet loss while capturing the handshake", 41};
    const struct tls_side *server = &f->side[1 - f->client];
    bool answered = server->hello.bytes != NULL || server->alert_count > 0 || server->changed;
    t->start_ns = f->start_ns;
    t->end_ns = answered ? f->last_ns : 0;
    t->request_side = f->client;
    t->status = established ? TRANSACTION_OK : TRANSACTION_ERROR;
    t->reason = established ? NULL : reason;
    if (f->lossy) {
        t->notes = (struct event_spans){.count = 1, .items = &lossy};
    }
}

/* Whether anything of a handshake was seen. */
static bool has_news(const struct tls_side *side)
{
    return side->hello.bytes != NULL || side->certificates.bytes != NULL || side->alert_count > 0;
}

void tls_report(struct proto_context *c, const char *reason)
{
    const struct tls_flow *f = c->state;
    const struct hello_show show = show_of(c);
    if (!has_news(&f->side[0]) && !has_news(&f->side[1])) {
        return;
    }
    hello_cache_turn(show.cache);
    uint64_t little = 0; /* without memory the event says what needs none */
    size_t size = scratch_size(f, &show);
    void *memory = slab_take(c->memory, size);
    struct scratch scratch = memory != NULL ? scratch_of(memory, size) : scratch_of(&little, 0);
    struct hello_event e = {.transaction.head.type = &hello_event_tls};
    struct alerts alerts = {.count = 0};
    fill(&e, &scratch, f, &show);
    tell_alerts(&alerts, &f->side[f->client], "client");
    tell_alerts(&alerts, &f->side[1 - f->client], "server");
    if (show.detailed) {
        e.alerts = (struct event_items){.count = alerts.count, .items = alerts.items};
        e.alert_types = (struct event_spans){.count = alerts.count, .items = alerts.types};
    }
    e.established = is_established(f) ? 2 : 1;
    tell_transaction(&e.transaction, f, e.established == 2, reason);
    count(c->block, f, &e);
    event_log_add(c->events, &e.transaction.head);
    slab_give(c->memory, memory);
}
