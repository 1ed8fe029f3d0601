// SPDX-License-Identifier: Apache-2.0
#include "engine/board_rows.h"

const struct board_row board_rows[] = {
    {"vantage_packets_total", "Frames analysed", offsetof(struct board, frames)},
    {"vantage_bytes_total", "Length of those frames on the wire", offsetof(struct board, bytes)},
    {"vantage_dropped_packets_total", "Frames lost by the kernel or by full rings of our own",
     offsetof(struct board, dropped)},
    {"vantage_fragments_held", "Fragmented datagrams that wait for the rest of their fragments",
     offsetof(struct board, fragments_held)},
    {"vantage_fragments_dropped_total", "Fragmented datagrams given up for want of room or time",
     offsetof(struct board, fragments_dropped)},
    {"vantage_memory_bytes", "Memory that the flow tables touch",
     offsetof(struct board, memory_used)},
    {"vantage_memory_limit_bytes", "Memory that they may use at most",
     offsetof(struct board, memory_limit)},
    {0},
};

const struct board_row board_tap_rows[] = {
    {"vantage_capture_received_packets_total", "Frames taken from a tap",
     offsetof(struct board_tap, received)},
    {"vantage_capture_dropped_packets_total", "Frames that the kernel had no room for",
     offsetof(struct board_tap, dropped)},
    {"vantage_capture_interface_dropped_packets_total", "Frames that the interface lost",
     offsetof(struct board_tap, interface_drops)},
    {0},
};

const struct board_row board_worker_rows[] = {
    {"vantage_worker_packets_total", "Frames analysed by a worker",
     offsetof(struct board_worker, packets)},
    {"vantage_worker_bytes_total", "Bytes analysed by a worker",
     offsetof(struct board_worker, bytes)},
    {"vantage_flows_active", "Flows in a worker's table",
     offsetof(struct board_worker, flows_active)},
    {"vantage_flows_capacity", "Flows that fit into a worker's table",
     offsetof(struct board_worker, flow_capacity)},
    {"vantage_flows_created_total", "Flows begun", offsetof(struct board_worker, flows_created)},
    {"vantage_flows_evicted_total", "Flows ended because their place was needed",
     offsetof(struct board_worker, flows_evicted)},
    {"vantage_conversations_active", "Flows whose protocol is followed",
     offsetof(struct board_worker, talks_active)},
    {"vantage_conversations_refused_total", "Flows that are not followed for want of memory",
     offsetof(struct board_worker, talks_refused)},
    {"vantage_conversations_memory_refused_total",
     "Times that what is said found no memory to wait in",
     offsetof(struct board_worker, talk_memory_refused)},
    {"vantage_proxy_headers_total", "Headers of the PROXY protocol that were passed over",
     offsetof(struct board_worker, proxy_headers)},
    {"vantage_worker_memory_bytes", "Memory that a worker's tables touch",
     offsetof(struct board_worker, memory_bytes)},
    {"vantage_events_dropped_total", "Events that the outputs could not take in time",
     offsetof(struct board_worker, events_dropped)},
    {"vantage_events_cut_total", "Events whose texts were cut for want of memory",
     offsetof(struct board_worker, events_cut)},
    {0},
};

const struct board_row board_output_rows[] = {
    {"vantage_output_events_total", "Events that an output delivered",
     offsetof(struct board_output, events)},
    {"vantage_output_bytes_total", "Their size", offsetof(struct board_output, bytes)},
    {"vantage_output_lost_events_total", "Events that an output gave up on",
     offsetof(struct board_output, lost)},
    {"vantage_output_refused_events_total", "Of those, events that the other side would not have",
     offsetof(struct board_output, refused)},
    {"vantage_output_waiting_events", "Events in an output's queue",
     offsetof(struct board_output, waiting)},
    {"vantage_output_retries_total", "Requests that an output sent again",
     offsetof(struct board_output, retries)},
    {0},
};

uint64_t board_row_value(const struct board_row *row, const void *of)
{
    uint64_t value;
    memcpy(&value, (const char *)of + row->offset, sizeof value);
    return value;
}

bool board_row_grows(const struct board_row *row)
{
    size_t size = strlen(row->name);
    return size > 6 && strcmp(row->name + size - 6, "_total") == 0;
}

struct board_worker board_rows_sum(const struct board *board)
{
    struct board_worker sum = {0};
    for (uint32_t i = 0; i < board->worker_count; i++) {
        for (const struct board_row *row = board_worker_rows; row->name != NULL; row++) {
            *(uint64_t *)((uint8_t *)&sum + row->offset) +=
                board_row_value(row, &board->workers[i]);
        }
    }
    return sum;
}
