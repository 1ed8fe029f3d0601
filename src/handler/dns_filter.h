// SPDX-License-Identifier: Apache-2.0
/* What a DNS handler wants to see of DNS: the filters that both versions have, each asked for by
 * itself, because they differ in whom they ask. Settings are constant once read. */
#pragma once

#include "handler/dns_read.h"
#include "handler/place_filter.h"

enum { DNS_FILTER_CODES = 32 };

struct dns_filter {
    struct handler_settings common; /* both handlers' settings begin so */
    uint64_t patience_ns;           /* how long a query waits for its response */
    bool uses_suffixes;             /* public_suffix_list */
    bool is_open;                   /* every message passes */
    bool excludes_noerror, only_dnssec, only_queries, only_responses;
    int64_t answer_count;           /* -1: any */
    unsigned dnstap_type;           /* of queries, the response's is one more; 0: any */
    uint32_t rcodes;                /* a bit each; 0: any */
    struct handler_words names, suffixes;
    const uint16_t *types;          /* ended by 0; NULL: any */
    struct place_filter place;      /* of the client's subnet */
};

bool dns_filter_read(const struct handler_options *options, void *settings, struct err *err);

/* Codes that a response must have; a query has none of them. */
bool dns_filter_rcode(const struct dns_filter *filter, const struct dns_read *dns);
bool dns_filter_name(const struct dns_filter *filter, const struct dns_read *dns);
bool dns_filter_suffix(const struct dns_filter *filter, const struct dns_read *dns);
bool dns_filter_type(const struct dns_filter *filter, const struct dns_read *dns);
bool dns_filter_place(const struct dns_filter *filter, struct dns_read *dns);
bool dns_filter_dnstap(const struct dns_filter *filter, const struct handler_event *event);
/* Whether a message is no plain success, has so many answers, is secured: as far as asked for. */
bool dns_filter_outcome(const struct dns_filter *filter, const struct dns_read *dns);
