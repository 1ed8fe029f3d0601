// SPDX-License-Identifier: Apache-2.0
/* What every transaction event has: a request and its response between two ends, as Packetbeat 8
 * names it. A protocol's event struct begins with a `struct transaction`, its event_type names
 * transaction_fields as `common` and lists its own fields. The protocol fills in the first part and
 * logs it; the engine fills in ends, network and order and has transaction_finish() do the rest,
 * then packs it. */
#pragma once

#include "event/event.h"

enum transaction_status {
    TRANSACTION_OK,
    TRANSACTION_ERROR,
};

struct transaction {
    struct event_head head;
    /* by the protocol */
    uint64_t start_ns;       /* first packet of the request, or of a lone response */
    uint64_t request_ns;     /* last packet of the request; 0: the first one */
    uint64_t end_ns;         /* last packet of the response; 0: there was none */
    uint64_t response_ns;    /* first packet of the response; 0: none */
    uint64_t source_bytes;   /* message bytes of the request */
    uint64_t destination_bytes;
    uint8_t status;          /* enum transaction_status */
    uint8_t request_side;    /* which side of the flow asked */
    const char *status_text; /* NULL: what `status` says */
    const char *outcome;     /* success, failure or NULL */
    const char *reason;      /* of a request without a response: timeout, reset, gap, closed */
    struct span action;
    struct span method;
    struct span query;
    struct span resource;
    struct span path;
    struct span destination_domain;
    struct span user_name;
    struct event_spans notes; /* error.message */
    struct span request;      /* as it was sent, where the settings ask for it */
    struct span response;
    /* Of what else it speaks, e.g. what a name resolves to; NULL: nothing. The first two items are left
     * for the ends, which are put there by transaction_finish(): it writes to the list, which is to be
     * the maker's own and no other field's. */
    struct event_addresses related_ip;
    /* by the engine; the first ones say who talks, without a hole between them (TRANSACTION_ENDS) */
    uint32_t source_port;
    uint32_t destination_port;
    struct event_address source;
    struct event_address destination;
    char community_id[32];
    bool incomplete;
    struct event_optional round_trip; /* from here to who was asked, and back */
    const char *network_type;
    const char *transport;
    /* by transaction_finish(), where they are NULL still */
    const char *dataset;
    const char *protocol;
    const char *kind;
    const char *category_json;
    const char *event_type_json;
    /* by transaction_finish() */
    struct event_optional duration;   /* start to end; absent without a response */
    struct event_optional first_byte; /* request's end to response's first packet */
    struct event_optional transfer;   /* response's first packet to its last */
    uint64_t network_bytes;
    struct event_address related[2]; /* the ends, where related_ip has no room for them */
};

/* The bytes that say who talks: the same in all that one end asks the other in a flow. Fields with the flag
 * EVENT_ENDS show nothing else, but for related.ip, which may have more. */
enum {
    TRANSACTION_ENDS = offsetof(struct transaction, source_port),
    TRANSACTION_ENDS_SIZE = offsetof(struct transaction, incomplete) - TRANSACTION_ENDS,
};

extern const struct event_field transaction_fields[];
/* For protocols with an event for each message: as transaction_fields without what a response adds, and
 * whoever sent it is the server. */
extern const struct event_field transaction_reply_fields[];

/* Derives durations, sums and texts from what the protocol and the engine have filled in. The event
 * refers to itself then: pack it, do not assign it. Packet path. */
void transaction_finish(struct transaction *t);
