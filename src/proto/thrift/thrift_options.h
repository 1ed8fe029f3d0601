// SPDX-License-Identifier: Apache-2.0
/* What users may choose about Thrift; Packetbeat's names stand in the table of thrift.c. */
#pragma once

#include "proto/proto.h"
#include "proto/thrift/thrift_idl.h"

struct thrift_options {
    struct proto_settings settings;
    const char *transport_type; /* taken as in Packetbeat's configurations; all are recognised */
    const char *protocol_type;
    struct text_list idl_files;
    int64_t text_max;
    int64_t elements_max;
    bool capture_reply;
    bool hides_texts;
    int64_t fields_max;
    int64_t max_message_size; /* bytes of a message that are read, and of a text of it */
    struct thrift_idl *idl; /* of idl_files; NULL: there are none. Not in the table. */
};

static inline const struct thrift_options *thrift_options_of(const struct proto_context *c)
{
    return (const struct thrift_options *)c->settings;
}
