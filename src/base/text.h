// SPDX-License-Identifier: Apache-2.0
/* Numbers as people write and read them: sizes, durations, counts, times. Parsers take whole
 * strings and refuse what is left over; writers come in two kinds, exact (a parser reads the same
 * value back) and short (three digits that fit a column). No allocation; all thread safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TEXT_ROOM = 40,      /* bytes that every writer below fits in, with its terminator */
    TEXT_TIME_ROOM = 31, /* 2026-11-20T23:58:49.123456789Z and its terminator */
};

/* Texts of a configuration, owned by it. */
struct text_list {
    const char **items;
    size_t count;
    bool is_default; /* the first item that is added takes its place */
};

/* A whole decimal number, with a sign or without; false when it is none or too large. */
bool text_parse_number(const char *text, int64_t *ret);

/* Bytes: "1500", "64K", "16M", "1.5GiB" are powers of 1024, "10MB" of 1000, as coreutils count. */
bool text_parse_size(const char *text, int64_t *ret);

/* Nanoseconds: "10s", "1h30m", "1.5ms", "-1s"; units d, h, m, s, ms, us, ns. A unit is required,
 * but for 0. */
bool text_parse_duration(const char *text, int64_t *ret);

/* Exact: "16M", "1500", never a fraction. Returns `to`, as do all writers. */
char *text_size(char to[TEXT_ROOM], int64_t bytes);
/* Exact: "10s", "1h30m", "-1s", "250ms". */
char *text_duration(char to[TEXT_ROOM], int64_t nanoseconds);

/* Short, SI: "950", "1.23 k", "45.6 M". */
char *text_short_count(char to[TEXT_ROOM], double count);
/* Short, IEC: "950 B", "1.23 KiB". */
char *text_short_bytes(char to[TEXT_ROOM], double bytes);
/* Short: "1.23 ms", "45.6 s", "3m 20s", "2d 4h". */
char *text_short_duration(char to[TEXT_ROOM], int64_t nanoseconds);

/* RFC 3339 in UTC with `digits` (0 to 9) of the second, cut, not rounded, of nanoseconds since
 * 1970, as events carry it; returns the length. Some thirty nanoseconds; no locale, no allocation. */
size_t text_rfc3339(char to[TEXT_TIME_ROOM], uint64_t nanoseconds, int digits);

/* Nine digits of a fraction of a second below 10^9, without a terminator; returns their end. */
char *text_nanoseconds(char *to, uint32_t nanoseconds);

/* Base64 with its padding (RFC 4648 §4), without a terminator; returns the end, behind four letters for
 * each three bytes. */
char *text_base64(char *to, const uint8_t *bytes, size_t size);

/* Copies as much of `text` as fits; bytes that would move a terminal's cursor become '?'. For
 * names that come from a file or from the wire. */
char *text_printable(char *to, size_t room, const char *text);
