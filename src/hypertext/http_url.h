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

/* Whether a host is an IPv4 or IPv6 address, not a name. */
bool http_is_address(struct span host);
/* The port of a scheme, which need not be said: 443 of https, 80 of all others. */
uint16_t http_usual_port(struct span scheme);
/* What stands behind the last dot of the last part of a path; empty where there is none. */
struct span http_extension(struct span path);

/* A URL put together. `path` begins with a slash, or gets one; port 0: none. */
struct http_url_parts {
    struct span scheme;
    struct span host; /* an IPv6 address gets brackets */
    struct span path;
    struct span query;
    uint16_t port;
};
struct span http_full_url(struct http_text *to, const struct http_url_parts *parts);

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
