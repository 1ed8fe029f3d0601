// SPDX-License-Identifier: Apache-2.0
#include "proto/dhcpv4/dhcpv4_event.h"

#include "proto/dhcpv4/dhcpv4_message.h"

#define AT(member) offsetof(struct dhcpv4_event, member)
#define ROW(name_, kind_, member, flags_, help_)                                                   \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = AT(member), .flags = flags_, .help = help_         \
    }
#define FIELD(name, kind, member, help) ROW("dhcpv4." name, kind, member, 0, help)
#define OPTION(name, kind, member, help) FIELD("option." name, kind, member, help)

#define VENDOR(name_, kind_, member, help_)                                                        \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct dhcpv4_vendor, member),            \
        .help = help_                                                                              \
    }

static const struct event_field vendor_fields[] = {
    VENDOR("data", EVENT_SPAN, data, "what it says, hexadecimal"),
    VENDOR("id", EVENT_U32, id, "the enterprise's number"),
    {0},
};

static const struct event_type vendor_type = {
    .dataset = "dhcpv4",
    .help = "A vendor's option",
    .size = sizeof(struct dhcpv4_vendor),
    .fields = vendor_fields,
};

static const struct event_field fields[] = {
    FIELD("assigned_ip", EVENT_ADDRESS, assigned_ip, "the address that the client gets"),
    FIELD("boot_file_name", EVENT_SPAN, boot_file_name, "of the header"),
    FIELD("client_ip", EVENT_ADDRESS, client_ip, "the address that the client has"),
    FIELD("client_mac", EVENT_SPAN, client_mac, "the client's hardware address"),
    FIELD("flags", EVENT_TEXT, flags, "unicast or broadcast: how replies are to come"),
    FIELD("hardware_type", EVENT_TEXT, hardware_type, "Ethernet ..."),
    ROW("dhcpv4.hops", EVENT_U8, hops, EVENT_ALWAYS, "relays that it came through"),
    FIELD("op_code", EVENT_TEXT, op_code, "bootrequest or bootreply"),
    OPTION("boot_file_name", EVENT_SPAN, boot_file_option, "of option 67"),
    OPTION("broadcast_address", EVENT_ADDRESS, broadcast, "of the subnet"),
    OPTION("class_identifier", EVENT_SPAN, class_identifier, "the client's vendor and kind"),
    OPTION("dns_servers", EVENT_ADDRESSES, dns_servers, "in the order of preference"),
    OPTION("domain_name", EVENT_SPAN, domain_name, "for names that are not complete"),
    OPTION("hostname", EVENT_SPAN, host_name, "the client's name"),
    OPTION("ip_address_lease_time_sec", EVENT_U32, lease_time, "how long the address is the client's"),
    OPTION("max_dhcp_message_size", EVENT_OPTIONAL, max_size, "bytes that the sender can take"),
    OPTION("message", EVENT_SPAN, message, "why it was refused"),
    OPTION("message_type", EVENT_SPAN, message_type, "discover, offer, request, ack ..."),
    OPTION("ntp_servers", EVENT_ADDRESSES, ntp_servers, "in the order of preference"),
    OPTION("parameter_request_list", EVENT_SPANS, parameters, "options that the client wants"),
    OPTION("rebinding_time_sec", EVENT_U32, rebinding_time, "when to ask any server"),
    OPTION("renewal_time_sec", EVENT_U32, renewal_time, "when to ask this server again"),
    OPTION("requested_ip_address", EVENT_ADDRESS, requested, "the address that the client wants"),
    OPTION("router", EVENT_ADDRESSES, routers, "in the order of preference"),
    OPTION("server_identifier", EVENT_ADDRESS, server_identifier, "which server it is"),
    OPTION("subnet_mask", EVENT_ADDRESS, mask, "of the subnet"),
    OPTION("time_servers", EVENT_ADDRESSES, time_servers, "of RFC 868"),
    OPTION("utc_time_offset_sec", EVENT_I64, time_offset, "of the subnet's time"),
    {.name = "dhcpv4.option.vendor_identifying_options", .kind = EVENT_ITEMS, .offset = AT(vendors),
     .help = "vendor classes (RFC 3925)", .item = &vendor_type},
    FIELD("relay_ip", EVENT_ADDRESS, relay_ip, "the relay that replies go through"),
    ROW("dhcpv4.seconds", EVENT_U16, seconds, EVENT_ALWAYS, "since the client began"),
    FIELD("server_ip", EVENT_ADDRESS, server_ip, "the server to use next"),
    FIELD("server_name", EVENT_SPAN, server_name, "of the header"),
    FIELD("transaction_id", EVENT_INLINE, transaction_id, "the client's number for it"),
    {0},
};

const struct event_type dhcpv4_request_type = {
    .dataset = "dhcpv4",
    .help = "A message of a DHCP client",
    .size = sizeof(struct dhcpv4_event),
    .fields = fields,
    .common = transaction_fields,
};

const struct event_type dhcpv4_reply_type = {
    .dataset = "dhcpv4",
    .help = "A message of a DHCP server",
    .size = sizeof(struct dhcpv4_event),
    .fields = fields,
    .common = transaction_reply_fields,
};

#define COUNTER(member, help_)                                                                     \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct dhcpv4_stats, member),  \
        .unit = "messages", .help = help_, .group = "counters"                                     \
    }

static const char *type_label(unsigned i)
{
    return i == 0 ? "other" : dhcpv4_type_name(i);
}

static const struct metric metrics[] = {
    COUNTER(messages, "Messages"),
    COUNTER(requests, "Those of clients"),
    COUNTER(replies, "Those of servers"),
    COUNTER(naks, "Requests that were refused"),
    COUNTER(declines, "Addresses that were in use already"),
    COUNTER(malformed, "Messages that could not be read"),
    {.name = "by_type", .kind = METRIC_LABELLED, .unit = "messages", .group = "counters",
     .offset = offsetof(struct dhcpv4_stats, by_type), .help = "Messages by type", .label = "type",
     .label_value = type_label, .label_count = DHCPV4_TYPES},
    {0},
};

const struct metric_set dhcpv4_set = {
    .name = "dhcpv4",
    .help = "DHCP for IPv4",
    .metrics = metrics,
    .size = sizeof(struct dhcpv4_stats),
};
