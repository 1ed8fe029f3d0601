// SPDX-License-Identifier: Apache-2.0
/* `vantage pktvisord`: the agent with pktvisor's command line, configuration and interfaces. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"
#include "cmd/agent.h"
#include "cmd/command.h"
#include "cmd/policy_agent.h"

static const char crash_help[] = "taken, with a warning: nothing is sent to anybody";

static const struct option_spec options[] = {
    {.name = "daemon", .letter = 'd', .kind = OPTION_FLAG, .help = "run in the background"},
    {.name = "verbose", .letter = 'v', .kind = OPTION_FLAG, .help = "log what is for finding faults"},
    {.name = "no-track", .kind = OPTION_FLAG, .help = "nothing is ever tracked here"},
    {.name = "host", .letter = 'l', .kind = OPTION_STRING, .argument = "HOST",
     .help = "serve on this address; default: localhost"},
    {.name = "port", .letter = 'p', .kind = OPTION_NUMBER, .argument = "PORT",
     .help = "and on this port; default: 10853", .minimum = 0, .maximum = 65535},
    {.name = "tls", .kind = OPTION_FLAG, .help = "serve over TLS"},
    {.name = "tls-cert", .kind = OPTION_STRING, .argument = "FILE",
     .help = "with this certificate, PEM", .hint = HINT_FILE},
    {.name = "tls-key", .kind = OPTION_STRING, .argument = "FILE", .help = "and this key, PEM",
     .hint = HINT_FILE},
    {.name = "admin-api", .kind = OPTION_FLAG, .help = "let taps and policies be made over REST"},
    {.name = "geo-city", .kind = OPTION_STRING, .argument = "FILE",
     .help = "a database of places in MMDB format", .hint = HINT_FILE},
    {.name = "geo-asn", .kind = OPTION_STRING, .argument = "FILE",
     .help = "a database of autonomous systems in MMDB format", .hint = HINT_FILE},
    {.name = "geo-cache-size", .kind = OPTION_NUMBER, .argument = "N",
     .help = "look-ups of places that are kept, 0 for none; default: 10000", .minimum = 0,
     .maximum = 10000000},
    {.name = "default-geo-city", .kind = OPTION_STRING, .argument = "FILE",
     .help = "the same where --geo-city is not given", .hint = HINT_FILE},
    {.name = "default-geo-asn", .kind = OPTION_STRING, .argument = "FILE",
     .help = "the same where --geo-asn is not given", .hint = HINT_FILE},
    {.name = "config", .kind = OPTION_STRING, .argument = "FILE",
     .help = "taps, policies and settings", .hint = HINT_FILE},
    {.name = "prometheus", .kind = OPTION_FLAG, .help = "taken and not needed: /metrics is there"},
    {.name = "prom-instance", .kind = OPTION_STRING, .argument = "ID",
     .help = "a label `instance` of all samples"},
    {.name = "max-deep-sample", .kind = OPTION_NUMBER, .argument = "N",
     .help = "per cent of events that are looked at deeply; default: 100", .minimum = 1,
     .maximum = 100},
    {.name = "periods", .kind = OPTION_NUMBER, .argument = "P",
     .help = "minutes that are kept; default: 5", .minimum = 1, .maximum = 10},
    {.name = "filter", .letter = 'b', .kind = OPTION_STRING, .argument = "BPF",
     .help = "only packets that this pcap-filter(7) expression lets through"},
    {.name = "host-spec", .letter = 'H', .kind = OPTION_STRING, .argument = "HOSTSPEC",
     .help = "networks that are ours, in CIDR notation with commas between"},
    {.name = "iana-service-port-registry", .kind = OPTION_STRING, .argument = "FILE",
     .help = "names of ports, in the form of IANA's CSV", .hint = HINT_FILE},
    {.name = "default-service-registry", .kind = OPTION_STRING, .argument = "FILE",
     .help = "the same where the other is not given", .hint = HINT_FILE},
    {.name = "log-file", .kind = OPTION_STRING, .argument = "FILE",
     .help = "append the log to this file", .hint = HINT_FILE},
    {.name = "syslog", .kind = OPTION_FLAG,
     .help = "the log goes to the system's, as pktvisord"},
    {.name = "version", .kind = OPTION_FLAG, .help = "say which version this is, and end"},
    {.name = "module-list", .kind = OPTION_FLAG, .help = "name inputs and handlers, and end"},
    {.name = "module-dir", .kind = OPTION_STRING, .argument = "DIR",
     .help = "taken and not needed: all modules are built in"},
    {.name = "otel", .kind = OPTION_FLAG, .help = "push metrics over OTLP"},
    {.name = "otel-host", .kind = OPTION_STRING, .argument = "HOST",
     .help = "to this host; default: localhost"},
    {.name = "otel-path", .kind = OPTION_STRING, .argument = "PATH",
     .help = "and this path; default: /v1/metrics"},
    {.name = "otel-port", .kind = OPTION_STRING, .argument = "PORT",
     .help = "and this port; default: 4318"},
    {.name = "otel-interval", .kind = OPTION_STRING, .argument = "SECONDS",
     .help = "as often as that; default: 60, which is the longest"},
    {.name = "otel-tls", .kind = OPTION_FLAG, .help = "over TLS"},
    {.name = "otel-tls-cert", .kind = OPTION_STRING, .argument = "FILE",
     .help = "with this certificate of our own", .hint = HINT_FILE},
    {.name = "otel-tls-key", .kind = OPTION_STRING, .argument = "FILE",
     .help = "and this key", .hint = HINT_FILE},
    {.name = "cp-disable", .kind = OPTION_FLAG, .help = crash_help},
    {.name = "cp-token", .kind = OPTION_STRING, .argument = "TOKEN", .help = crash_help},
    {.name = "cp-url", .kind = OPTION_STRING, .argument = "URL", .help = crash_help},
    {.name = "cp-custom", .kind = OPTION_STRING, .argument = "TEXT", .help = crash_help},
    {.name = "cp-path", .kind = OPTION_STRING, .argument = "FILE", .help = crash_help},
    {0},
};

static const char *const examples[] = {
    "vantage pktvisord eth0", "the default policy on an interface",
    "vantage pktvisord --admin-api --config visor.yaml", "taps and policies of a file", NULL,
};

static void put_text(struct json *to, const char *key, const char *value)
{
    if (value != NULL) {
        json_key(to, key);
        json_text(to, value);
    }
}

static void put_number(struct json *to, const struct arguments *arguments, const char *option,
                       const char *key)
{
    if (arguments_given(arguments, option)) {
        json_key(to, key);
        json_u64(to, (uint64_t)arguments_number(arguments, option));
    }
}

static void put_module(struct json *to, const char *name, const char *type)
{
    json_key(to, name);
    json_object_begin(to);
    put_text(to, "type", type);
    json_object_end(to);
}

/* Tap and policy "default" on an interface. */
static void put_default(struct json *to, const struct arguments *arguments, const char *interface)
{
    json_key(to, "taps");
    json_object_begin(to);
    json_key(to, "default");
    json_object_begin(to);
    put_text(to, "input_type", "pcap");
    json_key(to, "config");
    json_object_begin(to);
    put_text(to, "iface", interface);
    put_text(to, "host_spec", arguments_string(arguments, "host-spec"));
    json_object_end(to);
    json_object_end(to);
    json_object_end(to);
    json_key(to, "policies");
    json_object_begin(to);
    json_key(to, "default");
    json_object_begin(to);
    put_text(to, "kind", "collection");
    json_key(to, "input");
    json_object_begin(to);
    put_text(to, "tap", "default");
    put_text(to, "input_type", "pcap");
    if (arguments_given(arguments, "filter")) {
        json_key(to, "config");
        json_object_begin(to);
        put_text(to, "bpf", arguments_string(arguments, "filter"));
        json_object_end(to);
    }
    json_object_end(to);
    json_key(to, "handlers");
    json_object_begin(to);
    json_key(to, "modules");
    json_object_begin(to);
    put_module(to, "net", "net");
    put_module(to, "dhcp", "dhcp");
    put_module(to, "dns", "dns");
    put_module(to, "pcap_stats", "pcap");
    json_object_end(to);
    json_object_end(to);
    json_object_end(to);
    json_object_end(to);
}

/* What the command line says, as a document. */
static void put_document(struct json *to, const struct arguments *arguments)
{
    const char *interface = arguments_operand(arguments, 0);
    json_object_begin(to);
    json_key(to, "visor");
    json_object_begin(to);
    json_key(to, "config");
    json_object_begin(to);
    put_number(to, arguments, "periods", "periods");
    put_number(to, arguments, "max-deep-sample", "max_deep_sample");
    put_text(to, "geo_city", arguments_string(arguments, "geo-city"));
    put_text(to, "geo_asn", arguments_string(arguments, "geo-asn"));
    put_number(to, arguments, "geo-cache-size", "geo_cache_size");
    put_text(to, "default_geo_city", arguments_string(arguments, "default-geo-city"));
    put_text(to, "default_geo_asn", arguments_string(arguments, "default-geo-asn"));
    put_text(to, "iana_service_port_registry",
             arguments_string(arguments, "iana-service-port-registry"));
    put_text(to, "default_service_registry",
             arguments_string(arguments, "default-service-registry"));
    json_object_end(to);
    if (interface != NULL) {
        put_default(to, arguments, interface);
    }
    json_object_end(to);
    json_object_end(to);
}

static bool is_set(const struct config *config, const char *key)
{
    const char *value = policy_agent_value(config, key);
    return value != NULL && strcmp(value, "true") == 0;
}

/* The address to serve on: of the command line, else of the file. */
static bool set_address(struct config *config, const struct arguments *arguments, struct err *err)
{
    char listen[256], number[24];
    const char *host = arguments_string(arguments, "host");
    const char *port = policy_agent_value(config, "port");
    host = host != NULL ? host : policy_agent_value(config, "host");
    host = host != NULL ? host : "localhost";
    if (arguments_given(arguments, "port")) {
        snprintf(number, sizeof number, "%d", (int)arguments_number(arguments, "port"));
        port = number;
    }
    bool is_six = strchr(host, ':') != NULL;
    snprintf(listen, sizeof listen, "%s%s%s:%s", is_six ? "[" : "", host, is_six ? "]" : "",
             port != NULL ? port : "10853");
    return config_set(config, "api.listen", listen, err);
}

/* Of the command line, else of the file, where keys have other signs; else the fallback. */
static const char *own_value(const struct config *config, const struct arguments *arguments,
                              const char *option, const char *fallback)
{
    char key[32];
    const char *value = arguments_string(arguments, option);
    snprintf(key, sizeof key, "%s", option);
    for (char *at = key; *at != '\0'; at++) {
        *at = *at == '-' ? '_' : *at;
    }
    value = value != NULL ? value : policy_agent_value(config, key);
    return value != NULL ? value : fallback;
}

/* An output for --otel. A minute is the longest interval: what policies count is told by the minute. */
static bool add_otel(struct config *config, const struct arguments *arguments, struct err *err)
{
    char url[512];
    int64_t seconds;
    if (!arguments_flag(arguments, "otel") && !is_set(config, "otel")) {
        return true;
    }
    bool is_safe = arguments_flag(arguments, "otel-tls") || is_set(config, "otel_tls");
    const char *interval = own_value(config, arguments, "otel-interval", "60");
    if (!text_parse_number(interval, &seconds) || seconds < 1) {
        return err_set(err, ERR_USAGE, "--otel-interval %s is no number of seconds", interval);
    }
    struct config_output *output = config_add_output(config, "otlp");
    if (output == NULL) {
        return err_set(err, ERR_USAGE, "more than %d outputs", CONFIG_OUTPUTS_MAX);
    }
    const char *path = own_value(config, arguments, "otel-path", "/v1/metrics");
    snprintf(url, sizeof url, "http%s://%s:%s%s%s", is_safe ? "s" : "",
             own_value(config, arguments, "otel-host", "localhost"),
             own_value(config, arguments, "otel-port", "4318"), path[0] == '/' ? "" : "/", path);
    output->push.url = config_text(config, url);
    output->push.interval_ns = (seconds < 60 ? seconds : 60) * 1000000000;
    output->cluster.certificate_file =
        config_text(config, own_value(config, arguments, "otel-tls-cert", ""));
    output->cluster.key_file =
        config_text(config, own_value(config, arguments, "otel-tls-key", ""));
    return true;
}

/* TLS of the interface, which wants both files. */
static bool set_tls(struct config *config, const struct arguments *arguments, struct err *err)
{
    if (!arguments_flag(arguments, "tls") && !is_set(config, "tls")) {
        return true;
    }
    const char *certificate = own_value(config, arguments, "tls-cert", "");
    const char *key = own_value(config, arguments, "tls-key", "");
    config->api.certificate_file = config_text(config, certificate);
    config->api.key_file = config_text(config, key);
    return (*certificate != '\0' && *key != '\0') ||
           err_set(err, ERR_USAGE, "--tls needs both --tls-cert FILE and --tls-key FILE");
}

static bool prepare(struct config *config, const struct arguments *arguments, struct err *err)
{
    struct json document;
    json_init(&document);
    put_document(&document, arguments);
    bool done = policy_agent_add(config, &document, err) && set_address(config, arguments, err) && set_tls(config, arguments, err) &&
                add_otel(config, arguments, err);
    json_done(&document);
    const char *instance = arguments_string(arguments, "prom-instance");
    instance = instance != NULL ? instance : policy_agent_value(config, "prom_instance");
    config->pktvisor = (struct config_pktvisor){
        .is_only = true,
        .admin = arguments_flag(arguments, "admin-api") || is_set(config, "admin_api"),
        .instance = instance != NULL ? instance : "",
    };
    config->api.enabled = true;
    if (arguments_flag(arguments, "verbose") || is_set(config, "verbose")) {
        config->log_level = LOG_LEVEL_DEBUG;
    }
    return done;
}

/* One warning for all options that have no effect here. */
static void warn_of(const struct arguments *arguments)
{
    static const char *const without[] = {
        "cp-token", "cp-url", "cp-custom", "cp-path", NULL,
    };
    const char *between = "vantage pktvisord: warning: without effect: --";
    for (const char *const *name = without; *name != NULL; name++) {
        if (arguments_given(arguments, *name)) {
            fprintf(stderr, "%s%s", between, *name);
            between = ", --";
        }
    }
    if (*between == ',') {
        fputs(" (docs/pktvisor.md says what takes their place)\n", stderr);
    }
}

static int list_modules(void)
{
    struct json text;
    json_init(&text);
    policies_modules_text(&text);
    fwrite(text.data, 1, text.size, stdout);
    json_done(&text);
    return ERR_NONE;
}

static void to_syslog(void *context, enum log_level level, const char *line)
{
    static const int priorities[] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};
    syslog(priorities[level], "%s", line);
}

static bool uses_syslog(const struct config *config, const struct arguments *arguments)
{
    return own_value(config, arguments, "log-file", NULL) == NULL &&
           (arguments_flag(arguments, "syslog") || is_set(config, "syslog"));
}

/* Goes to the background, and lets the log go where it shall; its file is opened first, for afterwards
 * the folder is another one and nobody reads complaints. */
static bool settle(const struct config *config, const struct arguments *arguments)
{
    const char *path = own_value(config, arguments, "log-file", NULL);
    int file = path != NULL ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640) : -1;
    if (path != NULL && file < 0) {
        fprintf(stderr, "vantage pktvisord: %s: %s; name a log file that can be written\n", path,
                strerror(errno));
        return false;
    }
    bool done = true;
    if ((arguments_flag(arguments, "daemon") || is_set(config, "daemon")) && daemon(0, 0) != 0) {
        perror("vantage pktvisord");
        done = false;
    }
    if (file >= 0) {
        done = dup2(file, STDERR_FILENO) >= 0 && done;
        close(file);
    } else if (uses_syslog(config, arguments)) {
        openlog("pktvisord", LOG_PID, LOG_DAEMON);
        log_set_sink(to_syslog, NULL);
    }
    return done;
}

static int run(const struct arguments *arguments)
{
    struct err err = {0};
    if (arguments_flag(arguments, "module-list")) {
        return list_modules();
    }
    if (arguments_flag(arguments, "version")) {
        puts("pktvisord (vantage " VANTAGE_VERSION ")");
        return ERR_NONE;
    }
    warn_of(arguments);
    const char *path = arguments_string(arguments, "config");
    if (path == NULL && arguments_operand(arguments, 0) == NULL &&
        !arguments_flag(arguments, "admin-api")) {
        fputs("Nothing to do: specify --admin-api or IFACE.\n", stderr);
        return ERR_FAILED;
    }
    struct config *config = agent_config(path);
    if (config == NULL) {
        return ERR_USAGE;
    }
    config_clear_taps(config);
    int status = ERR_USAGE;
    if (!prepare(config, arguments, &err)) {
        arguments_refuse(arguments, "%s", err.text);
    } else if (!settle(config, arguments)) {
        status = ERR_FAILED;
    } else {
        log_set_level(config->log_level);
        status = agent_run(config, &(struct agent_options){
                                       .command = "pktvisord",
                                       .mode = "live",
                                       .only_logs = uses_syslog(config, arguments),
                                   });
    }
    config_free(config);
    return status;
}

const struct command command_pktvisord = {
    .name = "pktvisord",
    .summary = "the daemon with pktvisor's command line and interfaces",
    .operands = "[IFACE]",
    .operand_hint = HINT_INTERFACE,
    .options = options,
    .examples = examples,
    .description =
        "Takes pktvisord's options and configuration (visor: taps, policies) and serves its REST "
        "interface and Prometheus metrics, with the same names, beside the house's own.\n\n"
        "Unlike pktvisord, it goes on with a --config alone, and does not serve an address of the "
        "outside without a token.",
    .run = run,
};
