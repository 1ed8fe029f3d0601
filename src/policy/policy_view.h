// SPDX-License-Identifier: Apache-2.0
/* Private to policy/: what the renderers of documents have in common: which block answers a
 * question, for which time it stands, and which of its rows are to be seen. The set's lock is held. */
#pragma once

#include "policy/policy.h"
#include "policy/policy_set.h"

/* What an instance, or several alike, counted in a period. */
struct policy_view {
    const struct policy_instance *instance;
    const void *block;
    uint64_t start_s;  /* seconds since 1970 */
    uint64_t length_s;
    bool is_live;      /* the period goes on */
};

/* A view on a period; false and err when it is out of range (`err` says why, in pktvisor's words). */
bool policy_view_of(struct policies *set, struct policy_instance *instance,
                    enum policies_period period, uint64_t number, struct policy_view *ret,
                    struct err *err);

/* Whether anything of the instance is on: a handler all of whose groups are off says nothing. */
bool policy_view_is_on(const struct policy_instance *instance);
/* Whether a row is to be seen. */
bool policy_view_shows(const struct policy_view *view, const struct metric *m);

/* The heaviest items of a top-N as the settings want them, in memory that the caller frees. */
const struct topn_item **policy_view_top(const struct policy_view *view, const struct topn *top,
                                         uint32_t *ret_count);

/* Bounds of a histogram in pktvisor's way, 18 a decade, in which something lies: `bound` of each and
 * the count up to it; both arrays have POLICY_BINS. Returns how many. */
enum { POLICY_BINS = 18 * 27 + 2 };
struct quantiles;
uint32_t policy_view_bins(const struct quantiles *q, double *bounds, uint64_t *counts);

/* A part of a view (handler.h) that is to be shown, with its own block in its view. */
struct policy_part {
    struct policy_view view;
    uint32_t number;
    struct handler_part part;
};
/* The parts of a whole view, within part `outer` of those around them, by rank and name; in memory that the
 * caller frees. NULL when there are none. */
struct policy_part *policy_view_parts(const struct policy_view *whole,
                                      const struct handler_parts *parts, uint32_t outer,
                                      size_t *ret_count);

/* Whether the values of a row are whole numbers. */
bool policy_view_is_whole(const struct metric *m);
