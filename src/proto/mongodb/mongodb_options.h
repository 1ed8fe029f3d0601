// SPDX-License-Identifier: Apache-2.0
/* What users may choose about MongoDB; Packetbeat's names stand in the table of mongodb.c. */
#pragma once

#include "proto/proto.h"

struct mongodb_options {
    struct proto_settings settings;
    int64_t documents_max;      /* that `response` shows; 0: all */
    int64_t document_bytes_max; /* of each; 0: all */
    int64_t max_message_size;   /* bytes of a message that are read, and of a text of it */
};

static inline const struct mongodb_options *mongodb_options_of(const struct proto_context *c)
{
    return (const struct mongodb_options *)c->settings;
}
