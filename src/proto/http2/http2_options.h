// SPDX-License-Identifier: Apache-2.0
/* What users may choose about HTTP/2 events: as for HTTP/1, without what speaks of bodies. Constant while
 * a worker runs. */
#pragma once

#include "hypertext/http_shown.h"
#include "proto/proto_option.h"

struct http2_options {
    struct proto_settings settings;
    struct http_shown shown;
    const char *real_ip_header; /* "": none */
};

/* The table of struct proto. */
extern const struct proto_option http2_options[];

static inline const struct http2_options *http2_options_of(const struct proto_settings *settings)
{
    return (const struct http2_options *)settings;
}
