// SPDX-License-Identifier: Apache-2.0
/* `vantage demo`: the bundled sample traffic, in real time, through all of it. Needs no rights. */
#include "cmd/agent.h"
#include "cmd/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* sample.S */
extern const unsigned char sample_begin[], sample_end[];

static const struct option_spec options[] = {
    {.name = "listen", .kind = OPTION_STRING, .argument = "ADDRESS:PORT",
     .help = "where the page and the API are served", .fallback = "127.0.0.1:10853"},
    {.name = "token", .kind = OPTION_STRING, .argument = "TEXT",
     .help = "what readers must present; needed to listen on other addresses than loopback"},
    {0},
};

static const char *const examples[] = {
    "vantage demo", "then open http://127.0.0.1:10853/", NULL,
};

/* The sample as a file that the capture reader can open; -1 and a line on failure. */
static int sample_file(void)
{
    int fd = memfd_create("vantage-sample", MFD_CLOEXEC);
    size_t size = (size_t)(sample_end - sample_begin);
    if (fd < 0 || write(fd, sample_begin, size) != (ssize_t)size) {
        fprintf(stderr, "vantage demo: cannot unpack the sample: %s\n", strerror(errno));
        return -1;
    }
    return fd;
}

static int run(const struct arguments *arguments)
{
    int fd = sample_file();
    if (fd < 0) {
        return ERR_FAILED;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct config *config = agent_config(NULL);
    config_clear_taps(config);
    struct config_tap *tap = config_add_tap(config, "replay");
    tap->name = config_text(config, "sample traffic");
    config_list_add(config, &tap->files, path);
    config->flows.health = true;
    config->api.listen = config_text(config, arguments_string(arguments, "listen"));
    if (arguments_given(arguments, "token")) {
        config->api.token = config_text(config, arguments_string(arguments, "token"));
    }
    int status =
        agent_run(config, &(struct agent_options){.command = "demo", .mode = "demo"});
    config_free(config);
    close(fd);
    return status;
}

const struct command command_demo = {
    .name = "demo",
    .summary = "sample traffic, replayed in real time through the whole agent",
    .options = options,
    .examples = examples,
    .description = "Replays traffic of real servers and clients, recorded for this purpose: DNS, "
                   "HTTP, TLS, MySQL, PostgreSQL, Redis, and some trouble. Nothing is captured, "
                   "nothing leaves the machine, and no rights are needed.",
    .run = run,
};
