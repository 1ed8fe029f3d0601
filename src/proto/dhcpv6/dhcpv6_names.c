// SPDX-License-Identifier: Apache-2.0
/* What IANA calls the numbers of DHCPv6. */
#include "proto/dhcpv6/dhcpv6_message.h"

#define NAME_OF(table, i) ((i) < sizeof(table) / sizeof *(table) ? (table)[i] : NULL)

const char *dhcpv6_type_name(unsigned type)
{
    static const char *const names[] = {
        NULL, "solicit", "advertise", "request", "confirm", "renew", "rebind", "reply", "release",
        "decline", "reconfigure", "information-request", "relay-forward", "relay-reply", "leasequery",
        "leasequery-reply",
    };
    return NAME_OF(names, type);
}

const char *dhcpv6_status_name(unsigned status)
{
    static const char *const names[] = {
        "Success", "UnspecFail", "NoAddrsAvail", "NoBinding", "NotOnLink", "UseMulticast",
        "NoPrefixAvail", "UnknownQueryType", "MalformedQuery", "NotConfigured", "NotAllowed",
    };
    return NAME_OF(names, status);
}

const char *dhcpv6_option_name(unsigned code)
{
    static const char *const names[] = {
        [1] = "Client Identifier", [2] = "Server Identifier", [3] = "IA_NA", [4] = "IA_TA",
        [5] = "IA Address", [6] = "Option Request", [7] = "Preference", [8] = "Elapsed Time",
        [9] = "Relay Message", [11] = "Authentication", [12] = "Server Unicast", [13] = "Status Code",
        [14] = "Rapid Commit", [15] = "User Class", [16] = "Vendor Class", [17] = "Vendor Options",
        [18] = "Interface-Id", [19] = "Reconfigure Message", [20] = "Reconfigure Accept",
        [21] = "SIP Server Names", [22] = "SIP Servers", [23] = "DNS Recursive Name Servers",
        [24] = "Domain Search List", [25] = "IA_PD", [26] = "IA Prefix", [27] = "NIS Servers",
        [28] = "NIS+ Servers", [29] = "NIS Domain Name", [30] = "NIS+ Domain Name",
        [31] = "SNTP Servers", [32] = "Information Refresh Time", [33] = "BCMCS Domain Names",
        [34] = "BCMCS Addresses", [36] = "Civic Location", [37] = "Remote-Id", [38] = "Subscriber-Id",
        [39] = "Client FQDN", [40] = "PANA Agents", [41] = "POSIX Timezone", [42] = "TZDB Timezone",
        [43] = "Echo Request", [51] = "LoST Server", [52] = "CAPWAP Access Controllers",
        [54] = "IPv4 Address-MoS", [55] = "IPv4 FQDN-MoS", [56] = "NTP Server",
        [57] = "Access Domain", [58] = "SIP UA Domains", [59] = "Boot File URL",
        [60] = "Boot File Parameters", [61] = "Client Architecture", [62] = "Network Interface",
        [63] = "Geolocation", [64] = "AFTR Name", [65] = "ERP Local Domain Name", [66] = "Relay-Supplied",
        [67] = "PD Exclude", [68] = "Virtual Subnet Selection", [74] = "RDNSS Selection",
        [79] = "Client Link-Layer Address", [80] = "Link Address", [82] = "SOL_MAX_RT",
        [83] = "INF_MAX_RT", [94] = "MAP-E", [95] = "MAP-T", [96] = "Lightweight 4over6",
        [103] = "Captive Portal", [112] = "MUD URL", [143] = "Address Block",
    };
    return NAME_OF(names, code);
}
