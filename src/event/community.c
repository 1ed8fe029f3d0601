// SPDX-License-Identifier: Apache-2.0
#include "event/community.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>

/* The type of an ICMP message that answers another; -1: it has none. */
static int icmp_counterpart(uint8_t protocol, uint16_t type)
{
    static const uint8_t pairs[][3] = {
        {1, 8, 0},     {1, 13, 14},   {1, 15, 16},   {1, 10, 9},    {1, 17, 18},
        {58, 128, 129}, {58, 133, 134}, {58, 135, 136}, {58, 130, 131}, {58, 139, 140},
        {58, 144, 145},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (pairs[i][0] == protocol && (pairs[i][1] == type || pairs[i][2] == type)) {
            return pairs[i][1] == type ? pairs[i][2] : pairs[i][1];
        }
    }
    return -1;
}

static bool has_ports(uint8_t protocol)
{
    return protocol == 6 || protocol == 17 || protocol == 132 || protocol == 1 || protocol == 58;
}

/* Whether the ends are to change places: the smaller comes first. */
static bool is_reversed(const struct community *id, size_t at, size_t size, bool is_one_way)
{
    int order = memcmp(id->source.bytes + at, id->destination.bytes + at, size);
    return !is_one_way && (order > 0 || (order == 0 && id->source_port > id->destination_port));
}

void community_text(const struct community *given, char ret[COMMUNITY_ROOM])
{
    struct community id = *given;
    bool is_icmp = id.protocol == 1 || id.protocol == 58;
    int counterpart = is_icmp ? icmp_counterpart(id.protocol, id.source_port) : -1;
    if (counterpart >= 0) {
        id.destination_port = (uint16_t)counterpart;
    }
    size_t size = id.source.is_v4 && id.destination.is_v4 ? 4 : 16;
    size_t at = 16 - size;
    if (is_reversed(&id, at, size, is_icmp && counterpart < 0)) {
        struct networks_address address = id.source;
        uint16_t port = id.source_port;
        id.source = id.destination;
        id.source_port = id.destination_port;
        id.destination = address;
        id.destination_port = port;
    }
    struct sha1_ctx sha;
    uint8_t digest[SHA1_DIGEST_SIZE];
    const uint8_t head[] = {(uint8_t)(id.seed >> 8), (uint8_t)id.seed};
    const uint8_t tail[] = {id.protocol, 0, (uint8_t)(id.source_port >> 8), (uint8_t)id.source_port,
                            (uint8_t)(id.destination_port >> 8), (uint8_t)id.destination_port};
    sha1_init(&sha);
    sha1_update(&sha, sizeof head, head);
    sha1_update(&sha, size, id.source.bytes + at);
    sha1_update(&sha, size, id.destination.bytes + at);
    sha1_update(&sha, has_ports(id.protocol) ? 6 : 2, tail);
    sha1_digest(&sha, sizeof digest, digest);
    memcpy(ret, "1:", 2);
    base64_encode_raw(ret + 2, sizeof digest, digest);
    ret[2 + BASE64_ENCODE_RAW_LENGTH(sizeof digest)] = '\0';
}
