// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_words.h"

#include "base/json.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))

static const char *name_at(const char *const *names, size_t count, unsigned number)
{
    return number < count ? names[number] : NULL;
}

/* Words that every event has: 16 bytes each, so that whoever writes one copies that many. */
struct term {
    char text[DNS_WORD_ROOM - 1];
    uint8_t size; /* 0: there is none */
};

#define TERM(word)                                                                                 \
    {                                                                                              \
        .text = word, .size = sizeof(word) - 1                                                     \
    }

static const struct term low_types[] = {
    [0] = TERM("None"), [1] = TERM("A"), [2] = TERM("NS"), [3] = TERM("MD"), [4] = TERM("MF"),
    [5] = TERM("CNAME"), [6] = TERM("SOA"), [7] = TERM("MB"), [8] = TERM("MG"), [9] = TERM("MR"),
    [10] = TERM("NULL"), [11] = TERM("WKS"), [12] = TERM("PTR"), [13] = TERM("HINFO"),
    [14] = TERM("MINFO"), [15] = TERM("MX"), [16] = TERM("TXT"), [17] = TERM("RP"),
    [18] = TERM("AFSDB"), [19] = TERM("X25"), [20] = TERM("ISDN"), [21] = TERM("RT"),
    [22] = TERM("NSAP"), [23] = TERM("NSAP-PTR"), [24] = TERM("SIG"), [25] = TERM("KEY"),
    [26] = TERM("PX"), [27] = TERM("GPOS"), [28] = TERM("AAAA"), [29] = TERM("LOC"),
    [30] = TERM("NXT"), [31] = TERM("EID"), [32] = TERM("NIMLOC"), [33] = TERM("SRV"),
    [34] = TERM("ATMA"), [35] = TERM("NAPTR"), [36] = TERM("KX"), [37] = TERM("CERT"),
    [38] = TERM("A6"), [39] = TERM("DNAME"), [40] = TERM("SINK"), [41] = TERM("OPT"),
    [42] = TERM("APL"), [43] = TERM("DS"), [44] = TERM("SSHFP"), [45] = TERM("IPSECKEY"),
    [46] = TERM("RRSIG"), [47] = TERM("NSEC"), [48] = TERM("DNSKEY"), [49] = TERM("DHCID"),
    [50] = TERM("NSEC3"), [51] = TERM("NSEC3PARAM"), [52] = TERM("TLSA"), [53] = TERM("SMIMEA"),
    [55] = TERM("HIP"), [56] = TERM("NINFO"), [57] = TERM("RKEY"), [58] = TERM("TALINK"),
    [59] = TERM("CDS"), [60] = TERM("CDNSKEY"), [61] = TERM("OPENPGPKEY"), [62] = TERM("CSYNC"),
    [63] = TERM("ZONEMD"), [64] = TERM("SVCB"), [65] = TERM("HTTPS"), [66] = TERM("DSYNC"),
    [99] = TERM("SPF"), [100] = TERM("UINFO"), [101] = TERM("UID"), [102] = TERM("GID"),
    [103] = TERM("UNSPEC"), [104] = TERM("NID"), [105] = TERM("L32"), [106] = TERM("L64"),
    [107] = TERM("LP"), [108] = TERM("EUI48"), [109] = TERM("EUI64"), [128] = TERM("NXNAME"),
    [249] = TERM("TKEY"), [250] = TERM("TSIG"), [251] = TERM("IXFR"), [252] = TERM("AXFR"),
    [253] = TERM("MAILB"), [254] = TERM("MAILA"), [255] = TERM("ANY"), [256] = TERM("URI"),
    [257] = TERM("CAA"), [258] = TERM("AVC"), [259] = TERM("DOA"), [260] = TERM("AMTRELAY"),
    [261] = TERM("RESINFO"), [262] = TERM("WALLET"),
};

static const struct term high_types[] = {TERM("TA"), TERM("DLV")}; /* from HIGH on */
static const struct term last_type = TERM("Reserved");
enum { HIGH = 32768, LAST = 65535 };

static const struct term classes[] = {[1] = TERM("IN"), [2] = TERM("CS"), [3] = TERM("CH"),
                                      [4] = TERM("HS"), [254] = TERM("NONE"), [255] = TERM("ANY")};

static const struct term opcodes[] = {[0] = TERM("QUERY"), [1] = TERM("IQUERY"),
                                      [2] = TERM("STATUS"), [4] = TERM("NOTIFY"),
                                      [5] = TERM("UPDATE"), [6] = TERM("DSO")};

static const struct term rcodes[] = {
    TERM("NOERROR"), TERM("FORMERR"), TERM("SERVFAIL"), TERM("NXDOMAIN"), TERM("NOTIMP"),
    TERM("REFUSED"), TERM("YXDOMAIN"), TERM("YXRRSET"), TERM("NXRRSET"), TERM("NOTAUTH"),
    TERM("NOTZONE"), TERM("DSOTYPENI"), [16] = TERM("BADVERS"), [17] = TERM("BADKEY"),
    [18] = TERM("BADTIME"), [19] = TERM("BADMODE"), [20] = TERM("BADNAME"), [21] = TERM("BADALG"),
    [22] = TERM("BADTRUNC"), [23] = TERM("BADCOOKIE")};

static const struct term *term_at(const struct term *terms, size_t count, unsigned number)
{
    return number < count ? &terms[number] : NULL;
}

static const struct term *type_term(unsigned type)
{
    if (type >= COUNT(low_types)) {
        return type == LAST ? &last_type : term_at(high_types, COUNT(high_types), type - HIGH);
    }
    return &low_types[type];
}

/* The term, or the number behind `prefix`. */
static struct span word_of(const struct term *term, const char *prefix, unsigned number,
                           char room[DNS_WORD_ROOM])
{
    if (term != NULL && term->size > 0) {
        return span_of(term->text, term->size);
    }
    return dns_word(NULL, prefix, number, room);
}

const char *dns_type_name(unsigned type)
{
    const struct term *term = type_term(type);
    return term != NULL && term->size > 0 ? term->text : NULL;
}

struct span dns_type_word(unsigned type, char room[DNS_WORD_ROOM])
{
    return word_of(type_term(type), "", type, room);
}

struct span dns_class_word(unsigned class, char room[DNS_WORD_ROOM])
{
    return word_of(term_at(classes, COUNT(classes), class), "", class, room);
}

struct span dns_opcode_word(unsigned opcode, char room[DNS_WORD_ROOM])
{
    return word_of(term_at(opcodes, COUNT(opcodes), opcode), "", opcode, room);
}

struct span dns_rcode_word(unsigned rcode, char room[DNS_WORD_ROOM])
{
    return word_of(term_at(rcodes, COUNT(rcodes), rcode), "Unknown ", rcode, room);
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
