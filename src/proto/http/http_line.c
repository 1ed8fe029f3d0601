// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http_line.h"

enum { VERSION_SIZE = 8 }; /* HTTP/1.1 */

/* RFC 9110 §5.6.2: tchar, of which tokens (methods, header names) are made. */
static bool is_token(uint8_t c)
{
    static const bool others[UINT8_MAX + 1] = {
        ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true,
        ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true,
        ['`'] = true, ['|'] = true, ['~'] = true,
    };
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || others[c];
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool is_version(const uint8_t *at)
{
    return memcmp(at, "HTTP/1.", VERSION_SIZE - 1) == 0 && is_digit(at[VERSION_SIZE - 1]);
}

static struct span without_cr(struct span line)
{
    while (line.size > 0 && line.data[line.size - 1] == '\r') {
        line.size--;
    }
    return line;
}

/* §4: HTTP-version SP status-code [SP reason-phrase]; servers that leave the phrase out leave its
 * space out, too. */
static bool status_line(struct span line, struct http_head *head)
{
    if (line.size < VERSION_SIZE + 4 || !is_version(line.data) || line.data[VERSION_SIZE] != ' ') {
        return false;
    }
    unsigned status = 0;
    for (unsigned i = VERSION_SIZE + 1; i < VERSION_SIZE + 4; i++) {
        if (!is_digit(line.data[i])) {
            return false;
        }
        status = status * 10 + line.data[i] - '0';
    }
    size_t phrase = VERSION_SIZE + 5;
    if (status < 100 || (line.size >= phrase && line.data[phrase - 1] != ' ')) {
        return false;
    }
    head->status = (uint16_t)status;
    head->minor = line.data[VERSION_SIZE - 1] - '0';
    if (line.size > phrase) {
        head->phrase = (struct http_part){(uint16_t)phrase, (uint16_t)(line.size - phrase)};
    }
    return true;
}

static size_t method_size(struct span line)
{
    size_t n = 0;
    while (n < line.size && n <= HTTP_METHOD_MAX && is_token(line.data[n])) {
        n++;
    }
    return n;
}

/* Methods of RFC 9110 and of WebDAV. Among bytes of no message only a word that is known counts. */
static const char *const methods[] = {
    "GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "PROPFIND",
    "PROPPATCH", "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "PURGE", NULL,
};

/* The size of the longest known method that ends before `end`; 0: none. */
static size_t method_before(struct span line, size_t end)
{
    size_t longest = 0;
    for (const char *const *m = methods; *m != NULL; m++) {
        size_t size = strlen(*m);
        if (size <= end && size > longest && memcmp(line.data + end - size, *m, size) == 0) {
            longest = size;
        }
    }
    return longest;
}

/* Whether a method is the end of something else and a method that is known behind it, as where the
 * capture lacks what was between: "dataPOST". All methods that are met are of capitals, and hyphens. */
static bool is_glued(struct span line, size_t method)
{
    size_t from = method;
    while (from > 0 && line.data[from - 1] >= 'A' && line.data[from - 1] <= 'Z') {
        from--;
    }
    return from > 0 && from < method && line.data[from - 1] != '-' &&
           method_before(line, method) == method - from;
}

/* §3: method SP request-target SP HTTP-version. Targets with spaces in them are against the grammar
 * and are met all the same: the target is what stands between the first space and the version. */
static bool request_line(struct span line, struct http_head *head)
{
    size_t method = method_size(line);
    if (method == 0 || method > HTTP_METHOD_MAX || line.size < method + 3 + VERSION_SIZE ||
        line.data[method] != ' ' || is_glued(line, method)) {
        return false;
    }
    size_t version = line.size - VERSION_SIZE;
    if (!is_version(line.data + version) || line.data[version - 1] != ' ') {
        return false;
    }
    size_t from = method + 1;
    size_t to = version - 1;
    while (from < to && line.data[from] == ' ') {
        from++;
    }
    while (to > from && line.data[to - 1] == ' ') {
        to--;
    }
    if (from == to || line.data[from] < 0x21) {
        return false;
    }
    head->method = (struct http_part){0, (uint16_t)method};
    head->target = (struct http_part){(uint16_t)from, (uint16_t)(to - from)};
    head->minor = line.data[line.size - 1] - '0';
    return true;
}

bool http_start_line(struct span line, enum http_role role, struct http_head *head)
{
    line = without_cr(line);
    *head = (struct http_head){0};
    if (line.size > HTTP_HEAD_MAX) {
        return false;
    }
    return (role != HTTP_REQUESTS && status_line(line, head)) ||
           (role != HTTP_RESPONSES && request_line(line, head));
}

bool http_start_plausible(struct span data, enum http_role role)
{
    size_t known = data.size < VERSION_SIZE - 1 ? data.size : VERSION_SIZE - 1;
    if (role != HTTP_REQUESTS && memcmp(data.data, "HTTP/1.", known) == 0) {
        return true;
    }
    size_t method = method_size(data);
    return role != HTTP_RESPONSES && method <= HTTP_METHOD_MAX &&
           (method == data.size || (method > 0 && data.data[method] == ' '));
}

static ptrdiff_t find_request(struct span line)
{
    if (line.size < VERSION_SIZE + 2 || !is_version(line.data + line.size - VERSION_SIZE) ||
        line.data[line.size - VERSION_SIZE - 1] != ' ') {
        return -1;
    }
    size_t target_end = line.size - VERSION_SIZE - 1;
    const uint8_t *space = memrchr(line.data, ' ', target_end);
    size_t method_end = space != NULL ? (size_t)(space - line.data) : 0;
    size_t size = method_before(line, method_end);
    return size > 0 && target_end - method_end > 1 ? (ptrdiff_t)(method_end - size) : -1;
}

static ptrdiff_t find_response(struct span line)
{
    struct http_head head;
    for (size_t at = 0; at < line.size;) {
        const uint8_t *found = memmem(line.data + at, line.size - at, "HTTP/1.", VERSION_SIZE - 1);
        if (found == NULL) {
            return -1;
        }
        at = (size_t)(found - line.data);
        if (status_line(span_skip(line, at), &head)) {
            return (ptrdiff_t)at;
        }
        at += VERSION_SIZE - 1;
    }
    return -1;
}

ptrdiff_t http_start_find(struct span line, enum http_role role)
{
    line = without_cr(line);
    ptrdiff_t at = role != HTTP_REQUESTS ? find_response(line) : -1;
    at = at < 0 && role != HTTP_RESPONSES ? find_request(line) : at;
    struct http_head head;
    return at >= 0 && http_start_line(span_skip(line, (size_t)at), role, &head) ? at : -1;
}

int http_looks_like(struct span data)
{
    enum { ENOUGH = 1024 }; /* of a request line without its end, when it begins like one */
    while (data.size > 0 && (*data.data == '\r' || *data.data == '\n')) {
        data = span_skip(data, 1);
    }
    if (data.size == 0 || !http_start_plausible(data, HTTP_ANY)) {
        return data.size == 0 ? -1 : 0;
    }
    if (data.size >= VERSION_SIZE && is_version(data.data)) {
        return 1;
    }
    struct http_head head;
    const uint8_t *lf = memchr(data.data, '\n', data.size);
    if (lf != NULL) {
        struct span line = span_head(data, (size_t)(lf - data.data));
        return http_start_line(line, HTTP_ANY, &head) || http_start_find(line, HTTP_ANY) >= 0;
    }
    if (data.size < ENOUGH) {
        return -1;
    }
    size_t method = method_size(data);
    return method == method_before(data, method) && data.data[method + 1] == '/';
}

/* "HTTP/1.1 200", and no more digits. */
static int begins_response(struct span data)
{
    static const char begin[] = "HTTP/1.d ddd";
    for (size_t i = 0; i < sizeof begin - 1 && i < data.size; i++) {
        if (begin[i] == 'd' ? !is_digit(data.data[i]) : data.data[i] != (uint8_t)begin[i]) {
            return 0;
        }
    }
    if (data.size < sizeof begin) {
        return -1;
    }
    uint8_t next = data.data[sizeof begin - 1];
    return next == ' ' || next == '\r' || next == '\n';
}

/* A known method and a path; -1 too where they may come. */
static int begins_request(struct span data)
{
    for (const char *const *m = methods; *m != NULL; m++) {
        size_t size = strlen(*m);
        size_t known = data.size < size ? data.size : size;
        if (memcmp(data.data, *m, known) == 0 && (data.size <= size || data.data[size] == ' ') &&
            (data.size <= size + 1 || data.data[size + 1] == '/')) {
            return data.size > size + 1 ? 1 : -1;
        }
    }
    return 0;
}

int http_begins_late(struct span data)
{
    enum { ENOUGH = 1024 }; /* of a request line without its end */
    if (data.size == 0) {
        return -1;
    }
    int response = begins_response(data), request = begins_request(data);
    if (request <= 0) {
        return response != 0 ? response : request;
    }
    struct http_head head;
    const uint8_t *lf = memchr(data.data, '\n', data.size);
    if (lf == NULL) {
        return data.size < ENOUGH ? -1 : 0;
    }
    return http_start_line(span_head(data, (size_t)(lf - data.data)), HTTP_REQUESTS, &head);
}
