// SPDX-License-Identifier: Apache-2.0
#include "hypertext/http_url.h"

#include <arpa/inet.h>

#include "base/json.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

static size_t index_of(struct span s, char c)
{
    const uint8_t *at = s.size > 0 ? memchr(s.data, c, s.size) : NULL;
    return at != NULL ? (size_t)(at - s.data) : s.size;
}

/* ---- Parts ---------------------------------------------------------------------------------- */

static uint16_t port_of(struct span text)
{
    unsigned port = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || port > UINT16_MAX / 10) {
            return 0;
        }
        port = port * 10 + text.data[i] - '0';
    }
    return (uint16_t)(port <= UINT16_MAX ? port : 0);
}

void http_authority(struct span authority, struct span *host, uint16_t *port)
{
    const uint8_t *at = authority.size > 0 ? memrchr(authority.data, '@', authority.size) : NULL;
    if (at != NULL) {
        authority = span_skip(authority, (size_t)(at + 1 - authority.data));
    }
    size_t end = index_of(authority, ':');
    *host = span_head(authority, end);
    if (authority.size > 0 && *authority.data == '[') { /* RFC 3986 §3.2.2: an IPv6 address */
        size_t bracket = index_of(authority, ']');
        *host = span_skip(span_head(authority, bracket), 1);
        end = bracket + 1;
    }
    *port = port_of(span_skip(authority, end + 1));
}

struct http_url http_url_of(struct span target, bool is_connect)
{
    struct http_url url = {0};
    if (is_connect) {
        http_authority(target, &url.host, &url.port);
        return url;
    }
    if (target.size > 0 && *target.data != '/' && *target.data != '*') {
        const uint8_t *scheme = memmem(target.data, target.size, "://", 3);
        if (scheme != NULL && index_of(target, '?') > (size_t)(scheme - target.data)) {
            target = span_skip(target, (size_t)(scheme + 3 - target.data));
            size_t slash = index_of(target, '/');
            size_t mark = index_of(target, '?');
            size_t end = slash < mark ? slash : mark;
            http_authority(span_head(target, end), &url.host, &url.port);
            target = span_skip(target, end);
        }
    }
    target = span_head(target, index_of(target, '#'));
    size_t mark = index_of(target, '?');
    url.path = span_head(target, mark);
    url.query = span_skip(target, mark + 1);
    return url;
}

bool http_is_address(struct span host)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (host.size == 0 || host.size >= sizeof text) {
        return false;
    }
    uint8_t last = host.data[host.size - 1]; /* of most names a letter */
    bool may_be_v4 = last >= '0' && last <= '9';
    if (!may_be_v4 && memchr(host.data, ':', host.size) == NULL) {
        return false;
    }
    memcpy(text, host.data, host.size);
    text[host.size] = '\0';
    return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

uint16_t http_usual_port(struct span scheme)
{
    return span_equal(scheme, span_str("https")) ? HTTPS_PORT : HTTP_PORT;
}

struct span http_extension(struct span path)
{
    const uint8_t *dot = path.size > 0 ? memrchr(path.data, '.', path.size) : NULL;
    struct span rest = dot != NULL ? span_skip(path, (size_t)(dot + 1 - path.data)) : span_str("");
    return rest.size > 0 && memchr(rest.data, '/', rest.size) == NULL ? rest : span_str("");
}

static void put_number(struct http_text *to, uint64_t number)
{
    char digits[JSON_U64_MAX];
    http_put_span(to, span_of(digits, (size_t)(json_digits(digits, number) - digits)));
}

struct span http_full_url(struct http_text *to, const struct http_url_parts *parts)
{
    const uint8_t *from = to->at;
    bool brackets = memchr(parts->host.data, ':', parts->host.size) != NULL;
    http_put_span(to, parts->scheme);
    http_put_span(to, span_str(brackets ? "://[" : "://"));
    http_put_span(to, parts->host);
    http_put_span(to, span_str(brackets ? "]" : ""));
    if (parts->port != 0) {
        http_put(to, ':');
        put_number(to, parts->port);
    }
    bool needs_slash = parts->path.size > 0 && *parts->path.data != '/';
    http_put_span(to, span_str(needs_slash ? "/" : ""));
    http_put_span(to, parts->path);
    if (parts->query.size > 0) {
        http_put(to, '?');
        http_put_span(to, parts->query);
    }
    return http_text_since(to, from);
}

/* ---- Coding --------------------------------------------------------------------------------- */

struct span http_decode(struct http_text *to, struct span text, bool plus)
{
    const uint8_t *from = to->at;
    size_t plain = index_of(text, '%');
    plain = plus ? index_of(span_head(text, plain), '+') : plain;
    http_put_span(to, span_head(text, plain));
    for (size_t i = plain; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool escape = c == '%' && i + 2 < text.size;
        int high = escape ? http_hex_digit(text.data[i + 1]) : -1;
        int low = escape ? http_hex_digit(text.data[i + 2]) : -1;
        if (high >= 0 && low >= 0) {
            c = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        http_put(to, c);
    }
    return http_text_since(to, from);
}

static bool is_unreserved(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '.' || c == '~';
}

static void encode(struct http_text *to, struct span text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        if (is_unreserved(c) || c == ' ') {
            http_put(to, c == ' ' ? '+' : c);
        } else {
            http_put(to, '%');
            http_put(to, (uint8_t)digits[c >> 4]);
            http_put(to, (uint8_t)digits[c & 15]);
        }
    }
}

/* ---- Parameters ----------------------------------------------------------------------------- */

struct parameter {
    struct span name; /* decoded */
    struct span value;
    bool is_form;
};

struct parameters {
    struct parameter items[HTTP_PARAMETERS_MAX];
    size_t count;
};

static int compare(struct span a, struct span b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size > 0 ? memcmp(a.data, b.data, size) : 0;
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* Behind all of the same name: equal names stay in the order in which they came. */
static void insert(struct parameters *all, struct parameter p)
{
    size_t at = all->count++;
    for (; at > 0 && compare(all->items[at - 1].name, p.name) > 0; at--) {
        all->items[at] = all->items[at - 1];
    }
    all->items[at] = p;
}

static void collect(struct parameters *all, struct http_text *scratch, struct span text,
                    bool is_form)
{
    while (text.size > 0 && all->count < HTTP_PARAMETERS_MAX) {
        struct span pair = span_head(text, index_of(text, '&'));
        text = span_skip(text, pair.size + 1);
        if (pair.size > 0) {
            size_t middle = index_of(pair, '=');
            struct parameter p = {.is_form = is_form};
            p.name = http_decode(scratch, span_head(pair, middle), true);
            p.value = http_decode(scratch, span_skip(pair, middle + 1), true);
            insert(all, p);
        }
    }
}

/* Whether the form says this, too, from `at` on. */
static bool is_overridden(const struct parameters *all, size_t at)
{
    const struct parameter *p = &all->items[at];
    for (size_t i = at + 1; !p->is_form && i < all->count; i++) {
        if (!span_equal(all->items[i].name, p->name)) {
            return false;
        }
        if (all->items[i].is_form) {
            return true;
        }
    }
    return false;
}

struct span http_parameters(struct http_text *to, struct span query, struct span form,
                            const struct http_shown *shown)
{
    uint8_t memory[8192];
    struct http_text scratch = {memory, memory + sizeof memory};
    struct parameters all;
    all.count = 0;
    collect(&all, &scratch, query, false);
    collect(&all, &scratch, form, true);
    const uint8_t *from = to->at;
    for (size_t i = 0; i < all.count; i++) {
        if (is_overridden(&all, i)) {
            continue;
        }
        if (to->at != from) {
            http_put(to, '&');
        }
        encode(to, all.items[i].name);
        http_put(to, '=');
        encode(to, http_is_secret(all.items[i].name, shown) ? span_str("xxxxx")
                                                              : all.items[i].value);
    }
    return http_text_since(to, from);
}

struct span http_hide_in_url(struct http_text *to, struct span url,
                             const struct http_shown *shown)
{
    const uint8_t *from = to->at;
    size_t mark = index_of(url, '?');
    http_put_span(to, span_head(url, mark + 1));
    http_hide_in_parameters(to, span_skip(url, mark + 1), shown);
    return http_text_since(to, from);
}

void http_hide_in_parameters(struct http_text *to, struct span url,
                             const struct http_shown *shown)
{
    while (url.size > 0) {
        struct span pair = span_head(url, index_of(url, '&'));
        size_t middle = index_of(pair, '=');
        uint8_t memory[128];
        struct http_text scratch = {memory, memory + sizeof memory};
        struct span name = http_decode(&scratch, span_head(pair, middle), true);
        bool hide = middle < pair.size && http_is_secret(name, shown);
        http_put_span(to, hide ? span_head(pair, middle + 1) : pair);
        http_put_span(to, span_str(hide ? "xxxxx" : ""));
        http_put_span(to, span_head(span_skip(url, pair.size), 1));
        url = span_skip(url, pair.size + 1);
    }
}
