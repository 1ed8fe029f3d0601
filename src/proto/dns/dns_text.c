// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_text.h"

#include "base/address.h"
#include "base/json.h"

void dns_text_number(struct dns_text *t, uint32_t number)
{
    char digits[JSON_U64_MAX];
    dns_text_put(t, span_of(digits, (size_t)(json_digits(digits, number) - digits)));
}

void dns_text_hex(struct dns_text *t, struct span bytes)
{
    static const char hex[] = "0123456789ABCDEF";
    if (bytes.size <= (t->room - t->size) / 2) {
        char *to = t->data + t->size;
        for (size_t i = 0; i < bytes.size; i++) {
            to[2 * i] = hex[bytes.data[i] >> 4];
            to[2 * i + 1] = hex[bytes.data[i] & 15];
        }
        t->size += 2 * bytes.size;
        return;
    }
    for (size_t i = 0; i < bytes.size && !t->full; i++) {
        dns_text_char(t, hex[bytes.data[i] >> 4]);
        dns_text_char(t, hex[bytes.data[i] & 15]);
    }
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
    size_t written = put_in_base(
        t, bytes, 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
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
