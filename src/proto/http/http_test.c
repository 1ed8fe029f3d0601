// SPDX-License-Identifier: Apache-2.0
/* Talks in HTTP and the events that they are to give. Each is said whole, byte by byte and cut at
 * random: always with the same events, and all memory given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "proto/http/http_drive.h"

static const struct http_options *drive_defaults(void)
{
    static struct http_options options;
    options = drive_options();
    return &options;
}

extern const struct proto proto_http;

enum { RANDOM_ROUNDS = 40, SLAB_BYTES = 64 << 20 };

static struct slab *slab;
static struct drive d; /* large */

/* ---- How a talk is cut ---------------------------------------------------------------------- */

static size_t cut_none(size_t left, void *of)
{
    (void)of;
    return left;
}

static size_t cut_bytes(size_t left, void *of)
{
    (void)left;
    (void)of;
    return 1;
}

static size_t cut_random(size_t left, void *of)
{
    uint32_t *seed = of;
    *seed = *seed * 1664525 + 1013904223;
    size_t size = 1 + (*seed >> 16) % ((*seed & 3) == 0 ? 5000 : 40);
    return size < left ? size : left;
}

/* What a talk came to. */
struct told {
    char *lines; /* of JSON, terminated; owned */
    struct http_stats stats;
    bool is_over;
};

static struct told tell_cut(const struct drive_step *steps, size_t count,
                            const struct http_options *options,
                            size_t (*cut)(size_t left, void *of), void *of)
{
    drive_init(&d, slab, options);
    for (size_t i = 0; i < count; i++) {
        drive_step(&d, &steps[i], cut, of);
    }
    struct told told = {.is_over = d.is_over};
    if (!d.is_over) {
        drive_close(&d, PROTO_TIMEOUT);
    }
    told.stats = d.stats;
    told.lines = strndup(d.lines.size > 0 ? d.lines.data : "", d.lines.size);
    assert_int_equal(slab_used(slab), 0);
    assert_int_equal(d.log.lost, 0);
    drive_done(&d);
    return told;
}

/* Tells it in all ways; the caller frees the lines. */
static struct told tell(const struct drive_step *steps, size_t count,
                        const struct http_options *options)
{
    struct told whole = tell_cut(steps, count, options, cut_none, NULL);
    for (uint32_t round = 0; round <= RANDOM_ROUNDS; round++) {
        uint32_t seed = round;
        struct told other = tell_cut(steps, count, options, round == 0 ? cut_bytes : cut_random,
                                     &seed);
        assert_string_equal(whole.lines, other.lines);
        assert_memory_equal(&whole.stats, &other.stats, sizeof whole.stats);
        assert_int_equal(whole.is_over, other.is_over);
        free(other.lines);
    }
    return whole;
}

#define TELL_WITH(options, ...)                                                                    \
    tell((const struct drive_step[]){__VA_ARGS__},                                                 \
         sizeof((const struct drive_step[]){__VA_ARGS__}) / sizeof(struct drive_step), options)
#define TELL(...) TELL_WITH(drive_defaults(), __VA_ARGS__)

static void assert_has(const struct told *told, const char *text)
{
    if (strstr(told->lines, text) == NULL) {
        fail_msg("%s\nis not in\n%s", text, told->lines);
    }
}

static void assert_lacks(const struct told *told, const char *text)
{
    if (strstr(told->lines, text) != NULL) {
        fail_msg("%s\nis in\n%s", text, told->lines);
    }
}

static void assert_lines(struct told told, const char *expected)
{
    assert_string_equal(told.lines, expected);
    free(told.lines);
}

/* Of each event: what was asked, what was answered, and the reason that there was none. */
static void assert_pairs(struct told told, const char *expected)
{
    char text[4096] = "";
    char *save = NULL;
    for (char *line = strtok_r(told.lines, "\n", &save); line != NULL;
         line = strtok_r(NULL, "\n", &save)) {
        static const char *const marks[] = {"\"query\":\"", "\"status_code\":", "\"reason\":\""};
        for (size_t i = 0; i < 3; i++) {
            const char *at = strstr(line, marks[i]);
            at = at != NULL ? at + strlen(marks[i]) : NULL;
            size_t used = strlen(text);
            if (i > 0) {
                used += (size_t)snprintf(text + used, sizeof text - used, "|");
            }
            if (at != NULL) {
                snprintf(text + used, sizeof text - used, "%.*s", (int)strcspn(at, "\",}"), at);
            }
        }
        strcat(text, "\n");
    }
    assert_string_equal(text, expected);
    free(told.lines);
}

#define GET "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* ---- Transactions --------------------------------------------------------------------------- */

static void tells_all_of_a_transaction(void **state)
{
    (void)state;
    struct told told = TELL(
        SAY(0, "GET /shop/item.html?b=2&a=1 HTTP/1.1\r\nHost: www.example.com:8080\r\n"
               "User-Agent: curl/8\r\nReferer: http://other.example/x?q=1\r\n\r\n"),
        SAY(1, "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhe"),
        SAY(1, "llo"));
    assert_lines(
        told,
        "{\"@timestamp\":\"1970-01-01T00:00:00.001000000Z\",\"client\":{\"bytes\":125},"
        "\"destination\":{\"bytes\":75,\"domain\":\"www.example.com\"},"
        "\"error\":{\"message\":\"Host header port number mismatch\"},"
        "\"event\":{\"category\":[\"network\"],\"dataset\":\"http\",\"duration\":2000000,"
        "\"end\":\"1970-01-01T00:00:00.003000000Z\",\"first_byte\":1000000,\"kind\":\"event\","
        "\"start\":\"1970-01-01T00:00:00.001000000Z\",\"transfer\":1000000,"
        "\"type\":[\"connection\",\"protocol\"]},"
        "\"http\":{\"request\":{\"bytes\":125,\"headers\":{\"content-length\":0},"
        "\"method\":\"GET\",\"referrer\":\"http://other.example/x?q=1\"},"
        "\"response\":{\"body\":{\"bytes\":5},\"bytes\":75,\"headers\":{\"content-length\":5,"
        "\"content-type\":\"text/html\"},\"status_code\":404,\"status_phrase\":\"not found\"},"
        "\"version\":\"1.1\"},\"method\":\"GET\",\"network\":{\"bytes\":200,\"protocol\":\"http\"},"
        "\"query\":\"GET /shop/item.html\",\"related\":{\"hosts\":[\"www.example.com\","
        "\"other.example\"]},\"server\":{\"bytes\":75,\"domain\":\"www.example.com\"},"
        "\"source\":{\"bytes\":125},\"status\":\"Error\",\"type\":\"http\","
        "\"url\":{\"domain\":\"www.example.com\",\"extension\":\"html\","
        "\"full\":\"http://www.example.com:8080/shop/item.html?a=1&b=2\","
        "\"path\":\"/shop/item.html\",\"port\":8080,\"query\":\"a=1&b=2\",\"scheme\":\"http\"},"
        "\"user_agent\":{\"original\":\"curl/8\"}}\n");
    assert_int_equal(told.stats.transactions, 1);
    assert_int_equal(told.stats.errors, 1);
    assert_int_equal(told.stats.requests[0], 1);
    assert_int_equal(told.stats.responses[4], 1);
}

static void matches_pipelined_requests(void **state)
{
    (void)state;
    assert_pairs(TELL(SAY(0, "GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nPUT /3 HTTP/1.1\r\n"
                             "Content-Length: 3\r\n\r\nabcGET /4 HTTP/1.0\r\n\r\n"),
                      SAY(1, OK "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
                                "HTTP/1.1 204 No Content\r\n\r\n"),
                      SAY(1, "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n")),
                 "GET /1|200|\nHEAD /2|200|\nPUT /3|204|\nGET /4|304|\n");
}

static void reads_chunks_with_extensions_and_trailers(void **state)
{
    (void)state;
    struct told told = TELL(
        SAY(0, "POST /up HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\nContent-Length: 7\r\n\r\n"
               "3\r\nabc\r\n0\r\n\r\n" GET),
        SAY(1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               "4;name=\"v\"\r\nwiki\r\nA \r\n0123456789\r\n00\r\nX-Sum: 1\r\n Y: 2\r\n\r\n" OK));
    assert_has(&told, "\"request\":{\"body\":{\"bytes\":3},\"bytes\":87,"
                      "\"headers\":{\"content-length\":3}");
    assert_has(&told, "\"response\":{\"body\":{\"bytes\":14},\"bytes\":104,"
                      "\"headers\":{\"content-length\":14}");
    assert_int_equal(told.stats.malformed, 0);
    assert_pairs(told, "POST /up|200|\nGET /a|200|\n");
}

static void reads_until_the_connection_closes(void **state)
{
    (void)state;
    struct told told = TELL(SAY(0, GET), SAY(1, "HTTP/1.0 200 OK\r\n\r\nfoo"), SAY(1, "bar"), FIN(1));
    assert_has(&told, "\"body\":{\"bytes\":6}");
    assert_has(&told, "\"duration\":2000000");
    assert_pairs(told, "GET /a|200|\n");
}

static void passes_interim_responses(void **state)
{
    (void)state;
    struct told told = TELL(
        SAY(0, "POST /u HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"),
        SAY(1, "HTTP/1.1 100 Continue\r\n\r\n"), SAY(0, "data"),
        SAY(1, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 201 Created\r\n"
               "Content-Length: 0\r\n\r\n"));
    assert_int_equal(told.stats.responses[1], 2);
    assert_pairs(told, "POST /u|201|\n");
}

static void waits_with_an_early_response(void **state)
{
    (void)state;
    struct told told = TELL(SAY(0, "POST /u HTTP/1.1\r\nContent-Length: 4\r\n\r\nda"),
                            SAY(1, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n"),
                            SAY(0, "ta" GET), SAY(1, OK));
    assert_has(&told, "\"request\":{\"body\":{\"bytes\":4}");
    assert_pairs(told, "POST /u|413|\nGET /a|200|\n");
}

static void lets_go_of_tunnels_and_upgrades(void **state)
{
    (void)state;
    struct told told = TELL(SAY(0, "CONNECT h:443 HTTP/1.1\r\n\r\n"),
                            SAY(1, "HTTP/1.1 407 Who\r\nContent-Length: 2\r\n\r\nno"),
                            SAY(0, "CONNECT h:443 HTTP/1.1\r\n\r\n\x16\x03\x01"),
                            SAY(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\x16\x03\x03"),
                            SAY(0, GET));
    assert_true(told.is_over);
    assert_int_equal(told.stats.switched, 1);
    assert_int_equal(told.stats.malformed, 0);
    assert_pairs(told, "CONNECT h:443|407|\nCONNECT h:443|200|\n");
    told = TELL(SAY(0, "GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
                SAY(1, "HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x05hello"));
    assert_true(told.is_over);
    assert_pairs(told, "GET /chat|101|\n");
}

/* ---- What is missing ------------------------------------------------------------------------ */

static void reports_requests_without_response(void **state)
{
    (void)state;
    assert_pairs(TELL(SAY(0, GET GET), SAY(1, OK), CLOSE(PROTO_TIMEOUT)),
                 "GET /a|200|\nGET /a||timeout\n");
    assert_pairs(TELL(SAY(0, GET), CLOSE(PROTO_RESET)), "GET /a||reset\n");
    assert_pairs(TELL(SAY(0, GET), FIN(0), FIN(1)), "GET /a||closed\n");
    struct told told = TELL(SAY(0, "PUT /u HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"),
                            CLOSE(PROTO_CLOSED));
    assert_has(&told, "\"error\":{\"message\":\"Unmatched request\"}");
    assert_has(&told, "\"status\":\"Error\"");
    assert_lacks(&told, "\"response\"");
    assert_int_equal(told.stats.unmatched_requests, 1);
    assert_pairs(told, "PUT /u||closed\n");
}

static void reports_responses_without_request(void **state)
{
    (void)state;
    struct told told = TELL(SAY(1, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"), SAY(0, GET),
                            SAY(1, OK));
    assert_has(&told, "\"error\":{\"message\":\"Unmatched response\"}");
    assert_int_equal(told.stats.unmatched_responses, 1);
    assert_pairs(told, "|200|\nGET /a|200|\n");
}

static void counts_gaps_in_bodies(void **state)
{
    (void)state;
    struct told told = TELL(
        SAY(0, "PUT /u HTTP/1.1\r\nContent-Length: 10\r\n\r\nab"), GAP(0, 8), SAY(0, GET),
        SAY(1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n8\r\nab"), GAP(1, 4),
        SAY(1, "yz\r\n0\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\n"), GAP(1, 9));
    assert_has(&told, "\"message\":[\"Packet loss while capturing the request\","
                      "\"Packet loss while capturing the response\"]");
    assert_has(&told, "\"body\":{\"bytes\":10}");
    assert_int_equal(told.stats.gap_bytes, 21);
    assert_int_equal(told.stats.gaps, 3);
    assert_pairs(told, "PUT /u|200|\nGET /a|404|\n");
}

static void goes_on_after_gaps_between_messages(void **state)
{
    (void)state;
    /* the head of a response: its request is given up, what follows is read past */
    assert_pairs(TELL(SAY(0, GET), SAY(1, "HTTP/1.1 200 OK\r\nConte"), GAP(1, 100),
                      SAY(1, "rest of\r\na body"), SAY(0, "GET /b HTTP/1.1\r\n\r\n"), SAY(1, OK)),
                 "GET /a||gap\nGET /b|200|\n");
    /* a body and more: the response is what was seen of it */
    struct told told = TELL(SAY(0, GET), SAY(1, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nab"),
                            GAP(1, 100), SAY(0, "GET /b HTTP/1.1\r\n\r\n"), SAY(1, OK));
    assert_has(&told, "\"body\":{\"bytes\":8}");
    assert_pairs(told, "GET /a|200|\nGET /b|200|\n");
    /* a request: its response has none, the next one does */
    assert_pairs(TELL(SAY(0, "GET /x HT"), GAP(0, 30), SAY(0, "ookie: 1\r\n\r\n"), SAY(1, OK),
                      SAY(0, GET), SAY(1, OK)),
                 "|200|\nGET /a|200|\n");
}

/* The end of a body whose head is not in the capture is no part of the next method. */
static void parts_a_method_from_what_is_before_it(void **state)
{
    (void)state;
    assert_pairs(TELL(SAY(0, "dataPOST /b HTTP/1.1\r\n\r\n"), SAY(1, OK), SAY(0, "0\r\n\r\n" GET),
                      SAY(1, OK), SAY(0, "M-SEARCH * HTTP/1.1\r\n\r\nBPROPPATCH /c HTTP/1.1\r\n\r\n"),
                      SAY(1, OK OK)),
                 "POST /b|200|\nGET /a|200|\nM-SEARCH *|200|\nBPROPPATCH /c|200|\n");
    assert_int_equal(http_looks_like(span_of("dataPOST /b HTTP/1.1\r\n", 22)), 1);
    assert_int_equal(http_looks_like(span_of("dataPOST /b SIP/2.0\r\n", 21)), 0);
}

/* What HTTP may begin with behind what was not HTTP, however it is cut. */
static void begins_late(void **state)
{
    (void)state;
    static const struct {
        const char *data;
        int guess;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\n", 1},    {"HTTP/1.0 404\r\n", 1},
        {"HTTP/1.1 2000 OK\r\n", 0},   {"HTTP/1.14 200 OK\r\n", 0},
        {"HTTP/2 200 OK\r\n", 0},      {"GET /a HTTP/1.1\r\n", 1},
        {"POST / HTTP/1.0\n", 1},      {"GET /a HTTP/1.1", -1},
        {"GET not a request\r\n", 0},  {"POST / is no line\r\n", 0},
        {"HELLO /a HTTP/1.1\r\n", 0},  {"PROPPATCH /a HTTP/1.1\r\n", 1},
        {"OPTIONS * HTTP/1.1\r\n", 0}, {"", -1},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t size = strlen(cases[i].data);
        assert_int_equal(http_begins_late(span_of(cases[i].data, size)), cases[i].guess);
        for (size_t n = 0; n < size && cases[i].guess == 1; n++) { /* never a no before it */
            assert_int_not_equal(http_begins_late(span_of(cases[i].data, n)), 0);
        }
    }
}

static void joins_no_answer_behind_a_gap_to_what_was_asked_at_once(void **state)
{
    (void)state;
    drive_init(&d, slab, drive_defaults());
    const struct drive_step first = SAY(0, GET), second = SAY(0, "GET /b HTTP/1.1\r\n\r\n"),
                            answer = SAY(1, OK);
    drive_step(&d, &first, cut_none, NULL);
    drive_step(&d, &second, cut_none, NULL); /* one of both has its answer in the gap, or both have */
    struct proto_context c = drive_context(&d);
    http_talk_gap(&c, 1, 40, d.options);
    drive_events(&d);
    drive_step(&d, &answer, cut_none, NULL);
    drive_close(&d, PROTO_CLOSED);
    struct told told = {.lines = strndup(d.lines.data, d.lines.size)};
    assert_pairs(told, "GET /a||gap\nGET /b||gap\n|200|\n");
    drive_done(&d);
}

/* ---- What is odd ---------------------------------------------------------------------------- */

static void reads_what_others_write(void **state)
{
    (void)state;
    struct told told = TELL(
        SAY(0, "\r\n\nGET /a b HTTP/1.1\nHost : h\nUser-Agent: one\n\ttwo\r\n three\nno colon\n\n"),
        SAY(1, "HTTP/1.1 200\r\ncontent-length:2, 2\r\n\r\nok"));
    assert_has(&told, "\"path\":\"/a b\"");
    assert_has(&told, "\"original\":\"one \\ttwo   three\"");
    assert_has(&told, "\"domain\":\"h\"");
    assert_int_equal(told.stats.malformed, 0);
    assert_pairs(told, "GET /a b|200|\n");
}

static void finds_messages_among_garbage(void **state)
{
    (void)state;
    struct told told = TELL(SAY(0, GET "\x01\x02garbage\r\nmore of\xff" "POST /b HTTP/1.1\r\n\r\n"),
                            SAY(1, "no HTTP/1.1 here\r\n" OK),
                            SAY(1, "junkHTTP/1.1 2x0 \nHTTP/1.1 HTTP/1.1 500 Oh\r\n\r\n"), FIN(1));
    assert_int_equal(told.stats.malformed, 3);
    assert_pairs(told, "GET /a|200|\nPOST /b|500|\n");
    /* bytes that never end in a line, and chunks that are none */
    static char noise[40000];
    memset(noise, 'x', sizeof noise);
    told = TELL(SAY(0, GET GET), SAY(1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz"),
                {.kind = DRIVE_SAY, .side = 1, .text = {(uint8_t *)noise, sizeof noise}},
                SAY(1, OK));
    assert_int_equal(told.stats.malformed, 1);
    assert_pairs(told, "GET /a|200|\nGET /a|200|\n");
}

static void bounds_heads(void **state)
{
    (void)state;
    static char line[70000] = "GET /";
    memset(line + 5, 'a', sizeof line - 5);
    struct told told = TELL({.kind = DRIVE_SAY, .side = 0, .text = {(uint8_t *)line, sizeof line}},
                            SAY(0, "\r\n\r\n" GET), SAY(1, OK));
    assert_pairs(told, "GET /a|200|\n");
    told = TELL(SAY(0, "GET /b HTTP/1.1\r\nX: "),
                {.kind = DRIVE_SAY, .side = 0, .text = {(uint8_t *)line, sizeof line}},
                SAY(0, "\r\n\r\n" GET), SAY(1, OK OK));
    assert_int_equal(told.stats.malformed, 1);
    assert_int_equal(told.stats.not_kept, 1); /* it was asked before the other was answered */
    assert_pairs(told, "");
}

/* One whose head is too long is not shown, but no other takes its place. */
static void pairs_what_is_behind_long_heads(void **state)
{
    (void)state;
    static char noise[70000];
    memset(noise, 'a', sizeof noise);
    const struct drive_step rest = {
        .kind = DRIVE_SAY, .side = 0, .text = {(uint8_t *)noise, sizeof noise}};
    const struct drive_step answer_rest = {
        .kind = DRIVE_SAY, .side = 1, .text = {(uint8_t *)noise, sizeof noise}};
    struct told told = TELL(SAY(0, "GET /b HTTP/1.1\r\nX: "), rest, SAY(0, "\r\n\r\n"),
                            SAY(1, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), SAY(0, GET),
                            SAY(1, OK));
    assert_int_equal(told.stats.malformed, 1);
    assert_pairs(told, "GET /a|200|\n");
    told = TELL(SAY(0, GET), SAY(1, "HTTP/1.1 404 No\r\nX: "), answer_rest, SAY(1, "\r\n\r\n"),
                SAY(0, "POST /c HTTP/1.1\r\nContent-Length: 0\r\n\r\n"), SAY(1, OK));
    assert_int_equal(told.stats.malformed, 1);
    assert_pairs(told, "GET /a||malformed\nPOST /c|200|\n");
}

static void takes_text_of_the_other_side_for_text(void **state)
{
    (void)state;
    struct told told = TELL(SAY(0, GET), SAY(1, OK "GET /x HTTP/1.1\r\n\r\n"), SAY(0, GET),
                            SAY(1, OK));
    assert_int_equal(told.stats.malformed, 1);
    assert_pairs(told, "GET /a|200|\nGET /a|200|\n");
}

static void does_without_memory(void **state)
{
    (void)state;
    struct slab *all = slab;
    slab = slab_new(4096);
    drive_init(&d, slab, drive_defaults());
    static const struct drive_step steps[] = {
        SAY(0, GET GET GET GET GET GET GET GET GET GET GET GET GET GET GET GET),
        SAY(1, OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK OK), SAY(0, GET), SAY(1, OK)};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        drive_step(&d, &steps[i], cut_none, NULL);
    }
    drive_close(&d, PROTO_CLOSED);
    assert_true(d.stats.not_kept > 0);
    assert_int_equal(d.stats.unmatched_requests + d.stats.unmatched_responses, 0);
    assert_int_equal(d.stats.malformed, 0);
    assert_int_equal(slab_used(slab), 0);
    drive_done(&d);
    slab_free(slab);
    slab = all;
}

static void bounds_what_waits(void **state)
{
    (void)state;
    drive_init(&d, slab, drive_defaults());
    const struct drive_step ask = SAY(0, GET), answer = SAY(1, OK);
    for (unsigned i = 0; i < HTTP_WAITING_MAX + 10; i++) {
        drive_step(&d, &ask, cut_none, NULL);
    }
    for (unsigned i = 0; i < HTTP_WAITING_MAX + 10; i++) {
        drive_step(&d, &answer, cut_none, NULL);
    }
    drive_step(&d, &ask, cut_none, NULL);
    drive_step(&d, &answer, cut_none, NULL);
    assert_int_equal(d.stats.transactions, HTTP_WAITING_MAX + 1);
    assert_int_equal(d.stats.not_kept, 10);
    assert_int_equal(d.stats.unmatched_responses, 0);
    drive_close(&d, PROTO_CLOSED);
    drive_done(&d);
}

/* ---- What is shown -------------------------------------------------------------------------- */

#define LOGIN                                                                                      \
    "POST /login?next=%2Fhome&token=t0p HTTP/1.1\r\nHost: shop\r\nAuthorization: Basic "           \
    "c2ltcGxlc2ltb246YWJjZDEyMys=\r\nCookie: a=sesame\r\nContent-Type: "                           \
    "application/x-www-form-urlencoded\r\nContent-Length: 33\r\nReferer: "                         \
    "http://shop/?Access_Token=zoo&q=1\r\n\r\nuser=monica+b&pass=hush&next=form"

static const struct http_options packetbeat = {
    .settings.report_unmatched = true, .real_ip_header = "", .max_message_size = 10 << 20};

#define WORDS(...)                                                                                 \
    ((struct text_list){.items = (const char *[]){__VA_ARGS__},                                    \
                        .count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)})

static void hides_secrets(void **state)
{
    (void)state;
    struct told told = TELL(SAY(0, LOGIN));
    assert_has(&told, "\"query\":\"next=form&pass=xxxxx&token=xxxxx&user=monica+b\"");
    assert_has(&told, "\"full\":\"http://shop/login?next=form&pass=xxxxx&token=xxxxx");
    assert_has(&told, "\"referrer\":\"http://shop/?Access_Token=xxxxx&q=1\"");
    assert_lacks(&told, "hush");
    assert_lacks(&told, "sesame");
    assert_lacks(&told, "c2lt");
    assert_lacks(&told, "simon");
    free(told.lines);

    struct http_options all = *drive_defaults();
    all.shown.send_all_headers = true;
    told = TELL_WITH(&all, SAY(0, LOGIN));
    assert_has(&told, "\"authorization\":\"REDACTED\",\"cookie\":\"REDACTED\"");
    assert_has(&told, "\"host\":\"shop\"");
    assert_lacks(&told, "simon");
    free(told.lines);
}

static void shows_what_packetbeat_shows(void **state)
{
    (void)state;
    struct told told = TELL_WITH(&packetbeat, SAY(0, LOGIN));
    assert_has(&told, "\"query\":\"next=form&pass=hush&token=t0p&user=monica+b\"");
    assert_lacks(&told, "simon");
    free(told.lines);

    struct http_options options = packetbeat;
    options.shown.hide_keywords = WORDS("pass");
    options.shown.send_headers = WORDS("authorization", "x-a");
    told = TELL_WITH(&options, SAY(0, LOGIN),
                     SAY(1, "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-b: 2\r\nX-a: 3\r\n\r\n"));
    assert_has(&told, "pass=xxxxx&token=t0p");
    assert_has(&told, "\"authorization\":\"Basic c2ltcGxlc2ltb246YWJjZDEyMys=\"");
    assert_has(&told, "\"user\":{\"name\":\"simplesimon\"}");
    assert_has(&told, "\"user\":[\"simplesimon\"]");
    assert_has(&told, "\"x-a\":\"1, 3\"");
    assert_lacks(&told, "x-b");
    free(told.lines);

    options.shown.redact_authorization = true;
    options.shown.redact_headers = WORDS("x-a");
    told = TELL_WITH(&options, SAY(0, LOGIN),
                     SAY(1, "HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\n"));
    assert_has(&told, "\"authorization\":\"*\"");
    assert_has(&told, "\"x-a\":\"REDACTED\"");
    assert_lacks(&told, "simon");
    free(told.lines);
}

static void takes_urls_apart(void **state)
{
    (void)state;
    struct told told = TELL(SAY(0, "GET http://u:p@[::1]:8080/%41/x.tar.gz?q HTTP/1.1\r\n\r\n"),
                            SAY(0, "OPTIONS * HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n"),
                            SAY(0, "GET /b%zz#f HTTP/1.1\r\nHost: [fe80::1]\r\n\r\n"));
    assert_has(&told, "\"full\":\"http://[::1]:8080/%41/x.tar.gz?q=\",\"path\":\"/A/x.tar.gz\"");
    assert_has(&told, "\"extension\":\"gz\"");
    assert_has(&told, "\"full\":\"http://10.0.0.1/*\",\"path\":\"*\"");
    assert_has(&told, "\"full\":\"http://[fe80::1]/b%zz\",\"path\":\"/b%zz\"");
    assert_lacks(&told, "\"destination\":{\"domain\"");
    assert_has(&told, "\"query\":\"OPTIONS *\"");
    free(told.lines);
}

static void names_the_client_behind_a_proxy(void **state)
{
    (void)state;
    struct http_options options = packetbeat;
    options.real_ip_header = "x-forwarded-for";
    struct told told = TELL_WITH(
        &options, SAY(0, "GET / HTTP/1.1\r\nX-Forwarded-For: 89.247.39.104 , 10.0.0.1\r\n\r\n"));
    assert_has(&told, "\"forwarded_ip\":\"89.247.39.104\"");
    free(told.lines);
}

static void shows_bodies_that_were_asked_for(void **state)
{
    (void)state;
    struct http_options options = packetbeat;
    options.include_request_body_for = WORDS("json");
    options.include_response_body_for = WORDS("text/");
    options.max_message_size = 6;
    struct told told = TELL_WITH(
        &options,
        SAY(0, "PUT / HTTP/1.1\r\nContent-Type: application/JSON\r\nContent-Length: 2\r\n\r\n{}"),
        SAY(1, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
               "4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n"));
    assert_has(&told, "\"body\":{\"bytes\":2,\"content\":\"{}\"}");
    assert_has(&told, "\"body\":{\"bytes\":8,\"content\":\"abcdef\"}");
    assert_has(&told, "Response cut at max_message_size");
    free(told.lines);
}

/* ---- The table ------------------------------------------------------------------------------ */

static void knows_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum proto_guess guess;
    } cases[] = {
        {"GET / HTTP/1.1\r\n", PROTO_YES},      {"\r\nGET / HTTP/1.0\n", PROTO_YES},
        {"HTTP/1.1 200", PROTO_YES},            {"HTTP/1", PROTO_UNSURE},
        {"G", PROTO_UNSURE},                    {"GET /abc", PROTO_UNSURE},
        {"M-SEARCH * HTTP/1.1\r\n", PROTO_YES}, {"GET key\r\n", PROTO_NO},
        {"OPTIONS sip:a SIP/2.0\r\n", PROTO_NO}, {"DESCRIBE rtsp://h RTSP/1.0\r\n", PROTO_NO},
        {"SSH-2.0-x\r\n", PROTO_NO},            {"PRI * HTTP/2.0\r\n\r\nSM", PROTO_NO},
        {"*1\r\n$4\r\nPING\r\n", PROTO_NO},     {"\x16\x03\x01", PROTO_NO},
        {"EHLO me\r\n", PROTO_NO},              {"\r\n", PROTO_UNSURE},
        {"HTTP/2 200", PROTO_NO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(proto_http.probe(span_str(cases[i].text), 0), cases[i].guess);
    }
    char line[2000] = "GET /";
    memset(line + 5, 'a', sizeof line - 5);
    assert_int_equal(proto_http.probe(span_of(line, sizeof line), 0), PROTO_YES);
    line[4] = '!';
    assert_int_equal(proto_http.probe(span_of(line, sizeof line), 0), PROTO_NO);
}

static void has_hooks_that_obey_the_defaults(void **state)
{
    (void)state;
    drive_init(&d, slab, drive_defaults());
    d.now_ns = 1;
    struct proto_context c = drive_context(&d);
    struct proto_chunk chunk = {.data = span_str("GET /?pass=1 HTTP/1.1\r\nHost: h\r\n\r\n"),
                                .time_ns = 1};
    assert_int_equal(proto_http.on_chunk(&c, &chunk).consumed, chunk.data.size);
    proto_http.on_gap(&c, 0, 1);
    proto_http.on_fin(&c, 0);
    proto_http.on_close(&c, PROTO_CLOSED);
    drive_events(&d);
    json_append(&d.lines, "", 1);
    assert_non_null(strstr(d.lines.data, "pass=xxxxx"));
    assert_int_equal(slab_used(slab), 0);
    drive_done(&d);
}

static void has_sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(metric_set_check(proto_http.metrics, &err));
    if (!event_type_check(&http_event_type, &err)) {
        fail_msg("%s", err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_all_of_a_transaction),
        cmocka_unit_test(matches_pipelined_requests),
        cmocka_unit_test(reads_chunks_with_extensions_and_trailers),
        cmocka_unit_test(reads_until_the_connection_closes),
        cmocka_unit_test(passes_interim_responses),
        cmocka_unit_test(waits_with_an_early_response),
        cmocka_unit_test(lets_go_of_tunnels_and_upgrades),
        cmocka_unit_test(reports_requests_without_response),
        cmocka_unit_test(reports_responses_without_request),
        cmocka_unit_test(counts_gaps_in_bodies),
        cmocka_unit_test(goes_on_after_gaps_between_messages),
        cmocka_unit_test(parts_a_method_from_what_is_before_it),
        cmocka_unit_test(begins_late),
        cmocka_unit_test(joins_no_answer_behind_a_gap_to_what_was_asked_at_once),
        cmocka_unit_test(reads_what_others_write),
        cmocka_unit_test(finds_messages_among_garbage),
        cmocka_unit_test(bounds_heads),
        cmocka_unit_test(pairs_what_is_behind_long_heads),
        cmocka_unit_test(takes_text_of_the_other_side_for_text),
        cmocka_unit_test(does_without_memory),
        cmocka_unit_test(bounds_what_waits),
        cmocka_unit_test(hides_secrets),
        cmocka_unit_test(shows_what_packetbeat_shows),
        cmocka_unit_test(takes_urls_apart),
        cmocka_unit_test(names_the_client_behind_a_proxy),
        cmocka_unit_test(shows_bodies_that_were_asked_for),
        cmocka_unit_test(knows_its_own),
        cmocka_unit_test(has_hooks_that_obey_the_defaults),
        cmocka_unit_test(has_sound_tables),
    };
    slab = slab_new(SLAB_BYTES);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    slab_free(slab);
    return failed;
}
