// SPDX-License-Identifier: Apache-2.0
#include "api/get_health.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "api/stream.h"
#include "base/text.h"

static void write_check(struct json *to, const char *name, bool ok, const char *detail)
{
    json_object_begin(to);
    json_key(to, "name");
    json_text(to, name);
    json_key(to, "ok");
    json_bool(to, ok);
    json_key(to, "detail");
    json_text(to, detail);
    json_object_end(to);
}

static void check_figures(struct json *to, bool alive, uint64_t age_ms)
{
    char detail[96];
    snprintf(detail, sizeof(detail), "brought up to date %.1f s ago", (double)age_ms / 1e3);
    write_check(to, "figures", alive, detail);
}

/* A capture that lost packets is alive, but its figures are not the whole truth. */
static void check_capture(struct json *to, const struct board *board)
{
    char detail[96];
    if (board->dropped == 0) {
        snprintf(detail, sizeof(detail), "all packets analysed, none dropped");
    } else {
        uint64_t all = board->frames + board->dropped;
        snprintf(detail, sizeof(detail), "%llu of %llu packets dropped",
                 (unsigned long long)board->dropped, (unsigned long long)all);
    }
    write_check(to, "capture", board->dropped == 0, detail);
}

static void check_memory(struct json *to, const struct board *board)
{
    char used[TEXT_ROOM];
    char limit[TEXT_ROOM];
    char detail[2 * TEXT_ROOM + 16];
    snprintf(detail, sizeof(detail), "%s of %s", text_short_bytes(used, (double)board->memory_used),
             text_short_bytes(limit, (double)board->memory_limit));
    write_check(to, "memory", board->memory_used <= board->memory_limit, detail);
}

static void check_flows(struct json *to, const struct board *board)
{
    uint64_t evicted = 0;
    uint64_t events_dropped = 0;
    for (uint32_t i = 0; i < board->worker_count; i++) {
        evicted += board->workers[i].flows_evicted;
        events_dropped += board->workers[i].events_dropped;
    }
    char detail[128];
    snprintf(detail, sizeof(detail), "%llu flows evicted for want of room, %llu events not written",
             (unsigned long long)evicted, (unsigned long long)events_dropped);
    write_check(to, "flows", evicted == 0 && events_dropped == 0, detail);
}

static void check_outputs(struct json *to, const struct board *board)
{
    uint64_t lost = 0;
    uint64_t waiting = 0;
    const char *trouble = "";
    for (uint32_t i = 0; i < board->output_count; i++) {
        lost += board->outputs[i].lost;
        waiting += board->outputs[i].waiting;
        trouble = board->outputs[i].trouble[0] != '\0' ? board->outputs[i].trouble : trouble;
    }
    char detail[320];
    snprintf(detail, sizeof(detail), "%llu events lost, %llu waiting%s%s", (unsigned long long)lost,
             (unsigned long long)waiting, trouble[0] != '\0' ? "; " : "", trouble);
    write_check(to, "outputs", lost == 0 && trouble[0] == '\0', detail);
}

void get_health(struct exchange *x)
{
    uint64_t age_ms = stream_age_ms(x->service->stream);
    bool alive = age_ms < HEALTH_STALL_SECONDS * 1000;
    struct json *to = &x->body;
    const struct board *board = engine_lock(x->service->engine);
    json_object_begin(to);
    json_key(to, "status");
    json_text(to, alive ? "ok" : "stalled");
    json_key(to, "ready");
    json_bool(to, board->ready);
    json_key(to, "checks");
    json_array_begin(to);
    check_figures(to, alive, age_ms);
    check_capture(to, board);
    check_memory(to, board);
    check_flows(to, board);
    if (board->output_count > 0) {
        check_outputs(to, board);
    }
    json_array_end(to);
    json_object_end(to);
    engine_unlock(x->service->engine);
    x->status = alive ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

void get_health_ready(struct exchange *x)
{
    bool ready = engine_lock(x->service->engine)->ready;
    engine_unlock(x->service->engine);
    if (!ready) {
        exchange_refuse(x, MHD_HTTP_SERVICE_UNAVAILABLE,
                        "not ready: the taps are still being opened; ask again in a second");
        exchange_add_header(x, "Retry-After", "1");
        return;
    }
    json_object_begin(&x->body);
    json_key(&x->body, "ready");
    json_bool(&x->body, true);
    json_object_end(&x->body);
}

void get_health_app(struct exchange *x)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct board *board = engine_lock(x->service->engine);
    double up = (double)now.tv_sec - (double)board->started_ns / 1e9 + (double)now.tv_nsec / 1e9;
    char started[TEXT_TIME_ROOM];
    text_rfc3339(started, board->started_ns, 3);
    struct json *to = &x->body;
    json_object_begin(to);
    json_key(to, "app");
    json_object_begin(to);
    json_key(to, "version");
    json_text(to, HEALTH_PKTVISOR_VERSION);
    json_key(to, "up_time_min");
    json_double(to, up > 0 ? up / 60 : 0);
    json_key(to, "name");
    json_text(to, "vantage");
    json_key(to, "vantage_version");
    json_text(to, VANTAGE_VERSION);
    json_key(to, "mode");
    json_text(to, board->mode);
    json_key(to, "started");
    json_text(to, started);
    json_key(to, "pid");
    json_i64(to, getpid());
    json_object_end(to);
    json_object_end(to);
    engine_unlock(x->service->engine);
}
