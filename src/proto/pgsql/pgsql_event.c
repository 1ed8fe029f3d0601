// SPDX-License-Identifier: Apache-2.0
#include "proto/pgsql/pgsql_event.h"

#define ROW(name_, kind_, member, flags_, help_)                                                   \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct pgsql_event, member),              \
        .flags = flags_, .help = help_                                                             \
    }
#define FIELD(name, kind, member, help) ROW(name, kind, member, 0, help)

static const struct event_field fields[] = {
    FIELD("params", EVENT_SPANS, params, "what was bound to the statement"),
    ROW("pgsql.affected_rows", EVENT_U64, affected_rows, EVENT_EXTRA, "rows that were changed"),
    FIELD("pgsql.error_code", EVENT_SPAN, error_code, "the SQL state"),
    FIELD("pgsql.error_message", EVENT_SPAN, error_message, "what went wrong"),
    FIELD("pgsql.error_severity", EVENT_SPAN, error_severity, "ERROR, FATAL or PANIC"),
    FIELD("pgsql.num_fields", EVENT_OPTIONAL, num_fields, "columns of the result"),
    FIELD("pgsql.num_rows", EVENT_OPTIONAL, num_rows, "rows of the result"),
    {0},
};

const struct event_type pgsql_event_type = {
    .dataset = "pgsql",
    .help = "A PostgreSQL statement and its result",
    .size = sizeof(struct pgsql_event),
    .fields = fields,
    .common = transaction_fields,
};

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct pgsql_stats, member),   \
        .unit = unit_, .help = help_, .group = "counters"                                          \
    }

static const struct metric metrics[] = {
    COUNTER(statements, "statements", "Statements that clients sent, prepared ones by execution"),
    COUNTER(transactions, "statements", "Statements with their results"),
    COUNTER(errors, "statements", "Results that are errors"),
    COUNTER(rows, "rows", "Rows that servers sent"),
    COUNTER(notices, "messages", "Notices and warnings"),
    COUNTER(notifications, "messages", "What LISTEN was waiting for"),
    COUNTER(logins, "logins", "Logins that were granted"),
    COUNTER(login_failures, "logins", "Logins that were not"),
    COUNTER(cancels, "requests", "Requests to cancel what another connection is doing"),
    COUNTER(unmatched_requests, "statements", "Statements whose result was not seen"),
    COUNTER(unmatched_responses, "results", "Results whose statement was not seen"),
    COUNTER(evicted, "statements", "Statements given up because too many waited"),
    COUNTER(malformed, "places", "Places where a connection stopped to be PostgreSQL"),
    COUNTER(gaps, "gaps", "Holes in connections, where bytes were not captured"),
    COUNTER(switched, "connections", "Connections that went on with TLS or GSS"),
    {0},
};

const struct metric_set pgsql_set = {
    .name = "pgsql",
    .help = "PostgreSQL statements and their results",
    .metrics = metrics,
    .size = sizeof(struct pgsql_stats),
};

#define OPTION(member, kind_, fallback_, help_)                                                    \
    .name = #member, .kind = kind_, .offset = offsetof(struct pgsql_options, member),              \
    .fallback = fallback_, .help = help_

const struct proto_option pgsql_option_rows[] = {
    {OPTION(max_rows, PROTO_OPTION_NUMBER, "10", "Rows of a result in the text of a response."),
     .minimum = 0, .maximum = 1000000},
    {OPTION(max_row_length, PROTO_OPTION_SIZE, "1024", "Bytes of values in such a row."),
     .minimum = 0, .maximum = 1 << 20},
    {OPTION(max_message_size, PROTO_OPTION_SIZE, "10M",
            "Of a statement, and of a response's text, no more than this is shown."),
     .minimum = 0, .maximum = INT64_C(1) << 30},
    {OPTION(redact_secrets, PROTO_OPTION_FLAG, "true",
            "Hide passwords in statements: IDENTIFIED BY 'xxxxx', PASSWORD 'xxxxx'.")},
    {OPTION(all_statements, PROTO_OPTION_FLAG, "false",
            "SET in the extended protocol, which drivers send by themselves, is an event, too.")},
    {0},
};
