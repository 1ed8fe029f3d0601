// SPDX-License-Identifier: Apache-2.0
#include "api/get_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/stream.h"

enum { METRICS_TOP = 20 };

/* ---- Text ------------------------------------------------------------------------------------ */

/* Once before the samples of a metric. Its type is told by its name, as Prometheus has it. */
static void write_head(struct json *to, const char *name, const char *help)
{
    size_t size = strlen(name);
    bool is_counter = size > 6 && strcmp(name + size - 6, "_total") == 0;
    json_printf(to, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
                is_counter ? "counter" : "gauge");
}

static void write_one(struct json *to, const char *name, const char *help, double value)
{
    write_head(to, name, help);
    json_printf(to, "%s %.17g\n", name, value);
}

static void write_count(struct json *to, const char *name, const char *help, uint64_t value)
{
    write_head(to, name, help);
    json_printf(to, "%s %llu\n", name, (unsigned long long)value);
}

static void write_label_value(struct json *to, const char *text)
{
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '\n': json_append(to, "\\n", 2); break;
        case '\\': json_append(to, "\\\\", 2); break;
        case '"': json_append(to, "\\\"", 2); break;
        default: json_append(to, text, 1);
        }
    }
}

/* ---- The board ------------------------------------------------------------------------------- */

/* A counter or level of the board, of a tap, a worker or an output: which number, and what it is called. */
struct row {
    const char *name;
    const char *help;
    size_t offset; /* of a uint64_t */
};

static const struct row board_rows[] = {
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
};

static const struct row tap_rows[] = {
    {"vantage_capture_received_packets_total", "Frames taken from a tap",
     offsetof(struct board_tap, received)},
    {"vantage_capture_dropped_packets_total", "Frames that the kernel had no room for",
     offsetof(struct board_tap, dropped)},
    {"vantage_capture_interface_dropped_packets_total", "Frames that the interface lost",
     offsetof(struct board_tap, interface_drops)},
};

static const struct row worker_rows[] = {
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
    {"vantage_worker_memory_bytes", "Memory that a worker's tables touch",
     offsetof(struct board_worker, memory_bytes)},
    {"vantage_events_dropped_total", "Events that the outputs could not take in time",
     offsetof(struct board_worker, events_dropped)},
};

static const struct row output_rows[] = {
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
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static uint64_t number_at(const void *base, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)base + offset, sizeof(value));
    return value;
}

static void write_taps(struct json *to, const struct board *board)
{
    for (size_t i = 0; i < COUNT(tap_rows) && board->tap_count > 0; i++) {
        write_head(to, tap_rows[i].name, tap_rows[i].help);
        for (uint32_t tap = 0; tap < board->tap_count; tap++) {
            json_printf(to, "%s{tap=\"", tap_rows[i].name);
            write_label_value(to, board->taps[tap].name);
            json_printf(to, "\"} %llu\n",
                        (unsigned long long)number_at(&board->taps[tap], tap_rows[i].offset));
        }
    }
}

static void write_outputs(struct json *to, const struct board *board)
{
    for (size_t i = 0; i < COUNT(output_rows) && board->output_count > 0; i++) {
        write_head(to, output_rows[i].name, output_rows[i].help);
        for (uint32_t n = 0; n < board->output_count; n++) {
            const struct board_output *output = &board->outputs[n];
            json_printf(to, "%s{output=\"%u\",kind=\"%s\"} %llu\n", output_rows[i].name, n,
                        output->kind,
                        (unsigned long long)number_at(output, output_rows[i].offset));
        }
    }
}

static void write_workers(struct json *to, const struct board *board)
{
    for (size_t i = 0; i < COUNT(worker_rows) && board->worker_count > 0; i++) {
        write_head(to, worker_rows[i].name, worker_rows[i].help);
        for (uint32_t w = 0; w < board->worker_count; w++) {
            json_printf(to, "%s{worker=\"%u\"} %llu\n", worker_rows[i].name, w,
                        (unsigned long long)number_at(&board->workers[w], worker_rows[i].offset));
        }
    }
    if (board->worker_count > 0) {
        write_head(to, "vantage_worker_load_ratio", "Share of the last second spent working");
    }
    for (uint32_t w = 0; w < board->worker_count; w++) {
        json_printf(to, "vantage_worker_load_ratio{worker=\"%u\"} %.6g\n", w,
                    board->workers[w].load);
    }
}

static void write_board(struct json *to, const struct board *board)
{
    write_head(to, "vantage_build_info", "Which vantage this is; always 1");
    json_printf(to, "vantage_build_info{version=\"%s\",mode=\"", VANTAGE_VERSION);
    write_label_value(to, board->mode);
    json_printf(to, "\"} 1\n");
    write_count(to, "vantage_ready", "1 when the taps are open and the workers run", board->ready);
    for (size_t i = 0; i < COUNT(board_rows); i++) {
        write_count(to, board_rows[i].name, board_rows[i].help,
                    number_at(board, board_rows[i].offset));
    }
    write_taps(to, board);
    write_workers(to, board);
    write_outputs(to, board);
    for (uint32_t i = 0; i < board->set_count; i++) {
        metric_block_prometheus(board->sets[i].set, board->sets[i].total, METRICS_TOP, "vantage",
                                to);
    }
    write_one(to, "process_start_time_seconds", "Start of the process, since 1970",
              (double)board->started_ns / 1e9);
}

/* ---- The process ----------------------------------------------------------------------------- */

static double seconds_of(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void write_memory(struct json *to)
{
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) {
        return; /* a sandbox without /proc */
    }
    unsigned long virtual_pages;
    unsigned long resident_pages;
    if (fscanf(file, "%lu %lu", &virtual_pages, &resident_pages) == 2) {
        uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
        write_count(to, "process_virtual_memory_bytes", "Address space", virtual_pages * page);
        write_count(to, "process_resident_memory_bytes", "Memory in RAM", resident_pages * page);
    }
    fclose(file);
}

static void write_descriptors(struct json *to)
{
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) {
        return;
    }
    uint64_t open_files = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        open_files += entry->d_name[0] != '.';
    }
    closedir(directory);
    write_count(to, "process_open_fds", "Open files and sockets", open_files - 1);
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        write_count(to, "process_max_fds", "Files and sockets that may be open", limit.rlim_cur);
    }
}

static void write_process(struct json *to)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        write_one(to, "process_cpu_seconds_total", "CPU time, user and system",
                  seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    }
    write_memory(to);
    write_descriptors(to);
}

void get_metrics(struct exchange *x)
{
    x->type = "text/plain; version=0.0.4; charset=utf-8";
    write_board(&x->body, engine_lock(x->service->engine));
    engine_unlock(x->service->engine);
    write_count(&x->body, "vantage_api_streams", "Event streams that are open now",
                stream_listeners(x->service->stream));
    write_process(&x->body);
}
