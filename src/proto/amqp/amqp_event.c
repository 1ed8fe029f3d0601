// SPDX-License-Identifier: Apache-2.0
#include "proto/amqp/amqp_event.h"

#define ROW(name_, kind_, member, flags_, help_)                                                   \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct amqp_event, member),               \
        .flags = flags_, .help = help_                                                             \
    }
#define TEXT(name, n, help) ROW("amqp." name, EVENT_SPAN, field[AMQP_##n], EVENT_EMPTY_TOO, help)
#define JSON(name, n, help) ROW("amqp." name, EVENT_VALUE, field[AMQP_##n], 0, help)

/* In the order of enum amqp_field, which is that of the names. */
static const struct event_field fields[] = {
    JSON("active", ACTIVE, "whether messages are to flow"),
    TEXT("app-id", APP_ID, "the application that made the message"),
    JSON("arguments", ARGUMENTS, "further arguments of a declaration"),
    JSON("auto-delete", AUTO_DELETE, "it goes when nobody uses it"),
    JSON("channel-max", CHANNEL_MAX, "channels that a connection may have"),
    JSON("class-id", CLASS_ID, "class of the method that failed"),
    JSON("client-properties", CLIENT_PROPERTIES, "what the client says about itself"),
    JSON("consumer-count", CONSUMER_COUNT, "consumers of the queue"),
    TEXT("consumer-tag", CONSUMER_TAG, "the consumer's name"),
    TEXT("content-encoding", CONTENT_ENCODING, "how the body is packed"),
    TEXT("content-type", CONTENT_TYPE, "what the body is"),
    TEXT("correlation-id", CORRELATION_ID, "what the message belongs to"),
    TEXT("delivery-mode", DELIVERY_MODE, "persistent or non-persistent"),
    JSON("delivery-tag", DELIVERY_TAG, "number of the delivery"),
    TEXT("destination", DESTINATION, "the exchange that gets the messages"),
    JSON("durable", DURABLE, "it outlives the server"),
    TEXT("exchange", EXCHANGE, "the exchange"),
    TEXT("exchange-type", EXCHANGE_TYPE, "direct, fanout, topic, headers"),
    JSON("exclusive", EXCLUSIVE, "for this connection or consumer only"),
    TEXT("expiration", EXPIRATION, "milliseconds that the message is good for"),
    JSON("frame-max", FRAME_SIZE, "bytes that a frame may have"),
    JSON("global", GLOBAL, "for the whole channel"),
    JSON("headers", HEADERS, "headers of the message"),
    JSON("heartbeat", HEARTBEAT_DELAY, "seconds between signs of life"),
    JSON("if-empty", IF_EMPTY, "only if there are no messages"),
    JSON("if-unused", IF_UNUSED, "only if nobody uses it"),
    JSON("immediate", IMMEDIATE, "a consumer must be there"),
    TEXT("locale", LOCALE, "the language that was chosen"),
    TEXT("locales", LOCALES, "languages that the server speaks"),
    JSON("mandatory", MANDATORY, "a queue must be there"),
    TEXT("mechanism", MECHANISM, "how the client logs in"),
    TEXT("mechanisms", MECHANISMS, "how clients may log in"),
    JSON("message-count", MESSAGE_COUNT, "messages in the queue"),
    TEXT("message-id", MESSAGE_ID, "the message's name"),
    JSON("method-id", METHOD_ID, "the method that failed"),
    JSON("multiple", MULTIPLE, "and all deliveries before"),
    JSON("no-ack", NO_ACK, "the client will not acknowledge"),
    JSON("no-local", NO_LOCAL, "no messages of this connection"),
    JSON("no-wait", NO_WAIT, "no answer is wanted"),
    JSON("passive", PASSIVE, "only whether it is there"),
    JSON("prefetch-count", PREFETCH_COUNT, "messages that may be on their way"),
    JSON("prefetch-size", PREFETCH_SIZE, "bytes that may be on their way"),
    JSON("priority", PRIORITY, "of the message"),
    TEXT("queue", QUEUE, "the queue"),
    JSON("redelivered", REDELIVERED, "it was delivered before"),
    JSON("reply-code", REPLY_CODE, "why it was closed or returned"),
    TEXT("reply-text", REPLY_TEXT, "the same in words"),
    TEXT("reply-to", REPLY_TO, "where answers to the message go"),
    JSON("requeue", REQUEUE, "whether it goes back to the queue"),
    TEXT("routing-key", ROUTING_KEY, "the routing key"),
    JSON("server-properties", SERVER_PROPERTIES, "what the server says about itself"),
    TEXT("source", SOURCE, "the exchange that gives the messages"),
    TEXT("timestamp", TIMESTAMP, "when the message was made"),
    TEXT("type", TYPE, "the message's type"),
    TEXT("user-id", USER_ID, "who made the message"),
    JSON("version-major", VERSION_MAJOR, "of the protocol"),
    JSON("version-minor", VERSION_MINOR, "of the protocol"),
    TEXT("virtual-host", VIRTUAL_HOST, "the virtual host"),
    ROW("user.id", EVENT_SPAN, field[AMQP_USER_ID], EVENT_COPY, "as amqp.user-id"),
    {0},
};

_Static_assert(sizeof fields / sizeof *fields == AMQP_FIELDS + 2, "a row for each field");

bool amqp_field_is_text(enum amqp_field field)
{
    return fields[field].kind == EVENT_SPAN;
}

const struct event_type amqp_event_type = {
    .dataset = "amqp",
    .help = "A method of AMQP with what answers it, or a message",
    .size = sizeof(struct amqp_event),
    .fields = fields,
    .common = transaction_fields,
};

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct amqp_stats, member),    \
        .unit = unit_, .help = help_, .group = "counters"                                          \
    }

static const struct metric metrics[] = {
    COUNTER(requests, "methods", "Methods that want an answer"),
    COUNTER(responses, "methods", "Answers to them"),
    COUNTER(transactions, "transactions", "Methods with their answers"),
    COUNTER(published, "messages", "Messages that clients published"),
    COUNTER(delivered, "messages", "Messages delivered to consumers, or fetched"),
    COUNTER(returned, "messages", "Messages that found no way and came back"),
    COUNTER(body_bytes, "bytes", "Bytes of messages"),
    COUNTER(errors, "transactions", "What failed, was refused, or got no answer"),
    COUNTER(refused, "methods", "Methods that were answered by a channel or connection being closed"),
    COUNTER(unanswered, "methods", "Methods whose answer was not seen"),
    COUNTER(unmatched, "methods", "Answers whose method was not seen"),
    COUNTER(evicted, "methods", "Methods and messages given up because too many were open"),
    COUNTER(malformed, "places", "Places where a connection stopped to be AMQP's"),
    COUNTER(not_kept, "methods", "Methods that there was no memory for"),
    COUNTER(gaps, "gaps", "Holes in connections, where bytes were not captured"),
    {0},
};

const struct metric_set amqp_set = {
    .name = "amqp",
    .help = "Methods and messages of AMQP 0-9-1",
    .metrics = metrics,
    .size = sizeof(struct amqp_stats),
};
