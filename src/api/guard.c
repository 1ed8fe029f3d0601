// SPDX-License-Identifier: Apache-2.0
#include "api/guard.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/listener.h"

bool guard_init(struct guard *guard, const char *listen_text, const char *token)
{
    char port[8];
    *guard = (struct guard){0};
    int written = snprintf(guard->token, sizeof(guard->token), "%s", token);
    return listener_split(listen_text, guard->host, port) && written >= 0 &&
           (size_t)written < sizeof(guard->token);
}

static bool is_address(const char *host)
{
    uint8_t bytes[16];
    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool is_localhost(const char *host)
{
    static const char suffix[] = ".localhost"; /* RFC 6761 section 6.3: always loopback */
    size_t size = strlen(host);
    size_t tail = sizeof(suffix) - 1;
    return strcasecmp(host, "localhost") == 0 ||
           (size > tail && strcasecmp(host + size - tail, suffix) == 0);
}

/* A rebinding page comes under its own DNS name: an address in Host cannot be one. */
static bool host_is_ours(const struct guard *guard, const char *host)
{
    return is_address(host) || is_localhost(host) || strcasecmp(host, guard->host) == 0;
}

/* Whether `origin` (RFC 6454 section 7) is a page that came from this very host and port. */
static bool origin_is_host(const char *origin, const char *host)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (unsigned i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t size = strlen(schemes[i]);
        if (strncmp(origin, schemes[i], size) == 0) {
            return strcasecmp(origin + size, host) == 0;
        }
    }
    return false;
}

bool guard_trusts(const struct guard *guard, const struct guard_request *request, const char **why)
{
    if (request->host == NULL) {
        *why = "a Host header is missing";
        /* HTTP/1.0 has none, and no browser speaks it. */
        return request->origin == NULL && strcmp(request->version, "HTTP/1.0") == 0;
    }
    char name[256];
    char port[8];
    if (!listener_split(request->host, name, port)) {
        *why = "the Host header is not HOST or HOST:PORT";
        return false;
    }
    if (guard->token[0] == '\0' && !host_is_ours(guard, name)) {
        *why = "this host name is not the agent's: ask by address or as localhost, or set api.token"
               " to allow other names";
        return false;
    }
    if (request->origin != NULL && !origin_is_host(request->origin, request->host)) {
        *why = "pages of other origins may not ask this agent: open its own page";
        return false;
    }
    return true;
}

bool guard_admits(const struct guard *guard, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    if (guard->token[0] == '\0') {
        return true;
    }
    if (authorization == NULL || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0) {
        return false;
    }
    /* Every byte of the room is compared, padding too, whatever was given. */
    char given[GUARD_TOKEN_MAX + 1] = {0};
    strncpy(given, authorization + sizeof(scheme) - 1, GUARD_TOKEN_MAX);
    unsigned difference = 0;
    for (unsigned i = 0; i < GUARD_TOKEN_MAX; i++) {
        difference |= (unsigned char)given[i] ^ (unsigned char)guard->token[i];
    }
    return difference == 0;
}
