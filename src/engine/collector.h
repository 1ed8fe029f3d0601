// SPDX-License-Identifier: Apache-2.0
/* The collector adds the workers' deltas to the board: totals, the window of the last whole minute,
 * the history of seconds. The office thread runs it (with one worker on a file, the worker's own
 * thread); readers lock the board. */
#pragma once

#include "engine/delta.h"
#include "summary/series.h"
#include "summary/topn.h"

#include <pthread.h>

struct collector; /* opaque */

/* A top-N item of which a report wants to see the course. */
struct collector_course {
    const struct metric *metric;
    uint8_t key[TOPN_KEY_MAX];
    struct series series;
};

struct collector *collector_new(const struct delta_layout *layout, bool keep_courses,
                                struct err *err);
void collector_free(struct collector *collector);

/* Adds a delta to the board; the caller gives it back to its worker. */
void collector_add(struct collector *collector, const struct delta *delta);

/* The board for writing by the engine, which brings workers' and taps' counters up to date: locked
 * until collector_publish(), which wakes those who wait for news. */
struct board *collector_edit(struct collector *collector);
void collector_publish(struct collector *collector);

/* The board for reading, totals brought up to date, locked until collector_unlock(). */
const struct board *collector_lock(struct collector *collector);
void collector_unlock(struct collector *collector);
uint64_t collector_wait(struct collector *collector, uint64_t version, unsigned timeout_ms);

/* The course of an item over packet time, or NULL when it was never among the heaviest. Only with
 * keep_courses, and when no more deltas come. */
const struct series *collector_course(const struct collector *collector,
                                      const struct metric *metric, struct span key);
/* The course of all bytes. */
const struct series *collector_total_course(const struct collector *collector);
