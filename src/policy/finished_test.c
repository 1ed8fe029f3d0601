// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "event/transaction.h"
#include "flow/health.h"
#include "policy/finished.h"
#include "policy/policy.h"

#define SECOND UINT64_C(1000000000)
#define START (UINT64_C(28333334) * 60 * SECOND) /* a whole minute, in 2023 */

/* From 10.0.0.1 to port 443 of 192.0.2.1, both ends of the key in that order. */
static const struct flow_key web = {.address = {{10, 0, 0, 1}, {192, 0, 2, 1}},
                                    .port = {50000, 443}, .protocol = 6, .version = 4};

static void a_key_looks_like_a_packet(void **state)
{
    (void)state;
    uint8_t frame[FINISHED_FRAME];
    assert_int_equal(finished_frame(frame, &web, 0), 40);
    assert_memory_equal(frame + 12, ((uint8_t[]){10, 0, 0, 1, 192, 0, 2, 1}), 8);
    assert_memory_equal(frame + 20, ((uint8_t[]){50000 >> 8, 50000 & 255, 443 >> 8, 443 & 255}), 4);
    assert_int_equal(finished_frame(frame, &web, 1), 40);
    assert_memory_equal(frame + 12, ((uint8_t[]){192, 0, 2, 1, 10, 0, 0, 1}), 8);
    struct flow_key six = {.version = 6, .protocol = 17};
    assert_int_equal(finished_frame(frame, &six, 0), 60);
    struct flow_key link = {.version = 0};
    assert_int_equal(finished_frame(frame, &link, 0), 0);
}

/* ---- Policies over what is finished --------------------------------------------------------- */

static const char yaml[] =
    "visor:\n"
    "  taps:\n"
    "    t: {input_type: pcap, config: {iface: none}}\n"
    "  policies:\n"
    "    all: {kind: collection, input: {tap: t, input_type: pcap}, handlers: {\n"
    "          window_config: {num_periods: 3}, modules: {tcp: {type: tcp}, http: {type: http}}}}\n"
    "    web: {kind: collection, input: {tap: t, input_type: pcap, filter: {bpf: dst port 443}},\n"
    "          handlers: {modules: {tcp: {type: tcp, config: {path_keys: [zone, port],\n"
    "                     zones: [ours=192.0.2.0/24]}}}}}\n"
    "    mail: {kind: collection, input: {tap: t, input_type: pcap, filter: {bpf: port 25}},\n"
    "          handlers: {modules: {tcp: {type: tcp}}}}\n";

struct scene {
    struct policies *set;
    struct intake *intake;
};

static struct scene begin(void)
{
    struct policies_options options = {.slots = 1};
    struct err err = {0};
    struct scene s = {.set = policies_new(&options)};
    assert_int_equal(policies_load_text(s.set, span_str(yaml), POLICIES_ALL, NULL, &err), 0);
    assert_string_equal(err.text, "");
    s.intake = intake_new(s.set, 0, &err);
    intake_poll(s.intake);
    return s;
}

static void end(struct scene *s)
{
    intake_end(s->intake);
    intake_free(s->intake);
    policies_free(s->set);
}

static char *metrics(struct scene *s, const char *policy, uint64_t bucket, struct json *to)
{
    policies_collect(s->set);
    json_init(to);
    policies_metrics_json(s->set, policy, POLICIES_BUCKET, bucket, to, NULL);
    json_append(to, "", 1);
    return to->data;
}

static bool says(struct scene *s, const char *policy, uint64_t bucket, const char *what)
{
    struct json text;
    bool found = strstr(metrics(s, policy, bucket, &text), what) != NULL;
    json_done(&text);
    return found;
}

static void finish_connection(struct scene *s, uint64_t time_ns, double rtt_ms, const char *tap)
{
    struct health_record record = {.syn_pkts = 1, .synack_pkts = rtt_ms > 0,
                                   .established = rtt_ms > 0 ? HEALTH_TRUE : HEALTH_FALSE,
                                   .handshake_rtt_to_server_ms = rtt_ms,
                                   .close = rtt_ms > 0 ? "fin" : "refused"};
    for (unsigned i = 0; i < 2; i++) {
        record.ways[i].rtt_p50_ms = rtt_ms > 0 ? rtt_ms / 2 : (double)NAN;
        record.ways[i].nonidle_throughput_mbps = NAN;
    }
    intake_finish(s->intake, &(struct intake_finished){.connection = &record, .key = &web,
                                                       .time_ns = time_ns, .tap = tap});
    policies_collect(s->set); /* as the office does, all the time */
}

static void connections_count_where_their_packets_would(void **state)
{
    (void)state;
    struct scene s = begin();
    assert_int_equal(intake_wants(s.intake), INTAKE_CONNECTION | INTAKE_TRANSACTION);
    assert_int_equal(policies_wanted(s.set), INTAKE_CONNECTION | INTAKE_TRANSACTION);
    finish_connection(&s, START, 310, "t");
    finish_connection(&s, START + 70 * SECOND, 40, "t");
    finish_connection(&s, START + 71 * SECOND, 0, "t");
    finish_connection(&s, START + 59 * SECOND, 20, "t"); /* late: to its own minute */
    finish_connection(&s, START + 71 * SECOND, 20, "another");
    intake_flush(s.intake, START + 72 * SECOND);
    assert_true(says(&s, "all", 0, "\"connections\":2"));
    assert_true(says(&s, "all", 1, "\"connections\":2"));
    assert_true(says(&s, "all", 1, "\"rtt_over_300ms_connections\":1"));
    assert_true(says(&s, "all", 0, "\"refused_connections\":1"));
    assert_true(says(&s, "all", 0, "\"top_failed_targets\":[{\"estimate\":1,\"name\":"
                                   "\"192.0.2.1:443\"}]"));
    assert_true(says(&s, "web", 0, "\"port=443,zone=ours\":{\"connections\":2"));
    assert_true(says(&s, "mail", 0, "\"connections\":0"));
    end(&s);
}

static void the_wire_format_has_labels(void **state)
{
    (void)state;
    struct scene s = begin();
    struct json text;
    finish_connection(&s, START, 310, NULL);
    intake_flush(s.intake, START + 2 * SECOND);
    policies_collect(s.set);
    json_init(&text);
    policies_prometheus(s.set, "web", NULL, &text);
    json_append(&text, "", 1);
    assert_non_null(strstr(text.data, "\ntcp_path_connections{handler=\"web-t-tcp\",policy=\"web\","
                                      "port=\"443\",tap=\"t\",zone=\"ours\"} 1\n"));
    assert_non_null(strstr(text.data, "\ntcp_path_rtt_us{handler=\"web-t-tcp\",policy=\"web\","
                                      "port=\"443\",quantile=\"0.5\",tap=\"t\",zone=\"ours\"} "));
    json_done(&text);
    end(&s);
}

/* ---- Requests ------------------------------------------------------------------------------- */

struct request {
    struct transaction transaction;
    struct span domain, path;
    uint16_t status;
};

static const struct event_field request_fields[] = {
    {.name = "http.response.status_code", .kind = EVENT_U16,
     .offset = offsetof(struct request, status)},
    {.name = "url.domain", .kind = EVENT_SPAN, .offset = offsetof(struct request, domain)},
    {.name = "url.path", .kind = EVENT_SPAN, .offset = offsetof(struct request, path)},
    {0},
};

static const struct event_type request_type = {.dataset = "http", .size = sizeof(struct request),
                                               .fields = request_fields,
                                               .common = transaction_fields};

static void requests_count_by_route(void **state)
{
    (void)state;
    struct scene s = begin();
    for (unsigned i = 0; i < 200; i++) {
        char path[32];
        snprintf(path, sizeof path, i < 100 ? "/order/%u" : "/junk-%u", i);
        struct request r = {
            .transaction = {.head.type = &request_type, .method = span_str("GET"),
                            .status = i % 2 ? TRANSACTION_OK : TRANSACTION_ERROR,
                            .duration = {.value = 5000000, .present = true}},
            .domain = span_str("a.test"), .path = span_str(path), .status = i % 2 ? 200 : 503};
        intake_finish(s.intake, &(struct intake_finished){.transaction = &r.transaction.head,
                                                          .key = &web, .time_ns = START});
        policies_collect(s.set);
    }
    intake_flush(s.intake, START + 2 * SECOND);
    assert_true(says(&s, "all", 0, "\"requests\":200"));
    assert_true(says(&s, "all", 0, "\"status_5xx\":100"));
    assert_true(says(&s, "all", 0, "\"host=a.test,method=GET,route=/order/{id}\":{\"errors\":50,"
                                   "\"latency_us\":{\"p50\":5000,"));
    assert_true(says(&s, "all", 0, "\"routes_folded\":38"));
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_looks_like_a_packet),
        cmocka_unit_test(connections_count_where_their_packets_would),
        cmocka_unit_test(the_wire_format_has_labels),
        cmocka_unit_test(requests_count_by_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
