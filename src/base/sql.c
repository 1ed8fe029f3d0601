// SPDX-License-Identifier: Apache-2.0
#include "base/sql.h"

#include <strings.h>

static bool is_white(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r') || byte == '\0';
}

static bool is_letter(uint8_t byte)
{
    return (byte | 32) >= 'a' && (byte | 32) <= 'z';
}

static bool is_word(uint8_t byte)
{
    return is_letter(byte) || byte == '_' || (byte >= '0' && byte <= '9') || byte >= 0x80;
}

struct span sql_trim(struct span text)
{
    while (text.size > 0 && is_white(text.data[0])) {
        text = span_skip(text, 1);
    }
    while (text.size > 0 && is_white(text.data[text.size - 1])) {
        text.size--;
    }
    return text;
}

/* Where `what` (of `size` bytes) ends first in `text` from `at` on; the text's end when it does not. */
static size_t behind(struct span text, size_t at, const void *what, size_t size)
{
    const uint8_t *found =
        at <= text.size ? memmem(text.data + at, text.size - at, what, size) : NULL;
    return found != NULL ? (size_t)(found - text.data) + size : text.size;
}

/* The end of a comment that begins at `at`; `at` when none does. MySQL's conditional comments are
 * text: only their beginning is passed by. PostgreSQL's may nest. */
static size_t behind_comment(struct span text, size_t at)
{
    uint8_t first = text.data[at];
    uint8_t second = at + 1 < text.size ? text.data[at + 1] : 0;
    if (first == '-' && second == '-') {
        return behind(text, at, "\n", 1);
    }
    if (first != '/' || second != '*') {
        return at;
    }
    if (at + 2 < text.size && text.data[at + 2] == '!') {
        for (at += 3; at < text.size && text.data[at] >= '0' && text.data[at] <= '9';) {
            at++;
        }
        return at;
    }
    unsigned depth = 1;
    for (at += 2; at < text.size && depth > 0;) {
        bool opens = at + 1 < text.size && memcmp(text.data + at, "/*", 2) == 0;
        bool closes = at + 1 < text.size && memcmp(text.data + at, "*/", 2) == 0;
        depth = depth + opens - closes;
        at += opens || closes ? 2 : 1;
    }
    return at;
}

/* The first byte that is neither white nor of a comment. */
static size_t skip_blank(struct span text, size_t at)
{
    while (at < text.size) {
        size_t behind_it = is_white(text.data[at]) ? at + 1 : behind_comment(text, at);
        if (behind_it == at) {
            break;
        }
        at = behind_it;
    }
    return at;
}

struct span sql_method(struct span text, char to[SQL_METHOD_MAX])
{
    size_t at = skip_blank(text, 0);
    while (at < text.size && (text.data[at] == '(' || text.data[at] == ';')) {
        at = skip_blank(text, at + 1);
    }
    bool is_name = at < text.size && is_word(text.data[at]);
    size_t size = 0;
    for (; at < text.size && size < SQL_METHOD_MAX; at++) {
        uint8_t byte = text.data[at];
        if (is_name ? !is_word(byte) : is_white(byte)) {
            break;
        }
        to[size++] = (char)(byte >= 'a' && byte <= 'z' ? byte - 32 : byte);
    }
    return span_of(to, size);
}

/* Behind a text in quotes that begins at `at`. A doubled quote is two texts, which comes to the same; a
 * backslash hides what follows, as MySQL and E'…' have it. */
static size_t behind_quote(struct span text, size_t at)
{
    uint8_t quote = text.data[at++];
    while (at < text.size && text.data[at] != quote) {
        at += text.data[at] == '\\' && quote != '`' ? 2 : 1;
    }
    return at < text.size ? at + 1 : text.size;
}

/* Behind $tag$ … $tag$ that begins at `at`; at + 1 when it is something else. `hopeless` keeps that a
 * tag has no end, so that a text full of them is not searched for each. */
static size_t behind_dollars(struct span text, size_t at, bool *hopeless)
{
    size_t end = at + 1;
    while (end < text.size && is_word(text.data[end])) {
        end++;
    }
    bool after_word = at > 0 && is_word(text.data[at - 1]);
    if (end >= text.size || text.data[end] != '$' || after_word || *hopeless) {
        return end > at ? end : at + 1;
    }
    size_t size = end + 1 - at;
    size_t behind_it = behind(text, end + 1, text.data + at, size);
    *hopeless = behind_it == text.size;
    return behind_it;
}

/* Where the statement ends that begins at `at`: at its `;` or the text's end. */
static size_t statement_end(struct span text, size_t at)
{
    bool hopeless = false;
    while (at < text.size && text.data[at] != ';') {
        uint8_t byte = text.data[at];
        if (byte == '\'' || byte == '"' || byte == '`') {
            at = behind_quote(text, at);
        } else if (byte == '$') {
            at = behind_dollars(text, at, &hopeless);
        } else {
            size_t behind_it = behind_comment(text, at);
            at = behind_it > at ? behind_it : at + 1;
        }
    }
    return at < text.size ? at : text.size;
}

struct span sql_next(struct span *rest)
{
    while (rest->size > 0) {
        size_t start = skip_blank(*rest, 0);
        size_t end = statement_end(*rest, start < rest->size ? start : rest->size);
        struct span found = sql_trim(span_of(rest->data, end));
        bool is_empty = start >= end;
        *rest = span_skip(*rest, end + 1);
        if (!is_empty) {
            return found;
        }
    }
    return span_of(rest->data, 0);
}

/* ---- Secrets ---------------------------------------------------------------------------------- */

enum { HIDDEN = 5 /* x */ };

/* A text that is read and written at once: what is written is never ahead. */
struct hiding {
    struct span text;
    char *to;
    size_t written;
    size_t at;
    bool hopeless;      /* see behind_dollars() */
    bool identified;    /* IDENTIFIED was said: behind BY and the like is a secret */
    bool sets_password; /* SET PASSWORD: behind = is one */
    bool was_set;       /* the word before was SET */
    bool is_secret;     /* of the text that comes next, if one does */
};

typedef uint8_t piece __attribute__((vector_size(16)));

static inline piece small_letters(const char *at)
{
    piece p;
    memcpy(&p, at, sizeof p);
    return p | 32;
}

/* Where "ssw" or "tif" begins among 16 bytes; two more are behind them. */
static inline piece secrets_at(const char *at)
{
    piece first = small_letters(at), second = small_letters(at + 1), third = small_letters(at + 2);
    return (piece)(((first == 's') & (second == 's') & (third == 'w')) |
                   ((first == 't') & (second == 'i') & (third == 'f')));
}

/* Whether there is any of "ssw" (password, passwd) and "tif" (identified), in any case. */
static bool may_have_secrets(const char *text, size_t size)
{
    enum { PIECE = sizeof(piece), BEHIND = 2 };
    char whole[PIECE + BEHIND] = "";
    if (size < sizeof whole) {
        memcpy(whole, text, size);
        text = whole;
        size = sizeof whole;
    }
    piece found = secrets_at(text + size - sizeof whole); /* the end, and all pieces before it */
    for (size_t at = 0; at + sizeof whole < size; at += PIECE) {
        found |= secrets_at(text + at);
    }
    uint64_t halves[2];
    memcpy(halves, &found, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

static bool is_named(struct span word, const char *name)
{
    return word.size == strlen(name) &&
           strncasecmp((const char *)word.data, name, word.size) == 0;
}

static bool is_any(struct span word, const char *const *names)
{
    while (*names != NULL && !is_named(word, *names)) {
        names++;
    }
    return *names != NULL;
}

static bool ends_with(struct span word, const char *end)
{
    size_t size = strlen(end);
    return word.size >= size && is_named(span_skip(word, word.size - size), end);
}

static bool names_secret(struct span word)
{
    return ends_with(word, "password") || ends_with(word, "passwd");
}

static void copy_to(struct hiding *h, size_t end)
{
    memmove(h->to + h->written, h->text.data + h->at, end - h->at);
    h->written += end - h->at;
    h->at = end;
}

static void hide_to(struct hiding *h, size_t end)
{
    size_t size = end - h->at < HIDDEN ? end - h->at : HIDDEN;
    memset(h->to + h->written, 'x', size);
    h->written += size;
    h->at = end;
}

/* Values of `password=` up to `end`, as texts that tell how to connect have them. */
static void hide_within(struct hiding *h, size_t end)
{
    static const char key[] = "password=";
    while (h->at + sizeof key - 1 <= end) {
        if (strncasecmp((const char *)h->text.data + h->at, key, sizeof key - 1) != 0) {
            copy_to(h, h->at + 1);
            continue;
        }
        copy_to(h, h->at + sizeof key - 1);
        size_t stop = h->at;
        while (stop < end && !is_white(h->text.data[stop]) && h->text.data[stop] != '&' &&
               h->text.data[stop] != ';') {
            stop++;
        }
        hide_to(h, stop);
    }
    copy_to(h, end);
}

/* A text whose marks have `mark` bytes at both ends; the last ones may be missing. */
static void pass_text(struct hiding *h, size_t end, size_t mark)
{
    size_t inner = h->at + mark < end ? h->at + mark : end;
    struct span marks = span_of(h->text.data + h->at, inner - h->at);
    bool is_closed = end >= inner + mark && memcmp(h->text.data + end - mark, marks.data, mark) == 0;
    size_t close = is_closed ? end - mark : end;
    struct span name = span_of(h->text.data + inner, close - inner);
    bool is_name = *marks.data != '\'' && *marks.data != '$' && names_secret(name);
    copy_to(h, inner);
    if (h->is_secret) {
        hide_to(h, close);
    } else {
        hide_within(h, close);
    }
    copy_to(h, end);
    h->is_secret = is_name;
}

/* A doubled quote stands for itself. */
static void pass_quote(struct hiding *h)
{
    uint8_t quote = h->text.data[h->at];
    size_t end = behind_quote(h->text, h->at);
    while (end < h->text.size && h->text.data[end] == quote) {
        end = behind_quote(h->text, end);
    }
    pass_text(h, end, 1);
}

static void pass_word(struct hiding *h)
{
    static const char *const behind_identified[] = {"by", "as", "using", "replace", NULL};
    size_t end = h->at;
    while (end < h->text.size && is_word(h->text.data[end])) {
        end++;
    }
    struct span word = span_of(h->text.data + h->at, end - h->at);
    bool introduces = end < h->text.size && (h->text.data[end] == '\'' || h->text.data[end] == '"');
    h->identified = h->identified || is_named(word, "identified");
    h->sets_password = h->sets_password || (h->was_set && is_named(word, "password"));
    h->was_set = is_named(word, "set");
    h->is_secret = names_secret(word) || (h->identified && is_any(word, behind_identified)) ||
                   (h->is_secret && introduces); /* E'…', _utf8'…' */
    copy_to(h, end);
}

static void pass_sign(struct hiding *h)
{
    uint8_t sign = h->text.data[h->at];
    bool goes_on = sign == '=' || sign == '(' || sign == ':' || sign == '>';
    h->is_secret = (h->is_secret && goes_on) || (h->sets_password && sign == '=');
    if (sign == ';') {
        h->identified = h->sets_password = false;
    }
    copy_to(h, h->at + 1);
}

static void pass_dollars(struct hiding *h)
{
    size_t end = behind_dollars(h->text, h->at, &h->hopeless);
    const uint8_t *mark = end > h->at + 1 ? memchr(h->text.data + h->at + 1, '$', end - h->at - 1) : NULL;
    if (mark != NULL) {
        pass_text(h, end, (size_t)(mark - h->text.data) + 1 - h->at);
    } else {
        copy_to(h, end);
    }
}

size_t sql_hide(char *text, size_t size)
{
    if (!may_have_secrets(text, size)) {
        return size;
    }
    struct hiding h = {.text = span_of(text, size), .to = text};
    while (h.at < size) {
        uint8_t byte = h.text.data[h.at];
        size_t blank = skip_blank(h.text, h.at);
        if (blank > h.at) {
            copy_to(&h, blank);
        } else if (byte == '\'' || byte == '"' || byte == '`') {
            pass_quote(&h);
        } else if (byte == '$') {
            pass_dollars(&h);
        } else if (is_word(byte)) {
            pass_word(&h);
        } else {
            pass_sign(&h);
        }
    }
    return h.written;
}
