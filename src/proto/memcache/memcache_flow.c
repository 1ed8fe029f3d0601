// SPDX-License-Identifier: Apache-2.0
#include "proto/memcache/memcache_flow.h"

#include "proto/memcache/memcache_report.h"

#include <assert.h>

enum { MISSED_MAX = 64, MISSED_DEPTH = 16 };

/* ---- The queue ------------------------------------------------------------------------------ */

static void push(struct memcache_flow *f, struct memcache_message *m)
{
    if (f->tail != NULL) {
        f->tail->next = m;
    } else {
        f->head = m;
    }
    f->tail = m;
    m->next = NULL;
    f->count++;
    f->queue_bytes += (uint32_t)memcache_message_size(m);
}

/* Takes the command behind `before` off the queue; that at its head when that is NULL. */
static struct memcache_message *pop(struct memcache_flow *f, struct memcache_message *before)
{
    struct memcache_message *m = before != NULL ? before->next : f->head;
    assert(m != NULL);
    if (before != NULL) {
        before->next = m->next;
    } else {
        f->head = m->next;
    }
    f->tail = f->tail == m ? before : f->tail;
    f->count--;
    f->queue_bytes -= (uint32_t)memcache_message_size(m);
    return m;
}

/* Reports the oldest command without a response. */
static void give_up_oldest(struct proto_context *c, const char *reason, const char *note)
{
    struct memcache_message *m = pop(memcache_flow_of(c), NULL);
    memcache_report(c, &(struct memcache_pair){.request = m, .reason = reason, .note = note});
    memcache_message_give(c->memory, m);
}

void memcache_give_up(struct proto_context *c, const char *reason)
{
    while (memcache_flow_of(c)->head != NULL) {
        give_up_oldest(c, reason, "Unfinished transaction");
    }
}

/* Whether responses have no name, and belong to commands by their order alone. */
static bool goes_by_order(const struct memcache_flow *f)
{
    return !f->is_binary && !f->is_datagrams;
}

void memcache_lose_commands(struct proto_context *c)
{
    struct memcache_flow *f = memcache_flow_of(c);
    f->uncertain = true;
    if (goes_by_order(f)) {
        turns_lose_questions(&f->turns, f->head != NULL || f->owed > 0);
    }
}

void memcache_lose_responses(struct proto_context *c)
{
    struct memcache_flow *f = memcache_flow_of(c);
    f->uncertain = true;
    if (goes_by_order(f)) {
        turns_lose_answers(&f->turns, f->head != NULL || f->owed > 0);
    }
    memcache_give_up(c, "gap");
    f->owed = 0;
}

/* In text a response that is late will still come, before those of later commands. */
static void forget_oldest(struct proto_context *c, const char *reason)
{
    struct memcache_flow *f = memcache_flow_of(c);
    assert(f->head != NULL);
    bool is_due = goes_by_order(f) && !f->head->is_quiet;
    f->owed += is_due;
    give_up_oldest(c, reason, "Unfinished transaction");
}

void memcache_age(struct proto_context *c, uint64_t now_ns)
{
    struct memcache_flow *f = memcache_flow_of(c);
    const struct memcache_options *options = memcache_options_of(c);
    uint64_t timeout = (uint64_t)(f->is_datagrams ? options->datagram_timeout
                                                  : options->settings.transaction_timeout);
    bool is_answered = f->side[1 - f->client].open != NULL; /* it has begun */
    while (f->head != NULL && !is_answered && f->head->end_ns + timeout < now_ns) {
        forget_oldest(c, "timeout");
    }
}

void memcache_take_request(struct proto_context *c, struct memcache_message *m)
{
    struct memcache_flow *f = memcache_flow_of(c);
    memcache_stats_of(c)->requests++;
    m->id = f->id;
    f->quiet = f->quiet || m->is_watch;
    bool is_mute = m->no_reply || (m->is_quit && (!m->is_binary || m->is_quiet));
    if (is_mute || (f->is_datagrams && m->is_quiet)) {
        memcache_report(c, &(struct memcache_pair){.request = m});
        memcache_message_give(c->memory, m);
        return;
    }
    bool waits = f->head != NULL || f->owed > 0;
    bool is_doubted = f->side[f->client].tentative;
    if (goes_by_order(f) && (is_doubted || !turns_ask(&f->turns, waits, m->end_ns))) {
        memcache_report(c, &(struct memcache_pair){
                               .request = m, .reason = "gap", .note = "Unfinished transaction"});
        memcache_message_give(c->memory, m);
        return;
    }
    push(f, m);
    uint32_t most = MEMCACHE_QUEUE_BYTES + (uint32_t)memcache_options_of(c)->max_message_size;
    while (f->count > MEMCACHE_QUEUE_MAX || (f->queue_bytes > most && f->count > 1)) {
        memcache_stats_of(c)->evicted++;
        forget_oldest(c, "evicted");
    }
}

/* ---- Which command a response belongs to ---------------------------------------------------- */

static bool keys_fit(const struct memcache_message *request,
                     const struct memcache_message *response)
{
    struct span asked = memcache_item_first(request, MEMCACHE_ITEM_KEY);
    struct span given = memcache_item_first(response, MEMCACHE_ITEM_KEY);
    return asked.data == NULL || given.data == NULL || span_equal(asked, given);
}

static bool binary_fits(const struct memcache_message *request,
                        const struct memcache_message *response)
{
    return request->number[MEMCACHE_OPCODE] == response->number[MEMCACHE_OPCODE] &&
           request->number[MEMCACHE_OPAQUE] == response->number[MEMCACHE_OPAQUE] &&
           keys_fit(request, response);
}

static bool says(const struct memcache_message *m, const char *word)
{
    return m->command != NULL && strcmp(m->command, word) == 0;
}

/* Whether a meta command may be answered with that word at all. */
static bool may_answer(const struct memcache_message *request,
                       const struct memcache_message *response)
{
    static const struct {
        const char *word;
        const char *commands;
    } answers[] = {{"MN", "mn"},    {"EN", "mg me"},    {"VA", "mg ma"}, {"NF", "md ma ms"},
                   {"NS", "ms ma"}, {"EX", "ms md ma"}, {"ME", "me"},    {"HD", "mg ms md ma"}};
    for (unsigned i = 0; i < sizeof answers / sizeof *answers; i++) {
        if (says(response, answers[i].word)) {
            return strstr(answers[i].commands, request->command) != NULL;
        }
    }
    return true;
}

/* A quiet command is not answered with EN or HD; one that asks for a value, not with HD. */
static bool meta_fits(const struct memcache_message *request,
                      const struct memcache_message *response)
{
    struct span asked = memcache_item_first(request, MEMCACHE_ITEM_TAG);
    struct span given = memcache_item_first(response, MEMCACHE_ITEM_TAG);
    if (!may_answer(request, response)) {
        return false;
    }
    if (given.data != NULL) { /* old servers leave it out of EN */
        return asked.data != NULL && span_equal(asked, given);
    }
    if (!request->is_quiet) {
        return true;
    }
    bool is_other = says(response, request->wants_value ? "HD" : "VA");
    bool is_silent = says(response, request->type == MEMCACHE_LOAD ? "EN" : "HD");
    return !is_silent && !is_other && keys_fit(request, response);
}

/* Whether a line of text may answer a command at all. */
static bool text_fits(const struct memcache_message *request,
                      const struct memcache_message *response)
{
    switch (response->type) {
    case MEMCACHE_COUNTER:
    case MEMCACHE_STATS:
        return request->type == response->type;
    case MEMCACHE_LOAD:
        return request->is_meta == response->is_meta && request->type != MEMCACHE_STORE &&
               request->type != MEMCACHE_DELETE && request->type != MEMCACHE_COUNTER &&
               (response->count[MEMCACHE_ITEM_KEY] == 0 || request->type == MEMCACHE_LOAD);
    case MEMCACHE_INFO:
        return request->type == MEMCACHE_INFO;
    case MEMCACHE_SUCCESS:
        return !(says(response, "STORED") || says(response, "TOUCHED")) ||
               request->type == MEMCACHE_STORE;
    default:
        return true;
    }
}

/* Whether a value that is returned was asked for. */
static bool was_asked_for(const struct memcache_message *request,
                          const struct memcache_message *response)
{
    struct span given = memcache_item_first(response, MEMCACHE_ITEM_KEY);
    if (given.data == NULL || request->is_cut || request->is_long) {
        return true;
    }
    struct memcache_walk walk = {0};
    struct span text = memcache_item_next(request, &walk);
    while (text.data != NULL && !(walk.kind == MEMCACHE_ITEM_KEY && span_equal(text, given))) {
        text = memcache_item_next(request, &walk);
    }
    return text.data != NULL;
}

static bool fits(const struct memcache_flow *f, const struct memcache_message *request,
                 const struct memcache_message *response)
{
    if (f->is_datagrams && request->id != f->id) {
        return false;
    }
    if (f->is_binary) {
        return binary_fits(request, response);
    }
    if (request->is_meta && response->is_meta) {
        return meta_fits(request, response);
    }
    return f->is_datagrams ||
           (was_asked_for(request, response) && (!f->uncertain || text_fits(request, response)));
}

/* How far a response looks for its command. Text that is not tagged belongs to the oldest one. */
static uint32_t depth_of(const struct memcache_flow *f, const struct memcache_message *response)
{
    bool is_ordered = goes_by_order(f) && !response->is_meta;
    return is_ordered ? 1 : f->missed > MISSED_MAX ? MISSED_DEPTH : MEMCACHE_QUEUE_MAX;
}

/* Takes the command of a response off the queue, NULL when there is none. Those before it will get
 * no response any more, but in UDP, where each is on its own. */
static struct memcache_message *take_command(struct proto_context *c,
                                             const struct memcache_message *response)
{
    struct memcache_flow *f = memcache_flow_of(c);
    struct memcache_message *before = NULL;
    struct memcache_message *m = f->head;
    uint32_t passed = 0;
    for (uint32_t depth = depth_of(f, response); m != NULL && depth > 0; depth--) {
        if (fits(f, m, response)) {
            break;
        }
        before = m;
        m = m->next;
        passed++;
    }
    bool found = m != NULL && fits(f, m, response);
    f->missed = found ? 0 : f->missed + 1;
    if (!found) {
        return NULL;
    }
    if (f->is_datagrams) {
        return pop(f, before);
    }
    for (; passed > 0; passed--) {
        bool is_quiet = f->head->is_quiet;
        give_up_oldest(c, is_quiet ? NULL : "skipped",
                       is_quiet ? NULL : "Missing response for non-quiet request");
    }
    return pop(f, NULL);
}

void memcache_take_response(struct proto_context *c, struct memcache_message *m)
{
    struct memcache_flow *f = memcache_flow_of(c);
    struct memcache_stats *stats = memcache_stats_of(c);
    stats->responses++;
    bool is_owed = f->owed > 0;
    f->owed -= is_owed;
    turns_answer(&f->turns, is_owed || f->head != NULL, m->end_ns);
    bool waits = f->head != NULL;
    struct memcache_message *request = is_owed ? NULL : take_command(c, m);
    if (request == NULL && !is_owed && waits && goes_by_order(f) && !m->is_meta) {
        memcache_lose_responses(c); /* it is not the oldest one's: something was missed */
        turns_mistrust(&f->turns);
    }
    stats->unmatched += request == NULL && !is_owed;
    bool wanted = request != NULL || (!is_owed && c->settings->report_unmatched);
    if (wanted) {
        memcache_report(c, &(struct memcache_pair){.request = request, .response = m});
    }
    memcache_message_give(c->memory, request);
    memcache_message_give(c->memory, m);
}
