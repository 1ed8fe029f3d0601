// SPDX-License-Identifier: Apache-2.0
#include "handshake/hello_identity.h"

#include "base/json.h"
#include "event/event_plain.h"
#include "handshake/fingerprint.h"

#include <nettle/md5.h>
#include <nettle/sha1.h>
#include <nettle/sha2.h>

/* ---- The table ------------------------------------------------------------------------------ */

struct parts {
    struct event_spans of[CERTIFICATE_PARTS];
};

struct described {
    struct event_spans alternative_names;
    struct span issuer_name;
    struct parts issuer;
    struct span subject_name;
    struct parts subject;
    char not_before[CERTIFICATE_TIME_ROOM];
    char not_after[CERTIFICATE_TIME_ROOM];
    const char *key_algorithm;
    uint32_t key_bits;
    struct span serial;
    const char *signature;
    uint8_t version;
};

#define ROW(name_, kind_, member, flags_, help_)                                                   \
    {                                                                                              \
        .name = name_, .kind = kind_, .offset = offsetof(struct described, member),                \
        .flags = flags_, .help = help_                                                             \
    }
#define PART(whose, name, part, help)                                                              \
    ROW(#whose "." name, EVENT_SPANS, whose.of[part], EVENT_PLAIN_ONE, help)
#define NAME_ROWS(whose)                                                                           \
    PART(whose, "common_name", CERTIFICATE_COMMON_NAME, "CN"),                                     \
    PART(whose, "country", CERTIFICATE_COUNTRY, "C"),                                              \
    ROW(#whose ".distinguished_name", EVENT_SPAN, whose##_name, 0,                                 \
        "all of it, last part first (RFC 4514)"),                                                  \
    PART(whose, "locality", CERTIFICATE_LOCALITY, "L"),                                            \
    PART(whose, "organization", CERTIFICATE_ORGANIZATION, "O"),                                    \
    PART(whose, "organizational_unit", CERTIFICATE_UNIT, "OU"),                                    \
    PART(whose, "state_or_province", CERTIFICATE_STATE, "ST")

static const struct event_field fields[] = {
    ROW("alternative_names", EVENT_SPANS, alternative_names, 0, "names and addresses it is good for"),
    NAME_ROWS(issuer),
    ROW("not_after", EVENT_INLINE, not_after, 0, "the end of its validity"),
    ROW("not_before", EVENT_INLINE, not_before, 0, "the beginning of its validity"),
    ROW("public_key_algorithm", EVENT_TEXT, key_algorithm, 0, "RSA, ECDSA …"),
    ROW("public_key_size", EVENT_U32, key_bits, 0, "bits"),
    ROW("serial_number", EVENT_SPAN, serial, 0, "in decimal"),
    ROW("signature_algorithm", EVENT_TEXT, signature, 0, "SHA256-RSA …"),
    NAME_ROWS(subject),
    ROW("version_number", EVENT_U8, version, 0, "1 to 3"),
    {0},
};

const struct event_type hello_identity_type = {
    .dataset = "certificate",
    .help = "A certificate",
    .size = sizeof(struct described),
    .fields = fields,
};

/* ---- One certificate ------------------------------------------------------------------------ */

static struct event_spans parts_of(struct scratch *s, struct span name, enum certificate_part part)
{
    struct span found[CERTIFICATE_PARTS_MAX];
    unsigned count = certificate_parts(s, name, part, found);
    struct span *items = scratch_take(s, count * sizeof *items);
    if (items == NULL || count == 0) {
        return (struct event_spans){0};
    }
    memcpy(items, found, count * sizeof *items);
    return (struct event_spans){.count = count, .items = items};
}

static struct event_spans alternatives_of(struct scratch *s, const struct certificate *certificate)
{
    struct span *items = scratch_take(s, CERTIFICATE_NAMES_MAX * sizeof *items);
    uint32_t count = items != NULL ? certificate_alternatives(s, certificate, items) : 0;
    return (struct event_spans){.count = count, .items = items};
}

static void describe(struct described *to, struct scratch *s, const struct certificate *from)
{
    *to = (struct described){.version = (uint8_t)from->version};
    for (unsigned part = 0; part < CERTIFICATE_PARTS; part++) {
        to->issuer.of[part] = parts_of(s, from->issuer, part);
        to->subject.of[part] = parts_of(s, from->subject, part);
    }
    to->issuer_name = certificate_name(s, from->issuer);
    to->subject_name = certificate_name(s, from->subject);
    to->serial = certificate_serial(s, from);
    to->alternative_names = alternatives_of(s, from);
    memcpy(to->not_before, from->not_before, sizeof to->not_before);
    memcpy(to->not_after, from->not_after, sizeof to->not_after);
    to->key_algorithm = from->key_algorithm;
    to->key_bits = from->key_bits;
    to->signature = from->signature;
}

static void put_certificate(struct json *to, struct scratch work, const struct certificate *from)
{
    struct described described;
    describe(&described, &work, from);
    event_plain_put(to, &hello_identity_type, &described);
}

static void tell_hashes(struct hello_identity *to, struct span der, unsigned hashes)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    if (hashes & HELLO_MD5) {
        struct md5_ctx md5;
        md5_init(&md5);
        md5_update(&md5, der.size, der.data);
        md5_digest(&md5, MD5_DIGEST_SIZE, digest);
        fingerprint_hex(to->md5, span_of(digest, MD5_DIGEST_SIZE), true);
    }
    if (hashes & HELLO_SHA1) {
        struct sha1_ctx sha1;
        sha1_init(&sha1);
        sha1_update(&sha1, der.size, der.data);
        sha1_digest(&sha1, SHA1_DIGEST_SIZE, digest);
        fingerprint_hex(to->sha1, span_of(digest, SHA1_DIGEST_SIZE), true);
    }
    if (hashes & HELLO_SHA256) {
        struct sha256_ctx sha256;
        sha256_init(&sha256);
        sha256_update(&sha256, der.size, der.data);
        sha256_digest(&sha256, SHA256_DIGEST_SIZE, digest);
        fingerprint_hex(to->sha256, span_of(digest, SHA256_DIGEST_SIZE), true);
    }
}

/* ---- A chain -------------------------------------------------------------------------------- */

/* What a message has, and where what is made of it goes. */
struct teller {
    struct span ders[HELLO_CHAIN_MAX];
    unsigned count;
    const struct hello_show *show;
    struct scratch *kept; /* lasts as long as what is told */
    struct scratch work;
};

/* A writer over what is left of a scratch, and what it wrote; nothing of what did not fit. */
static struct json begin_json(const struct scratch *s)
{
    return (struct json){.data = (char *)s->at, .capacity = (size_t)(s->end - s->at), .is_fixed = true};
}

static struct span end_json(struct scratch *s, const struct json *json)
{
    struct span text = span_of(json->data, json->size);
    if (json->failed) {
        s->full = true;
        return span_of(NULL, 0);
    }
    s->at += text.size;
    return text;
}

/* The first certificate: the side's own. */
static void tell_own(struct hello_identity *to, struct teller *t)
{
    struct certificate own;
    tell_hashes(to, t->ders[0], t->show->hashes);
    if (!certificate_read(&own, t->ders[0])) {
        return;
    }
    to->issuer = certificate_name(t->kept, own.issuer);
    to->subject = certificate_name(t->kept, own.subject);
    memcpy(to->not_before, own.not_before, sizeof to->not_before);
    memcpy(to->not_after, own.not_after, sizeof to->not_after);
    if (t->show->detailed && t->show->certificates) {
        struct json json = begin_json(t->kept);
        put_certificate(&json, t->work, &own);
        struct span text = end_json(t->kept, &json);
        to->x509 = text.size > strlen("{}") ? text : span_of(NULL, 0);
    }
}

static void tell_chain(struct hello_identity *to, struct teller *t)
{
    struct json json = begin_json(t->kept);
    unsigned told = 0;
    json_array_begin(&json);
    for (unsigned i = 1; i < t->count; i++) {
        struct certificate certificate;
        size_t before = json.size;
        if (!certificate_read(&certificate, t->ders[i])) {
            continue;
        }
        put_certificate(&json, t->work, &certificate);
        if (json.failed) { /* those before it are told */
            json = begin_json(t->kept);
            json.size = before;
            t->kept->full = true;
            break;
        }
        told++;
    }
    json_array_end(&json);
    if (told > 0) {
        to->chain = end_json(t->kept, &json);
    }
}

static struct span raw_chain(const struct teller *t)
{
    struct scratch *s = t->kept;
    const uint8_t *begin = s->at;
    for (unsigned i = 0; i < t->count; i++) {
        scratch_append(s, i == 0 ? "[" : ",");
        (void)certificate_pem_json(s, t->ders[i]);
    }
    scratch_append(s, "]");
    return s->full ? span_of("", 0) : scratch_since(s, begin);
}

static void split_list(struct teller *t, struct span list, bool has_extensions)
{
    struct cursor c = cursor_of(list);
    while (t->count < HELLO_CHAIN_MAX && cursor_left(&c) > 0) {
        size_t high = cursor_u8(&c);
        struct span der = cursor_take(&c, high << 16 | cursor_be16(&c));
        if (has_extensions) {
            cursor_skip(&c, cursor_be16(&c));
        }
        if (c.bad) {
            break;
        }
        t->ders[t->count++] = der;
    }
}

static void tell_all(struct hello_identity *to, struct teller *t)
{
    *to = (struct hello_identity){.md5 = ""};
    if (t->count == 0) {
        return;
    }
    tell_own(to, t);
    if (t->show->detailed && t->show->certificates && t->count > 1) {
        tell_chain(to, t);
    }
    if (t->show->raw_certificates) {
        to->raw_chain = raw_chain(t);
    }
}

/* Tells what need not last longer than the event: in the scratch, but for its upper half, in which
 * certificates are described before they are written. */
static void tell_once(struct hello_identity *to, struct scratch *scratch, struct teller *t)
{
    uint8_t *end = scratch->end;
    (void)scratch_take(scratch, 0); /* aligned from here on */
    size_t half = (size_t)(end - scratch->at) / 2 & ~(size_t)7;
    scratch->end -= half;
    t->work = scratch_of(scratch->end, half);
    t->kept = scratch;
    tell_all(to, t);
    scratch->end = end;
}

void hello_identity_fill(struct hello_identity *identity, struct scratch *scratch, struct span list,
                         bool has_extensions, const struct hello_show *show)
{
    static const struct recall_shape shape = {HELLO_CHAINS, HELLO_CHAINS_KEY, HELLO_CHAINS_ROOM};
    struct hello_cache *cache = show->cache;
    struct recall_slot *slot =
        cache != NULL ? recall_find(cache->chains, &shape, cache->turn, has_extensions, list) : NULL;
    struct hello_identity *known = slot != NULL ? recall_value(slot, &shape) : NULL;
    if (slot != NULL && slot->is_made) {
        *identity = *known;
        return;
    }
    struct teller t = {.show = show};
    if (slot != NULL) { /* of the message as it stands in the slot: texts borrow from it */
        struct scratch room = scratch_of(known + 1, HELLO_CHAINS_ROOM - sizeof *known);
        split_list(&t, recall_key(slot), has_extensions);
        t.kept = &room;
        t.work = *scratch;
        tell_all(known, &t);
        slot->is_made = !room.full;
        if (slot->is_made) {
            *identity = *known;
            return;
        }
    } else {
        split_list(&t, list, has_extensions);
    }
    tell_once(identity, scratch, &t);
}
