// SPDX-License-Identifier: Apache-2.0
#include "cmd/agent.h"

#include "api/api.h"
#include "base/log.h"
#include "base/terminal.h"
#include "base/text.h"
#include "cmd/confine.h"
#include "cmd/interrupt.h"
#include "cmd/policy_agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_MS = 1000 };

struct config *agent_config(const char *path)
{
    struct config_problems problems = {0};
    struct config *config = path != NULL ? config_load(path, &problems) : config_new();
    for (size_t i = 0; i < problems.count && i < CONFIG_PROBLEMS_MAX; i++) {
        fprintf(stderr, "%s\n", problems.lines[i]);
    }
    config_problems_done(&problems);
    return config;
}

static int complain(const struct agent_options *options, const struct err *err)
{
    if (options->only_logs) {
        log_error("%s", err->text);
    } else {
        fprintf(stderr, "vantage %s: %s\n", options->command, err->text);
    }
    return err->code;
}

/* Where to look, and how from elsewhere. */
static void print_welcome(const char *address, bool is_safe)
{
    fprintf(stderr, "http%s://%s/  the page, REST API and /metrics; Ctrl-C ends\n", is_safe ? "s" : "",
            address);
    const char *port = strrchr(address, ':');
    if (getenv("SSH_CONNECTION") != NULL && port != NULL) {
        fprintf(stderr, "from your own machine: ssh -L %s:%s HOST\n", port + 1, address);
    }
}

/* One line that is written over every second. */
static void print_status(struct engine *engine)
{
    const struct board *board = engine_lock(engine);
    struct board_second last = {0};
    if (board->history_count > 0) {
        last = board->history[board->history_count - 1];
    }
    uint64_t flows = 0;
    for (uint32_t i = 0; i < board->worker_count; i++) {
        flows += board->workers[i].flows_active;
    }
    uint64_t dropped = board->dropped;
    engine_unlock(engine);
    char packets[TEXT_ROOM], bits[TEXT_ROOM], active[TEXT_ROOM], lost[TEXT_ROOM];
    fprintf(stderr, "\r\033[K%spackets/s  %sbit/s  %sflows  %s lost ",
            text_short_count(packets, (double)(last.packets[0] + last.packets[1])),
            text_short_count(bits, 8.0 * (double)(last.bytes[0] + last.bytes[1])),
            text_short_count(active, (double)flows), text_short_count(lost, (double)dropped));
    fflush(stderr);
}

static bool wait_for_end(struct engine *engine, bool shows_status, struct err *err)
{
    bool well = true;
    while (!interrupt_seen() && (well = engine_is_well(engine, err))) {
        interrupt_wait(STATUS_MS);
        if (shows_status) {
            print_status(engine);
        }
    }
    if (shows_status) {
        fputs("\r\033[K", stderr);
    }
    return well;
}

static int serve(struct engine *engine, const struct config *config,
                 const struct agent_options *options)
{
    struct err err = {0};
    struct api *api = NULL;
    if (config->api.enabled) {
        api = api_start(engine, config, &err);
        if (api == NULL) {
            return complain(options, &err);
        }
        bool is_safe = config->api.certificate_file[0] != '\0';
        if (options->only_logs) {
            log_info("web server listening on http%s://%s/", is_safe ? "s" : "", api_address(api));
        } else {
            print_welcome(api_address(api), is_safe);
        }
    }
    struct terminal terminal = terminal_of(stderr);
    struct policies *policies = engine_policies(engine);
    bool well = engine_start(engine, &err) &&
                (policies == NULL || policies_begin(policies, &err)) &&
                wait_for_end(engine, terminal.is_terminal && !options->is_quiet, &err);
    api_stop(api);
    well = engine_stop(engine, &err) && well;
    return well ? ERR_NONE : complain(options, &err);
}

int agent_run(const struct config *config, const struct agent_options *options)
{
    struct err err = {0};
    if (!config_check(config, &err)) {
        return complain(options, &err);
    }
    struct policies *policies = NULL;
    if (config->policies != NULL &&
        (policies = policy_agent_make(config, false, &err)) == NULL) {
        return complain(options, &err);
    }
    struct engine_options engine_options = {
        .mode = options->mode, .serves = config->api.enabled, .listens = true,
        .policies = policies, .writer = options->writer};
    struct engine *engine = engine_new(config, &engine_options, &err);
    if (engine == NULL || !engine_follow(engine, &err)) {
        engine_free(engine);
        policies_free(policies);
        return complain(options, &err);
    }
    interrupt_watch();
    int status = ERR_FAILED;
    if (!confine_self(config->processes.enabled, &err)) {
        status = complain(options, &err);
    } else if (engine_is_live(engine)) {
        status = serve(engine, config, options);
    } else {
        fprintf(stderr, "vantage %s: the configuration names captures, not interfaces; "
                        "use 'vantage read -c FILE CAPTURE'\n", options->command);
        status = ERR_USAGE;
    }
    engine_free(engine);
    policies_free(policies);
    return status;
}
