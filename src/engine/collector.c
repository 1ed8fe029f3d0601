// SPDX-License-Identifier: Apache-2.0
#include "engine/collector.h"

#include "base/hash.h"
#include "base/seconds.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum {
    WINDOW_SECONDS = 60,
    COURSES_MAX = 4096,      /* items whose course is kept */
    COURSE_SLOTS = 2 * COURSES_MAX,
    COURSES_A_DELTA = 32,    /* of the heaviest items of each delta */
    COURSE_POINTS = 8,       /* over which a delta's weight is spread */
};

struct collector {
    const struct delta_layout *layout;
    struct board board;
    uint8_t *total;    /* since start: `closed` and `filling`, when somebody reads */
    bool is_stale;     /* it is to be made anew first */
    uint8_t *closed;   /* all minutes before the one under way */
    uint8_t *window;   /* the last whole minute */
    uint8_t *filling;  /* the minute under way */
    uint64_t minute;
    struct delta_paths paths;
    pthread_mutex_t lock;
    pthread_cond_t news;
    uint64_t version;
    struct series total_course;
    struct collector_course *courses; /* NULL: not kept */
    uint32_t course_count;
    uint16_t course_slots[COURSE_SLOTS]; /* index + 1 */
};

static void init_news(struct collector *c)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&c->news, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&c->lock, NULL);
}

static void list_sets(struct collector *c)
{
    c->board.set_count = c->layout->count;
    for (uint32_t i = 0; i < c->layout->count; i++) {
        c->board.sets[i] = (struct board_set){
            .set = c->layout->sets[i],
            .total = c->total + c->layout->offsets[i],
            .window = c->window + c->layout->offsets[i],
        };
    }
}

struct collector *collector_new(const struct delta_layout *layout, bool keep_courses,
                                struct err *err)
{
    struct collector *c = calloc(1, sizeof *c);
    if (c == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    c->layout = layout;
    init_news(c);
    c->total = blocks_new(layout);
    c->closed = blocks_new(layout);
    c->window = blocks_new(layout);
    c->filling = blocks_new(layout);
    c->courses = keep_courses ? calloc(COURSES_MAX, sizeof *c->courses) : NULL;
    if (c->total == NULL || c->closed == NULL || c->window == NULL || c->filling == NULL ||
        (keep_courses && c->courses == NULL)) {
        err_set(err, ERR_FAILED, "out of memory for summaries");
        collector_free(c);
        return NULL;
    }
    list_sets(c);
    return c;
}

void collector_free(struct collector *c)
{
    if (c == NULL) {
        return;
    }
    blocks_free(c->layout, c->total);
    blocks_free(c->layout, c->closed);
    blocks_free(c->layout, c->window);
    blocks_free(c->layout, c->filling);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->news);
    free(c->courses);
    free(c);
}

/* ---- Adding --------------------------------------------------------------------------------- */

/* The second of the history that a delta belongs to; older ones move out. */
static struct board_second *history_at(struct board *board, uint64_t second)
{
    if (board->history_count > 0) {
        for (uint32_t i = board->history_count; i-- > 0 && board->history[i].second >= second;) {
            if (board->history[i].second == second) {
                return &board->history[i];
            }
        }
        if (board->history[board->history_count - 1].second > second) {
            return NULL; /* between two seconds that were seen: too late to matter */
        }
    }
    if (board->history_count == BOARD_HISTORY) {
        memmove(board->history, board->history + 1, sizeof board->history - sizeof *board->history);
        board->history_count--;
    }
    struct board_second *entry = &board->history[board->history_count++];
    *entry = (struct board_second){.second = second};
    return entry;
}

static void add_history(struct board *board, const struct delta *delta)
{
    struct board_second *entry = history_at(board, delta->to_ns / SECOND_NS);
    if (entry == NULL) {
        return;
    }
    for (unsigned way = 0; way < 2; way++) {
        entry->packets[way] += delta->packets[way];
        entry->bytes[way] += delta->bytes[way];
    }
    entry->flows_new += delta->flows_created;
}

static void add_paths(struct collector *c, const struct delta *delta)
{
    for (uint32_t i = 0; i < delta->paths.count; i++) {
        const struct board_path *path = &delta->paths.paths[i];
        delta_paths_add(&c->paths, path->layers, path->packets, path->bytes);
    }
    c->board.path_count = c->paths.count;
    memcpy(c->board.paths, c->paths.paths, c->paths.count * sizeof *c->paths.paths);
}

static void turn_window(struct collector *c, uint64_t minute)
{
    if (minute <= c->minute) {
        return;
    }
    blocks_merge(c->layout, c->closed, c->filling);
    uint8_t *old = c->window;
    c->window = c->filling;
    c->filling = old;
    blocks_reset(c->layout, c->filling);
    c->board.window_ns = c->minute * WINDOW_SECONDS * SECOND_NS;
    c->minute = minute;
    list_sets(c);
}

static struct collector_course *course_at(struct collector *c, const struct metric *metric,
                                          struct span whole, bool add)
{
    uint8_t key[TOPN_KEY_MAX] = {0};
    memcpy(key, whole.data, whole.size < sizeof key ? whole.size : sizeof key);
    uint64_t hash = hash64(key, TOPN_KEY_MAX, (uint64_t)(uintptr_t)metric);
    for (;; hash++) {
        uint16_t *slot = &c->course_slots[hash % COURSE_SLOTS];
        if (*slot == 0) {
            if (!add || c->course_count == COURSES_MAX) {
                return NULL;
            }
            struct collector_course *course = &c->courses[c->course_count];
            course->metric = metric;
            memcpy(course->key, key, sizeof course->key);
            *slot = (uint16_t)++c->course_count;
            return course;
        }
        struct collector_course *course = &c->courses[*slot - 1];
        if (course->metric == metric && memcmp(course->key, key, sizeof course->key) == 0) {
            return course;
        }
    }
}

/* Adds weight to a course evenly over the time of a delta, which knows no more exactly when. */
static void add_course(struct series *course, const struct delta *delta, uint64_t weight)
{
    uint64_t step = (delta->to_ns - delta->from_ns) / COURSE_POINTS;
    for (unsigned i = 0; i < COURSE_POINTS; i++) {
        uint64_t share = weight / COURSE_POINTS + (i < weight % COURSE_POINTS);
        series_add(course, delta->from_ns + i * step + step / 2, share);
    }
}

/* The heaviest items of a top-N. */
static void add_top(struct collector *c, const struct delta *delta, const struct metric *metric,
                    const void *at)
{
    const struct topn_item *items[COURSES_A_DELTA];
    uint32_t count = topn_top(at, items, COURSES_A_DELTA);
    for (uint32_t k = 0; k < count; k++) {
        struct collector_course *course = course_at(c, metric, topn_key(at, items[k]), true);
        if (course != NULL) {
            add_course(&course->series, delta, items[k]->weight);
        }
    }
}

static void add_courses(struct collector *c, const struct delta *delta)
{
    add_course(&c->total_course, delta, delta->bytes[0] + delta->bytes[1]);
    for (uint32_t i = 0; i < c->layout->count; i++) {
        const struct metric *metric = c->layout->sets[i]->metrics;
        for (; metric->name != NULL; metric++) {
            if (metric->kind == METRIC_TOPN) {
                add_top(c, delta, metric, delta->blocks + c->layout->offsets[i] + metric->offset);
            }
        }
    }
}

void collector_add(struct collector *c, const struct delta *delta)
{
    pthread_mutex_lock(&c->lock);
    turn_window(c, delta->to_ns / SECOND_NS / WINDOW_SECONDS);
    blocks_merge(c->layout, c->filling, delta->blocks);
    c->is_stale = true;
    add_paths(c, delta);
    add_history(&c->board, delta);
    c->board.frames += delta->frames;
    c->board.bytes += delta->frame_bytes;
    if (c->courses != NULL) {
        add_courses(c, delta);
    }
    if (delta->to_ns > c->board.now_ns) {
        c->board.now_ns = delta->to_ns;
    }
    pthread_mutex_unlock(&c->lock);
}

/* ---- Reading -------------------------------------------------------------------------------- */

struct board *collector_edit(struct collector *c)
{
    pthread_mutex_lock(&c->lock);
    return &c->board;
}

void collector_publish(struct collector *c)
{
    c->version++;
    pthread_cond_broadcast(&c->news);
    pthread_mutex_unlock(&c->lock);
}

/* Merging sketches is dear, and deltas come more often than readers. */
static void make_total(struct collector *c)
{
    blocks_reset(c->layout, c->total);
    blocks_merge(c->layout, c->total, c->closed);
    blocks_merge(c->layout, c->total, c->filling);
    c->is_stale = false;
}

const struct board *collector_lock(struct collector *c)
{
    pthread_mutex_lock(&c->lock);
    if (c->is_stale) {
        make_total(c);
    }
    return &c->board;
}

void collector_unlock(struct collector *c)
{
    pthread_mutex_unlock(&c->lock);
}

uint64_t collector_wait(struct collector *c, uint64_t version, unsigned timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&c->lock);
    while (c->version <= version &&
           pthread_cond_timedwait(&c->news, &c->lock, &until) != ETIMEDOUT) {
    }
    uint64_t now = c->version;
    pthread_mutex_unlock(&c->lock);
    return now;
}

const struct series *collector_course(const struct collector *c, const struct metric *metric,
                                      struct span key)
{
    if (c->courses == NULL) {
        return NULL;
    }
    const struct collector_course *course = course_at((struct collector *)c, metric, key, false);
    return course != NULL ? &course->series : NULL;
}

const struct series *collector_total_course(const struct collector *c)
{
    return &c->total_course;
}
