// SPDX-License-Identifier: Apache-2.0
#include "proto/mongodb/mongodb_event.h"

#include "base/json.h"

#define FIELD(name_, kind_, member, help_)                                                         \
    {                                                                                              \
        .name = "mongodb." name_, .kind = kind_, .offset = offsetof(struct mongodb_event, member), \
        .help = help_                                                                              \
    }
#define NUMBER(name, n, help) FIELD(name, EVENT_VALUE, number[n], help)

static const struct event_field fields[] = {
    NUMBER("cursorId", MONGODB_CURSOR, "where more of a result can be had"),
    FIELD("error", EVENT_SPAN, error, "the error that the server replied with"),
    FIELD("fullCollectionName", EVENT_SPAN, collection, "database and collection"),
    NUMBER("numberReturned", MONGODB_RETURNED, "documents in the reply"),
    NUMBER("numberToReturn", MONGODB_LIMIT, "documents asked for at a time"),
    NUMBER("numberToSkip", MONGODB_SKIP, "documents to pass over"),
    FIELD("query", EVENT_SPAN, query, "what documents are looked for"),
    FIELD("returnFieldsSelector", EVENT_SPAN, fields, "what is wanted of them"),
    FIELD("selector", EVENT_SPAN, selector, "what documents to update or delete"),
    NUMBER("startingFrom", MONGODB_STARTING_FROM, "where in the result the reply begins"),
    FIELD("update", EVENT_SPAN, update, "what to make of them"),
    {0},
};

const struct event_type mongodb_event_type = {
    .dataset = "mongodb",
    .help = "A command to MongoDB and its reply",
    .size = sizeof(struct mongodb_event),
    .fields = fields,
    .common = transaction_fields,
};

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct mongodb_stats, member), \
        .unit = unit_, .help = help_, .group = "counters"                                          \
    }

static const struct metric metrics[] = {
    COUNTER(requests, "messages", "Commands, queries and old writes that clients sent"),
    COUNTER(responses, "messages", "Replies to them"),
    COUNTER(transactions, "transactions", "Commands with their replies"),
    COUNTER(errors, "transactions", "Commands that failed, or got no reply that was due"),
    COUNTER(unanswered, "messages", "Commands whose reply was due and not seen"),
    COUNTER(unmatched, "messages", "Replies whose command was not seen"),
    COUNTER(streamed, "messages", "Further replies to commands that ask for a stream of them"),
    COUNTER(compressed, "messages", "Messages that were compressed"),
    COUNTER(evicted, "messages", "Commands given up because too many waited"),
    COUNTER(unknown_opcodes, "messages", "Messages of kinds that are not known"),
    COUNTER(malformed, "places", "Places where a connection stopped to be MongoDB's"),
    COUNTER(not_kept, "messages", "Messages that there was no memory for"),
    COUNTER(gaps, "gaps", "Holes in connections, where bytes were not captured"),
    COUNTER(refused, "connections", "Connections at its ports that begin otherwise: TLS, for one"),
    {.name = "unknown_codes", .kind = METRIC_TOPN, .unit = "messages", .group = "counters",
     .offset = offsetof(struct mongodb_stats, unknown_codes), .key = METRIC_KEY_TEXT,
     .help = "Kinds of messages that are not known", .notice = "Unknown operation code: "},
    {0},
};

static void init(void *block)
{
    struct mongodb_stats *stats = block;
    topn_init(&stats->unknown_codes, MONGODB_CODES, TOPN_KEY_MAX);
}

void mongodb_note_code(struct mongodb_stats *stats, uint32_t opcode)
{
    char text[12];
    char *end = json_digits(text, opcode);
    stats->unknown_opcodes++;
    topn_add_text(&stats->unknown_codes, span_of(text, (size_t)(end - text)), 1);
}

const struct metric_set mongodb_set = {
    .name = "mongodb",
    .help = "Commands to MongoDB and their replies",
    .metrics = metrics,
    .size = sizeof(struct mongodb_stats),
    .init = init,
};
