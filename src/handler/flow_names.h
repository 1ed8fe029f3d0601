// SPDX-License-Identifier: Apache-2.0
/* The texts by which a flow record is counted: addresses, or the networks and systems that they are
 * summed up to, ports by their names, both together, conversations, DSCP and ECN. Made once a record
 * for all top lists. No allocation. */
#pragma once

#include "handler/flow_record.h"
#include "handler/flow_settings.h"

enum {
    FLOW_NAME_ADDRESS = 64,      /* of the key of a top list; longer names are cut */
    FLOW_NAME_PORT = 40,
    FLOW_NAME_CONVERSATION = 2 * FLOW_NAME_ADDRESS,
};

struct flow_names {
    char address[2][FLOW_NAME_ADDRESS]; /* source, destination; empty: none */
    char port[2][FLOW_NAME_PORT];       /* empty: none */
    char end[2][FLOW_NAME_ADDRESS];     /* address:port; empty: one of them is not there */
    char conversation[FLOW_NAME_CONVERSATION + 1]; /* both ends in the order of their text; or empty */
};

void flow_names_of(const struct flow_settings *settings, const struct flow_record *record,
                   struct flow_names *ret);

/* RFC 2474, 2597, 3246, 5865; a number where there is no name. `room` is 16 at least. */
void flow_names_dscp(uint8_t tos, char *to, size_t room);
/* RFC 3168. */
const char *flow_names_ecn(uint8_t tos);
