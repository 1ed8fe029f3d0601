// SPDX-License-Identifier: Apache-2.0
#include "api/get_metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "api/metrics_paths.h"
#include "api/metrics_text.h"
#include "api/stream.h"
#include "engine/board_rows.h"

enum { METRICS_TOP = 20 };

/* ---- Text ------------------------------------------------------------------------------------ */

static void write_one(struct json *to, const char *name, const char *help, double value)
{
    metrics_text_head(to, name, help);
    json_printf(to, "%s %.17g\n", name, value);
}

static void write_count(struct json *to, const char *name, const char *help, uint64_t value)
{
    metrics_text_head(to, name, help);
    json_printf(to, "%s %llu\n", name, (unsigned long long)value);
}

/* ---- The board ------------------------------------------------------------------------------- */

static void write_taps(struct json *to, const struct board *board)
{
    const struct board_row *row = board->tap_count > 0 ? board_tap_rows : NULL;
    for (; row != NULL && row->name != NULL; row++) {
        metrics_text_head(to, row->name, row->help);
        for (uint32_t tap = 0; tap < board->tap_count; tap++) {
            json_printf(to, "%s{tap=\"", row->name);
            metrics_text_value(to, board->taps[tap].name);
            json_printf(to, "\"} %llu\n",
                        (unsigned long long)board_row_value(row, &board->taps[tap]));
        }
    }
}

static void write_outputs(struct json *to, const struct board *board)
{
    const struct board_row *row = board->output_count > 0 ? board_output_rows : NULL;
    for (; row != NULL && row->name != NULL; row++) {
        metrics_text_head(to, row->name, row->help);
        for (uint32_t n = 0; n < board->output_count; n++) {
            const struct board_output *output = &board->outputs[n];
            json_printf(to, "%s{output=\"%u\",kind=\"%s\"} %llu\n", row->name, n,
                        output->kind,
                        (unsigned long long)board_row_value(row, output));
        }
    }
}

static void write_workers(struct json *to, const struct board *board)
{
    const struct board_row *row = board->worker_count > 0 ? board_worker_rows : NULL;
    for (; row != NULL && row->name != NULL; row++) {
        metrics_text_head(to, row->name, row->help);
        for (uint32_t w = 0; w < board->worker_count; w++) {
            json_printf(to, "%s{worker=\"%u\"} %llu\n", row->name, w,
                        (unsigned long long)board_row_value(row, &board->workers[w]));
        }
    }
    if (board->worker_count > 0) {
        metrics_text_head(to, "vantage_worker_load_ratio", "Share of the last second spent working");
    }
    for (uint32_t w = 0; w < board->worker_count; w++) {
        json_printf(to, "vantage_worker_load_ratio{worker=\"%u\"} %.6g\n", w,
                    board->workers[w].load);
    }
}

static void write_board(struct json *to, const struct board *board)
{
    metrics_text_head(to, "vantage_build_info", "Which vantage this is; always 1");
    json_printf(to, "vantage_build_info{version=\"%s\",mode=\"", VANTAGE_VERSION);
    metrics_text_value(to, board->mode);
    json_printf(to, "\"} 1\n");
    write_count(to, "vantage_ready", "1 when the taps are open and the workers run", board->ready);
    for (const struct board_row *row = board_rows; row->name != NULL; row++) {
        write_count(to, row->name, row->help, board_row_value(row, board));
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
    metrics_paths_write(&x->body, x->service->engine);
    write_count(&x->body, "vantage_api_streams", "Event streams that are open now",
                stream_listeners(x->service->stream));
    write_process(&x->body);
}
