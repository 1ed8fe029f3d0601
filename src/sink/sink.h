// SPDX-License-Identifier: Apache-2.0
/* The door of sink/: where results go. The output thread alone calls a sink. Encoded events come
 * as whole NDJSON lines, several at a time; a sink that cannot keep up or fails says so in its
 * status and counts what it lost, it never stops the agent. The process ignores SIGPIPE, so that a
 * pipe whose reader went away is a failed write and not the end of the agent. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct sink_options {
    const char *path;       /* file: where to write */
    uint64_t rotate_bytes;  /* file: begin a new file beyond this size; 0: never */
    uint32_t keep;          /* file: rotated files to keep */
    uint32_t mode;          /* file: permissions of a new one; 0: 0640 */
    bool rotate_on_start;   /* file: what is there becomes the first rotated one */
    bool pretty;            /* events over several lines */
    bool escape_html;
    const char *format;     /* event/pattern.h; NULL or empty: JSON */
};

struct sink_status {
    uint64_t events;  /* delivered */
    uint64_t bytes;
    uint64_t lost;    /* events given up on */
    char last_error[200]; /* empty: all is well */
};

struct sink; /* opaque: each plug-in's own */

struct sink_kind {
    const char *name;
    const char *help;
    struct sink *(*open)(const struct sink_options *options, struct err *err);
    /* Takes `count` events as NDJSON lines. False and err when the sink is broken for good (a
     * closed pipe, a full disk on standard output): the caller stops writing to it. */
    bool (*write)(struct sink *sink, struct span lines, uint32_t count, struct err *err);
    bool (*flush)(struct sink *sink, struct err *err);
    void (*status)(const struct sink *sink, struct sink_status *ret);
    void (*close)(struct sink *sink);
};

const struct sink_kind *sink_kind_find(const char *name);
extern const struct sink_kind *const sink_kinds[];
