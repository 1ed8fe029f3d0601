// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "handshake/hello.h"

enum { OUTLINE_ROOM = 256 };

/* What a ClientHello is made of, mostly as it is. */
struct offer {
    uint8_t random;
    const char *session_id;
    uint8_t cipher;
    const char *name;  /* of the server, of one letter */
    unsigned names;    /* how often it stands there */
    uint8_t extension; /* both bytes of the number of one more */
    size_t ticket;     /* bytes */
};

static const struct offer usual = {
    .random = 1, .session_id = "id", .cipher = 1, .name = "a", .names = 1, .extension = 23};

struct outline {
    uint8_t bytes[OUTLINE_ROOM];
    size_t size;
};

static size_t put_extension(uint8_t *to, uint16_t id, const void *body, size_t size)
{
    const uint8_t head[] = {(uint8_t)(id >> 8), (uint8_t)id, 0, (uint8_t)size};
    memcpy(to, head, sizeof head);
    memcpy(to + sizeof head, body, size);
    return sizeof head + size;
}

static struct span make_hello(uint8_t *to, const struct offer *offer)
{
    static const uint8_t zeroes[64];
    uint8_t *at = to, *length;
    at = mempcpy(at, "\3\3", 2);
    memset(at, offer->random, HELLO_RANDOM_BYTES);
    at += HELLO_RANDOM_BYTES;
    *at++ = (uint8_t)strlen(offer->session_id);
    at = mempcpy(at, offer->session_id, strlen(offer->session_id));
    at = mempcpy(at, "\0\2\x13", 3);
    *at++ = offer->cipher;
    at = mempcpy(at, "\1\0", 2);
    length = at;
    at += 2;
    for (unsigned i = 0; i < offer->names; i++) {
        uint8_t name[] = {0, 4, 0, 0, 1, (uint8_t)offer->name[0]};
        at += put_extension(at, HELLO_SERVER_NAME, name, sizeof name);
    }
    at += put_extension(at, (uint16_t)(offer->extension << 8 | offer->extension), "x", 1);
    at += put_extension(at, HELLO_TICKET, zeroes, offer->ticket);
    length[0] = 0;
    length[1] = (uint8_t)(at - length - 2);
    return span_of(to, (size_t)(at - to));
}

static struct outline outline_of(struct offer offer, size_t room)
{
    uint8_t bytes[512];
    struct hello hello;
    struct outline outline = {.size = 0};
    assert_true(hello_read(&hello, make_hello(bytes, &offer), false));
    outline.size = hello_outline(outline.bytes, room, &hello);
    return outline;
}

static bool is_as_usual(struct offer offer)
{
    struct outline one = outline_of(usual, OUTLINE_ROOM), other = outline_of(offer, OUTLINE_ROOM);
    return one.size > 0 && span_equal(span_of(one.bytes, one.size), span_of(other.bytes, other.size));
}

static void outlines_tell_what_all_hellos_of_a_program_share(void **state)
{
    (void)state;
    struct offer offer = usual;
    offer.random = 2;
    offer.session_id = "another";
    offer.name = "b";
    assert_true(is_as_usual(offer));
    offer.cipher = 2;
    assert_false(is_as_usual(offer));
    offer = usual;
    offer.extension = 24;
    assert_false(is_as_usual(offer));
    offer = usual;
    offer.ticket = 5;
    assert_false(is_as_usual(offer));
    offer = usual;
    offer.names = 0;
    assert_false(is_as_usual(offer));
}

static void some_hellos_have_no_outline(void **state)
{
    (void)state;
    struct offer offer = usual;
    offer.extension = 0x1a;
    assert_int_equal(outline_of(offer, OUTLINE_ROOM).size, 0);
    offer = usual;
    offer.names = 2;
    assert_int_equal(outline_of(offer, OUTLINE_ROOM).size, 0);
    size_t size = outline_of(usual, OUTLINE_ROOM).size;
    assert_int_equal(outline_of(usual, size).size, size);
    assert_int_equal(outline_of(usual, size - 1).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outlines_tell_what_all_hellos_of_a_program_share),
        cmocka_unit_test(some_hellos_have_no_outline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
