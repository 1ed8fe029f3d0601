// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes and again byte by byte.
 * The script's flags say how it began. */
#include "proto/pgsql/pgsql_event.h"
#include "proto/pgsql/pgsql_look.h"
#include "proto/proto_stage.h"

extern const struct proto proto_pgsql;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPENING = 7, LOGGED_IN = 1, MIDWAY = 2, REFUSED = 3, BEGUN = 4, ALL_STATEMENTS = 8, SHORT = 16 };

#define BYTES(text) span_of(text, sizeof text - 1)

static void begin(struct stage *s, uint8_t flags)
{
    unsigned kind = flags & OPENING;
    if (kind == MIDWAY) { /* at a query */
        stage_say(s, 0, BYTES("Q\0\0\0\x0dselect 1\0"), SIZE_MAX);
        return;
    }
    if (kind == REFUSED) { /* TLS was, so it goes on in plain */
        stage_say(s, 0, BYTES("\0\0\0\x08\x04\xd2\x16\x2f"), SIZE_MAX);
        stage_say(s, 1, BYTES("N"), SIZE_MAX);
    }
    if (kind == LOGGED_IN || kind == REFUSED || kind == BEGUN) {
        stage_say(s, 0, BYTES("\0\0\0\x12\0\3\0\0user\0ann\0\0"), SIZE_MAX);
    }
    if (kind == LOGGED_IN) {
        stage_say(s, 1, BYTES("R\0\0\0\x08\0\0\0\0Z\0\0\0\5I"), SIZE_MAX);
    }
}

/* Whether all was understood from the beginning on. */
static bool is_sure(const struct stage *s)
{
    const struct pgsql_stats *stats = (const struct pgsql_stats *)(const void *)s->block;
    return stats->malformed == 0 && stats->gaps == 0;
}

static bool never(const struct stage *s)
{
    (void)s;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = span_of(data, size);
    struct pgsql_options *options = stage_options(&proto_pgsql, input);
    options->all_statements = script_flags(input) & ALL_STATEMENTS;
    options->max_message_size = script_flags(input) & SHORT ? 24 : options->max_message_size;
    pgsql_look(input);
    unsigned kind = script_flags(input) & OPENING;
    bool begins = kind == LOGGED_IN || kind == REFUSED || kind == BEGUN;
    stage_play_twice(&proto_pgsql, options, input, begin, begins ? is_sure : never);
    return 0;
}
