// SPDX-License-Identifier: Apache-2.0
#include "cmd/summary_json.h"

#include "base/json.h"
#include "base/text.h"
#include "cmd/board_value.h"
#include "engine/board_rows.h"
#include "wire/packet.h"

enum { TOP_ITEMS = 10 };

static void put_time(struct json *j, const char *key, bool known, uint64_t ns)
{
    char text[TEXT_TIME_ROOM];
    json_key(j, key);
    if (known) {
        text_rfc3339(text, ns, 9);
        json_text(j, text);
    } else {
        json_null(j);
    }
}

static void put_protocols(struct json *j, const struct board *board)
{
    json_key(j, "protocols");
    json_object_begin(j);
    json_member_u64(j, "ipv4", board_value(board, "net", "ipv4"));
    json_member_u64(j, "ipv6", board_value(board, "net", "ipv6"));
    for (unsigned class = 0; class < PACKET_CLASSES; class++) {
        uint64_t count = board_label_value(board, "net", "class_packets", class);
        if (count > 0) {
            json_member_u64(j, packet_class_name((enum packet_class)class), count);
        }
    }
    json_object_end(j);
}

static void put_capture(struct json *j, const struct engine *engine, const struct board *board)
{
    uint64_t first = 0, last = 0;
    bool known = engine_span(engine, &first, &last);
    json_key(j, "capture");
    json_object_begin(j);
    json_key(j, "source");
    json_text(j, board->tap_count > 0 ? board->taps[0].source : "");
    json_member_u64(j, "packets", board->frames);
    json_member_u64(j, "bytes", board->bytes);
    put_time(j, "first", known, first);
    put_time(j, "last", known, last);
    json_member_u64(j, "dropped", board->dropped);
    put_protocols(j, board);
    json_object_end(j);
}

static void put_agent(struct json *j, const struct board *board)
{
    struct board_worker sum = board_rows_sum(board);
    json_key(j, "agent");
    json_object_begin(j);
    json_member_u64(j, "workers", board->worker_count);
    json_member_u64(j, "memory_limit", board->memory_limit);
    json_member_u64(j, "flow_memory", board->memory_used);
    json_member_u64(j, "flow_capacity", sum.flow_capacity);
    json_member_u64(j, "flows_created", sum.flows_created);
    json_member_u64(j, "flows_evicted", sum.flows_evicted);
    json_member_u64(j, "conversations_active", sum.talks_active);
    json_member_u64(j, "conversations_refused", sum.talks_refused);
    json_member_u64(j, "conversations_memory_refused", sum.talk_memory_refused);
    json_member_u64(j, "proxy_headers", sum.proxy_headers);
    json_member_u64(j, "events_cut", sum.events_cut);
    json_member_u64(j, "fragments_dropped", board->fragments_dropped);
    json_object_end(j);
}

void summary_json_print(struct engine *engine, FILE *out)
{
    struct json j;
    json_init(&j);
    const struct board *board = engine_lock(engine);
    json_object_begin(&j);
    put_capture(&j, engine, board);
    put_agent(&j, board);
    json_key(&j, "policies");
    json_object_begin(&j);
    json_key(&j, "default");
    json_object_begin(&j);
    for (uint32_t i = 0; i < board->set_count; i++) {
        json_key(&j, board->sets[i].set->name);
        metric_block_json(board->sets[i].set, board->sets[i].total, TOP_ITEMS, &j);
    }
    json_object_end(&j);
    json_object_end(&j);
    json_object_end(&j);
    engine_unlock(engine);
    fwrite(j.data, 1, j.size, out);
    fputc('\n', out);
    json_done(&j);
}
