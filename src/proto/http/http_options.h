// SPDX-License-Identifier: Apache-2.0
/* What users may choose about HTTP events; Packetbeat's names. Lists are of lower-case words, ended by
 * NULL; NULL is an empty one. Constant while a worker runs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef const char *const *http_words;

struct http_options {
    bool redact_secrets;          /* what is named like a secret: parameters, authorization, cookies */
    bool redact_authorization;    /* as `*` */
    bool send_all_headers;
    http_words send_headers;      /* content-length and content-type are always sent */
    http_words redact_headers;    /* as REDACTED */
    http_words hide_keywords;     /* parameters whose values become xxxxx */
    http_words include_request_body_for;  /* content types, or parts of them */
    http_words include_response_body_for;
    const char *real_ip_header;   /* NULL: none */
    size_t max_message_size;      /* bytes of a body that are kept */
};

/* Those of a program that was told nothing: Packetbeat's, and no secrets. */
extern const struct http_options http_default_options;
