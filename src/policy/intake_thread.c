// SPDX-License-Identifier: Apache-2.0
#include "policy/intake_thread.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "policy/dnstap.h"
#include "policy/policy_core.h"

#define SECOND_NS UINT64_C(1000000000)

enum { CLIENTS = 16, ROOM = 2 * DNSTAP_FRAME_MAX, POLL_MS = 100, BACKLOG = 8 };

/* Who tells DNS messages: a stream of frames that begins to make sense at its front. */
struct client {
    int socket; /* -1: none */
    uint8_t *room;
    size_t used;
};

struct intake_thread {
    pthread_t thread;
    struct intake *intake;
    struct policy_input *input;
    uint32_t slot;
    int listener;
    const char *path; /* of a Unix socket, to be removed; NULL: none */
    _Atomic bool stop;
    uint64_t second;
    struct client clients[CLIENTS];
};

uint32_t intake_thread_slot(const struct intake_thread *thread)
{
    return thread->slot;
}

static uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * SECOND_NS + (uint64_t)t.tv_nsec;
}

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
    free(client->room);
    *client = (struct client){.socket = -1};
}

static void accept_client(struct intake_thread *self)
{
    int fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    for (unsigned i = 0; i < CLIENTS && fd >= 0; i++) {
        struct client *client = &self->clients[i];
        if (client->socket < 0 && (client->room = malloc(ROOM)) != NULL) {
            client->socket = fd;
            client->used = 0;
            return;
        }
    }
    if (fd >= 0) {
        close(fd); /* all places are taken */
    }
}

/* Answers the half of a handshake that wants an answer. */
static void answer(const struct client *client, uint32_t control)
{
    uint8_t reply[12] = {0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0};
    reply[11] = control == DNSTAP_READY ? DNSTAP_ACCEPT : control == DNSTAP_STOP ? DNSTAP_FINISH : 0;
    if (reply[11] != 0 && send(client->socket, reply, sizeof reply, MSG_NOSIGNAL) < 0) {
        return; /* its end will be seen when it is read from */
    }
}

static void show(struct intake_thread *self, struct span frame)
{
    struct handler_event event;
    if (!dnstap_event(frame, clock_ns(), &event)) {
        atomic_fetch_add_explicit(&self->input->errors, 1, memory_order_relaxed);
    } else if (policy_input_takes(self->input, &event)) {
        intake_event(self->intake, self->input, &event);
    }
}

/* Works off whole frames; false when this is no such stream. */
static bool take_frames(struct intake_thread *self, struct client *client)
{
    struct span left = span_of(client->room, client->used);
    for (;;) {
        size_t size;
        uint32_t control;
        struct span frame;
        enum dnstap_frame kind = dnstap_next(left, &size, &frame, &control);
        if (kind == DNSTAP_MORE || kind == DNSTAP_BAD) {
            memmove(client->room, left.data, left.size);
            client->used = left.size;
            return kind == DNSTAP_MORE;
        }
        if (kind == DNSTAP_DATA) {
            show(self, frame);
        } else {
            answer(client, control);
        }
        left = span_skip(left, size);
    }
}

static void read_client(struct intake_thread *self, struct client *client)
{
    ssize_t got = recv(client->socket, client->room + client->used, ROOM - client->used, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    client->used += got > 0 ? (size_t)got : 0;
    if (got <= 0 || !take_frames(self, client)) {
        drop_client(client);
    }
}

/* ---- The thread ----------------------------------------------------------------------------- */

static void turn(struct intake_thread *self)
{
    struct pollfd polled[CLIENTS + 1] = {{.fd = self->listener, .events = POLLIN}};
    for (unsigned i = 0; i < CLIENTS; i++) {
        polled[i + 1] = (struct pollfd){.fd = self->clients[i].socket, .events = POLLIN};
    }
    int ready = poll(polled, CLIENTS + 1, POLL_MS);
    intake_poll(self->intake);
    for (unsigned i = 0; i < CLIENTS && ready > 0; i++) {
        if (polled[i + 1].revents != 0) {
            read_client(self, &self->clients[i]);
        }
    }
    if (ready > 0 && polled[0].revents != 0) {
        accept_client(self);
    }
    uint64_t now = clock_ns();
    if (now / SECOND_NS != self->second) {
        self->second = now / SECOND_NS;
        intake_flush(self->intake, now);
    }
}

static void *work(void *argument)
{
    struct intake_thread *self = argument;
    while (!atomic_load_explicit(&self->stop, memory_order_relaxed)) {
        turn(self);
    }
    intake_end(self->intake);
    return NULL;
}

static uint32_t free_slot(const struct policies *set)
{
    for (uint32_t slot = set->options.slots; slot < POLICY_SLOTS; slot++) {
        bool is_taken = false;
        for (const struct policy_input *i = set->inputs; i != NULL; i = i->next) {
            is_taken |= i->thread != NULL && i->thread->slot == slot;
        }
        if (!is_taken) {
            return slot;
        }
    }
    return POLICY_SLOTS;
}

static void thread_free(struct intake_thread *self)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        drop_client(&self->clients[i]);
    }
    if (self->listener >= 0) {
        close(self->listener);
    }
    if (self->path != NULL) {
        unlink(self->path);
    }
    intake_free(self->intake);
    free(self);
}

static bool begin(struct policies *set, struct intake_thread *self, struct err *err)
{
    const struct tree *tcp = tree_get(&self->input->config, "tcp");
    const struct tree *path = tree_get(&self->input->config, "socket");
    self->listener = -1;
    for (unsigned i = 0; i < CLIENTS; i++) {
        self->clients[i].socket = -1;
    }
    self->slot = free_slot(set);
    self->listener = tcp != NULL && tcp->text != NULL     ? listen_tcp(tcp->text, err)
                     : path != NULL && path->text != NULL ? listen_path(path->text, err)
                                                          : -1;
    self->path = tcp == NULL && path != NULL && self->listener >= 0 ? path->text : NULL;
    self->intake = self->listener >= 0 ? intake_new(set, self->slot, err) : NULL;
    if (self->intake == NULL) {
        return false;
    }
    intake_poll(self->intake);
    return pthread_create(&self->thread, NULL, work, self) == 0 ||
           err_set(err, ERR_FAILED, "no thread for the input %s", self->input->name);
}

bool intake_thread_start(struct policies *set, struct policy_input *input, struct err *err)
{
    if (input->kind != HANDLER_DNSTAP || input->thread != NULL || set->options.is_recorded ||
        set->options.is_dry || tree_get(&input->config, "dnstap_file") != NULL) {
        return true;
    }
    struct intake_thread *self = calloc(1, sizeof *self);
    if (self == NULL) {
        return err_set(err, ERR_FAILED, "out of memory");
    }
    self->input = input;
    if (!begin(set, self, err)) {
        thread_free(self);
        return false;
    }
    input->thread = self;
    return true;
}

void intake_thread_stop(struct intake_thread *self)
{
    if (self != NULL) {
        atomic_store_explicit(&self->stop, true, memory_order_relaxed);
        pthread_join(self->thread, NULL);
        thread_free(self);
    }
}
