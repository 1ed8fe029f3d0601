// SPDX-License-Identifier: Apache-2.0
#include "proto/dhcpv6/dhcpv6_message.h"

enum { HEADER = 4, RELAY_HEADER = 34, ADDRESS = 16 };

struct option {
    unsigned code;
    struct span value;
};

/* The next option (§21.1); false at the end, or when it does not keep to its length (`c->bad`). */
static bool next_option(struct cursor *c, struct option *ret)
{
    if (cursor_left(c) == 0) {
        return false;
    }
    ret->code = cursor_be16(c);
    ret->value = cursor_take(c, cursor_be16(c));
    return !c->bad;
}

static bool is_relayed(unsigned type)
{
    return type == DHCPV6_RELAY_FORWARD || type == DHCPV6_RELAY_REPLY;
}

bool dhcpv6_is_reply(unsigned type)
{
    return type == DHCPV6_ADVERTISE || type == DHCPV6_REPLY || type == DHCPV6_RECONFIGURE ||
           type == DHCPV6_RELAY_REPLY || type == DHCPV6_LEASEQUERY_REPLY;
}

bool dhcpv6_looks_like(struct span bytes)
{
    size_t header = bytes.size > 0 && is_relayed(bytes.data[0]) ? RELAY_HEADER : HEADER;
    if (bytes.size <= header || dhcpv6_type_name(bytes.data[0]) == NULL) {
        return false;
    }
    struct cursor c = cursor_of(span_skip(bytes, header));
    struct option option;
    bool tells = false;
    while (next_option(&c, &option)) {
        bool is_duid = option.code == DHCPV6_CLIENT || option.code == DHCPV6_SERVER;
        tells = tells || (is_duid && option.value.size > 2) || option.code == DHCPV6_RELAYED;
    }
    return tells && !c.bad;
}

/* ---- Identity associations (§21.4 to §21.6, §21.21, §21.22) ------------------------------------ */

static void note_status(struct dhcpv6_message *m, int32_t status, struct span text)
{
    if (m->status <= 0 && status > 0) {
        m->status = status;
        m->status_text = text;
    }
}

/* The status among options (§21.13). */
static int32_t status_among(struct dhcpv6_message *m, struct span options)
{
    struct cursor c = cursor_of(options);
    struct option option;
    int32_t status = DHCPV6_NONE;
    while (next_option(&c, &option)) {
        if (option.code == DHCPV6_STATUS && option.value.size >= 2) {
            status = load_be16(option.value.data);
            note_status(m, status, span_skip(option.value, 2));
        }
    }
    return status;
}

static void add_lease(struct dhcpv6_message *m, struct dhcpv6_lease lease)
{
    if (m->lease_count < DHCPV6_LEASES_MAX) {
        m->leases[m->lease_count++] = lease;
    }
}

/* One address or prefix; false when it is neither, or short. */
static bool read_lease(struct dhcpv6_message *m, const struct option *option,
                       struct dhcpv6_lease lease)
{
    struct cursor c = cursor_of(option->value);
    bool is_prefix = option->code == DHCPV6_IA_PREFIX;
    if (option->code != DHCPV6_IA_ADDRESS && !is_prefix) {
        return false;
    }
    lease.address = is_prefix ? NULL : cursor_take(&c, ADDRESS).data;
    lease.preferred = cursor_be32(&c);
    lease.valid = cursor_be32(&c);
    if (is_prefix) {
        lease.length = cursor_u8(&c);
        lease.address = cursor_take(&c, ADDRESS).data;
    }
    if (c.bad) {
        return false;
    }
    int32_t status = status_among(m, span_of(c.at, cursor_left(&c)));
    lease.status = status != DHCPV6_NONE ? status : lease.status;
    add_lease(m, lease);
    return true;
}

static void read_association(struct dhcpv6_message *m, const struct option *ia)
{
    static const char *const kinds[] = {
        [DHCPV6_IA_NA] = "na", [DHCPV6_IA_TA] = "ta", [DHCPV6_IA_PD] = "pd"};
    struct cursor c = cursor_of(ia->value);
    struct dhcpv6_lease lease = {.kind = kinds[ia->code], .association = cursor_be32(&c)};
    cursor_skip(&c, ia->code == DHCPV6_IA_TA ? 0 : 8); /* when to ask again */
    if (c.bad) {
        return;
    }
    lease.status = status_among(m, span_of(c.at, cursor_left(&c)));
    struct option option;
    bool is_empty = true;
    while (next_option(&c, &option)) {
        is_empty = !read_lease(m, &option, lease) && is_empty;
    }
    if (is_empty) {
        add_lease(m, lease);
    }
}

/* ---- Messages ---------------------------------------------------------------------------------- */

static bool read_options(struct dhcpv6_message *m, struct span bytes)
{
    struct cursor c = cursor_of(bytes);
    struct option option;
    m->status = status_among(m, bytes);
    while (next_option(&c, &option)) {
        if (option.code < DHCPV6_CODES && m->options[option.code].data == NULL) {
            m->options[option.code] = option.value;
        }
        if (option.code == DHCPV6_IA_NA || option.code == DHCPV6_IA_TA ||
            option.code == DHCPV6_IA_PD) {
            read_association(m, &option);
        }
    }
    return !c.bad;
}

/* A relay's header and options; `inner` is what it carries, empty when that is nothing. */
static bool read_relay(struct dhcpv6_message *m, struct span bytes, struct span *inner)
{
    struct cursor c = cursor_of(bytes);
    struct dhcpv6_relay relay = {.type = cursor_u8(&c), .hops = cursor_u8(&c)};
    relay.link = cursor_take(&c, ADDRESS).data;
    relay.peer = cursor_take(&c, ADDRESS).data;
    if (c.bad) {
        return false;
    }
    struct option option;
    *inner = span_head(bytes, 0);
    while (next_option(&c, &option)) {
        if (option.code == DHCPV6_RELAYED) {
            *inner = option.value;
        } else if (option.code == DHCPV6_INTERFACE) {
            relay.interface = option.value;
        } else if (option.code == DHCPV6_REMOTE) {
            relay.remote = option.value;
        } else if (option.code == DHCPV6_LINK_ADDRESS) {
            m->link_address = option.value;
        }
    }
    m->relays[m->relay_count++] = relay;
    return !c.bad;
}

bool dhcpv6_message_read(struct span bytes, struct dhcpv6_message *ret)
{
    *ret = (struct dhcpv6_message){.status = DHCPV6_NONE};
    bool is_good = bytes.size > 0;
    while (is_good && bytes.size > 0 && is_relayed(bytes.data[0]) &&
           ret->relay_count < DHCPV6_RELAYS_MAX) {
        ret->type = bytes.data[0];
        is_good = read_relay(ret, bytes, &bytes);
    }
    if (!is_good || bytes.size == 0) {
        return is_good; /* a relay that carries nothing that can be read */
    }
    if (bytes.size < HEADER || is_relayed(bytes.data[0])) {
        return false;
    }
    ret->type = bytes.data[0];
    ret->transaction = load_be32(bytes.data) & 0xffffff;
    return read_options(ret, span_skip(bytes, HEADER));
}
