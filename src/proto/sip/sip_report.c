// SPDX-License-Identifier: Apache-2.0
#include "proto/sip/sip_report.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>

#include "base/writer.h"
#include "proto/proto_cut.h"

enum {
    ITEMS_MAX = 32,
    RELATED_MAX = 8,
    LOWER_MAX = 1024,
    ACTION_MAX = 40,
    NUMBER_ROOM = 24,
    FAILURE = 400,
};

/* What an event refers to. */
struct scratch {
    struct span allow[ITEMS_MAX];
    struct span supported[ITEMS_MAX];
    struct span hosts[RELATED_MAX];
    struct span users[RELATED_MAX];
    char lower[LOWER_MAX];
    char action[ACTION_MAX];
};

static struct event_optional number_of(struct span text)
{
    int64_t value = sip_number(text);
    return (struct event_optional){.present = value >= 0, .value = value > 0 ? (uint64_t)value : 0};
}

static void add_once(struct event_spans *list, struct span *room, struct span item)
{
    list->items = room;
    for (uint32_t i = 0; i < list->count; i++) {
        if (span_equal(room[i], item)) {
            return;
        }
    }
    if (item.size > 0 && list->count < RELATED_MAX) {
        room[list->count++] = item;
    }
}

static void show_uri(struct sip_event *e, struct scratch *s, struct sip_shown_uri *to,
                     const struct sip_uri *uri)
{
    *to = (struct sip_shown_uri){.host = uri->host,
                                 .original = uri->original,
                                 .scheme = uri->scheme,
                                 .username = uri->user,
                                 .port = {.present = uri->port >= 0, .value = (uint64_t)uri->port}};
    add_once(&e->hosts, s->hosts, uri->host);
    add_once(&e->users, s->users, uri->user);
}

/* Items between commas. */
static struct event_spans list_of(struct span text, struct span room[ITEMS_MAX])
{
    uint32_t count = 0;
    while (text.size > 0 && count < ITEMS_MAX) {
        struct span item = sip_trim(sip_next(&text, ','));
        if (item.size > 0) {
            room[count++] = item;
        }
    }
    return (struct event_spans){count, room};
}

static void show_lists(struct sip_event *e, const struct sip_message *m, struct scratch *s)
{
    struct writer w = writer_of(s->lower, sizeof s->lower);
    writer_lower(&w, m->header[SIP_ALLOW]);
    e->allow = list_of(writer_since(&w, (uint8_t *)s->lower), s->allow);
    uint8_t *accept = w.at;
    writer_lower(&w, m->header[SIP_ACCEPT]);
    e->accept = writer_since(&w, accept);
    e->supported = list_of(m->header[SIP_SUPPORTED], s->supported);
    e->via = (struct event_spans){m->vias, m->via};
}

/* ---- Addresses ------------------------------------------------------------------------------ */

static double decimal_of(struct span text)
{
    char room[NUMBER_ROOM];
    size_t size = text.size < sizeof room - 1 ? text.size : sizeof room - 1;
    if (size > 0) {
        memcpy(room, text.data, size);
    }
    room[size] = '\0';
    return size > 0 ? strtod(room, NULL) : (double)__builtin_nanf("");
}

static void show_contact(struct sip_event *e, const struct sip_message *m, struct scratch *s)
{
    e->q = (double)__builtin_nanf("");
    if (m->header[SIP_CONTACT].size == 0 || m->header[SIP_CONTACT].data[0] == '*') {
        return;
    }
    struct sip_address a = sip_address_read(m->header[SIP_CONTACT]);
    show_uri(e, s, &e->contact, &a.uri);
    e->contact_display = a.display;
    e->contact_line = sip_parameter(a.uri.parameters, "line", ';');
    e->contact_transport = sip_parameter(a.uri.parameters, "transport", ';');
    e->expires = number_of(sip_parameter(a.parameters, "expires", ';'));
    e->q = decimal_of(sip_parameter(a.parameters, "q", ';'));
}

static void show_addresses(struct sip_event *e, const struct sip_message *m, struct scratch *s)
{
    if (m->is_request) {
        struct sip_uri uri = sip_uri_read(m->uri);
        show_uri(e, s, &e->uri, &uri);
    }
    if (m->header[SIP_P_ASSOCIATED_URI].size > 0) {
        struct sip_address a = sip_address_read(m->header[SIP_P_ASSOCIATED_URI]);
        show_uri(e, s, &e->private_uri, &a.uri);
    }
    struct sip_address from = sip_address_read(m->header[SIP_FROM]);
    show_uri(e, s, &e->from, &from.uri);
    e->from_display = from.display;
    e->from_tag = sip_parameter(from.parameters, "tag", ';');
    struct sip_address to = sip_address_read(m->header[SIP_TO]);
    show_uri(e, s, &e->to, &to.uri);
    e->to_display = to.display;
    e->to_tag = sip_parameter(to.parameters, "tag", ';');
    show_contact(e, m, s);
}

/* Who logs in, and to what; not with what. */
static void show_login(struct sip_event *e, const struct sip_message *m, struct scratch *s)
{
    struct span value = m->header[SIP_AUTHORIZATION].size > 0 ? m->header[SIP_AUTHORIZATION]
                                                              : m->header[SIP_PROXY_AUTHORIZATION];
    if (value.size == 0) {
        return;
    }
    e->transaction.category_json = "[\"network\",\"authentication\"]";
    e->auth_scheme = sip_next(&value, ' ');
    e->realm = sip_parameter(value, "realm", ',');
    e->transaction.user_name = sip_parameter(value, "username", ',');
    add_once(&e->users, s->users, e->transaction.user_name);
    struct sip_uri uri = sip_uri_read(sip_parameter(value, "uri", ','));
    e->auth = (struct sip_shown_uri){.host = uri.host,
                                     .original = uri.original,
                                     .scheme = uri.scheme,
                                     .port = {uri.port >= 0 ? (uint64_t)uri.port : 0, uri.port >= 0}};
}

/* ---- Sessions (RFC 4566) -------------------------------------------------------------------- */

static struct span last_word(struct span text)
{
    struct span word = text;
    while (text.size > 0) {
        word = sip_next(&text, ' ');
    }
    return word;
}

static void show_line(struct sip_event *e, struct scratch *s, uint8_t type, struct span value)
{
    struct span rest = value;
    switch (type) {
    case 'v':
        e->sdp_version = value;
        break;
    case 'o':
        e->owner_user = sip_next(&rest, ' ');
        e->owner_session = sip_next(&rest, ' ');
        e->owner_version = sip_next(&rest, ' ');
        e->owner_ip = last_word(rest);
        if (span_equal(e->owner_user, span_str("-"))) { /* RFC 8866 §5.2: there is none */
            e->owner_user = span_of(NULL, 0);
        } else {
            add_once(&e->users, s->users, e->owner_user);
        }
        add_once(&e->hosts, s->hosts, e->owner_ip);
        break;
    case 's':
        e->session_name = span_equal(value, span_str("-")) ? span_of(NULL, 0) : value; /* §5.3 */
        break;
    case 'c': /* that of the session comes first */
        if (e->connection_info.size == 0) {
            e->connection_info = value;
            e->connection_address = last_word(value);
            add_once(&e->hosts, s->hosts, e->connection_address);
        }
        break;
    default:
        break;
    }
}

static void show_session(struct sip_event *e, const struct sip_message *m, struct scratch *s)
{
    struct span rest = m->body;
    struct span type = m->header[SIP_CONTENT_TYPE];
    struct span kind = sip_trim(sip_next(&type, ';'));
    bool is_session = kind.size == 15 &&
                      strncasecmp((const char *)kind.data, "application/sdp", kind.size) == 0;
    if (!is_session || rest.size == 0) {
        return;
    }
    e->body = rest;
    while (rest.size > 0) {
        struct span line = sip_trim(sip_next(&rest, '\n'));
        if (line.size > 2 && line.data[1] == '=') {
            show_line(e, s, line.data[0], span_skip(line, 2));
        }
    }
}

/* ---- The event ------------------------------------------------------------------------------ */

static void show_state(struct sip_event *e, const struct sip_message *m, struct scratch *s)
{
    struct transaction *t = &e->transaction;
    struct span cseq = m->header[SIP_CSEQ];
    e->sequence = number_of(sip_next(&cseq, ' '));
    e->cseq_method = sip_trim(cseq);
    e->method = m->method;
    e->phrase = m->phrase;
    e->type = m->is_request ? "request" : "response";
    e->version = "2.0";
    e->code = (struct event_optional){.value = m->code, .present = !m->is_request};
    struct writer w = writer_of(s->action, sizeof s->action);
    writer_text(&w, "sip-");
    writer_lower(&w, m->is_request ? m->method : e->cseq_method);
    t->action = writer_since(&w, (uint8_t *)s->action);
    t->status = m->code >= FAILURE ? TRANSACTION_ERROR : TRANSACTION_OK;
    t->outcome = m->code < 200 ? NULL : m->code < 300 ? "success" : "failure";
}

static void show_rest(struct sip_event *e, const struct sip_message *m)
{
    int64_t length = sip_content_length(m);
    e->call_id = m->header[SIP_CALL_ID];
    e->content_type = m->header[SIP_CONTENT_TYPE];
    e->content_length = length > 0 ? (uint64_t)length : 0;
    e->max_forwards = number_of(m->header[SIP_MAX_FORWARDS]);
    e->user_agent = m->header[SIP_USER_AGENT];
}

void sip_report(struct proto_context *c, const struct sip_message *m, struct span bytes,
                unsigned side, uint64_t time_ns)
{
    const struct sip_options *options = sip_options_of(c);
    struct sip_stats *stats = c->block;
    stats->requests += m->is_request;
    stats->responses += !m->is_request;
    stats->failures += m->code >= FAILURE;
    if (c->events->capacity == 0) {
        return;
    }
    struct scratch s;
    struct span note;
    struct sip_event e = {.transaction = {.head.type = &sip_event_type,
                                          .start_ns = time_ns,
                                          .end_ns = time_ns,
                                          .request_side = (uint8_t)side,
                                          .event_type_json = "[\"info\",\"protocol\"]"}};
    e.number = c->flow->key.protocol == IPPROTO_TCP ? "6" : "17";
    show_state(&e, m, &s);
    show_rest(&e, m);
    show_lists(&e, m, &s);
    show_addresses(&e, m, &s);
    if (options->parse_authorization) {
        show_login(&e, m, &s);
    }
    if (options->parse_body) {
        show_session(&e, m, &s);
    }
    if (options->keep_original) {
        e.original = bytes;
    }
    e.transaction.notes.items = &note;
    enum proto_cut cut = m->is_cut ? PROTO_CUT_LONG : PROTO_CUT_NOT;
    proto_cut_tell(c->events, &e.transaction, &note, m->is_request ? cut : PROTO_CUT_NOT,
                   m->is_request ? PROTO_CUT_NOT : cut);
    (void)event_log_add_whole(c->events, &e.transaction.head);
}
