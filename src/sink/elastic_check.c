// SPDX-License-Identifier: Apache-2.0
#include "sink/elastic_check.h"

#include <stdio.h>

#include "base/node_json.h"
#include "sink/elastic_http.h"
#include "sink/elastic_setup.h"

static void say(char *said, size_t size, const char *host, const char *what)
{
    size_t at = strlen(said);
    snprintf(said + at, size - at, "%s: %s\n", host, what);
}

static bool ask(struct elastic_http *http, char *said, size_t size, struct err *err)
{
    const char *host = elastic_http_host(http);
    long status = elastic_http_send(http, "GET", "/", NULL, (struct span){0});
    if (status != 200) {
        char text[64];
        snprintf(text, sizeof text, "status %ld", status);
        return err_set(err, ERR_FAILED, "%s: %s", host, status == 0 ? elastic_http_error(http) : text);
    }
    struct nodes scratch = {0};
    const struct node *answer = node_json_parse(&scratch, elastic_http_answer(http));
    const struct node *number = answer != NULL ? node_find(answer, span_str("version.number")) : NULL;
    struct span version = node_format(&scratch, "talks, version %.*s",
                                      number != NULL ? (int)number->text.size : 1,
                                      number != NULL ? (const char *)number->text.data : "?");
    say(said, size, host, (const char *)version.data);
    node_done(&scratch);
    return true;
}

bool elastic_check(const struct sink_cluster *cluster, bool sets_up, char *said, size_t said_size,
                   struct err *err)
{
    static const _Atomic bool never = false;
    char why[200] = "";
    struct elastic_http *http = elastic_http_new(cluster, &never, err);
    if (http == NULL) {
        return false;
    }
    bool is_good = true;
    if (sets_up) {
        is_good = elastic_setup(http, cluster, why, sizeof why) ||
                  err_set(err, ERR_FAILED, "%s: %s", elastic_http_host(http), why);
        say(said, said_size, elastic_http_host(http), is_good ? "template and policy are there" : why);
    } else {
        do {
            is_good = ask(http, said, said_size, err) && is_good;
        } while (!elastic_http_turn(http));
    }
    elastic_http_free(http);
    return is_good;
}
