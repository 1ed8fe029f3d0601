// SPDX-License-Identifier: Apache-2.0
#include "policy/probe_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/seconds.h"
#include "handler/probe_result.h"
#include "policy/intake.h"
#include "policy/policy_set.h"
#include "policy/probe_wire.h"

enum { PENDING = 1024, REPLIES = 256, NAME = 256 };

/* A probe on its way; its place is its sequence number modulo PENDING. */
struct pending {
    struct target *target; /* NULL: a free place */
    int socket;            /* of a connection; -1: an echo request */
    uint16_t sequence;
    uint64_t cookie;
    uint64_t sent_ns;
};

struct target {
    const char *name; /* in the configuration */
    char host[NAME];
    char port[16];    /* "" for echo requests */
    struct addrinfo hints;
    struct gaicb lookup;
    bool is_looking;
    struct sockaddr_storage address;
    socklen_t address_size; /* 0: not known */
    uint64_t test_ns, packet_ns; /* when the next ones are due */
    uint64_t left;               /* packets of this test */
};

struct prober {
    struct intake_seat seat;
    bool is_tcp;
    uint64_t interval_ns, timeout_ns, gap_ns, packets;
    size_t payload;
    int sockets[2];   /* of ICMP and ICMPv6; -1: not allowed, or not needed yet */
    bool is_raw[2];
    uint16_t id, sequence;
    struct target *targets;
    size_t target_count;
    uint32_t pending_count;
    struct pending pending[PENDING];
    struct pollfd polled[PENDING + 2];
    uint16_t polled_pending[PENDING + 2];
    uint8_t bytes[PROBE_WIRE_HEAD + PROBE_WIRE_PAYLOAD_MAX + 64];
};

static uint64_t monotonic(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

static void tell(struct prober *self, const struct target *target, enum probe_fate fate,
                 uint64_t time_ns)
{
    struct probe_result result = {target->name, fate, time_ns};
    struct handler_event event = {
        .time_ns = intake_source_now(), .kinds = HANDLER_FRAME, .result = &result};
    intake_event(self->seat.intake, self->seat.input, &event);
}

/* ---- Probes on their way -------------------------------------------------------------------- */

static void finish(struct prober *self, struct pending *p, enum probe_fate fate, uint64_t time_ns)
{
    tell(self, p->target, fate, time_ns);
    if (p->socket >= 0) {
        close(p->socket);
    }
    *p = (struct pending){.socket = -1};
    self->pending_count--;
}

static struct pending *begin(struct prober *self, struct target *target, int socket)
{
    struct pending *p = &self->pending[++self->sequence % PENDING];
    if (p->target != NULL) {
        finish(self, p, PROBE_TIMED_OUT, 0); /* more on their way than are kept: the oldest goes */
    }
    *p = (struct pending){
        .target = target, .socket = socket, .sequence = self->sequence, .sent_ns = monotonic()};
    if (getrandom(&p->cookie, sizeof p->cookie, GRND_NONBLOCK) < 0) {
        p->cookie = p->sent_ns;
    }
    self->pending_count++;
    return p;
}

static void expire(struct prober *self, uint64_t now)
{
    for (size_t i = 0; i < PENDING && self->pending_count > 0; i++) {
        struct pending *p = &self->pending[i];
        if (p->target != NULL && now - p->sent_ns >= self->timeout_ns) {
            finish(self, p, PROBE_TIMED_OUT, 0);
        }
    }
}

/* ---- Echo requests -------------------------------------------------------------------------- */

/* A socket for echo requests: raw, or of the kind that needs no privilege. */
static int open_echo(struct prober *self, unsigned six)
{
    int family = six ? AF_INET6 : AF_INET, protocol = six ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
    const int flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
    if (self->sockets[six] < 0) {
        self->sockets[six] = socket(family, SOCK_RAW | flags, protocol);
        self->is_raw[six] = self->sockets[six] >= 0;
    }
    if (self->sockets[six] < 0) {
        self->sockets[six] = socket(family, SOCK_DGRAM | flags, protocol);
    }
    return self->sockets[six];
}

static void send_echo(struct prober *self, struct target *target)
{
    bool six = target->address.ss_family == AF_INET6;
    int fd = open_echo(self, six);
    if (fd < 0) {
        tell(self, target, PROBE_FAILED, 0);
        return;
    }
    struct pending *p = begin(self, target, -1);
    struct probe_echo echo = {self->id, p->sequence, p->cookie};
    size_t size = probe_wire_make(six ? 6 : 4, &echo, self->payload, self->bytes);
    p->sent_ns = monotonic();
    if (sendto(fd, self->bytes, size, 0, (const struct sockaddr *)&target->address,
               target->address_size) < 0) {
        finish(self, p, PROBE_FAILED, 0);
        return;
    }
    tell(self, target, PROBE_SENT, 0);
}

static bool is_from(const struct target *target, const struct sockaddr_storage *from)
{
    if (from->ss_family != target->address.ss_family) {
        return false;
    }
    return from->ss_family == AF_INET
               ? ((const struct sockaddr_in *)from)->sin_addr.s_addr ==
                     ((const struct sockaddr_in *)&target->address)->sin_addr.s_addr
               : memcmp(&((const struct sockaddr_in6 *)from)->sin6_addr,
                        &((const struct sockaddr_in6 *)&target->address)->sin6_addr, 16) == 0;
}

static void read_replies(struct prober *self, unsigned six)
{
    for (unsigned i = 0; i < REPLIES; i++) {
        struct sockaddr_storage from = {0};
        socklen_t from_size = sizeof from;
        ssize_t got = recvfrom(self->sockets[six], self->bytes, sizeof self->bytes, 0,
                               (struct sockaddr *)&from, &from_size);
        struct probe_echo echo;
        if (got < 0) {
            return;
        }
        struct span bytes = span_of(self->bytes, (size_t)got);
        if (!probe_wire_read(six ? 6 : 4, self->is_raw[six] && !six, bytes, &echo) ||
            (self->is_raw[six] && echo.id != self->id)) {
            continue;
        }
        struct pending *p = &self->pending[echo.sequence % PENDING];
        if (p->target != NULL && p->socket < 0 && p->sequence == echo.sequence &&
            (self->payload < sizeof p->cookie || p->cookie == echo.cookie) &&
            is_from(p->target, &from)) {
            finish(self, p, PROBE_ANSWERED, monotonic() - p->sent_ns);
        }
    }
}

/* ---- Connections ---------------------------------------------------------------------------- */

static void begin_connection(struct prober *self, struct target *target)
{
    int fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        tell(self, target, PROBE_FAILED, 0);
        return;
    }
    tell(self, target, PROBE_SENT, 0);
    struct pending *p = begin(self, target, fd);
    int result = connect(fd, (const struct sockaddr *)&target->address, target->address_size);
    if (result != 0 && errno != EINPROGRESS) {
        finish(self, p, PROBE_FAILED, 0);
    } else if (result == 0) {
        finish(self, p, PROBE_ANSWERED, monotonic() - p->sent_ns);
    }
}

static void end_connection(struct prober *self, struct pending *p)
{
    uint64_t time_ns = monotonic() - p->sent_ns;
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(p->socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0) {
        finish(self, p, error == ETIMEDOUT ? PROBE_TIMED_OUT : PROBE_FAILED, 0);
        return;
    }
    finish(self, p, PROBE_ANSWERED, time_ns);
}

/* ---- Tests ---------------------------------------------------------------------------------- */

static void begin_lookup(struct prober *self, struct target *target)
{
    struct gaicb *list[1] = {&target->lookup};
    target->address_size = 0;
    target->lookup = (struct gaicb){.ar_name = target->host,
                                    .ar_service = self->is_tcp ? target->port : NULL,
                                    .ar_request = &target->hints};
    target->is_looking = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0;
    if (!target->is_looking) {
        tell(self, target, PROBE_NOT_FOUND, 0);
    }
}

static void end_lookup(struct prober *self, struct target *target)
{
    int state = gai_error(&target->lookup);
    if (state == EAI_INPROGRESS) {
        return;
    }
    target->is_looking = false;
    if (state != 0 || target->lookup.ar_result == NULL) {
        tell(self, target, PROBE_NOT_FOUND, 0);
        return;
    }
    const struct addrinfo *found = target->lookup.ar_result;
    memcpy(&target->address, found->ai_addr, found->ai_addrlen);
    target->address_size = found->ai_addrlen;
    freeaddrinfo(target->lookup.ar_result);
    target->left = self->packets;
    target->packet_ns = monotonic();
}

static void step(struct prober *self, struct target *target, uint64_t now)
{
    if (target->is_looking) {
        end_lookup(self, target);
    } else if (now >= target->test_ns) {
        /* Tests keep their rhythm; what was missed is not made up for. */
        uint64_t missed = (now - target->test_ns) / self->interval_ns;
        target->test_ns += (missed + 1) * self->interval_ns;
        begin_lookup(self, target);
    }
    if (target->left > 0 && target->address_size > 0 && now >= target->packet_ns) {
        target->left--;
        target->packet_ns += self->gap_ns;
        if (self->is_tcp) {
            begin_connection(self, target);
        } else {
            send_echo(self, target);
        }
    }
}

/* ---- The source ----------------------------------------------------------------------------- */

/* Milliseconds until something is due. */
static int patience(const struct prober *self)
{
    uint64_t now = monotonic(), next = now + INTAKE_TURN_MS * MS_NS;
    for (size_t i = 0; i < self->target_count; i++) {
        const struct target *t = &self->targets[i];
        uint64_t due = t->is_looking                              ? now + 2 * MS_NS
                       : t->left > 0 && t->packet_ns < t->test_ns ? t->packet_ns
                                                                  : t->test_ns;
        next = due < next ? due : next;
    }
    return next > now ? (int)((next - now + MS_NS - 1) / MS_NS) : 0;
}

static void wait_for(struct prober *self)
{
    nfds_t count = 2;
    for (unsigned six = 0; six < 2; six++) {
        self->polled[six] = (struct pollfd){.fd = self->sockets[six], .events = POLLIN};
    }
    for (uint16_t i = 0; i < PENDING && self->is_tcp && self->pending_count > 0; i++) {
        if (self->pending[i].target != NULL && self->pending[i].socket >= 0) {
            self->polled_pending[count] = i;
            self->polled[count++] =
                (struct pollfd){.fd = self->pending[i].socket, .events = POLLOUT};
        }
    }
    if (poll(self->polled, count, patience(self)) <= 0) {
        return;
    }
    for (unsigned six = 0; six < 2; six++) {
        if (self->polled[six].revents != 0) {
            read_replies(self, six);
        }
    }
    for (nfds_t i = 2; i < count; i++) {
        if (self->polled[i].revents != 0) {
            end_connection(self, &self->pending[self->polled_pending[i]]);
        }
    }
}

static void prober_turn(void *source)
{
    struct prober *self = source;
    wait_for(self);
    uint64_t now = monotonic();
    expire(self, now);
    for (size_t i = 0; i < self->target_count; i++) {
        step(self, &self->targets[i], now);
    }
}

/* ---- Life ----------------------------------------------------------------------------------- */

static uint64_t number_of(const struct tree *config, const char *name, uint64_t fallback)
{
    const struct tree *value = tree_get(config, name);
    return value != NULL && value->kind == TREE_NUMBER ? value->number : fallback;
}

static void read_target(const struct prober *self, const char *name, const struct tree *config,
                        struct target *ret)
{
    const struct tree *host = tree_get(config, "target");
    uint64_t version = number_of(config, "ip_version", 0);
    ret->name = name;
    snprintf(ret->host, sizeof ret->host, "%s",
             host != NULL && host->text != NULL ? host->text : "");
    snprintf(ret->port, sizeof ret->port, "%u", (unsigned)(number_of(config, "port", 0) & 0xffff));
    ret->hints.ai_family = version == 6 ? AF_INET6 : version == 4 ? AF_INET : AF_UNSPEC;
    ret->hints.ai_socktype = self->is_tcp ? SOCK_STREAM : SOCK_DGRAM;
    ret->test_ns = monotonic();
}

static void read_config(struct prober *self)
{
    const struct tree *config = &self->seat.input->config;
    const struct tree *type = tree_get(config, "test_type");
    self->is_tcp = type != NULL && type->text != NULL && strcmp(type->text, "tcp") == 0;
    self->interval_ns = number_of(config, "interval_msec", 5000) * MS_NS;
    self->timeout_ns = number_of(config, "timeout_msec", 2000) * MS_NS;
    self->packets = self->is_tcp ? 1 : number_of(config, "packets_per_test", 1);
    self->gap_ns = number_of(config, "packets_interval_msec", 25) * MS_NS;
    self->payload = number_of(config, "packet_payload_size", 48);
}

static void end_lookups(struct prober *self)
{
    for (size_t i = 0; i < self->target_count; i++) {
        struct target *target = &self->targets[i];
        const struct gaicb *list[1] = {&target->lookup};
        if (!target->is_looking) {
            continue;
        }
        if (gai_cancel(&target->lookup) == EAI_NOTCANCELED) {
            while (gai_error(&target->lookup) == EAI_INPROGRESS) {
                gai_suspend(list, 1, NULL);
            }
        }
        if (gai_error(&target->lookup) == 0 && target->lookup.ar_result != NULL) {
            freeaddrinfo(target->lookup.ar_result);
        }
    }
}

static void prober_close(void *source)
{
    struct prober *self = source;
    end_lookups(self);
    for (size_t i = 0; i < PENDING; i++) {
        if (self->pending[i].socket >= 0) {
            close(self->pending[i].socket);
        }
    }
    for (unsigned six = 0; six < 2; six++) {
        if (self->sockets[six] >= 0) {
            close(self->sockets[six]);
        }
    }
    free(self->targets);
    free(self);
}

static void *prober_open(const struct intake_seat *seat, struct err *err)
{
    const struct tree *targets = tree_get(&seat->input->config, "targets");
    struct prober *self = calloc(1, sizeof *self);
    size_t count = targets != NULL && targets->kind == TREE_MAP ? targets->count : 0;
    struct target *list = calloc(count + 1, sizeof *list);
    if (self == NULL || list == NULL) {
        free(self);
        free(list);
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    self->seat = *seat;
    self->targets = list;
    self->target_count = count;
    self->sockets[0] = self->sockets[1] = -1;
    self->id = (uint16_t)(monotonic() ^ (uint64_t)getpid());
    for (size_t i = 0; i < PENDING; i++) {
        self->pending[i].socket = -1;
    }
    read_config(self);
    for (size_t i = 0; i < count; i++) {
        read_target(self, targets->keys[i], &targets->items[i], &list[i]);
    }
    return self;
}

const struct intake_source probe_server = {
    .open = prober_open,
    .turn = prober_turn,
    .close = prober_close,
};
