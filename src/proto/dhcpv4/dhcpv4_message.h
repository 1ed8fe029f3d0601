// SPDX-License-Identifier: Apache-2.0
/* A DHCP message (RFC 2131 §2) as it lies in a span, and its options (RFC 2132), also those that lie in
 * the fields for names (option overload). Pure; survives any bytes. */
#pragma once

#include "base/cursor.h"

enum { DHCPV4_HEADER = 240 /* with the cookie that begins the options */ };

enum dhcpv4_op { DHCPV4_REQUEST = 1, DHCPV4_REPLY = 2 };

/* Options that an event shows, by their codes. */
enum dhcpv4_option {
    DHCPV4_MASK = 1, DHCPV4_TIME_OFFSET = 2, DHCPV4_ROUTER = 3, DHCPV4_TIME_SERVER = 4,
    DHCPV4_DNS = 6, DHCPV4_HOST_NAME = 12, DHCPV4_DOMAIN_NAME = 15, DHCPV4_BROADCAST = 28,
    DHCPV4_NTP = 42, DHCPV4_REQUESTED = 50, DHCPV4_LEASE = 51, DHCPV4_OVERLOAD = 52,
    DHCPV4_TYPE = 53, DHCPV4_SERVER = 54, DHCPV4_PARAMETERS = 55, DHCPV4_TEXT = 56,
    DHCPV4_MAX_SIZE = 57, DHCPV4_RENEWAL = 58, DHCPV4_REBINDING = 59, DHCPV4_CLASS = 60,
    DHCPV4_BOOT_FILE = 67, DHCPV4_VENDOR_CLASS = 124,
    DHCPV4_CODES = 256,
};

struct dhcpv4_message {
    uint8_t op;
    uint8_t hardware;
    uint8_t hops;
    uint32_t transaction;
    uint16_t seconds;
    uint16_t flags;
    struct span address;   /* of the client's hardware */
    const uint8_t *client; /* IPv4 addresses */
    const uint8_t *yours;
    const uint8_t *server;
    const uint8_t *relay;
    struct span server_name;
    struct span boot_file;
    struct span options[DHCPV4_CODES]; /* by code, the first of each; data NULL: not there */
};

/* Reads a message; false when it is none. Borrowed from `bytes`. */
bool dhcpv4_message_read(struct span bytes, struct dhcpv4_message *ret);

/* Whether it looks like one, without reading it all. */
bool dhcpv4_looks_like(struct span bytes);

/* What it is called: "discover" ...; NULL: unknown. */
const char *dhcpv4_type_name(unsigned type);
const char *dhcpv4_hardware_name(unsigned hardware);
const char *dhcpv4_option_name(unsigned code);
