// SPDX-License-Identifier: Apache-2.0
/* What DHCP for IPv6 reports and counts: an event for each message, the metrics of a worker. */
#pragma once

#include "event/transaction.h"
#include "proto/dhcpv6/dhcpv6_message.h"
#include "summary/metric.h"

/* A relay, and a lease, as an event shows them. */
struct dhcpv6_relay_shown {
    struct event_address link;
    struct event_address peer;
    struct event_optional hops;
    struct span interface; /* hexadecimal, as is the other */
    struct span remote;
};

struct dhcpv6_lease_shown {
    struct event_address address;
    const char *kind;
    const char *status;
    uint32_t association;
    uint32_t preferred;
    uint32_t valid;
    uint8_t length;
};

/* Begins with what all transactions have. Spans are borrowed until the event is packed. */
struct dhcpv6_event {
    struct transaction transaction;
    const char *message_type;
    char transaction_id[12];
    struct span client_duid;
    struct span server_duid;
    const char *client_duid_type;
    const char *server_duid_type;
    struct span client_mac;
    struct event_items relays;
    struct event_items leases;
    struct event_optional status_code;
    const char *status;
    struct span status_text;
    struct event_optional elapsed_ms;
    struct event_optional preference;
    struct event_optional refresh;
    struct event_spans wanted;
    struct event_addresses dns_servers;
    struct event_addresses ntp_servers;
    struct event_spans domains;
    struct event_address unicast;
    struct span name;
    struct span boot_file;
    uint32_t vendor;
    bool rapid_commit;
};

/* Of a message of a client, and of a server: they differ in who is `client` and `server`. */
extern const struct event_type dhcpv6_request_type;
extern const struct event_type dhcpv6_reply_type;

enum { DHCPV6_TYPES_COUNTED = 16 };

struct dhcpv6_stats {
    uint64_t messages;
    uint64_t requests;
    uint64_t replies;
    uint64_t relayed;
    uint64_t failures;
    uint64_t malformed;
    uint64_t by_type[DHCPV6_TYPES_COUNTED];
};

extern const struct metric_set dhcpv6_set;
