// SPDX-License-Identifier: Apache-2.0
/* Messages of SIP (RFC 3261): the first line, headers, addresses. Pure functions over spans, which
 * borrow from what they are given. */
#pragma once

#include "base/span.h"
#include "proto/proto_guess.h"

enum { SIP_VIAS_MAX = 16, SIP_LINE_MAX = 1024, SIP_HEADERS_MAX = 128 };

enum sip_header {
    SIP_ACCEPT,
    SIP_ALLOW,
    SIP_AUTHORIZATION,
    SIP_CALL_ID,
    SIP_CONTACT,
    SIP_CONTENT_LENGTH,
    SIP_CONTENT_TYPE,
    SIP_CSEQ,
    SIP_FROM,
    SIP_MAX_FORWARDS,
    SIP_P_ASSOCIATED_URI,
    SIP_PROXY_AUTHORIZATION,
    SIP_SUPPORTED,
    SIP_TO,
    SIP_USER_AGENT,
    SIP_VIA,
    SIP_HEADERS,
};

struct sip_message {
    bool is_request;
    unsigned code;      /* of a response */
    struct span method; /* of a request */
    struct span uri;
    struct span phrase;
    struct span header[SIP_HEADERS]; /* the first of each; data NULL: there is none */
    struct span via[SIP_VIAS_MAX];
    unsigned vias;
    struct span body;
    bool is_cut; /* there is more of the body than is read */
};

/* Whether a message begins here: its first line says so. */
enum proto_guess sip_look(struct span bytes);
/* Bytes up to and with the empty line that ends the headers, searched from `from`; 0: not there. */
size_t sip_head_size(struct span bytes, size_t from);
/* Reads the first line and the headers of `head`, of which sip_look() says RIGHT. */
void sip_message_read(struct sip_message *m, struct span head);
/* Content-Length; -1: none that can be read. */
int64_t sip_content_length(const struct sip_message *m);
/* A decimal number at the beginning of a text, -1 when there is none. */
int64_t sip_number(struct span text);

struct sip_uri {
    struct span original;
    struct span scheme;
    struct span user;
    struct span host;
    struct span parameters; /* behind the first `;` */
    int64_t port;           /* -1: none */
};

struct sip_uri sip_uri_read(struct span text);

/* From, To, Contact (§20.10): "Name" <uri>;parameters. */
struct sip_address {
    struct span display;
    struct sip_uri uri;
    struct span parameters;
};

struct sip_address sip_address_read(struct span text);
/* The value of a parameter in `a=b;c=d` (by `separator`), without quotation marks; data NULL: none. */
struct span sip_parameter(struct span parameters, const char *name, uint8_t separator);
/* Without white space at both ends. */
struct span sip_trim(struct span text);
/* Cuts off what comes before `separator`; `*rest` is behind it, empty at the end. */
struct span sip_next(struct span *rest, uint8_t separator);
