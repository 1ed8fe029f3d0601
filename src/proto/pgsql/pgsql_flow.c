// SPDX-License-Identifier: Apache-2.0
/* The client's half of a connection, and the queue of what waits. */
#include "proto/pgsql/pgsql_flow.h"

#include "base/sql.h"
#include "proto/pgsql/pgsql_event.h"
#include "proto/pgsql/pgsql_look.h"
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

/* ---- The queue -------------------------------------------------------------------------------- */

void pgsql_pop(struct proto_context *c)
{
    struct pgsql_flow *f = flow_of(c);
    struct pgsql_item *item = f->head;
    f->head = item->next;
    f->tail = f->head != NULL ? f->tail : NULL;
    f->parsed = f->parsed != item ? f->parsed : NULL;
    f->count--;
    f->queue_bytes -= item->size + item->extra;
    slab_give(c->memory, item);
}

const struct pgsql_reply *pgsql_reply_of(const struct pgsql_flow *f)
{
    static const struct pgsql_reply none;
    return f->reply != NULL ? f->reply : &none;
}

struct pgsql_reply *pgsql_begin_reply(struct proto_context *c)
{
    struct pgsql_flow *f = flow_of(c);
    if (f->reply == NULL) {
        f->reply = slab_take(c->memory, sizeof *f->reply);
        if (f->reply != NULL) {
            *f->reply = (struct pgsql_reply){0};
        }
    }
    return f->reply;
}

void pgsql_end_reply(struct proto_context *c)
{
    struct pgsql_flow *f = flow_of(c);
    if (f->reply != NULL) {
        slab_give(c->memory, f->reply->text);
        slab_give(c->memory, f->reply->columns);
        slab_give(c->memory, f->reply);
        f->reply = NULL;
    }
}

static bool is_silent(const struct pgsql_item *item)
{
    return item->kind == PGSQL_SYNC || (item->kind == PGSQL_PARSE && item->executed);
}

/* Reports all that waits as without answer and takes it off; how many times the server will still say
 * that it is ready. */
static uint32_t give_up_all(struct proto_context *c, const char *reason)
{
    struct pgsql_flow *f = flow_of(c);
    uint32_t syncs = 0;
    while (f->head != NULL) {
        const struct pgsql_item *item = f->head;
        syncs += item->kind == PGSQL_SYNC;
        if (!is_silent(item)) {
            const struct pgsql_reply *reply = pgsql_reply_of(f);
            bool begun = reply->fields > 0;
            pgsql_report(c, item, NULL, begun, begun && reply->holed ? NULL : reason);
            stats_of(c)->unmatched_requests++;
            pgsql_end_reply(c);
        }
        pgsql_pop(c);
    }
    pgsql_end_reply(c);
    return syncs;
}

void pgsql_give_up(struct proto_context *c, const char *reason)
{
    struct pgsql_flow *f = flow_of(c);
    give_up_all(c, reason);
    f->owed = 0;
    f->group_lost = false;
}

void pgsql_evict(struct proto_context *c)
{
    struct pgsql_flow *f = flow_of(c);
    bool open = f->tail != NULL && f->tail->kind != PGSQL_SYNC;
    stats_of(c)->evicted += f->count;
    f->owed += give_up_all(c, "evicted");
    f->group_lost = f->group_lost || open;
}

void pgsql_drop_all(struct proto_context *c)
{
    struct pgsql_flow *f = flow_of(c);
    while (f->head != NULL) {
        pgsql_pop(c);
    }
    pgsql_end_reply(c);
    if (f->session != NULL) {
        pgsql_named_drop_all(&f->session->statements, c->memory);
        pgsql_named_drop_all(&f->session->portals, c->memory);
        slab_give(c->memory, f->session);
        f->session = NULL;
    }
    slab_text_give(c->memory, f->user);
    f->user = NULL;
}

/* ---- Names ------------------------------------------------------------------------------------ */

/* NULL without memory. */
static struct pgsql_session *session_of(const struct proto_context *c)
{
    struct pgsql_flow *f = flow_of(c);
    if (f->session == NULL) {
        f->session = slab_take(c->memory, sizeof *f->session);
        if (f->session != NULL) {
            *f->session = (struct pgsql_session){.statements = {.first = NULL}};
        }
    }
    return f->session;
}

static const struct pgsql_named *find_statement(const struct proto_context *c, struct span name)
{
    const struct pgsql_flow *f = flow_of(c);
    return f->session != NULL ? pgsql_named_find(&f->session->statements, name) : NULL;
}

static const struct pgsql_named *find_portal(const struct proto_context *c, struct span name)
{
    const struct pgsql_flow *f = flow_of(c);
    return f->session != NULL ? pgsql_named_find(&f->session->portals, name) : NULL;
}

void pgsql_forget_unnamed(struct proto_context *c)
{
    struct pgsql_flow *f = flow_of(c);
    f->batch_ns = 0;
    f->batch_bytes = 0;
    f->batch_holed = false;
    f->parsed = NULL;
    if (f->session != NULL) {
        pgsql_named_drop(&f->session->statements, c->memory, span_of(NULL, 0));
        pgsql_named_drop_all(&f->session->portals, c->memory);
    }
}

void pgsql_end_portals(struct proto_context *c)
{
    struct pgsql_flow *f = flow_of(c);
    if (f->session == NULL || f->head != NULL || f->in_group) { /* those of what is asked next are there */
        return;
    }
    pgsql_named_drop_all(&f->session->portals, c->memory);
    if (f->session->statements.count == 0) {
        slab_give(c->memory, f->session);
        f->session = NULL;
    }
}

static const struct pgsql_options *options_of(const struct proto_context *c)
{
    return (const struct pgsql_options *)c->settings;
}

/* Whether one more item, of so many bytes, may wait. */
static bool has_place(const struct proto_context *c, size_t size)
{
    const struct pgsql_flow *f = flow_of(c);
    size_t most = PGSQL_QUEUE_BYTES + (size_t)options_of(c)->max_message_size;
    return f->count < PGSQL_QUEUE_MAX && (f->count == 0 || f->queue_bytes + size <= most);
}

/* ---- The client asks -------------------------------------------------------------------------- */

/* Memory for an item, of a long text less where it is short; NULL without. */
static struct pgsql_item *item_new(const struct proto_context *c, struct span *text, size_t beside)
{
    size_t fixed = sizeof(struct pgsql_item) + beside;
    struct pgsql_item *item = slab_take_large(c->memory, fixed + text->size);
    bool is_short = item == NULL && text->size > PGSQL_KEPT;
    if (is_short) {
        *text = span_head(*text, PGSQL_KEPT);
        item = slab_take(c->memory, fixed + text->size);
    }
    if (item != NULL) {
        memset(item, 0, sizeof *item);
        item->cut = is_short ? PROTO_CUT_SHORT : PROTO_CUT_NOT;
    }
    return item;
}

/* Has an item wait; NULL without memory. Its text and its parameters are copied. */
static struct pgsql_item *push(struct proto_context *c, enum pgsql_kind kind, struct span text,
                               const struct pgsql_named *bound)
{
    struct pgsql_flow *f = flow_of(c);
    size_t extra = 0;
    for (unsigned i = 0; bound != NULL && i < bound->param_count; i++) {
        extra += pgsql_named_param(bound, i).size;
    }
    if (!has_place(c, text.size + extra)) {
        pgsql_evict(c);
    }
    size_t count = bound != NULL ? bound->param_count : 0;
    size_t beside = count * sizeof(struct pgsql_piece) + extra;
    struct pgsql_item *item = f->group_lost ? NULL : item_new(c, &text, beside);
    if (item == NULL) {
        bool was_lost = f->group_lost;
        pgsql_evict(c);
        f->owed += kind == PGSQL_SYNC;
        f->group_lost = kind != PGSQL_SYNC;
        stats_of(c)->evicted += !was_lost && kind != PGSQL_SYNC;
        return NULL;
    }
    item->param_count = (uint8_t)count;
    item->kind = (uint8_t)kind;
    item->doubted = f->turns.lost;
    item->size = (uint32_t)text.size;
    item->extra = (uint32_t)extra;
    char *start = pgsql_item_text(item), *at = start;
    at = text.size > 0 ? mempcpy(at, text.data, text.size) : at;
    for (unsigned i = 0; i < count; i++) {
        struct span param = pgsql_named_param(bound, i);
        item->params[i] = (struct pgsql_piece){(uint32_t)(at - start), (uint32_t)param.size};
        at = param.size > 0 ? mempcpy(at, param.data, param.size) : at;
    }
    if (f->tail != NULL) {
        f->tail->next = item;
    } else {
        f->head = item;
    }
    f->tail = item;
    f->count++;
    f->queue_bytes += item->size + item->extra;
    return item;
}

/* ---- Messages --------------------------------------------------------------------------------- */

static void set_times(struct pgsql_item *item, const struct pgsql_message *m, uint64_t now_ns)
{
    if (item != NULL) {
        item->start_ns = m->start_ns;
        item->end_ns = now_ns;
        item->bytes = m->bytes;
        item->holed = m->holed;
    }
}

/* What is shown of a message's text, and why no more. */
static struct span text_within(const struct proto_context *c, const struct pgsql_message *m,
                               struct span text, enum proto_cut *cut)
{
    size_t most = (size_t)options_of(c)->max_message_size;
    bool is_short = m->size > m->body.size && m->body.size < most;
    *cut = is_short           ? PROTO_CUT_SHORT
           : text.size > most ? PROTO_CUT_AT_MOST
                              : PROTO_CUT_NOT;
    return span_head(text, most);
}

static void note_cut(struct pgsql_item *item, enum proto_cut cut)
{
    if (item != NULL && item->cut == PROTO_CUT_NOT) {
        item->cut = (uint8_t)cut;
    }
}

static void push_sync(struct proto_context *c)
{
    struct pgsql_flow *f = flow_of(c);
    push(c, PGSQL_SYNC, span_of(NULL, 0), NULL);
    f->in_group = false;
    f->batch_ns = 0;
    f->batch_bytes = 0;
    f->batch_holed = false;
    f->parsed = NULL;
}

/* A simple query: its statements, of which the first has the message's bytes. Where there is none, the
 * server says that it was empty. */
static void take_query(struct proto_context *c, const struct pgsql_message *m, uint64_t now_ns)
{
    struct cursor in = cursor_of(m->body);
    struct span text = pgsql_text(&in);
    if (in.bad) { /* cut at what is kept */
        text = m->body;
    }
    enum proto_cut cut;
    struct pgsql_message of_rest = *m;
    struct span rest = text_within(c, m, text, &cut);
    struct pgsql_item *item;
    struct span statement = sql_next(&rest);
    unsigned count = 0;
    do {
        if (++count == PGSQL_STATEMENTS_MAX && rest.size > 0) {
            statement.size += (size_t)(rest.data + rest.size - (statement.data + statement.size));
            rest.size = 0;
        }
        stats_of(c)->statements++;
        item = push(c, PGSQL_STATEMENT, statement, NULL);
        set_times(item, &of_rest, now_ns);
        of_rest.bytes = 0;
        statement = sql_next(&rest);
    } while (statement.size > 0);
    note_cut(item, cut);
    push_sync(c);
}

static void take_parse(struct proto_context *c, const struct pgsql_message *m, uint64_t now_ns)
{
    struct pgsql_flow *f = flow_of(c);
    struct cursor in = cursor_of(m->body);
    struct pgsql_said said;
    said.name = pgsql_text(&in);
    struct cursor at_text = in;
    said.text = pgsql_text(&in);
    if (in.bad && !at_text.bad) { /* cut at what is kept */
        said.text = cursor_take(&at_text, cursor_left(&at_text));
    }
    said.unknown = false;
    said.param_count = 0;
    unsigned count = cursor_be16(&in);
    for (said.type_count = 0; said.type_count < count && said.type_count < PGSQL_PARAMS_MAX;) {
        said.types[said.type_count++] = cursor_be32(&in);
    }
    if (at_text.bad) {
        return;
    }
    enum proto_cut cut;
    said.text = text_within(c, m, said.text, &cut);
    said.whole = said.text.size;
    if (session_of(c) != NULL) {
        pgsql_named_add(&f->session->statements, c->memory, &said);
    }
    f->parsed = push(c, PGSQL_PARSE, said.text, NULL);
    set_times(f->parsed, m, now_ns);
    note_cut(f->parsed, cut);
}

/* The parameters of a Bind as texts, borrowed or in `rooms`. */
static void take_params(struct cursor *in, const struct pgsql_named *statement,
                        struct pgsql_said *ret, char rooms[][PGSQL_VALUE_ROOM])
{
    unsigned format_count = cursor_be16(in);
    struct cursor formats = cursor_of(cursor_take(in, (size_t)2 * format_count));
    bool binary = false;
    unsigned count = cursor_be16(in);
    for (unsigned i = 0; i < count && i < PGSQL_PARAMS_MAX && !in->bad; i++) {
        if (i < format_count) {
            binary = cursor_be16(&formats) == 1;
        }
        binary = binary && (format_count == 1 || i < format_count);
        uint32_t size = cursor_be32(in);
        struct span bytes = cursor_take(in, size > INT32_MAX ? 0 : size);
        if (in->bad) {
            break;
        }
        uint32_t type = statement != NULL ? pgsql_named_type(statement, i) : 0;
        struct span value = size > INT32_MAX ? span_str("NULL")
                            : binary         ? pgsql_value(bytes, type, rooms[i])
                                             : bytes;
        ret->params[ret->param_count++] = span_head(value, PGSQL_PARAM_BYTES);
    }
}

static void take_bind(struct proto_context *c, const struct pgsql_message *m)
{
    char rooms[PGSQL_PARAMS_MAX][PGSQL_VALUE_ROOM];
    struct cursor in = cursor_of(m->body);
    struct pgsql_said said;
    said.name = pgsql_text(&in);
    struct span name = pgsql_text(&in);
    if (in.bad) {
        return;
    }
    const struct pgsql_named *statement = find_statement(c, name);
    said.text = statement != NULL ? pgsql_named_text(statement) : span_of(NULL, 0);
    said.whole = statement != NULL ? statement->whole : 0;
    said.unknown = statement == NULL;
    said.type_count = 0;
    said.param_count = 0;
    take_params(&in, statement, &said, rooms);
    struct pgsql_session *session = session_of(c);
    if (session != NULL) {
        pgsql_named_add(&session->portals, c->memory, &said);
    }
}

/* Whether the latest Parse is of what a portal executes, of which less of the text may be remembered. */
static bool is_of_portal(const struct pgsql_item *parsed, const struct pgsql_named *portal)
{
    if (parsed == NULL || portal == NULL || parsed->size != portal->whole) {
        return false;
    }
    struct span text = pgsql_named_text(portal);
    return span_equal(text, span_head(pgsql_item_span(parsed), text.size));
}

static void take_execute(struct proto_context *c, const struct pgsql_message *m, uint64_t now_ns)
{
    struct pgsql_flow *f = flow_of(c);
    struct cursor in = cursor_of(m->body);
    const struct pgsql_named *portal = find_portal(c, pgsql_text(&in));
    struct span text = portal != NULL ? pgsql_named_text(portal) : span_of(NULL, 0);
    enum proto_cut cut = portal != NULL && portal->whole > text.size ? PROTO_CUT_PREPARED
                                                                     : PROTO_CUT_NOT;
    if (is_of_portal(f->parsed, portal)) {
        f->parsed->executed = true;
        if (has_place(c, f->parsed->size + (size_t)PGSQL_PARAMS_MAX * PGSQL_PARAM_BYTES)) {
            text = pgsql_item_span(f->parsed); /* which stays: nobody has to make place */
            cut = f->parsed->cut;
        }
    }
    stats_of(c)->statements++;
    struct pgsql_item *item = push(c, PGSQL_EXECUTE, text, portal);
    set_times(item, m, now_ns);
    note_cut(item, cut);
    if (item != NULL) {
        item->unknown = portal == NULL || portal->unknown;
        item->start_ns = f->batch_ns;
        item->bytes = f->batch_bytes;
        item->holed = f->batch_holed;
    }
    f->batch_ns = 0;
    f->batch_bytes = 0;
    f->batch_holed = false;
}

/* Close: of a statement, or a portal. */
static void take_close(struct proto_context *c, const struct pgsql_message *m)
{
    struct pgsql_flow *f = flow_of(c);
    struct cursor in = cursor_of(m->body);
    bool is_statement = cursor_u8(&in) == 'S';
    struct span name = pgsql_text(&in);
    struct pgsql_session *session = f->session;
    if (!in.bad && session != NULL) {
        pgsql_named_drop(is_statement ? &session->statements : &session->portals, c->memory, name);
    }
}

/* Bytes of a COPY belong to the statement that began it. */
static void take_copy(struct pgsql_flow *f, const struct pgsql_message *m)
{
    if (f->head != NULL && f->head->kind != PGSQL_SYNC) {
        f->head->bytes += m->bytes;
        f->head->holed = f->head->holed || m->holed;
    }
}

/* The Sync's own bytes are those of the last that it ends. */
static void take_sync(struct proto_context *c, const struct pgsql_message *m)
{
    struct pgsql_flow *f = flow_of(c);
    if (f->tail != NULL && f->tail->kind != PGSQL_SYNC) {
        f->tail->bytes += m->bytes;
    }
    push_sync(c);
}

/* The first message up to the next Sync. Where both sides are in step again, what was asked before
 * stays without an answer. */
static void begin_group(struct proto_context *c, uint64_t now_ns)
{
    struct pgsql_flow *f = flow_of(c);
    bool was_lost = f->turns.lost;
    if (turns_ask(&f->turns, f->head != NULL || f->owed > 0, now_ns) && was_lost) {
        pgsql_give_up(c, "gap");
    }
    f->in_group = true;
}

static void gather(struct pgsql_flow *f, const struct pgsql_message *m)
{
    f->batch_ns = f->batch_ns != 0 ? f->batch_ns : m->start_ns;
    f->batch_bytes += m->bytes;
    f->batch_holed = f->batch_holed || m->holed;
}

bool pgsql_take_request(struct proto_context *c, const struct pgsql_message *m, uint64_t now_ns)
{
    struct pgsql_flow *f = flow_of(c);
    if (!f->in_group && m->type != '\0' && strchr("QPBDECFS", m->type) != NULL) {
        begin_group(c, now_ns);
    }
    if (m->type != '\0' && strchr("PBDEC", m->type) != NULL) {
        gather(f, m);
    }
    switch (m->type) {
    case 'Q':
        take_query(c, m, now_ns);
        break;
    case 'P':
        take_parse(c, m, now_ns);
        break;
    case 'B':
        take_bind(c, m);
        break;
    case 'E':
        take_execute(c, m, now_ns);
        break;
    case 'C':
        take_close(c, m);
        break;
    case 'S':
        take_sync(c, m);
        break;
    case 'F':
        set_times(push(c, PGSQL_FUNCTION, span_of(NULL, 0), NULL), m, now_ns);
        push_sync(c);
        break;
    case 'd':
    case 'c':
    case 'f':
        take_copy(f, m);
        break;
    case 'D': /* Describe, Flush, Terminate, a password */
    case 'H':
    case 'X':
    case 'p':
        break;
    default:
        return false;
    }
    return true;
}

/* ---- The start -------------------------------------------------------------------------------- */

/* Names and values, ended by an empty name. */
static void take_parameters(const struct proto_context *c, struct cursor *in)
{
    struct pgsql_flow *f = flow_of(c);
    for (;;) {
        struct span name = pgsql_text(in);
        struct span value = pgsql_text(in);
        if (in->bad || name.size == 0) {
            return;
        }
        if (span_equal(name, span_str("user"))) {
            slab_text_give(c->memory, f->user);
            f->user = slab_text_keep(c->memory, span_head(value, PGSQL_USER_MAX));
        }
    }
}

bool pgsql_take_start(struct proto_context *c, const struct pgsql_message *m, uint64_t now_ns)
{
    struct pgsql_flow *f = flow_of(c);
    struct cursor in = cursor_of(m->body);
    switch (cursor_be32(&in)) {
    case PGSQL_SSL:
    case PGSQL_GSS:
        f->phase = PGSQL_AT_OFFER;
        return true;
    case PGSQL_CANCEL: /* the secret key that follows is nobody's business */
        stats_of(c)->cancels++;
        pgsql_report_cancel(c, m, cursor_be32(&in), now_ns);
        f->phase = PGSQL_AT_STREAM;
        return !in.bad;
    case PGSQL_VERSION_3:
        take_parameters(c, &in);
        f->phase = PGSQL_AT_LOGIN;
        return true;
    default:
        return false;
    }
}
