// SPDX-License-Identifier: Apache-2.0
#include "api/pktvisor.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "api/get_health.h"
#include "api/parameters.h"
#include "policy/policy.h"

enum { NAME_MAX_SIZE = 160 };

static const char prefix[] = "/api/v1/";

static bool is_method(const struct exchange *x, const char *method)
{
    return strcmp(x->method, method) == 0;
}

static bool is_get(const struct exchange *x)
{
    return is_method(x, MHD_HTTP_METHOD_GET) || is_method(x, MHD_HTTP_METHOD_HEAD);
}

/* The part of the path behind "/api/v1/WORD", which is empty or begins with a slash; NULL when the
 * path is another one. */
static const char *behind(const struct exchange *x, const char *word)
{
    size_t size = strlen(word);
    if (strncmp(x->path, prefix, sizeof prefix - 1) != 0 ||
        strncmp(x->path + sizeof prefix - 1, word, size) != 0) {
        return NULL;
    }
    const char *rest = x->path + sizeof prefix - 1 + size;
    return *rest == '\0' || *rest == '/' ? rest : NULL;
}

bool pktvisor_serves(const struct exchange *x)
{
    const struct service *s = x->service;
    if (s->policies == NULL) {
        return false;
    }
    if (strcmp(x->path, "/metrics") == 0) {
        return s->pktvisor.is_only;
    }
    return behind(x, "policies") != NULL || behind(x, "taps") != NULL ||
           behind(x, "metrics") != NULL || behind(x, "sketches") != NULL || (behind(x, "server") != NULL && s->pktvisor.admin);
}

bool pktvisor_wants_body(const struct exchange *x)
{
    return pktvisor_serves(x) && x->service->pktvisor.admin &&
           is_method(x, MHD_HTTP_METHOD_POST);
}

static void refuse_path(struct exchange *x)
{
    exchange_refuse(x, MHD_HTTP_NOT_FOUND, "no such path");
}

/* Replies with {"error": text}, as pktvisor does. */
static void refuse(struct exchange *x, unsigned status, const char *text)
{
    exchange_refuse(x, status, "%s", text);
    x->type = "text/json";
}

/* Takes "/NAME" off the front of `rest`; false when there is no such name. */
static bool take_name(const char **rest, char name[NAME_MAX_SIZE])
{
    const char *from = *rest + 1;
    size_t size = strcspn(from, "/");
    if (**rest != '/' || size == 0 || size >= NAME_MAX_SIZE ||
        !(isalpha((unsigned char)*from) || *from == '_')) {
        return false;
    }
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)from[i]) && from[i] != '_' && from[i] != '-') {
            return false;
        }
    }
    snprintf(name, NAME_MAX_SIZE, "%.*s", (int)size, from);
    *rest = from + size;
    return true;
}

/* Reads "/bucket/N" or "/window/N", all of it. */
static bool read_period(const char *rest, enum policies_period *period, uint64_t *number)
{
    static const char *const words[] = {"/bucket/", "/window/"};
    for (unsigned i = 0; i < 2; i++) {
        size_t size = strlen(words[i]);
        if (strncmp(rest, words[i], size) != 0) {
            continue;
        }
        const char *digits = rest + size;
        size_t length = strspn(digits, "0123456789");
        *period = (enum policies_period)i;
        *number = strtoull(digits, NULL, 10);
        return length > 0 && length < 10 && digits[length] == '\0';
    }
    return false;
}

/* ---- Metrics -------------------------------------------------------------------------------- */

static void get_rates(struct exchange *x)
{
    json_append(&x->body, "", 0);
    json_printf(&x->body, "{\"packets\":{\"in\":0,\"out\":0},\"warning\":\"deprecated: use 'live' "
                          "data from /api/v1/metrics/bucket/0 instead\"}");
    x->type = "text/json";
}

static void answer_metrics(struct exchange *x, const char *rest)
{
    enum policies_period period;
    uint64_t number;
    struct err err = {0};
    x->type = "text/json";
    bool is_period = is_get(x) && read_period(rest, &period, &number);
    if (is_get(x) && strcmp(rest, "/app") == 0) {
        get_health_app(x);
        x->type = "text/json";
    } else if (is_get(x) && strcmp(rest, "/rates") == 0) {
        get_rates(x);
    } else if (is_period) {
        enum policies_status status =
            policies_default_json(x->service->policies, period, number, &x->body, &err);
        if (status != POLICIES_DONE) {
            refuse(x, status == POLICIES_UNKNOWN ? MHD_HTTP_NOT_FOUND
                                                 : MHD_HTTP_INTERNAL_SERVER_ERROR, err.text);
        }
    } else {
        refuse_path(x);
    }
}

/* Prometheus text of a policy; NULL: of the default, whose absence has no words. */
static void get_prometheus(struct exchange *x, const char *name)
{
    const char *instance = x->service->pktvisor.instance;
    x->type = "text/plain";
    if (policies_prometheus(x->service->policies, name, *instance != '\0' ? instance : NULL,
                            &x->body) != POLICIES_DONE) {
        json_reset(&x->body);
        x->status = MHD_HTTP_NOT_FOUND;
        if (name != NULL) {
            json_printf(&x->body, "policy does not exists");
        }
    }
}

static void get_policy_metrics(struct exchange *x, const char *name, const char *rest)
{
    enum policies_period period;
    uint64_t number;
    struct err err = {0};
    if (strcmp(rest, "/prometheus") == 0) {
        get_prometheus(x, name);
        return;
    }
    if (!read_period(rest, &period, &number)) {
        refuse_path(x);
        return;
    }
    x->type = "text/json";
    enum policies_status status =
        policies_metrics_json(x->service->policies, name, period, number, &x->body, &err);
    if (status != POLICIES_DONE) {
        refuse(x, status == POLICIES_UNKNOWN ? MHD_HTTP_NOT_FOUND : MHD_HTTP_TOO_EARLY, err.text);
    }
}

/* ---- Sketches ------------------------------------------------------------------------------- */

struct sketch_query {
    uint64_t bucket;
    uint64_t window; /* 0: a bucket */
};

static bool read_small(const char *text, uint64_t *ret)
{
    size_t length = strspn(text, "0123456789");
    *ret = strtoull(text, NULL, 10);
    return length > 0 && length < 4 && text[length] == '\0';
}

static bool read_bucket(const char *text, void *values)
{
    return read_small(text, &((struct sketch_query *)values)->bucket);
}

static bool read_window(const char *text, void *values)
{
    uint64_t *window = &((struct sketch_query *)values)->window;
    return read_small(text, window) && *window > 1;
}

static const struct parameter sketch_parameters[] = {
    {"bucket", "the number of a minute, 0 for the one that goes on", "which minute", read_bucket},
    {"window", "how many minutes from now back, 2 or more", "several minutes as one", read_window},
    {0},
};

static void get_sketch(struct exchange *x, const char *rest)
{
    char policy[NAME_MAX_SIZE], handler[NAME_MAX_SIZE];
    struct sketch_query query = {0};
    struct err err = {0};
    if (!take_name(&rest, policy) || !take_name(&rest, handler) || *rest != '/') {
        refuse_path(x);
        return;
    }
    if (!parameters_read(x, sketch_parameters, &query)) {
        return;
    }
    struct policies_sketch wanted = {
        .policy = policy,
        .handler = handler,
        .metric = rest + 1,
        .period = query.window > 0 ? POLICIES_WINDOW : POLICIES_BUCKET,
        .number = query.window > 0 ? query.window : query.bucket,
    };
    x->type = "application/octet-stream";
    enum policies_status status = policies_sketch(x->service->policies, &wanted, &x->body, &err);
    if (status != POLICIES_DONE) {
        refuse(x, status == POLICIES_UNKNOWN ? MHD_HTTP_NOT_FOUND : MHD_HTTP_TOO_EARLY, err.text);
    }
}

static void answer_sketches(struct exchange *x, const char *rest)
{
    if (!is_get(x)) {
        refuse_path(x);
    } else if (*rest == '\0') {
        x->type = "text/json";
        policies_sketches_json(x->service->policies, &x->body);
    } else {
        get_sketch(x, rest);
    }
}

/* ---- Taps and policies ---------------------------------------------------------------------- */

/* Whether the request says that its body is YAML or JSON. */
static bool is_document(struct exchange *x)
{
    const char *type = exchange_header(x, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (type == NULL) {
        refuse(x, MHD_HTTP_BAD_REQUEST, "must include Content-Type header");
        return false;
    }
    if (strcmp(type, "application/x-yaml") != 0 && strcmp(type, "application/json") != 0) {
        refuse(x, MHD_HTTP_BAD_REQUEST, "Content-Type not supported");
        return false;
    }
    return true;
}

static void create(struct exchange *x, enum policies_part part)
{
    char name[NAME_MAX_SIZE] = "";
    struct err err = {0};
    if (!is_document(x)) {
        return;
    }
    enum policies_status status =
        policies_load_text(x->service->policies, span_of(x->request.data, x->request.size), part,
                           name, &err);
    if (status == POLICIES_DONE && !engine_follow(x->service->engine, &err)) {
        policies_drop(x->service->policies, name);
        engine_follow(x->service->engine, NULL);
        status = POLICIES_INVALID;
    }
    if (status != POLICIES_DONE) {
        refuse(x, status == POLICIES_CONFLICT    ? MHD_HTTP_CONFLICT
                  : status == POLICIES_UNMATCHED ? MHD_HTTP_UNPROCESSABLE_CONTENT
                                                 : MHD_HTTP_INTERNAL_SERVER_ERROR, err.text);
        return;
    }
    x->status = MHD_HTTP_CREATED;
    x->type = "text/json";
    if (part == POLICIES_TAP) {
        policies_tap_json(x->service->policies, name, &x->body);
    } else {
        policies_policy_json(x->service->policies, name, &x->body);
    }
}

static void drop(struct exchange *x, enum policies_part part, const char *name)
{
    struct policies *set = x->service->policies;
    enum policies_status status =
        part == POLICIES_TAP ? policies_drop_tap(set, name) : policies_drop(set, name);
    engine_follow(x->service->engine, NULL); /* which closes */
    x->type = "text/json";
    if (status == POLICIES_DONE) {
        json_object_begin(&x->body);
        json_object_end(&x->body);
    } else {
        refuse(x, MHD_HTTP_NOT_FOUND,
               part == POLICIES_TAP ? "tap does not exists" : "policy does not exists");
    }
}

static void get_one(struct exchange *x, enum policies_part part, const char *name)
{
    struct policies *set = x->service->policies;
    bool there = part == POLICIES_TAP ? policies_tap_json(set, name, &x->body)
                                      : policies_policy_json(set, name, &x->body);
    x->type = "text/json";
    if (!there) {
        refuse(x, MHD_HTTP_NOT_FOUND,
               part == POLICIES_TAP ? "tap does not exists" : "policy does not exists");
    }
}

static void answer_objects(struct exchange *x, enum policies_part part, const char *rest)
{
    char name[NAME_MAX_SIZE];
    bool admin = x->service->pktvisor.admin;
    if (*rest == '\0' && is_get(x)) {
        get_one(x, part, NULL);
        return;
    }
    if (*rest == '\0' && admin && is_method(x, MHD_HTTP_METHOD_POST)) {
        create(x, part);
        return;
    }
    bool is_named = take_name(&rest, name);
    bool is_one = is_named && *rest == '\0';
    bool has_metrics = is_named && part == POLICIES_POLICY && strncmp(rest, "/metrics/", 9) == 0;
    if (is_one && is_get(x)) {
        get_one(x, part, name);
    } else if (is_one && admin && is_method(x, MHD_HTTP_METHOD_DELETE)) {
        drop(x, part, name);
    } else if (has_metrics && is_get(x)) {
        get_policy_metrics(x, name, rest + 8);
    } else {
        refuse_path(x);
    }
}

void pktvisor_answer(struct exchange *x)
{
    const char *rest;
    if (strcmp(x->path, "/metrics") == 0) {
        get_prometheus(x, NULL);
    } else if ((rest = behind(x, "policies")) != NULL) {
        answer_objects(x, POLICIES_POLICY, rest);
    } else if ((rest = behind(x, "taps")) != NULL) {
        answer_objects(x, POLICIES_TAP, rest);
    } else if ((rest = behind(x, "metrics")) != NULL) {
        answer_metrics(x, rest);
    } else if ((rest = behind(x, "sketches")) != NULL) {
        answer_sketches(x, rest);
    } else if (is_method(x, MHD_HTTP_METHOD_DELETE)) {
        x->ends_agent = true; /* /api/v1/server */
        json_object_begin(&x->body);
        json_object_end(&x->body);
    } else {
        refuse_path(x);
    }
}
