// SPDX-License-Identifier: Apache-2.0
#include "sink/push_http.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "sink/transfer.h"

enum { ANSWER_MAX = 64 << 10, LINE_ROOM = 4096 };

struct push_http {
    const struct sink_cluster *cluster;
    const _Atomic bool *stop;
    CURL *curl;
    struct curl_slist *headers;
    struct json answer;
    int64_t pause_ns;
    char error[CURL_ERROR_SIZE];
};

/* What is beyond the bound is read and forgotten: the status is what counts. */
static size_t on_bytes(char *data, size_t size, size_t count, void *of)
{
    struct push_http *http = of;
    size_t room = ANSWER_MAX - http->answer.size;
    json_append(&http->answer, data, size * count < room ? size * count : room);
    return size * count;
}

static void add_header(struct push_http *http, const char *name, const char *value)
{
    char line[LINE_ROOM];
    if (value != NULL && value[0] != '\0') {
        snprintf(line, sizeof line, "%s%s", name, value);
        http->headers = curl_slist_append(http->headers, line);
    }
}

static void set_headers(struct push_http *http, const struct push_options *options)
{
    add_header(http, "Content-Type: ", options->content_type);
    add_header(http, "Content-Encoding: ", options->encoding);
    add_header(http, "", options->header);
    add_header(http, "User-Agent: vantage/", VANTAGE_VERSION);
    add_header(http, "Authorization: Bearer ", options->push->token);
    add_header(http, "", "Expect:"); /* no round trip more for a large body */
    for (size_t i = 0; i < http->cluster->headers.count; i++) {
        add_header(http, "", http->cluster->headers.items[i]);
    }
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, http->headers);
}

static void set_options(struct push_http *http, const char *url)
{
    CURL *curl = http->curl;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    transfer_prepare(curl, http->cluster, http->stop);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
}

struct push_http *push_http_new(const struct push_options *options, const _Atomic bool *stop,
                                struct err *err)
{
    struct push_http *http = calloc(1, sizeof *http);
    if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0 ||
        (http->curl = curl_easy_init()) == NULL) {
        err_set(err, ERR_FAILED, "no memory for the output %s", options->output);
        free(http);
        return NULL;
    }
    http->cluster = options->cluster;
    http->stop = stop;
    json_init(&http->answer);
    set_options(http, options->push->url);
    set_headers(http, options);
    return http;
}

void push_http_free(struct push_http *http)
{
    if (http != NULL) {
        curl_easy_cleanup(http->curl);
        curl_slist_free_all(http->headers);
        json_done(&http->answer);
        free(http);
    }
}

long push_http_post(struct push_http *http, struct span body)
{
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, (const char *)body.data);
    curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    json_reset(&http->answer);
    http->error[0] = '\0';
    http->pause_ns = 0;
    long status = 0;
    CURLcode code = curl_easy_perform(http->curl);
    if (code == CURLE_OK) {
        curl_off_t seconds = 0; /* curl reads both forms, a number and a date */
        curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &seconds);
        http->pause_ns = seconds > 0 ? (int64_t)seconds * 1000000000 : 0;
    } else if (http->error[0] == '\0') {
        snprintf(http->error, sizeof http->error, "%s", curl_easy_strerror(code));
    }
    return status;
}

struct span push_http_answer(const struct push_http *http)
{
    return span_of(http->answer.data, http->answer.size);
}

const char *push_http_error(const struct push_http *http)
{
    return http->error;
}

int64_t push_http_pause(const struct push_http *http)
{
    return http->pause_ns;
}
