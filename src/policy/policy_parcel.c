// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_parcel.h"

#include "base/pages.h"
#include "base/seconds.h"
#include "policy/policy_store.h"

static void add_to(struct policy_instance *instance, const struct parcel *parcel)
{
    for (unsigned i = 0; i < DESK_BLOCKS; i++) {
        if (parcel->used[i]) {
            uint64_t minute = parcel->minute - (i == DESK_BEFORE && parcel->minute > 0);
            policy_store_add(&instance->store, instance->handler, parcel->blocks[i],
                             minute * MINUTE_NS);
        }
    }
    instance->store.late += parcel->late;
    instance->store.future += parcel->future;
}

void policy_parcel_add(struct policy_instance *instance, const struct parcel *parcel)
{
    add_to(instance, parcel);
    for (struct policy_instance *i = instance->followers; i != NULL; i = i->next_follower) {
        add_to(i, parcel);
    }
}

void policy_parcel_empty(const struct handler *handler, struct parcel *parcel)
{
    for (unsigned i = 0; i < DESK_BLOCKS; i++) {
        if (parcel->used[i]) {
            metric_block_reset(handler->set, parcel->blocks[i]);
            parcel->used[i] = false;
        }
    }
    parcel->late = parcel->future = 0;
}

void policy_parcel_return(struct desk *desk, struct parcel *parcel)
{
    for (unsigned i = 0; i < DESK_BLOCKS; i++) {
        if (parcel->used[i]) {
            pages_discard(parcel->blocks[i], desk->block_size);
            parcel->is_made[i] = parcel->used[i] = false;
        }
    }
    parcel->late = parcel->future = 0;
    atomic_store_explicit(&desk->spare, parcel, memory_order_release);
}
