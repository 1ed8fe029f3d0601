// SPDX-License-Identifier: Apache-2.0
#include "event/zone.h"

#include "base/cursor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    NAME_MAX_BYTES = 64,
    RESERVED = 15,
    TYPES_MAX = 256,
    CHANGES_MAX = 4096, /* of a file */
    DAY = 86400,
    HOUR = 3600,
    RULE_HOURS_MAX = 167,
    FIRST_YEAR = 1970, /* of those that a rule is asked about */
};

struct change {
    int64_t at;
    int32_t offset;
};

struct zone {
    int32_t first; /* before all changes */
    size_t count;
    struct change changes[];
};

/* ---- What comes behind the table: the rule of a TZ string (POSIX, RFC 8536 §3.3.1) ------------- */

struct rule_day {
    char kind; /* M: a weekday of a month, J: a day of the year that never is 29 February, 0: from 0 */
    int month, week, day;
    int32_t seconds;
};

struct rule {
    int32_t offset[2]; /* standard, summer */
    struct rule_day day[2]; /* when the summer begins, and when it ends */
};

static bool take_number(struct cursor *c, int most, int *ret)
{
    int value = 0, digits = 0;
    while (cursor_left(c) > 0 && *c->at >= '0' && *c->at <= '9' && digits < 4) {
        value = value * 10 + cursor_u8(c) - '0';
        digits++;
    }
    *ret = value;
    return digits > 0 && value <= most;
}

static bool take_char(struct cursor *c, char wanted)
{
    if (cursor_left(c) == 0 || *c->at != (uint8_t)wanted) {
        return false;
    }
    cursor_skip(c, 1);
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct cursor *c, int32_t *ret)
{
    int part[3] = {0};
    int32_t sign = take_char(c, '-') ? -1 : 1;
    (void)take_char(c, '+');
    if (!take_number(c, RULE_HOURS_MAX, &part[0])) {
        return false;
    }
    for (size_t i = 1; i < 3 && take_char(c, ':'); i++) {
        if (!take_number(c, 59, &part[i])) {
            return false;
        }
    }
    *ret = sign * (part[0] * HOUR + part[1] * 60 + part[2]);
    return true;
}

/* Letters, or anything within <>. */
static bool take_name(struct cursor *c)
{
    bool is_quoted = take_char(c, '<');
    size_t size = 0;
    while (cursor_left(c) > 0 && (is_quoted ? *c->at != '>' : (*c->at | 32) >= 'a' && (*c->at | 32) <= 'z')) {
        cursor_skip(c, 1);
        size++;
    }
    return size >= 3 && (!is_quoted || take_char(c, '>'));
}

static bool take_day(struct cursor *c, struct rule_day *day)
{
    *day = (struct rule_day){.kind = '0', .seconds = 2 * HOUR};
    bool is_good;
    if (take_char(c, 'M')) {
        day->kind = 'M';
        is_good = take_number(c, 12, &day->month) && day->month > 0 && take_char(c, '.') &&
                  take_number(c, 5, &day->week) && day->week > 0 && take_char(c, '.') &&
                  take_number(c, 6, &day->day);
    } else {
        day->kind = take_char(c, 'J') ? 'J' : '0';
        is_good = take_number(c, 365, &day->day) && (day->kind == '0' || day->day > 0);
    }
    return is_good && (!take_char(c, '/') || take_time(c, &day->seconds));
}

/* False when there is no summer, or no such rule. */
static bool read_rule(struct span text, struct rule *ret)
{
    struct cursor c = cursor_of(text);
    int32_t west;
    if (!take_name(&c) || !take_time(&c, &west) || !take_name(&c)) {
        return false;
    }
    ret->offset[0] = -west;
    ret->offset[1] = -west + HOUR;
    if (cursor_left(&c) > 0 && *c.at != ',') {
        if (!take_time(&c, &west)) {
            return false;
        }
        ret->offset[1] = -west;
    }
    return take_char(&c, ',') && take_day(&c, &ret->day[0]) && take_char(&c, ',') &&
           take_day(&c, &ret->day[1]) && cursor_left(&c) == 0;
}

/* Midnight of a day of a month (0: January), which may be beyond it, as if clocks were UTC's. */
static int64_t midnight(int year, int month, int day, int *weekday)
{
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month, .tm_mday = day};
    int64_t seconds = timegm(&tm);
    *weekday = tm.tm_wday;
    return seconds;
}

/* When that is, as clocks show it. */
static int64_t rule_time(const struct rule_day *day, int year)
{
    int weekday;
    int64_t at;
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (day->kind == 'M') {
        at = midnight(year, day->month - 1, 1, &weekday);
        int64_t end = midnight(year, day->month, 1, &weekday);
        (void)midnight(year, day->month - 1, 1, &weekday);
        at += ((day->day - weekday + 7) % 7 + (day->week - 1) * 7) * (int64_t)DAY;
        at -= at >= end ? 7 * (int64_t)DAY : 0; /* week 5 is the last */
    } else {
        bool is_behind = day->kind == 'J' && is_leap && day->day > 59;
        int number = day->day + (day->kind == 'J' ? 0 : 1) + is_behind;
        at = midnight(year, 0, number, &weekday);
    }
    return at + day->seconds;
}

/* Adds what the rule says of the years behind the table. */
static void extend(struct zone *zone, const struct rule *rule)
{
    time_t last = zone->count > 0 ? (time_t)zone->changes[zone->count - 1].at : 0;
    struct tm tm;
    int year = gmtime_r(&last, &tm) != NULL ? tm.tm_year + 1900 : FIRST_YEAR;
    for (year = year > FIRST_YEAR ? year : FIRST_YEAR; year <= ZONE_LAST_YEAR; year++) {
        struct change both[2];
        for (unsigned i = 0; i < 2; i++) {
            both[i] = (struct change){.at = rule_time(&rule->day[i], year) - rule->offset[i],
                                      .offset = rule->offset[1 - i]};
        }
        unsigned first = both[1].at < both[0].at; /* south of the equator */
        for (unsigned i = 0; i < 2; i++) {
            const struct change *change = &both[i ^ first];
            if (zone->count == 0 || change->at > zone->changes[zone->count - 1].at) {
                zone->changes[zone->count++] = *change;
            }
        }
    }
}

/* ---- Files (RFC 8536 §3) ------------------------------------------------------------------------- */

struct head {
    uint8_t version;
    uint32_t utc_flags, standard_flags, leaps, changes, types, letters;
};

static bool read_head(struct cursor *c, struct head *head)
{
    if (!span_equal(cursor_take(c, 4), span_str("TZif"))) {
        return false;
    }
    head->version = cursor_u8(c);
    cursor_skip(c, RESERVED);
    head->utc_flags = cursor_be32(c);
    head->standard_flags = cursor_be32(c);
    head->leaps = cursor_be32(c);
    head->changes = cursor_be32(c);
    head->types = cursor_be32(c);
    head->letters = cursor_be32(c);
    return !c->bad && head->changes <= CHANGES_MAX && head->types > 0 && head->types <= TYPES_MAX &&
           head->letters <= ZONE_FILE_MAX && head->leaps <= ZONE_FILE_MAX &&
           head->utc_flags <= TYPES_MAX && head->standard_flags <= TYPES_MAX;
}

/* What is behind the times and types of a block. */
static size_t rest_size(const struct head *head, size_t time_size)
{
    return head->letters + head->leaps * (time_size + 4) + head->standard_flags + head->utc_flags;
}

static bool read_changes(struct cursor *c, const struct head *head, struct zone *zone)
{
    struct cursor times = cursor_of(cursor_take(c, 8 * (size_t)head->changes));
    struct cursor numbers = cursor_of(cursor_take(c, head->changes));
    struct cursor types = cursor_of(cursor_take(c, 6 * (size_t)head->types));
    int32_t offsets[TYPES_MAX] = {0};
    for (uint32_t i = 0; i < head->types; i++) {
        offsets[i] = (int32_t)cursor_be32(&types);
        cursor_skip(&types, 2);
    }
    zone->first = offsets[0];
    for (uint32_t i = 0; i < head->changes; i++) {
        int64_t at = (int64_t)cursor_be64(&times);
        uint8_t number = cursor_u8(&numbers);
        if (number >= head->types || (i > 0 && at <= zone->changes[i - 1].at)) {
            return false;
        }
        zone->changes[zone->count++] = (struct change){.at = at, .offset = offsets[number]};
    }
    return !c->bad;
}

const struct zone *zone_of(struct span file, struct nodes *tree)
{
    struct cursor c = cursor_of(file);
    struct head old, head;
    struct rule rule;
    if (!read_head(&c, &old) || old.version < '2') {
        return NULL;
    }
    cursor_skip(&c, old.changes * (size_t)5 + old.types * (size_t)6 + rest_size(&old, 4));
    if (!read_head(&c, &head)) {
        return NULL;
    }
    size_t room = head.changes + 2 * (ZONE_LAST_YEAR - FIRST_YEAR + 1);
    struct zone *zone = node_allocate(tree, sizeof *zone + room * sizeof zone->changes[0]);
    if (!read_changes(&c, &head, zone)) {
        return NULL;
    }
    cursor_skip(&c, rest_size(&head, 8));
    struct span footer = cursor_take(&c, cursor_left(&c));
    bool is_framed = !c.bad && footer.size >= 2 && footer.data[0] == '\n' &&
                     footer.data[footer.size - 1] == '\n';
    if (is_framed && read_rule(span_of(footer.data + 1, footer.size - 2), &rule)) {
        extend(zone, &rule);
    }
    return is_framed ? zone : NULL;
}

/* No path that leads elsewhere. */
static bool is_name(struct span name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        bool is_letter = (c | 32) >= 'a' && (c | 32) <= 'z';
        bool is_other = (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-' || (c == '/' && i > 0);
        if (!is_letter && !is_other) {
            return false;
        }
    }
    return name.size > 0 && name.size < NAME_MAX_BYTES;
}

const struct zone *zone_named(struct span name, struct nodes *tree)
{
    char path[128];
    if (!is_name(name)) {
        return NULL;
    }
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%.*s", (int)name.size, name.data);
    FILE *file = fopen(path, "rbe");
    uint8_t *bytes = file != NULL ? malloc(ZONE_FILE_MAX) : NULL;
    const struct zone *zone = NULL;
    if (bytes != NULL) {
        zone = zone_of(span_of(bytes, fread(bytes, 1, ZONE_FILE_MAX, file)), tree);
    }
    free(bytes);
    if (file != NULL) {
        (void)fclose(file);
    }
    return zone;
}

/* ---- Looks --------------------------------------------------------------------------------------- */

/* How many changes there were by then. */
static size_t changes_by(const struct zone *zone, int64_t utc)
{
    size_t low = 0, high = zone->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->changes[middle].at <= utc) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t zone_offset(const struct zone *zone, int64_t utc)
{
    size_t count = changes_by(zone, utc);
    return count > 0 ? zone->changes[count - 1].offset : zone->first;
}

int32_t zone_local_offset(const struct zone *zone, int64_t local)
{
    int32_t guess = zone_offset(zone, local);
    int64_t utc = local - guess;
    return changes_by(zone, utc) == changes_by(zone, local) ? guess : zone_offset(zone, utc);
}
