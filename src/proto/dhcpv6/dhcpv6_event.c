// SPDX-License-Identifier: Apache-2.0
#include "proto/dhcpv6/dhcpv6_event.h"

#define ROW(of, name_, kind_, member, help_)                                                       \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct of, member), .help = help_         \
    }
#define FIELD(name, kind, member, help) ROW(dhcpv6_event, "dhcpv6." name, kind, member, help)
#define OPTION(name, kind, member, help) FIELD("option." name, kind, member, help)
#define ITEMS(name_, member, type, help_)                                                          \
    {                                                                                              \
        .name = "dhcpv6." name_, .kind = EVENT_ITEMS, .help = help_, .item = &type,                \
        .offset = offsetof(struct dhcpv6_event, member)                                            \
    }

static const struct event_field relay_fields[] = {
    ROW(dhcpv6_relay_shown, "hops", EVENT_OPTIONAL, hops, "relays before it"),
    ROW(dhcpv6_relay_shown, "interface_id", EVENT_SPAN, interface, "hexadecimal"),
    ROW(dhcpv6_relay_shown, "link_ip", EVENT_ADDRESS, link, "an address of the link of the client"),
    ROW(dhcpv6_relay_shown, "peer_ip", EVENT_ADDRESS, peer, "from whom it came"),
    ROW(dhcpv6_relay_shown, "remote_id", EVENT_SPAN, remote, "hexadecimal, the enterprise first"),
    {0},
};

static const struct event_type relay_type = {
    .dataset = "dhcpv6",
    .help = "A relay",
    .size = sizeof(struct dhcpv6_relay_shown),
    .fields = relay_fields,
};

static const struct event_field lease_fields[] = {
    ROW(dhcpv6_lease_shown, "iaid", EVENT_U32, association, "the client's number for it"),
    ROW(dhcpv6_lease_shown, "ip", EVENT_ADDRESS, address, "an address, or the first of a prefix"),
    ROW(dhcpv6_lease_shown, "kind", EVENT_TEXT, kind, "na, ta (temporary) or pd (a prefix)"),
    ROW(dhcpv6_lease_shown, "preferred_lifetime_sec", EVENT_U32, preferred, "how long to use it"),
    ROW(dhcpv6_lease_shown, "prefix_length", EVENT_U8, length, "bits of a prefix"),
    ROW(dhcpv6_lease_shown, "status", EVENT_TEXT, status, "Success, NoAddrsAvail ..."),
    ROW(dhcpv6_lease_shown, "valid_lifetime_sec", EVENT_U32, valid, "how long it is the client's"),
    {0},
};

static const struct event_type lease_type = {
    .dataset = "dhcpv6",
    .help = "An address or a prefix",
    .size = sizeof(struct dhcpv6_lease_shown),
    .fields = lease_fields,
};

static const struct event_field fields[] = {
    FIELD("client_duid", EVENT_SPAN, client_duid, "who the client is, hexadecimal"),
    FIELD("client_duid_type", EVENT_TEXT, client_duid_type, "LLT, EN, LL or UUID"),
    FIELD("client_mac", EVENT_SPAN, client_mac, "of its identifier, or as a relay told it"),
    ITEMS("leases", leases, lease_type, "addresses and prefixes that are asked for or given"),
    FIELD("message_type", EVENT_TEXT, message_type, "solicit, advertise, request, reply ..."),
    OPTION("boot_file_url", EVENT_SPAN, boot_file, "what to boot"),
    OPTION("dns_servers", EVENT_ADDRESSES, dns_servers, "in the order of preference"),
    OPTION("domain_search", EVENT_SPANS, domains, "for names that are not complete"),
    OPTION("elapsed_time_ms", EVENT_OPTIONAL, elapsed_ms, "since the client began"),
    OPTION("fqdn", EVENT_SPAN, name, "the client's name"),
    OPTION("information_refresh_time_sec", EVENT_OPTIONAL, refresh, "when to ask again"),
    OPTION("ntp_servers", EVENT_ADDRESSES, ntp_servers, "in the order of preference"),
    OPTION("preference", EVENT_OPTIONAL, preference, "of the server, 255: at once"),
    OPTION("rapid_commit", EVENT_BOOL, rapid_commit, "two messages instead of four"),
    OPTION("request_list", EVENT_SPANS, wanted, "options that the client wants"),
    OPTION("server_unicast", EVENT_ADDRESS, unicast, "where the server may be asked"),
    OPTION("vendor_class", EVENT_U32, vendor, "the number of the client's maker"),
    ITEMS("relays", relays, relay_type, "that it came by, the last one first"),
    FIELD("server_duid", EVENT_SPAN, server_duid, "which server it is, hexadecimal"),
    FIELD("server_duid_type", EVENT_TEXT, server_duid_type, "LLT, EN, LL or UUID"),
    FIELD("status", EVENT_TEXT, status, "Success, NoAddrsAvail ..."),
    FIELD("status_code", EVENT_OPTIONAL, status_code, "the same as a number"),
    FIELD("status_message", EVENT_SPAN, status_text, "in the server's words"),
    FIELD("transaction_id", EVENT_INLINE, transaction_id, "the client's number for it"),
    {0},
};

const struct event_type dhcpv6_request_type = {
    .dataset = "dhcpv6",
    .help = "A message of a client of DHCP for IPv6",
    .size = sizeof(struct dhcpv6_event),
    .fields = fields,
    .common = transaction_fields,
};

const struct event_type dhcpv6_reply_type = {
    .dataset = "dhcpv6",
    .help = "A message of a server of DHCP for IPv6",
    .size = sizeof(struct dhcpv6_event),
    .fields = fields,
    .common = transaction_reply_fields,
};

#define COUNTER(member, help_)                                                                     \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct dhcpv6_stats, member),  \
        .unit = "messages", .help = help_, .group = "counters"                                     \
    }

static const char *type_label(unsigned i)
{
    return i == 0 ? "other" : dhcpv6_type_name(i);
}

static const struct metric metrics[] = {
    COUNTER(messages, "Messages"),
    COUNTER(requests, "Those of clients"),
    COUNTER(replies, "Those of servers"),
    COUNTER(relayed, "Those that came by a relay"),
    COUNTER(failures, "Those with a status other than Success"),
    COUNTER(malformed, "Messages that could not be read"),
    {.name = "by_type", .kind = METRIC_LABELLED, .unit = "messages", .group = "counters",
     .offset = offsetof(struct dhcpv6_stats, by_type), .help = "Messages by type", .label = "type",
     .label_value = type_label, .label_count = DHCPV6_TYPES_COUNTED},
    {0},
};

const struct metric_set dhcpv6_set = {
    .name = "dhcpv6",
    .help = "DHCP for IPv6",
    .metrics = metrics,
    .size = sizeof(struct dhcpv6_stats),
};
