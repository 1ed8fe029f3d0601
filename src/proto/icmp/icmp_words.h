// SPDX-License-Identifier: Apache-2.0
/* What types and codes of ICMP mean (RFC 792, 950, 1256; RFC 4443, 2710, 4861), and what they are called
 * by Packetbeat. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

enum icmp_role {
    ICMP_SINGLE,  /* said, and that is all */
    ICMP_ERROR,   /* ... because something went wrong */
    ICMP_REQUEST, /* wants a reply with its identifier and number */
    ICMP_REPLY,
};

enum icmp_role icmp_role_of(unsigned version, uint8_t type);

enum { ICMP_WORD_ROOM = 64 };

/* "EchoRequest", "DestinationUnreachable(Port)", "EchoReply(Code: 7)", "42(0)", written to `room`. */
struct span icmp_word(unsigned version, uint8_t type, uint8_t code, char room[ICMP_WORD_ROOM]);
