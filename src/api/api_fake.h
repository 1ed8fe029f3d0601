// SPDX-License-Identifier: Apache-2.0
/* For tests only: an engine that analyses nothing. Its board is made up, the same in every run, and
 * a thing of the test's: it may write to engine->board between requests. */
#pragma once

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "engine/engine.h"
#include "summary/topn.h"
#include "wire/packet.h"

enum { FAKE_FLOWS = 1234, FAKE_SLOTS = 32 };

struct fake_stats {
    uint64_t packets;
    uint64_t bytes;
    uint64_t classes[PACKET_CLASSES];
    TOPN_DECLARE(talkers, FAKE_SLOTS);
    TOPN_DECLARE(services, FAKE_SLOTS);
};

struct engine {
    pthread_mutex_t lock;
    struct board board;
    uint64_t version;
    struct fake_stats *stats;
    struct policies *policies; /* the test's, or NULL */
};

static const char *fake_class_name(unsigned i)
{
    return packet_class_name((enum packet_class)i);
}

static void fake_init(void *block)
{
    struct fake_stats *stats = block;
    topn_init_extras(&stats->talkers, FAKE_SLOTS, 17);
    topn_init_extras(&stats->services, FAKE_SLOTS, 3);
}

static const char *const fake_extras[] = {"packets", NULL};

static const struct metric fake_metrics[] = {
    {.name = "packets", .kind = METRIC_COUNTER, .offset = offsetof(struct fake_stats, packets),
     .unit = "packets", .help = "Frames seen", .group = "counters"},
    {.name = "bytes", .kind = METRIC_COUNTER, .offset = offsetof(struct fake_stats, bytes),
     .unit = "bytes", .help = "Length of those frames on the wire", .group = "counters"},
    {.name = "class_packets", .kind = METRIC_LABELLED,
     .offset = offsetof(struct fake_stats, classes), .unit = "packets",
     .help = "Frames by their innermost protocol", .group = "counters", .label = "class",
     .label_value = fake_class_name, .label_count = PACKET_CLASSES},
    {.name = "top_talkers", .kind = METRIC_TOPN, .offset = offsetof(struct fake_stats, talkers),
     .unit = "bytes", .help = "Hosts by bytes sent and received", .group = "top_hosts",
     .key = METRIC_KEY_ADDRESS, .extras = fake_extras},
    {.name = "top_services", .kind = METRIC_TOPN, .offset = offsetof(struct fake_stats, services),
     .unit = "bytes", .help = "Responders' ports by bytes", .group = "top_ports",
     .key = METRIC_KEY_PORT, .extras = fake_extras},
    {0},
};

static const struct metric_set fake_set = {
    .name = "net", .help = "Packets and bytes", .metrics = fake_metrics,
    .size = sizeof(struct fake_stats), .init = fake_init,
};

static uint64_t fake_path(const enum packet_layer *layers, unsigned count)
{
    uint64_t path = 0;
    for (unsigned i = 0; i < count; i++) {
        path |= (uint64_t)layers[i] << (i * PACKET_LAYER_BITS);
    }
    return path;
}

static void fake_fill_stats(struct fake_stats *stats)
{
    memset(stats, 0, sizeof(*stats));
    fake_init(stats);
    stats->packets = 600;
    stats->bytes = 400000;
    stats->classes[PACKET_TCP] = 400;
    stats->classes[PACKET_UDP] = 200;
    for (uint8_t i = 0; i < 12; i++) {
        uint8_t talker[17] = {4, 10, 1, 0, i};
        uint8_t service[3] = {i % 2 == 0 ? 6 : 17, (uint8_t)(53 + 30 * i), 0};
        uint64_t extra[TOPN_EXTRAS] = {100u - i};
        topn_add(&stats->talkers, talker, 90000u / (i + 1u), extra);
        topn_add(&stats->services, service, 80000u / (i + 1u), extra);
    }
}

static void fake_fill_history(struct board *board, uint64_t now)
{
    board->history_count = BOARD_HISTORY;
    for (uint32_t i = 0; i < BOARD_HISTORY; i++) {
        struct board_second *second = &board->history[i];
        double wave = 1 + sin(i / 20.0) / 2 + (i % 7) / 20.0;
        second->second = now - BOARD_HISTORY + 1 + i;
        second->bytes[0] = (uint64_t)(9e6 * wave);
        second->bytes[1] = (uint64_t)(3e6 * wave);
        second->packets[0] = second->bytes[0] / 1000;
        second->packets[1] = second->bytes[1] / 500;
        second->flows_new = i % 11;
    }
}

static struct engine *fake_new(void)
{
    struct engine *engine = calloc(1, sizeof(*engine));
    engine->stats = aligned_alloc(64, (sizeof(struct fake_stats) + 63) / 64 * 64);
    pthread_mutex_init(&engine->lock, NULL);
    struct board *board = &engine->board;
    static const enum packet_layer tcp[] = {LAYER_ETHERNET, LAYER_IPV4, LAYER_TCP};
    static const enum packet_layer udp[] = {LAYER_ETHERNET, LAYER_IPV4, LAYER_UDP};
    static const enum packet_layer arp[] = {LAYER_ETHERNET, LAYER_ARP};
    uint64_t now = (uint64_t)time(NULL);
    *board = (struct board){
        .started_ns = (now - 3600) * 1000000000, .now_ns = now * 1000000000, .ready = true,
        .mode = "demo", .note = "made up for a test", .frames = 600, .bytes = 400000,
        .memory_limit = 2u << 30, .memory_used = 200 << 20,
        .tap_count = 1, .worker_count = 2, .set_count = 1, .path_count = 3,
        .taps = {{.name = "fake\"\\", .source = "test", .received = 600}},
        .workers = {{.packets = 400, .flows_active = 1000, .flow_capacity = 65536, .load = 0.25},
                    {.packets = 200, .flows_active = 234, .flow_capacity = 65536, .load = 0.1}},
        .sets = {{&fake_set, engine->stats, engine->stats}},
        .paths = {{fake_path(udp, 3), 150, 100000}, {fake_path(tcp, 3), 400, 299000},
                  {fake_path(arp, 2), 50, 1000}},
    };
    fake_fill_stats(engine->stats);
    fake_fill_history(board, now);
    engine->version = 1;
    return engine;
}

static void fake_free(struct engine *engine)
{
    pthread_mutex_destroy(&engine->lock);
    free(engine->stats);
    free(engine);
}

/* Makes the board newer, as the collector does once a second. */
static void fake_tick(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    struct board *board = &engine->board;
    board->now_ns += 1000000000;
    memmove(board->history, board->history + 1, (BOARD_HISTORY - 1) * sizeof(board->history[0]));
    board->history[BOARD_HISTORY - 1].second++;
    engine->version++;
    pthread_mutex_unlock(&engine->lock);
}

const struct board *engine_lock(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    return &engine->board;
}

struct policies *engine_policies(const struct engine *engine)
{
    return engine->policies;
}

/* What policies capture on opens at once. */
bool engine_follow(struct engine *engine, struct err *err)
{
    (void)engine;
    (void)err;
    return true;
}

void engine_unlock(struct engine *engine)
{
    pthread_mutex_unlock(&engine->lock);
}

uint64_t engine_wait(struct engine *engine, uint64_t version, unsigned timeout_ms)
{
    for (unsigned waited = 0;; waited += 10) {
        pthread_mutex_lock(&engine->lock);
        uint64_t newest = engine->version;
        pthread_mutex_unlock(&engine->lock);
        if (newest > version || waited >= timeout_ms) {
            return newest;
        }
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
}

/* Two connections; the limit comes back in the total. */
uint32_t engine_paths(struct engine *engine, unsigned keys, struct health_path *ret, uint32_t max,
                      uint32_t *ret_total)
{
    (void)engine;
    *ret_total = max > 0 ? 1 : 0;
    if (max > 0) {
        ret[0] = (struct health_path){.country = "SE", .zone = "paris",
                                      .port = keys & HEALTH_PATHS_PORT ? 443 : 0,
                                      .connections = 4, .rtt_p50_ms = 40, .rtt_p95_ms = 412.5,
                                      .rtt_p99_ms = 500, .loss_p50_percent = 0,
                                      .loss_p95_percent = 1.5, .throughput_p5_mbps = NAN,
                                      .throughput_p50_mbps = NAN};
        ret[0].verdicts[HEALTH_BUFFERBLOAT] = 1;
    }
    return *ret_total;
}

bool engine_connection_page(struct engine *engine, uint32_t limit, struct connection_page *ret,
                            struct err *err)
{
    (void)engine;
    struct health_event *rows = calloc(2, sizeof *rows);
    for (unsigned i = 0; i < 2; i++) {
        rows[i].flow.head.type = &health_event_type;
        rows[i].flow.dataset = "tcp.connection";
        snprintf(rows[i].flow.flow_id, sizeof rows[i].flow.flow_id, "id+%u/", i);
    }
    *ret = (struct connection_page){.connections = rows, .count = 2, .total = limit, .judged = true};
    return rows != NULL || err_set(err, ERR_FAILED, "out of memory");
}

bool engine_connection(struct engine *engine, const char *flow_id, struct connection_view *ret,
                       struct err *err)
{
    (void)engine;
    *ret = (struct connection_view){0};
    if (strcmp(flow_id, "id+1/") != 0) {
        return err_set(err, ERR_USAGE, "no such connection");
    }
    ret->connection = calloc(1, sizeof *ret->connection);
    ret->marks = calloc(2, sizeof *ret->marks);
    ret->connection->flow.head.type = &health_event_type;
    ret->marks[0] = (struct tcp_mark){.time_ns = 5000000, .from = -3, .to = 7, .kind = 1, .count = 1};
    ret->marks[1] = (struct tcp_mark){.time_ns = 7000000, .from = 1, .to = 2, .way = 1, .count = 9};
    ret->mark_count = 2;
    ret->seen = 10;
    ret->drawn = "whole";
    return true;
}

void connection_view_done(struct connection_view *view)
{
    free(view->connection);
    free(view->marks);
}

const char *engine_mark_name(unsigned kind)
{
    static const char *const names[] = {"data", "repeat"};
    return kind < 2 ? names[kind] : NULL;
}

/* As many flows as the page takes; the query comes back in the first one's port and prefix. */
bool engine_flows(struct engine *engine, const struct flow_query *query, struct flow_page *ret,
                  struct err *err)
{
    if (query->port == 666) {
        return err_set(err, ERR_USAGE, "port 666 is refused here");
    }
    uint32_t left = query->offset < FAKE_FLOWS ? FAKE_FLOWS - query->offset : 0;
    uint32_t count = left < query->limit ? left : query->limit;
    struct flow_event *flows = calloc(count + 1, sizeof(*flows));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t n = query->offset + i;
        flows[i] = (struct flow_event){
            .head.type = &flow_event_type, .key.port = {(uint16_t)n},
            .source = {4, {10, 1, (uint8_t)(n >> 8), (uint8_t)n}}, .source_port = 40000 + n,
            .destination = {4, {192, 0, 2, 1}}, .destination_port = query->port,
            .transport = "tcp", .network_type = "ipv4", .protocol = query->protocol,
            .network_bytes = 1000000 - n, .network_packets = 1000, .dataset = "flow",
        };
        flow_event_finish(&flows[i]);
    }
    *ret = (struct flow_page){.flows = flows, .count = count, .matched = FAKE_FLOWS,
                              .complete = true};
    return true;
}
