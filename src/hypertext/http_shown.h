// SPDX-License-Identifier: Apache-2.0
/* What of a message of HTTP, of whatever version, an event may show: which headers, and what is hidden
 * because it is named like a secret. Names are compared without regard to letter case. Pure; constant
 * while a worker runs. */
#pragma once

#include "base/text.h"
#include "hypertext/http_text.h"

struct http_shown {
    bool redact_secrets;       /* what is named like a secret: parameters, authorization, cookies */
    bool redact_authorization; /* as `*` */
    bool send_all_headers;
    bool split_cookie;             /* cookies as objects */
    struct text_list send_headers; /* content-length and content-type are always sent */
    struct text_list redact_headers; /* as REDACTED */
    struct text_list hide_keywords;  /* parameters whose values become xxxxx */
};

/* Whether a header was asked for. */
bool http_is_sent(struct span name, const struct http_shown *shown);

/* Whether a parameter or a header of that name is not to be shown. */
bool http_is_secret(struct span name, const struct http_shown *shown);

/* What stands in for the value of a header that is not to be seen; NULL: it may be. */
const char *http_redaction(struct span name, const struct http_shown *shown);

/* The user that an Authorization header of the scheme Basic (RFC 7617) names; empty: none. */
struct span http_user_of(struct span authorization, struct http_text *to);
