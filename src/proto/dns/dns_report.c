// SPDX-License-Identifier: Apache-2.0
#include "proto/dns/dns_report.h"

#include "proto/dns/dns_event.h"
#include "proto/dns/dns_list.h"
#include "proto/dns/dns_object.h"
#include "proto/dns/dns_options.h"
#include "proto/dns/dns_pen.h"
#include "proto/dns/dns_suffix.h"

enum {
    RAW_ROOM = 10 << 10,
    OPTIONS_ROOM = 2 << 10,
    QUESTION_ROOM = 128,  /* what stands before a name, and what may be written behind it */
    ADDRESSES_MAX = DNS_OBJECT_ADDRESSES,
    ENDS = 2,          /* places that related.ip leaves free for source and destination */
    PLAIN_CLASS = 0x7fff, /* multicast DNS has a flag above it (RFC 6762 §10.2) */
};

/* The memory of one event; none of it is initialised as a whole. */
struct scratch {
    char lists[DNS_LIST_ROOM + DNS_LIST_RECORD];
    char object[DNS_OBJECT_ROOM];
    char raw[2][RAW_ROOM];
    char options[OPTIONS_ROOM];
    char query[DNS_NAME_ROOM + QUESTION_ROOM];
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
    struct dns_list lists;
    uint32_t addresses;
    uint16_t class_mask;
    unsigned rcode;
    bool has_edns;
};

/* ---- Addresses -------------------------------------------------------------------------------- */

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
    dns_text_low_hex(t, cursor_take(c, 8));
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
    dns_text_low_hex(t, value);
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
        dns_text_low_hex(t, value);
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
        dns_text_low_hex(t, value);
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
    k->event->options_size += (uint32_t)text.size;
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
    e->extended_rcode = dns_rcode_word(high, k->scratch->words[1]);
    if (edns.options.size > 0) {
        show_options(k, &edns);
    }
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
    unsigned section = DNS_ANSWER;
    for (struct dns_record record; dns_walk_next(&walk, &record);) {
        if (record.section != section) {
            *list_of(k, section) = dns_list_end(&k->lists);
            section = record.section;
        }
        if (record.type == DNS_OPT) {
            show_edns(k, &record);
        } else if (is_listed(k, section)) {
            dns_list_add(&k->lists, &record);
            if (section == DNS_ANSWER) {
                note_address(k, &record);
            }
        }
    }
    *list_of(k, section) = dns_list_end(&k->lists);
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

/* "class IN, type A, name", at a place that has room for the name and QUESTION_ROOM bytes; returns the
 * end. */
static char *put_question(char *to, const struct maker *k, const struct dns_message *m,
                          const struct dns_name *name)
{
    char room[DNS_WORD_ROOM];
    to = dns_pen_put(to, "class ");
    to = dns_pen_word(to, dns_class_word(m->question_class & k->class_mask, room));
    to = dns_pen_put(to, ", type ");
    to = dns_pen_word(to, dns_type_word(m->question_type, room));
    to = dns_pen_put(to, ", ");
    return dns_pen_text(to, dns_name_text(name));
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
    char *text = k->scratch->query;
    size_t size = (size_t)(put_question(text, k, asked, name) - text);
    t->query = span_of(text, size);
    t->resource = span_skip(t->query, size - name->size);
}

/* The question as the response repeats it; where it does not, as it was asked. */
static void show_question(struct maker *k)
{
    struct dns_event *e = k->event;
    const struct dns_message *asked = k->exchange->query != NULL ? k->exchange->query : k->message;
    const struct dns_message *m = k->message->question_name != 0 ? k->message : asked;
    struct dns_name *name = &k->scratch->name;
    bool is_named = m->question_name != 0 && dns_name_read(m, m->question_name, false, name);
    k->lists.asked = is_named && m == k->message ? name : NULL;
    show_asked(k, asked, m, is_named ? name : NULL);
    if (!is_named) {
        return;
    }
    e->question_name = dns_name_text(name);
    e->is_name_plain = name->is_plain;
    e->question_type = dns_type_word(m->question_type, k->scratch->words[2]);
    e->question_class = dns_class_word(m->question_class & k->class_mask, k->scratch->words[3]);
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
    e->opcode = dns_opcode_word(dns_opcode(m), k->scratch->words[4]);
    e->response_code = dns_rcode_word(k->rcode, k->scratch->words[5]);
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

static void put_sections(struct dns_text *t, const struct dns_message *m)
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
        char room[DNS_RECORD_ROOM];
        struct dns_text text = dns_text_of(room, sizeof room);
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
    dns_text_put(&t, dns_opcode_word(dns_opcode(m), word));
    dns_text_str(&t, "; FLAGS");
    for (unsigned i = 0; i < sizeof flags / sizeof *flags; i++) {
        dns_text_str(&t, m->flags & flags[i].bit ? flags[i].name : "");
    }
    unsigned rcode = m == k->message ? k->rcode : dns_rcode(m);
    dns_text_str(&t, "; RCODE ");
    dns_text_put(&t, dns_rcode_word(rcode, word));
    struct dns_name name;
    if (m->question_name != 0 && dns_name_read(m, m->question_name, false, &name)) {
        char text[DNS_NAME_ROOM + QUESTION_ROOM];
        dns_text_str(&t, "; QUESTION ");
        dns_text_put(&t, span_of(text, (size_t)(put_question(text, k, m, &name) - text)));
    }
    put_sections(&t, m);
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
    bool is_fine = is_whole ? k->rcode == 0 && !x->is_unread : x->is_multicast;
    t->status = is_fine ? TRANSACTION_OK : TRANSACTION_ERROR;
    t->start_ns = x->query != NULL ? x->query_ns : x->response_ns;
    t->end_ns = x->response != NULL && (is_whole || !x->is_multicast) ? x->response_ns : 0;
    t->source_bytes = x->query_bytes;
    t->destination_bytes = x->response_bytes;
    t->request_side = x->request_side;
    t->reason = x->is_unread ? "malformed" : x->reason;
    t->protocol = x->protocol;
    for (unsigned i = 0; i < x->notes_count; i++) {
        k->scratch->notes[i] = span_str(x->notes[i]);
    }
    t->notes = (struct event_spans){x->notes_count, k->scratch->notes};
}

/* Where nobody looks at an event but at its JSON, the object is written here. */
static void write_object(struct event_log *log, struct dns_event *event, struct scratch *scratch)
{
    size_t size = log->writer != NULL ? dns_object_write(scratch->object, event) : 0;
    if (size > 0) {
        event->object = span_of(scratch->object, size);
        event->transaction.head.type = &dns_object_type;
    }
}

static void report(struct proto_context *c, const struct dns_exchange *x, struct scratch *scratch)
{
    struct dns_event event = {.transaction = {.head = {.type = &dns_event_type}}};
    const struct dns_message *message = x->response != NULL ? x->response : x->query;
    uint16_t class_mask = x->protocol != NULL ? PLAIN_CLASS : UINT16_MAX;
    struct maker maker = {
        .exchange = x,
        .message = message,
        .options = (const struct dns_options *)c->settings,
        .event = &event,
        .scratch = scratch,
        .lists = {.message = message, .data = scratch->lists, .class_mask = class_mask},
        .class_mask = class_mask,
    };
    show_message(&maker);
    show_lines(&maker);
    fill_transaction(&maker);
    ((struct dns_stats *)c->block)->records_left_out += maker.lists.left_out;
    write_object(c->events, &event, scratch);
    event_log_add(c->events, &event.transaction.head);
}

/* So much on the stack is looked at page by page, each time. */
static __attribute__((noinline)) void report_on_stack(struct proto_context *c,
                                                      const struct dns_exchange *x)
{
    struct scratch scratch;
    report(c, x, &scratch);
}

_Static_assert(sizeof(struct scratch) <= DNS_REPORT_ROOM, "it is the worker's cache");

void dns_report(struct proto_context *c, const struct dns_exchange *x)
{
    if (c->events->capacity == 0) {
        return;
    }
    if (c->cache != NULL) {
        report(c, x, c->cache);
    } else {
        report_on_stack(c, x);
    }
}
