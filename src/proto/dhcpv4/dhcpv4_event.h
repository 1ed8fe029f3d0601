// SPDX-License-Identifier: Apache-2.0
/* What DHCP for IPv4 reports and counts: an event for each message, the metrics of a worker. */
#pragma once

#include "event/transaction.h"
#include "summary/metric.h"

struct dhcpv4_vendor {
    struct span data; /* hexadecimal */
    uint32_t id;
};

/* Begins with what all transactions have. Spans are borrowed until the event is packed. */
struct dhcpv4_event {
    struct transaction transaction;
    const char *op_code;
    const char *hardware_type;
    const char *flags;
    uint8_t hops;
    uint16_t seconds;
    char transaction_id[12];
    struct span client_mac;
    struct event_address client_ip;
    struct event_address assigned_ip;
    struct event_address server_ip;
    struct event_address relay_ip;
    struct span server_name;
    struct span boot_file_name;
    /* options */
    struct span message_type;
    struct event_spans parameters;
    struct event_address requested;
    struct event_address server_identifier;
    struct event_address broadcast;
    struct event_address mask;
    struct event_addresses dns_servers;
    struct event_addresses routers;
    struct event_addresses time_servers;
    struct event_addresses ntp_servers;
    struct span class_identifier;
    struct span domain_name;
    struct span host_name;
    struct span message;
    struct span boot_file_option;
    struct event_items vendors;
    struct event_optional max_size;
    uint32_t lease_time;
    uint32_t renewal_time;
    uint32_t rebinding_time;
    int64_t time_offset;
};

/* Of a message of a client, and of a server: they differ in who is `client` and `server`. */
extern const struct event_type dhcpv4_request_type;
extern const struct event_type dhcpv4_reply_type;

enum { DHCPV4_TYPES = 19 };

struct dhcpv4_stats {
    uint64_t messages;
    uint64_t requests;
    uint64_t replies;
    uint64_t naks;
    uint64_t declines;
    uint64_t malformed;
    uint64_t by_type[DHCPV4_TYPES];
};

extern const struct metric_set dhcpv4_set;
