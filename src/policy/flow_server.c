// SPDX-License-Identifier: Apache-2.0
#include "policy/flow_server.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/exports.h"
#include "policy/intake.h"
#include "policy/policy_set.h"

enum { DATAGRAM_MAX = 65536, BATCH = 16, BATCHES = 16, BUFFER = 8 << 20 };

struct server {
    struct intake_seat seat;
    int socket;
    uint32_t dropped; /* by the kernel, so far */
    struct mmsghdr messages[BATCH];
    struct iovec rooms[BATCH];
    struct sockaddr_storage senders[BATCH];
    _Alignas(8) uint8_t controls[BATCH][64];
    uint8_t bytes[BATCH][DATAGRAM_MAX];
};

/* ---- Reading -------------------------------------------------------------------------------- */

/* Who sent it; IPv4 that came by way of IPv6 (RFC 4291 §2.5.5.2) is what it is. */
static void set_sender(const struct sockaddr_storage *from, struct export_datagram *ret)
{
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)from;
        ret->exporter.version = 4;
        ret->port = ntohs(four->sin_port);
        memcpy(ret->exporter.bytes, &four->sin_addr, 4);
    } else if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
        bool is_four = IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);
        ret->exporter.version = is_four ? 4 : 6;
        ret->port = ntohs(six->sin6_port);
        memcpy(ret->exporter.bytes, six->sin6_addr.s6_addr + (is_four ? 12 : 0), is_four ? 4 : 16);
    }
}

/* The kernel tells with a datagram how many it dropped before it. */
static void note_drops(struct server *self, struct msghdr *head)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c != NULL; c = CMSG_NXTHDR(head, c)) {
        uint32_t total;
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&total, CMSG_DATA(c), sizeof total);
            atomic_fetch_add_explicit(&self->seat.input->errors, total - self->dropped,
                                      memory_order_relaxed);
            self->dropped = total;
        }
    }
}

static void prepare(struct server *self)
{
    for (unsigned i = 0; i < BATCH; i++) {
        self->rooms[i] = (struct iovec){self->bytes[i], DATAGRAM_MAX};
        self->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &self->senders[i],
            .msg_namelen = sizeof self->senders[i],
            .msg_iov = &self->rooms[i],
            .msg_iovlen = 1,
            .msg_control = self->controls[i],
            .msg_controllen = sizeof self->controls[i],
        };
    }
}

/* Reads what has come, a batch at a time; false when there is no more. */
static bool read_batch(struct server *self)
{
    prepare(self);
    int count = recvmmsg(self->socket, self->messages, BATCH, MSG_DONTWAIT, NULL);
    uint64_t now = intake_source_now();
    for (int i = 0; i < count; i++) {
        struct export_datagram datagram = {
            .bytes = span_of(self->bytes[i], self->messages[i].msg_len),
            .time_ns = now,
        };
        set_sender(&self->senders[i], &datagram);
        note_drops(self, &self->messages[i].msg_hdr);
        intake_datagram(self->seat.intake, self->seat.input, &datagram);
    }
    return count == BATCH;
}

static void server_turn(void *source)
{
    struct server *self = source;
    struct pollfd polled = {.fd = self->socket, .events = POLLIN};
    if (poll(&polled, 1, INTAKE_TURN_MS) > 0) {
        for (unsigned i = 0; i < BATCHES && read_batch(self); i++) {
        }
    }
}

/* ---- Life ----------------------------------------------------------------------------------- */

static int bind_to(const struct addrinfo *where)
{
    int one = 1, size = BUFFER;
    int fd = socket(where->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof one);
    if (bind(fd, where->ai_addr, where->ai_addrlen) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int listen_udp(const struct tree *config, struct err *err)
{
    const struct tree *host = tree_get(config, "bind"), *port = tree_get(config, "port");
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const char *host_text = host != NULL && host->text != NULL ? host->text : "";
    const char *port_text = port != NULL && port->text != NULL ? port->text : "";
    if (getaddrinfo(host_text, port_text, &hints, &found) != 0) {
        err_set(err, ERR_USAGE, "cannot listen on %s port %s: give an address of this machine and a "
                                "number", host_text, port_text);
        return -1;
    }
    int fd = bind_to(found);
    if (fd < 0) {
        err_set(err, ERR_FAILED, "cannot listen on %s port %s: %s", host_text, port_text,
                strerror(errno));
    }
    freeaddrinfo(found);
    return fd;
}

static void server_close(void *source)
{
    struct server *self = source;
    if (self->socket >= 0) {
        close(self->socket);
    }
    free(self);
}

static void *server_open(const struct intake_seat *seat, struct err *err)
{
    struct server *self = calloc(1, sizeof *self);
    if (self == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    self->seat = *seat;
    self->socket = listen_udp(&seat->input->config, err);
    if (self->socket < 0) {
        server_close(self);
        return NULL;
    }
    return self;
}

const struct intake_source flow_server = {
    .open = server_open,
    .turn = server_turn,
    .close = server_close,
};
