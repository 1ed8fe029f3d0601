// SPDX-License-Identifier: Apache-2.0
#include "proto/cassandra/cassandra_event.h"

#define AT(member) offsetof(struct cassandra_event, member)
#define ROW(name_, kind_, n, flags_, help_)                                                        \
    {                                                                                              \
        .name = "cassandra." name_, .kind = kind_, .offset = AT(field[CASSANDRA_##n]),             \
        .flags = flags_, .help = help_                                                             \
    }
#define TEXT(name, n, help) ROW(name, EVENT_SPAN, n, EVENT_EMPTY_TOO, help)
#define JSON(name, n, help) ROW(name, EVENT_VALUE, n, 0, help)

/* In the order of enum cassandra_field, behind the first. */
static const struct event_field fields[] = {
    {.name = "cassandra.no_request", .kind = EVENT_BOOL, .offset = AT(no_request),
     .help = "the server said it unasked"},
    TEXT("request.headers.flags", ASKED_FLAGS, "flags of the header"),
    JSON("request.headers.length", ASKED_LENGTH, "bytes of the body"),
    TEXT("request.headers.op", ASKED_OP, "what the message is"),
    JSON("request.headers.stream", ASKED_STREAM, "the number that pairs it"),
    TEXT("request.headers.version", ASKED_VERSION, "of the protocol"),
    TEXT("request.query", ASKED_QUERY, "the statement, in CQL"),
    TEXT("response.authentication.class", AUTHENTICATION_CLASS, "how to log in"),
    JSON("response.error.code", ERROR_CODE, "the error's number"),
    JSON("response.error.details.alive", DETAIL_ALIVE, "replicas that are alive"),
    JSON("response.error.details.arg_types", DETAIL_ARG_TYPES, "types of the arguments"),
    JSON("response.error.details.blockfor", DETAIL_BLOCKFOR, "replicas that must answer"),
    JSON("response.error.details.data_present", DETAIL_DATA_PRESENT, "whether data came"),
    TEXT("response.error.details.function", DETAIL_FUNCTION, "the function that failed"),
    TEXT("response.error.details.keyspace", DETAIL_KEYSPACE, "the keyspace"),
    JSON("response.error.details.num_failures", DETAIL_NUM_FAILURES, "replicas that failed"),
    TEXT("response.error.details.read_consistency", DETAIL_READ_CONSISTENCY,
         "the consistency that was asked for"),
    JSON("response.error.details.received", DETAIL_RECEIVED, "replicas that answered"),
    JSON("response.error.details.required", DETAIL_REQUIRED, "replicas that must be alive"),
    TEXT("response.error.details.stmt_id", DETAIL_STMT_ID, "the statement that is not known"),
    TEXT("response.error.details.table", DETAIL_TABLE, "the table"),
    TEXT("response.error.details.write_type", DETAIL_WRITE_TYPE, "what was written"),
    TEXT("response.error.msg", ERROR_MSG, "the error in words"),
    TEXT("response.error.type", ERROR_TYPE, "its kind"),
    TEXT("response.event.change", EVENT_CHANGE, "what happened to it"),
    TEXT("response.event.host", EVENT_HOST, "the node"),
    JSON("response.event.port", EVENT_PORT, "the node's port"),
    JSON("response.event.schema_change.args", EVENT_SCHEMA_CHANGE_ARGS, "types of its arguments"),
    TEXT("response.event.schema_change.change", EVENT_SCHEMA_CHANGE_CHANGE, "what happened to it"),
    TEXT("response.event.schema_change.keyspace", EVENT_SCHEMA_CHANGE_KEYSPACE, "the keyspace"),
    TEXT("response.event.schema_change.name", EVENT_SCHEMA_CHANGE_NAME, "the function's name"),
    TEXT("response.event.schema_change.object", EVENT_SCHEMA_CHANGE_OBJECT, "the table or type"),
    TEXT("response.event.schema_change.table", EVENT_SCHEMA_CHANGE_TABLE, "the table"),
    TEXT("response.event.schema_change.target", EVENT_SCHEMA_CHANGE_TARGET, "what changed"),
    TEXT("response.event.type", EVENT_TYPE, "its kind"),
    TEXT("response.headers.flags", SAID_FLAGS, "flags of the header"),
    JSON("response.headers.length", SAID_LENGTH, "bytes of the body"),
    TEXT("response.headers.op", SAID_OP, "what the message is"),
    JSON("response.headers.stream", SAID_STREAM, "the number that pairs it"),
    TEXT("response.headers.version", SAID_VERSION, "of the protocol"),
    TEXT("response.result.keyspace", KEYSPACE, "the keyspace"),
    TEXT("response.result.prepared.prepared_id", PREPARED_PREPARED_ID, "the statement's number"),
    JSON("response.result.prepared.req_meta.col_count", PREPARED_REQ_META_COL_COUNT, "columns"),
    TEXT("response.result.prepared.req_meta.flags", PREPARED_REQ_META_FLAGS, "flags of the header"),
    TEXT("response.result.prepared.req_meta.keyspace", PREPARED_REQ_META_KEYSPACE, "the keyspace"),
    TEXT("response.result.prepared.req_meta.paging_state", PREPARED_REQ_META_PAGING_STATE,
         "where the next page begins"),
    JSON("response.result.prepared.req_meta.pkey_columns", PREPARED_REQ_META_PKEY_COLUMNS,
         "columns of the partition key"),
    TEXT("response.result.prepared.req_meta.table", PREPARED_REQ_META_TABLE, "the table"),
    JSON("response.result.prepared.resp_meta.col_count", PREPARED_RESP_META_COL_COUNT, "columns"),
    TEXT("response.result.prepared.resp_meta.flags", PREPARED_RESP_META_FLAGS,
         "flags of the header"),
    TEXT("response.result.prepared.resp_meta.keyspace", PREPARED_RESP_META_KEYSPACE,
         "the keyspace"),
    TEXT("response.result.prepared.resp_meta.paging_state", PREPARED_RESP_META_PAGING_STATE,
         "where the next page begins"),
    TEXT("response.result.prepared.resp_meta.table", PREPARED_RESP_META_TABLE, "the table"),
    JSON("response.result.rows.meta.col_count", ROWS_META_COL_COUNT, "columns"),
    TEXT("response.result.rows.meta.flags", ROWS_META_FLAGS, "flags of the header"),
    TEXT("response.result.rows.meta.keyspace", ROWS_META_KEYSPACE, "the keyspace"),
    TEXT("response.result.rows.meta.paging_state", ROWS_META_PAGING_STATE,
         "where the next page begins"),
    TEXT("response.result.rows.meta.table", ROWS_META_TABLE, "the table"),
    JSON("response.result.rows.num_rows", ROWS_NUM_ROWS, "rows"),
    JSON("response.result.schema_change.args", SCHEMA_CHANGE_ARGS, "types of its arguments"),
    TEXT("response.result.schema_change.change", SCHEMA_CHANGE_CHANGE, "what happened to it"),
    TEXT("response.result.schema_change.keyspace", SCHEMA_CHANGE_KEYSPACE, "the keyspace"),
    TEXT("response.result.schema_change.name", SCHEMA_CHANGE_NAME, "the function's name"),
    TEXT("response.result.schema_change.object", SCHEMA_CHANGE_OBJECT, "the table or type"),
    TEXT("response.result.schema_change.table", SCHEMA_CHANGE_TABLE, "the table"),
    TEXT("response.result.schema_change.target", SCHEMA_CHANGE_TARGET, "what changed"),
    TEXT("response.result.type", TYPE, "its kind"),
    JSON("response.supported", CAN_DO, "what the server can do"),
    TEXT("response.trace_id", TRACE_ID, "the trace"),
    JSON("response.warnings", WARNINGS, "warnings"),
    {0},
};

_Static_assert(sizeof fields / sizeof *fields == CASSANDRA_FIELDS + 2, "a row for each field");

const struct event_type cassandra_event_type = {
    .dataset = "cassandra",
    .help = "A request to Cassandra and its response",
    .size = sizeof(struct cassandra_event),
    .fields = fields,
    .common = transaction_fields,
};

#define COUNTER(member, unit_, help_)                                                              \
    {                                                                                              \
        .name = #member, .kind = METRIC_COUNTER,                                                   \
        .offset = offsetof(struct cassandra_stats, member), .unit = unit_, .help = help_,          \
        .group = "counters"                                                                        \
    }

static const struct metric metrics[] = {
    COUNTER(requests, "messages", "Requests"),
    COUNTER(responses, "messages", "Responses to them"),
    COUNTER(transactions, "transactions", "Requests with their responses"),
    COUNTER(pushed, "messages", "What servers said unasked"),
    COUNTER(ignored, "transactions", "Those that are not reported, as was wished"),
    COUNTER(compressed, "messages", "Messages that were compressed"),
    COUNTER(errors, "transactions", "Requests that failed, or got no response"),
    COUNTER(unanswered, "messages", "Requests whose response was not seen"),
    COUNTER(unmatched, "messages", "Responses whose request was not seen"),
    COUNTER(evicted, "messages", "Requests given up because too many waited"),
    COUNTER(malformed, "places", "Places where a connection stopped to be Cassandra's"),
    COUNTER(not_kept, "messages", "Messages that there was no memory for"),
    COUNTER(gaps, "gaps", "Holes in connections, where bytes were not captured"),
    {0},
};

const struct metric_set cassandra_set = {
    .name = "cassandra",
    .help = "Requests to Cassandra and its responses",
    .metrics = metrics,
    .size = sizeof(struct cassandra_stats),
};
