// SPDX-License-Identifier: Apache-2.0
/* Memcached: what is asked of the cache and what it says, see README.md. */
#include "proto/memcache/memcache_datagram.h"
#include "proto/memcache/memcache_stream.h"

static const uint16_t ports[] = {11211, 0};

#define ROW(name_, kind_, member, fallback_, help_)                                                \
    .name = name_, .kind = kind_, .offset = offsetof(struct memcache_options, member),             \
    .fallback = fallback_, .help = help_

static const struct proto_option options[] = {
    {ROW("parseunknown", PROTO_OPTION_FLAG, parse_unknown, "false",
         "Commands of the text protocol that are not known are events, too.")},
    {ROW("maxvalues", PROTO_OPTION_NUMBER, values_max, "0",
         "How many values an event shows, in base64; -1: all."),
     .minimum = -1, .maximum = INT32_MAX},
    {ROW("maxbytespervalue", PROTO_OPTION_NUMBER, value_bytes_max, "2147483647",
         "How many bytes of each value."),
     .minimum = 0, .maximum = INT32_MAX},
    {ROW("max_message_size", PROTO_OPTION_SIZE, max_message_size, "10M",
         "Of the keys, values and texts of a message, no more than this is kept."),
     .minimum = 1 << 10, .maximum = 256 << 20},
    {ROW("udptransactiontimeout", PROTO_OPTION_DURATION, datagram_timeout, "10s",
         "How long a request in UDP waits for its response."),
     .minimum = 1000000, .maximum = INT64_C(86400000000000)},
    {0},
};

static void memcache_on_fin(struct proto_context *c, unsigned side)
{
    const struct memcache_flow *f = c->state;
    if (f->decided && side != f->client) {
        memcache_give_up(c, "closed");
    }
}

static void memcache_on_close(struct proto_context *c, enum proto_close why)
{
    memcache_give_up(c, proto_close_reason(why));
    memcache_stream_drop(c, 0);
    memcache_stream_drop(c, 1);
    memcache_datagram_drop(c);
}

static const struct event_type *const events[] = {&memcache_event_type, NULL};

const struct proto proto_memcache = {
    .name = "memcache",
    .help = "commands to memcached and its responses: text, meta commands, binary, UDP",
    .metrics = &memcache_set,
    .tcp_ports = ports,
    .udp_ports = ports,
    .flow_size = sizeof(struct memcache_flow),
    .events = events,
    .options = options,
    .options_size = sizeof(struct memcache_options),
    .probe = memcache_probe,
    .on_chunk = memcache_stream_chunk,
    .on_gap = memcache_stream_gap,
    .on_datagram = memcache_on_datagram,
    .on_fin = memcache_on_fin,
    .on_close = memcache_on_close,
};
