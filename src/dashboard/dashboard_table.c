// SPDX-License-Identifier: Apache-2.0
/* The dashboards. Response times are event.duration, in nanoseconds. Counters of a flow grow from report to
 * report, so that sums are those of last reports. */
#include "dashboard/dashboard.h"

#define COUNT(label_)                                                                              \
    {                                                                                              \
        .what = DASHBOARD_COUNT, .label = label_                                                   \
    }
#define MEASURE(what_, field_, label_)                                                             \
    {                                                                                              \
        .what = DASHBOARD_##what_, .field = field_, .label = label_                                \
    }
#define TIMES MEASURE(PERCENTILES, "event.duration", "Response time")
#define OVER_TIME                                                                                  \
    {                                                                                              \
        .field = "@timestamp"                                                                      \
    }
#define TOP(most_, field_)                                                                         \
    {                                                                                              \
        .field = field_, .most = most_                                                             \
    }
#define LEAST(most_, field_)                                                                       \
    {                                                                                              \
        .field = field_, .most = most_, .is_ascending = true                                       \
    }

#define ALL "type: * and not type: (flow or \"tcp.connection\")"
#define BAD "status: Error and not type: (flow or \"tcp.connection\")"
#define DATABASES "type: (mysql or pgsql or redis or mongodb or cassandra or memcache)"
#define ENCRYPTED "type: (tls or quic)"
#define ENDED "type: flow and flow.final: true"
#define HEALTH "type: \"tcp.connection\" and flow.final: true"

static const struct dashboard_chart overview[] = {
    {"totals", "Transactions", DASHBOARD_NUMBERS, ALL,
     .measures = {COUNT("Transactions"), MEASURE(DISTINCT, "source.ip", "Clients"),
                  MEASURE(DISTINCT, "destination.ip", "Servers"),
                  MEASURE(SUM, "network.bytes", "Bytes")}},
    {"protocols", "Transactions by protocol", DASHBOARD_BARS, ALL,
     .measures = {COUNT("Transactions")}, .splits = {OVER_TIME, TOP(20, "type")}},
    {"errors", "Errors by protocol", DASHBOARD_BARS, BAD,
     .measures = {COUNT("Errors")}, .splits = {OVER_TIME, TOP(20, "type")}},
    {"times", "Response times", DASHBOARD_LINE, ALL, .measures = {TIMES}, .splits = {OVER_TIME}},
    {"by-protocol", "Protocols", DASHBOARD_TABLE, ALL,
     .measures = {COUNT("Transactions"), TIMES, MEASURE(SUM, "network.bytes", "Bytes")},
     .splits = {TOP(25, "type")}},
    {"servers", "Servers that are asked most", DASHBOARD_TABLE, ALL,
     .measures = {COUNT("Transactions"), TIMES, MEASURE(DISTINCT, "source.ip", "Clients")},
     .splits = {TOP(25, "destination.ip")}},
    {"clients", "Clients that ask most", DASHBOARD_TABLE, ALL,
     .measures = {COUNT("Transactions"), MEASURE(SUM, "network.bytes", "Bytes"),
                  MEASURE(DISTINCT, "destination.ip", "Servers")},
     .splits = {TOP(25, "source.ip")}},
    {"error-events", "Errors", DASHBOARD_EVENTS, BAD,
     .columns = {"type", "source.ip", "destination.ip", "destination.port", "method", "query",
                 "event.duration", "error.message"}},
    {0},
};

static const struct dashboard_chart http[] = {
    {"totals", "Requests", DASHBOARD_NUMBERS, "type: http",
     .measures = {COUNT("Requests"), TIMES, MEASURE(DISTINCT, "url.domain", "Hosts"),
                  MEASURE(SUM, "http.response.bytes", "Answered")}},
    {"codes", "Status codes", DASHBOARD_BARS, "type: http", .measures = {COUNT("Requests")},
     .splits = {OVER_TIME, TOP(10, "http.response.status_code")}},
    {"times", "Response times", DASHBOARD_LINE, "type: http", .measures = {TIMES},
     .splits = {OVER_TIME}},
    {"errors", "Requests that failed", DASHBOARD_BARS, "type: http and status: Error",
     .measures = {COUNT("Errors")}, .splits = {OVER_TIME, TOP(10, "url.domain")}},
    {"methods", "Methods", DASHBOARD_PIE, "type: http", .measures = {COUNT("Requests")},
     .splits = {TOP(10, "http.request.method")}},
    {"hosts", "Hosts", DASHBOARD_TABLE, "type: http",
     .measures = {COUNT("Requests"), TIMES, MEASURE(SUM, "http.response.bytes", "Answered")},
     .splits = {TOP(25, "url.domain")}},
    {"slowest", "Slowest paths", DASHBOARD_TABLE, "type: http",
     .measures = {TIMES, COUNT("Requests")},
     .splits = {TOP(25, "url.path")}},
    {"failing", "Paths that fail most", DASHBOARD_TABLE, "type: http and status: Error",
     .measures = {COUNT("Errors")},
     .splits = {TOP(25, "url.path"), TOP(5, "http.response.status_code")}},
    {"agents", "Who asks", DASHBOARD_TABLE, "type: http",
     .measures = {COUNT("Requests"), MEASURE(DISTINCT, "source.ip", "Clients")},
     .splits = {TOP(25, "user_agent.original")}},
    {"error-events", "Requests that failed", DASHBOARD_EVENTS, "type: http and status: Error",
     .columns = {"source.ip", "destination.ip", "http.request.method", "url.full",
                 "http.response.status_code", "event.duration", "error.message"}},
    {0},
};

static const struct dashboard_chart dns[] = {
    {"totals", "Questions", DASHBOARD_NUMBERS, "type: dns",
     .measures = {COUNT("Questions"), TIMES, MEASURE(DISTINCT, "dns.question.name", "Names"),
                  MEASURE(DISTINCT, "source.ip", "Clients")}},
    {"codes", "Response codes", DASHBOARD_BARS, "type: dns", .measures = {COUNT("Questions")},
     .splits = {OVER_TIME, TOP(10, "dns.response_code")}},
    {"times", "Response times", DASHBOARD_LINE, "type: dns", .measures = {TIMES},
     .splits = {OVER_TIME}},
    {"types", "What is asked for", DASHBOARD_PIE, "type: dns", .measures = {COUNT("Questions")},
     .splits = {TOP(12, "dns.question.type")}},
    {"unanswered", "Questions without an answer", DASHBOARD_BARS,
     "type: dns and not dns.response_code: *", .measures = {COUNT("Questions")},
     .splits = {OVER_TIME, TOP(10, "destination.ip")}},
    {"domains", "Domains, and how many names of each", DASHBOARD_TABLE, "type: dns",
     .measures = {COUNT("Questions"), MEASURE(DISTINCT, "dns.question.name", "Names"),
                  MEASURE(SUM, "network.bytes", "Bytes")},
     .splits = {TOP(25, "dns.question.registered_domain")}},
    {"servers", "Servers", DASHBOARD_TABLE, "type: dns",
     .measures = {COUNT("Questions"), TIMES}, .splits = {TOP(25, "destination.ip")}},
    {"failing", "Names that are not found or fail", DASHBOARD_TABLE,
     "type: dns and dns.response_code: * and not dns.response_code: NOERROR",
     .measures = {COUNT("Questions")},
     .splits = {TOP(25, "dns.question.name"), TOP(3, "dns.response_code")}},
    {"clients", "Clients", DASHBOARD_TABLE, "type: dns",
     .measures = {COUNT("Questions"), MEASURE(DISTINCT, "dns.question.name", "Names")},
     .splits = {TOP(25, "source.ip")}},
    {0},
};

static const struct dashboard_chart databases[] = {
    {"totals", "Statements", DASHBOARD_NUMBERS, DATABASES,
     .measures = {COUNT("Statements"), TIMES, MEASURE(DISTINCT, "destination.ip", "Servers"),
                  MEASURE(DISTINCT, "source.ip", "Clients")}},
    {"protocols", "Statements by database", DASHBOARD_BARS, DATABASES,
     .measures = {COUNT("Statements")}, .splits = {OVER_TIME, TOP(6, "type")}},
    {"errors", "Errors by database", DASHBOARD_BARS, DATABASES " and status: Error",
     .measures = {COUNT("Errors")}, .splits = {OVER_TIME, TOP(6, "type")}},
    {"times", "Response times by database", DASHBOARD_LINE, DATABASES, .measures = {TIMES},
     .splits = {OVER_TIME, TOP(6, "type")}},
    {"bytes", "Bytes by database", DASHBOARD_AREA, DATABASES,
     .measures = {MEASURE(SUM, "network.bytes", "Bytes")}, .splits = {OVER_TIME, TOP(6, "type")}},
    {"slowest", "Slowest statements", DASHBOARD_TABLE, DATABASES,
     .measures = {TIMES, MEASURE(MAX, "event.duration", "Longest"), COUNT("Statements")},
     .splits = {TOP(25, "query"), TOP(1, "type")}},
    {"frequent", "Most frequent statements", DASHBOARD_TABLE, DATABASES,
     .measures = {COUNT("Statements"), TIMES}, .splits = {TOP(25, "query"), TOP(1, "type")}},
    {"methods", "Methods", DASHBOARD_TABLE, DATABASES,
     .measures = {COUNT("Statements"), TIMES}, .splits = {TOP(6, "type"), TOP(10, "method")}},
    {"resources", "Collections, tables and keys", DASHBOARD_TABLE, DATABASES,
     .measures = {COUNT("Statements"), TIMES, MEASURE(SUM, "network.bytes", "Bytes")},
     .splits = {TOP(25, "resource"), TOP(1, "type")}},
    {"cassandra-slowest", "Cassandra: slowest statements", DASHBOARD_TABLE, "type: cassandra",
     .measures = {TIMES, COUNT("Statements")}, .splits = {TOP(25, "cassandra.request.query")}},
    {"cassandra-operations", "Cassandra: operations", DASHBOARD_TABLE, "type: cassandra",
     .measures = {COUNT("Requests"), TIMES},
     .splits = {TOP(15, "cassandra.request.headers.op"), TOP(5, "cassandra.response.headers.op")}},
    {"error-events", "Errors", DASHBOARD_EVENTS, DATABASES " and status: Error",
     .columns = {"type", "destination.ip", "method", "query", "mysql.error_message",
                 "pgsql.error_message", "redis.error", "mongodb.error",
                 "cassandra.response.error.msg", "memcache.response.error_msg"}},
    {0},
};

static const struct dashboard_chart tls[] = {
    {"totals", "Handshakes", DASHBOARD_NUMBERS, ENCRYPTED,
     .measures = {COUNT("Handshakes"), MEASURE(DISTINCT, "tls.client.server_name", "Server names"),
                  MEASURE(DISTINCT, "tls.server.subject", "Certificates"),
                  MEASURE(DISTINCT, "tls.client.ja4", "Kinds of clients")}},
    {"versions", "Versions", DASHBOARD_BARS, ENCRYPTED, .measures = {COUNT("Handshakes")},
     .splits = {OVER_TIME, TOP(8, "tls.version")}},
    {"failed", "Handshakes that came to nothing", DASHBOARD_BARS,
     ENCRYPTED " and tls.established: false", .measures = {COUNT("Handshakes")},
     .splits = {OVER_TIME, TOP(10, "destination.ip")}},
    {"expiring", "Certificates that end within 30 days, or have", DASHBOARD_TABLE,
     ENCRYPTED " and tls.server.x509.not_after <= \"now+30d\"",
     .measures = {MEASURE(MIN, "tls.server.x509.not_after", "Ends"),
                  MEASURE(DISTINCT, "destination.ip", "Servers"), COUNT("Handshakes")},
     .splits = {LEAST(25, "tls.server.subject"), LEAST(1, "tls.server.issuer")}},
    {"certificates", "Certificates by their end", DASHBOARD_TABLE,
     ENCRYPTED " and tls.server.x509.not_after: *",
     .measures = {MEASURE(MIN, "tls.server.x509.not_after", "Ends"), COUNT("Handshakes")},
     .splits = {LEAST(50, "tls.server.x509.subject.common_name"),
                LEAST(1, "tls.server.x509.issuer.common_name")}},
    {"times", "Length of handshakes", DASHBOARD_LINE, ENCRYPTED " and tls.established: true",
     .measures = {MEASURE(PERCENTILES, "event.duration", "Handshake")}, .splits = {OVER_TIME}},
    {"ciphers", "Ciphers", DASHBOARD_PIE, ENCRYPTED, .measures = {COUNT("Handshakes")},
     .splits = {TOP(12, "tls.cipher")}},
    {"names", "Server names", DASHBOARD_TABLE, ENCRYPTED,
     .measures = {COUNT("Handshakes"), MEASURE(DISTINCT, "source.ip", "Clients")},
     .splits = {TOP(25, "tls.client.server_name")}},
    {"ja4", "Kinds of clients (JA4)", DASHBOARD_TABLE, ENCRYPTED,
     .measures = {COUNT("Handshakes"), MEASURE(DISTINCT, "source.ip", "Clients"),
                  MEASURE(DISTINCT, "tls.client.server_name", "Server names")},
     .splits = {TOP(25, "tls.client.ja4")}},
    {"ja3", "Kinds of clients (JA3)", DASHBOARD_TABLE, ENCRYPTED,
     .measures = {COUNT("Handshakes"), MEASURE(DISTINCT, "source.ip", "Clients")},
     .splits = {TOP(25, "tls.client.ja3")}},
    {"failed-events", "Handshakes that came to nothing", DASHBOARD_EVENTS,
     ENCRYPTED " and tls.established: false",
     .columns = {"source.ip", "destination.ip", "destination.port", "tls.client.server_name",
                 "tls.version", "tls.client.ja4", "tls.detailed.alert_types"}},
    {0},
};

static const struct dashboard_chart flows[] = {
    {"totals", "Flows", DASHBOARD_NUMBERS, ENDED,
     .measures = {COUNT("Flows"), MEASURE(SUM, "network.bytes", "Bytes"),
                  MEASURE(SUM, "network.packets", "Packets"),
                  MEASURE(DISTINCT, "source.ip", "Hosts that began them")}},
    {"transports", "Bytes by transport", DASHBOARD_AREA, ENDED,
     .measures = {MEASURE(SUM, "network.bytes", "Bytes")},
     .splits = {OVER_TIME, TOP(8, "network.transport")}},
    {"live", "Flows at a time", DASHBOARD_LINE, "type: flow",
     .measures = {MEASURE(DISTINCT, "flow.id", "Flows")}, .splits = {OVER_TIME}},
    {"senders", "Hosts that send most", DASHBOARD_AREA, ENDED,
     .measures = {MEASURE(SUM, "source.bytes", "Bytes")},
     .splits = {OVER_TIME, TOP(10, "source.ip")}},
    {"receivers", "Hosts that answer most", DASHBOARD_AREA, ENDED,
     .measures = {MEASURE(SUM, "destination.bytes", "Bytes")},
     .splits = {OVER_TIME, TOP(10, "destination.ip")}},
    {"pairs", "Pairs of hosts", DASHBOARD_TABLE, ENDED,
     .measures = {MEASURE(SUM, "network.bytes", "Bytes"), MEASURE(SUM, "source.bytes", "There"),
                  MEASURE(SUM, "destination.bytes", "Back"), COUNT("Flows")},
     .splits = {TOP(25, "source.ip"), TOP(5, "destination.ip")}},
    {"ports", "Ports", DASHBOARD_TABLE, ENDED,
     .measures = {MEASURE(SUM, "network.bytes", "Bytes"), COUNT("Flows"),
                  MEASURE(DISTINCT, "destination.ip", "Servers")},
     .splits = {TOP(25, "destination.port"), TOP(2, "network.transport")}},
    {"directions", "Directions", DASHBOARD_PIE, ENDED,
     .measures = {MEASURE(SUM, "network.bytes", "Bytes")}, .splits = {TOP(6, "network.direction")}},
    {"states", "How connections ended", DASHBOARD_PIE, ENDED " and flow.state: *",
     .measures = {COUNT("Flows")}, .splits = {TOP(14, "flow.state")}},
    {"repeats", "Segments seen again", DASHBOARD_TABLE, ENDED " and flow.tcp.retransmissions > 0",
     .measures = {MEASURE(SUM, "flow.tcp.retransmissions", "Segments seen again"), COUNT("Flows"),
                  MEASURE(SUM, "network.packets", "Packets")},
     .splits = {TOP(25, "source.ip"), TOP(5, "destination.ip")}},
    {"handshakes", "TCP handshakes", DASHBOARD_LINE, ENDED,
     .measures = {MEASURE(PERCENTILES, "flow.tcp.handshake", "Handshake")}, .splits = {OVER_TIME}},
    {0},
};

static const struct dashboard_chart health[] = {
    {"totals", "Connections", DASHBOARD_NUMBERS, HEALTH,
     .measures = {COUNT("Connections"),
                  MEASURE(PERCENTILES, "tcp.health.min_rtt_to_server_ms", "RTT to server, ms"),
                  MEASURE(SUM, "tcp.health.c2s.retrans_pkts", "Repeats to servers"),
                  MEASURE(SUM, "tcp.health.s2c.retrans_pkts", "Repeats to clients")}},
    {"verdicts", "Verdicts", DASHBOARD_BARS, HEALTH " and tcp.health.verdicts: *",
     .measures = {COUNT("Connections")}, .splits = {OVER_TIME, TOP(15, "tcp.health.verdicts")}},
    {"limits", "What held them back", DASHBOARD_PIE, HEALTH, .measures = {COUNT("Connections")},
     .splits = {TOP(6, "tcp.health.flags.limited_by")}},
    {"rtt", "Least round trip from here to the server, ms", DASHBOARD_LINE, HEALTH,
     .measures = {MEASURE(PERCENTILES, "tcp.health.min_rtt_to_server_ms", "To server")},
     .splits = {OVER_TIME}},
    {"first-byte", "Time to the first byte, ms", DASHBOARD_LINE, HEALTH,
     .measures = {MEASURE(PERCENTILES, "tcp.health.ttfb_ms", "First byte")}, .splits = {OVER_TIME}},
    {"repeats", "Retransmissions", DASHBOARD_BARS, HEALTH,
     .measures = {MEASURE(SUM, "tcp.health.c2s.retrans_pkts", "To servers"),
                  MEASURE(SUM, "tcp.health.s2c.retrans_pkts", "To clients")},
     .splits = {OVER_TIME}},
    {"queues", "Standing queues towards clients, ms", DASHBOARD_LINE, HEALTH,
     .measures = {MEASURE(PERCENTILES, "tcp.health.s2c.queue_p95_ms", "Queue")},
     .splits = {OVER_TIME}},
    {"servers", "Servers", DASHBOARD_TABLE, HEALTH,
     .measures = {COUNT("Connections"),
                  MEASURE(PERCENTILES, "tcp.health.min_rtt_to_server_ms", "RTT, ms"),
                  MEASURE(PERCENTILES, "tcp.health.ttfb_ms", "First byte, ms"),
                  MEASURE(SUM, "tcp.health.s2c.retrans_pkts", "Repeats")},
     .splits = {TOP(25, "server.ip"), TOP(3, "server.port")}},
    {"clients", "Clients whose connections stall", DASHBOARD_TABLE, HEALTH,
     .measures = {MEASURE(MAX, "tcp.health.longest_stall_ms", "Longest stall, ms"),
                  MEASURE(PERCENTILES, "tcp.health.min_rtt_to_client_ms", "RTT, ms"),
                  COUNT("Connections")},
     .splits = {TOP(25, "client.ip")}},
    {"closes", "How they ended", DASHBOARD_TABLE, HEALTH, .measures = {COUNT("Connections")},
     .splits = {TOP(12, "tcp.health.flags.close")}},
    {"troubled", "Connections with a verdict", DASHBOARD_EVENTS,
     HEALTH " and tcp.health.verdicts: *",
     .columns = {"client.ip", "server.ip", "server.port", "tcp.health.verdicts",
                 "tcp.health.quality", "tcp.health.min_rtt_to_server_ms",
                 "tcp.health.s2c.retrans_pkts", "tcp.health.longest_stall_ms"}},
    {0},
};

#define LOST "(error.message: \"Packet loss\" or event.incomplete: true)"

static const struct dashboard_chart gaps[] = {
    {"incomplete", "Events that miss packets", DASHBOARD_BARS, LOST,
     .measures = {COUNT("Events")}, .splits = {OVER_TIME, TOP(20, "type")}},
    {"reasons", "Why requests have no answer", DASHBOARD_BARS, BAD " and event.reason: *",
     .measures = {COUNT("Requests")}, .splits = {OVER_TIME, TOP(8, "event.reason")}},
    {"observers", "By the machine that captures", DASHBOARD_TABLE, LOST,
     .measures = {COUNT("Events")}, .splits = {TOP(25, "host.name"), TOP(5, "type")}},
    {"bytes", "Bytes that no frame shows", DASHBOARD_TABLE, HEALTH " and tcp.health.flags.capture_loss: true",
     .measures = {MEASURE(SUM, "tcp.health.s2c.not_captured_bytes", "From servers"),
                  MEASURE(SUM, "tcp.health.c2s.not_captured_bytes", "From clients"),
                  COUNT("Connections")},
     .splits = {TOP(25, "server.ip")}},
    {"quality", "What was seen of connections", DASHBOARD_PIE, HEALTH,
     .measures = {COUNT("Connections")}, .splits = {TOP(6, "tcp.health.quality")}},
    {"events", "Events that miss packets", DASHBOARD_EVENTS, LOST,
     .columns = {"type", "source.ip", "destination.ip", "method", "query", "event.reason",
                 "error.message"}},
    {0},
};

#define OURS "of `vantage run`: Packetbeat's own events have none of it"

const struct dashboard dashboards[] = {
    {"overview", "Overview", "Who asks whom for what, how long it takes and what fails.", "", overview},
    {"http", "HTTP", "Requests, status codes, response times.", "", http},
    {"dns", "DNS", "Questions, response codes, names that fail.", "", dns},
    {"databases", "Databases", "MySQL, PostgreSQL, Redis, MongoDB, Cassandra, Memcached.", "",
     databases},
    {"tls", "TLS", "Versions, certificates and when they end, kinds of clients; QUIC as well.",
     "JA4 is " OURS ".", tls},
    {"flows", "Flows", "Bytes by host, pair and port. Sums are of flows that have ended.",
     "States, handshakes and segments seen again are " OURS ".", flows},
    {"health", "TCP health", "Round trips, repeats, queues and what is wrong with connections.",
     "It is filled by `flows: {health: true}` " OURS ".", health},
    {"gaps", "Gaps", "What captures missed, and requests without an answer.",
     "Reasons and connections are " OURS ".", gaps},
    {0},
};
