// SPDX-License-Identifier: Apache-2.0
/* The target of a request taken apart (RFC 9112 §3.2, RFC 3986), and its parameters written anew:
 * decoded, secrets hidden, sorted, encoded. Pure. */
#pragma once

#include "hypertext/http_shown.h"

enum { HTTP_PARAMETERS_MAX = 128 }; /* those beyond are left out */

/* Parts as they were sent. */
struct http_url {
    struct span host; /* without port, user and brackets; none in most requests */
    struct span path; /* "/…", "*", or nothing */
    struct span query;
    uint16_t port;    /* 0: none was given */
};

struct http_url http_url_of(struct span target, bool is_connect);

/* A Host header, or the authority of a URL. */
void http_authority(struct span authority, struct span *host, uint16_t *port);

/* %XX to bytes; what is no such thing stays as it is. `plus`: '+' is a space, as in forms. */
struct span http_decode(struct http_text *to, struct span text, bool plus);

/* Query string and form as Packetbeat's url.query: sorted by name, values of names that are secret
 * replaced by xxxxx; a name that the form has, too, is the form's. */
struct span http_parameters(struct http_text *to, struct span query, struct span form,
                            const struct http_shown *shown);

/* A URL with the values of secret parameters replaced by xxxxx; nothing else is changed. */
struct span http_hide_in_url(struct http_text *to, struct span url,
                             const struct http_shown *shown);

/* The same for parameters alone, as a form has them. */
void http_hide_in_parameters(struct http_text *to, struct span parameters,
                             const struct http_shown *shown);
