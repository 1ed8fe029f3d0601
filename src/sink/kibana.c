// SPDX-License-Identifier: Apache-2.0
#include "sink/kibana.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/node_json.h"
#include "sink/elastic_http.h"

/* No line of JSON has a carriage return in it, so none can be taken for the end. */
#define BOUNDARY "vantage-saved-objects"

enum { PATH_ROOM = 512, TEXT_MAX = 300 };

struct import {
    struct elastic_http *http;
    struct kibana_answer *answer;
    struct json *told;
    struct err *err;
};

static void pack(struct json *body, struct span objects)
{
    static const char head[] = "--" BOUNDARY "\r\n"
                               "Content-Disposition: form-data; name=\"file\"; "
                               "filename=\"vantage.ndjson\"\r\n"
                               "Content-Type: application/x-ndjson\r\n\r\n";
    static const char tail[] = "\r\n--" BOUNDARY "--\r\n";
    json_append(body, head, sizeof head - 1);
    json_append(body, objects.data, objects.size);
    json_append(body, tail, sizeof tail - 1);
}

static const char *text_of(const struct node *map, const char *path, int *size)
{
    const struct node *node = map != NULL ? node_find(map, span_str(path)) : NULL;
    bool is_text = node != NULL && node_is_scalar(node);
    *size = !is_text ? 0 : node->text.size < TEXT_MAX ? (int)node->text.size : TEXT_MAX;
    return is_text ? (const char *)node->text.data : "";
}

/* What to do about a status. */
static const char *remedy(long status)
{
    switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return "it sends elsewhere: setup.kibana.host, protocol and path are to name Kibana itself";
    case 401:
        return "it does not know the user: set setup.kibana.username and password, or api_key";
    case 403:
        return "the user may not write saved objects there: give him Kibana's rights, or another "
               "setup.kibana.space.id";
    case 404:
        return "there is no Kibana at that place: look at setup.kibana.path and space.id";
    case 413:
        return "it takes no request of that size: raise savedObjects.maxImportPayloadBytes there";
    default:
        return "look at Kibana's log";
    }
}

static bool refuse(struct import *import, long status, const struct node *answer)
{
    int size;
    const char *text = text_of(answer, "message", &size);
    import->answer->is_away = status == 502 || status == 503 || status == 504;
    return err_set(import->err, ERR_FAILED, "%s: status %ld%s%.*s (%s)",
                   elastic_http_host(import->http), status, size > 0 ? ", " : "", size, text,
                   import->answer->is_away ? "it is not ready yet: try again, or set "
                                             "setup.dashboards.retry.enabled"
                                           : remedy(status));
}

/* A line for an object that was not taken. */
static void tell(struct import *import, const struct node *fault)
{
    int type, id, kind, text;
    const char *type_text = text_of(fault, "type", &type);
    const char *id_text = text_of(fault, "id", &id);
    const char *kind_text = text_of(fault, "error.type", &kind);
    const char *more = text_of(fault, "error.message", &text);
    json_printf(import->told, "%.*s %.*s: %.*s%s%.*s", type, type_text, id, id_text, kind, kind_text,
                text > 0 ? ", " : "", text, more);
    const struct node *missing = node_find(fault, span_str("error.references"));
    for (const struct node *r = missing != NULL ? missing->first : NULL; r != NULL; r = r->next) {
        type_text = text_of(r, "type", &type);
        id_text = text_of(r, "id", &id);
        json_printf(import->told, ", %.*s %.*s", type, type_text, id, id_text);
    }
    json_append(import->told, "\n", 1);
}

/* All but the lines of faults. */
static bool judge(struct import *import, const struct node *answer)
{
    const struct node *success = answer != NULL ? node_member(answer, span_str("success")) : NULL;
    if (success == NULL) {
        return err_set(import->err, ERR_FAILED, "%s: what answers is no Kibana: look at "
                       "setup.kibana.host and path", elastic_http_host(import->http));
    }
    int size;
    const char *count = text_of(answer, "successCount", &size);
    char number[16] = "";
    snprintf(number, sizeof number, "%.*s", size, count);
    import->answer->taken = (unsigned)strtoul(number, NULL, 10);
    const struct node *faults = node_member(answer, span_str("errors"));
    unsigned refused = 0;
    for (const struct node *f = faults != NULL ? faults->first : NULL; f != NULL; f = f->next) {
        tell(import, f);
        refused++;
    }
    return node_is(success, "true") ||
           err_set(import->err, ERR_FAILED, "%s: of %u saved objects %u %s not taken:",
                   elastic_http_host(import->http), refused + import->answer->taken, refused,
                   refused == 1 ? "is" : "are");
}

static bool bring(struct import *import, const char *path, struct span objects)
{
    struct json body;
    json_init(&body);
    pack(&body, objects);
    long status = elastic_http_send(import->http, "POST", path,
                                    "multipart/form-data; boundary=" BOUNDARY,
                                    span_of(body.data, body.size));
    json_done(&body);
    if (status == 0) {
        import->answer->is_away = true;
        return err_set(import->err, ERR_FAILED, "no Kibana at %s: %s (setup.kibana.host names it; "
                       "'vantage packetbeat export dashboard' prints what can be imported by hand)",
                       elastic_http_host(import->http), elastic_http_error(import->http));
    }
    struct nodes scratch = {0};
    const struct node *answer = node_json_parse(&scratch, elastic_http_answer(import->http));
    bool is_good = status == 200 ? judge(import, answer) : refuse(import, status, answer);
    node_done(&scratch);
    return is_good;
}

bool kibana_import(const struct sink_cluster *kibana, const char *space, struct span objects,
                   struct kibana_answer *ret, struct json *told, struct err *err)
{
    static const _Atomic bool never = false;
    char path[PATH_ROOM];
    *ret = (struct kibana_answer){0};
    snprintf(path, sizeof path, "%s%s/api/saved_objects/_import?overwrite=true",
             space[0] != '\0' ? "/s/" : "", space);
    struct elastic_http *http = elastic_http_new(kibana, &never, err);
    if (http == NULL) {
        return false;
    }
    struct import import = {.http = http, .answer = ret, .told = told, .err = err};
    bool is_good = bring(&import, path, objects);
    elastic_http_free(http);
    return is_good;
}
