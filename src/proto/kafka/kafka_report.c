// SPDX-License-Identifier: Apache-2.0
#include "proto/kafka/kafka_report.h"

enum { NOTES_MAX = 4 };

#define FIELD(name_, kind_, member, help_)                                                         \
    {                                                                                              \
        .name = "kafka." name_, .kind = kind_, .offset = offsetof(struct kafka_event, member),     \
        .help = help_                                                                              \
    }

static const struct event_field fields[] = {
    FIELD("acks", EVENT_TEXT, acks, "who is to have it before it is answered: none, leader, all"),
    FIELD("api", EVENT_TEXT, api, "Produce, Fetch, Metadata ..."),
    FIELD("api_key", EVENT_OPTIONAL, key, "the same as a number"),
    FIELD("api_version", EVENT_OPTIONAL, version, "of request and response"),
    FIELD("batches", EVENT_OPTIONAL, batches, "record batches that were sent or fetched"),
    FIELD("client_id", EVENT_SPAN, client, "what the client calls itself"),
    FIELD("compression", EVENT_TEXT, compression, "of the first batch: none, gzip, snappy, lz4, zstd"),
    FIELD("correlation_id", EVENT_U32, correlation, "the client's number for it"),
    FIELD("error", EVENT_TEXT, error, "the first error of the response"),
    FIELD("error_code", EVENT_I64, error_code, "the same as a number"),
    FIELD("group", EVENT_SPAN, group, "the consumers' group"),
    FIELD("partitions", EVENT_U32, partitions, "that the request names"),
    FIELD("records", EVENT_OPTIONAL, records, "by the headers of the batches"),
    FIELD("records_bytes", EVENT_OPTIONAL, records_bytes, "of the batches, as they were sent"),
    FIELD("topics", EVENT_SPANS, topics, "that the request names"),
    {0},
};

const struct event_type kafka_event_type = {
    .dataset = "kafka",
    .help = "A request and its response",
    .size = sizeof(struct kafka_event),
    .fields = fields,
    .common = transaction_fields,
};

static void note_if(struct transaction *t, struct span *notes, bool holds, const char *text)
{
    if (holds && t->notes.count < NOTES_MAX) {
        notes[t->notes.count++] = span_str(text);
    }
}

static void set_records(struct kafka_event *e, const struct kafka_records *records, bool is_whole)
{
    if (records->bytes > 0) {
        e->compression = kafka_compression_name(records->compression);
        e->records = (struct event_optional){.value = records->records, .present = is_whole};
        e->batches = (struct event_optional){.value = records->batches, .present = is_whole};
        e->records_bytes = (struct event_optional){.value = records->bytes, .present = is_whole};
    }
}

static void set_request(struct kafka_event *e, const struct kafka_request *request)
{
    const struct kafka_head *head = &request->head;
    struct transaction *t = &e->transaction;
    t->start_ns = request->start_ns;
    t->request_ns = request->end_ns;
    t->source_bytes = request->bytes;
    e->api = kafka_api_of(head->key)->name;
    e->key = (struct event_optional){.value = head->key, .present = true};
    e->version = (struct event_optional){.value = head->version, .present = true};
    e->correlation = head->correlation;
    e->client = head->client;
    e->group = head->group;
    e->topics = (struct event_spans){.count = head->topic_count, .items = head->topics};
    e->partitions = head->partitions;
    if (head->key == KAFKA_PRODUCE) {
        e->acks = head->acks == 0 ? "none" : head->acks == 1 ? "leader" : "all";
    }
    set_records(e, &head->records, head->is_whole);
    t->method = span_str(e->api);
    t->resource = head->topic_count > 0 ? head->topics[0] : head->group;
}

static void set_response(struct kafka_event *e, const struct kafka_response *response)
{
    struct transaction *t = &e->transaction;
    t->response_ns = response->start_ns;
    t->end_ns = response->end_ns;
    t->destination_bytes = response->bytes;
    t->start_ns = t->start_ns != 0 ? t->start_ns : response->start_ns;
    e->error_code = response->answer.error;
    e->error = response->answer.error != 0 ? kafka_error_name(response->answer.error) : NULL;
    if (response->answer.records.bytes > 0) {
        set_records(e, &response->answer.records, response->answer.is_whole);
    }
}

static void count(struct kafka_stats *stats, const struct kafka_request *request,
                  const struct kafka_response *response, bool failed)
{
    stats->transactions += request != NULL && response != NULL;
    stats->errors += failed;
    stats->unmatched_requests += response == NULL && request->head.acks != 0;
    stats->unmatched_responses += request == NULL;
    stats->request_bytes += request != NULL ? request->bytes : 0;
    stats->response_bytes += response != NULL ? response->bytes : 0;
    stats->records_produced += request != NULL ? request->head.records.records : 0;
    stats->records_fetched += response != NULL ? response->answer.records.records : 0;
}

void kafka_report(struct proto_context *c, const struct kafka_request *request,
                  const struct kafka_response *response, unsigned client, const char *reason)
{
    bool is_answered = response != NULL || request->head.acks == 0;
    bool failed = request == NULL || !is_answered ||
                  (response != NULL && response->answer.error != 0);
    count(c->block, request, response, failed);
    if (c->events->capacity == 0 || (request == NULL && !c->settings->report_unmatched)) {
        return;
    }
    struct span notes[NOTES_MAX];
    struct kafka_event e = {.transaction = {.head = {.type = &kafka_event_type},
                                            .status = failed ? TRANSACTION_ERROR : TRANSACTION_OK,
                                            .notes = {.items = notes},
                                            .request_side = (uint8_t)client}};
    struct transaction *t = &e.transaction;
    if (request != NULL) {
        set_request(&e, request);
        note_if(t, notes, request->is_lost, "Packet loss while capturing the request");
    }
    if (response != NULL) {
        set_response(&e, response);
        note_if(t, notes, response->is_lost, "Packet loss while capturing the response");
    }
    t->reason = is_answered ? NULL : reason;
    note_if(t, notes, !is_answered, "Unmatched request");
    note_if(t, notes, request == NULL, "Unmatched response");
    (void)event_log_add(c->events, &t->head);
}
