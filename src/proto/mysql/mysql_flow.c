// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql_flow.h"

#include <assert.h>

#include "base/sql.h"
#include "proto/mysql/mysql_event.h"
#include "proto/mysql/mysql_report.h"

enum { LATEST_STATEMENT = 0xffffffffU /* MariaDB: the one that was prepared last */ };

static struct mysql_flow *flow_of(const struct proto_context *c)
{
    return c->state;
}

static struct mysql_stats *stats_of(const struct proto_context *c)
{
    return c->block;
}

static const struct mysql_options *options_of(const struct proto_context *c)
{
    return (const struct mysql_options *)c->settings;
}

/* ---- The queue -------------------------------------------------------------------------------- */

static uint32_t weight(const struct mysql_request *r)
{
    return r->size + r->extra;
}

static struct mysql_request *pop(struct mysql_flow *f)
{
    struct mysql_request *r = f->head;
    f->head = r->next;
    f->tail = f->head != NULL ? f->tail : NULL;
    f->count--;
    f->queue_bytes -= weight(r);
    return r;
}

static void push(struct mysql_flow *f, struct mysql_request *r)
{
    if (f->tail != NULL) {
        f->tail->next = r;
    } else {
        f->head = r;
    }
    f->tail = r;
    f->count++;
    f->queue_bytes += weight(r);
}

static bool answers_head(const struct mysql_flow *f)
{
    return f->reply != NULL && f->owed == 0;
}

static void end_reply(struct proto_context *c)
{
    struct mysql_flow *f = flow_of(c);
    if (f->reply != NULL) {
        mysql_reply_end(f->reply);
        slab_give(c->memory, f->reply);
    }
    f->reply = NULL;
    f->reply_holed = false;
    f->reply_waits = false;
    f->wants_file = false;
}

static void give_up_head(struct proto_context *c, const char *reason)
{
    struct mysql_flow *f = flow_of(c);
    bool begun = answers_head(f) && f->reply->has_answered;
    mysql_report(c, f->head, begun, begun && f->reply_holed ? NULL : reason);
    stats_of(c)->unmatched_requests++;
    slab_give(c->memory, pop(f));
}

void mysql_give_up(struct proto_context *c, const char *reason)
{
    struct mysql_flow *f = flow_of(c);
    mysql_settle(c);
    while (f->head != NULL) {
        give_up_head(c, reason);
        if (f->owed == 0) {
            end_reply(c); /* it was the first one's */
        }
    }
    end_reply(c);
    f->owed = 0;
}

static void evict_head(struct proto_context *c)
{
    struct mysql_flow *f = flow_of(c);
    bool begun = answers_head(f);
    give_up_head(c, "evicted");
    stats_of(c)->evicted++;
    f->owed++;
    if (begun) { /* its answer goes on, as one that is passed over */
        f->reply->has_answered = false;
    }
}

void mysql_drop_all(struct proto_context *c)
{
    struct mysql_flow *f = flow_of(c);
    while (f->head != NULL) {
        slab_give(c->memory, pop(f));
    }
    end_reply(c);
    mysql_statement_drop_all(&f->statements, c->memory);
    slab_text_give(c->memory, f->user);
    f->user = NULL;
}

/* ---- Commands --------------------------------------------------------------------------------- */

/* What a command says, borrowed from its packet or from the statement that it executes. */
struct command_text {
    struct span text;
    enum proto_cut cut;
    bool unknown;
    struct mysql_params params;
};

static struct mysql_statement *find_statement(const struct proto_context *c, uint32_t id,
                                              uint64_t now_ns)
{
    struct mysql_flow *f = flow_of(c);
    struct mysql_statement *s = id == LATEST_STATEMENT ? mysql_statement_newest(&f->statements)
                                                       : mysql_statement_find(&f->statements, id);
    if (s == NULL) {
        return NULL;
    }
    if (now_ns - s->used_ns > (uint64_t)options_of(c)->statement_timeout) {
        mysql_statement_drop(&f->statements, c->memory, s);
        return NULL;
    }
    s->used_ns = now_ns;
    return s;
}

/* Of a statement that is executed before the answer to its preparation has come. */
static bool read_queue(const struct mysql_flow *f, struct command_text *ret)
{
    const struct mysql_request *found = NULL;
    for (const struct mysql_request *r = f->head; r != NULL; r = r->next) {
        found = r->command->code == MYSQL_PREPARE ? r : found;
    }
    if (found == NULL || found->size == 0) {
        return false;
    }
    ret->text = span_of(found->text, found->size);
    ret->cut = found->cut;
    return true;
}

static void read_execution(const struct proto_context *c, struct cursor *in, uint8_t code,
                           uint64_t now_ns, struct command_text *ret)
{
    struct mysql_flow *f = flow_of(c);
    uint32_t id = (uint32_t)mysql_fixed(in, 4);
    if (id == LATEST_STATEMENT && read_queue(f, ret)) {
        return;
    }
    struct mysql_statement *s = find_statement(c, id, now_ns);
    ret->unknown = s == NULL;
    if (s == NULL) {
        return;
    }
    ret->text = span_of(s->text, s->size);
    ret->cut = s->is_cut ? PROTO_CUT_PREPARED : PROTO_CUT_NOT;
    if (code == MYSQL_EXECUTE) {
        uint8_t flags = cursor_u8(in);
        cursor_skip(in, 4); /* how often: once */
        bool has_count = f->dialect.query_attributes && (s->params > 0 || flags & 0x08);
        mysql_statement_params(s, cursor_take(in, cursor_left(in)), has_count, &ret->params);
    }
}

/* COM_QUERY's text, behind its attributes. They are seen though the login was not. */
static struct span read_query(struct mysql_flow *f, struct cursor *in)
{
    bool seen = mysql_has_attributes(span_of(in->at, cursor_left(in)));
    f->dialect.query_attributes = f->dialect.query_attributes || seen;
    if (seen) {
        uint64_t count = mysql_number(in);
        cursor_skip(in, 1); /* one set of them */
        if (count > 0) {
            mysql_statement_skip_attributes(in, count);
        }
    }
    return cursor_take(in, cursor_left(in));
}

/* A parameter of COM_STMT_SEND_LONG_DATA will not be in the execution. */
static void note_long_data(struct mysql_flow *f, struct cursor *in)
{
    struct mysql_statement *s =
        mysql_statement_find(&f->statements, (uint32_t)mysql_fixed(in, 4));
    uint16_t number = (uint16_t)mysql_fixed(in, 2);
    if (s != NULL && number < 64 && !in->bad) {
        s->long_data |= UINT64_C(1) << number;
    }
}

static void close_statement(const struct proto_context *c, struct cursor *in)
{
    struct mysql_flow *f = flow_of(c);
    struct mysql_statement *s =
        mysql_statement_find(&f->statements, (uint32_t)mysql_fixed(in, 4));
    if (s != NULL && !in->bad) {
        mysql_statement_drop(&f->statements, c->memory, s);
    }
}

/* Why the text in a packet ends where it does. */
static enum proto_cut cut_of(const struct proto_context *c, const struct mysql_packet *packet)
{
    if (packet->size == packet->body.size) {
        return PROTO_CUT_NOT;
    }
    bool at_most = packet->body.size > (uint64_t)options_of(c)->max_message_size;
    return at_most ? PROTO_CUT_AT_MOST : PROTO_CUT_SHORT;
}

static void read_text(const struct proto_context *c, const struct mysql_packet *packet,
                      uint64_t now_ns, struct command_text *ret)
{
    struct cursor in = cursor_of(span_skip(packet->body, 1));
    uint8_t code = packet->body.data[0];
    switch (code) {
    case MYSQL_QUERY:
        ret->text = read_query(flow_of(c), &in);
        ret->cut = cut_of(c, packet);
        break;
    case MYSQL_PREPARE:
    case MYSQL_INIT_DB:
        ret->text = cursor_take(&in, cursor_left(&in));
        ret->cut = cut_of(c, packet);
        break;
    case MYSQL_EXECUTE:
    case MYSQL_BULK_EXECUTE:
    case MYSQL_FETCH:
        read_execution(c, &in, code, now_ns, ret);
        break;
    case MYSQL_LONG_DATA:
        note_long_data(flow_of(c), &in);
        break;
    case MYSQL_CLOSE:
        close_statement(c, &in);
        break;
    case MYSQL_CHANGE_USER:
        mysql_login_user(c, mysql_login_name(&in));
        break;
    default:
        break;
    }
}

/* A command with copies of what it says, of a long text less where memory is short; NULL without. */
static struct mysql_request *request_new(const struct proto_context *c,
                                         const struct mysql_packet *packet,
                                         struct command_text *said, uint64_t now_ns)
{
    size_t extra = 0;
    for (unsigned i = 0; i < said->params.count; i++) {
        extra += said->params.items[i].size;
    }
    struct mysql_request *r = slab_take_large(c->memory, sizeof *r + said->text.size + extra);
    if (r == NULL && said->text.size > MYSQL_KEPT) {
        said->text = span_head(said->text, MYSQL_KEPT);
        said->cut = PROTO_CUT_SHORT;
        r = slab_take(c->memory, sizeof *r + said->text.size + extra);
    }
    if (r == NULL) {
        return NULL;
    }
    memset(r, 0, offsetof(struct mysql_request, params));
    r->command = mysql_command(packet->body.data[0]);
    r->start_ns = packet->start_ns;
    r->end_ns = now_ns;
    r->bytes = packet->bytes;
    r->size = (uint32_t)said->text.size;
    r->extra = (uint32_t)extra;
    r->number = packet->last_number;
    r->holed = packet->holed;
    r->unknown = said->unknown;
    r->cut = (uint8_t)said->cut;
    r->param_count = (uint8_t)said->params.count;
    char *at = mempcpy(r->text, said->text.size > 0 ? (const void *)said->text.data : "",
                       said->text.size);
    for (unsigned i = 0; i < said->params.count; i++) {
        struct span item = said->params.items[i];
        r->params[i] = (struct mysql_piece){(uint32_t)(at - r->text), (uint32_t)item.size};
        at = mempcpy(at, item.size > 0 ? (const void *)item.data : "", item.size);
    }
    if (options_of(c)->redact_secrets) {
        r->size = (uint32_t)sql_hide(r->text, r->size);
    }
    return r;
}

/* Without memory for it, it and all before it are forgotten, not their answers. */
static void forget_all(struct proto_context *c)
{
    struct mysql_flow *f = flow_of(c);
    while (f->head != NULL) {
        evict_head(c);
    }
    f->owed++;
    stats_of(c)->evicted++;
    stats_of(c)->unmatched_requests++;
}

/* A command that does not belong to the answer that is coming. */
static void report_alone(struct proto_context *c, const struct mysql_request *r, const char *reason)
{
    struct mysql_flow *f = flow_of(c);
    struct mysql_reply *reply = f->reply;
    f->reply = NULL;
    mysql_report(c, r, false, reason);
    f->reply = reply;
}

static void take_request(struct proto_context *c, struct mysql_request *r)
{
    struct mysql_flow *f = flow_of(c);
    if (r->command->answer == MYSQL_ANSWERS_NOTHING) {
        if (options_of(c)->all_commands) {
            report_alone(c, r, NULL);
        }
        slab_give(c->memory, r);
        return;
    }
    if (!turns_ask(&f->turns, f->head != NULL || f->owed > 0, r->end_ns)) {
        report_alone(c, r, "gap");
        stats_of(c)->unmatched_requests++;
        slab_give(c->memory, r);
        return;
    }
    push(f, r);
    while (f->head != NULL && (f->count > MYSQL_QUEUE_MAX ||
                               (f->queue_bytes > MYSQL_QUEUE_BYTES && f->count > 1))) {
        evict_head(c);
    }
}

/* Packets that belong to the command before them: a file, a proof of who one is. */
static bool take_more(struct mysql_flow *f, const struct mysql_packet *packet)
{
    struct mysql_request *r = f->wants_file ? f->head : f->tail;
    if (r != NULL) {
        r->bytes += packet->bytes;
        r->number = packet->last_number;
        r->holed = r->holed || packet->holed;
    }
    bool answer_goes_on = answers_head(f) && f->reply->answer == MYSQL_ANSWERS_LOGIN;
    if (f->wants_file || answer_goes_on) {
        f->next_number = (uint8_t)(packet->last_number + 1);
    }
    f->wants_file = f->wants_file && packet->size > 0;
    return true;
}

bool mysql_take_command(struct proto_context *c, const struct mysql_packet *packet, uint64_t now_ns)
{
    struct mysql_flow *f = flow_of(c);
    if (f->wants_file || packet->number != 0) {
        return take_more(f, packet);
    }
    const struct mysql_command *command =
        packet->body.size > 0 ? mysql_command(packet->body.data[0]) : NULL;
    if (command == NULL) {
        return false;
    }
    mysql_settle(c);
    stats_of(c)->commands++;
    stats_of(c)->queries += command->is_statement;
    struct command_text said;
    said.text = span_of(NULL, 0);
    said.cut = PROTO_CUT_NOT;
    said.unknown = false;
    said.params.count = 0;
    read_text(c, packet, now_ns, &said);
    struct mysql_request *r = request_new(c, packet, &said, now_ns);
    if (r != NULL) {
        take_request(c, r);
    } else if (command->answer != MYSQL_ANSWERS_NOTHING) {
        forget_all(c);
    }
    return true;
}

/* ---- Answers ---------------------------------------------------------------------------------- */

/* What a command that was granted means for those to come. */
static void note_answer(struct proto_context *c, const struct mysql_request *r)
{
    struct mysql_flow *f = flow_of(c);
    const struct mysql_reply *reply = f->reply;
    if (reply->is_error) {
        return;
    }
    if (r->command->code == MYSQL_PREPARE) {
        struct mysql_statement *s = mysql_statement_add(
            &f->statements, c->memory, reply->statement_id, span_of(r->text, r->size));
        if (s != NULL) {
            s->is_cut = s->is_cut || r->cut != PROTO_CUT_NOT;
            s->params = reply->params;
            s->used_ns = r->end_ns;
        }
    } else if (r->command->code == MYSQL_CHANGE_USER ||
               r->command->code == MYSQL_RESET_CONNECTION) {
        mysql_statement_drop_all(&f->statements, c->memory);
    }
}

static void finish_matched(struct proto_context *c)
{
    struct mysql_flow *f = flow_of(c);
    const struct mysql_request *r = f->head;
    const struct mysql_options *options = options_of(c);
    stats_of(c)->transactions++;
    if (r->command->is_statement || f->reply->is_error || options->all_commands) {
        mysql_report(c, r, true, NULL);
    }
    note_answer(c, r);
    slab_give(c->memory, pop(f));
}

/* The answer is whole. */
static void finish(struct proto_context *c)
{
    struct mysql_flow *f = flow_of(c);
    assert(f->reply != NULL);
    f->understood = true;
    f->broken = 0;
    stats_of(c)->errors += f->reply->is_error;
    stats_of(c)->rows += f->reply->rows;
    turns_answer(&f->turns, f->owed > 0 || f->head != NULL, f->reply->end_ns);
    if (f->owed > 0) {
        f->owed--;
    } else if (f->head != NULL) {
        finish_matched(c);
    } else {
        stats_of(c)->unmatched_responses++;
        if (options_of(c)->common.report_unmatched) {
            mysql_report(c, NULL, true, NULL);
        }
    }
    end_reply(c);
}

void mysql_settle(struct proto_context *c)
{
    struct mysql_flow *f = flow_of(c);
    if (f->reply_waits) {
        f->without_eof = true;
        finish(c);
    }
}

/* The server begins to answer; false without memory. */
static bool begin_answer(struct proto_context *c, const struct mysql_packet *packet)
{
    struct mysql_flow *f = flow_of(c);
    const struct mysql_request *r = f->owed == 0 ? f->head : NULL;
    f->reply = slab_take(c->memory, sizeof *f->reply);
    if (f->reply == NULL) {
        return false;
    }
    mysql_reply_begin(f->reply, c->memory, options_of(c),
                      r != NULL ? r->command : mysql_command(MYSQL_QUERY));
    f->reply->start_ns = packet->start_ns;
    f->reply->bytes = 0;
    f->next_number = r != NULL ? (uint8_t)(r->number + 1) : packet->number;
    return true;
}

static bool take_step(struct proto_context *c, enum mysql_step step)
{
    struct mysql_flow *f = flow_of(c);
    switch (step) {
    case MYSQL_DONE:
        finish(c);
        break;
    case MYSQL_MAY_BE_DONE:
        f->reply_waits = true;
        if (f->without_eof) {
            finish(c);
        }
        break;
    case MYSQL_WANTS_FILE:
        f->wants_file = f->head != NULL && f->owed == 0;
        break;
    case MYSQL_GOES_ON:
        break;
    case MYSQL_BAD:
        return false;
    }
    return true;
}

void mysql_pass_rows(struct proto_context *c, struct cursor *in, uint64_t now_ns)
{
    struct mysql_flow *f = flow_of(c);
    if (f->reply == NULL || f->reply_waits) {
        return;
    }
    size_t before = cursor_left(in);
    mysql_reply_pass_rows(f->reply, in, &f->next_number);
    if (cursor_left(in) < before) {
        f->reply->end_ns = now_ns;
        f->reply->bytes += before - cursor_left(in);
        f->wants_file = false;
    }
}

bool mysql_take_answer(struct proto_context *c, const struct mysql_packet *packet, uint64_t now_ns)
{
    struct mysql_flow *f = flow_of(c);
    bool is_eof = packet->size == 5 && packet->body.size == 5 && packet->body.data[0] == 0xfe;
    if (f->reply_waits && !is_eof) {
        mysql_settle(c);
    }
    if (f->reply == NULL && !begin_answer(c, packet)) {
        return false;
    }
    assert(f->reply != NULL);
    bool numbered = f->side[0].unpacker == NULL; /* compressed, they are those of the outer packets */
    if (numbered && packet->number != f->next_number) {
        return false;
    }
    if (f->reply->answer == MYSQL_ANSWERS_STREAM && packet->body.size > 0 &&
        packet->body.data[0] != 0xff) {
        f->phase = MYSQL_AT_STREAM;
    }
    f->next_number = (uint8_t)(packet->last_number + 1);
    f->wants_file = false;
    f->reply->end_ns = now_ns;
    f->reply->bytes += packet->bytes;
    f->reply_holed = f->reply_holed || packet->holed;
    return take_step(c, mysql_reply_take(f->reply, &f->dialect, packet));
}
