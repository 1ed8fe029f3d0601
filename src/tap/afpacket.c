// SPDX-License-Identifier: Apache-2.0
/* The tap of live interfaces: one ring for each, read in turn. An interface that goes down is
 * waited for; one that is removed is looked for by its name once a second and opened again. Both
 * are told as notices. The sources are names of interfaces, `any` for all of them at once, or
 * `auto` for the busiest. */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "tap/interfaces.h"
#include "tap/packet_ring.h"
#include "tap/tap.h"

enum {
    INTERFACES_MAX = 64,
    RING_BYTES = 64 << 20,
    POLL_MS = 100,
    COUNT_MS = 250, /* how old the counters may be */
    CARE_MS = 1000, /* how often interfaces are looked after */
    NOTICE_SIZE = 160,
};

struct port {
    char name[IF_NAMESIZE];
    struct packet_ring ring;
    bool is_open;
    bool is_up;
    bool is_armed;
};

struct tap {
    struct packet_ring_options options; /* as for every port */
    char *filter;
    uint32_t worker;
    uint32_t poll_ms;
    uint32_t port_count;
    struct port ports[INTERFACES_MAX];
    uint32_t turn;     /* the port that is read first */
    bool has_begun;    /* the rings are armed */
    bool has_trouble;  /* a socket reported an error */
    uint64_t count_at; /* milliseconds of the monotonic clock: when to look again */
    uint64_t care_at;
    uint64_t rx_dropped_before; /* at open */
    char notice[NOTICE_SIZE];   /* not told yet; empty if none */
    char choice[NOTICE_SIZE];   /* what `auto` chose and why, until told */
    _Atomic uint64_t received;
    _Atomic uint64_t dropped;
    _Atomic uint64_t freezes;
    _Atomic uint64_t interface_drops;
};

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool is_any(const struct port *port)
{
    return strcmp(port->name, "any") == 0;
}

/* Whether the interface is switched on; `any` always is. */
static bool is_up(const struct port *port)
{
    return is_any(port) || packet_ring_is_up(&port->ring, port->name);
}

static void notice(struct tap *tap, const struct port *port, const char *what)
{
    snprintf(tap->notice, sizeof tap->notice, "%s: %s", port->name, what);
}

/* Opens the ring of a port; it is armed later. */
static bool open_port(struct tap *tap, struct port *port, struct err *err)
{
    struct packet_ring_options options = tap->options;
    uint32_t number = (uint32_t)(port - tap->ports);
    options.interface = is_any(port) ? NULL : port->name;
    options.number = number;
    options.fanout_group = (uint16_t)(options.fanout_group + number);
    if (!packet_ring_open(&port->ring, &options, err)) {
        return false;
    }
    port->is_open = true;
    port->is_armed = false;
    port->is_up = is_up(port);
    if (!port->is_up) {
        notice(tap, port, "the interface is down; waiting for it");
    }
    return true;
}

/* Adds what the kernel counted since the last time. */
static void count_port(struct tap *tap, struct port *port)
{
    struct tpacket_stats_v3 counts = packet_ring_counts(&port->ring);
    atomic_fetch_add_explicit(&tap->received, counts.tp_packets, memory_order_relaxed);
    atomic_fetch_add_explicit(&tap->dropped, counts.tp_drops, memory_order_relaxed);
    atomic_fetch_add_explicit(&tap->freezes, counts.tp_freeze_q_cnt, memory_order_relaxed);
}

static void close_port(struct tap *tap, struct port *port)
{
    count_port(tap, port);
    packet_ring_close(&port->ring);
    port->is_open = false;
}

/* Lets frames pass. A port that is down may refuse, and is asked again when it is up. */
static bool arm_port(struct port *port, struct err *err)
{
    struct err refusal = {0};
    port->is_armed = packet_ring_arm(&port->ring, &refusal);
    return port->is_armed || !port->is_up ||
           err_set(err, refusal.code, "%s: %s", port->name, refusal.text);
}

/* Frames that the interfaces themselves lost. Only one worker tells, the sum is of all. */
static uint64_t rx_dropped(const struct tap *tap)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < tap->port_count; i++) {
        const struct port *port = &tap->ports[i];
        sum += interfaces_dropped(is_any(port) ? NULL : port->name);
    }
    return sum;
}

static bool add_port(struct tap *tap, const char *name, struct err *err)
{
    if (strlen(name) >= IF_NAMESIZE) {
        return interfaces_complain_missing(name, err);
    }
    struct port *port = &tap->ports[tap->port_count++];
    snprintf(port->name, sizeof port->name, "%s", name);
    return open_port(tap, port, err);
}

/* The busiest interface. Workers would not all choose the same one, so that with several of them
 * the choice has to be made before, once. */
static bool add_busiest(struct tap *tap, const struct tap_options *options, struct err *err)
{
    if (options->workers > 1) {
        return err_set(err, ERR_USAGE, "interface 'auto' must be chosen before workers start");
    }
    char name[IF_NAMESIZE];
    return interfaces_choose(name, tap->choice, sizeof tap->choice, err) &&
           add_port(tap, name, err);
}

static bool add_ports(struct tap *tap, const struct tap_options *options, struct err *err)
{
    if (options->source_count > INTERFACES_MAX) {
        return err_set(err, ERR_USAGE, "more than %d interfaces; use 'any'", INTERFACES_MAX);
    }
    if (options->source_count == 0) {
        return add_busiest(tap, options, err);
    }
    for (uint32_t i = 0; i < options->source_count; i++) {
        const char *name = options->sources[i];
        bool added = strcmp(name, "auto") == 0 ? add_busiest(tap, options, err)
                                               : add_port(tap, name, err);
        if (!added) {
            return false;
        }
    }
    return true;
}

static void afpacket_close(struct tap *tap)
{
    if (tap == NULL) {
        return;
    }
    for (uint32_t i = 0; i < tap->port_count; i++) {
        if (tap->ports[i].is_open) {
            packet_ring_close(&tap->ports[i].ring);
        }
    }
    free(tap->filter);
    free(tap);
}

static bool copy_options(struct tap *tap, const struct tap_options *options, struct err *err)
{
    uint32_t count = options->source_count > 0 ? options->source_count : 1;
    uint64_t ring_bytes = options->ring_bytes != 0 ? options->ring_bytes : RING_BYTES;
    if (options->filter != NULL && options->filter[0] != '\0') {
        tap->filter = strdup(options->filter);
        if (tap->filter == NULL) {
            return err_set(err, ERR_FAILED, "out of memory");
        }
    }
    tap->options = (struct packet_ring_options){
        .filter = tap->filter,
        .bytes = ring_bytes / count,
        .snap_len = options->snap_len != 0 && options->snap_len < TAP_FRAME_MAX ? options->snap_len
                                                                                : TAP_FRAME_MAX,
        .promiscuous = options->promiscuous,
        .ignore_outgoing = options->ignore_outgoing,
        .is_shared = options->workers > 1,
        .fanout_group = options->fanout_group,
    };
    tap->worker = options->worker;
    tap->poll_ms = options->poll_ms != 0 ? options->poll_ms : POLL_MS;
    return true;
}

static struct tap *afpacket_open(const struct tap_options *options, struct err *err)
{
    struct tap *tap = calloc(1, sizeof *tap);
    if (tap == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    if (!copy_options(tap, options, err) || !add_ports(tap, options, err)) {
        afpacket_close(tap);
        return NULL;
    }
    tap->rx_dropped_before = tap->worker == 0 ? rx_dropped(tap) : 0;
    return tap;
}

/* The interface may be back, under another index; or not yet. */
static void try_reopen(struct tap *tap, struct port *port)
{
    struct err ignored = {0};
    if (if_nametoindex(port->name) == 0 || !open_port(tap, port, &ignored)) {
        return;
    }
    if (!arm_port(port, &ignored)) {
        close_port(tap, port);
        return;
    }
    notice(tap, port, port->is_up ? "the interface is back" : "the interface is back, but down");
}

static void look_after(struct tap *tap, struct port *port)
{
    if (!port->is_open) {
        try_reopen(tap, port);
        return;
    }
    if (packet_ring_is_orphaned(&port->ring)) {
        if (!packet_ring_is_ready(&port->ring)) { /* what it saw last is read first */
            close_port(tap, port);
            notice(tap, port, "the interface was removed; waiting for its return");
        }
        return;
    }
    bool up = is_up(port);
    if (up != port->is_up) {
        port->is_up = up;
        notice(tap, port, up ? "the interface is up" : "the interface went down; waiting for it");
    }
    if (up && !port->is_armed) {
        struct err ignored = {0};
        (void)arm_port(port, &ignored);
    }
}

/* What is done now and then and not for each batch. No frames are lent while it runs. */
static void look_around(struct tap *tap)
{
    uint64_t now = now_ms();
    if (now < tap->count_at && !tap->has_trouble) {
        return;
    }
    tap->count_at = now + COUNT_MS;
    for (uint32_t i = 0; i < tap->port_count; i++) {
        if (tap->ports[i].is_open) {
            count_port(tap, &tap->ports[i]);
        }
    }
    if (now < tap->care_at && !tap->has_trouble) {
        return;
    }
    tap->care_at = now + CARE_MS;
    tap->has_trouble = false;
    for (uint32_t i = 0; i < tap->port_count; i++) {
        look_after(tap, &tap->ports[i]);
    }
    if (tap->worker == 0) {
        uint64_t dropped = rx_dropped(tap);
        if (dropped < tap->rx_dropped_before) { /* a new interface counts from 0 */
            tap->rx_dropped_before = 0;
        }
        atomic_store_explicit(&tap->interface_drops, dropped - tap->rx_dropped_before,
                              memory_order_relaxed);
    }
}

/* Takes frames of the next port that has some. */
static bool take(struct tap *tap, struct tap_batch *batch)
{
    for (uint32_t i = 0; i < tap->port_count; i++) {
        uint32_t at = (tap->turn + i) % tap->port_count;
        struct port *port = &tap->ports[at];
        if (!port->is_open) {
            continue;
        }
        batch->count = packet_ring_take(&port->ring, batch->frames, batch->capacity);
        if (batch->count > 0) {
            tap->turn = at + 1;
            return true;
        }
    }
    return false;
}

/* Waits for a block of any port, or for trouble with one. An error is taken off the socket, which
 * would else be ready for ever. */
static void wait_for_block(struct tap *tap)
{
    struct pollfd waiting[INTERFACES_MAX];
    for (uint32_t i = 0; i < tap->port_count; i++) {
        const struct port *port = &tap->ports[i];
        waiting[i] = (struct pollfd){.fd = port->is_open ? port->ring.fd : -1, .events = POLLIN};
    }
    if (poll(waiting, tap->port_count, (int)tap->poll_ms) <= 0) {
        return;
    }
    for (uint32_t i = 0; i < tap->port_count; i++) {
        if (waiting[i].revents & (POLLERR | POLLHUP)) {
            int error;
            socklen_t size = sizeof error;
            (void)getsockopt(waiting[i].fd, SOL_SOCKET, SO_ERROR, &error, &size);
            tap->has_trouble = true;
        }
    }
}

static bool begin(struct tap *tap, struct err *err)
{
    for (uint32_t i = 0; i < tap->port_count; i++) {
        if (tap->ports[i].is_open && !arm_port(&tap->ports[i], err)) {
            return false;
        }
    }
    tap->has_begun = true;
    return true;
}

static enum tap_status afpacket_next(struct tap *tap, struct tap_batch *batch, struct err *err)
{
    batch->count = 0;
    if (!tap->has_begun && !begin(tap, err)) {
        return TAP_ERROR;
    }
    for (uint32_t i = 0; i < tap->port_count; i++) {
        if (tap->ports[i].is_open) {
            packet_ring_release(&tap->ports[i].ring);
        }
    }
    look_around(tap);
    if (take(tap, batch)) {
        return TAP_OK;
    }
    wait_for_block(tap);
    return take(tap, batch) ? TAP_OK : TAP_IDLE;
}

static void afpacket_stats(struct tap *tap, struct tap_stats *ret)
{
    *ret = (struct tap_stats){
        .received = atomic_load_explicit(&tap->received, memory_order_relaxed),
        .dropped = atomic_load_explicit(&tap->dropped, memory_order_relaxed),
        .freezes = atomic_load_explicit(&tap->freezes, memory_order_relaxed),
        .interface_drops = atomic_load_explicit(&tap->interface_drops, memory_order_relaxed),
    };
}

/* The choice of `auto` first, then what befell an interface. */
static bool afpacket_notice(struct tap *tap, char *text, size_t size)
{
    char *next = tap->choice[0] != '\0' ? tap->choice : tap->notice;
    if (next[0] == '\0') {
        return false;
    }
    snprintf(text, size, "%s", next);
    next[0] = '\0';
    return true;
}

static bool afpacket_interface_name(struct tap *tap, uint32_t interface, char name[16])
{
    if (tap->port_count > 0 && is_any(&tap->ports[0])) {
        return if_indextoname(interface, name) != NULL;
    }
    if (interface >= tap->port_count) {
        return false;
    }
    memcpy(name, tap->ports[interface].name, IF_NAMESIZE);
    return true;
}

const struct tap_kind tap_afpacket = {
    .name = "afpacket",
    .help = "live interfaces by name; any for all, auto for the busiest",
    .is_live = true,
    .open = afpacket_open,
    .next = afpacket_next,
    .stats = afpacket_stats,
    .close = afpacket_close,
    .notice = afpacket_notice,
    .interface_name = afpacket_interface_name,
};
