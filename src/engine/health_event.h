// SPDX-License-Identifier: Apache-2.0
/* The event tcp.connection: what TCP health says of one connection, at its end or at an interval
 * of it; ECS names and tcp.health.*, whose meaning docs/tcp-health.md gives. flow.id and
 * network.community_id join it with the flow's event. */
#pragma once

#include "engine/flow_event.h"
#include "engine/places.h"
#include "flow/health.h"

enum { HEALTH_EVIDENCE_ROOM = 120, HEALTH_LIST_ROOM = 256 };

struct health_event {
    struct flow_event flow; /* who and when; its head is the event's */
    struct health_record record;
    struct place client; /* set by the output, where places are known */
    struct place server;
    double confidence[HEALTH_VERDICTS];
    char evidence[HEALTH_VERDICTS][HEALTH_EVIDENCE_ROOM];
    char verdicts[HEALTH_LIST_ROOM]; /* names, worst first, with commas */
    const char *queue_place;
    const char *icmp_error; /* flow_icmp_error_name() */
    double badness; /* sorts reports: verdicts by what they do to users, by their confidence */
};

/* Badness from which users feel it. */
#define HEALTH_BAD 20.0

extern const struct event_type health_event_type;

/* Fills in an event from a flow and its record, but for head.order, head.suborder and what
 * health_event_finish() makes. Packet path. */
void health_event_fill(struct health_event *ret, const struct flow *flow,
                       const struct flow_cold *cold, enum flow_reason reason, uint64_t now_ns);

/* How much a connection suffers: its verdicts by what they do to users and by their confidence. */
double health_event_badness(const struct health_record *record);

/* Adds identities and the words of the verdicts: before encoding, off the packet path. */
void health_event_finish(struct health_event *event);
