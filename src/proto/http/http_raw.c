// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http_raw.h"

#include "proto/http/http_headers.h"
#include "hypertext/http_text.h"
#include "hypertext/http_url.h"

enum { SLACK = 1024 /* what hides a secret may be longer than the secret */ };

/* The start line of a request, values of secret parameters hidden. */
static void put_start(struct http_text *to, const struct http_message *m,
                      const struct http_options *options)
{
    struct span head = span_of(m->text, m->text_size);
    struct http_part target = m->head.target;
    if (m->head.status != 0) {
        http_put_span(to, span_head(head, m->head.headers_at));
        return;
    }
    size_t end = (size_t)target.at + target.size;
    http_put_span(to, span_head(head, target.at));
    (void)http_hide_in_url(to, http_text_of(m, target), &options->shown);
    http_put_span(to, span_skip(span_head(head, m->head.headers_at), end));
}

static void put_headers(struct http_text *to, const struct http_message *m,
                        const struct http_options *options)
{
    struct span head = span_of(m->text, m->text_size);
    size_t at = m->head.headers_at;
    size_t from = at;
    struct http_part name, value;
    while (http_header_next(head, &at, &name, &value)) {
        struct span line = span_head(span_skip(head, from), at - from);
        const char *instead = name.size > 0 ? http_redaction(http_text_of(m, name), &options->shown) : NULL;
        if (instead == NULL) {
            http_put_span(to, line);
        } else {
            size_t before = value.at - from;
            bool is_starred = *instead == '*'; /* as Packetbeat stars it: from the colon on */
            http_put_span(to, span_head(line, is_starred ? name.at + name.size + 1 - from : before));
            http_put_span(to, span_str(instead));
            http_put_span(to, span_skip(line, before + value.size));
        }
        from = at;
    }
    http_put_span(to, span_skip(head, from));
}

struct span http_raw_of(struct http_raw *raw, const struct http_message *m, struct span body,
                        const struct http_options *options)
{
    size_t size = m->text_size + body.size + SLACK;
    raw->text = slab_take_large(raw->memory, size);
    if (raw->text == NULL && size > HTTP_RAW_SHORT) {
        size = HTTP_RAW_SHORT;
        raw->text = slab_take(raw->memory, size);
    }
    if (raw->text == NULL) {
        return (struct span){0};
    }
    struct http_text to = {raw->text, raw->text + size};
    put_start(&to, m, options);
    put_headers(&to, m, options);
    if (http_contains(http_text_of(m, m->head.content_type), "urlencoded")) {
        http_hide_in_parameters(&to, body, &options->shown);
    } else {
        http_put_span(&to, body);
    }
    return http_text_since(&to, raw->text);
}

void http_raw_done(struct http_raw *raw)
{
    slab_give(raw->memory, raw->text);
    raw->text = NULL;
}
