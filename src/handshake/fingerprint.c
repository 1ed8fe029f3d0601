// SPDX-License-Identifier: Apache-2.0
#include "handshake/fingerprint.h"

#include <endian.h>

#include "base/json.h"

#include <nettle/md5.h>
#include <nettle/sha2.h>

enum { JA4_HASH = 12 /* digits of each of its two hashes */, COUNT_MAX = 99 };

/* Eight digits of four bytes: each half a byte in a byte of its own, then letters where they are above 9. */
static void hex_four(char *to, const uint8_t *from, bool upper)
{
    uint64_t v = load_le32(from);
    v = (v | v << 16) & UINT64_C(0x0000ffff0000ffff);
    v = (v | v << 8) & UINT64_C(0x00ff00ff00ff00ff);
    v = (v >> 4 & UINT64_C(0x000f000f000f000f)) | (v & UINT64_C(0x000f000f000f000f)) << 8;
    uint64_t letters = (v + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    v = htole64(v + UINT64_C(0x3030303030303030) + letters * (upper ? 'A' - '9' - 1 : 'a' - '9' - 1));
    memcpy(to, &v, sizeof v);
}

void fingerprint_hex(char *to, struct span bytes, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    size_t i = 0;
    for (; i + 4 <= bytes.size; i += 4, to += 8) {
        hex_four(to, bytes.data + i, upper);
    }
    for (; i < bytes.size; i++) {
        *to++ = digits[bytes.data[i] >> 4];
        *to++ = digits[bytes.data[i] & 15];
    }
    *to = 0;
}

/* ---- JA3 ------------------------------------------------------------------------------------ */

/* A number of a list, '-' between two. */
static void add_number(struct md5_ctx *md5, bool *is_first, uint16_t value)
{
    char text[1 + JSON_U64_MAX] = "-";
    char *from = *is_first ? text + 1 : text;
    char *end = json_digits(text + 1, value);
    md5_update(md5, (size_t)(end - from), (const uint8_t *)from);
    *is_first = false;
}

static void add_comma(struct md5_ctx *md5)
{
    md5_update(md5, 1, (const uint8_t *)",");
}

/* The numbers of a list, `size` bytes each, but reserved ones. */
static void add_list(struct md5_ctx *md5, struct span list, size_t size)
{
    bool is_first = true;
    for (size_t i = 0; i + size <= list.size; i += size) {
        uint16_t value = size == 1 ? list.data[i] : load_be16(list.data + i);
        if (size == 1 || !hello_is_grease(value)) {
            add_number(md5, &is_first, value);
        }
    }
}

static void add_extensions(struct md5_ctx *md5, const struct hello *hello)
{
    bool is_first = true;
    struct cursor at = cursor_of(hello->extensions);
    struct hello_extension extension;
    while (hello_next_extension(&at, &extension)) {
        if (!hello_is_grease(extension.id)) {
            add_number(md5, &is_first, extension.id);
        }
    }
}

static struct span list_of(const struct hello *hello, uint16_t id, unsigned length_bytes)
{
    struct span body;
    return hello_find(hello, id, &body) ? hello_list(body, length_bytes) : span_of("", 0);
}

static void finish_md5(char to[FINGERPRINT_JA3_ROOM], struct md5_ctx *md5)
{
    uint8_t digest[MD5_DIGEST_SIZE];
    md5_digest(md5, sizeof digest, digest);
    fingerprint_hex(to, span_of(digest, sizeof digest), false);
}

void fingerprint_ja3(char to[FINGERPRINT_JA3_ROOM], const struct hello *hello)
{
    struct md5_ctx md5;
    bool is_first = true;
    md5_init(&md5);
    add_number(&md5, &is_first, hello->version);
    add_comma(&md5);
    add_list(&md5, hello->ciphers, 2);
    add_comma(&md5);
    add_extensions(&md5, hello);
    add_comma(&md5);
    add_list(&md5, list_of(hello, HELLO_GROUPS, 2), 2);
    add_comma(&md5);
    add_list(&md5, list_of(hello, HELLO_POINT_FORMATS, 1), 1);
    finish_md5(to, &md5);
}

void fingerprint_ja3s(char to[FINGERPRINT_JA3_ROOM], const struct hello *hello)
{
    struct md5_ctx md5;
    bool is_first = true;
    md5_init(&md5);
    add_number(&md5, &is_first, hello->version);
    add_comma(&md5);
    is_first = true;
    add_number(&md5, &is_first, hello->cipher);
    add_comma(&md5);
    add_extensions(&md5, hello);
    finish_md5(to, &md5);
}

/* ---- JA4 ------------------------------------------------------------------------------------ */

/* Values of a hello that count, reserved ones left out. */
struct values {
    unsigned count;
    uint16_t items[FINGERPRINT_VALUES_MAX];
    bool too_many;
};

static void add_value(struct values *v, uint16_t value)
{
    if (hello_is_grease(value)) {
        return;
    }
    if (v->count == FINGERPRINT_VALUES_MAX) {
        v->too_many = true;
        return;
    }
    v->items[v->count++] = value;
}

/* Shell's sort: no recursion, no memory, and lists are short and at most 1024 long. */
static void sort(struct values *v)
{
    static const unsigned gaps[] = {301, 132, 57, 23, 10, 4, 1};
    for (unsigned g = 0; g < sizeof gaps / sizeof *gaps; g++) {
        for (unsigned i = gaps[g]; i < v->count; i++) {
            uint16_t value = v->items[i];
            unsigned j = i;
            for (; j >= gaps[g] && v->items[j - gaps[g]] > value; j -= gaps[g]) {
                v->items[j] = v->items[j - gaps[g]];
            }
            v->items[j] = value;
        }
    }
}

static void add_hex(struct sha256_ctx *sha, bool *is_first, uint16_t value)
{
    uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
    char text[6] = ",";
    fingerprint_hex(text + 1, span_of(bytes, sizeof bytes), false);
    const char *from = *is_first ? text + 1 : text;
    sha256_update(sha, strlen(from), (const uint8_t *)from);
    *is_first = false;
}

static void add_values(struct sha256_ctx *sha, const struct values *v)
{
    bool is_first = true;
    for (unsigned i = 0; i < v->count; i++) {
        add_hex(sha, &is_first, v->items[i]);
    }
}

/* The first digits of the hash; those of nothing are zeros. */
static char *finish_sha(char *to, struct sha256_ctx *sha, bool is_empty)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    char text[2 * sizeof digest + 1];
    sha256_digest(sha, sizeof digest, digest);
    fingerprint_hex(text, span_of(digest, sizeof digest), false);
    *to++ = '_';
    memcpy(to, is_empty ? "000000000000" : text, JA4_HASH);
    return to + JA4_HASH;
}

static void ciphers_of(struct values *v, const struct hello *hello)
{
    *v = (struct values){.count = 0};
    for (size_t i = 0; i + 2 <= hello->ciphers.size; i += 2) {
        add_value(v, load_be16(hello->ciphers.data + i));
    }
}

/* All extensions, or those that are hashed: without the two whose contents name the server and what
 * is spoken. */
static void extensions_of(struct values *v, const struct hello *hello, bool all)
{
    *v = (struct values){.count = 0};
    struct cursor at = cursor_of(hello->extensions);
    struct hello_extension extension;
    while (hello_next_extension(&at, &extension)) {
        if (all || (extension.id != HELLO_SERVER_NAME && extension.id != HELLO_ALPN)) {
            add_value(v, extension.id);
        }
    }
}

static const char *ja4_version(uint16_t version)
{
    switch (version) {
    case 0x0304: return "13";
    case 0x0303: return "12";
    case 0x0302: return "11";
    case 0x0301: return "10";
    case 0x0300: return "s3";
    case 0x0002: return "s2";
    case 0xfeff: return "d1";
    case 0xfefd: return "d2";
    case 0xfefc: return "d3";
    default: return "00";
    }
}

static char *add_count(char *to, unsigned count)
{
    unsigned shown = count < COUNT_MAX ? count : COUNT_MAX;
    *to++ = (char)('0' + shown / 10);
    *to++ = (char)('0' + shown % 10);
    return to;
}

static bool is_alphanumeric(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 32) >= 'a' && (byte | 32) <= 'z');
}

/* First and last character of the first protocol offered; of a name that is not of letters and
 * digits, those of its hexadecimal form. */
static char *add_protocol(char *to, struct span name)
{
    uint8_t first = name.size > 0 ? name.data[0] : '0';
    uint8_t last = name.size > 0 ? name.data[name.size - 1] : '0';
    if (!is_alphanumeric(first) || !is_alphanumeric(last)) {
        first = (uint8_t)"0123456789abcdef"[first >> 4];
        last = (uint8_t)"0123456789abcdef"[last & 15];
    }
    *to++ = (char)first;
    *to++ = (char)last;
    return to;
}

static char *add_extension_hash(char *to, const struct hello *hello, struct values *v)
{
    struct sha256_ctx sha;
    sha256_init(&sha);
    extensions_of(v, hello, false);
    sort(v);
    add_values(&sha, v);
    bool is_empty = v->count == 0;
    struct span schemes = list_of(hello, HELLO_SIGNATURES, 2);
    *v = (struct values){.count = 0};
    for (size_t i = 0; i + 2 <= schemes.size; i += 2) {
        add_value(v, load_be16(schemes.data + i));
    }
    if (v->count > 0) {
        sha256_update(&sha, 1, (const uint8_t *)"_");
        add_values(&sha, v);
    }
    return finish_sha(to, &sha, is_empty);
}

void fingerprint_ja4(char to[FINGERPRINT_JA4_ROOM], const struct hello *hello, char transport)
{
    struct values v;
    struct sha256_ctx sha;
    char *at = to;
    *at++ = transport;
    memcpy(at, ja4_version(hello_best_version(hello)), 2);
    at += 2;
    *at++ = hello_find(hello, HELLO_SERVER_NAME, NULL) ? 'd' : 'i';
    extensions_of(&v, hello, true);
    unsigned extensions = v.count;
    bool too_many = v.too_many;
    ciphers_of(&v, hello);
    too_many = too_many || v.too_many;
    at = add_count(at, v.count);
    at = add_count(at, extensions);
    at = add_protocol(at, hello_first_protocol(hello));
    sort(&v);
    sha256_init(&sha);
    add_values(&sha, &v);
    at = finish_sha(at, &sha, v.count == 0);
    at = add_extension_hash(at, hello, &v);
    *at = 0;
    if (too_many || v.too_many) {
        *to = 0;
    }
}

/* ---- What they depend on ---------------------------------------------------------------------- */

/* Numbers in two bytes each, reserved ones left out; one of these stands behind each list. */
struct key {
    uint8_t *at;
    uint8_t *end;
    bool too_long;
};

static const uint16_t list_end = 0x0a0a;

static void key_put(struct key *k, uint16_t value)
{
    if (k->end - k->at < 2) {
        k->too_long = true;
        return;
    }
    *k->at++ = (uint8_t)(value >> 8);
    *k->at++ = (uint8_t)value;
}

static void key_list(struct key *k, struct span list, size_t size)
{
    for (size_t i = 0; i + size <= list.size && !k->too_long; i += size) {
        uint16_t value = size == 1 ? list.data[i] : load_be16(list.data + i);
        if (!hello_is_grease(value)) {
            key_put(k, value);
        }
    }
    key_put(k, list_end);
}

static void key_extensions(struct key *k, const struct hello *hello)
{
    struct cursor at = cursor_of(hello->extensions);
    struct hello_extension extension;
    while (!k->too_long && hello_next_extension(&at, &extension)) {
        if (!hello_is_grease(extension.id)) {
            key_put(k, extension.id);
        }
    }
    key_put(k, list_end);
}

size_t fingerprint_key(uint8_t *to, size_t room, const struct hello *hello)
{
    struct key k = {.at = to, .end = to + room};
    key_put(&k, hello->version);
    key_extensions(&k, hello);
    if (hello->is_server) {
        key_put(&k, hello->cipher);
    } else {
        char protocol[2];
        add_protocol(protocol, hello_first_protocol(hello));
        key_put(&k, (uint16_t)((uint8_t)protocol[0] << 8 | (uint8_t)protocol[1]));
        key_put(&k, hello_best_version(hello));
        key_list(&k, hello->ciphers, 2);
        key_list(&k, list_of(hello, HELLO_GROUPS, 2), 2);
        key_list(&k, list_of(hello, HELLO_POINT_FORMATS, 1), 1);
        key_list(&k, list_of(hello, HELLO_SIGNATURES, 2), 2);
    }
    return k.too_long ? 0 : (size_t)(k.at - to);
}
