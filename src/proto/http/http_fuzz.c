// SPDX-License-Identifier: Apache-2.0
/* A talk as a script says (proto/proto_script.h), whose flags seed how it is cut. Cut or whole, the
 * same events come out, memory is given back, and no byte costs more than a bound. */
#include <assert.h>
#include <time.h>

#include "proto/http/http_drive.h"
#include "proto/proto_script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 64, SLAB_BYTES = 64 << 20, NS_A_BYTE = 100000, NS_A_RUN = 1000000000 };

static const struct http_options options = {
    .settings = {.send_request = true, .send_response = true, .report_unmatched = true},
    .shown.redact_secrets = true,
    .shown.send_all_headers = true,
    .shown.split_cookie = true,
    .decode_body = true,
    .include_body_for = {.items = (const char *[]){"t"}, .count = 1},
    .real_ip_header = "x",
    .max_message_size = 1000,
};

static size_t cut_none(size_t left, void *of)
{
    (void)of;
    return left;
}

static size_t cut_random(size_t left, void *of)
{
    uint32_t *seed = of;
    *seed = *seed * 1664525 + 1013904223;
    size_t size = 1 + (*seed >> 16) % ((*seed & 3) == 0 ? 3000 : 9);
    return size < left ? size : left;
}

static unsigned steps_of(struct cursor *c, struct drive_step steps[STEPS_MAX])
{
    unsigned count = 0;
    struct script_step said;
    while (count < STEPS_MAX && script_next(c, &said)) {
        static const enum drive_kind kinds[] = {
            [SCRIPT_SAY] = DRIVE_SAY, [SCRIPT_GAP] = DRIVE_GAP, [SCRIPT_FIN] = DRIVE_FIN};
        steps[count++] = (struct drive_step){.kind = kinds[said.kind],
                                             .side = said.side,
                                             .text = said.data,
                                             .length = said.length};
    }
    return count;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void tell(struct drive *d, struct slab *slab, const struct drive_step *steps, unsigned count,
                 size_t (*cut)(size_t left, void *of), uint32_t seed)
{
    drive_init(d, slab, &options);
    for (unsigned i = 0; i < count; i++) {
        drive_step(d, &steps[i], cut, &seed);
    }
    if (!d->is_over) {
        drive_close(d, PROTO_TIMEOUT);
    }
    assert(slab_used(slab) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct slab *slab; /* kept: making one costs more than a run */
    slab = slab != NULL ? slab : slab_new(SLAB_BYTES);
    assert(slab != NULL);
    assert(data != NULL || size == 0);
    struct drive_step steps[STEPS_MAX];
    struct cursor c = script_steps(span_of(data, size));
    uint32_t seed = script_flags(span_of(data, size));
    unsigned count = steps_of(&c, steps);
    static struct drive whole, cut; /* large */
    uint64_t from = now_ns();
    tell(&whole, slab, steps, count, cut_none, 0);
    tell(&cut, slab, steps, count, cut_random, seed);
    uint64_t took = now_ns() - from;
    assert(took < NS_A_RUN + size * NS_A_BYTE);
    assert(whole.lines.size == cut.lines.size);
    assert(cut.lines.size == 0 ||
           memcmp(whole.lines.data, cut.lines.data, cut.lines.size) == 0);
    assert(memcmp(&whole.stats, &cut.stats, sizeof cut.stats) == 0);
    (void)http_looks_like(span_of(data, size));
    drive_done(&whole);
    drive_done(&cut);
    return 0;
}
