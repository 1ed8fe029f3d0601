// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_words.h"

#include "base/json.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const char *name_at(const char *const *names, size_t count, unsigned number)
{
    return number < count ? names[number] : NULL;
}

static const char *const low_types[] = {
    [0] = "None", [1] = "A", [2] = "NS", [3] = "MD", [4] = "MF", [5] = "CNAME", [6] = "SOA",
    [7] = "MB", [8] = "MG", [9] = "MR", [10] = "NULL", [11] = "WKS", [12] = "PTR", [13] = "HINFO",
    [14] = "MINFO", [15] = "MX", [16] = "TXT", [17] = "RP", [18] = "AFSDB", [19] = "X25",
    [20] = "ISDN", [21] = "RT", [22] = "NSAP", [23] = "NSAP-PTR", [24] = "SIG", [25] = "KEY",
    [26] = "PX", [27] = "GPOS", [28] = "AAAA", [29] = "LOC", [30] = "NXT", [31] = "EID",
    [32] = "NIMLOC", [33] = "SRV", [34] = "ATMA", [35] = "NAPTR", [36] = "KX", [37] = "CERT",
    [38] = "A6", [39] = "DNAME", [40] = "SINK", [41] = "OPT", [42] = "APL", [43] = "DS",
    [44] = "SSHFP", [45] = "IPSECKEY", [46] = "RRSIG", [47] = "NSEC", [48] = "DNSKEY",
    [49] = "DHCID", [50] = "NSEC3", [51] = "NSEC3PARAM", [52] = "TLSA", [53] = "SMIMEA",
    [55] = "HIP", [56] = "NINFO", [57] = "RKEY", [58] = "TALINK", [59] = "CDS", [60] = "CDNSKEY",
    [61] = "OPENPGPKEY", [62] = "CSYNC", [63] = "ZONEMD", [64] = "SVCB", [65] = "HTTPS",
    [66] = "DSYNC", [99] = "SPF", [100] = "UINFO", [101] = "UID", [102] = "GID", [103] = "UNSPEC",
    [104] = "NID", [105] = "L32", [106] = "L64", [107] = "LP", [108] = "EUI48", [109] = "EUI64",
    [128] = "NXNAME", [249] = "TKEY", [250] = "TSIG", [251] = "IXFR", [252] = "AXFR",
    [253] = "MAILB", [254] = "MAILA", [255] = "ANY", [256] = "URI", [257] = "CAA", [258] = "AVC",
    [259] = "DOA", [260] = "AMTRELAY", [261] = "RESINFO", [262] = "WALLET",
};

const char *dns_type_name(unsigned type)
{
    switch (type) {
    case 32768:
        return "TA";
    case 32769:
        return "DLV";
    case 65535:
        return "Reserved";
    default:
        return name_at(low_types, COUNT(low_types), type);
    }
}

const char *dns_class_name(unsigned class)
{
    static const char *const names[] = {[1] = "IN", [2] = "CS", [3] = "CH", [4] = "HS",
                                        [254] = "NONE", [255] = "ANY"};
    return name_at(names, COUNT(names), class);
}

const char *dns_opcode_name(unsigned opcode)
{
    static const char *const names[] = {[0] = "QUERY", [1] = "IQUERY", [2] = "STATUS",
                                        [4] = "NOTIFY", [5] = "UPDATE", [6] = "DSO"};
    return name_at(names, COUNT(names), opcode);
}

const char *dns_rcode_name(unsigned rcode)
{
    static const char *const names[] = {
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
        "NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI", [16] = "BADVERS", [17] = "BADKEY",
        [18] = "BADTIME", [19] = "BADMODE", [20] = "BADNAME", [21] = "BADALG", [22] = "BADTRUNC",
        [23] = "BADCOOKIE"};
    return name_at(names, COUNT(names), rcode);
}

const char *dns_algorithm_name(unsigned algorithm)
{
    static const char *const names[] = {
        [1] = "RSAMD5", [2] = "DH", [3] = "DSA", [5] = "RSASHA1", [6] = "DSA-NSEC3-SHA1",
        [7] = "RSASHA1-NSEC3-SHA1", [8] = "RSASHA256", [10] = "RSASHA512", [12] = "ECC-GOST",
        [13] = "ECDSAP256SHA256", [14] = "ECDSAP384SHA384", [15] = "ED25519", [16] = "ED448",
        [252] = "INDIRECT", [253] = "PRIVATEDNS", [254] = "PRIVATEOID"};
    return name_at(names, COUNT(names), algorithm);
}

const char *dns_hash_name(unsigned hash)
{
    static const char *const names[] = {NULL, "SHA1", "SHA256", "GOST94", "SHA384", "SHA512"};
    return name_at(names, COUNT(names), hash);
}

const char *dns_extended_error_name(unsigned code)
{
    static const char *const names[] = {
        "Other Error", "Unsupported DNSKEY Algorithm", "Unsupported DS Digest Type", "Stale Answer",
        "Forged Answer", "DNSSEC Indeterminate", "DNSSEC Bogus", "Signature Expired",
        "Signature Not Yet Valid", "DNSKEY Missing", "RRSIGs Missing", "No Zone Key Bit Set",
        "NSEC Missing", "Cached Error", "Not Ready", "Blocked", "Censored", "Filtered",
        "Prohibited", "Stale NXDOMAIN Answer", "Not Authoritative", "Not Supported",
        "No Reachable Authority", "Network Error", "Invalid Data", "Signature Expired before Valid",
        "Too Early", "Unsupported NSEC3 Iterations Value", "Unable to conform to policy",
        "Synthesized"};
    return name_at(names, COUNT(names), code);
}

const char *dns_service_key_name(unsigned key)
{
    static const char *const names[] = {"mandatory", "alpn", "no-default-alpn", "port", "ipv4hint",
                                        "ech", "ipv6hint", "dohpath", "ohttp"};
    return name_at(names, COUNT(names), key);
}

struct span dns_word(const char *name, const char *prefix, unsigned number,
                     char room[DNS_WORD_ROOM])
{
    if (name != NULL) {
        return span_str(name);
    }
    char *to = stpcpy(room, prefix);
    char digits[JSON_U64_MAX];
    size_t size = (size_t)(json_digits(digits, number) - digits);
    memcpy(to, digits, size);
    return span_of(room, (size_t)(to + size - room));
}
