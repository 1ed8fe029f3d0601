// SPDX-License-Identifier: Apache-2.0
/* Whole lines on their way to a descriptor: a buffer that saves system calls, and the account of
 * what arrived and what was lost. Lines go out in the order of their coming or are lost as whole
 * lines: after a failure in the middle of one, the next that arrives begins on a line of its own.
 *
 * For sinks that write to files and pipes. The output thread only; the buffer is 64 KiB. */
#pragma once

#include "sink/sink.h"

enum { LINES_BUFFER = 64 * 1024 };

struct lines {
    struct sink_status status;
    char *data;     /* owned, LINES_BUFFER bytes */
    size_t size;
    uint32_t count; /* lines in it */
    size_t torn;    /* bytes of a line at the end of the file whose rest was lost */
};

/* Takes the buffer; false without memory. */
bool lines_init(struct lines *l);
void lines_done(struct lines *l);

/* Accounts for `count` lines: buffers them, or writes what is there and them. Returns 0, or the
 * errno of the first failure, after which as much as could be was buffered or written. */
int lines_put(struct lines *l, int fd, struct span data, uint32_t count);
/* Writes what is buffered; returns 0 or errno. The buffer is empty afterwards. */
int lines_flush(struct lines *l, int fd);
/* Gives up on what is buffered and on `count` lines more, because of `failure` (an errno). */
void lines_lose(struct lines *l, uint32_t count, int failure);
