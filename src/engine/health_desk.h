// SPDX-License-Identifier: Apache-2.0
/* What happens to a report of a TCP connection behind the packets: it is finished, its ends get their
 * places, and it is kept where somebody asked: the list of a file, the roll of an agent, the paths. The
 * output thread takes reports; roll and paths may be read by any thread. */
#pragma once

#include "engine/config.h"
#include "engine/health_event.h"
#include "engine/health_list.h"
#include "engine/health_paths.h"
#include "engine/health_roll.h"

struct health_desk; /* opaque */

struct health_desk_options {
    const struct config *config; /* zones, geo */
    uint32_t list;  /* worst connections to keep for the end; 0: none */
    uint32_t roll;  /* connections to keep for readers; 0: none */
    bool is_live;   /* the paths forget */
};

/* NULL and err when a database cannot be opened or memory ends. */
struct health_desk *health_desk_new(const struct health_desk_options *options, struct err *err);
/* NULL is fine. */
void health_desk_free(struct health_desk *desk);
/* places_refresh() of its places; NULL is fine. */
bool health_desk_refresh(struct health_desk *desk, char *note, size_t size);

/* Finishes a report and keeps it. */
void health_desk_take(struct health_desk *desk, struct health_event *event);

struct health_list *health_desk_list(struct health_desk *desk); /* NULL: not wanted */
struct health_roll *health_desk_roll(struct health_desk *desk); /* likewise */
struct health_paths *health_desk_paths(struct health_desk *desk);
