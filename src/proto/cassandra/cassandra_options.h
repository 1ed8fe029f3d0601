// SPDX-License-Identifier: Apache-2.0
/* What users may choose about Cassandra; Packetbeat's names stand in the table of cassandra.c. */
#pragma once

#include "proto/proto.h"

struct cassandra_options {
    struct proto_settings settings;
    bool request_header;  /* events show the headers of requests, */
    bool response_header; /* and of responses */
    bool redact_secrets;  /* passwords in statements are not shown */
    const char *compressor; /* of connections whose beginning was not seen */
    struct text_list ignored;
    int64_t max_message_size; /* bytes of a request that are read, packed and unpacked */
};

static inline const struct cassandra_options *cassandra_options_of(const struct proto_context *c)
{
    return (const struct cassandra_options *)c->settings;
}
