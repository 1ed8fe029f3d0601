// SPDX-License-Identifier: Apache-2.0
#include "hypertext/http_cookie.h"

#include "base/json.h"

enum { LONGEST_ESCAPE = 6 };

struct cookie {
    struct span name;
    struct span value;
};

static struct span trimmed(struct span s)
{
    while (s.size > 0 && (*s.data == ' ' || *s.data == '\t')) {
        s = span_skip(s, 1);
    }
    while (s.size > 0 && (s.data[s.size - 1] == ' ' || s.data[s.size - 1] == '\t')) {
        s.size--;
    }
    return s;
}

/* Without the quotes that a value may have (RFC 6265 §4.1.1). */
static struct span unquoted(struct span s)
{
    bool is_quoted = s.size >= 2 && *s.data == '"' && s.data[s.size - 1] == '"';
    return is_quoted ? span_of(s.data + 1, s.size - 2) : s;
}

static size_t index_of(struct span s, char c)
{
    const uint8_t *at = s.size > 0 ? memchr(s.data, c, s.size) : NULL;
    return at != NULL ? (size_t)(at - s.data) : s.size;
}

/* Takes a cookie in; one of the same name gives way. */
static size_t keep(struct cookie *all, size_t count, struct cookie one)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(all[i].name, one.name)) {
            all[i].value = one.value;
            return count;
        }
    }
    if (count < HTTP_COOKIES_MAX) {
        all[count++] = one;
    }
    return count;
}

static size_t read_cookies(struct span text, struct http_text *to, struct cookie *all)
{
    size_t count = 0;
    while (text.size > 0) {
        size_t end = index_of(text, ';');
        struct span pair = span_head(text, end);
        size_t middle = index_of(pair, '=');
        if (middle < pair.size) {
            struct cookie one = {
                .name = http_put_lower(to, trimmed(span_head(pair, middle))),
                .value = unquoted(trimmed(span_skip(pair, middle + 1))),
            };
            count = keep(all, count, one);
        }
        text = span_skip(text, end + 1);
    }
    return count;
}

/* A text as JSON has it; bytes that are not UTF-8 become U+FFFD. */
static void put_json(struct http_text *to, struct span text)
{
    static const char digits[] = "0123456789abcdef";
    http_put(to, '"');
    while (text.size > 0) {
        unsigned size = json_utf8(text);
        uint8_t c = *text.data;
        if (size == 0) {
            http_put_span(to, span_str("\xef\xbf\xbd"));
            size = 1;
        } else if (c < 0x20) {
            const char escape[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
            http_put_span(to, span_of(escape, sizeof escape));
        } else {
            http_put_span(to, span_str(c == '"' || c == '\\' ? "\\" : ""));
            http_put_span(to, span_head(text, size));
        }
        text = span_skip(text, size);
    }
    http_put(to, '"');
}

void http_cookie_split(struct event_pair *header, struct http_text *to)
{
    bool is_cookie = span_equal(header->name, span_str("cookie")) ||
                     span_equal(header->name, span_str("set-cookie"));
    size_t room = (size_t)(to->end - to->at);
    if (!is_cookie || room < (1 + LONGEST_ESCAPE) * header->value.size + 6 * HTTP_COOKIES_MAX) {
        return;
    }
    struct cookie all[HTTP_COOKIES_MAX];
    size_t count = read_cookies(header->value, to, all);
    const uint8_t *from = to->at;
    http_put(to, '{');
    for (size_t i = 0; i < count; i++) {
        http_put_span(to, span_str(i > 0 ? "," : ""));
        put_json(to, all[i].name);
        http_put(to, ':');
        put_json(to, all[i].value);
    }
    http_put(to, '}');
    header->value = http_text_since(to, from);
    header->is_json = true;
}
