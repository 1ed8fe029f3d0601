// SPDX-License-Identifier: Apache-2.0
/* The door of proto/: what a protocol is. A protocol is one folder with one constant `struct proto`
 * and one word in the list of src/meson.build. It says in tables what it counts; the house windows,
 * merges, renders and documents it. A protocol owns nothing and allocates nothing: the engine hands
 * it a block of memory of the size its table names, one for each worker. Hooks run on the packet
 * path; any of them may be NULL. */
#pragma once

#include "flow/flow.h"
#include "summary/metric.h"

/* What a flow gained since it was last looked at: at most a second's worth. */
struct proto_gain {
    uint64_t packets[2]; /* by side: 0 from the initiator */
    uint64_t bytes[2];
    bool is_new; /* the flow began in this time */
};

struct proto {
    const char *name;
    const char *help;
    const struct metric_set *metrics;

    /* Every frame that the taps gave, once; fragments as they came. */
    void (*on_frame)(void *block, const struct packet *packet);

    /* Every packet of a flow, reassembled; what it meant to the flow is in `update`. */
    void (*on_packet)(void *block, const struct packet *packet, const struct flow *flow,
                      const struct flow_update *update);

    /* Every flow that had packets, about once a second: the place for top-Ns and cardinalities,
     * which would cost too much a packet. */
    void (*on_flow)(void *block, const struct flow *flow, const struct proto_gain *gain);

    /* Every flow once, when it has ended: the place to judge it as a whole. */
    void (*on_end)(void *block, const struct flow *flow);
};

/* All protocols, NULL-terminated, in the order of the list. */
extern const struct proto *const protos[];

/* The protocol of that name, or NULL. */
const struct proto *proto_find(const char *name);
