// SPDX-License-Identifier: Apache-2.0
/* What DNS reports and counts: the event of a query and its response, the metrics of a worker. */
#pragma once

#include "event/transaction.h"
#include "summary/metric.h"

/* Options of EDNS that an event shows by their names. */
enum dns_shown_option {
    DNS_SHOWN_COOKIE,
    DNS_SHOWN_DAU,
    DNS_SHOWN_DHU,
    DNS_SHOWN_ERRORS, /* extended errors */
    DNS_SHOWN_EXPIRE,
    DNS_SHOWN_LLQ,
    DNS_SHOWN_LOCAL,  /* those without a name: the last one */
    DNS_SHOWN_N3U,
    DNS_SHOWN_NSID,
    DNS_SHOWN_SUBNET,
    DNS_SHOWN_UL,
    DNS_SHOWN_OPTIONS,
};

/* Begins with what all transactions have. Spans are borrowed until the event is packed. */
struct dns_event {
    struct transaction transaction;
    struct span object;    /* all that follows as JSON, of an event of dns_object_type: it ends here */
    uint16_t id;
    bool authoritative;
    bool truncated;
    bool recursion_desired;
    bool recursion_available;
    bool authentic_data;
    bool checking_disabled;
    uint8_t dnssec_ok;     /* EVENT_TRUTH: absent without EDNS */
    uint32_t answer_count;
    uint32_t authority_count;
    uint32_t additional_count; /* without the OPT */
    const char *type;      /* query or answer */
    struct span opcode;
    struct span response_code;
    struct event_spans header_flags;
    struct span question_name;
    struct span question_type;
    struct span question_class;
    struct span effective_domain;
    struct span registered_domain;
    struct span top_level_domain;
    struct span subdomain;
    struct span answers;   /* JSON arrays */
    struct span authorities;
    struct span additionals;
    struct event_addresses resolved;
    struct span edns_version;
    struct span extended_rcode;
    struct event_optional udp_size;
    struct span options[DNS_SHOWN_OPTIONS];
    uint32_t options_size; /* bytes of their texts, or more */
    bool is_name_plain;    /* of the name in the question nothing has to be escaped */
};

extern const struct event_type dns_event_type;
/* The same event, whose object `dns` has been written already (dns_object.h). */
extern const struct event_type dns_object_type;

struct dns_stats {
    uint64_t queries;
    uint64_t responses;
    uint64_t transactions;
    uint64_t errors;
    uint64_t unanswered;
    uint64_t unmatched;
    uint64_t repeated;
    uint64_t multicast;
    uint64_t evicted;
    uint64_t malformed;
    uint64_t cut;
    uint64_t gaps;
    uint64_t records_left_out;
};

extern const struct metric_set dns_set;
