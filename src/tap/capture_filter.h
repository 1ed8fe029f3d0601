// SPDX-License-Identifier: Apache-2.0
/* A filter expression, pcap-filter(7), over the frames of a file. One program is compiled for each
 * link type that turns up, at its first frame. A link type to which the expression cannot apply
 * (`vlan` on raw IP) matches nothing; that is remembered and told at the end.
 *
 * Memory: one small program for each link type, at most CAPTURE_FILTER_LINKS. One thread. */
#pragma once

#include "base/err.h"
#include "wire/frame.h"

enum { CAPTURE_FILTER_LINKS = 32 };

struct capture_filter;

/* Compiles `expression` once, so that a mistake in it is found at once: NULL and ERR_USAGE with one
 * line that names the expression. */
struct capture_filter *capture_filter_new(const char *expression, struct err *err);

/* NULL is fine. */
void capture_filter_free(struct capture_filter *filter);

/* Keeps the frames that match, in order, and returns their number. */
uint32_t capture_filter_apply(struct capture_filter *filter, struct frame *frames, uint32_t count);

/* Fills err and returns false when frames were left out because the expression could not be
 * applied to their link type. */
bool capture_filter_check(const struct capture_filter *filter, struct err *err);
