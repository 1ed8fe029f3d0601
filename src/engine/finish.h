// SPDX-License-Identifier: Apache-2.0
/* What a worker finishes, for policies that count it: transactions when a protocol has reported them,
 * TCP connections when they have ended and, where minutes are told apart, after each minute that they
 * go on, with what they gained in it; each with the tap that its flow came from and the marks of its
 * packets (intake_packet). Costs nothing while no policy asks. A worker has one, used by its thread. */
#pragma once

#include "engine/output.h"
#include "flow/health.h"
#include "policy/policy.h"

struct finish; /* opaque */

/* For an intake, which must outlive it, and a table of so many flows; NULL when memory ends. */
struct finish *finish_new(struct intake *intake, uint32_t flows);
/* NULL is fine. */
void finish_free(struct finish *finish);

/* Whether policies want things of that kind now; NULL is fine. */
bool finish_wants(const struct finish *finish, enum intake_kind kind);

/* Packets come from the tap of that name from now on. */
void finish_select(struct finish *finish, const char *tap);
/* A flow begins with the packet at hand. NULL is fine. */
void finish_begin(struct finish *finish, flow_index index);
/* A packet of the flow has these marks, which are not none. */
void finish_mark(struct finish *finish, flow_index index, uint32_t marks);
/* Policies may have changed: takes marks off the flows below `bound` that mean something else now. NULL
 * is fine. */
void finish_poll(struct finish *finish, uint32_t bound);

/* Has a log write its next events to where they are needed: into the outbox, or, where there is none
 * (NULL), into memory of its own if policies want them, else nowhere. `finish` may be NULL. */
void finish_open(struct finish *finish, struct outbox *outbox, struct event_log *log);
/* The log's events go where they were written to; then it is empty. */
void finish_pass(struct outbox *outbox, struct event_log *log);
/* Shows the transactions of a log, which must be finished (transaction_ends.h). NULL is fine. */
void finish_transactions(struct finish *finish, flow_index index, const struct flow *flow,
                         struct event_log *log, uint64_t now_ns);
/* Shows a TCP connection that has ended, or that goes on. */
void finish_connection(struct finish *finish, flow_index index, const struct flow *flow,
                       const struct health_record *record, uint64_t now_ns, bool goes_on);
/* The second at which a flow that goes on is to be looked at for finish_is_due(), behind `second`;
 * UINT64_MAX: never. NULL is fine. */
uint64_t finish_look(const struct finish *finish, const struct flow *flow, uint64_t second);
/* Whether a connection that goes on is to be shown now. NULL is fine. */
bool finish_is_due(const struct finish *finish, flow_index index, const struct flow *flow,
                   uint64_t second);
