// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_report.h"

#include "proto/dns/dns_event.h"
#include "proto/dns/dns_options.h"
#include "proto/dns/dns_record.h"
#include "proto/dns/dns_suffix.h"
#include "proto/dns/dns_words.h"

enum {
    LIST_ROOM = 24 << 10,
    RAW_ROOM = 10 << 10,
    OPTIONS_ROOM = 2 << 10,
    ADDRESSES_MAX = 64,
    ENDS = 2,          /* places that related.ip leaves free for source and destination */
    POINTER = 0xc000,    /* two bytes with these bits point to a name (RFC 1035 §4.1.4) */
    PLAIN_CLASS = 0x7fff, /* multicast DNS has a flag above it (RFC 6762 §10.2) */
};

/* The memory of one event; none of it is initialised as a whole. */
struct scratch {
    char lists[LIST_ROOM];
    char record[DNS_RECORD_ROOM];
    char raw[2][RAW_ROOM];
    char options[OPTIONS_ROOM];
    char query[DNS_NAME_ROOM + 64];
    char words[8][DNS_WORD_ROOM];
    struct dns_name name;
    struct span notes[DNS_NOTES_MAX];
    struct span flags[7];
    struct event_address addresses[ADDRESSES_MAX];
    struct event_address related[ENDS + ADDRESSES_MAX]; /* transaction_finish() works on it */
};

struct maker {
    const struct dns_exchange *exchange;
    const struct dns_message *message; /* that the event shows: the response if there is one */
    const struct dns_options *options;
    struct dns_event *event;
    struct scratch *scratch;
    struct dns_text lists;
    uint32_t addresses;
    uint32_t left_out;
    uint16_t class_mask;
    unsigned rcode;
    bool has_edns;
    bool is_named; /* scratch->name is the name that the message asks for */
};

/* ---- Records ---------------------------------------------------------------------------------- */

static struct span class_word(const struct maker *k, unsigned class, char room[DNS_WORD_ROOM])
{
    class &= k->class_mask;
    return dns_word(dns_class_name(class), "", class, room);
}

static void put_member(struct dns_text *t, const char *key, struct span value, bool is_number)
{
    if (t->data[t->size - 1] != '{') {
        dns_text_char(t, ',');
    }
    dns_text_char(t, '"');
    dns_text_str(t, key);
    dns_text_str(t, "\":");
    if (is_number) {
        dns_text_put(t, value);
    } else {
        dns_text_json(t, value);
    }
}

/* The name of a record: mostly that of the question, by a pointer to it. Empty where it is none. */
static struct span record_name(const struct maker *k, const struct dns_record *record,
                               struct dns_name *room)
{
    const struct dns_message *m = k->message;
    uint16_t pointer = load_be16(m->bytes.data + record->name);
    if (k->is_named && pointer == (POINTER | m->question_name)) {
        return dns_name_text(&k->scratch->name);
    }
    return dns_name_read(m, record->name, false, room) ? dns_name_text(room) : span_of("", 0);
}

/* One record as a JSON object. */
static void put_record(struct maker *k, const struct dns_record *record)
{
    char room[DNS_WORD_ROOM];
    struct dns_name name;
    struct dns_parts parts;
    struct dns_text text = dns_text_of(k->scratch->record, DNS_RECORD_ROOM);
    struct dns_text *t = &k->lists;
    dns_record_parts(k->message, record, &text, &parts);
    dns_text_char(t, '{');
    put_member(t, "name", record_name(k, record, &name), false);
    put_member(t, "type", dns_word(dns_type_name(record->type), "", record->type, room), false);
    put_member(t, "class", class_word(k, record->class, room), false);
    struct dns_text ttl = dns_text_of(room, sizeof room);
    dns_text_number(&ttl, record->ttl);
    put_member(t, "ttl", dns_text_since(&ttl, 0), false);
    for (unsigned i = 0; i < parts.count; i++) {
        put_member(t, parts.parts[i].key, parts.parts[i].value, parts.parts[i].is_number);
    }
    dns_text_char(t, '}');
}

/* Adds a record to the list that begins at `start`; what finds no room is left out, whole. One byte is
 * kept for the end of the list. */
static void list_record(struct maker *k, const struct dns_record *record, size_t start)
{
    struct dns_text *t = &k->lists;
    size_t before = t->size;
    if (k->left_out == 0) {
        dns_text_char(t, before == start ? '[' : ',');
        put_record(k, record);
    }
    if (k->left_out > 0 || t->full) {
        t->size = before;
        t->full = false;
        k->left_out++;
    }
}

static struct span end_list(struct maker *k, size_t start)
{
    struct dns_text *t = &k->lists;
    if (t->size == start) {
        return span_of(NULL, 0);
    }
    t->room++;
    dns_text_char(t, ']');
    return dns_text_since(t, start);
}

static bool is_known_address(const struct maker *k, const struct event_address *address)
{
    const struct event_address *known = k->scratch->addresses;
    for (uint32_t i = 0; i < k->addresses; i++) {
        if (memcmp(&known[i], address, sizeof *address) == 0) {
            return true;
        }
    }
    return false;
}

static void note_address(struct maker *k, const struct dns_record *record)
{
    bool is_four = record->type == DNS_A && record->size == 4;
    bool is_six = record->type == DNS_AAAA && record->size == 16;
    if ((!is_four && !is_six) || k->addresses == ADDRESSES_MAX) {
        return;
    }
    struct event_address address = {.version = is_four ? 4 : 6};
    memcpy(address.bytes, k->message->bytes.data + record->data, record->size);
    if (!is_known_address(k, &address)) {
        k->scratch->addresses[k->addresses++] = address;
    }
}

/* ---- EDNS ------------------------------------------------------------------------------------- */

static void put_algorithms(struct dns_text *t, struct span value, const char *(*name_of)(unsigned))
{
    for (size_t i = 0; i < value.size; i++) {
        char room[DNS_WORD_ROOM];
        if (i > 0) {
            dns_text_char(t, ' ');
        }
        dns_text_put(t, dns_word(name_of(value.data[i]), "", value.data[i], room));
    }
}

static void put_low_hex(struct dns_text *t, struct span value)
{
    size_t from = t->size;
    dns_text_hex(t, value);
    for (size_t i = from; i < t->size; i++) {
        t->data[i] = (char)(t->data[i] | 32); /* digits have that bit, too */
    }
}

/* Numbers in decimal with spaces between, four bytes each. */
static void put_numbers(struct dns_text *t, struct cursor *c)
{
    for (bool first = true; cursor_left(c) >= 4; first = false) {
        if (!first) {
            dns_text_char(t, ' ');
        }
        dns_text_number(t, cursor_be32(c));
    }
}

/* RFC 8764 §3.2: version, opcode, error, id, lease */
static void put_llq(struct dns_text *t, struct cursor *c)
{
    for (unsigned i = 0; i < 3; i++) {
        dns_text_number(t, cursor_be16(c));
        dns_text_char(t, ' ');
    }
    put_low_hex(t, cursor_take(c, 8));
    dns_text_char(t, ' ');
    dns_text_number(t, cursor_be32(c));
}

static void put_subnet(struct dns_text *t, const struct dns_subnet *subnet)
{
    if (subnet->version == 6) {
        dns_text_char(t, '[');
    }
    dns_text_address(t, subnet->version, subnet->bytes);
    if (subnet->version == 6) {
        dns_text_char(t, ']');
    }
    dns_text_char(t, '/');
    dns_text_number(t, subnet->source);
    dns_text_char(t, '/');
    dns_text_number(t, subnet->scope);
}

/* RFC 8914 §2: a code, then text */
static void put_extended_error(struct dns_text *t, struct cursor *c)
{
    unsigned code = cursor_be16(c);
    const char *name = dns_extended_error_name(code);
    dns_text_number(t, code);
    if (name != NULL) {
        dns_text_char(t, ' ');
        dns_text_str(t, name);
    }
    if (cursor_left(c) > 0) {
        dns_text_str(t, ": ");
        dns_text_escaped(t, cursor_take(c, cursor_left(c)));
    }
}

static void put_local(struct dns_text *t, unsigned code, struct span value)
{
    dns_text_number(t, code);
    dns_text_str(t, ":0x");
    put_low_hex(t, value);
}

/* Writes an option's value and says where it is shown; DNS_SHOWN_OPTIONS for those that are not. */
static enum dns_shown_option put_option(struct dns_text *t, unsigned code, struct span value,
                                        const struct dns_edns *edns)
{
    struct cursor c = cursor_of(value);
    switch (code) {
    case 1:
        put_llq(t, &c);
        return DNS_SHOWN_LLQ;
    case 2:
        put_numbers(t, &c);
        return DNS_SHOWN_UL;
    case 3:
        put_low_hex(t, value);
        return DNS_SHOWN_NSID;
    case 5:
        put_algorithms(t, value, dns_algorithm_name);
        return DNS_SHOWN_DAU;
    case 6:
        put_algorithms(t, value, dns_hash_name);
        return DNS_SHOWN_DHU;
    case 7:
        put_algorithms(t, value, dns_hash_name);
        return DNS_SHOWN_N3U;
    case 8:
        if (edns->subnet.version == 0) {
            return DNS_SHOWN_OPTIONS;
        }
        put_subnet(t, &edns->subnet);
        return DNS_SHOWN_SUBNET;
    case 9:
        put_numbers(t, &c);
        return DNS_SHOWN_EXPIRE;
    case 10:
        put_low_hex(t, value);
        return DNS_SHOWN_COOKIE;
    case 12: /* padding (RFC 7830) */
        return DNS_SHOWN_OPTIONS;
    case 15:
        put_extended_error(t, &c);
        return DNS_SHOWN_ERRORS;
    default:
        put_local(t, code, value);
        return DNS_SHOWN_LOCAL;
    }
}

static void show_options(struct maker *k, const struct dns_edns *edns)
{
    struct dns_text text = dns_text_of(k->scratch->options, OPTIONS_ROOM);
    struct span left = edns->options, value;
    for (uint16_t code; !text.full && dns_edns_option(&left, &code, &value);) {
        size_t from = text.size;
        enum dns_shown_option where = put_option(&text, code, value, edns);
        if (where < DNS_SHOWN_OPTIONS && text.size > from) {
            k->event->options[where] = dns_text_since(&text, from);
        }
    }
}

static void show_edns(struct maker *k, const struct dns_record *opt)
{
    struct dns_event *e = k->event;
    char *room = k->scratch->words[0];
    struct dns_edns edns;
    dns_edns_of(k->message, opt, &edns);
    k->has_edns = true;
    k->rcode |= (unsigned)edns.rcode_high << 4;
    e->dnssec_ok = edns.dnssec_ok ? 2 : 1;
    e->udp_size = (struct event_optional){.value = edns.udp_size, .present = true};
    e->edns_version = dns_word(NULL, "", edns.version, room);
    unsigned high = (unsigned)edns.rcode_high << 4;
    e->extended_rcode = dns_word(dns_rcode_name(high), "Unknown ", high, k->scratch->words[1]);
    show_options(k, &edns);
}

/* ---- The message ------------------------------------------------------------------------------ */

static bool is_listed(const struct maker *k, enum dns_section section)
{
    return section == DNS_ANSWER ||
           (section == DNS_AUTHORITY && k->options->include_authorities) ||
           (section == DNS_ADDITIONAL && k->options->include_additionals);
}

static struct span *list_of(struct maker *k, enum dns_section section)
{
    return section == DNS_ANSWER      ? &k->event->answers
           : section == DNS_AUTHORITY ? &k->event->authorities
                                      : &k->event->additionals;
}

/* Walks all records once: lists, addresses, EDNS. */
static void show_records(struct maker *k)
{
    struct dns_walk walk = dns_walk_of(k->message);
    size_t start = 0;
    unsigned section = DNS_ANSWER;
    for (struct dns_record record; dns_walk_next(&walk, &record);) {
        if (record.section != section) {
            *list_of(k, section) = end_list(k, start);
            start = k->lists.size;
            section = record.section;
        }
        if (record.type == DNS_OPT) {
            show_edns(k, &record);
        } else if (is_listed(k, section)) {
            list_record(k, &record, start);
            if (section == DNS_ANSWER) {
                note_address(k, &record);
            }
        }
    }
    *list_of(k, section) = end_list(k, start);
}

static void show_flags(struct maker *k)
{
    static const struct {
        uint16_t bit;
        char name[3];
    } flags[] = {{DNS_AA, "AA"}, {DNS_TC, "TC"}, {DNS_RD, "RD"},
                 {DNS_RA, "RA"}, {DNS_AD, "AD"}, {DNS_CD, "CD"}};
    struct dns_event *e = k->event;
    unsigned set = k->message->flags;
    e->authoritative = set & DNS_AA;
    e->truncated = set & DNS_TC;
    e->recursion_desired = set & DNS_RD;
    e->recursion_available = set & DNS_RA;
    e->authentic_data = set & DNS_AD;
    e->checking_disabled = set & DNS_CD;
    struct span *to = k->scratch->flags;
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (set & flags[i].bit) {
            *to++ = span_of(flags[i].name, 2);
        }
    }
    if (e->dnssec_ok == 2) {
        *to++ = span_str("DO");
    }
    e->header_flags = (struct event_spans){.count = (uint32_t)(to - k->scratch->flags),
                                           .items = k->scratch->flags};
}

static void show_domain(struct maker *k)
{
    struct dns_event *e = k->event;
    const struct dns_name *name = &k->scratch->name;
    struct dns_domain domain;
    if (dns_suffix_split(name, &domain)) {
        e->effective_domain = e->registered_domain = domain.registered;
        e->top_level_domain = domain.suffix;
        e->subdomain = domain.subdomain;
    } else if (name->labels == 2) { /* a suffix of two labels */
        e->registered_domain = dns_name_text(name);
        e->top_level_domain = dns_name_tail(name, 1);
    }
}

/* "class IN, type A, name" */
static void put_question(const struct maker *k, struct dns_text *t, const struct dns_message *m,
                         const struct dns_name *name)
{
    char room[DNS_WORD_ROOM];
    dns_text_str(t, "class ");
    dns_text_put(t, class_word(k, m->question_class, room));
    dns_text_str(t, ", type ");
    dns_text_put(t, dns_word(dns_type_name(m->question_type), "", m->question_type, room));
    dns_text_str(t, ", ");
    dns_text_put(t, dns_name_text(name));
}

/* `query` and `resource`: the query's own words, whose name is mostly `known`, that of `m`. */
static void show_asked(struct maker *k, const struct dns_message *asked,
                       const struct dns_message *m, const struct dns_name *known)
{
    struct transaction *t = &k->event->transaction;
    struct dns_name room;
    const struct dns_name *name = &room;
    if (asked->question_name == 0) {
        return;
    }
    if (known != NULL && (asked == m || dns_is_repeated(asked, m))) {
        name = known;
    } else if (!dns_name_read(asked, asked->question_name, false, &room)) {
        return;
    }
    struct dns_text text = dns_text_of(k->scratch->query, sizeof k->scratch->query);
    put_question(k, &text, asked, name);
    t->query = dns_text_since(&text, 0);
    t->resource = dns_text_since(&text, text.size - name->size);
}

/* The question as the response repeats it; where it does not, as it was asked. */
static void show_question(struct maker *k)
{
    struct dns_event *e = k->event;
    const struct dns_message *asked = k->exchange->query != NULL ? k->exchange->query : k->message;
    const struct dns_message *m = k->message->question_name != 0 ? k->message : asked;
    struct dns_name *name = &k->scratch->name;
    bool is_named = m->question_name != 0 && dns_name_read(m, m->question_name, false, name);
    k->is_named = is_named && m == k->message;
    show_asked(k, asked, m, is_named ? name : NULL);
    if (!is_named) {
        return;
    }
    unsigned type = m->question_type;
    e->question_name = dns_name_text(name);
    e->question_type = dns_word(dns_type_name(type), "", type, k->scratch->words[2]);
    e->question_class = class_word(k, m->question_class, k->scratch->words[3]);
    show_domain(k);
}

static void show_message(struct maker *k)
{
    struct dns_event *e = k->event;
    const struct dns_message *m = k->message;
    k->rcode = dns_rcode(m);
    show_question(k);
    show_records(k);
    show_flags(k);
    e->id = m->id;
    e->type = dns_is_response(m) ? "answer" : "query";
    e->opcode = dns_word(dns_opcode_name(dns_opcode(m)), "", dns_opcode(m), k->scratch->words[4]);
    e->response_code =
        dns_word(dns_rcode_name(k->rcode), "Unknown ", k->rcode, k->scratch->words[5]);
    e->answer_count = m->counts[DNS_ANSWER] + k->exchange->more_answers;
    e->authority_count = m->counts[DNS_AUTHORITY];
    e->additional_count = m->counts[DNS_ADDITIONAL] - (k->has_edns && m->counts[DNS_ADDITIONAL] > 0);
    e->resolved = (struct event_addresses){k->addresses, k->scratch->addresses};
    e->transaction.method = e->opcode;
    if (k->addresses > 0) {
        struct event_address *related = k->scratch->related;
        memcpy(related + ENDS, k->scratch->addresses, k->addresses * sizeof *related);
        e->transaction.related_ip = (struct event_addresses){ENDS + k->addresses, related};
    }
}

/* ---- The message as one line ------------------------------------------------------------------ */

static void put_parts(struct dns_text *t, const struct dns_parts *parts)
{
    for (unsigned i = 0; i < parts->count; i++) {
        const struct dns_part *part = &parts->parts[i];
        if (i + 1 < parts->count) {
            dns_text_str(t, part->key);
            dns_text_char(t, ' ');
            dns_text_put(t, part->value);
            dns_text_str(t, ", ");
        } else {
            dns_text_put(t, part->value);
        }
    }
}

static void put_sections(const struct maker *k, struct dns_text *t, const struct dns_message *m)
{
    static const char *const titles[] = {NULL, "; ANSWER ", "; AUTHORITY ", "; ADDITIONAL "};
    struct dns_walk walk = dns_walk_of(m);
    unsigned section = DNS_QUESTION;
    for (struct dns_record record; !t->full && dns_walk_next(&walk, &record);) {
        if (record.type == DNS_OPT) {
            continue;
        }
        dns_text_str(t, record.section != section ? titles[record.section] : "; ");
        section = record.section;
        struct dns_text text = dns_text_of(k->scratch->record, DNS_RECORD_ROOM);
        struct dns_parts parts;
        dns_record_parts(m, &record, &text, &parts);
        put_parts(t, &parts);
    }
}

static struct span put_line(const struct maker *k, const struct dns_message *m, char *room)
{
    static const struct {
        uint16_t bit;
        char name[4];
    } flags[] = {{DNS_AA, " aa"}, {DNS_TC, " tc"}, {DNS_RD, " rd"},
                 {DNS_RA, " ra"}, {DNS_AD, " ad"}, {DNS_CD, " cd"}};
    struct dns_text t = dns_text_of(room, RAW_ROOM);
    char word[DNS_WORD_ROOM];
    dns_text_str(&t, "ID ");
    dns_text_number(&t, m->id);
    dns_text_str(&t, dns_is_response(m) ? "; QR response; OPCODE " : "; QR query; OPCODE ");
    dns_text_put(&t, dns_word(dns_opcode_name(dns_opcode(m)), "", dns_opcode(m), word));
    dns_text_str(&t, "; FLAGS");
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
        dns_text_str(&t, m->flags & flags[i].bit ? flags[i].name : "");
    }
    unsigned rcode = m == k->message ? k->rcode : dns_rcode(m);
    dns_text_str(&t, "; RCODE ");
    dns_text_put(&t, dns_word(dns_rcode_name(rcode), "Unknown ", rcode, word));
    struct dns_name name;
    if (m->question_name != 0 && dns_name_read(m, m->question_name, false, &name)) {
        dns_text_str(&t, "; QUESTION ");
        put_question(k, &t, m, &name);
    }
    put_sections(k, &t, m);
    return dns_text_since(&t, 0);
}

static void show_lines(struct maker *k)
{
    const struct dns_exchange *x = k->exchange;
    if (k->options->settings.send_request && x->query != NULL) {
        k->event->transaction.request = put_line(k, x->query, k->scratch->raw[0]);
    }
    if (k->options->settings.send_response && x->response != NULL) {
        k->event->transaction.response = put_line(k, x->response, k->scratch->raw[1]);
    }
}

/* ---- The event -------------------------------------------------------------------------------- */

static void fill_transaction(struct maker *k)
{
    const struct dns_exchange *x = k->exchange;
    struct transaction *t = &k->event->transaction;
    bool is_whole = x->query != NULL && x->response != NULL;
    bool is_fine = is_whole ? k->rcode == 0 : x->is_multicast;
    t->status = is_fine ? TRANSACTION_OK : TRANSACTION_ERROR;
    t->start_ns = x->query != NULL ? x->query_ns : x->response_ns;
    t->end_ns = x->response != NULL && (is_whole || !x->is_multicast) ? x->response_ns : 0;
    t->source_bytes = x->query_bytes;
    t->destination_bytes = x->response_bytes;
    t->request_side = x->request_side;
    t->reason = x->reason;
    t->protocol = x->protocol;
    for (unsigned i = 0; i < x->notes_count; i++) {
        k->scratch->notes[i] = span_str(x->notes[i]);
    }
    t->notes = (struct event_spans){x->notes_count, k->scratch->notes};
}

void dns_report(struct proto_context *c, const struct dns_exchange *x)
{
    if (c->events->capacity == 0) {
        return;
    }
    struct scratch scratch;
    struct dns_event event = {.transaction = {.head = {.type = &dns_event_type}}};
    struct maker maker = {
        .exchange = x,
        .message = x->response != NULL ? x->response : x->query,
        .options = (const struct dns_options *)c->settings,
        .event = &event,
        .scratch = &scratch,
        .lists = dns_text_of(scratch.lists, LIST_ROOM - DNS_SECTIONS),
        .class_mask = x->protocol != NULL ? PLAIN_CLASS : UINT16_MAX,
    };
    show_message(&maker);
    show_lines(&maker);
    fill_transaction(&maker);
    ((struct dns_stats *)c->block)->records_left_out += maker.left_out;
    event_log_add(c->events, &event.transaction.head);
}
