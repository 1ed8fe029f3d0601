// SPDX-License-Identifier: Apache-2.0
/* What is odd about a capture. Each rule is a small function that says its sentence or nothing. */
#include "cmd/report.h"

#include "base/text.h"
#include "cmd/board_value.h"
#include "wire/packet.h"

#include <stdarg.h>
#include <string.h>

/* Above these shares a person would want to know. */
#define ODD_RETRANSMITTED 0.01
#define ODD_UNANSWERED 0.02

struct odd {
    const struct report *report;
    const struct board *board;
    FILE *out;
    unsigned count;
};

__attribute__((format(printf, 3, 4))) static void say(struct odd *odd, enum terminal_style style,
                                                      const char *format, ...)
{
    const struct terminal *terminal = &odd->report->terminal;
    fprintf(odd->out, "  %s%s%s ", terminal_style(terminal, style),
            style == TERMINAL_BAD ? "!!" : " !", terminal_style(terminal, TERMINAL_PLAIN));
    va_list args;
    va_start(args, format);
    vfprintf(odd->out, format, args);
    va_end(args);
    fputc('\n', odd->out);
    odd->count++;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static uint64_t tcp(const struct odd *odd, const char *metric)
{
    return board_value(odd->board, "tcp", metric);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void odd_losses(struct odd *odd)
{
    uint64_t evicted = 0;
    for (uint32_t i = 0; i < odd->board->worker_count; i++) {
        evicted += odd->board->workers[i].flows_evicted;
    }
    if (evicted > 0) {
        say(odd, TERMINAL_WARN,
            "%llu flows were ended early for want of memory (--memory): counted, but cut short",
            (unsigned long long)evicted);
    }
    if (odd->board->fragments_dropped > 0) {
        say(odd, TERMINAL_WARN, "%llu fragmented datagram%s never became whole",
            (unsigned long long)odd->board->fragments_dropped,
            plural(odd->board->fragments_dropped));
    }
}

static void odd_order(struct odd *odd)
{
    uint64_t past = engine_past_frames(odd->report->engine);
    if (past > 0) {
        say(odd, TERMINAL_WARN,
            "%llu packet%s than a second older than one before: requests may lack their "
            "answers; reordercap sorts them",
            (unsigned long long)past, past == 1 ? " is more" : "s are more");
    }
}

static void odd_malformed(struct odd *odd)
{
    uint64_t total = board_label_value(odd->board, "net", "class_packets", PACKET_MALFORMED);
    if (total == 0) {
        return;
    }
    char reasons[200] = "";
    size_t at = 0;
    for (unsigned i = PACKET_FINE + 1; i < PACKET_MALFORMED_REASONS; i++) {
        uint64_t n = board_label_value(odd->board, "net", "malformed_packets", i);
        if (n > 0 && at < 50) {
            at += (size_t)snprintf(reasons + at, sizeof reasons - at, "%s%s %llu",
                                   at > 0 ? ", " : "",
                                   packet_malformed_name((enum packet_malformed)i),
                                   (unsigned long long)n);
        }
    }
    say(odd, TERMINAL_BAD, "%llu malformed packet%s: %s", (unsigned long long)total, plural(total),
        reasons);
}

/* Index of a state in the labels of tcp's "ended". */
static uint64_t ended(const struct odd *odd, const char *state)
{
    const void *value;
    const struct metric *m = board_metric(odd->board, "tcp", "ended", &value);
    for (unsigned i = 0; i < m->label_count; i++) {
        if (strcmp(m->label_value(i), state) == 0) {
            return ((const uint64_t *)value)[i];
        }
    }
    return 0;
}

static void odd_handshakes(struct odd *odd)
{
    uint64_t unanswered = ended(odd, "S0");
    uint64_t refused = ended(odd, "REJ") + ended(odd, "RSTOS0") + ended(odd, "RSTRH");
    uint64_t asked = unanswered + refused + tcp(odd, "opened");
    if (unanswered > 0) {
        bool many = share(unanswered, asked) > ODD_UNANSWERED;
        say(odd, many ? TERMINAL_BAD : TERMINAL_WARN, "%llu of %llu TCP connects %s never answered%s",
            (unsigned long long)unanswered, (unsigned long long)asked,
            unanswered == 1 ? "was" : "were",
            unanswered > 1000 && share(unanswered, asked) > 0.5 ? ": a SYN flood or a scan" : "");
    }
    uint64_t flooded = tcp(odd, "flooded");
    if (flooded > 0) {
        say(odd, TERMINAL_BAD, "%llu TCP handshake%s to a server under a SYN flood %s never completed",
            (unsigned long long)flooded, plural(flooded), flooded == 1 ? "was" : "were");
    }
    if (refused > 0) {
        say(odd, TERMINAL_WARN, "%llu TCP connect%s refused", (unsigned long long)refused,
            refused == 1 ? " was" : "s were");
    }
}

static void odd_repairs(struct odd *odd)
{
    uint64_t again = tcp(odd, "retransmissions");
    double part = share(again, tcp(odd, "packets"));
    if (part > ODD_RETRANSMITTED) {
        say(odd, part > 0.05 ? TERMINAL_BAD : TERMINAL_WARN,
            "%.1f %% of TCP packets were retransmissions (%llu)", 100 * part,
            (unsigned long long)again);
    }
    uint64_t late = tcp(odd, "out_of_order");
    if (share(late, tcp(odd, "packets")) > ODD_RETRANSMITTED) {
        say(odd, TERMINAL_WARN, "%.1f %% of TCP packets came out of order (%llu)",
            100 * share(late, tcp(odd, "packets")), (unsigned long long)late);
    }
    uint64_t zero = tcp(odd, "zero_windows");
    if (zero > 0) {
        say(odd, TERMINAL_WARN, "a receiver was full: %llu packet%s with a zero window",
            (unsigned long long)zero, plural(zero));
    }
    uint64_t resets = tcp(odd, "resets");
    if (resets > 0) {
        say(odd, TERMINAL_WARN, "%llu reset%s", (unsigned long long)resets, plural(resets));
    }
}

static void odd_icmp(struct odd *odd)
{
    uint64_t errors = board_value(odd->board, "net", "icmp_errors");
    if (errors > 0) {
        say(odd, TERMINAL_WARN, "%llu ICMP error%s: something could not be reached",
            (unsigned long long)errors, plural(errors));
    }
}

unsigned report_odd_print(const struct report *report, const struct board *board, FILE *out)
{
    struct odd odd = {.report = report, .board = board, .out = out};
    odd_order(&odd);
    odd_malformed(&odd);
    odd_losses(&odd);
    odd_handshakes(&odd);
    odd_repairs(&odd);
    odd_icmp(&odd);
    return odd.count;
}
