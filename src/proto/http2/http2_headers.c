// SPDX-License-Identifier: Apache-2.0
#include "proto/http2/http2_headers.h"

#include "base/json.h"
#include "hypertext/http_cookie.h"
#include "hypertext/http_url.h"

static struct span joined(struct http_text *to, struct span a, struct span b)
{
    const uint8_t *from = to->at;
    http_put_span(to, a);
    http_put_span(to, span_str(", "));
    http_put_span(to, b);
    return http_text_since(to, from);
}

static uint32_t add(struct event_pair *pairs, uint32_t count, const struct event_pair *pair,
                    struct http_text *to)
{
    for (uint32_t i = 0; i < count; i++) {
        if (span_equal(pairs[i].name, pair->name)) {
            pairs[i].value = joined(to, pairs[i].value, pair->value);
            return count;
        }
    }
    if (count == HTTP2_HEADERS_SHOWN) {
        return count;
    }
    pairs[count] = *pair;
    return count + 1;
}

/* The length that the message has or, where it does not say, the one that was seen; 0 is shown, too. */
static struct span length_of(const struct http2_message *m, struct http_text *to)
{
    struct span said = http2_fields_find(&m->fields, "content-length");
    bool is_number = said.size > 0 && said.size < JSON_U64_MAX - 1;
    for (size_t i = 0; i < said.size && is_number; i++) {
        is_number = said.data[i] >= '0' && said.data[i] <= '9' && (i == 0 || said.data[0] != '0');
    }
    if (is_number) {
        return said;
    }
    char digits[JSON_U64_MAX];
    const uint8_t *from = to->at;
    http_put_span(to, span_of(digits, (size_t)(json_digits(digits, m->body_bytes) - digits)));
    return http_text_since(to, from);
}

static bool is_apart(struct span name)
{
    return name.size == 0 || name.data[0] == ':' || http_equals(name, "content-length") ||
           http_equals(name, "content-type");
}

uint32_t http2_headers_shown(const struct http2_message *m, const struct http2_options *options,
                             struct http_text *to, struct event_pair pairs[HTTP2_HEADERS_SHOWN])
{
    uint32_t count = 0, at = 0;
    struct span type = http2_fields_find(&m->fields, "content-type");
    pairs[count++] = (struct event_pair){
        .name = span_str("content-length"), .value = length_of(m, to), .is_json = true};
    if (type.size > 0) {
        pairs[count++] = (struct event_pair){.name = span_str("content-type"), .value = type};
    }
    struct event_pair pair = {0};
    while (http2_fields_next(&m->fields, &at, &pair.name, &pair.value)) {
        if (is_apart(pair.name) || !http_is_sent(pair.name, &options->shown)) {
            continue;
        }
        const char *instead = http_redaction(pair.name, &options->shown);
        pair.value = instead != NULL ? span_str(instead) : pair.value;
        pair.name = http_put_lower(to, pair.name);
        count = add(pairs, count, &pair, to);
    }
    for (uint32_t i = 0; options->shown.split_cookie && i < count; i++) {
        http_cookie_split(&pairs[i], to);
    }
    return count;
}

struct span http2_headers_text(const struct http2_message *m, const struct http2_options *options,
                               struct http_text *to)
{
    const uint8_t *from = to->at;
    struct span name, value;
    uint32_t at = 0;
    while (http2_fields_next(&m->fields, &at, &name, &value)) {
        const char *instead = http_redaction(name, &options->shown);
        http_put_span(to, name);
        http_put_span(to, span_str(": "));
        if (http_equals(name, ":path")) {
            (void)http_hide_in_url(to, value, &options->shown);
        } else {
            http_put_span(to, instead != NULL ? span_str(instead) : value);
        }
        http_put_span(to, span_str("\r\n"));
    }
    return http_text_since(to, from);
}
