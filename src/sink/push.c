// SPDX-License-Identifier: Apache-2.0
#include "sink/push.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sink/push_http.h"
#include "sink/push_queue.h"

enum { TAKE_MS = 200, MILLISECOND = 1000000, ERROR_ROOM = 200 };
#define LONGEST_PAUSE_NS INT64_C(300000000000) /* however long a receiver asks for */

struct push {
    struct push_options options;
    struct push_queue *queue;
    struct push_http *http;
    pthread_t thread;
    bool has_thread;
    _Atomic bool ends;    /* nothing comes any more: send what is there */
    _Atomic bool stop;    /* give up what is under way */
    _Atomic bool is_done; /* the thread has ended */
    _Atomic uint64_t points, bytes, refused, retries;
    pthread_mutex_t lock; /* of the error */
    char last_error[ERROR_ROOM];
    bool is_away;         /* the last trouble is one that passes */
};

static void remember(struct push *push, const char *what, struct span why)
{
    char text[120];
    size_t size = why.size < sizeof text ? why.size : sizeof text - 1;
    for (size_t i = 0; i < size; i++) {
        text[i] = why.data[i] < ' ' || why.data[i] > '~' ? ' ' : (char)why.data[i];
    }
    text[size] = '\0';
    pthread_mutex_lock(&push->lock);
    snprintf(push->last_error, sizeof push->last_error, "%s%s%s", what, size > 0 ? ": " : "",
             text);
    pthread_mutex_unlock(&push->lock);
}

static void forget_error(struct push *push)
{
    if (push->is_away) {
        remember(push, "", span_of(NULL, 0));
        push->is_away = false;
    }
}

/* ---- Pauses --------------------------------------------------------------------------------- */

static void sleep_ns(const struct push *push, int64_t ns)
{
    while (ns > 0 && !atomic_load(&push->stop) && !atomic_load(&push->ends)) {
        int64_t step = ns < 50 * MILLISECOND ? ns : 50 * MILLISECOND;
        nanosleep(&(struct timespec){.tv_nsec = step}, NULL);
        ns -= step;
    }
}

/* As long as the receiver asks for; else twice as long each time, up to a bound, between half of it
 * and all of it, at random, so that agents do not come all at once. */
static void pause_after(const struct push *push, unsigned failures)
{
    int64_t asked = push_http_pause(push->http);
    if (asked > 0) {
        sleep_ns(push, asked < LONGEST_PAUSE_NS ? asked : LONGEST_PAUSE_NS);
        return;
    }
    int64_t longest = push->options.cluster->backoff_max_ns;
    int64_t pause = push->options.cluster->backoff_ns;
    for (unsigned i = 1; i < failures && pause < longest; i++) {
        pause *= 2;
    }
    pause = pause < longest ? pause : longest;
    uint32_t random;
    arc4random_buf(&random, sizeof random);
    sleep_ns(push, pause / 2 + (int64_t)((uint64_t)(pause / 2) * random / UINT32_MAX));
}

/* ---- Sending -------------------------------------------------------------------------------- */

/* A success may yet say that some points were not taken (OTLP's partial success). */
static void count_taken(struct push *push, const struct push_item *item)
{
    char why[100] = "";
    uint64_t refused = push->options.read_answer != NULL
                           ? push->options.read_answer(push_http_answer(push->http), why,
                                                       sizeof why)
                           : 0;
    refused = refused < item->points ? refused : item->points;
    atomic_fetch_add(&push->points, item->points - refused);
    atomic_fetch_add(&push->bytes, item->size);
    atomic_fetch_add(&push->refused, refused);
    forget_error(push);
    if (refused > 0) {
        remember(push, "the receiver did not take all points", span_str(why));
    }
}

/* Sends a body once; true when that is settled, one way or the other. */
static bool send_once(struct push *push, const struct push_item *item)
{
    char text[64];
    long status = push_http_post(push->http, span_of(item->data, item->size));
    if (status >= 200 && status < 300) {
        count_taken(push, item);
        return true;
    }
    push->is_away = true;
    if (status == 0) {
        remember(push, push_http_error(push->http), span_of(NULL, 0));
        return false;
    }
    snprintf(text, sizeof text, "the receiver answered with status %ld", status);
    remember(push, text, push_http_answer(push->http));
    if (push->options.may_retry(status)) {
        return false;
    }
    push->is_away = false;
    atomic_fetch_add(&push->refused, item->points);
    return true;
}

/* Sends a body until it is settled or the program ends. What comes meanwhile goes to the journal, and
 * a full queue may drop this one, too: then it is not sent again. */
static void send_item(struct push *push, const struct push_item *item)
{
    unsigned failures = 0;
    while (!send_once(push, item)) {
        push_queue_save(push->queue);
        if (atomic_load(&push->ends) && failures > 0) {
            atomic_store(&push->stop, true); /* it is away, and so are we */
        }
        if (atomic_load(&push->stop)) {
            return;
        }
        atomic_fetch_add(&push->retries, 1);
        pause_after(push, ++failures);
    }
    push_queue_done(push->queue, item->number);
}

static void *run(void *of)
{
    struct push *push = of;
    while (!atomic_load(&push->stop)) {
        struct push_item item;
        bool ends = atomic_load(&push->ends);
        push_queue_save(push->queue);
        if (push_queue_first(push->queue, TAKE_MS, &item)) {
            send_item(push, &item);
            free(item.data);
        } else if (ends) {
            break;
        }
    }
    push_queue_save(push->queue);
    atomic_store(&push->is_done, true);
    return NULL;
}

/* ---- Lifetime ------------------------------------------------------------------------------- */

struct push *push_new(const struct push_options *options, struct err *err)
{
    struct push *push = calloc(1, sizeof *push);
    if (push == NULL) {
        err_set(err, ERR_FAILED, "no memory for the output %s", options->output);
        return NULL;
    }
    push->options = *options;
    pthread_mutex_init(&push->lock, NULL);
    push->queue = push_queue_new((size_t)options->cluster->queue_bytes, options->push->journal,
                                 err);
    push->http = push->queue != NULL ? push_http_new(options, &push->stop, err) : NULL;
    if (push->http == NULL) {
        push_free(push);
        return NULL;
    }
    push->has_thread = pthread_create(&push->thread, NULL, run, push) == 0;
    if (!push->has_thread) {
        err_set(err, ERR_FAILED, "no thread for the output %s", options->output);
        push_free(push);
        return NULL;
    }
    return push;
}

void push_put(struct push *push, struct span body, uint32_t points)
{
    push_queue_put(push->queue, body, points);
}

void push_status(const struct push *push, struct sink_status *ret)
{
    struct push *self = (struct push *)(uintptr_t)push;
    struct push_queue_state state = push_queue_state(push->queue);
    uint64_t refused = atomic_load(&push->refused);
    *ret = (struct sink_status){
        .events = atomic_load(&push->points),
        .bytes = atomic_load(&push->bytes),
        .lost = state.lost + refused,
        .waiting = state.points,
        .refused = refused,
        .retries = atomic_load(&push->retries),
    };
    pthread_mutex_lock(&self->lock);
    memcpy(ret->last_error, push->last_error, sizeof push->last_error);
    pthread_mutex_unlock(&self->lock);
    if (state.has_trouble && ret->last_error[0] == '\0') {
        snprintf(ret->last_error, sizeof ret->last_error,
                 "the journal %s cannot be written: what waits is in memory",
                 push->options.push->journal);
    }
}

void push_free(struct push *push)
{
    if (push == NULL) {
        return;
    }
    int64_t left = push->options.cluster->close_ns;
    atomic_store(&push->ends, true);
    while (push->has_thread && !atomic_load(&push->is_done) && left > 0) {
        nanosleep(&(struct timespec){.tv_nsec = 10 * MILLISECOND}, NULL);
        left -= 10 * MILLISECOND;
    }
    atomic_store(&push->stop, true);
    if (push->has_thread) {
        pthread_join(push->thread, NULL);
    }
    push_http_free(push->http);
    push_queue_free(push->queue);
    pthread_mutex_destroy(&push->lock);
    free(push);
}
