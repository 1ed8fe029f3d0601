// SPDX-License-Identifier: Apache-2.0
#include "sink/line_queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct line_queue {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    pthread_cond_t emptied;
    size_t room;
    uint32_t most;
    size_t at;   /* of the first byte */
    size_t size;
    uint32_t lines;
    uint64_t lost;
    bool waits;
    bool has_ended;
    char bytes[];
};

struct line_queue *line_queue_new(size_t bytes, uint32_t most, bool waits)
{
    struct line_queue *queue = calloc(1, sizeof *queue + bytes);
    if (queue == NULL) {
        return NULL;
    }
    queue->room = bytes;
    queue->most = most > 0 ? most : UINT32_MAX;
    queue->waits = waits;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->filled, &attributes);
    pthread_cond_init(&queue->emptied, &attributes);
    pthread_condattr_destroy(&attributes);
    return queue;
}

void line_queue_free(struct line_queue *queue)
{
    if (queue != NULL) {
        pthread_cond_destroy(&queue->filled);
        pthread_cond_destroy(&queue->emptied);
        pthread_mutex_destroy(&queue->lock);
        free(queue);
    }
}

static void copy_in(struct line_queue *queue, struct span line)
{
    size_t end = (queue->at + queue->size) % queue->room;
    size_t first = queue->room - end < line.size ? queue->room - end : line.size;
    memcpy(queue->bytes + end, line.data, first);
    memcpy(queue->bytes, line.data + first, line.size - first);
    queue->size += line.size;
    queue->lines++;
}

/* Under the lock. False: the line is lost. */
static bool put_line(struct line_queue *queue, struct span line)
{
    while (queue->room - queue->size < line.size || queue->lines == queue->most) {
        if (!queue->waits || line.size > queue->room || queue->has_ended) {
            queue->lost++;
            return false;
        }
        pthread_cond_wait(&queue->emptied, &queue->lock);
    }
    copy_in(queue, line);
    return true;
}

uint32_t line_queue_put(struct line_queue *queue, struct span lines)
{
    uint32_t lost = 0;
    pthread_mutex_lock(&queue->lock);
    while (lines.size > 0) {
        const uint8_t *end = memchr(lines.data, '\n', lines.size);
        size_t size = end != NULL ? (size_t)(end + 1 - lines.data) : lines.size;
        lost += !put_line(queue, span_head(lines, size));
        lines = span_skip(lines, size);
        pthread_cond_signal(&queue->filled);
    }
    pthread_mutex_unlock(&queue->lock);
    return lost;
}

/* The size of the first line. */
static size_t first_line(const struct line_queue *queue)
{
    size_t straight = queue->room - queue->at < queue->size ? queue->room - queue->at : queue->size;
    const char *end = memchr(queue->bytes + queue->at, '\n', straight);
    if (end != NULL) {
        return (size_t)(end + 1 - (queue->bytes + queue->at));
    }
    end = memchr(queue->bytes, '\n', queue->size - straight);
    return end != NULL ? straight + (size_t)(end + 1 - queue->bytes) : queue->size;
}

static void drop_first(struct line_queue *queue, size_t size)
{
    queue->size -= size;
    queue->lines--;
    queue->at = queue->size > 0 ? (queue->at + size) % queue->room : 0; /* what is touched stays little */
}

static void copy_out(const struct line_queue *queue, char *to, size_t size)
{
    size_t first = queue->room - queue->at < size ? queue->room - queue->at : size;
    memcpy(to, queue->bytes + queue->at, first);
    memcpy(to + first, queue->bytes, size - first);
}

static void wait_filled(struct line_queue *queue, unsigned wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (queue->lines == 0 && !queue->has_ended &&
           pthread_cond_timedwait(&queue->filled, &queue->lock, &until) == 0) {
    }
}

uint32_t line_queue_take(struct line_queue *queue, void *to, size_t room, uint32_t most,
                         unsigned wait_ms, size_t *ret_size)
{
    uint32_t count = 0;
    size_t at = 0;
    pthread_mutex_lock(&queue->lock);
    wait_filled(queue, wait_ms);
    while (queue->lines > 0 && count < most) {
        size_t size = first_line(queue);
        if (count > 0 && (at > room || size > room - at)) {
            break;
        }
        copy_out(queue, (char *)to + at, size);
        drop_first(queue, size);
        at += size;
        count++;
    }
    pthread_cond_signal(&queue->emptied);
    pthread_mutex_unlock(&queue->lock);
    *ret_size = at;
    return count;
}

void line_queue_end(struct line_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->has_ended = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->emptied);
    pthread_mutex_unlock(&queue->lock);
}

bool line_queue_has_ended(struct line_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool ended = queue->has_ended;
    pthread_mutex_unlock(&queue->lock);
    return ended;
}

struct line_queue_state line_queue_state(struct line_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct line_queue_state state = {
        .lines = queue->lines, .bytes = queue->size, .lost = queue->lost};
    pthread_mutex_unlock(&queue->lock);
    return state;
}
