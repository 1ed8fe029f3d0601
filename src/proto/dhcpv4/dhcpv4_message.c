// SPDX-License-Identifier: Apache-2.0
#include "proto/dhcpv4/dhcpv4_message.h"

enum {
    COOKIE = 0x63825363,
    AT_ADDRESS = 28,
    AT_SERVER_NAME = 44,
    SERVER_NAME = 64,
    AT_BOOT_FILE = 108,
    BOOT_FILE = 128,
    HARDWARE_MAX = 16,
    PAD = 0,
    END = 255,
};

/* Notes the options of one place; false when they do not keep to their lengths. */
static bool read_options(struct dhcpv4_message *m, struct span bytes)
{
    struct cursor c = cursor_of(bytes);
    while (cursor_left(&c) > 0) {
        unsigned code = cursor_u8(&c);
        if (code == PAD) {
            continue;
        }
        if (code == END) {
            break;
        }
        struct span value = cursor_take(&c, cursor_u8(&c));
        if (c.bad) {
            return false;
        }
        if (m->options[code].data == NULL) {
            m->options[code] = value;
        }
    }
    return true;
}

/* Text up to the first zero. */
static struct span text_of(const uint8_t *bytes, size_t room)
{
    return span_of(bytes, strnlen((const char *)bytes, room));
}

bool dhcpv4_looks_like(struct span bytes)
{
    if (bytes.size < DHCPV4_HEADER) {
        return false;
    }
    bool is_op = bytes.data[0] == DHCPV4_REQUEST || bytes.data[0] == DHCPV4_REPLY;
    return is_op && bytes.data[2] <= HARDWARE_MAX &&
           load_be32(bytes.data + DHCPV4_HEADER - 4) == COOKIE;
}

bool dhcpv4_message_read(struct span bytes, struct dhcpv4_message *ret)
{
    if (!dhcpv4_looks_like(bytes)) {
        return false;
    }
    const uint8_t *b = bytes.data;
    *ret = (struct dhcpv4_message){
        .op = b[0],
        .hardware = b[1],
        .hops = b[3],
        .transaction = load_be32(b + 4),
        .seconds = load_be16(b + 8),
        .flags = load_be16(b + 10),
        .address = span_of(b + AT_ADDRESS, b[2]),
        .client = b + 12,
        .yours = b + 16,
        .server = b + 20,
        .relay = b + 24,
    };
    bool is_good = read_options(ret, span_skip(bytes, DHCPV4_HEADER));
    struct span overload = ret->options[DHCPV4_OVERLOAD];
    unsigned places = overload.size == 1 ? overload.data[0] : 0;
    if (places & 1) {
        is_good = read_options(ret, span_of(b + AT_BOOT_FILE, BOOT_FILE)) && is_good;
    } else {
        ret->boot_file = text_of(b + AT_BOOT_FILE, BOOT_FILE);
    }
    if (places & 2) {
        is_good = read_options(ret, span_of(b + AT_SERVER_NAME, SERVER_NAME)) && is_good;
    } else {
        ret->server_name = text_of(b + AT_SERVER_NAME, SERVER_NAME);
    }
    return is_good;
}

#define COUNT(table) (sizeof(table) / sizeof *(table))

const char *dhcpv4_type_name(unsigned type)
{
    static const char *const names[] = {
        NULL, "discover", "offer", "request", "decline", "ack", "nak", "release", "inform",
        "forcerenew", "leasequery", "leaseunassigned", "leaseunknown", "leaseactive",
        "bulkleasequery", "leasequerydone", "activeleasequery", "leasequerystatus", "tls"};
    return type < COUNT(names) ? names[type] : NULL;
}

const char *dhcpv4_hardware_name(unsigned hardware)
{
    static const char *const names[] = {
        NULL, "Ethernet", "Experimental Ethernet", "Amateur Radio AX.25",
        "Proteon ProNET Token Ring", "Chaos", "IEEE 802", "ARCNET", "Hyperchannel", "Lanstar",
        "Autonet Short Address", "LocalTalk", "LocalNet", "Ultra link", "SMDS", "Frame Relay", "ATM",
        "HDLC", "Fibre Channel", "ATM 2", "Serial Line", "ATM 3", "MIL-STD-188-220", "Metricom",
        "IEEE 1394.1995", "MAPOS", "Twinaxial", "EUI-64", "HIPARP", "IP and ARP over ISO 7816-3",
        "ARPSec", "IPsec tunnel", "Infiniband"};
    return hardware < COUNT(names) ? names[hardware] : NULL;
}

static const char *const option_names[] = {
    [1] = "Subnet Mask", [2] = "Time Offset", [3] = "Router", [4] = "Time Server",
    [5] = "Name Server", [6] = "Domain Name Server", [7] = "Log Server", [8] = "Quote Server",
    [9] = "LPR Server", [10] = "Impress Server", [11] = "Resource Location Server",
    [12] = "Host Name", [13] = "Boot File Size", [14] = "Merit Dump File", [15] = "Domain Name",
    [16] = "Swap Server", [17] = "Root Path", [18] = "Extensions Path",
    [19] = "IP Forwarding enable/disable", [20] = "Non-local Source Routing enable/disable",
    [21] = "Policy Filter", [22] = "Maximum Datagram Reassembly Size",
    [23] = "Default IP Time-to-live", [24] = "Path MTU Aging Timeout",
    [25] = "Path MTU Plateau Table", [26] = "Interface MTU", [27] = "All Subnets Are Local",
    [28] = "Broadcast Address", [29] = "Perform Mask Discovery", [30] = "Mask Supplier",
    [31] = "Perform Router Discovery", [32] = "Router Solicitation Address",
    [33] = "Static Routing Table", [34] = "Trailer Encapsulation", [35] = "ARP Cache Timeout",
    [36] = "Ethernet Encapsulation", [37] = "Default TCP TTL", [38] = "TCP Keepalive Interval",
    [39] = "TCP Keepalive Garbage", [40] = "Network Information Service Domain",
    [41] = "Network Information Servers", [42] = "NTP Servers",
    [43] = "Vendor Specific Information", [44] = "NetBIOS over TCP/IP Name Server",
    [45] = "NetBIOS over TCP/IP Datagram Distribution Server",
    [46] = "NetBIOS over TCP/IP Node Type", [47] = "NetBIOS over TCP/IP Scope",
    [48] = "X Window System Font Server", [49] = "X Window System Display Manager",
    [50] = "Requested IP Address", [51] = "IP Addresses Lease Time", [52] = "Option Overload",
    [53] = "DHCP Message Type", [54] = "Server Identifier", [55] = "Parameter Request List",
    [56] = "Message", [57] = "Maximum DHCP Message Size", [58] = "Renew Time Value",
    [59] = "Rebinding Time Value", [60] = "Class Identifier", [61] = "Client identifier",
    [62] = "NetWare/IP Domain Name", [63] = "NetWare/IP Information",
    [64] = "Network Information Service+ Domain", [65] = "Network Information Service+ Servers",
    [66] = "TFTP Server Name", [67] = "Bootfile Name", [68] = "Mobile IP Home Agent",
    [69] = "SMTP Server", [70] = "POP Server", [71] = "NNTP Server", [72] = "Default WWW Server",
    [73] = "Default Finger Server", [74] = "Default IRC Server", [75] = "StreetTalk Server",
    [76] = "StreetTalk Directory Assistance Server", [77] = "User Class Information",
    [78] = "SLP Directory Agent", [79] = "SLP Service Scope", [80] = "Rapid Commit", [81] = "FQDN",
    [82] = "Relay Agent Information", [83] = "Internet Storage Name Service", [85] = "NDS Servers",
    [86] = "NDS Tree Name", [87] = "NDS Context", [88] = "BCMCS Controller Domain Name List",
    [89] = "BCMCS Controller IPv4 Address List", [90] = "Authentication",
    [91] = "Client Last Transaction Time", [92] = "Associated IP",
    [93] = "Client System Architecture Type", [94] = "Client Network Interface Identifier",
    [95] = "LDAP", [97] = "Client Machine Identifier", [98] = "OpenGroup's User Authentication",
    [99] = "GEOCONF_CIVIC", [100] = "IEEE 1003.1 TZ String", [101] = "Reference to the TZ Database",
    [108] = "Number of seconds that DHCPv4 should be disabled",
    [112] = "NetInfo Parent Server Address", [113] = "NetInfo Parent Server Tag", [114] = "URL",
    [116] = "Auto-Configure", [117] = "Name Service Search", [118] = "Subnet Selection",
    [119] = "DNS Domain Search List", [120] = "SIP Servers", [121] = "Classless Static Route",
    [122] = "CCC, CableLabs Client Configuration", [123] = "GeoConf",
    [124] = "Vendor-Identifying Vendor Class", [125] = "Vendor-Identifying Vendor-Specific",
    [128] = "TFTP Server IP Address", [129] = "Call Server IP Address",
    [130] = "Discrimination String", [131] = "RemoteStatistics Server IP Address",
    [132] = "802.1P VLAN ID", [133] = "802.1Q L2 Priority", [134] = "Diffserv Code Point",
    [135] = "HTTP Proxy for phone-specific applications", [136] = "PANA Authentication Agent",
    [137] = "LoST Server", [138] = "CAPWAP Access Controller Addresses",
    [145] = "Forcerenew Nonce Capable", [146] = "Information for selecting RDNSS",
    [150] = "TFTP Server Address", [151] = "Status Code", [152] = "Base Time",
    [153] = "Start Time of State", [154] = "Query Start Time", [155] = "Query End Time",
    [156] = "DHCP State", [157] = "Data Source", [158] = "PCP server IP addresses",
    [175] = "Etherboot", [176] = "IP Telephone", [177] = "Etherboot / PacketCable and CableHome",
    [208] = "PXELinux Magic String", [209] = "PXELinux Config File",
    [210] = "PXELinux Path Prefix", [211] = "PXELinux Reboot Time", [220] = "Subnet Allocation",
    [221] = "Virtual Subnet Selection",
};

const char *dhcpv4_option_name(unsigned code)
{
    return code < COUNT(option_names) ? option_names[code] : NULL;
}
