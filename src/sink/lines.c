// SPDX-License-Identifier: Apache-2.0
#include "sink/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool lines_init(struct lines *l)
{
    *l = (struct lines){.data = malloc(LINES_BUFFER)};
    return l->data != NULL;
}

void lines_done(struct lines *l)
{
    free(l->data);
    l->data = NULL;
}

/* Writes all of `data`, waiting where the descriptor does not block; returns 0 or errno, and in
 * `written` how much went out. */
static int lines_write(int fd, struct span data, size_t *written)
{
    *written = 0;
    while (*written < data.size) {
        ssize_t n = write(fd, data.data + *written, data.size - *written);
        if (n > 0) {
            *written += (size_t)n;
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (n == 0 || errno != EINTR) {
            return n == 0 ? ENOSPC : errno;
        }
    }
    return 0;
}

static void lines_remember(struct lines *l, int failure)
{
    snprintf(l->status.last_error, sizeof l->status.last_error, "%s", strerror(failure));
}

/* Counts what `written` bytes of `data` are worth: the whole lines among them. */
static void lines_account(struct lines *l, struct span data, size_t written, uint32_t count)
{
    uint32_t whole = 0;
    size_t end = 0;
    for (size_t i = 0; i < written; i++) {
        if (data.data[i] == '\n') {
            whole++;
            end = i + 1;
        }
    }
    l->torn = written - end;
    l->status.events += whole;
    l->status.bytes += end;
    l->status.lost += count > whole ? count - whole : 0;
}

static int lines_send(struct lines *l, int fd, struct span data, uint32_t count)
{
    size_t written = 0;
    int failure = 0;
    if (l->torn > 0) {
        failure = lines_write(fd, span_of("\n", 1), &written);
        l->torn = failure != 0 ? l->torn : 0;
    }
    if (failure != 0) {
        l->status.lost += count;
    } else if ((failure = lines_write(fd, data, &written)) != 0) {
        lines_account(l, data, written, count);
    } else {
        l->status.events += count;
        l->status.bytes += data.size;
    }
    if (failure != 0) {
        lines_remember(l, failure);
    } else {
        l->status.last_error[0] = '\0';
    }
    return failure;
}

int lines_flush(struct lines *l, int fd)
{
    struct span data = span_of(l->data, l->size);
    uint32_t count = l->count;
    l->size = 0;
    l->count = 0;
    return data.size > 0 ? lines_send(l, fd, data, count) : 0;
}

int lines_put(struct lines *l, int fd, struct span data, uint32_t count)
{
    int failure = 0;
    if (data.size > LINES_BUFFER - l->size) {
        failure = lines_flush(l, fd);
    }
    if (data.size >= LINES_BUFFER) {
        int another = lines_send(l, fd, data, count);
        return failure != 0 ? failure : another;
    }
    if (data.size > 0) {
        memcpy(l->data + l->size, data.data, data.size);
    }
    l->size += data.size;
    l->count += count;
    return failure;
}

void lines_lose(struct lines *l, uint32_t count, int failure)
{
    l->status.lost += l->count + (uint64_t)count;
    l->size = 0;
    l->count = 0;
    lines_remember(l, failure);
}
