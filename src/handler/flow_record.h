// SPDX-License-Identifier: Apache-2.0
/* What an exporter told of a flow, or of a packet that it sampled: NetFlow, IPFIX and sFlow alike.
 * A value, made by who reads the datagrams, lent to handlers for the time of an event. */
#pragma once

#include <stdint.h>

struct flow_address {
    uint8_t version; /* 4, 6; 0: none was told */
    uint8_t bytes[16];
};

struct flow_record {
    struct flow_address exporter; /* sFlow: the agent; else who sent the datagram */
    struct flow_address source;
    struct flow_address destination;
    uint16_t source_port; /* 0: none */
    uint16_t destination_port;
    uint8_t protocol;     /* IANA number */
    uint8_t tos;          /* DSCP and ECN */
    uint32_t input;       /* number of the interface, as SNMP has it */
    uint32_t output;
    uint64_t packets;     /* as they were told: of what was sampled */
    uint64_t bytes;
    uint32_t sampling;    /* one packet of so many was looked at; at least 1 */
};
