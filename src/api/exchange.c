// SPDX-License-Identifier: Apache-2.0
#include "api/exchange.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* With every reply. The page needs nothing but itself: no inline code, no other host, no frame. */
static const char *const security_headers[][2] = {
    {"Content-Security-Policy",
     "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
     " object-src 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
};

struct exchange *exchange_new(const struct service *service, struct MHD_Connection *connection,
                              const char *method, const char *path, const char *version)
{
    struct exchange *x = calloc(1, sizeof(*x));
    if (x == NULL) {
        return NULL;
    }
    x->service = service;
    x->connection = connection;
    x->method = method;
    x->version = version;
    x->path = path;
    x->status = MHD_HTTP_OK;
    x->type = "application/json";
    json_init(&x->body);
    json_init(&x->request);
    return x;
}

void exchange_free(struct exchange *x)
{
    if (x == NULL) {
        return;
    }
    if (x->response != NULL) {
        MHD_destroy_response(x->response);
    }
    json_done(&x->body);
    json_done(&x->request);
    free(x);
}

const char *exchange_header(const struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

/* Turns the written body into a response, which takes its memory over. */
static bool seal(struct exchange *x)
{
    if (x->response != NULL) {
        return true;
    }
    if (x->body.failed) {
        return false;
    }
    x->response = MHD_create_response_from_buffer(x->body.size, x->body.data, MHD_RESPMEM_MUST_FREE);
    if (x->response == NULL) {
        return false;
    }
    json_init(&x->body);
    MHD_add_response_header(x->response, "Cache-Control", "no-store");
    return true;
}

void exchange_add_header(struct exchange *x, const char *name, const char *value)
{
    if (seal(x)) {
        MHD_add_response_header(x->response, name, value);
    }
}

void exchange_refuse(struct exchange *x, unsigned status, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    json_reset(&x->body);
    json_object_begin(&x->body);
    json_key(&x->body, "error");
    json_text(&x->body, text);
    json_object_end(&x->body);
    x->status = status;
    x->type = "application/json";
}

enum MHD_Result exchange_send(struct exchange *x)
{
    if (!seal(x)) {
        return MHD_NO; /* out of memory: the connection ends */
    }
    for (unsigned i = 0; i < sizeof(security_headers) / sizeof(security_headers[0]); i++) {
        MHD_add_response_header(x->response, security_headers[i][0], security_headers[i][1]);
    }
    MHD_add_response_header(x->response, "Content-Type", x->type);
    enum MHD_Result result = MHD_queue_response(x->connection, x->status, x->response);
    MHD_destroy_response(x->response); /* the connection holds a reference of its own */
    x->response = NULL;
    return result;
}
