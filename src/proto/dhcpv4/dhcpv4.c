// SPDX-License-Identifier: Apache-2.0
/* DHCP for IPv4 (RFC 2131): an event for each message, as Packetbeat has it. See README.md. */
#include "proto/dhcpv4/dhcpv4_event.h"
#include "proto/dhcpv4/dhcpv4_message.h"
#include "proto/proto.h"

enum {
    ADDRESSES_MAX = 63,  /* that fit in an option */
    LISTS = 4,
    VENDORS_MAX = 16,
    ENDS = 2,
    HEX_ROOM = 512,
    MAC_ROOM = 48,
    BROADCAST = 0x8000,
};

/* What an event refers to. */
struct scratch {
    struct event_address lists[LISTS][ADDRESSES_MAX];
    struct event_address related[ENDS + 3];
    struct span parameters[DHCPV4_CODES];
    char unknown[DHCPV4_CODES][16];
    struct dhcpv4_vendor vendors[VENDORS_MAX];
    char hex[HEX_ROOM];
    char mac[MAC_ROOM];
    char type[16];
};

static struct event_address address_of(const uint8_t *bytes)
{
    struct event_address address = {.version = 4};
    memcpy(address.bytes, bytes, 4);
    return address;
}

/* An address that is not 0.0.0.0; else none. */
static struct event_address set_address(const uint8_t *bytes)
{
    return load_be32(bytes) != 0 ? address_of(bytes) : (struct event_address){0};
}

static char *put_hex(char *to, const char *digits, uint8_t byte)
{
    *to++ = digits[byte >> 4];
    *to++ = digits[byte & 15];
    return to;
}

/* AA-BB-CC-DD-EE-FF */
static struct span write_mac(char *room, struct span address)
{
    char *to = room;
    for (size_t i = 0; i < address.size; i++) {
        if (i > 0) {
            *to++ = '-';
        }
        to = put_hex(to, "0123456789ABCDEF", address.data[i]);
    }
    return span_of(room, (size_t)(to - room));
}

/* "unknown (7)" */
static struct span write_unknown(char *room, unsigned code)
{
    char *to = stpcpy(room, "unknown (");
    if (code >= 100) {
        *to++ = (char)('0' + code / 100);
    }
    if (code >= 10) {
        *to++ = (char)('0' + code / 10 % 10);
    }
    *to++ = (char)('0' + code % 10);
    *to++ = ')';
    return span_of(room, (size_t)(to - room));
}

/* ---- Options ---------------------------------------------------------------------------------- */

static struct event_address one_address(const struct dhcpv4_message *m, unsigned code)
{
    struct span value = m->options[code];
    return value.size == 4 ? address_of(value.data) : (struct event_address){0};
}

static struct event_addresses address_list(const struct dhcpv4_message *m, unsigned code,
                                           struct event_address *room)
{
    struct span value = m->options[code];
    uint32_t count = value.size % 4 == 0 ? (uint32_t)(value.size / 4) : 0;
    for (uint32_t i = 0; i < count; i++) {
        room[i] = address_of(value.data + 4 * (size_t)i);
    }
    return (struct event_addresses){.count = count, .items = room};
}

static uint32_t number(const struct dhcpv4_message *m, unsigned code)
{
    struct span value = m->options[code];
    return value.size == 4 ? load_be32(value.data) : 0;
}

/* Text without the zeros that some put at its end. */
static struct span text(const struct dhcpv4_message *m, unsigned code)
{
    struct span value = m->options[code];
    while (value.size > 0 && value.data[value.size - 1] == 0) {
        value.size--;
    }
    return value;
}

static void show_parameters(struct dhcpv4_event *e, const struct dhcpv4_message *m,
                            struct scratch *s)
{
    struct span value = m->options[DHCPV4_PARAMETERS];
    for (size_t i = 0; i < value.size; i++) {
        const char *name = dhcpv4_option_name(value.data[i]);
        s->parameters[i] =
            name != NULL ? span_str(name) : write_unknown(s->unknown[i], value.data[i]);
    }
    e->parameters = (struct event_spans){(uint32_t)value.size, s->parameters};
}

/* RFC 3925 §3: an enterprise's number, and what it says, with its length. */
static void show_vendors(struct dhcpv4_event *e, const struct dhcpv4_message *m, struct scratch *s)
{
    struct span classes = m->options[DHCPV4_VENDOR_CLASS];
    if (classes.size == 0) {
        return;
    }
    struct cursor c = cursor_of(classes);
    char *to = s->hex;
    uint32_t count = 0;
    while (cursor_left(&c) > 0 && count < VENDORS_MAX) {
        uint32_t id = cursor_be32(&c);
        struct span data = cursor_take(&c, cursor_u8(&c));
        if (c.bad) {
            break;
        }
        char *start = to;
        for (size_t i = 0; i < data.size; i++) {
            to = put_hex(to, "0123456789abcdef", data.data[i]);
        }
        s->vendors[count++] =
            (struct dhcpv4_vendor){.id = id, .data = span_of(start, (size_t)(to - start))};
    }
    e->vendors = (struct event_items){.count = count, .items = s->vendors};
}

static void show_options(struct dhcpv4_event *e, const struct dhcpv4_message *m, struct scratch *s)
{
    struct span type = m->options[DHCPV4_TYPE], size = m->options[DHCPV4_MAX_SIZE];
    if (type.size == 1) {
        const char *name = dhcpv4_type_name(type.data[0]);
        e->message_type = name != NULL ? span_str(name) : write_unknown(s->type, type.data[0]);
    }
    if (size.size == 2) {
        e->max_size = (struct event_optional){.value = load_be16(size.data), .present = true};
    }
    show_parameters(e, m, s);
    show_vendors(e, m, s);
    e->requested = one_address(m, DHCPV4_REQUESTED);
    e->server_identifier = one_address(m, DHCPV4_SERVER);
    e->broadcast = one_address(m, DHCPV4_BROADCAST);
    e->mask = one_address(m, DHCPV4_MASK);
    e->dns_servers = address_list(m, DHCPV4_DNS, s->lists[0]);
    e->routers = address_list(m, DHCPV4_ROUTER, s->lists[1]);
    e->time_servers = address_list(m, DHCPV4_TIME_SERVER, s->lists[2]);
    e->ntp_servers = address_list(m, DHCPV4_NTP, s->lists[3]);
    e->class_identifier = text(m, DHCPV4_CLASS);
    e->domain_name = text(m, DHCPV4_DOMAIN_NAME);
    e->host_name = text(m, DHCPV4_HOST_NAME);
    e->message = text(m, DHCPV4_TEXT);
    e->boot_file_option = text(m, DHCPV4_BOOT_FILE);
    e->lease_time = number(m, DHCPV4_LEASE);
    e->renewal_time = number(m, DHCPV4_RENEWAL);
    e->rebinding_time = number(m, DHCPV4_REBINDING);
    e->time_offset = (int32_t)number(m, DHCPV4_TIME_OFFSET);
}

/* ---- The event -------------------------------------------------------------------------------- */

static const char *flags_name(unsigned flags)
{
    static const char *const names[] = {"unicast", "unicast (reserved bits not zeroed)",
                                        "broadcast", "broadcast (reserved bits not zeroed)"};
    return names[2 * ((flags & BROADCAST) != 0) + ((flags & ~(unsigned)BROADCAST) != 0)];
}

static void write_transaction(char to[12], uint32_t id)
{
    to = stpcpy(to, "0x");
    for (int shift = 24; shift >= 0; shift -= 8) {
        to = put_hex(to, "0123456789abcdef", (uint8_t)(id >> shift));
    }
    *to = '\0';
}

static void show_header(struct dhcpv4_event *e, const struct dhcpv4_message *m, struct scratch *s)
{
    const char *hardware = dhcpv4_hardware_name(m->hardware);
    e->op_code = m->op == DHCPV4_REQUEST ? "bootrequest" : "bootreply";
    e->hardware_type = hardware != NULL ? hardware : "Invalid";
    e->flags = flags_name(m->flags);
    e->hops = m->hops;
    e->seconds = m->seconds;
    write_transaction(e->transaction_id, m->transaction);
    e->client_mac = write_mac(s->mac, m->address);
    e->client_ip = set_address(m->client);
    e->assigned_ip = set_address(m->yours);
    e->server_ip = set_address(m->server);
    e->relay_ip = set_address(m->relay);
    e->server_name = m->server_name;
    e->boot_file_name = m->boot_file;
    const struct event_address related[] = {e->client_ip, e->assigned_ip, e->relay_ip};
    uint32_t count = ENDS;
    for (unsigned i = 0; i < 3; i++) {
        if (related[i].version != 0) {
            s->related[count++] = related[i];
        }
    }
    if (count > ENDS) {
        e->transaction.related_ip = (struct event_addresses){.count = count, .items = s->related};
    }
}

static void report(struct proto_context *c, const struct dhcpv4_message *m,
                   const struct packet *packet, unsigned side)
{
    struct scratch scratch;
    const struct event_type *type =
        m->op == DHCPV4_REQUEST ? &dhcpv4_request_type : &dhcpv4_reply_type;
    struct dhcpv4_event e = {.transaction = {.head = {.type = type},
                                             .start_ns = packet->time_ns,
                                             .source_bytes = packet->payload_len,
                                             .request_side = (uint8_t)side}};
    show_header(&e, m, &scratch);
    show_options(&e, m, &scratch);
    event_log_add(c->events, &e.transaction.head);
}

static void count(struct dhcpv4_stats *stats, const struct dhcpv4_message *m)
{
    struct span type = m->options[DHCPV4_TYPE];
    unsigned number_of_type = type.size == 1 && type.data[0] < DHCPV4_TYPES ? type.data[0] : 0;
    stats->messages++;
    *(m->op == DHCPV4_REQUEST ? &stats->requests : &stats->replies) += 1;
    stats->by_type[number_of_type]++;
    stats->declines += number_of_type == 4;
    stats->naks += number_of_type == 6;
}

static void dhcpv4_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    struct dhcpv4_message message;
    if (!dhcpv4_message_read(packet_payload(packet), &message)) {
        ((struct dhcpv4_stats *)c->block)->malformed++;
        return;
    }
    count(c->block, &message);
    if (c->events->capacity > 0) {
        report(c, &message, packet, side);
    }
}

static enum proto_guess dhcpv4_probe(struct span data, unsigned side)
{
    (void)side;
    return dhcpv4_looks_like(data) ? PROTO_YES : PROTO_NO;
}

static const uint16_t ports[] = {67, 68, 0};

static const struct event_type *const events[] = {&dhcpv4_request_type, &dhcpv4_reply_type, NULL};

const struct proto proto_dhcpv4 = {
    .name = "dhcpv4",
    .help = "messages of DHCP: who gets which address, for how long",
    .metrics = &dhcpv4_set,
    .events = events,
    .udp_ports = ports,
    .probe = dhcpv4_probe,
    .on_datagram = dhcpv4_on_datagram,
};
