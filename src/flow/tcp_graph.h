// SPDX-License-Identifier: Apache-2.0
/* The time–sequence graph of one connection: its packets in, marks out. What a segment was (new,
 * repeated, overtaken, a copy) and what a round trip took is what TCP health made of the packet, so
 * that the picture and the record cannot disagree: the graph looks at the connection's state in the
 * book behind each of its packets. Sequence numbers are unwrapped; byte 0 of a direction is the
 * first behind its SYN, or the first that was met. One thread, the book's; memory is taken at start
 * and never grows (flow/tcp_marks.h). */
#pragma once

#include "flow/health.h"
#include "flow/tcp_marks.h"

struct tcp_graph; /* opaque */

/* Room for so many marks, 64 or more; NULL and err without memory. tcp_graph_free(NULL) is fine. */
struct tcp_graph *tcp_graph_new(uint32_t room, struct err *err);
void tcp_graph_free(struct tcp_graph *graph);

/* Begins with the connection of a flow as it is now: empty, if no packet came yet. What was there
 * before is gone. */
void tcp_graph_begin(struct tcp_graph *graph, const struct health_book *book, flow_index flow);

/* A packet of the flow of tcp_graph_begin(), behind its health_packet(). */
void tcp_graph_packet(struct tcp_graph *graph, const struct health_book *book, flow_index flow,
                      const struct packet *p, unsigned side);

/* The marks up to now, in the order of time; borrowed until the next call. */
const struct tcp_marks *tcp_graph_marks(const struct tcp_graph *graph);
