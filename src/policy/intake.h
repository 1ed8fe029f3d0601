// SPDX-License-Identifier: Apache-2.0
/* Where packets, and messages of other inputs, enter the policies: one intake a thread. It asks each
 * input of the set whether it wants the packet, tells its direction, and walks the chains of handlers;
 * it follows the TCP connections whose messages a handler wants. Without policies it costs the look
 * at a pointer a packet. Nothing here allocates but at start. */
#pragma once

#include "base/err.h"
#include "policy/intake_given.h"

struct policies;
struct intake;
struct policy_input;
struct handler_event;
struct export_datagram;

/* The intake of a slot; NULL when the system refuses memory. */
struct intake *intake_new(struct policies *set, uint32_t slot, struct err *err);
void intake_free(struct intake *intake);

/* Packets come from the tap of that name from now on; NULL: from any. */
void intake_select(struct intake *intake, const char *tap);
/* Returns marks of the packet's flow, mostly none: which of those inputs let the packet through that
 * cannot tell by a flow's key. Who finishes something of that flow gives them back. */
uint32_t intake_packet(struct intake *intake, const struct intake_packet *packet);
/* Marks that mean another input than before since this was last asked: flows have them no more. */
uint32_t intake_stale_marks(struct intake *intake);
/* An event of an input that is no packets. */
void intake_event(struct intake *intake, struct policy_input *input, struct handler_event *event);
/* A datagram that came to an input of flows. */
void intake_datagram(struct intake *intake, struct policy_input *input,
                     const struct export_datagram *datagram);

/* The kinds of finished things that policies want now (enum intake_kind), 0: none. */
uint32_t intake_wants(const struct intake *intake);
/* Whether what is counted belongs to minutes, so that what goes on is to be shown as it goes on. */
bool intake_has_minutes(const struct intake *intake);
/* Shows one to the inputs of packets that would have let a packet of its flow through. */
void intake_finish(struct intake *intake, const struct intake_finished *finished);

/* Packet time came to now_ns, with or without packets: hands over what was counted. Packets of live
 * taps do so by themselves, too, every second. */
void intake_flush(struct intake *intake, uint64_t now_ns);
/* Takes a plan that has changed; between two packets, now and then. */
void intake_poll(struct intake *intake);
/* The same for who reads of the past: packet time is what its last event said. */
void intake_settle(struct intake *intake);
/* Whether it has a plan: what is read before it goes nowhere. */
bool intake_is_ready(const struct intake *intake);
/* No more packets come. */
void intake_end(struct intake *intake);
