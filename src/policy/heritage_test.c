// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "policy/policy.h"

#define SECOND UINT64_C(1000000000)
#define START (UINT64_C(28333334) * 60 * SECOND) /* a whole minute, in 2023 */

struct scene {
    struct policies *set;
    struct intake *intake;
    const char *version;
};

static void load(struct scene *s, const char *name, const char *filter, const char *taps)
{
    char text[1024];
    struct err err = {0};
    snprintf(text, sizeof text,
             "visor:\n%s  policies:\n"
             "    %s: {kind: collection, input: {tap: t, input_type: pcap, config: {bpf: \"%s\"}}, "
             "handlers: {modules: {d: {type: dns, require_version: \"%s\"}}}}\n",
             taps, name, filter, s->version);
    assert_int_equal(policies_load_text(s->set, span_str(text), POLICIES_ALL, NULL, &err), 0);
    assert_string_equal(err.text, "");
}

static void begin(struct scene *s, const char *version)
{
    struct policies_options options = {.slots = 1};
    struct err err = {0};
    s->version = version;
    s->set = policies_new(&options);
    load(s, "one", "udp",
         "  taps: {t: {input_type: pcap, config: {iface: none, host_spec: 10.0.0.0/8}}}\n");
    s->intake = intake_new(s->set, 0, &err);
    intake_poll(s->intake);
    intake_select(s->intake, "t");
}

static void end(struct scene *s)
{
    intake_end(s->intake);
    intake_free(s->intake);
    policies_free(s->set);
}

/* ---- Changes while the worker works --------------------------------------------------------- */

struct change {
    struct scene *scene;
    const char *add, *filter, *drop;
    _Atomic bool is_done;
};

static void *make_change(void *argument)
{
    struct change *change = argument;
    if (change->add != NULL) {
        load(change->scene, change->add, change->filter, "");
    }
    if (change->drop != NULL) {
        assert_int_equal(policies_drop(change->scene->set, change->drop), 0);
    }
    atomic_store(&change->is_done, true);
    return NULL;
}

static void change(struct scene *s, const char *add, const char *filter, const char *drop)
{
    struct change change = {.scene = s, .add = add, .filter = filter, .drop = drop};
    pthread_t other;
    assert_int_equal(pthread_create(&other, NULL, make_change, &change), 0);
    while (!atomic_load(&change.is_done)) {
        intake_poll(s->intake);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pthread_join(other, NULL);
}

/* ---- Traffic -------------------------------------------------------------------------------- */

/* A question of 10.0.0.1 to 192.0.2.1, or its answer. */
static void say(struct scene *s, uint8_t id, bool is_answer, uint64_t time_ns)
{
    static const uint8_t ends[2][8] = {{10, 0, 0, 1, 192, 0, 2, 1}, {192, 0, 2, 1, 10, 0, 0, 1}};
    uint8_t bytes[14 + 20 + 8 + 12 + 7] = {
        [12] = 8, 0, 0x45, [17] = 47, [22] = 64, 17, [34] = 4, 0, 0, 53, 0, 27,
        [42] = 0, id, is_answer ? 0x80 : 0, 0, 0, 1, [54] = 1, 'a', 0, 0, 1, 0, 1};
    memcpy(bytes + 26, ends[is_answer], 8);
    struct flow_key key = {.protocol = 17, .version = 4};
    struct packet packet = {
        .time_ns = time_ns, .ip = bytes + 14, .version = 4, .protocol = 17, .class = PACKET_UDP,
        .wire_len = sizeof bytes, .frames = 1, .source_port = is_answer ? 53 : 1024,
        .destination_port = is_answer ? 1024 : 53, .payload = bytes + 42, .payload_len = 19,
        .end = bytes + sizeof bytes};
    struct frame frame = {.link = FRAME_LINK_ETHERNET, .data = bytes, .cap_len = sizeof bytes,
                          .wire_len = sizeof bytes};
    struct intake_packet p = {.packet = &packet, .frame = &frame, .key = &key, .hash = 7};
    intake_packet(s->intake, &p);
    policies_collect(s->set);
}

/* A number of a policy's document; UINT64_MAX: it is not there. */
static uint64_t number(struct scene *s, const char *policy, const char *name)
{
    struct json text;
    policies_collect(s->set);
    json_init(&text);
    policies_metrics_json(s->set, policy, POLICIES_BUCKET, 0, &text, NULL);
    json_append(&text, "", 1);
    char *at = strstr(text.data, name);
    uint64_t value = at != NULL ? strtoull(at + strlen(name), NULL, 10) : UINT64_MAX;
    json_done(&text);
    return value;
}

static void check(const char *version, const char *answered, const char *missed)
{
    struct scene s;
    begin(&s, version);
    say(&s, 1, false, START);
    change(&s, "two", "port 53", NULL); /* the first of its kin */
    say(&s, 1, true, START + SECOND);
    say(&s, 2, false, START + SECOND);
    change(&s, "three", "ip", NULL);
    say(&s, 2, true, START + 2 * SECOND);
    say(&s, 3, false, START + 2 * SECOND);
    change(&s, NULL, NULL, "three");
    say(&s, 3, true, START + 3 * SECOND);
    say(&s, 4, false, START + 3 * SECOND);
    change(&s, NULL, NULL, "two"); /* alone again */
    say(&s, 4, true, START + 4 * SECOND);
    say(&s, 5, false, START + 4 * SECOND); /* never answered */
    intake_flush(s.intake, START + 20 * SECOND);
    intake_flush(s.intake, START + 21 * SECOND);
    assert_int_equal(number(&s, "one", answered), 4);
    assert_int_equal(number(&s, "one", missed), 1);
    end(&s);
}

static void answers_are_found_with_version_1(void **state)
{
    (void)state;
    check("1.0", "\"xact\":{\"counts\":{\"timed_out\":1,\"total\":", "\"timed_out\":");
}

static void answers_are_found_with_version_2(void **state)
{
    (void)state;
    check("2.0", "\"xacts\":", "\"timeout_queries\":");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_found_with_version_1),
        cmocka_unit_test(answers_are_found_with_version_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
