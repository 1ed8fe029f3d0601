// SPDX-License-Identifier: Apache-2.0
/* The server over an engine that analyses nothing, asked by a client that writes bytes. */
#include "api/api.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "api/api_fake.h"
#include "base/json_check.h"

enum { REPLY_MAX = 4 << 20, PARALLEL = 200 };

struct bench {
    struct engine *engine;
    struct api *api;
    char reply[REPLY_MAX]; /* of the last request, terminated */
    const char *body;
};

/* ---- The client ------------------------------------------------------------------------------ */

static int dial(const struct bench *b)
{
    const char *port = strrchr(api_address(b->api), ':') + 1;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                             .sin_port = htons((uint16_t)atoi(port))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct timeval patience = {.tv_sec = 60}; /* a busy machine takes its time */
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

static void put(int fd, const char *text)
{
    size_t size = strlen(text);
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* Sends all of a request that says "Connection: close", reads to the end; returns the status. */
static int talk(struct bench *b, const char *request)
{
    int fd = dial(b);
    size_t size = 0;
    send(fd, request, strlen(request), MSG_NOSIGNAL); /* may be cut short by a refusal */
    for (ssize_t n; (n = recv(fd, b->reply + size, REPLY_MAX - 1 - size, 0)) > 0;) {
        size += (size_t)n;
    }
    close(fd);
    b->reply[size] = '\0';
    char *end = strstr(b->reply, "\r\n\r\n");
    b->body = end != NULL ? end + 4 : b->reply + size;
    int status = 0;
    return sscanf(b->reply, "HTTP/1.%*d %d", &status) == 1 ? status : 0;
}

static int ask(struct bench *b, const char *method, const char *target, const char *headers)
{
    char request[8192];
    snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
             method, target, headers);
    return talk(b, request);
}

static int get(struct bench *b, const char *target)
{
    return ask(b, "GET", target, "");
}

/* Whether it answers, with figures that are as new as it knows them: however long a test took so far,
 * and however late the server looks. */
static bool goes_on(struct bench *b)
{
    int status = 0;
    for (unsigned tries = 0; tries < 100 && status != 200; tries++) {
        fake_tick(b->engine);
        usleep(tries * 1000);
        status = get(b, "/healthz");
    }
    return status == 200;
}

static bool has(const struct bench *b, const char *text)
{
    return strstr(b->reply, text) != NULL;
}

static bool body_is_json(const struct bench *b)
{
    return json_check(b->body, strlen(b->body));
}

/* ---- Set-up ---------------------------------------------------------------------------------- */

static struct api *start(struct engine *engine, const char *token)
{
    struct config config = {.api = {.enabled = true, .listen = "127.0.0.1:0", .token = token}};
    struct err err = {0};
    struct api *api = api_start(engine, &config, &err);
    assert_string_equal(err.text, "");
    return api;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    b->engine = fake_new();
    b->api = start(b->engine, "");
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    api_stop(b->api);
    fake_free(b->engine);
    free(b);
    return 0;
}

/* ---- What is answered ------------------------------------------------------------------------ */

static void test_json_routes(void **state)
{
    struct bench *b = *state;
    static const char *const targets[] = {
        "/api/v1/summary", "/api/v1/history", "/api/v1/schema", "/api/v1/metrics/app",
        "/api/v1/health", "/api/v1/ready", "/healthz", "/readyz", "/api/v1/flows",
        "/api/v1/connections?limit=7", "/api/v1/connection?id=id%2B1%2F",
        "/api/v1/paths", "/api/v1/paths?limit=3&by=zone,country",
        ("/api/v1/flows?limit=1000&state=recent&proto=udp&ip=2001:db8::%2F32&port=53&version=6"
         "&sort=last&order=asc&offset=100"),
    };
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        assert_int_equal(get(b, targets[i]), 200);
        assert_true(body_is_json(b));
        assert_true(has(b, "Content-Type: application/json\r\n"));
    }
}

static void test_shapes(void **state)
{
    struct bench *b = *state;
    get(b, "/api/v1/metrics/app");
    assert_true(has(b, "{\"app\":{\"version\":\"4.5.0\",\"up_time_min\":60"));
    assert_true(has(b, "\"vantage_version\":\"" VANTAGE_VERSION "\""));
    get(b, "/api/v1/flows?limit=2&port=443&proto=tcp");
    assert_true(has(b, "\"matched\":1234,\"complete\":true"));
    assert_true(has(b, "\"port\":443") && has(b, "\"iana_number\":6"));
    get(b, "/api/v1/connections?limit=7");
    assert_true(has(b, "{\"judged\":true,\"total\":7,\"connections\":[{\"@timestamp\""));
    get(b, "/api/v1/connection?id=id%2B1%2F");
    assert_true(has(b, "\"graph\":{\"drawn\":\"whole\",\"seen\":10,\"columns\":0,"
                       "\"kinds\":[\"data\",\"repeat\"],"
                       "\"marks\":[[0,1,0,-3,7,1],[2000,0,1,1,2,9]]}}"));
    get(b, "/api/v1/paths");
    assert_true(has(b, "{\"total\":1,\"normal_ms\":300,\"paths\":[{\"client_country\":\"SE\","
                       "\"server_zone\":\"paris\",\"server_port\":443,\"connections\":4,"));
    assert_true(has(b, "\"slow\":true,\"loss_p50_percent\":0,\"loss_p95_percent\":1.5,"
                       "\"verdicts\":{\"bufferbloat\":0.25}}]}"));
    get(b, "/api/v1/paths?by=country");
    assert_true(has(b, "\"server_zone\":\"paris\",\"connections\":4,"));
    get(b, "/api/v1/history?seconds=1");
    assert_true(has(b, "{\"seconds\":[{\"second\":"));
    get(b, "/api/v1/summary?top=1");
    assert_true(has(b, "\"top_talkers\":[{\"key\":\"10.1.0.0\",\"weight\":90000,\"packets\":100}]"));
    get(b, "/api/v1/schema");
    assert_true(has(b, "\"key\":\"address\",\"extras\":[\"packets\"]"));
    assert_true(has(b, "\"name\":\"source.ip\",\"type\":\"ip\""));
}

static void test_prometheus(void **state)
{
    struct bench *b = *state;
    assert_int_equal(get(b, "/metrics"), 200);
    assert_true(has(b, "Content-Type: text/plain; version=0.0.4"));
    assert_true(has(b, "# TYPE vantage_packets_total counter\nvantage_packets_total 600\n"));
    assert_true(has(b, "vantage_capture_dropped_packets_total{tap=\"fake\\\"\\\\\"} 0\n"));
    assert_true(has(b, "vantage_worker_load_ratio{worker=\"1\"} 0.1\n"));
    assert_true(has(b, "vantage_net_"));
    const char *name = "{client_country=\"SE\",client_as=\"\",server_zone=\"paris\",server_port=\"443\"";
    char sample[256];
    snprintf(sample, sizeof sample, "vantage_path_connections%s} 4\n", name);
    assert_true(has(b, sample));
    snprintf(sample, sizeof sample, "vantage_path_rtt_seconds%s,quantile=\"0.95\"} 0.4125\n", name);
    assert_true(has(b, sample));
    snprintf(sample, sizeof sample, "vantage_path_loss_ratio%s,quantile=\"0.95\"} 0.015\n", name);
    assert_true(has(b, sample));
    snprintf(sample, sizeof sample, "vantage_path_verdict_ratio%s,verdict=\"bufferbloat\"} 0.25\n",
             name);
    assert_true(has(b, sample));
    assert_false(has(b, "vantage_path_throughput_bytes_per_second{")); /* none was measured */
    assert_true(has(b, "process_open_fds "));
}

static void test_headers(void **state)
{
    struct bench *b = *state;
    get(b, "/api/v1/summary");
    assert_true(has(b, "Content-Security-Policy: default-src 'self';"));
    assert_true(has(b, "X-Content-Type-Options: nosniff"));
    assert_true(has(b, "Cache-Control: no-store"));
    assert_false(has(b, "Set-Cookie"));
    assert_int_equal(ask(b, "HEAD", "/api/v1/summary", ""), 200);
    assert_true(has(b, "Content-Length: ") && !has(b, "Content-Length: 0"));
    assert_string_equal(b->body, "");
    assert_int_equal(ask(b, "HEAD", "/api/v1/stream", ""), 200);
}

static void test_ready(void **state)
{
    struct bench *b = *state;
    b->engine->board.ready = false;
    assert_int_equal(get(b, "/readyz"), 503);
    assert_true(has(b, "Retry-After: 1") && body_is_json(b));
    assert_int_equal(get(b, "/healthz"), 200);
}

/* The page, whichever way the build has it. */
static void test_assets(void **state)
{
    struct bench *b = *state;
    if (get(b, "/") == 404) {
        assert_true(has(b, "-Dweb=false"));
        return;
    }
    assert_true(has(b, "Content-Type: text/html"));
    assert_false(has(b, "Content-Encoding"));
    char condition[128] = "If-None-Match: ";
    sscanf(strstr(b->reply, "ETag: "), "ETag: %100s", condition + strlen(condition));
    strcat(condition, "\r\n");
    assert_int_equal(ask(b, "GET", "/", condition), 304);
    assert_string_equal(b->body, "");
    assert_int_equal(ask(b, "GET", "/app.js", "Accept-Encoding: br, gzip\r\n"), 200);
    assert_true(has(b, "Content-Encoding: gzip"));
    assert_int_equal(get(b, "/../index.html"), 404);
}

/* ---- What is refused ------------------------------------------------------------------------- */

static void test_bad_queries(void **state)
{
    struct bench *b = *state;
    static const char *const bad[][2] = {
        {"/api/v1/flows?limit=0", "'limit' takes a whole number from 1 to 1000"},
        {"/api/v1/flows?limit=1001", "'limit'"},
        {"/api/v1/flows?limit=99999999999999999999", "'limit'"},
        {"/api/v1/flows?offset=-1", "'offset'"},
        {"/api/v1/flows?port=65536", "'port'"},
        {"/api/v1/flows?port=", "'port'"},
        {"/api/v1/flows?ip=10.0.0.0/33", "'ip' takes an address or a network"},
        {"/api/v1/flows?ip=10.0.0.0/", "'ip'"},
        {"/api/v1/flows?ip=hello", "'ip'"},
        {"/api/v1/flows?proto=tpc", "'proto'"},
        {"/api/v1/flows?sort=size", "'sort' takes bytes, packets, start, last or duration"},
        {"/api/v1/flows?state=%00%ff%22%0a", "'state' takes active or recent"},
        {"/api/v1/flows?port=1&port=2", "more than once"},
        {"/api/v1/flows?prot=tcp", "did you mean 'proto'"},
        {"/api/v1/flows?port=666", "port 666 is refused here"},
        {"/api/v1/history?seconds=301", "'seconds'"},
        {"/api/v1/paths?limit=0", "'limit' takes a whole number from 1 to 257"},
        {"/api/v1/paths?by=port,", "'by' takes some of country, asn, zone and port"},
        {"/api/v1/paths?by=port,port", "'by' takes some of country, asn, zone and port"},
        {"/api/v1/connections?limit=501", "'limit' takes a whole number from 1 to 500"},
        {"/api/v1/connection", "id is missing"},
        {"/api/v1/connection?id=", "'id' takes a flow.id"},
        {"/api/v1/schema?x", "no parameter 'x'"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(get(b, bad[i][0]), 400);
        assert_true(has(b, bad[i][1]));
        assert_true(body_is_json(b));
    }
}

static void test_paths_and_methods(void **state)
{
    struct bench *b = *state;
    assert_int_equal(get(b, "/api/v1/flow"), 404);
    assert_true(has(b, "did you mean /api/v1/flows?"));
    assert_int_equal(get(b, "/wp-login.php"), 404);
    assert_int_equal(get(b, "/api/v1/connection?id=nobody"), 404);
    assert_true(has(b, "no such connection"));
    assert_true(body_is_json(b));
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        assert_int_equal(ask(b, methods[i], "/api/v1/flows", ""), 405);
        assert_true(has(b, "Allow: GET, HEAD\r\n") && has(b, "use GET"));
    }
}

static void test_foreign_pages(void **state)
{
    struct bench *b = *state;
    assert_int_equal(talk(b, "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), 403);
    assert_true(body_is_json(b));
    assert_int_equal(ask(b, "GET", "/api/v1/flows", "Origin: http://evil.example\r\n"), 403);
    assert_int_equal(ask(b, "GET", "/api/v1/flows", "Origin: http://localhost\r\n"), 200);
    assert_int_equal(talk(b, "GET /healthz HTTP/1.0\r\n\r\n"), 200);
}

static void test_too_much(void **state)
{
    struct bench *b = *state;
    char *request = malloc(200000);
    memset(request, 'a', 200000);
    memcpy(request, "GET /", 5);
    strcpy(request + 100000, " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    int status = talk(b, request);
    assert_true(status == 414 || status == 431 || status == 0);

    snprintf(request, 200000, "POST /api/v1/flows HTTP/1.1\r\nHost: localhost\r\n"
             "Transfer-Encoding: chunked\r\n\r\n20000\r\n%0131072d\r\n0\r\n\r\n", 0);
    talk(b, request); /* the connection just ends */
    free(request);
    assert_int_equal(ask(b, "POST", "/api/v1/flows", "Content-Length: 150000\r\n"), 413);
    assert_true(body_is_json(b));
    assert_int_equal(ask(b, "GET", "/api/v1/flows", "Content-Length: 5\r\n\r\nhello"), 200);
    assert_true(goes_on(b));
}

static void test_garbage(void **state)
{
    struct bench *b = *state;
    static const char *const garbage[] = {
        "\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
        "GET /%zz%%%?%=%&&&= HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        int fd = dial(b);
        struct timeval soon = {.tv_sec = 1}; /* to some of it the server says nothing for long */
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
        put(fd, garbage[i]);
        shutdown(fd, SHUT_WR);
        while (recv(fd, b->reply, REPLY_MAX, 0) > 0) {
        }
        close(fd);
    }
    assert_true(goes_on(b));
}

static void test_token(void **state)
{
    struct bench *b = *state;
    api_stop(b->api);
    b->api = start(b->engine, "secret");
    assert_int_equal(get(b, "/api/v1/summary"), 401);
    assert_true(has(b, "WWW-Authenticate: Bearer") && body_is_json(b));
    assert_int_equal(get(b, "/metrics"), 401);
    assert_int_equal(get(b, "/api/v1/stream"), 401);
    assert_int_equal(get(b, "/api/v1/health"), 200);
    assert_int_equal(get(b, "/readyz"), 200);
    assert_int_equal(ask(b, "GET", "/metrics", "Authorization: Bearer secret\r\n"), 200);
    assert_int_equal(ask(b, "GET", "/metrics", "Authorization: Bearer Secret\r\n"), 401);
}

static void test_taken_port(void **state)
{
    struct bench *b = *state;
    struct config config = {.api = {true, api_address(b->api), ""}};
    struct err err = {0};
    assert_null(api_start(b->engine, &config, &err));
    assert_non_null(strstr(err.text, api_address(b->api)));
    assert_non_null(strstr(err.text, "is taken by another program"));
}

/* ---- Streams --------------------------------------------------------------------------------- */

static const char stream_request[] = "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";

/* Reads until `text` has come; false when it does not within the client's patience. */
static bool read_until(struct bench *b, int fd, const char *text)
{
    size_t size = 0;
    do {
        ssize_t n = recv(fd, b->reply + size, REPLY_MAX - 1 - size, 0);
        if (n <= 0) {
            return false;
        }
        size += (size_t)n;
        b->reply[size] = '\0';
    } while (strstr(b->reply, text) == NULL);
    return true;
}

static void test_stream(void **state)
{
    struct bench *b = *state;
    int fd = dial(b);
    put(fd, stream_request);
    assert_true(read_until(b, fd, "\r\n\r\n"));
    assert_true(has(b, "Content-Type: text/event-stream"));
    for (int i = 0; i < 3; i++) {
        fake_tick(b->engine);
        assert_true(read_until(b, fd, "event: tick\n"));
    }
    close(fd);
}

/* Streams up to the bound, and a clear word to the others; all get the same ticks; when they have
 * gone there is room again. */
static void test_many_streams(void **state)
{
    struct bench *b = *state;
    int fds[PARALLEL];
    unsigned streams = 0;
    for (unsigned i = 0; i < PARALLEL; i++) {
        fds[i] = dial(b);
        put(fds[i], stream_request);
        assert_true(read_until(b, fds[i], "\r\n\r\n"));
        streams += has(b, "200 OK");
        assert_true(has(b, "200 OK") || has(b, "503 Service"));
    }
    assert_int_equal(streams, API_STREAMS_MAX);
    assert_true(goes_on(b));
    fake_tick(b->engine);
    for (unsigned i = 0; i < API_STREAMS_MAX; i++) {
        assert_true(read_until(b, fds[i], "event: tick\n"));
    }
    for (unsigned i = 0; i < PARALLEL; i++) {
        close(fds[i]);
    }
    int status = 503;
    for (unsigned tries = 0; tries < 400 && status != 200; tries++) {
        fake_tick(b->engine); /* sleeping connections notice at the next event */
        usleep(50000);
        status = get(b, "/metrics") == 200 && has(b, "vantage_api_streams 0\n") ? 200 : 503;
    }
    assert_int_equal(status, 200);
}

/* A client that never reads holds up nobody, and the server stops while it is there. */
static void test_slow_client(void **state)
{
    struct bench *b = *state;
    int slow = dial(b);
    int tiny = 1024;
    setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &tiny, sizeof(tiny));
    put(slow, stream_request);
    int drip = dial(b);
    put(drip, "GET /api/v1/summary HTTP/1.1\r\nHo");
    int quick = dial(b);
    put(quick, stream_request);
    assert_true(read_until(b, quick, "\r\n\r\n"));
    for (int i = 0; i < 30; i++) {
        fake_tick(b->engine);
        assert_true(read_until(b, quick, "event: tick\n"));
    }
    api_stop(b->api);
    b->api = start(b->engine, "");
    close(slow);
    close(drip);
    close(quick);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_json_routes), TEST(test_shapes), TEST(test_prometheus), TEST(test_headers),
        TEST(test_ready), TEST(test_assets), TEST(test_bad_queries), TEST(test_paths_and_methods),
        TEST(test_foreign_pages), TEST(test_too_much), TEST(test_garbage), TEST(test_token),
        TEST(test_taken_port), TEST(test_stream), TEST(test_many_streams), TEST(test_slow_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
