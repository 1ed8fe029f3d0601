// SPDX-License-Identifier: Apache-2.0
#include "api/get_beat.h"

#include <dirent.h>
#include <malloc.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "engine/board_rows.h"
#include "event/beat.h"

bool get_beat_serves(const struct exchange *x)
{
    const char *accepted = exchange_header(x, "Accept");
    bool is_root = strcmp(x->path, "/") == 0;
    bool wants_page = is_root && accepted != NULL && strstr(accepted, "text/html") != NULL;
    return x->service->beat != NULL && !wants_page &&
           (is_root || strcmp(x->path, "/stats") == 0 || strcmp(x->path, "/state") == 0);
}

/* ---- Writing ---------------------------------------------------------------------------------- */

static void begin(struct json *to, const char *name)
{
    json_key(to, name);
    json_object_begin(to);
}

/* ---- The process ------------------------------------------------------------------------------ */

static uint64_t milliseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_usec / 1000;
}

static void write_time(struct json *to, const char *name, uint64_t ms)
{
    begin(to, name);
    json_member_u64(to, "ticks", ms);
    begin(to, "time");
    json_member_u64(to, "ms", ms);
    json_object_end(to);
    json_object_end(to);
}

static void write_cpu(struct json *to)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    uint64_t user = milliseconds(usage.ru_utime);
    uint64_t system = milliseconds(usage.ru_stime);
    begin(to, "cpu");
    write_time(to, "system", system);
    write_time(to, "user", user);
    begin(to, "total");
    json_member_u64(to, "ticks", user + system);
    begin(to, "time");
    json_member_u64(to, "ms", user + system);
    json_object_end(to);
    json_member_u64(to, "value", user + system);
    json_object_end(to);
    json_object_end(to);
}

static void write_memory(struct json *to)
{
    struct mallinfo2 heap = mallinfo2();
    unsigned long long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL) {
        (void)!fscanf(file, "%llu %llu", &size, &resident);
        fclose(file);
    }
    begin(to, "memstats");
    json_member_u64(to, "memory_alloc", heap.uordblks + heap.hblkhd);
    json_member_u64(to, "memory_sys", heap.arena + heap.hblkhd);
    json_member_u64(to, "memory_total", heap.uordblks + heap.hblkhd);
    json_member_u64(to, "gc_next", 0);
    json_member_u64(to, "rss", resident * (uint64_t)sysconf(_SC_PAGESIZE));
    json_object_end(to);
}

static uint64_t entries_of(const char *path)
{
    DIR *folder = opendir(path);
    uint64_t count = 0;
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    if (folder != NULL) {
        closedir(folder);
        count -= count > 0 && strcmp(path, "/proc/self/fd") == 0; /* the folder itself */
    }
    return count;
}

static void write_handles(struct json *to)
{
    struct rlimit limit = {0};
    getrlimit(RLIMIT_NOFILE, &limit);
    begin(to, "handles");
    json_member_u64(to, "open", entries_of("/proc/self/fd"));
    begin(to, "limit");
    json_member_u64(to, "hard", limit.rlim_max);
    json_member_u64(to, "soft", limit.rlim_cur);
    json_object_end(to);
    json_object_end(to);
}

static uint64_t uptime_ms(const struct board *board)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    uint64_t began_ms = board->started_ns / 1000000;
    return now_ms > began_ms ? now_ms - began_ms : 0;
}

static void write_process(struct json *to, const struct beat_options *beat,
                          const struct board *board)
{
    begin(to, "beat");
    write_cpu(to);
    write_handles(to);
    begin(to, "info");
    json_member_text(to, "ephemeral_id", beat->ephemeral_id);
    json_member_text(to, "name", "packetbeat");
    json_member_text(to, "version", BEAT_VERSION);
    begin(to, "uptime");
    json_member_u64(to, "ms", uptime_ms(board));
    json_object_end(to);
    json_object_end(to);
    write_memory(to);
    begin(to, "runtime");
    json_member_u64(to, "goroutines",
                    entries_of("/proc/self/task")); /* threads are what there is */
    json_object_end(to);
    json_object_end(to);
}

static void write_load(struct json *to, double divisor, double const load[3])
{
    static const char *const names[] = {"1", "5", "15"};
    for (size_t i = 0; i < 3; i++) {
        json_key(to, names[i]);
        json_printf(to, "%.4g", load[i] / divisor);
        to->comma = true;
    }
}

static void write_system(struct json *to)
{
    double load[3] = {0};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    (void)getloadavg(load, 3);
    begin(to, "system");
    begin(to, "cpu");
    json_member_u64(to, "cores", (uint64_t)cores);
    json_object_end(to);
    begin(to, "load");
    write_load(to, 1, load);
    begin(to, "norm");
    write_load(to, cores > 0 ? (double)cores : 1, load);
    json_object_end(to);
    json_object_end(to);
    json_object_end(to);
}

/* ---- Events ----------------------------------------------------------------------------------- */

/* Outputs as one: Packetbeat has one only. */
static struct board_output sum_of(const struct board *board)
{
    struct board_output sum = {0};
    for (uint32_t i = 0; i < board->output_count; i++) {
        for (const struct board_row *row = board_output_rows; row->name != NULL; row++) {
            *(uint64_t *)((uint8_t *)&sum + row->offset) +=
                board_row_value(row, &board->outputs[i]);
        }
    }
    return sum;
}

static const char *kind_of(const struct board *board)
{
    const char *kind = board->output_count > 0 ? board->outputs[0].kind : "discard";
    return strcmp(kind, "stdout") == 0 ? "console" : kind;
}

/* What was given up on without a word from the other side found no room in the queue. */
static void write_output(struct json *to, const struct board *board, const struct board_output *all)
{
    begin(to, "output");
    json_member_text(to, "type", kind_of(board));
    begin(to, "events");
    json_member_u64(to, "acked", all->events);
    json_member_u64(to, "active", 0);
    json_member_u64(to, "batches", 0);
    json_member_u64(to, "dead_letter", 0);
    json_member_u64(to, "dropped", all->refused);
    json_member_u64(to, "duplicates", 0);
    json_member_u64(to, "failed", all->retries);
    json_member_u64(to, "toomany", 0);
    json_member_u64(to, "total", all->events + all->refused);
    json_object_end(to);
    begin(to, "read");
    json_member_u64(to, "bytes", 0);
    json_member_u64(to, "errors", 0);
    json_object_end(to);
    begin(to, "write");
    json_member_u64(to, "bytes", all->bytes);
    json_member_u64(to, "errors", all->retries);
    json_object_end(to);
    json_object_end(to);
}

static void write_pipeline(struct json *to, const struct board *board,
                           const struct board_output *all)
{
    uint64_t unfit = board_rows_sum(board).events_dropped + all->lost - all->refused;
    uint64_t taken = all->events + all->refused + all->waiting;
    begin(to, "pipeline");
    json_member_u64(to, "clients", board->tap_count);
    begin(to, "events");
    json_member_u64(to, "active", all->waiting);
    json_member_u64(to, "dropped", unfit);
    json_member_u64(to, "failed", 0);
    json_member_u64(to, "filtered", 0);
    json_member_u64(to, "published", taken);
    json_member_u64(to, "retry", all->retries);
    json_member_u64(to, "total", taken + unfit);
    json_object_end(to);
    begin(to, "queue");
    json_member_u64(to, "acked", all->events + all->refused);
    begin(to, "filled");
    json_member_u64(to, "events", all->waiting);
    json_object_end(to);
    json_object_end(to);
    json_object_end(to);
}

static void write_libbeat(struct json *to, const struct board *board)
{
    static const char *const modules[] = {"running", "starts", "stops"};
    struct board_output all = sum_of(board);
    begin(to, "libbeat");
    begin(to, "config");
    begin(to, "module");
    for (size_t i = 0; i < sizeof modules / sizeof *modules; i++) {
        json_member_u64(to, modules[i], 0);
    }
    json_object_end(to);
    json_member_u64(to, "reloads", 0);
    json_member_u64(to, "scans", 0);
    json_object_end(to);
    write_output(to, board, &all);
    write_pipeline(to, board, &all);
    json_object_end(to);
}

/* Of each protocol the plain counters: unmatched requests and responses, malformed ones, gaps. */
static void write_protocols(struct json *to, const struct board *board)
{
    for (uint32_t i = 0; i < board->set_count; i++) {
        const struct board_set *set = &board->sets[i];
        begin(to, set->set->name);
        for (const struct metric *m = set->set->metrics; m->name != NULL; m++) {
            uint64_t value;
            if (m->kind == METRIC_COUNTER) {
                memcpy(&value, (const uint8_t *)set->total + m->offset, sizeof value);
                json_member_u64(to, m->name, value);
            }
        }
        json_object_end(to);
    }
}

static void write_capture(struct json *to, const struct board *board)
{
    begin(to, "capture");
    json_member_u64(to, "packets", board->frames);
    json_member_u64(to, "bytes", board->bytes);
    json_member_u64(to, "dropped", board->dropped);
    json_object_end(to);
}

/* ---- Pages ------------------------------------------------------------------------------------ */

static void write_stats(struct json *to, const struct beat_options *beat, const struct board *board)
{
    write_process(to, beat, board);
    write_libbeat(to, board);
    write_system(to);
    begin(to, "vantage");
    write_capture(to, board);
    write_protocols(to, board);
    json_object_end(to);
}

/* A text of what this machine is, under the last part of its name. */
static void write_fact(struct json *to, const struct beat_options *beat, const char *name)
{
    const struct node *fact = beat->host != NULL ? node_find(beat->host, span_str(name)) : NULL;
    const char *point = strrchr(name, '.');
    json_key(to, point != NULL ? point + 1 : name);
    json_span(to, fact != NULL ? fact->text : span_str(""));
}

static void write_host(struct json *to, const struct beat_options *beat)
{
    static const char *const system[] = {"os.family", "os.kernel", "os.name", "os.platform",
                                         "os.version"};
    const struct node *contained =
        beat->host != NULL ? node_find(beat->host, span_str("containerized")) : NULL;
    begin(to, "host");
    write_fact(to, beat, "architecture");
    json_key(to, "containerized");
    json_bool(to, contained != NULL && node_is(contained, "true"));
    json_member_text(to, "hostname", beat->hostname);
    write_fact(to, beat, "id");
    begin(to, "os");
    for (size_t i = 0; i < sizeof system / sizeof *system; i++) {
        write_fact(to, beat, system[i]);
    }
    json_object_end(to);
    json_object_end(to);
}

static void write_state(struct json *to, const struct beat_options *beat, const struct board *board)
{
    begin(to, "beat");
    json_member_text(to, "name", beat->name);
    json_object_end(to);
    write_host(to, beat);
    begin(to, "management");
    json_key(to, "enabled");
    json_bool(to, false);
    json_object_end(to);
    begin(to, "module");
    json_member_u64(to, "count", 0);
    json_key(to, "names");
    json_array_begin(to);
    json_array_end(to);
    json_object_end(to);
    if (beat->cluster != NULL && beat->cluster[0] != '\0') {
        begin(to, "monitoring");
        json_member_text(to, "cluster_uuid", beat->cluster);
        json_object_end(to);
    }
    begin(to, "output");
    json_member_text(to, "name", kind_of(board));
    json_member_u64(to, "clients", 1);
    json_member_u64(to, "batch_size", 0);
    json_object_end(to);
    begin(to, "queue");
    json_member_text(to, "name", "mem");
    json_object_end(to);
    begin(to, "service");
    json_member_text(to, "id", beat->id);
    json_member_text(to, "name", "packetbeat");
    json_member_text(to, "version", BEAT_VERSION);
    json_object_end(to);
}

static void write_who(struct json *to, const struct beat_options *beat)
{
    char buffer[1024];
    char id[24];
    struct passwd entry;
    struct passwd *user = NULL;
    struct utsname system = {0};
    uname(&system);
    (void)getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &user);
    json_member_text(to, "beat", "packetbeat");
    json_member_text(to, "binary_arch", system.machine);
    json_member_text(to, "build_commit", VANTAGE_VERSION);
    json_member_text(to, "build_time", "");
    json_key(to, "elastic_licensed");
    json_bool(to, false);
    json_member_text(to, "ephemeral_id", beat->ephemeral_id);
    snprintf(id, sizeof id, "%u", getgid());
    json_member_text(to, "gid", id);
    json_member_text(to, "hostname", beat->hostname);
    json_member_text(to, "name", beat->name);
    snprintf(id, sizeof id, "%u", getuid());
    json_member_text(to, "uid", id);
    json_member_text(to, "username", user != NULL ? user->pw_name : "");
    json_member_text(to, "uuid", beat->id);
    json_member_text(to, "version", BEAT_VERSION);
}

void get_beat(struct exchange *x)
{
    const struct beat_options *beat = x->service->beat;
    struct json *to = &x->body;
    const struct board *board = engine_lock(x->service->engine);
    json_object_begin(to);
    if (strcmp(x->path, "/stats") == 0) {
        write_stats(to, beat, board);
    } else if (strcmp(x->path, "/state") == 0) {
        write_state(to, beat, board);
    } else {
        write_who(to, beat);
    }
    json_object_end(to);
    engine_unlock(x->service->engine);
}
