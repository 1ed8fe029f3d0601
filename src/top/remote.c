// SPDX-License-Identifier: Apache-2.0
#include "top/remote.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/text.h"

enum {
    ANSWER_MAX = 16 << 20,
    URL_ROOM = 2048,
    TIMEOUT_MS = 10000,
    CONNECT_MS = 3000,
    HTTP_UNAUTHORIZED = 401,
};

struct question {
    CURL *curl;
    struct json answer;
    long status;
    bool is_asked;
};

struct remote {
    CURLM *multi;
    struct curl_slist *headers;
    struct question questions[REMOTE_ASKS];
    char base[URL_ROOM]; /* without a slash at its end */
    char name[URL_ROOM];
    char error[URL_ROOM + CURL_ERROR_SIZE];
    enum remote_state state;
};

/* ---- Where -------------------------------------------------------------------------------------- */

/* A part of a URL; "" when it has none. */
static void get_part(CURLU *url, CURLUPart part, char *to, size_t room)
{
    char *text = NULL;
    to[0] = '\0';
    if (curl_url_get(url, part, &text, 0) == CURLUE_OK && text != NULL) {
        snprintf(to, room, "%s", text);
    }
    curl_free(text);
}

static bool set_url(struct remote *remote, const char *text, struct err *err)
{
    char scheme[16];
    char port[16];
    char host[512];
    char path[512];
    char whole[URL_ROOM];
    snprintf(whole, sizeof whole, "%s%s", strstr(text, "://") != NULL ? "" : "http://", text);
    CURLU *url = curl_url();
    bool is_url = url != NULL && curl_url_set(url, CURLUPART_URL, whole, 0) == CURLUE_OK;
    if (is_url) {
        get_part(url, CURLUPART_SCHEME, scheme, sizeof scheme);
        get_part(url, CURLUPART_HOST, host, sizeof host);
        get_part(url, CURLUPART_PORT, port, sizeof port);
        get_part(url, CURLUPART_PATH, path, sizeof path);
    }
    curl_url_cleanup(url);
    if (!is_url || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
        return err_set(err, ERR_USAGE,
                       "'%s' is no agent's address, such as 127.0.0.1:10853 or https://agent.example/",
                       text);
    }
    size_t size = strlen(path);
    path[size > 0 && path[size - 1] == '/' ? size - 1 : size] = '\0';
    const char *fallback = strcmp(scheme, "http") == 0 ? "10853" : "443";
    const char *number = port[0] != '\0' ? port : fallback;
    snprintf(remote->base, sizeof remote->base, "%s://%s:%s%s", scheme, host, number, path);
    char name[URL_ROOM];
    snprintf(name, sizeof name, "%s:%s%s", host, number, path);
    text_printable(remote->name, sizeof remote->name, name);
    return true;
}

/* ---- Life --------------------------------------------------------------------------------------- */

static size_t on_bytes(char *data, size_t size, size_t count, void *of)
{
    struct question *question = of;
    if (question->answer.size + size * count > ANSWER_MAX) {
        return 0;
    }
    json_append(&question->answer, data, size * count);
    return question->answer.failed ? 0 : size * count;
}

static void prepare_trust(CURL *curl, const struct remote_options *options)
{
    if (options->trusts_all) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    } else if (options->authority != NULL) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, options->authority);
    }
}

static bool prepare(struct remote *remote, struct question *question,
                    const struct remote_options *options)
{
    json_init(&question->answer);
    CURL *curl = question->curl = curl_easy_init();
    if (curl == NULL) {
        return false;
    }
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, question);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, question);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, remote->headers);
    prepare_trust(curl, options);
    return true;
}

static bool has_authority(const struct remote_options *options, struct err *err)
{
    if (options->authority == NULL || access(options->authority, R_OK) == 0) {
        return true;
    }
    return err_set(err, ERR_USAGE, "%s: %s; name a file of certificates in PEM",
                   options->authority, strerror(errno));
}

struct remote *remote_new(const struct remote_options *options, struct err *err)
{
    const char *token = options->token;
    if (!has_authority(options, err)) {
        return NULL;
    }
    struct remote *remote = calloc(1, sizeof *remote);
    if (remote == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        err_set(err, ERR_FAILED, "no memory for a connection");
        free(remote);
        return NULL;
    }
    char line[URL_ROOM];
    if (token != NULL && token[0] != '\0') {
        snprintf(line, sizeof line, "Authorization: Bearer %s", token);
        remote->headers = curl_slist_append(NULL, line);
    }
    remote->multi = curl_multi_init();
    bool is_ready = remote->multi != NULL && set_url(remote, options->url, err);
    for (size_t i = 0; i < REMOTE_ASKS && is_ready; i++) {
        is_ready = prepare(remote, &remote->questions[i], options);
    }
    if (!is_ready) {
        err_set(err, ERR_FAILED, "no memory for a connection");
        remote_free(remote);
        return NULL;
    }
    return remote;
}

static void end_round(struct remote *remote)
{
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        struct question *question = &remote->questions[i];
        if (question->is_asked) {
            curl_multi_remove_handle(remote->multi, question->curl);
            question->is_asked = false;
        }
    }
}

void remote_free(struct remote *remote)
{
    if (remote == NULL) {
        return;
    }
    end_round(remote);
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        if (remote->questions[i].curl != NULL) {
            curl_easy_cleanup(remote->questions[i].curl);
        }
        json_done(&remote->questions[i].answer);
    }
    curl_multi_cleanup(remote->multi);
    curl_slist_free_all(remote->headers);
    curl_global_cleanup();
    free(remote);
}

/* ---- Rounds ------------------------------------------------------------------------------------- */

void remote_begin(struct remote *remote, const char *const paths[REMOTE_ASKS])
{
    end_round(remote);
    for (size_t i = 0; i < REMOTE_ASKS; i++) {
        struct question *question = &remote->questions[i];
        json_reset(&question->answer);
        question->status = 0;
        if (paths[i] != NULL) {
            char url[2 * URL_ROOM];
            snprintf(url, sizeof url, "%s%s", remote->base, paths[i]);
            curl_easy_setopt(question->curl, CURLOPT_URL, url);
            question->is_asked = curl_multi_add_handle(remote->multi, question->curl) == CURLM_OK;
        }
    }
    remote->state = REMOTE_BUSY;
}

/* Why a question has no answer. */
static void note_failure(struct remote *remote, CURLcode code)
{
    remote->state = REMOTE_FAILED;
    snprintf(remote->error, sizeof remote->error, "%s: %s%s", remote->name, curl_easy_strerror(code),
             code == CURLE_PEER_FAILED_VERIFICATION
                 ? "; --ca FILE names certificates that are trusted, --tls-noverify trusts all"
                 : "");
}

static void note_answer(struct remote *remote, CURL *curl, CURLcode code)
{
    struct question *question = NULL;
    curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&question);
    if (code != CURLE_OK) {
        note_failure(remote, code);
        return;
    }
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &question->status);
    if (question->status == HTTP_UNAUTHORIZED) {
        remote->state = REMOTE_FAILED;
        snprintf(remote->error, sizeof remote->error,
                 "%s: it asks for a token: --token, or VANTAGE_TOKEN in the environment",
                 remote->name);
    }
}

enum remote_state remote_wait(struct remote *remote, int fd, unsigned ms)
{
    struct curl_waitfd keyboard = {.fd = fd, .events = CURL_WAIT_POLLIN};
    int running = 0;
    int left = 0;
    curl_multi_poll(remote->multi, &keyboard, fd >= 0 ? 1 : 0, (int)ms, NULL);
    curl_multi_perform(remote->multi, &running);
    for (CURLMsg *message; (message = curl_multi_info_read(remote->multi, &left)) != NULL;) {
        if (message->msg == CURLMSG_DONE && remote->state == REMOTE_BUSY) {
            note_answer(remote, message->easy_handle, message->data.result);
        }
    }
    if (remote->state == REMOTE_BUSY && running == 0) {
        remote->state = REMOTE_DONE;
    }
    if (remote->state != REMOTE_BUSY) {
        end_round(remote);
    }
    return remote->state;
}

struct span remote_body(const struct remote *remote, enum remote_ask ask)
{
    const struct question *question = &remote->questions[ask];
    return span_of(question->answer.data, question->answer.size);
}

long remote_status(const struct remote *remote, enum remote_ask ask)
{
    return remote->questions[ask].status;
}

const char *remote_name(const struct remote *remote)
{
    return remote->name;
}

const char *remote_error(const struct remote *remote)
{
    return remote->error;
}
