// SPDX-License-Identifier: Apache-2.0
#include "policy/dnstap_server.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/dnstap.h"
#include "policy/intake.h"
#include "policy/policy_filter.h"
#include "policy/policy_set.h"

enum { CLIENTS = 16, ROOM = 2 * DNSTAP_FRAME_MAX, BACKLOG = 8 };

/* Who tells DNS messages: a stream of frames that begins to make sense at its front. */
struct client {
    int socket; /* -1: none */
    struct dnstap_stream stream; /* its room is from the heap */
};

struct server {
    struct intake_seat seat;
    int listener;
    const char *path; /* of a Unix socket, to be removed; NULL: none */
    struct client clients[CLIENTS];
};

/* ---- Listening ------------------------------------------------------------------------------ */

static int listen_on(int family, const struct sockaddr *address, socklen_t size)
{
    int one = 1;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, address, size) != 0 || listen(fd, BACKLOG) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int listen_tcp(const char *where, struct err *err)
{
    char host[256];
    const char *colon = strrchr(where, ':');
    if (colon == NULL || (size_t)(colon - where) >= sizeof host || colon[1] == '\0') {
        err_set(err, ERR_USAGE, "invalid tcp address specification, use HOST:PORT");
        return -1;
    }
    snprintf(host, sizeof host, "%.*s", (int)(colon - where), where);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0) {
        err_set(err, ERR_USAGE, "unable to parse tcp address specification, use HOST:PORT");
        return -1;
    }
    int fd = listen_on(found->ai_family, found->ai_addr, found->ai_addrlen);
    if (fd < 0) {
        err_set(err, ERR_FAILED, "cannot listen on %s: %s", where, strerror(errno));
    }
    freeaddrinfo(found);
    return fd;
}

static int listen_path(const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        err_set(err, ERR_USAGE, "%s: too long for a socket's path", path);
        return -1;
    }
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    int fd = listen_on(AF_UNIX, (const struct sockaddr *)&address, sizeof address);
    if (fd < 0) {
        err_set(err, ERR_FAILED, "cannot listen on %s: %s", path, strerror(errno));
    }
    return fd;
}

/* ---- Clients -------------------------------------------------------------------------------- */

static void drop_client(struct client *client)
{
    if (client->socket >= 0) {
        close(client->socket);
    }
    free(client->stream.room);
    *client = (struct client){.socket = -1};
}

static void accept_client(struct server *self)
{
    int fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (unsigned i = 0; i < CLIENTS && fd >= 0; i++) {
        struct client *client = &self->clients[i];
        if (client->socket < 0 && (client->stream.room = malloc(ROOM)) != NULL) {
            client->socket = fd;
            return;
        }
    }
    if (fd >= 0) {
        close(fd); /* all places are taken */
    }
}

/* Answers the half of a handshake that wants an answer (farsightsec/fstrm, "control.h"). ACCEPT names
 * the content type, without which unbound and others do not go on. */
static void answer(const struct client *client, uint32_t control)
{
    static const char type[] = "protobuf:dnstap.Dnstap";
    enum { HEAD = 12, FIELD = 8, TYPE = sizeof type - 1 };
    uint8_t reply[HEAD + FIELD + TYPE] = {0};
    bool accepts = control == DNSTAP_READY;
    if (!accepts && control != DNSTAP_STOP) {
        return;
    }
    reply[7] = accepts ? 4 + FIELD + TYPE : 4;
    reply[11] = accepts ? DNSTAP_ACCEPT : DNSTAP_FINISH;
    reply[HEAD + 3] = 1; /* a content type */
    reply[HEAD + 7] = TYPE;
    memcpy(reply + HEAD + FIELD, type, TYPE);
    if (send(client->socket, reply, accepts ? sizeof reply : HEAD, MSG_NOSIGNAL) < 0) {
        return; /* its end will be seen when it is read from */
    }
}

static void count_error(struct server *self)
{
    atomic_fetch_add_explicit(&self->seat.input->errors, 1, memory_order_relaxed);
}

static void show(struct server *self, struct span frame)
{
    struct handler_event event;
    if (!dnstap_event(frame, intake_source_now(), &event)) {
        count_error(self);
    } else if (policy_filter_takes(self->seat.input, &event)) {
        intake_event(self->seat.intake, self->seat.input, &event);
    }
}

/* Works off whole frames; false when this is no such stream. */
static bool take_frames(struct server *self, struct client *client)
{
    struct span frame;
    uint32_t control;
    enum dnstap_frame kind;
    do {
        kind = dnstap_take(&client->stream, &frame, &control);
        if (kind == DNSTAP_DATA) {
            show(self, frame);
        } else if (kind == DNSTAP_CONTROL) {
            answer(client, control);
        }
    } while (kind == DNSTAP_DATA || kind == DNSTAP_CONTROL);
    return kind == DNSTAP_MORE;
}

static void read_client(struct server *self, struct client *client)
{
    struct dnstap_stream *s = &client->stream;
    ssize_t got = recv(client->socket, s->room + s->used, ROOM - s->used, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    s->used += got > 0 ? (size_t)got : 0;
    bool is_sound = got > 0 ? take_frames(self, client) : s->used == 0; /* not within a frame */
    if (!is_sound) {
        count_error(self);
    }
    if (got <= 0 || !is_sound) {
        drop_client(client);
    }
}

/* ---- The source ----------------------------------------------------------------------------- */

static void server_turn(void *source)
{
    struct server *self = source;
    struct pollfd polled[CLIENTS + 1] = {{.fd = self->listener, .events = POLLIN}};
    for (unsigned i = 0; i < CLIENTS; i++) {
        polled[i + 1] = (struct pollfd){.fd = self->clients[i].socket, .events = POLLIN};
    }
    int ready = poll(polled, CLIENTS + 1, INTAKE_TURN_MS);
    for (unsigned i = 0; i < CLIENTS && ready > 0; i++) {
        if (polled[i + 1].revents != 0) {
            read_client(self, &self->clients[i]);
        }
    }
    if (ready > 0 && polled[0].revents != 0) {
        accept_client(self);
    }
}

static void server_close(void *source)
{
    struct server *self = source;
    for (unsigned i = 0; i < CLIENTS; i++) {
        drop_client(&self->clients[i]);
    }
    if (self->listener >= 0) {
        close(self->listener);
    }
    if (self->path != NULL) {
        unlink(self->path);
    }
    free(self);
}

static void *server_open(const struct intake_seat *seat, struct err *err)
{
    const struct tree *tcp = tree_get(&seat->input->config, "tcp");
    const struct tree *path = tree_get(&seat->input->config, "socket");
    struct server *self = calloc(1, sizeof *self);
    if (self == NULL) {
        err_set(err, ERR_FAILED, "out of memory");
        return NULL;
    }
    self->seat = *seat;
    for (unsigned i = 0; i < CLIENTS; i++) {
        self->clients[i].socket = -1;
    }
    self->listener = tcp != NULL && tcp->text != NULL     ? listen_tcp(tcp->text, err)
                     : path != NULL && path->text != NULL ? listen_path(path->text, err)
                                                          : -1;
    if (self->listener < 0) {
        server_close(self);
        return NULL;
    }
    self->path = tcp == NULL && path != NULL ? path->text : NULL;
    return self;
}

const struct intake_source dnstap_server = {
    .open = server_open,
    .turn = server_turn,
    .close = server_close,
};
