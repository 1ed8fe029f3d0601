// SPDX-License-Identifier: Apache-2.0
#include "proto/redis/redis_flow.h"

#include "proto/redis/redis_event.h"
#include "proto/redis/redis_words.h"

#include <assert.h>

static struct redis_flow *flow_of(const struct proto_context *c)
{
    return c->state;
}

static struct redis_stats *stats_of(const struct proto_context *c)
{
    return c->block;
}

static const struct redis_options *options_of(const struct proto_context *c)
{
    return (const struct redis_options *)c->settings;
}

/* ---- Events --------------------------------------------------------------------------------- */

static struct span text_of(const struct resp_text *text)
{
    return span_of(text->data != NULL ? (const void *)text->data : "", text->size);
}

static struct span part_of(const struct redis_request *r, struct resp_element part)
{
    return span_of(r->text + part.start, part.size);
}

/* redis.<name in lower case> */
static struct span write_action(char to[REDIS_NAME_MAX + 8], const char *name, size_t size)
{
    char *at = mempcpy(to, "redis.", 6);
    for (size_t i = 0; i < size; i++) {
        bool upper = name[i] >= 'A' && name[i] <= 'Z';
        *at++ = (char)(upper ? name[i] + 32 : name[i]);
    }
    return span_of(to, (size_t)(at - to));
}

enum { NOTES_MAX = 4 };

static const char *const hole_notes[] = {
    "Packet loss while capturing the request",
    "Packet loss while capturing the response",
};

/* What is to be said of the texts of a command, or of a reply. */
static void add_notes(struct event_spans *notes, struct span *room, bool is_response, bool holed,
                      enum proto_cut cut)
{
    notes->items = room;
    if (holed) {
        room[notes->count++] = span_str(hole_notes[is_response]);
    }
    if (cut != PROTO_CUT_NOT) {
        room[notes->count++] = span_str(proto_cut_note(cut, is_response));
    }
}

static enum proto_cut cut_of(const struct redis_message *m)
{
    return !m->text.is_cut ? PROTO_CUT_NOT : m->is_short ? PROTO_CUT_SHORT : PROTO_CUT_AT_MOST;
}

/* What a reply says; of one that is not whole only that it began. */
static void fill_reply(struct redis_event *e, const struct redis_message *server, uint64_t end_ns)
{
    struct transaction *t = &e->transaction;
    t->response_ns = server->start_ns;
    t->destination_bytes = server->reader.bytes;
    if (end_ns == 0) {
        return;
    }
    t->end_ns = end_ns;
    t->status = server->reader.is_error ? TRANSACTION_ERROR : TRANSACTION_OK;
    if (server->reader.is_error) {
        t->outcome = "failure";
        e->error = text_of(&server->text);
    } else {
        e->return_value = text_of(&server->text);
    }
}

/* Reports a command. `server` holds its reply, whole when it has an end; NULL: it has none. */
static void report(struct proto_context *c, const struct redis_request *r,
                   const struct redis_message *server, uint64_t end_ns, const char *reason)
{
    struct redis_flow *f = flow_of(c);
    char action[REDIS_NAME_MAX + 8];
    struct redis_event e = {
        .transaction = {
            .head = {.type = &redis_event_type},
            .start_ns = r->start_ns,
            .request_ns = r->end_ns,
            .source_bytes = r->bytes,
            .status = reason != NULL ? TRANSACTION_ERROR : TRANSACTION_OK,
            .request_side = f->client,
            .reason = reason,
            .action = write_action(action, r->name, r->name_size),
            .method = span_of(r->name, r->name_size),
            .query = span_of(r->text, r->size),
            .resource = part_of(r, r->key),
            .user_name = part_of(r, r->user),
        },
    };
    if (server != NULL) {
        fill_reply(&e, server, end_ns);
    }
    if (c->settings->send_request) {
        e.transaction.request = span_of(r->text, r->size);
    }
    if (c->settings->send_response && end_ns != 0) {
        e.transaction.response = text_of(&server->text);
    }
    struct span notes[NOTES_MAX];
    enum proto_cut reply_cut = server != NULL && end_ns != 0 ? cut_of(server) : PROTO_CUT_NOT;
    add_notes(&e.transaction.notes, notes, false, r->holed, r->cut);
    add_notes(&e.transaction.notes, notes, true, server != NULL && server->holed, reply_cut);
    proto_cut_count(c->events, r->cut, reply_cut);
    (void)event_log_add_whole(c->events, &e.transaction.head);
}

/* Reports what the server sent unasked: a published message, or that a key is no longer valid. */
static void report_push(struct proto_context *c)
{
    struct redis_flow *f = flow_of(c);
    const struct redis_message *server = f->side[1 - f->client].message;
    struct span word = span_head(resp_element(&server->reader, &server->text, 0), REDIS_NAME_MAX);
    char name[REDIS_NAME_MAX];
    for (size_t i = 0; i < word.size; i++) {
        bool lower = word.data[i] >= 'a' && word.data[i] <= 'z';
        name[i] = (char)(lower ? word.data[i] - 32 : word.data[i]);
    }
    char action[REDIS_NAME_MAX + 8];
    struct redis_event e = {
        .transaction =
            {
                .head = {.type = &redis_event_type},
                .start_ns = server->start_ns,
                .destination_bytes = server->reader.bytes,
                .request_side = f->client,
                .action = write_action(action, name, word.size),
                .method = span_of(name, word.size),
                .resource = resp_element(&server->reader, &server->text, 1),
            },
        .return_value = text_of(&server->text),
    };
    struct span notes[NOTES_MAX];
    add_notes(&e.transaction.notes, notes, true, server->holed, cut_of(server));
    proto_cut_count(c->events, PROTO_CUT_NOT, cut_of(server));
    (void)event_log_add_whole(c->events, &e.transaction.head);
}

/* ---- Commands that wait --------------------------------------------------------------------- */

static uint32_t sure_bytes(const struct redis_request *r)
{
    return r->size < PROTO_TEXT_SURE ? r->size : PROTO_TEXT_SURE;
}

/* Takes the oldest command off the queue. */
static struct redis_request *pop(struct redis_flow *f)
{
    struct redis_request *r = f->head;
    assert(r != NULL);
    f->head = r->next;
    f->tail = f->head != NULL ? f->tail : NULL;
    f->count--;
    f->queue_bytes -= sure_bytes(r);
    f->long_bytes -= r->size - sure_bytes(r);
    return r;
}

static void give_up_oldest(struct proto_context *c, const char *reason)
{
    struct redis_flow *f = flow_of(c);
    const struct redis_message *server = f->side[1 - f->client].message;
    bool begun = f->owed == 0 && server != NULL && !resp_is_idle(&server->reader) &&
                 !f->side[1 - f->client].tentative;
    report(c, f->head, begun ? server : NULL, 0, reason);
    slab_give(c->memory, pop(f));
    stats_of(c)->unanswered++;
}

void redis_give_up(struct proto_context *c, const char *reason)
{
    struct redis_flow *f = flow_of(c);
    uint32_t owed = f->owed;
    while (f->head != NULL) {
        give_up_oldest(c, reason);
        f->owed++; /* a reply that has begun is that of the first */
    }
    f->owed = owed;
}

/* Forgets the oldest command, whose reply is still to come. */
static void evict_oldest(struct proto_context *c)
{
    give_up_oldest(c, "evicted");
    flow_of(c)->owed++;
    stats_of(c)->evicted++;
}

static void push(struct redis_flow *f, struct redis_request *r)
{
    if (f->tail != NULL) {
        f->tail->next = r;
    } else {
        f->head = r;
    }
    f->tail = r;
    f->count++;
    f->queue_bytes += sure_bytes(r);
    f->long_bytes += r->size - sure_bytes(r);
}

/* The name in upper case: one word, or two with a space between. */
static void set_name(struct redis_request *r, struct span first, struct span second)
{
    struct span words[] = {first, second};
    size_t size = 0;
    for (unsigned i = 0; i < 2; i++) {
        if (i > 0 && words[i].size > 0 && size < REDIS_NAME_MAX) {
            r->name[size++] = ' ';
        }
        for (size_t k = 0; k < words[i].size && size < REDIS_NAME_MAX; k++) {
            uint8_t byte = words[i].data[k];
            r->name[size++] = (char)(byte >= 'a' && byte <= 'z' ? byte - 32 : byte);
        }
    }
    r->name_size = (uint8_t)size;
}

/* A block for a command with its text; of a long one less where memory is short, or long ones wait
 * already. */
static struct redis_request *take_block(struct proto_context *c, struct span *text,
                                        enum proto_cut *cut)
{
    struct redis_request *r = NULL;
    size_t most = (size_t)options_of(c)->max_message_size;
    if (text->size <= PROTO_TEXT_SURE || flow_of(c)->long_bytes + text->size <= most) {
        r = slab_take_large(c->memory, sizeof *r + text->size);
    }
    if (r == NULL && text->size > PROTO_TEXT_SURE) {
        *text = span_head(*text, PROTO_TEXT_SURE);
        *cut = PROTO_CUT_SHORT;
        r = slab_take(c->memory, sizeof *r + text->size);
    }
    return r;
}

static struct resp_element within(struct resp_element e, uint32_t size)
{
    uint32_t start = e.start < size ? e.start : size;
    return (struct resp_element){start, e.size < size - start ? e.size : size - start};
}

/* A command of the message that the client has just ended; NULL without memory. */
static struct redis_request *request_new(struct proto_context *c, const struct redis_message *client,
                                         uint64_t now_ns)
{
    const struct resp_reader *reader = &client->reader;
    struct span text = text_of(&client->text);
    enum proto_cut cut = cut_of(client);
    struct redis_request *r = take_block(c, &text, &cut);
    if (r == NULL) {
        return NULL;
    }
    struct span name = resp_element(reader, &client->text, 0);
    *r = (struct redis_request){
        .start_ns = client->start_ns,
        .end_ns = now_ns,
        .bytes = reader->bytes,
        .size = (uint32_t)text.size,
        .flags = (uint8_t)redis_word_flags(name),
        .holed = client->holed,
        .cut = (uint8_t)cut,
    };
    bool two = r->flags & REDIS_TWO_WORDS;
    set_name(r, name, two ? resp_element(reader, &client->text, 1) : span_of(NULL, 0));
    r->key = within(reader->elements[two ? 2 : 1], r->size);
    if (redis_word_is(name, "AUTH") && reader->count == 3) {
        r->user = r->key;
        r->key = (struct resp_element){0};
    }
    if (r->size > 0) {
        memcpy(r->text, text.data, r->size);
    }
    return r;
}

/* Whether the command just read has no reply, and those after it. */
static bool is_mute(struct redis_flow *f, const struct redis_message *client)
{
    struct span words[RESP_ELEMENTS];
    for (unsigned i = 0; i < RESP_ELEMENTS; i++) {
        words[i] = resp_element(&client->reader, &client->text, i);
    }
    bool is_skipped = f->skips;
    f->skips = false;
    if (!redis_word_is(words[0], "CLIENT") || !redis_word_is(words[1], "REPLY")) {
        return f->muted || is_skipped;
    }
    f->skips = redis_word_is(words[2], "SKIP");
    f->muted = redis_word_is(words[2], "OFF") || (f->muted && f->skips);
    return f->muted || f->skips;
}

/* Without memory for it, it and all that came before are forgotten, not their replies. */
static void forget_all(struct proto_context *c)
{
    while (flow_of(c)->head != NULL) {
        evict_oldest(c);
    }
    flow_of(c)->owed++;
    stats_of(c)->evicted++;
    stats_of(c)->unanswered++;
}

void redis_take_request(struct proto_context *c, uint64_t now_ns)
{
    struct redis_flow *f = flow_of(c);
    const struct redis_message *client = f->side[f->client].message;
    if (client->reader.count == 0) { /* "*0": the server does not answer that */
        return;
    }
    stats_of(c)->requests++;
    bool mute = is_mute(f, client);
    struct redis_request *r = request_new(c, client, now_ns);
    if (r == NULL) {
        if (!mute) {
            forget_all(c);
        }
        return;
    }
    f->subscribed = f->subscribed || r->flags & REDIS_SUBSCRIBES;
    if (mute) {
        report(c, r, NULL, 0, NULL);
        slab_give(c->memory, r);
        return;
    }
    if (!turns_ask(&f->turns, f->head != NULL || f->owed > 0, now_ns)) {
        report(c, r, NULL, 0, "gap");
        stats_of(c)->unanswered++;
        slab_give(c->memory, r);
        return;
    }
    push(f, r);
    const struct redis_options *options = options_of(c);
    while (f->count > options->queue_max_messages ||
           (f->queue_bytes > options->queue_max_bytes && f->count > 1)) {
        evict_oldest(c);
    }
}

/* ---- Replies -------------------------------------------------------------------------------- */

/* Whether a message of the server answers nothing. To subscribe to several channels has a reply for
 * each: the first is the reply, the others come as if unasked. */
static bool is_push(const struct redis_flow *f, const struct redis_message *server)
{
    const struct resp_reader *reader = &server->reader;
    if (reader->type == '+') {
        uint8_t first = server->text.size > 0 ? server->text.data[0] : 0;
        return f->monitors && first >= '0' && first <= '9';
    }
    if (reader->type != '>' && (reader->type != '*' || !f->subscribed)) {
        return false;
    }
    struct span word = resp_element(reader, &server->text, 0);
    if (redis_word_flags(word) & REDIS_SUBSCRIBES) {
        return f->head == NULL || f->owed > 0 || !redis_word_is(word, f->head->name);
    }
    return reader->type == '>' || redis_word_is_published(word);
}

/* What a reply means for all that follows. */
static void note_reply(struct redis_flow *f, const struct redis_request *r,
                       const struct redis_message *server)
{
    struct span text = text_of(&server->text);
    f->monitors = f->monitors || (r->flags & REDIS_MONITORS && !server->reader.is_error);
    if (r->flags & REDIS_SYNCS) {
        struct span word = span_head(text, 8);
        f->quiet = redis_word_is(span_head(text, 10), "FULLRESYNC") ||
                   redis_word_is(word, "CONTINUE") || server->reader.type == '$';
    }
}

void redis_take_reply(struct proto_context *c, uint64_t now_ns)
{
    struct redis_flow *f = flow_of(c);
    struct redis_stats *stats = stats_of(c);
    const struct redis_message *server = f->side[1 - f->client].message;
    if (is_push(f, server)) {
        stats->pushes++;
        if (server->reader.type != '+') { /* what is monitored is reported where it is asked */
            report_push(c);
        }
        return;
    }
    stats->responses++;
    stats->errors += server->reader.is_error;
    turns_answer(&f->turns, f->owed > 0 || f->head != NULL, now_ns);
    if (f->owed > 0) {
        f->owed--;
        return;
    }
    if (f->head == NULL) {
        stats->unmatched++;
        return;
    }
    report(c, f->head, server, now_ns, NULL);
    struct redis_request *r = pop(f);
    note_reply(f, r, server);
    slab_give(c->memory, r);
}
