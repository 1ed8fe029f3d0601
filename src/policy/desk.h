// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: where a worker counts for an instance. A desk has two parcels of blocks: it
 * fills one while the office adds the other to the instance's store, as workers do with deltas
 * (engine/delta.h). A parcel belongs to one minute of packet time and has a second block for what comes
 * late, of the minute before; what is older is counted and goes nowhere. A parcel that the office has
 * not given back yet goes on being filled.
 *
 * A plan is what one worker does: its inputs, and of each the chains of desks. Plans are constant; a
 * worker takes a new one between two packets. */
#pragma once

#include <stdatomic.h>

#include "handler/handler.h"

enum { DESK_MINUTE, DESK_BEFORE, DESK_BLOCKS };
enum {
    PLAN_STREAMS = 4,
    PLAN_INPUTS = 256, /* with bands */
    PLAN_GROUPS = 16,
    PLAN_MEMBERS = 64,
    PLAN_BANDS = 8, /* of a group */
    PLAN_ALONE = 4,
};

struct parcel {
    uint64_t minute; /* number since 1970 of its DESK_MINUTE block */
    bool used[DESK_BLOCKS];
    bool is_made[DESK_BLOCKS]; /* it has its shape; what is late is rare, and no memory till it comes */
    uint8_t *blocks[DESK_BLOCKS];
    uint64_t late;   /* events for which it was too late */
    uint64_t future; /* ... or far too early */
};

struct desk {
    const struct handler *handler;
    struct handler_run run;
    struct parcel *filling;
    bool is_late; /* run.block is DESK_BEFORE's */
    _Atomic(struct parcel *) ready, spare;
    size_t block_size;
    uint64_t *memory_state;
};

/* A desk for an instance with these settings; NULL when the system refuses memory. */
struct desk *desk_new(const struct handler *handler, const void *settings, bool takes_messages);
void desk_free(struct desk *desk);

/* Counts an event; true when it is for the next in the chain, too. */
static inline bool desk_count(struct desk *desk, struct handler_event *event, uint64_t second)
{
    if (desk->run.second != second) {
        if (desk->run.second != 0) {
            handler_close_second(desk->handler, &desk->run);
        }
        desk->run.second = second;
    }
    desk->filling->used[desk->is_late] = true;
    return desk->handler->on_event(&desk->run, event);
}

/* From now on events are of the block of this minute, or late for the one before. */
void desk_turn(struct desk *desk, bool is_late);
/* Hands the parcel over, if the office has given the other one back; the next one is of `minute`. False
 * when the office has not, and this one goes on being filled. */
bool desk_hand_over(struct desk *desk, uint64_t minute);
/* What is held back goes into the blocks: for the last parcel, which nobody hands over. */
void desk_close(struct desk *desk);

/* ---- Plans ---------------------------------------------------------------------------------- */

struct policy_input;
struct policy_instance;
struct policy_band;

struct plan_chain {
    struct policy_instance **instances;
    struct desk **desks;
    const void **settings; /* of each desk from when the plan is taken */
    uint32_t count;
};

struct plan_input {
    struct policy_input *input;
    struct plan_chain *chains; /* first those of packets; each handler of finished things has one */
    uint32_t packet_chains;    /* how many are of packets */
    uint32_t chain_count;
    struct policy_band *band; /* of several inputs, the first of which is `input`; NULL: its own */
    uint32_t group;           /* number of its group, from 1; 0: none */
    uint32_t member;          /* its bit in masks of the group */
    const struct handler_reader *streams[PLAN_STREAMS]; /* of messages out of TCP; NULL: none */
};

/* desk_turn() for all desks of an input. */
void desk_turn_all(const struct plan_input *input, bool is_late);
/* An event came too late for any block of it, or from too far in the future. */
void desk_lose_all(const struct plan_input *input, bool is_future);

/* Inputs that are kin (policy_band.h). */
struct plan_group {
    uint32_t members[PLAN_MEMBERS]; /* numbers of inputs */
    uint32_t count;
    uint32_t first, bands; /* numbers of its bands among the inputs */
    const struct handler_reader *alone[PLAN_ALONE]; /* what they read is no conversation's */
};

struct policy_plan {
    struct plan_input *inputs; /* and behind them the bands */
    uint32_t input_count;
    uint32_t total; /* with bands */
    struct plan_group groups[PLAN_GROUPS];
    uint32_t group_count;
    uint32_t finished;   /* kinds of finished things that anybody wants (enum handler_event_kind) */
    size_t message_size; /* of the largest reader */
};

/* A worker's place in the set: which plan it should have, and which it has. */
struct policy_slot {
    _Atomic(struct policy_plan *) wanted;
    _Atomic(struct policy_plan *) taken;
    _Atomic bool is_used;
    _Atomic uint64_t now_ns; /* packet time there */
};
