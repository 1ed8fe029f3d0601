// SPDX-License-Identifier: Apache-2.0
#include "policy/netflow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR_NS (UINT64_C(3600) * 1000000000)

enum { KEPT = 8 };

struct kept {
    struct flow_record records[KEPT];
    size_t count;
};

static void keep(void *context, const struct flow_record *record)
{
    struct kept *kept = context;
    if (kept->count < KEPT) {
        kept->records[kept->count] = *record;
    }
    kept->count++;
}

/* Bytes in the order of the network. */
struct bytes {
    uint8_t data[512];
    size_t size;
};

static void put(struct bytes *b, unsigned size, uint64_t value)
{
    for (unsigned i = size; i-- > 0;) {
        b->data[b->size++] = (uint8_t)(value >> 8 * i);
    }
}

static void put_all(struct bytes *b, const uint16_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(b, 2, words[i]);
    }
}

#define WORDS(b, ...)                                                                              \
    put_all(b, (const uint16_t[]){__VA_ARGS__},                                                    \
            sizeof((const uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t))

static void head_9(struct bytes *b, uint32_t domain)
{
    *b = (struct bytes){0};
    WORDS(b, 9, 1, 0, 0, 0, 0, 0, 0);
    put(b, 4, domain);
}

static void head_ipfix(struct bytes *b, uint32_t domain)
{
    *b = (struct bytes){0};
    WORDS(b, 10, 0, 0, 0, 0, 0);
    put(b, 4, domain);
}

static void close_ipfix(struct bytes *b)
{
    b->data[2] = (uint8_t)(b->size >> 8);
    b->data[3] = (uint8_t)b->size;
}

/* Template 256: source, destination, octets. */
static void put_template(struct bytes *b, uint16_t set)
{
    WORDS(b, set, 20, 256, 3, 8, 4, 12, 4, 1, 4);
}

static void put_record(struct bytes *b, uint32_t octets)
{
    WORDS(b, 256, 16);
    put(b, 4, 0x0a000001);
    put(b, 4, 0x0a000002);
    put(b, 4, octets);
}

struct session {
    struct netflow_templates *templates;
    struct export_datagram datagram;
    struct kept kept;
};

static int begin(void **state)
{
    struct session *s = calloc(1, sizeof *s);
    s->templates = netflow_templates_new();
    s->datagram.exporter = (struct flow_address){.version = 4, .bytes = {192, 0, 2, 1}};
    s->datagram.port = 2055;
    s->datagram.time_ns = HOUR_NS;
    *state = s;
    return 0;
}

static int end(void **state)
{
    struct session *s = *state;
    netflow_templates_free(s->templates);
    free(s);
    return 0;
}

static bool read_bytes(struct session *s, const struct bytes *b)
{
    struct export_sink sink = {keep, &s->kept};
    uint8_t *exact = malloc(b->size); /* so that a byte too many is seen */
    memcpy(exact, b->data, b->size);
    s->datagram.bytes = span_of(exact, b->size);
    s->kept.count = 0;
    bool ret = netflow_read(s->templates, &s->datagram, &sink);
    free(exact);
    return ret;
}

static void reads_version_5(void **state)
{
    struct session *s = *state;
    struct bytes b = {0};
    WORDS(&b, 5, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x4000 | 100);
    put(&b, 4, 0x0a000001);
    put(&b, 4, 0x0a000002);
    WORDS(&b, 0, 0, 7, 9, 0, 3, 0, 1500, 0, 0, 0, 0, 4000, 53, 0, 0x1100 | 0xb8, 0, 0, 0, 0);
    assert_true(read_bytes(s, &b));
    assert_int_equal(s->kept.count, 1);
    const struct flow_record *r = &s->kept.records[0];
    assert_int_equal(r->input, 7);
    assert_int_equal(r->output, 9);
    assert_int_equal(r->packets, 3);
    assert_int_equal(r->bytes, 1500);
    assert_int_equal(r->source_port, 4000);
    assert_int_equal(r->destination_port, 53);
    assert_int_equal(r->protocol, 17);
    assert_int_equal(r->tos, 0xb8);
    assert_int_equal(r->sampling, 100);
    b.size--;
    assert_false(read_bytes(s, &b));
    assert_int_equal(s->kept.count, 0);
}

static void reads_templates_of_version_9(void **state)
{
    struct session *s = *state;
    struct bytes b;
    head_9(&b, 1);
    put_record(&b, 7);
    assert_false(read_bytes(s, &b)); /* no template yet */
    head_9(&b, 1);
    put_template(&b, 0);
    put_record(&b, 40);
    assert_true(read_bytes(s, &b));
    assert_int_equal(s->kept.count, 1);
    assert_int_equal(s->kept.records[0].bytes, 40);
    assert_int_equal(s->kept.records[0].destination.bytes[3], 2);
    assert_int_equal(s->kept.records[0].sampling, 1);
    head_9(&b, 1);
    put_record(&b, 41);
    assert_true(read_bytes(s, &b)); /* it is remembered */
}

static void keeps_speakers_apart(void **state)
{
    struct session *s = *state;
    struct bytes b;
    head_9(&b, 1);
    put_template(&b, 0);
    assert_true(read_bytes(s, &b));
    head_9(&b, 2);
    put_record(&b, 1);
    assert_false(read_bytes(s, &b)); /* another domain */
    head_9(&b, 1);
    put_record(&b, 1);
    s->datagram.exporter.bytes[3] = 2;
    assert_false(read_bytes(s, &b)); /* another exporter */
    s->datagram.exporter.bytes[3] = 1;
    s->datagram.port = 9;
    assert_true(read_bytes(s, &b)); /* of NetFlow, the port says nothing */
}

static void forgets_old_templates(void **state)
{
    struct session *s = *state;
    struct bytes b;
    head_9(&b, 1);
    put_template(&b, 0);
    assert_true(read_bytes(s, &b));
    head_9(&b, 1);
    put_record(&b, 1);
    s->datagram.time_ns += 2 * HOUR_NS;
    assert_false(read_bytes(s, &b));
}

static void applies_sampling_of_options(void **state)
{
    struct session *s = *state;
    struct bytes b;
    head_9(&b, 1);
    WORDS(&b, 1, 18, 257, 4, 4, 1, 4, 34, 4); /* scope: system; samplingInterval */
    WORDS(&b, 257, 12, 0, 0, 0, 512);
    put_template(&b, 0);
    put_record(&b, 40);
    assert_true(read_bytes(s, &b)); /* the options do not take the rest away */
    assert_int_equal(s->kept.count, 1);
    assert_int_equal(s->kept.records[0].sampling, 512);
}

static void steps_over_enterprises_and_reads_what_varies(void **state)
{
    struct session *s = *state;
    struct bytes b;
    head_ipfix(&b, 1);
    WORDS(&b, 2, 32, 300, 5, 0x8000 | 12, 4, 0, 9, 0x8000 | 7, 65535, 0, 9, 8, 4, 1, 8);
    b.data[16 + 3] = (uint8_t)(b.size - 16 + 4);
    WORDS(&b, 96, 65535); /* the fifth: applicationName */
    WORDS(&b, 300, 4 + 4 + 3 + 4 + 8 + 5);
    put(&b, 4, 0xffffffff);
    put(&b, 1, 2), put(&b, 2, 0xaaaa);
    put(&b, 4, 0x0a000009);
    put(&b, 8, 123456789012);
    put(&b, 1, 255), put(&b, 2, 2), put(&b, 2, 0x6162);
    close_ipfix(&b);
    assert_true(read_bytes(s, &b));
    assert_int_equal(s->kept.count, 1);
    assert_int_equal(s->kept.records[0].source.bytes[3], 9);
    assert_int_equal(s->kept.records[0].destination.version, 0);
    assert_int_equal(s->kept.records[0].bytes, 123456789012);
}

static void withdraws(void **state)
{
    struct session *s = *state;
    struct bytes b;
    head_ipfix(&b, 1);
    put_template(&b, 2);
    WORDS(&b, 2, 8, 256, 0);
    close_ipfix(&b);
    assert_true(read_bytes(s, &b));
    head_ipfix(&b, 1);
    put_record(&b, 1);
    close_ipfix(&b);
    assert_false(read_bytes(s, &b));
}

static void survives_any_end(void **state)
{
    struct session *s = *state;
    struct bytes b;
    head_9(&b, 1);
    put_template(&b, 0);
    put_record(&b, 40);
    for (; b.size > 0; b.size--) {
        (void)read_bytes(s, &b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_version_5, begin, end),
        cmocka_unit_test_setup_teardown(reads_templates_of_version_9, begin, end),
        cmocka_unit_test_setup_teardown(keeps_speakers_apart, begin, end),
        cmocka_unit_test_setup_teardown(forgets_old_templates, begin, end),
        cmocka_unit_test_setup_teardown(applies_sampling_of_options, begin, end),
        cmocka_unit_test_setup_teardown(steps_over_enterprises_and_reads_what_varies, begin, end),
        cmocka_unit_test_setup_teardown(withdraws, begin, end),
        cmocka_unit_test_setup_teardown(survives_any_end, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
