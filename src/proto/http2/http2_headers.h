// SPDX-License-Identifier: Apache-2.0
/* The header fields of a message as an event shows them: Packetbeat's choice, secrets redacted. Pure. */
#pragma once

#include "event/event.h"
#include "proto/http2/http2_options.h"
#include "proto/http2/http2_stream.h"

enum { HTTP2_HEADERS_SHOWN = 64 }; /* those beyond are left out */

/* Writes them to `pairs`: those of one name joined by ", ". Returns how many. */
uint32_t http2_headers_shown(const struct http2_message *m, const struct http2_options *options,
                             struct http_text *to, struct event_pair pairs[HTTP2_HEADERS_SHOWN]);

/* All that are kept, a line each, as people write them. */
struct span http2_headers_text(const struct http2_message *m, const struct http2_options *options,
                               struct http_text *to);
