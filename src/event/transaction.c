// SPDX-License-Identifier: Apache-2.0
#include "event/transaction.h"

#define ROW(name_, kind_, member, flags_, help_)                                                   \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct transaction, member),              \
        .flags = flags_, .help = help_                                                             \
    }
#define FIELD(name, kind, member, help) ROW(name, kind, member, 0, help)
#define ENDS(name, kind, member, help) ROW(name, kind, member, EVENT_ENDS, help)
#define FIXED(name, kind, member, help) ROW(name, kind, member, EVENT_FIXED, help)

const struct event_field transaction_fields[] = {
    ROW("@timestamp", EVENT_TIME, start_ns, EVENT_ALWAYS, "of the request, or of a lone response"),
    FIELD("client.bytes", EVENT_U64, source_bytes, "as source.bytes"),
    ENDS("client.ip", EVENT_ADDRESS, source, "as source.ip"),
    ENDS("client.port", EVENT_U32, source_port, "as source.port"),
    FIELD("destination.bytes", EVENT_U64, destination_bytes, "message bytes of the response"),
    FIELD("destination.domain", EVENT_SPAN, destination_domain, "the name by which it was asked"),
    ENDS("destination.ip", EVENT_ADDRESS, destination, "who was asked, innermost address"),
    ENDS("destination.port", EVENT_U32, destination_port, "the port that was asked"),
    ROW("error.message", EVENT_SPANS, notes, EVENT_PLAIN_ONE,
        "what was odd about it; a list when there is more than one thing"),
    FIELD("event.action", EVENT_SPAN, action, "what was asked for"),
    FIXED("event.category", EVENT_JSON, category_json, "network"),
    FIXED("event.dataset", EVENT_TEXT, dataset, "the protocol"),
    FIELD("event.duration", EVENT_OPTIONAL, duration, "ns from the request to the response's end"),
    FIELD("event.end", EVENT_TIME, end_ns, "time of the response's last packet"),
    ROW("event.first_byte", EVENT_OPTIONAL, first_byte, EVENT_EXTRA,
        "ns from the request's last packet to the response's first"),
    ROW("event.incomplete", EVENT_BOOL, incomplete, EVENT_EXTRA, "the capture lost packets meanwhile"),
    FIXED("event.kind", EVENT_TEXT, kind, "event"),
    FIXED("event.outcome", EVENT_TEXT, outcome, "success or failure, where the protocol tells"),
    FIXED("event.reason", EVENT_TEXT, reason, "why a request has no response"),
    ROW("event.round_trip", EVENT_OPTIONAL, round_trip, EVENT_EXTRA,
        "ns from here to who was asked and back, as the TCP handshake showed them"),
    ROW("event.start", EVENT_TIME, start_ns, EVENT_ALWAYS, "time of the first packet"),
    ROW("event.transfer", EVENT_OPTIONAL, transfer, EVENT_EXTRA,
        "ns from the response's first packet to its last"),
    FIXED("event.type", EVENT_JSON, event_type_json, "connection, protocol"),
    FIELD("method", EVENT_SPAN, method, "the kind of request: a command, a verb"),
    FIELD("network.bytes", EVENT_U64, network_bytes, "message bytes of both"),
    ENDS("network.community_id", EVENT_INLINE, community_id, "Community ID v1, seed 0"),
    FIXED("network.protocol", EVENT_TEXT, protocol, "the protocol"),
    FIXED("network.transport", EVENT_TEXT, transport, "tcp or udp"),
    FIXED("network.type", EVENT_TEXT, network_type, "ipv4 or ipv6"),
    FIELD("path", EVENT_SPAN, path, "where the resource is"),
    FIELD("query", EVENT_SPAN, query, "the request as people would write it"),
    ENDS("related.ip", EVENT_ADDRESSES, related_ip, "both ends"),
    FIELD("request", EVENT_SPAN, request, "the request as it was sent, when asked for"),
    FIELD("resource", EVENT_SPAN, resource, "what the request is about"),
    FIELD("response", EVENT_SPAN, response, "the response as it was sent, when asked for"),
    FIELD("server.bytes", EVENT_U64, destination_bytes, "as destination.bytes"),
    ROW("server.domain", EVENT_SPAN, destination_domain, EVENT_COPY, "as destination.domain"),
    ENDS("server.ip", EVENT_ADDRESS, destination, "as destination.ip"),
    ENDS("server.port", EVENT_U32, destination_port, "as destination.port"),
    FIELD("source.bytes", EVENT_U64, source_bytes, "message bytes of the request"),
    ENDS("source.ip", EVENT_ADDRESS, source, "who asked, innermost address"),
    ENDS("source.port", EVENT_U32, source_port, "the port it was asked from"),
    FIXED("status", EVENT_TEXT, status_text, "OK or Error"),
    FIXED("type", EVENT_TEXT, dataset, "the protocol"),
    FIELD("user.name", EVENT_SPAN, user_name, "who it was asked as"),
    {0},
};

const struct event_field transaction_reply_fields[] = {
    ROW("@timestamp", EVENT_TIME, start_ns, EVENT_ALWAYS, "of the message"),
    FIELD("client.bytes", EVENT_U64, destination_bytes, "as destination.bytes"),
    ENDS("client.ip", EVENT_ADDRESS, destination, "as destination.ip"),
    ENDS("client.port", EVENT_U32, destination_port, "as destination.port"),
    FIELD("destination.bytes", EVENT_U64, destination_bytes, "none"),
    ENDS("destination.ip", EVENT_ADDRESS, destination, "to whom it was sent"),
    ENDS("destination.port", EVENT_U32, destination_port, "the port it was sent to"),
    FIXED("event.category", EVENT_JSON, category_json, "network"),
    FIXED("event.dataset", EVENT_TEXT, dataset, "the protocol"),
    ROW("event.incomplete", EVENT_BOOL, incomplete, EVENT_EXTRA,
        "the capture lost packets meanwhile"),
    FIXED("event.kind", EVENT_TEXT, kind, "event"),
    ROW("event.start", EVENT_TIME, start_ns, EVENT_ALWAYS, "time of the message"),
    FIXED("event.type", EVENT_JSON, event_type_json, "connection, protocol"),
    FIELD("network.bytes", EVENT_U64, network_bytes, "bytes of the message"),
    ENDS("network.community_id", EVENT_INLINE, community_id, "Community ID v1, seed 0"),
    FIXED("network.protocol", EVENT_TEXT, protocol, "the protocol"),
    FIXED("network.transport", EVENT_TEXT, transport, "udp"),
    FIXED("network.type", EVENT_TEXT, network_type, "ipv4"),
    ENDS("related.ip", EVENT_ADDRESSES, related_ip, "both ends, and what it is about"),
    FIELD("server.bytes", EVENT_U64, source_bytes, "as source.bytes"),
    ENDS("server.ip", EVENT_ADDRESS, source, "as source.ip"),
    ENDS("server.port", EVENT_U32, source_port, "as source.port"),
    FIELD("source.bytes", EVENT_U64, source_bytes, "bytes of the message"),
    ENDS("source.ip", EVENT_ADDRESS, source, "who sent it"),
    ENDS("source.port", EVENT_U32, source_port, "the port it was sent from"),
    FIXED("status", EVENT_TEXT, status_text, "OK"),
    FIXED("type", EVENT_TEXT, dataset, "the protocol"),
    {0},
};

static void set_default(const char **text, const char *otherwise)
{
    if (*text == NULL) {
        *text = otherwise;
    }
}

static struct event_optional between(uint64_t from_ns, uint64_t to_ns)
{
    bool present = from_ns != 0 && to_ns >= from_ns;
    return (struct event_optional){.value = present ? to_ns - from_ns : 0, .present = present};
}

enum { ENDS = 2 };

static bool is_among(const struct event_address *address, const struct event_address *list,
                     uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (memcmp(address, &list[i], sizeof *address) == 0) {
            return true;
        }
    }
    return false;
}

/* The ends of a transaction, one address if they are the same; returns how many. */
static uint32_t put_ends(const struct transaction *t, struct event_address *list)
{
    uint32_t count = 0;
    if (t->source.version != 0) {
        list[count++] = t->source;
    }
    if (t->destination.version != 0 && !is_among(&t->destination, list, count)) {
        list[count++] = t->destination;
    }
    return count;
}

/* Both ends, and behind them what the protocol has named, each address once. */
static void relate_ends(struct transaction *t)
{
    if (t->related_ip.count <= ENDS) {
        t->related_ip = (struct event_addresses){put_ends(t, t->related), t->related};
        return;
    }
    struct event_address *list = (struct event_address *)t->related_ip.items;
    uint32_t distinct = put_ends(t, list), count = distinct;
    for (uint32_t named = ENDS; named < t->related_ip.count; named++) {
        if (!is_among(&list[named], list, distinct)) {
            list[count++] = list[named];
        }
    }
    t->related_ip = (struct event_addresses){.count = count, .items = list};
}

/* An answer that came sooner than the handshake's says that the network takes no more than that: the
 * SYN may have waited. Of protocols that do not say when an answer began its end says so. */
static void bound_round_trip(struct transaction *t)
{
    struct event_optional bound = t->first_byte.present ? t->first_byte : t->duration;
    if (bound.present && t->round_trip.value > bound.value) {
        t->round_trip.value = bound.value;
        t->round_trip.present = bound.value > 0;
    }
}

void transaction_finish(struct transaction *t)
{
    const char *dataset = t->head.type->dataset;
    set_default(&t->dataset, dataset);
    set_default(&t->protocol, dataset);
    set_default(&t->kind, "event");
    set_default(&t->category_json, "[\"network\"]");
    set_default(&t->event_type_json, "[\"connection\",\"protocol\"]");
    set_default(&t->status_text, t->status == TRANSACTION_OK ? "OK" : "Error");
    t->duration = between(t->start_ns, t->end_ns);
    t->first_byte = between(t->request_ns != 0 ? t->request_ns : t->start_ns, t->response_ns);
    t->transfer = between(t->response_ns, t->end_ns);
    bound_round_trip(t);
    t->network_bytes = t->source_bytes + t->destination_bytes;
    relate_ends(t);
}
