// SPDX-License-Identifier: Apache-2.0
#include "proto/amqp/amqp_method.h"

#include "base/cursor.h"

enum {
    WHOLE_MAX = 4096, /* frames up to this size are looked at as a whole */
    CONTENT_MIN = 14, /* class, weight, size, flags */
    METHOD_MIN = 4,
};

#define RESERVED {AMQP_SHORT, AMQP_HIDDEN}
#define TEXT(field) {AMQP_SHORT_TEXT, AMQP_##field}
#define BIT(field) {AMQP_BIT, AMQP_##field}
#define NUMBER(kind, field) {AMQP_##kind, AMQP_##field}
#define TABLE(field) {AMQP_TABLE, AMQP_##field}

#define ROW(class_, id_, name_, role_, ...)                                                        \
    {                                                                                              \
        .class_id = class_, .id = id_, .name = name_, .role = role_, .arguments = {__VA_ARGS__}    \
    }
#define CONTENT(class_, id_, name_, role_, asked, ...)                                             \
    {                                                                                              \
        .class_id = class_, .id = id_, .name = name_, .role = role_, .has_content = true,          \
        .asked_by = asked, .arguments = {__VA_ARGS__}                                              \
    }
#define REQUEST(class_, id_, name, ...) ROW(class_, id_, name, AMQP_REQUEST, __VA_ARGS__)
#define ALONE(class_, id_, name, ...) ROW(class_, id_, name, AMQP_ALONE, __VA_ARGS__)
#define ANSWER(class_, id_, name_, asked, ...)                                                     \
    {                                                                                              \
        .class_id = class_, .id = id_, .name = name_, .role = AMQP_RESPONSE, .asked_by = asked,    \
        .arguments = {__VA_ARGS__}                                                                 \
    }
#define INTIMATE(class_, id_, name_, role_, asked, ...)                                            \
    {                                                                                              \
        .class_id = class_, .id = id_, .name = name_, .role = role_, .asked_by = asked,            \
        .is_intimate = true, .arguments = {__VA_ARGS__}                                            \
    }
#define CLOSING                                                                                    \
    NUMBER(SHORT, REPLY_CODE), TEXT(REPLY_TEXT), NUMBER(SHORT, CLASS_ID), NUMBER(SHORT, METHOD_ID)
#define TUNING                                                                                     \
    NUMBER(SHORT, CHANNEL_MAX), NUMBER(LONG, FRAME_SIZE), NUMBER(SHORT, HEARTBEAT_DELAY)
#define NOTHING {AMQP_KIND_END, 0}

/* By class, then method. */
static const struct amqp_method methods[] = {
    INTIMATE(10, 10, "connection.start", AMQP_REQUEST, 0, NUMBER(OCTET, VERSION_MAJOR),
             NUMBER(OCTET, VERSION_MINOR), TABLE(SERVER_PROPERTIES),
             NUMBER(LONG_TEXT, MECHANISMS), NUMBER(LONG_TEXT, LOCALES)),
    INTIMATE(10, 11, "connection.start-ok", AMQP_RESPONSE, 10, TABLE(CLIENT_PROPERTIES),
             TEXT(MECHANISM), NUMBER(LONG_TEXT, HIDDEN), TEXT(LOCALE)),
    INTIMATE(10, 20, "connection.secure", AMQP_REQUEST, 0, NOTHING),
    INTIMATE(10, 21, "connection.secure-ok", AMQP_RESPONSE, 20, NOTHING),
    INTIMATE(10, 30, "connection.tune", AMQP_REQUEST, 0, TUNING),
    INTIMATE(10, 31, "connection.tune-ok", AMQP_RESPONSE, 30, TUNING),
    INTIMATE(10, 40, "connection.open", AMQP_REQUEST, 0, TEXT(VIRTUAL_HOST)),
    INTIMATE(10, 41, "connection.open-ok", AMQP_RESPONSE, 40, NOTHING),
    REQUEST(10, 50, "connection.close", CLOSING),
    ANSWER(10, 51, "connection.close-ok", 50, NOTHING),
    INTIMATE(10, 60, "connection.blocked", AMQP_ALONE, 0, TEXT(REPLY_TEXT)),
    INTIMATE(10, 61, "connection.unblocked", AMQP_ALONE, 0, NOTHING),
    INTIMATE(10, 70, "connection.update-secret", AMQP_REQUEST, 0, NOTHING),
    INTIMATE(10, 71, "connection.update-secret-ok", AMQP_RESPONSE, 70, NOTHING),
    INTIMATE(20, 10, "channel.open", AMQP_REQUEST, 0, NOTHING),
    INTIMATE(20, 11, "channel.open-ok", AMQP_RESPONSE, 10, NOTHING),
    INTIMATE(20, 20, "channel.flow", AMQP_REQUEST, 0, BIT(ACTIVE)),
    INTIMATE(20, 21, "channel.flow-ok", AMQP_RESPONSE, 20, BIT(ACTIVE)),
    REQUEST(20, 40, "channel.close", CLOSING),
    ANSWER(20, 41, "channel.close-ok", 40, NOTHING),
    INTIMATE(30, 10, "access.request", AMQP_REQUEST, 0, NOTHING),
    INTIMATE(30, 11, "access.request-ok", AMQP_RESPONSE, 10, NOTHING),
    REQUEST(40, 10, "exchange.declare", RESERVED, TEXT(EXCHANGE), TEXT(EXCHANGE_TYPE), BIT(PASSIVE),
            BIT(DURABLE), BIT(HIDDEN), BIT(HIDDEN), BIT(NO_WAIT), TABLE(ARGUMENTS)),
    ANSWER(40, 11, "exchange.declare-ok", 10, NOTHING),
    REQUEST(40, 20, "exchange.delete", RESERVED, TEXT(EXCHANGE), BIT(IF_UNUSED), BIT(NO_WAIT)),
    ANSWER(40, 21, "exchange.delete-ok", 20, NOTHING),
    REQUEST(40, 30, "exchange.bind", RESERVED, TEXT(DESTINATION), TEXT(SOURCE), TEXT(ROUTING_KEY),
            BIT(NO_WAIT), TABLE(ARGUMENTS)),
    ANSWER(40, 31, "exchange.bind-ok", 30, NOTHING),
    REQUEST(40, 40, "exchange.unbind", RESERVED, TEXT(DESTINATION), TEXT(SOURCE), TEXT(ROUTING_KEY),
            BIT(NO_WAIT), TABLE(ARGUMENTS)),
    ANSWER(40, 51, "exchange.unbind-ok", 40, NOTHING),
    REQUEST(50, 10, "queue.declare", RESERVED, TEXT(QUEUE), BIT(PASSIVE), BIT(DURABLE),
            BIT(EXCLUSIVE), BIT(AUTO_DELETE), BIT(NO_WAIT), TABLE(ARGUMENTS)),
    ANSWER(50, 11, "queue.declare-ok", 10, TEXT(QUEUE), NUMBER(LONG, MESSAGE_COUNT),
           NUMBER(LONG, CONSUMER_COUNT)),
    REQUEST(50, 20, "queue.bind", RESERVED, TEXT(QUEUE), TEXT(EXCHANGE), TEXT(ROUTING_KEY),
            BIT(NO_WAIT), TABLE(ARGUMENTS)),
    ANSWER(50, 21, "queue.bind-ok", 20, NOTHING),
    REQUEST(50, 30, "queue.purge", RESERVED, TEXT(QUEUE), BIT(NO_WAIT)),
    ANSWER(50, 31, "queue.purge-ok", 30, NUMBER(LONG, MESSAGE_COUNT)),
    REQUEST(50, 40, "queue.delete", RESERVED, TEXT(QUEUE), BIT(IF_UNUSED), BIT(IF_EMPTY),
            BIT(NO_WAIT)),
    ANSWER(50, 41, "queue.delete-ok", 40, NUMBER(LONG, MESSAGE_COUNT)),
    REQUEST(50, 50, "queue.unbind", RESERVED, TEXT(QUEUE), TEXT(EXCHANGE), TEXT(ROUTING_KEY),
            TABLE(ARGUMENTS)),
    ANSWER(50, 51, "queue.unbind-ok", 50, NOTHING),
    INTIMATE(60, 10, "basic.qos", AMQP_REQUEST, 0, NUMBER(LONG, PREFETCH_SIZE),
             NUMBER(SHORT, PREFETCH_COUNT), BIT(GLOBAL)),
    INTIMATE(60, 11, "basic.qos-ok", AMQP_RESPONSE, 10, NOTHING),
    REQUEST(60, 20, "basic.consume", RESERVED, TEXT(QUEUE), TEXT(CONSUMER_TAG), BIT(NO_LOCAL),
            BIT(NO_ACK), BIT(EXCLUSIVE), BIT(NO_WAIT), TABLE(ARGUMENTS)),
    ANSWER(60, 21, "basic.consume-ok", 20, TEXT(CONSUMER_TAG)),
    REQUEST(60, 30, "basic.cancel", TEXT(CONSUMER_TAG), BIT(NO_WAIT)),
    ANSWER(60, 31, "basic.cancel-ok", 30, TEXT(CONSUMER_TAG)),
    CONTENT(60, 40, "basic.publish", AMQP_ALONE, 0, RESERVED, TEXT(EXCHANGE), TEXT(ROUTING_KEY),
            BIT(MANDATORY), BIT(IMMEDIATE)),
    CONTENT(60, 50, "basic.return", AMQP_ALONE, 0, NUMBER(SHORT, REPLY_CODE), TEXT(REPLY_TEXT),
            TEXT(EXCHANGE), TEXT(ROUTING_KEY)),
    CONTENT(60, 60, "basic.deliver", AMQP_ALONE, 0, TEXT(CONSUMER_TAG),
            NUMBER(LONG_LONG, DELIVERY_TAG), BIT(REDELIVERED), TEXT(EXCHANGE), TEXT(ROUTING_KEY)),
    REQUEST(60, 70, "basic.get", RESERVED, TEXT(QUEUE), BIT(NO_ACK)),
    CONTENT(60, 71, "basic.get-ok", AMQP_RESPONSE, 70, NUMBER(LONG_LONG, DELIVERY_TAG),
            BIT(REDELIVERED), TEXT(EXCHANGE), TEXT(ROUTING_KEY), NUMBER(LONG, MESSAGE_COUNT)),
    ANSWER(60, 72, "basic.get-empty", 70, NOTHING),
    ALONE(60, 80, "basic.ack", NUMBER(LONG_LONG, DELIVERY_TAG), BIT(MULTIPLE)),
    ALONE(60, 90, "basic.reject", NUMBER(LONG_LONG, DELIVERY_TAG), BIT(REQUEUE)),
    ALONE(60, 100, "basic.recover-async", BIT(REQUEUE)),
    REQUEST(60, 110, "basic.recover", BIT(REQUEUE)),
    ANSWER(60, 111, "basic.recover-ok", 110, NOTHING),
    ALONE(60, 120, "basic.nack", NUMBER(LONG_LONG, DELIVERY_TAG), BIT(MULTIPLE), BIT(REQUEUE)),
    REQUEST(85, 10, "confirm.select", BIT(NO_WAIT)),
    ANSWER(85, 11, "confirm.select-ok", 10, NOTHING),
    REQUEST(90, 10, "tx.select", NOTHING),
    ANSWER(90, 11, "tx.select-ok", 10, NOTHING),
    REQUEST(90, 20, "tx.commit", NOTHING),
    ANSWER(90, 21, "tx.commit-ok", 20, NOTHING),
    REQUEST(90, 30, "tx.rollback", NOTHING),
    ANSWER(90, 31, "tx.rollback-ok", 30, NOTHING),
};

const struct amqp_method *amqp_method_find(uint16_t class_id, uint16_t id)
{
    unsigned low = 0, high = sizeof methods / sizeof *methods;
    uint32_t wanted = (uint32_t)class_id << 16 | id;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        uint32_t here = (uint32_t)methods[middle].class_id << 16 | methods[middle].id;
        if (here == wanted) {
            return &methods[middle];
        }
        if (here < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* ---- Frames --------------------------------------------------------------------------------- */

struct amqp_frame amqp_frame_read(struct span bytes)
{
    return (struct amqp_frame){
        .type = bytes.data[0],
        .channel = load_be16(bytes.data + 1),
        .size = load_be32(bytes.data + 3),
    };
}

static enum proto_guess look_at_start(struct span bytes, const char *start, size_t size)
{
    size_t there = bytes.size < size ? bytes.size : size;
    if (memcmp(bytes.data, start, there) != 0) {
        return PROTO_NO;
    }
    return there == size ? PROTO_YES : PROTO_UNSURE;
}

/* 0-9-1, and what 0-9 was greeted with. */
static enum proto_guess look_at_greeting(struct span bytes)
{
    enum proto_guess new = look_at_start(bytes, "AMQP\0\0\x09\x01", AMQP_GREETING);
    enum proto_guess old = look_at_start(bytes, "AMQP\x01\x01\0\x09", AMQP_GREETING);
    return new != PROTO_NO ? new : old;
}

static enum proto_guess look_at_content(struct span bytes, const struct amqp_frame *frame)
{
    uint16_t class_id = load_be16(bytes.data + AMQP_HEADER);
    bool fine = frame->size >= CONTENT_MIN && frame->channel != 0 && class_id == AMQP_BASIC &&
                bytes.data[AMQP_HEADER + 2] == 0 && bytes.data[AMQP_HEADER + 3] == 0;
    return fine ? PROTO_YES : PROTO_NO;
}

static enum proto_guess look_at_method(struct span bytes, const struct amqp_frame *frame)
{
    uint16_t class_id = load_be16(bytes.data + AMQP_HEADER);
    uint16_t id = load_be16(bytes.data + AMQP_HEADER + 2);
    bool fine = frame->size >= METHOD_MIN && (frame->channel == 0) == (class_id == 10) &&
                amqp_method_find(class_id, id) != NULL;
    return fine ? PROTO_YES : PROTO_NO;
}

static enum proto_guess look_at_end(struct span bytes, const struct amqp_frame *frame)
{
    size_t end = AMQP_HEADER + (size_t)frame->size;
    if (frame->size > WHOLE_MAX) {
        return PROTO_YES;
    }
    if (bytes.size <= end) {
        return PROTO_UNSURE;
    }
    return bytes.data[end] == AMQP_END ? PROTO_YES : PROTO_NO;
}

enum proto_guess amqp_look(struct span bytes)
{
    if (bytes.size == 0) {
        return PROTO_UNSURE;
    }
    if (bytes.data[0] == 'A') {
        return look_at_greeting(bytes);
    }
    if (bytes.data[0] == AMQP_HEARTBEAT) {
        return look_at_start(bytes, "\x08\0\0\0\0\0\0\xce", AMQP_GREETING);
    }
    if (bytes.data[0] != AMQP_METHOD && bytes.data[0] != AMQP_CONTENT) {
        return PROTO_NO;
    }
    if (bytes.size >= AMQP_HEADER && amqp_frame_read(bytes).size > AMQP_FRAME_MAX) {
        return PROTO_NO;
    }
    if (bytes.size < AMQP_HEADER + METHOD_MIN) {
        return PROTO_UNSURE;
    }
    struct amqp_frame frame = amqp_frame_read(bytes);
    enum proto_guess looks = frame.type == AMQP_METHOD ? look_at_method(bytes, &frame)
                                                      : look_at_content(bytes, &frame);
    return looks == PROTO_YES ? look_at_end(bytes, &frame) : looks;
}
