// SPDX-License-Identifier: Apache-2.0
/* The headers of a message that an event shows: Packetbeat's choice of them, those that are secret
 * redacted. Pure. */
#pragma once

#include "event/event.h"
#include "proto/http/http_talk.h"
#include "hypertext/http_text.h"

enum { HTTP_HEADERS_MAX = 64 }; /* those beyond are left out */

/* Writes them to `pairs`: names in lower case, those of one name joined by ", ". Returns how many. */
uint32_t http_headers_shown(const struct http_message *m, const struct http_options *options,
                            struct http_text *to, struct event_pair pairs[HTTP_HEADERS_MAX]);

/* The first value of a header; empty when there is none. */
struct span http_header(const struct http_message *m, const char *lower);

/* The user of an Authorization header of the scheme Basic (RFC 7617), where that header is shown. */
struct span http_basic_user(const struct http_message *m, const struct http_options *options,
                            struct http_text *to);
