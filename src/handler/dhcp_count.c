// SPDX-License-Identifier: Apache-2.0
/* DHCP messages by type (RFC 2131, RFC 8415), who got an address and who gave it. A request waits for
 * its acknowledgement: only the two together tell the name, the address and both ends of a lease. */
#include <stdio.h>

#include "base/address.h"
#include "base/cursor.h"
#include "handler/handler.h"
#include "summary/rate.h"
#include "summary/topn.h"

enum { SLOTS = 256, NAME = 136 };
enum { HEAD = 236, COOKIE_SIZE = 4, CLIENT_ADDRESS = 16, HARDWARE = 28, HOST_NAME = 64 };
enum { OPTION_PAD = 0, OPTION_HOST_NAME = 12, OPTION_TYPE = 53, OPTION_SERVER = 54, OPTION_END = 255 };
enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5 };
enum { SOLICIT = 1, ADVERTISE = 2, REQUEST_6 = 3, REPLY = 7 };
enum { WAITING = 256 }; /* requests at a time */
#define PATIENCE_NS UINT64_C(5000000000)
static const uint32_t COOKIE = 0x63825363;

struct dhcp_message {
    uint8_t type;
    bool is_six;
    uint32_t id;
    uint8_t hardware[6];
    uint8_t address[4]; /* yours: that the server gives */
    struct span host_name;
};

struct dhcp {
    uint64_t discover, offer, request, ack, solicit, advertise, request_six, reply;
    uint64_t total, filtered, events, deep;
    struct rate rate_total, rate_events;
    TOPN_DECLARE_WIDE(clients, SLOTS, NAME);
    TOPN_DECLARE_WIDE(servers, SLOTS, NAME);
};

struct dhcp_settings {
    struct handler_settings common;
    uint64_t patience_ns;
};

struct waiting {
    uint64_t since_ns; /* 0: free */
    uint32_t id;
    char host_name[HOST_NAME];
};

struct dhcp_state {
    struct waiting waiting[WAITING]; /* by the transaction's number */
};

/* ---- Reading -------------------------------------------------------------------------------- */

static void read_option(struct dhcp_message *m, uint8_t code, struct span value)
{
    if (code == OPTION_TYPE && value.size == 1) {
        m->type = value.data[0];
    } else if (code == OPTION_HOST_NAME) {
        m->host_name = value;
    }
}

static bool read_four(struct span bytes, struct dhcp_message *m)
{
    struct cursor c = cursor_of(bytes);
    struct span head = cursor_take(&c, HEAD);
    if (c.bad || cursor_be32(&c) != COOKIE) {
        return false;
    }
    m->id = load_be32(head.data + 4);
    memcpy(m->address, head.data + CLIENT_ADDRESS, sizeof m->address);
    memcpy(m->hardware, head.data + HARDWARE, sizeof m->hardware);
    while (cursor_left(&c) > 0) {
        uint8_t code = cursor_u8(&c);
        if (code == OPTION_END) {
            break;
        }
        if (code != OPTION_PAD) {
            uint8_t size = cursor_u8(&c);
            struct span value = cursor_take(&c, size);
            if (c.bad) {
                break;
            }
            read_option(m, code, value);
        }
    }
    return m->type != 0;
}

static bool dhcp_read(struct span bytes, void *message)
{
    struct dhcp_message *m = message;
    *m = (struct dhcp_message){0};
    if (read_four(bytes, m)) {
        return true;
    }
    m->is_six = bytes.size >= 4 && bytes.data[0] >= SOLICIT && bytes.data[0] <= 13;
    m->type = m->is_six ? bytes.data[0] : 0;
    return m->is_six;
}

static const uint16_t dhcp_ports[] = {67, 68, 546, 547, 0};

static const struct handler_reader dhcp_reader = {
    .name = "dhcp",
    .size = sizeof(struct dhcp_message),
    .ports = dhcp_ports,
    .port_bits = HANDLER_PORT_BIT(67) | HANDLER_PORT_BIT(68) |
                 HANDLER_PORT_BIT(546) | HANDLER_PORT_BIT(547),
    .is_udp = true,
    .read = dhcp_read,
};

/* ---- Counting ------------------------------------------------------------------------------- */

static bool dhcp_configure(const struct handler_options *options, void *settings, struct err *err)
{
    struct dhcp_settings *s = settings;
    s->patience_ns = handler_patience(options, PATIENCE_NS);
    return true;
}

static void dhcp_init(void *block)
{
    topn_init(&((struct dhcp *)block)->clients, SLOTS, NAME);
    topn_init(&((struct dhcp *)block)->servers, SLOTS, NAME);
}

static void note_request(struct handler_run *run, const struct dhcp_message *m, uint64_t now_ns)
{
    struct waiting *w = &((struct dhcp_state *)run->state)->waiting[m->id % WAITING];
    *w = (struct waiting){.since_ns = now_ns, .id = m->id};
    struct span name = span_head(m->host_name, HOST_NAME - 1);
    memcpy(w->host_name, name.data, name.size);
}

static void mac_text(char to[18], const uint8_t *mac)
{
    snprintf(to, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
}

static void note_ack(struct handler_run *run, const struct dhcp_message *m,
                     const struct handler_event *event)
{
    const struct dhcp_settings *s = run->settings;
    struct dhcp *b = run->block;
    struct waiting *w = &((struct dhcp_state *)run->state)->waiting[m->id % WAITING];
    char mac[18], address[ADDRESS_ROOM], name[NAME + 64];
    if (w->since_ns != 0 && w->id == m->id && event->time_ns - w->since_ns <= s->patience_ns) {
        mac_text(mac, m->hardware);
        *address_write(address, 4, m->address) = '\0';
        int size = snprintf(name, sizeof name, "%s/%s/%s", mac, w->host_name, address);
        handler_add_name(&b->clients, span_of(name, (size_t)size), 1);
        w->since_ns = 0;
    }
}

static void note_server(struct handler_run *run, const struct handler_event *event)
{
    struct dhcp *b = run->block;
    char mac[18], address[ADDRESS_ROOM], name[NAME];
    if (event->packet == NULL || event->packet->mac == NULL || event->version == 0) {
        return;
    }
    mac_text(mac, event->packet->mac + 6);
    *address_write(address, event->version, event->address[0]) = '\0';
    int size = snprintf(name, sizeof name, "%s/%s", mac, address);
    handler_add_name(&b->servers, span_of(name, (size_t)size), 1);
}

static void count_four(struct handler_run *run, const struct dhcp_message *m,
                       const struct handler_event *event)
{
    struct dhcp *b = run->block;
    b->discover += m->type == DISCOVER;
    b->offer += m->type == OFFER;
    b->request += m->type == REQUEST;
    b->ack += m->type == ACK;
    if (m->type == REQUEST) {
        note_request(run, m, event->time_ns);
    } else if (m->type == ACK) {
        note_ack(run, m, event);
    }
    if (m->type == OFFER || m->type == ACK) {
        note_server(run, event);
    }
    b->total++;
    run->sums[0]++;
}

static bool dhcp_on_event(struct handler_run *run, struct handler_event *event)
{
    struct dhcp *b = run->block;
    if (!(event->kinds & HANDLER_DATAGRAM) || event->protocol != 17 ||
        !handler_reads(&dhcp_reader, event)) {
        return false;
    }
    const struct dhcp_message *m = handler_message(&dhcp_reader, event);
    if (m == NULL) {
        return false;
    }
    b->events++;
    b->deep += handler_is_deep(run);
    run->sums[1]++;
    if (m->is_six) {
        b->solicit += m->type == SOLICIT;
        b->advertise += m->type == ADVERTISE;
        b->request_six += m->type == REQUEST_6;
        b->reply += m->type == REPLY;
    } else {
        count_four(run, m, event);
    }
    return true;
}

/* ---- The table ------------------------------------------------------------------------------ */

#define AT(member) offsetof(struct dhcp, member)
#define COUNTER(name_, member, help_)                                                              \
    {                                                                                              \
        .name = name_, .kind = METRIC_COUNTER, .offset = AT(member), .unit = "packets",            \
        .help = help_, .group = "counters", .path = "wire_packets/" name_,                         \
        .family = "dhcp_wire_packets_" name_                                                       \
    }
#define RATE(name_, member, help_)                                                                 \
    {                                                                                              \
        .name = "rates_" name_, .kind = METRIC_RATE, .offset = AT(member), .unit = "packets",      \
        .help = help_, .group = "rates", .path = "rates/" name_, .family = "dhcp_rates_" name_     \
    }
#define TOP(name_, member, label_, help_)                                                          \
    {                                                                                              \
        .name = name_, .kind = METRIC_TOPN, .offset = AT(member), .unit = "packets",               \
        .help = help_, .group = "tops", .key = METRIC_KEY_TEXT, .label = label_, .path = name_,    \
        .family = "dhcp_" name_                                                                    \
    }

static const struct metric dhcp_metrics[] = {
    COUNTER("discover", discover, "Total DHCP packets with message type DISCOVER"),
    COUNTER("offer", offer, "Total DHCP packets with message type OFFER"),
    COUNTER("request", request, "Total DHCP packets with message type REQUEST"),
    COUNTER("ack", ack, "Total DHCP packets with message type ACK"),
    COUNTER("solicit", solicit, "Total DHCPv6 packets with message type SOLICIT"),
    COUNTER("advertise", advertise, "Total DHCPv6 packets with message type ADVERTISE"),
    COUNTER("request_v6", request_six, "Total DHCPv6 packets with message type REQUEST"),
    COUNTER("reply", reply, "Total DHCPv6 packets with message type REPLY"),
    COUNTER("total", total, "Total DHCP/DHCPv6 wire packets matching the configured filter(s)"),
    COUNTER("filtered", filtered,
            "Total DHCP/DHCPv6 wire packets seen that did not match the configured filter(s) "
            "(if any)"),
    TOP("top_clients", clients, "client", "Top DHCP clients"),
    TOP("top_servers", servers, "server", "Top DHCP servers"),
    RATE("total", rate_total,
         "Rate of all DHCP wire packets (combined ingress and egress) in packets per second"),
    RATE("events", rate_events, "Rate of all DHCP wire packets before filtering per second"),
    COUNTER("events", events, "Total DHCP wire packets events"),
    COUNTER("deep_samples", deep,
            "Total DHCP wire packets that were sampled for deep inspection"),
    {0},
};

static const struct metric_set dhcp_set = {
    .name = "dhcp",
    .help = "DHCP messages by type, clients and servers",
    .metrics = dhcp_metrics,
    .size = sizeof(struct dhcp),
    .init = dhcp_init,
};

static const char *const dhcp_options[] = {"xact_ttl_secs", "xact_ttl_ms", "recorded_stream",
                                           "deep_sample_rate", "num_periods", "topn_count",
                                           "topn_percentile_threshold", NULL};

const struct handler handler_dhcp_count = {
    .type = "dhcp",
    .version = "1.0",
    .object = "dhcp",
    .title = "DhcpStreamHandler",
    .inputs = HANDLER_PCAP,
    .set = &dhcp_set,
    .options = dhcp_options,
    .reader = &dhcp_reader,
    .sharing = HANDLER_BY_READER, /* requests and answers have other addresses */
    .settings_size = sizeof(struct dhcp_settings),
    .state_size = sizeof(struct dhcp_state),
    .configure = dhcp_configure,
    .on_event = dhcp_on_event,
};
