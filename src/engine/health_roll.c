// SPDX-License-Identifier: Apache-2.0
#include "engine/health_roll.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct row {
    uint64_t moment; /* of its latest report, in counts of reports */
    struct health_event event;
};

struct health_roll {
    pthread_mutex_t lock;
    struct row *rows;
    uint32_t *order; /* for sorting */
    uint32_t room, count;
    uint64_t moments, total;
};

struct health_roll *health_roll_new(uint32_t room)
{
    struct health_roll *roll = calloc(1, sizeof *roll);
    struct row *rows = calloc(room, sizeof *rows);
    uint32_t *order = calloc(room, sizeof *order);
    if (roll == NULL || rows == NULL || order == NULL) {
        free(roll);
        free(rows);
        free(order);
        return NULL;
    }
    *roll = (struct health_roll){.rows = rows, .order = order, .room = room};
    pthread_mutex_init(&roll->lock, NULL);
    return roll;
}

void health_roll_free(struct health_roll *roll)
{
    if (roll != NULL) {
        pthread_mutex_destroy(&roll->lock);
        free(roll->rows);
        free(roll->order);
        free(roll);
    }
}

/* The row of a connection, or NULL. */
static struct row *find(const struct health_roll *roll, const struct flow_event *flow)
{
    for (uint32_t i = 0; i < roll->count; i++) {
        const struct flow_event *other = &roll->rows[i].event.flow;
        if (other->head.suborder == flow->head.suborder && other->start_ns == flow->start_ns &&
            strcmp(other->flow_id, flow->flow_id) == 0) {
            return &roll->rows[i];
        }
    }
    return NULL;
}

/* Of the older half by report the least bad, of equals the oldest. */
static struct row *spare(const struct health_roll *roll)
{
    struct row *best = &roll->rows[0];
    for (uint32_t i = 1; i < roll->count; i++) {
        struct row *row = &roll->rows[i];
        bool row_is_old = row->moment + roll->room / 2 <= roll->moments;
        bool best_is_old = best->moment + roll->room / 2 <= roll->moments;
        bool worse = row->event.badness < best->event.badness ||
                     (row->event.badness == best->event.badness && row->moment < best->moment);
        if (row_is_old != best_is_old ? row_is_old : worse) {
            best = row;
        }
    }
    return best;
}

void health_roll_add(struct health_roll *roll, const struct health_event *event)
{
    pthread_mutex_lock(&roll->lock);
    struct row *row = find(roll, &event->flow);
    if (row == NULL) {
        roll->total++;
        row = roll->count < roll->room ? &roll->rows[roll->count++] : spare(roll);
    }
    row->event = *event;
    row->moment = ++roll->moments;
    pthread_mutex_unlock(&roll->lock);
}

/* ---- Readers --------------------------------------------------------------------------------- */

static bool comes_first(const struct row *a, const struct row *b)
{
    if (a->event.badness != b->event.badness) {
        return a->event.badness > b->event.badness;
    }
    return a->event.flow.end_ns > b->event.flow.end_ns;
}

static int compare(const void *a, const void *b, void *rows)
{
    const struct row *all = rows;
    const struct row *x = &all[*(const uint32_t *)a], *y = &all[*(const uint32_t *)b];
    return comes_first(x, y) ? -1 : comes_first(y, x);
}

uint32_t health_roll_worst(struct health_roll *roll, struct health_event *ret, uint32_t max,
                           uint64_t *ret_total)
{
    pthread_mutex_lock(&roll->lock);
    for (uint32_t i = 0; i < roll->count; i++) {
        roll->order[i] = i;
    }
    qsort_r(roll->order, roll->count, sizeof *roll->order, compare, roll->rows);
    uint32_t count = roll->count < max ? roll->count : max;
    for (uint32_t i = 0; i < count; i++) {
        ret[i] = roll->rows[roll->order[i]].event;
    }
    *ret_total = roll->total;
    pthread_mutex_unlock(&roll->lock);
    return count;
}

bool health_roll_find(struct health_roll *roll, const char *flow_id, struct health_event *ret)
{
    bool found = false;
    pthread_mutex_lock(&roll->lock);
    for (uint32_t i = 0; i < roll->count && !found; i++) {
        found = strcmp(roll->rows[i].event.flow.flow_id, flow_id) == 0;
        if (found) {
            *ret = roll->rows[i].event;
        }
    }
    pthread_mutex_unlock(&roll->lock);
    return found;
}
