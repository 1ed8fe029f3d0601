// SPDX-License-Identifier: Apache-2.0
#include "base/address.h"
#include "base/json.h"
#include "handshake/certificate.h"

#include <nettle/base64.h>

enum { PEM_LINE = 48 /* bytes, which are 64 characters */ };

/* What RFC 4514 §3 calls the types of attributes, and Go's library with it. */
struct attribute {
    uint8_t last; /* of its object identifier, 2.5.4.n */
    int part;     /* enum certificate_part, -1: none of them */
    const char *name;
};

static const struct attribute attributes[] = {
    {3, CERTIFICATE_COMMON_NAME, "CN"}, {5, -1, "SERIALNUMBER"},
    {6, CERTIFICATE_COUNTRY, "C"},      {7, CERTIFICATE_LOCALITY, "L"},
    {8, CERTIFICATE_STATE, "ST"},       {9, -1, "STREET"},
    {10, CERTIFICATE_ORGANIZATION, "O"}, {11, CERTIFICATE_UNIT, "OU"},
    {17, -1, "POSTALCODE"},
};

static const struct attribute *attribute_of(struct span oid)
{
    if (oid.size != 3 || oid.data[0] != 0x55 || oid.data[1] != 4) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        if (attributes[i].last == oid.data[2]) {
            return &attributes[i];
        }
    }
    return NULL;
}

/* ---- Texts ---------------------------------------------------------------------------------- */

/* Appends a character of UTF-16BE's basic plane as UTF-8. */
static void append_unit(struct scratch *s, unsigned unit)
{
    uint8_t bytes[3] = {(uint8_t)unit};
    size_t size = 1;
    if (unit >= 0x800) {
        bytes[0] = (uint8_t)(0xe0 | unit >> 12);
        bytes[1] = (uint8_t)(0x80 | (unit >> 6 & 0x3f));
        bytes[2] = (uint8_t)(0x80 | (unit & 0x3f));
        size = 3;
    } else if (unit >= 0x80) {
        bytes[0] = (uint8_t)(0xc0 | unit >> 6);
        bytes[1] = (uint8_t)(0x80 | (unit & 0x3f));
        size = 2;
    }
    (void)scratch_text(s, span_of(bytes, size));
}

/* A directory string as text: BMPString is decoded, all others are taken as they are. */
static struct span text_of(struct scratch *s, const struct der *value)
{
    if (value->tag != DER_BMP_STRING) {
        return value->value;
    }
    const uint8_t *begin = s->at;
    for (size_t i = 0; i + 2 <= value->value.size; i += 2) {
        append_unit(s, load_be16(value->value.data + i));
    }
    return scratch_since(s, begin);
}

/* RFC 4514 §2.4 */
static bool is_escaped(struct span text, size_t i)
{
    uint8_t byte = text.data[i];
    bool is_edge_space = byte == ' ' && (i == 0 || i == text.size - 1);
    return memchr(",+\"\\<>;", byte, 7) != NULL || is_edge_space || (byte == '#' && i == 0);
}

static void append_escaped(struct scratch *s, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (is_escaped(text, i)) {
            scratch_append(s, "\\");
        }
        (void)scratch_text(s, span_of(text.data + i, 1));
    }
}

static void append_number(struct scratch *s, uint64_t number)
{
    char digits[JSON_U64_MAX];
    char *end = json_digits(digits, number);
    (void)scratch_text(s, span_of(digits, (size_t)(end - digits)));
}

/* X.690 §8.19: the first number stands for two. */
static void append_oid(struct scratch *s, struct span oid)
{
    uint64_t number = 0;
    bool is_first = true;
    for (size_t i = 0; i < oid.size; i++) {
        number = (number << 7 | (oid.data[i] & 0x7f)) & UINT64_C(0xffffffffffffff);
        if (oid.data[i] & 0x80) {
            continue;
        }
        if (is_first) {
            uint64_t root = number < 80 ? number / 40 : 2;
            append_number(s, root);
            number -= root * 40;
        }
        scratch_append(s, ".");
        append_number(s, number);
        number = 0;
        is_first = false;
    }
}

/* ---- Names ---------------------------------------------------------------------------------- */

/* An attribute of a name that RFC 4514 has no word for: its number, and its value as DER in hex. */
static void append_unknown(struct scratch *s, struct span oid, struct span whole)
{
    append_oid(s, oid);
    scratch_append(s, "=#");
    for (size_t i = 0; i < whole.size; i++) {
        char digits[] = {"0123456789abcdef"[whole.data[i] >> 4], "0123456789abcdef"[whole.data[i] & 15]};
        (void)scratch_text(s, span_of(digits, sizeof digits));
    }
}

static void append_attribute(struct scratch *s, struct span pair)
{
    struct cursor c = cursor_of(pair);
    struct span oid = der_take(&c, DER_OID);
    struct der value;
    if (!der_next(&c, &value)) {
        return;
    }
    const struct attribute *attribute = attribute_of(oid);
    if (attribute == NULL) {
        append_unknown(s, oid, value.whole);
        return;
    }
    scratch_append(s, attribute->name);
    scratch_append(s, "=");
    if (value.tag != DER_BMP_STRING) {
        append_escaped(s, value.value);
    } else {
        (void)text_of(s, &value);
    }
}

static void append_set(struct scratch *s, struct span set)
{
    struct cursor c = cursor_of(set);
    struct der pair;
    for (bool is_first = true; der_next(&c, &pair); is_first = false) {
        if (!is_first) {
            scratch_append(s, "+");
        }
        append_attribute(s, pair.value);
    }
}

struct span certificate_name(struct scratch *scratch, struct span name)
{
    struct span sets[CERTIFICATE_PARTS_MAX];
    unsigned count = 0;
    struct cursor c = cursor_of(name);
    struct der set;
    while (count < CERTIFICATE_PARTS_MAX && der_next(&c, &set)) {
        sets[count++] = set.value;
    }
    const uint8_t *begin = scratch->at;
    for (unsigned i = count; i-- > 0;) {
        append_set(scratch, sets[i]);
        if (i > 0) {
            scratch_append(scratch, ",");
        }
    }
    return scratch_since(scratch, begin);
}

unsigned certificate_parts(struct scratch *scratch, struct span name, enum certificate_part part,
                           struct span to[CERTIFICATE_PARTS_MAX])
{
    unsigned count = 0;
    struct cursor sets = cursor_of(name);
    struct der set, pair, value;
    while (der_next(&sets, &set)) {
        struct cursor pairs = cursor_of(set.value);
        while (count < CERTIFICATE_PARTS_MAX && der_next(&pairs, &pair)) {
            struct cursor c = cursor_of(pair.value);
            const struct attribute *attribute = attribute_of(der_take(&c, DER_OID));
            if (attribute != NULL && attribute->part == (int)part && der_next(&c, &value)) {
                to[count++] = text_of(scratch, &value);
            }
        }
    }
    return count;
}

/* ---- Other texts ---------------------------------------------------------------------------- */

unsigned certificate_alternatives(struct scratch *scratch, const struct certificate *certificate,
                                  struct span to[CERTIFICATE_NAMES_MAX])
{
    enum {
        MAILBOX = DER_CONTEXT + 1,
        HOST = DER_CONTEXT + 2,
        URI = DER_CONTEXT + 6,
        ADDRESS = DER_CONTEXT + 7
    };
    unsigned count = 0;
    struct cursor c = cursor_of(certificate->alternative_names);
    struct der name;
    while (count < CERTIFICATE_NAMES_MAX && der_next(&c, &name)) {
        if (name.tag == ADDRESS && (name.value.size == 4 || name.value.size == 16)) {
            char text[ADDRESS_ROOM];
            char *end = address_write(text, name.value.size == 4 ? 4 : 6, name.value.data);
            to[count++] = scratch_text(scratch, span_of(text, (size_t)(end - text)));
        } else if (name.tag == HOST || name.tag == MAILBOX || name.tag == URI) {
            to[count++] = name.value;
        }
    }
    return count;
}

struct span certificate_serial(struct scratch *scratch, const struct certificate *certificate)
{
    struct span serial = certificate->serial;
    if (serial.size == 0 || serial.size > CERTIFICATE_SERIAL_MAX) {
        return span_of("", 0);
    }
    bool negative = serial.data[0] & 0x80;
    uint8_t bytes[CERTIFICATE_SERIAL_MAX];
    unsigned carry = negative;
    for (size_t i = serial.size; i-- > 0;) { /* two's complement */
        unsigned byte = (negative ? (uint8_t)~serial.data[i] : serial.data[i]) + carry;
        bytes[i] = (uint8_t)byte;
        carry = byte >> 8;
    }
    char digits[3 * CERTIFICATE_SERIAL_MAX + 1];
    char *at = digits + sizeof digits;
    bool is_zero = false;
    while (!is_zero && at > digits + 1) { /* one digit a round */
        unsigned rest = 0;
        is_zero = true;
        for (size_t i = 0; i < serial.size; i++) {
            unsigned value = rest << 8 | bytes[i];
            bytes[i] = (uint8_t)(value / 10);
            rest = value % 10;
            is_zero = is_zero && bytes[i] == 0;
        }
        *--at = (char)('0' + rest);
    }
    if (negative) {
        *--at = '-';
    }
    return scratch_text(scratch, span_of(at, (size_t)(digits + sizeof digits - at)));
}

struct span certificate_pem_json(struct scratch *scratch, struct span der)
{
    const uint8_t *begin = scratch->at;
    scratch_append(scratch, "\"-----BEGIN CERTIFICATE-----\\n");
    for (size_t i = 0; i < der.size; i += PEM_LINE) {
        struct span line = span_head(span_skip(der, i), PEM_LINE);
        char text[BASE64_ENCODE_RAW_LENGTH(PEM_LINE)];
        base64_encode_raw(text, line.size, line.data);
        (void)scratch_text(scratch, span_of(text, BASE64_ENCODE_RAW_LENGTH(line.size)));
        scratch_append(scratch, "\\n");
    }
    scratch_append(scratch, "-----END CERTIFICATE-----\\n\"");
    return scratch->full ? span_of("", 0) : scratch_since(scratch, begin);
}
