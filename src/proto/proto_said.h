// SPDX-License-Identifier: Apache-2.0
/* For tests and fuzz targets only: what a protocol has reported, written down as the output does it, an
 * event a line. Aborts where that is no JSON. One writer serves a whole program: to make one an event
 * would cost more than all that is tested. */
#pragma once

#include <stdlib.h>

#include "base/json.h"
#include "base/json_check.h"
#include "event/event_writer.h"
#include "event/transaction.h"
#include "proto/proto.h"

static inline struct event_writer *said_writer(void)
{
    static struct event_writer *writer;
    if (writer == NULL) {
        writer = event_writer_new(0);
    }
    return writer;
}

/* Appends the log's events, which are transactions, and empties it, as the engine does after each call. */
static inline void said_pass(struct json *said, struct event_log *log)
{
    for (struct event_head *e = event_log_first(log); e != NULL; e = event_log_next(log, e)) {
        transaction_finish((struct transaction *)e);
        size_t before = said->size;
        event_writer_put(said_writer(), said, e);
        if (said->failed || !json_check(said->data + before, said->size - before)) {
            abort();
        }
        json_append(said, "\n", 1);
    }
    event_log_reset(log);
}
