// SPDX-License-Identifier: Apache-2.0
#include "sink/transfer.h"

#include <stdatomic.h>

static int on_progress(void *of, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const _Atomic bool *stop = of;
    return atomic_load(stop) ? 1 : 0;
}

/* The versions of TLS that may be spoken, from the lowest to the highest. */
static void set_versions(CURL *curl, const struct sink_cluster *c)
{
    static const struct {
        const char *name;
        long least, most;
    } versions[] = {
        {"TLSv1.0", CURL_SSLVERSION_TLSv1_0, CURL_SSLVERSION_MAX_TLSv1_0},
        {"TLSv1.1", CURL_SSLVERSION_TLSv1_1, CURL_SSLVERSION_MAX_TLSv1_1},
        {"TLSv1.2", CURL_SSLVERSION_TLSv1_2, CURL_SSLVERSION_MAX_TLSv1_2},
        {"TLSv1.3", CURL_SSLVERSION_TLSv1_3, CURL_SSLVERSION_MAX_TLSv1_3},
    };
    long wanted = 0;
    for (size_t i = 0; c->tls_least != NULL && i < sizeof versions / sizeof *versions; i++) {
        wanted |= strcmp(c->tls_least, versions[i].name) == 0 ? versions[i].least : 0;
        wanted |= strcmp(c->tls_most, versions[i].name) == 0 ? versions[i].most : 0;
    }
    if (wanted != 0) {
        curl_easy_setopt(curl, CURLOPT_SSLVERSION, wanted);
    }
}

static void set_identity(CURL *curl, const struct sink_cluster *c)
{
    const struct {
        CURLoption option;
        const char *value;
    } texts[] = {
        {CURLOPT_CAINFO, c->ca_file},  {CURLOPT_SSLCERT, c->certificate_file},
        {CURLOPT_SSLKEY, c->key_file}, {CURLOPT_KEYPASSWD, c->key_password},
        {CURLOPT_PROXY, c->proxy},     {CURLOPT_USERNAME, c->username},
        {CURLOPT_PASSWORD, c->password},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].value != NULL && texts[i].value[0] != '\0') {
            curl_easy_setopt(curl, texts[i].option, texts[i].value);
        }
    }
    if (c->is_direct) {
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    }
    set_versions(curl, c);
    bool is_blind = strcmp(c->verify, "none") == 0;
    bool is_named = strcmp(c->verify, "full") == 0;
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, is_blind ? 0L : 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, is_named ? 2L : 0L);
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
}

void transfer_prepare(CURL *curl, const struct sink_cluster *cluster, const _Atomic bool *stop)
{
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, (void *)stop);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(cluster->timeout_ns / 1000000));
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    set_identity(curl, cluster);
}
