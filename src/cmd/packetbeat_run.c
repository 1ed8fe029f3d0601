// SPDX-License-Identifier: Apache-2.0
#include "cmd/packetbeat_run.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/agent.h"
#include "cmd/interrupt.h"
#include "cmd/packetbeat_config.h"
#include "cmd/packetbeat_dashboards.h"
#include "event/beat.h"
#include "tap/pcapwrite.h"
#include "tap/tap.h"

enum { DUMP_PATH = 4096 };

/* Whether a debug selector was given; "*" stands for all. */
static bool selects(const struct arguments *a, const char *wanted)
{
    size_t count;
    const char *const *lists = arguments_list(a, "d", &count);
    for (size_t i = 0; i < count; i++) {
        for (const char *at = lists[i]; *at != '\0';) {
            size_t size = strcspn(at, ",");
            bool is_all = size == 1 && *at == '*';
            if (is_all || (strlen(wanted) == size && strncmp(at, wanted, size) == 0)) {
                return true;
            }
            at += size + (at[size] == ',');
        }
    }
    return false;
}

/* ---- Captures ---------------------------------------------------------------------------------------- */

static int complain(const struct err *err)
{
    fprintf(stderr, "vantage packetbeat: %s\n", err->text);
    return err->code != ERR_NONE ? (int)err->code : ERR_FAILED;
}

static int read_once(const struct config *config, struct pcapwrite *writer)
{
    struct err err = {0};
    struct engine_options engine_options = {.mode = "read", .listens = true, .writer = writer};
    struct engine *engine = engine_new(config, &engine_options, &err);
    if (engine == NULL) {
        return complain(&err);
    }
    enum engine_status status = ENGINE_MORE;
    while (status == ENGINE_MORE && !interrupt_seen()) {
        status = engine_read(engine, &err);
    }
    engine_stop(engine, &err);
    engine_free(engine);
    return status == ENGINE_FAILED || err.code != ERR_NONE ? complain(&err) : ERR_NONE;
}

static struct pcapwrite *open_dump(const struct arguments *a, struct err *err)
{
    const char *prefix = arguments_string(a, "dump");
    if (prefix == NULL) {
        return NULL;
    }
    char path[DUMP_PATH];
    char date[32];
    time_t now = time(NULL);
    struct tm local;
    strftime(date, sizeof date, "%Y%m%d%H%M%S", localtime_r(&now, &local));
    snprintf(path, sizeof path, "%s-%s.pcap", prefix, date);
    return pcapwrite_open(path, PCAPWRITE_BY_NAME, err);
}

static int read_capture(const struct arguments *a, const struct config *config)
{
    struct err err = {0};
    struct pcapwrite *writer = open_dump(a, &err);
    if (err.code != ERR_NONE) {
        return complain(&err);
    }
    if (selects(a, "procs")) {
        fprintf(stderr, "Process watcher disabled when file input is used\n");
    }
    interrupt_watch();
    int64_t rounds = arguments_number(a, "l");
    int status = ERR_NONE;
    for (int64_t i = 0; (rounds == 0 || i < rounds) && status == ERR_NONE && !interrupt_seen(); i++) {
        status = read_once(config, writer);
    }
    if (!pcapwrite_close(writer, &err) && err.code != ERR_NONE) {
        status = complain(&err);
    }
    return status;
}

/* ---- Live -------------------------------------------------------------------------------------------- */

static int run_live(const struct arguments *a, struct config *config)
{
    struct err err = {0};
    bool prints = config->output_count > 0 && strcmp(config->outputs[0].kind, "stdout") == 0;
    if (arguments_flag(a, "O")) {
        fprintf(stderr, "vantage packetbeat: not applicable: -O (it is for captures, with -I)\n");
    }
    if (arguments_given(a, "dump") && config->limits.workers > 1) {
        fprintf(stderr, "vantage packetbeat: --dump: one thread writes: max_procs is 1\n");
        config->limits.workers = 1;
    }
    struct pcapwrite *writer = open_dump(a, &err);
    if (err.code != ERR_NONE) {
        return complain(&err);
    }
    int status = agent_run(config, &(struct agent_options){.command = "packetbeat",
                                                           .mode = "live",
                                                           .is_quiet = prints,
                                                           .writer = writer});
    return pcapwrite_close(writer, &err) || err.code == ERR_NONE ? status : complain(&err);
}

int packetbeat_run(const struct arguments *a)
{
    struct beat_config *beat = packetbeat_config(a);
    if (beat == NULL) {
        return ERR_FAILED;
    }
    struct config *config = beat->config;
    bool is_file = !tap_kind_find(config->taps[0].kind)->is_live;
    log_set_level(arguments_given(a, "d")    ? LOG_LEVEL_DEBUG
                  : arguments_flag(a, "v") ? LOG_LEVEL_INFO
                                           : config->log_level);
    config->logs_events = selects(a, "publish");
    bool is_ready = !beat->kibana.is_wanted || arguments_flag(a, "N") ||
                    packetbeat_dashboards_load(beat, stderr);
    int status = !is_ready ? ERR_FAILED : is_file ? read_capture(a, config) : run_live(a, config);
    beat_config_free(beat);
    return status;
}
