// SPDX-License-Identifier: Apache-2.0
#include "proto/http/http_message.h"

#include "base/seek.h"
#include "proto/http/http_line.h"
#include "hypertext/http_text.h"

enum phase {
    PHASE_BETWEEN, /* a start line comes next; zeroed memory begins here */
    PHASE_HEAD,
    PHASE_LENGTH,
    PHASE_CHUNK_SIZE,
    PHASE_CHUNK,
    PHASE_CHUNK_END,
    PHASE_TRAILERS,
    PHASE_UNTIL_CLOSE,
    PHASE_DONE,
    PHASE_LOST,   /* no message begins here: looking for one */
    PHASE_PAUSED,
};

static struct http_piece piece(enum http_kind kind, size_t size)
{
    return (struct http_piece){.kind = kind, .size = size};
}

static struct http_piece more(struct http_parser *p, struct span data)
{
    p->scanned = (uint32_t)data.size;
    return piece(HTTP_MORE, 0);
}

static void go(struct http_parser *p, enum phase phase)
{
    p->phase = (uint8_t)phase;
    p->scanned = 0;
}

static struct http_piece broken(struct http_parser *p, size_t size)
{
    go(p, PHASE_LOST);
    return piece(HTTP_BROKEN, size);
}

/* The first line feed that was not searched for yet, or -1. */
static ptrdiff_t find_lf(const struct http_parser *p, struct span data)
{
    size_t lf = seek_byte(data, p->scanned, '\n');
    return lf < data.size ? (ptrdiff_t)lf : -1;
}

/* ---- Texts ---------------------------------------------------------------------------------- */

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct http_part trimmed(const uint8_t *text, size_t from, size_t to)
{
    while (from < to && is_blank(text[from])) {
        from++;
    }
    while (to > from && is_blank(text[to - 1])) {
        to--;
    }
    return (struct http_part){(uint16_t)from, (uint16_t)(to - from)};
}

/* ---- Headers -------------------------------------------------------------------------------- */

static size_t line_end(struct span head, size_t at)
{
    size_t lf = seek_byte(head, at, '\n');
    return lf < head.size ? lf + 1 : head.size;
}

static bool is_fold(struct span head, size_t at)
{
    return at < head.size && (head.data[at] == ' ' || head.data[at] == '\t');
}

static bool is_header(struct span head, size_t at)
{
    return at < head.size && head.data[at] != '\n' && head.data[at] != '\r';
}

/* Where the header ends that begins at `at`; *folded is set where it is in several lines. */
static size_t header_end(struct span head, size_t at, bool *folded)
{
    size_t to = line_end(head, at);
    while (is_fold(head, to)) { /* RFC 9112 §5.2 */
        to = line_end(head, to);
        *folded = true;
    }
    return to;
}

bool http_header_next(struct span head, size_t *at, struct http_part *name, struct http_part *value)
{
    bool folded;
    size_t from = *at;
    if (!is_header(head, from)) {
        return false;
    }
    *at = header_end(head, from, &folded);
    size_t line = line_end(head, from);
    size_t colon = seek_byte(span_head(head, line), from, ':');
    *name = (struct http_part){0};
    if (colon < line) {
        *name = trimmed(head.data, from, colon);
        *value = trimmed(head.data, colon + 1, *at);
    }
    return true;
}

/* RFC 9110 §8.6, RFC 9112 §6.3: a list of equal numbers is that number; all else has no meaning. */
static void take_length(struct http_head *head, struct span value)
{
    size_t i = 0;
    do {
        uint64_t number = 0;
        size_t first = i;
        for (; i < value.size && value.data[i] >= '0' && value.data[i] <= '9'; i++) {
            number = number < UINT64_MAX / 20 ? number * 10 + value.data[i] - '0' : UINT64_MAX / 2;
        }
        if (i == first || (head->has_length && number != head->content_length)) {
            head->bad_length = true;
            return;
        }
        head->has_length = true;
        head->content_length = number;
        while (i < value.size && is_blank(value.data[i])) {
            i++;
        }
        if (i < value.size && value.data[i] != ',') {
            head->bad_length = true;
            return;
        }
        for (i++; i < value.size && is_blank(value.data[i]); i++) {
        }
    } while (i < value.size);
}

/* §6.1: the last coding is what says where the body ends. */
static void take_encoding(struct http_head *head, struct span value)
{
    const uint8_t *comma = value.size > 0 ? memrchr(value.data, ',', value.size) : NULL;
    struct span last = comma != NULL ? span_skip(value, (size_t)(comma + 1 - value.data)) : value;
    while (last.size > 0 && is_blank(*last.data)) {
        last = span_skip(last, 1);
    }
    head->has_encoding = head->has_encoding || !http_equals(last, "identity");
    head->chunked = http_equals(last, "chunked");
}

/* Of headers that are there twice the first counts that says something. */
static void take_first(struct http_part *part, struct http_part value)
{
    *part = part->size == 0 ? value : *part;
}

/* Whether a name, of the size of a literal that is not short, is that. */
#define IS(name, literal) http_is_name((name).data, literal, sizeof(literal) - 1)

/* The names that matter differ in their sizes. */
static void take_header(struct http_head *head, struct span name, const uint8_t *text,
                        struct http_part value)
{
    switch (name.size) {
    case sizeof "host" - 1:
        if (http_equals(name, "host")) {
            take_first(&head->host, value);
        }
        break;
    case sizeof "referer" - 1:
        if (http_equals(name, "referer")) {
            take_first(&head->referrer, value);
        }
        break;
    case sizeof "user-agent" - 1:
        if (IS(name, "user-agent")) {
            take_first(&head->user_agent, value);
        }
        break;
    case sizeof "content-type" - 1: /* of two, the one that is nearer to the body */
        head->content_type = IS(name, "content-type") ? value : head->content_type;
        break;
    case sizeof "authorization" - 1:
        if (head->authorization.at == 0 && IS(name, "authorization")) {
            head->authorization = value;
        }
        break;
    case sizeof "content-length" - 1:
        if (IS(name, "content-length")) {
            take_length(head, http_part_of(text, value));
        }
        break;
    case sizeof "transfer-encoding" - 1:
        if (IS(name, "transfer-encoding")) {
            take_encoding(head, http_part_of(text, value));
        }
        break;
    default:
        break;
    }
}

/* Where the colon is behind a name of that size, if one is; 0: none is. */
static size_t colon_behind(struct span head, size_t at, size_t size)
{
    size_t colon = at + size;
    while (colon < head.size && (head.data[colon] == ' ' || head.data[colon] == '\t')) {
        colon++;
    }
    return size > 0 && colon < head.size && head.data[colon] == ':' ? colon : 0;
}

/* The size of the header's name at `at`, if it can be one that take_header() looks at, by its
 * first letter and by where the colon would be then; 0: as of most. */
static size_t name_size(struct span head, size_t at, size_t *colon)
{
    enum { LETTERS = 32 }; /* without their case; what is no letter falls on one as well */
    static const uint8_t sizes[LETTERS][2] = {
        ['h' % LETTERS] = {sizeof "host" - 1},
        ['r' % LETTERS] = {sizeof "referer" - 1},
        ['u' % LETTERS] = {sizeof "user-agent" - 1},
        ['c' % LETTERS] = {sizeof "content-type" - 1, sizeof "content-length" - 1},
        ['a' % LETTERS] = {sizeof "authorization" - 1},
        ['t' % LETTERS] = {sizeof "transfer-encoding" - 1},
    };
    const uint8_t *size = sizes[head.data[at] % LETTERS];
    for (unsigned i = 0; i < 2 && size[i] > 0; i++) {
        *colon = colon_behind(head, at, size[i]);
        if (*colon != 0) {
            return size[i];
        }
    }
    return 0;
}

static void parse_headers(struct span text, struct http_head *head)
{
    size_t at = head->headers_at;
    while (is_header(text, at)) {
        size_t from = at;
        size_t colon;
        at = header_end(text, from, &head->is_folded);
        size_t size = name_size(text, from, &colon);
        if (size > 0) {
            take_header(head, span_of(text.data + from, size), text.data,
                        trimmed(text.data, colon + 1, at));
        }
    }
}

/* ---- Heads ---------------------------------------------------------------------------------- */

static void parse_start(struct span text, enum http_role role, struct http_head *head)
{
    size_t end = line_end(text, 0);
    (void)http_start_line(span_head(text, end - 1), role, head);
    head->headers_at = (uint16_t)end;
}

/* `is_started`: the start line was read into `head` just now. */
static struct http_piece next_head(struct http_parser *p, struct span data, struct http_head *head,
                                   bool is_started)
{
    enum { BEHIND = 2 }; /* bytes that an empty line has at most */
    struct span within = span_head(data, HTTP_HEAD_MAX);
    size_t last = seek_empty_line(within, p->scanned > BEHIND ? p->scanned - BEHIND : 0);
    if (last < within.size) {
        struct span text = span_head(data, last + (data.data[last + 1] == '\n' ? 2 : 3));
        if (!is_started) {
            parse_start(text, p->role, head);
        }
        parse_headers(text, head);
        return piece(HTTP_HEAD, text.size);
    }
    if (within.size == HTTP_HEAD_MAX) {
        return broken(p, within.size);
    }
    return more(p, within);
}

static struct http_piece next_start(struct http_parser *p, struct span data,
                                    struct http_head *head)
{
    size_t empty = 0; /* §2.2: empty lines before a start line mean nothing */
    while (empty < data.size && (data.data[empty] == '\r' || data.data[empty] == '\n')) {
        empty++;
    }
    if (empty > 0) {
        return piece(HTTP_JUNK, empty);
    }
    bool judged = p->scanned > HTTP_METHOD_MAX; /* by enough bytes */
    if (!judged && data.size > 0 && !http_start_plausible(data, p->role)) {
        return broken(p, 0);
    }
    struct span within = span_head(data, HTTP_HEAD_MAX);
    ptrdiff_t lf = find_lf(p, within);
    if (lf < 0) {
        return within.size == HTTP_HEAD_MAX ? broken(p, 0) : more(p, data);
    }
    if (!http_start_line(span_head(data, (size_t)lf), p->role, head)) {
        return broken(p, 0);
    }
    go(p, PHASE_HEAD);
    p->scanned = (uint32_t)lf + 1;
    head->headers_at = (uint16_t)(lf + 1);
    return next_head(p, data, head, true);
}

/* Bytes of no message: line by line, in each of which a start line may begin; not further back from
 * the line's end than HTTP_LOOK_BACK, so that what has to be kept is bounded. */
static struct http_piece next_lost(struct http_parser *p, struct span data)
{
    ptrdiff_t lf = find_lf(p, data);
    if (lf < 0) {
        if (data.size < 2 * HTTP_LOOK_BACK) {
            return more(p, data);
        }
        p->scanned = HTTP_LOOK_BACK;
        return piece(HTTP_JUNK, data.size - HTTP_LOOK_BACK);
    }
    size_t end = (size_t)lf;
    size_t from = end > HTTP_LOOK_BACK ? end - HTTP_LOOK_BACK : 0;
    ptrdiff_t found = http_start_find(span_of(data.data + from, end - from), p->role);
    if (found < 0) {
        p->scanned = 0;
        return piece(HTTP_JUNK, end + 1);
    }
    go(p, PHASE_BETWEEN);
    return piece(HTTP_JUNK, from + (size_t)found);
}

/* ---- Bodies --------------------------------------------------------------------------------- */

static struct http_piece next_counted(struct http_parser *p, struct span data, enum phase then)
{
    if (p->remaining == 0) {
        go(p, then);
        return piece(then == PHASE_BETWEEN ? HTTP_END : HTTP_FRAMING, 0);
    }
    size_t size = data.size < p->remaining ? data.size : (size_t)p->remaining;
    p->remaining -= size;
    return piece(size > 0 ? HTTP_BODY : HTTP_MORE, size);
}

/* §7.1: chunk-size [BWS ";" extensions]. */
static bool chunk_size(struct span line, uint64_t *ret)
{
    size_t i = 0;
    uint64_t size = 0;
    for (; i < line.size && http_hex_digit(line.data[i]) >= 0; i++) {
        if (size >> 56 != 0) {
            return false;
        }
        size = size << 4 | (unsigned)http_hex_digit(line.data[i]);
    }
    *ret = size;
    return i > 0 && (i == line.size || is_blank(line.data[i]) || line.data[i] == ';');
}

static struct http_piece next_chunk_size(struct http_parser *p, struct span data)
{
    struct span within = span_head(data, HTTP_LINE_MAX);
    ptrdiff_t lf = find_lf(p, within);
    if (lf < 0) {
        return within.size == HTTP_LINE_MAX ? broken(p, 0) : more(p, data);
    }
    if (!chunk_size(span_head(data, (size_t)lf), &p->remaining)) {
        return broken(p, 0);
    }
    go(p, p->remaining > 0 ? PHASE_CHUNK : PHASE_TRAILERS);
    return piece(HTTP_FRAMING, (size_t)lf + 1);
}

static struct http_piece next_chunk_end(struct http_parser *p, struct span data)
{
    if (data.size == 0 || (data.size == 1 && *data.data == '\r')) {
        return piece(HTTP_MORE, 0);
    }
    size_t size = *data.data == '\r' ? 2 : 1;
    if (data.data[size - 1] != '\n') {
        return broken(p, 0);
    }
    go(p, PHASE_CHUNK_SIZE);
    return piece(HTTP_FRAMING, size);
}

/* §7.1.2: lines up to an empty one. */
static struct http_piece next_trailer(struct http_parser *p, struct span data)
{
    struct span within = span_head(data, HTTP_LINE_MAX);
    ptrdiff_t lf = find_lf(p, within);
    if (lf < 0) {
        return within.size == HTTP_LINE_MAX ? broken(p, 0) : more(p, data);
    }
    bool empty = lf == 0 || (lf == 1 && *data.data == '\r');
    go(p, empty ? PHASE_DONE : PHASE_TRAILERS);
    return piece(HTTP_FRAMING, (size_t)lf + 1);
}

struct http_piece http_parser_next(struct http_parser *p, struct span data, struct http_head *head)
{
    switch ((enum phase)p->phase) {
    case PHASE_BETWEEN:
        return next_start(p, data, head);
    case PHASE_HEAD:
        return next_head(p, data, head, false);
    case PHASE_LENGTH:
        return next_counted(p, data, PHASE_BETWEEN);
    case PHASE_CHUNK_SIZE:
        return next_chunk_size(p, data);
    case PHASE_CHUNK:
        return next_counted(p, data, PHASE_CHUNK_END);
    case PHASE_CHUNK_END:
        return next_chunk_end(p, data);
    case PHASE_TRAILERS:
        return next_trailer(p, data);
    case PHASE_UNTIL_CLOSE:
        return piece(data.size > 0 ? HTTP_BODY : HTTP_MORE, data.size);
    case PHASE_DONE:
        go(p, PHASE_BETWEEN);
        return piece(HTTP_END, 0);
    case PHASE_LOST:
        return next_lost(p, data);
    case PHASE_PAUSED:
        break;
    }
    return piece(HTTP_MORE, 0);
}

bool http_parser_pass(struct http_parser *p, size_t size)
{
    bool passes = (p->phase == PHASE_LENGTH || p->phase == PHASE_CHUNK) && size < p->remaining;
    p->remaining -= passes ? size : 0;
    return passes;
}

/* ---- What a caller knows -------------------------------------------------------------------- */

/* §6.3: responses to HEAD, 1xx, 204 and 304 have no body whatever their headers say, nor has the
 * tunnel after a CONNECT that was granted. */
static bool has_no_body(const struct http_head *head, enum http_asked asked)
{
    unsigned status = head->status;
    return asked == HTTP_ASKED_HEAD || (status >= 100 && status < 200) || status == 204 ||
           status == 304 || (asked == HTTP_ASKED_CONNECT && status < 300);
}

void http_parser_frame(struct http_parser *p, const struct http_head *head, enum http_asked asked)
{
    bool is_request = head->status == 0;
    p->remaining = 0;
    if (!is_request && has_no_body(head, asked)) {
        go(p, PHASE_DONE);
    } else if (head->has_encoding) {
        go(p, head->chunked ? PHASE_CHUNK_SIZE : PHASE_UNTIL_CLOSE);
    } else if (head->has_length && !head->bad_length) {
        p->remaining = head->content_length;
        go(p, PHASE_LENGTH);
    } else {
        go(p, is_request ? PHASE_DONE : PHASE_UNTIL_CLOSE);
    }
    p->phase = p->phase == PHASE_LENGTH && p->remaining == 0 ? PHASE_DONE : p->phase;
}

enum http_gap http_parser_gap(struct http_parser *p, uint64_t length, uint64_t *content)
{
    bool counted = p->phase == PHASE_LENGTH || p->phase == PHASE_CHUNK;
    *content = counted && p->remaining < length ? p->remaining : length;
    p->scanned = 0;
    if (p->phase == PHASE_UNTIL_CLOSE) {
        return HTTP_GAP_IN_BODY;
    }
    if (counted && length <= p->remaining) {
        p->remaining -= length;
        return HTTP_GAP_IN_BODY;
    }
    *content = counted ? *content : 0;
    if (p->phase != PHASE_PAUSED) {
        go(p, PHASE_LOST);
    }
    return HTTP_GAP_LOST;
}

bool http_parser_is_between(const struct http_parser *p)
{
    return p->phase == PHASE_BETWEEN || p->phase == PHASE_HEAD || p->phase == PHASE_LOST ||
           p->phase == PHASE_PAUSED;
}

void http_parser_restart(struct http_parser *p)
{
    go(p, PHASE_BETWEEN);
}

void http_parser_pause(struct http_parser *p)
{
    go(p, PHASE_PAUSED);
}

void http_parser_resume(struct http_parser *p)
{
    if (p->phase == PHASE_PAUSED) {
        go(p, PHASE_BETWEEN);
    }
}
