// SPDX-License-Identifier: Apache-2.0
/* `vantage interfaces`: the network interfaces and what they carry right now. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/terminal.h"
#include "base/text.h"
#include "cmd/command.h"
#include "cmd/interrupt.h"
#include "tap/interfaces.h"

enum { SAMPLE_MS = 1000, BAR_CELLS = 8, ADDRESS_COLUMN = 65 };

static const char *const formats[] = {"text", "json", NULL};

static const struct option_spec options[] = {
    {.name = "output", .letter = 'o', .kind = OPTION_CHOICE, .argument = "FORMAT",
     .help = "how to print", .choices = formats, .fallback = "text"},
    {.name = "once", .letter = '1', .kind = OPTION_FLAG,
     .help = "print one sample of a second and end, on a terminal, too"},
    {0},
};

static const char *const examples[] = {
    "vantage interfaces",
    "who carries what, every second, until Ctrl-C",
    "vantage interfaces -o json | jq -r '.[] | select(.running).name'",
    "for scripts: one sample",
    NULL,
};

/* One interface and its rates between two readings. */
struct row {
    const struct interfaces_entry *entry;
    double in; /* bits a second */
    double out;
};

/* Two readings a sample apart; rows borrow from `now`. */
struct sample {
    struct interfaces before;
    struct interfaces now;
    struct row *rows;
    struct timespec read_at;
};

static double bits_per_second(uint64_t before, uint64_t now, double seconds)
{
    return now > before && seconds > 0 ? 8 * (double)(now - before) / seconds : 0;
}

static int by_rate(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    double difference = (y->in + y->out) - (x->in + x->out);
    if (difference != 0) {
        return difference > 0 ? 1 : -1;
    }
    return x->entry->index < y->entry->index ? -1 : x->entry->index > y->entry->index;
}

/* Reads anew; what was `now` becomes `before`. */
static bool sample_take(struct sample *sample, struct err *err)
{
    interfaces_done(&sample->before);
    sample->before = sample->now;
    sample->now = (struct interfaces){0};
    if (!interfaces_read(&sample->now, err)) {
        return false;
    }
    struct timespec then = sample->read_at;
    clock_gettime(CLOCK_MONOTONIC, &sample->read_at);
    double seconds = (double)(sample->read_at.tv_sec - then.tv_sec) +
                     (double)(sample->read_at.tv_nsec - then.tv_nsec) / 1e9;
    struct row *rows = realloc(sample->rows, (sample->now.count + 1) * sizeof *rows);
    if (rows == NULL) {
        return err_set(err, ERR_FAILED, "no memory for %zu interfaces", sample->now.count);
    }
    sample->rows = rows;
    for (size_t i = 0; i < sample->now.count; i++) {
        const struct interfaces_entry *entry = &sample->now.entries[i];
        const struct interfaces_entry *old = interfaces_find(&sample->before, entry->name);
        rows[i] = (struct row){.entry = entry};
        if (old != NULL) {
            rows[i].in = bits_per_second(old->rx_bytes, entry->rx_bytes, seconds);
            rows[i].out = bits_per_second(old->tx_bytes, entry->tx_bytes, seconds);
        }
    }
    qsort(rows, sample->now.count, sizeof *rows, by_rate);
    return true;
}

static void sample_done(struct sample *sample)
{
    interfaces_done(&sample->before);
    interfaces_done(&sample->now);
    free(sample->rows);
}

static const char *state_of(const struct interfaces_entry *entry)
{
    return !entry->is_up ? "down" : entry->is_running ? "up" : "no carrier";
}

static char *rate_text(char to[TEXT_ROOM], double bits)
{
    char count[TEXT_ROOM];
    text_short_count(count, bits);
    snprintf(to, TEXT_ROOM, "%.20s%sbit/s", count, strchr(count, ' ') != NULL ? "" : " ");
    return to;
}

/* Prints `share` of BAR_CELLS cells, in eighths where the terminal has them; returns how many. */
static int print_bar(double share, const struct terminal *terminal, FILE *out)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    unsigned parts = (unsigned)(share * BAR_CELLS * 8 + 0.5);
    parts = share > 0 && parts == 0 ? 1 : parts;
    unsigned cells = terminal->unicode ? parts / 8 : (parts + 7) / 8;
    fputs(terminal_style(terminal, TERMINAL_ACCENT), out);
    for (unsigned i = 0; i < cells; i++) {
        fputs(terminal->unicode ? "█" : "#", out);
    }
    if (terminal->unicode && parts % 8 != 0) {
        fputs(eighths[parts % 8], out);
        cells++;
    }
    fputs(terminal_style(terminal, TERMINAL_PLAIN), out);
    return (int)cells;
}

/* How many bytes of `text` fit in `room` columns without breaking a word. */
static int whole_words(const char *text, int room)
{
    int fits = 0;
    for (int at = 0; at <= room; at++) {
        if (text[at] == ' ' || text[at] == '\0') {
            fits = at;
        }
        if (text[at] == '\0') {
            break;
        }
    }
    return fits;
}

static void print_row(const struct row *row, double busiest, const struct terminal *terminal,
                      FILE *out)
{
    char in[TEXT_ROOM];
    char rate[TEXT_ROOM];
    const struct interfaces_entry *entry = row->entry;
    enum terminal_style style = !entry->is_up       ? TERMINAL_DIM
                                : entry->is_running ? TERMINAL_GOOD
                                                    : TERMINAL_WARN;
    fprintf(out, "%-15s %s%-10s%s %13s %13s", entry->name, terminal_style(terminal, style),
            state_of(entry), terminal_style(terminal, TERMINAL_PLAIN), rate_text(in, row->in),
            rate_text(rate, row->out));
    fputs(row->in + row->out > 0 || entry->addresses[0] != '\0' ? " " : "", out);
    int cells = print_bar(busiest > 0 ? (row->in + row->out) / busiest : 0, terminal, out);
    int room = terminal->moves ? (int)terminal->width - ADDRESS_COLUMN : INT_MAX;
    if (entry->addresses[0] != '\0') {
        fprintf(out, "%*s%.*s", BAR_CELLS - cells + 2, "", whole_words(entry->addresses, room),
                entry->addresses);
    }
    fprintf(out, "%s\n", terminal->moves ? "\033[K" : "");
}

/* Prints the table, at most as many lines as the terminal has; returns how many. */
static size_t print_table(const struct sample *sample, const struct terminal *terminal, FILE *out)
{
    size_t most = terminal->moves && terminal->height > 4 ? terminal->height - 3 : SIZE_MAX;
    size_t count = sample->now.count < most ? sample->now.count : most;
    const char *clear = terminal->moves ? "\033[K" : "";
    fprintf(out, "%s%-15s %-10s %13s %13s %-*s  %s%s%s\n", terminal_style(terminal, TERMINAL_BOLD),
            "INTERFACE", "STATE", "IN", "OUT", BAR_CELLS, "", "ADDRESSES",
            terminal_style(terminal, TERMINAL_PLAIN), clear);
    double busiest = sample->now.count > 0 ? sample->rows[0].in + sample->rows[0].out : 0;
    for (size_t i = 0; i < count; i++) {
        print_row(&sample->rows[i], busiest, terminal, out);
    }
    if (count < sample->now.count) {
        fprintf(out, "and %zu more%s\n", sample->now.count - count, clear);
        count++;
    }
    return count + 1;
}

static void write_row(struct json *json, const struct row *row)
{
    const struct interfaces_entry *entry = row->entry;
    json_object_begin(json);
    json_key(json, "name");
    json_text(json, entry->name);
    json_key(json, "index");
    json_u64(json, entry->index);
    json_key(json, "kind");
    json_text(json, interfaces_kind(entry->hardware));
    json_key(json, "up");
    json_bool(json, entry->is_up);
    json_key(json, "running");
    json_bool(json, entry->is_running);
    json_key(json, "speed_mbit");
    json_u64(json, entry->speed_mbit);
    json_key(json, "rx_bits_per_second");
    json_double(json, row->in);
    json_key(json, "tx_bits_per_second");
    json_double(json, row->out);
    const struct {
        const char *name;
        uint64_t value;
    } totals[] = {{"rx_bytes", entry->rx_bytes}, {"rx_packets", entry->rx_packets},
                  {"rx_dropped", entry->rx_dropped}, {"tx_bytes", entry->tx_bytes},
                  {"tx_packets", entry->tx_packets}};
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        json_key(json, totals[i].name);
        json_u64(json, totals[i].value);
    }
    json_key(json, "addresses");
    json_array_begin(json);
    for (const char *at = entry->addresses; *at != '\0';) {
        size_t size = strcspn(at, " ");
        json_span(json, span_of(at, size));
        at += size + (at[size] == ' ');
    }
    json_array_end(json);
    json_object_end(json);
}

static bool print_json(const struct sample *sample, FILE *out)
{
    struct json json;
    json_init(&json);
    json_array_begin(&json);
    for (size_t i = 0; i < sample->now.count; i++) {
        write_row(&json, &sample->rows[i]);
    }
    json_array_end(&json);
    bool is_whole = !json.failed;
    if (is_whole) {
        fwrite(json.data, 1, json.size, out);
        fputc('\n', out);
    }
    json_done(&json);
    return is_whole;
}

/* Redraws the table in place every second until a signal comes. */
static bool watch(struct sample *sample, struct err *err)
{
    size_t lines = 0;
    do {
        struct terminal terminal = terminal_of(stdout); /* the window may have another size now */
        if (lines > 0) {
            printf("\033[%zuA\033[J", lines);
        }
        lines = print_table(sample, &terminal, stdout);
        fflush(stdout);
        interrupt_wait(SAMPLE_MS);
    } while (!interrupt_seen() && sample_take(sample, err));
    return err->code == ERR_NONE;
}

static bool show(const struct arguments *arguments, struct sample *sample, struct err *err)
{
    bool is_json = strcmp(arguments_string(arguments, "output"), "json") == 0;
    struct terminal terminal = terminal_of(stdout);
    if (!sample_take(sample, err)) {
        return false;
    }
    if (!is_json && terminal.moves && !arguments_flag(arguments, "once")) {
        return watch(sample, err);
    }
    interrupt_wait(SAMPLE_MS);
    if (!sample_take(sample, err)) {
        return false;
    }
    if (is_json) {
        return print_json(sample, stdout) || err_set(err, ERR_FAILED, "no memory for the answer");
    }
    terminal.moves = false; /* printed once, nothing is drawn over */
    print_table(sample, &terminal, stdout);
    return true;
}

static int run(const struct arguments *arguments)
{
    struct err err = {0};
    struct sample sample = {0};
    interrupt_watch();
    if (!show(arguments, &sample, &err)) {
        fprintf(stderr, "vantage interfaces: %s\n", err.text);
    }
    sample_done(&sample);
    return (int)err.code;
}

const struct command command_interface_list = {
    .name = "interfaces",
    .summary = "the network interfaces and what they carry now",
    .options = options,
    .examples = examples,
    .description = "Lists the network interfaces, the busiest first, with state, rates and "
                   "addresses. On a terminal it goes on every second until Ctrl-C; elsewhere it "
                   "prints one sample of a second. Needs no rights.",
    .run = run,
};
