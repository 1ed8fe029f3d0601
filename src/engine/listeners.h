// SPDX-License-Identifier: Apache-2.0
/* Who may read a conversation: the protocols that are enabled, with their options and the ports where
 * they are to be looked for. Made once from the configuration, constant, shared by all workers. */
#pragma once

#include "engine/config.h"
#include "engine/delta.h"
#include "proto/proto.h"

enum { LISTENER_PORTS = 64 /* ranges of one protocol; those beyond are no hints */ };

struct listener {
    const struct proto *proto;
    const struct proto_settings *settings; /* the protocol's options begin with it */
    size_t offset;                         /* of its block within a delta */
    size_t cache_at;                       /* of its cache within those of a worker */
    uint32_t port_count;
    struct config_ports ports[LISTENER_PORTS];
};

struct listeners {
    uint32_t count;
    size_t cache_size; /* of all caches of a worker */
    /* A bit for each listener: who reads TCP or anything else, who is met at other ports, too, and who of
     * those that read TCP may begin in a connection that nobody wanted. */
    uint64_t reads_tcp, reads_datagrams, reads_anywhere, begins_late;
    uint64_t hints[256]; /* by a port's lower byte: whom it may be a port of */
    bool has_tcp;
    bool has_udp;
    const struct listener *icmp; /* who reads ICMP, or NULL */
    const struct key_log *keys;  /* for those that open what is sealed, or NULL */
    struct listener items[BOARD_SETS];
};

/* Those of a layout; `config` must outlive them. */
void listeners_init(struct listeners *to, const struct config *config,
                    const struct delta_layout *layout);

/* Asks the protocols about the first bytes of a side, or a datagram: those of the flow's ports
 * first, then the others. Returns a listener's number plus 1, 0 when none can tell yet,
 * LISTENERS_NONE when none wants it, or none could tell from LISTENERS_PROBE bytes. Pure; as many
 * probes as there are protocols. */
enum { LISTENERS_NONE = UINT16_MAX, LISTENERS_PROBE = 2048 };
uint32_t listeners_ask(const struct listeners *all, const struct flow_key *key, struct span data,
                       unsigned side);

/* The same of bytes with which a side of a connection speaks up that nobody wanted (proto.h,
 * probe_late). */
uint32_t listeners_ask_late(const struct listeners *all, const struct flow_key *key,
                            struct span data, unsigned side);

/* Whose a flow of datagrams is: asked with each of them until somebody wants it. The first is shown to
 * all. It may be broken, or one that does not tell (of QUIC, early data that overtook the first packet),
 * so of a flow at protocols' ports the next are shown to these protocols, as many as LISTENERS_TRIES;
 * `flow->talk` counts them meanwhile. Returns as listeners_ask(); 0: it was not this one. */
enum { LISTENERS_TRIES = 16 };
uint32_t listeners_ask_datagram(const struct listeners *all, struct flow *flow, struct span data,
                                unsigned side);

/* Who is called so in ALPN and may read the flow, if the bytes are not against it: its number plus 1; 0
 * when there is none. */
uint32_t listeners_agreed(const struct listeners *all, const struct flow_key *key, struct span name,
                          const struct proto_chunk *chunk);

/* Nobody wanted what began with these bytes: tells those at whose ports it is. `blocks` are the delta's.
 * Returns LISTENERS_NONE. */
uint32_t listeners_refused(const struct listeners *all, const struct flow_key *key, uint8_t *blocks,
                           struct span data, unsigned side);
