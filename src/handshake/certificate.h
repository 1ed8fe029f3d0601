// SPDX-License-Identifier: Apache-2.0
/* X.509 certificates (RFC 5280) as views of their DER: certificate_read() finds the parts, the other
 * functions make texts of them in memory that is lent. Nothing is verified: this is what somebody
 * showed. Pure, no allocation; time is linear in the certificate, but for the serial number, whose
 * digits are bounded. */
#pragma once

#include "handshake/der.h"
#include "handshake/scratch.h"

enum {
    CERTIFICATE_TIME_ROOM = 25,  /* 2020-12-02T12:00:00.000Z and the terminator */
    CERTIFICATE_SERIAL_MAX = 32, /* bytes; RFC 5280 §4.1.2.2 allows 20 */
    CERTIFICATE_NAMES_MAX = 256, /* alternative names that are shown */
    CERTIFICATE_PARTS_MAX = 32,  /* parts of a distinguished name that are shown */
};

struct certificate {
    struct span der;         /* all of it */
    unsigned version;        /* 1 to 3 */
    struct span serial;      /* contents of the INTEGER */
    const char *signature;   /* "SHA256-RSA", NULL: one without a name here */
    struct span issuer;      /* contents of the Name */
    struct span subject;
    char not_before[CERTIFICATE_TIME_ROOM]; /* empty: not to be read */
    char not_after[CERTIFICATE_TIME_ROOM];
    const char *key_algorithm; /* RSA, DSA, ECDSA, Ed25519, Ed448, NULL: another */
    unsigned key_bits;         /* 0: not known */
    struct span alternative_names; /* contents of the GeneralNames; empty: none */
};

/* What a distinguished name may have more than one of. */
enum certificate_part {
    CERTIFICATE_COMMON_NAME,
    CERTIFICATE_COUNTRY,
    CERTIFICATE_LOCALITY,
    CERTIFICATE_ORGANIZATION,
    CERTIFICATE_UNIT,
    CERTIFICATE_STATE,
    CERTIFICATE_PARTS,
};

/* Reads one; false when `der` is none. What is odd within (a time, a key) is left empty. */
bool certificate_read(struct certificate *certificate, struct span der);

/* A Name as RFC 4514 writes it: last part first. */
struct span certificate_name(struct scratch *scratch, struct span name);
/* The values of one kind of part, in their order, into `to`; returns how many. */
unsigned certificate_parts(struct scratch *scratch, struct span name, enum certificate_part part,
                           struct span to[CERTIFICATE_PARTS_MAX]);
/* Names of hosts, addresses, URIs and mailboxes, in their order; returns how many. */
unsigned certificate_alternatives(struct scratch *scratch, const struct certificate *certificate,
                                  struct span to[CERTIFICATE_NAMES_MAX]);
/* The serial number in decimal; empty when it is too long. */
struct span certificate_serial(struct scratch *scratch, const struct certificate *certificate);
/* As PEM (RFC 7468) in a JSON text, quotes included, line feeds as \n; empty without room. */
struct span certificate_pem_json(struct scratch *scratch, struct span der);
