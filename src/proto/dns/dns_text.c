// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_text.h"

#include <endian.h>

#include "base/address.h"
#include "base/cursor.h"
#include "base/json.h"
#include "base/text.h"

void dns_text_number(struct dns_text *t, uint32_t number)
{
    char digits[JSON_U64_MAX];
    dns_text_put(t, span_of(digits, (size_t)(json_digits(digits, number) - digits)));
}

/* The eight digits of four bytes, as text in the order of memory: nibbles are spread to a byte each, and
 * those above 9 are moved on by what lies between 9 and the first letter. */
static inline void store_hex(char *to, uint32_t value, unsigned between)
{
    uint64_t x = value;
    x = (x | x << 16) & UINT64_C(0x0000ffff0000ffff);
    x = (x | x << 8) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x | x << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint64_t letters = (x + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    uint64_t text = htobe64(x + UINT64_C(0x3030303030303030) + letters * between);
    memcpy(to, &text, sizeof text);
}

/* What finds no room is cut, at a digit. */
static void put_hex(struct dns_text *t, struct span bytes, char ten)
{
    unsigned between = (unsigned)(ten - '9' - 1);
    for (size_t at = 0; at < bytes.size && !t->full; at += sizeof(uint32_t)) {
        uint8_t four[sizeof(uint32_t)] = {0};
        char text[2 * sizeof four];
        size_t size = bytes.size - at < sizeof four ? bytes.size - at : sizeof four;
        bool is_whole = size == sizeof four && t->room - t->size >= sizeof text;
        if (is_whole) {
            store_hex(t->data + t->size, load_be32(bytes.data + at), between);
            t->size += sizeof text;
            continue;
        }
        memcpy(four, bytes.data + at, size);
        store_hex(text, load_be32(four), between);
        dns_text_put(t, span_of(text, 2 * size));
    }
}

void dns_text_hex(struct dns_text *t, struct span bytes)
{
    put_hex(t, bytes, 'A');
}

void dns_text_low_hex(struct dns_text *t, struct span bytes)
{
    put_hex(t, bytes, 'a');
}

/* Writes `bits` of each character from the front of `bytes`; returns how many were written. */
static size_t put_in_base(struct dns_text *t, struct span bytes, unsigned bits, const char *letters)
{
    uint32_t held = 0;
    unsigned count = 0;
    size_t written = 0;
    for (size_t i = 0; i < bytes.size && !t->full; i++) {
        held = held << 8 | bytes.data[i];
        for (count += 8; count >= bits; count -= bits, written++) {
            dns_text_char(t, letters[held >> (count - bits) & ((1U << bits) - 1)]);
        }
    }
    if (count > 0) {
        dns_text_char(t, letters[held << (bits - count) & ((1U << bits) - 1)]);
        written++;
    }
    return written;
}

void dns_text_base64(struct dns_text *t, struct span bytes)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t room = (t->room - t->size) / 4, whole = bytes.size / 3;
    whole = whole < room ? whole : room;
    text_base64(t->data + t->size, bytes.data, 3 * whole);
    t->size += 4 * whole;
    size_t written = put_in_base(t, span_skip(bytes, 3 * whole), 6, letters);
    for (; written % 4 != 0; written++) {
        dns_text_char(t, '=');
    }
}

void dns_text_base32hex(struct dns_text *t, struct span bytes)
{
    put_in_base(t, bytes, 5, "0123456789ABCDEFGHIJKLMNOPQRSTUV");
}

void dns_text_escaped(struct dns_text *t, struct span bytes)
{
    for (size_t i = 0; i < bytes.size && !t->full; i++) {
        uint8_t byte = bytes.data[i];
        if (byte >= ' ' && byte < 127) {
            if (byte == '"' || byte == '\\') {
                dns_text_char(t, '\\');
            }
            dns_text_char(t, (char)byte);
            continue;
        }
        const char escaped[] = {'\\', (char)('0' + byte / 100), (char)('0' + byte / 10 % 10),
                                (char)('0' + byte % 10)};
        dns_text_put(t, span_of(escaped, sizeof escaped));
    }
}

void dns_text_address(struct dns_text *t, unsigned version, const uint8_t *bytes)
{
    char text[ADDRESS_ROOM];
    dns_text_put(t, span_of(text, (size_t)(address_write(text, version, bytes) - text)));
}

void dns_text_json(struct dns_text *t, struct span ascii)
{
    bool fits = t->room - t->size >= ascii.size + 2;
    char *end = fits ? json_quote(t->data + t->size, ascii) : NULL;
    if (end != NULL) { /* mostly nothing is to be escaped */
        t->size = (size_t)(end - t->data);
        return;
    }
    dns_text_char(t, '"');
    for (size_t i = 0; i < ascii.size && !t->full; i++) {
        if (ascii.data[i] == '"' || ascii.data[i] == '\\') {
            dns_text_char(t, '\\');
        }
        dns_text_char(t, (char)ascii.data[i]);
    }
    dns_text_char(t, '"');
}
