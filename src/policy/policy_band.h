// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: several policies over one tap that count the same and differ in their filters only.
 * Each filter is asked once a packet; what the same ones of them want is counted once, at the desks of a
 * band, and the office adds it to the stores of all. So ten policies whose filters let most through cost
 * little more than one.
 *
 * Inputs are kin when they have tap, hosts and handlers with their settings in common, and filters that
 * treat all packets of a conversation alike (is_by_talk). Then all that a handler remembers of a
 * conversation is at one place: a conversation is of one set of inputs, and belongs to that set's band or,
 * when all bands are taken, to the inputs' own desks, for as long as the plan stands. What is no
 * conversation (DHCP: handler.h, HANDLER_BY_READER; tunnels, whose outside may differ by direction) goes
 * to the own desks as well. When kin come or go, bands begin anew; what waits there is handed over
 * (heritage.h).
 *
 * A band belongs to one worker's slot. It is made with the plan, under `changes` and the lock; its mask is
 * set once, by the worker, when it meets a set that has none yet. */
#pragma once

#include "policy/policy_set.h"

struct policy_band {
    struct policy_band *next;
    uint32_t slot;
    uint32_t members, size;              /* inputs; instances of each */
    struct policy_instance **instances;  /* size of the first member, size of the next ... */
    struct desk **desks;                 /* size */
    struct handler_run **mates;          /* for each desk the members' runs; set with the mask */
    _Atomic uint64_t mask;               /* a bit a member; 0: it is free */
    bool is_wanted;                      /* by the plans under way */
};

/* Whether a filter (pcap-filter(7); NULL: none) treats both directions and all packets of a conversation
 * alike, as far as its words are known to. */
bool policy_band_is_by_talk(const char *filter);
/* Whether it asks for addresses, ports and protocols only: the key of a flow says whether it would let a
 * packet of the one or the other direction through. */
bool policy_band_is_by_key(const char *filter);

/* Finds the kin among a plan's inputs and gives each group its bands. */
void policy_band_plan(struct policies *set, struct policy_plan *plan, uint32_t slot);
/* The number in the plan of the band in which an event of a packet is counted for these members; 0: each
 * counts for itself. The worker's. */
uint32_t policy_band_find(const struct policy_plan *plan, const struct plan_group *group,
                          uint64_t mask, const struct handler_event *event);
/* Another instance takes over what was counted for this one (NULL: nobody). The lock is held. */
void policy_band_replace(struct policies *set, const struct policy_instance *instance,
                         struct policy_instance *heir);
/* Adds what bands counted to stores. The lock is held. */
uint32_t policy_band_collect(struct policies *set);
/* The same for the last time; nobody counts any more. */
void policy_band_finish(struct policies *set);
/* Plans are about to be made: no band is wanted yet. */
void policy_band_mark(struct policies *set);
/* Frees bands of a slot that its plan does not have any more, once what they counted is in the stores. The
 * lock is held, and the worker has the plan. */
void policy_band_sweep(struct policies *set, uint32_t slot);
void policy_band_free_all(struct policies *set);
