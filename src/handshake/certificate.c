// SPDX-License-Identifier: Apache-2.0
#include "handshake/certificate.h"

/* An object identifier's contents, and what stands for it. */
struct oid {
    uint8_t size;
    uint8_t bytes[10];
};

static bool is_oid(struct span value, const struct oid *oid)
{
    return value.size == oid->size && memcmp(value.data, oid->bytes, oid->size) == 0;
}

/* ---- Algorithms ----------------------------------------------------------------------------- */

struct algorithm {
    struct oid oid;
    const char *name;
    unsigned bits; /* of a key, where the algorithm says it */
};

static const struct algorithm signatures[] = {
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x02}}, "MD2-RSA", 0},
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04}}, "MD5-RSA", 0},
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05}}, "SHA1-RSA", 0},
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b}}, "SHA256-RSA", 0},
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0c}}, "SHA384-RSA", 0},
    {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0d}}, "SHA512-RSA", 0},
    {{7, {0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03}}, "DSA-SHA1", 0},
    {{9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, 0x02}}, "DSA-SHA256", 0},
    {{7, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01}}, "ECDSA-SHA1", 0},
    {{8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02}}, "ECDSA-SHA256", 0},
    {{8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03}}, "ECDSA-SHA384", 0},
    {{8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04}}, "ECDSA-SHA512", 0},
    {{3, {0x2b, 0x65, 0x70}}, "Ed25519", 0},
    {{3, {0x2b, 0x65, 0x71}}, "Ed448", 0},
};

static const struct oid rsa_pss = {9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a}};

/* Hashes within the parameters of RSASSA-PSS (RFC 4055). */
static const struct algorithm pss_hashes[] = {
    {{9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}}, "SHA256-RSAPSS", 0},
    {{9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02}}, "SHA384-RSAPSS", 0},
    {{9, {0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03}}, "SHA512-RSAPSS", 0},
};

enum { KEY_RSA, KEY_RSA_PSS, KEY_DSA, KEY_EC, KEY_ED25519, KEY_ED448 };

static const struct algorithm keys[] = {
    [KEY_RSA] = {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}}, "RSA", 0},
    [KEY_RSA_PSS] = {{9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a}}, "RSA", 0},
    [KEY_DSA] = {{7, {0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01}}, "DSA", 0},
    [KEY_EC] = {{7, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01}}, "ECDSA", 0},
    [KEY_ED25519] = {{3, {0x2b, 0x65, 0x70}}, "Ed25519", 256},
    [KEY_ED448] = {{3, {0x2b, 0x65, 0x71}}, "Ed448", 456},
};

static const struct algorithm curves[] = {
    {{8, {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}}, "P-256", 256},
    {{5, {0x2b, 0x81, 0x04, 0x00, 0x22}}, "P-384", 384},
    {{5, {0x2b, 0x81, 0x04, 0x00, 0x23}}, "P-521", 521},
    {{5, {0x2b, 0x81, 0x04, 0x00, 0x21}}, "P-224", 224},
    {{5, {0x2b, 0x81, 0x04, 0x00, 0x0a}}, "secp256k1", 256},
    {{9, {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07}}, "brainpoolP256r1", 256},
    {{9, {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b}}, "brainpoolP384r1", 384},
};

static const struct algorithm *find(const struct algorithm *table, size_t count, struct span oid)
{
    for (size_t i = 0; i < count; i++) {
        if (is_oid(oid, &table[i].oid)) {
            return &table[i];
        }
    }
    return NULL;
}

#define FIND(table, oid) find(table, sizeof(table) / sizeof *(table), oid)

/* The name of an AlgorithmIdentifier of a signature. */
static const char *signature_name(struct span identifier)
{
    struct cursor c = cursor_of(identifier);
    struct span oid = der_take(&c, DER_OID);
    const struct algorithm *algorithm = FIND(signatures, oid);
    if (algorithm == NULL && is_oid(oid, &rsa_pss)) {
        struct cursor parameters = cursor_of(der_take(&c, DER_SEQUENCE));
        struct cursor hash = cursor_of(der_take(&parameters, DER_CONTEXT_CONSTRUCTED));
        struct cursor inner = cursor_of(der_take(&hash, DER_SEQUENCE));
        algorithm = FIND(pss_hashes, der_take(&inner, DER_OID));
    }
    return algorithm != NULL ? algorithm->name : NULL;
}

/* Bits of a positive INTEGER. */
static unsigned bits_of(struct span integer)
{
    while (integer.size > 0 && integer.data[0] == 0) {
        integer = span_skip(integer, 1);
    }
    if (integer.size == 0) {
        return 0;
    }
    unsigned bits = (unsigned)(integer.size - 1) * 8;
    for (uint8_t first = integer.data[0]; first != 0; first >>= 1) {
        bits++;
    }
    return bits;
}

static void read_key(struct certificate *certificate, struct span info)
{
    struct cursor c = cursor_of(info);
    struct cursor identifier = cursor_of(der_take(&c, DER_SEQUENCE));
    struct span bits = der_take(&c, DER_BIT_STRING);
    const struct algorithm *key = FIND(keys, der_take(&identifier, DER_OID));
    if (key == NULL) {
        return;
    }
    certificate->key_algorithm = key->name;
    certificate->key_bits = key->bits;
    struct cursor public = cursor_of(span_skip(bits, 1));
    if (key == &keys[KEY_RSA] || key == &keys[KEY_RSA_PSS]) {
        struct cursor numbers = cursor_of(der_take(&public, DER_SEQUENCE));
        certificate->key_bits = bits_of(der_take(&numbers, DER_INTEGER));
    } else if (key == &keys[KEY_DSA]) {
        struct cursor numbers = cursor_of(der_take(&identifier, DER_SEQUENCE));
        (void)der_take(&numbers, DER_INTEGER);
        certificate->key_bits = bits_of(der_take(&numbers, DER_INTEGER)); /* of q, as Go tells it */
    } else if (key == &keys[KEY_EC]) {
        const struct algorithm *curve = FIND(curves, der_take(&identifier, DER_OID));
        certificate->key_bits = curve != NULL ? curve->bits : 0;
    }
}

/* ---- Times ---------------------------------------------------------------------------------- */

/* RFC 5280 §4.1.2.5: two digits of the year from 1950 on, or four; always UTC. */
static void read_time(char to[CERTIFICATE_TIME_ROOM], struct cursor *c)
{
    struct der der;
    if (!der_next(c, &der)) {
        return;
    }
    size_t year_digits = der.tag == DER_UTC_TIME ? 2 : der.tag == DER_GENERALIZED_TIME ? 4 : 0;
    const uint8_t *text = der.value.data;
    if (year_digits == 0 || der.value.size != year_digits + 11 || text[year_digits + 10] != 'Z') {
        return;
    }
    for (size_t i = 0; i < year_digits + 10; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return;
        }
    }
    memcpy(to, "2000-00-00T00:00:00.000Z", CERTIFICATE_TIME_ROOM);
    if (year_digits == 2 && text[0] >= '5') {
        memcpy(to, "19", 2);
    }
    memcpy(to + 4 - year_digits, text, year_digits);
    static const uint8_t places[] = {5, 8, 11, 14, 17};
    for (size_t i = 0; i < sizeof places; i++) {
        memcpy(to + places[i], text + year_digits + 2 * i, 2);
    }
}

/* ---- The whole ------------------------------------------------------------------------------ */

static void read_extensions(struct certificate *certificate, struct span wrapped)
{
    static const struct oid alternative_name = {3, {0x55, 0x1d, 0x11}};
    struct cursor outer = cursor_of(wrapped);
    struct cursor all = cursor_of(der_optional(&outer, DER_SEQUENCE));
    struct der der;
    while (der_next(&all, &der)) {
        struct cursor one = cursor_of(der.value);
        struct span oid = der_take(&one, DER_OID);
        (void)der_optional(&one, DER_BOOLEAN);
        struct cursor value = cursor_of(der_take(&one, DER_OCTET_STRING));
        if (!one.bad && is_oid(oid, &alternative_name)) {
            certificate->alternative_names = der_optional(&value, DER_SEQUENCE);
        }
    }
}

bool certificate_read(struct certificate *certificate, struct span der)
{
    *certificate = (struct certificate){.der = der, .version = 1, .alternative_names = span_of("", 0)};
    struct cursor file = cursor_of(der);
    struct cursor outer = cursor_of(der_take(&file, DER_SEQUENCE));
    struct cursor c = cursor_of(der_take(&outer, DER_SEQUENCE));
    struct span signature = der_take(&outer, DER_SEQUENCE);
    struct cursor version = cursor_of(der_optional(&c, DER_CONTEXT_CONSTRUCTED));
    struct span number = der_optional(&version, DER_INTEGER);
    if (number.size == 1) {
        certificate->version = number.data[0] + 1U;
    }
    certificate->serial = der_take(&c, DER_INTEGER);
    (void)der_take(&c, DER_SEQUENCE); /* the signature's algorithm again */
    certificate->issuer = der_take(&c, DER_SEQUENCE);
    struct cursor validity = cursor_of(der_take(&c, DER_SEQUENCE));
    certificate->subject = der_take(&c, DER_SEQUENCE);
    struct span key = der_take(&c, DER_SEQUENCE);
    if (c.bad || outer.bad) {
        return false;
    }
    certificate->signature = signature_name(signature);
    read_time(certificate->not_before, &validity);
    read_time(certificate->not_after, &validity);
    read_key(certificate, key);
    (void)der_optional(&c, DER_CONTEXT_CONSTRUCTED + 1); /* issuerUniqueID, subjectUniqueID */
    (void)der_optional(&c, DER_CONTEXT_CONSTRUCTED + 2);
    (void)der_optional(&c, DER_CONTEXT + 1);
    (void)der_optional(&c, DER_CONTEXT + 2);
    read_extensions(certificate, der_optional(&c, DER_CONTEXT_CONSTRUCTED + 3));
    return true;
}
