// SPDX-License-Identifier: Apache-2.0
/* The door of proto/: what a protocol is. A protocol is one folder with one constant `struct proto`
 * and one word in the list of src/meson.build. It says in tables what it counts; the house windows,
 * merges, renders and documents it. A protocol owns nothing and allocates nothing: the engine hands
 * it a block of memory of the size its table names, one for each worker. Hooks run on the packet
 * path; any of them may be NULL. */
#pragma once

#include "base/slab.h"
#include "event/event_log.h"
#include "flow/flow.h"
#include "proto/proto_guess.h"
#include "proto/proto_option.h"
#include "proto/proto_turns.h"
#include "summary/metric.h"

/* What a flow gained since it was last looked at: about a second ago, in a long capture longer. */
struct proto_gain {
    uint64_t packets[2]; /* by side: 0 from the initiator */
    uint64_t bytes[2];
    bool is_new; /* the flow began in this time */
};

/* ---- Conversations: protocols that read what flows say ---------------------------------------- */

struct key_log;

/* What a hook is given for one flow; all of it belongs to the engine. */
struct proto_context {
    void *block;               /* the protocol's metrics in this worker */
    void *state;               /* flow_size bytes for this flow, zeroed at first */
    const struct flow *flow;
    struct slab *memory;       /* for what must outlive the call; all given back in on_close */
    struct event_log *events;  /* events go here: event_log_add() */
    uint64_t now_ns;           /* packet time */
    const struct proto_settings *settings; /* the protocol's options struct begins with it */
    bool is_sealed; /* what is said is within TLS, whose records were opened */
    void *cache; /* cache_size bytes of this worker, zeroed at start, for what is made anew else: any flow's
                  * hook may find there what another left. NULL in tests. Nothing may depend on it but what it
                  * costs */
    const struct key_log *keys;            /* secrets to open what is sealed (handshake/key_log.h), or NULL */
};

/* Bytes of one side of a connection, in order; borrowed for the call. */
struct proto_chunk {
    struct span data;
    uint8_t side;     /* 0: from the flow's initiator */
    uint64_t time_ns; /* of the packet that brought the last of them */
};

/* What a hook did with a chunk. */
struct proto_taken {
    size_t consumed; /* the rest comes again, with more behind it */
    struct span plain; /* what was within: bytes of the same side that another protocol says. The engine
                        * asks all protocols about them as about a connection of its own, then calls
                        * again with the rest. Borrowed until then; empty: nothing */
    struct span agreed; /* what the two sides agreed to say within (ALPN, RFC 7301), borrowed likewise; empty:
                         * not known */
    bool waits; /* the rest needs no more bytes, but a key that may come; until then it is kept with the
                 * times when it came, and offered again at times */
    enum {
        PROTO_GOES_ON,
        PROTO_NOT_MINE, /* let go of this connection: what it says is something else */
        PROTO_SWITCHED, /* from the bytes on that were not consumed, both sides say something else
                         * (TLS, after an upgrade): on_close is called, then all protocols are asked */
    } verdict;
};

enum proto_close {
    PROTO_CLOSED,  /* both sides said FIN, or the flow ended in peace */
    PROTO_RESET,
    PROTO_TIMEOUT, /* idle, or the capture ended */
};

/* Why a request that waits then has no response: a transaction's `reason`. */
static inline const char *proto_close_reason(enum proto_close why)
{
    return why == PROTO_CLOSED ? "closed" : why == PROTO_RESET ? "reset" : "timeout";
}

struct proto {
    const char *name;
    const char *help;
    const struct metric_set *metrics;

    /* Every frame that the taps gave, once; fragments as they came. */
    void (*on_frame)(void *block, const struct packet *packet);

    /* Every packet of a flow, reassembled; what it meant to the flow is in `update`. */
    void (*on_packet)(void *block, const struct packet *packet, const struct flow *flow,
                      const struct flow_update *update);

    /* Every flow that had packets, from time to time (live every second): the place for top-Ns and
     * cardinalities, which would cost too much a packet. */
    void (*on_flow)(void *block, const struct flow *flow, const struct proto_gain *gain);

    /* Every flow once, when it has ended: the place to judge it as a whole. */
    void (*on_end)(void *block, const struct flow *flow);

    /* A protocol that reads conversations says where it is likely to be met, how it is known, and
     * what it keeps for each flow. Ports are a hint: a flow is asked about by the protocols of its
     * ports first, then by all others of its transport. */
    const uint16_t *tcp_ports; /* ended by 0, or NULL */
    const uint16_t *udp_ports;
    const char *const *agreed_names; /* what it is called in ALPN (RFC 7301 §6), ended by NULL, or NULL */
    size_t flow_size;
    size_t cache_size; /* for all flows of a worker together, or 0 */
    const struct event_type *const *events; /* all that it makes, ended by NULL: for those who want to
                                             * know their fields beforehand */

    /* What users may choose: a table ended by a NULL name, and the struct that it describes, which
     * begins with struct proto_settings. NULL and 0: those settings are all. */
    const struct proto_option *options;
    size_t options_size;

    /* Off the packet path, when a configuration is checked: makes of the options what their table
     * cannot say (files that they name are read), and keeps it in the options struct behind what the
     * table describes. False and err: what the user has to mend. May be called again. NULL: nothing. */
    bool (*prepare)(struct proto_settings *settings, struct err *err);
    /* Gives back what prepare() made; it may have made nothing. */
    void (*release)(struct proto_settings *settings);

    /* Whether the first bytes that a side of a connection sent, or a datagram, are this protocol. */
    enum proto_guess (*probe)(struct span data, unsigned side);
    /* The same where the flow is at one of the protocol's ports, for one that needs less to be sure there;
     * while it is unsure, no protocol of other ports is asked. NULL: probe(). */
    enum proto_guess (*probe_at_port)(struct span data, unsigned side);

    /* Whether bytes with which a side speaks up after the other are the beginning of this protocol,
     * in a connection that no protocol wanted until then: behind STARTTLS, or a proxy's answer.
     * Nothing but the bytes speaks for it, so they have to say it surely. NULL: it does not begin
     * like that. */
    enum proto_guess (*probe_late)(struct span data, unsigned side);

    /* A side of a connection at one of the protocol's ports began with these bytes, and it is no
     * protocol's: a thing to count. May be NULL. */
    void (*on_refused)(void *block, struct span data, unsigned side);

    /* Bytes of a connection. `data` is what came and what was not consumed before it; at most
     * PROTO_PENDING_MAX bytes are kept, then the protocol is let go of. */
    struct proto_taken (*on_chunk)(struct proto_context *c, const struct proto_chunk *chunk);

    /* `length` bytes of a side are missing; what was pending of that side was dropped before. 0 before
     * the first chunk: what comes is not the beginning of the connection, though it was seen to begin. */
    void (*on_gap)(struct proto_context *c, unsigned side, uint32_t length);

    /* A datagram of a UDP flow that probe() said yes to; of an ICMP flow if `reads_icmp`, whose
     * packets are not probed: the packet says what they are. */
    void (*on_datagram)(struct proto_context *c, const struct packet *packet, unsigned side);
    bool reads_icmp;

    /* One side of a connection has said all (FIN). */
    void (*on_fin)(struct proto_context *c, unsigned side);

    /* The flow ends: report what is open, give all memory back. */
    void (*on_close)(struct proto_context *c, enum proto_close why);
};

enum { PROTO_PENDING_MAX = 256 << 10 };

/* All protocols, NULL-terminated, in the order of the list. */
extern const struct proto *const protos[];

/* The options struct of a protocol with the defaults of both tables, lists empty, written to `to`
 * (at least proto_options_size() bytes): for tests and fuzz targets. The engine has its own way, from
 * the configuration. */
void proto_options_default(const struct proto *proto, void *to);
/* Bytes of a protocol's options struct. */
size_t proto_options_size(const struct proto *proto);

/* The protocol of that name, or NULL. */
const struct proto *proto_find(const char *name);
