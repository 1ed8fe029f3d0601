// SPDX-License-Identifier: Apache-2.0
#include "api/get_flows.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/text.h"
#include "event/event_writer.h"

enum { FLOWS_LIMIT_DEFAULT = 100 };

/* ---- Parameters ------------------------------------------------------------------------------ */

/* A word and the number it stands for; tables of them end with NULL. */
struct word {
    const char *name;
    unsigned value;
};

static bool read_word(const char *text, const struct word *words, unsigned *ret)
{
    for (; words->name != NULL; words++) {
        if (strcmp(text, words->name) == 0) {
            *ret = words->value;
            return true;
        }
    }
    return false;
}

static bool read_number(const char *text, int64_t minimum, int64_t maximum, int64_t *ret)
{
    return text_parse_number(text, ret) && *ret >= minimum && *ret <= maximum;
}

static bool read_state(const char *text, void *values)
{
    static const struct word states[] = {{"active", true}, {"recent", false}, {0}};
    unsigned active;
    if (!read_word(text, states, &active)) {
        return false;
    }
    ((struct flow_query *)values)->active = active != 0;
    return true;
}

/* IANA's assigned numbers, by the names that network.transport has and a few that people type. */
static bool read_protocol(const char *text, void *values)
{
    static const struct word protocols[] = {
        {"icmp", 1},  {"igmp", 2}, {"ipip", 4},  {"tcp", 6},        {"udp", 17},
        {"gre", 47},  {"esp", 50}, {"ah", 51},   {"ipv6-icmp", 58}, {"icmpv6", 58},
        {"ospf", 89}, {"pim", 103}, {"vrrp", 112}, {"sctp", 132},   {"udplite", 136},
        {0},
    };
    unsigned number;
    int64_t value;
    if (read_word(text, protocols, &number)) {
        value = number;
    } else if (!read_number(text, 1, UINT8_MAX, &value)) {
        return false;
    }
    ((struct flow_query *)values)->protocol = (uint8_t)value;
    return true;
}

/* An address or a network; bits behind the prefix are cleared. */
static bool read_network(const char *text, void *values)
{
    struct flow_query *query = values;
    char address[INET6_ADDRSTRLEN] = {0};
    size_t size = strcspn(text, "/");
    if (size >= sizeof(address)) {
        return false;
    }
    memcpy(address, text, size);
    struct event_address network = {0};
    if (inet_pton(AF_INET, address, network.bytes) == 1) {
        network.version = 4;
    } else if (inet_pton(AF_INET6, address, network.bytes) == 1) {
        network.version = 6;
    } else {
        return false;
    }
    unsigned bits = network.version == 4 ? 32 : 128;
    int64_t prefix = bits;
    if (text[size] == '/' && !read_number(text + size + 1, 0, bits, &prefix)) {
        return false;
    }
    for (unsigned i = 0; i < bits; i++) {
        if (i >= prefix) {
            network.bytes[i / 8] &= (uint8_t)~(0x80u >> i % 8);
        }
    }
    query->network = network;
    query->prefix = (uint8_t)prefix;
    return true;
}

static bool read_port(const char *text, void *values)
{
    int64_t port;
    if (!read_number(text, 1, UINT16_MAX, &port)) {
        return false;
    }
    ((struct flow_query *)values)->port = (uint16_t)port;
    return true;
}

static bool read_version(const char *text, void *values)
{
    static const struct word versions[] = {{"4", 4}, {"6", 6}, {0}};
    unsigned version;
    if (!read_word(text, versions, &version)) {
        return false;
    }
    ((struct flow_query *)values)->version = (uint8_t)version;
    return true;
}

static bool read_sort(const char *text, void *values)
{
    static const struct word sorts[] = {
        {"bytes", FLOW_SORT_BYTES}, {"packets", FLOW_SORT_PACKETS},   {"start", FLOW_SORT_START},
        {"last", FLOW_SORT_LAST},   {"duration", FLOW_SORT_DURATION}, {0},
    };
    unsigned sort;
    if (!read_word(text, sorts, &sort)) {
        return false;
    }
    ((struct flow_query *)values)->sort = (enum flow_sort)sort;
    return true;
}

static bool read_order(const char *text, void *values)
{
    static const struct word orders[] = {{"asc", true}, {"desc", false}, {0}};
    unsigned ascending;
    if (!read_word(text, orders, &ascending)) {
        return false;
    }
    ((struct flow_query *)values)->ascending = ascending != 0;
    return true;
}

static bool read_offset(const char *text, void *values)
{
    int64_t offset;
    if (!read_number(text, 0, FLOW_OFFSET_MAX, &offset)) {
        return false;
    }
    ((struct flow_query *)values)->offset = (uint32_t)offset;
    return true;
}

static bool read_limit(const char *text, void *values)
{
    int64_t limit;
    if (!read_number(text, 1, FLOW_PAGE_MAX, &limit)) {
        return false;
    }
    ((struct flow_query *)values)->limit = (uint32_t)limit;
    return true;
}

const struct parameter get_flows_parameters[] = {
    {"state", "active or recent", "flows that go on (the default) or that ended lately", read_state},
    {"proto", "a protocol's name (tcp, udp, icmp, ...) or a number from 1 to 255", "IP protocol",
     read_protocol},
    {"ip", "an address or a network such as 10.0.0.0/8", "either end is in it", read_network},
    {"port", "a whole number from 1 to 65535", "either end has it", read_port},
    {"version", "4 or 6", "IP version", read_version},
    {"sort", "bytes, packets, start, last or duration", "bytes if not given", read_sort},
    {"order", "asc or desc", "desc if not given", read_order},
    {"offset", "a whole number from 0 to 10000", "flows to skip", read_offset},
    {"limit", "a whole number from 1 to 1000", "flows at most, 100 if not given", read_limit},
    {0},
};

/* ---- The handler ----------------------------------------------------------------------------- */

static void write_page(const struct flow_query *query, const struct flow_page *page,
                       struct json *to)
{
    json_object_begin(to);
    json_key(to, "state");
    json_text(to, query->active ? "active" : "recent");
    json_key(to, "matched");
    json_u64(to, page->matched);
    json_key(to, "complete");
    json_bool(to, page->complete);
    json_key(to, "offset");
    json_u64(to, query->offset);
    json_key(to, "limit");
    json_u64(to, query->limit);
    json_key(to, "flows");
    json_array_begin(to);
    event_writer_list(to, &page->flows->head, page->count, sizeof *page->flows);
    json_array_end(to);
    json_object_end(to);
}

void get_flows(struct exchange *x)
{
    struct flow_query query = {.active = true, .limit = FLOWS_LIMIT_DEFAULT};
    if (!parameters_read(x, get_flows_parameters, &query)) {
        return;
    }
    struct flow_page page = {0};
    struct err err = {0};
    pthread_mutex_lock(x->service->searching);
    bool found = engine_flows(x->service->engine, &query, &page, &err);
    pthread_mutex_unlock(x->service->searching);
    if (!found) {
        bool is_query = err.code == ERR_USAGE;
        exchange_refuse(x, is_query ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_SERVICE_UNAVAILABLE, "%s",
                        err.text);
        return;
    }
    write_page(&query, &page, &x->body);
    free(page.flows);
}
