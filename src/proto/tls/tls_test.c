// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "handshake/hello_event.h"
#include "proto/tls/tls_drive.h"

/* ---- What is said --------------------------------------------------------------------------- */

struct talk {
    uint8_t bytes[8192];
    size_t size;
};

static void put(struct talk *t, const void *bytes, size_t size)
{
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
}

static void put_record(struct talk *t, unsigned type, const void *bytes, size_t size)
{
    uint8_t head[] = {(uint8_t)type, 3, 3, (uint8_t)(size >> 8), (uint8_t)size};
    put(t, head, sizeof head);
    put(t, bytes, size);
}

/* A hello with no more than it must have; of a server, one that chose 0x1301 and `version`. */
static size_t make_hello(uint8_t *to, bool is_server, unsigned version)
{
    static const char client[] = "\x03\x03\x00\x00\x02\x13\x01\x01\x00";
    size_t at = TLS_MESSAGE_HEAD;
    to[at++] = 3;
    to[at++] = 3;
    memset(to + at, 'r', HELLO_RANDOM_BYTES);
    at += HELLO_RANDOM_BYTES;
    to[at++] = 0;
    if (is_server) {
        memcpy(to + at, "\x13\x01\x00\x00\x06\x00\x2b\x00\x02\x03", 10);
        at += 10;
        to[at++] = (uint8_t)version;
    } else {
        memcpy(to + at, client + 3, 6);
        at += 6;
    }
    to[0] = is_server ? TLS_SERVER_HELLO : TLS_CLIENT_HELLO;
    to[1] = to[2] = 0;
    to[3] = (uint8_t)(at - TLS_MESSAGE_HEAD);
    return at;
}

static void put_hello(struct talk *t, bool is_server, unsigned version)
{
    uint8_t hello[128];
    put_record(t, TLS_HANDSHAKE, hello, make_hello(hello, is_server, version));
}

static void put_change(struct talk *t)
{
    put_record(t, TLS_CHANGE_CIPHER, "\1", 1);
}

static struct span said(const struct talk *t)
{
    return span_of(t->bytes, t->size);
}

/* ---- Who listens ---------------------------------------------------------------------------- */

struct scene {
    struct slab *slab;
    struct drive *d;
};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof *s);
    s->slab = slab_new(1 << 20);
    s->d = aligned_alloc(64, (sizeof *s->d + 63) & ~(size_t)63);
    drive_init(s->d, s->slab);
    s->d->context.now_ns = 1000;
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    drive_close(s->d, PROTO_TIMEOUT);
    bool is_clean = slab_used(s->slab) == 0;
    drive_done(s->d);
    free(s->d);
    slab_free(s->slab);
    free(s);
    return is_clean ? 0 : -1;
}

static void assert_says(struct drive *d, const char *wanted)
{
    json_append(&d->lines, "", 1);
    assert_non_null(strstr(d->lines.data != NULL ? d->lines.data : "", wanted));
    d->lines.size--;
}

/* ---- Tests ---------------------------------------------------------------------------------- */

static void has_sound_tables(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(metric_set_check(proto_tls.metrics, &err));
    assert_true(event_type_check(&hello_event_tls, &err));
    assert_true(event_type_check(&hello_event_quic, &err));
}

static void knows_its_beginning(void **state)
{
    (void)state;
    struct talk t = {.size = 0};
    put_hello(&t, false, 0);
    assert_int_equal(proto_tls.probe(said(&t), 0), PROTO_YES);
    for (size_t size = 0; size < 6; size++) {
        assert_int_equal(proto_tls.probe(span_head(said(&t), size), 0), PROTO_UNSURE);
    }
    assert_int_equal(proto_tls.probe(span_str("\x17\x03\x03\x01\x01x"), 0), PROTO_NO);
    assert_int_equal(proto_tls.probe(span_str("GET /"), 0), PROTO_NO);
    assert_int_equal(proto_tls.probe(span_of("\x16\x03\x01\xff\xff\x01", 6), 0), PROTO_NO);
}

/* Behind what others said only a ClientHello will do, and its lengths have to fit. */
static void knows_its_beginning_behind_others(void **state)
{
    (void)state;
    struct talk t = {.size = 0};
    put_hello(&t, false, 0);
    for (size_t size = 0; size < 11; size++) {
        assert_int_equal(proto_tls.probe_late(span_head(said(&t), size), 0), PROTO_UNSURE);
    }
    assert_int_equal(proto_tls.probe_late(span_head(said(&t), 11), 0), PROTO_YES);
    static const uint8_t matters[] = {0, 1, 2, 3, 5, 6, 8, 9};
    for (size_t i = 0; i < sizeof matters; i++) {
        t.bytes[matters[i]] ^= 0x30;
        assert_int_equal(proto_tls.probe_late(said(&t), 0), PROTO_NO);
        t.bytes[matters[i]] ^= 0x30;
    }
    t = (struct talk){.size = 0};
    put_hello(&t, true, 0);
    assert_int_equal(proto_tls.probe_late(said(&t), 0), PROTO_NO);
}

/* What a client says that would have spoken SSL 2.0, too: TLS 1.0, one cipher of each, 16 bytes of
 * challenge. */
static void put_v2_hello(struct talk *t)
{
    put(t,
        "\x80\x1f\x01\x03\x01\x00\x06\x00\x00\x00\x10\x01\x00\x80\x00\x13\x01"
        "cccccccccccccccc",
        33);
}

static void knows_a_hello_of_an_older_form(void **state)
{
    (void)state;
    struct talk t = {.size = 0};
    put_v2_hello(&t);
    assert_int_equal(proto_tls.probe(said(&t), 0), PROTO_YES);
    for (size_t size = 0; size < 11; size++) {
        assert_int_equal(proto_tls.probe(span_head(said(&t), size), 0), PROTO_UNSURE);
    }
    t.bytes[1]++; /* lists that do not fill it */
    assert_int_equal(proto_tls.probe(said(&t), 0), PROTO_NO);
}

static void tells_a_hello_of_an_older_form(void **state)
{
    struct drive *d = ((struct scene *)*state)->d;
    struct talk asks = {.size = 0}, answers = {.size = 0};
    put_v2_hello(&asks);
    put_change(&asks);
    put_hello(&answers, true, 3);
    put_change(&answers);
    drive_say(d, 0, said(&asks), 1);
    drive_say(d, 1, said(&answers), 7);
    assert_true(d->is_over);
    assert_int_equal(d->stats.established, 1);
    assert_int_equal(d->stats.malformed, 0);
    assert_says(d, "\"supported_ciphers\":[\"TLS_AES_128_GCM_SHA256\"]");
    assert_says(
        d, "0000000000000000000000000000000063636363636363636363636363636363"); /* the random */
    assert_says(d, "\"version\":\"1.2\"");
}

static void ends_with_the_handshake(void **state)
{
    struct drive *d = ((struct scene *)*state)->d;
    struct talk asks = {.size = 0}, answers = {.size = 0};
    put_hello(&asks, false, 0);
    put_hello(&answers, true, 3);
    put_change(&answers);
    drive_say(d, 0, said(&asks), 1);
    d->context.now_ns = 5000;
    drive_say(d, 1, said(&answers), 7);
    assert_false(d->is_over);
    asks.size = 0;
    put_change(&asks);
    d->context.now_ns = 9000;
    drive_say(d, 0, said(&asks), SIZE_MAX);
    assert_true(d->is_over);
    assert_int_equal(d->stats.established, 1);
    assert_says(d, "\"duration\":8000");
    assert_says(d, "\"version\":\"1.2\"");
}

/* TLS 1.3: the client's first record behind the ServerHello is its Finished, or an alert. */
static void tells_refusals_apart(void **state)
{
    struct drive *d = ((struct scene *)*state)->d;
    struct talk asks = {.size = 0}, answers = {.size = 0};
    put_hello(&asks, false, 0);
    put_hello(&answers, true, 4);
    drive_say(d, 0, said(&asks), SIZE_MAX);
    drive_say(d, 1, said(&answers), SIZE_MAX);
    asks.size = 0;
    put_change(&asks);
    put_record(&asks, TLS_DATA, "nineteen bytes long", 19);
    drive_say(d, 0, said(&asks), SIZE_MAX);
    assert_int_equal(d->stats.failed, 1);
    assert_says(d, "\"established\":false");
}

static void finds_a_server_alone(void **state)
{
    struct drive *d = ((struct scene *)*state)->d;
    struct talk answers = {.size = 0};
    put_hello(&answers, true, 3);
    drive_say(d, 0, said(&answers), SIZE_MAX); /* who began is not known: side 0 is the server's */
    drive_close(d, PROTO_RESET);
    assert_says(d, "\"reason\":\"reset\"");
    assert_int_equal(d->flow.client, 1);
    assert_int_equal(d->stats.failed, 1);
}

static void puts_fragments_together(void **state)
{
    struct drive *d = ((struct scene *)*state)->d;
    uint8_t hello[128];
    size_t size = make_hello(hello, false, 0);
    struct talk t = {.size = 0};
    for (size_t i = 0; i < size; i++) {
        put_record(&t, TLS_HANDSHAKE, hello + i, 1);
    }
    drive_say(d, 0, said(&t), 3);
    drive_close(d, PROTO_TIMEOUT);
    assert_says(d, "TLS_AES_128_GCM_SHA256");
    assert_says(d, "\"reason\":\"timeout\"");
    assert_int_equal(d->stats.unanswered, 1);
}

static void goes_on_behind_a_hole_in_a_message(void **state)
{
    struct drive *d = ((struct scene *)*state)->d;
    struct talk t = {.size = 0};
    uint8_t certificates[300] = {TLS_CERTIFICATE, 0, 1, 40}; /* of 296 bytes */
    put_hello(&t, true, 3);
    put_record(&t, TLS_HANDSHAKE, certificates, sizeof certificates);
    put_change(&t);
    size_t from = t.size - 6 - 200; /* 200 bytes before the end of the message */
    drive_say(d, 1, span_head(said(&t), from), SIZE_MAX);
    drive_gap(d, 1, 150);
    drive_say(d, 1, span_skip(said(&t), from + 150), SIZE_MAX);
    t.size = 0;
    put_change(&t);
    drive_say(d, 0, said(&t), SIZE_MAX);
    assert_int_equal(d->stats.established, 1);
    assert_says(d, "Packet loss while capturing the handshake");
}

static void gives_up_behind_other_holes(void **state)
{
    struct drive *d = ((struct scene *)*state)->d;
    struct talk t = {.size = 0};
    put_hello(&t, false, 0);
    drive_say(d, 0, said(&t), SIZE_MAX);
    drive_gap(d, 1, 1000);
    assert_says(d, "\"reason\":\"gap\"");
    drive_say(d, 0, said(&t), SIZE_MAX);
    assert_true(d->is_over);
    assert_int_equal(d->stats.handshakes, 1);
}

static void passes_over_what_is_too_long(void **state)
{
    struct drive *d = ((struct scene *)*state)->d;
    struct talk t = {.size = 0};
    put_hello(&t, false, 0);
    put_record(&t, TLS_HANDSHAKE, "\x0b\x01\xff\xff", 4);
    drive_say(d, 0, said(&t), SIZE_MAX);
    assert_int_equal(d->stats.oversized, 1);
    assert_true(slab_used(((struct scene *)*state)->slab) < 1024);
}

static void ends_at_what_is_no_record(void **state)
{
    struct drive *d = ((struct scene *)*state)->d;
    struct talk t = {.size = 0};
    put_hello(&t, false, 0);
    put(&t, "HTTP/1.1 400", 12);
    drive_say(d, 0, said(&t), 1);
    assert_true(d->is_over);
    assert_int_equal(d->stats.malformed, 1);
    assert_says(d, "\"reason\":\"malformed\"");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_sound_tables),
        cmocka_unit_test(knows_its_beginning),
        cmocka_unit_test(knows_its_beginning_behind_others),
        cmocka_unit_test(knows_a_hello_of_an_older_form),
        TEST(tells_a_hello_of_an_older_form),
        TEST(ends_with_the_handshake),
        TEST(tells_refusals_apart),
        TEST(finds_a_server_alone),
        TEST(puts_fragments_together),
        TEST(goes_on_behind_a_hole_in_a_message),
        TEST(gives_up_behind_other_holes),
        TEST(passes_over_what_is_too_long),
        TEST(ends_at_what_is_no_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
