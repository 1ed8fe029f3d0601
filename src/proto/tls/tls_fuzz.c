// SPDX-License-Identifier: Apache-2.0
/* A conversation of hostile bytes (proto/proto_script.h), played as it comes, and with a cache of what was
 * made of hellos and certificates byte by byte and as it comes again; all must say and count the same, and
 * give all memory back. And a hello of the whole input. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json_check.h"
#include "base/pages.h"
#include "handshake/hello_event.h"
#include "handshake/key_log.h"
#include "proto/proto_script.h"
#include "proto/tls/tls_cache.h"
#include "proto/tls/tls_drive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BUDGET = 1 << 23 };

static void require(bool fine)
{
    if (!fine) {
        abort();
    }
}

/* None, one in which a secret may come still, or one that has those of a random that is all zeroes. */
static const struct key_log *keys_of(uint8_t flags)
{
    static const char zeroes[] = "0000000000000000000000000000000000000000000000000000000000000000";
    static uint64_t memory[2][512];
    bool grows = flags & 4;
    struct key_log *log = key_log_in(memory[grows], 16, 1, grows);
    char line[KEY_LOG_LINE_MAX];
    for (unsigned i = 0; i < 3 && !grows; i++) {
        static const char *const labels[] = {"CLIENT_RANDOM", "CLIENT_TRAFFIC_SECRET_0",
                                             "SERVER_TRAFFIC_SECRET_0"};
        int size = snprintf(line, sizeof line, "%s %s %s%s", labels[i], zeroes, zeroes,
                            i == 0 ? zeroes + 32 : "");
        (void)key_log_add(log, span_of(line, (size_t)size), 0);
    }
    return flags & 2 ? log : NULL;
}

struct way {
    size_t piece;
    struct tls_cache *cache;
};

static void play(struct drive *d, struct slab *slab, struct span input, struct way way)
{
    drive_init(d, slab);
    d->context.cache = way.cache;
    struct cursor c = script_steps(input);
    struct script_step step;
    uint8_t flags = script_flags(input);
    d->options.include_raw_certificates = flags & 1;
    d->context.keys = keys_of(flags);
    for (uint64_t now = 1; !d->is_over && script_next(&c, &step); now++) {
        d->context.now_ns = now;
        if (step.kind == SCRIPT_GAP) {
            drive_gap(d, step.side, step.length);
        } else {
            drive_say(d, step.side, step.data, way.piece);
        }
    }
    drive_close(d, PROTO_TIMEOUT);
    require(slab_used(slab) == 0);
}

static void require_same(const struct drive *a, const struct drive *b)
{
    require(a->lines.size == b->lines.size);
    require(a->lines.size == 0 || memcmp(a->lines.data, b->lines.data, a->lines.size) == 0);
    require(memcmp(&a->stats, &b->stats, sizeof a->stats) == 0);
}

/* The input as one message of a hello, which fuzzing reaches sooner than through records. */
static void read_hellos(struct span input)
{
    static uint64_t memory[1 << 14];
    struct hello hello;
    for (unsigned is_server = 0; is_server < 2; is_server++) {
        struct scratch scratch = scratch_of(memory, sizeof memory);
        struct hello_show show = {.detailed = true, .prints = 7, .transport = 't'};
        struct hello_event e = {.transaction.head.type = &hello_event_tls};
        if (!hello_read(&hello, input, is_server)) {
            continue;
        }
        if (is_server) {
            hello_event_server(&e, &scratch, &hello, &show);
        } else {
            hello_event_client(&e, &scratch, &hello, &show);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = size > 0 ? span_of(data, size) : span_of("", 0);
    enum proto_guess before = PROTO_UNSURE;
    for (size_t n = 0; n <= 16 && n <= size; n++) {
        proto_tls.probe(span_head(input, n), 0);
        enum proto_guess late = proto_tls.probe_late(span_head(input, n), 0);
        require(before == PROTO_UNSURE || late == before); /* once sure, it stays so */
        before = late;
    }
    read_hellos(input);
    struct slab *slab = slab_new(BUDGET);
    require(slab != NULL);
    static struct drive whole[1], other[1]; /* large */
    static struct tls_cache forgetful = {.recalls_nothing = true};
    struct tls_cache *cache = pages_reserve_sparse(sizeof *cache);
    require(cache != NULL);
    const struct way ways[] = {{1, cache}, {SIZE_MAX, cache}};
    play(whole, slab, input, (struct way){SIZE_MAX, &forgetful});
    require(whole->lines.size == 0 || json_check(whole->lines.data, whole->lines.size - 1));
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        play(other, slab, input, ways[i]);
        require_same(whole, other);
        drive_done(other);
    }
    drive_done(whole);
    pages_release(cache, sizeof *cache);
    slab_free(slab);
    return 0;
}
