// SPDX-License-Identifier: Apache-2.0
/* `vantage pktvisor-reader`: one capture in, pktvisor's metrics of it out, as one line of JSON. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cmd/agent.h"
#include "cmd/command.h"
#include "cmd/interrupt.h"
#include "cmd/policy_agent.h"
#include "cmd/read_files.h"

static const char *const inputs[] = {"pcap", "dnstap", "sflow", "netflow", NULL};

static const struct option_spec options[] = {
    {.name = "input", .letter = 'i', .kind = OPTION_CHOICE, .argument = "TYPE",
     .help = "what the file holds", .choices = inputs, .fallback = "pcap"},
    {.name = "max-deep-sample", .kind = OPTION_NUMBER, .argument = "N",
     .help = "per cent of events that are looked at deeply", .fallback = "100", .minimum = 1,
     .maximum = 100},
    {.name = "periods", .kind = OPTION_NUMBER, .argument = "P",
     .help = "minutes that the answer is named after", .fallback = "5", .minimum = 1,
     .maximum = 10},
    {.name = "verbose", .letter = 'v', .kind = OPTION_FLAG, .help = "log what is for finding faults"},
    {.name = "filter", .letter = 'b', .kind = OPTION_STRING, .argument = "BPF",
     .help = "only packets that this pcap-filter(7) expression lets through"},
    {.name = "geo-city", .kind = OPTION_STRING, .argument = "FILE",
     .help = "a database of places in MMDB format", .hint = HINT_FILE},
    {.name = "geo-asn", .kind = OPTION_STRING, .argument = "FILE",
     .help = "a database of autonomous systems in MMDB format", .hint = HINT_FILE},
    {.name = "host-spec", .letter = 'H', .kind = OPTION_STRING, .argument = "HOSTSPEC",
     .help = "networks that are ours, in CIDR notation with commas between"},
    {.name = "with", .kind = OPTION_STRING, .argument = "HANDLERS",
     .help = "handlers beside net, dns and dhcp, with commas between: tcp,tls,http,db"},
    {.name = "version", .kind = OPTION_FLAG, .help = "say which version this is, and end"},
    {0},
};

static const char *const examples[] = {
    "vantage pktvisor-reader -H 192.168.0.0/16 capture.pcap | jq .", "what is in a capture",
    "vantage pktvisor-reader --with tcp,http capture.pcap", "and how connections and requests fared",
    NULL,
};

static void put_text(struct json *to, const char *key, const char *value)
{
    if (value != NULL) {
        json_key(to, key);
        json_text(to, value);
    }
}

/* Modules of the types in a list with commas; what is no type is refused by who reads it. */
static void put_more(struct json *to, const char *list)
{
    while (list != NULL && *list != '\0') {
        size_t size = strcspn(list, ",");
        json_append(to, ",", 1);
        json_span(to, span_of(list, size));
        json_printf(to, ":{\"type\":");
        json_span(to, span_of(list, size));
        json_append(to, "}", 1);
        list += size + (list[size] == ',');
    }
}

static void put_policy(struct json *to, const struct arguments *arguments)
{
    json_printf(to, ",\"policies\":{\"default\":{\"kind\":\"collection\",\"input\":{\"tap\":"
                    "\"default\",\"input_type\":\"pcap\"},\"handlers\":{\"window_config\":"
                    "{\"num_periods\":%d,\"deep_sample_rate\":%d},\"modules\":{"
                    "\"net\":{\"type\":\"net\"},\"dns\":{\"type\":\"dns\"},"
                    "\"dhcp\":{\"type\":\"dhcp\"}",
                (int)arguments_number(arguments, "periods"),
                (int)arguments_number(arguments, "max-deep-sample"));
    put_more(to, arguments_string(arguments, "with"));
    json_printf(to, "}}}}}}");
}

static void put_document(struct json *to, const struct arguments *arguments)
{
    json_object_begin(to);
    json_key(to, "visor");
    json_object_begin(to);
    json_key(to, "config");
    json_object_begin(to);
    put_text(to, "geo_city", arguments_string(arguments, "geo-city"));
    put_text(to, "geo_asn", arguments_string(arguments, "geo-asn"));
    json_object_end(to);
    json_key(to, "taps");
    json_object_begin(to);
    json_key(to, "default");
    json_object_begin(to);
    put_text(to, "input_type", "pcap");
    json_key(to, "config");
    json_object_begin(to);
    put_text(to, "pcap_file", arguments_operand(arguments, 0));
    put_text(to, "bpf", arguments_string(arguments, "filter"));
    put_text(to, "host_spec", arguments_string(arguments, "host-spec"));
    json_object_end(to);
    json_object_end(to);
    json_object_end(to);
    put_policy(to, arguments);
}

static void print(struct policies *policies, uint64_t periods)
{
    struct json text;
    json_init(&text);
    policies_default_json(policies, periods > 1 ? POLICIES_WINDOW : POLICIES_BUCKET,
                          periods > 1 ? periods : 0, &text, NULL);
    fwrite(text.data, 1, text.size, stdout);
    fputc('\n', stdout);
    json_done(&text);
}

static int read_capture(struct config *config, struct policies *policies, uint64_t periods)
{
    struct err err = {0};
    struct engine_options engine_options = {.mode = "read", .policies = policies,
                                            .only_policies = true};
    struct engine *engine =
        config_check(config, &err) ? engine_new(config, &engine_options, &err) : NULL;
    if (engine == NULL) {
        read_files_complain(&err);
        return err.code;
    }
    interrupt_watch();
    enum engine_status status = read_files_all(engine, &err);
    engine_stop(engine, &err);
    print(policies, periods);
    engine_free(engine);
    if (status == ENGINE_FAILED || err.code != ERR_NONE) {
        read_files_complain(&err);
        return err.code != ERR_NONE ? (int)err.code : ERR_FAILED;
    }
    return ERR_NONE;
}

static int run(const struct arguments *arguments)
{
    struct err err = {0};
    struct json document;
    if (arguments_flag(arguments, "version")) {
        puts("pktvisor-reader (vantage " VANTAGE_VERSION ")");
        return ERR_NONE;
    }
    if (arguments_operand(arguments, 0) == NULL) {
        return arguments_refuse(arguments, "name the capture to read");
    }
    if (__builtin_strcmp(arguments_string(arguments, "input"), "pcap") != 0) {
        return arguments_refuse(arguments, "-i %s: only captures of packets are read (-i pcap); for "
                                "others use 'vantage read -c FILE'",
                                arguments_string(arguments, "input"));
    }
    struct config *config = agent_config(NULL);
    config_clear_taps(config);
    struct config_tap *tap = config_add_tap(config, "pcapfile");
    config_list_add(config, &tap->files, arguments_operand(arguments, 0));
    config->limits.workers = 1;
    json_init(&document);
    put_document(&document, arguments);
    struct policies *policies = policy_agent_add(config, &document, &err)
                                    ? policy_agent_make(config, true, &err)
                                    : NULL;
    json_done(&document);
    int status = ERR_USAGE;
    if (policies == NULL) {
        arguments_refuse(arguments, "%s", err.text);
    } else {
        status = read_capture(config, policies, (uint64_t)arguments_number(arguments, "periods"));
    }
    policies_free(policies);
    config_free(config);
    return status;
}

const struct command command_pktvisor_reader = {
    .name = "pktvisor-reader",
    .summary = "pktvisor's metrics of a capture, as one line of JSON",
    .operands = "[FILE]",
    .operand_hint = HINT_FILE,
    .options = options,
    .examples = examples,
    .description = "Reads a capture as pktvisor-reader does: the handlers net, dns and dhcp over all "
                   "of it. The one key of the answer is named after the periods: 1m, 5m.",
    .run = run,
};
