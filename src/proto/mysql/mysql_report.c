// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql_report.h"

#include "base/sql.h"
#include "proto/mysql/mysql_event.h"

#include <assert.h>

enum { ACTION_MAX = 40, NOTES_MAX = 5 };

static const struct mysql_options *options_of(const struct proto_context *c)
{
    return (const struct mysql_options *)c->settings;
}

static void note(struct event_spans *notes, struct span *room, bool applies, const char *text)
{
    if (applies) {
        room[notes->count++] = span_str(text);
        notes->items = room;
    }
}

/* mysql.<name in lower case> */
static struct span write_action(char to[ACTION_MAX], const char *name)
{
    char *at = mempcpy(to, "mysql.", 6);
    for (; *name != '\0' && at < to + ACTION_MAX; name++) {
        *at++ = (char)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name);
    }
    return span_of(to, (size_t)(at - to));
}

static void fill_reply(struct mysql_event *e, const struct mysql_flow *f)
{
    const struct mysql_reply *reply = f->reply;
    struct transaction *t = &e->transaction;
    assert(reply != NULL);
    t->response_ns = reply->start_ns;
    t->end_ns = reply->end_ns;
    t->destination_bytes = reply->bytes;
    if (!reply->has_answered) {
        return;
    }
    t->status = reply->is_error ? TRANSACTION_ERROR : TRANSACTION_OK;
    t->outcome = reply->is_error ? "failure" : "success";
    e->affected_rows = (struct event_optional){reply->affected, true};
    e->insert_id = (struct event_optional){reply->insert_id, true};
    e->num_rows = (struct event_optional){reply->rows, true};
    e->num_fields = (struct event_optional){reply->fields, true};
    e->num_results = reply->results > 1 ? reply->results : 0;
    e->error_code = reply->error_code;
    e->error_message = span_of(reply->error, reply->error_size);
    t->path = span_of(reply->path, reply->path_size);
    t->response = span_of(reply->text, reply->text_size);
}

/* What was asked for: the statement; of other commands the name, with what stands behind it. */
static void fill_request(struct mysql_event *e, const struct proto_context *c,
                         const struct mysql_request *r, char method[SQL_METHOD_MAX])
{
    struct transaction *t = &e->transaction;
    struct span text = span_of(r->text, r->size);
    bool prepares = r->command->code == MYSQL_PREPARE;
    t->start_ns = r->start_ns;
    t->request_ns = r->end_ns;
    t->source_bytes = r->bytes;
    t->query = sql_trim(text);
    if (r->command->is_statement && !prepares && r->size > 0) {
        t->method = sql_method(text, method);
    } else {
        t->method = span_str(r->command->name);
    }
    if (options_of(c)->common.send_request) {
        t->request = text;
    }
}

void mysql_report(struct proto_context *c, const struct mysql_request *r, bool with_reply,
                  const char *reason)
{
    struct mysql_flow *f = c->state;
    char action[ACTION_MAX], method[SQL_METHOD_MAX];
    struct span notes[NOTES_MAX], params[MYSQL_PARAMS_MAX];
    struct mysql_event e = {
        .transaction = {
            .head = {.type = &mysql_event_type},
            .start_ns = f->reply != NULL ? f->reply->start_ns : 0,
            .status = TRANSACTION_ERROR,
            .request_side = f->client,
            .reason = reason,
            .user_name = mysql_login_user_name(f),
        },
    };
    if (r != NULL) {
        fill_request(&e, c, r, method);
        e.transaction.action = write_action(action, r->command->name);
        e.params = (struct event_spans){r->param_count, params};
        for (unsigned i = 0; i < r->param_count; i++) {
            params[i] = span_of(r->text + r->params[i].at, r->params[i].size);
        }
    }
    if (with_reply) {
        fill_reply(&e, f);
    }
    if (reason != NULL) {
        e.transaction.status = TRANSACTION_ERROR;
        e.transaction.outcome = NULL;
    }
    struct event_spans *said = &e.transaction.notes;
    note(said, notes, r == NULL, "Unmatched response");
    note(said, notes, r != NULL && r->unknown, "The actual query being used is unknown");
    note(said, notes, r != NULL && r->holed, "Packet loss while capturing the request");
    note(said, notes, with_reply && f->reply_holed, "Packet loss while capturing the response");
    enum proto_cut request_cut = r != NULL ? r->cut : PROTO_CUT_NOT;
    enum proto_cut response_cut = with_reply ? f->reply->text_cut : PROTO_CUT_NOT;
    note(said, notes, request_cut != PROTO_CUT_NOT, proto_cut_note(request_cut, false));
    note(said, notes, response_cut != PROTO_CUT_NOT, proto_cut_note(response_cut, true));
    proto_cut_count(c->events, request_cut, response_cut);
    (void)event_log_add_whole(c->events, &e.transaction.head);
}
