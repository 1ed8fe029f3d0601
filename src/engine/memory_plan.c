// SPDX-License-Identifier: Apache-2.0
#include "engine/memory_plan.h"

#include "engine/flow_event.h"
#include "flow/flow.h"
#include "flow/health.h"

enum {
    /* What the budget has to hold beside flows: batches, deltas, windows, outboxes. */
    FIXED_MEMORY = 8 << 20,
    WORKER_MEMORY = 12 << 20,
    /* Ordering the flows that end together takes an index and a key each. */
    ORDER_BYTES = 16,
    FLOWS_MIN = 1024,
    TALK_SHARE = 16,   /* part of the memory that is for what flows say */
    HEALTH_SHARE = 16, /* part of the memory for connections with data in flight */
    FLOW_PERCENT = 40, /* of what may be for flows, that is */
    HEALTH_INDEX_BYTES = 4,
    DRAWERS_MEMORY = 10 << 20, /* graphs that a worker draws for the page */
    HEALTH_DETAILS_MAX = 1 << 20,
};

static uint32_t details_of(const struct config *config, uint32_t workers)
{
    int64_t each = config->limits.memory / HEALTH_SHARE / HEALTH_DETAIL_BYTES / workers;
    return (uint32_t)(each < HEALTH_DETAILS_MAX ? each : HEALTH_DETAILS_MAX);
}

static uint32_t bytes_of_flow(const struct config_flows *flows)
{
    size_t bytes = FLOW_BYTES + ORDER_BYTES;
    bytes += flows->deltas ? sizeof(struct flow_counters) : 0;
    bytes += flows->health ? HEALTH_BYTES + HEALTH_INDEX_BYTES : 0;
    return (uint32_t)bytes;
}

/* Bytes of a worker that flows and what they say may take beside `talk` bytes. */
static int64_t rest_of(const struct config *config, uint32_t workers, int64_t talk)
{
    int64_t fixed = WORKER_MEMORY + config->limits.fragments_memory + talk;
    fixed += config->flows.health ? DRAWERS_MEMORY : 0;
    int64_t left = config->limits.memory - FIXED_MEMORY;
    left -= config->flows.health ? config->limits.memory / HEALTH_SHARE : 0;
    return left / workers - fixed;
}

struct memory_plan memory_plan(const struct config *config, uint32_t workers)
{
    int64_t talk = config->limits.memory / TALK_SHARE / workers;
    int64_t rest = rest_of(config, workers, talk);
    int64_t cost = bytes_of_flow(&config->flows);
    int64_t flows = rest / cost;
    int64_t own = rest / 100 * FLOW_PERCENT;
    if (config->limits.flows > 0) {
        flows = (config->limits.flows + workers - 1) / workers;
        own = flows * cost;
    }
    flows = config->limits.flows > 0 || flows > FLOWS_MIN ? flows : FLOWS_MIN;
    own = own > FLOWS_MIN * cost ? own : FLOWS_MIN * cost;
    return (struct memory_plan){
        .flows = (uint32_t)(flows < INT32_MAX ? flows : INT32_MAX),
        .flow_bytes = (uint32_t)cost,
        .health_details = details_of(config, workers),
        .flow_memory = (uint64_t)own,
        .talk_memory = (uint64_t)talk,
        .shared_memory = rest > own ? (uint64_t)(rest - own) : 0,
    };
}
