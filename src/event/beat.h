// SPDX-License-Identifier: Apache-2.0
/* Events as Elastic's Packetbeat writes them: what stands around every event (agent, ecs, host,
 * @metadata, tags, fields), its precision of times, network.direction, and what users set for single
 * protocols. The event's own fields have Packetbeat's names already; what is beyond them was left
 * out by the encoder. Pure over the event; the output's thread only. */
#pragma once

#include "base/text.h"
#include "event/event.h"
#include "event/networks.h"
#include "event/processor.h"

#define BEAT_VERSION "8.17.0" /* whose events these are */

/* What users set for one protocol, or for flows. */
struct beat_type {
    const char *type;              /* the event's `type` */
    const char *index;             /* NULL: as all others */
    struct text_list tags;
    const struct node *fields; /* a map, or NULL */
    bool fields_under_root;
    struct processors *processors; /* NULL: none */
};

enum beat_precision { BEAT_MILLISECOND, BEAT_MICROSECOND, BEAT_NANOSECOND };

/* All of it lives as long as it is used. */
struct beat_options {
    const char *name;         /* agent.name */
    const char *hostname;     /* host.name */
    const struct node *host;  /* what this machine is (processor.h); NULL: not asked */
    const char *id;           /* agent.id, agent.ephemeral_id: UUIDs */
    const char *ephemeral_id;
    const char *cluster;      /* UUID of the one that this is counted to; NULL or "": none */
    enum beat_precision precision;
    struct text_list tags;
    const struct node *fields;
    bool fields_under_root;
    struct networks internal;
    bool has_internal;
    struct networks local;    /* this machine's own addresses; none when files are read */
    bool ignore_outgoing;
    bool drops_unanswered;    /* requests whose connection was reset, or that nobody answered in time:
                               * a capture read at full speed is over before that time */
    size_t type_count;
    const struct beat_type *types;
};

/* Of a transaction whose response took several packets: duration and end as Packetbeat measures them,
 * up to the response's first packet. What it took from then on is no field of Packetbeat's. `head`: the
 * event that `event` was made of. */
void beat_measure(struct nodes *tree, struct node *event, const struct event_head *head);

/* Shapes an event. False: it is to be dropped. */
bool beat_shape(const struct beat_options *beat, struct nodes *tree, struct node *event);
