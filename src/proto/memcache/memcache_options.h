// SPDX-License-Identifier: Apache-2.0
/* What users may choose about memcached; Packetbeat's names stand in the table of memcache.c. */
#pragma once

#include "proto/proto.h"

struct memcache_options {
    struct proto_settings settings;
    bool parse_unknown;       /* text: commands that are not known are events, too */
    int64_t values_max;       /* values that an event shows; -1: all */
    int64_t value_bytes_max;  /* bytes of each */
    int64_t max_message_size; /* bytes of a message's texts that are kept */
    int64_t datagram_timeout; /* ns that a request in UDP waits for its response */
};

static inline const struct memcache_options *memcache_options_of(const struct proto_context *c)
{
    return (const struct memcache_options *)c->settings;
}
