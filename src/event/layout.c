// SPDX-License-Identifier: Apache-2.0
#include "event/layout.h"

#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    SECOND = 1000000000,
    HOUR_SECONDS = 3600,
    FRACTION_DIGITS = 9,
    YEAR_OF_TM = 1900,
    YEAR_LEAST = 1678, YEAR_MOST = 2261, /* whose nanoseconds since 1970 are numbers of 64 bits */
    PIVOT = 69, /* years of two digits from here on are of the last century */
};

/* What has been read. */
struct reading {
    struct span text;
    struct tm tm;
    int64_t nanoseconds;
    int32_t day_of_year; /* 0: not told */
    struct layout_zone zone;
    bool has_year;
    bool is_afternoon;
    bool has_half; /* AM or PM was told */
};

struct element {
    const char *name;
    bool (*read)(struct reading *r, const struct element *element);
    int low, high; /* digits of a number, or of the zone's form: see read_zone() */
    int at;        /* where a number goes: enum place */
};

enum place { YEAR, SHORT_YEAR, MONTH, DAY, DAY_OF_YEAR, HOUR, MINUTE, SECOND_OF_MINUTE };

/* ---- Pieces of the text ------------------------------------------------------------------------ */

static bool skip(struct reading *r, uint8_t c)
{
    if (r->text.size == 0 || *r->text.data != c) {
        return false;
    }
    r->text = span_skip(r->text, 1);
    return true;
}

static bool digits(struct reading *r, int low, int high, int *ret)
{
    int count = 0;
    *ret = 0;
    for (; count < high && r->text.size > 0 && *r->text.data >= '0' && *r->text.data <= '9'; count++) {
        *ret = *ret * 10 + *r->text.data - '0';
        r->text = span_skip(r->text, 1);
    }
    return count >= low;
}

static bool put_number(struct reading *r, enum place place, int n)
{
    switch (place) {
    case YEAR:
        r->tm.tm_year = n - YEAR_OF_TM;
        r->has_year = true;
        return n >= YEAR_LEAST && n <= YEAR_MOST;
    case SHORT_YEAR:
        r->tm.tm_year = n >= PIVOT ? n : n + 100;
        r->has_year = true;
        return true;
    case MONTH:
        r->tm.tm_mon = n - 1;
        return n >= 1 && n <= 12;
    case DAY:
        r->tm.tm_mday = n;
        return n >= 1 && n <= 31;
    case DAY_OF_YEAR:
        r->day_of_year = n;
        return n >= 1 && n <= 366;
    case HOUR:
        r->tm.tm_hour = n;
        return n < 24;
    case MINUTE:
        r->tm.tm_min = n;
        return n < 60;
    case SECOND_OF_MINUTE:
        r->tm.tm_sec = n;
        return n < 60;
    }
    return false;
}

/* Numbers that may begin with blanks have `_` in their names. */
static bool read_number(struct reading *r, const struct element *element)
{
    int number;
    while (element->name[0] == '_' && skip(r, ' ')) {
    }
    return digits(r, element->low, element->high, &number) &&
           put_number(r, (enum place)element->at, number);
}

/* A word of a list; its place in the list, or -1. At least `least` letters tell it. */
static int word(struct reading *r, const char *const *words, size_t least)
{
    for (int i = 0; words[i] != NULL; i++) {
        size_t size = least != 0 ? least : strlen(words[i]);
        if (r->text.size >= size && strncasecmp((const char *)r->text.data, words[i], size) == 0) {
            r->text = span_skip(r->text, size);
            return i;
        }
    }
    return -1;
}

static const char *const months[] = {"January", "February", "March", "April", "May", "June", "July",
                                     "August", "September", "October", "November", "December", NULL};
static const char *const days[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
                                   "Sunday", NULL};

static bool read_month(struct reading *r, const struct element *element)
{
    r->tm.tm_mon = word(r, months, (size_t)element->low);
    return r->tm.tm_mon >= 0;
}

static bool read_day(struct reading *r, const struct element *element)
{
    return word(r, days, (size_t)element->low) >= 0; /* the date tells it */
}

static bool read_half(struct reading *r, const struct element *element)
{
    static const char *const halves[] = {"AM", "PM", NULL};
    (void)element;
    int half = word(r, halves, 0);
    r->is_afternoon = half == 1;
    r->has_half = true;
    return half >= 0;
}

/* ".000" and ",000": as many digits; ".999": any number of them, none as well. */
static bool read_fraction(struct reading *r, int low, int high)
{
    if (!skip(r, '.') && !skip(r, ',')) {
        return low == 0;
    }
    int64_t unit = SECOND / 10;
    int count = 0;
    for (; count < high && r->text.size > 0 && *r->text.data >= '0' && *r->text.data <= '9'; count++) {
        r->nanoseconds += unit * (*r->text.data - '0');
        unit /= 10;
        r->text = span_skip(r->text, 1);
    }
    return count >= low;
}

/* ---- Zones --------------------------------------------------------------------------------------- */

enum zone_form { HOURS = 1, MINUTES = 2, COLON = 4, LETTER_Z = 8, SECONDS = 16 };

static bool read_offset(struct reading *r, unsigned form)
{
    int hours, minutes = 0, seconds = 0;
    bool is_west = r->text.size > 0 && *r->text.data == '-';
    if (!skip(r, '-') && !skip(r, '+')) {
        return false;
    }
    bool is_good = digits(r, 2, 2, &hours) && hours < 24;
    if (form & (MINUTES | SECONDS)) {
        is_good = is_good && (!(form & COLON) || skip(r, ':')) && digits(r, 2, 2, &minutes);
    }
    if (form & SECONDS) {
        is_good = is_good && (!(form & COLON) || skip(r, ':')) && digits(r, 2, 2, &seconds);
    }
    int32_t east = hours * HOUR_SECONDS + minutes * 60 + seconds;
    r->zone = (struct layout_zone){.offset = is_west ? -east : east};
    return is_good && minutes < 60 && seconds < 60;
}

static bool read_zone(struct reading *r, const struct element *element)
{
    if (element->low & LETTER_Z && skip(r, 'Z')) {
        r->zone = (struct layout_zone){0};
        return true;
    }
    return read_offset(r, (unsigned)element->low);
}

/* Letters of a zone mean one thing only where they mean UTC. */
static bool read_zone_name(struct reading *r, const struct element *element)
{
    static const char *const names[] = {"UTC", "GMT", NULL};
    (void)element;
    r->zone = (struct layout_zone){0};
    return word(r, names, 0) >= 0;
}

bool layout_zone_read(struct span name, struct nodes *tree, struct layout_zone *ret)
{
    *ret = (struct layout_zone){.is_local = span_equal(name, span_str("Local"))};
    if (name.size == 0 || ret->is_local || span_equal(name, span_str("UTC"))) {
        return true;
    }
    struct reading colon = {.text = name}, plain = {.text = name};
    bool is_good = read_offset(&colon, MINUTES | COLON) && colon.text.size == 0;
    *ret = colon.zone;
    if (!is_good) {
        is_good = read_offset(&plain, MINUTES) && plain.text.size == 0;
        *ret = plain.zone;
    }
    if (!is_good) {
        *ret = (struct layout_zone){.named = zone_named(name, tree)};
    }
    return is_good || ret->named != NULL;
}

/* ---- Layouts ------------------------------------------------------------------------------------- */

/* Longer names stand before those that they begin with. */
static const struct element elements[] = {
    {"2006", read_number, 4, 4, YEAR},
    {"January", read_month, 0, 0, 0},
    {"Jan", read_month, 3, 0, 0},
    {"Monday", read_day, 0, 0, 0},
    {"Mon", read_day, 3, 0, 0},
    {"MST", read_zone_name, 0, 0, 0},
    {"002", read_number, 3, 3, DAY_OF_YEAR},
    {"01", read_number, 2, 2, MONTH},
    {"02", read_number, 2, 2, DAY},
    {"03", read_number, 2, 2, HOUR},
    {"04", read_number, 2, 2, MINUTE},
    {"05", read_number, 2, 2, SECOND_OF_MINUTE},
    {"06", read_number, 2, 2, SHORT_YEAR},
    {"15", read_number, 2, 2, HOUR},
    {"__2", read_number, 1, 3, DAY_OF_YEAR},
    {"_2006", NULL, 0, 0, 0}, /* a line and the year, not a day */
    {"_2", read_number, 1, 2, DAY},
    {"1", read_number, 1, 2, MONTH},
    {"2", read_number, 1, 2, DAY},
    {"3", read_number, 1, 2, HOUR},
    {"4", read_number, 1, 2, MINUTE},
    {"5", read_number, 1, 2, SECOND_OF_MINUTE},
    {"PM", read_half, 0, 0, 0},
    {"pm", read_half, 0, 0, 0},
    {"Z070000", read_zone, SECONDS | LETTER_Z, 0, 0},
    {"Z07:00:00", read_zone, SECONDS | COLON | LETTER_Z, 0, 0},
    {"Z0700", read_zone, MINUTES | LETTER_Z, 0, 0},
    {"Z07:00", read_zone, MINUTES | COLON | LETTER_Z, 0, 0},
    {"Z07", read_zone, HOURS | LETTER_Z, 0, 0},
    {"-070000", read_zone, SECONDS, 0, 0},
    {"-07:00:00", read_zone, SECONDS | COLON, 0, 0},
    {"-0700", read_zone, MINUTES, 0, 0},
    {"-07:00", read_zone, MINUTES | COLON, 0, 0},
    {"-07", read_zone, HOURS, 0, 0},
};

static const struct element *element_at(struct span layout)
{
    for (size_t i = 0; i < sizeof elements / sizeof *elements; i++) {
        size_t size = strlen(elements[i].name);
        if (layout.size >= size && memcmp(layout.data, elements[i].name, size) == 0) {
            return elements[i].read != NULL ? &elements[i] : NULL;
        }
    }
    return NULL;
}

/* Bytes of ".000" or ".999" and the like at the layout's beginning; 0: there is none. */
static size_t fraction_at(struct span layout, bool *ret_exact)
{
    if (layout.size < 2 || (*layout.data != '.' && *layout.data != ',') ||
        (layout.data[1] != '0' && layout.data[1] != '9')) {
        return 0;
    }
    size_t size = 1;
    while (size < layout.size && layout.data[size] == layout.data[1]) {
        size++;
    }
    bool goes_on = size < layout.size && layout.data[size] >= '0' && layout.data[size] <= '9';
    *ret_exact = layout.data[1] == '0';
    return goes_on || size > FRACTION_DIGITS + 1 ? 0 : size;
}

/* Seconds may have a fraction that the layout does not tell. */
static bool has_silent_fraction(const struct reading *r, struct span rest)
{
    bool exact;
    return fraction_at(rest, &exact) == 0 && r->text.size > 1 &&
           (*r->text.data == '.' || *r->text.data == ',') && r->text.data[1] >= '0' &&
           r->text.data[1] <= '9';
}

static bool read_piece(struct reading *r, struct span *layout)
{
    bool exact = false;
    size_t fraction = fraction_at(*layout, &exact);
    if (fraction > 0) {
        int width = (int)fraction - 1;
        *layout = span_skip(*layout, fraction);
        return read_fraction(r, exact ? width : 0, exact ? width : FRACTION_DIGITS);
    }
    const struct element *element = element_at(*layout);
    if (element == NULL) {
        uint8_t c = *layout->data;
        *layout = span_skip(*layout, 1);
        return skip(r, c);
    }
    *layout = span_skip(*layout, strlen(element->name));
    if (!element->read(r, element)) {
        return false;
    }
    bool is_second = element->read == read_number && element->at == SECOND_OF_MINUTE;
    return !is_second || !has_silent_fraction(r, *layout) || read_fraction(r, 1, FRACTION_DIGITS);
}

/* ---- All of it ----------------------------------------------------------------------------------- */

static int this_year(void)
{
    time_t now = time(NULL);
    struct tm tm;
    return gmtime_r(&now, &tm) != NULL ? tm.tm_year : 70;
}

static bool finish(struct reading *r, int64_t *ret)
{
    struct tm wanted = r->tm;
    wanted.tm_year = r->has_year ? wanted.tm_year : this_year();
    if (r->has_half && (wanted.tm_hour < 1 || wanted.tm_hour > 12)) {
        return false;
    }
    if (r->has_half) {
        wanted.tm_hour = wanted.tm_hour % 12 + (r->is_afternoon ? 12 : 0);
    }
    if (r->day_of_year > 0) {
        wanted.tm_mon = 0;
        wanted.tm_mday = r->day_of_year;
    }
    struct tm made = wanted;
    made.tm_isdst = -1;
    time_t seconds = r->zone.is_local ? mktime(&made) : timegm(&made);
    bool is_date = r->day_of_year > 0 ? made.tm_year == wanted.tm_year
                                      : made.tm_mday == wanted.tm_mday; /* 30 February is none */
    int32_t offset = r->zone.named != NULL ? zone_local_offset(r->zone.named, (int64_t)seconds)
                                           : r->zone.offset;
    *ret = ((int64_t)seconds - offset) * SECOND + r->nanoseconds;
    return is_date;
}

static bool parse_unix(struct span text, int64_t unit, int64_t *ret)
{
    struct reading r = {.text = text};
    bool is_negative = skip(&r, '-');
    int64_t whole = 0;
    size_t count = 0;
    for (; r.text.size > 0 && *r.text.data >= '0' && *r.text.data <= '9' && count < 16; count++) {
        whole = whole * 10 + *r.text.data - '0';
        r.text = span_skip(r.text, 1);
    }
    if (count == 0 || whole > INT64_MAX / unit - 1 ||
        !(r.text.size == 0 || read_fraction(&r, 1, FRACTION_DIGITS)) || r.text.size > 0) {
        return false;
    }
    int64_t value = whole * unit + r.nanoseconds / (SECOND / unit);
    *ret = is_negative ? -value : value;
    return true;
}

bool layout_parse(struct span layout, struct span text, struct layout_zone zone, int64_t *ret)
{
    if (span_equal(layout, span_str("UNIX"))) {
        return parse_unix(text, SECOND, ret);
    }
    if (span_equal(layout, span_str("UNIX_MS"))) {
        return parse_unix(text, SECOND / 1000, ret);
    }
    struct reading r = {.text = text, .zone = zone, .tm = {.tm_mday = 1}};
    while (layout.size > 0) {
        if (!read_piece(&r, &layout)) {
            return false;
        }
    }
    return r.text.size == 0 && finish(&r, ret);
}
