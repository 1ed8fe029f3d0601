// SPDX-License-Identifier: Apache-2.0
/* What a side showed of itself: what is told of its certificates. What is in them is written as JSON
 * once for those that come again and again; an event only borrows it. Some tens of microseconds for a
 * chain that was not seen lately. */
#pragma once

#include "event/event.h"
#include "handshake/certificate.h"
#include "handshake/hello_show.h"

enum { HELLO_CHAIN_MAX = 16 /* certificates of a message that are looked at */ };

struct hello_identity {
    struct span raw_chain; /* JSON: PEM */
    char md5[33];
    char sha1[41];
    char sha256[65];
    struct span issuer;
    struct span subject;
    char not_before[CERTIFICATE_TIME_ROOM];
    char not_after[CERTIFICATE_TIME_ROOM];
    struct span x509;  /* JSON, of hello_identity_type */
    struct span chain; /* JSON: a list of all but the first, of hello_identity_type */
};

/* A certificate as x509 and in a chain. */
extern const struct event_type hello_identity_type;

/* Tells a Certificate message's list (RFC 5246 §7.4.2: each with its length in three bytes; TLS 1.3 has
 * extensions behind each); what was said before is lost. Borrows from the list, from the scratch, half of
 * which is for the making, and from the cache. */
void hello_identity_fill(struct hello_identity *identity, struct scratch *scratch, struct span list,
                         bool has_extensions, const struct hello_show *show);
