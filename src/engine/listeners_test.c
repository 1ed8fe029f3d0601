// SPDX-License-Identifier: Apache-2.0
/* Who is asked about a conversation, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/listeners.h"

static enum proto_guess is_a(struct span data, unsigned side)
{
    (void)side;
    return data.size == 0 ? PROTO_UNSURE : data.data[0] == 'a' ? PROTO_YES : PROTO_NO;
}

static enum proto_guess is_any(struct span data, unsigned side)
{
    (void)side;
    return data.size == 0 ? PROTO_UNSURE : PROTO_YES;
}

static struct proto_taken on_chunk(struct proto_context *c, const struct proto_chunk *chunk)
{
    (void)c;
    return (struct proto_taken){.consumed = chunk->data.size};
}

static void on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    (void)c;
    (void)packet;
    (void)side;
}

static const struct proto picky = {.name = "picky", .probe = is_a, .on_chunk = on_chunk};
static const struct proto greedy = {
    .name = "greedy", .probe = is_any, .on_chunk = on_chunk, .on_datagram = on_datagram};
static const struct proto pings = {.name = "pings", .on_datagram = on_datagram, .reads_icmp = true};

enum { PICKY, GREEDY, PINGS, COUNT };

/* Three listeners from a configuration; ports as in the text. */
struct lab {
    struct proto_settings settings[COUNT];
    struct config_protocol protocols[COUNT];
    struct config config;
    struct delta_layout layout;
    struct listeners listeners;
};

static void set_up(struct lab *lab, const char **greedy_ports, size_t count)
{
    static const struct proto *const all[COUNT] = {&picky, &greedy, &pings};
    for (unsigned i = 0; i < COUNT; i++) {
        lab->settings[i].enabled = true;
        lab->protocols[i] =
            (struct config_protocol){.proto = all[i], .options = &lab->settings[i]};
        lab->layout.protos[i] = all[i];
        lab->layout.offsets[i] = 64 * i;
    }
    lab->settings[GREEDY].ports = (struct text_list){.items = greedy_ports, .count = count};
    lab->config = (struct config){.protocols = lab->protocols, .protocol_count = COUNT};
    lab->layout.count = COUNT;
}

static uint32_t ask(struct lab *lab, uint8_t protocol, uint16_t port, const char *text)
{
    struct flow_key key = {.port = {40000, port}, .protocol = protocol, .version = 4};
    listeners_init(&lab->listeners, &lab->config, &lab->layout);
    return listeners_ask(&lab->listeners, &key, span_str(text), 0);
}

static void ports_come_first(void **state)
{
    (void)state;
    struct lab lab = {0};
    set_up(&lab, (const char *[]){"80", "8000-8010"}, 2);
    assert_int_equal(ask(&lab, 6, 9999, "abc"), PICKY + 1);
    assert_int_equal(ask(&lab, 6, 80, "abc"), GREEDY + 1);
    assert_int_equal(ask(&lab, 6, 8005, "abc"), GREEDY + 1);
    assert_int_equal(ask(&lab, 6, 8011, "abc"), PICKY + 1);
    assert_int_equal(ask(&lab, 6, 80 + 256, "abc"), PICKY + 1); /* the same lower byte */
    assert_int_equal(ask(&lab, 6, 9999, "xyz"), GREEDY + 1);
    assert_int_equal(ask(&lab, 17, 9999, "abc"), GREEDY + 1); /* picky reads no datagrams */
    assert_int_equal(ask(&lab, 6, 9999, ""), 0);
}

/* What was agreed upon goes before ports and order, but not against what is said. */
static void what_was_agreed_comes_first(void **state)
{
    (void)state;
    struct lab lab = {0};
    struct proto named = greedy;
    static const char *const names[] = {"gr/1", "gr/2", NULL};
    struct flow_key key = {.port = {40000, 80}, .protocol = 6, .version = 4};
    const struct proto_chunk abc = {.data = span_str("abc")}, xyz = {.data = span_str("xyz")};
    named.agreed_names = names;
    set_up(&lab, NULL, 0);
    lab.layout.protos[GREEDY] = lab.protocols[GREEDY].proto = &named;
    struct proto choosy = picky;
    choosy.agreed_names = (const char *const[]){"pi", NULL};
    lab.layout.protos[PICKY] = lab.protocols[PICKY].proto = &choosy;
    listeners_init(&lab.listeners, &lab.config, &lab.layout);
    assert_int_equal(listeners_agreed(&lab.listeners, &key, span_str("gr/2"), &abc), GREEDY + 1);
    assert_int_equal(listeners_agreed(&lab.listeners, &key, span_str("gr/3"), &abc), 0);
    assert_int_equal(listeners_agreed(&lab.listeners, &key, span_str(""), &abc), 0);
    assert_int_equal(listeners_agreed(&lab.listeners, &key, span_str("pi"), &abc), PICKY + 1);
    assert_int_equal(listeners_agreed(&lab.listeners, &key, span_str("pi"), &xyz), 0);
    lab.settings[GREEDY].only_ports = true;
    listeners_init(&lab.listeners, &lab.config, &lab.layout);
    assert_int_equal(listeners_agreed(&lab.listeners, &key, span_str("gr/2"), &abc), 0);
}

/* Whose block it was told to. */
static void note_refusal(void *block, struct span data, unsigned side)
{
    assert_int_equal(side, 1);
    *(uint8_t *)block = data.data[0];
}

static void refusals_are_told_at_the_port(void **state)
{
    (void)state;
    struct lab lab = {0};
    struct proto other = picky;
    uint8_t blocks[64 * COUNT] = {0};
    struct flow_key key = {.port = {40000, 80}, .protocol = 6, .version = 4};
    other.on_refused = note_refusal;
    set_up(&lab, (const char *[]){"81"}, 1);
    lab.layout.protos[PICKY] = lab.protocols[PICKY].proto = &other;
    lab.settings[PICKY].ports = (struct text_list){.items = (const char *[]){"80"}, .count = 1};
    listeners_init(&lab.listeners, &lab.config, &lab.layout);
    assert_int_equal(listeners_refused(&lab.listeners, &key, blocks, span_str("xyz"), 1),
                     LISTENERS_NONE);
    assert_int_equal(blocks[0], 'x');
    key.port[1] = 81;
    (void)listeners_refused(&lab.listeners, &key, blocks, span_str("uvw"), 1);
    assert_int_equal(blocks[0], 'x'); /* greedy has no such hook, and picky has another port */
    assert_int_equal(blocks[64 * GREEDY], 0);
}

/* A flow at a protocol's port gets a few tries, of which only the first is everybody's. */
static void datagrams_are_asked_about_for_a_while(void **state)
{
    (void)state;
    struct lab lab = {0};
    struct proto other = picky;
    other.on_datagram = on_datagram;
    set_up(&lab, (const char *[]){"81"}, 1);
    lab.layout.protos[PICKY] = lab.protocols[PICKY].proto = &other;
    lab.settings[PICKY].ports = (struct text_list){.items = (const char *[]){"80"}, .count = 1};
    lab.settings[GREEDY].enabled = false;
    listeners_init(&lab.listeners, &lab.config, &lab.layout);
    struct flow flow = {.key = {.port = {40000, 80}, .protocol = 17, .version = 4}};
    for (unsigned i = 1; i < LISTENERS_TRIES; i++) {
        assert_int_equal(listeners_ask_datagram(&lab.listeners, &flow, span_str("xyz"), 0), 0);
    }
    struct flow lucky = flow;
    assert_int_equal(listeners_ask_datagram(&lab.listeners, &lucky, span_str("abc"), 0), PICKY + 1);
    assert_int_equal(lucky.talk, 0);
    assert_int_equal(listeners_ask_datagram(&lab.listeners, &flow, span_str("xyz"), 0),
                     LISTENERS_NONE);
    assert_int_equal(flow.talk, 0);
    flow.key.port[1] = 9999;
    assert_int_equal(listeners_ask_datagram(&lab.listeners, &flow, span_str("xyz"), 0),
                     LISTENERS_NONE);
    flow.key.port[1] = 80;
    lab.settings[GREEDY].enabled = true;
    listeners_init(&lab.listeners, &lab.config, &lab.layout);
    flow.talk = 1; /* others had their chance */
    assert_int_equal(listeners_ask_datagram(&lab.listeners, &flow, span_str("xyz"), 0), 0);
    flow.talk = 0;
    assert_int_equal(listeners_ask_datagram(&lab.listeners, &flow, span_str("xyz"), 0), GREEDY + 1);
}

static void who_keeps_to_its_ports_is_not_asked_elsewhere(void **state)
{
    (void)state;
    struct lab lab = {0};
    set_up(&lab, (const char *[]){"80"}, 1);
    lab.settings[GREEDY].only_ports = true;
    assert_int_equal(ask(&lab, 6, 80, "xyz"), GREEDY + 1);
    assert_int_equal(ask(&lab, 6, 81, "xyz"), LISTENERS_NONE);
}

static void who_is_switched_off_is_not_there(void **state)
{
    (void)state;
    struct lab lab = {0};
    set_up(&lab, NULL, 0);
    lab.settings[PICKY].enabled = false;
    assert_int_equal(ask(&lab, 6, 80, "abc"), 1); /* greedy is the first now */
    assert_int_equal(lab.listeners.count, COUNT - 1);
    assert_int_equal(lab.listeners.items[0].offset, 64);
    assert_ptr_equal(lab.listeners.icmp, &lab.listeners.items[1]);
    lab.settings[GREEDY].enabled = lab.settings[PINGS].enabled = false;
    assert_int_equal(ask(&lab, 6, 80, "abc"), LISTENERS_NONE);
    assert_false(lab.listeners.has_tcp || lab.listeners.has_udp);
    assert_null(lab.listeners.icmp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_come_first),
        cmocka_unit_test(what_was_agreed_comes_first),
        cmocka_unit_test(refusals_are_told_at_the_port),
        cmocka_unit_test(datagrams_are_asked_about_for_a_while),
        cmocka_unit_test(who_keeps_to_its_ports_is_not_asked_elsewhere),
        cmocka_unit_test(who_is_switched_off_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
