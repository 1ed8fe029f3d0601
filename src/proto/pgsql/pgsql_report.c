// SPDX-License-Identifier: Apache-2.0
#include "proto/pgsql/pgsql_report.h"

#include <stdio.h>

#include "base/sql.h"
#include "proto/pgsql/pgsql_event.h"

enum { NOTES_MAX = 6, CANCEL_ROOM = 24 };

static const struct pgsql_options *options_of(const struct proto_context *c)
{
    return (const struct pgsql_options *)c->settings;
}

static void note(struct event_spans *notes, struct span *room, bool applies, const char *text)
{
    if (applies) {
        room[notes->count++] = span_str(text);
        notes->items = room;
    }
}

static void fill_outcome(struct pgsql_event *e, const struct pgsql_outcome *outcome)
{
    e->transaction.status = outcome->is_error ? TRANSACTION_ERROR : TRANSACTION_OK;
    e->transaction.outcome = outcome->is_error ? "failure" : "success";
    e->affected_rows = outcome->affected;
    e->error_code = outcome->code;
    e->error_message = outcome->message;
    e->error_severity = outcome->severity;
}

static void fill_reply(struct pgsql_event *e, const struct pgsql_reply *reply)
{
    struct transaction *t = &e->transaction;
    t->response_ns = reply->start_ns;
    t->end_ns = reply->end_ns;
    t->destination_bytes = reply->bytes;
    e->num_rows = (struct event_optional){reply->rows, true};
    e->num_fields = (struct event_optional){reply->fields, true};
    t->response = span_of(reply->text, reply->text_size);
}

/* What an item says, with blanks behind it where hiding passwords has made it shorter: nobody asks the
 * item for more behind its report. */
static struct span text_of(const struct proto_context *c, const struct pgsql_item *item)
{
    char *start = pgsql_item_text((struct pgsql_item *)(uintptr_t)item);
    if (!options_of(c)->redact_secrets) {
        return pgsql_item_span(item);
    }
    size_t size = sql_hide(start, item->size);
    memset(start + size, ' ', item->size - size);
    return span_of(start, size);
}

static void fill_request(struct pgsql_event *e, const struct proto_context *c,
                         const struct pgsql_item *item, char method[SQL_METHOD_MAX])
{
    static const char *const actions[] = {"pgsql.query", "pgsql.execute", "pgsql.parse",
                                          "pgsql.function_call", ""};
    struct transaction *t = &e->transaction;
    struct span text = text_of(c, item);
    t->start_ns = item->start_ns;
    t->request_ns = item->end_ns;
    t->source_bytes = item->bytes;
    t->action = span_str(actions[item->kind]);
    t->query = sql_trim(text);
    if (item->kind == PGSQL_PARSE) {
        t->method = span_str("PREPARE");
    } else if (item->kind == PGSQL_FUNCTION) {
        t->method = span_str("FUNCTION_CALL");
    } else {
        t->method = item->unknown ? span_str("EXECUTE") : sql_method(text, method);
    }
    if (options_of(c)->common.send_request) {
        t->request = text;
    }
}

void pgsql_report(struct proto_context *c, const struct pgsql_item *item,
                  const struct pgsql_outcome *outcome, bool with_reply, const char *reason)
{
    const struct pgsql_flow *f = c->state;
    char method[SQL_METHOD_MAX];
    struct span notes[NOTES_MAX], params[PGSQL_PARAMS_MAX];
    struct pgsql_event e = {
        .transaction = {
            .head = {.type = &pgsql_event_type},
            .start_ns = pgsql_reply_of(f)->start_ns,
            .status = reason != NULL ? TRANSACTION_ERROR : TRANSACTION_OK,
            .request_side = f->client,
            .reason = reason,
            .user_name = slab_text_span(f->user),
        },
    };
    if (item != NULL) {
        fill_request(&e, c, item, method);
        e.params = (struct event_spans){item->param_count, params};
        for (unsigned i = 0; i < item->param_count; i++) {
            struct pgsql_piece piece = item->params[i];
            const char *text = (const char *)(item->params + item->param_count);
            params[i] = span_of(text + piece.at, piece.size);
        }
    }
    if (with_reply) {
        fill_reply(&e, pgsql_reply_of(f));
    }
    if (outcome != NULL) {
        fill_outcome(&e, outcome);
    }
    struct event_spans *said = &e.transaction.notes;
    note(said, notes, item == NULL, "Unmatched response");
    note(said, notes, item != NULL && item->unknown, "The actual query being used is unknown");
    note(said, notes, item != NULL && item->holed, "Packet loss while capturing the request");
    note(said, notes, with_reply && pgsql_reply_of(f)->holed, "Packet loss while capturing the response");
    enum proto_cut request_cut = item != NULL ? item->cut : PROTO_CUT_NOT;
    enum proto_cut response_cut = with_reply ? pgsql_reply_of(f)->text_cut : PROTO_CUT_NOT;
    note(said, notes, request_cut != PROTO_CUT_NOT, proto_cut_note(request_cut, false));
    note(said, notes, response_cut != PROTO_CUT_NOT, proto_cut_note(response_cut, true));
    proto_cut_count(c->events, request_cut, response_cut);
    (void)event_log_add_whole(c->events, &e.transaction.head);
}

void pgsql_report_cancel(struct proto_context *c, const struct pgsql_message *m, uint32_t process,
                         uint64_t now_ns)
{
    const struct pgsql_flow *f = c->state;
    char query[CANCEL_ROOM];
    int size = snprintf(query, sizeof query, "CANCEL %u", process);
    struct pgsql_event e = {
        .transaction = {
            .head = {.type = &pgsql_event_type},
            .start_ns = m->start_ns,
            .request_ns = now_ns,
            .source_bytes = m->bytes,
            .request_side = f->client,
            .action = span_str("pgsql.cancel"),
            .method = span_str("CANCEL"),
            .query = span_of(query, (size_t)size),
        },
    };
    event_log_add(c->events, &e.transaction.head);
}
