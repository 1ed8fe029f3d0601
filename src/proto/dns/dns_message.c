// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_message.h"

enum {
    CLASS_IN = 1,
    CLASS_HS = 4,
    CLASS_NONE = 254,
    CLASS_ANY = 255,
    CLASS_TOP = 0x8000,  /* RFC 6762 §5.4, §10.2 */
    OPTION_SUBNET = 8,
    DNSSEC_OK = 0x8000,
    NETBIOS_LABEL = 32,  /* RFC 1001 §14.1: 16 bytes, a letter from A to P each half */
    NETBIOS_NAME = 32,
    NETBIOS_STATUS = 33,
    QUESTIONS_MAX = 255,
    TRAILER_MAX = 16,    /* bytes behind the last record: some servers of Windows put "MS" there */
};

/* ---- Header and question -------------------------------------------------------------------- */

static bool read_header(struct span bytes, struct dns_message *ret)
{
    if (bytes.size < DNS_HEADER_BYTES || bytes.size > UINT16_MAX) {
        return false;
    }
    *ret = (struct dns_message){.bytes = bytes,
                                .id = load_be16(bytes.data),
                                .flags = load_be16(bytes.data + 2),
                                .question_end = DNS_HEADER_BYTES};
    for (unsigned i = 0; i < DNS_SECTIONS; i++) {
        ret->counts[i] = load_be16(bytes.data + 4 + 2 * (size_t)i);
    }
    return true;
}

/* What stands behind the first question's name, which ends at `end`; 0: there is no such name. */
static bool read_question(struct dns_message *m, size_t end)
{
    if (end == 0 || end + 4 > m->bytes.size) {
        return false;
    }
    m->question_name = DNS_HEADER_BYTES;
    m->question_type = load_be16(m->bytes.data + end);
    m->question_class = load_be16(m->bytes.data + end + 2);
    m->question_end = (uint16_t)(end + 4);
    return true;
}

bool dns_message_read(struct span bytes, struct dns_message *ret)
{
    return read_header(bytes, ret) &&
           (ret->counts[DNS_QUESTION] == 0 ||
            read_question(ret, dns_name_skip(bytes, DNS_HEADER_BYTES)));
}

bool dns_header_read(struct span bytes, struct dns_message *ret)
{
    return read_header(span_head(bytes, DNS_HEADER_BYTES), ret);
}

bool dns_message_read_name(struct span bytes, bool lower, struct dns_message *ret,
                           struct dns_name *name)
{
    if (!read_header(bytes, ret) || ret->counts[DNS_QUESTION] == 0) {
        return bytes.size >= DNS_HEADER_BYTES && bytes.size <= UINT16_MAX;
    }
    return read_question(ret, dns_name_expand(bytes, DNS_HEADER_BYTES, lower, name));
}

static uint8_t lower_of(uint8_t byte)
{
    return (uint8_t)(byte - 'A') < 26 ? byte | 32 : byte;
}

bool dns_is_repeated(const struct dns_message *a, const struct dns_message *b)
{
    size_t size = (size_t)a->question_end - a->question_name;
    return a->question_name == b->question_name && a->question_end == b->question_end &&
           memcmp(a->bytes.data + a->question_name, b->bytes.data + b->question_name, size) == 0;
}

bool dns_same_question(const struct dns_message *a, const struct dns_message *b)
{
    if (a->question_end != b->question_end || a->question_type != b->question_type ||
        a->question_class != b->question_class) {
        return false;
    }
    if (dns_is_repeated(a, b)) { /* mostly */
        return true;
    }
    /* The lengths of labels are below the letters: they may be compared as if they were text. */
    for (size_t i = DNS_HEADER_BYTES; i + 4 < a->question_end; i++) {
        if (lower_of(a->bytes.data[i]) != lower_of(b->bytes.data[i])) {
            return false;
        }
    }
    return true;
}

/* ---- Records -------------------------------------------------------------------------------- */

/* Behind all questions; 0 when they cannot be read. */
static size_t skip_questions(const struct dns_message *m)
{
    size_t at = m->question_end;
    for (unsigned i = 1; i < m->counts[DNS_QUESTION]; i++) {
        at = dns_name_skip(m->bytes, at);
        if (at == 0 || at + 4 > m->bytes.size) {
            return 0;
        }
        at += 4;
    }
    return at;
}

struct dns_walk dns_walk_of(const struct dns_message *m)
{
    struct dns_walk walk = {.message = m, .at = skip_questions(m)};
    walk.bad = walk.at == 0;
    return walk;
}

/* Moves to a section that has records left; false when there is none. */
static bool find_section(struct dns_walk *walk)
{
    while (walk->left == 0) {
        if (walk->section >= DNS_ADDITIONAL) {
            return false;
        }
        walk->left = walk->message->counts[++walk->section];
    }
    return true;
}

/* Whether the name that begins at `at` runs into the end of the message. */
static bool is_cut(struct span bytes, size_t at)
{
    while (at < bytes.size && bytes.data[at] != 0 && bytes.data[at] <= 63) {
        at += 1u + bytes.data[at];
    }
    return at >= bytes.size || (bytes.data[at] >= DNS_POINTER && at + 2 > bytes.size);
}

static bool stop(struct dns_walk *walk, bool cut)
{
    walk->bad = true;
    walk->cut = cut;
    return false;
}

/* As dns_name_skip(). Names of records are mostly pointers. */
static inline size_t skip_name(struct span bytes, size_t at)
{
    bool is_pointer = at + 2 <= bytes.size && bytes.data[at] >= DNS_POINTER;
    return is_pointer ? at + 2 : dns_name_skip(bytes, at);
}

bool dns_walk_next(struct dns_walk *walk, struct dns_record *ret)
{
    if (walk->bad || !find_section(walk)) {
        return false;
    }
    struct span bytes = walk->message->bytes;
    size_t at = skip_name(bytes, walk->at);
    if (at == 0) {
        return stop(walk, is_cut(bytes, walk->at));
    }
    if (bytes.size - at < 10 || bytes.size - at - 10 < load_be16(bytes.data + at + 8)) {
        return stop(walk, true);
    }
    const uint8_t *fixed = bytes.data + at;
    *ret = (struct dns_record){
        .name = (uint16_t)walk->at,
        .type = load_be16(fixed),
        .class = load_be16(fixed + 2),
        .ttl = load_be32(fixed + 4),
        .data = (uint16_t)(at + 10),
        .size = load_be16(fixed + 8),
        .section = walk->section,
    };
    walk->at = at + 10 + ret->size;
    walk->left--;
    return true;
}

/* ---- EDNS ----------------------------------------------------------------------------------- */

bool dns_edns_option(struct span *options, uint16_t *code, struct span *value)
{
    struct cursor c = cursor_of(*options);
    *code = cursor_be16(&c);
    *value = cursor_take(&c, cursor_be16(&c));
    *options = c.bad ? span_of(NULL, 0) : span_of(c.at, cursor_left(&c));
    return !c.bad;
}

static void read_subnet(struct span value, struct dns_subnet *ret)
{
    struct cursor c = cursor_of(value);
    unsigned family = cursor_be16(&c);
    uint8_t source = cursor_u8(&c), scope = cursor_u8(&c);
    size_t size = family == 1 ? 4 : 16;
    size_t bytes = (source + 7u) / 8;
    struct span address = cursor_take(&c, bytes);
    if (c.bad || (family != 1 && family != 2) || bytes > size) {
        return;
    }
    *ret = (struct dns_subnet){.version = family == 1 ? 4 : 6, .source = source, .scope = scope};
    memcpy(ret->bytes, address.data, bytes);
    if (source % 8 != 0) {
        ret->bytes[bytes - 1] &= (uint8_t)(0xff00 >> source % 8);
    }
}

void dns_edns_of(const struct dns_message *m, const struct dns_record *opt, struct dns_edns *ret)
{
    *ret = (struct dns_edns){
        .present = true,
        .dnssec_ok = opt->ttl & DNSSEC_OK,
        .version = (uint8_t)(opt->ttl >> 16),
        .rcode_high = (uint8_t)(opt->ttl >> 24),
        .udp_size = opt->class,
        .options = span_of(m->bytes.data + opt->data, opt->size),
    };
    struct span options = ret->options, value;
    for (uint16_t code; dns_edns_option(&options, &code, &value);) {
        if (code == OPTION_SUBNET) {
            read_subnet(value, &ret->subnet);
        }
    }
}

bool dns_edns_read(const struct dns_message *m, struct dns_edns *ret)
{
    *ret = (struct dns_edns){0};
    struct dns_walk walk = dns_walk_of(m);
    for (struct dns_record record; dns_walk_next(&walk, &record);) {
        if (record.type == DNS_OPT && record.section == DNS_ADDITIONAL) {
            dns_edns_of(m, &record, ret);
            return true;
        }
    }
    return !walk.bad;
}

/* ---- Likeness ------------------------------------------------------------------------------- */

static bool is_class(uint16_t class)
{
    unsigned plain = class & ~(unsigned)CLASS_TOP;
    return (plain >= CLASS_IN && plain <= CLASS_HS) || plain == CLASS_NONE || plain == CLASS_ANY;
}

bool dns_is_header(const uint8_t *data)
{
    uint16_t flags = load_be16(data + 2);
    unsigned opcode = flags >> 11 & 15, questions = load_be16(data + 4);
    unsigned answers = load_be16(data + 6), authorities = load_be16(data + 8);
    if (opcode == DNS_IQUERY) { /* RFC 1035 §6.4: an answer whose question is asked for */
        return (flags & ~(unsigned)DNS_RD) == DNS_IQUERY << 11 && questions == 0 && answers == 1 &&
               authorities == 0 && load_be16(data + 10) == 0;
    }
    bool is_known = opcode == DNS_QUERY || opcode == DNS_NOTIFY || opcode == DNS_UPDATE;
    if (!is_known || flags & DNS_Z || (!(flags & DNS_QR) && flags & (DNS_RA | 15))) {
        return false;
    }
    if (questions == 1) {
        return flags & DNS_QR || opcode == DNS_UPDATE || opcode == DNS_NOTIFY ||
               (answers <= 64 && authorities <= 64);
    }
    /* Multicast DNS asks several things at once, and announces without a question. */
    unsigned multicast = flags & ~(unsigned)DNS_TC;
    bool announces = multicast == (DNS_QR | DNS_AA) && questions == 0 && answers > 0;
    bool asks = multicast == 0 && questions > 1 && questions <= 255;
    return announces || (asks && load_be16(data) == 0);
}

static bool is_netbios(const struct dns_message *m)
{
    const uint8_t *name = m->bytes.data + m->question_name;
    if (m->question_name == 0 || name[0] != NETBIOS_LABEL ||
        (m->question_type != NETBIOS_NAME && m->question_type != NETBIOS_STATUS)) {
        return false;
    }
    for (unsigned i = 1; i <= NETBIOS_LABEL; i++) {
        if (name[i] < 'A' || name[i] > 'P') {
            return false;
        }
    }
    return true;
}

/* The questions are sound, or run into the end of what is there. */
static enum dns_likeness look_at_questions(struct span bytes)
{
    size_t at = DNS_HEADER_BYTES;
    for (unsigned i = load_be16(bytes.data + 4); i > 0; i--) {
        size_t end = dns_name_skip(bytes, at);
        if (end == 0) {
            return is_cut(bytes, at) && bytes.size - at < DNS_NAME_BYTES ? DNS_SO_FAR : DNS_NO;
        }
        if (bytes.size - end < 4) {
            return DNS_SO_FAR;
        }
        if (load_be16(bytes.data + end) == 0 || !is_class(load_be16(bytes.data + end + 2))) {
            return DNS_NO;
        }
        at = end + 4;
    }
    return DNS_YES;
}

/* All records are sound and end where the message does, or nearly so where something was asked. */
static enum dns_likeness look_at_records(const struct dns_message *m, size_t size)
{
    struct dns_walk walk = dns_walk_of(m);
    unsigned seen = m->counts[DNS_QUESTION];
    for (struct dns_record record; dns_walk_next(&walk, &record); seen++) {
        if (record.type == 0 || (record.type != DNS_OPT && !is_class(record.class))) {
            return DNS_NO;
        }
    }
    if (!walk.bad) {
        size_t trailer = (size != 0 ? size : m->bytes.size) - walk.at;
        return trailer <= (m->question_name != 0 ? TRAILER_MAX : 0) ? DNS_YES : DNS_NO;
    }
    bool may_go_on = walk.cut && (size == 0 || m->bytes.size < size);
    return !may_go_on ? DNS_NO : seen > 0 ? DNS_LIKELY : DNS_SO_FAR;
}

enum dns_likeness dns_looks_like(struct span bytes, size_t size)
{
    if ((size != 0 && size < DNS_HEADER_BYTES + 5) || size > UINT16_MAX) {
        return DNS_NO;
    }
    struct span message = span_head(bytes, size != 0 ? size : UINT16_MAX);
    if (message.size < DNS_HEADER_BYTES) {
        return DNS_SO_FAR;
    }
    if (!dns_is_header(message.data)) {
        return DNS_NO;
    }
    enum dns_likeness likeness = look_at_questions(message);
    if (likeness != DNS_YES) {
        return likeness == DNS_SO_FAR && message.size == size ? DNS_NO : likeness;
    }
    struct dns_message m;
    struct dns_name name;
    if (!dns_message_read(message, &m) || is_netbios(&m) ||
        (m.question_name != 0 && !dns_name_read(&m, m.question_name, false, &name))) {
        return DNS_NO;
    }
    return look_at_records(&m, size);
}

enum dns_likeness dns_has_question(struct span bytes)
{
    struct dns_message m;
    struct dns_name name;
    if (bytes.size < DNS_HEADER_BYTES) {
        return DNS_SO_FAR;
    }
    unsigned questions = load_be16(bytes.data + 4);
    if (questions == 0 || questions > QUESTIONS_MAX) {
        return DNS_NO;
    }
    if (!dns_message_read(bytes, &m)) {
        return bytes.size < DNS_HEADER_BYTES + DNS_NAME_BYTES + 4 ? DNS_SO_FAR : DNS_NO;
    }
    bool is_sound = m.question_type != 0 && is_class(m.question_class) && !is_netbios(&m);
    return is_sound && dns_name_read(&m, m.question_name, false, &name) ? DNS_YES : DNS_NO;
}
