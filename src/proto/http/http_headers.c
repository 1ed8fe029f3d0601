// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http_headers.h"

#include "base/json.h"
#include "hypertext/http_cookie.h"
#include "hypertext/http_url.h"

static struct span text_of(const struct http_message *m)
{
    return span_of(m->text, m->text_size);
}

static struct span joined(struct http_text *to, struct span a, struct span b)
{
    const uint8_t *from = to->at;
    http_put_span(to, a);
    http_put_span(to, span_str(", "));
    http_put_span(to, b);
    return http_text_since(to, from);
}

static uint32_t add(struct event_pair *pairs, uint32_t count, struct span name, struct span value,
                    struct http_text *to)
{
    for (uint32_t i = 0; i < count; i++) {
        if (span_equal(pairs[i].name, name)) {
            pairs[i].value = joined(to, pairs[i].value, value);
            return count;
        }
    }
    if (count == HTTP_HEADERS_MAX) {
        return count;
    }
    pairs[count] = (struct event_pair){.name = name, .value = value};
    return count + 1;
}

/* The length that the message has or, where it does not say, the one that was seen; 0 is shown, too. */
static struct span length_of(const struct http_message *m, struct http_text *to)
{
    const struct http_head *head = &m->head;
    bool said = head->has_length && !head->bad_length && !head->has_encoding;
    char digits[JSON_U64_MAX];
    char *end = json_digits(digits, said ? head->content_length : m->body_bytes);
    const uint8_t *from = to->at;
    http_put_span(to, span_of(digits, (size_t)(end - digits)));
    return http_text_since(to, from);
}

uint32_t http_headers_shown(const struct http_message *m, const struct http_options *options,
                            struct http_text *to, struct event_pair pairs[HTTP_HEADERS_MAX])
{
    uint32_t count = 0;
    struct span type = http_text_of(m, m->head.content_type);
    pairs[count++] = (struct event_pair){
        .name = span_str("content-length"), .value = length_of(m, to), .is_json = true};
    if (type.size > 0) {
        pairs[count++] = (struct event_pair){.name = span_str("content-type"), .value = type};
    }
    if (!options->shown.send_all_headers && options->shown.send_headers.count == 0) {
        return count;
    }
    size_t at = m->head.headers_at;
    struct http_part name_at, value_at;
    while (http_header_next(text_of(m), &at, &name_at, &value_at)) {
        struct span name = http_text_of(m, name_at);
        bool known = http_equals(name, "content-length") || http_equals(name, "content-type");
        if (name.size == 0 || known || !http_is_sent(name, &options->shown)) {
            continue;
        }
        const char *instead = http_redaction(name, &options->shown);
        struct span value = instead != NULL ? span_str(instead) : http_text_of(m, value_at);
        count = add(pairs, count, http_put_lower(to, name), value, to);
    }
    for (uint32_t i = 0; options->shown.split_cookie && i < count; i++) {
        http_cookie_split(&pairs[i], to);
    }
    return count;
}

struct span http_header(const struct http_message *m, const char *lower)
{
    size_t at = m->head.headers_at;
    struct http_part name, value;
    while (http_header_next(text_of(m), &at, &name, &value)) {
        if (http_equals(http_text_of(m, name), lower)) {
            return http_text_of(m, value);
        }
    }
    return span_of(m->text, 0);
}

struct span http_basic_user(const struct http_message *m, const struct http_options *options,
                            struct http_text *to)
{
    struct span name = span_str("authorization");
    if (!http_is_sent(name, &options->shown) || http_redaction(name, &options->shown) != NULL) {
        return span_of(m->text, 0);
    }
    return http_user_of(http_text_of(m, m->head.authorization), to);
}
