// SPDX-License-Identifier: Apache-2.0
#include "api/board_json.h"

#include "api/hierarchy.h"
#include "base/text.h"
#include "engine/board_rows.h"

static void member_time(struct json *to, const char *name, uint64_t nanoseconds)
{
    char text[TEXT_TIME_ROOM];
    text_rfc3339(text, nanoseconds, 3);
    json_member_text(to, name, text);
}

static void write_totals(const struct board *board, struct json *to)
{
    struct board_worker sum = board_rows_sum(board);
    json_object_begin(to);
    json_member_u64(to, "frames", board->frames);
    json_member_u64(to, "bytes", board->bytes);
    json_member_u64(to, "dropped", board->dropped);
    json_member_u64(to, "flows_active", sum.flows_active);
    json_member_u64(to, "flows_created", sum.flows_created);
    json_member_u64(to, "flows_evicted", sum.flows_evicted);
    json_member_u64(to, "flow_capacity", sum.flow_capacity);
    json_member_u64(to, "conversations_active", sum.talks_active);
    json_member_u64(to, "conversations_refused", sum.talks_refused);
    json_member_u64(to, "conversations_memory_refused", sum.talk_memory_refused);
    json_member_u64(to, "proxy_headers", sum.proxy_headers);
    json_member_u64(to, "events_dropped", sum.events_dropped);
    json_member_u64(to, "events_cut", sum.events_cut);
    json_member_u64(to, "fragments_held", board->fragments_held);
    json_member_u64(to, "fragments_dropped", board->fragments_dropped);
    json_member_u64(to, "memory_used", board->memory_used);
    json_member_u64(to, "memory_limit", board->memory_limit);
    json_object_end(to);
}

static void write_taps(const struct board *board, struct json *to)
{
    json_array_begin(to);
    for (uint32_t i = 0; i < board->tap_count; i++) {
        const struct board_tap *tap = &board->taps[i];
        json_object_begin(to);
        json_member_text(to, "name", tap->name);
        json_member_text(to, "source", tap->source);
        json_member_u64(to, "received", tap->received);
        json_member_u64(to, "dropped", tap->dropped);
        json_member_u64(to, "interface_drops", tap->interface_drops);
        json_object_end(to);
    }
    json_array_end(to);
}

static void write_workers(const struct board *board, struct json *to)
{
    json_array_begin(to);
    for (uint32_t i = 0; i < board->worker_count; i++) {
        const struct board_worker *worker = &board->workers[i];
        json_object_begin(to);
        json_member_u64(to, "packets", worker->packets);
        json_member_u64(to, "bytes", worker->bytes);
        json_member_u64(to, "flows_active", worker->flows_active);
        json_member_u64(to, "flows_created", worker->flows_created);
        json_member_u64(to, "flows_evicted", worker->flows_evicted);
        json_member_u64(to, "flow_capacity", worker->flow_capacity);
        json_member_u64(to, "memory_bytes", worker->memory_bytes);
        json_member_u64(to, "events_dropped", worker->events_dropped);
        json_key(to, "load");
        json_double(to, worker->load);
        json_object_end(to);
    }
    json_array_end(to);
}

static void write_metrics(const struct board *board, struct board_json_options options,
                          struct json *to)
{
    json_object_begin(to);
    for (uint32_t i = 0; i < board->set_count; i++) {
        const struct board_set *set = &board->sets[i];
        json_key(to, set->set->name);
        json_object_begin(to);
        json_key(to, "total");
        metric_block_json(set->set, set->total, options.top, to);
        if (options.window) {
            json_key(to, "window");
            metric_block_json(set->set, set->window, options.top, to);
        }
        json_object_end(to);
    }
    json_object_end(to);
}

static void write_pair(struct json *to, const char *name, const uint64_t pair[2])
{
    json_key(to, name);
    json_array_begin(to);
    json_u64(to, pair[0]);
    json_u64(to, pair[1]);
    json_array_end(to);
}

void board_json_seconds(const struct board *board, uint32_t limit, struct json *to)
{
    uint32_t count = board->history_count;
    json_array_begin(to);
    for (uint32_t i = count > limit ? count - limit : 0; i < count; i++) {
        const struct board_second *second = &board->history[i];
        json_object_begin(to);
        json_member_u64(to, "second", second->second);
        write_pair(to, "packets", second->packets);
        write_pair(to, "bytes", second->bytes);
        json_member_u64(to, "dropped", second->dropped);
        json_member_u64(to, "flows_new", second->flows_new);
        json_object_end(to);
    }
    json_array_end(to);
}

void board_json(const struct board *board, struct board_json_options options, struct json *to)
{
    json_object_begin(to);
    json_member_text(to, "version", VANTAGE_VERSION);
    json_member_text(to, "mode", board->mode);
    json_member_text(to, "note", board->note);
    json_key(to, "ready");
    json_bool(to, board->ready);
    member_time(to, "started", board->started_ns);
    member_time(to, "now", board->now_ns);
    json_key(to, "totals");
    write_totals(board, to);
    json_key(to, "taps");
    write_taps(board, to);
    json_key(to, "workers");
    write_workers(board, to);
    json_key(to, "hierarchy");
    hierarchy_json(board->paths, board->path_count, to);
    json_key(to, "metrics");
    write_metrics(board, options, to);
    if (options.seconds > 0) {
        json_key(to, "seconds");
        board_json_seconds(board, options.seconds, to);
    }
    json_object_end(to);
}
