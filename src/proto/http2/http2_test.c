// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "base/json.h"
#include "proto/http2/http2_event.h"
#include "proto/http2/http2_flow.h"
#include "proto/proto.h"

extern const struct proto proto_http2;

enum { CLIENT = 0, SERVER = 1, BUDGET = 1 << 26, LOG = 1 << 20, SECOND = 1000000000 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* A connection with somebody who packs headers on both sides. */
struct talk {
    struct slab *slab;
    struct http2_options options;
    struct http2_stats stats;
    struct http2_flow state;
    struct http2_warm warm;
    struct flow flow;
    struct event_log log;
    struct json said;
    nghttp2_hd_deflater *packers[2];
    uint64_t now_ns;
    _Alignas(8) uint8_t memory[LOG];
};

static struct talk *talk_new(void)
{
    struct talk *t = calloc(1, sizeof *t);
    t->slab = slab_new(BUDGET);
    proto_options_default(&proto_http2, &t->options);
    t->log = (struct event_log){.memory = t->memory, .capacity = LOG, .text_max = 1 << 12};
    t->flow.key.port[1] = 80;
    json_init(&t->said);
    nghttp2_hd_deflate_new(&t->packers[0], 4096);
    nghttp2_hd_deflate_new(&t->packers[1], 4096);
    return t;
}

static struct proto_context context(struct talk *t)
{
    t->now_ns += 1000;
    return (struct proto_context){.block = &t->stats, .state = &t->state, .flow = &t->flow,
                                  .memory = t->slab, .events = &t->log, .now_ns = t->now_ns,
                                  .cache = &t->warm,
                                  .settings = &t->options.settings};
}

static void collect(struct talk *t)
{
    struct event_head *e = event_log_first(&t->log);
    for (; e != NULL; e = event_log_next(&t->log, e)) {
        transaction_finish((struct transaction *)e);
        event_json(&t->said, e);
        json_append(&t->said, "\n", 1);
    }
    event_log_reset(&t->log);
}

/* What was said since the last time, with a terminator. */
static char *talk_said(struct talk *t)
{
    json_append(&t->said, "", 1);
    t->said.size = 0;
    return t->said.data;
}

static void say(struct talk *t, unsigned side, const void *data, size_t size)
{
    struct proto_context c = context(t);
    struct proto_chunk chunk = {.data = span_of(data, size), .side = (uint8_t)side,
                                .time_ns = t->now_ns};
    struct proto_taken taken = proto_http2.on_chunk(&c, &chunk);
    assert_int_equal(taken.consumed, size);
    assert_int_equal(taken.verdict, PROTO_GOES_ON);
    collect(t);
}

static void frame(struct talk *t, unsigned side, unsigned type, unsigned flags, uint32_t stream,
                  const void *payload, size_t size)
{
    uint8_t bytes[1 << 16] = {(uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size,
                              (uint8_t)type, (uint8_t)flags, (uint8_t)(stream >> 24),
                              (uint8_t)(stream >> 16), (uint8_t)(stream >> 8), (uint8_t)stream};
    assert_true(size + HTTP2_HEADER <= sizeof bytes);
    memcpy(bytes + HTTP2_HEADER, size > 0 ? payload : "", size);
    say(t, side, bytes, HTTP2_HEADER + size);
}

/* Packs pairs of names and values, ended by NULL. */
static size_t packed(struct talk *t, unsigned side, uint8_t to[4096], const char *const *pairs)
{
    nghttp2_nv fields[32];
    size_t count = 0;
    for (; pairs[2 * count] != NULL; count++) {
        fields[count] = (nghttp2_nv){.name = (uint8_t *)(uintptr_t)pairs[2 * count],
                                     .value = (uint8_t *)(uintptr_t)pairs[2 * count + 1],
                                     .namelen = strlen(pairs[2 * count]),
                                     .valuelen = strlen(pairs[2 * count + 1])};
    }
    return (size_t)nghttp2_hd_deflate_hd(t->packers[side], to, 4096, fields, count);
}

static void headers(struct talk *t, unsigned side, uint32_t stream, unsigned flags,
                    const char *const *pairs)
{
    uint8_t block[4096];
    size_t size = packed(t, side, block, pairs);
    frame(t, side, HTTP2_HEADERS, flags | HTTP2_END_HEADERS, stream, block, size);
}

#define PAIRS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define GET(path) PAIRS(":method", "GET", ":scheme", "http", ":authority", "a.test", ":path", path)
#define OK200 PAIRS(":status", "200", "content-type", "text/plain")

static void begin(struct talk *t)
{
    say(t, CLIENT, preface, sizeof preface - 1);
    frame(t, CLIENT, HTTP2_SETTINGS, 0, 0, NULL, 0);
    frame(t, SERVER, HTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\x64", 6);
}

static void talk_end(struct talk *t)
{
    struct proto_context c = context(t);
    proto_http2.on_close(&c, PROTO_CLOSED);
    collect(t);
    assert_int_equal(slab_used(t->slab), 0);
    nghttp2_hd_deflate_del(t->packers[0]);
    nghttp2_hd_deflate_del(t->packers[1]);
    json_done(&t->said);
    slab_free(t->slab);
    free(t);
}

#define HAS(text, part) assert_non_null(strstr(text, part))

/* ---- Tests ----------------------------------------------------------------------------------- */

static void has_sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(event_type_check(&http2_event_type, &err));
    assert_true(metric_set_check(proto_http2.metrics, &err));
}

static void knows_its_own(void **state)
{
    (void)state;
    const struct span whole = span_of(preface, sizeof preface - 1);
    assert_int_equal(proto_http2.probe(whole, 0), PROTO_YES);
    assert_int_equal(proto_http2.probe(span_head(whole, 10), 0), PROTO_UNSURE);
    assert_int_equal(proto_http2.probe(span_str("GET / HTTP/1.1\r\n"), 0), PROTO_NO);
    const uint8_t settings[] = {0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100};
    assert_int_equal(proto_http2.probe(span_of(settings, sizeof settings), 1), PROTO_YES);
    const uint8_t twice[] = {0, 0, 1, 0, 1, 0, 0, 0, 5, 'x', 0, 0, 4, 8, 0, 0, 0, 0, 0};
    assert_int_equal(proto_http2.probe(span_of(twice, sizeof twice), 0), PROTO_YES);
    assert_int_equal(proto_http2.probe(span_of(twice, 12), 0), PROTO_UNSURE);
    const uint8_t zeros[64] = {0};
    assert_int_equal(proto_http2.probe(span_of(zeros, sizeof zeros), 0), PROTO_NO);
}

static void matches_by_stream(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    begin(t);
    headers(t, CLIENT, 1, HTTP2_END_STREAM, GET("/one?key=1"));
    headers(t, CLIENT, 3, HTTP2_END_STREAM, GET("/two"));
    headers(t, SERVER, 3, 0, PAIRS(":status", "103"));
    headers(t, SERVER, 3, 0, OK200);
    frame(t, SERVER, HTTP2_DATA, HTTP2_END_STREAM | HTTP2_PADDED, 3, "\2hi\0\0", 5);
    char *said = talk_said(t);
    HAS(said, "\"query\":\"GET /two\"");
    HAS(said, "\"response\":{\"body\":{\"bytes\":2},\"bytes\":");
    HAS(said, "\"status\":\"OK\"");
    frame(t, SERVER, HTTP2_RST_STREAM, 0, 1, "\0\0\0\7", 4);
    said = talk_said(t);
    HAS(said, "\"error\":\"REFUSED_STREAM\"");
    HAS(said, "\"reason\":\"reset\"");
    HAS(said, "key=xxxxx");
    assert_int_equal(t->stats.transactions, 1);
    assert_int_equal(t->stats.unmatched_requests, 1);
    talk_end(t);
}

static void tells_calls(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    begin(t);
    headers(t, CLIENT, 1, 0, PAIRS(":method", "POST", ":scheme", "http", ":path", "/a.B/C",
                                   "content-type", "application/grpc+proto"));
    frame(t, CLIENT, HTTP2_DATA, 0, 1, "\0\0\0\0\1x\0\0", 8);
    frame(t, CLIENT, HTTP2_DATA, HTTP2_END_STREAM, 1, "\0\0\0", 3);
    headers(t, SERVER, 1, 0, PAIRS(":status", "200", "content-type", "application/grpc"));
    headers(t, SERVER, 1, HTTP2_END_STREAM, PAIRS("grpc-status", "7", "grpc-message", "a%20b"));
    char *said = talk_said(t);
    HAS(said, "\"grpc\":{\"message\":\"a b\",\"method\":\"C\",\"request\":{\"messages\":2}");
    HAS(said, "\"service\":\"a.B\",\"status\":\"PERMISSION_DENIED\",\"status_code\":7");
    HAS(said, "\"status\":\"Error\"");
    assert_int_equal(t->stats.grpc_errors, 1);
    talk_end(t);
}

/* Tables that are asleep between all blocks: what is said is what is said else, and little is held. */
static void is_small_when_idle(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    t->warm.most = 1;
    struct http2_hpack *rival = http2_hpack_new(t->slab, &t->warm, false);
    uint64_t before = slab_used(t->slab);
    begin(t);
    for (uint32_t id = 1; id < 40; id += 2) {
        headers(t, CLIENT, id, HTTP2_END_STREAM,
                PAIRS(":method", "GET", ":scheme", "http", ":authority", "www.example.test", ":path",
                      "/", "user-agent", "curl/7.88.1", "accept", "*/*"));
        headers(t, SERVER, id, HTTP2_END_STREAM,
                PAIRS(":status", "200", "content-type", "text/plain", "server", "nginx/1.22.1",
                      "date", "Sat, 21 Nov 2026 15:31:01 GMT", "content-length", "5"));
        HAS(talk_said(t), "\"full\":\"http://www.example.test/\"");
    }
    assert_true(http2_hpack_wake(rival, t->slab));
    assert_true(slab_used(t->slab) - before <= 512);
    assert_int_equal(t->stats.transactions, 20);
    assert_int_equal(t->stats.headers_lost, 0);
    http2_hpack_free(t->slab, rival);
    talk_end(t);
}

/* RFC 9113 §6.8 */
static void hears_goaway(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    begin(t);
    headers(t, CLIENT, 1, HTTP2_END_STREAM, GET("/1"));
    headers(t, CLIENT, 3, HTTP2_END_STREAM, GET("/3"));
    frame(t, SERVER, HTTP2_GOAWAY, 0, 0, "\0\0\0\1\0\0\0\0", 8);
    char *said = talk_said(t);
    HAS(said, "GOAWAY");
    HAS(said, "\"stream_id\":3");
    headers(t, SERVER, 1, HTTP2_END_STREAM, OK200);
    HAS(talk_said(t), "\"stream_id\":1");
    talk_end(t);
}

/* What was inserted since is read, what is older is not taken for something else. */
static void goes_on_midway(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    uint8_t before[4096];
    (void)packed(t, CLIENT, before, GET("/old"));
    headers(t, CLIENT, 7, HTTP2_END_STREAM, GET("/new"));
    headers(t, CLIENT, 9, HTTP2_END_STREAM, GET("/new"));
    headers(t, SERVER, 7, HTTP2_END_STREAM, OK200);
    headers(t, SERVER, 9, HTTP2_END_STREAM, OK200);
    char *said = talk_said(t);
    assert_null(strstr(said, "a.test"));
    assert_null(strstr(said, "/old"));
    HAS(said, "\"headers_incomplete\":true");
    HAS(strstr(said, "\n"), "\"path\":\"/new\"");
    assert_int_equal(t->stats.headers_lost, 0);
    assert_int_equal(t->stats.blocks_partial, 2);
    talk_end(t);
}

static void survives_a_hole(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    begin(t);
    headers(t, CLIENT, 1, HTTP2_END_STREAM, GET("/1"));
    struct proto_context c = context(t);
    proto_http2.on_gap(&c, SERVER, 100);
    headers(t, CLIENT, 3, HTTP2_END_STREAM, GET("/3"));
    t->now_ns += 20ULL * SECOND;
    headers(t, CLIENT, 5, HTTP2_END_STREAM, GET("/5"));
    HAS(talk_said(t), "\"reason\":\"gap\"");
    uint8_t block[4096];
    size_t size = packed(t, SERVER, block, OK200);
    uint8_t bytes[4200] = {0xff, 0xff, 0, 0, (uint8_t)size, HTTP2_HEADERS,
                           HTTP2_END_HEADERS | HTTP2_END_STREAM, 0, 0, 0, 3};
    memcpy(bytes + 11, block, size);
    memcpy(bytes + 11 + size, "\0\0\4\x08\0\0\0\0\0\0\0\0\1", 13);
    say(t, SERVER, bytes, 24 + size);
    HAS(talk_said(t), "\"stream_id\":3");
    assert_int_equal(t->stats.skipped_bytes, 2);
    talk_end(t);
}

/* Behind a hole what looks like two frames, whose first has more padding than room, is none: one goes on
 * looking behind it. */
static void goes_on_behind_what_looks_like_frames(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    begin(t);
    struct proto_context c = context(t);
    proto_http2.on_gap(&c, SERVER, 100);
    static const uint8_t bytes[] = "\0\0\2\0\x08\x7f\x7f\x7f\x7f\xff\xff" "\0\0\0\0\1\0\0\0\1"
                                   "\0\0\4\x08\0\0\0\0\0\0\0\0\1";
    say(t, SERVER, bytes, sizeof bytes - 1);
    assert_int_equal(t->stats.skipped_bytes, 11);
    talk_end(t);
}

/* A block without an end costs nothing but counters. */
static void bounds_continuations(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    begin(t);
    uint8_t junk[16384];
    memset(junk, 0x82, sizeof junk); /* :method GET, by its index */
    frame(t, CLIENT, HTTP2_HEADERS, HTTP2_END_STREAM, 1, junk, sizeof junk);
    for (unsigned i = 0; i < 100; i++) {
        frame(t, CLIENT, HTTP2_CONTINUATION, 0, 1, junk, sizeof junk);
        assert_true(slab_used(t->slab) < 256 << 10);
    }
    frame(t, CLIENT, HTTP2_CONTINUATION, HTTP2_END_HEADERS, 1, junk, 0);
    assert_int_equal(t->stats.headers_cut, 1);
    headers(t, CLIENT, 3, HTTP2_END_STREAM, GET("/3"));
    headers(t, SERVER, 3, HTTP2_END_STREAM, OK200);
    HAS(talk_said(t), "\"path\":\"/3\"");
    talk_end(t);
}

/* A long value that is inserted once and named by its index many times. */
static void bounds_bombs(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    begin(t);
    char value[4000];
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    t->options.shown.send_all_headers = true;
    uint8_t block[16384];
    size_t size = packed(t, CLIENT, block, PAIRS("b", value));
    memset(block + size, 0x80 | 62, sizeof block - size);
    frame(t, CLIENT, HTTP2_HEADERS, HTTP2_END_HEADERS | HTTP2_END_STREAM, 1, block, sizeof block);
    assert_true(slab_used(t->slab) < 256 << 10);
    talk_end(t);
}

static void bounds_streams(void **state)
{
    (void)state;
    struct talk *t = talk_new();
    begin(t);
    for (uint32_t i = 0; i < 3000; i++) {
        headers(t, CLIENT, 2 * i + 1, HTTP2_END_STREAM, GET("/"));
    }
    assert_int_equal(t->stats.not_kept, 3000 - HTTP2_STREAMS_MAX);
    headers(t, SERVER, 2 * 2999 + 1, HTTP2_END_STREAM, OK200);
    assert_int_equal(t->stats.unmatched_responses, 0);
    talk_end(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_sound_tables),
        cmocka_unit_test(knows_its_own),
        cmocka_unit_test(matches_by_stream),
        cmocka_unit_test(tells_calls),
        cmocka_unit_test(is_small_when_idle),
        cmocka_unit_test(hears_goaway),
        cmocka_unit_test(goes_on_midway),
        cmocka_unit_test(survives_a_hole),
        cmocka_unit_test(goes_on_behind_what_looks_like_frames),
        cmocka_unit_test(bounds_continuations),
        cmocka_unit_test(bounds_bombs),
        cmocka_unit_test(bounds_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
