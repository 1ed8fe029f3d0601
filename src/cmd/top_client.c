// SPDX-License-Identifier: Apache-2.0
/* `vantage top`: an agent's pages in a terminal. */
#include "top/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/command.h"

static const char *const pages[] = {"overview", "flows", "connections", "paths",
                                    "top",      "dns",   NULL};
static const char *const spans[] = {"now", "minute", "total", NULL};

static const struct option_spec options[] = {
    {.name = "page", .letter = 'p', .kind = OPTION_CHOICE, .argument = "PAGE",
     .help = "what to show first", .choices = pages, .fallback = "overview"},
    {.name = "token", .kind = OPTION_STRING, .argument = "TEXT",
     .help = "the agent's api.token; better in the environment, VANTAGE_TOKEN"},
    {.name = "ca", .kind = OPTION_STRING, .argument = "FILE",
     .help = "https: certificates that are trusted, PEM; by default the system's"},
    {.name = "tls-noverify", .kind = OPTION_FLAG,
     .help = "https: whatever certificate the agent has"},
    {.name = "policy", .letter = 'P', .kind = OPTION_STRING, .argument = "NAME",
     .help = "the policy of the page dns; by default the first"},
    {.name = "set", .kind = OPTION_STRING, .argument = "NAME",
     .help = "the metric set of the page top, such as http; by default the first"},
    {.name = "filter", .letter = 'f', .kind = OPTION_STRING, .argument = "WORDS",
     .help = "what rows must have, as typed behind /"},
    {.name = "span", .kind = OPTION_CHOICE, .argument = "SPAN",
     .help = "count the last seconds, the last minute, or all; by default now on the screen and "
             "total with --once",
     .choices = spans},
    {.name = "once", .kind = OPTION_FLAG, .help = "print the page once and end"},
    {.name = "json", .kind = OPTION_FLAG, .help = "print it once, as JSON"},
    {.name = "csv", .kind = OPTION_FLAG, .help = "print it once, as CSV"},
    {0},
};

static const char *const examples[] = {
    "vantage top", "the agent on this machine",
    "vantage top https://sensor.example/", "one elsewhere; token in VANTAGE_TOKEN",
    "vantage top --once --csv -p flows -f 'port:443'", "its flows for a spreadsheet",
    NULL,
};

static unsigned index_of(const char *const *list, const char *text)
{
    unsigned i = 0;
    while (list[i] != NULL && strcmp(list[i], text) != 0) {
        i++;
    }
    return i;
}

static int run(const struct arguments *arguments)
{
    bool is_json = arguments_flag(arguments, "json");
    bool is_csv = arguments_flag(arguments, "csv");
    bool is_once = is_json || is_csv || arguments_flag(arguments, "once");
    const char *url = arguments_operand(arguments, 0);
    const char *token = arguments_string(arguments, "token");
    const char *span = arguments_string(arguments, "span");
    struct err err = {0};
    if (is_json && is_csv) {
        return arguments_refuse(arguments, "--json and --csv exclude each other");
    }
    const struct top_options top = {
        .url = url != NULL ? url : "127.0.0.1:10853",
        .token = token != NULL ? token : getenv("VANTAGE_TOKEN"),
        .authority = arguments_string(arguments, "ca"),
        .trusts_all = arguments_flag(arguments, "tls-noverify"),
        .policy = arguments_string(arguments, "policy"),
        .set = arguments_string(arguments, "set"),
        .filter = arguments_string(arguments, "filter"),
        .page = (enum page_kind)index_of(pages, arguments_string(arguments, "page")),
        .span = span != NULL ? (enum page_span)index_of(spans, span)
                             : is_once ? PAGE_TOTAL : PAGE_NOW,
        .format = is_json ? ONCE_JSON : is_csv ? ONCE_CSV : ONCE_TEXT,
        .is_once = is_once,
    };
    if (!top_run(&top, &err)) {
        fprintf(stderr, "vantage top: %s\n", err.text);
        return (int)err.code;
    }
    return ERR_NONE;
}

const struct command command_top_client = {
    .name = "top",
    .summary = "an agent's figures in the terminal, live",
    .operands = "[URL]",
    .options = options,
    .examples = examples,
    .description =
        "Attaches to a running agent (vantage live, run, demo or pktvisord) over its API and shows "
        "rates, protocols, the heaviest hosts, flows, the worst TCP connections, latency by path, "
        "every protocol's counts, and pktvisor's DNS page. URL is host, host:port or a URL; "
        "127.0.0.1:10853 where it is not given. Keys stand on the last line, all of them behind ?. "
        "An agent that goes away is waited for.\n\n"
        "Where standard output is no terminal, the page is printed once. NO_COLOR is heeded; "
        "without a UTF-8 locale all is ASCII. At least 80 columns by 24 rows.",
    .run = run,
};
