// SPDX-License-Identifier: Apache-2.0
/* Community ID v1 (github.com/corelight/community-id-spec): the name of a conversation that other
 * tools give it, too. Pure; costs a SHA-1. */
#pragma once

#include "event/networks.h"

enum { COMMUNITY_ROOM = 32 };

struct community {
    uint16_t seed;
    uint8_t protocol; /* IANA */
    struct networks_address source;
    struct networks_address destination;
    uint16_t source_port; /* ICMP: type */
    uint16_t destination_port; /* ICMP: code */
};

void community_text(const struct community *id, char ret[COMMUNITY_ROOM]);
