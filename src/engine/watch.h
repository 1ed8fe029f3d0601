// SPDX-License-Identifier: Apache-2.0
/* A worker's drawers: graphs of some of its TCP connections (flow/tcp_graph.h), a fixed number, all
 * memory taken at start. Connections are drawn from their first packet as long as there is a free
 * drawer; of those that ended the drawers are kept until others need them, the least bad and oldest
 * first. Belongs to the worker's thread; readers ask the worker. A packet of a connection that is
 * not drawn costs a look into a table of 4 kB. */
#pragma once

#include "flow/tcp_graph.h"

struct watch; /* opaque */

/* Names a connection among all of a worker. */
struct watch_id {
    struct flow_key key;
    uint64_t order; /* number of its first packet: event_head.suborder */
};

struct watch_options {
    uint32_t drawers; /* 255 at most */
    uint32_t room;    /* marks of each */
    bool only;        /* draw the connection `order` and no other */
    uint64_t order;
};

struct watch *watch_new(const struct watch_options *options, struct err *err);
void watch_free(struct watch *watch);

/* A flow begins, or a reader wants to see one from now on (`wanted`: another one may lose its
 * drawer for it). Passes over what is not TCP. */
void watch_begin(struct watch *watch, const struct health_book *book, flow_index flow,
                 const struct watch_id *id, bool wanted);
/* A packet of any flow, behind its health_packet(). */
void watch_packet(struct watch *watch, const struct health_book *book, flow_index flow,
                  const struct packet *p, unsigned side);
/* Whether the flow is drawn. */
bool watch_draws(const struct watch *watch, flow_index flow);
/* A flow ends, how badly: 0 and up. */
void watch_end(struct watch *watch, flow_index flow, double badness);

/* The graph in the first drawer, NULL when it was never used. */
const struct tcp_marks *watch_first(const struct watch *watch);
/* The graph of a connection, NULL when it is not drawn; `ret_whole`: from its first packet on. */
const struct tcp_marks *watch_find(const struct watch *watch, const struct watch_id *id,
                                   bool *ret_whole);
