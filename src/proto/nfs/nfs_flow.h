// SPDX-License-Identifier: Apache-2.0
/* What is said between a client and a file server: calls that wait for their replies, which name
 * them by XID. The state is a zeroed block of the engine's; what it holds in the slab is at most
 * NFS_WAITING_MAX calls, and the beginning of a message of each side. */
#pragma once

#include "proto/nfs/nfs_event.h"
#include "proto/nfs/nfs_message.h"
#include "proto/proto_reading.h"
#include "proto/proto_waiting.h"

enum {
    NFS_WAITING_MAX = 256,
    NFS_KEPT_MAX = 2048, /* bytes of a message that are read */
    NFS_TEXT_MAX = 64,   /* bytes of a name or tag that are shown */
};

/* A call that waits. */
struct nfs_call {
    struct waiter link;
    uint64_t bytes;
    struct rpc_message message; /* its spans are of `text` */
    bool may_be_answered; /* its reply may have been where bytes are missing */
    uint8_t text[2][NFS_TEXT_MAX];
};

/* What a side is saying. */
struct nfs_side {
    struct reading_side reading;
    uint8_t *kept; /* NFS_KEPT_MAX bytes, or NULL */
    uint32_t kept_size;
    uint32_t left; /* bytes of the fragment */
    uint32_t bytes;
    bool is_within; /* a message of which a fragment came */
    bool is_last;   /* fragment */
    bool is_holed;
};

struct nfs_flow {
    struct nfs_side side[2];
    struct waiting waiting; /* calls */
    struct reading_trust trust;
};

_Static_assert(sizeof(struct nfs_flow) <= 128 - 16, "an idle connection takes a block of 128 bytes");

/* A message that came whole, or as much of it as is read. */
struct nfs_arrival {
    struct span data;
    uint64_t start_ns;
    uint64_t end_ns;
    uint64_t bytes; /* without marks */
    uint8_t side;
    bool is_holed;
};

static inline struct nfs_flow *nfs_flow_of(const struct proto_context *c)
{
    return c->state;
}

static inline struct nfs_stats *nfs_stats_of(const struct proto_context *c)
{
    return c->block;
}

/* Matches a message; false if it is none of RPC. */
bool nfs_take(struct proto_context *c, const struct nfs_arrival *arrival);
/* Reports the calls that wait and why they have no reply; those that `side` sent, or all: 2. */
void nfs_give_up(struct proto_context *c, unsigned side, const char *reason);
/* ... those that have waited for too long. */
void nfs_age(struct proto_context *c, uint64_t now_ns);
/* Bytes of a side are missing: replies may have been there. */
void nfs_doubt(struct proto_context *c, unsigned side);
