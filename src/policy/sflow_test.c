// SPDX-License-Identifier: Apache-2.0
#include "policy/sflow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct kept {
    struct flow_record last;
    size_t count;
};

static void keep(void *context, const struct flow_record *record)
{
    struct kept *kept = context;
    kept->last = *record;
    kept->count++;
}

struct words {
    uint32_t data[128];
    size_t count;
};

static void put(struct words *w, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        w->data[w->count++] = __builtin_bswap32(words[i]);
    }
}

#define WORDS(w, ...)                                                                              \
    put(w, (const uint32_t[]){__VA_ARGS__},                                                        \
        sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static bool read_words(const struct words *w, size_t size, struct kept *kept)
{
    struct export_sink sink = {keep, kept};
    uint8_t *exact = malloc(size + 1);
    memcpy(exact, w->data, size);
    struct export_datagram datagram = {.bytes = span_of(exact, size)};
    kept->count = 0;
    bool ret = sflow_read(&datagram, &sink);
    free(exact);
    return ret;
}

/* Agent 10.0.0.77; one sample of UDP in IPv4 behind a VLAN tag, one of 512. */
static void make_raw(struct words *w)
{
    *w = (struct words){0};
    WORDS(w, 5, 1, 0x0a00004d, 0, 1, 1000, 1);
    WORDS(w, 1, 32 + 8 + 16 + 48, 1, 3, 512, 1024, 0, 0x00000003, 0x80000004, 1);
    WORDS(w, 1, 16 + 48, 1, 1400, 4, 46);
    WORDS(w, 0x02000000, 0x00010200, 0x00000002, 0x81000064, 0x080045b8, 0x00400000, 0x00004011,
          0x00000a00, 0x00010a00, 0x00020fa0, 0x00350000, 0x00000000);
}

static void reads_a_header(void **state)
{
    struct words w;
    struct kept kept;
    (void)state;
    make_raw(&w);
    assert_true(read_words(&w, w.count * 4, &kept));
    assert_int_equal(kept.count, 1);
    assert_int_equal(kept.last.exporter.bytes[3], 77);
    assert_int_equal(kept.last.input, 3);
    assert_int_equal(kept.last.output, 4);
    assert_int_equal(kept.last.packets, 1);
    assert_int_equal(kept.last.bytes, 1400);
    assert_int_equal(kept.last.sampling, 512);
    assert_int_equal(kept.last.protocol, 17);
    assert_int_equal(kept.last.tos, 0xb8);
    assert_int_equal(kept.last.source.bytes[3], 1);
    assert_int_equal(kept.last.destination.bytes[3], 2);
    assert_int_equal(kept.last.source_port, 4000);
    assert_int_equal(kept.last.destination_port, 53);
}

static void reads_fields_and_expanded_samples(void **state)
{
    struct words w = {0};
    struct kept kept;
    (void)state;
    WORDS(&w, 5, 2, 0, 0, 0, 77, 0, 1, 1000, 3);
    WORDS(&w, 2, 4, 0);          /* counters */
    WORDS(&w, 0x1000 | 1, 4, 0); /* of an enterprise */
    WORDS(&w, 3, 44 + 8 + 56, 1, 0, 3, 64, 64, 0, 0, 70000, 0, 70001, 1);
    WORDS(&w, 4, 56, 1280, 6, 0, 0, 0, 1, 0, 0, 0, 2, 443, 5000, 2, 0);
    assert_true(read_words(&w, w.count * 4, &kept));
    assert_int_equal(kept.count, 1);
    assert_int_equal(kept.last.exporter.version, 6);
    assert_int_equal(kept.last.input, 70000);
    assert_int_equal(kept.last.output, 70001);
    assert_int_equal(kept.last.source.version, 6);
    assert_int_equal(kept.last.source_port, 443);
    assert_int_equal(kept.last.bytes, 1280);
}

static void survives_any_end(void **state)
{
    struct words w;
    struct kept kept;
    (void)state;
    make_raw(&w);
    for (size_t size = 0; size < w.count * 4; size++) {
        assert_false(read_words(&w, size, &kept));
    }
    w.data[0] = 0;
    assert_false(read_words(&w, w.count * 4, &kept));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_header),
        cmocka_unit_test(reads_fields_and_expanded_samples),
        cmocka_unit_test(survives_any_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
