// SPDX-License-Identifier: Apache-2.0
#include "sink/elastic_http.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "sink/transfer.h"

enum { URL_ROOM = 2048, ANSWER_MAX = 64 << 20, GZIP_BITS = 15 + 16, HOSTS_MAX = 32, KEY_ROOM = 1024 };

struct elastic_http {
    const struct sink_cluster *cluster;
    const _Atomic bool *stop;
    CURL *curl;
    struct json answer;
    struct json packed;
    char hosts[HOSTS_MAX][URL_ROOM];
    size_t host_count;
    uint64_t away_until[HOSTS_MAX]; /* of those that failed: until when others are asked first */
    unsigned failures[HOSTS_MAX];   /* in a row */
    size_t at;    /* the host in turn */
    size_t begun; /* the one that a round began with */
    char authorization[KEY_ROOM]; /* "" : none */
    char error[CURL_ERROR_SIZE];
};

/* ---- Options ------------------------------------------------------------------------------------ */

/* "host", "host:port" or a URL; Elasticsearch's port where none is given. */
static bool add_host(struct elastic_http *http, const char *text, struct err *err)
{
    if (http->host_count == HOSTS_MAX) {
        return err_set(err, ERR_USAGE, "hosts: more than %d", HOSTS_MAX);
    }
    const struct sink_cluster *cluster = http->cluster;
    const char *scheme = strstr(text, "://");
    const char *rest = scheme != NULL ? scheme + 3 : text;
    size_t scheme_size = scheme != NULL ? (size_t)(rest - text) : 0;
    size_t host_size = strcspn(rest, "/");
    const char *bracket = memchr(rest, ']', host_size);
    const char *from = bracket != NULL ? bracket : rest;
    bool has_port = memchr(from, ':', host_size - (size_t)(from - rest)) != NULL;
    const char *path = rest[host_size] != '\0' ? rest + host_size : cluster->path;
    size_t path_size = strlen(path);
    while (path_size > 0 && path[path_size - 1] == '/') {
        path_size--;
    }
    int size = snprintf(http->hosts[http->host_count], URL_ROOM, "%.*s%.*s%s%s%.*s",
                        scheme_size > 0 ? (int)scheme_size : (int)strlen(cluster->scheme),
                        scheme_size > 0 ? text : cluster->scheme, (int)host_size, rest,
                        has_port ? "" : ":9200", path_size > 0 && path[0] != '/' ? "/" : "",
                        (int)path_size, path);
    if (host_size == 0 || (size_t)size >= URL_ROOM) {
        return err_set(err, ERR_USAGE, "hosts: '%s' is no host such as es.example:9200", text);
    }
    http->host_count++;
    return true;
}

static size_t put_base64(char *to, size_t room, const char *text)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = strlen(text);
    size_t n = 0;
    for (size_t i = 0; i < size && n + 5 < room; i += 3) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 3; k++) {
            bits = bits << 8 | (i + k < size ? (uint8_t)text[i + k] : 0);
        }
        for (size_t k = 0; k < 4; k++) {
            bool is_pad = i + k > size;
            to[n++] = is_pad ? '=' : letters[bits >> (18 - 6 * k) & 63];
        }
    }
    to[n] = '\0';
    return n;
}

/* "id:key" is sent in base64, as it is when it has no colon: then it is that already. */
static void set_key(struct elastic_http *http)
{
    const char *key = http->cluster->api_key;
    static const char lead[] = "Authorization: ApiKey ";
    if (key[0] == '\0') {
        return;
    }
    memcpy(http->authorization, lead, sizeof lead);
    char *to = http->authorization + sizeof lead - 1;
    if (strchr(key, ':') != NULL) {
        put_base64(to, KEY_ROOM - sizeof lead, key);
    } else {
        snprintf(to, KEY_ROOM - sizeof lead, "%s", key);
    }
}

static size_t on_bytes(char *data, size_t size, size_t count, void *of)
{
    struct elastic_http *http = of;
    if (http->answer.size + size * count > ANSWER_MAX) {
        return 0;
    }
    json_append(&http->answer, data, size * count);
    return size * count;
}

static void set_options(struct elastic_http *http)
{
    CURL *curl = http->curl;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, http);
    transfer_prepare(curl, http->cluster, http->stop);
}

struct elastic_http *elastic_http_new(const struct sink_cluster *cluster, const _Atomic bool *stop,
                                      struct err *err)
{
    struct elastic_http *http = calloc(1, sizeof *http);
    if (http == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        err_set(err, ERR_FAILED, "no memory for the output elasticsearch");
        free(http);
        return NULL;
    }
    http->cluster = cluster;
    http->stop = stop;
    json_init(&http->answer);
    json_init(&http->packed);
    http->curl = curl_easy_init();
    for (size_t i = 0; i < cluster->hosts.count; i++) {
        if (!add_host(http, cluster->hosts.items[i], err)) {
            elastic_http_free(http);
            return NULL;
        }
    }
    if (http->curl == NULL || http->host_count == 0) {
        err_set(err, ERR_USAGE, "output elasticsearch: it needs hosts");
        elastic_http_free(http);
        return NULL;
    }
    set_key(http);
    set_options(http);
    return http;
}

void elastic_http_free(struct elastic_http *http)
{
    if (http != NULL) {
        if (http->curl != NULL) {
            curl_easy_cleanup(http->curl);
        }
        json_done(&http->answer);
        json_done(&http->packed);
        free(http);
    }
}

/* ---- Requests ----------------------------------------------------------------------------------- */

/* The body as gzip; as it is when it cannot be packed. */
static bool pack(struct elastic_http *http, struct span body)
{
    z_stream z = {0};
    int level = (int)http->cluster->compression;
    if (level == 0 || body.size == 0 ||
        deflateInit2(&z, level, Z_DEFLATED, GZIP_BITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    json_reset(&http->packed);
    size_t room = deflateBound(&z, (uLong)body.size);
    char *to = json_reserve(&http->packed, room);
    bool is_packed = false;
    if (to != NULL) {
        z.next_in = (uint8_t *)(uintptr_t)body.data;
        z.avail_in = (unsigned)body.size;
        z.next_out = (uint8_t *)to;
        z.avail_out = (unsigned)room;
        is_packed = deflate(&z, Z_FINISH) == Z_STREAM_END;
        http->packed.size = is_packed ? room - z.avail_out : 0;
    }
    deflateEnd(&z);
    return is_packed;
}

static struct curl_slist *headers_of(const struct elastic_http *http, const char *type,
                                     bool is_packed)
{
    char line[256];
    struct curl_slist *list = NULL;
    if (type != NULL) {
        snprintf(line, sizeof line, "Content-Type: %s", type);
        list = curl_slist_append(list, line);
    }
    if (is_packed) {
        list = curl_slist_append(list, "Content-Encoding: gzip");
    }
    if (http->authorization[0] != '\0') {
        list = curl_slist_append(list, http->authorization);
    }
    list = curl_slist_append(list, "Accept: application/json");
    list = curl_slist_append(list, "Expect:");
    for (size_t i = 0; i < http->cluster->headers.count; i++) {
        list = curl_slist_append(list, http->cluster->headers.items[i]);
    }
    return list;
}

static void set_body(struct elastic_http *http, const char *method, struct span body)
{
    bool has_body = body.data != NULL;
    curl_easy_setopt(http->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(http->curl, CURLOPT_NOBODY, strcmp(method, "HEAD") == 0 ? 1L : 0L);
    if (has_body) {
        curl_easy_setopt(http->curl, CURLOPT_POST, 1L);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDS, (const char *)body.data);
        curl_easy_setopt(http->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    } else if (strcmp(method, "HEAD") != 0) {
        curl_easy_setopt(http->curl, CURLOPT_HTTPGET, 1L);
    }
}

long elastic_http_send(struct elastic_http *http, const char *method, const char *path,
                       const char *type, struct span body)
{
    char url[URL_ROOM + 512];
    bool is_packed = pack(http, body);
    struct curl_slist *headers = headers_of(http, type, is_packed);
    snprintf(url, sizeof url, "%s%s", http->hosts[http->at], path);
    set_body(http, method, is_packed ? span_of(http->packed.data, http->packed.size) : body);
    curl_easy_setopt(http->curl, CURLOPT_URL, url);
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, headers);
    json_reset(&http->answer);
    http->error[0] = '\0';
    long status = 0;
    CURLcode code = curl_easy_perform(http->curl);
    if (code == CURLE_OK) {
        curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
    } else if (http->error[0] == '\0') {
        snprintf(http->error, sizeof http->error, "%s", curl_easy_strerror(code));
    }
    curl_easy_setopt(http->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    return status;
}

struct span elastic_http_answer(const struct elastic_http *http)
{
    return span_of(http->answer.data, http->answer.size);
}

const char *elastic_http_error(const struct elastic_http *http)
{
    return http->error;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Twice as long after each failure. */
static void note_failure(struct elastic_http *http)
{
    uint64_t longest = (uint64_t)http->cluster->backoff_max_ns;
    uint64_t pause = (uint64_t)http->cluster->backoff_ns;
    for (unsigned i = 0; i < http->failures[http->at] && pause < longest; i++) {
        pause *= 2;
    }
    http->failures[http->at]++;
    http->away_until[http->at] = now_ns() + (pause < longest ? pause : longest);
}

void elastic_http_done(struct elastic_http *http)
{
    http->failures[http->at] = 0;
    http->away_until[http->at] = 0;
    http->begun = http->at;
    if (!http->cluster->balances || http->host_count == 1) {
        return;
    }
    uint64_t now = now_ns();
    for (size_t i = 0; i < http->host_count; i++) {
        http->at = (http->at + 1) % http->host_count;
        if (http->away_until[http->at] <= now) {
            break;
        }
    }
    http->begun = http->at;
}

bool elastic_http_turn(struct elastic_http *http)
{
    note_failure(http);
    http->at = (http->at + 1) % http->host_count;
    bool is_round = http->at == http->begun;
    return is_round;
}

const char *elastic_http_host(const struct elastic_http *http)
{
    const char *host = http->hosts[http->at];
    const char *at = strchr(host, '@');
    return at != NULL ? at + 1 : host;
}
