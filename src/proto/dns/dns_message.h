// SPDX-License-Identifier: Apache-2.0
/* A DNS message (RFC 1035 §4) as it lies in a span: nothing is copied, nothing is allocated, and nothing
 * is read that nobody asks for. dns_message_read() looks at the header and the first question (some ten
 * nanoseconds); records are walked one by one; names are expanded on demand, in lower case if wanted.
 * Offsets are from the start of the message. All functions are pure and survive any bytes; the work of
 * each is bounded: a walk goes once over the message, a name is at most 255 bytes and DNS_JUMPS_MAX
 * pointers, each of which points before all that was read of the name so far.
 *
 * For one who counts and does not report:
 *
 *     struct dns_message m;
 *     if (dns_message_read(payload, &m) && dns_name_read(&m, m.question_name, true, &name)) {
 *         … m.question_type, dns_rcode(&m), dns_name_tail(&name, 2) is example.com
 *     } */
#pragma once

#include "base/cursor.h"
#include "proto/dns/dns_name.h"

enum { DNS_HEADER_BYTES = 12 };

/* Bits of the header's second word (RFC 1035 §4.1.1, RFC 4035 §3.1.6). */
enum dns_flags {
    DNS_QR = 0x8000, /* a response */
    DNS_AA = 0x0400,
    DNS_TC = 0x0200,
    DNS_RD = 0x0100,
    DNS_RA = 0x0080,
    DNS_Z = 0x0040,
    DNS_AD = 0x0020,
    DNS_CD = 0x0010,
};

enum dns_opcode {
    DNS_QUERY = 0,
    DNS_IQUERY = 1,
    DNS_STATUS = 2,
    DNS_NOTIFY = 4,
    DNS_UPDATE = 5,
    DNS_STATEFUL = 6,
};

/* Sections by their place; an update (RFC 2136) has other names for them. */
enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

/* Types that this house treats in a way of their own; dns_type_name() knows more. */
enum dns_type {
    DNS_A = 1, DNS_NS = 2, DNS_MD = 3, DNS_MF = 4, DNS_CNAME = 5, DNS_SOA = 6, DNS_MB = 7,
    DNS_MG = 8, DNS_MR = 9, DNS_PTR = 12, DNS_HINFO = 13, DNS_MINFO = 14, DNS_MX = 15,
    DNS_TXT = 16, DNS_RP = 17, DNS_AFSDB = 18, DNS_SIG = 24, DNS_KEY = 25, DNS_AAAA = 28,
    DNS_SRV = 33, DNS_NAPTR = 35, DNS_KX = 36, DNS_DNAME = 39, DNS_OPT = 41, DNS_DS = 43,
    DNS_SSHFP = 44, DNS_RRSIG = 46, DNS_NSEC = 47, DNS_DNSKEY = 48, DNS_NSEC3 = 50,
    DNS_NSEC3PARAM = 51, DNS_TLSA = 52, DNS_SMIMEA = 53, DNS_CDS = 59, DNS_CDNSKEY = 60,
    DNS_SVCB = 64, DNS_HTTPS = 65, DNS_SPF = 99, DNS_EUI48 = 108, DNS_IXFR = 251, DNS_AXFR = 252,
    DNS_ANY = 255, DNS_URI = 256, DNS_CAA = 257, DNS_DLV = 32769,
};

struct dns_message {
    struct span bytes;
    uint16_t id;
    uint16_t flags;                /* the whole second word */
    uint16_t counts[DNS_SECTIONS]; /* as the header says */
    uint16_t question_name;        /* offset of the first question's name; 0: no question */
    uint16_t question_type;
    uint16_t question_class;
    uint16_t question_end;         /* offset behind the first question; 12 when there is none */
};

/* Reads header and first question; false when they are not there or impossible, or the message is
 * longer than 65535 bytes. The opcode may be any; that of DSO (RFC 8490) has no questions. */
bool dns_message_read(struct span bytes, struct dns_message *ret);

/* Reads the header of a message of which no more can be read: its bytes are that header, so there is no
 * question, and no record can be walked to. False when there is none. */
bool dns_header_read(struct span bytes, struct dns_message *ret);

static inline bool dns_is_response(const struct dns_message *m)
{
    return m->flags & DNS_QR;
}

static inline unsigned dns_opcode(const struct dns_message *m)
{
    return m->flags >> 11 & 15;
}

/* The header's four bits; dns_edns_read() has eight more. */
static inline unsigned dns_rcode(const struct dns_message *m)
{
    return m->flags & 15;
}

/* Whether both ask the same: names without regard to case (RFC 4343), type and class. */
bool dns_same_question(const struct dns_message *a, const struct dns_message *b);
/* Whether both ask the same in the same bytes. */
bool dns_is_repeated(const struct dns_message *a, const struct dns_message *b);

/* ---- Names ---------------------------------------------------------------------------------- */

/* The same as dns_message_read(), and the name of the question expanded, in one go; false also when that
 * cannot be. Without a question `name` stays as it is. */
bool dns_message_read_name(struct span bytes, bool lower, struct dns_message *ret,
                           struct dns_name *name);

/* Expands the name at offset `at`; false when it is none. */
static inline bool dns_name_read(const struct dns_message *m, size_t at, bool lower,
                                 struct dns_name *ret)
{
    return dns_name_expand(m->bytes, at, lower, ret) != 0;
}

/* ---- Records -------------------------------------------------------------------------------- */

struct dns_record {
    uint32_t ttl;
    uint16_t name;    /* offset */
    uint16_t type;
    uint16_t class;
    uint16_t data;    /* offset of the data */
    uint16_t size;    /* of the data, bytes */
    uint8_t section;  /* enum dns_section */
};

/* Walks all records behind the questions in the order in which they lie there. */
struct dns_walk {
    const struct dns_message *message;
    size_t at;
    uint16_t left;    /* in the section */
    uint8_t section;
    bool bad;         /* it ended early: something is no record, or was cut off */
    bool cut;         /* ... for want of bytes */
};

struct dns_walk dns_walk_of(const struct dns_message *m);
/* The next record, and true; false at the end or when the rest cannot be read. */
bool dns_walk_next(struct dns_walk *walk, struct dns_record *ret);

/* ---- EDNS (RFC 6891) ------------------------------------------------------------------------ */

/* The subnet of a client (RFC 7871). */
struct dns_subnet {
    uint8_t version;   /* 4, 6; 0: none */
    uint8_t source;    /* prefix lengths */
    uint8_t scope;
    uint8_t bytes[16]; /* what lies beyond the prefix is zero */
};

struct dns_edns {
    bool present;
    bool dnssec_ok;
    uint8_t version;
    uint8_t rcode_high;  /* the upper eight bits of the response code */
    uint16_t udp_size;
    struct span options; /* borrowed from the message */
    struct dns_subnet subnet;
};

/* Finds the OPT record; walks all records. False when they cannot be read up to it. */
bool dns_edns_read(const struct dns_message *m, struct dns_edns *ret);
/* The same of a record that is known to be an OPT. */
void dns_edns_of(const struct dns_message *m, const struct dns_record *opt, struct dns_edns *ret);

/* Takes the next option off the front of `options`; false at the end. */
bool dns_edns_option(struct span *options, uint16_t *code, struct span *value);

/* ---- Whether it is one at all --------------------------------------------------------------- */

enum dns_likeness {
    DNS_NO,
    DNS_SO_FAR, /* too little is there to tell */
    DNS_LIKELY, /* header and question are sound, and so are the records that are there */
    DNS_YES,    /* all of it is there, and sound */
};

/* Whether bytes that begin a message of `size` bytes (0: of not less than these) are one. Strict, for
 * bytes of any protocol come here: flags and counts that occur, one question mostly, sound names, known
 * classes, and records that end (nearly) where the message does. NetBIOS names (RFC 1002), which look the same,
 * are not. */
enum dns_likeness dns_looks_like(struct span bytes, size_t size);

/* The same of a datagram at DNS's own port, which need not be as sound: flags, codes and records may be
 * anything behind a question that can be read. DNS_YES, DNS_SO_FAR or DNS_NO. */
enum dns_likeness dns_has_question(struct span bytes);

/* Whether flags and counts are such as occur; `data` has a header's bytes. */
bool dns_is_header(const uint8_t *data);
