// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: echo requests as they are sent, and replies as they are read (RFC 792, RFC 4443
 * §4). Pure functions; a reply is strangers' bytes. */
#pragma once

#include "base/span.h"

enum { PROBE_WIRE_HEAD = 8, PROBE_WIRE_PAYLOAD_MAX = 65500 };

struct probe_echo {
    uint16_t id;
    uint16_t sequence;
    uint64_t cookie; /* the first bytes of the payload; 0 where it has no 8 */
};

/* Writes a request with `payload` bytes behind its head to `to`; returns its size. The checksum of
 * IPv6 is the kernel's to make. */
size_t probe_wire_make(unsigned version, const struct probe_echo *echo, size_t payload,
                       uint8_t *to);

/* Reads a reply; `has_head`: an IPv4 header is before it. False: it is something else. */
bool probe_wire_read(unsigned version, bool has_head, struct span bytes, struct probe_echo *ret);
