// SPDX-License-Identifier: Apache-2.0
/* What users may choose about AMQP; Packetbeat's names stand in the table of amqp.c. */
#pragma once

#include "proto/proto.h"

struct amqp_options {
    struct proto_settings settings;
    bool parse_headers;
    bool parse_arguments;
    bool hide_connection_information;
    int64_t body_max; /* bytes of a message's body that events show */
};

static inline const struct amqp_options *amqp_options_of(const struct proto_context *c)
{
    return (const struct amqp_options *)c->settings;
}
