// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_record.h"

#include "base/text.h"
#include "proto/dns/dns_words.h"

#include <assert.h>

/* A record that is being taken apart. */
struct work {
    const struct dns_message *message;
    struct cursor cursor; /* over the data */
    struct dns_text *text;
    struct dns_parts *parts;
};

/* ---- Parts ---------------------------------------------------------------------------------- */

/* The value is what was written since the text had `from` bytes. */
static void add(struct work *w, const char *key, size_t from, bool is_number)
{
    assert(w->parts->count < DNS_PARTS_MAX);
    w->parts->parts[w->parts->count++] =
        (struct dns_part){.key = key, .value = dns_text_since(w->text, from), .is_number = is_number};
}

static void add_data(struct work *w, size_t from)
{
    add(w, "data", from, false);
}

/* A number that Packetbeat has as text. */
static void add_digits(struct work *w, const char *key, uint32_t number)
{
    size_t from = w->text->size;
    dns_text_number(w->text, number);
    add(w, key, from, false);
}

static void add_number(struct work *w, const char *key, uint32_t number)
{
    size_t from = w->text->size;
    dns_text_number(w->text, number);
    add(w, key, from, true);
}

static void add_word(struct work *w, const char *key, const char *name, unsigned number)
{
    char room[DNS_WORD_ROOM];
    size_t from = w->text->size;
    dns_text_put(w->text, dns_word(name, "", number, room));
    add(w, key, from, false);
}

static struct span rest_of(struct work *w)
{
    return cursor_take(&w->cursor, cursor_left(&w->cursor));
}

/* Writes the name at the cursor and steps over it. */
static void put_name(struct work *w)
{
    const uint8_t *base = w->message->bytes.data;
    size_t at = (size_t)(w->cursor.at - base);
    struct dns_name name;
    size_t end = dns_name_skip(span_of(base, (size_t)(w->cursor.end - base)), at);
    if (w->cursor.bad || end == 0 || !dns_name_read(w->message, at, false, &name)) {
        w->cursor.bad = true;
        return;
    }
    w->cursor.at = base + end;
    dns_text_put(w->text, dns_name_text(&name));
}

static void add_name(struct work *w, const char *key)
{
    size_t from = w->text->size;
    put_name(w);
    add(w, key, from, false);
}

/* Writes a string with its length before it (RFC 1035 §3.3). */
static void put_string(struct work *w, bool quoted)
{
    struct span string = cursor_take(&w->cursor, cursor_u8(&w->cursor));
    if (quoted) {
        dns_text_char(w->text, '"');
    }
    dns_text_escaped(w->text, string);
    if (quoted) {
        dns_text_char(w->text, '"');
    }
}

static void put_number(struct work *w, uint32_t number)
{
    dns_text_number(w->text, number);
    dns_text_char(w->text, ' ');
}

/* ---- Types of RFC 1035 and their kin ---------------------------------------------------------- */

static void read_address(struct work *w, unsigned version)
{
    size_t from = w->text->size;
    struct span bytes = cursor_take(&w->cursor, version == 4 ? 4 : 16);
    if (!w->cursor.bad) {
        dns_text_address(w->text, version, bytes.data);
    }
    add_data(w, from);
}

static void read_soa(struct work *w)
{
    static const char *const keys[] = {"serial", "refresh", "retry", "expire", "minimum"};
    size_t from = w->text->size;
    put_name(w);
    struct span primary = dns_text_since(w->text, from);
    from = w->text->size;
    put_name(w);
    struct span mailbox = dns_text_since(w->text, from);
    uint32_t numbers[5];
    for (unsigned i = 0; i < 5; i++) {
        numbers[i] = cursor_be32(&w->cursor);
    }
    static const uint8_t order[] = {3, 4, 1, 2}; /* by key; rname and serial follow */
    for (unsigned i = 0; i < sizeof order; i++) {
        add_number(w, keys[order[i]], numbers[order[i]]);
    }
    w->parts->parts[w->parts->count++] = (struct dns_part){.key = "rname", .value = mailbox};
    add_number(w, keys[0], numbers[0]);
    w->parts->parts[w->parts->count++] = (struct dns_part){.key = "data", .value = primary};
}

static void read_exchange(struct work *w)
{
    add_number(w, "preference", cursor_be16(&w->cursor));
    add_name(w, "data");
}

static void read_service(struct work *w)
{
    uint16_t priority = cursor_be16(&w->cursor), weight = cursor_be16(&w->cursor);
    add_number(w, "port", cursor_be16(&w->cursor));
    add_number(w, "priority", priority);
    add_number(w, "weight", weight);
    add_name(w, "data");
}

static void read_strings(struct work *w, bool quoted)
{
    size_t from = w->text->size;
    bool first = true;
    for (; cursor_left(&w->cursor) > 0 && !w->cursor.bad && !w->text->full; first = false) {
        if (!first) {
            dns_text_char(w->text, ' ');
        }
        put_string(w, quoted);
    }
    if (w->text->full) {
        w->cursor.at = w->cursor.end;
    }
    add_data(w, from);
}

static void read_names(struct work *w, unsigned count)
{
    size_t from = w->text->size;
    for (unsigned i = 0; i < count; i++) {
        if (i > 0) {
            dns_text_char(w->text, ' ');
        }
        put_name(w);
    }
    add_data(w, from);
}

static void read_afsdb(struct work *w)
{
    size_t from = w->text->size;
    put_number(w, cursor_be16(&w->cursor));
    put_name(w);
    add_data(w, from);
}

/* RFC 3403 §4.1 */
static void read_naptr(struct work *w)
{
    size_t from = w->text->size;
    put_number(w, cursor_be16(&w->cursor));
    put_number(w, cursor_be16(&w->cursor));
    for (unsigned i = 0; i < 3; i++) {
        put_string(w, true);
        dns_text_char(w->text, ' ');
    }
    put_name(w);
    add_data(w, from);
}

/* RFC 7553 */
static void read_uri(struct work *w)
{
    size_t from = w->text->size;
    put_number(w, cursor_be16(&w->cursor));
    put_number(w, cursor_be16(&w->cursor));
    dns_text_char(w->text, '"');
    dns_text_escaped(w->text, rest_of(w));
    dns_text_char(w->text, '"');
    add_data(w, from);
}

/* RFC 8659 §4.1 */
static void read_caa(struct work *w)
{
    size_t from = w->text->size;
    put_number(w, cursor_u8(&w->cursor));
    put_string(w, false);
    dns_text_str(w->text, " \"");
    dns_text_escaped(w->text, rest_of(w));
    dns_text_char(w->text, '"');
    add_data(w, from);
}

/* `count` small numbers, then bytes: TLSA (RFC 6698 §2.2), SSHFP (RFC 4255 §3.2). */
static void read_fingerprint(struct work *w, unsigned count)
{
    size_t from = w->text->size;
    for (unsigned i = 0; i < count; i++) {
        put_number(w, cursor_u8(&w->cursor));
    }
    dns_text_hex(w->text, rest_of(w));
    add_data(w, from);
}

/* RFC 7043 §3 */
static void read_eui48(struct work *w)
{
    size_t from = w->text->size;
    for (unsigned i = 0; i < 6; i++) {
        if (i > 0) {
            dns_text_char(w->text, '-');
        }
        dns_text_hex(w->text, cursor_take(&w->cursor, 1));
    }
    add_data(w, from);
}

/* ---- DNSSEC (RFC 4034, RFC 5155) -------------------------------------------------------------- */

/* Windows of types, each a bit. */
static void put_types(struct work *w)
{
    struct cursor *c = &w->cursor;
    bool first = true;
    while (cursor_left(c) > 0 && !c->bad && !w->text->full) {
        unsigned window = cursor_u8(c);
        struct span bits = cursor_take(c, cursor_u8(c));
        for (unsigned i = 0; i < 8 * bits.size && i < 256; i++) {
            if (!(bits.data[i / 8] & 0x80 >> i % 8)) {
                continue;
            }
            char room[DNS_WORD_ROOM];
            unsigned type = window << 8 | i;
            if (!first) {
                dns_text_char(w->text, ' ');
            }
            dns_text_put(w->text, dns_word(dns_type_name(type), "", type, room));
            first = false;
        }
    }
    if (w->text->full) {
        c->at = c->end;
    }
}

static void put_salt(struct work *w, struct span salt)
{
    if (salt.size == 0) {
        dns_text_char(w->text, '-');
    }
    dns_text_hex(w->text, salt);
}

/* YYYYMMDDHHMMSS */
static void add_time(struct work *w, const char *key, uint32_t seconds)
{
    char text[TEXT_TIME_ROOM];
    size_t size = text_rfc3339(text, seconds * UINT64_C(1000000000), 0);
    size_t from = w->text->size;
    for (size_t i = 0; i < size; i++) {
        if (text[i] >= '0' && text[i] <= '9') {
            dns_text_char(w->text, text[i]);
        }
    }
    add(w, key, from, false);
}

static void read_key(struct work *w)
{
    uint16_t flags = cursor_be16(&w->cursor);
    uint8_t protocol = cursor_u8(&w->cursor), algorithm = cursor_u8(&w->cursor);
    add_word(w, "algorithm", dns_algorithm_name(algorithm), algorithm);
    add_digits(w, "flags", flags);
    add_digits(w, "protocol", protocol);
    size_t from = w->text->size;
    dns_text_base64(w->text, rest_of(w));
    add_data(w, from);
}

static void read_digest(struct work *w)
{
    uint16_t tag = cursor_be16(&w->cursor);
    uint8_t algorithm = cursor_u8(&w->cursor), hash = cursor_u8(&w->cursor);
    add_word(w, "algorithm", dns_algorithm_name(algorithm), algorithm);
    add_word(w, "digest_type", dns_hash_name(hash), hash);
    add_digits(w, "key_tag", tag);
    size_t from = w->text->size;
    dns_text_hex(w->text, rest_of(w));
    add_data(w, from);
}

static void read_signature(struct work *w)
{
    struct cursor *c = &w->cursor;
    uint16_t covered = cursor_be16(c);
    uint8_t algorithm = cursor_u8(c), labels = cursor_u8(c);
    uint32_t ttl = cursor_be32(c), expiration = cursor_be32(c), inception = cursor_be32(c);
    uint16_t tag = cursor_be16(c);
    add_word(w, "algorithm", dns_algorithm_name(algorithm), algorithm);
    add_time(w, "expiration", expiration);
    add_time(w, "inception", inception);
    add_digits(w, "key_tag", tag);
    add_digits(w, "labels", labels);
    add_digits(w, "original_ttl", ttl);
    add_name(w, "signer_name");
    add_word(w, "type_covered", dns_type_name(covered), covered);
    size_t from = w->text->size;
    dns_text_base64(w->text, rest_of(w));
    add_data(w, from);
}

/* Packetbeat has the dot at the end here, and here only. */
static void read_nsec(struct work *w)
{
    size_t from = w->text->size;
    put_name(w);
    if (w->text->size != from + 1 || w->text->data[from] != '.') {
        dns_text_char(w->text, '.');
    }
    struct span next = dns_text_since(w->text, from);
    from = w->text->size;
    put_types(w);
    add(w, "type_bits", from, false);
    w->parts->parts[w->parts->count++] = (struct dns_part){.key = "data", .value = next};
}

static void read_nsec3(struct work *w, bool only_parameters)
{
    struct cursor *c = &w->cursor;
    uint8_t hash = cursor_u8(c), flags = cursor_u8(c);
    uint16_t iterations = cursor_be16(c);
    struct span salt = cursor_take(c, cursor_u8(c));
    add_digits(w, "flags", flags);
    add_word(w, "hash", dns_hash_name(hash), hash);
    add_digits(w, "iterations", iterations);
    size_t from = w->text->size;
    put_salt(w, salt);
    if (only_parameters) {
        add_data(w, from);
        return;
    }
    add(w, "salt", from, false);
    struct span next = cursor_take(c, cursor_u8(c));
    from = w->text->size;
    put_types(w);
    add(w, "type_bits", from, false);
    from = w->text->size;
    dns_text_base32hex(w->text, next);
    add_data(w, from);
}

/* ---- SVCB (RFC 9460) -------------------------------------------------------------------------- */

enum { KEY_MANDATORY = 0, KEY_ALPN = 1, KEY_PORT = 3, KEY_IPV4 = 4, KEY_ECH = 5, KEY_IPV6 = 6 };

static void put_service_key(struct work *w, unsigned key)
{
    char room[DNS_WORD_ROOM];
    dns_text_put(w->text, dns_word(dns_service_key_name(key), "key", key, room));
}

/* A list with commas between: addresses, keys or strings, whose form is `key`'s. */
static void put_service_list(struct work *w, unsigned key, struct cursor *c)
{
    for (bool first = true; cursor_left(c) > 0 && !c->bad && !w->text->full; first = false) {
        if (!first) {
            dns_text_char(w->text, ',');
        }
        if (key == KEY_MANDATORY) {
            put_service_key(w, cursor_be16(c));
        } else if (key == KEY_ALPN) {
            dns_text_escaped(w->text, cursor_take(c, cursor_u8(c)));
        } else {
            unsigned version = key == KEY_IPV4 ? 4 : 6;
            struct span address = cursor_take(c, version == 4 ? 4 : 16);
            if (!c->bad) {
                dns_text_address(w->text, version, address.data);
            }
        }
    }
}

static void put_service_value(struct work *w, unsigned key, struct span value)
{
    struct cursor c = cursor_of(value);
    if (value.size == 0) {
        return;
    }
    dns_text_str(w->text, "=\"");
    if (key == KEY_PORT) {
        dns_text_number(w->text, cursor_be16(&c));
    } else if (key == KEY_ECH) {
        dns_text_base64(w->text, value);
    } else if (key == KEY_MANDATORY || key == KEY_ALPN || key == KEY_IPV4 || key == KEY_IPV6) {
        put_service_list(w, key, &c);
    } else {
        dns_text_escaped(w->text, value);
    }
    dns_text_char(w->text, '"');
    w->cursor.bad = w->cursor.bad || c.bad;
}

static void read_binding(struct work *w)
{
    size_t from = w->text->size;
    put_number(w, cursor_be16(&w->cursor));
    put_name(w);
    while (cursor_left(&w->cursor) > 0 && !w->cursor.bad && !w->text->full) {
        unsigned key = cursor_be16(&w->cursor);
        struct span value = cursor_take(&w->cursor, cursor_be16(&w->cursor));
        dns_text_char(w->text, ' ');
        put_service_key(w, key);
        put_service_value(w, key, value);
    }
    if (w->text->full) {
        w->cursor.at = w->cursor.end;
    }
    add_data(w, from);
}

/* ---- All types -------------------------------------------------------------------------------- */

/* Types of RFC 1035 and those made of its parts; false for others. */
static bool read_plain(struct work *w, unsigned type)
{
    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        read_address(w, type == DNS_A ? 4 : 6);
        return true;
    case DNS_NS:
    case DNS_MD:
    case DNS_MF:
    case DNS_CNAME:
    case DNS_MB:
    case DNS_MG:
    case DNS_MR:
    case DNS_PTR:
    case DNS_DNAME:
        read_names(w, 1);
        return true;
    case DNS_MINFO:
    case DNS_RP:
        read_names(w, 2);
        return true;
    case DNS_SOA:
        read_soa(w);
        return true;
    case DNS_MX:
    case DNS_KX:
        read_exchange(w);
        return true;
    case DNS_TXT:
    case DNS_SPF:
    case DNS_HINFO:
        read_strings(w, type == DNS_HINFO);
        return true;
    case DNS_AFSDB:
        read_afsdb(w);
        return true;
    case DNS_SRV:
        read_service(w);
        return true;
    default:
        return false;
    }
}

static bool read_other(struct work *w, unsigned type)
{
    switch (type) {
    case DNS_NAPTR:
        read_naptr(w);
        return true;
    case DNS_URI:
        read_uri(w);
        return true;
    case DNS_CAA:
        read_caa(w);
        return true;
    case DNS_TLSA:
    case DNS_SMIMEA:
        read_fingerprint(w, 3);
        return true;
    case DNS_SSHFP:
        read_fingerprint(w, 2);
        return true;
    case DNS_EUI48:
        read_eui48(w);
        return true;
    case DNS_SVCB:
    case DNS_HTTPS:
        read_binding(w);
        return true;
    default:
        return false;
    }
}

static bool read_secure(struct work *w, unsigned type)
{
    switch (type) {
    case DNS_DNSKEY:
    case DNS_CDNSKEY:
    case DNS_KEY:
        read_key(w);
        return true;
    case DNS_DS:
    case DNS_CDS:
    case DNS_DLV:
        read_digest(w);
        return true;
    case DNS_RRSIG:
    case DNS_SIG:
        read_signature(w);
        return true;
    case DNS_NSEC:
        read_nsec(w);
        return true;
    case DNS_NSEC3:
    case DNS_NSEC3PARAM:
        read_nsec3(w, type == DNS_NSEC3PARAM);
        return true;
    default:
        return false;
    }
}

/* RFC 3597 §5 */
static void read_unknown(struct work *w)
{
    size_t from = w->text->size;
    dns_text_str(w->text, "\\# ");
    dns_text_number(w->text, (uint32_t)cursor_left(&w->cursor));
    if (cursor_left(&w->cursor) > 0) {
        dns_text_char(w->text, ' ');
        dns_text_hex(w->text, rest_of(w));
    }
    add_data(w, from);
}

void dns_record_parts(const struct dns_message *m, const struct dns_record *record,
                      struct dns_text *text, struct dns_parts *ret)
{
    struct span data = span_of(m->bytes.data + record->data, record->size);
    struct work work = {
        .message = m, .cursor = cursor_of(data), .text = text, .parts = ret};
    ret->count = 0;
    /* Records without data are those that an update or its answer speaks of (RFC 2136 §2.4). */
    bool is_known = data.size > 0 && (read_plain(&work, record->type) || read_other(&work, record->type) ||
                                      read_secure(&work, record->type));
    if (is_known && !work.cursor.bad && cursor_left(&work.cursor) == 0) {
        return;
    }
    *text = dns_text_of(text->data, text->room);
    ret->count = 0;
    work.cursor = cursor_of(data);
    read_unknown(&work);
}
