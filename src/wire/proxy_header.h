// SPDX-License-Identifier: Apache-2.0
/* The header of the PROXY protocol (haproxy.org/download/2.9/doc/proxy-protocol.txt), versions 1 and 2: a
 * proxy that hands a connection on says before all else who its client was. Behind it stands what the
 * client said, in any protocol. Over UDP each datagram that is handed on has one, of version 2.
 *
 * Pure: bytes in, a size out; bounded by PROXY_HEADER_MAX. */
#pragma once

#include "wire/packet.h"

enum {
    PROXY_HEADER_LINE = 107,               /* of version 1 at most, §2.1 */
    PROXY_HEADER_MAX = 16 + UINT16_MAX,    /* of version 2, §2.2 */
};

/* PROXY_HEADER_UNSURE: what there is may be the beginning of one. */
#define PROXY_HEADER_UNSURE SIZE_MAX

/* Bytes of the header that `data` begins with, some of which may be still to come; 0: there is none. */
size_t proxy_header_size_on(struct span data);

/* The same, and at once for what begins otherwise, as most does. */
static inline size_t proxy_header_size(struct span data)
{
    bool may_be = data.size > 0 && (*data.data == 'P' || *data.data == '\r');
    return may_be ? proxy_header_size_on(data) : 0;
}

/* A datagram without its header, if it has one: then it is written to `behind`, else it is the packet. */
static inline const struct packet *proxy_header_passed(const struct packet *packet, struct packet *behind)
{
    struct span payload = packet_payload(packet);
    size_t size = proxy_header_size(payload);
    if (size == 0 || size > payload.size) {
        return packet;
    }
    *behind = *packet;
    behind->payload += size;
    behind->payload_len -= (uint32_t)size;
    return behind;
}
