// SPDX-License-Identifier: Apache-2.0
/* What an engine is asked for beside its configuration, and how far its reading is: what the door shares
 * with the engine's inside. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct pcapwrite;

struct policies;

struct engine_options {
    const char *mode;         /* "live", "demo", "read": shown on the board */
    bool serves;              /* an API will ask: recent flows are kept */
    bool listens;             /* protocols read what flows say: transactions, and their metrics */
    bool only_events;         /* files only: nobody will look at the board: what would stand there is not
                               * counted unless an output wants it */
    bool keep_courses;        /* a report will ask for the course of top items over time */
    uint32_t keep_connections; /* so many of the worst TCP connections, for engine_connections() */
    const uint64_t *draw;     /* files only: for engine_graph(), or NULL */
    struct policies *policies; /* counted on the way, if there are any; NULL: none */
    bool only_policies;        /* and nothing else is: no flows, no protocols */
    struct pcapwrite *writer; /* every frame that passes the filter goes there; live with one worker
                               * only; or NULL */
};

enum engine_status {
    ENGINE_MORE,   /* there is more to read */
    ENGINE_DONE,   /* all was read */
    ENGINE_FAILED, /* err says why; what came before the damage was analysed */
};
