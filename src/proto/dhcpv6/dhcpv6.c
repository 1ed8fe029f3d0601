// SPDX-License-Identifier: Apache-2.0
/* DHCP for IPv6 (RFC 8415): an event for each message. See README.md. */
#include "proto/dhcpv6/dhcpv6_event.h"
#include "proto/dhcpv6/dhcpv6_message.h"
#include "proto/proto.h"

enum {
    ENDS = 2,
    ADDRESS = 16,
    ADDRESSES_MAX = 16,
    DOMAINS_MAX = 16,
    WANTED_MAX = 128,
    HEX_ROOM = 4096, /* DUIDs have at most 130 bytes (§11.1); what does not fit is left out */
    NAMES_ROOM = 4096,
    MAC = 6,
    MAC_ROOM = 3 * MAC,
    ETHERNET = 1,
    NTP_ADDRESS = 1, /* RFC 5908 §4.1 */
};

/* What an event refers to. */
struct scratch {
    struct event_address dns[ADDRESSES_MAX];
    struct event_address ntp[ADDRESSES_MAX];
    struct event_address related[ENDS + DHCPV6_LEASES_MAX];
    struct span domains[DOMAINS_MAX];
    struct span wanted[WANTED_MAX];
    char unknown[WANTED_MAX][16];
    struct dhcpv6_relay_shown relays[DHCPV6_RELAYS_MAX];
    struct dhcpv6_lease_shown leases[DHCPV6_LEASES_MAX];
    char hex[HEX_ROOM];
    size_t hex_used;
    char names[NAMES_ROOM];
    size_t names_used;
    char mac[MAC_ROOM];
};

static struct event_address address_of(const uint8_t *bytes)
{
    struct event_address address = {.version = 6};
    memcpy(address.bytes, bytes, ADDRESS);
    return address;
}

/* The value of an option; empty, but not NULL, when it is not there. */
static struct span option(const struct dhcpv6_message *m, unsigned code)
{
    return m->options[code].data != NULL ? m->options[code] : span_str("");
}

static struct span write_hex(struct scratch *s, struct span bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *from = s->hex + s->hex_used;
    if (HEX_ROOM - s->hex_used < 2 * bytes.size) {
        return span_of(from, 0);
    }
    for (size_t i = 0; i < bytes.size; i++) {
        s->hex[s->hex_used++] = digits[bytes.data[i] >> 4];
        s->hex[s->hex_used++] = digits[bytes.data[i] & 15];
    }
    return span_of(from, 2 * bytes.size);
}

/* AA-BB-CC-DD-EE-FF */
static struct span write_mac(char *room, const uint8_t *bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    char *to = room;
    for (size_t i = 0; i < MAC; i++) {
        if (i > 0) {
            *to++ = '-';
        }
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
    return span_of(room, (size_t)(to - room));
}

/* "unknown (1234)" */
static struct span write_unknown(char *room, unsigned code)
{
    char digits[8];
    size_t count = 0;
    char *to = stpcpy(room, "unknown (");
    do {
        digits[count++] = (char)('0' + code % 10);
        code /= 10;
    } while (code > 0);
    while (count > 0) {
        *to++ = digits[--count];
    }
    *to++ = ')';
    return span_of(room, (size_t)(to - room));
}

/* A name as its labels with dots between (RFC 1035 §3.1, without compression); the cursor is bad when it
 * is none. One without an end (§21.27's partial names) is what is there. */
static struct span write_name(struct scratch *s, struct cursor *c)
{
    char *from = s->names + s->names_used;
    size_t size = 0;
    while (cursor_left(c) > 0) {
        struct span label = cursor_take(c, cursor_u8(c));
        if (label.size == 0 || c->bad) {
            break;
        }
        if (NAMES_ROOM - s->names_used < label.size + 1) {
            c->bad = true;
            break;
        }
        if (size > 0) {
            from[size++] = '.';
        }
        memcpy(from + size, label.data, label.size);
        size += label.size;
        s->names_used = (size_t)(from - s->names) + size;
    }
    return span_of(from, c->bad ? 0 : size);
}

/* ---- Options ----------------------------------------------------------------------------------- */

/* §11: how it was made. */
static const char *duid_type(struct span duid)
{
    static const char *const names[] = {NULL, "LLT", "EN", "LL", "UUID"};
    unsigned type = duid.size >= 2 ? load_be16(duid.data) : 0;
    return type < sizeof names / sizeof *names ? names[type] : NULL;
}

/* The hardware address within an identifier that was made of one (§11.2, §11.4), or as a relay told it;
 * NULL: none of Ethernet. */
static const uint8_t *hardware_of(const struct dhcpv6_message *m)
{
    struct span duid = m->options[DHCPV6_CLIENT], told = m->link_address;
    if (told.size == 2 + MAC && load_be16(told.data) == ETHERNET) {
        return told.data + 2;
    }
    unsigned type = duid.size >= 4 && load_be16(duid.data + 2) == ETHERNET ? load_be16(duid.data) : 0;
    size_t at = type == 1 ? 8 : 4;
    return (type == 1 || type == 3) && duid.size == at + MAC ? duid.data + at : NULL;
}

static void show_ends(struct dhcpv6_event *e, const struct dhcpv6_message *m, struct scratch *s)
{
    const uint8_t *hardware = hardware_of(m);
    e->client_duid = write_hex(s, m->options[DHCPV6_CLIENT]);
    e->client_duid_type = duid_type(m->options[DHCPV6_CLIENT]);
    e->server_duid = write_hex(s, m->options[DHCPV6_SERVER]);
    e->server_duid_type = duid_type(m->options[DHCPV6_SERVER]);
    if (hardware != NULL) {
        e->client_mac = write_mac(s->mac, hardware);
    }
}

static void show_wanted(struct dhcpv6_event *e, const struct dhcpv6_message *m, struct scratch *s)
{
    struct span value = m->options[DHCPV6_WANTED];
    uint32_t count = 0;
    for (; value.size >= 2 && count < WANTED_MAX; value = span_skip(value, 2), count++) {
        unsigned code = load_be16(value.data);
        const char *name = dhcpv6_option_name(code);
        s->wanted[count] = name != NULL ? span_str(name) : write_unknown(s->unknown[count], code);
    }
    e->wanted = (struct event_spans){.count = count, .items = s->wanted};
}

static void show_domains(struct dhcpv6_event *e, const struct dhcpv6_message *m, struct scratch *s)
{
    struct cursor c = cursor_of(option(m, DHCPV6_DOMAINS));
    uint32_t count = 0;
    while (cursor_left(&c) > 0 && count < DOMAINS_MAX) {
        struct span name = write_name(s, &c);
        if (c.bad) {
            break;
        }
        s->domains[count++] = name;
    }
    e->domains = (struct event_spans){.count = count, .items = s->domains};
    struct span full = m->options[DHCPV6_NAME]; /* RFC 4704 §4: flags come first */
    if (full.size > 1) {
        struct cursor name = cursor_of(span_skip(full, 1));
        e->name = write_name(s, &name);
    }
}

static void show_servers(struct dhcpv6_event *e, const struct dhcpv6_message *m, struct scratch *s)
{
    struct span dns = m->options[DHCPV6_DNS];
    uint32_t count = 0;
    for (; dns.size >= ADDRESS && count < ADDRESSES_MAX; dns = span_skip(dns, ADDRESS)) {
        s->dns[count++] = address_of(dns.data);
    }
    e->dns_servers = (struct event_addresses){.count = count, .items = s->dns};
    struct cursor c = cursor_of(option(m, DHCPV6_NTP));
    count = 0;
    while (!c.bad && cursor_left(&c) > 0 && count < ADDRESSES_MAX) {
        unsigned code = cursor_be16(&c);
        struct span value = cursor_take(&c, cursor_be16(&c));
        if (code == NTP_ADDRESS && value.size == ADDRESS && !c.bad) {
            s->ntp[count++] = address_of(value.data);
        }
    }
    e->ntp_servers = (struct event_addresses){.count = count, .items = s->ntp};
}

static struct event_optional number(struct span value, size_t size)
{
    struct event_optional n = {.present = value.size == size && value.data != NULL};
    for (size_t i = 0; n.present && i < size; i++) {
        n.value = n.value << 8 | value.data[i];
    }
    return n;
}

static void show_options(struct dhcpv6_event *e, const struct dhcpv6_message *m, struct scratch *s)
{
    struct span vendor = m->options[DHCPV6_VENDOR_CLASS], unicast = m->options[DHCPV6_UNICAST];
    show_wanted(e, m, s);
    show_domains(e, m, s);
    show_servers(e, m, s);
    e->elapsed_ms = number(m->options[DHCPV6_ELAPSED], 2);
    e->elapsed_ms.value *= 10;
    e->preference = number(m->options[DHCPV6_PREFERENCE], 1);
    e->refresh = number(m->options[DHCPV6_REFRESH], 4);
    e->rapid_commit = m->options[DHCPV6_RAPID].data != NULL;
    e->boot_file = m->options[DHCPV6_BOOT_FILE];
    e->vendor = vendor.size >= 4 ? load_be32(vendor.data) : 0;
    if (unicast.size == ADDRESS) {
        e->unicast = address_of(unicast.data);
    }
}

/* ---- The event --------------------------------------------------------------------------------- */

static void show_relays(struct dhcpv6_event *e, const struct dhcpv6_message *m, struct scratch *s)
{
    for (uint32_t i = 0; i < m->relay_count; i++) {
        const struct dhcpv6_relay *relay = &m->relays[i];
        s->relays[i] = (struct dhcpv6_relay_shown){
            .link = address_of(relay->link),
            .peer = address_of(relay->peer),
            .hops = {.value = relay->hops, .present = true},
            .interface = write_hex(s, relay->interface),
            .remote = write_hex(s, relay->remote),
        };
    }
    e->relays = (struct event_items){.count = m->relay_count, .items = s->relays};
}

/* Addresses that leases are about are related, too. */
static void show_leases(struct dhcpv6_event *e, const struct dhcpv6_message *m, struct scratch *s)
{
    uint32_t related = ENDS;
    for (uint32_t i = 0; i < m->lease_count; i++) {
        const struct dhcpv6_lease *lease = &m->leases[i];
        s->leases[i] = (struct dhcpv6_lease_shown){
            .kind = lease->kind,
            .status = lease->status >= 0 ? dhcpv6_status_name((unsigned)lease->status) : NULL,
            .association = lease->association,
            .preferred = lease->preferred,
            .valid = lease->valid,
            .length = lease->length,
        };
        if (lease->address != NULL) {
            s->leases[i].address = address_of(lease->address);
            s->related[related++] = s->leases[i].address;
        }
    }
    e->leases = (struct event_items){.count = m->lease_count, .items = s->leases};
    if (related > ENDS) {
        e->transaction.related_ip = (struct event_addresses){.count = related, .items = s->related};
    }
}

static void show_status(struct dhcpv6_event *e, const struct dhcpv6_message *m)
{
    if (m->status != DHCPV6_NONE) {
        e->status_code =
            (struct event_optional){.value = (uint64_t)m->status, .present = true};
        e->status = dhcpv6_status_name((unsigned)m->status);
        e->status_text = m->status_text;
        e->transaction.status = m->status > 0 ? TRANSACTION_ERROR : TRANSACTION_OK;
    }
}

static void write_transaction(char to[12], uint32_t id)
{
    static const char digits[] = "0123456789abcdef";
    to = stpcpy(to, "0x");
    for (int shift = 20; shift >= 0; shift -= 4) {
        *to++ = digits[id >> shift & 15];
    }
    *to = '\0';
}

static void report(struct proto_context *c, const struct dhcpv6_message *m,
                   const struct packet *packet, unsigned side)
{
    struct scratch scratch;
    scratch.hex_used = scratch.names_used = 0;
    const struct event_type *type =
        dhcpv6_is_reply(m->type) ? &dhcpv6_reply_type : &dhcpv6_request_type;
    struct dhcpv6_event e = {.transaction = {.head = {.type = type},
                                             .start_ns = packet->time_ns,
                                             .source_bytes = packet->payload_len,
                                             .request_side = (uint8_t)side}};
    e.message_type = dhcpv6_type_name(m->type);
    write_transaction(e.transaction_id, m->transaction);
    show_ends(&e, m, &scratch);
    show_relays(&e, m, &scratch);
    show_leases(&e, m, &scratch);
    show_status(&e, m);
    show_options(&e, m, &scratch);
    event_log_add(c->events, &e.transaction.head);
}

static void count(struct dhcpv6_stats *stats, const struct dhcpv6_message *m)
{
    stats->messages++;
    *(dhcpv6_is_reply(m->type) ? &stats->replies : &stats->requests) += 1;
    stats->relayed += m->relay_count > 0;
    stats->failures += m->status > 0;
    stats->by_type[m->type < DHCPV6_TYPES_COUNTED ? m->type : 0]++;
}

static void dhcpv6_on_datagram(struct proto_context *c, const struct packet *packet, unsigned side)
{
    struct dhcpv6_message message;
    if (!dhcpv6_message_read(packet_payload(packet), &message)) {
        ((struct dhcpv6_stats *)c->block)->malformed++;
        return;
    }
    count(c->block, &message);
    if (c->events->capacity > 0) {
        report(c, &message, packet, side);
    }
}

static enum proto_guess dhcpv6_probe(struct span data, unsigned side)
{
    (void)side;
    return dhcpv6_looks_like(data) ? PROTO_YES : PROTO_NO;
}

static const uint16_t ports[] = {546, 547, 0};

static const struct event_type *const events[] = {&dhcpv6_request_type, &dhcpv6_reply_type, NULL};

const struct proto proto_dhcpv6 = {
    .name = "dhcpv6",
    .help = "messages of DHCP for IPv6: who gets which addresses and prefixes, for how long",
    .metrics = &dhcpv6_set,
    .events = events,
    .udp_ports = ports,
    .probe = dhcpv6_probe,
    .on_datagram = dhcpv6_on_datagram,
};
