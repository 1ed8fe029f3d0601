// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/digits.h"

static const int64_t SECOND = 1000000000;

struct unit {
    const char *name;
    int64_t factor;
};

/* Largest first: a writer takes the first that divides its value. */
static const struct unit duration_units[] = {
    {"d", 86400000000000}, {"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000},
    {"ms", 1000000},       {"us", 1000},         {"ns", 1},          {NULL, 0},
};

static const struct unit size_units[] = {
    {"T", 1ll << 40},      {"G", 1 << 30},      {"M", 1 << 20},   {"K", 1 << 10},  {"", 1},
    {"TiB", 1ll << 40},    {"GiB", 1 << 30},    {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"k", 1 << 10},
    {"TB", 1000000000000}, {"GB", 1000000000},  {"MB", 1000000},  {"KB", 1000},     {"kB", 1000},
    {"B", 1},              {NULL, 0},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The unit whose name is exactly the `size` bytes at `at`, or NULL. */
static const struct unit *unit_find(const struct unit *units, const char *at, size_t size)
{
    for (; units->name != NULL; units++) {
        if (strlen(units->name) == size && strncmp(units->name, at, size) == 0) {
            return units;
        }
    }
    return NULL;
}

/* Reads the digits at *at and steps over them; false when there are none or too many. */
static bool take_digits(const char **at, int64_t *ret)
{
    const char *start = *at;
    *ret = 0;
    for (; is_digit(**at); (*at)++) {
        if (__builtin_mul_overflow(*ret, 10, ret) ||
            __builtin_add_overflow(*ret, **at - '0', ret)) {
            return false;
        }
    }
    return *at != start;
}

/* Reads ".25" at *at, if there is a point, as *ret_parts of *ret_whole; nine digits count. */
static bool take_fraction(const char **at, int64_t *ret_parts, int64_t *ret_whole)
{
    *ret_parts = 0;
    *ret_whole = 1;
    if (**at != '.') {
        return true;
    }
    const char *start = ++*at;
    for (; is_digit(**at); (*at)++) {
        if (*at - start < 9) {
            *ret_parts = *ret_parts * 10 + (**at - '0');
            *ret_whole *= 10;
        }
    }
    return *at != start;
}

/* Reads one "12.5unit" at *at and steps over it; the unit's name runs to the next digit. */
static bool take_quantity(const char **at, const struct unit *units, int64_t *ret)
{
    int64_t count;
    int64_t parts;
    int64_t whole;
    if (!take_digits(at, &count) || !take_fraction(at, &parts, &whole)) {
        return false;
    }
    const char *name = *at;
    *at += strcspn(name, "0123456789.");
    const struct unit *unit = unit_find(units, name, (size_t)(*at - name));
    if (unit == NULL || __builtin_mul_overflow(count, unit->factor, ret)) {
        return false;
    }
    int64_t rest = (int64_t)((__int128)unit->factor * parts / whole);
    return !__builtin_add_overflow(*ret, rest, ret);
}

bool text_parse_number(const char *text, int64_t *ret)
{
    bool negative = *text == '-';
    text += negative || *text == '+';
    if (!take_digits(&text, ret) || *text != '\0') {
        return false;
    }
    *ret = negative ? -*ret : *ret;
    return true;
}

bool text_parse_size(const char *text, int64_t *ret)
{
    return take_quantity(&text, size_units, ret) && *text == '\0';
}

bool text_parse_duration(const char *text, int64_t *ret)
{
    bool negative = *text == '-';
    text += negative;
    int64_t total = 0;
    if (strcmp(text, "0") == 0) {
        *ret = 0;
        return true;
    }
    do {
        int64_t part;
        if (!take_quantity(&text, duration_units, &part) ||
            __builtin_add_overflow(total, part, &total)) {
            return false;
        }
    } while (*text != '\0');
    *ret = negative ? -total : total;
    return true;
}

char *text_size(char to[TEXT_ROOM], int64_t bytes)
{
    const struct unit *unit = size_units;
    while (unit->factor > 1 && (bytes == 0 || bytes % unit->factor != 0)) {
        unit++;
    }
    snprintf(to, TEXT_ROOM, "%lld%s", (long long)(bytes / unit->factor), unit->name);
    return to;
}

char *text_duration(char to[TEXT_ROOM], int64_t nanoseconds)
{
    uint64_t left = nanoseconds < 0 ? -(uint64_t)nanoseconds : (uint64_t)nanoseconds;
    int at = snprintf(to, TEXT_ROOM, "%s", nanoseconds < 0 ? "-" : left == 0 ? "0s" : "");
    for (const struct unit *unit = duration_units; left != 0; unit++) {
        uint64_t factor = (uint64_t)unit->factor;
        if (left >= factor) {
            at += snprintf(to + at, (size_t)(TEXT_ROOM - at), "%llu%s",
                           (unsigned long long)(left / factor), unit->name);
            left %= factor;
        }
    }
    return to;
}

/* Three digits of `value` and the first of `units` in which it is below `step`. */
static char *short_scaled(char to[TEXT_ROOM], double value, double step, const char *const *units)
{
    /* 999.5 would be written as "1000", hence the half. */
    while (fabs(value) >= (step == 1000 ? 999.5 : 1023.5) && units[1] != NULL) {
        value /= step;
        units++;
    }
    double size = fabs(value);
    bool is_whole = size >= 99.95 || size == floor(size);
    snprintf(to, TEXT_ROOM, "%.*f%s", is_whole ? 0 : size >= 9.995 ? 1 : 2, value, *units);
    return to;
}

char *text_short_count(char to[TEXT_ROOM], double count)
{
    static const char *const units[] = {"", " k", " M", " G", " T", " P", " E", NULL};
    return short_scaled(to, count, 1000, units);
}

char *text_short_bytes(char to[TEXT_ROOM], double bytes)
{
    static const char *const units[] = {" B",   " KiB", " MiB", " GiB",
                                        " TiB", " PiB", " EiB", NULL};
    return short_scaled(to, bytes, 1024, units);
}

char *text_short_duration(char to[TEXT_ROOM], int64_t nanoseconds)
{
    static const char *const units[] = {" ns", " us", " ms", " s", NULL};
    int64_t seconds = nanoseconds / SECOND;
    if (seconds < 100 && seconds > -100) {
        return short_scaled(to, (double)nanoseconds, 1000, units);
    }
    const char *sign = seconds < 0 ? "-" : "";
    long long left = seconds < 0 ? -seconds : seconds;
    if (left < 3600) {
        snprintf(to, TEXT_ROOM, "%s%lldm %llds", sign, left / 60, left % 60);
    } else if (left < 86400) {
        snprintf(to, TEXT_ROOM, "%s%lldh %lldm", sign, left / 3600, left % 3600 / 60);
    } else {
        snprintf(to, TEXT_ROOM, "%s%lldd %lldh", sign, left / 86400, left % 86400 / 3600);
    }
    return to;
}

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
                                  "25262728293031323334353637383940414243444546474849"
                                  "50515253545556575859606162636465666768697071727374"
                                  "75767778798081828384858687888990919293949596979899";

/* Writes `value`, below 100, as two digits. */
static inline char *put_pair(char *to, uint32_t value)
{
    memcpy(to, digit_pairs + 2 * (size_t)value, 2);
    return to + 2;
}

/* Writes `value` as exactly `width` digits, two at a time: half the divisions. */
static char *put_digits(char *to, uint32_t value, int width)
{
    int left = width;
    for (; left >= 2; left -= 2) {
        put_pair(to + left - 2, value % 100);
        value /= 100;
    }
    if (left == 1) {
        to[0] = (char)('0' + value % 10);
    }
    return to + width;
}

char *text_nanoseconds(char *to, uint32_t value)
{
    *to++ = (char)('0' + value / DIGITS_PIECE);
    return digits_all(to, value % DIGITS_PIECE);
}

/* The date of a day since 1970: the days are counted from 1 March of year 0, so that the leap day
 * is the last of a year (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
static char *put_date(char *to, uint32_t day)
{
    day += 719468;
    uint32_t era = day / 146097;
    uint32_t of_era = day % 146097;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint32_t month = (5 * of_year + 2) / 153; /* 0 is March */
    uint32_t of_month = of_year - (153 * month + 2) / 5 + 1;
    year += era * 400 + (month >= 10);
    to = put_pair(put_pair(to, year / 100), year % 100);
    *to++ = '-';
    to = put_pair(to, month < 10 ? month + 3 : month - 9);
    *to++ = '-';
    return put_pair(to, of_month);
}

size_t text_rfc3339(char to[TEXT_TIME_ROOM], uint64_t nanoseconds, int digits)
{
    static const uint32_t powers[] = {1,      10,      100,      1000,      10000,
                                      100000, 1000000, 10000000, 100000000, 1000000000};
    assert(digits >= 0 && digits <= 9);
    uint64_t seconds = nanoseconds / 1000000000;
    uint32_t fraction = (uint32_t)(nanoseconds % 1000000000);
    uint32_t of_day = (uint32_t)(seconds % 86400);
    char *at = put_date(to, (uint32_t)(seconds / 86400));
    *at++ = 'T';
    at = put_pair(at, of_day / 3600);
    *at++ = ':';
    at = put_pair(at, of_day / 60 % 60);
    *at++ = ':';
    at = put_pair(at, of_day % 60);
    if (digits == 9) {
        *at++ = '.';
        at = text_nanoseconds(at, fraction);
    } else if (digits > 0) {
        *at++ = '.';
        at = put_digits(at, fraction / powers[9 - digits], digits);
    }
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - to);
}

static inline char *put_base64(char *to, uint32_t three)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    to[0] = letters[three >> 18];
    to[1] = letters[three >> 12 & 63];
    to[2] = letters[three >> 6 & 63];
    to[3] = letters[three & 63];
    return to + 4;
}

char *text_base64(char *to, const uint8_t *bytes, size_t size)
{
    for (; size >= 3; size -= 3, bytes += 3) {
        to = put_base64(to, (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2]);
    }
    if (size > 0) {
        uint32_t second = size == 2 ? bytes[1] : 0;
        to = put_base64(to, (uint32_t)bytes[0] << 16 | second << 8);
        memset(to - (3 - size), '=', 3 - size);
    }
    return to;
}

char *text_printable(char *to, size_t room, const char *text)
{
    size_t i = 0;
    for (; i + 1 < room && text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];
        bool is_c1 = c == 0xc2 && (unsigned char)text[i + 1] >= 0x80 &&
                     (unsigned char)text[i + 1] < 0xa0; /* U+0080…: cursor moves, too */
        to[i] = (char)(c < 0x20 || c == 0x7f || is_c1 ? '?' : c);
    }
    to[i] = '\0';
    return to;
}
