// SPDX-License-Identifier: Apache-2.0
#include "api/api.h"

#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/listener.h"
#include "api/pktvisor.h"
#include "api/routes.h"
#include "api/stream.h"

enum { API_THREADS = 2, SECRET_MAX = 256 << 10 };

struct api {
    struct service service;
    struct MHD_Daemon *daemon;
    pthread_mutex_t searching;
    char address[LISTENER_ADDRESS_MAX];
    char *certificate, *key; /* PEM; NULL: no TLS */
};

/* Refuses before the body comes; nothing more is read from this client. */
static enum MHD_Result refuse_body(struct exchange *x)
{
    exchange_refuse(x, MHD_HTTP_CONTENT_TOO_LARGE, "a body is not read here: use GET without one");
    exchange_add_header(x, "Connection", "close");
    return exchange_send(x);
}

/* The longest body that a request may have. */
static size_t most_of(const struct exchange *x)
{
    return pktvisor_wants_body(x) ? PKTVISOR_BODY_MAX : API_BODY_MAX;
}

static bool announces_too_much(const struct exchange *x)
{
    const char *length = exchange_header(x, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length != NULL && strtoull(length, NULL, 10) > most_of(x);
}

/* The server calls once when the headers have come, once for each piece of a body, and once more at
 * the end, which is when the reply is made; *state carries the exchange from call to call. Its
 * parameters are the library's: NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *body, size_t *body_size, void **state)
{
    struct exchange *x = *state;
    if (x == NULL) {
        *state = x = exchange_new(context, connection, method, path, version);
        return x == NULL ? MHD_NO : announces_too_much(x) ? refuse_body(x) : MHD_YES;
    }
    if (*body_size > 0) {
        x->body_size += *body_size;
        if (pktvisor_wants_body(x) && x->body_size <= PKTVISOR_BODY_MAX) {
            json_append(&x->request, body, *body_size);
        }
        *body_size = 0;
        return x->body_size <= most_of(x) ? MHD_YES : MHD_NO; /* too much: the connection ends */
    }
    routes_answer(x);
    return exchange_send(x);
}

static void on_done(void *context, struct MHD_Connection *connection, void **state,
                    enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *state;
    bool ends_agent = x != NULL && x->ends_agent;
    exchange_free(x);
    *state = NULL;
    if (ends_agent) {
        kill(getpid(), SIGTERM);
    }
}

/* A text file, whole, to be freed. */
static char *read_text(const char *path, struct err *err)
{
    char *text = calloc(1, SECRET_MAX + 1);
    FILE *file = fopen(path, "re");
    size_t size = file != NULL && text != NULL ? fread(text, 1, SECRET_MAX, file) : 0;
    if (size == 0) {
        err_set(err, ERR_FAILED, "api: %s: %s", path, file == NULL ? strerror(errno) : "it is empty");
        free(text);
        text = NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

/* Certificate and key; true without where there is to be no TLS. */
static bool read_secrets(struct api *api, const struct config_api *config, struct err *err)
{
    if (config->certificate_file == NULL || config->certificate_file[0] == '\0') {
        return true;
    }
    api->certificate = read_text(config->certificate_file, err);
    api->key = read_text(config->key_file, err);
    return api->certificate != NULL && api->key != NULL;
}

static void api_free(struct api *api)
{
    free(api->certificate);
    if (api->key != NULL) {
        explicit_bzero(api->key, strlen(api->key));
    }
    free(api->key);
    pthread_mutex_destroy(&api->searching);
    free(api);
}

static struct MHD_Daemon *start_server(struct api *api, int listener)
{
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem secrets[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, api->key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, api->certificate},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    flags |= api->key != NULL ? MHD_USE_TLS : 0;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, &api->service,
        MHD_OPTION_LISTEN_SOCKET, listener,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)API_THREADS,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)API_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)API_IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)API_REQUEST_MAX,
        MHD_OPTION_NOTIFY_COMPLETED, on_done, NULL,
        MHD_OPTION_ARRAY, api->key != NULL ? secrets : none,
        MHD_OPTION_END);
}

/* Starts both halves with all signals blocked, so that only the threads of main() get them. */
static bool start_threads(struct api *api, struct engine *engine, int listener, struct err *err)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    api->service.engine = engine;
    api->service.stream = stream_new(engine, API_STREAMS_MAX, err);
    if (api->service.stream != NULL) {
        api->daemon = start_server(api, listener);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return api->daemon != NULL;
}

struct api *api_start(struct engine *engine, const struct config *config, struct err *err)
{
    struct api *api = calloc(1, sizeof(*api));
    if (api == NULL) {
        err_set(err, ERR_FAILED, "api: out of memory");
        return NULL;
    }
    pthread_mutex_init(&api->searching, NULL);
    api->service.searching = &api->searching;
    api->service.policies = engine_policies(engine);
    api->service.pktvisor = config->pktvisor;
    api->service.beat = config->beat;
    if (!guard_init(&api->service.guard, config->api.listen, config->api.token)) {
        err_set(err, ERR_USAGE, "api: api.listen or api.token is too long: a token has at most %d"
                " characters", GUARD_TOKEN_MAX - 1);
        api_free(api);
        return NULL;
    }
    if (!read_secrets(api, &config->api, err)) {
        api_free(api);
        return NULL;
    }
    int listener = listener_open(config->api.listen, api->address, err);
    if (listener < 0) {
        api_free(api);
        return NULL;
    }
    if (!start_threads(api, engine, listener, err)) {
        err_set(err, ERR_FAILED, "api: the server does not start on %s: %s%s%s", api->address,
                api->key != NULL ? "no certificate in PEM in " : "no threads or no memory",
                api->key != NULL ? config->api.certificate_file : "",
                api->key != NULL ? ", or not the key to it, or no TLS in libmicrohttpd" : "");
        close(listener);
        stream_free(api->service.stream);
        api_free(api);
        return NULL;
    }
    return api;
}

void api_stop(struct api *api)
{
    if (api == NULL) {
        return;
    }
    stream_close(api->service.stream);
    MHD_stop_daemon(api->daemon); /* closes the listener, too */
    stream_free(api->service.stream);
    api_free(api);
}

const char *api_address(const struct api *api)
{
    return api->address;
}
