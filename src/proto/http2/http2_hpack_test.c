// SPDX-License-Identifier: Apache-2.0
/* A table that is put to sleep after each block says what one says that never sleeps. */
#include "proto/http2/http2_hpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

enum { BUDGET = 1 << 26, BLOCK = 1 << 14, FIELDS = 12, ROUNDS = 3000, SEEDS = 8 };

struct pair {
    struct slab *slab;
    struct http2_warm warm; /* with room for one */
    struct http2_hpack *awake, *sleeper, *rival;
};

static void pair_init(struct pair *p, bool midway)
{
    *p = (struct pair){.slab = slab_new(BUDGET), .warm = {.most = 1}};
    p->awake = http2_hpack_new(p->slab, NULL, midway);
    p->sleeper = http2_hpack_new(p->slab, &p->warm, midway);
    p->rival = http2_hpack_new(p->slab, &p->warm, false);
}

static void pair_done(struct pair *p)
{
    http2_hpack_free(p->slab, p->awake);
    http2_hpack_free(p->slab, p->sleeper);
    http2_hpack_free(p->slab, p->rival);
    assert_int_equal(p->warm.count, 0);
    assert_null(p->warm.newest);
    assert_null(p->warm.oldest);
    assert_int_equal(slab_used(p->slab), 0);
    slab_free(p->slab);
}

/* Unpacks a block, in pieces of `piece` bytes, into text; false when it failed. */
static bool unpack(struct pair *p, struct http2_hpack *hpack, struct span block, size_t piece,
                   char *to)
{
    *to = '\0';
    do {
        struct span part = span_head(block, piece);
        block = span_skip(block, part.size);
        enum http2_unpacked what;
        struct http2_field field;
        assert_true(http2_hpack_wake(hpack, p->slab));
        while ((what = http2_hpack_next(hpack, &part, block.size == 0, &field)) != HTTP2_NONE) {
            if (what == HTTP2_FAILED) {
                return false;
            }
            to += sprintf(to, "%d%.*s: %.*s\n", what == HTTP2_UNKNOWN, (int)field.name.size,
                          (const char *)field.name.data, (int)field.value.size,
                          (const char *)field.value.data);
        }
    } while (block.size > 0);
    return true;
}

static char said[2][BLOCK * 16];

/* One block to both, and then the rival's turn. */
static bool compare(struct pair *p, struct span block, size_t piece)
{
    bool is_read = unpack(p, p->awake, block, SIZE_MAX, said[0]);
    assert_int_equal(is_read, unpack(p, p->sleeper, block, piece, said[1]));
    assert_string_equal(said[0], said[1]);
    assert_true(http2_hpack_wake(p->rival, p->slab));
    assert_int_equal(p->warm.count, is_read ? 1 : p->warm.count);
    return is_read;
}

static uint32_t number(uint32_t below)
{
    return (uint32_t)rand() % below;
}

/* Fields as clients and servers have them, and others; returns the size of the packed block. */
static size_t make_block(nghttp2_hd_deflater *packer, uint8_t *to)
{
    static const char *const names[] = {":method", ":path",  ":authority", "user-agent", "x-one",
                                        "cookie",  "x-two",  "?",          "",           "accept",
                                        "te",      "x-other"};
    static char values[FIELDS][600];
    nghttp2_nv fields[FIELDS];
    size_t count = number(FIELDS);
    for (size_t i = 0; i < count; i++) {
        const char *name = names[number(sizeof names / sizeof *names)];
        size_t size = number(8) == 0 ? number(600) : number(12);
        memset(values[i], 'a' + (int)number(3), size);
        fields[i] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name, .namelen = strlen(name),
                                 .value = (uint8_t *)values[i], .valuelen = size,
                                 .flags = number(20) == 0 ? NGHTTP2_NV_FLAG_NO_INDEX : 0};
    }
    ssize_t size = nghttp2_hd_deflate_hd(packer, to, BLOCK, fields, count);
    assert_true(size >= 0);
    return (size_t)size;
}

static void sleeps_without_harm(void **state)
{
    (void)state;
    uint8_t block[BLOCK];
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        struct pair p;
        nghttp2_hd_deflater *packer;
        srand(seed);
        pair_init(&p, seed % 2);
        assert_int_equal(nghttp2_hd_deflate_new(&packer, HTTP2_TABLE_MAX), 0);
        nghttp2_hd_deflate_change_table_size(packer, HTTP2_TABLE_USUAL);
        for (unsigned i = 0; i < ROUNDS / SEEDS; i++) {
            if (number(16) == 0) { /* what the other side allows, and then what is made of it */
                uint32_t size = number(3) == 0 ? number(HTTP2_TABLE_MAX) : number(6000);
                assert_true(http2_hpack_wake(p.sleeper, p.slab));
                http2_hpack_allow(p.awake, size);
                http2_hpack_allow(p.sleeper, size);
                nghttp2_hd_deflate_change_table_size(packer, size);
            }
            size_t size = make_block(packer, block);
            assert_true(compare(&p, span_of(block, size), 1 + number(40)));
        }
        nghttp2_hd_deflate_del(packer);
        pair_done(&p);
    }
}

/* Who is within a block keeps its inflater, however many others are used. */
static void stays_awake_within_a_block(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, false);
    static const uint8_t block[] = {0x40, 1, 'a', 1, 'b', 0x40 | 62, 1, 'c'};
    struct span first = span_of(block, 6), second = span_of(block + 6, 2);
    struct http2_field field;
    assert_true(http2_hpack_wake(p.sleeper, p.slab));
    assert_int_equal(http2_hpack_next(p.sleeper, &first, false, &field), HTTP2_FIELD);
    assert_int_equal(http2_hpack_next(p.sleeper, &first, false, &field), HTTP2_NONE);
    assert_true(http2_hpack_wake(p.rival, p.slab));
    assert_int_equal(p.warm.count, 2);
    assert_true(http2_hpack_wake(p.sleeper, p.slab));
    assert_int_equal(http2_hpack_next(p.sleeper, &second, true, &field), HTTP2_FIELD);
    assert_memory_equal(field.name.data, "a", 1);
    assert_memory_equal(field.value.data, "c", 1);
    assert_int_equal(http2_hpack_next(p.sleeper, &second, true, &field), HTTP2_NONE);
    assert_int_equal(p.warm.count, 2); /* for the rival was not asked to sleep meanwhile */
    assert_true(http2_hpack_wake(p.rival, p.slab));
    assert_int_equal(p.warm.count, 1);
    pair_done(&p);
}

/* A sleeper costs little more than what its table says. */
static void sleeps_small(void **state)
{
    (void)state;
    struct pair p;
    pair_init(&p, false);
    uint64_t before = slab_used(p.slab);
    http2_hpack_free(p.slab, p.awake);
    p.awake = NULL;
    uint64_t awake = before - slab_used(p.slab);
    http2_hpack_free(p.slab, p.sleeper);
    p.sleeper = NULL;
    uint64_t asleep = before - awake - slab_used(p.slab);
    assert_int_equal(asleep, 64);
    assert_true(awake > 2000);
    pair_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sleeps_without_harm),
        cmocka_unit_test(stays_awake_within_a_block),
        cmocka_unit_test(sleeps_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
