// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_event.h"

#include "proto/dns/dns_options.h"

#define AT(member) offsetof(struct dns_event, member)
#define FIELD(name_, kind_, member, flags_, help_)                                                 \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = AT(member), .flags = flags_, .help = help_         \
    }
#define TEXT(name, member, help) FIELD(name, EVENT_SPAN, member, 0, help)
#define FLAG(name, member, help) FIELD("dns.flags." name, EVENT_BOOL, member, EVENT_ALWAYS, help)
#define COUNT(name, member, help) FIELD(name, EVENT_U32, member, EVENT_ALWAYS, help)
#define OPTION(name, number, help) TEXT("dns.opt." name, options[number], help)
#define EXTRA(name, number, help)                                                                  \
    FIELD("dns.opt." name, EVENT_SPAN, options[number], EVENT_EXTRA, help)

static const struct event_field fields[] = {
    FIELD("dns.additionals", EVENT_VALUE, additionals, 0, "records of the additional section"),
    COUNT("dns.additionals_count", additional_count, "how many there are, without the OPT"),
    FIELD("dns.answers", EVENT_VALUE, answers, 0,
          "records of the answer: name, type, class, ttl, data and what the type has besides"),
    COUNT("dns.answers_count", answer_count, "how many there are; of a transfer, in all messages"),
    FIELD("dns.authorities", EVENT_VALUE, authorities, 0, "records of the authority section"),
    COUNT("dns.authorities_count", authority_count, "how many there are"),
    FLAG("authentic_data", authentic_data, "AD"),
    FLAG("authoritative", authoritative, "AA"),
    FLAG("checking_disabled", checking_disabled, "CD"),
    FLAG("recursion_available", recursion_available, "RA"),
    FLAG("recursion_desired", recursion_desired, "RD"),
    FLAG("truncated_response", truncated, "TC"),
    FIELD("dns.header_flags", EVENT_SPANS, header_flags, 0, "the flags that are set"),
    FIELD("dns.id", EVENT_U16, id, EVENT_ALWAYS, "the message's number"),
    TEXT("dns.op_code", opcode, "QUERY, NOTIFY, UPDATE ..."),
    OPTION("cookie", DNS_SHOWN_COOKIE, "RFC 7873, hexadecimal"),
    OPTION("dau", DNS_SHOWN_DAU, "signing algorithms that the client knows (RFC 6975)"),
    OPTION("dhu", DNS_SHOWN_DHU, "hash algorithms of DS records that it knows"),
    FIELD("dns.opt.do", EVENT_TRUTH, dnssec_ok, 0, "DNSSEC records are wanted, or given"),
    EXTRA("expire", DNS_SHOWN_EXPIRE, "seconds that the zone is good for (RFC 7314)"),
    TEXT("dns.opt.ext_rcode", extended_rcode, "what the OPT adds to the response code"),
    EXTRA("extended_errors", DNS_SHOWN_ERRORS, "why it is so (RFC 8914)"),
    OPTION("llq", DNS_SHOWN_LLQ, "long-lived query: version opcode error id lease (RFC 8764)"),
    OPTION("local", DNS_SHOWN_LOCAL, "an option without a name: code:0xdata"),
    OPTION("n3u", DNS_SHOWN_N3U, "hash algorithms of NSEC3 that the client knows"),
    OPTION("nsid", DNS_SHOWN_NSID, "which server it was (RFC 5001), hexadecimal"),
    OPTION("subnet", DNS_SHOWN_SUBNET, "the client's subnet: address/source/scope (RFC 7871)"),
    FIELD("dns.opt.udp_size", EVENT_OPTIONAL, udp_size, 0, "bytes that its sender can take"),
    OPTION("ul", DNS_SHOWN_UL, "update lease: seconds (RFC 9664)"),
    TEXT("dns.opt.version", edns_version, "of EDNS"),
    TEXT("dns.question.class", question_class, "IN"),
    TEXT("dns.question.etld_plus_one", effective_domain, "the public suffix and a label"),
    TEXT("dns.question.name", question_name, "what is asked about, as in a master file"),
    TEXT("dns.question.registered_domain", registered_domain, "the domain that is somebody's"),
    TEXT("dns.question.subdomain", subdomain, "what stands before it"),
    TEXT("dns.question.top_level_domain", top_level_domain, "the public suffix"),
    TEXT("dns.question.type", question_type, "A, AAAA, NS ..."),
    FIELD("dns.resolved_ip", EVENT_ADDRESSES, resolved, 0, "all addresses of the answer"),
    TEXT("dns.response_code", response_code, "NOERROR, NXDOMAIN ..."),
    FIELD("dns.type", EVENT_TEXT, type, 0, "answer; query when there was none"),
    {0},
};

const struct event_type dns_event_type = {
    .dataset = "dns",
    .help = "A DNS query and its response, or what was announced by multicast",
    .size = sizeof(struct dns_event),
    .fields = fields,
    .common = transaction_fields,
};

static const struct event_field object_fields[] = {
    FIELD("dns", EVENT_VALUE, object, 0, "all fields of DNS"),
    {0},
};

const struct event_type dns_object_type = {
    .dataset = "dns",
    .help = "A DNS query and its response, written already",
    .size = offsetof(struct dns_event, id),
    .fields = object_fields,
    .common = transaction_fields,
};

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct dns_stats, member),     \
        .unit = unit_, .help = help_, .group = "counters"                                          \
    }

static const struct metric metrics[] = {
    COUNTER(queries, "messages", "Queries"),
    COUNTER(responses, "messages", "Responses"),
    COUNTER(transactions, "transactions", "Queries with their responses"),
    COUNTER(errors, "transactions", "Of these, with a response code other than NOERROR"),
    COUNTER(unanswered, "messages", "Queries whose response was not seen"),
    COUNTER(unmatched, "messages", "Responses whose query was not seen"),
    COUNTER(repeated, "messages", "Queries with the number of one that was still open"),
    COUNTER(multicast, "messages", "Messages of multicast DNS and LLMNR, which nobody need answer"),
    COUNTER(evicted, "messages", "Queries given up because too many waited for their responses"),
    COUNTER(malformed, "messages", "Messages that could not be read, or not to their end"),
    COUNTER(cut, "messages", "Messages of which the capture has the beginning only"),
    COUNTER(gaps, "gaps", "Holes in connections, where bytes were not captured"),
    COUNTER(records_left_out, "records", "Records for which an event had no room"),
    {0},
};

const struct metric_set dns_set = {
    .name = "dns",
    .help = "Queries and responses",
    .metrics = metrics,
    .size = sizeof(struct dns_stats),
};

#define SHOWS(member, help_)                                                                       \
    {                                                                                              \
        .name = #member, .kind = PROTO_OPTION_FLAG, .offset = offsetof(struct dns_options, member), \
        .fallback = "false", .help = help_                                                         \
    }

const struct proto_option dns_option_rows[] = {
    SHOWS(include_authorities, "Events list the records of the authority section."),
    SHOWS(include_additionals, "Events list the records of the additional section."),
    {0},
};
