// SPDX-License-Identifier: Apache-2.0
/* The server's half of a connection. */
#include "base/sql.h"
#include "proto/pgsql/pgsql_event.h"
#include "proto/pgsql/pgsql_flow.h"
#include "proto/pgsql/pgsql_report.h"
#include "proto/pgsql/pgsql_value.h"

static struct pgsql_flow *flow_of(const struct proto_context *c)
{
    return c->state;
}

static struct pgsql_stats *stats_of(const struct proto_context *c)
{
    return c->block;
}

static const struct pgsql_options *options_of(const struct proto_context *c)
{
    return (const struct pgsql_options *)c->settings;
}

/* SET in the extended protocol is what drivers say by themselves. */
static bool is_event(const struct proto_context *c, const struct pgsql_item *item,
                     const struct pgsql_outcome *outcome)
{
    char method[SQL_METHOD_MAX];
    if (item->kind != PGSQL_EXECUTE || outcome->is_error || options_of(c)->all_statements) {
        return true;
    }
    return !span_equal(sql_method(pgsql_item_span(item), method), span_str("SET"));
}

/* What has an answer of its own stands at the head then; Parses that were executed, and such whose
 * answer was missed, are taken off. */
static struct pgsql_item *answered(struct proto_context *c, bool is_error)
{
    struct pgsql_flow *f = flow_of(c);
    while (f->head != NULL && f->head->kind == PGSQL_PARSE && (!is_error || f->head->executed)) {
        pgsql_pop(c);
    }
    return f->head != NULL && f->head->kind != PGSQL_SYNC ? f->head : NULL;
}

void pgsql_complete(struct proto_context *c, const struct pgsql_outcome *outcome)
{
    struct pgsql_flow *f = flow_of(c);
    struct pgsql_stats *stats = stats_of(c);
    const struct pgsql_item *item = answered(c, outcome->is_error);
    f->understood = true;
    f->broken = 0;
    stats->errors += outcome->is_error;
    stats->rows += pgsql_reply_of(f)->rows;
    if (item == NULL) {
        stats->unmatched_responses++;
        if (options_of(c)->common.report_unmatched) {
            pgsql_report(c, NULL, outcome, true, NULL);
        }
    } else {
        stats->transactions++;
        if (is_event(c, item, outcome)) {
            pgsql_report(c, item, outcome, true, NULL);
        }
        pgsql_pop(c);
    }
    pgsql_end_reply(c);
}

/* Of a Parse; one that was not executed at once is told of. */
static void complete_parse(struct proto_context *c)
{
    struct pgsql_flow *f = flow_of(c);
    const struct pgsql_outcome fine = {0};
    if (f->head == NULL || f->head->kind != PGSQL_PARSE) {
        return;
    }
    if (!f->head->executed) {
        stats_of(c)->transactions++;
        pgsql_report(c, f->head, &fine, true, NULL);
        pgsql_end_reply(c);
    }
    pgsql_pop(c);
}

/* "INSERT 0 3", "SELECT 15": the last number, of which rows that were sent are none. */
static uint64_t affected_of(const struct pgsql_flow *f, struct span body)
{
    uint64_t value = 0, scale = 1;
    struct span tag = span_head(body, body.size > 0 ? body.size - 1 : 0);
    for (size_t i = tag.size; i > 0 && tag.size - i < 18; i--) {
        uint8_t byte = tag.data[i - 1];
        if (byte < '0' || byte > '9') {
            break;
        }
        value += scale * (uint64_t)(byte - '0');
        scale *= 10;
    }
    const struct pgsql_reply *reply = pgsql_reply_of(f);
    return reply->rows == 0 && reply->fields == 0 ? value : 0;
}

/* ErrorResponse: fields of a letter and a text each. */
static void take_error(struct proto_context *c, struct span body)
{
    struct pgsql_outcome outcome = {.is_error = true};
    struct cursor in = cursor_of(body);
    for (uint8_t letter = cursor_u8(&in); letter != 0 && !in.bad; letter = cursor_u8(&in)) {
        struct span text = pgsql_text(&in);
        if (letter == 'V' || (letter == 'S' && outcome.severity.size == 0)) { /* V is not translated */
            outcome.severity = text;
        } else if (letter == 'C') {
            outcome.code = text;
        } else if (letter == 'M') {
            outcome.message = text;
        }
    }
    if (flow_of(c)->phase == PGSQL_AT_LOGIN) {
        stats_of(c)->login_failures++;
        pgsql_end_reply(c);
        return;
    }
    pgsql_complete(c, &outcome);
}

/* The server is ready: what was asked before and has no answer will have none. */
static void take_ready(struct proto_context *c, bool is_idle, uint64_t now_ns)
{
    struct pgsql_flow *f = flow_of(c);
    if (f->phase == PGSQL_AT_LOGIN) {
        stats_of(c)->logins++;
        f->phase = PGSQL_AT_MESSAGES;
    }
    pgsql_end_reply(c);
    f->understood = true;
    while (f->head != NULL && f->head->kind != PGSQL_SYNC) {
        if (f->head->kind != PGSQL_PARSE || !f->head->executed) {
            pgsql_report(c, f->head, NULL, false, "aborted");
            stats_of(c)->unmatched_requests++;
        }
        pgsql_pop(c);
    }
    turns_answer(&f->turns, f->head != NULL, now_ns);
    if (f->head != NULL) {
        pgsql_pop(c);
    }
    if (is_idle) {
        pgsql_end_portals(c);
    }
}

/* What comes at any time. */
static bool take_aside(struct proto_context *c, const struct pgsql_message *m)
{
    stats_of(c)->notices += m->type == 'N';
    stats_of(c)->notifications += m->type == 'A';
    return m->type == 'N' || m->type == 'A' || m->type == 'S';
}

static void note_reply(struct pgsql_reply *r, const struct pgsql_message *m, uint64_t now_ns)
{
    r->start_ns = r->bytes > 0 ? r->start_ns : m->start_ns;
    r->end_ns = now_ns;
    r->bytes += m->bytes;
    r->holed = r->holed || m->holed;
}

static bool wants_rows(const struct pgsql_flow *f)
{
    return f->head == NULL || f->head->kind != PGSQL_SYNC;
}

/* What makes up an answer; false when it is nothing a server says. */
static bool take_part(struct proto_context *c, const struct pgsql_message *m)
{
    struct pgsql_flow *f = flow_of(c);
    switch (m->type) {
    case 'T':
        f->reply->bytes = m->bytes; /* as Packetbeat counts: from the columns on, if there are any */
        if (wants_rows(f)) {
            pgsql_rows_describe(c, m->body);
        }
        return true;
    case 'D':
        pgsql_rows_add(c, m->body);
        return true;
    case 'd':
        f->reply->rows++;
        return true;
    case '1':
        complete_parse(c);
        return true;
    case '2': /* BindComplete, CloseComplete, NoData, of parameters; copying begins, ends */
    case '3':
    case 'n':
    case 't':
    case 'c':
    case 'G':
    case 'H':
    case 'R': /* of the login */
    case 'K':
    case 'v':
        return true;
    default:
        return false;
    }
}

bool pgsql_take_answer(struct proto_context *c, const struct pgsql_message *m, uint64_t now_ns)
{
    struct pgsql_flow *f = flow_of(c);
    if (take_aside(c, m)) {
        return true;
    }
    if (f->head != NULL && f->head->doubted) {
        pgsql_give_up(c, "gap");
    }
    if (f->owed == 0 && pgsql_begin_reply(c) == NULL) {
        pgsql_evict(c); /* without memory */
        return true;
    }
    if (f->owed > 0) {
        f->owed -= m->type == 'Z';
        return true;
    }
    note_reply(f->reply, m, now_ns);
    struct pgsql_outcome fine = {0};
    switch (m->type) {
    case 'C':
        fine.affected = affected_of(f, m->body);
        pgsql_complete(c, &fine);
        return true;
    case 'I': /* EmptyQueryResponse, PortalSuspended, FunctionCallResponse */
    case 's':
    case 'V':
        pgsql_complete(c, &fine);
        return true;
    case 'W': /* CopyBoth: replication */
        pgsql_complete(c, &fine);
        f->phase = PGSQL_AT_STREAM;
        return true;
    case 'E':
        take_error(c, m->body);
        return true;
    case 'Z':
        take_ready(c, m->body.size > 0 && m->body.data[0] == 'I', now_ns);
        return true;
    default:
        return take_part(c, m);
    }
}
