// SPDX-License-Identifier: Apache-2.0
/* The schema: every key that a configuration may have, and the rules between keys. */
#include "engine/config_keys.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "engine/places.h"
#include "event/pattern.h"
#include "sink/sink.h"
#include "tap/tap.h"

#define SECONDS(n) ((n) * 1000000000ll)
#define MIB(n) ((n) * 1048576ll)

static const char *tap_choice(size_t index)
{
    return tap_kinds[index] != NULL ? tap_kinds[index]->name : NULL;
}

static const char *tap_help(const char *kind)
{
    return tap_kind_find(kind)->help;
}

static const char *sink_choice(size_t index)
{
    return sink_kinds[index] != NULL ? sink_kinds[index]->name : NULL;
}

static const char *sink_help(const char *kind)
{
    return sink_kind_find(kind)->help;
}

static const char *level_choice(size_t index)
{
    return log_level_names[index];
}

static bool is_for(const struct config_key *keys, const char *path, const char *kind)
{
    return config_key_applies(config_key_find(keys, path), kind);
}

static bool check_tap(const struct config *config, size_t index, struct err *err)
{
    const struct config_tap *tap = &config->taps[index];
    for (size_t i = 0; i < index; i++) {
        if (strcmp(config->taps[i].name, tap->name) == 0) {
            return err_set(err, ERR_USAGE, "two taps are named '%s': give one another name",
                           tap->name);
        }
    }
    if (tap->name[0] == '\0') {
        return err_set(err, ERR_USAGE, "a tap's name is empty: leave the key out or name it");
    }
    if (tap->files.count == 0 && is_for(config_tap_keys, "files", tap->kind)) {
        return err_set(err, ERR_USAGE, "tap '%s' has nothing to read: set 'files'", tap->name);
    }
    if (tap->interfaces.count == 0 && is_for(config_tap_keys, "interfaces", tap->kind)) {
        return err_set(err, ERR_USAGE, "tap '%s' has no interfaces: set 'interfaces', or leave it "
                       "out for 'auto'", tap->name);
    }
    return true;
}

static bool check_push(const struct config_output *output, struct err *err)
{
    const struct sink_push *push = &output->push;
    if (!is_for(config_output_keys, "url", output->kind)) {
        return true;
    }
    if (strncmp(push->url, "http://", 7) != 0 && strncmp(push->url, "https://", 8) != 0) {
        return err_set(err, ERR_USAGE, "url '%s' is none that begins with http:// or https://",
                       push->url);
    }
    for (size_t i = 0; i < push->attributes.count; i++) {
        const char *equals = strchr(push->attributes.items[i], '=');
        if (equals == NULL || equals == push->attributes.items[i]) {
            return err_set(err, ERR_USAGE, "attributes: '%s' is not NAME=VALUE",
                           push->attributes.items[i]);
        }
    }
    if (push->temporality != NULL && strcmp(push->temporality, "delta") == 0 &&
        push->interval_ns != SECONDS(60)) {
        return err_set(err, ERR_USAGE, "temporality delta is told by the minute: set interval to "
                                       "60s, or leave it out");
    }
    return true;
}

static bool check_output(const struct config *config, size_t index, struct err *err)
{
    const struct config_output *output = &config->outputs[index];
    if (output->path[0] == '\0' && is_for(config_output_keys, "path", output->kind)) {
        return err_set(err, ERR_USAGE, "this output has nowhere to write: set 'path'");
    }
    if (output->permissions[strspn(output->permissions, "01234567")] != '\0') {
        return err_set(err, ERR_USAGE, "permissions '%s' are no octal number such as 0640",
                       output->permissions);
    }
    return check_push(output, err) && pattern_check(output->format, err) && pattern_check(output->cluster.index, err) &&
           pattern_check(output->cluster.pipeline, err);
}

const struct config_key config_tap_keys[] = {
    {.path = "name", .kind = CONFIG_TEXT, .offset = offsetof(struct config_tap, name),
     .help = "What results call this tap; the kind by default."},
    {.path = "kind", .kind = CONFIG_CHOICE, .offset = offsetof(struct config_tap, kind),
     .fallback = "afpacket", .choice = tap_choice, .help = "How packets are taken."},
    {.path = "interfaces", .kind = CONFIG_LIST, .offset = offsetof(struct config_tap, interfaces),
     .fallback = "auto", .only = "afpacket",
     .help = "Network interfaces; auto is the busiest one, any is all of them."},
    {.path = "files", .kind = CONFIG_LIST, .offset = offsetof(struct config_tap, files),
     .only = "pcapfile or replay or paced or stepped", .example = "[capture.pcap]",
     .help = "Captures or directories of them, in the order of their packets; - is standard "
             "input."},
    {.path = "filter", .kind = CONFIG_TEXT, .offset = offsetof(struct config_tap, filter),
     .help = "Only packets that match, in the language of pcap-filter(7): port 53."},
    {.path = "snap_len", .kind = CONFIG_NUMBER, .offset = offsetof(struct config_tap, snap_len),
     .fallback = "262144", .minimum = 64, .maximum = TAP_FRAME_MAX, .only = "afpacket",
     .help = "Bytes of each packet to take."},
    {.path = "ring_size", .kind = CONFIG_SIZE, .offset = offsetof(struct config_tap, ring_size),
     .fallback = "64M", .minimum = MIB(1), .maximum = MIB(4096), .only = "afpacket",
     .help = "The kernel's buffer for each worker; a larger one bridges longer bursts."},
    {.path = "promiscuous", .kind = CONFIG_FLAG, .offset = offsetof(struct config_tap, promiscuous),
     .fallback = "false", .only = "afpacket",
     .help = "Take packets for other machines, too."},
    {.path = "ignore_outgoing", .kind = CONFIG_FLAG, .fallback = "false", .only = "afpacket",
     .offset = offsetof(struct config_tap, ignore_outgoing),
     .help = "Leave out what this machine sends."},
    {0},
};

#define CLUSTER(name_, kind_, member, fallback_, help_)                                            \
    .path = #name_, .kind = kind_, .offset = offsetof(struct config_output, cluster.member),       \
    .fallback = fallback_, .only = "elasticsearch", .help = help_
#define HTTP(name_, kind_, member, fallback_, help_)                                               \
    .path = #name_, .kind = kind_, .offset = offsetof(struct config_output, cluster.member),       \
    .fallback = fallback_, .only = "elasticsearch or otlp or remote_write", .help = help_
#define PUSH(name_, kind_, member, fallback_, help_)                                               \
    .path = #name_, .kind = kind_, .offset = offsetof(struct config_output, push.member),          \
    .fallback = fallback_, .only = "otlp or remote_write", .help = help_
#define OTLP(name_, kind_, member, fallback_, help_)                                               \
    .path = #name_, .kind = kind_, .offset = offsetof(struct config_output, push.member),          \
    .fallback = fallback_, .only = "otlp", .help = help_
#define HOUR SECONDS(3600)

static const char *const temporalities[] = {"cumulative", "delta", NULL};
static const char *const histogram_shapes[] = {"auto", "exponential", "classic", NULL};

static const char *const verifications[] = {"full", "certificate", "none", NULL};

const struct config_key config_output_keys[] = {
    {.path = "kind", .kind = CONFIG_CHOICE, .offset = offsetof(struct config_output, kind),
     .fallback = "stdout", .choice = sink_choice, .help = "Where events go."},
    {.path = "path", .kind = CONFIG_TEXT, .offset = offsetof(struct config_output, path),
     .fallback = "vantage.ndjson", .only = "file", .help = "The file, one JSON event a line."},
    {.path = "rotate_size", .kind = CONFIG_SIZE, .only = "file",
     .offset = offsetof(struct config_output, rotate_size), .fallback = "100M",
     .maximum = INT64_MAX, .help = "Begin a new file beyond this size; 0: never."},
    {.path = "keep", .kind = CONFIG_NUMBER, .offset = offsetof(struct config_output, keep),
     .fallback = "7", .maximum = 1000, .only = "file", .help = "How many older files to keep."},
    {.path = "permissions", .kind = CONFIG_TEXT,
     .offset = offsetof(struct config_output, permissions), .fallback = "0640", .only = "file",
     .help = "Of a new file, as chmod(1) takes them."},
    {.path = "rotate_on_start", .kind = CONFIG_FLAG, .fallback = "false", .only = "file",
     .offset = offsetof(struct config_output, rotate_on_start),
     .help = "Begin a new file at each start."},
    {.path = "pretty", .kind = CONFIG_FLAG, .offset = offsetof(struct config_output, pretty),
     .fallback = "false", .only = "stdout or file",
     .help = "Events over several lines, for people."},
    {.path = "escape_html", .kind = CONFIG_FLAG, .fallback = "false", .only = "stdout or file",
     .offset = offsetof(struct config_output, escape_html),
     .help = "Escape what HTML would take for markup."},
    {.path = "format", .kind = CONFIG_TEXT, .offset = offsetof(struct config_output, format),
     .only = "stdout or file",
     .help = "Lines of one's own shape, with fields in them: %{[source.ip]} %{[query]:-}."},
    {CLUSTER(hosts, CONFIG_LIST, hosts, "localhost:9200",
             "Hosts of the cluster, or URLs; when one is away the next has its turn.")},
    {CLUSTER(index, CONFIG_TEXT, index, "vantage",
             "Index or data stream; may have fields and dates in it: net-%{[type]}-%{+yyyy.MM.dd}.")},
    {CLUSTER(pipeline, CONFIG_TEXT, pipeline, NULL, "An ingest pipeline.")},
    {HTTP(username, CONFIG_TEXT, username, NULL, "Who to log in as.")},
    {HTTP(password, CONFIG_TEXT, password, NULL, "Better from the environment: ${PASSWORD}."),
     .secret = true},
    {CLUSTER(api_key, CONFIG_TEXT, api_key, NULL, "ID:KEY, in place of user and password."),
     .secret = true},
    {HTTP(headers, CONFIG_LIST, headers, NULL, "More headers, \"Name: value\".")},
    {CLUSTER(parameters, CONFIG_TEXT, parameters, NULL, "More parameters of requests, a=1&b=2.")},
    {HTTP(ca_file, CONFIG_TEXT, ca_file, NULL, "Certificates of whom to trust, PEM.")},
    {HTTP(certificate_file, CONFIG_TEXT, certificate_file, NULL, "Our own, PEM.")},
    {HTTP(key_file, CONFIG_TEXT, key_file, NULL, "Its key, PEM.")},
    {HTTP(key_password, CONFIG_TEXT, key_password, NULL, "What opens the key."), .secret = true},
    {HTTP(verify, CONFIG_CHOICE, verify, "full",
             "What is asked of the host's certificate: that it is trusted and has the host's name, "
             "or the former only."),
     .choices = verifications},
    {HTTP(proxy, CONFIG_TEXT, proxy, NULL, "URL of a proxy.")},
    {CLUSTER(compression, CONFIG_NUMBER, compression, "1", "Level of gzip; 0: none."), .maximum = 9},
    {CLUSTER(bulk_events, CONFIG_NUMBER, bulk_events, "1600", "Events in a request, at most."),
     .minimum = 1, .maximum = 100000},
    {CLUSTER(bulk_wait, CONFIG_DURATION, bulk_wait_ns, "1s", "How long a request waits for more."),
     .maximum = HOUR},
    {HTTP(queue, CONFIG_SIZE, queue_bytes, "64M",
             "What waits for the other side, in memory or in the journal; what is beyond is lost, and "
             "counted."),
     .minimum = MIB(1), .maximum = MIB(4096)},
    {HTTP(timeout, CONFIG_DURATION, timeout_ns, "90s", "Of a request."),
     .minimum = SECONDS(1), .maximum = HOUR},
    {CLUSTER(retries, CONFIG_NUMBER, retries, "-1",
             "How often a document is sent again that the cluster has no time for; -1: always."),
     .minimum = -1, .maximum = 1 << 30},
    {HTTP(backoff, CONFIG_DURATION, backoff_ns, "1s", "First pause when the cluster is away."),
     .minimum = 1000000, .maximum = HOUR},
    {HTTP(backoff_max, CONFIG_DURATION, backoff_max_ns, "60s", "Longest pause."),
     .minimum = 1000000, .maximum = HOUR},
    {HTTP(close_wait, CONFIG_DURATION, close_ns, "10s",
             "How long the rest may take when the agent ends."),
     .maximum = HOUR},
    {.path = "template", .kind = CONFIG_FLAG, .fallback = "true", .only = "elasticsearch",
     .offset = offsetof(struct config_output, makes_template),
     .help = "Put an index template for a data stream of the index's name there, if none is."},
    {PUSH(url, CONFIG_TEXT, url, NULL,
          "Where metrics are pushed to: http://localhost:4318/v1/metrics for OTLP, "
          "http://localhost:9090/api/v1/write for remote write."),
     .example = "http://localhost:4318/v1/metrics"},
    {PUSH(interval, CONFIG_DURATION, interval_ns, "60s",
          "How often, at whole multiples of it; with temporality delta 60s."),
     .minimum = SECONDS(1), .maximum = SECONDS(60)},
    {PUSH(token, CONFIG_TEXT, token, NULL,
          "Sent as \"Authorization: Bearer TOKEN\"; better from the environment: ${TOKEN}."),
     .secret = true},
    {PUSH(attributes, CONFIG_LIST, attributes, NULL,
          "NAME=VALUE: attributes of the resource (OTLP; service.name, host.name and service.version "
          "are there without), or labels of all series (remote write)."),
     .example = "[datacenter=paris]"},
    {PUSH(histograms, CONFIG_CHOICE, histograms, "auto",
          "How values are spread: exponential histograms (native ones in Prometheus, which must "
          "have been told to take them), or summaries and classic buckets as in /metrics; auto: "
          "exponential for OTLP, classic for remote write."),
     .choices = histogram_shapes},
    {PUSH(top, CONFIG_NUMBER, top, "20", "Items of a list of the heaviest."), .maximum = 1000},
    {PUSH(journal, CONFIG_TEXT, journal, NULL,
          "A directory for what waits, which is sent at the next start then."),
     .example = "/var/lib/vantage/push"},
    {OTLP(temporality, CONFIG_CHOICE, temporality, "cumulative",
          "Whether sums are those since the start, or those of each minute."),
     .choices = temporalities},
    {OTLP(gzip, CONFIG_FLAG, compresses, "true", "Pack requests.")},
    {0},
};

static void *add_tap(struct config *config, const char *kind)
{
    return config_add_tap(config, kind);
}

static void *add_output(struct config *config, const char *kind)
{
    return config_add_output(config, kind);
}

static const struct config_items taps = {
    .keys = config_tap_keys,
    .default_kind = "afpacket",
    .count_offset = offsetof(struct config, tap_count),
    .item_size = sizeof(struct config_tap),
    .given_offset = offsetof(struct config_tap, given),
    .add = add_tap,
    .check = check_tap,
    .help = tap_help,
};

static const struct config_items outputs = {
    .keys = config_output_keys,
    .default_kind = "stdout",
    .count_offset = offsetof(struct config, output_count),
    .item_size = sizeof(struct config_output),
    .given_offset = offsetof(struct config_output, given),
    .add = add_output,
    .check = check_output,
    .help = sink_help,
};

static const char *const record_shapes[] = {"ecs", "flat", "both", NULL};

const struct config_key config_keys[] = {
    {.path = "taps", .kind = CONFIG_ITEMS, .offset = offsetof(struct config, taps), .items = &taps,
     .help = "Where packets come from."},

    {.path = "flows", .kind = CONFIG_SECTION,
     .help = "Conversations: what belongs together, and when it is reported."},
    {.path = "flows.enabled", .kind = CONFIG_FLAG, .offset = offsetof(struct config, flows.enabled),
     .fallback = "true", .help = "Report flows."},
    {.path = "flows.timeout", .kind = CONFIG_DURATION,
     .offset = offsetof(struct config, flows.timeout), .fallback = "30s", .minimum = SECONDS(1),
     .maximum = SECONDS(86400), .help = "Silence that ends a flow."},
    {.path = "flows.tcp_timeout", .kind = CONFIG_DURATION,
     .offset = offsetof(struct config, flows.tcp_timeout), .fallback = "0s", .minimum = SECONDS(1),
     .maximum = SECONDS(86400), .none = "0s",
     .help = "The same for open TCP connections; 0s: as timeout."},
    {.path = "flows.udp_timeout", .kind = CONFIG_DURATION,
     .offset = offsetof(struct config, flows.udp_timeout), .fallback = "0s", .minimum = SECONDS(1),
     .maximum = SECONDS(86400), .none = "0s", .help = "The same for UDP; 0s: as timeout."},
    {.path = "flows.icmp_timeout", .kind = CONFIG_DURATION,
     .offset = offsetof(struct config, flows.icmp_timeout), .fallback = "0s",
     .minimum = SECONDS(1), .maximum = SECONDS(86400), .none = "0s",
     .help = "The same for ICMP; 0s: as timeout."},
    {.path = "flows.active_timeout", .kind = CONFIG_DURATION,
     .offset = offsetof(struct config, flows.active_timeout), .fallback = "0s",
     .minimum = SECONDS(1), .maximum = SECONDS(86400), .none = "0s",
     .help = "Age at which a flow is ended and a new one begun; 0s: never."},
    {.path = "flows.period", .kind = CONFIG_DURATION,
     .offset = offsetof(struct config, flows.period), .fallback = "10s", .minimum = SECONDS(1),
     .maximum = SECONDS(86400), .none = "-1s",
     .help = "How often a flow that goes on is reported; -1s: only when it ends."},
    {.path = "flows.deltas", .kind = CONFIG_FLAG, .offset = offsetof(struct config, flows.deltas),
     .fallback = "false",
     .help = "Count since the last report instead of since the flow's start."},
    {.path = "flows.health", .kind = CONFIG_FLAG, .offset = offsetof(struct config, flows.health),
     .fallback = "false",
     .help = "Judge TCP connections, too: an event tcp.connection with each report of one."},
    {.path = "flows.health_record", .kind = CONFIG_CHOICE, .fallback = "ecs",
     .offset = offsetof(struct config, flows.health_record), .choices = record_shapes,
     .help = "The shape of these events: ECS names, flat rows of plain columns, or an event of each."},

    {.path = "zones", .kind = CONFIG_LIST, .offset = offsetof(struct config, zones),
     .help = "Which networks belong to which zone, NAME=NETWORK: paris=10.1.0.0/16. Of those that "
             "overlap the smallest."},

    {.path = "geo", .kind = CONFIG_SECTION,
     .help = "Databases in MaxMind's format that say where addresses are, and whose."},
    {.path = "geo.city", .kind = CONFIG_TEXT, .offset = offsetof(struct config, geo.city),
     .help = "Of cities or countries: /usr/share/GeoIP/GeoLite2-City.mmdb."},
    {.path = "geo.asn", .kind = CONFIG_TEXT, .offset = offsetof(struct config, geo.owner),
     .help = "Of autonomous systems: /usr/share/GeoIP/GeoLite2-ASN.mmdb."},

    {.path = "processes", .kind = CONFIG_SECTION,
     .help = "Whose conversations they are: process.* of events that begin or end on this machine."},
    {.path = "processes.enabled", .kind = CONFIG_FLAG, .fallback = "false",
     .offset = offsetof(struct config, processes.enabled),
     .help = "Look in /proc for who holds the socket. Live only."},
    {.path = "processes.names", .kind = CONFIG_LIST,
     .offset = offsetof(struct config, processes.names),
     .help = "Other names for processes by a part of their command line, NAME=PART: "
             "shop=shop-server.jar."},

    {.path = "protocols", .kind = CONFIG_PROTOCOLS,
     .help = "What is read of conversations, where, and what is told of it."},

    {.path = "processors", .kind = CONFIG_TREE, .offset = offsetof(struct config, processors),
     .example = "[]",
     .help = "What is done to each event on its way out, one after the other, as Elastic's programs "
             "write it: - drop_event: {when: {equals: {type: dns}}}. docs/packetbeat.md names them."},

    {.path = "outputs", .kind = CONFIG_ITEMS, .offset = offsetof(struct config, outputs),
     .items = &outputs,
     .help = "Where events go, besides the web page and the API. None by default."},

    {.path = "api", .kind = CONFIG_SECTION, .help = "The web page and the REST API."},
    {.path = "api.enabled", .kind = CONFIG_FLAG, .offset = offsetof(struct config, api.enabled),
     .fallback = "true", .help = "Listen at all."},
    {.path = "api.listen", .kind = CONFIG_TEXT, .offset = offsetof(struct config, api.listen),
     .fallback = "127.0.0.1:10853",
     .help = "ADDRESS:PORT, IPv6 in brackets. Others than this machine need a token."},
    {.path = "api.token", .kind = CONFIG_TEXT, .offset = offsetof(struct config, api.token),
     .secret = true,
     .help = "What clients must show as \"Authorization: Bearer TOKEN\"; better from the "
             "environment: ${VANTAGE_TOKEN}."},
    {.path = "api.certificate_file", .kind = CONFIG_TEXT,
     .offset = offsetof(struct config, api.certificate_file),
     .help = "Serve over TLS with this certificate, PEM, with those that signed it behind it."},
    {.path = "api.key_file", .kind = CONFIG_TEXT, .offset = offsetof(struct config, api.key_file),
     .help = "Its key, PEM."},

    {.path = "limits", .kind = CONFIG_SECTION,
     .help = "What the analysis may cost. What does not fit is dropped, counted and shown."},
    {.path = "limits.memory", .kind = CONFIG_MEMORY, .offset = offsetof(struct config, limits.memory),
     .fallback = "auto", .minimum = MIB(16), .maximum = INT64_MAX,
     .help = "Of all tables together; auto: 25 % of the machine, at most 2G."},
    {.path = "limits.workers", .kind = CONFIG_NUMBER,
     .offset = offsetof(struct config, limits.workers), .fallback = "1", .minimum = 1,
     .maximum = CONFIG_WORKERS_MAX, .help = "Threads that share the packets."},
    {.path = "limits.flows", .kind = CONFIG_NUMBER, .offset = offsetof(struct config, limits.flows),
     .fallback = "0", .maximum = 1 << 28,
     .help = "Flows at a time, all workers together; 0: what the memory holds."},
    {.path = "limits.fragments_memory", .kind = CONFIG_SIZE,
     .offset = offsetof(struct config, limits.fragments_memory), .fallback = "8M",
     .minimum = MIB(1) / 4, .maximum = MIB(1024),
     .help = "Of limits.memory, for IP fragments that wait for their rest."},

    {.path = "logging", .kind = CONFIG_SECTION, .help = "What goes to standard error."},
    {.path = "logging.level", .kind = CONFIG_LEVEL, .offset = offsetof(struct config, log_level),
     .fallback = "info", .choice = level_choice, .help = "How much of it."},
    {0},
};

/* Splits "HOST:PORT" or "[HOST]:PORT"; the host's brackets go. */
static bool split_address(const char *listen, char host[64], int64_t *ret_port)
{
    const char *colon = strrchr(listen, ':');
    if (colon == NULL || !text_parse_number(colon + 1, ret_port) || *ret_port < 0 ||
        *ret_port > 65535) {
        return false;
    }
    size_t size = (size_t)(colon - listen);
    bool has_brackets = size >= 2 && listen[0] == '[' && listen[size - 1] == ']';
    listen += has_brackets;
    size -= has_brackets ? 2 : 0;
    if (size == 0 || size >= 64 || (!has_brackets && memchr(listen, ':', size) != NULL)) {
        return false;
    }
    memcpy(host, listen, size);
    host[size] = '\0';
    return true;
}

bool config_address(const char *listen, struct sockaddr_storage *ret, struct err *err)
{
    char host[64];
    int64_t port;
    *ret = (struct sockaddr_storage){0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    if (split_address(listen, host, &port)) {
        bool is_local = strcmp(host, "localhost") == 0;
        if (inet_pton(AF_INET, is_local ? "127.0.0.1" : host, &v4->sin_addr) == 1) {
            v4->sin_family = AF_INET;
            v4->sin_port = htons((uint16_t)port);
            return true;
        }
        if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
            v6->sin6_family = AF_INET6;
            v6->sin6_port = htons((uint16_t)port);
            return true;
        }
    }
    return err_set(err, ERR_USAGE,
                   "api.listen '%s' is not ADDRESS:PORT, as 127.0.0.1:10853 or [::1]:10853",
                   listen);
}

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
        return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    }
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* Nobody opens an agent to the network by accident. */
static bool listen_is_safe(const struct config *config, struct err *err)
{
    struct sockaddr_storage address;
    if (!config_address(config->api.listen, &address, err)) {
        return false;
    }
    if (!config->api.enabled || is_loopback(&address) || config->api.token[0] != '\0') {
        return true;
    }
    return err_set(err, ERR_USAGE,
                   "api.listen %s is open to the network, and there is no api.token: set one "
                   "(openssl rand -hex 16), or listen on 127.0.0.1",
                   config->api.listen);
}

static bool key_has_certificate(const struct config *config, struct err *err)
{
    return (config->api.certificate_file[0] == '\0') == (config->api.key_file[0] == '\0') ||
           err_set(err, ERR_USAGE, "api.certificate_file and api.key_file go together: name both");
}

static bool fragments_fit(const struct config *config, struct err *err)
{
    if (config->limits.fragments_memory <= config->limits.memory / 2) {
        return true;
    }
    char part[TEXT_ROOM];
    char whole[TEXT_ROOM];
    return err_set(err, ERR_USAGE,
                   "limits.fragments_memory %s is more than half of limits.memory %s: lower it",
                   text_size(part, config->limits.fragments_memory),
                   text_size(whole, config->limits.memory));
}

static bool zones_are_networks(const struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->zones.count; i++) {
        if (!places_zone_check(config->zones.items[i], err)) {
            return false;
        }
    }
    return true;
}

const struct config_rule config_rules[] = {
    {"zones", zones_are_networks},
    {"api.listen", listen_is_safe},
    {"api.key_file", key_has_certificate},
    {"limits.fragments_memory", fragments_fit},
    {0},
};
