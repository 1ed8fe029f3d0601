// SPDX-License-Identifier: Apache-2.0
#include "cmd/report_connections.h"

#include "base/address.h"

#include <math.h>
#include <string.h>

enum {
    ENDS_WIDTH = 33, /* two IPv4 addresses and a port, mostly */
    WORDS_WIDTH = 21,
    ENDS_ROOM = 2 * ADDRESS_ROOM + 16,
};

/* "198.51.100.10 > 203.0.113.20:443", its middle left out when it is too long. */
static void write_ends(char ret[ENDS_WIDTH + 1], const struct flow_event *flow)
{
    char whole[ENDS_ROOM];
    char *at = address_write(whole, flow->source.version, flow->source.bytes);
    bool v6 = flow->destination.version == 6;
    at += sprintf(at, v6 ? " > [" : " > ");
    at = address_write(at, flow->destination.version, flow->destination.bytes);
    at += sprintf(at, v6 ? "]:%u" : ":%u", flow->destination_port);
    size_t size = (size_t)(at - whole);
    if (size <= ENDS_WIDTH) {
        memcpy(ret, whole, size + 1);
        return;
    }
    size_t head = (ENDS_WIDTH - 2) / 2;
    size_t tail = ENDS_WIDTH - 2 - head;
    memcpy(ret, whole, head);
    memcpy(ret + head, "..", 2);
    memcpy(ret + head + 2, at - tail, tail + 1);
}

/* As many verdicts as fit; how many more there are. */
static void write_words(char ret[WORDS_WIDTH + 1], const struct health_event *event)
{
    const char *from = event->verdicts;
    size_t used = 0;
    unsigned left_out = 0;
    ret[0] = '\0';
    while (*from != '\0') {
        size_t size = strcspn(from, ",");
        size_t room = WORDS_WIDTH - 4; /* for " +n" */
        if (left_out == 0 && used + (used > 0 ? 2 : 0) + size <= (used > 0 ? room : WORDS_WIDTH)) {
            used += (size_t)snprintf(ret + used, WORDS_WIDTH + 1 - used, "%s%.*s",
                                     used > 0 ? ", " : "", (int)size, from);
        } else {
            left_out++;
        }
        from += size + (from[size] == ',');
    }
    if (left_out > 0) {
        snprintf(ret + used, WORDS_WIDTH + 1 - used, " +%u", left_out);
    }
    for (char *at = ret; *at != '\0'; at++) {
        *at = *at == '_' ? '-' : *at;
    }
    if (used == 0) {
        const char *close = event->record.close;
        bool odd = close != NULL && strcmp(close, "fin") != 0 && strcmp(close, "half_closed") != 0;
        snprintf(ret, WORDS_WIDTH + 1, "%s", odd ? close : "ok");
    }
}

static void write_number(char ret[7], double value)
{
    if (isnan(value)) {
        memcpy(ret, "-", 2);
    } else {
        snprintf(ret, 7, value < 99.95 ? "%.1f" : "%.0f", value < 999999 ? value : 999999);
    }
}

static void print_row(uint32_t number, const struct health_event *event,
                      const struct terminal *terminal, FILE *out)
{
    const struct health_record *r = &event->record;
    const struct health_way *way = &r->ways[r->main_way];
    char ends[ENDS_WIDTH + 1];
    char words[WORDS_WIDTH + 1];
    char rtt[7], rate[7], lost[7];
    write_ends(ends, &event->flow);
    write_words(words, event);
    write_number(rtt, r->min_rtt_to_client_ms + r->min_rtt_to_server_ms);
    write_number(rate, way->nonidle_throughput_mbps);
    double gone = way->lost_before_tap_pkts + way->lost_behind_tap_pkts;
    write_number(lost, way->data_pkts > 0 ? 100 * gone / way->data_pkts : NAN);
    bool bad = event->badness >= HEALTH_BAD;
    fprintf(out, "%3u %-*s %6s %6s %5s  %s%s%s\n", number, ENDS_WIDTH, ends, rtt, rate, lost,
            terminal_style(terminal, bad ? TERMINAL_BAD : TERMINAL_PLAIN), words,
            terminal_style(terminal, TERMINAL_PLAIN));
}

void report_connections_print(struct engine *engine, const struct terminal *terminal, FILE *out)
{
    const struct health_event *const *rows;
    uint64_t total;
    uint32_t count = engine_connections(engine, &rows, &total);
    fprintf(out, "%s  # %-*s %6s %6s %5s  %s%s\n", terminal_style(terminal, TERMINAL_BOLD), ENDS_WIDTH,
            "TCP connections, worst first", "RTT ms", "Mbit/s", "lost%", "what",
            terminal_style(terminal, TERMINAL_PLAIN));
    for (uint32_t i = 0; i < count; i++) {
        print_row(i + 1, rows[i], terminal, out);
    }
    if (count == 0) {
        fprintf(out, "none\n");
    } else if (total > count) {
        fprintf(out, "... and %llu better ones\n", (unsigned long long)(total - count));
    }
}
