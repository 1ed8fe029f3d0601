// SPDX-License-Identifier: Apache-2.0
/* What users may choose about HTTP events; Packetbeat's names. Words are compared without regard to
 * letter case. Constant while a worker runs. */
#pragma once

#include "hypertext/http_shown.h"
#include "proto/proto_option.h"

struct http_options {
    struct proto_settings settings;
    struct http_shown shown;
    bool decode_body;          /* gzip and deflate are undone */
    struct text_list include_body_for; /* content types, or parts of them, of both: */
    struct text_list include_request_body_for;
    struct text_list include_response_body_for;
    const char *real_ip_header; /* "": none */
    int64_t max_message_size;   /* bytes of a body that are kept */
};

/* The table of struct proto. */
extern const struct proto_option http_options[];

/* The options of a context. */
static inline const struct http_options *http_options_of(const struct proto_settings *settings)
{
    return (const struct http_options *)settings;
}
