// SPDX-License-Identifier: Apache-2.0
/* A connection to memcached, or a UDP flow: commands that wait for their responses, and how the two
 * meet. In text, responses come in the order of the commands (what that is worth behind a hole:
 * proto/proto_turns.h). In binary (and with tagged meta
 * commands) a response names its command, and quiet commands before it were not answered because
 * there was nothing to say. In UDP the number of the request tells. The state is a zeroed block of
 * the engine's; in the slab are at most MEMCACHE_QUEUE_MAX commands of MEMCACHE_QUEUE_BYTES and
 * max_message_size, a message of each side, and in UDP MEMCACHE_PARTS_BYTES of responses that are
 * not whole. */
#pragma once

#include "proto/memcache/memcache_event.h"
#include "proto/memcache/memcache_options.h"
#include "proto/proto_cut.h"

enum {
    MEMCACHE_QUEUE_MAX = 2048,
    MEMCACHE_QUEUE_BYTES = 1 << 20,
    MEMCACHE_BROKEN_MAX = 8,
    MEMCACHE_PARTS_BYTES = 256 << 10,
};

/* What a side is saying. */
struct memcache_side {
    struct memcache_message *open; /* begun, and not whole yet */
    uint64_t start_ns;             /* of its first byte */
    uint32_t scanned;              /* bytes of a line that hold no end */
    bool has_begun : 1;
    bool has_more : 1;  /* text: more lines belong to the response */
    bool seeking : 1;   /* for the beginning of a message, behind a hole */
    bool in_line : 1;   /* what is left of a line is passed over */
    bool ends_line : 1; /* where it ends, the message at hand does */
    bool may_begin : 1; /* the other side has spoken since */
    bool tentative : 1; /* a message that was found behind lines of none, and may be a part of one */
};

struct memcache_part; /* a datagram of a response that is not whole */

struct memcache_flow {
    struct memcache_side side[2];
    struct memcache_message *head;
    struct memcache_message *tail;
    struct memcache_part *parts;
    uint32_t parts_bytes;
    struct turns turns; /* text */
    uint32_t count;
    uint32_t queue_bytes;
    uint32_t owed;   /* text: responses to come before that of the head */
    uint32_t missed; /* searches that found nothing, since one did */
    uint16_t id;     /* UDP: of the datagram at hand */
    uint8_t client;  /* side */
    uint8_t broken;
    bool decided; /* who is the client, and which protocol */
    bool is_binary;
    bool is_datagrams;
    bool understood; /* some message was whole */
    bool uncertain;  /* commands were lost: a response must look like that of its command */
    bool quiet;      /* a log is being watched: nothing to read any more */
};

_Static_assert(sizeof(struct memcache_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

static inline struct memcache_flow *memcache_flow_of(const struct proto_context *c)
{
    return c->state;
}

static inline struct memcache_stats *memcache_stats_of(const struct proto_context *c)
{
    return c->block;
}

/* A message is whole; it is owned by the flow from then on. A command that is tentative has no response of
 * its own. */
void memcache_take_request(struct proto_context *c, struct memcache_message *m);
void memcache_take_response(struct proto_context *c, struct memcache_message *m);
/* Reports all commands that wait, and why they have no response. */
void memcache_give_up(struct proto_context *c, const char *reason);
/* Commands, or responses, may have been missed: what a response belongs to is not known for a while. */
void memcache_lose_commands(struct proto_context *c);
void memcache_lose_responses(struct proto_context *c);
/* ... those that have waited for too long. */
void memcache_age(struct proto_context *c, uint64_t now_ns);
