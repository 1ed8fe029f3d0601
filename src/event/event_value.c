// SPDX-License-Identifier: Apache-2.0
#include "event/event_value.h"

#include <assert.h>
#include <math.h>

#include "base/digits.h"
#include "base/text.h"

enum { EVENT_LIST_MAX = sizeof(((struct event_u16_list *)0)->values) / sizeof(uint16_t) };

/* Kinds whose values may be of any size. */
enum {
    EVENT_LARGE = 1 << EVENT_SPAN | 1 << EVENT_VALUE | 1 << EVENT_TEXT | 1 << EVENT_INLINE |
                  1 << EVENT_JSON | 1 << EVENT_SPANS | 1 << EVENT_PAIRS | 1 << EVENT_ITEMS |
                  1 << EVENT_ADDRESSES
};

bool event_value_is_large(enum event_kind kind)
{
    return EVENT_LARGE >> kind & 1;
}

/* The unsigned number at `at`; kinds up to EVENT_TIME stand in the order of their sizes. */
static inline uint64_t event_number(enum event_kind kind, const void *at)
{
    switch (kind) {
    case EVENT_BOOL:
        return *(const bool *)at;
    case EVENT_U8:
        return *(const uint8_t *)at;
    case EVENT_U16:
        return *(const uint16_t *)at;
    case EVENT_U32:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

static inline const char *event_pointer(const void *at)
{
    return *(const char *const *)at;
}

bool event_value_is_empty(enum event_kind kind, const void *at)
{
    switch (kind) {
    case EVENT_ADDRESS:
        return ((const struct event_address *)at)->version == 0;
    case EVENT_MAC:
        return !((const struct event_mac *)at)->present;
    case EVENT_SPAN:
    case EVENT_VALUE:
        return ((const struct span *)at)->size == 0;
    case EVENT_TEXT:
    case EVENT_JSON:
        return event_pointer(at) == NULL || *event_pointer(at) == '\0';
    case EVENT_INLINE:
        return *(const char *)at == '\0';
    case EVENT_U16_LIST:
        return ((const struct event_u16_list *)at)->count == 0;
    case EVENT_NUMBER:
        return isnan(*(const double *)at);
    case EVENT_TRUTH:
        return *(const uint8_t *)at == 0;
    case EVENT_SPANS:
        return ((const struct event_spans *)at)->count == 0;
    case EVENT_PAIRS:
        return ((const struct event_pairs *)at)->count == 0;
    case EVENT_ITEMS:
        return ((const struct event_items *)at)->count == 0;
    case EVENT_ADDRESSES:
        return ((const struct event_addresses *)at)->count == 0;
    case EVENT_OPTIONAL:
        return !((const struct event_optional *)at)->present;
    default:
        return event_number(kind, at) == 0;
    }
}

/* ---- Values of bounded size ------------------------------------------------------------------ */

void event_clock_set(struct event_clock *clock, uint64_t second)
{
    __auto_type known = &clock->known[second % EVENT_SECONDS];
    char text[TEXT_TIME_ROOM];
    text_rfc3339(text, second * 1000000000, 9);
    known->second = second;
    known->text[0] = '"';
    memcpy(known->text + 1, text, EVENT_SECOND - 1);
}

char *event_value_address(char *to, const struct event_address *address)
{
    if (address->version == 0) {
        return mempcpy(to, "null", 4);
    }
    *to++ = '"';
    to = address_write(to, address->version, address->bytes);
    *to++ = '"';
    return to;
}

_Static_assert(sizeof(struct event_host) == 64, "one cache line, and quotes have the terminator's room");

void event_host_set(struct event_host *host, const struct event_address *address)
{
    char text[EVENT_VALUE_ROOM];
    size_t size = (size_t)(event_value_address(text, address) - text);
    assert(size <= sizeof host->text); /* no IPv6 address takes more than 39 */
    memcpy(host->bytes, address->bytes, sizeof host->bytes);
    host->bytes[0] = le64toh(host->bytes[0]);
    host->bytes[1] = le64toh(host->bytes[1]);
    host->version = (uint8_t)(address->version + 1);
    host->size = (uint8_t)size;
    memcpy(host->text, text, sizeof host->text);
}

/* Bytes in hexadecimal, with a dash before them and a quote behind. */
#define HEX(n) ((n) < 10 ? '0' + (n) : 'A' - 10 + (n))
#define BYTE(n) {'-', HEX((n) >> 4), HEX((n) & 15), '"'}
#define BYTES_4(n) BYTE(n), BYTE((n) + 1), BYTE((n) + 2), BYTE((n) + 3)
#define BYTES_16(n) BYTES_4(n), BYTES_4((n) + 4), BYTES_4((n) + 8), BYTES_4((n) + 12)
#define BYTES_64(n) BYTES_16(n), BYTES_16((n) + 16), BYTES_16((n) + 32), BYTES_16((n) + 48)

static const char event_bytes[256][4] = {BYTES_64(0), BYTES_64(64), BYTES_64(128), BYTES_64(192)};

char *event_value_mac(char *to, const struct event_mac *mac)
{
    if (!mac->present) {
        return mempcpy(to, "null", 4);
    }
    for (unsigned i = 0; i < sizeof mac->bytes; i++) {
        memcpy(to + 3 * i, event_bytes[mac->bytes[i]], sizeof event_bytes[0]);
    }
    to[0] = '"';
    return to + 3 * sizeof mac->bytes + 1;
}

static char *event_write_list(char *to, const struct event_u16_list *list)
{
    *to++ = '[';
    for (unsigned i = 0; i < list->count && i < EVENT_LIST_MAX; i++) {
        if (i > 0) {
            *to++ = ',';
        }
        to = digits_write(to, list->values[i]);
    }
    *to++ = ']';
    return to;
}

/* A number to a thousandth, without zeros at its end. */
static char *event_write_thousandths(char *to, double value)
{
    if (!(fabs(value) < 1e15)) {
        return mempcpy(to, "null", 4);
    }
    uint64_t thousandths = (uint64_t)llround(fabs(value) * 1000);
    if (value < 0 && thousandths > 0) {
        *to++ = '-';
    }
    to = digits_write(to, thousandths / 1000);
    unsigned rest = (unsigned)(thousandths % 1000);
    if (rest == 0) {
        return to;
    }
    *to++ = '.';
    for (unsigned unit = 100; rest > 0; unit /= 10) {
        *to++ = (char)('0' + rest / unit);
        rest %= unit;
    }
    return to;
}

static char *event_write_optional(char *to, const struct event_optional *number)
{
    return number->present ? digits_write(to, number->value) : mempcpy(to, "null", 4);
}

static char *event_write_signed(char *to, int64_t value)
{
    if (value < 0) {
        *to++ = '-';
    }
    return digits_write(to, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

static char *event_write_truth(char *to, uint8_t truth)
{
    if (truth == 0) {
        return mempcpy(to, "null", 4);
    }
    return truth == 2 ? mempcpy(to, "true", 4) : mempcpy(to, "false", 5);
}

char *event_value_write(char *to, enum event_kind kind, const void *at)
{
    switch (kind) {
    case EVENT_BOOL:
        return *(const bool *)at ? mempcpy(to, "true", 4) : mempcpy(to, "false", 5);
    case EVENT_ADDRESS:
        return event_value_address(to, at);
    case EVENT_MAC:
        return event_value_mac(to, at);
    case EVENT_U16_LIST:
        return event_write_list(to, at);
    case EVENT_NUMBER:
        return event_write_thousandths(to, *(const double *)at);
    case EVENT_TRUTH:
        return event_write_truth(to, *(const uint8_t *)at);
    case EVENT_OPTIONAL:
        return event_write_optional(to, at);
    case EVENT_I64:
        return event_write_signed(to, *(const int64_t *)at);
    case EVENT_U8:
        return digits_write(to, *(const uint8_t *)at);
    case EVENT_U16:
        return digits_write(to, *(const uint16_t *)at);
    case EVENT_U32:
        return digits_write(to, *(const uint32_t *)at);
    default:
        return digits_write(to, *(const uint64_t *)at);
    }
}

/* ---- Values of any size --------------------------------------------------------------------- */

static void event_put_spans(struct json *to, const struct event_spans *list, unsigned flags)
{
    if (list->count == 1 && flags & EVENT_PLAIN_ONE) {
        json_span(to, list->items[0]);
        return;
    }
    json_append(to, "[", 1);
    for (uint32_t i = 0; i < list->count; i++) {
        struct span text = list->items[i];
        char *end = json_reserve(to, text.size + 3);
        if (end != NULL && i > 0) {
            *end++ = ',';
        }
        end = end != NULL ? json_quote(end, text) : NULL;
        if (end != NULL) {
            to->size = (size_t)(end - to->data);
        } else {
            to->comma = i > 0;
            json_span(to, text);
        }
    }
    json_array_end(to);
}

static void event_put_addresses(struct json *to, const struct event_addresses *list)
{
    char *end = json_reserve(to, (size_t)list->count * (EVENT_VALUE_ROOM + 1) + 2);
    if (end == NULL) {
        return;
    }
    *end++ = '[';
    for (uint32_t i = 0; i < list->count; i++) {
        if (i > 0) {
            *end++ = ',';
        }
        end = event_value_address(end, &list->items[i]);
    }
    *end++ = ']';
    to->size = (size_t)(end - to->data);
    to->comma = true;
}

/* The next pair with the name of pair `i`, counted from `from`; the list's count when there is
 * none. */
static uint32_t event_pair_find(const struct event_pairs *list, uint32_t i, uint32_t from)
{
    while (from < list->count && !span_equal(list->items[from].name, list->items[i].name)) {
        from++;
    }
    return from;
}

static void event_put_pair_value(struct json *to, const struct event_pair *pair)
{
    if (pair->is_json) {
        json_raw(to, pair->value);
    } else {
        json_span(to, pair->value);
    }
}

static void event_put_pairs(struct json *to, const struct event_pairs *list)
{
    json_object_begin(to);
    for (uint32_t i = 0; i < list->count; i++) {
        if (event_pair_find(list, i, 0) < i) {
            continue;
        }
        json_key_span(to, list->items[i].name);
        uint32_t next = event_pair_find(list, i, i + 1);
        if (next == list->count) {
            event_put_pair_value(to, &list->items[i]);
            continue;
        }
        json_array_begin(to);
        event_put_pair_value(to, &list->items[i]);
        for (; next < list->count; next = event_pair_find(list, i, next + 1)) {
            event_put_pair_value(to, &list->items[next]);
        }
        json_array_end(to);
    }
    json_object_end(to);
}

void event_value_put(struct json *to, enum event_kind kind, const void *at, unsigned flags)
{
    to->comma = false;
    switch (kind) {
    case EVENT_SPAN:
        json_span(to, *(const struct span *)at);
        break;
    case EVENT_VALUE:
        json_raw(to, event_value_is_empty(EVENT_VALUE, at) ? span_str("null")
                                                           : *(const struct span *)at);
        break;
    case EVENT_TEXT:
        json_text(to, event_pointer(at));
        break;
    case EVENT_INLINE:
        json_text(to, at);
        break;
    case EVENT_JSON:
        json_raw(to, event_value_is_empty(EVENT_JSON, at) ? span_str("null")
                                                          : span_str(event_pointer(at)));
        break;
    case EVENT_SPANS:
        event_put_spans(to, at, flags);
        break;
    case EVENT_PAIRS:
        event_put_pairs(to, at);
        break;
    case EVENT_ADDRESSES:
        event_put_addresses(to, at);
        break;
    default:
        break;
    }
}
