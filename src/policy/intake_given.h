// SPDX-License-Identifier: Apache-2.0
/* What is given to an intake (policy/intake.h): packets, and what workers have finished. */
#pragma once

#include "flow/flow.h"
#include "wire/frame.h"

/* A packet as the walk has it. */
struct intake_packet {
    const struct packet *packet;
    const struct frame *frame;  /* NULL: a datagram that was reassembled */
    const struct flow_key *key; /* NULL: it belongs to no flow */
    uint64_t hash;              /* of the key */
    int8_t end;                 /* of the key, that sent it */
};

struct event_head;
struct health_record;

/* What a worker finishes, beside packets (enum handler_event_kind of policies' handlers). */
enum intake_kind { INTAKE_TRANSACTION = 8, INTAKE_CONNECTION = 16 };

/* Such a thing: one of the first two. */
struct intake_finished {
    const struct event_head *transaction;   /* that a protocol has reported, or NULL */
    const struct health_record *connection; /* what is known of a TCP connection, or NULL */
    const struct flow_key *key;
    unsigned client;  /* end of the key that asked, or that connected */
    uint64_t time_ns; /* when it was finished */
    const char *tap;  /* the flow's; NULL: any */
    uint32_t marks;   /* of the flow's packets (intake_packet), all of them */
    /* Of a connection, which is shown every now and then while it goes on, and when it ends: */
    const struct health_record *gained; /* with numbers of what came since it was shown last */
    bool was_shown;
    bool goes_on;
};
