// SPDX-License-Identifier: Apache-2.0
/* Community ID v1 (github.com/corelight/community-id-spec): the name of a conversation that other
 * tools give it, too: a version, and the SHA-1 of a message that is made of seed, lower end, higher
 * end, protocol, padding and ports. Pure; costs a SHA-1 of one block. */
#pragma once

#include "event/networks.h"

enum {
    COMMUNITY_ROOM = 32,
    COMMUNITY_MESSAGE = 2 + 16 + 16 + 2 + 4, /* bytes of one, at most */
};

struct community {
    uint16_t seed;
    uint8_t protocol; /* IANA */
    struct networks_address source;
    struct networks_address destination;
    uint16_t source_port; /* ICMP: type */
    uint16_t destination_port; /* ICMP: code */
};

void community_text(const struct community *id, char ret[COMMUNITY_ROOM]);

/* The same of a message that the caller has put together as the specification says. */
void community_of_message(char ret[COMMUNITY_ROOM], struct span message);
/* Whether the ports of an IP protocol, or an ICMP message's type and code, are part of the message. */
bool community_has_ports(uint8_t protocol);
