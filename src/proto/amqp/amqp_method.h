// SPDX-License-Identifier: Apache-2.0
/* The methods of AMQP 0-9-1 (amqp-xml-doc0-9-1; with RabbitMQ's extensions): what they are called,
 * what answers them, and what arguments they have, as tables. And frames: what they look like.
 * Pure functions over spans. */
#pragma once

#include "base/span.h"
#include "proto/proto_guess.h"

enum {
    AMQP_HEADER = 7,          /* of a frame: type, channel, size */
    AMQP_END = 0xce,          /* the byte behind its payload */
    AMQP_GREETING = 8,        /* "AMQP" and a version */
    AMQP_LOOK = AMQP_HEADER + 5, /* bytes that tell whether a frame begins here, mostly */
    AMQP_FRAME_MAX = 64 << 20,
    AMQP_ARGUMENTS_MAX = 10,
};

enum amqp_frame_type {
    AMQP_METHOD = 1,
    AMQP_CONTENT = 2,
    AMQP_BODY = 3,
    AMQP_HEARTBEAT = 8,
};

/* What an event shows of arguments and properties, in the order of their names. */
enum amqp_field {
    AMQP_ACTIVE,
    AMQP_APP_ID,
    AMQP_ARGUMENTS,
    AMQP_AUTO_DELETE,
    AMQP_CHANNEL_MAX,
    AMQP_CLASS_ID,
    AMQP_CLIENT_PROPERTIES,
    AMQP_CONSUMER_COUNT,
    AMQP_CONSUMER_TAG,
    AMQP_CONTENT_ENCODING,
    AMQP_CONTENT_TYPE,
    AMQP_CORRELATION_ID,
    AMQP_DELIVERY_MODE,
    AMQP_DELIVERY_TAG,
    AMQP_DESTINATION,
    AMQP_DURABLE,
    AMQP_EXCHANGE,
    AMQP_EXCHANGE_TYPE,
    AMQP_EXCLUSIVE,
    AMQP_EXPIRATION,
    AMQP_FRAME_SIZE,
    AMQP_GLOBAL,
    AMQP_HEADERS,
    AMQP_HEARTBEAT_DELAY,
    AMQP_IF_EMPTY,
    AMQP_IF_UNUSED,
    AMQP_IMMEDIATE,
    AMQP_LOCALE,
    AMQP_LOCALES,
    AMQP_MANDATORY,
    AMQP_MECHANISM,
    AMQP_MECHANISMS,
    AMQP_MESSAGE_COUNT,
    AMQP_MESSAGE_ID,
    AMQP_METHOD_ID,
    AMQP_MULTIPLE,
    AMQP_NO_ACK,
    AMQP_NO_LOCAL,
    AMQP_NO_WAIT,
    AMQP_PASSIVE,
    AMQP_PREFETCH_COUNT,
    AMQP_PREFETCH_SIZE,
    AMQP_PRIORITY,
    AMQP_QUEUE,
    AMQP_REDELIVERED,
    AMQP_REPLY_CODE,
    AMQP_REPLY_TEXT,
    AMQP_REPLY_TO,
    AMQP_REQUEUE,
    AMQP_ROUTING_KEY,
    AMQP_SERVER_PROPERTIES,
    AMQP_SOURCE,
    AMQP_TIMESTAMP,
    AMQP_TYPE,
    AMQP_USER_ID,
    AMQP_VERSION_MAJOR,
    AMQP_VERSION_MINOR,
    AMQP_VIRTUAL_HOST,
    AMQP_FIELDS,
    AMQP_HIDDEN = AMQP_FIELDS, /* an argument that is passed over */
};

enum amqp_kind {
    AMQP_KIND_END,
    AMQP_BIT,
    AMQP_OCTET,
    AMQP_SHORT,
    AMQP_LONG,
    AMQP_LONG_LONG,
    AMQP_SHORT_TEXT,
    AMQP_LONG_TEXT,
    AMQP_TABLE,
    AMQP_TIME,
};

struct amqp_argument {
    uint8_t kind;
    uint8_t field;
};

enum amqp_role {
    AMQP_REQUEST,  /* is answered by the method that `answer` names, */
    AMQP_RESPONSE, /* answers, */
    AMQP_ALONE,    /* neither */
};

struct amqp_method {
    uint16_t class_id;
    uint16_t id;
    uint8_t role;
    bool has_content; /* header and body follow */
    bool is_intimate; /* how connections are made: shown only if asked for */
    uint16_t asked_by; /* of responses: the method that they answer */
    const char *name;  /* "basic.publish" */
    struct amqp_argument arguments[AMQP_ARGUMENTS_MAX];
};

enum { AMQP_BASIC = 60, AMQP_CLOSE_CONNECTION = 10, AMQP_CLOSE_CHANNEL = 20, AMQP_GET_EMPTY = 72 };

/* NULL when there is none. */
const struct amqp_method *amqp_method_find(uint16_t class_id, uint16_t id);

struct amqp_frame {
    uint8_t type;
    uint16_t channel;
    uint32_t size; /* of the payload */
};

/* Of at least AMQP_HEADER bytes. */
struct amqp_frame amqp_frame_read(struct span bytes);


/* Whether a greeting, a method, a content header or a heartbeat begins here. A frame that is not
 * large is asked for its last byte as well. */
enum proto_guess amqp_look(struct span bytes);
