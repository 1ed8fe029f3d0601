// SPDX-License-Identifier: Apache-2.0
#include "event/community.h"

#include <assert.h>
#include <endian.h>
#include <nettle/sha1.h>

#include "base/text.h"

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

bool community_has_ports(uint8_t protocol)
{
    return protocol == 6 || protocol == 17 || protocol == 132 || protocol == 1 || protocol == 58;
}

/* Whether the ends are to change places: the smaller comes first. */
static bool is_reversed(const struct community *id, size_t at, size_t size, bool is_one_way)
{
    int order = memcmp(id->source.bytes + at, id->destination.bytes + at, size);
    return !is_one_way && (order > 0 || (order == 0 && id->source_port > id->destination_port));
}

/* The message and its padding are one block (RFC 3174 §4), which is all that is to be compressed. */
void community_of_message(char ret[COMMUNITY_ROOM], struct span message)
{
    uint32_t state[] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}; /* §6.1 */
    uint8_t block[SHA1_BLOCK_SIZE] = {0};
    assert(message.size <= COMMUNITY_MESSAGE);
    memcpy(block, message.data, message.size);
    block[message.size] = 0x80;
    block[SHA1_BLOCK_SIZE - 2] = (uint8_t)(message.size * 8 >> 8);
    block[SHA1_BLOCK_SIZE - 1] = (uint8_t)(message.size * 8);
    nettle_sha1_compress(state, block);
    for (size_t i = 0; i < sizeof state / sizeof *state; i++) {
        state[i] = htobe32(state[i]);
    }
    memcpy(ret, "1:", 2);
    *text_base64(ret + 2, (const uint8_t *)state, sizeof state) = '\0';
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
    uint8_t message[COMMUNITY_MESSAGE] = {(uint8_t)(id.seed >> 8), (uint8_t)id.seed};
    const uint8_t tail[] = {id.protocol, 0, (uint8_t)(id.source_port >> 8), (uint8_t)id.source_port,
                            (uint8_t)(id.destination_port >> 8), (uint8_t)id.destination_port};
    uint8_t *end = mempcpy(message + 2, id.source.bytes + at, size);
    end = mempcpy(end, id.destination.bytes + at, size);
    end = mempcpy(end, tail, community_has_ports(id.protocol) ? 6 : 2);
    community_of_message(ret, span_of(message, (size_t)(end - message)));
}
