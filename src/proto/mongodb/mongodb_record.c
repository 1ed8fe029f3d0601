// SPDX-License-Identifier: Apache-2.0
#include "proto/mongodb/mongodb_record.h"

#include <strings.h>

#include "proto/mongodb/mongodb_bson.h"
#include "proto/proto_draft.h"

enum {
    SMALL_TEXTS = 8 << 10, /* beside the large ones of a record */
    ROOM_SURE = (4 * PROTO_TEXT_SURE) + SMALL_TEXTS,
    METHOD_MAX = 64,
    RESOURCE_MAX = 512,
    PATIENCE_MAX = 3600 * 1000,
};

static const int64_t ns_a_millisecond = 1000000;

/* A record in the making, in a block that is large enough for all that an event shows. */
struct draft {
    struct mongodb_record *record;
    const struct mongodb_message *message;
    const struct mongodb_options *options;
    struct bson_out out;
    const uint8_t *end; /* of the block */
    struct span body; /* the document that says what is wanted */
};

/* ---- Texts ---------------------------------------------------------------------------------- */

static void begin_text(struct draft *d, enum mongodb_text which)
{
    size_t most = (size_t)d->options->max_message_size;
    d->record->text[which].at = (uint32_t)(d->out.at - d->record->bytes_of_texts);
    d->out.end = (size_t)(d->end - d->out.at) > most ? d->out.at + most : d->end;
    d->out.is_full = d->out.is_cut = false;
}

/* Why the text that ends here is not whole. */
static enum proto_cut cut_of(const struct draft *d)
{
    if (d->out.is_full) {
        return d->out.end < d->end ? PROTO_CUT_AT_MOST : PROTO_CUT_SHORT;
    }
    return d->out.is_cut && d->message->is_cut ? d->message->cut : PROTO_CUT_NOT;
}

static void end_text(struct draft *d, enum mongodb_text which)
{
    uint32_t end = (uint32_t)(d->out.at - d->record->bytes_of_texts);
    d->record->text[which].size = end - d->record->text[which].at;
    if (d->record->cut == PROTO_CUT_NOT) {
        d->record->cut = (uint8_t)cut_of(d);
    }
}

static void add_text(struct draft *d, enum mongodb_text which, struct span text)
{
    begin_text(d, which);
    bson_put(&d->out, text);
    end_text(d, which);
}

static void add_document(struct draft *d, enum mongodb_text which, struct span document)
{
    begin_text(d, which);
    bson_put_document(&d->out, document, NULL);
    end_text(d, which);
}

static bool is_method(const struct draft *d, const char *name)
{
    struct span method = mongodb_text_of(d->record, MONGODB_METHOD);
    return method.size == strlen(name) &&
           strncasecmp((const char *)method.data, name, method.size) == 0;
}

/* ---- What is wanted ------------------------------------------------------------------------- */

static struct bson_element first_element(struct span document)
{
    struct bson_walk walk = bson_open(document);
    struct bson_element e;
    return bson_next(&walk, &e) ? e : (struct bson_element){0};
}

/* Old drivers wrap a query to say how it is to be done. */
static struct span unwrap(struct span body)
{
    struct bson_element e = first_element(body);
    bool is_wrapped =
        span_equal(e.name, span_str("$query")) || span_equal(e.name, span_str("query"));
    return is_wrapped && e.type == BSON_DOCUMENT ? e.value : body;
}

static bool ends_with(struct span text, const char *end)
{
    size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

/* A command is named by the first member of its document, which mostly holds the collection. */
static void name_command(struct draft *d, struct span database)
{
    struct bson_element first = first_element(d->body);
    add_text(d, MONGODB_METHOD, span_head(first.name, METHOD_MAX));
    struct span collection = bson_text(&first);
    if (is_method(d, "getMore")) {
        struct bson_element e = bson_find(d->body, "collection");
        collection = bson_text(&e);
        d->record->number[MONGODB_CURSOR] = bson_integer(&first);
        d->record->has |= 1U << MONGODB_CURSOR;
    }
    begin_text(d, MONGODB_RESOURCE);
    bson_put(&d->out, span_head(database, RESOURCE_MAX));
    bson_put_text(&d->out, ".");
    bson_put(&d->out, collection.size > 0 ? span_head(collection, RESOURCE_MAX) : span_str("$cmd"));
    end_text(d, MONGODB_RESOURCE);
}

static void name_old(struct draft *d)
{
    static const struct {
        uint16_t opcode;
        const char *method;
    } methods[] = {{MONGODB_QUERY, "find"},       {MONGODB_INSERT, "insert"},
                   {MONGODB_UPDATE, "update"},    {MONGODB_DELETE, "delete"},
                   {MONGODB_GET_MORE, "getMore"}, {MONGODB_KILL_CURSORS, "killCursors"}};
    for (unsigned i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (methods[i].opcode == d->message->header.opcode) {
            add_text(d, MONGODB_METHOD, span_str(methods[i].method));
        }
    }
    add_text(d, MONGODB_RESOURCE, span_head(d->message->collection, RESOURCE_MAX));
}

static void name(struct draft *d)
{
    const struct mongodb_message *m = d->message;
    struct span collection = m->collection;
    d->body = m->header.opcode == MONGODB_QUERY ? unwrap(m->body) : m->body;
    if (m->header.opcode == MONGODB_MSG) {
        struct bson_element database = bson_find(m->body, "$db");
        name_command(d, bson_text(&database));
    } else if (m->header.opcode == MONGODB_QUERY && ends_with(collection, ".$cmd")) {
        name_command(d, span_head(collection, collection.size - 5));
    } else {
        name_old(d);
    }
}

/* ---- How it would be written ---------------------------------------------------------------- */

enum { WITHOUT_MAX = 6 };

/* What is left out of a query: what differs each time, and the data of writes. */
static void choose(const struct draft *d, const char *without[WITHOUT_MAX])
{
    static const struct {
        const char *method;
        const char *data;
    } writes[] = {{"insert", "documents"}, {"update", "updates"}, {"findAndModify", "update"}};
    unsigned count = 0;
    if (d->message->header.opcode == MONGODB_MSG) {
        without[count++] = "lsid";
        without[count++] = "$clusterTime";
        without[count++] = "$db";
        without[count++] = "txnNumber";
    }
    for (unsigned i = 0; i < sizeof writes / sizeof *writes; i++) {
        if (is_method(d, writes[i].method)) {
            without[count++] = writes[i].data;
        }
    }
    without[count] = NULL;
}

/* Members of commands whose values are never shown. */
static const char *const *secrets_of(const struct draft *d)
{
    static const char *const in_any[] = {"speculativeAuthenticate", NULL};
    static const char *const in_login[] = {
        "payload", "pwd", "key", "nonce", "speculativeAuthenticate", NULL};
    static const char *const logins[] = {"saslStart",  "saslContinue", "authenticate",
                                         "createUser", "updateUser",   "copydbsaslstart"};
    for (unsigned i = 0; i < sizeof logins / sizeof *logins; i++) {
        if (is_method(d, logins[i])) {
            return in_login;
        }
    }
    return in_any;
}

static void put_documents(struct bson_out *to, struct span documents)
{
    bson_put_text(to, "[");
    for (unsigned i = 0; !to->is_full; i++) {
        struct span document = mongodb_next_document(&documents);
        if (document.size == 0) {
            break;
        }
        bson_put_text(to, i > 0 ? "," : "");
        bson_put_document(to, document, NULL);
    }
    bson_put_text(to, "]");
}

static bool is_left_out(const char *const *without, struct span name)
{
    for (; without != NULL && *without != NULL; without++) {
        if (span_equal(name, span_str(*without))) {
            return true;
        }
    }
    return false;
}

/* The body with the sections beside it. */
static void put_command(struct draft *d, const struct bson_style *style)
{
    const struct mongodb_message *m = d->message;
    struct bson_out *to = &d->out;
    unsigned count = bson_put_open(to, d->body, style);
    for (unsigned i = 0; i < m->section_count; i++) {
        if (is_left_out(style->without, m->sections[i].name)) {
            continue;
        }
        bson_put_text(to, count++ > 0 ? ",\"" : "\"");
        bson_put(to, m->sections[i].name);
        bson_put_text(to, "\":");
        put_documents(to, m->sections[i].documents);
    }
    bson_put_text(to, "}");
}

static void put_arguments(struct draft *d, bool is_full)
{
    const struct mongodb_message *m = d->message;
    const char *without[WITHOUT_MAX];
    choose(d, without);
    struct bson_style style = {.without = is_full ? NULL : without, .secret = secrets_of(d)};
    if (d->body.size > 0) {
        put_command(d, &style);
    }
    if (is_full && m->header.opcode == MONGODB_UPDATE) {
        bson_put_text(&d->out, ",");
        bson_put_document(&d->out, m->second, NULL);
    } else if (is_full && m->header.opcode == MONGODB_INSERT) {
        put_documents(&d->out, m->documents);
    }
}

static void put_bound(struct draft *d, const char *word, enum mongodb_number which)
{
    int64_t value = d->message->number[which];
    if (value > 0 && value < INT32_MAX) {
        bson_put_text(&d->out, word);
        bson_put_integer(&d->out, value);
        bson_put_text(&d->out, ")");
    }
}

/* collection.method(arguments).skip(n).limit(n) */
static void add_query(struct draft *d, enum mongodb_text which, bool is_full)
{
    struct span resource = mongodb_text_of(d->record, MONGODB_RESOURCE);
    struct span method = mongodb_text_of(d->record, MONGODB_METHOD);
    begin_text(d, which);
    bson_put(&d->out, resource);
    bson_put_text(&d->out, resource.size > 0 ? "." : "");
    bson_put(&d->out, method);
    bson_put_text(&d->out, "(");
    put_arguments(d, is_full);
    bson_put_text(&d->out, ")");
    put_bound(d, ".skip(", MONGODB_SKIP);
    put_bound(d, ".limit(", MONGODB_LIMIT);
    end_text(d, which);
}

static void add_parts(struct draft *d)
{
    const struct mongodb_message *m = d->message;
    if (m->collection.size > 0) {
        add_text(d, MONGODB_COLLECTION, span_head(m->collection, RESOURCE_MAX));
    }
    switch (m->header.opcode) {
    case MONGODB_QUERY:
        if (!ends_with(m->collection, ".$cmd")) {
            add_document(d, MONGODB_FIND, d->body);
        }
        if (m->second.size > 0) {
            add_document(d, MONGODB_FIELDS, m->second);
        }
        break;
    case MONGODB_UPDATE:
        add_document(d, MONGODB_CHANGE, m->second);
        add_document(d, MONGODB_SELECTOR, m->body);
        break;
    case MONGODB_DELETE:
        add_document(d, MONGODB_SELECTOR, m->body);
        break;
    default:
        break;
    }
}

/* A client may say how long a command may take; one that waits for news takes that long. */
static uint64_t patience(struct span body)
{
    static const char *const names[] = {"maxTimeMS", "maxAwaitTimeMS"};
    int64_t most = 0;
    for (unsigned i = 0; i < 2; i++) {
        struct bson_element e = bson_find(body, names[i]);
        int64_t value = bson_integer(&e);
        most = value > most && value <= PATIENCE_MAX ? value : most;
    }
    return (uint64_t)(most * ns_a_millisecond);
}

static void write_request(struct draft *d)
{
    name(d);
    add_query(d, MONGODB_QUERY_TEXT, false);
    add_parts(d);
    if (d->options->settings.send_request) {
        add_query(d, MONGODB_REQUEST_TEXT, true);
    }
    d->record->patience_ns = patience(d->body);
}

/* ---- Replies -------------------------------------------------------------------------------- */

/* What a reply says went wrong: its errors of writes, or of the whole command. */
static void add_error(struct draft *d)
{
    static const char *const names[] = {"$err", "writeErrors", "writeConcernError"};
    struct span body = d->message->body;
    struct bson_element e = {0};
    for (unsigned i = 0; i < sizeof names / sizeof *names && e.type == 0; i++) {
        e = bson_find(body, names[i]);
    }
    struct bson_element ok = bson_find(body, "ok");
    if (e.type == 0 && ok.type != 0 && bson_integer(&ok) == 0) {
        e = bson_find(body, "errmsg");
        d->record->has_failed = true;
    }
    if (e.type != 0) {
        d->record->has_failed = true;
        begin_text(d, MONGODB_ERROR);
        bson_put_value(&d->out, &e, true);
        end_text(d, MONGODB_ERROR);
    }
}

static void set_number(struct mongodb_record *r, enum mongodb_number n, int64_t value)
{
    r->number[n] = value;
    r->has |= (uint8_t)(1U << n);
}

/* OP_MSG: a cursor with its first or next batch of documents. */
static void note_cursor(struct draft *d)
{
    struct bson_element cursor = bson_find(d->message->body, "cursor");
    if (cursor.type != BSON_DOCUMENT) {
        return;
    }
    struct bson_element id = bson_find(cursor.value, "id");
    struct bson_element batch = bson_find(cursor.value, "firstBatch");
    batch = batch.type == 0 ? bson_find(cursor.value, "nextBatch") : batch;
    if (id.type == BSON_INT64) {
        set_number(d->record, MONGODB_CURSOR, bson_integer(&id));
    }
    struct bson_walk walk = bson_open(batch.type == BSON_ARRAY ? batch.value : span_of("", 0));
    struct bson_element e;
    int64_t count = 0;
    while (bson_next(&walk, &e)) {
        count++;
    }
    if (!walk.is_cut && batch.type == BSON_ARRAY) {
        set_number(d->record, MONGODB_RETURNED, count);
    } else if (walk.is_cut && d->message->is_cut && d->record->cut == PROTO_CUT_NOT) {
        d->record->cut = (uint8_t)d->message->cut; /* how many there are is not known */
    }
}

/* A document as a line, cut at so many bytes. */
static void put_line(struct draft *d, struct span document, const struct bson_style *style)
{
    struct bson_out *to = &d->out;
    int64_t most = d->options->document_bytes_max;
    struct bson_out line = *to;
    if (most > 0 && (int64_t)(to->end - to->at) > most) {
        line.end = to->at + most;
    }
    bson_put_document(&line, document, style);
    to->at = line.at;
    to->is_cut |= line.is_cut && !line.is_full;
    if (line.is_full) {
        bson_put_text(to, " ...");
    }
}

/* Documents a line each; those of a reply to a login hide what it says. */
static void add_response(struct draft *d)
{
    static const char *const secret[] = {"payload", "speculativeAuthenticate", NULL};
    static const char *const rarely[] = {"speculativeAuthenticate", NULL};
    const struct mongodb_message *m = d->message;
    bool is_login = bson_find(m->body, "conversationId").type != 0;
    struct bson_style style = {.secret = is_login ? secret : rarely};
    struct span documents = m->header.opcode == MONGODB_REPLY ? m->documents : m->body;
    begin_text(d, MONGODB_RESPONSE_TEXT);
    for (int64_t i = 0; !d->out.is_full; i++) {
        struct span document = mongodb_next_document(&documents);
        if (document.size == 0) {
            break;
        }
        bson_put_text(&d->out, i > 0 ? "\n" : "");
        if (d->options->documents_max > 0 && i >= d->options->documents_max) {
            bson_put_text(&d->out, "[...]");
            break;
        }
        put_line(d, document, &style);
    }
    end_text(d, MONGODB_RESPONSE_TEXT);
}

static void write_response(struct draft *d)
{
    d->record->has_failed = d->message->has_failed;
    add_error(d);
    if (d->message->header.opcode == MONGODB_MSG) {
        note_cursor(d);
    }
    if (d->options->settings.send_response) {
        add_response(d);
    }
}

/* ---- The record ----------------------------------------------------------------------------- */

/* How much room the texts of a message may need: JSON is hardly three times as long as BSON. */
static size_t room_for(const struct mongodb_options *options, const struct mongodb_message *m)
{
    bool is_sent =
        m->is_response ? options->settings.send_response : options->settings.send_request;
    bool is_old = m->header.opcode != MONGODB_MSG; /* has its documents beside the query as well */
    size_t texts = (is_sent ? 2U : 1U) + (is_old ? 2U : 0U);
    size_t most = (size_t)options->max_message_size;
    size_t there = m->body.size + m->second.size + m->documents.size;
    for (unsigned i = 0; i < m->section_count; i++) {
        there += m->sections[i].documents.size;
    }
    size_t text = 3 * there < most ? 3 * there : most;
    size_t room = texts * text + SMALL_TEXTS;
    return room > ROOM_SURE ? room : ROOM_SURE;
}

struct mongodb_record *mongodb_record_new(const struct proto_context *c,
                                          const struct mongodb_message *m)
{
    size_t room = room_for(mongodb_options_of(c), m);
    struct mongodb_record *r = draft_take(c->memory, sizeof *r, &room, ROOM_SURE);
    if (r == NULL) {
        return NULL;
    }
    *r = (struct mongodb_record){
        .id = m->header.id,
        .response_to = m->header.response_to,
        .is_response = m->is_response,
        .wants_reply = m->wants_reply,
        .more_to_come = m->more_to_come,
        .has = m->has,
    };
    memcpy(r->number, m->number, sizeof r->number);
    struct draft d = {.record = r, .message = m, .options = mongodb_options_of(c)};
    d.end = r->bytes_of_texts + room;
    d.out = (struct bson_out){.at = r->bytes_of_texts, .end = d.end};
    if (m->is_response) {
        write_response(&d);
    } else {
        write_request(&d);
    }
    r->link.weight = r->size = (uint32_t)(d.out.at - r->bytes_of_texts);
    return draft_fit(c->memory, r, sizeof *r + r->size);
}
