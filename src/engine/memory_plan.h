// SPDX-License-Identifier: Apache-2.0
/* How `limits.memory` is parted. What is fixed comes off first: batches, deltas, outboxes, fragments,
 * details of TCP health. Of the rest flows have a part that is theirs, what they say has one, and most
 * of it goes to who needs it first: to many flows that say nothing, or to fewer with parsers. Pure. */
#pragma once

#include "engine/config.h"

/* Of each worker. */
struct memory_plan {
    uint32_t flows;          /* at most */
    uint32_t flow_bytes;     /* that one takes in all tables */
    uint32_t health_details; /* TCP halves with data in flight whose health is followed */
    uint64_t flow_memory;    /* bytes for flows alone, */
    uint64_t talk_memory;    /* for what they say, */
    uint64_t shared_memory;  /* and for both */
};

struct memory_plan memory_plan(const struct config *config, uint32_t workers);
