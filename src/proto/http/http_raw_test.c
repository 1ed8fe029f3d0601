// SPDX-License-Identifier: Apache-2.0
/* What events show of messages where users ask for more: the text itself, bodies unpacked, cookies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/http/http_drive.h"

enum { SLAB_BYTES = 16 << 20 };

static struct slab *slab;
static struct drive d;

static size_t all_at_once(size_t left, void *of)
{
    (void)of;
    return left;
}

/* The events of a request and its response, as text; to be freed with drive_done(). */
static const char *told(const struct http_options *options, struct span request,
                        struct span response)
{
    drive_init(&d, slab, options);
    const struct drive_step steps[] = {
        {.kind = DRIVE_SAY, .side = 0, .text = request},
        {.kind = DRIVE_SAY, .side = 1, .text = response},
        CLOSE(PROTO_CLOSED),
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        drive_step(&d, &steps[i], all_at_once, NULL);
    }
    json_append(&d.lines, "", 1);
    assert_int_equal(slab_used(slab), 0);
    return d.lines.data;
}

static void has(const char *lines, const char *text)
{
    if (strstr(lines, text) == NULL) {
        fail_msg("%s\nis not in\n%s", text, lines);
    }
}

static void has_not(const char *lines, const char *text)
{
    if (strstr(lines, text) != NULL) {
        fail_msg("%s\nis in\n%s", text, lines);
    }
}

#define REQUEST                                                                                    \
    "POST /in?pass=hush&a=1 HTTP/1.1\r\nHost: h\r\nAuthorization: Basic c2VjcmV0\r\n"              \
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\n\r\nb=2&pass=hush"

static void shows_the_text_without_its_secrets(void **state)
{
    (void)state;
    struct http_options options = drive_options();
    options.settings.send_request = options.settings.send_response = true;
    options.include_body_for = (struct text_list){.items = (const char *[]){"form"}, .count = 1};
    const char *lines = told(&options, span_str(REQUEST),
                             span_str("HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n"));
    has(lines, "\"request\":\"POST /in?pass=xxxxx&a=1 HTTP/1.1\\r\\nHost: h\\r\\n"
               "Authorization: REDACTED\\r\\n");
    has(lines, "Content-Length: 13\\r\\n\\r\\nb=2&pass=xxxxx\"");
    has(lines, "\"response\":\"HTTP/1.1 204 No Content\\r\\nX: 1\\r\\n\\r\\n\"");
    has_not(lines, "c2Vj");
    drive_done(&d);

    options.shown.redact_authorization = true;
    has(told(&options, span_str(REQUEST), span_str("HTTP/1.1 204 No Content\r\n\r\n")),
        "\\r\\nAuthorization:*\\r\\nContent-Type");
    drive_done(&d);
}

static const uint8_t packed[] =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    "Content-Length: 27\r\n\r\n"
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56"
    "\x07\x00\x00\x00";

static void unpacks_bodies(void **state)
{
    (void)state;
    struct http_options options = drive_options();
    options.include_response_body_for =
        (struct text_list){.items = (const char *[]){"JSON"}, .count = 1};
    struct span get = span_str("GET / HTTP/1.1\r\n\r\n");
    struct span response = span_of(packed, sizeof packed - 1);
    has(told(&options, get, response), "\"body\":{\"bytes\":27,\"content\":\"{\\\"a\\\":1}\"}");
    drive_done(&d);

    uint8_t damaged[sizeof packed];
    memcpy(damaged, packed, sizeof packed);
    damaged[sizeof packed - 27] ^= 0x40;
    has(told(&options, get, span_of(damaged, sizeof damaged - 1)),
        "Response body cannot be decoded");
    drive_done(&d);

    options.decode_body = false;
    has_not(told(&options, get, response), "{\\\"a\\\":1}");
    drive_done(&d);
}

static void splits_cookies(void **state)
{
    (void)state;
    struct http_options options = drive_options();
    options.shown.send_all_headers = options.shown.split_cookie = true;
    options.shown.redact_secrets = false;
    const char *lines = told(
        &options, span_str("GET / HTTP/1.1\r\nCookie: A=1; b=\"x\\\"y\"; a=2; flag\r\n\r\n"),
        span_str("HTTP/1.1 204 No\r\nSet-Cookie: s=\xff\x01; Path=/\r\n\r\n"));
    has(lines, "\"cookie\":{\"a\":\"2\",\"b\":\"x\\\\\\\"y\"}");
    has(lines, "\"set-cookie\":{\"s\":\"\xef\xbf\xbd\\u0001\",\"path\":\"/\"}");
    drive_done(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_the_text_without_its_secrets),
        cmocka_unit_test(unpacks_bodies),
        cmocka_unit_test(splits_cookies),
    };
    slab = slab_new(SLAB_BYTES);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    slab_free(slab);
    return failed;
}
