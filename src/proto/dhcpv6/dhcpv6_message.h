// SPDX-License-Identifier: Apache-2.0
/* A DHCP message for IPv6 (RFC 8415) as it lies in a span: through the relays that it came by, its
 * options, and the addresses and prefixes of its identity associations. Pure; survives any bytes; all
 * lists are bounded, what is beyond is left out. Borrowed from the bytes. */
#pragma once

#include "base/cursor.h"

enum {
    DHCPV6_CODES = 160,
    DHCPV6_RELAYS_MAX = 8, /* §7.6: HOP_COUNT_LIMIT */
    DHCPV6_LEASES_MAX = 32,
    DHCPV6_NONE = -1, /* no status code */
};

enum dhcpv6_type {
    DHCPV6_ADVERTISE = 2, DHCPV6_REPLY = 7, DHCPV6_RECONFIGURE = 10, DHCPV6_RELAY_FORWARD = 12,
    DHCPV6_RELAY_REPLY = 13, DHCPV6_LEASEQUERY_REPLY = 15,
};

enum dhcpv6_option {
    DHCPV6_CLIENT = 1, DHCPV6_SERVER = 2, DHCPV6_IA_NA = 3, DHCPV6_IA_TA = 4, DHCPV6_IA_ADDRESS = 5,
    DHCPV6_WANTED = 6, DHCPV6_PREFERENCE = 7, DHCPV6_ELAPSED = 8, DHCPV6_RELAYED = 9,
    DHCPV6_UNICAST = 12, DHCPV6_STATUS = 13, DHCPV6_RAPID = 14, DHCPV6_VENDOR_CLASS = 16,
    DHCPV6_INTERFACE = 18, DHCPV6_DNS = 23, DHCPV6_DOMAINS = 24, DHCPV6_IA_PD = 25,
    DHCPV6_IA_PREFIX = 26, DHCPV6_REFRESH = 32, DHCPV6_REMOTE = 37, DHCPV6_NAME = 39,
    DHCPV6_NTP = 56, DHCPV6_BOOT_FILE = 59, DHCPV6_LINK_ADDRESS = 79,
};

struct dhcpv6_relay {
    uint8_t type;
    uint8_t hops;
    const uint8_t *link; /* IPv6 addresses */
    const uint8_t *peer;
    struct span interface;
    struct span remote;  /* RFC 4649: an enterprise's number, and what it says */
};

/* An address or a prefix of an identity association, or an association without any. */
struct dhcpv6_lease {
    const char *kind;       /* "na", "ta" or "pd" */
    const uint8_t *address; /* NULL: none */
    uint8_t length;         /* of a prefix, in bits */
    uint32_t association;   /* IAID */
    uint32_t preferred;     /* seconds */
    uint32_t valid;
    int32_t status;         /* DHCPV6_NONE: none was given */
};

struct dhcpv6_message {
    uint8_t type;
    uint32_t transaction;
    struct dhcpv6_relay relays[DHCPV6_RELAYS_MAX]; /* the last one that it came by first */
    uint32_t relay_count;
    struct dhcpv6_lease leases[DHCPV6_LEASES_MAX];
    uint32_t lease_count;
    int32_t status;          /* of the message, or else the first of an association that is a failure */
    struct span status_text;
    struct span link_address; /* of the client (RFC 6939), with its type, told by a relay */
    struct span options[DHCPV6_CODES]; /* by code, the first of each; data NULL: not there */
};

/* Reads a message; false when it is none, or an option does not keep to its length. */
bool dhcpv6_message_read(struct span bytes, struct dhcpv6_message *ret);

/* Whether it looks like one: a type that is known, options that fill it, and one that says who speaks. */
bool dhcpv6_looks_like(struct span bytes);

/* Whether servers send that. */
bool dhcpv6_is_reply(unsigned type);

/* What they are called; NULL: unknown. */
const char *dhcpv6_type_name(unsigned type);
const char *dhcpv6_option_name(unsigned code);
const char *dhcpv6_status_name(unsigned status);
