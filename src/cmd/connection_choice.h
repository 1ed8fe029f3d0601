// SPDX-License-Identifier: Apache-2.0
/* Which connection a user means: by its number in the list of `read --connections`, by its Community
 * ID, by its two ends or by one of them, or by its flow.id. */
#pragma once

#include "engine/engine.h"

enum { CONNECTION_ENDS_ROOM = 128 };

/* Connections of a capture, worst first, as engine_connections() gives them. */
struct connection_list {
    const struct health_event *const *rows;
    uint32_t count;
    uint64_t total;
};

/* "198.51.100.10:58228-203.0.113.20:8080"; addresses of IPv6 are in brackets. The text between the
 * two ends is the caller's. */
void connection_ends(char ret[CONNECTION_ENDS_ROOM], const struct flow_event *flow,
                     const char *between);

/* The connection that `text` names. NULL and err, which lists candidates, when there is none or
 * several. */
const struct health_event *connection_choose(const struct connection_list *list, const char *text,
                                             struct err *err);
