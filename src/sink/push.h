// SPDX-License-Identifier: Apache-2.0
/* Requests on their way to a receiver of metrics. The output's thread puts whole request bodies into
 * a bounded queue and goes on; a thread of the pusher's own sends them one after the other, oldest
 * first. A receiver that is away, or says that it is busy, gets the same again, after pauses that
 * grow, or as long as it asks for; what it refuses for good is dropped and counted. When the queue
 * is full the oldest go.
 *
 * With a journal each body is a file in a directory first, and what is there is sent at the next
 * start; the bound is that of the files then. A body is on the disk as soon as the thread gets to it;
 * what waits behind a request that is under way, when the program ends. */
#pragma once

#include "sink/sink.h"

struct push; /* opaque */

struct push_options {
    const char *output;               /* its kind, for messages */
    const struct sink_push *push;     /* borrowed */
    const struct sink_cluster *cluster;
    const char *content_type;
    const char *encoding;             /* NULL: none */
    const char *header;               /* one more; NULL: none */
    bool (*may_retry)(long status);   /* a status that is no success: whether to ask again */
    /* What a receiver that took the request says about points that it did not; their number. */
    uint64_t (*read_answer)(struct span answer, char *why, size_t room);
};

/* NULL and err when an option is no good. */
struct push *push_new(const struct push_options *options, struct err *err);
/* Puts in a body of so many points. */
void push_put(struct push *push, struct span body, uint32_t points);
void push_status(const struct push *push, struct sink_status *ret);
/* Sends what there is, as long as options say; what is left is in the journal, or lost. */
void push_free(struct push *push);
