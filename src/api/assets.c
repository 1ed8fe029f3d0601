// SPDX-License-Identifier: Apache-2.0
#include "api/assets.h"

#include <stdio.h>
#include <string.h>

extern const struct bundle_file web_bundle[];

const struct bundle_file *assets_find(const char *path)
{
    return bundle_find(web_bundle, strcmp(path, "/") == 0 ? "index.html" : path + 1);
}

static bool header_has(const char *header, const char *word)
{
    return header != NULL && strstr(header, word) != NULL;
}

/* The server only reads the bytes, though its type does not say so. */
static struct MHD_Response *lend(struct span data)
{
    return MHD_create_response_from_buffer(data.size, (void *)(uintptr_t)data.data,
                                           MHD_RESPMEM_PERSISTENT);
}

void assets_reply(struct exchange *x, const struct bundle_file *file)
{
    char etag[80];
    snprintf(etag, sizeof(etag), "\"%s\"", file->etag);
    bool known = header_has(exchange_header(x, "If-None-Match"), etag);
    bool packed = !known && file->gzip.size > 0 &&
                  header_has(exchange_header(x, "Accept-Encoding"), "gzip");
    x->type = file->type;
    x->status = known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK;
    x->response = lend(known ? (struct span){0} : packed ? file->gzip : file->data);
    if (packed && x->response != NULL) {
        exchange_add_header(x, "Content-Encoding", "gzip");
    }
    exchange_add_header(x, "ETag", etag);
    exchange_add_header(x, "Vary", "Accept-Encoding");
    exchange_add_header(x, "Cache-Control", "no-cache"); /* keep, but ask each time */
}
