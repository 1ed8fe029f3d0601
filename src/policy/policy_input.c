// SPDX-License-Identifier: Apache-2.0
#include "policy/policy_input.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "policy/intake_thread.h"
#include "policy/policy_filter.h"
#include "policy/probe_wire.h"

enum { CONNECTIONS = 300000, TARGETS_MAX = 256 };

/* ---- Kinds ---------------------------------------------------------------------------------- */

struct input_kind {
    const char *name;
    uint32_t kind;
    const char *const *keys;
};

static const char *const pcap_keys[] = {"iface",     "bpf",   "host_spec", "pcap_source",
                                        "pcap_file", "debug", "tcp_packet_reassembly_cache_limit",
                                        NULL};
static const char *const dnstap_keys[] = {"tcp", "socket", "dnstap_file", "only_hosts", NULL};
static const char *const flow_keys[] = {"flow_type", "pcap_file", "bind", "port", NULL};
static const char *const netprobe_keys[] = {
    "test_type",        "interval_msec",         "timeout_msec",        "packets_per_test",
    "packets_interval_msec", "packet_payload_size", "targets", NULL};

static const struct input_kind kinds[] = {
    {"pcap", HANDLER_PCAP, pcap_keys},
    {"dnstap", HANDLER_DNSTAP, dnstap_keys},
    {"flow", HANDLER_FLOW, flow_keys},
    {"sflow", HANDLER_FLOW, flow_keys},
    {"netprobe", HANDLER_NETPROBE, netprobe_keys},
    {"mock", HANDLER_MOCK, NULL},
};

uint32_t policy_input_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return kinds[i].kind;
        }
    }
    return 0;
}

static bool is_listed(const char *const *keys, const char *key)
{
    for (; *keys != NULL; keys++) {
        if (strcmp(*keys, key) == 0) {
            return true;
        }
    }
    return false;
}

static bool check_keys(const char *const *keys, const struct tree *config, struct err *err)
{
    for (size_t i = 0; keys != NULL && i < config->count; i++) {
        if (!is_listed(keys, config->keys[i])) {
            char list[512] = "";
            for (size_t k = 0, at = 0; keys[k] != NULL; k++) {
                at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", k > 0 ? ", " : "",
                                       keys[k]);
            }
            return err_set(err, ERR_USAGE,
                           "%s is an invalid/unsupported config or filter. "
                           "The valid configs/filters are: %s",
                           config->keys[i], list);
        }
    }
    return true;
}

static uint64_t number_of(const struct tree *config, const char *name, uint64_t fallback)
{
    const struct tree *value = tree_get(config, name);
    return value != NULL && value->kind == TREE_NUMBER ? value->number : fallback;
}

static const char *text_of(const struct tree *config, const char *name)
{
    const struct tree *value = tree_get(config, name);
    return value != NULL ? value->text : NULL;
}

static bool check_target(const char *name, const struct tree *target, struct err *err)
{
    const char *where = text_of(target, "target");
    if (where == NULL) {
        return err_set(err, ERR_USAGE, "'%s' does not have key 'target' which is required", name);
    }
    uint64_t version = number_of(target, "ip_version", 4);
    uint8_t bytes[16];
    if (version != 4 && version != 6) {
        return err_set(err, ERR_USAGE, "ip_version must be 4 or 6");
    }
    version = number_of(target, "ip_version", 0);
    if (strpbrk(where, ".:") == NULL && strcmp(where, "localhost") != 0) {
        return err_set(err, ERR_USAGE, "%s is an invalid/unsupported DNS", where);
    }
    if (version == 6 && inet_pton(AF_INET, where, bytes) == 1) {
        return err_set(err, ERR_USAGE, "target %s is IPv4 but ip_version is set to 6", where);
    }
    if (version == 4 && inet_pton(AF_INET6, where, bytes) == 1) {
        return err_set(err, ERR_USAGE, "target %s is IPv6 but ip_version is set to 4", where);
    }
    return true;
}

static bool check_test_type(const struct tree *config, struct err *err)
{
    static const char *const later[] = {"http", "udp", "doh"};
    const char *type = text_of(config, "test_type");
    if (type == NULL) {
        return err_set(err, ERR_USAGE,
                       "'test_type' config not specified. The valid test types are: ping, tcp");
    }
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        if (strcmp(type, later[i]) == 0) {
            return err_set(err, ERR_USAGE, "Test type currently not supported");
        }
    }
    return strcmp(type, "ping") == 0 || strcmp(type, "tcp") == 0 ||
           err_set(err, ERR_USAGE,
                   "%s is an invalid/unsupported test type. The valid test types are: ping, tcp",
                   type);
}

static bool check_targets(const struct tree *config, struct err *err)
{
    const struct tree *targets = tree_get(config, "targets");
    bool is_tcp = strcmp(text_of(config, "test_type"), "tcp") == 0;
    if (targets == NULL || targets->kind != TREE_MAP || targets->count == 0) {
        return err_set(err, ERR_USAGE, "no targets specified");
    }
    if (targets->count > TARGETS_MAX) {
        return err_set(err, ERR_USAGE, "more than %d targets", TARGETS_MAX);
    }
    for (size_t i = 0; i < targets->count; i++) {
        const struct tree *target = &targets->items[i];
        if (!check_target(targets->keys[i], target, err)) {
            return false;
        }
        uint64_t port = number_of(target, "port", 0);
        if (is_tcp && (port == 0 || port > 65535)) {
            return err_set(err, ERR_USAGE, "'%s' does not have key 'port' which is required",
                           targets->keys[i]);
        }
    }
    return true;
}

static bool check_netprobe(const struct tree *config, struct err *err)
{
    if (!check_test_type(config, err)) {
        return false;
    }
    uint64_t interval = number_of(config, "interval_msec", 5000);
    uint64_t timeout = number_of(config, "timeout_msec", 2000);
    uint64_t packets = number_of(config, "packets_per_test", 1);
    uint64_t gap = number_of(config, "packets_interval_msec", 25);
    if (timeout > interval) {
        return err_set(err, ERR_USAGE,
                       "timeout_msec [%" PRIu64 "] cannot be greater than interval_msec [%" PRIu64
                       "]",
                       timeout, interval);
    }
    if (gap > 0 && packets > interval / gap) {
        return err_set(err, ERR_USAGE,
                       "packets_per_test [%" PRIu64 "] times packets_interval_msec [%" PRIu64
                       "] cannot be greater than packets_interval_msec [%" PRIu64 "]",
                       packets, gap, interval);
    }
    uint64_t payload = number_of(config, "packet_payload_size", 48);
    if (payload > PROBE_WIRE_PAYLOAD_MAX) {
        return err_set(err, ERR_USAGE,
                       "packet_payload_size was set to %" PRIu64 " but max supported size is %d",
                       payload, PROBE_WIRE_PAYLOAD_MAX);
    }
    if (packets == 0) {
        return err_set(err, ERR_USAGE, "packets_per_test needs to be greater than 0");
    }
    if (interval == 0) {
        return err_set(err, ERR_USAGE, "interval_msec needs to be greater than 0");
    }
    return check_targets(config, err);
}

/* Whether a key, if it is there, has a value of that kind. */
static bool check_value(const struct tree *config, const char *key, enum tree_kind kind,
                        struct err *err)
{
    const struct tree *value = tree_get(config, key);
    return value == NULL || value->kind == kind ||
           err_set(err, ERR_USAGE, "wrong type for key: %s: it is %s", key,
                   kind == TREE_FLAG ? "true or false" : "a whole number");
}

static bool check_pcap(const struct tree *config, struct err *err)
{
    const char *source = text_of(config, "pcap_source");
    if (source != NULL && strcmp(source, "libpcap") != 0 && strcmp(source, "af_packet") != 0 &&
        strcmp(source, "mock") != 0) {
        return err_set(err, ERR_USAGE, "unknown pcap source");
    }
    return check_value(config, "tcp_packet_reassembly_cache_limit", TREE_NUMBER, err) &&
           check_value(config, "debug", TREE_FLAG, err);
}

static bool check_flow(const struct tree *config, struct err *err)
{
    if (!check_value(config, "port", TREE_NUMBER, err)) {
        return false;
    }
    const char *type = text_of(config, "flow_type");
    if (type != NULL && strcmp(type, "sflow") != 0 && strcmp(type, "netflow") != 0 &&
        strcmp(type, "ipfix") != 0) {
        return err_set(err, ERR_USAGE,
                       "invalid flow_type \"%s\". Supported types: \"sflow\", \"netflow\" and "
                       "\"ipfix\"",
                       type);
    }
    return true;
}

bool policy_input_check(uint32_t kind, const struct tree *config, struct err *err)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (kinds[i].kind == kind && !check_keys(kinds[i].keys, config, err)) {
            return false;
        }
    }
    return kind == HANDLER_NETPROBE ? check_netprobe(config, err)
           : kind == HANDLER_FLOW   ? check_flow(config, err)
                                    : kind != HANDLER_PCAP || check_pcap(config, err);
}

/* ---- Whether it can start ------------------------------------------------------------------- */

static bool check_start(const struct policies *set, const struct policy_input *input,
                        struct err *err)
{
    const struct tree *c = &input->config;
    if (set->options.is_recorded || set->options.is_dry) {
        return true;
    }
    if (input->kind == HANDLER_PCAP && tree_get(c, "iface") == NULL &&
        tree_get(c, "pcap_file") == NULL) {
        return err_set(err, ERR_USAGE, "no iface was specified for live capture");
    }
    if (input->kind == HANDLER_FLOW && tree_get(c, "pcap_file") == NULL &&
        (tree_get(c, "bind") == NULL || tree_get(c, "port") == NULL)) {
        return err_set(err, ERR_USAGE, "flow config must specify port and bind");
    }
    if (input->kind == HANDLER_DNSTAP && tree_get(c, "tcp") == NULL &&
        tree_get(c, "socket") == NULL && tree_get(c, "dnstap_file") == NULL) {
        return err_set(err, ERR_USAGE, "config must specify one of: socket, dnstap_file");
    }
    return true;
}

/* ---- Hosts ---------------------------------------------------------------------------------- */

static unsigned bits_of(const uint8_t *mask, size_t size)
{
    unsigned bits = 0;
    for (size_t i = 0; i < size; i++) {
        bits += (unsigned)__builtin_popcount(mask[i]);
    }
    return bits;
}

/* The interface with an address, or what was given. */
static const char *named_by(const struct ifaddrs *list, const char *given)
{
    char text[INET6_ADDRSTRLEN];
    for (const struct ifaddrs *i = list; i != NULL; i = i->ifa_next) {
        int family = i->ifa_addr != NULL ? i->ifa_addr->sa_family : AF_UNSPEC;
        const void *bytes = family == AF_INET
                                ? (const void *)&((struct sockaddr_in *)i->ifa_addr)->sin_addr
                                : (const void *)&((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr;
        if ((family == AF_INET || family == AF_INET6) &&
            inet_ntop(family, bytes, text, sizeof text) != NULL && strcmp(text, given) == 0) {
            return i->ifa_name;
        }
    }
    return given;
}

/* The networks that an interface is in are its host's own, where nobody says otherwise. Which one `auto`
 * will be is not known yet: those of all. */
static void add_interface(struct hosts *hosts, const char *given)
{
    struct ifaddrs *list = NULL;
    if (getifaddrs(&list) != 0) {
        return;
    }
    const char *interface = named_by(list, given);
    bool is_any = strcmp(given, "auto") == 0 || strcmp(given, "any") == 0;
    for (const struct ifaddrs *i = list; i != NULL && hosts->count < HOSTS_MAX; i = i->ifa_next) {
        if (i->ifa_addr == NULL || i->ifa_netmask == NULL ||
            !(is_any ? !(i->ifa_flags & IFF_LOOPBACK) : strcmp(i->ifa_name, interface) == 0)) {
            continue;
        }
        struct hosts_network *network = &hosts->networks[hosts->count];
        if (i->ifa_addr->sa_family == AF_INET) {
            *network = (struct hosts_network){.version = 4};
            memcpy(network->address, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, 4);
            network->bits = (uint8_t)bits_of(
                (const uint8_t *)&((struct sockaddr_in *)i->ifa_netmask)->sin_addr, 4);
            hosts->count++;
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            *network = (struct hosts_network){.version = 6};
            memcpy(network->address, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, 16);
            network->bits = (uint8_t)bits_of(
                (const uint8_t *)&((struct sockaddr_in6 *)i->ifa_netmask)->sin6_addr, 16);
            hosts->count++;
        }
    }
    freeifaddrs(list);
}

static bool read_hosts(const struct policies *set, struct policy_input *input, struct err *err)
{
    const char *spec = text_of(&input->config, "host_spec");
    const char *interface = text_of(&input->config, "iface");
    if (spec != NULL && !hosts_read(&input->hosts, spec, err)) {
        return false;
    }
    if (input->hosts.count == 0 && interface != NULL && !set->options.is_recorded) {
        add_interface(&input->hosts, interface);
    }
    const struct tree *only = tree_get(&input->config, "only_hosts");
    for (size_t i = 0; only != NULL && only->kind == TREE_LIST && i < only->count; i++) {
        if (only->items[i].text != NULL &&
            !hosts_add(&input->only_hosts, only->items[i].text, err)) {
            return false;
        }
    }
    return true;
}

/* ---- Life ----------------------------------------------------------------------------------- */

static void input_free(struct policy_input *input)
{
    policy_filter_free(input);
    free(input->key);
    tree_memory_free(input->memory);
    free(input);
}

/* The configuration as text that is equal for equal ones; to be freed. */
static char *key_of(const char *tap, const struct tree *config)
{
    struct json text;
    json_init(&text);
    tree_json(config, &text);
    char *key = NULL;
    if (asprintf(&key, "%s %.*s", tap, (int)text.size, text.data) < 0) {
        abort();
    }
    json_done(&text);
    return key;
}

/* A slot that nobody has, nor the thread of an input that has just gone. */
static uint32_t free_slot(const struct policies *set)
{
    for (uint32_t slot = set->options.slots; slot < POLICY_SLOTS; slot++) {
        bool is_taken = atomic_load(&set->slots[slot].is_used);
        for (const struct policy_input *i = set->inputs; i != NULL; i = i->next) {
            is_taken |= i->slot == slot;
        }
        if (!is_taken) {
            return slot;
        }
    }
    return POLICY_SLOTS;
}

/* Where its events come from: workers, or a slot of its own. */
static bool take_slot(struct policies *set, struct policy_input *input, struct err *err)
{
    input->slot = POLICY_WORKERS;
    if (set->options.is_dry || !intake_thread_is_apart(set, input)) {
        return true;
    }
    input->slot = free_slot(set);
    if (input->slot == POLICY_SLOTS) {
        return err_set(err, ERR_USAGE, "more than %u inputs that listen or read files",
                       POLICY_SLOTS - set->options.slots);
    }
    atomic_store(&set->slots[input->slot].now_ns, 0);
    return true;
}

static const char *source_of(struct policy_input *input, const struct policy_tap *tap)
{
    const char *interface = text_of(&input->config, "iface"), *own = text_of(&tap->config, "iface");
    char name[2 * POLICY_NAME];
    if (interface == NULL || own == NULL || strcmp(interface, own) == 0) {
        return input->tap;
    }
    snprintf(name, sizeof name, "%s:%s", tap->name, interface);
    return tree_keep(input->memory, name);
}

static bool prepare(struct policies *set, struct policy_input *input, struct err *err)
{
    input->file = text_of(&input->config,
                          input->kind == HANDLER_DNSTAP ? "dnstap_file" : "pcap_file");
    input->connections =
        number_of(&input->config, "tcp_packet_reassembly_cache_limit", CONNECTIONS);
    const char *type = text_of(&input->config, "flow_type");
    input->is_netflow = type != NULL && strcmp(type, "sflow") != 0;
    return policy_input_check(input->kind, &input->config, err) && check_start(set, input, err) &&
           read_hosts(set, input, err) && policy_filter_compile(set, input, err) &&
           take_slot(set, input, err);
}

struct policy_input *policy_input_of(struct policies *set, const struct policy_tap *tap,
                                     const struct tree *config, const struct tree *filter,
                                     struct err *err)
{
    struct policy_input *input = calloc(1, sizeof *input);
    if (input == NULL) {
        abort();
    }
    input->memory = tree_memory_new();
    input->kind = policy_input_kind(tap->input_type);
    input->tap = tree_keep(input->memory, tap->name);
    struct tree merged = tree_map();
    tree_merge(input->memory, &merged, &tap->config);
    tree_merge(input->memory, &merged, &tap->filter);
    tree_merge(input->memory, &merged, config);
    tree_merge(input->memory, &merged, filter);
    input->config = tree_copy(input->memory, &merged);
    input->key = key_of(tap->name, &input->config);
    for (struct policy_input *other = set->inputs; other != NULL; other = other->next) {
        if (strcmp(other->key, input->key) == 0) {
            input_free(input);
            return other;
        }
    }
    snprintf(input->name, sizeof input->name, "%.120s-%" PRIu64, tap->name,
             hash64(input->key, strlen(input->key), 0));
    atomic_store(&input->first_ns, UINT64_MAX);
    input->serial = ++set->serial;
    input->source = source_of(input, tap);
    if (!prepare(set, input, err)) {
        input_free(input);
        return NULL;
    }
    input->next = set->inputs;
    set->inputs = input;
    return input;
}

void policy_input_drop(struct policies *set, struct policy_input *input)
{
    for (struct policy_input **at = &set->inputs; *at != NULL; at = &(*at)->next) {
        if (*at == input) {
            *at = input->next;
            input_free(input);
            return;
        }
    }
}
