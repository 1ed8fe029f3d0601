// SPDX-License-Identifier: Apache-2.0
#include "proto/mysql/mysql_event.h"

#define ROW(name_, kind_, member, flags_, help_)                                                   \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct mysql_event, member),              \
        .flags = flags_, .help = help_                                                             \
    }
#define FIELD(name, kind, member, help) ROW(name, kind, member, 0, help)

static const struct event_field fields[] = {
    FIELD("mysql.affected_rows", EVENT_OPTIONAL, affected_rows, "rows that were changed"),
    FIELD("mysql.error_code", EVENT_U16, error_code, "the server's number for the error"),
    FIELD("mysql.error_message", EVENT_SPAN, error_message, "the SQL state and what went wrong"),
    FIELD("mysql.insert_id", EVENT_OPTIONAL, insert_id, "what AUTO_INCREMENT gave the row"),
    FIELD("mysql.num_fields", EVENT_OPTIONAL, num_fields, "columns of the result"),
    ROW("mysql.num_results", EVENT_U32, num_results, EVENT_EXTRA,
        "results, where there are more than one"),
    FIELD("mysql.num_rows", EVENT_OPTIONAL, num_rows, "rows of all results"),
    FIELD("params", EVENT_SPANS, params, "what was bound to a prepared statement"),
    {0},
};

const struct event_type mysql_event_type = {
    .dataset = "mysql",
    .help = "A MySQL or MariaDB command and its answer",
    .size = sizeof(struct mysql_event),
    .fields = fields,
    .common = transaction_fields,
};

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER, .offset = offsetof(struct mysql_stats, member),   \
        .unit = unit_, .help = help_, .group = "counters"                                          \
    }

static const struct metric metrics[] = {
    COUNTER(commands, "commands", "Commands that clients sent, of all kinds"),
    COUNTER(queries, "commands", "Those that are SQL: queries, preparations, executions"),
    COUNTER(transactions, "commands", "Commands with their answers"),
    COUNTER(errors, "commands", "Answers that are errors"),
    COUNTER(rows, "rows", "Rows that servers sent"),
    COUNTER(logins, "logins", "Logins that were granted"),
    COUNTER(login_failures, "logins", "Logins that were not"),
    COUNTER(unmatched_requests, "commands", "Commands whose answer was not seen"),
    COUNTER(unmatched_responses, "answers", "Answers whose command was not seen"),
    COUNTER(evicted, "commands", "Commands given up because too many waited"),
    COUNTER(malformed, "places", "Places where a connection stopped to be MySQL"),
    COUNTER(not_unpacked, "packets", "Compressed packets that were not unpacked"),
    COUNTER(gaps, "gaps", "Holes in connections, where bytes were not captured"),
    COUNTER(switched, "connections", "Connections that went on with TLS"),
    {0},
};

const struct metric_set mysql_set = {
    .name = "mysql",
    .help = "MySQL and MariaDB commands and their answers",
    .metrics = metrics,
    .size = sizeof(struct mysql_stats),
};

#define OPTION(member, kind_, fallback_, help_)                                                    \
    .name = #member, .kind = kind_, .offset = offsetof(struct mysql_options, member),              \
    .fallback = fallback_, .help = help_

const struct proto_option mysql_option_rows[] = {
    {OPTION(max_rows, PROTO_OPTION_NUMBER, "10", "Rows of a result in the text of a response."),
     .minimum = 0, .maximum = 1000000},
    {OPTION(max_row_length, PROTO_OPTION_SIZE, "1024", "Bytes of values in such a row."),
     .minimum = 0, .maximum = 1 << 20},
    {OPTION(max_message_size, PROTO_OPTION_SIZE, "10M",
            "Of a statement, and of a response's text, no more than this is shown."),
     .minimum = 0, .maximum = INT64_C(1) << 30},
    {OPTION(statement_timeout, PROTO_OPTION_DURATION, "1h",
            "How long a prepared statement is remembered that is not used."),
     .minimum = 1000000000, .maximum = INT64_C(86400000000000)},
    {OPTION(redact_secrets, PROTO_OPTION_FLAG, "true",
            "Hide passwords in statements: IDENTIFIED BY 'xxxxx', PASSWORD 'xxxxx'.")},
    {OPTION(all_commands, PROTO_OPTION_FLAG, "false",
            "Commands that are no SQL, as PING, are events, too, not only where they fail.")},
    {0},
};
