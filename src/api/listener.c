// SPDX-License-Identifier: Apache-2.0
#include "api/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTENER_BACKLOG = 128 };

static bool copy_part(char *to, size_t room, const char *from, size_t size)
{
    if (size >= room) {
        return false;
    }
    memcpy(to, from, size);
    to[size] = '\0';
    return true;
}

bool listener_split(const char *text, char host[256], char port[8])
{
    const char *start = text;
    const char *end;
    const char *rest;
    if (*text == '[') {
        start = text + 1;
        end = strchr(start, ']');
        if (end == NULL) {
            return false;
        }
        rest = end + 1;
    } else {
        end = text + strcspn(text, ":");
        rest = end;
    }
    port[0] = '\0';
    if (*rest == ':') {
        size_t digits = strspn(rest + 1, "0123456789");
        if (rest[1 + digits] != '\0' || !copy_part(port, 8, rest + 1, digits)) {
            return false;
        }
    } else if (*rest != '\0') {
        return false;
    }
    return copy_part(host, 256, start, (size_t)(end - start));
}

/* Why bind() or listen() failed, in the user's words. */
static void explain(const char *where, int error, struct err *err)
{
    switch (error) {
    case EADDRINUSE:
        err_set(err, ERR_FAILED,
                "api.listen: %s is taken by another program (perhaps a vantage that runs already);"
                " stop it or choose another port",
                where);
        break;
    case EACCES:
        err_set(err, ERR_PERMISSION,
                "api.listen: ports below 1024 need rights that this process lacks: %s; choose a"
                " higher port",
                where);
        break;
    case EADDRNOTAVAIL:
        err_set(err, ERR_FAILED,
                "api.listen: no interface of this machine has the address of %s; 127.0.0.1 is"
                " always there",
                where);
        break;
    default:
        err_set(err, ERR_FAILED, "api.listen: cannot listen on %s: %s", where, strerror(error));
    }
}

static bool name_socket(int fd, char address[LISTENER_ADDRESS_MAX])
{
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof(bound);
    char host[INET6_ADDRSTRLEN + 16];
    char port[8];
    if (getsockname(fd, (struct sockaddr *)&bound, &size) != 0 ||
        getnameinfo((struct sockaddr *)&bound, size, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return false;
    }
    bool six = bound.ss_family == AF_INET6;
    int written = snprintf(address, LISTENER_ADDRESS_MAX, "%s%s%s:%s", six ? "[" : "", host,
                           six ? "]" : "", port);
    return written > 0 && written < LISTENER_ADDRESS_MAX;
}

static int open_on(const struct addrinfo *where, const char *listen_text, struct err *err)
{
    int fd = socket(where->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        err_set(err, ERR_FAILED, "api.listen: no socket for %s: %s", listen_text, strerror(errno));
        return -1;
    }
    /* A port whose last connections are still in TIME_WAIT is free; one with a listener is not. */
    int one = 1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(fd, where->ai_addr, where->ai_addrlen) != 0 || listen(fd, LISTENER_BACKLOG) != 0) {
        explain(listen_text, errno, err);
        close(fd);
        return -1;
    }
    return fd;
}

int listener_open(const char *listen_text, char address[LISTENER_ADDRESS_MAX], struct err *err)
{
    char host[256];
    char port[8];
    if (!listener_split(listen_text, host, port) || host[0] == '\0' || port[0] == '\0') {
        err_set(err, ERR_USAGE,
                "api.listen: \"%s\" is not ADDRESS:PORT, such as 127.0.0.1:10853 or [::1]:10853",
                listen_text);
        return -1;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(host, port, &hints, &found);
    if (failure != 0) {
        err_set(err, ERR_USAGE, "api.listen: cannot find the address of \"%s\": %s", listen_text,
                gai_strerror(failure));
        return -1;
    }
    int fd = open_on(found, listen_text, err);
    freeaddrinfo(found);
    if (fd >= 0 && !name_socket(fd, address)) {
        err_set(err, ERR_FAILED, "api.listen: cannot tell the address of %s", listen_text);
        close(fd);
        return -1;
    }
    return fd;
}
