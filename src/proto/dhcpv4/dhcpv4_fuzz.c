// SPDX-License-Identifier: Apache-2.0
/* Hostile bytes as a message, its cookie mended: what is said of it must be JSON. */
#include <stdlib.h>

#include "proto/dhcpv4/dhcpv4_event.h"
#include "proto/dhcpv4/dhcpv4_message.h"
#include "proto/proto_said.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct proto proto_dhcpv4;

enum { LOG = 1 << 16, ROOM = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(64) uint8_t memory[LOG];
    static uint8_t room[ROOM];
    size = size < ROOM ? size : ROOM;
    uint8_t *bytes = room + ROOM - size; /* ends where the room does */
    memcpy(bytes, data, size);
    proto_dhcpv4.probe(span_of(bytes, size), 0);
    if (size >= DHCPV4_HEADER) {
        bytes[0] = (uint8_t)(1 + (bytes[0] & 1));
        bytes[2] &= 15;
        memcpy(bytes + DHCPV4_HEADER - 4, "\x63\x82\x53\x63", 4);
    }
    struct dhcpv4_stats stats = {0};
    struct flow flow = {.key = {.version = 4}};
    struct proto_settings settings = {.enabled = true};
    struct event_log log = {.memory = memory, .capacity = LOG, .text_max = 1000};
    struct proto_context c = {
        .block = &stats, .flow = &flow, .events = &log, .settings = &settings};
    struct packet p = {.time_ns = 1, .payload = bytes, .payload_len = (uint32_t)size, .end = bytes + size};
    proto_dhcpv4.on_datagram(&c, &p, 0);
    struct json said;
    json_init(&said);
    said_pass(&said, &log);
    json_done(&said);
    return 0;
}
