// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http_headers.h"

#include "base/json.h"
#include "proto/http/http_cookie.h"
#include "proto/http/http_url.h"

static struct span text_of(const struct http_message *m)
{
    return span_of(m->text, m->text_size);
}

static bool is_among(struct span name, const struct text_list *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (http_equals(name, words->items[i])) {
            return true;
        }
    }
    return false;
}

static bool is_sent(struct span name, const struct http_options *options)
{
    return options->send_all_headers || is_among(name, &options->send_headers);
}

static bool is_authorization(struct span name)
{
    return http_equals(name, "authorization") || http_equals(name, "proxy-authorization");
}

/* What stands in for a value that is not to be seen; NULL: it may be. */
const char *http_redaction(struct span name, const struct http_options *options)
{
    if (options->redact_authorization && is_authorization(name)) {
        return "*";
    }
    bool secret = is_among(name, &options->redact_headers) ||
                  (options->redact_secrets && http_is_secret(name, options));
    return secret ? "REDACTED" : NULL;
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
    if (!options->send_all_headers && options->send_headers.count == 0) {
        return count;
    }
    size_t at = m->head.headers_at;
    struct http_part name_at, value_at;
    while (http_header_next(text_of(m), &at, &name_at, &value_at)) {
        struct span name = http_text_of(m, name_at);
        bool known = http_equals(name, "content-length") || http_equals(name, "content-type");
        if (name.size == 0 || known || !is_sent(name, options)) {
            continue;
        }
        const char *instead = http_redaction(name, options);
        struct span value = instead != NULL ? span_str(instead) : http_text_of(m, value_at);
        count = add(pairs, count, http_put_lower(to, name), value, to);
    }
    for (uint32_t i = 0; options->split_cookie && i < count; i++) {
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

static int sextet(uint8_t c)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != 0 ? strchr(letters, c) : NULL;
    return at != NULL ? (int)(at - letters) : -1;
}

struct span http_basic_user(const struct http_message *m, const struct http_options *options,
                            struct http_text *to)
{
    const uint8_t *from = to->at;
    struct span name = span_str("authorization");
    if (!is_sent(name, options) || http_redaction(name, options) != NULL) {
        return span_of(from, 0);
    }
    struct span value = http_header(m, "authorization");
    if (!http_equals(span_head(value, 6), "basic ")) {
        return span_of(from, 0);
    }
    uint32_t bits = 0;
    unsigned count = 0;
    for (size_t i = 6; i < value.size && sextet(value.data[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)sextet(value.data[i]);
        count += 6;
        if (count >= 8) {
            count -= 8;
            uint8_t c = (uint8_t)(bits >> count);
            if (c == ':') { /* what follows is the password */
                return http_text_since(to, from);
            }
            http_put(to, c);
        }
    }
    return span_of(from, 0); /* without a colon it is no such thing */
}
