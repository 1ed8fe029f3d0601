// SPDX-License-Identifier: Apache-2.0
#include "tap/pcap_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tap/tap.h"

/* A capture under construction, in either byte order. */
struct builder {
    uint8_t bytes[16384];
    size_t size;
    bool big_endian;
};

static void add8(struct builder *b, uint8_t value)
{
    assert_true(b->size < sizeof b->bytes);
    b->bytes[b->size++] = value;
}

static void add16(struct builder *b, uint16_t value)
{
    add8(b, (uint8_t)(b->big_endian ? value >> 8 : value));
    add8(b, (uint8_t)(b->big_endian ? value : value >> 8));
}

static void add32(struct builder *b, uint32_t value)
{
    add16(b, (uint16_t)(b->big_endian ? value >> 16 : value));
    add16(b, (uint16_t)(b->big_endian ? value : value >> 16));
}

static void add_bytes(struct builder *b, uint8_t first, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        add8(b, (uint8_t)(first + i));
    }
}

static void pcap_head(struct builder *b, uint32_t magic, uint32_t link)
{
    add32(b, magic);
    add16(b, 2);
    add16(b, 4);
    add32(b, 0);
    add32(b, 0);
    add32(b, 65535);
    add32(b, link);
}

static void pcap_record(struct builder *b, uint32_t seconds, uint32_t fraction, uint32_t cap_len,
                        uint32_t wire_len)
{
    add32(b, seconds);
    add32(b, fraction);
    add32(b, cap_len);
    add32(b, wire_len);
    add_bytes(b, (uint8_t)seconds, cap_len);
}

/* Begins a block; end_block() writes its length to both places. */
static size_t begin_block(struct builder *b, uint32_t type)
{
    size_t at = b->size;
    add32(b, type);
    add32(b, 0);
    return at;
}

static void end_block(struct builder *b, size_t at)
{
    while ((b->size - at) % 4 != 0) {
        add8(b, 0);
    }
    uint32_t total = (uint32_t)(b->size - at + 4);
    add32(b, total);
    size_t end = b->size;
    b->size = at + 4;
    add32(b, total);
    b->size = end;
}

static void section(struct builder *b)
{
    size_t at = begin_block(b, 0x0a0d0d0a);
    add32(b, 0x1a2b3c4d);
    add16(b, 1);
    add16(b, 0);
    add32(b, UINT32_MAX);
    add32(b, UINT32_MAX);
    end_block(b, at);
}

static void interface(struct builder *b, uint16_t link, uint32_t snap_len, uint8_t resolution,
                      int32_t offset_seconds)
{
    size_t at = begin_block(b, 1);
    add16(b, link);
    add16(b, 0);
    add32(b, snap_len);
    add16(b, 9);
    add16(b, 1);
    add8(b, resolution);
    add8(b, 0), add8(b, 0), add8(b, 0);
    uint32_t high = offset_seconds < 0 ? UINT32_MAX : 0;
    add16(b, 14);
    add16(b, 8);
    add32(b, b->big_endian ? high : (uint32_t)offset_seconds);
    add32(b, b->big_endian ? (uint32_t)offset_seconds : high);
    add32(b, 0);
    end_block(b, at);
}

static void enhanced(struct builder *b, uint32_t id, uint64_t ticks, uint32_t cap_len,
                     const char *comment)
{
    size_t at = begin_block(b, 6);
    add32(b, id);
    add32(b, (uint32_t)(ticks >> 32));
    add32(b, (uint32_t)ticks);
    add32(b, cap_len);
    add32(b, cap_len + 10);
    add_bytes(b, 7, cap_len);
    while (b->size % 4 != 0) {
        add8(b, 0);
    }
    if (comment != NULL) {
        add16(b, 2);
        add16(b, 4);
        add32(b, 2); /* outbound */
        add16(b, 1);
        add16(b, (uint16_t)strlen(comment));
        for (const char *c = comment; *c != '\0'; c++) {
            add8(b, (uint8_t)*c);
        }
        while (b->size % 4 != 0) {
            add8(b, 0);
        }
        add32(b, 0);
    }
    end_block(b, at);
}

static void simple(struct builder *b, uint32_t wire_len, uint32_t stored)
{
    size_t at = begin_block(b, 3);
    add32(b, wire_len);
    add_bytes(b, 1, stored);
    end_block(b, at);
}

static void unknown_block(struct builder *b, uint32_t size)
{
    size_t at = begin_block(b, 0xbad);
    add_bytes(b, 0, size);
    end_block(b, at);
}

static void secrets(struct builder *b, uint32_t kind, const char *text)
{
    size_t at = begin_block(b, 10);
    add32(b, kind);
    add32(b, (uint32_t)strlen(text));
    for (const char *c = text; *c != '\0'; c++) {
        add8(b, (uint8_t)*c);
    }
    while (b->size % 4 != 0) {
        add8(b, 0);
    }
    end_block(b, at);
}

static void example_pcapng(struct builder *b)
{
    *b = (struct builder){0};
    section(b);
    interface(b, 1, 0, 6, 0);
    unknown_block(b, 50);
    secrets(b, 0x544c534b, "CLIENT_RANDOM\n");
    enhanced(b, 0, 1700000000000001, 61, "first, with a comment");
    interface(b, 12, 40, 9, 0);
    enhanced(b, 1, 1700000000000000002, 40, NULL);
    b->big_endian = true;
    section(b);
    interface(b, 113, 20, 0x80 | 20, -3600);
    enhanced(b, 0, (uint64_t)1700000000 << 20 | 1 << 19, 8, NULL);
    unknown_block(b, 0);
    secrets(b, 0x57474b4c, "not of TLS");
    secrets(b, 0x544c534b, "");
    secrets(b, 0x544c534b, "another");
    simple(b, 100, 20);
}

static void example_pcap(struct builder *b)
{
    *b = (struct builder){0};
    pcap_head(b, 0xa1b2c3d4, 1);
    pcap_record(b, 1, 5, 60, 60);
    pcap_record(b, 2, 999999, 0, 1500);
    pcap_record(b, 3, 4000000000, 33, 20);
}

/* What a reader made of a file: frames flattened so that two runs can be compared. */
struct outcome {
    enum pcap_reader_status status;
    uint64_t offset;
    char reason[160];
    uint32_t count;
    struct frame frames[32];
    uint8_t bytes[16384];
    size_t size;
    char secrets[256]; /* each behind the time before it */
};

static void keep_secrets(struct outcome *o, struct pcap_reader *reader)
{
    struct span text;
    uint64_t since_ns;
    while (capture_secrets_next(&reader->secrets, &text, &since_ns)) {
        size_t used = strlen(o->secrets);
        snprintf(o->secrets + used, sizeof o->secrets - used, "%llu %.*s;",
                 (unsigned long long)since_ns, (int)text.size, (const char *)text.data);
    }
}

static void keep_frames(struct outcome *o, const struct frame *frames, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct frame *frame = &frames[i];
        struct frame *kept = &o->frames[o->count++];
        kept->time_ns = frame->time_ns; /* one by one: padding must stay zero to be compared */
        kept->cap_len = frame->cap_len;
        kept->wire_len = frame->wire_len;
        kept->interface = frame->interface;
        kept->link = frame->link;
        kept->direction = frame->direction;
        kept->comment.size = frame->comment.size;
        memcpy(o->bytes + o->size, frame->data, frame->cap_len);
        o->size += frame->cap_len;
        if (frame->comment.size > 0) {
            memcpy(o->bytes + o->size, frame->comment.data, frame->comment.size);
            o->size += frame->comment.size;
        }
    }
}

/* Reads `bytes` in pieces of 1 to `most` bytes (all at once for 0), at most `room` frames a time. */
static void run(struct span bytes, uint32_t most, uint32_t room, struct outcome *o)
{
    memset(o, 0, sizeof *o);
    struct pcap_reader reader;
    pcap_reader_init(&reader, 0);
    struct frame frames[32];
    size_t start = 0, end = 0;
    enum pcap_reader_status status = PCAP_READER_MORE;
    while (status == PCAP_READER_MORE || status == PCAP_READER_FULL) {
        if (status == PCAP_READER_MORE) {
            size_t step = most == 0 ? bytes.size : 1 + (size_t)rand() % most;
            end = step < bytes.size - end ? end + step : bytes.size;
        }
        /* a copy of its own, so that reading past it is seen */
        uint8_t *piece = malloc(end - start + 1);
        memcpy(piece, bytes.data + start, end - start);
        struct span left = span_of(piece, end - start);
        uint32_t count;
        status = pcap_reader_feed(&reader, &left, frames, room, &count);
        keep_frames(o, frames, count);
        keep_secrets(o, &reader);
        size_t taken = end - start - left.size;
        start += taken;
        free(piece);
        if (status == PCAP_READER_MORE && end == bytes.size) {
            break;
        }
    }
    if (status == PCAP_READER_MORE) {
        status = pcap_reader_end(&reader, span_of(bytes.data + start, bytes.size - start));
    }
    o->status = status;
    o->offset = reader.damage.offset;
    memcpy(o->reason, reader.damage.reason, sizeof o->reason);
    pcap_reader_done(&reader);
}

static void assert_same(const struct outcome *a, const struct outcome *b)
{
    assert_int_equal(a->status, b->status);
    assert_int_equal(a->offset, b->offset);
    assert_string_equal(a->reason, b->reason);
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->frames, b->frames, sizeof a->frames);
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->bytes, b->bytes, a->size);
    assert_string_equal(a->secrets, b->secrets);
}

static struct outcome got, again;

static void test_pcap_variants(void **state)
{
    static const uint32_t magics[] = {0xa1b2c3d4, 0xa1b23c4d};
    for (int i = 0; i < 4; i++) {
        struct builder b = {.big_endian = i & 1};
        pcap_head(&b, magics[i >> 1], 0x24000001); /* with a frame check sequence of 2 units */
        pcap_record(&b, 1700000000, 123456, 60, 1514);
        run(span_of(b.bytes, b.size), 0, 32, &got);
        assert_int_equal(got.status, PCAP_READER_MORE);
        assert_int_equal(got.count, 1);
        assert_int_equal(got.frames[0].time_ns,
                         1700000000000000000 + (i >> 1 ? 123456 : 123456000));
        assert_int_equal(got.frames[0].cap_len, 60);
        assert_int_equal(got.frames[0].wire_len, 1514);
        assert_int_equal(got.frames[0].link, FRAME_LINK_ETHERNET);
    }
}

static void test_pcap_tolerates(void **state)
{
    struct builder b;
    example_pcap(&b);
    run(span_of(b.bytes, b.size), 0, 32, &got);
    assert_int_equal(got.count, 3);
    assert_int_equal(got.frames[2].wire_len, 33); /* never shorter than what was captured */
    assert_int_equal(got.frames[2].time_ns, 3000000000 + 4000000000 * 1000);
    struct builder raw = {0};
    pcap_head(&raw, 0xa1b2cd34, 14); /* Kuznetsov's records, OpenBSD's raw IP */
    add32(&raw, 7), add32(&raw, 8), add32(&raw, 4), add32(&raw, 4);
    add32(&raw, 2), add16(&raw, 8), add16(&raw, 0), add32(&raw, 0xdeadbeef);
    run(span_of(raw.bytes, raw.size), 0, 32, &got);
    assert_int_equal(got.status, PCAP_READER_MORE);
    assert_int_equal(got.count, 1);
    assert_int_equal(got.bytes[0], 0xef);
    assert_int_equal(got.frames[0].link, FRAME_LINK_RAW);
}

static void test_pcapng(void **state)
{
    struct builder b;
    example_pcapng(&b);
    run(span_of(b.bytes, b.size), 0, 32, &got);
    assert_int_equal(got.status, PCAP_READER_MORE);
    assert_int_equal(got.count, 4);
    assert_int_equal(got.frames[0].time_ns, 1700000000000001000);
    assert_int_equal(got.frames[0].direction, FRAME_DIRECTION_OUT);
    assert_int_equal(got.frames[0].comment.size, strlen("first, with a comment"));
    assert_memory_equal(got.bytes + 61, "first, with a comment", 21);
    assert_int_equal(got.frames[1].time_ns, 1700000000000000002);
    assert_int_equal(got.frames[1].link, FRAME_LINK_RAW);
    assert_int_equal(got.frames[1].interface, 1);
    assert_int_equal(got.frames[2].time_ns, 1699996400500000000);
    assert_int_equal(got.frames[2].interface, 2);
    assert_int_equal(got.frames[2].link, FRAME_LINK_SLL);
    assert_int_equal(got.frames[3].time_ns, FRAME_NO_TIME);
    assert_int_equal(got.frames[3].cap_len, 20);
    assert_int_equal(got.frames[3].wire_len, 100);
    assert_string_equal(got.secrets, "0 CLIENT_RANDOM\n;1700000000000001000 ;"
                                     "1700000000000001000 another;");
}

static void test_times_out_of_range(void **state)
{
    struct builder b = {0};
    section(&b);
    interface(&b, 1, 0, 0, 0);
    interface(&b, 1, 0, 0xff, 0);
    interface(&b, 1, 0, 0x7f, 0);
    interface(&b, 1, 0, 6, INT32_MIN);
    interface(&b, 1, 0, 12, 0);
    for (uint32_t i = 0; i < 4; i++) {
        enhanced(&b, i, i == 3 ? 5 : UINT64_MAX, 4, NULL);
    }
    enhanced(&b, 4, 1999, 4, NULL);
    run(span_of(b.bytes, b.size), 0, 32, &got);
    assert_int_equal(got.count, 5);
    assert_true(got.frames[0].time_ns == FRAME_NO_TIME - 1);
    assert_int_equal(got.frames[1].time_ns, 0);
    assert_int_equal(got.frames[2].time_ns, 0);
    assert_int_equal(got.frames[3].time_ns, 0);
    assert_int_equal(got.frames[4].time_ns, 1);
}

/* Cut anywhere, a file gives the frames before the cut and an error, or is whole to there. */
static void check_truncations(const struct builder *b)
{
    for (size_t size = 0; size <= b->size; size++) {
        run(span_of(b->bytes, size), 0, 32, &got);
        run(span_of(b->bytes, size), 7, 2, &again);
        assert_same(&got, &again);
        if (size < 4) {
            assert_int_equal(got.status, PCAP_READER_FOREIGN);
        } else if (got.status == PCAP_READER_DAMAGED) {
            assert_true(got.offset < size);
            assert_memory_equal(got.reason, "truncated: ", 11);
        } else {
            assert_int_equal(got.status, PCAP_READER_MORE);
        }
    }
}

static void test_truncations(void **state)
{
    struct builder b;
    example_pcap(&b);
    check_truncations(&b);
    example_pcapng(&b);
    check_truncations(&b);
}

static void test_streaming_law(void **state)
{
    struct builder b;
    for (int i = 0; i < 300; i++) {
        (i & 1 ? example_pcap : example_pcapng)(&b);
        if (i >= 100) { /* and for damaged files */
            b.bytes[4 + (size_t)rand() % (b.size - 4)] ^= (uint8_t)(1 << rand() % 8);
        }
        run(span_of(b.bytes, b.size), 0, 32, &got);
        run(span_of(b.bytes, b.size), 1 + (uint32_t)i, 1 + (uint32_t)i % 3, &again);
        assert_same(&got, &again);
    }
}

static void test_reasons(void **state)
{
    struct builder b = {0};
    pcap_head(&b, 0xa1b2c3d4, 1);
    pcap_record(&b, 1, 1, 60, 60);
    add32(&b, 1), add32(&b, 1), add32(&b, 1514), add32(&b, 1514);
    add_bytes(&b, 0, 200);
    run(span_of(b.bytes, b.size), 0, 32, &got);
    assert_int_equal(got.count, 1);
    assert_int_equal(got.offset, 100);
    assert_string_equal(got.reason, "truncated: record header promises 1514 bytes, 200 are left");
    b.bytes[110] = 0x10; /* the length grows beyond what a frame may have */
    run(span_of(b.bytes, b.size), 0, 32, &got);
    assert_int_equal(got.count, 1);
    assert_int_equal(got.status, PCAP_READER_DAMAGED);
    assert_string_equal(got.reason,
                        "damaged: record header promises 1050090 bytes, a frame has at most 262144");
}

static void expect_damage(const struct builder *b, uint64_t offset, const char *reason)
{
    run(span_of(b->bytes, b->size), 0, 32, &got);
    assert_int_equal(got.status, PCAP_READER_DAMAGED);
    assert_int_equal(got.offset, offset);
    assert_string_equal(got.reason, reason);
}

static void test_pcapng_damage(void **state)
{
    struct builder b = {0};
    section(&b);
    size_t at = b.size;
    enhanced(&b, 0, 1, 4, NULL);
    expect_damage(&b, at, "damaged: packet of interface 0, its section has 0");
    b.size = at;
    interface(&b, 1, 0, 6, 0);
    at = b.size;
    enhanced(&b, 0, 1, 4, NULL);
    b.bytes[b.size - 4] ^= 0x40;
    expect_damage(&b, at, "damaged: block begins with length 36 and ends with 100");
    b.size = at;
    unknown_block(&b, 20);
    b.bytes[b.size - 4] ^= 0x40;
    expect_damage(&b, at, "damaged: block begins with length 32 and ends with 96");
    b.size = at;
    enhanced(&b, 0, 1, 4, NULL);
    b.bytes[at + 20] = 5;
    expect_damage(&b, at, "damaged: packet of 5 bytes in a block that holds 4");
    b.size = at;
    add32(&b, 6), add32(&b, 8);
    expect_damage(&b, at, "damaged: block of 8 bytes");
    b.size = at;
    add32(&b, 0xbad), add32(&b, 0xfffffff0), add32(&b, 0);
    expect_damage(&b, at, "truncated: block promises 4294967280 bytes, 12 are left");
}

static void test_foreign(void **state)
{
    static const char *const texts[] = {"", "abc", "GET / HTTP/1.1", "\n\r\r\n\x10\0\0\0abcdefgh"};
    for (size_t i = 0; i < 4; i++) {
        run(span_of(texts[i], i == 3 ? 16 : strlen(texts[i])), 0, 32, &got);
        assert_int_equal(got.status, PCAP_READER_FOREIGN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pcap_variants),   cmocka_unit_test(test_pcap_tolerates),
        cmocka_unit_test(test_pcapng),          cmocka_unit_test(test_times_out_of_range),
        cmocka_unit_test(test_truncations),     cmocka_unit_test(test_streaming_law),
        cmocka_unit_test(test_reasons),         cmocka_unit_test(test_pcapng_damage),
        cmocka_unit_test(test_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
