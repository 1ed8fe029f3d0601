// SPDX-License-Identifier: Apache-2.0
#include "engine/flow_identity.h"

#include "base/pages.h"
#include "base/prefetch.h"

enum { FLOW_IDENTITIES = 1 << 16 };

/* One cache line. Zeroes are none. */
struct flow_identity {
    uint64_t of; /* the flow's suborder, which no other flow of the worker ever has, plus one */
    char community_id[FLOW_EVENT_COMMUNITY_ID];
    char flow_id[FLOW_EVENT_ID];
};

_Static_assert(sizeof(struct flow_identity) == 64, "one cache line");

struct flow_identities {
    struct flow_identity known[FLOW_IDENTITIES];
};

struct flow_identities *flow_identities_new(void)
{
    return pages_reserve(sizeof(struct flow_identities));
}

void flow_identities_free(struct flow_identities *all)
{
    pages_release(all, sizeof *all);
}

void flow_identities_finish(struct flow_identities *all, struct flow_event *event)
{
    struct flow_identity *known = &all->known[event->flow % FLOW_IDENTITIES];
    uint64_t of = event->head.suborder + 1;
    if (event->flow != 0 && known->of == of) {
        memcpy(event->community_id, known->community_id, sizeof known->community_id);
        memcpy(event->flow_id, known->flow_id, sizeof known->flow_id);
        return;
    }
    flow_event_finish(event);
    if (event->flow != 0 && !event->final) {
        known->of = of;
        memcpy(known->community_id, event->community_id, sizeof known->community_id);
        memcpy(known->flow_id, event->flow_id, sizeof known->flow_id);
    }
}

void flow_identities_prefetch(const struct flow_identities *all, uint32_t flow)
{
    prefetch_write(&all->known[flow % FLOW_IDENTITIES]);
}
