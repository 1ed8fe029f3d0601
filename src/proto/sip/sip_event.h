// SPDX-License-Identifier: Apache-2.0
/* What SIP reports and counts: an event for each message, the metrics of a worker. */
#pragma once

#include "event/transaction.h"
#include "summary/metric.h"

struct sip_shown_uri {
    struct span host;
    struct span original;
    struct span scheme;
    struct span username;
    struct event_optional port;
};

/* Begins with what all transactions have. Spans are borrowed until the event is packed. */
struct sip_event {
    struct transaction transaction;
    struct span accept;
    struct event_spans allow;
    struct event_spans supported;
    struct event_spans via;
    struct event_spans hosts; /* that it speaks of */
    struct event_spans users;
    struct sip_shown_uri auth;
    struct sip_shown_uri contact;
    struct sip_shown_uri from;
    struct sip_shown_uri private_uri;
    struct sip_shown_uri to;
    struct sip_shown_uri uri;
    struct event_optional code;
    struct event_optional expires;
    struct event_optional sequence;
    struct event_optional max_forwards;
    uint64_t content_length;
    double q;
    struct span original;
    struct span phrase;
    struct span realm;
    struct span auth_scheme;
    struct span call_id;
    struct span contact_display;
    struct span contact_line;
    struct span contact_transport;
    struct span content_type;
    struct span cseq_method;
    struct span from_display;
    struct span from_tag;
    struct span method;
    struct span to_display;
    struct span to_tag;
    struct span user_agent;
    struct span body;
    struct span connection_address;
    struct span connection_info;
    struct span owner_ip;
    struct span owner_session;
    struct span owner_user;
    struct span owner_version;
    struct span session_name;
    struct span sdp_version;
    const char *type;
    const char *version;
    const char *number; /* of the transport, as IANA has it */
};

extern const struct event_type sip_event_type;

struct sip_stats {
    uint64_t requests;
    uint64_t responses;
    uint64_t failures;
    uint64_t malformed;
    uint64_t too_large;
    uint64_t gaps;
};

extern const struct metric_set sip_set;
