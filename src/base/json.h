// SPDX-License-Identifier: Apache-2.0
/* An append-only JSON writer over a growing buffer; it keeps the commas, the caller keeps the
 * nesting. Text is escaped, bytes that are not UTF-8 become U+FFFD, so that the output is always
 * valid JSON. Cold paths and the output thread only (the buffer may grow). A failed allocation sets
 * `failed`; what was written before stays whole, what follows is dropped. */
#pragma once

#include "base/span.h"

struct json {
    char *data; /* owned; not terminated */
    size_t size;
    size_t capacity;
    bool comma; /* the next value needs a comma before it */
    bool failed;
    bool is_fixed; /* `data` is somebody's memory of this capacity: it does not grow, nor is it freed */
};

/* An empty writer. */
void json_init(struct json *j);
/* Frees the buffer. */
void json_done(struct json *j);
/* Forgets what was written, keeps the buffer. */
void json_reset(struct json *j);

void json_object_begin(struct json *j);
void json_object_end(struct json *j);
void json_array_begin(struct json *j);
void json_array_end(struct json *j);
/* A member's name; its value is the next thing written. */
void json_key(struct json *j, const char *name);
void json_key_span(struct json *j, struct span name);

void json_text(struct json *j, const char *text); /* NULL gives null */
void json_span(struct json *j, struct span text);
void json_u64(struct json *j, uint64_t value);
void json_i64(struct json *j, int64_t value);
/* Shortest form that reads back the same; NaN and infinities give null. */
void json_double(struct json *j, double value);
void json_bool(struct json *j, bool value);
void json_null(struct json *j);
/* A member whole. */
void json_member_text(struct json *j, const char *name, const char *text);
void json_member_u64(struct json *j, const char *name, uint64_t value);
/* Bytes that are a whole JSON value already. */
void json_raw(struct json *j, struct span value);

/* Bytes outside JSON's grammar: newlines between documents, Prometheus text ... What follows them
 * begins anew: it gets no comma. */
void json_append(struct json *j, const void *data, size_t size);
__attribute__((format(printf, 2, 3))) void json_printf(struct json *j, const char *format, ...);

/* The slow half of json_reserve(). */
bool json_grow(struct json *j, size_t n);

/* Makes room for `n` more bytes and returns where they go, or NULL (and `failed`). The caller
 * writes and adds what it wrote to `size`. For encoders that know their bytes, below the commas. */
static inline char *json_reserve(struct json *j, size_t n)
{
    return j->capacity - j->size >= n || json_grow(j, n) ? j->data + j->size : NULL;
}

/* Ends a document that stands on a line of its own; what follows begins anew. */
static inline void json_newline(struct json *j)
{
    char *to = json_reserve(j, 1);
    if (to != NULL) {
        *to = '\n';
        j->size++;
    }
    j->comma = false;
}

enum { JSON_U64_MAX = 20 };

/* Writes `value` in decimal at `to`, which has room for JSON_U64_MAX bytes; returns the end. */
char *json_digits(char *to, uint64_t value);

/* Writes a text in quotes at `to`, which has room for its size and 2 bytes; returns the end,
 * NULL when it is not all ASCII that needs no escape: then what is there is of no use. */
char *json_quote(char *to, struct span text);

/* The same for a text that ends with a zero, of which `readable` bytes may be looked at, whatever lies
 * behind the zero; `to` has room for them and 2. NULL as well when it is longer than that. */
char *json_quote_terminated(char *to, const char *text, size_t readable);

/* Length in bytes (1 to 4) of the UTF-8 sequence at the start of `s`; 0 when there is none
 * (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
unsigned json_utf8(struct span s);
